//! Several invocations at once, and what they report when their time is spent.

use aws_lambda_events::event::dynamodb::Event;
use domain::OrderState;
use lambda_runtime::{Context, LambdaEvent};
use points_accrual::PointsAccrual;
use runtime::{Budget, Clock, Engine, Random};
use serde_json::{Value, json};
use tests::Shop;
use tier_review::{ReviewError, TierReview};

/// A deadline long past: whatever takes a second try has no time for it.
const PAST: u64 = 1;
/// Real time enough for any test, in milliseconds since the epoch.
const FAR: u64 = 32_503_680_000_000;

fn engine(shop: &Shop) -> Engine {
    let now = shop.stack.clock().now();
    Engine::new(shop.stack.store().clone(), Clock::fixed(now), Random::system())
}

/// Orders of one customer, stored and not yet accrued.
async fn stored_orders(shop: &Shop, count: usize) -> Vec<OrderState> {
    let mut states = Vec::new();
    for number in 0..count {
        shop.deliver(&shop.order(&number.to_string(), "c-1", 1_000)).await;
        let key = domain::OrderKey::new(format!("generic-main#{number}")).unwrap();
        states.push(shop.stack.store().order(&key).await.unwrap().unwrap());
    }
    states
}

fn event(records: &[Value]) -> Event {
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

/// A record of the orders' stream, as the platform's first word of an order that costs so much.
fn record(sequence_number: &str, order: &str, minor: i64) -> Value {
    json!({
        "eventID": sequence_number, "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "SequenceNumber": sequence_number, "StreamViewType": "NEW_IMAGE", "SizeBytes": 1,
            "ApproximateCreationDateTime": 1_772_000_000.0,
            "Keys": {"order": {"S": order}},
            "NewImage": {
                "order": {"S": order}, "revision": {"N": "1"},
                "placed_at": {"S": "2026-03-02T10:00:00Z"}, "updated_at": {"S": "2026-03-02T10:00:00Z"},
                "currency": {"S": "EUR"}, "payment": {"S": "paid"},
                "goods": {"M": {"amount": {"N": minor.to_string()}, "tax": {"N": "0"}, "tax_included": {"BOOL": false}}},
                "owner": {"M": {"source": {"S": "generic-main"}, "id": {"S": "c-1"}}},
            },
        },
    })
}

/// The same record, written just now.
fn fresh(mut record: Value) -> Value {
    let now = domain::Timestamp::now().as_second();
    record["dynamodb"]["ApproximateCreationDateTime"] = json!(now);
    record
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn invocations_at_once_enrol_one_member_and_count_every_order_once() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let states = stored_orders(&shop, 12).await;
    let mut invocations = Vec::new();
    for start in 0..4 {
        let (engine, mut states) = (engine(&shop), states.clone());
        states.rotate_left(start * 3);
        invocations.push(tokio::spawn(async move {
            let mut batch = engine.batch();
            for state in &states {
                batch.reconcile(state, true, Budget::until(FAR)).await.unwrap();
            }
        }));
    }
    for invocation in invocations {
        invocation.await.unwrap();
    }
    // The stream delivers them all once more.
    shop.drain().await;
    let member = shop.member("c-1").await;
    assert_eq!((&member["lifetime_points"], &member["balance"]), (&json!(1_200), &json!(1_200)));
}

#[tokio::test]
async fn the_accrual_reports_the_first_record_that_must_be_tried_again_and_stops_there() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let accrual = PointsAccrual::new(engine(&shop));
    let first = event(&[fresh(record("1", "generic-main#a", 1_000))]);
    let answer = accrual.handle(LambdaEvent::new(first, Context::default())).await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
    // Given a redelivery of it, which collides and has no time for a second look.
    let mut context = Context::default();
    context.deadline = PAST;
    let batch = event(&[
        fresh(record("2", "generic-main#b", 500)),
        fresh(record("1", "generic-main#a", 1_000)),
        fresh(record("3", "generic-main#c", 500)),
    ]);
    let answer = accrual.handle(LambdaEvent::new(batch, context)).await.unwrap();
    let failed: Vec<_> = answer.batch_item_failures.iter().map(|failure| &failure.item_identifier).collect();
    assert_eq!(failed, [&Some("1".to_owned())]);
    // Then the one before it is done and the one behind it is not.
    assert_eq!(shop.member("c-1").await["balance"], 150);
}

#[tokio::test]
async fn a_record_run_again_long_after_its_order_was_cancelled_gives_nothing() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    // Given an order whose first record was given up, and which was cancelled meanwhile; nothing was posted.
    let mut order = shop.order("a", "c-1", 1_000);
    shop.deliver(&order).await;
    order["order"]["status"] = json!("cancelled");
    order["order"]["updated_at"] = json!("2026-03-02T10:05:00Z");
    shop.deliver(&order).await;
    // When an operator runs the old record.
    let batch = event(&[record("1", "generic-main#a", 1_000)]);
    PointsAccrual::new(engine(&shop)).handle(LambdaEvent::new(batch, Context::default())).await.unwrap();
    assert_eq!(
        shop.get("/members?source=generic-main&customer=c-1").await.0,
        404,
        "nor makes anybody a member"
    );
}

#[tokio::test]
async fn a_poison_record_is_left_out_and_blocks_nobody() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let mut poison = record("1", "generic-main#a", 1_000);
    poison["dynamodb"]["NewImage"]["placed_at"] = json!({"S": "yesterday"});
    let batch = event(&[poison, record("2", "generic-main#b", 500)]);
    let answer =
        PointsAccrual::new(engine(&shop)).handle(LambdaEvent::new(batch, Context::default())).await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
    assert_eq!(shop.member("c-1").await["balance"], 50);
}

#[tokio::test]
async fn a_review_stops_when_its_time_is_spent_and_the_next_one_goes_on() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    let due = tests::at("2027-03-03T00:00:00Z");
    let engine = Engine::new(shop.stack.store().clone(), Clock::fixed(due), Random::system());
    let review = TierReview::new(engine);
    let mut context = Context::default();
    context.deadline = PAST;
    let spent = review.handle(LambdaEvent::new(Value::Null, context)).await;
    assert!(matches!(spent, Err(ReviewError::NobodySettled)), "{spent:?}");
    let report = review.handle(LambdaEvent::new(Value::Null, Context::default())).await.unwrap();
    assert_eq!((report.settled, report.failed, report.complete), (1, 0, true));
    let again = review.handle(LambdaEvent::new(Value::Null, Context::default())).await.unwrap();
    assert_eq!((again.settled, again.complete), (0, true));
}
