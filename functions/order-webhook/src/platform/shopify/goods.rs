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

use domain::{Currency, Goods, RefundId, RefundKind};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::OrderBody;
use crate::fields::{Amount, BadInput, Id, Instant, PlatformId, Quantity, minor_units, null_is_default};

/// The adjustment that gives back shipping; any other says that more or less than was reckoned was given back. Since
/// 2024-10 adjustments have no kind, and shipping given back stands in `refund_shipping_lines` alone.
const SHIPPING_REFUND: &str = "shipping_refund";
/// The reason of the same, where the kind is not told.
const SHIPPING_REASON: &str = "Shipping refund";

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
    /// Only a tip has it. A tip is a line, but no goods.
    tip_payment_gateway: Option<IgnoredAny>,
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
    refund_shipping_lines: Vec<ShippingLine>,
    #[serde(default, deserialize_with = "null_is_default")]
    duties: Vec<Duty>,
    #[serde(default, deserialize_with = "null_is_default")]
    transactions: Vec<Transaction>,
}

/// Shipping that was given back.
#[derive(Deserialize)]
struct ShippingLine {
    subtotal_amount_set: Option<MoneySet>,
    tax_amount_set: Option<MoneySet>,
}

/// A duty that was given back.
#[derive(Deserialize)]
struct Duty {
    amount_set: Option<MoneySet>,
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
    reason: Option<String>,
    amount: Option<Amount>,
    #[serde(default, deserialize_with = "null_is_default")]
    tax_amount: Amount,
    amount_set: Option<MoneySet>,
}

#[derive(Deserialize)]
struct Transaction {
    kind: Option<String>,
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
            now - gift_cards - order.tips_within(now) + refunded
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
    /// The tips in the subtotal. Shopify leaves them out of it, as it documents; where the lines add up to it only with
    /// them, they are in.
    fn tips_within(&self, subtotal: Decimal) -> Decimal {
        let tips: Decimal = self.line_items.iter().filter(|line| line.is_tip()).map(LineItem::left).sum();
        let all: Decimal = self.line_items.iter().map(LineItem::left).sum();
        if all == subtotal { tips } else { Decimal::ZERO }
    }

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
        let goods = self.line_items.iter().filter(|line| line.is_goods());
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
    fn is_tip(&self) -> bool {
        self.tip_payment_gateway.is_some()
    }

    fn is_goods(&self) -> bool {
        !self.gift_card && !self.is_tip()
    }

