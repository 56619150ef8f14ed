//! The sweep: what a stream has lost for good is found and repaired without it.

use domain::{CustomerId, CustomerMerge, SourceName};
use lambda_runtime::{Context, LambdaEvent};
use order_sweep::{OrderSweep, Report, SweepError};
use runtime::{Clock, Engine, Random};
use serde_json::{Value, json};
use tests::{GENERIC, Shop};

const OPENING: &str = "2026-03-02T10:00:00Z";
/// When whatever happened before has long left the streams.
const LATER: &str = "2026-03-02T18:00:00Z";

/// A shop that is open, and whose stream of orders loses what it is told to lose.
async fn shop() -> Shop {
    Shop::open(OPENING).await
}

/// Delivers something whose stream record nobody will ever see.
async fn lose(shop: &Shop, body: &Value) {
    shop.drain().await;
    shop.deliver(body).await;
    shop.stack.forget_records_of("PointsAccrualFunction").await.unwrap();
    shop.drain().await;
}

/// Runs the deployed function as its schedule does.
async fn sweep(shop: &Shop) -> Value {
    let answer = shop.stack.invoke("OrderSweepFunction", "{}".to_owned()).await.unwrap();
    shop.drain().await;
    serde_json::from_str(&answer).unwrap()
}

/// A sweep that reads so many orders in a run.
fn sweep_of(shop: &Shop, orders: u64) -> OrderSweep {
    let clock = Clock::fixed(shop.stack.clock().now());
    OrderSweep::new(Engine::new(shop.stack.store().clone(), clock, Random::system())).at_most(orders)
}

async fn run(sweep: &OrderSweep) -> Result<Report, SweepError> {
    sweep.handle(LambdaEvent::new(Value::Null, Context::default())).await
}

fn with(mut order: Value, field: &str, value: Value) -> Value {
    order["order"][field] = value;
    order
}

async fn balance(shop: &Shop, customer: &str) -> Value {
    shop.member(customer).await["balance"].clone()
}

#[tokio::test]
async fn orders_that_the_stream_lost_are_posted_and_a_second_sweep_writes_nothing() {
    let shop = shop().await;
    shop.process(&shop.order("known", "c-1", 1_000)).await;
    lose(&shop, &shop.order("lost", "c-1", 60_000)).await;
    lose(&shop, &shop.order("first of a stranger", "c-2", 2_000)).await;
    shop.advance_to(LATER).await;
    assert_eq!(
        (balance(&shop, "c-1").await, shop.member("c-2").await["member"].clone()),
        (json!(100), json!(null))
    );

    let report = sweep(&shop).await;

    // Then the points and the coupon are there, dated as of the order, and the stranger is a member.
    let member = shop.member("c-1").await;
    assert_eq!((&member["lifetime_points"], &member["balance"]), (&json!(6_100), &json!(1_100)));
    assert_eq!(member["coupons"][0]["state"], "issued");
    assert_eq!(member["expires_at"], "2027-03-02T10:00:00Z");
    assert_eq!(balance(&shop, "c-2").await, 200);
    assert_eq!(shop.sent("email"), ["coupon_issued"]);
    assert_eq!(
        (&report["checked"], &report["repaired"], &report["complete"]),
        (&json!(3), &json!(2), &json!(true))
    );
    // And where all is well nothing is written.
    let before = shop.stack.meter().usage();
    let again = sweep(&shop).await;
    assert_eq!((&again["checked"], &again["repaired"]), (&json!(3), &json!(0)));
    assert_eq!(shop.stack.meter().usage().write_units, before.write_units);
}

