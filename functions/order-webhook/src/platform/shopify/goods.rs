//! What the goods of a Shopify order and of its refunds are worth: after discounts, without shipping, without gift
//! cards (which are money in another form: they earn when they are spent).
//!
//! Refunds are kept one by one under their ids and deducted by the rules, so an order's goods are told as they were
//! **before** refunds. Shopify tells both sides: `current_subtotal_price` is without what was refunded, and each
//! refund says of what.
//!
//! No sum here overflows, and no amount times a quantity or a rate: those that `fields` lets in are small enough for all
//! that fit a body. An amount times an amount may, and is checked.

use std::collections::HashMap;

use domain::{Currency, Goods, RefundId};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::OrderBody;
use crate::fields::{Amount, BadInput, Id, Instant, PlatformId, Quantity, minor_units, null_is_default};

/// The adjustment that gives back shipping; any other says that more or less than the lines was given back.
const SHIPPING_REFUND: &str = "shipping_refund";

/// An amount in the shop's currency and in the customer's; only the shop's is read.
#[derive(Deserialize)]
pub(super) struct MoneySet {
    shop_money: Option<ShopMoney>,
}

#[derive(Deserialize)]
struct ShopMoney {
    amount: Option<Amount>,
    currency_code: Option<Currency>,
}

/// A line of an order; a refund repeats it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LineItem {
    id: Option<Id<PlatformId>>,
    quantity: Option<Quantity>,
    /// What is left after removals and refunds; older versions of the API do not tell.
    current_quantity: Option<Quantity>,
    price: Option<Amount>,
    price_set: Option<MoneySet>,
    #[serde(deserialize_with = "null_is_default")]
    gift_card: bool,
    #[serde(deserialize_with = "null_is_default")]
    discount_allocations: Vec<DiscountAllocation>,
    #[serde(deserialize_with = "null_is_default")]
    tax_lines: Vec<TaxLine>,
}

#[derive(Deserialize)]
struct DiscountAllocation {
    amount: Option<Amount>,
}

#[derive(Deserialize)]
struct TaxLine {
    price: Option<Amount>,
    rate: Option<Amount>,
}

/// A refund, alone or within its order.
#[derive(Deserialize)]
pub(super) struct RefundBody {
    pub(super) id: Id<RefundId>,
    pub(super) order_id: Option<Id<PlatformId>>,
    pub(super) created_at: Instant,
    pub(super) processed_at: Option<Instant>,
    #[serde(default, deserialize_with = "null_is_default")]
    refund_line_items: Vec<RefundLine>,
    #[serde(default, deserialize_with = "null_is_default")]
    order_adjustments: Vec<Adjustment>,
    #[serde(default, deserialize_with = "null_is_default")]
    transactions: Vec<Transaction>,
}

#[derive(Deserialize)]
struct RefundLine {
    line_item_id: Option<Id<PlatformId>>,
    quantity: Quantity,
    subtotal: Option<Amount>,
    subtotal_set: Option<MoneySet>,
    total_tax: Option<Amount>,
    #[serde(default, deserialize_with = "null_is_default")]
    line_item: LineItem,
}

#[derive(Deserialize)]
struct Adjustment {
    kind: Option<String>,
    amount: Amount,
    #[serde(default, deserialize_with = "null_is_default")]
    tax_amount: Amount,
    amount_set: Option<MoneySet>,
}

#[derive(Deserialize)]
struct Transaction {
    status: Option<String>,
    amount: Option<Amount>,
    currency: Option<Currency>,
}

/// The goods of an order before its refunds.
pub(super) fn before_refunds(order: &OrderBody) -> Result<Goods, BadInput> {
    let subtotal = exact(order.current_subtotal_price, order.current_subtotal_price_set.as_ref());
    let amount = match subtotal {
        Some(now) => {
            let refunded: Decimal = order.refunds.iter().map(RefundBody::subtotal).sum();
            let gift_cards: Decimal = order.gift_cards().map(|line| line.worth(line.kept())).sum();
            now - gift_cards + refunded
        }
        // Older versions of the API tell only what was ordered; refunds have not lowered that.
        None => {
            let Some(Amount(ordered)) = order.subtotal_price else {
                return Err(BadInput::at("current_subtotal_price", "is missing"));
            };
            ordered - order.gift_cards().map(|line| line.worth(line.ordered())).sum::<Decimal>()
        }
    };
    // Less than nothing earns nothing. Refused, it would leave the points of what the order was before.
    goods(amount.max(Decimal::ZERO), order.tax_before_refunds(), order.currency, order.taxes_included)
}

