//! DynamoDB's own API on a port, for whatever speaks it, and the local time for the commands beside the stack.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::json;

use super::callers::Callers;
use crate::problem::{self, Answer};
use crate::stack::Stack;

/// DynamoDB's own limit.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
const TARGET: &str = "x-amz-target";
/// Where the local time is.
const CLOCK: &str = "/local/clock";

pub(super) fn router(stack: Arc<Stack>, callers: Callers) -> Router {
    Router::new().fallback(handle).with_state((stack, callers))
}

async fn handle(State((stack, callers)): State<(Arc<Stack>, Callers)>, request: Request) -> Response {
    answer(&stack, &callers, request).await.map(Body::from)
}

async fn answer(stack: &Stack, callers: &Callers, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    if let Some(refusal) = callers.refusal(&parts.headers) {
        return refusal;
    }
    if parts.uri.path() == CLOCK && parts.method == Method::GET {
        return problem::json(&json!({ "now": stack.clock().now().to_string() }));
    }
    let target = parts.headers.get(TARGET).and_then(|target| target.to_str().ok());
    let Some(target) = target.filter(|_| parts.method == Method::POST) else {
        let detail = "This is DynamoDB's own API: POST with x-amz-target, as every SDK and the AWS CLI do.";
        return problem::answer(StatusCode::NOT_FOUND, "Not found", detail);
    };
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        let detail = format!("A body may have at most {MAX_BODY_BYTES} bytes.");
        return problem::answer(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &detail);
    };
    let (status, answer) = stack.engine().answer_to_others(target, &body);
    problem::with_type(status, "application/x-amz-json-1.0", answer)
}
