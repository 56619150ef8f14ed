//! What became of points and coupons once, and must not again: cases that mints, stuck merges and double voids came from.

use std::collections::BTreeSet;

use domain::MemberId;
use runtime::Budget;
use serde_json::{Value, json};
use store::Consistency;
use tests::Shop;

use super::{engine, id_of, post};

const OPENS: &str = "2026-03-02T10:00:00Z";

async fn balances(shop: &Shop) -> (Value, Value) {
    (shop.member("c-1").await["balance"].clone(), shop.member("c-2").await["balance"].clone())
}

fn live(account: &Value) -> usize {
    account["coupons"].as_array().unwrap().iter().filter(|coupon| coupon["state"] == "issued").count()
}

#[tokio::test]
async fn merged_refunded_parted_and_merged_again_mints_nothing() {
    let shop = Shop::open(OPENS).await;
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    shop.process(&shop.order("2", "c-2", 52_000)).await;
    let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
    post(&shop, &into, "merge", &json!({"from": from})).await;
    shop.process(&shop.refund("r", "2", 52_000)).await;
    assert_eq!(balances(&shop).await, (json!(100), json!(100)));
    post(&shop, &from, "unmerge", &Value::Null).await;
    assert_eq!(balances(&shop).await, (json!(100), json!(0)));
    let again = post(&shop, &into, "merge", &json!({"from": from})).await.1;
    assert_eq!((&again["balance"], live(&again)), (&json!(100), 0));
    post(&shop, &from, "unmerge", &Value::Null).await;
    assert_eq!(balances(&shop).await, (json!(100), json!(0)));
}

#[tokio::test]
async fn a_coupon_voided_by_the_merge_itself_returns_its_points_once() {
    let shop = Shop::open(OPENS).await;
    shop.process(&shop.order("1", "c-1", 40_000)).await;
    shop.process(&shop.order("2", "c-2", 52_000)).await;
    let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
    // The one who stays owes 4,000, so that the other one's coupon is taken back at once.
    let mut uncovered = shop.refund("u", "none", 80_000);
    uncovered["refund"]["order_id"] = Value::Null;
    uncovered["refund"]["customer"] = json!({"id": "c-1"});
    shop.process(&uncovered).await;
    let before = balances(&shop).await;
    assert_eq!(before, (json!(-4_000), json!(200)));
    post(&shop, &into, "merge", &json!({"from": from})).await;
    assert_eq!(balances(&shop).await.0, json!(1_200));
    post(&shop, &from, "unmerge", &Value::Null).await;
    let theirs = shop.member("c-2").await;
    let worth = theirs["balance"].as_i64().unwrap() + 5_000 * i64::try_from(live(&theirs)).unwrap();
    assert_eq!((shop.member("c-1").await["balance"].clone(), worth), (json!(-4_000), 5_200));
}

#[tokio::test]
async fn two_opposite_merges_at_one_moment_make_one_member_of_two() {
    for _ in 0..8 {
        let shop = Shop::open(OPENS).await;
        shop.process(&shop.order("1", "c-1", 1_000)).await;
        shop.process(&shop.order("2", "c-2", 2_000)).await;
        let (one, other) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
        let engine = engine(&shop);
        let (there, back) = tokio::join!(
            engine.merge(&one, &other, Budget::until(0)),
            engine.merge(&other, &one, Budget::until(0))
        );
        there.unwrap();
        back.unwrap();
        let (one, other) = (shop.member("c-1").await, shop.member("c-2").await);
        assert_eq!((&one, &one["balance"]), (&other, &json!(300)));
    }
}

/// Gives somebody as many orders as one after another, which buy as many coupons.
async fn bought(shop: &Shop, customer: &str, orders: usize, minor: i64) {
    for number in 0..orders {
        shop.deliver(&shop.order(&format!("{customer}-{number}"), customer, minor)).await;
    }
    shop.drain().await;
}

