//! What the goods of an order, an invoice or a credit memo are worth.
//!
//! Each amount is told twice: in the currency of the order, and with `base_` before its name in the currency of the
//! shop. We read those of the order, and the shop's where only they are told. All are read exactly, and added up before
//! they are rounded.

use domain::{Currency, Goods, RefundKind};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::fields::{Amount, BadInput, minor_units, read_part};

/// A product that is money in another form: it earns when it is spent.
const GIFT_CARD: &str = "giftcard";

/// A resource's amounts in one currency.
pub(super) struct Amounts<'a> {
    fields: &'a Map<String, Value>,
    prefix: &'static str,
    pub(super) currency: Currency,
}

impl<'a> Amounts<'a> {
    /// In the currency of the order, else of the shop; nothing where the resource tells no amounts.
    pub(super) fn of(fields: &'a Map<String, Value>) -> Result<Option<Self>, BadInput> {
        for (currency, prefix) in [("order_currency_code", ""), ("base_currency_code", "base_")] {
            let code = fields.get(currency).filter(|code| !code.is_null());
            let Some(code) = code.filter(|_| told(fields, &format!("{prefix}subtotal"))) else { continue };
            let currency = read_part(currency, code.clone())?;
            return Ok(Some(Self { fields, prefix, currency }));
        }
        Ok(None)
    }

    /// One amount; 0 where it is not told.
    pub(super) fn get(&self, name: &str) -> Result<Decimal, BadInput> {
        amount(self.fields, &format!("{}{name}", self.prefix))
    }

    /// Whether an amount is told.
    pub(super) fn tells(&self, name: &str) -> bool {
        told(self.fields, &format!("{}{name}", self.prefix))
    }

    /// The goods after discounts, without shipping and gift cards bought.
    pub(super) fn goods(&self, tax_included: bool) -> Result<Goods, BadInput> {
        let Exact { net, tax } = self.exact()?;
        self.rounded(net, tax, tax_included)
    }

    /// What a credit memo gives back, and whether that is goods or money. An adjustment is money, so it has its tax in
    /// it: of goods that are given back it is a part of the whole, goods and tax together, and without goods it stands
    /// for itself.
    pub(super) fn given_back(&self, tax_included: bool) -> Result<(Goods, RefundKind), BadInput> {
        let Exact { net, tax } = self.exact()?;
        let (adjustment, gross) = (self.adjustment()?, net + tax);
        if gross.is_zero() {
            let money = minor_units("adjustment_positive", adjustment.max(Decimal::ZERO), self.currency)?;
            return Ok((Goods::untaxed(money), RefundKind::Money));
        }
        let given_back = (gross + adjustment).max(Decimal::ZERO);
        let part = |amount: Decimal| {
            let part = amount.checked_mul(given_back).and_then(|product| product.checked_div(gross));
            part.ok_or_else(|| {
                BadInput::at("adjustment_positive", "is out of all proportion to the credit memo")
            })
        };
        Ok((self.rounded(part(net)?, part(tax)?, tax_included)?, RefundKind::Goods))
    }

    /// What an order's adjustments gave back so far beyond its goods and shipping; below 0 where less.
    pub(super) fn adjustment(&self) -> Result<Decimal, BadInput> {
        if self.tells("adjustment_positive") || self.tells("adjustment_negative") {
            return Ok(self.get("adjustment_positive")? - self.get("adjustment_negative")?.abs());
        }
        self.get("adjustment")
    }

    /// The subtotal never has the tax in it. Of a discount on prices with tax, the part that is tax comes back as
    /// compensation. Discounts are told below 0 on some resources and above on others, those on shipping among them.
    fn exact(&self) -> Result<Exact, BadInput> {
        let discount = self.get("discount_amount")?.abs() - self.get("shipping_discount_amount")?.abs();
        let tax = self.get("tax_amount")? - self.get("shipping_tax_amount")?;
        let compensation = self.get("discount_tax_compensation_amount")?;
        let (cards, tax_on_cards) = self.gift_cards()?;
        let net = self.get("subtotal")? - discount.max(Decimal::ZERO) + compensation - cards;
        Ok(Exact { net: net.max(Decimal::ZERO), tax: (tax - tax_on_cards).max(Decimal::ZERO) })
    }

    /// Both amounts are rounded once from the exact sum, so that each is right by itself; the tax is between.
    fn rounded(&self, net: Decimal, tax: Decimal, tax_included: bool) -> Result<Goods, BadInput> {
        let gross = minor_units("subtotal", net + tax, self.currency)?;
        let net = minor_units("subtotal", net, self.currency)?;
        Ok(Goods { amount: if tax_included { gross } else { net }, tax: gross - net, tax_included })
    }

    /// What the gift cards among an order's items cost, and the tax on them.
    fn gift_cards(&self) -> Result<(Decimal, Decimal), BadInput> {
        let items = self.fields.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut sum = (Decimal::ZERO, Decimal::ZERO);
        for item in items.iter().filter_map(Value::as_object) {
            if item.get("product_type").and_then(Value::as_str) == Some(GIFT_CARD) {
                let amount = |name| amount(item, &format!("{}{name}", self.prefix));
                sum.0 += amount("row_total")? - amount("discount_amount")?.abs();
                sum.1 += amount("tax_amount")?;
            }
        }
        Ok(sum)
    }
}

/// Goods and their tax, before they are rounded.
struct Exact {
    net: Decimal,
    tax: Decimal,
}

fn told(fields: &Map<String, Value>, name: &str) -> bool {
    fields.get(name).is_some_and(|value| !value.is_null())
}

fn amount(fields: &Map<String, Value>, name: &str) -> Result<Decimal, BadInput> {
    let value = fields.get(name).cloned().unwrap_or_default();
    read_part::<Option<Amount>>(name, value).map(|amount| amount.unwrap_or_default().0)
}
