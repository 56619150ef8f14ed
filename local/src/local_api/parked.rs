//! Orders that were put aside: who operates the stack sees why, mends the cause, and has them tried again.

use domain::OrderKey;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MAX_FAILED;
use crate::parked::{self, Handled, Line};
use crate::problem::{self, Answer};
use crate::stack::{Stack, StackError};
use crate::state::FailedRecord;

/// The most parked orders of one answer.
const MAX_LISTED: usize = 1_000;

/// Every order that was put aside.
pub(super) async fn list(stack: &Stack) -> Result<Answer, StackError> {
    Ok(problem::json(&parked::list(stack.store(), MAX_LISTED).await?))
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
    let given_up_before = given_up(stack, &order)?;
    if parked::retry(stack.store(), &order).await? != Handled::Done {
        let detail = format!("{order} is not parked; GET /local/parked lists what is");
        return Ok(problem::answer(StatusCode::NOT_FOUND, "Not found", &detail));
    }
    stack.drain().await?;
    let retried = match (parked::find(stack.store(), &order).await?, given_up(stack, &order)?) {
        (Some(parked), _) => Retried::Parked(parked),
        (None, Some(failed)) if Some(&failed) != given_up_before.as_ref() => {
            Retried::GivenUp { order, reason: failed.reason }
        }
        (None, _) => Retried::Processed { order },
    };
    Ok(problem::json(&retried))
}

/// The newest record of an order that was given up.
fn given_up(stack: &Stack, order: &OrderKey) -> Result<Option<FailedRecord>, StackError> {
    let is_of_order = |failed: &FailedRecord| {
        serde_json::from_str(&failed.record)
            .is_ok_and(|record: Value| record["dynamodb"]["Keys"]["order"]["S"] == order.as_str())
    };
    Ok(stack.state().failed(MAX_FAILED)?.into_iter().rfind(is_of_order))
}
