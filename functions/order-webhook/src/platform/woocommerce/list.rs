//! WooCommerce's list of orders, of its REST API. An order has there the JSON that webhooks have.
//!
//! The pages are numbered. They are in the order of the orders' numbers, not of their changes: an order that changes
//! meanwhile stays where it is, so none slips to a page that was read already. After the last page comes an empty one.
//! Orders in the bin are a list of their own.

use domain::Timestamp;
use jiff::ToSpan as _;
use serde_json::Value;

use super::TOPIC;
use crate::api::{Access, Answer, Resource};
use crate::fields::{BadInput, read};
use crate::platform::listing::{Listed, Listing, PAGE, PageNumber, without_offset};
use crate::sources::{SourceDocument, SourceError};

const PATH: &str = "/wp-json/wc/v3/orders";
const UPDATED: (&str, &str) = (TOPIC, "order.updated");
/// Every status but that of the bin.
const ANY: &str = "any";
const BIN: &str = "trash";

/// The way to a shop's API.
#[derive(Clone)]
pub(super) struct ShopAccess {
    access: Access,
    /// The header that carries key and secret.
    authorization: String,
}

/// The way to the shop's API, where the source's configuration tells it.
pub(super) fn access(document: &SourceDocument) -> Result<Option<ShopAccess>, SourceError> {
    let Some(api) = &document.api else { return Ok(None) };
    if api.store.is_some() {
        return Err(SourceError::Setting(
            "api.store",
            "is not for WooCommerce; api.base is the shop's address",
        ));
    }
    let (access, authorization) = Access::with_secret(api)?;
    Ok(Some(ShopAccess { access, authorization }))
}

/// A walk over the orders, then over those in the bin.
pub(super) struct Orders {
    shop: ShopAccess,
    since: Timestamp,
    status: &'static str,
    page: PageNumber,
}

impl Orders {
    pub(super) fn changed_since(since: Timestamp, shop: ShopAccess) -> Self {
        Self { shop, since, status: ANY, page: PageNumber::FIRST }
    }
}

impl Listing for Orders {
    fn page(&self) -> Option<Resource> {
        let page = self.page.number()?.to_string();
        // What changed in that very second is not after it.
        let since = without_offset(self.since.checked_sub(1.second()).unwrap_or(self.since), 'T');
        let query = [
            ("modified_after", since.as_str()),
            ("dates_are_gmt", "true"),
            ("status", self.status),
            ("orderby", "id"),
            ("order", "asc"),
            ("per_page", PAGE),
            ("page", &page),
        ];
        let headers = vec![("authorization", self.shop.authorization.clone())];
        Some(self.shop.access.query(PATH, &query, headers))
    }

    fn hear(&mut self, answer: &Answer) -> Result<Vec<Listed>, BadInput> {
        let orders: Vec<Value> = read(&answer.body)?;
        self.page.go_on(!orders.is_empty());
        if self.page.number().is_none() && self.status == ANY {
            (self.status, self.page) = (BIN, PageNumber::FIRST);
        }
        Ok(orders.iter().map(|order| Listed::of(order, Some(UPDATED))).collect())
    }
}
