//! Square: its events name an order, or a payment or refund of one, and the order is read from Square's API.
//!
//! The signature covers the address that Square was told, before the body. Behind a gateway nobody can know how that
//! was written, so the source's configuration says it.
//!
//! What an event says of the order is not used, except a refund's own amount: the order as it is now tells everything,
//! so it does not matter in which order events come, or how often. What is given back comes as an order of its own,
//! which names the orders that the goods had been bought with; then those are read too.

mod customer;
mod list;
mod order;
mod refunds;

use std::sync::Arc;

use domain::Timestamp;
use ring::hmac;
use serde::Deserialize;

use self::customer::CustomerObject;
use self::refunds::RefundBody;
use super::{Delivery, Listing, News, Platform, Reading, Unlisted};
use crate::api::{Access, Answer, Resource};
use crate::fields::{BadInput, Id, PlatformId, read};
use crate::phone::Country;
use crate::signature::{BadSecret, Refusal, body_hmac};
use crate::sources::{SourceDocument, SourceError};

const PUBLIC_ADDRESS: &str = "https://connect.squareup.com";
const SIGNATURE: &str = "x-square-hmacsha256-signature";
/// The version of the API that this file was written for; without it Square takes the application's own.
const VERSION: (&str, &str) = ("square-version", "2025-08-20");
/// The longest identifier of an order.
const MAX_ID_BYTES: usize = 192;
/// The most orders of which one return gives goods back.
const MAX_SALES: usize = 10;
/// Orders are never deleted, so it was no order of this seller.
const UNKNOWN: &str = "the seller knows no such order";

/// See the file's own words.
#[derive(Clone)]
struct Square {
    access: Access,
    notification_url: String,
    country: Option<Country>,
}

/// Square as a source's configuration sets it up.
pub(super) fn set_up(document: &SourceDocument) -> Result<Arc<dyn Platform>, SourceError> {
    let url = document.notification_url.clone().filter(|url| !url.is_empty());
    let notification_url = url.ok_or(SourceError::Missing("notification_url"))?;
    let api = document.api.as_ref().ok_or(SourceError::Missing("api"))?;
    if api.store.is_some() {
        return Err(SourceError::Setting("api.store", "is not for Square"));
    }
    let access = Access::new(api, PUBLIC_ADDRESS)?;
    Ok(Arc::new(Square { access, notification_url, country: document.country }))
}

impl Platform for Square {
    fn key(&self, secret: &str) -> Result<hmac::Key, BadSecret> {
        body_hmac::key(secret)
    }

    fn verify(&self, key: &hmac::Key, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        let signature = delivery.header(SIGNATURE).ok_or(Refusal::Missing(SIGNATURE))?;
        body_hmac::verify(key, signature, &self.signed(delivery.body))
    }

    fn sign(&self, key: &hmac::Key, _id: &str, _at: Timestamp, body: &[u8]) -> Vec<(&'static str, String)> {
        vec![(SIGNATURE, body_hmac::sign(key, &self.signed(body)))]
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Result<News, BadInput> {
        if matches!(read::<Event>(delivery.body)?.kind.as_str(), "customer.created" | "customer.updated") {
            let Of { data: Object { object } } = read::<Of<Object<CustomerObject>>>(delivery.body)?;
            return Ok(object.news(delivery.source, self.country));
        }
        Ok(match told(delivery)? {
            Some(event) => News::Elsewhere(vec![self.order(&event.order)]),
            None => News::Nothing("events of this type, or without an order, are not needed"),
        })
    }

    fn read(&self, delivery: &Delivery<'_>, answers: &[Answer]) -> Result<Reading, BadInput> {
        let (Some(event), Some((first, sales))) = (told(delivery)?, answers.split_first()) else {
            return Ok(Reading::Told(vec![]));
        };
        if !first.is_known {
            return Ok(Reading::Told(vec![News::Nothing(UNKNOWN)]));
        }
        let order = order::of(first)?;
        let sold = order.sales();
        if sold.len() > MAX_SALES {
            return Err(BadInput::at("order.returns", format_args!("name more than {MAX_SALES} orders")));
        }
        if sales.len() < sold.len() {
            let sold = sold.into_iter().map(|id| Ok(self.order(&safe(id, "source_order_id")?)));
            return Ok(Reading::More(sold.collect::<Result<_, BadInput>>()?));
        }
        let sales =
            sales.iter().filter(|sale| sale.is_known).map(order::of).collect::<Result<Vec<_>, _>>()?;
        refunds::told(delivery.source, order, sales, event.refund).map(Reading::Told)
    }

    fn list(&self, since: Timestamp, _now: Timestamp) -> Result<Box<dyn Listing>, Unlisted> {
        Ok(Box::new(list::Orders::changed_since(since, self.clone())))
    }
}

impl Square {
    fn signed(&self, body: &[u8]) -> Vec<u8> {
        [self.notification_url.as_bytes(), body].concat()
    }

    fn order(&self, id: &str) -> Resource {
        self.resource(&format!("/v2/orders/{id}"))
    }

    fn resource(&self, path: &str) -> Resource {
        let authorization = ("authorization", format!("Bearer {}", self.access.token()));
        self.access.resource(path, vec![authorization, (VERSION.0, VERSION.1.to_owned())])
    }
}

/// What an event tells: of which order, and of which refund.
struct Told {
    order: String,
    refund: Option<RefundBody>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Of<T> {
    data: T,
}

#[derive(Deserialize)]
struct OrderData {
    id: Id<PlatformId>,
}

#[derive(Deserialize)]
struct Object<T> {
    object: T,
}

#[derive(Deserialize)]
struct PaymentObject {
    payment: Payment,
}

#[derive(Deserialize)]
struct Payment {
    order_id: Option<Id<PlatformId>>,
}

#[derive(Deserialize)]
struct RefundObject {
    refund: RefundBody,
}

/// Nothing where the event is of no order, such as a payment taken without one, or Square's test.
fn told(delivery: &Delivery<'_>) -> Result<Option<Told>, BadInput> {
    // Twice over a small body: only so does an error know the whole way to its field.
    let (order, refund) = match read::<Event>(delivery.body)?.kind.as_str() {
        "order.created" | "order.updated" | "order.fulfillment.updated" => {
            (Some(read::<Of<OrderData>>(delivery.body)?.data.id), None)
        }
        "payment.created" | "payment.updated" => {
            (read::<Of<Object<PaymentObject>>>(delivery.body)?.data.object.payment.order_id, None)
        }
        "refund.created" | "refund.updated" => {
            let mut refund = read::<Of<Object<RefundObject>>>(delivery.body)?.data.object.refund;
            (refund.order_id.take(), Some(refund))
        }
        _ => (None, None),
    };
    let Some(Id(PlatformId(id))) = order else { return Ok(None) };
    Ok(Some(Told { order: safe(&id, "order_id")?, refund }))
}

/// An order's identifier, which becomes a part of an address.
fn safe(id: &str, place: &str) -> Result<String, BadInput> {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if id.is_empty() || !is_plain || id.len() > MAX_ID_BYTES {
        return Err(BadInput::at(place, "is not the identifier of an order"));
    }
    Ok(id.to_owned())
}

#[cfg(test)]
mod tests;
