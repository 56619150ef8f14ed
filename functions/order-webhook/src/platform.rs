//! What every platform can do: check its signature, and tell its news in our words. To add a platform, add its file
//! and its line in [`PLATFORMS`].

mod generic;
mod shopify;
mod woocommerce;

use domain::{Order, OrderKey, Refund, RefundId, SourceName, Timestamp, UnlinkedRefund};
use lambda_http::http::HeaderMap;
use ring::hmac;
use store::person::Sought;

use crate::fields::BadInput;
use crate::signature::{BadSecret, Refusal};

/// Every platform that we understand.
static PLATFORMS: [&dyn Platform; 3] = [&generic::Generic, &shopify::Shopify, &woocommerce::WooCommerce];

/// One request, as it came.
pub(crate) struct Delivery<'a> {
    /// To whom it was addressed.
    pub(crate) source: &'a SourceName,
    /// Its headers, of which only the signature's own are trustworthy.
    pub(crate) headers: &'a HeaderMap,
    /// Its raw body.
    pub(crate) body: &'a [u8],
    /// When it came.
    pub(crate) now: Timestamp,
}

impl<'a> Delivery<'a> {
    /// A header, where it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a delivery tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum News {
    /// An order as it is now.
    Order(Order),
    /// An order as it is now, taken out of the bin again.
    Restored(Order),
    /// An order was deleted, at the latest when this came; more is not told.
    Deleted { order: OrderKey, at: Timestamp },
    /// A refund of an order.
    Refund { order: OrderKey, id: RefundId, refund: Refund },
    /// A refund that names no order.
    UnlinkedRefund(UnlinkedRefund),
    /// A person is to be forgotten.
    Erasure(Sought),
    /// Something that an operator must do; what, and of which order's owner, the log tells.
    Request(Request),
    /// Nothing that concerns us, and why.
    Nothing(&'static str),
}

impl News {
    /// The order, or the refund without one, that it is about.
    pub(crate) fn order(&self) -> Option<&OrderKey> {
        match self {
            Self::Order(order) | Self::Restored(order) => Some(&order.key),
            Self::Deleted { order, .. } | Self::Refund { order, .. } => Some(order),
            Self::UnlinkedRefund(refund) => Some(&refund.key),
            Self::Request(request) => request.order(),
            Self::Erasure(_) | Self::Nothing(_) => None,
        }
    }
}

/// What an operator is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    /// All that is held of the owner of an order; of none where the platform names no order.
    Export(Option<OrderKey>),
    /// That all persons of a shop be forgotten.
    WholeShop,
}

impl Request {
    fn order(&self) -> Option<&OrderKey> {
        match self {
            Self::Export(order) => order.as_ref(),
            Self::WholeShop => None,
        }
    }

    /// What the log says; a metric counts it.
    pub(crate) fn message(&self) -> &'static str {
        match self {
            Self::Export(_) => "an export is asked for",
            Self::WholeShop => "the erasure of a whole shop is asked for",
        }
    }
}

/// A platform, or another sender with a format of its own.
pub(crate) trait Platform: Send + Sync {
    /// Its name in a source's configuration.
    fn name(&self) -> &'static str;

    /// The key that a secret stands for; an empty or unreadable secret is refused here, before any delivery.
    fn key(&self, secret: &str) -> Result<hmac::Key, BadSecret>;

    /// Whether this is the platform's unsigned greeting to an address: answered, and nothing in it is read or stored.
    fn is_ping(&self, _delivery: &Delivery<'_>) -> bool {
        false
    }

    /// Whether the key signed the raw body.
    fn verify(&self, key: &hmac::Key, delivery: &Delivery<'_>) -> Result<(), Refusal>;

    /// The headers with which the platform itself would sign a body.
    fn sign(&self, key: &hmac::Key, id: &str, at: Timestamp, body: &[u8]) -> Vec<(&'static str, String)>;

    /// What a verified delivery tells.
    fn parse(&self, delivery: &Delivery<'_>) -> Result<News, BadInput>;
}

/// The platform of a name.
pub(crate) fn named(name: &str) -> Option<&'static dyn Platform> {
    PLATFORMS.into_iter().find(|platform| platform.name() == name)
}

/// The names of all platforms, for a message.
pub(crate) fn names() -> String {
    PLATFORMS.map(|platform| platform.name()).join(", ")
}
