//! Shopify's own published bodies, as far as they are at hand.

use domain::{Goods, OrderKey, Refund, RefundId};
use serde_json::Value;

use super::{at, headers, shared_data, source};
use crate::fields::BadInput;
use crate::platform::{Delivery, News, named};

/// The body of a published file, taken out of a captured delivery or of its resource's root.
fn body(name: &str) -> Option<Value> {
    let path = shared_data()?.join("payloads/shopify").join(name);
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let wrapped = ["body", "order", "refund"].into_iter().find(|key| document.get(key).is_some());
    Some(wrapped.map_or(document.clone(), |key| document[key].take()))
}

fn news(topic: &str, body: &Value) -> Result<News, BadInput> {
    let headers = headers([("X-Shopify-Topic", topic)]);
    let (source, body) = (source("shop"), body.to_string());
    let now = at("2026-03-01T10:00:00Z");
    let delivery = Delivery { source: &source, headers: &headers, body: body.as_bytes(), now };
    named("shopify").unwrap().parse(&delivery)
}

fn order(topic: &str, name: &str) -> Option<domain::Order> {
    match news(topic, &body(name)?) {
        Ok(News::Order(order)) => Some(order),
        other => panic!("{name}: {other:?}"),
    }
}

fn refund(name: &str) -> Option<(OrderKey, RefundId, Refund)> {
    match news("refunds/create", &body(name)?) {
        Ok(News::Refund { order, id, refund, .. }) => Some((order, id, refund)),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_captured_order_has_its_ids_customer_and_goods() {
    for (topic, name) in [
        ("orders/paid", "orders-paid-hookdeck-1.json"),
        ("orders/cancelled", "orders-cancelled-hookdeck-1.json"),
    ] {
        let Some(order) = order(topic, name) else { return };
        assert_eq!(order.key.as_str(), "shop#820982911946154500");
        assert_eq!(order.placed_at, at("2022-01-01T00:00:00Z"));
        let customer = order.customer.unwrap();
        assert_eq!(customer.id.unwrap().as_str(), "115310627314723950");
        assert_eq!(customer.contact.verified_email(), Some("john@example.com"));
        assert_eq!(order.snapshot.currency.code(), "USD");
        assert_eq!(order.snapshot.goods, Goods::untaxed(39_800));
        assert!(order.snapshot.cancelled && order.snapshot.test);
    }
}

#[test]
fn an_order_of_an_old_version_of_the_api_is_read_too() {
    let Some(order) = order("orders/create", "api-order-2.json") else { return };
    assert_eq!(order.key.as_str(), "shop#450789469");
    assert_eq!(order.customer.unwrap().id.unwrap().as_str(), "207119551");
    assert_eq!(order.snapshot.goods, Goods::untaxed(39_800));
    assert_eq!(order.snapshot.payment, domain::Payment::Unpaid, "it is only authorized");
}

#[test]
fn a_captured_refund_has_its_ids_and_goods() {
    let Some((order, id, refund)) = refund("refunds-create-hookdeck-1.json") else { return };
    assert_eq!((order.as_str(), id.as_str()), ("shop#820982911946154500", "890088186047892400"));
    assert_eq!((refund.currency.code(), refund.goods), ("USD", Goods::untaxed(39_800)));
}

#[test]
fn a_refund_without_subtotals_is_worth_its_lines() {
    let Some((order, id, refund)) = refund("api-refund-1.json") else { return };
    assert_eq!((order.as_str(), id.as_str()), ("shop#450789469", "509562969"));
    assert_eq!(refund.currency.code(), "USD", "as its transaction says");
    // Its rates do not agree with its taxes, so whether these are included is anybody's guess.
    assert_eq!((refund.goods.amount, refund.goods.tax), (39_800, 796));
}

#[test]
fn what_tells_of_no_order_is_of_no_interest() {
    for (topic, name) in [
        ("orders/edited", "orders-edited-hookdeck-1.json"),
        ("customers/merge", "customers-merge-hookdeck-1.json"),
        ("customers/data_request", "customers_data_request-1.json"),
        ("customers/redact", "customers_redact-1.json"),
        ("shop/redact", "shop_redact-1.json"),
    ] {
        let Some(body) = body(name) else { return };
        assert!(matches!(news(topic, &body), Ok(News::Nothing(_))), "{name}");
    }
}
