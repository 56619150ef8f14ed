//! What Shopify's privacy topics tell. Every app that is distributed must take them.
//!
//! Only the customer's id says who it is: the e-mail in the body may be one that nobody verified. The orders that a
//! redaction names are found by their owner, with those that it leaves out.

use domain::{CustomerId, SourceName};
use serde::Deserialize;
use serde::de::IgnoredAny;
use store::person::Sought;

use super::order_key;
use crate::fields::{BadInput, Id, PlatformId, null_is_default};
use crate::platform::{News, Request};

/// `customers/redact`.
#[derive(Deserialize)]
pub(super) struct RedactBody {
    #[serde(rename = "orders_to_redact")]
    _orders_to_redact: IgnoredAny,
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
    pub(super) fn news(self, source: &SourceName) -> News {
        let Id(customer) = self.customer.id;
        News::Erasure(Sought::Customer(source.clone(), customer))
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
