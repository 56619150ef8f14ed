//! Moments that lie far from now, on every platform: an order is neither frozen nor does it earn for ever.

use domain::{OrderKey, OrderState};
use lambda_http::Body;
use lambda_http::http::Request;
use runtime::Clock;
use serde_json::{Value, json};
use store::Store;

use super::{LOCAL_SOURCES, at, embedded_store, source};
use crate::{OrderWebhook, Sources, path_of};

const NOW: &str = "2026-03-10T10:00:00Z";
const LATER: &str = "2026-03-10T11:00:00Z";

async fn deliver(store: &Store, name: &str, topic: &str, now: &str, body: &Value) {
    let sources = Sources::from_toml(LOCAL_SOURCES).unwrap();
    let (name, body) = (source(name), body.to_string().into_bytes());
    let mut request =
        Request::post(path_of(&name)).header("x-shopify-topic", topic).header("x-wc-webhook-topic", topic);
    for (header, value) in sources.sign(&name, "msg_1", at(now), &body).unwrap() {
        request = request.header(header, value);
    }
    let webhook = OrderWebhook::new(store.clone(), sources, Clock::fixed(at(now)));
    let answer = webhook.handle(request.body(Body::from(body)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 202, "{:?}", answer.body());
}

async fn order(store: &Store, key: &str) -> OrderState {
    store.order(&OrderKey::new(key).unwrap()).await.unwrap().unwrap()
}

fn shopify(placed_at: &str, updated_at: &str, subtotal: &str, refunded_at: &str) -> Value {
    json!({
        "id": 1, "created_at": placed_at, "updated_at": updated_at, "currency": "EUR", "financial_status": "paid",
        "current_subtotal_price": subtotal, "total_price": subtotal, "line_items": [], "customer": {"id": 7},
        "refunds": [{"id": 9, "order_id": 1, "created_at": refunded_at, "transactions": [],
            "order_adjustments": [{"kind": "refund_discrepancy", "amount": "-1.00"}]}],
    })
}

fn woocommerce(placed_at: &str, updated_at: &str, total: &str) -> Value {
    let plain = |moment: &str| moment.trim_end_matches('Z').to_owned();
    json!({
        "id": 1, "status": "completed", "currency": "EUR", "prices_include_tax": false, "customer_id": 7,
        "date_created_gmt": plain(placed_at), "date_modified_gmt": plain(updated_at), "refunds": [],
        "line_items": [{"total": total, "total_tax": "0.00"}],
    })
}

fn magento(placed_at: &str, updated_at: &str, subtotal: &str) -> Value {
    json!({"type": "sales.order.updated", "data": {
        "entity_id": 1, "state": "complete", "created_at": placed_at, "updated_at": updated_at, "customer_id": 7,
        "order_currency_code": "EUR", "subtotal": subtotal,
    }})
}

fn generic(placed_at: &str, updated_at: &str, amount: i64) -> Value {
    json!({"type": "order.updated", "order": {
        "id": "1", "placed_at": placed_at, "updated_at": updated_at, "currency": "EUR", "status": "paid",
        "goods": {"amount_minor": amount}, "customer": {"id": "7"},
    }})
}

const AGES_AHEAD: &str = "2999-01-01T00:00:00Z";

#[tokio::test]
async fn an_order_changed_in_another_age_is_changed_again_by_what_comes_later() {
    let topic = |name: &str| if name == "woo-main" { "order.updated" } else { "orders/updated" };
    let bodies = |updated_at: &str, amount: i64| {
        let main = format!("{}.00", amount / 100);
        [
            ("shopify-main", shopify(NOW, updated_at, &main, NOW)),
            ("woo-main", woocommerce(NOW, updated_at, &main)),
            ("mage-os-main", magento(NOW, updated_at, &main)),
            ("generic-main", generic(NOW, updated_at, amount)),
        ]
    };
    let store = embedded_store().await;
    for (now, body) in [(NOW, bodies(AGES_AHEAD, 10_000)), (LATER, bodies(AGES_AHEAD, 8_000))] {
        for (name, body) in &body {
            deliver(&store, name, topic(name), now, body).await;
        }
    }
    for (name, _) in &bodies(NOW, 0) {
        let snapshot = order(&store, &format!("{name}#1")).await.snapshot.unwrap();
        assert_eq!((snapshot.goods.amount, snapshot.updated_at), (8_000, at(LATER)), "{name}");
    }
    for (name, body) in &bodies(AGES_AHEAD, 10_000) {
        let before = order(&store, &format!("{name}#1")).await;
        deliver(&store, name, topic(name), "2026-03-10T11:30:00Z", body).await;
        assert_eq!(order(&store, &format!("{name}#1")).await, before, "{name}: what comes again is known");
    }
    for (name, body) in &bodies("2026-03-10T12:00:00Z", 5_000) {
        deliver(&store, name, topic(name), "2026-03-10T12:00:00Z", body).await;
        let snapshot = order(&store, &format!("{name}#1")).await.snapshot.unwrap();
        assert_eq!(snapshot.goods.amount, 5_000, "{name}: the clock was mended");
    }
}

#[tokio::test]
async fn what_is_placed_or_refunded_far_ahead_is_so_now_and_up_to_a_day_ahead_as_it_says() {
    let store = embedded_store().await;
    let body = shopify("2099-01-01T00:00:00Z", NOW, "100.00", "2099-01-01T00:00:00Z");
    deliver(&store, "shopify-main", "orders/updated", NOW, &body).await;
    let told = order(&store, "shopify-main#1").await;
    assert_eq!(told.placed_at, Some(at(NOW)));
    assert!(told.refunds.values().all(|refund| refund.refunded_at == at(NOW)));

    let tomorrow = "2026-03-11T09:59:59Z";
    deliver(&store, "generic-main", "", NOW, &generic(tomorrow, tomorrow, 100)).await;
    assert_eq!(order(&store, "generic-main#1").await.placed_at, Some(at(tomorrow)));

    let refund = json!({"type": "order.refunded", "refund": {
        "id": "r-1", "refunded_at": "2099-01-01T00:00:00Z", "currency": "EUR", "goods": {"amount_minor": 100},
        "customer": {"id": "7"},
    }});
    deliver(&store, "generic-main", "", NOW, &refund).await;
    let unlinked = order(&store, "generic-main#refund#r-1").await.unlinked.unwrap();
    assert_eq!(unlinked.refunded_at, at(NOW));
}
