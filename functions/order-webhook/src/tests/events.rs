//! Every sample event, through the code that Lambda runs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Goods, OrderKey};
use lambda_http::Request;
use serde_json::Value;

use super::{LOCAL_SOURCES, at, embedded_store, root, thin};
use crate::{OrderWebhook, Sources};

/// Each event with the clock near its signature's time stamp, and what it is answered. Standard Webhooks time stamps
/// go stale within minutes, so against the real clock an event of the generic sender must be signed anew.
const EVENTS: [(&str, &str, u16); 36] = [
    ("generic-order-paid", "2026-03-01T09:20:06Z", 202),
    ("generic-order-refunded", "2026-03-05T08:00:06Z", 202),
    ("generic-bad-signature", "2026-03-01T09:20:06Z", 401),
    ("shopify-orders-paid", "2026-03-01T09:20:06Z", 202),
    ("shopify-orders-cancelled", "2026-03-01T10:00:03Z", 202),
    ("shopify-refunds-create", "2026-03-05T08:00:03Z", 202),
    ("shopify-orders-delete", "2026-03-07T08:00:03Z", 202),
    ("shopify-customers-merge", "2026-03-07T08:00:03Z", 202),
    // Of a customer who is no member.
    ("shopify-customers-update", "2026-03-08T09:00:03Z", 200),
    ("shopify-customers-email-marketing-consent-update", "2026-03-08T09:00:03Z", 200),
    ("shopify-customers-data-request", "2026-03-08T08:00:03Z", 202),
    ("shopify-customers-redact", "2026-03-20T08:00:03Z", 202),
    ("shopify-shop-redact", "2026-03-20T09:00:03Z", 202),
    ("woocommerce-ping", "2026-03-01T09:00:00Z", 200),
    ("woocommerce-order-created", "2026-03-01T09:15:41Z", 202),
    ("woocommerce-order-updated-refunded", "2026-03-05T08:00:41Z", 202),
    ("woocommerce-order-deleted", "2026-03-06T08:00:41Z", 202),
    // It was restored before we heard of its deletion.
    ("woocommerce-order-restored", "2026-03-06T08:01:41Z", 202),
    ("bigcommerce-order-created", "2026-03-01T10:15:06Z", 202),
    ("bigcommerce-order-refund-created", "2026-03-05T08:00:06Z", 202),
    ("square-order-created", "2026-03-01T10:15:06Z", 202),
    ("square-payment-updated", "2026-03-01T10:20:06Z", 202),
    ("square-refund-updated", "2026-03-05T08:00:06Z", 202),
    ("square-customer-updated", "2026-03-08T09:00:03Z", 200),
    // The session tells of the goods, whichever comes first.
    ("stripe-checkout-session-completed", "2026-03-01T09:15:36Z", 202),
    ("stripe-payment-intent-succeeded", "2026-03-01T09:15:37Z", 202),
    ("stripe-charge-succeeded", "2026-03-01T09:15:36Z", 202),
    ("stripe-charge-refund-updated", "2026-03-05T08:00:43Z", 202),
    ("stripe-charge-refunded", "2026-03-05T08:00:44Z", 202),
    ("stripe-charge-dispute-closed", "2026-03-10T08:00:03Z", 202),
    ("stripe-invoice-paid", "2026-03-02T07:00:08Z", 202),
    ("stripe-invoice-payment-paid", "2026-03-02T07:00:09Z", 202),
    ("adobe-commerce-challenge", "2026-03-01T09:00:00Z", 200),
    ("adobe-commerce-order-saved", "2026-03-01T09:15:11Z", 202),
    ("adobe-commerce-creditmemo-saved", "2026-03-05T08:00:10Z", 202),
    ("adobe-commerce-mage-os-order-paid", "2026-03-01T10:00:05Z", 202),
];

fn event(name: &str) -> String {
    let path = root().join("events/order-webhook").join(format!("{name}.json"));
    std::fs::read_to_string(path).unwrap()
}

fn request(name: &str) -> Request {
    lambda_http::request::from_str(&event(name)).unwrap()
}

#[tokio::test]
async fn every_sample_event_is_answered_as_it_should_be() {
    let (store, platforms) = (embedded_store().await, thin::platforms());
    for (name, now, status) in EVENTS {
        let sources = thin::sources(&platforms);
        let webhook = OrderWebhook::new(store.clone(), sources, runtime::Clock::fixed(at(now)));
        let response = webhook.handle(request(name)).await.unwrap();
        assert_eq!(response.status(), status, "{name}: {:?}", response.body());
    }
    let order = async |key| store.order(&OrderKey::new(key).unwrap()).await.unwrap().unwrap();
    assert!(order("shopify-main#9007199254741993").await.snapshot.unwrap().cancelled);
    let restored = order("woo-main#2001").await;
    assert!(!restored.snapshot.unwrap().cancelled);
    assert_eq!(restored.refunds.values().next().unwrap().goods.amount, 2_000);
    for (key, goods, back) in
        [("bigcommerce-main#250", 9_000, 3_000), ("square-main#CAISENgvlJ6jLWAzERDzjyHVybY", 9_000, 1_800)]
    {
        let order = order(key).await;
        assert_eq!(order.snapshot.unwrap().goods.amount, goods);
        assert_eq!(order.refunds.values().next().unwrap().goods.amount, back);
    }
    let sale = order("stripe-main#pi_example_1").await;
    let goods = Goods { amount: 4_500, tax: 1_000, tax_included: false };
    assert_eq!((sale.snapshot.unwrap().goods, sale.refunds.len()), (goods, 3));
    let goods = Goods { amount: 2_000, tax: 400, tax_included: false };
    assert_eq!(order("stripe-main#in_example_1").await.snapshot.unwrap().goods, goods);
    let whole = OrderKey::new("stripe-main#in_example_1").ok();
    assert_eq!(order("stripe-main#pi_example_2").await.part_of, whole);
    let of_a_guest = order("stripe-main#pi_example_3").await;
    assert!(of_a_guest.snapshot.is_none() && of_a_guest.owner.unwrap().card.is_some());
    let adobe = order("adobe-main#4001").await;
    let goods = Goods { amount: 4_000, tax: 800, tax_included: false };
    assert_eq!((adobe.snapshot.unwrap().goods, adobe.refunds.len()), (goods, 1));
    assert_eq!(order("mage-os-main#1001").await.snapshot.unwrap().goods.amount, 5_000);
}

#[tokio::test]
async fn a_body_that_comes_in_base64_is_the_same_body() {
    let (name, now, status) = EVENTS[0];
    let mut event: Value = serde_json::from_str(&event(name)).unwrap();
    event["body"] = STANDARD.encode(event["body"].as_str().unwrap()).into();
    event["isBase64Encoded"] = true.into();
    let sources = Sources::from_toml(LOCAL_SOURCES).unwrap();
    let webhook = OrderWebhook::new(embedded_store().await, sources, runtime::Clock::fixed(at(now)));
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    assert_eq!(webhook.handle(request).await.unwrap().status(), status);
}

#[test]
fn no_sample_event_is_left_out() {
    let folder = root().join("events/order-webhook");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".json");
        assert!(EVENTS.iter().any(|(event, _, _)| *event == name), "{name} is not tested");
    }
}
