//! Tiers through the whole stack: ratings over HTTP, and a softer downgrade that the schedule finds due.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambda_http::http::{HeaderMap, Method};
use serde_json::{Value, json};
use tests::{Shop, programme};

const STATUS: &str = "status_points = { per_order = 10 }";

/// The default programme with more in its tiers.
async fn shop(tiers: &str) -> Shop {
    let rules = programme(&[(STATUS, &format!("status_points = {{ per_order = 50 }}\n{tiers}"))]);
    Shop::with("2026-03-02T10:00:00Z", rules).await
}

async fn rate(shop: &Shop, rating: &str, score: &str) -> Value {
    let member = shop.member("c-1").await["member"].as_str().unwrap().to_owned();
    let body = json!({"score": score, "rated_at": "2026-03-02T10:00:00Z", "rater": "rider-3"}).to_string();
    let uri = format!("/members/{member}/ratings/{rating}");
    let (status, answer) = shop.request(Method::PUT, &uri, &HeaderMap::new(), body.as_bytes()).await;
    assert_eq!(status, 200, "{answer}");
    shop.drain().await;
    answer
}

#[tokio::test]
async fn a_low_rating_takes_the_tier_and_integrators_are_told() {
    let shop = shop("minimum_rating = \"4.7\"").await;
    shop.process(&shop.order("1", "c-1", 10_000)).await;
    assert_eq!(shop.member("c-1").await["tier"], "silver");
    assert_eq!(rate(&shop, "trip-1", "4.5").await["tier"], Value::Null);
    assert_eq!(shop.member("c-1").await["rating"]["average"], "4.5");
    assert_eq!(rate(&shop, "trip-2", "4.9").await["tier"], "silver");
    assert_eq!(shop.sent("event"), ["tier_reached", "tier_lost", "tier_reached"]);
}

#[tokio::test]
async fn a_tier_is_kept_through_its_grace_and_then_lost_by_the_schedule() {
    let shop = shop("downgrade = { grace = \"1 month\" }").await;
    shop.process(&shop.order("1", "c-1", 10_000)).await;
    shop.advance_to("2026-07-01T12:00:00Z").await;
    assert_eq!(shop.member("c-1").await["tier"], "silver");
    assert_eq!(shop.member("c-1").await["tier_kept_until"], "2026-07-01T22:00:00Z", "midnight in Paris");
    assert_eq!(shop.sent("event"), ["tier_reached"]);
    shop.advance_to("2026-07-02T12:00:00Z").await;
    assert_eq!(shop.member("c-1").await["tier"], Value::Null);
    assert_eq!(shop.sent("event"), ["tier_reached", "tier_lost"]);
}