impl OrderBody {
    fn gift_cards(&self) -> impl Iterator<Item = &LineItem> {
        self.line_items.iter().filter(|line| line.gift_card)
    }

    /// The tax on what was kept and on what was refunded, but not on what was taken out of the order.
    fn tax_before_refunds(&self) -> Decimal {
        let mut refunded: HashMap<&str, u32> = HashMap::new();
        for line in self.refunds.iter().flat_map(|refund| &refund.refund_line_items) {
            if let Some(Id(PlatformId(id))) = &line.line_item_id {
                let pieces = refunded.entry(id).or_default();
                *pieces = pieces.saturating_add(line.quantity.0);
            }
        }
        let goods = self.line_items.iter().filter(|line| !line.gift_card);
        goods
            .map(|line| {
                let id = line.id.as_ref().map_or("", |Id(PlatformId(id))| id);
                let refunded = refunded.get(id).copied().unwrap_or_default();
                line.tax(line.kept().saturating_add(refunded).min(line.ordered()))
            })
            .sum()
    }
}

impl LineItem {
    fn ordered(&self) -> u32 {
        self.quantity.map_or(0, |Quantity(pieces)| pieces)
    }

    fn kept(&self) -> u32 {
        self.current_quantity.or(self.quantity).map_or(0, |Quantity(pieces)| pieces)
    }

    /// What so many pieces cost after discounts.
    fn worth(&self, pieces: u32) -> Decimal {
        let price = exact(self.price, self.price_set.as_ref()).unwrap_or_default();
        let discounts: Decimal =
            self.discount_allocations.iter().filter_map(|discount| discount.amount).map(|Amount(a)| a).sum();
        self.share(price * Decimal::from(self.ordered()) - discounts, pieces)
    }

    /// The tax on so many pieces.
    fn tax(&self, pieces: u32) -> Decimal {
        let tax: Decimal = self.tax_lines.iter().filter_map(|tax| tax.price).map(|Amount(a)| a).sum();
        self.share(tax, pieces)
    }

    fn share(&self, whole: Decimal, pieces: u32) -> Decimal {
        match self.ordered() {
            0 => Decimal::ZERO,
            ordered if ordered == pieces => whole,
            ordered => whole * Decimal::from(pieces) / Decimal::from(ordered),
        }
    }

    /// Nothing where the line knows of no rate, or of one beyond reason.
    fn tax_rate(&self) -> Decimal {
        let rate: Decimal = self.tax_lines.iter().filter_map(|tax| tax.rate).map(|Amount(a)| a).sum();
        rate.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED)
    }
}

impl Adjustment {
    fn is_of_shipping(&self) -> bool {
        self.kind.as_deref() == Some(SHIPPING_REFUND)
    }
}

impl RefundLine {
    fn subtotal(&self) -> Decimal {
        exact(self.subtotal, self.subtotal_set.as_ref())
            .unwrap_or_else(|| self.line_item.worth(self.quantity.0))
    }

    fn tax(&self) -> Decimal {
        self.total_tax.map_or_else(|| self.line_item.tax(self.quantity.0), |Amount(tax)| tax)
    }
}

impl RefundBody {
    /// Whether every try to give the money back failed, so that nothing was.
    pub(super) fn has_failed(&self) -> bool {
        let failed = |it: &Transaction| matches!(it.status.as_deref(), Some("failure" | "error"));
        !self.transactions.is_empty() && self.transactions.iter().all(failed)
    }

    /// The shop's currency, as far as a refund alone tells. A transaction may be in the customer's, so it comes last.
    pub(super) fn currency(&self) -> Option<Currency> {
        let of = |set: &Option<MoneySet>| set.as_ref()?.shop_money.as_ref()?.currency_code;
        let of_line = |line: &RefundLine| of(&line.subtotal_set).or_else(|| of(&line.line_item.price_set));
        let in_lines = || self.refund_line_items.iter().find_map(of_line);
        let in_adjustments = || self.order_adjustments.iter().find_map(|it| of(&it.amount_set));
        let in_transactions = || self.transactions.iter().find_map(|transaction| transaction.currency);
        in_lines().or_else(in_adjustments).or_else(in_transactions)
    }

