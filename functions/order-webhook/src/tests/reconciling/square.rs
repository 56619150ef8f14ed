//! Square's search: `GET /v2/locations`, then `POST /v2/orders/search` for ten locations at a time, each with a cursor.
//! Each order is then read as after an event.

use serde_json::json;

use super::*;
use crate::tests::stand_in;

const API: &str = "notification_url = \"https://example.com/webhooks/shop\"\n\
                   api = { token = \"a-token\", base = \"BASE\" }";
const LOCATIONS: &str = "/v2/locations";
const SEARCH: &str = "/v2/orders/search";
const ORDER: &str = include_str!("../../../../../local/platforms/square-order.json");

fn order(id: &str) -> Value {
    let mut order = serde_json::from_str::<Value>(ORDER).unwrap()["order"].clone();
    order["id"] = json!(id);
    order
}

/// The seller knows the order, and answers so when it is asked for it.
fn knows(shop: &Shop, order: &Value) {
    let path = format!("/v2/orders/{}", order["id"].as_str().unwrap());
    shop.platform.on(&path, [stand_in::json(&json!({"order": order}))]);
}

async fn shop(locations: usize) -> Shop {
    let shop = Shop::of("square", API).await;
    let locations: Vec<_> = (0..locations).map(|number| json!({"id": format!("L{number}")})).collect();
    shop.platform.on(LOCATIONS, [stand_in::json(&json!({"locations": locations}))]);
    shop
}

fn searches(shop: &Shop) -> Vec<Value> {
    let asked = shop.platform.asked().into_iter().filter(|asked| asked.path == SEARCH);
    asked.map(|asked| serde_json::from_str(&asked.body).unwrap()).collect()
}

#[tokio::test]
async fn of_two_pages_what_was_lost_is_stored_what_is_known_is_known_and_what_is_broken_stops_nobody() {
    let shop = shop(1).await;
    let mut broken = order("three");
    broken["total_money"]["currency"] = json!("private");
    for order in [&order("one"), &order("two"), &broken, &order("four")] {
        knows(&shop, order);
    }
    let event = json!({"type": "order.updated", "data": {"type": "order_updated", "id": "two"}});
    shop.deliver(None, &event).await;
    let first = json!({"orders": [order("one"), order("two")], "cursor": "a-cursor"});
    let second = json!({"orders": [broken, order("four")]});
    shop.platform.on(SEARCH, [stand_in::json(&first), stand_in::json(&second)]);

    let outcomes = shop.reconcile().await.unwrap();
    assert_eq!([&outcomes[0], &outcomes[1], &outcomes[3]], [&stored("one"), &known("two"), &stored("four")]);
    assert!(
        matches!(&outcomes[2], (name, Outcome::Rejected(why)) if name == "three" && !why.contains("private"))
    );
    assert_eq!(shop.order("four").await.unwrap().snapshot.unwrap().goods.amount, 9_000);
    let query = json!({
        "filter": {"date_time_filter": {"updated_at": {"start_at": "2026-03-01T00:00:00Z"}}},
        "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
    });
    let search = json!({"location_ids": ["L0"], "limit": 100, "query": query});
    let mut with_cursor = search.clone();
    with_cursor["cursor"] = json!("a-cursor");
    assert_eq!(searches(&shop), [search, with_cursor]);
    let asked = shop.platform.asked().into_iter().find(|asked| asked.path == SEARCH).unwrap();
    assert_eq!(asked.headers["authorization"], "Bearer a-token");
    assert_eq!(asked.headers["content-type"], "application/json");
    assert!(asked.headers.contains_key("square-version"));
}

#[tokio::test]
async fn many_locations_are_searched_ten_at_a_time() {
    let shop = shop(23).await;
    shop.platform.on(SEARCH, [stand_in::json(&json!({}))]);
    assert_eq!(shop.reconcile().await.unwrap(), []);
    let lengths: Vec<_> =
        searches(&shop).iter().map(|search| search["location_ids"].as_array().unwrap().len()).collect();
    assert_eq!(lengths, [3, 10, 10]);
}

#[tokio::test]
async fn a_search_that_gives_the_same_cursor_again_comes_to_an_end() {
    let shop = shop(1).await;
    shop.platform.on(SEARCH, [stand_in::json(&json!({"cursor": "again"}))]);
    assert!(matches!(shop.reconcile().await, Err(ReconcileError::Endless(3))));
}
