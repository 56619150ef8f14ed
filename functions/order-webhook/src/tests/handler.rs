//! The handler's answers: good, bad, doubled, garbage, huge, a wrong secret, and a store that is away.

use domain::OrderKey;
use lambda_http::http::{Method, Request};
use lambda_http::{Body, Response};
use runtime::Clock;
use serde_json::{Value, json};
use store::Store;

use super::{LOCAL_SOURCES, at, embedded_store, source, store_at};
use crate::{MAX_BODY_BYTES, OrderWebhook, Sources, path_of};

const NOW: &str = "2026-03-01T10:00:00Z";
/// Nothing listens on this port.
const NOBODY: &str = "http://127.0.0.1:9";

fn webhook_over(store: Store) -> OrderWebhook {
    OrderWebhook::new(store, Sources::from_toml(LOCAL_SOURCES).unwrap(), Clock::fixed(at(NOW)))
}

fn order(id: &str, amount: i64) -> Vec<u8> {
    json!({
        "type": "order.updated",
        "order": {
            "id": id, "placed_at": NOW, "updated_at": NOW, "currency": "EUR",
            "goods": {"amount_minor": amount}, "status": "paid", "customer": {"id": "c-1"},
        },
    })
    .to_string()
    .into_bytes()
}

fn signed(name: &str, body: Vec<u8>) -> lambda_http::Request {
    let sources = Sources::from_toml(LOCAL_SOURCES).unwrap();
    let name = source(name);
    let mut request = Request::post(path_of(&name))
        .header("x-shopify-topic", "orders/paid")
        .header("x-wc-webhook-topic", "order.updated");
    for (header, value) in sources.sign(&name, "msg_1", at(NOW), &body).unwrap() {
        request = request.header(header, value);
    }
    request.body(Body::from(body)).unwrap()
}

