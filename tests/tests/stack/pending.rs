//! Points that cannot be spent until the return window of their order ends, through the whole stack.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use tests::{Shop, programme};

/// The default programme, in which points wait for two weeks: 5,000 points buy a coupon, at 10 for 1.00.
async fn shop() -> Shop {
    const EARNING: &str = "points_per_unit = \"10\"";
    let rules = programme(&[(EARNING, &format!("{EARNING}\npending_for = \"14 days\""))]);
    Shop::with("2026-03-02T10:00:00Z", rules).await
}

#[tokio::test]
async fn the_coupon_comes_when_the_points_have_matured_and_the_member_is_told_then() {
    let shop = shop().await;
    shop.process(&shop.order("1", "c-1", 52_000)).await;
    let member = shop.member("c-1").await;
    assert_eq!((&member["balance"], &member["lifetime_points"]), (&json!(0), &json!(5_200)));
    assert_eq!(member["pending"], json!({"points": 5_200, "next_at": "2026-03-16T10:00:00Z"}));
    assert_eq!(member["next_reward"]["missing"], 5_000);

    shop.advance_to("2026-03-16T09:00:00Z").await;
    assert_eq!(shop.sent("event"), [""; 0]);
    shop.advance_to("2026-03-16T11:00:00Z").await;
    let member = shop.member("c-1").await;
    assert_eq!((&member["balance"], &member["pending"]), (&json!(200), &Value::Null));
    assert_eq!(shop.sent("event"), ["coupon_issued"]);
}

#[tokio::test]
async fn an_order_that_is_returned_in_time_was_never_to_be_spent() {
    let shop = shop().await;
    shop.process(&shop.order("1", "c-1", 52_000)).await;
    shop.advance_to("2026-03-10T10:00:00Z").await;
    shop.process(&shop.refund("r-1", "1", 50_000)).await;
    assert_eq!(shop.member("c-1").await["pending"]["points"], 200);
    shop.advance_to("2026-03-17T10:00:00Z").await;
    let member = shop.member("c-1").await;
    assert_eq!((&member["balance"], &member["coupons"]), (&json!(200), &json!([])));
}
