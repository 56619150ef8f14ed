//! Coupons of ours at a platform's checkout, and orders in other currencies, through the whole stack.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use tests::{Shop, programme};

/// A shop with a member who has one coupon; and its code.
async fn with_a_coupon() -> (Shop, String) {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("1", "c-1", 50_000)).await;
    let code = shop.member("c-1").await["coupons"][0]["code"].as_str().unwrap().to_owned();
    (shop, code)
}

fn with(mut order: Value, field: &str, value: Value) -> Value {
    order["order"][field] = value;
    order
}

#[tokio::test]
async fn a_coupon_used_by_a_guest_is_redeemed_and_comes_back_with_the_cancellation() {
    let (shop, code) = with_a_coupon().await;
    let mut guests = with(shop.order("2", "unused", 1_000), "coupons", json!([code.to_lowercase()]));
    guests["order"].as_object_mut().unwrap().remove("customer");
    shop.process(&guests).await;
    let coupon = |member: Value| member["coupons"][0]["state"].clone();
    assert_eq!(coupon(shop.member("c-1").await), "redeemed");

    shop.advance_to("2026-03-02T11:00:00Z").await;
    shop.process(&with(guests.clone(), "status", json!("cancelled"))).await;
    assert_eq!(coupon(shop.member("c-1").await), "issued");
    shop.advance_to("2026-03-02T12:00:00Z").await;
    shop.process(&guests).await;
    assert_eq!(coupon(shop.member("c-1").await), "redeemed", "completed again");
    shop.advance_to("2026-03-02T13:00:00Z").await;
    shop.process(&with(guests, "coupons", json!([]))).await;
    assert_eq!(coupon(shop.member("c-1").await), "issued", "taken off the order");
}

#[tokio::test]
async fn an_order_in_another_currency_earns_by_the_programmes_rate_or_is_parked() {
    let rates = "points_per_unit = \"10\"\nexchange_rates = { USD = \"0.9\" }";
    let rules = programme(&[("points_per_unit = \"10\"", rates)]);
    let shop = Shop::with("2026-03-02T10:00:00Z", rules).await;
    shop.process(&with(shop.order("1", "c-1", 1_999), "currency", json!("USD"))).await;
    assert_eq!(shop.member("c-1").await["balance"], 179);
    shop.process(&with(shop.order("2", "c-1", 1_999), "currency", json!("GBP"))).await;
    assert_eq!(shop.member("c-1").await["balance"], 179);
    let parked = shop.stack.store().parked().await.unwrap();
    assert!(parked[0].reason.contains("earning.exchange_rates.GBP"), "{}", parked[0].reason);
}
