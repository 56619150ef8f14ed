//! BigCommerce's list of orders. What it says of an order besides its number is not used: as after an event, the order is
//! read with its products and refunds.
//!
//! The pages are numbered, in the order of the orders' numbers: an order that changes meanwhile stays where it is, so
//! none slips to a page that was read already. Archived orders are a list of their own; to archive is to delete.

use domain::Timestamp;
use serde_json::{Value, json};

use super::BigCommerce;
use crate::api::{Answer, Resource};
use crate::fields::{BadInput, read};
use crate::platform::listing::{Listed, Listing, PAGE, PageNumber, rfc3339};

/// A walk over the orders, and over those that are archived.
pub(super) struct Orders {
    shop: BigCommerce,
    since: Timestamp,
    is_archived: bool,
    page: PageNumber,
}

impl Orders {
    pub(super) fn changed_since(since: Timestamp, shop: BigCommerce) -> Self {
        Self { shop, since, is_archived: false, page: PageNumber::FIRST }
    }
}

impl Listing for Orders {
    fn page(&self) -> Option<Resource> {
        let (page, since) = (self.page.number()?.to_string(), rfc3339(self.since));
        let mut query = vec![
            ("min_date_modified", since.as_str()),
            ("sort", "id:asc"),
            ("limit", PAGE),
            ("page", page.as_str()),
        ];
        if self.is_archived {
            query.push(("is_deleted", "true"));
        }
        Some(self.shop.query("v2/orders", &query))
    }

    fn hear(&mut self, answer: &Answer) -> Result<Vec<Listed>, BadInput> {
        // A page without orders has no body at all.
        let orders: Vec<Value> = if answer.body.is_empty() { vec![] } else { read(&answer.body)? };
        self.page.go_on(!orders.is_empty());
        if self.page.number().is_none() && !self.is_archived {
            (self.is_archived, self.page) = (true, PageNumber::FIRST);
        }
        Ok(orders.iter().map(event).collect())
    }
}

/// The event that would have told of the order.
fn event(order: &Value) -> Listed {
    let event = json!({"scope": "store/order/updated", "data": {"type": "order", "id": order.get("id")}});
    Listed::of(&event, None).named_by(order)
}
