//! Stripe's list of events, which are the very bodies of its webhooks, newest first. Stripe keeps them for thirty days.
//!
//! A webhook's event may be written by another version of the API than the account's, by which the list is; every
//! version that we know is read.

use std::time::Duration;

use domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::api::{Access, Answer, Resource};
use crate::fields::{BadInput, read};
use crate::platform::listing::{Listed, Listing, PAGE, Unlisted};
use crate::sources::{SourceDocument, SourceError};

const PUBLIC_ADDRESS: &str = "https://api.stripe.com";
const PATH: &str = "/v1/events";
const MAX_DAYS: u32 = 30;
/// What is listed: what a webhook is to be subscribed to.
pub(super) const EVENTS: [&str; 16] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "invoice.paid",
    "invoice_payment.paid",
    "payment_intent.succeeded",
    "charge.succeeded",
    "charge.refunded",
    "charge.refund.updated",
    "refund.updated",
    "refund.failed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "credit_note.created",
    "credit_note.voided",
];

/// The way to the account's API, where the source's configuration tells it.
pub(super) fn access(document: &SourceDocument) -> Result<Option<Access>, SourceError> {
    let Some(api) = &document.api else { return Ok(None) };
    if api.store.is_some() {
        return Err(SourceError::Setting("api.store", "is not for Stripe"));
    }
    Access::new(api, PUBLIC_ADDRESS).map(Some)
}

/// A walk over the events.
pub(super) struct Events {
    access: Access,
    since: Timestamp,
    place: Place,
}

enum Place {
    Newest,
    Before(String),
    End,
}

#[derive(Deserialize)]
struct EventsBody {
    data: Vec<Value>,
    has_more: bool,
}

impl Events {
    pub(super) fn since(since: Timestamp, now: Timestamp, access: Access) -> Result<Self, Unlisted> {
        let kept = Duration::from_secs(u64::from(MAX_DAYS) * 24 * 3_600);
        if now.checked_sub(kept).is_ok_and(|oldest| since < oldest) {
            return Err(Unlisted::TooOld(MAX_DAYS));
        }
        Ok(Self { access, since, place: Place::Newest })
    }
}

impl Listing for Events {
    fn is_of_events(&self) -> bool {
        true
    }

    fn page(&self) -> Option<Resource> {
        let since = self.since.as_second().to_string();
        let mut query: Vec<(&str, &str)> = EVENTS.iter().map(|event| ("types[]", *event)).collect();
        query.extend([("created[gte]", since.as_str()), ("limit", PAGE)]);
        match &self.place {
            Place::Newest => {}
            Place::Before(event) => query.push(("starting_after", event)),
            Place::End => return None,
        }
        let authorization = ("authorization", format!("Bearer {}", self.access.token()));
        Some(self.access.query(PATH, &query, vec![authorization]))
    }

    fn hear(&mut self, answer: &Answer) -> Result<Vec<Listed>, BadInput> {
        let EventsBody { data, has_more } = read(&answer.body)?;
        let last = data.last().and_then(|event| event.get("id")?.as_str());
        self.place = match last {
            Some(event) if has_more => Place::Before(event.to_owned()),
            None if has_more => return Err(BadInput::at("data", "has no event after which there is more")),
            _ => Place::End,
        };
        Ok(data.iter().map(|event| Listed::of(event, None)).collect())
    }
}
