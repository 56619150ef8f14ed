//! An order of Square's, as its API answers.
//!
//! Goods are the order's lines after discounts. Tips and service charges, also those apportioned to a line, are none;
//! gift cards bought are none either, since they are money in another form. A line's `total_money` always has the tax
//! in it; whether the prices that customers see have it too, the order's taxes tell.

use domain::{
    CardFingerprint, Currency, Customer, CustomerId, Order, OrderKey, Payment, Snapshot, SourceName,
    Timestamp,
};
use serde::Deserialize;

use super::refunds::{RefundBody, ReturnBody};
use crate::api::Answer;
use crate::fields::{BadInput, Id, Instant, PlatformId, coupons, null_is_default, read};
use crate::platform::priced::Priced;

#[derive(Deserialize)]
struct OrderAnswer {
    order: OrderBody,
}

/// What we read of an order.
#[derive(Deserialize)]
pub(super) struct OrderBody {
    pub(super) id: Id<PlatformId>,
    created_at: Instant,
    updated_at: Option<Instant>,
    #[serde(default, deserialize_with = "null_is_default")]
    state: String,
    customer_id: Option<Id<CustomerId>>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) line_items: Vec<Line>,
    #[serde(default, deserialize_with = "null_is_default")]
    taxes: Vec<Tax>,
    #[serde(default, deserialize_with = "null_is_default")]
    discounts: Vec<Discount>,
    pub(super) total_money: Money,
    net_amount_due_money: Option<Money>,
    #[serde(default, deserialize_with = "null_is_default")]
    tenders: Vec<Tender>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) refunds: Vec<RefundBody>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) returns: Vec<ReturnBody>,
}

/// Whole minor units of a currency.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Money {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) amount: i64,
    pub(super) currency: Currency,
}

/// A line of an order, or of a return.
#[derive(Deserialize)]
pub(super) struct Line {
    #[serde(default, deserialize_with = "null_is_default")]
    item_type: String,
    /// Of a return: the line that was sold.
    pub(super) source_line_item_uid: Option<String>,
    total_money: Money,
    total_tax_money: Option<Money>,
    total_service_charge_money: Option<Money>,
}

#[derive(Deserialize)]
struct Tax {
    #[serde(rename = "type", default, deserialize_with = "null_is_default")]
    kind: String,
}

/// Square knows no codes. A shop that takes one at its own checkout names the discount by it.
#[derive(Deserialize)]
struct Discount {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Tender {
    #[serde(rename = "type", default, deserialize_with = "null_is_default")]
    kind: String,
    amount_money: Option<Money>,
    customer_id: Option<Id<CustomerId>>,
    card_details: Option<CardDetails>,
}

#[derive(Deserialize)]
struct CardDetails {
    status: Option<String>,
    card: Option<Card>,
}

#[derive(Deserialize)]
struct Card {
    fingerprint: Option<String>,
}

/// The order of an answer.
pub(super) fn of(answer: &Answer) -> Result<OrderBody, BadInput> {
    read::<OrderAnswer>(&answer.body).map(|answer| answer.order)
}

impl OrderBody {
    /// The order, without its refunds.
    pub(super) fn told(&self, source: &SourceName) -> Result<Order, BadInput> {
        Ok(Order {
            key: OrderKey::of_order(source, &self.id.0.0).map_err(|error| BadInput::at("order.id", error))?,
            placed_at: self.created_at.0,
            snapshot: Snapshot {
                updated_at: self.changed_at(),
                currency: self.currency(),
                goods: self.priced()?.goods(),
                payment: self.payment()?,
                cancelled: self.state == "CANCELED",
                test: self.state == "DRAFT",
                coupons: coupons(self.discounts.iter().filter_map(|discount| discount.name.as_deref())),
            },
            refunds: Default::default(),
            customer: self.customer(source),
        })
    }

    pub(super) fn currency(&self) -> Currency {
        self.total_money.currency
    }

    pub(super) fn changed_at(&self) -> Timestamp {
        self.updated_at.unwrap_or(self.created_at).0
    }