fn text(response: &Response<Body>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

fn document(response: &Response<Body>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

async fn status(webhook: &OrderWebhook, request: lambda_http::Request) -> u16 {
    let response = webhook.handle(request).await.unwrap();
    let status = response.status().as_u16();
    if status >= 400 {
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(document(&response)["status"], status);
    }
    status
}

#[tokio::test]
async fn an_order_is_stored_and_its_duplicate_known() {
    let store = embedded_store().await;
    let webhook = webhook_over(store.clone());
    let first = webhook.handle(signed("generic-main", order("1", 4_590))).await.unwrap();
    let second = webhook.handle(signed("generic-main", order("1", 4_590))).await.unwrap();
    assert_eq!((first.status().as_u16(), text(&first).as_str()), (202, r#"{"status":"stored"}"#));
    assert_eq!((second.status().as_u16(), text(&second).as_str()), (202, r#"{"status":"known"}"#));
    let stored = store.order(&OrderKey::new("generic-main#1").unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.snapshot.unwrap().goods.amount, 4_590);
}

#[tokio::test]
async fn what_is_of_no_interest_is_answered_so() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    let ping = signed("generic-main", br#"{"type":"ping"}"#.to_vec());
    let response = webhook.handle(ping).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(document(&response)["status"], "ignored");
}

#[tokio::test]
async fn a_body_that_does_not_fit_says_what_to_mend() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    let response = webhook.handle(signed("generic-main", order("1", -1))).await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(document(&response)["detail"], "order.goods.amount_minor: must not be negative");
}

#[tokio::test]
async fn garbage_is_malformed_once_it_is_signed() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    for name in ["generic-main", "shopify-main", "woo-main", "bigcommerce-main", "square-main", "stripe-main"]
    {
        for body in ["", "null", "[]", "{", "\u{0}", "{\"type\":7}", &"[".repeat(100_000)] {
            let request = signed(name, body.as_bytes().to_vec());
            assert_eq!(status(&webhook, request).await, 400, "{name}: {body:.20}");
        }
        assert_eq!(status(&webhook, signed(name, vec![0xff; 64])).await, 400);
    }
}

#[tokio::test]
async fn a_signature_is_checked_before_anything_is_read() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    for name in Sources::from_toml(LOCAL_SOURCES).unwrap().names() {
        let name = name.as_str();
        let mut altered = signed(name, order("1", 4_590));
        *altered.body_mut() = Body::from(order("1", 4_591));
        assert_eq!(status(&webhook, altered).await, 401);
        let garbage = Request::post(path_of(&source(name))).body(Body::from("{")).unwrap();
        assert_eq!(status(&webhook, garbage).await, 401);
    }
}

#[tokio::test]
async fn another_sources_secret_opens_nothing() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    let mut request = signed("generic-main", order("1", 4_590));
    *request.uri_mut() = "/webhooks/shopify-main".parse().unwrap();
    assert_eq!(status(&webhook, request).await, 401);
}

#[tokio::test]
async fn a_body_above_the_limit_is_too_large_and_one_at_the_limit_is_not() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    let too_large = signed("generic-main", vec![b' '; MAX_BODY_BYTES + 1]);
    assert_eq!(status(&webhook, too_large).await, 413);
    let at_limit = signed("generic-main", vec![b' '; MAX_BODY_BYTES]);
    assert_eq!(status(&webhook, at_limit).await, 400);
}

#[tokio::test]
async fn a_platform_that_asks_whether_the_address_is_ours_hears_its_challenge_and_no_other_does() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    let ask = |name: &str, query: &str| {
        Request::get(format!("{}?{query}", path_of(&source(name)))).body(Body::Empty).unwrap()
    };
    let response = webhook.handle(ask("adobe-main", "challenge=8ec8d794-e0ab-42df")).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), text(&response).as_str()),
        (200, r#"{"challenge":"8ec8d794-e0ab-42df"}"#)
    );
    assert_eq!(response.headers()["content-type"], "application/json");
    for (name, query, expected) in [
        ("adobe-main", "", 405),
        ("adobe-main", "challenge=", 405),
        ("adobe-main", "challenge=%3Cscript%3E", 405),
        ("adobe-main", &format!("challenge={}", "x".repeat(101)), 405),
        ("stripe-main", "challenge=8ec8d794", 405),
        ("nobody", "challenge=8ec8d794", 404),
    ] {
        assert_eq!(status(&webhook, ask(name, query)).await, expected, "{name}?{query}");
    }
}

#[tokio::test]
async fn a_validation_by_hand_is_let_pass_and_opens_nothing() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    let validation = r#"{"validationUrl":"https://csm.adobe.io/csm/registrations/validate?id=1"}"#;
    assert_eq!(status(&webhook, ping("adobe-main", validation)).await, 200);
    for body in [r#"{"validationUrl":"https://example.com/"}"#, r#"{"validationUrl":"","entity_id":1}"#] {
        assert_eq!(status(&webhook, ping("adobe-main", body)).await, 401, "{body}");
    }
    assert_eq!(status(&webhook, ping("generic-main", validation)).await, 401);
}

fn ping(name: &str, body: &'static str) -> lambda_http::Request {
    Request::post(path_of(&source(name))).body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn an_unsigned_ping_is_greeted_back_where_the_platform_sends_one_and_opens_nothing() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    let response = webhook.handle(ping("woo-main", "webhook_id=7")).await.unwrap();
    assert_eq!((response.status().as_u16(), document(&response)["status"].as_str()), (200, Some("ignored")));
    for (name, body, expected) in [
        ("woo-main", "webhook_id=7&id=727", 401),
        ("woo-main", "{\"id\":727}", 401),
        ("shopify-main", "webhook_id=7", 401),
        ("generic-main", "webhook_id=7", 401),
        ("nobody", "webhook_id=7", 404),
    ] {
        assert_eq!(status(&webhook, ping(name, body)).await, expected, "{name}: {body}");
    }
}