#[tokio::test]
async fn a_merge_and_its_undoing_of_any_size_come_to_their_end() {
    // 39 orders fill a step, and together with the other's points they buy 38 coupons.
    for (orders, minor) in [(39, 49_000), (40, 49_900), (110, 49_000)] {
        let shop = Shop::open(OPENS).await;
        let (half, rest) = (minor / 2, minor - minor / 2);
        bought(&shop, "c-1", orders, half).await;
        bought(&shop, "c-2", orders, rest).await;
        let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
        let before = (worth(&shop.member("c-1").await), worth(&shop.member("c-2").await));
        let (status, merged) = post(&shop, &into, "merge", &json!({"from": from})).await;
        assert_eq!((status, worth(&merged)), (200, before.0 + before.1), "{merged}");
        let (status, problem) = post(&shop, &from, "unmerge", &Value::Null).await;
        assert_eq!(status, 200, "{problem}");
        assert_eq!((worth(&shop.member("c-1").await), worth(&shop.member("c-2").await)), before);
        assert_settled(&shop, &into).await;
    }
}

/// Points and what coupons cost.
fn worth(account: &Value) -> i64 {
    account["balance"].as_i64().unwrap() + 5_000 * i64::try_from(live(account)).unwrap()
}

async fn assert_settled(shop: &Shop, member: &MemberId) {
    let profile = shop.stack.store().profile(member, Consistency::Strong).await.unwrap().unwrap();
    assert_eq!((profile.bookkeeping.receiving, profile.bookkeeping.releasing), (None, None));
}

#[tokio::test]
async fn a_coupon_is_found_and_used_while_its_holder_is_being_merged_or_parted() {
    let shop = Shop::open(OPENS).await;
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    shop.process(&shop.order("2", "c-2", 50_000)).await;
    let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
    let code = shop.member("c-2").await["coupons"][0]["code"].clone();
    let engine = engine(&shop);
    let mut states = BTreeSet::new();
    for number in 0..12 {
        let mut order = shop.order(&format!("use-{number}"), "c-2", 10_000);
        order["order"]["coupons"] = json!([code]);
        shop.deliver(&order).await;
        let budget = Budget::until(0);
        let (done, drained) = if number % 2 == 0 {
            tokio::join!(async { engine.merge(&from, &into, budget).await.is_ok() }, shop.stack.drain())
        } else {
            tokio::join!(async { engine.unmerge(&from, budget).await.is_ok() }, shop.stack.drain())
        };
        assert!(done);
        drained.unwrap();
        let account = shop.member("c-2").await;
        states.insert(account["coupons"][0]["state"].to_string());
        // The order is cancelled again, so that the coupon comes back.
        order["order"]["status"] = json!("cancelled");
        order["order"]["updated_at"] =
            json!((shop.stack.clock().now() + jiff::Span::new().seconds(1)).to_string());
        shop.process(&order).await;
    }
    assert_eq!(states, BTreeSet::from(["\"redeemed\"".to_owned()]));
}

#[tokio::test]
async fn what_a_merge_and_its_undoing_read_grows_with_the_steps_and_not_with_what_lies_behind() {
    // Given members of 40 and of 120 orders: one step, and three.
    let mut requests = Vec::new();
    for orders in [40, 120] {
        let shop = Shop::open(OPENS).await;
        bought(&shop, "c-1", 60, 100).await;
        bought(&shop, "c-2", orders, 100).await;
        let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
        let used = async |work: std::pin::Pin<Box<dyn Future<Output = ()> + '_>>| {
            let before = shop.stack.meter().usage().requests;
            work.await;
            shop.stack.meter().usage().requests - before
        };
        let budget = Budget::until(0);
        let merging =
            used(Box::pin(async { engine(&shop).merge(&from, &into, budget).await.unwrap() })).await;
        let parting = used(Box::pin(async {
            engine(&shop).unmerge(&from, budget).await.unwrap();
        }))
        .await;
        requests.push((merging, parting));
    }
    // Then a step is a profile, a page, the entries of its causes, and a commit; and parting looks at what closed the one.
    let [(merging, parting), (longer_merging, longer_parting)] = requests[..] else { unreachable!() };
    assert!(merging <= 24 && longer_merging - merging <= 2 * 4, "{requests:?}");
    assert!(parting <= 40 && longer_parting - parting <= 2 * 5, "{requests:?}");
}
