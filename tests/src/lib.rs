//! What the flows share: a shop with a stack of its own, in memory of one test, driven over its HTTP routes.

use std::io::Write as _;
use std::path::PathBuf;

use domain::time::instant;
use domain::{Programme, SourceName, Timestamp};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use local::clock::Time;
use local::dynamodb::Durability;
use local::inbox::{Keeping, Selection};
use local::stack::{Options, Stack};
use order_webhook::Sources;
use serde_json::{Value, json};

/// Every function, by its package, which is its folder and its binary, too.
pub const FUNCTIONS: [&str; 7] = [
    "order-webhook",
    "points-accrual",
    "tier-review",
    "order-sweep",
    "notifications",
    "member-api",
    "erasure",
];
/// The generic sender of the local stack.
pub const GENERIC: &str = "generic-main";
/// The Shopify shop of the local stack.
pub const SHOPIFY: &str = "shopify-main";
/// The WooCommerce shop of the local stack.
pub const WOOCOMMERCE: &str = "woo-main";

const SOURCES: &str = include_str!("../../local/sources.toml");
const PROGRAMME: &str = include_str!("../../programme.toml");

/// The folder of shared test data, or nothing and a visible word where it is absent.
///
/// `LAUREL_SHARED_DATA` names it; by default it lies beside the repository.
pub fn shared_data() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("LAUREL_SHARED_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    let _ = writeln!(
        // Not `eprintln`, which the test runner hides.
        std::io::stderr(),
        "SKIPPED: {} is not there; LAUREL_SHARED_DATA names the folder of shared data",
        folder.display()
    );
    None
}

/// A stack over a folder that goes with it, and a clock that the test moves.
#[derive(Debug)]
pub struct Shop {
    /// The stack.
    pub stack: Stack,
    folder: tempfile::TempDir,
}

/// A moment.
pub fn at(text: &str) -> Timestamp {
    instant(text).unwrap()
}

/// The programme that comes with Laurel, with a text in it replaced.
pub fn programme(changes: &[(&str, &str)]) -> Programme {
    let text = changes.iter().fold(PROGRAMME.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the programme");
        text.replace(from, to)
    });
    Programme::from_toml(&text).unwrap()
}

impl Shop {
    /// A shop that opens at a moment, with the programme that comes with Laurel.
    pub async fn open(now: &str) -> Self {
        Self::with(now, programme(&[])).await
    }

    /// A shop with a programme of its own.
    pub async fn with(now: &str, programme: Programme) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stack = Stack::open(Options {
            data: folder.path().to_owned(),
            programme,
            sources: Sources::from_toml(SOURCES).unwrap(),
            time: Time::Simulated(at(now)),
            durability: Durability::Scratch,
            keeping: Keeping::Kept,
        })
        .await
        .unwrap();
        Self { stack, folder }
    }

    /// The folder of the stack's data.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A paid order of the generic sender, placed now.
    pub fn order(&self, id: &str, customer: &str, minor: i64) -> Value {
        json!({"type": "order.updated", "order": {
            "id": id,
            "placed_at": self.stack.clock().now().to_string(),
            "currency": "EUR",
            "goods": {"amount_minor": minor},
            "status": "paid",
            "customer": {"id": customer, "email": format!("{customer}@example.com"), "email_verified": true},
        }})
    }

    /// A refund of a generic order, made now.
    pub fn refund(&self, id: &str, order: &str, minor: i64) -> Value {
        json!({"type": "order.refunded", "refund": {
            "id": id,
            "order_id": order,
            "refunded_at": self.stack.clock().now().to_string(),
            "currency": "EUR",
            "goods": {"amount_minor": minor},
        }})
    }

    /// Sends a body to a source, signed with its secret; the status and the body of the answer.
    pub async fn send(&self, source: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let name = SourceName::new(source).unwrap();
        let id = format!("msg-{}", body.len());
        let signed = self.stack.sources().sign(&name, &id, self.stack.clock().now(), body.as_bytes());
        let mut all = HeaderMap::new();
        for (name, value) in signed.unwrap_or_default() {
            insert(&mut all, name, &value);
        }
        for (name, value) in headers {
            insert(&mut all, name, value);
        }
        self.request(Method::POST, &format!("/webhooks/{source}"), &all, body.as_bytes()).await
    }

    /// Sends a generic body; it must be taken.
    pub async fn deliver(&self, body: &Value) {
        let (status, answer) = self.send(GENERIC, &[], body).await;
        assert_eq!(status, 202, "{answer}");
    }

    /// As [`Shop::deliver`], and waits until the streams are drained.
    pub async fn process(&self, body: &Value) {
        self.deliver(body).await;
        self.drain().await;
    }

    /// Waits until the streams are drained.
    pub async fn drain(&self) {
        self.stack.drain().await.unwrap();
    }

    /// Moves time, doing on the way everything that is due.
    pub async fn advance_to(&self, moment: &str) {
        self.stack.advance_to(at(moment)).await.unwrap();
    }

    /// Reads a route.
    pub async fn get(&self, uri: &str) -> (u16, Value) {
        self.request(Method::GET, uri, &HeaderMap::new(), b"").await
    }

    /// A member by the customer of the generic sender.
    pub async fn member(&self, customer: &str) -> Value {
        self.get(&format!("/members?source={GENERIC}&customer={customer}")).await.1
    }

    /// Asks the routes.
    pub async fn request(&self, method: Method, uri: &str, headers: &HeaderMap, body: &[u8]) -> (u16, Value) {
        let uri: Uri = uri.parse().unwrap();
        let answer = self.stack.gateway().answer(&method, &uri, headers, body).await;
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or(Value::Null))
    }

    /// The events of the messages sent on a channel, in order.
    pub fn sent(&self, channel: &str) -> Vec<String> {
        let selection = Selection { channel: Some(channel.to_owned()), ..Selection::default() };
        let messages = self.stack.inbox().list(&selection).unwrap();
        messages.into_iter().filter_map(|message| message.event).collect()
    }
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    let name: HeaderName = name.parse().unwrap();
    let value = HeaderValue::from_str(value).unwrap();
    headers.insert(name, value);
}