#[tokio::test]
async fn an_address_is_taken_with_a_stage_or_a_slash_and_no_other_way() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    for (path, expected) in [
        ("/webhooks/generic-main", 200),
        ("/webhooks/generic-main/", 200),
        ("/prod/webhooks/generic-main", 200),
        ("/webhooks/nobody", 404),
        ("/webhooks", 404),
        ("/webhooks/", 404),
        ("/", 404),
        ("/webhooks/generic-main/more", 404),
        ("/webhooks/%00", 404),
    ] {
        let mut request = signed("generic-main", br#"{"type":"ping"}"#.to_vec());
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(status(&webhook, request).await, expected, "{path}");
    }
}

#[tokio::test]
async fn another_method_is_told_which_one_to_use() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
        let mut request = signed("generic-main", order("1", 4_590));
        *request.method_mut() = method;
        let response = webhook.handle(request).await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "POST");
    }
}

#[tokio::test]
async fn a_store_that_is_away_asks_to_come_again() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    let response = webhook.handle(signed("generic-main", order("1", 4_590))).await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
}

/// An order of the shop "woo-main", as it last changed at this minute of ten o'clock.
fn woo_order(minute: u8) -> Value {
    json!({
        "id": 727, "status": "processing", "currency": "EUR", "prices_include_tax": false,
        "date_created_gmt": "2026-03-01T10:00:00", "date_modified_gmt": format!("2026-03-01T10:{minute:02}:00"),
        "line_items": [{"total": "50.00", "total_tax": "10.00"}], "customer_id": 5, "refunds": [],
    })
}

async fn tell(webhook: &OrderWebhook, topic: &str, body: &Value) {
    let mut request = signed("woo-main", body.to_string().into_bytes());
    request.headers_mut().insert("x-wc-webhook-topic", topic.parse().unwrap());
    assert_eq!(status(webhook, request).await, 202, "{topic}");
}

#[tokio::test]
async fn a_deleted_order_stays_so_whatever_comes_late_until_it_is_restored() {
    let deleted = json!({"id": 727});
    let (created, updated, restored) = (woo_order(0), woo_order(5), woo_order(30));
    let told = [("order.created", &created), ("order.updated", &updated), ("order.deleted", &deleted)];
    for [a, b, c] in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let store = embedded_store().await;
        // Long after the order was restored: the shop's queue was slow.
        let sources = Sources::from_toml(LOCAL_SOURCES).unwrap();
        let webhook = OrderWebhook::new(store.clone(), sources, Clock::fixed(at("2026-03-01T11:00:00Z")));
        for (topic, body) in [told[a], told[b], told[c]] {
            tell(&webhook, topic, body).await;
        }
        let order = store.order(&OrderKey::new("woo-main#727").unwrap()).await.unwrap().unwrap();
        assert!(order.snapshot.is_none_or(|snapshot| snapshot.cancelled), "{a}{b}{c}");
        assert!(order.owner.is_some() && order.placed_at.is_some());
        tell(&webhook, "order.deleted", &deleted).await;
        tell(&webhook, "order.restored", &restored).await;
        let order = store.order(&OrderKey::new("woo-main#727").unwrap()).await.unwrap().unwrap();
        let snapshot = order.snapshot.unwrap();
        assert!(!snapshot.cancelled && snapshot.goods.amount == 5_000, "{a}{b}{c}");
    }
}

#[tokio::test]
async fn no_answer_repeats_the_body() {
    let webhook = webhook_over(store_at(NOBODY.to_owned()));
    for body in [
        json!({"type": "order.updated", "order": {"id": {"private": 1}}}),
        json!({"type": "order.updated", "order": {"id": "1", "placed_at": "private"}}),
        json!({"type": "order.updated", "order": {"id": "1", "placed_at": NOW, "currency": "private"}}),
        json!({"type": "order.refunded", "refund": {"id": "1", "customer": {"email": "private"}}}),
        json!({"type": "private"}),
        json!({"type": "order.updated", "order": "private"}),
    ] {
        let response = webhook.handle(signed("generic-main", body.to_string().into_bytes())).await.unwrap();
        assert!(!text(&response).contains("private"), "{}", text(&response));
    }
}
