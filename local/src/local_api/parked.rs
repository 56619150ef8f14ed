//! Orders that were put aside: who operates the stack sees why, mends the cause, and has them tried again.

use domain::{OrderKey, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Parked;

use super::MAX_FAILED;
use crate::problem::{self, Answer};
use crate::stack::{Stack, StackError};
use crate::state::FailedRecord;

/// An order that lies aside.
#[derive(Serialize)]
struct Line {
    order: OrderKey,
    reason: String,
    at: Timestamp,
}

impl From<Parked> for Line {
    fn from(Parked { key, reason, at }: Parked) -> Self {
        Self { order: key, reason, at }
    }
}

/// Every order that was put aside.
pub(super) async fn list(stack: &Stack) -> Result<Answer, StackError> {
    let parked: Vec<_> = stack.store().parked().await?.into_iter().map(Line::from).collect();
    Ok(problem::json(&json!({ "parked": parked })))
}

/// Which order to try again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    order: OrderKey,
}

/// What became of it.
#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Retried {
    /// It was brought to its target.
    Processed { order: OrderKey },
    /// It was put aside again.
    Parked(Line),
    /// Its record was tried as often as the template allows.
    GivenUp { order: OrderKey, reason: String },
}

/// Takes up an order that was put aside, and tells what became of it when the streams are drained.
pub(super) async fn retry(stack: &Stack, body: &[u8]) -> Result<Answer, StackError> {
    let Ok(Retry { order }) = serde_json::from_slice(body) else {
        let wanted = r#"send {"order":"generic-main#1"}"#;
        return Ok(problem::answer(StatusCode::BAD_REQUEST, "Bad request", wanted));
    };
    if find(stack, &order).await?.is_none() {
        let detail = format!("{order} is not parked; GET /local/parked lists what is");
        return Ok(problem::answer(StatusCode::NOT_FOUND, "Not found", &detail));
    }
    let given_up_before = given_up(stack, &order)?;
    stack.store().unpark(&order).await?;
    stack.drain().await?;
    let retried = match (find(stack, &order).await?, given_up(stack, &order)?) {
        (Some(parked), _) => Retried::Parked(parked.into()),
        (None, Some(failed)) if Some(&failed) != given_up_before.as_ref() => {
            Retried::GivenUp { order, reason: failed.reason }
        }
        (None, _) => Retried::Processed { order },
    };
    Ok(problem::json(&retried))
}

async fn find(stack: &Stack, order: &OrderKey) -> Result<Option<Parked>, StackError> {
    Ok(stack.store().parked().await?.into_iter().find(|parked| parked.key == *order))
}

/// The newest record of an order that was given up.
fn given_up(stack: &Stack, order: &OrderKey) -> Result<Option<FailedRecord>, StackError> {
    let is_of_order = |failed: &FailedRecord| {
        serde_json::from_str(&failed.record)
            .is_ok_and(|record: Value| record["dynamodb"]["Keys"]["order"]["S"] == order.as_str())
    };
    Ok(stack.state().failed(MAX_FAILED)?.into_iter().rfind(is_of_order))
}
