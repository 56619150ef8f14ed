use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Method, Uri};
use order_webhook::Sources;

use super::*;
use crate::clock::Time;
use crate::dynamodb::Durability;
use crate::inbox::Keeping;
use crate::stack::{Options, Stack};

const SOURCES: &str = include_str!("../../../sources.toml");
const PROGRAMME: &str = include_str!("../../../../programme.toml");
const NOW: &str = "2026-01-10T12:00:00Z";
const HOUR: Duration = Duration::from_secs(3_600);

fn programme(points_per_unit: &str) -> Programme {
    let text =
        PROGRAMME.replace("points_per_unit = \"10\"", &format!("points_per_unit = \"{points_per_unit}\""));
    Programme::from_toml(&text).unwrap()
}

async fn stack(folder: &tempfile::TempDir) -> Stack {
    Stack::open(Options {
        data: folder.path().to_owned(),
        programme: programme("10"),
        sources: Sources::from_toml(SOURCES).unwrap(),
        time: Time::Simulated(NOW.parse().unwrap()),
        durability: Durability::Scratch,
        keeping: Keeping::Kept,
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn the_programme_that_is_in_force_is_not_published_again() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(&folder).await;
    let told = publish(stack.store(), &programme("10"), NOW.parse().unwrap(), HOUR, false).await.unwrap();
    assert_eq!(told, "Stars: version 1 is this very programme; nothing was published.");
}

#[tokio::test]
async fn a_change_is_in_force_only_when_every_function_has_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(&folder).await;
    let now: Timestamp = NOW.parse().unwrap();
    let told = publish(stack.store(), &programme("20"), now, HOUR, false).await.unwrap();
    assert_eq!(
        told,
        "Stars: version 2 is in force from 2026-01-10T12:02:00Z; 0 members are due again within 1 h."
    );
    let programmes = stack.store().programmes().await.unwrap().unwrap();
    let while_functions_keep_the_old_one = now.checked_add(ProgrammeCache::KEPT).unwrap();
    assert_eq!(programmes.at(while_functions_keep_the_old_one).number, 1);
    assert_eq!(programmes.at(now.checked_add(NOTICE).unwrap()).number, 2);
}

#[tokio::test]
async fn what_was_broken_off_can_be_finished() {
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(&folder).await;
    let now: Timestamp = NOW.parse().unwrap();
    publish(stack.store(), &programme("20"), now, HOUR, false).await.unwrap();
    let an_hour_later = now.checked_add(HOUR).unwrap();
    let told = publish(stack.store(), &programme("20"), an_hour_later, HOUR, true).await.unwrap();
    assert!(told.starts_with("Stars: version 2 is in force from 2026-01-10T12:02:00Z; "), "{told}");
}

/// A customer's order, sent as a shop would.
async fn order(stack: &Stack, customer: &str, minor: i64) {
    let now = stack.clock().now();
    let body = serde_json::json!({"type": "order.updated", "order": {
        "id": customer, "placed_at": now.to_string(), "currency": "EUR", "goods": {"amount_minor": minor},
        "status": "paid", "customer": {"id": customer},
    }})
    .to_string();
    let source = domain::SourceName::new("generic-main").unwrap();
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, "application/json".parse().unwrap())]);
    for (name, value) in stack.sources().sign(&source, customer, now, body.as_bytes()).unwrap() {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    let uri = Uri::from_static("/webhooks/generic-main");
    let answer = stack.gateway().answer(&Method::POST, &uri, &headers, body.as_bytes()).await;
    assert_eq!(answer.status().as_u16(), 202);
}

#[tokio::test]
async fn whoever_publishes_sees_whom_the_change_touches_before() {
    // Given a shop with two members, of whom one has points.
    let folder = tempfile::tempdir().unwrap();
    let stack = stack(&folder).await;
    let now: Timestamp = NOW.parse().unwrap();
    order(&stack, "c-1", 30_000).await;
    order(&stack, "c-2", 0).await;
    stack.drain().await.unwrap();
    // When a version is to come under which points run out sooner, and the reward is cheaper.
    let text = PROGRAMME.replace("\"12 months\"", "\"3 months\"").replace("points = 5000", "points = 1000");
    let changed = Programme::from_toml(&text).unwrap();
    let touched = touched(stack.store(), &changed, now).await.unwrap().unwrap();
    // Then it says so in numbers, and nothing of one that changes nothing.
    assert_eq!(
        touched.to_string(),
        "Of 2 members, when it comes into force:\n         1 have points that run out sooner: 3000 points\n\
         \x20        1 have enough for more coupons at once: 3 coupons\n\
         \x20        0 reach a higher level, 0 a lower one or none\n"
    );
    assert!(!touched.nobody());
    assert_eq!(super::touched(stack.store(), &programme("10"), now).await.unwrap(), None);
}