    /// Whether it is paid whole and closed.
    pub(super) fn is_completed(&self) -> bool {
        self.state == "COMPLETED"
    }

    /// Its goods.
    pub(super) fn priced(&self) -> Result<Priced, BadInput> {
        let (gross, net) = sum(&self.line_items);
        let tax_included = !self.taxes.is_empty() && self.taxes.iter().all(|tax| tax.kind == "INCLUSIVE");
        Ok(Priced { gross: minor(gross)?, net: minor(net)?, tax_included })
    }

    /// The orders whose goods it gives back.
    pub(super) fn sales(&self) -> Vec<&str> {
        let mut sales: Vec<&str> = Vec::new();
        for sale in self.returns.iter().filter_map(|part| part.source_order_id.as_deref()) {
            if sale != self.id.0.0 && !sales.contains(&sale) {
                sales.push(sale);
            }
        }
        sales
    }

    fn payment(&self) -> Result<Payment, BadInput> {
        if self.is_completed() {
            return Ok(Payment::Paid);
        }
        let total = self.total_money.amount;
        let paid = self.tenders.iter().filter(|tender| tender.is_paid()).map(Tender::amount).sum();
        let paid = minor(paid)?;
        // Of an exchange less is due than it is worth: what was given back has paid for the rest.
        let is_settled = self.net_amount_due_money.is_some_and(|due| due.amount <= 0)
            && !self.tenders.is_empty()
            && self.tenders.iter().all(Tender::is_paid);
        Ok(match paid {
            _ if is_settled => Payment::Paid,
            ..=0 => Payment::Unpaid,
            paid if paid >= total => Payment::Paid,
            paid => Payment::Partial { paid, total },
        })
    }

    /// Whom the order names, else who paid, and the first card that was paid with. Square's orders hold no address, and
    /// no phone but that of a recipient.
    pub(super) fn customer(&self, source: &SourceName) -> Option<Customer> {
        let payer = || self.tenders.iter().find_map(|tender| tender.customer_id.as_ref());
        let id = self.customer_id.as_ref().or_else(payer).map(|Id(id)| id.clone());
        let card = self.tenders.iter().find_map(Tender::card);
        let customer = Customer { source: source.clone(), id, card, contact: Default::default() };
        customer.is_known().then_some(customer)
    }
}

impl Tender {
    /// Whether the money is there: a card may be only authorised, and a till may be opened without a sale.
    fn is_paid(&self) -> bool {
        let status = self.card_details.as_ref().and_then(|card| card.status.as_deref());
        self.kind != "NO_SALE" && status.is_none_or(|status| status == "CAPTURED")
    }

    fn card(&self) -> Option<CardFingerprint> {
        let card = self.card_details.as_ref()?.card.as_ref()?;
        CardFingerprint::new(card.fingerprint.as_deref()?).ok()
    }

    fn amount(&self) -> i128 {
        self.amount_money.map_or(0, |money| i128::from(money.amount))
    }
}

impl Line {
    /// Its goods with tax and without; a gift card is none.
    pub(super) fn worth(&self) -> (i128, i128) {
        if self.item_type == "GIFT_CARD" {
            return (0, 0);
        }
        let of = |money: Option<Money>| money.map_or(0, |money| i128::from(money.amount));
        let gross = (of(Some(self.total_money)) - of(self.total_service_charge_money)).max(0);
        (gross, (gross - of(self.total_tax_money)).clamp(0, gross))
    }
}

/// The goods of some lines, with tax and without.
pub(super) fn sum<'a>(lines: impl IntoIterator<Item = &'a Line>) -> (i128, i128) {
    lines.into_iter().map(Line::worth).fold((0, 0), |sum, line| (sum.0 + line.0, sum.1 + line.1))
}

/// A sum that fits what we count with.
pub(super) fn minor(amount: i128) -> Result<i64, BadInput> {
    i64::try_from(amount).map_err(|_| BadInput::at("order", "has amounts that are too large"))
}