    /// What this refund gives back. One that failed gives back nothing, whatever was told while it was pending.
    pub(super) fn goods(&self, currency: Currency, tax_included: bool) -> Result<Goods, BadInput> {
        if self.has_failed() {
            return Ok(Goods { tax_included, ..Goods::default() });
        }
        let (subtotal, tax) = (self.subtotal(), self.tax());
        let given_back = if tax_included { subtotal } else { subtotal + tax };
        let short = self.shortfall(currency);
        if given_back <= Decimal::ZERO {
            // Money without goods, as a gesture.
            return goods((-short).max(Decimal::ZERO), Decimal::ZERO, currency, tax_included);
        }
        // A discrepancy is one of the whole, goods and tax together, so both have their part in it.
        let kept = (given_back - short).max(Decimal::ZERO);
        let part = |amount: Decimal| {
            let part = amount.checked_mul(kept).and_then(|product| product.checked_div(given_back));
            part.ok_or_else(|| BadInput::at("order_adjustments", "are out of all proportion to the refund"))
        };
        goods(part(subtotal)?, part(tax)?, currency, tax_included)
    }

    /// What it took off the order's total: of goods and gift cards what was given back, and of shipping.
    pub(super) fn total(&self, currency: Currency, tax_included: bool) -> Decimal {
        if self.has_failed() {
            return Decimal::ZERO;
        }
        let taxed = |amount: Decimal, tax: Decimal| if tax_included { amount } else { amount + tax };
        let lines: Decimal =
            self.refund_line_items.iter().map(|line| taxed(line.subtotal(), line.tax())).sum();
        let shipping = self.order_adjustments.iter().filter(|it| it.is_of_shipping());
        let shipping: Decimal = shipping.map(|it| taxed(it.amount.0, it.tax_amount.0)).sum();
        (lines - self.shortfall(currency) - shipping).max(Decimal::ZERO)
    }

    /// A refund alone does not tell whether its prices include tax, but its rates do: 20 % of 120.00 is 24.00, and
    /// contained in 120.00 are 20.00. Where there is no tax, it makes no difference.
    pub(super) fn seems_to_include_tax(&self) -> bool {
        let (mut told, mut on_top, mut within) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        for line in self.goods_lines() {
            let rate = line.line_item.tax_rate();
            told += line.tax();
            on_top += line.subtotal() * rate;
            within += line.subtotal() * rate / (Decimal::ONE + rate);
        }
        (told - within).abs() < (told - on_top).abs()
    }

    fn goods_lines(&self) -> impl Iterator<Item = &RefundLine> {
        self.refund_line_items.iter().filter(|line| !line.line_item.gift_card)
    }

    fn subtotal(&self) -> Decimal {
        self.goods_lines().map(RefundLine::subtotal).sum()
    }

    fn tax(&self) -> Decimal {
        self.goods_lines().map(RefundLine::tax).sum()
    }

    /// How much less than the lines say was given back; negative where it was more.
    ///
    /// While a transaction is pending, Shopify counts its amount as not given back. For us it is: else a refund told
    /// early would take back no points, ever.
    fn shortfall(&self, currency: Currency) -> Decimal {
        let discrepancies = self.order_adjustments.iter().filter(|it| !it.is_of_shipping());
        let short: Decimal = discrepancies.map(|it| it.amount.0).sum();
        let mut pending =
            self.transactions.iter().filter(|it| it.status.as_deref() == Some("pending")).peekable();
        if pending.peek().is_none() || short <= Decimal::ZERO {
            return short;
        }
        // An amount in the customer's currency cannot be compared, so all that is short counts as on its way.
        let on_its_way: Option<Decimal> = pending
            .map(|it| it.amount.filter(|_| it.currency == Some(currency)).map(|Amount(amount)| amount))
            .sum();
        on_its_way.map_or(Decimal::ZERO, |amount| (short - amount).max(Decimal::ZERO))
    }
}

fn exact(amount: Option<Amount>, set: Option<&MoneySet>) -> Option<Decimal> {
    let in_set = || set?.shop_money.as_ref()?.amount;
    amount.or_else(in_set).map(|Amount(amount)| amount)
}

fn goods(amount: Decimal, tax: Decimal, currency: Currency, tax_included: bool) -> Result<Goods, BadInput> {
    let amount = minor_units("the goods", amount, currency)?;
    let tax = minor_units("the goods' tax", tax.max(Decimal::ZERO), currency)?;
    // Rounding alone may make an included tax larger than what includes it.
    let tax = if tax_included { tax.min(amount) } else { tax };
    Ok(Goods { amount, tax, tax_included })
}
