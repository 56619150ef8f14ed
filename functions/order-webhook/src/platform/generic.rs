//! The generic sender: everyone who is no platform of ours. A documented JSON, signed as Standard Webhooks.
//!
//! ```json
//! {
//!   "type": "order.updated",
//!   "order": {
//!     "id": "1001",                               // text, or an integer
//!     "placed_at": "2026-03-01T10:15:00+01:00",   // RFC 3339; the day from which points count
//!     "updated_at": "2026-03-01T10:20:00+01:00",  // optional: else the signature's time stamp
//!     "currency": "EUR",
//!     "goods": {                                  // before refunds, after discounts, without shipping
//!       "amount_minor": 4590,                     // 45.90
//!       "tax_minor": 765,                         // optional, with tax_included: whether amount_minor holds it
//!       "tax_included": true
//!     },
//!     "status": "paid",                           // or unpaid, cancelled, partially_paid
//!     "paid_minor": 2000,                         // with partially_paid only: how much
//!     "total_minor": 5090,                        // of how much
//!     "test": false,                              // optional; a test earns nothing
//!     "customer": {                               // optional; id, an e-mail, phone, or card
//!       "id": "c-1",
//!       "email": "c-1@example.com",
//!       "email_verified": true,
//!       "phone": "+33612345678",                  // or "06 12 34 56 78", where the source has a country
//!       "card": "card-7",                         // your own name for the card that was paid with
//!       "name": "…",
//!       "locale": "fr",
//!       "consent": true                           // whether they want messages, where somebody asked
//!     }
//!   }
//! }
//! ```
//!
//! ```json
//! {
//!   "type": "order.refunded",
//!   "refund": {
//!     "id": "r-1",
//!     "order_id": "1001",                         // leave out where no order is known; then customer is needed
//!     "refunded_at": "2026-03-05T09:00:00+01:00",
//!     "updated_at": "2026-03-05T09:00:00+01:00",  // optional: else the signature's time stamp; a later one corrects it
//!     "currency": "EUR",
//!     "goods": { "amount_minor": 1000 },          // what this refund gives back
//!     "money_minor": 1200,                        // or, in place of goods, the money: goods first, with their tax
//!     "customer": { "id": "c-1" }                 // optional where order_id stands
//!   }
//! }
//! ```
//!
//! An order is told whole each time, the refunds one by one. Unknown types and unknown fields are let pass.

use domain::{
    CardFingerprint, Contact, Currency, Customer, CustomerId, Goods, Order, OrderKey, Payment, Refund,
    RefundId, RefundKind,
};
use domain::{Snapshot, SourceName, Timestamp, UnlinkedRefund};
use ring::hmac;
use serde::Deserialize;

use super::{Delivery, News, Platform};
use crate::fields::{BadInput, Email, Id, Instant, MinorUnits, PlatformId, contact, coupons, read};
use crate::phone::{Country, read_phone};
use crate::signature::{BadSecret, Refusal, standard_webhooks};

/// See the file's own words.
pub(super) struct Generic {
    pub(super) country: Option<Country>,
}

impl Platform for Generic {
    fn key(&self, secret: &str) -> Result<hmac::Key, BadSecret> {
        standard_webhooks::key(secret)
    }

    fn verify(&self, key: &hmac::Key, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        standard_webhooks::verify(key, delivery)
    }

