//! Adobe Commerce's lists: `GET /rest/V1/orders` and `GET /rest/V1/creditmemos`, in numbered pages.

use domain::Goods;
use serde_json::json;

use super::*;
use crate::tests::stand_in::{self, Reply};

const API: &str = "api = { token = \"a-token\", base = \"BASE\" }";

fn page(list: &str, number: u32) -> String {
    let criteria = [
        "filter_groups%5D%5B0%5D%5Bfilters%5D%5B0%5D%5Bfield%5D=updated_at",
        "filter_groups%5D%5B0%5D%5Bfilters%5D%5B0%5D%5Bvalue%5D=2026-03-01+00%3A00%3A00",
        "filter_groups%5D%5B0%5D%5Bfilters%5D%5B0%5D%5Bcondition_type%5D=gteq",
        "sortOrders%5D%5B0%5D%5Bfield%5D=entity_id",
        "sortOrders%5D%5B0%5D%5Bdirection%5D=ASC",
        "pageSize%5D=100",
    ];
    let criteria = criteria.map(|criterion| format!("searchCriteria%5B{criterion}&")).concat();
    format!("/rest/V1/{list}?{criteria}searchCriteria%5BcurrentPage%5D={number}")
}

fn items(items: &[Value], total_count: u64) -> Reply {
    let criteria = json!({"filter_groups": [], "page_size": 100, "current_page": 1});
    stand_in::json(&json!({"items": items, "search_criteria": criteria, "total_count": total_count}))
}

fn order(id: u64) -> Value {
    json!({
        "entity_id": id, "increment_id": format!("00000{id}"), "state": "processing", "status": "processing",
        "created_at": "2026-03-02 09:15:00", "updated_at": "2026-03-02 09:15:04", "store_id": 1,
        "customer_id": 31, "customer_is_guest": 0, "customer_email": "c-5@example.com",
        "order_currency_code": "EUR", "base_currency_code": "EUR", "subtotal": 50, "discount_amount": -10,
        "discount_tax_compensation_amount": 0, "shipping_amount": 4.08, "shipping_discount_amount": 0,
        "shipping_tax_amount": 0.82, "tax_amount": 8.82, "grand_total": 52.9, "total_paid": 52.9,
        "items": [{"item_id": 1, "product_type": "simple", "row_total": 50, "discount_amount": 10}],
    })
}

fn credit_memo(id: u64, order: u64) -> Value {
    json!({
        "entity_id": id, "increment_id": format!("00000{id}"), "order_id": order, "state": 2,
        "created_at": "2026-03-05 08:00:00", "updated_at": "2026-03-05 08:00:00",
        "order_currency_code": "EUR", "base_currency_code": "EUR", "subtotal": 12.5, "discount_amount": -2.5,
        "tax_amount": 2, "shipping_amount": 0, "shipping_tax_amount": 0, "adjustment": 0,
        "adjustment_positive": 0, "adjustment_negative": 0, "grand_total": 12, "items": [],
    })
}

#[tokio::test]
async fn of_two_pages_what_was_lost_is_stored_what_is_known_is_known_and_what_is_broken_stops_nobody() {
    let shop = Shop::of("adobe_commerce", API).await;
    let event = json!({"type": "sales.order.paid", "data": order(2)});
    shop.deliver(None, &event).await;
    let mut broken = order(3);
    broken["created_at"] = json!("private");
    shop.platform.on(&page("orders", 1), [items(&[order(1), order(2)], 104)]);
    shop.platform.on(&page("orders", 2), [items(&[broken, order(4)], 104)]);
    shop.platform.on(&page("creditmemos", 1), [items(&[credit_memo(51, 1)], 1)]);

    let outcomes = shop.reconcile().await.unwrap();
    assert_eq!(outcomes[..2], [stored("1"), known("2")]);
    assert!(
        matches!(&outcomes[2], (name, Outcome::Rejected(why)) if name == "3" && !why.contains("private"))
    );
    assert_eq!(outcomes[3..], [stored("4"), stored("credit memo 51")]);
    let stored = shop.order("1").await.unwrap();
    let goods = Goods { amount: 4_000, tax: 800, tax_included: false };
    assert_eq!(stored.snapshot.as_ref().unwrap().goods, goods);
    let back: Vec<_> = stored.refunds.values().map(|refund| refund.goods).collect();
    assert_eq!(back, [Goods { amount: 1_000, tax: 200, tax_included: false }]);
    assert_eq!(shop.platform.paths(), [page("orders", 1), page("orders", 2), page("creditmemos", 1)]);
    assert_eq!(shop.platform.asked()[0].headers["authorization"], "Bearer a-token");
    assert_eq!(shop.reconcile().await.unwrap()[4], known("credit memo 51"));
}

#[tokio::test]
async fn a_shop_that_repeats_its_last_page_or_has_nothing_comes_to_an_end() {
    let shop = Shop::of("adobe_commerce", API).await;
    let all: Vec<Value> = (1..=100).map(order).collect();
    shop.platform.on(&page("orders", 1), [items(&all, 100)]);
    shop.platform.on(&page("creditmemos", 1), [stand_in::json(&json!({"items": null, "total_count": 0}))]);
    assert_eq!(shop.reconcile().await.unwrap().len(), 100);
}

#[test]
fn a_token_without_the_shops_address_is_refused() {
    for (api, setting) in [
        ("{ token = \"private\" }", "api.base"),
        ("{ token = \"private\", base = \"http://shop.example.com\" }", "api.base"),
        ("{ token = \"private\", base = \"https://shop.example.com\", store = \"a\" }", "api.store"),
        ("{ token = \"private\", base = \"https://shop.example.com\", secret = \"a\" }", "api.secret"),
    ] {
        let text = format!("[shop]\nplatform = \"adobe_commerce\"\nsecrets = [\"a\"]\napi = {api}");
        let refused = Sources::from_toml(&text).unwrap_err().to_string();
        assert!(refused.contains(setting) && !refused.contains("private"), "{refused}");
    }
}
