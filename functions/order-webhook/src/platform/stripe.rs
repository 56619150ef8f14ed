//! Stripe: payments, and the checkout sessions and invoices that tell what was paid for.
//!
//! One sale is told by several events, in any order. They meet under the payment intent, which all of them name: a
//! session or an invoice tells of the goods, and holds against the bare intent, which knows only the money. Where
//! there is no intent, the invoice or the session names the sale.
//!
//! From [`PAYMENTS_APART`] on an invoice does not name its payments, nor do their refunds name the invoice. There the
//! invoice is the sale, and whatever names both makes the payment a part of it (`part`).
//!
//! Stripe moves money: of what is given back it tells the sum so far, of which goods first. And only money that was paid
//! earns: credit that pays an invoice earned when its money was paid, or never was money.

mod away;
mod discount;
mod list;
mod part;
mod payer;
mod refund;
mod sale;

use std::sync::Arc;

use domain::{Currency, OrderKey, SourceName, Timestamp};
use ring::hmac;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::away::{CreditNoteBody, DisputeBody};
use self::part::InvoicePaymentBody;
use self::payer::PaidBody;
use self::refund::{ChargeBody, RefundBody};
use self::sale::{IntentBody, InvoiceBody, SessionBody};
use super::{Delivery, Listing, News, Platform, Unlisted};
use crate::api::Access;
use crate::fields::{BadInput, UnixSeconds, read};
use crate::phone::Country;
use crate::signature::{BadSecret, Refusal, body_hmac, timed_hmac};
use crate::sources::{SourceDocument, SourceError};

const SIGNATURE: &str = "Stripe-Signature";
/// The version of the API from which on an invoice may have several payments, and none is told with it.
const PAYMENTS_APART: &str = "2025-03-31";

/// See the file's own words.
#[derive(Default)]
struct Stripe {
    country: Option<Country>,
    /// Only to read the list of events.
    access: Option<Access>,
}

/// Stripe as a source's configuration sets it up.
pub(super) fn set_up(document: &SourceDocument) -> Result<Arc<dyn Platform>, SourceError> {
    Ok(Arc::new(Stripe { country: document.country, access: list::access(document)? }))
}

impl Platform for Stripe {
    /// All of the secret, with its `whsec_`.
    fn key(&self, secret: &str) -> Result<hmac::Key, BadSecret> {
        body_hmac::key(secret)
    }

    fn verify(&self, key: &hmac::Key, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        let signature = delivery.header(SIGNATURE).ok_or(Refusal::Missing(SIGNATURE))?;
        timed_hmac::verify(key, signature, delivery.body, delivery.now)
    }

    fn sign(&self, key: &hmac::Key, _id: &str, at: Timestamp, body: &[u8]) -> Vec<(&'static str, String)> {
        vec![(SIGNATURE, timed_hmac::sign(key, at, body))]
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Result<News, BadInput> {
        // Twice over a small body: only so does an error know the whole way to its field.
        match read::<Kind>(delivery.body)?.kind.as_str() {
            "checkout.session.completed"
            | "checkout.session.async_payment_succeeded"
            | "checkout.session.async_payment_failed" => {
                self.told::<SessionBody>(delivery, SessionBody::news)
            }
            "payment_intent.succeeded" => self.told::<IntentBody>(delivery, IntentBody::news),
            "invoice.paid" => self.told::<InvoiceBody>(delivery, InvoiceBody::news),
            "invoice_payment.paid" => self.told::<InvoicePaymentBody>(delivery, InvoicePaymentBody::news),
            "charge.succeeded" => self.told::<PaidBody>(delivery, PaidBody::news),
            "charge.refunded" => self.told::<ChargeBody>(delivery, ChargeBody::news),
            "charge.refund.updated" | "refund.created" | "refund.updated" | "refund.failed" => {
                self.told::<RefundBody>(delivery, RefundBody::news)
            }
            "charge.dispute.funds_withdrawn" => self.told::<DisputeBody>(delivery, DisputeBody::withdrawn),
            "charge.dispute.funds_reinstated" => self.told::<DisputeBody>(delivery, DisputeBody::reinstated),
            "charge.dispute.closed" => self.told::<DisputeBody>(delivery, DisputeBody::closed),
            "credit_note.created" | "credit_note.updated" | "credit_note.voided" => {
                self.told::<CreditNoteBody>(delivery, CreditNoteBody::news)
            }
            _ => Ok(News::Nothing("events of this type are not needed")),
        }
    }

    fn list(&self, since: Timestamp, now: Timestamp) -> Result<Box<dyn Listing>, Unlisted> {
        let access = self.access.clone().ok_or(Unlisted::NoAccess)?;
        Ok(Box::new(list::Events::since(since, now, access)?))
    }
}

impl Stripe {
    fn told<T: DeserializeOwned>(
        &self,
        delivery: &Delivery<'_>,
        news: fn(T, &Occasion<'_>) -> Result<News, BadInput>,
    ) -> Result<News, BadInput> {
        let event: Event<T> = read(delivery.body)?;
        let occasion = Occasion {
            source: delivery.source,
            country: self.country,
            at: event.created.0,
            test: !event.livemode,
            tells_payments_apart: event.api_version.map(|version| version.as_str() >= PAYMENTS_APART),
        };
        news(event.data.object, &occasion)
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Event<T> {
    created: UnixSeconds,
    /// Whether real money moved. Anybody can pay with a test card, so points for that would be theirs for nothing.
    livemode: bool,
    /// The version of the API in which the object is written, beginning with its date.
    api_version: Option<String>,
    data: EventData<T>,
}

#[derive(Deserialize)]
struct EventData<T> {
    object: T,
}

/// What an event says apart from its object.
struct Occasion<'a> {
    source: &'a SourceName,
    country: Option<Country>,
    /// When it happened; a retry says the same.
    at: Timestamp,
    test: bool,
    /// Whether its version of the API is [`PAYMENTS_APART`] or later; nothing where it does not tell.
    tells_payments_apart: Option<bool>,
}

impl Occasion<'_> {
    /// The key of a sale, by the first of its names that is told.
    fn key(&self, names: &[Option<&str>]) -> Result<OrderKey, BadInput> {
        let name = names.iter().copied().flatten().next().unwrap_or_default();
        OrderKey::of_order(self.source, name).map_err(|error| BadInput::at("data.object.id", error))
    }
}

/// An object of Stripe's by its identifier, or whole where the sender had it expanded.
#[derive(Deserialize)]
#[serde(untagged, expecting = "an identifier, or an object that has one")]
enum Reference {
    Id(String),
    Object { id: String },
}

impl Reference {
    fn id(&self) -> &str {
        let (Self::Id(id) | Self::Object { id }) = self;
        id
    }
}

/// An amount of Stripe's in the minor units that the currency has for everybody else.
fn minor_units(place: &str, currency: Currency, amount: i64) -> Result<i64, BadInput> {
    match currency.code() {
        // Stripe counts whole ariary, and gives hundredths to two currencies that no longer have any.
        "MGA" => amount.checked_mul(100).ok_or_else(|| BadInput::at(place, "is too large")),
        "ISK" | "UGX" => Ok((amount.saturating_add(50)).div_euclid(100)),
        _ => Ok(amount),
    }
}

#[cfg(test)]
mod tests;
