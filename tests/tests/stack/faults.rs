//! A fault of one record or request is that one's alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lambda_events::event::dynamodb::Event;
use lambda_runtime::{Context, LambdaEvent};
use points_accrual::PointsAccrual;
use runtime::{Clock, Engine, Random};
use serde_json::{Value, json};
use tests::Shop;
use tier_review::TierReview;

const OPENS: &str = "2026-03-02T10:00:00Z";
/// Real time enough for any test, in milliseconds since the epoch.
const FAR: u64 = 32_503_680_000_000;

/// An engine whose code fails once, when bytes are drawn for the time of this number, counted from 0; and how often
/// they were.
fn failing_once(shop: &Shop, number: usize) -> (Engine, Arc<AtomicUsize>) {
    let drawn = Arc::new(AtomicUsize::new(0));
    let draws = Arc::clone(&drawn);
    let random = Random::new(move |bytes| {
        let draw = draws.fetch_add(1, Ordering::SeqCst);
        assert_ne!(draw, number, "on purpose");
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from((draw + number % 97 + 1) * (index + 7) * 31 % 251).unwrap();
        }
        Ok(())
    });
    let clock = Clock::fixed(shop.stack.clock().now());
    (Engine::new(shop.stack.store().clone(), clock, random), drawn)
}

fn failing_at_first() -> Random {
    let draws = AtomicUsize::new(0);
    Random::new(move |_| {
        assert_ne!(draws.fetch_add(1, Ordering::SeqCst), 0, "on purpose");
        Ok(())
    })
}

fn invocation<E>(event: E) -> LambdaEvent<E> {
    let mut context = Context::default();
    context.deadline = FAR;
    LambdaEvent::new(event, context)
}

fn batch(orders: &[&str]) -> Event {
    let records: Vec<Value> = orders.iter().map(|order| record(order)).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

fn record(order: &str) -> Value {
    json!({
        "eventID": order, "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "SequenceNumber": order, "StreamViewType": "NEW_IMAGE", "SizeBytes": 1,
            "ApproximateCreationDateTime": 1_772_000_000.0, "Keys": {"order": {"S": order}},
            "NewImage": {
                "order": {"S": order}, "revision": {"N": "1"}, "accrue": {"BOOL": true},
                "placed_at": {"S": OPENS}, "updated_at": {"S": OPENS},
                "currency": {"S": "EUR"}, "payment": {"S": "paid"},
                "goods": {"M": {"amount": {"N": "1000"}, "tax": {"N": "0"}, "tax_included": {"BOOL": false}}},
                "owner": {"M": {"source": {"S": "generic-main"}, "id": {"S": order}}},
            },
        },
    })
}

#[tokio::test]
async fn a_panic_in_one_record_of_a_batch_parks_its_order_and_the_rest_goes_on() {
    // Given three orders, of which one meets a fault of ours.
    let shop = Shop::open(OPENS).await;
    let keys = ["generic-main#a", "generic-main#b", "generic-main#c"];
    for key in ["a", "b", "c"] {
        shop.deliver(&shop.order(key, key, 1_000)).await;
    }
    let (engine, drawn) = failing_once(&shop, usize::MAX);
    PointsAccrual::new(engine).handle(invocation(batch(&[keys[0]]))).await.unwrap();
    let (engine, _) = failing_once(&shop, drawn.load(Ordering::SeqCst));
    // When they come in one batch.
    let answer =
        PointsAccrual::new(engine).handle(invocation(batch(&[keys[1], keys[2], keys[0]]))).await.unwrap();
    // Then none is to be tried again, that one lies aside, and the others have earned.
    assert!(answer.batch_item_failures.is_empty());
    let parked = shop.stack.store().parked().await.unwrap();
    assert_eq!(parked.iter().map(|parked| parked.key.as_str()).collect::<Vec<_>>(), [keys[2]]);
    assert_eq!(shop.member("a").await["balance"], 100);
    assert_eq!(shop.member("b").await["balance"], 100);
}

#[tokio::test]
async fn a_panic_at_one_member_leaves_the_review_to_the_others() {
    // Given two members whose points run out.
    let shop = Shop::open(OPENS).await;
    for customer in ["c-1", "c-2"] {
        shop.process(&shop.order(customer, customer, 1_000)).await;
    }
    let later = "2027-06-01T00:00:00Z".parse().unwrap();
    let random = failing_at_first();
    let engine = Engine::new(shop.stack.store().clone(), Clock::fixed(later), random);
    // When the review meets a fault of ours at the first of them.
    let report = TierReview::new(engine).handle(invocation(json!({}))).await.unwrap();
    // Then the second is settled.
    assert_eq!((report.settled, report.failed), (1, 1));
}

#[tokio::test]
async fn what_a_stranger_writes_into_an_address_is_answered_by_both_functions_behind_the_api() {
    let shop = Shop::open(OPENS).await;
    for (function, method, route, parameters) in [
        ("OrderWebhookFunction", "POST", "/webhooks/{source}", json!({"source": "shopify-main"})),
        ("MemberApiFunction", "GET", "/members/{member}", json!({"member": "M\"<%"})),
    ] {
        for (query, headers) in [
            ("a=\"<>", json!({})),
            ("", json!({"x-forwarded-proto": "https,http", "host": "laurel.example.com"})),
            ("%zz\u{0}", json!({"x-forwarded-proto": "\u{0}", "host": "<\">"})),
        ] {
            let event = json!({
                "version": "2.0", "routeKey": format!("{method} {route}"), "rawPath": "/\"<", "rawQueryString": query,
                "headers": headers, "pathParameters": parameters, "requestContext": {"http": {"method": method}},
                "body": "{}", "isBase64Encoded": false,
            });
            let answer = shop.stack.invoke(function, event.to_string()).await.unwrap();
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let status = answer["statusCode"].as_u64().unwrap();
            assert!((400..500).contains(&status), "{function}: {answer}");
        }
    }
}

#[tokio::test]
async fn an_identifier_in_a_path_is_decoded_once_as_an_http_api_does_it() {
    let shop = Shop::open(OPENS).await;
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    let member = shop.member("c-1").await["member"].as_str().unwrap().to_owned();
    let status = async |path: &str| shop.get(&format!("/members/{path}")).await.0;
    assert_eq!(status(&member).await, 200);
    assert_eq!(status(&member.replace(&member[..1], &format!("%{:X}", member.as_bytes()[0]))).await, 200);
    // Encoded twice it is another text, and no member's.
    assert_eq!(status(&format!("%25{:X}{}", member.as_bytes()[0], &member[1..])).await, 400);
    // An encoded slash ends a segment, so there is no such route.
    assert_eq!(status(&format!("{member}%2Fjournal")).await, 200);
    assert_eq!(status(&format!("{member}%2Fother")).await, 404);
}
