//! What Shopify's privacy topics tell. Every app that is distributed must take them.
//!
//! The customer's id says who it is, and the orders that a redaction lists: one may have been placed as a guest, or by a
//! customer whom Shopify merged with this one. The e-mail and the phone in the body may be somebody else's, whom nobody
//! asked to forget.

use domain::{CustomerId, SourceName};
use serde::Deserialize;
use serde::de::IgnoredAny;
use store::DirectoryKey;
use store::person::Sought;

use super::order_key;
use crate::fields::{BadInput, Id, PlatformId, null_is_default};
use crate::platform::{News, Request};

/// `customers/redact`.
#[derive(Deserialize)]
pub(super) struct RedactBody {
    #[serde(deserialize_with = "null_is_default")]
    orders_to_redact: Vec<Id<PlatformId>>,
    customer: CustomerBody,
}

/// `customers/data_request`.
#[derive(Deserialize)]
pub(super) struct DataRequestBody {
    #[serde(default, deserialize_with = "null_is_default")]
    orders_requested: Vec<Id<PlatformId>>,
    #[serde(rename = "data_request")]
    _data_request: IgnoredAny,
}

/// `shop/redact`, which names nobody: the body of any other topic is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShopRedactBody {
    #[serde(rename = "shop_id")]
    _shop_id: IgnoredAny,
    #[serde(rename = "shop_domain")]
    _shop_domain: IgnoredAny,
}

#[derive(Deserialize)]
struct CustomerBody {
    id: Id<CustomerId>,
}

impl RedactBody {
    pub(super) fn news(self, source: &SourceName) -> Result<News, BadInput> {
        let Id(customer) = self.customer.id;
        let orders = self.orders_to_redact.iter().enumerate();
        let orders = orders.map(|(n, id)| order_key(source, id, &format!("orders_to_redact[{n}]")));
        let customer = Sought::named(DirectoryKey::Customer(source.clone(), customer));
        Ok(News::Erasure(customer.with_orders(orders.collect::<Result<_, _>>()?)))
    }
}

impl DataRequestBody {
    /// An order of the customer's tells the operator who it is, so that the log names nobody.
    pub(super) fn news(self, source: &SourceName) -> Result<News, BadInput> {
        let order = self.orders_requested.first();
        let order = order.map(|id| order_key(source, id, "orders_requested[0]")).transpose()?;
        Ok(News::Request(Request::Export(order)))
    }
}
