//! The platforms' own published bodies, as far as they are at hand.

use domain::{Goods, OrderKey, Refund, RefundId};
use serde_json::Value;

use super::{at, headers, shared_data, source};
use crate::fields::BadInput;
use crate::platform::{Delivery, News, Request, named};

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
    ] {
        let Some(body) = body(name) else { return };
        assert!(matches!(news(topic, &body), Ok(News::Nothing(_))), "{name}");
    }
}

fn woo_news(topic: &str, name: &str) -> Option<Result<News, BadInput>> {
    let body = std::fs::read(shared_data()?.join("payloads/woocommerce").join(name)).unwrap();
    let (source, headers) = (source("shop"), headers([("X-WC-Webhook-Topic", topic)]));
    let delivery =
        Delivery { source: &source, headers: &headers, body: &body, now: at("2026-03-01T10:00:00Z") };
    Some(named("woocommerce").unwrap().parse(&delivery))
}

#[test]
fn a_published_order_of_woocommerce_has_its_goods_and_a_guest() {
    for (topic, name, updated_at) in [
        ("order.created", "order-created-1.json", "2017-03-22T19:28:08Z"),
        ("order.updated", "order-updated-1.json", "2017-03-22T19:30:35Z"),
    ] {
        let Some(news) = woo_news(topic, name) else { return };
        let Ok(News::Order(order)) = news else { panic!("{name}: {news:?}") };
        assert_eq!((order.key.as_str(), order.snapshot.currency.code()), ("shop#727", "USD"));
        assert_eq!(order.placed_at, at("2017-03-22T19:28:02Z"));
        assert_eq!(order.snapshot.updated_at, at(updated_at));
        assert_eq!(order.snapshot.goods, Goods { amount: 1_800, tax: 135, tax_included: false });
        assert_eq!(order.snapshot.payment, domain::Payment::Paid);
        assert!(order.refunds.is_empty() && !order.customer.unwrap().is_known());
    }
}

#[test]
fn a_refund_of_woocommerce_alone_is_no_order() {
    let Some(news) = woo_news("order.updated", "api-refund-1.json") else { return };
    assert_eq!(news.unwrap_err().to_string(), "the body: missing field `status`");
}

#[test]
fn the_topics_of_privacy_are_understood_and_none_passes_for_another() {
    let [redact, data_request, shop] =
        ["customers_redact-1.json", "customers_data_request-1.json", "shop_redact-1.json"].map(body);
    let (Some(redact), Some(data_request), Some(shop)) = (redact, data_request, shop) else { return };
    let customer = domain::CustomerId::new("191167").unwrap();
    let erasure = News::Erasure(store::person::Sought::Customer(source("shop"), customer));
    assert_eq!(news("customers/redact", &redact), Ok(erasure));
    let order = OrderKey::new("shop#299938").unwrap();
    assert_eq!(
        news("customers/data_request", &data_request),
        Ok(News::Request(Request::Export(Some(order))))
    );
    assert_eq!(news("shop/redact", &shop), Ok(News::Request(Request::WholeShop)));
    for (topic, body) in [
        ("customers/redact", &data_request),
        ("customers/redact", &shop),
        ("customers/data_request", &redact),
        ("customers/data_request", &shop),
        ("shop/redact", &redact),
        ("shop/redact", &data_request),
    ] {
        assert!(news(topic, body).is_err(), "{topic} with {body}");
    }
}
