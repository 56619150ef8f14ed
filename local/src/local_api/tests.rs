use domain::{Programme, SourceName};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Method, Request};
use order_webhook::Sources;
use serde_json::Value;

use super::*;
use crate::clock::Time;
use crate::dynamodb::Durability;
use crate::inbox::Keeping;
use crate::stack::Options;

const PROGRAMME: &str = include_str!("../../../programme.toml");
const SOURCES: &str = include_str!("../../sources.toml");
const ORDER: &str = r#"{"order":"generic-main#1"}"#;

async fn open(folder: &tempfile::TempDir) -> Stack {
    Stack::open(Options {
        data: folder.path().to_owned(),
        programme: Programme::from_toml(PROGRAMME).unwrap(),
        sources: Sources::from_toml(SOURCES).unwrap(),
        time: Time::Simulated("2026-01-10T12:00:00Z".parse().unwrap()),
        durability: Durability::Scratch,
        keeping: Keeping::Kept,
    })
    .await
    .unwrap()
}

async fn ask(stack: &Stack, method: Method, path: &str, body: &str) -> (u16, Value) {
    let address = Address { base: "http://127.0.0.1:3000".to_owned(), currency: "EUR".to_owned() };
    let parameters = ParameterStore::new(stack.sources_path(), SOURCES).unwrap();
    let (parts, ()) = Request::builder().method(method).uri(path).body(()).unwrap().into_parts();
    let answer = answer(stack, &address, &parameters, &parts, body.as_bytes()).await.unwrap();
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

async fn parked(stack: &Stack) -> Value {
    ask(stack, Method::GET, "/local/parked", "").await.1
}

async fn retry(stack: &Stack) -> (u16, Value) {
    ask(stack, Method::POST, "/local/parked/retry", ORDER).await
}

/// Order 1, as its sender tells it at a moment.
async fn tell(stack: &Stack, currency: &str, updated_at: &str) {
    let body = json!({"type": "order.updated", "order": {
        "id": "1", "placed_at": "2026-01-10T11:00:00Z", "updated_at": updated_at, "currency": currency,
        "goods": {"amount_minor": 1_000}, "status": "paid", "customer": {"id": "c-1"},
    }})
    .to_string();
    let source = SourceName::new("generic-main").unwrap();
    let signed = stack.sources().sign(&source, updated_at, stack.clock().now(), body.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
    for (name, value) in signed {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    let uri = Uri::from_static("/webhooks/generic-main");
    let answer = stack.gateway().answer(&Method::POST, &uri, &headers, body.as_bytes()).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    stack.drain().await.unwrap();
}

#[tokio::test]
async fn a_parked_order_is_shown_and_tried_again_until_its_cause_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder).await;
    // Given an order in a currency that the programme does not have.
    tell(&stack, "USD", "2026-01-10T11:00:00Z").await;
    let shown = parked(&stack).await["parked"].clone();
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert_eq!(
        (&shown[0]["order"], &shown[0]["at"]),
        (&json!("generic-main#1"), &json!("2026-01-10T12:00:00Z"))
    );
    assert!(shown[0]["reason"].as_str().unwrap().contains("USD"), "{shown}");
    // When it is tried again as it is, then it is put aside again, and said so.
    let (status, retried) = retry(&stack).await;
    assert_eq!((status, &retried["outcome"]), (200, &json!("parked")));
    assert_eq!(retried["reason"], shown[0]["reason"]);
    assert_eq!(parked(&stack).await["parked"].as_array().unwrap().len(), 1);
    // When its sender mends it, then it is gone from the list, and there is nothing to try.
    tell(&stack, "EUR", "2026-01-10T11:30:00Z").await;
    assert_eq!(parked(&stack).await, json!({"parked": []}));
    assert_eq!(retry(&stack).await.0, 404);
}

#[tokio::test]
async fn an_order_whose_cause_is_gone_is_processed_when_it_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder).await;
    tell(&stack, "EUR", "2026-01-10T11:00:00Z").await;
    let key = "generic-main#1".to_owned().try_into().unwrap();
    let revision = stack.store().order(&key).await.unwrap().unwrap().revision;
    stack.store().park(&key, revision, "the programme was wrong", stack.clock().now()).await.unwrap();
    assert_eq!(retry(&stack).await, (200, json!({"outcome": "processed", "order": "generic-main#1"})));
}

#[tokio::test]
async fn what_names_no_order_is_told_what_to_send() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder).await;
    for body in ["", "{}", r#"{"order":1}"#, r#"{"order":""}"#] {
        let (status, problem) = ask(&stack, Method::POST, "/local/parked/retry", body).await;
        assert_eq!(status, 400, "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(ORDER), "{problem}");
    }
}

#[tokio::test]
async fn whoever_waits_while_the_stack_stops_is_not_told_that_all_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let stack = open(&folder).await;
    stack.stop();
    assert_eq!(ask(&stack, Method::GET, "/local/idle", "").await.0, 503);
}
