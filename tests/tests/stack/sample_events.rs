//! The sample events of functions that a stream or the schedule wakes, and the environment that `sam local` gives.
//! Those of a webhook and of members' requests are handled beside their functions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use local::template::{DEPLOYED, LocalNames, Template};
use serde_json::Value;
use tests::{FUNCTIONS, Shop};

const AFTER_THE_EVENTS: &str = "2026-03-10T12:00:00Z";

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(events().join(path)).unwrap()
}

async fn invoke(shop: &Shop, function: &str, event: &str) -> Value {
    serde_json::from_str(&shop.stack.invoke(function, read(event)).await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_order_from_the_stream_earns_and_its_refund_takes_back() {
    let shop = Shop::open(AFTER_THE_EVENTS).await;
    let answer = invoke(&shop, "PointsAccrualFunction", "points-accrual/order-paid.json").await;
    assert_eq!(answer["batchItemFailures"], serde_json::json!([]));
    assert_eq!(shop.member("c-1").await["balance"], 459);
    let answer = invoke(&shop, "PointsAccrualFunction", "points-accrual/order-refunded.json").await;
    assert_eq!(answer["batchItemFailures"], serde_json::json!([]));
    assert_eq!(shop.member("c-1").await["balance"], 359);
}

#[tokio::test]
async fn the_schedules_event_starts_a_review() {
    let shop = Shop::open(AFTER_THE_EVENTS).await;
    let report = invoke(&shop, "TierReviewFunction", "tier-review/hourly.json").await;
    assert_eq!(report, serde_json::json!({ "settled": 0, "failed": 0, "complete": true }));
}

#[tokio::test]
async fn an_erasure_from_the_stream_is_done() {
    let shop = Shop::open(AFTER_THE_EVENTS).await;
    let answer = invoke(&shop, "ErasureFunction", "erasure/customer.json").await;
    assert_eq!(answer["batchItemFailures"], serde_json::json!([]));
}

#[tokio::test]
async fn the_schedules_event_starts_a_sweep() {
    let shop = Shop::open(AFTER_THE_EVENTS).await;
    let report = invoke(&shop, "OrderSweepFunction", "order-sweep/daily.json").await;
    assert_eq!((&report["scanned"], &report["complete"]), (&0.into(), &true.into()));
}

#[test]
fn every_function_has_sample_events() {
    for function in FUNCTIONS {
        let files = std::fs::read_dir(events().join(function)).unwrap();
        assert!(files.count() > 0, "{function} has none");
    }
}

#[test]
fn the_environment_for_sam_local_names_what_the_local_stack_has_and_what_the_template_declares() {
    let environment: Value = serde_json::from_str(&read("env.json")).unwrap();
    let environment: BTreeMap<String, String> =
        serde_json::from_value(environment["Parameters"].clone()).unwrap();
    let template = Template::parse(DEPLOYED, &LocalNames::default()).unwrap();
    let mut declared: BTreeMap<String, String> = BTreeMap::new();
    for function in template.functions.into_values() {
        declared.extend(function.environment);
    }
    for (name, value) in &environment {
        let known = declared.get(name).unwrap_or_else(|| panic!("the template does not declare {name}"));
        assert!(
            name.starts_with("AWS_ENDPOINT_URL_") || known == value,
            "{name} is {known} in the local stack"
        );
    }
    for name in declared.keys().filter(|name| *name != "LAUREL_LOG") {
        assert!(environment.contains_key(name), "{name} is missing");
    }
}