    /// What is left of it costs this.
    fn left(&self) -> Decimal {
        self.worth(self.kept())
    }

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
        match self.kind.as_deref() {
            Some(kind) => kind == SHIPPING_REFUND,
            None => self.reason.as_deref() == Some(SHIPPING_REASON),
        }
    }

    fn amount(&self) -> Decimal {
        exact(self.amount, self.amount_set.as_ref()).unwrap_or_default()
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
        let in_shipping = || self.refund_shipping_lines.iter().find_map(|it| of(&it.subtotal_amount_set));
        let in_transactions = || self.transactions.iter().find_map(|transaction| transaction.currency);
        in_lines().or_else(in_adjustments).or_else(in_shipping).or_else(in_transactions)
    }

    /// What this refund gives back, and whether that is goods or money. One that failed gives back nothing, whatever was
    /// told while it was pending.
    pub(super) fn given_back(
        &self,
        currency: Currency,
        tax_included: bool,
    ) -> Result<(Goods, RefundKind), BadInput> {
        if self.has_failed() {
            return Ok((Goods { tax_included, ..Goods::default() }, RefundKind::Goods));
        }
        let (subtotal, tax) = (self.subtotal(), self.tax());
        let given_back = if tax_included { subtotal } else { subtotal + tax };
        let short = self.shortfall(currency, tax_included);
        if given_back <= Decimal::ZERO {
            // Money without goods, as a gesture: it has its tax in it, whatever the prices have.
            let money = minor_units("order_adjustments", (-short).max(Decimal::ZERO), currency)?;
            return Ok((Goods::untaxed(money), RefundKind::Money));
        }
        // A discrepancy is one of the whole, goods and tax together, so both have their part in it.
        let kept = (given_back - short).max(Decimal::ZERO);
        let part = |amount: Decimal| {
            let part = amount.checked_mul(kept).and_then(|product| product.checked_div(given_back));
            part.ok_or_else(|| BadInput::at("order_adjustments", "are out of all proportion to the refund"))
        };
        Ok((goods(part(subtotal)?, part(tax)?, currency, tax_included)?, RefundKind::Goods))
    }

    /// What it took off the order's total: of goods, gift cards and tips what was given back, and of shipping and duties.
    pub(super) fn total(&self, currency: Currency, tax_included: bool) -> Decimal {
        if self.has_failed() {
            return Decimal::ZERO;
        }
        let shipping =
            self.shipping_by_lines(tax_included).unwrap_or(self.shipping_by_adjustments(tax_included));
        let short = self.shortfall(currency, tax_included);
        (self.lines(tax_included) - short + shipping + self.duties()).max(Decimal::ZERO)
    }

    /// Every line with its tax, gift cards and tips among them.
    fn lines(&self, tax_included: bool) -> Decimal {
        self.refund_line_items.iter().map(|line| taxed(line.subtotal(), line.tax(), tax_included)).sum()
    }

    /// The shipping given back, as its own lines tell it; nothing where there are none.
    fn shipping_by_lines(&self, tax_included: bool) -> Option<Decimal> {
        let of = |line: &ShippingLine| {
            let amount = |set: &Option<MoneySet>| exact(None, set.as_ref()).unwrap_or_default();
            taxed(amount(&line.subtotal_amount_set), amount(&line.tax_amount_set), tax_included)
        };
        let lines = &self.refund_shipping_lines;
        (!lines.is_empty()).then(|| lines.iter().map(of).sum())
    }

    /// The shipping given back, as adjustments tell it: all of it, also where a discrepancy then takes some off again.
    fn shipping_by_adjustments(&self, tax_included: bool) -> Decimal {
        let shipping = self.order_adjustments.iter().filter(|it| it.is_of_shipping());
        let sum: Decimal = shipping.map(|it| taxed(it.amount(), it.tax_amount.0, tax_included)).sum();
        -sum
    }

    fn duties(&self) -> Decimal {
        self.duties.iter().filter_map(|duty| exact(None, duty.amount_set.as_ref())).sum()
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
        self.refund_line_items.iter().filter(|line| line.line_item.is_goods())
    }

    fn subtotal(&self) -> Decimal {
        self.goods_lines().map(RefundLine::subtotal).sum()
    }

    fn tax(&self) -> Decimal {
        self.goods_lines().map(RefundLine::tax).sum()
    }

    /// How much less of the goods than the lines say was given back; negative where it was more.
    ///
    /// While a transaction is pending, Shopify counts its amount as not given back. For us it is: else a refund told
    /// early would take back no points, ever.
    fn shortfall(&self, currency: Currency, tax_included: bool) -> Decimal {
        let discrepancies = self.order_adjustments.iter().filter(|it| !it.is_of_shipping());
        let told: Decimal = discrepancies.map(Adjustment::amount).sum();
        let short = told - self.shortfall_of_shipping(told, currency, tax_included);
        let mut pending = self.transactions.iter().filter(|it| it.is("pending")).peekable();
        if pending.peek().is_none() || short <= Decimal::ZERO {
            return short;
        }
        // An amount in the customer's currency cannot be compared, so all that is short counts as on its way.
        let on_its_way: Option<Decimal> = pending.map(|it| it.amount_in(currency)).sum();
        on_its_way.map_or(Decimal::ZERO, |amount| (short - amount).max(Decimal::ZERO))
    }

    /// The part of a discrepancy that is of the shipping: so much less than was reckoned its lines gave back. What was
    /// reckoned, adjustments tell; else it is what lines and discrepancy leave of the money that went back.
    fn shortfall_of_shipping(&self, short: Decimal, currency: Currency, tax_included: bool) -> Decimal {
        let Some(given_back) = self.shipping_by_lines(tax_included).filter(|_| short > Decimal::ZERO) else {
            return Decimal::ZERO;
        };
        let reckoned = if self.order_adjustments.iter().any(Adjustment::is_of_shipping) {
            self.shipping_by_adjustments(tax_included)
        } else {
            let others = self.lines(tax_included) + self.duties();
            self.money_back(currency).map_or(given_back, |money| money + short - others)
        };
        (reckoned - given_back).clamp(Decimal::ZERO, short)
    }

    /// The money that went back; nothing where it is not told, or not in this currency.
    fn money_back(&self, currency: Currency) -> Option<Decimal> {
        let is_refund = |it: &&Transaction| it.kind.as_deref().is_none_or(|kind| kind == "refund");
        let mut done = self.transactions.iter().filter(is_refund).filter(|it| it.is("success")).peekable();
        done.peek()?;
        done.map(|it| it.amount_in(currency)).sum()
    }
}

impl Transaction {
    fn is(&self, status: &str) -> bool {
        self.status.as_deref() == Some(status)
    }

    fn amount_in(&self, currency: Currency) -> Option<Decimal> {
        self.amount.filter(|_| self.currency == Some(currency)).map(|Amount(amount)| amount)
    }
}

fn taxed(amount: Decimal, tax: Decimal, tax_included: bool) -> Decimal {
    if tax_included { amount } else { amount + tax }
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
