//! BigCommerce: its webhooks name an order, and the order is read from the shop's API with what was refunded of it.
//!
//! A delivery is signed as Standard Webhooks with the app's client secret. Where webhooks were made with a shop's own
//! API account, BigCommerce signs nothing; then the source names a header, which carries the secret itself.
//!
//! What an event says besides the order's number (its topic, a new status) is never used: the order as it is now
//! tells everything, so it does not matter in which order events come, or how often.

mod list;
mod order;
mod refunds;

use std::sync::Arc;

use domain::Timestamp;
use lambda_http::http::HeaderName;
use ring::hmac;
use serde::Deserialize;

use super::{Delivery, Listing, News, Platform, Reading, Unlisted};
use crate::api::{Access, Answer, Resource};
use crate::fields::{BadInput, Id, PlatformId, read};
use crate::phone::Country;
use crate::signature::{BadSecret, Refusal, body_hmac, shared_header, standard_webhooks};
use crate::sources::{SourceDocument, SourceError};

const PUBLIC_ADDRESS: &str = "https://api.bigcommerce.com";
const TOKEN: &str = "x-auth-token";
/// What every event of an order is called by first.
const ORDER_SCOPES: &str = "store/order/";
/// The most products of one page. They are read only to find gift certificates among them.
const MAX_PRODUCTS: usize = 250;
/// Why there is no news of an order that the API does not know: orders are archived, never taken away, so it was no
/// order of this shop.
const UNKNOWN: &str = "the shop knows no such order";

/// See the file's own words.
#[derive(Clone)]
struct BigCommerce {
    access: Access,
    store: String,
    /// The header that carries the secret, instead of a signature.
    header: Option<HeaderName>,
    country: Option<Country>,
}

/// BigCommerce as a source's configuration sets it up.
pub(super) fn set_up(document: &SourceDocument) -> Result<Arc<dyn Platform>, SourceError> {
    let api = document.api.as_ref().ok_or(SourceError::Missing("api"))?;
    let store = api.store.clone().ok_or(SourceError::Missing("api.store"))?;
    if store.is_empty() || !store.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(SourceError::Setting("api.store", "is the shop's hash: letters and digits only"));
    }
    let header = document.header.as_deref().map(str::parse).transpose();
    let header = header.map_err(|_| SourceError::Setting("header", "is no name of a header"))?;
    let country = document.country;
    Ok(Arc::new(BigCommerce { access: Access::new(api, PUBLIC_ADDRESS)?, store, header, country }))
}

impl Platform for BigCommerce {
    /// The key of the signature is base64 of the client secret, so its bytes are those of the secret.
    fn key(&self, secret: &str) -> Result<hmac::Key, BadSecret> {
        body_hmac::key(secret)
    }

    fn verify(&self, key: &hmac::Key, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        match &self.header {
            Some(name) => shared_header::verify(key, delivery.header(name.as_str()).ok_or(Refusal::Header)?),
            None => standard_webhooks::verify(key, delivery),
        }
    }

    /// Nothing where a header carries the secret: of that a key knows nothing any more.
    fn sign(&self, key: &hmac::Key, id: &str, at: Timestamp, body: &[u8]) -> Vec<(&'static str, String)> {
        match &self.header {
            Some(_) => vec![],
            None => standard_webhooks::sign(key, id, at, body),
        }
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Result<News, BadInput> {
        let Event { scope } = read(delivery.body)?;
        match scope.strip_prefix(ORDER_SCOPES) {
            Some("created" | "updated" | "archived" | "statusUpdated" | "refund/created") => {
                let order = order_number(delivery)?;
                Ok(News::Elsewhere(vec![self.resource(&format!("v2/orders/{order}"))]))
            }
            _ => Ok(News::Nothing("events of this scope are not needed")),
        }
    }

    fn read(&self, delivery: &Delivery<'_>, answers: &[Answer]) -> Result<Reading, BadInput> {
        let order = order_number(delivery)?;
        match answers {
            [told] if told.is_known => Ok(Reading::More(vec![
                // After the order, so that what the order tells as refunded is listed.
                self.resource(&format!("v3/orders/{order}/payment_actions/refunds")),
                self.resource(&format!("v2/orders/{order}/products?limit={MAX_PRODUCTS}")),
                self.resource(&format!("v2/orders/{order}/coupons")),
            ])),
            [told, refunds, products, coupons] if told.is_known => {
                let order = order::told(delivery.source, self.country, told, refunds, products, coupons)?;
                Ok(Reading::Told(vec![News::Order(order)]))
            }
            _ => Ok(Reading::Told(vec![News::Nothing(UNKNOWN)])),
        }
    }

    fn list(&self, since: Timestamp, _now: Timestamp) -> Result<Box<dyn Listing>, Unlisted> {
        Ok(Box::new(list::Orders::changed_since(since, self.clone())))
    }
}

impl BigCommerce {
    fn resource(&self, path: &str) -> Resource {
        self.access.resource(&self.path(path), self.headers())
    }

    fn query(&self, path: &str, query: &[(&str, &str)]) -> Resource {
        self.access.query(&self.path(path), query, self.headers())
    }

    fn path(&self, path: &str) -> String {
        format!("/stores/{}/{path}", self.store)
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![(TOKEN, self.access.token().to_owned())]
    }
}

#[derive(Deserialize)]
struct Event {
    scope: String,
}

#[derive(Deserialize)]
struct OrderEvent {
    data: OrderData,
}

#[derive(Deserialize)]
struct OrderData {
    id: Id<PlatformId>,
}

/// The order's number, which becomes a part of an address.
fn order_number(delivery: &Delivery<'_>) -> Result<String, BadInput> {
    let Id(PlatformId(number)) = read::<OrderEvent>(delivery.body)?.data.id;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadInput::at("data.id", "is not the number of an order"));
    }
    Ok(number)
}

#[cfg(test)]
mod tests;