    fn sign(&self, key: &hmac::Key, id: &str, at: Timestamp, body: &[u8]) -> Vec<(&'static str, String)> {
        standard_webhooks::sign(key, id, at, body)
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Result<News, BadInput> {
        // Twice over a small body: only so does an error know the whole way to its field.
        match read::<Event>(delivery.body)?.kind.as_str() {
            "order.updated" => read::<OrderUpdated>(delivery.body)?.order.news(delivery, self.country),
            "order.refunded" => read::<OrderRefunded>(delivery.body)?.refund.news(delivery, self.country),
            _ => Ok(News::Nothing("events of this type are not needed")),
        }
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct OrderUpdated {
    order: OrderDocument,
}

#[derive(Deserialize)]
struct OrderRefunded {
    refund: RefundDocument,
}

#[derive(Deserialize)]
struct OrderDocument {
    id: Id<PlatformId>,
    placed_at: Instant,
    updated_at: Option<Instant>,
    currency: Currency,
    goods: GoodsField,
    status: Status,
    paid_minor: Option<MinorUnits>,
    total_minor: Option<MinorUnits>,
    test: Option<bool>,
    coupons: Option<Vec<String>>,
    customer: Option<CustomerDocument>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Paid,
    PartiallyPaid,
    Unpaid,
    Cancelled,
}

#[derive(Deserialize)]
struct RefundDocument {
    id: Id<RefundId>,
    order_id: Option<Id<PlatformId>>,
    refunded_at: Instant,
    updated_at: Option<Instant>,
    currency: Currency,
    goods: Option<GoodsField>,
    money_minor: Option<MinorUnits>,
    customer: Option<CustomerDocument>,
}

#[derive(Deserialize)]
struct CustomerDocument {
    id: Option<Id<CustomerId>>,
    email: Option<Email>,
    email_verified: Option<bool>,
    phone: Option<String>,
    card: Option<Id<CardFingerprint>>,
    name: Option<String>,
    locale: Option<String>,
    consent: Option<bool>,
}

#[derive(Deserialize)]
struct GoodsDocument {
    amount_minor: MinorUnits,
    tax_minor: Option<MinorUnits>,
    tax_included: Option<bool>,
}

#[derive(Deserialize)]
#[serde(try_from = "GoodsDocument")]
struct GoodsField(Goods);

impl TryFrom<GoodsDocument> for GoodsField {
    type Error = &'static str;

    fn try_from(document: GoodsDocument) -> Result<Self, Self::Error> {
        let goods = Goods {
            amount: document.amount_minor.0,
            tax: document.tax_minor.map_or(0, |tax| tax.0),
            tax_included: document.tax_included.unwrap_or_default(),
        };
        if goods.tax_included && goods.tax > goods.amount {
            return Err("tax_minor must not be above the amount_minor that includes it");
        }
        Ok(Self(goods))
    }
}

impl OrderDocument {
    fn news(self, delivery: &Delivery<'_>, country: Option<Country>) -> Result<News, BadInput> {
        let payment = self.payment()?;
        let updated_at = match self.updated_at {
            Some(Instant(at)) => at,
            None => signed_at(delivery, "order.updated_at")?,
        };
        Ok(News::Order(Order {
            key: order_key(delivery.source, &self.id.0, "order.id")?,
            placed_at: self.placed_at.0,
            customer: self.customer.map(|customer| customer.at(delivery.source, country)),
            snapshot: Snapshot {
                updated_at,
                currency: self.currency,
                goods: self.goods.0,
                payment,
                cancelled: self.status == Status::Cancelled,
                test: self.test.unwrap_or_default(),
                coupons: coupons(self.coupons.iter().flatten().map(String::as_str)),
            },
            refunds: Default::default(),
        }))
    }

    fn payment(&self) -> Result<Payment, BadInput> {
        match self.status {
            Status::Paid => Ok(Payment::Paid),
            Status::Unpaid | Status::Cancelled => Ok(Payment::Unpaid),
            Status::PartiallyPaid => {
                let needed = |place| BadInput::at(place, "is needed with the status partially_paid");
                let MinorUnits(paid) = self.paid_minor.ok_or_else(|| needed("order.paid_minor"))?;
                let MinorUnits(total) = self.total_minor.ok_or_else(|| needed("order.total_minor"))?;
                if total == 0 || paid > total {
                    return Err(BadInput::at(
                        "order.total_minor",
                        "must be above 0, and not below paid_minor",
                    ));
                }
                Ok(Payment::Partial { paid, total })
            }
        }
    }
}

impl RefundDocument {
    fn news(self, delivery: &Delivery<'_>, country: Option<Country>) -> Result<News, BadInput> {
        let source = delivery.source;
        let refund = self.refund(delivery)?;
        let customer = self.customer.map(|customer| customer.at(source, country));
        let Id(id) = self.id;
        if let Some(Id(order)) = self.order_id {
            let order = order_key(source, &order, "refund.order_id")?;
            return Ok(News::Refund { order, id, refund });
        }
        if self.money_minor.is_some() {
            let problem = "is goods only of an order; tell goods where there is no order_id";
            return Err(BadInput::at("refund.money_minor", problem));
        }
        if !customer.as_ref().is_some_and(Customer::is_named) {
            return Err(BadInput::at(
                "refund.customer",
                "needs an id, an email, a phone or a card where there is no order_id",
            ));
        }
        let key =
            OrderKey::of_unlinked_refund(source, &id).map_err(|error| BadInput::at("refund.id", error))?;
        Ok(News::UnlinkedRefund(UnlinkedRefund { key, customer, refund }))
    }

    /// The refund in the version that is told.
    fn refund(&self, delivery: &Delivery<'_>) -> Result<Refund, BadInput> {
        let (at, currency) = (self.refunded_at.0, self.currency);
        let refund = match (&self.goods, self.money_minor) {
            (Some(GoodsField(goods)), None) => Refund::of_goods(at, currency, *goods),
            (None, Some(MinorUnits(money))) => Refund::of_money(at, currency, money, RefundKind::Money),
            _ => return Err(BadInput::at("refund.goods", "is needed, or money_minor, and not both")),
        };
        let version = match self.updated_at {
            Some(Instant(at)) => at,
            None => signed_at(delivery, "refund.updated_at")?,
        };
        Ok(refund.as_of(version))
    }
}

impl CustomerDocument {
    fn at(self, source: &SourceName, country: Option<Country>) -> Customer {
        let is_verified = self.email_verified.unwrap_or_default();
        let phone = read_phone(self.phone.as_deref(), country);
        let contact = contact(self.email, is_verified, phone, self.name.as_deref(), self.locale.as_deref());
        Customer {
            source: source.clone(),
            id: self.id.map(|Id(id)| id),
            card: self.card.map(|Id(card)| card),
            contact: Contact { consent: self.consent, ..contact },
        }
    }
}

fn order_key(source: &SourceName, id: &PlatformId, place: &str) -> Result<OrderKey, BadInput> {
    OrderKey::of_order(source, &id.0).map_err(|error| BadInput::at(place, error))
}

/// When the delivery was signed, in place of a field that is not there.
fn signed_at(delivery: &Delivery<'_>, place: &str) -> Result<Timestamp, BadInput> {
    let signed_at = standard_webhooks::signed_at(delivery).map_err(|refusal| BadInput::at(place, refusal))?;
    domain::time::in_range(signed_at).map_err(|error| BadInput::at(place, error))
}

#[cfg(test)]
mod tests;
