//! Shopify's list of orders, of its Admin REST API. An order has there the JSON that webhooks have, with its refunds.
//!
//! Where the next page is, Shopify says in a header (`Link`), as an address with a cursor in it. We take the cursor and
//! ask the shop's own address again, so our credential goes nowhere else, whatever that header says.

use domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::TOPIC;
use crate::api::{Access, Answer, Resource};
use crate::fields::{BadInput, read};
use crate::platform::listing::{Listed, Listing, PAGE, rfc3339};
use crate::sources::{SourceDocument, SourceError};

/// The version for which the orders are read; once Shopify no longer has it, it answers by the oldest that it has.
const PATH: &str = "/admin/api/2026-01/orders.json";
const TOKEN: &str = "x-shopify-access-token";
/// The only parameter, with the page's size, that may stand beside a cursor: it knows the others.
const CURSOR: &str = "page_info";
const UPDATED: (&str, &str) = (TOPIC, "orders/updated");

/// The way to the shop's API, where the source's configuration tells it.
pub(super) fn access(document: &SourceDocument) -> Result<Option<Access>, SourceError> {
    let Some(api) = &document.api else { return Ok(None) };
    let Some(shop) = &api.store else { return Access::of_shop(api).map(Some) };
    if shop.is_empty() || !shop.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(SourceError::Setting("api.store", "is what stands before .myshopify.com"));
    }
    Access::new(api, &format!("https://{shop}.myshopify.com")).map(Some)
}

/// A walk over the orders.
pub(super) struct Orders {
    access: Access,
    since: Timestamp,
    place: Place,
}

enum Place {
    First,
    At(String),
    End,
}

#[derive(Deserialize)]
struct OrdersBody {
    orders: Vec<Value>,
}

impl Orders {
    pub(super) fn changed_since(since: Timestamp, access: Access) -> Self {
        Self { access, since, place: Place::First }
    }
}

impl Listing for Orders {
    fn page(&self) -> Option<Resource> {
        let since = rfc3339(self.since);
        let query = match &self.place {
            Place::First => vec![("status", "any"), ("updated_at_min", &since), ("limit", PAGE)],
            Place::At(cursor) => vec![("limit", PAGE), (CURSOR, cursor)],
            Place::End => return None,
        };
        Some(self.access.query(PATH, &query, vec![(TOKEN, self.access.token().to_owned())]))
    }

    fn hear(&mut self, answer: &Answer) -> Result<Vec<Listed>, BadInput> {
        let OrdersBody { orders } = read(&answer.body)?;
        self.place = answer.link.as_deref().and_then(next).map_or(Place::End, Place::At);
        Ok(orders.iter().map(|order| Listed::of(order, Some(UPDATED))).collect())
    }
}

/// The cursor of the next page: `<https://…?page_info=…&limit=…>; rel="next"`, perhaps after the one before.
fn next(link: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\"") || part.contains("rel=next"))?;
    let (_, query) = next.split_once('<')?.1.split_once('>')?.0.split_once('?')?;
    let cursor = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == CURSOR)?.1;
    Some(cursor.into_owned())
}
