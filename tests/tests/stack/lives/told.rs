//! The webhooks by which each platform tells of a life.

mod adobe_commerce;
mod generic;
mod shopify;
mod stripe;
mod woocommerce;

use serde_json::Value;

use crate::lives::order::{Happened, Order, Shape};

pub use self::adobe_commerce::ADOBE_COMMERCE;
pub use self::generic::GENERIC;
pub use self::shopify::SHOPIFY;
pub use self::stripe::{STRIPE, STRIPE_APART};
pub use self::woocommerce::WOOCOMMERCE;

/// A platform whose orders live.
#[derive(Clone, Copy)]
pub struct Teller {
    pub source: &'static str,
    pub shape: Shape,
    /// What an order's number is called there.
    pub order_id: fn(u64) -> String,
    /// What is sent when something happened, the order being as it is after that.
    pub tell: fn(&Order, Happened) -> Vec<Webhook>,
}

/// One webhook.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub header: Option<(&'static str, &'static str)>,
    pub body: Value,
    /// Whether it takes an order out of the bin. Of the deletion nothing is told but that it came before; so one that
    /// arrives after the restoration cancels the order again, and no platform's word could help. Nor does a deletion
    /// tell which changes came before it: those that are told between the two are taken for older.
    pub restores: bool,
}

impl Webhook {
    fn new(body: Value) -> Self {
        Self { header: None, body, restores: false }
    }

    fn of_topic(header: &'static str, topic: &'static str, body: Value) -> Self {
        Self { header: Some((header, topic)), body, restores: false }
    }
}

/// A second of the day on which everything happens.
fn moment(second: i64) -> String {
    format!("2026-03-02T{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

fn money(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}
