//! The platforms' own published bodies, as far as they are at hand.

use domain::{CardFingerprint, Goods, OrderKey, Phone, Refund, RefundId};
use serde_json::Value;
use store::DirectoryKey;

use super::{at, headers, shared_data, source};
use crate::api::Answer;
use crate::fields::BadInput;
use crate::platform::{Delivery, News, Reading, Request, named};
use crate::sources::{Source, SourceDocument};

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
        assert!(
            order.refunds.values().all(|refund| refund.goods.amount == 0)
                && !order.customer.unwrap().is_known()
        );
    }
}

#[test]
fn a_refund_of_woocommerce_alone_is_no_order() {
    let Some(news) = woo_news("order.updated", "api-refund-1.json") else { return };
    assert_eq!(news.unwrap_err().to_string(), "the body: missing field `status`");
}

/// The addresses to which a published event of a platform leads first.
fn leads_to(platform: &str, name: &str) -> Option<Vec<String>> {
    let path = shared_data()?.join("payloads").join(platform).join(name);
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let event = document.get_mut("body").map(Value::take).unwrap_or(document);
    let source_document = serde_json::json!({
        "platform": platform, "secrets": ["a-secret"], "notification_url": "https://laurel.example.com",
        "api": {"token": "a-token", "store": (platform == "bigcommerce").then_some("abc123")},
    });
    let shop = Source::new(&serde_json::from_value(source_document).unwrap()).unwrap();
    let (source, headers, body) = (source("shop"), headers([]), event.to_string());
    let now = at("2026-03-01T10:00:00Z");
    let delivery = Delivery { source: &source, headers: &headers, body: body.as_bytes(), now };
    match shop.parse(&delivery) {
        Ok(News::Elsewhere(resources)) => Some(resources.into_iter().map(|resource| resource.url).collect()),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_published_event_that_carries_only_an_id_leads_to_its_order() {
    for (platform, name, address) in [
        ("bigcommerce", "store-order-created-hookdeck-1.json", "/stores/abc123/v2/orders/250"),
        ("bigcommerce", "store-order-statusUpdated-hookdeck-1.json", "/stores/abc123/v2/orders/250"),
        ("bigcommerce", "store-order-refund-created-hookdeck-1.json", "/stores/abc123/v2/orders/250"),
        ("square", "order-created-1.json", "/v2/orders/eA3vssLHKJrv9H0IdJCM3gNqfdcZY"),
        ("square", "payment-updated-1.json", "/v2/orders/03O3USaPaAaFnI6kkwB1JxGgBsUZY"),
        ("square", "refund-updated-1.json", "/v2/orders/haOyDuHiqtAXMk0d8pDKXpL7Jg4F"),
    ] {
        let Some(led) = leads_to(platform, name) else { return };
        assert!(led.len() == 1 && led[0].ends_with(address), "{name}: {led:?}");
    }
}

#[test]
fn a_published_order_of_square_has_its_goods_and_is_not_paid() {
    let Some(folder) = shared_data() else { return };
    let answer = std::fs::read(folder.join("payloads/square/api-retrieveorderresponse-1.json")).unwrap();
    let document = serde_json::json!({
        "platform": "square", "secrets": ["a-secret"], "notification_url": "https://laurel.example.com",
        "api": {"token": "a-token"},
    });
    let seller = Source::new(&serde_json::from_value(document).unwrap()).unwrap();
    let (source, headers) = (source("shop"), headers([]));
    let body = br#"{"type":"order.updated","data":{"id":"CAISENgvlJ6jLWAzERDzjyHVybY"}}"#;
    let delivery = Delivery { source: &source, headers: &headers, body, now: at("2026-03-01T10:00:00Z") };
    let read = seller.read(&delivery, &[Answer::of(answer)]).unwrap();
    let Reading::Told(news) = read else { panic!("{read:?}") };
    let [News::Order(order)] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!(order.key.as_str(), "shop#CAISENgvlJ6jLWAzERDzjyHVybY");
    assert_eq!((order.snapshot.currency.code(), order.snapshot.goods), ("USD", Goods::untaxed(550)));
    assert_eq!(order.snapshot.payment, domain::Payment::Unpaid, "it is open, and nobody has paid yet");
    assert_eq!(order.placed_at, at("2020-05-18T16:30:49.614Z"));
    assert!(order.customer.is_none());
}

/// The body of a published file of another platform, as it is.
fn news_of(platform: &str, folder: &str, name: &str) -> Option<Result<News, BadInput>> {
    let body = std::fs::read(shared_data()?.join("payloads").join(folder).join(name)).unwrap();
    let (source, headers) = (source("shop"), headers([]));
    let now = at("2026-03-01T10:00:00Z");
    let delivery = Delivery { source: &source, headers: &headers, body: &body, now };
    let document = SourceDocument {
        platform: platform.to_owned(),
        secrets: vec!["laurel-local".to_owned()],
        ..SourceDocument::default()
    };
    Some(Source::new(&document).unwrap().parse(&delivery))
}

#[test]
fn a_published_session_of_stripe_has_its_intent_customer_and_goods() {
    let Some(news) = news_of("stripe", "stripe", "checkout-session-completed-1.json") else { return };
    let Ok(News::Order(order)) = news else { panic!("{news:?}") };
    assert_eq!(order.key.as_str(), "shop#pi_000000000000000000000000");
    assert_eq!(order.placed_at, at("2022-03-26T18:39:19Z"), "of the event, as older versions tell no other");
    let customer = order.customer.unwrap();
    assert_eq!(customer.id.unwrap().as_str(), "cus_00000000000000");
    assert_eq!(
        (customer.contact.email.as_deref(), customer.contact.email_verified),
        (Some("stripe@example.com"), false)
    );
    assert_eq!((order.snapshot.currency.code(), order.snapshot.goods), ("USD", Goods::untaxed(3_000)));
    assert_eq!((order.snapshot.payment, order.snapshot.test), (domain::Payment::Paid, true));
}

#[test]
fn a_published_intent_of_stripe_is_worth_what_was_received() {
    let Some(news) = news_of("stripe", "stripe", "payment_intent-succeeded-1.json") else { return };
    let Ok(News::Order(order)) = news else { panic!("{news:?}") };
    assert_eq!(order.key.as_str(), "shop#pi_000000000000000000000000");
    assert_eq!(order.placed_at, at("2022-03-26T18:40:32Z"));
    assert_eq!((order.snapshot.currency.code(), order.snapshot.goods), ("USD", Goods::untaxed(2_000)));
    let customer = order.customer.unwrap();
    assert!(customer.id.is_none() && customer.contact.phone.is_none() && order.snapshot.test);
    assert_eq!(customer.card, CardFingerprint::new("ZoVSX2dK5igWt2SB").ok());
}

#[test]
fn a_published_refund_of_stripe_tells_the_sum_given_back() {
    let Some(news) = news_of("stripe", "stripe", "charge-refunded-1.json") else { return };
    let Ok(News::Refund { order, refund, .. }) = news else { panic!("{news:?}") };
    assert_eq!(order.as_str(), "shop#ch_000000000000000000000000", "the charge has no intent");
    assert_eq!((refund.currency.code(), refund.goods.amount), ("USD", 100));
    assert_eq!((refund.kind, refund.refunded_at), (domain::RefundKind::SoFar, at("2022-03-26T18:39:09Z")));
}

#[test]
fn a_published_order_of_magento_has_its_customer_and_goods() {
    let Some(news) = news_of("adobe_commerce", "magento", "api-order-full-1.json") else { return };
    let Ok(News::Order(order)) = news else { panic!("{news:?}") };
    assert_eq!((order.key.as_str(), order.snapshot.currency.code()), ("shop#3", "USD"));
    assert_eq!(order.placed_at, at("2017-08-21T22:22:19Z"));
    assert_eq!(order.snapshot.updated_at, at("2017-08-21T22:22:20Z"));
    let customer = order.customer.unwrap();
    assert_eq!(customer.contact.phone, Phone::new("+15125551111").ok());
    assert_eq!(customer.id.unwrap().as_str(), "3");
    assert_eq!(order.snapshot.goods, Goods::untaxed(16_000));
    assert_eq!(order.snapshot.payment, domain::Payment::Unpaid, "it is new");
}

#[test]
fn a_published_invoice_of_magento_pays_its_order() {
    let Some(news) = news_of("adobe_commerce", "magento", "event-invoice-save-after-1.json") else { return };
    let Ok(News::Order(order)) = news else { panic!("{news:?}") };
    assert_eq!((order.key.as_str(), order.snapshot.currency.code()), ("shop#8", "USD"));
    assert_eq!(order.placed_at, at("2023-04-06T18:36:18Z"));
    assert_eq!(
        (order.snapshot.goods, order.snapshot.payment),
        (Goods::untaxed(110_000), domain::Payment::Paid)
    );
    assert!(!order.customer.unwrap().is_known());
}

#[test]
fn a_published_event_of_magento_without_amounts_is_of_no_interest() {
    let Some(news) = news_of("adobe_commerce", "magento", "event-order-created-1.json") else { return };
    assert!(matches!(news, Ok(News::Nothing(_))), "{news:?}");
}

/// The schema names the type of each field; here each has a value of that type.
#[test]
fn a_credit_memo_of_magento_by_its_published_schema_is_a_refund() {
    let Some(data) = shared_data() else { return };
    let path = data.join("payloads/magento/schema-sales_order_creditmemo_save_after.json");
    let mut memo: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (name, value) in memo.as_object_mut().unwrap() {
        *value = match (name.as_str(), value.as_str()) {
            ("subtotal", _) => 50.0.into(),
            ("state", _) => 2.into(),
            ("order_currency_code", _) => "EUR".into(),
            ("created_at", _) => "2026-03-05 08:00:00".into(),
            ("order_id", _) => 4001.into(),
            (_, Some("float")) => 0.0.into(),
            (_, Some("int")) => 1.into(),
            (_, Some("boolean")) => true.into(),
            (name, Some("string")) => name.into(),
            _ => Value::Null,
        };
    }
    let (source, headers, body) = (source("shop"), headers([]), memo.to_string());
    let delivery = Delivery {
        source: &source,
        headers: &headers,
        body: body.as_bytes(),
        now: at("2026-03-05T09:00:00Z"),
    };
    let Ok(News::Refund { order, refund, .. }) = named("adobe_commerce").unwrap().parse(&delivery) else {
        panic!()
    };
    assert_eq!((order.as_str(), refund.goods), ("shop#4001", Goods::untaxed(5_000)));
}

#[test]
fn the_topics_of_privacy_are_understood_and_none_passes_for_another() {
    let [redact, data_request, shop] =
        ["customers_redact-1.json", "customers_data_request-1.json", "shop_redact-1.json"].map(body);
    let (Some(redact), Some(data_request), Some(shop)) = (redact, data_request, shop) else { return };
    let customer = domain::CustomerId::new("191167").unwrap();
    let orders = ["299938", "280263", "220458"].map(|id| OrderKey::new(format!("shop#{id}")).unwrap());
    let customer = store::person::Sought::named(DirectoryKey::Customer(source("shop"), customer));
    assert_eq!(news("customers/redact", &redact), Ok(News::Erasure(customer.with_orders(orders.to_vec()))));
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
