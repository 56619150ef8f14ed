//! What every platform can do: check its signature, and tell its news in our words. To add a platform, add its file
//! and its line in [`PLATFORMS`].

mod adobe_commerce;
mod bigcommerce;
mod generic;
mod listing;
mod priced;
mod shopify;
mod square;
mod stripe;
mod woocommerce;

use std::sync::Arc;

use domain::{
    Customer, CustomerMerge, Order, OrderKey, Refund, RefundId, SourceName, Timestamp, UnlinkedRefund,
};
use lambda_http::http::HeaderMap;
use ring::hmac;
use runtime::telemetry::signal;
use serde::Serialize;
use store::person::Sought;

pub(crate) use self::listing::Listing;
pub use self::listing::{Listed, Unlisted};
pub(crate) use self::woocommerce::NegativeFees;
use crate::api::{Answer, Resource};
use crate::fields::BadInput;
use crate::signature::{BadSecret, Refusal};
use crate::sources::{SourceDocument, SourceError};

/// Makes a platform as a source's configuration sets it up.
type SetUp = fn(&SourceDocument) -> Result<Arc<dyn Platform>, SourceError>;

/// Every platform that we understand, by its name in a source's configuration.
static PLATFORMS: [(&str, SetUp); 7] = [
    ("adobe_commerce", adobe_commerce::set_up),
    ("bigcommerce", bigcommerce::set_up),
    ("generic", |document| Ok(Arc::new(generic::Generic { country: document.country }))),
    ("shopify", shopify::set_up),
    ("square", square::set_up),
    ("stripe", stripe::set_up),
    ("woocommerce", woocommerce::set_up),
];

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
    /// An order is a part of another one, which tells the sale: a payment, of an invoice.
    Part { part: OrderKey, of: OrderKey },
    /// A refund of an order.
    Refund { order: OrderKey, id: RefundId, refund: Refund },
    /// A refund that names no order.
    UnlinkedRefund(UnlinkedRefund),
    /// Whose an order is, told apart from it.
    Owner { order: OrderKey, customer: Customer },
    /// Two customers of the source turned out to be one.
    Merge { source: SourceName, merge: CustomerMerge },
    /// All of this, in this order.
    Several(Vec<News>),
    /// Only where to look: what is to be read of the platform's API before there is news.
    Elsewhere(Vec<Resource>),
    /// How a customer is reached from now on, as of a moment.
    Contact { customer: Customer, at: Timestamp },
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
            Self::Deleted { order, .. }
            | Self::Refund { order, .. }
            | Self::Owner { order, .. }
            | Self::Part { of: order, .. } => Some(order),
            Self::UnlinkedRefund(refund) => Some(&refund.key),
            Self::Request(request) => request.order(),
            Self::Merge { .. }
            | Self::Contact { .. }
            | Self::Erasure(_)
            | Self::Elsewhere(_)
            | Self::Several(_)
            | Self::Nothing(_) => None,
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
    /// That a webhook be set to the version of the API that we read.
    NewerWebhook,
    /// That a webhook be given to a user who may read orders.
    WebhookUser,
}

impl Request {
    fn order(&self) -> Option<&OrderKey> {
        match self {
            Self::Export(order) => order.as_ref(),
            Self::WholeShop | Self::NewerWebhook | Self::WebhookUser => None,
        }
    }

