//! Who hears of what, through the whole stack: members of what is new, integrators of every coupon.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use domain::{MemberId, OnRequest, Reason, RequestId, RewardId, RewardRequest};
use local::inbox::{Message, Selection};
use runtime::{Budget, Engine, Issued, Random};
use serde_json::{Value, json};
use tests::{Shop, programme};

/// What was sent on a channel, oldest first.
fn messages(shop: &Shop, channel: &str) -> Vec<Message> {
    let selection = Selection { channel: Some(channel.to_owned()), ..Selection::default() };
    shop.stack.inbox().list(&selection).unwrap()
}

fn codes(member: &Value) -> Vec<String> {
    let coupons = member["coupons"].as_array().unwrap().iter();
    coupons.map(|coupon| coupon["code"].as_str().unwrap().to_owned()).collect()
}

fn with(mut order: Value, field: &str, value: Value) -> Value {
    order["order"][field] = value;
    order
}

#[tokio::test]
async fn one_order_that_earns_ten_coupons_is_one_email_with_ten_codes_and_ten_events() {
    let rules = programme(&[("points_per_unit = \"10\"", "points_per_unit = \"100\"")]);
    let shop = Shop::with("2026-03-02T10:00:00Z", rules).await;
    shop.process(&shop.order("1", "c-1", 52_000)).await;
    let codes = codes(&shop.member("c-1").await);
    assert_eq!(codes.len(), 10);
    let emails = messages(&shop, "email");
    assert_eq!(emails.len(), 1);
    let text = emails[0].body.as_deref().unwrap();
    assert!(codes.iter().all(|code| text.contains(code)), "{text}");
    assert_eq!(shop.sent("event"), ["coupon_issued"; 10]);
}

#[tokio::test]
async fn integrators_hear_of_a_coupon_from_its_issue_to_its_end() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    // Given a coupon that is used, given back, and then left until its end.
    shop.process(&shop.order("1", "c-1", 50_000)).await;
    let code = codes(&shop.member("c-1").await).remove(0);
    let using = with(shop.order("2", "c-1", 1_000), "coupons", json!([code]));
    shop.process(&using).await;
    shop.advance_to("2026-03-02T11:00:00Z").await;
    shop.process(&with(using, "status", json!("cancelled"))).await;
    shop.advance_to("2026-07-01T10:00:00Z").await;
    // Then each is an event of its own, and comes once.
    let events = messages(&shop, "event");
    let of_the_coupon = events.iter().filter(|event| event.payload.to_string().contains(&code));
    let told: Vec<&str> = of_the_coupon.filter_map(|event| event.event.as_deref()).collect();
    assert_eq!(told, ["coupon_issued", "coupon_redeemed", "coupon_returned", "coupon_expired"]);
    assert_eq!(shop.member("c-1").await["coupons"][0]["state"], "expired");
    let coupon_emails: Vec<String> =
        shop.sent("email").into_iter().filter(|event| event.starts_with("coupon")).collect();
    assert_eq!(coupon_emails, ["coupon_issued"], "the member hears of the new coupon alone");
}

#[tokio::test]
async fn an_order_of_long_ago_that_is_told_today_wakes_nobody() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let old = with(shop.order("1", "c-1", 10_000), "placed_at", json!("2020-01-01T10:00:00Z"));
    shop.process(&old).await;
    let member = shop.member("c-1").await;
    assert_eq!((&member["balance"], &member["lifetime_points"]), (&json!(0), &json!(1_000)));
    assert_eq!(shop.sent("email"), [""; 0]);
    assert_eq!(shop.sent("event"), ["points_expired"], "integrators hear of it");
}

#[tokio::test]
async fn a_coupon_named_by_two_paid_orders_is_used_until_both_are_cancelled() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("1", "c-1", 50_000)).await;
    let code = codes(&shop.member("c-1").await).remove(0);
    let state = async || shop.member("c-1").await["coupons"][0]["state"].clone();
    let using = |id: &str| with(shop.order(id, "c-2", 1_000), "coupons", json!([code]));
    let (one, other) = (using("2"), using("3"));
    shop.process(&one).await;
    shop.process(&other).await;
    shop.advance_to("2026-03-02T11:00:00Z").await;
    shop.process(&with(one, "status", json!("cancelled"))).await;
    assert_eq!(state().await, "redeemed");
    shop.process(&with(other, "status", json!("cancelled"))).await;
    assert_eq!(state().await, "issued");
}

#[tokio::test]
async fn an_operator_issues_a_reward_that_is_not_automatic_once_for_each_request() {
    let rules = programme(&[("automatic = true", "automatic = false")]);
    let shop = Shop::with("2026-03-02T10:00:00Z", rules).await;
    shop.process(&shop.order("1", "c-1", 70_000)).await;
    let before = shop.member("c-1").await;
    assert_eq!((&before["balance"], &before["next_reward"]["missing"]), (&json!(7_000), &json!(0)));
    let member = MemberId::new(before["member"].as_str().unwrap()).unwrap();
    let engine =
        Engine::new(shop.stack.store().clone(), shop.stack.clock().for_functions(), Random::system());
    let text = |text: &str| Reason::new(text).unwrap();
    let request = |id: &str, reward: &str| RewardRequest {
        id: RequestId::new(id).unwrap(),
        reward: RewardId::new(reward).unwrap(),
        on_request: OnRequest { by: text("support"), reason: text("a lost parcel") },
    };
    let ask =
        async |id: &str, reward: &str| engine.issue(&member, &request(id, reward), Budget::until(0)).await;
    // When the same is asked twice.
    let Some(Issued::Done(_, code)) = ask("ticket-7", "ten-percent").await.unwrap() else { panic!() };
    assert_eq!(ask("ticket-7", "ten-percent").await.unwrap(), Some(Issued::Before(member.clone())));
    // Then there is one coupon, of which the member is told, and the journal says who asked.
    let after = shop.member("c-1").await;
    assert_eq!((&after["balance"], codes(&after)), (&json!(2_000), vec![code.to_string()]));
    shop.drain().await;
    assert_eq!(shop.sent("email"), ["coupon_issued"]);
    let (_, journal) = shop.get(&format!("/members/{member}/journal")).await;
    let asked = &journal["entries"][0]["on_request"];
    assert_eq!(*asked, json!({"by": "support", "reason": "a lost parcel"}));
    // And what cannot be is refused with what there is.
    assert_eq!(ask("ticket-7", "other").await.unwrap(), Some(Issued::Otherwise(member.clone())));
    let refusal = ask("ticket-8", "ten-percent").await.unwrap_err().to_string();
    assert!(refusal.contains("costs 5000 points, and the member has 2000"), "{refusal}");
}
