//! WooCommerce's list: `GET /wp-json/wc/v3/orders`, page by page until one is empty, and once more for the bin.

use serde_json::json;

use super::*;
use crate::tests::stand_in;

const API: &str = "api = { token = \"ck_key\", secret = \"cs_secret\", base = \"BASE/shop\" }";

fn page(number: u32) -> String {
    format!(
        "/shop/wp-json/wc/v3/orders?modified_after=2026-02-28T23%3A59%3A59&dates_are_gmt=true&status=any&orderby=id\
         &order=asc&per_page=100&page={number}"
    )
}

fn bin(number: u32) -> String {
    page(number).replace("status=any", "status=trash")
}

/// A shop with nothing after so many pages, and with an empty bin.
async fn shop(pages: u32) -> Shop {
    let shop = Shop::of("woocommerce", API).await;
    for empty in [page(pages + 1), bin(1)] {
        shop.platform.on(&empty, [stand_in::json(&json!([]))]);
    }
    shop
}

fn order(id: u64, total: &str) -> Value {
    json!({
        "id": id, "parent_id": 0, "status": "processing", "currency": "EUR", "prices_include_tax": true,
        "date_created": "2026-03-02T10:00:00", "date_created_gmt": "2026-03-02T09:00:00",
        "date_modified": "2026-03-02T10:05:00", "date_modified_gmt": "2026-03-02T09:05:00",
        "date_paid_gmt": "2026-03-02T09:05:00", "total": total, "customer_id": 7,
        "billing": {"first_name": "", "email": "c-7@example.com"},
        "line_items": [{"id": 1, "quantity": 1, "total": total, "total_tax": "0.00"}],
        "coupon_lines": [], "refunds": [],
    })
}

#[tokio::test]
async fn of_two_pages_what_was_lost_is_stored_what_is_known_is_known_and_what_is_broken_stops_nobody() {
    let shop = shop(2).await;
    shop.deliver(Some(("x-wc-webhook-topic", "order.created")), &order(2, "20.00")).await;
    let broken = json!({"id": 3, "status": "processing"});
    shop.platform.on(&page(1), [stand_in::json(&json!([order(1, "10.00"), order(2, "20.00")]))]);
    shop.platform.on(&page(2), [stand_in::json(&json!([broken, order(4, "40.00")]))]);

    let expected =
        [stored("1"), known("2"), rejected("3", "the body: missing field `currency`"), stored("4")];
    assert_eq!(shop.reconcile().await.unwrap(), expected);
    assert_eq!(shop.order("4").await.unwrap().snapshot.unwrap().goods.amount, 4_000);
    assert_eq!(shop.platform.paths(), [page(1), page(2), page(3), bin(1)]);
    // ck_key:cs_secret
    assert_eq!(shop.platform.asked()[0].headers["authorization"], "Basic Y2tfa2V5OmNzX3NlY3JldA==");
    assert_eq!(shop.reconcile().await.unwrap()[0], known("1"));
}

#[tokio::test]
async fn a_draft_is_of_no_interest() {
    let shop = shop(1).await;
    let mut draft = order(1, "10.00");
    draft["status"] = json!("checkout-draft");
    shop.platform.on(&page(1), [stand_in::json(&json!([draft]))]);
    let why = Outcome::Ignored("the order is not placed yet");
    assert_eq!(shop.reconcile().await.unwrap(), [("1".to_owned(), why)]);
}

#[tokio::test]
async fn an_order_in_the_bin_earns_nothing_any_more() {
    let shop = shop(0).await;
    shop.deliver(Some(("x-wc-webhook-topic", "order.created")), &order(1, "10.00")).await;
    let mut deleted = order(1, "10.00");
    deleted["status"] = json!("trash");
    deleted["date_modified_gmt"] = json!("2026-03-03T09:05:00");
    shop.platform.on(&bin(1), [stand_in::json(&json!([deleted]))]);
    shop.platform.on(&bin(2), [stand_in::json(&json!([]))]);
    assert_eq!(shop.reconcile().await.unwrap(), [stored("1")]);
    assert!(shop.order("1").await.unwrap().snapshot.unwrap().cancelled);
}

#[test]
fn a_key_without_its_secret_or_without_the_shops_address_is_refused() {
    for (api, setting) in [
        ("{ token = \"ck_key\", base = \"https://shop.example.com\" }", "api.secret"),
        ("{ token = \"ck_key\", secret = \"cs_secret\" }", "api.base"),
        ("{ token = \"ck_key\", secret = \"cs_secret\", base = \"http://shop.example.com\" }", "api.base"),
        ("{ token = \"ck_key\", secret = \"cs_secret\", store = \"shop\" }", "api.store"),
    ] {
        let text = format!("[shop]\nplatform = \"woocommerce\"\nsecrets = [\"a\"]\napi = {api}");
        let refused = Sources::from_toml(&text).unwrap_err().to_string();
        assert!(refused.contains(setting) && !refused.contains("cs_"), "{refused}");
    }
}