    /// By what an alarm knows it.
    pub(crate) fn signal(&self) -> &'static str {
        match self {
            Self::Export(_) => signal::EXPORT_ASKED,
            Self::WholeShop => signal::SHOP_ERASURE_ASKED,
            Self::NewerWebhook | Self::WebhookUser => signal::TO_MEND,
        }
    }

    /// What the log says.
    pub(crate) fn message(&self) -> &'static str {
        match self {
            Self::Export(_) => "an export is asked for",
            Self::WholeShop => "the erasure of a whole shop is asked for",
            Self::NewerWebhook => "a webhook has an old version of the API",
            Self::WebhookUser => "a webhook may not read orders",
        }
    }

    /// What the sender hears of it, where it is the sender's to mend.
    pub(crate) fn answer(&self) -> Option<&'static str> {
        match self {
            Self::Export(_) | Self::WholeShop => None,
            Self::NewerWebhook => Some(
                "choose the API version WP REST API Integration v3 of this webhook, in WooCommerce under Settings, \
                 Advanced, Webhooks; what an older version leaves out is not stored",
            ),
            Self::WebhookUser => Some(
                "the body is an error of the shop's own: the webhook must belong to a user who may read orders; save \
                 it as one, then fetch what was missed",
            ),
        }
    }
}

/// What a delivery and the API's answers tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reading {
    /// Not all: this must be read too.
    More(Vec<Resource>),
    /// All, in the order in which it is to be stored.
    Told(Vec<News>),
}

/// The answer to a platform that asks whether an address is ours: what it sent along, sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Greeting {
    pub(crate) challenge: String,
}

/// A platform, or another sender with a format of its own.
pub(crate) trait Platform: Send + Sync {
    /// The key that a secret stands for; an empty or unreadable secret is refused here, before any delivery.
    fn key(&self, secret: &str) -> Result<hmac::Key, BadSecret>;

    /// The least secrets of a source; none where the platform signs with a key of its own.
    fn least_secrets(&self) -> usize {
        1
    }

    /// What the platform wants to hear when it asks an address, with GET, whether it is ours. Nothing where it does
    /// not ask like this.
    fn greet(&self, _query: &str) -> Option<Greeting> {
        None
    }

    /// Whether this is the platform's unsigned greeting to an address: answered, and nothing in it is read or stored.
    fn is_ping(&self, _delivery: &Delivery<'_>) -> bool {
        false
    }

    /// Whether the platform signed the raw body with a key of its own, of which the source knows the public half.
    /// Nothing where it has none, or where this source knows none.
    fn verify_publicly(&self, _delivery: &Delivery<'_>) -> Option<Result<(), Refusal>> {
        None
    }

    /// Whether the key signed the raw body.
    fn verify(&self, key: &hmac::Key, delivery: &Delivery<'_>) -> Result<(), Refusal>;

    /// The headers with which the platform itself would sign a body.
    fn sign(&self, key: &hmac::Key, id: &str, at: Timestamp, body: &[u8]) -> Vec<(&'static str, String)>;

    /// What a verified delivery tells.
    fn parse(&self, delivery: &Delivery<'_>) -> Result<News, BadInput>;

    /// What a delivery tells together with the API's answers, one for each resource asked for so far. It may ask for
    /// more. Only a platform that answers [`News::Elsewhere`] is ever asked.
    fn read(&self, _delivery: &Delivery<'_>, _answers: &[Answer]) -> Result<Reading, BadInput> {
        Ok(Reading::Told(vec![]))
    }

    /// The platform's own list of what changed since a moment.
    fn list(&self, _since: Timestamp, _now: Timestamp) -> Result<Box<dyn Listing>, Unlisted> {
        Err(Unlisted::Never)
    }
}

/// The platform that a source's configuration names, set up as it says.
pub(crate) fn set_up(document: &SourceDocument) -> Result<Arc<dyn Platform>, SourceError> {
    let known = PLATFORMS.iter().find(|(name, _)| *name == document.platform);
    let (_, set_up) = known.ok_or_else(|| SourceError::Platform(names()))?;
    set_up(document)
}

/// The names of all platforms, for a message.
fn names() -> String {
    PLATFORMS.map(|(name, _)| name).join(", ")
}

/// A platform that needs no more than secrets.
#[cfg(test)]
pub(crate) fn named(name: &str) -> Option<Arc<dyn Platform>> {
    set_up(&SourceDocument { platform: name.to_owned(), ..SourceDocument::default() }).ok()
}
