use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Method, Uri};
use serde_json::Value;

use super::*;
use crate::inbox::Selection;

const PROGRAMME: &str = include_str!("../../../programme.toml");
const SOURCES: &str = include_str!("../../sources.toml");
const SOURCE: &str = "generic-main";
const START: &str = "2026-01-10T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn open(folder: &tempfile::TempDir, now: Timestamp, programme: &str) -> Result<Stack, StackError> {
    Stack::open(Options {
        data: folder.path().to_owned(),
        programme: Programme::from_toml(programme).unwrap(),
        sources: Sources::from_toml(SOURCES).unwrap(),
        time: Time::Simulated(now),
        durability: Durability::Scratch,
        keeping: Keeping::Kept,
    })
    .await
}

/// Sends an order of 600.00 as a shop would; the status of the answer.
async fn send(stack: &Stack, order: &str) -> u16 {
    let now = stack.clock().now();
    let body = serde_json::json!({"type": "order.updated", "order": {
        "id": order, "placed_at": now.to_string(), "currency": "EUR", "goods": {"amount_minor": 60_000},
        "status": "paid", "customer": {"id": "c-1", "email": "c-1@example.com", "email_verified": true},
    }})
    .to_string();
    let source = domain::SourceName::new(SOURCE).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
    for (name, value) in stack.sources().sign(&source, order, now, body.as_bytes()).unwrap() {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    let uri = Uri::from_static("/webhooks/generic-main");
    stack.gateway().answer(&Method::POST, &uri, &headers, body.as_bytes()).await.status().as_u16()
}

async fn get(stack: &Stack, uri: &'static str) -> (u16, Value) {
    let answer = stack.gateway().answer(&Method::GET, &Uri::from_static(uri), &HeaderMap::new(), b"").await;
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

async fn member(stack: &Stack) -> Value {
    get(stack, "/members?source=generic-main&customer=c-1").await.1
}

fn events(stack: &Stack, channel: &str) -> Vec<String> {
    let selection = Selection { channel: Some(channel.to_owned()), ..Selection::default() };
    stack.inbox().list(&selection).unwrap().into_iter().filter_map(|message| message.event).collect()
}

#[tokio::test]
async fn a_signed_order_becomes_points_a_coupon_and_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder, at(START), PROGRAMME).await.unwrap();
    assert_eq!(send(&stack, "1").await, 202);
    stack.drain().await.unwrap();
    let member = member(&stack).await;
    assert_eq!((member["balance"].as_i64(), member["lifetime_points"].as_i64()), (Some(1_000), Some(6_000)));
    assert_eq!(member["coupons"][0]["reward"], "ten-percent");
    assert_eq!(events(&stack, "email"), ["coupon_issued"]);
    assert_eq!(events(&stack, "event"), ["coupon_issued"]);
}

#[tokio::test]
async fn an_unknown_route_is_answered_with_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder, at(START), PROGRAMME).await.unwrap();
    let (status, problem) = get(&stack, "/nowhere").await;
    assert_eq!(status, 404);
    assert!(problem["detail"].as_str().unwrap().contains("GET /members/{member}/journal"), "{problem}");
    assert_eq!(get(&stack, "/members/nobody").await.0, 404);
}

#[tokio::test]
async fn a_jump_of_a_year_sends_every_reminder_and_expires_the_points() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder, at(START), PROGRAMME).await.unwrap();
    send(&stack, "1").await;
    stack.advance_to(at("2027-01-10T11:59:59Z")).await.unwrap();
    assert_eq!(member(&stack).await["balance"], 1_000);
    stack.advance_to(at("2027-01-10T13:00:00Z")).await.unwrap();
    let member = member(&stack).await;
    assert_eq!((member["balance"].as_i64(), &member["expires_at"]), (Some(0), &Value::Null));
    assert_eq!(
        events(&stack, "email"),
        [
            "coupon_issued",
            "points_expiring",
            "points_expiring",
            "points_expiring",
            "points_expiring",
            "points_expired"
        ]
    );
    assert_eq!(stack.clock().now(), at("2027-01-10T13:00:00Z"));
}

#[tokio::test]
async fn time_does_not_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder, at(START), PROGRAMME).await.unwrap();
    let error = stack.advance_to(at("2026-01-01T00:00:00Z")).await.unwrap_err();
    assert!(matches!(error, StackError::Clock(ClockError::Backwards { .. })), "{error}");
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder, at(START), PROGRAMME).await.unwrap();
    assert_eq!(send(&stack, "1").await, 202);
    // Nothing was drained yet: the order lies in the stream alone.
    drop(stack);
    let stack = open(&folder, at(START), PROGRAMME).await.unwrap();
    stack.drain().await.unwrap();
    assert_eq!(member(&stack).await["lifetime_points"], 6_000);
}

#[tokio::test]
async fn one_folder_serves_one_stack() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(&folder, at(START), PROGRAMME).await.unwrap();
    let error = open(&folder, at(START), PROGRAMME).await.unwrap_err();
    assert!(matches!(error, StackError::Folder(FolderError::InUse(_))), "{error}");
    drop(first);
    open(&folder, at(START), PROGRAMME).await.unwrap();
}

#[tokio::test]
async fn a_changed_programme_is_a_new_version_and_reaches_everyone() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder, at(START), PROGRAMME).await.unwrap();
    send(&stack, "1").await;
    stack.drain().await.unwrap();
    assert_eq!(stack.programme_version(), 1);
    drop(stack);
    let stack = open(&folder, at(START), PROGRAMME).await.unwrap();
    assert_eq!(stack.programme_version(), 1);
    drop(stack);
    let changed = PROGRAMME.replace("threshold = 50", "threshold = 10");
    let stack = open(&folder, at(START), &changed).await.unwrap();
    assert_eq!(stack.programme_version(), 2);
    stack.advance_to(at("2026-01-10T16:00:00Z")).await.unwrap();
    assert_eq!(member(&stack).await["tier"], "silver", "{}", member(&stack).await);
}