#[tokio::test]
async fn a_lost_refund_and_a_lost_cancellation_take_their_points_back() {
    let shop = shop().await;
    let cancelled = shop.order("cancelled", "c-1", 2_000);
    shop.process(&shop.order("refunded", "c-1", 1_000)).await;
    shop.process(&cancelled).await;
    shop.advance_to("2026-03-02T11:00:00Z").await;
    lose(&shop, &shop.refund("r", "refunded", 400)).await;
    lose(&shop, &with(cancelled, "status", json!("cancelled"))).await;
    shop.advance_to(LATER).await;
    assert_eq!(balance(&shop, "c-1").await, 300);

    let report = sweep(&shop).await;

    assert_eq!(balance(&shop, "c-1").await, 60);
    assert_eq!(report["repaired"], 2);
}

#[tokio::test]
async fn a_coupon_is_redeemed_for_a_lost_order_of_nobody_and_comes_back_with_its_lost_cancellation() {
    let shop = shop().await;
    shop.process(&shop.order("1", "c-1", 50_000)).await;
    let code = shop.member("c-1").await["coupons"][0]["code"].clone();
    let mut guests = with(shop.order("2", "unused", 1_000), "coupons", json!([code]));
    guests["order"].as_object_mut().unwrap().remove("customer");
    let state = async || shop.member("c-1").await["coupons"][0]["state"].clone();

    lose(&shop, &guests).await;
    shop.advance_to(LATER).await;
    assert_eq!(state().await, "issued");
    assert_eq!(sweep(&shop).await["repaired"], 1);
    assert_eq!(state().await, "redeemed");
    assert_eq!(sweep(&shop).await["repaired"], 0);

    lose(&shop, &with(guests, "status", json!("cancelled"))).await;
    shop.advance_to("2026-03-03T18:00:00Z").await;
    assert_eq!(sweep(&shop).await["repaired"], 1);
    assert_eq!(state().await, "issued");
}

#[tokio::test]
async fn what_changed_a_moment_ago_is_left_to_the_stream() {
    let shop = shop().await;
    shop.deliver(&shop.order("1", "c-1", 1_000)).await;
    let report = run(&sweep_of(&shop, 10)).await.unwrap();
    assert_eq!((report.under_way, report.checked, report.complete), (1, 0, true));
    assert_eq!(shop.member("c-1").await["member"], json!(null));
    shop.advance_to("2026-03-02T10:15:00Z").await;
    assert_eq!(run(&sweep_of(&shop, 10)).await.unwrap().checked, 1);
}

#[tokio::test]
async fn a_pass_that_is_cut_goes_on_at_the_next_run_and_begins_anew_after_its_end() {
    let shop = shop().await;
    for number in 0..5 {
        lose(&shop, &shop.order(&number.to_string(), "c-1", 1_000)).await;
    }
    shop.advance_to(LATER).await;
    let sweep = sweep_of(&shop, 2);
    for (repaired, so_far) in [(2, 200), (2, 400)] {
        let report = run(&sweep).await.unwrap();
        assert_eq!((report.scanned, report.repaired, report.complete), (2, repaired, false));
        assert_eq!(balance(&shop, "c-1").await, so_far);
    }
    // The table holds the sweep's own position too.
    let report = run(&sweep_of(&shop, 10)).await.unwrap();
    assert_eq!((report.repaired, report.complete), (1, true));
    assert_eq!(balance(&shop, "c-1").await, 500);
    let anew = run(&sweep_of(&shop, 10)).await.unwrap();
    assert_eq!((anew.checked, anew.repaired, anew.complete), (5, 0, true));
}

#[tokio::test]
async fn a_run_without_time_achieves_nothing_and_says_so() {
    let shop = shop().await;
    lose(&shop, &shop.order("1", "c-1", 1_000)).await;
    shop.advance_to(LATER).await;
    let mut context = Context::default();
    context.deadline = 1;
    let spent = sweep_of(&shop, 10).handle(LambdaEvent::new(Value::Null, context)).await;
    assert!(matches!(spent, Err(SweepError::NothingChecked)), "{spent:?}");
}

