//! How far an order is paid, whether it is cancelled, and what a closed one says was given back.

use domain::{Goods, Payment};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::amounts::Amounts;
use crate::fields::{BadInput, minor_units};

/// Where an order stands.
pub(super) struct Standing {
    pub(super) payment: Payment,
    pub(super) is_cancelled: bool,
    /// Adobe closes an order of which nothing is left, and at times one of which a part was given back.
    pub(super) is_closed: bool,
}

/// The standing that an order's state tells, or its status where the state is not told.
pub(super) fn of(fields: &Map<String, Value>, amounts: &Amounts<'_>) -> Result<Standing, BadInput> {
    let text = |name| fields.get(name).and_then(Value::as_str);
    let (payment, is_cancelled, is_closed) = match text("state").or(text("status")).unwrap_or_default() {
        "processing" | "complete" => (paid_so_far(amounts)?, false, false),
        "closed" => (paid_so_far(amounts)?, false, true),
        "canceled" => (Payment::Unpaid, true, false),
        _ => (Payment::Unpaid, false, false),
    };
    Ok(Standing { payment, is_cancelled, is_closed })
}

/// What of the goods is paid. An order is in process once anything of it was invoiced or shipped; it is paid, unless it
/// says that only a part is.
///
/// Adobe invoices all shipping with the first goods, so the share of the money is not the share of the goods: what was
/// invoiced of the goods is told by itself, and so is what of them was cancelled and will never be paid.
fn paid_so_far(amounts: &Amounts<'_>) -> Result<Payment, BadInput> {
    let Some((goods, all_goods)) = invoiced(amounts)? else { return paid_without_shipping(amounts) };
    // Of what was invoiced, all is paid where it does not say otherwise.
    let (paid, invoiced) = (amounts.get("total_paid")?, amounts.get("total_invoiced")?);
    if invoiced <= Decimal::ZERO || paid >= invoiced || !amounts.tells("total_paid") {
        return share(goods, all_goods, amounts);
    }
    let paid_for = goods.checked_mul(paid).and_then(|product| product.checked_div(invoiced));
    share(paid_for.ok_or_else(|| BadInput::at("total_paid", "is too large"))?, all_goods, amounts)
}

/// The goods that were invoiced, of all goods, after the discounts on them; nothing where neither that is told nor what
/// was cancelled.
fn invoiced(amounts: &Amounts<'_>) -> Result<Option<(Decimal, Decimal)>, BadInput> {
    let all = amounts.get("subtotal")?;
    let canceled = amounts.get("subtotal_canceled")?.abs();
    let invoiced = amounts.get("subtotal_invoiced")?;
    if invoiced > Decimal::ZERO && (invoiced < all || amounts.tells("total_invoiced")) {
        let has_discounts = amounts.tells("discount_invoiced") && amounts.tells("discount_amount");
        if !has_discounts {
            return Ok(Some((invoiced, all)));
        }
        let discount = |name| amounts.get(name).map(|amount| amount.abs());
        let all = all - discount("discount_amount")?;
        return Ok(
            Some((invoiced - discount("discount_invoiced")?, all)).filter(|(_, all)| *all > Decimal::ZERO)
        );
    }
    Ok((invoiced.is_zero() && canceled > Decimal::ZERO && canceled < all).then_some((all - canceled, all)))
}

/// The share of the money, after shipping has taken its own.
fn paid_without_shipping(amounts: &Amounts<'_>) -> Result<Payment, BadInput> {
    if !amounts.tells("total_paid") || !amounts.tells("grand_total") {
        return Ok(Payment::Paid);
    }
    let (paid, total) = (amounts.get("total_paid")?, amounts.get("grand_total")?);
    if paid <= Decimal::ZERO || paid >= total {
        return Ok(Payment::Paid);
    }
    let discount = amounts.get("shipping_discount_amount")?.abs();
    let shipping = amounts.get("shipping_amount")? + amounts.get("shipping_tax_amount")? - discount;
    let shipping = shipping.clamp(Decimal::ZERO, total);
    share(paid - shipping, total - shipping, amounts)
}

fn share(paid: Decimal, total: Decimal, amounts: &Amounts<'_>) -> Result<Payment, BadInput> {
    if paid >= total {
        return Ok(Payment::Paid);
    }
    let paid = minor_units("total_paid", paid, amounts.currency)?;
    let total = minor_units("grand_total", total, amounts.currency)?;
    Ok(if paid > 0 { Payment::Partial { paid, total } } else { Payment::Unpaid })
}

/// The money that a closed order says was given back for its goods: all of them, unless it says how much of what was
/// paid went back, and that is less.
pub(super) fn given_back(amounts: &Amounts<'_>, goods: &Goods) -> Result<i64, BadInput> {
    let all = if goods.tax_included { goods.amount } else { goods.amount.saturating_add(goods.tax) };
    let refunded = amounts.get("total_refunded")?;
    let paid = amounts.get(if amounts.tells("total_paid") { "total_paid" } else { "grand_total" })?;
    if !amounts.tells("total_refunded") || refunded >= paid {
        return Ok(all);
    }
    let of_shipping = amounts.get("shipping_refunded")? + amounts.get("shipping_tax_refunded")?;
    let of_goods = if amounts.tells("subtotal_refunded") {
        let discount = amounts.get("discount_refunded")?.abs();
        let tax = amounts.get("tax_refunded")? - amounts.get("shipping_tax_refunded")?;
        let compensation = amounts.get("discount_tax_compensation_refunded")?;
        amounts.get("subtotal_refunded")? - discount + compensation + tax + amounts.adjustment()?
    } else {
        refunded - of_shipping
    };
    Ok(minor_units("total_refunded", of_goods.max(Decimal::ZERO), amounts.currency)?.min(all))
}
