//! What strangers send, as API Gateway hands it over.

use std::convert::Infallible;

use serde_json::{Value, json};

use super::*;

fn event(changes: Value) -> LambdaEvent<HttpEvent> {
    let mut event = json!({
        "version": "2.0", "routeKey": "GET /members", "rawPath": "/members", "rawQueryString": "",
        "headers": {"host": "laurel.example.com"}, "requestContext": {"http": {"method": "GET"}},
        "isBase64Encoded": false,
    });
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    LambdaEvent::new(serde_json::from_value(event).unwrap(), Context::default())
}

/// The address that a handler sees, and the status of the answer.
async fn seen(changes: Value) -> (u16, String) {
    let echo = |request: Request| async move {
        Ok::<_, Infallible>(Response::new(Body::Text(request.uri().to_string())))
    };
    let answer = answer(event(changes), echo).await;
    (answer.status_code, answer.body)
}

#[tokio::test]
async fn no_address_that_a_stranger_sends_ends_the_process() {
    for query in ["a=\"", "<script>", "a=b c", "a=ä", "`{}|\\^[]", "a#b", "%", "%zz", "\u{7f}\u{0}\r\n"] {
        let (status, address) = seen(json!({"rawQueryString": query})).await;
        assert_eq!(status, 200, "{query:?}");
        assert!(address.starts_with("/members?"), "{address}");
    }
    for path in ["", "//", "/members/\"", "/members/a b", "members", "/members/<>#?ä%"] {
        assert_eq!(seen(json!({"rawPath": path})).await.0, 200, "{path:?}");
    }
    let headers =
        json!({"headers": {"x-forwarded-proto": "https,http", "host": "a b\"", "bad name": "x", "x": "\n"}});
    assert_eq!(seen(headers).await, (200, "/members".to_owned()));
}

#[tokio::test]
async fn what_is_no_request_is_answered_as_such() {
    assert_eq!(seen(json!({"requestContext": {"http": {"method": "GE T"}}})).await.0, 400);
    assert_eq!(seen(json!({"requestContext": {}})).await.0, 400);
    assert_eq!(seen(json!({"body": "?", "isBase64Encoded": true})).await.0, 400);
    assert_eq!(seen(json!({"rawQueryString": "x".repeat(100_000)})).await.0, 400);
}

#[tokio::test]
async fn a_query_stays_as_it_was_sent_and_what_cannot_stand_in_one_is_encoded() {
    let query = json!({"rawQueryString": "customer=a%2Bb+c&x=\"<"});
    assert_eq!(seen(query).await.1, "/members?customer=a%2Bb+c&x=%22%3C");
}

#[tokio::test]
async fn a_path_that_came_decoded_is_encoded_again_segment_by_segment() {
    let rating = |id: &str| {
        json!({
            "routeKey": "PUT /members/{member}/ratings/{rating}",
            "rawPath": format!("/members/M-1/ratings/{id}"),
            "pathParameters": {"member": "M-1", "rating": id},
        })
    };
    for (id, encoded) in
        [("trip/7", "trip%2F7"), ("50%", "50%25"), ("a%2Fb", "a%252Fb"), ("ä ?", "%C3%A4%20%3F")]
    {
        assert_eq!(seen(rating(id)).await.1, format!("/members/M-1/ratings/{encoded}"));
    }
}

#[tokio::test]
async fn a_handler_that_panics_answers_500_and_the_next_request_is_served() {
    let answer =
        answer(event(json!({})), async |_| -> Result<Response<Body>, Infallible> { panic!("John") }).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.body.contains("John"), "{}", answer.body);
    assert_eq!(seen(json!({})).await.0, 200);
}

#[tokio::test]
async fn method_headers_body_and_deadline_reach_the_handler_and_its_answer_goes_back() {
    let mut event = event(json!({
        "routeKey": "POST /webhooks/{source}", "pathParameters": {"source": "shop"},
        "requestContext": {"http": {"method": "POST"}}, "headers": {"x-signature": "ä"},
        "body": "AAH/", "isBase64Encoded": true,
    }));
    event.context.deadline = 7;
    let handle = |request: Request| async move {
        assert_eq!((request.method(), request.uri().path()), (&Method::POST, "/webhooks/shop"));
        assert_eq!(request.headers()["x-signature"].as_bytes(), "ä".as_bytes());
        assert_eq!(&request.body()[..], [0, 1, 255]);
        assert_eq!(request.lambda_context_ref().unwrap().deadline, 7);
        Ok::<_, Infallible>(Problem::unavailable().response())
    };
    let answer = serde_json::to_value(answer(event, handle).await).unwrap();
    assert_eq!(answer["statusCode"], 503);
    assert_eq!(answer["headers"]["retry-after"], "5");
    assert_eq!(answer["isBase64Encoded"], false);
}