#[tokio::test]
async fn a_parked_order_stays_parked() {
    let shop = shop().await;
    shop.process(&with(shop.order("1", "c-1", 1_000), "currency", json!("GBP"))).await;
    let parked = shop.stack.store().parked().await.unwrap();
    assert_eq!(parked.len(), 1);
    shop.advance_to(LATER).await;
    let report = sweep(&shop).await;
    assert_eq!((&report["checked"], &report["parked"]), (&json!(0), &json!(0)));
    assert_eq!(shop.stack.store().parked().await.unwrap(), parked);
}

#[tokio::test]
async fn an_order_of_nobody_a_waiting_refund_and_a_strangers_test_are_passed_over() {
    let shop = shop().await;
    let mut nobodys = shop.order("1", "unused", 1_000);
    nobodys["order"].as_object_mut().unwrap().remove("customer");
    lose(&shop, &nobodys).await;
    lose(&shop, &shop.refund("r", "unknown", 400)).await;
    lose(&shop, &with(shop.order("2", "c-2", 1_000), "test", json!(true))).await;
    shop.advance_to(LATER).await;
    let before = shop.stack.meter().usage();
    let report = sweep(&shop).await;
    assert_eq!(
        (&report["checked"], &report["repaired"], &report["parked"]),
        (&json!(3), &json!(0), &json!(0))
    );
    assert_eq!(shop.stack.meter().usage().write_units, before.write_units);
}

#[tokio::test]
async fn a_poison_order_is_parked_with_its_reason_and_stops_nobody() {
    let shop = shop().await;
    lose(&shop, &shop.order("1", "c-1", 1_000)).await;
    lose(&shop, &with(shop.order("2", "c-1", 1_000), "currency", json!("GBP"))).await;
    lose(&shop, &shop.order("3", "c-1", 1_000)).await;
    shop.advance_to(LATER).await;
    let report = sweep(&shop).await;
    assert_eq!(
        (&report["repaired"], &report["parked"], &report["failed"]),
        (&json!(2), &json!(1), &json!(0))
    );
    let parked = shop.stack.store().parked().await.unwrap();
    assert_eq!(parked[0].key.as_str(), "generic-main#2");
    assert!(parked[0].reason.contains("earning.exchange_rates.GBP"), "{}", parked[0].reason);
    assert_eq!(balance(&shop, "c-1").await, 200);
}

#[tokio::test]
async fn a_record_that_comes_after_the_sweep_adds_nothing() {
    let shop = shop().await;
    // Given a stream that is hours behind, and a sweep that is quicker.
    shop.deliver(&shop.order("1", "c-1", 1_000)).await;
    let later = Clock::fixed(tests::at(LATER));
    let engine = Engine::new(shop.stack.store().clone(), later, Random::system());
    assert_eq!(run(&OrderSweep::new(engine)).await.unwrap().repaired, 1);
    // When the record comes at last.
    shop.drain().await;
    assert_eq!(shop.member("c-1").await["lifetime_points"], 100);
}

#[tokio::test]
async fn a_merge_of_customers_that_the_stream_lost_is_done() {
    let shop = shop().await;
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    let source = SourceName::new(GENERIC).unwrap();
    let customer = |id: &str| CustomerId::new(id).unwrap();
    let merge = CustomerMerge { kept: customer("c-9"), deleted: customer("c-1") };
    let body = store::BodyDigest::of(&source, b"a merge");
    let now = shop.stack.clock().now();
    shop.stack.store().record_merge(&source, &merge, &body, now).await.unwrap();
    shop.stack.forget_records_of("PointsAccrualFunction").await.unwrap();
    shop.advance_to(LATER).await;
    assert_eq!(shop.member("c-9").await["member"], Value::Null);

    assert_eq!(sweep(&shop).await["repaired"], 1);
    assert_eq!(balance(&shop, "c-9").await, 100);
    assert_eq!(sweep(&shop).await["checked"], 1, "what is done is not there any more");
}
