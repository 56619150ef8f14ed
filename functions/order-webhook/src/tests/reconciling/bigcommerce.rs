//! BigCommerce's list: `GET /v2/orders`, page by page until one is empty, and once more for what is archived. Each order
//! is then read as after an event.

use serde_json::json;

use super::*;
use crate::tests::stand_in::{self, Reply};

const API: &str = "api = { store = \"abc123\", token = \"a-token\", base = \"BASE\" }";
const ORDER: &str = include_str!("../../../../../local/platforms/bigcommerce-order.json");

fn list(page: u32) -> String {
    let query = format!("min_date_modified=2026-03-01T00%3A00%3A00Z&sort=id%3Aasc&limit=100&page={page}");
    format!("/stores/abc123/v2/orders?{query}")
}

fn archived(page: u32) -> String {
    format!("{}&is_deleted=true", list(page))
}

/// What BigCommerce answers where there is nothing.
fn nothing() -> Reply {
    Reply::Status(204, String::new())
}

fn order(id: u32) -> Value {
    let mut order: Value = serde_json::from_str(ORDER).unwrap();
    order["id"] = json!(id);
    order
}

/// The shop knows the order, and answers so when it is asked for it.
fn knows(shop: &Shop, order: &Value) {
    let path = format!("/stores/abc123/v2/orders/{}", order["id"]);
    shop.platform.on(&path, [stand_in::json(order)]);
    shop.platform.on(&format!("{path}/products?limit=250"), [stand_in::json(&json!([]))]);
    let refunds = path.replace("v2", "v3") + "/payment_actions/refunds";
    shop.platform.on(&refunds, [stand_in::json(&json!({"data": [], "meta": {}}))]);
}

#[tokio::test]
async fn of_two_pages_what_was_lost_is_stored_what_is_known_is_known_and_what_is_broken_stops_nobody() {
    let shop = Shop::of("bigcommerce", API).await;
    let (mut broken, mut gone) = (order(3), order(5));
    broken["subtotal_inc_tax"] = json!("private");
    gone["is_deleted"] = json!(true);
    for order in [&order(1), &order(2), &broken, &order(4), &gone] {
        knows(&shop, order);
    }
    let event = json!({"scope": "store/order/created", "data": {"type": "order", "id": 2}});
    shop.deliver(None, &event).await;
    shop.platform.on(&list(1), [stand_in::json(&json!([order(1), order(2)]))]);
    shop.platform.on(&list(2), [stand_in::json(&json!([broken, order(4), {"status_id": 1}]))]);
    shop.platform.on(&archived(1), [stand_in::json(&json!([gone]))]);
    for empty in [list(3), archived(2)] {
        shop.platform.on(&empty, [nothing()]);
    }

    let outcomes = shop.reconcile().await.unwrap();
    let unreadable = "the platform's API answers otherwise than documented: \
                      subtotal_inc_tax: is not an amount up to 1000000000000000";
    let nameless = "data.id: must be an identifier: text, or an integer of at most 64 bits";
    let expected = [
        stored("1"),
        known("2"),
        rejected("3", unreadable),
        stored("4"),
        rejected("one without an identifier", nameless),
        stored("5"),
    ];
    assert_eq!(outcomes, expected);
    assert!(shop.order("5").await.unwrap().snapshot.unwrap().cancelled);
    assert_eq!(shop.order("4").await.unwrap().snapshot.unwrap().goods.amount, 9_000);
    assert_eq!(shop.platform.asked().last().unwrap().headers["x-auth-token"], "a-token");
    assert_eq!(shop.reconcile().await.unwrap()[0], known("1"));
}

#[tokio::test]
async fn a_shop_that_asks_for_patience_in_its_own_words_is_waited_for() {
    let shop = Shop::of("bigcommerce", API).await;
    let busy = Reply::With(429, ("X-Rate-Limit-Time-Reset-Ms", "2".to_owned()), String::new());
    shop.platform.on(&list(1), [busy, nothing()]);
    shop.platform.on(&archived(1), [nothing()]);
    assert_eq!(shop.reconcile().await.unwrap(), []);
    assert_eq!(shop.platform.paths(), [list(1), list(1), archived(1)]);
}
