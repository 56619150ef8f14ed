//! What the local stack serves besides the functions: inbox, clock, idleness, failed records, parked orders, SNS and
//! Parameter Store, a signed order.

mod parked;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use http::request::Parts;
use http::{StatusCode, Uri};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::clock::ClockError;
use crate::curl;
use crate::inbox::Selection;
use crate::platforms;
use crate::problem::{self, Answer};
use crate::ssm::ParameterStore;
use crate::stack::{Stack, StackError};

/// The most failed records of one answer.
const MAX_FAILED: u32 = 100;

/// What is served, and what for.
pub(crate) const ROUTES: [(&str, &str); 11] = [
    ("GET /local/curl", "a signed order to paste into a shell"),
    ("GET /local/inbox", "what was sent; ?member= &channel= &limit="),
    ("GET /local/clock", "local time"),
    ("POST /local/clock", r#"{"advance":"P30D"} or {"to":"2027-01-01T00:00:00Z"}; answers when all is done"#),
    ("GET /local/idle", "answers when the streams are drained"),
    ("GET /local/failed", "stream records that were given up"),
    ("GET /local/parked", "orders that were put aside, with the reason"),
    ("POST /local/parked/retry", r#"{"order":"generic-main#1"}; answers what became of it"#),
    ("GET /local/platforms/…", "the platforms' APIs, with an order each"),
    ("POST /local/sns", "SNS, for functions in containers"),
    ("POST /local/ssm", "Parameter Store with the sources, for functions in containers"),
];

/// How the stack is reached, for texts that are pasted.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) base: String,
    pub(crate) currency: String,
}

/// Answers a request to the local stack itself; nothing when the path is not its own.
pub(crate) async fn answer(
    stack: &Stack,
    address: &Address,
    parameters: &ParameterStore,
    request: &Parts,
    body: &[u8],
) -> Option<Answer> {
    let path = request.uri.path().trim_end_matches('/');
    let answer = match (request.method.as_str(), path) {
        ("GET", "" | "/local") => Ok(index(stack)),
        ("GET", "/local/curl") => return Some(order(stack, address)),
        ("GET", "/local/inbox") => return Some(inbox(stack, &request.uri)),
        ("GET", "/local/clock") => Ok(clock(stack)),
        ("POST", "/local/clock") => move_clock(stack, body).await,
        ("GET", "/local/idle") => stack.drain().await.map(|()| problem::json(&json!({ "idle": true }))),
        ("GET", "/local/failed") => {
            let failed = stack.state().failed(MAX_FAILED).map_err(StackError::from);
            failed.map(|failed| problem::json(&json!({ "failed": failed })))
        }
        ("GET", "/local/parked") => parked::list(stack).await,
        ("POST", "/local/parked/retry") => parked::retry(stack, body).await,
        ("POST", "/local/sns") => {
            let (status, xml) = stack.sns().answer(body);
            Ok(problem::with_type(status, "text/xml", xml))
        }
        ("POST", "/local/ssm") => {
            let (status, json) = parameters.answer(request.headers.get("x-amz-target"), body);
            Ok(problem::with_type(status, "application/x-amz-json-1.1", json))
        }
        ("GET" | "POST", path) => {
            let query = request.uri.query().unwrap_or_default();
            let answer = platforms::answer(path.strip_prefix("/local/platforms")?, query)?;
            Ok(problem::with_type(StatusCode::OK, "application/json", answer))
        }
        _ => return None,
    };
    Some(answer.unwrap_or_else(|error| refusal(&error)))
}

fn refusal(error: &StackError) -> Answer {
    match error {
        StackError::Clock(error @ (ClockError::Backwards { .. } | ClockError::NoMoment(_))) => {
            problem::answer(StatusCode::BAD_REQUEST, "Bad request", &error.to_string())
        }
        StackError::Stopping => {
            problem::answer(StatusCode::SERVICE_UNAVAILABLE, "Stopping", &error.to_string())
        }
        error => {
            tracing::error!(%error, "the local stack failed");
            problem::answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", &error.to_string())
        }
    }
}

fn index(stack: &Stack) -> Answer {
    let local: BTreeMap<_, _> = ROUTES.into_iter().collect();
    problem::json(&json!({
        "routes": stack.gateway().routes(),
        "local": local,
        "now": stack.clock().now().to_string(),
        "programme_version": stack.programme_version(),
    }))
}

fn clock(stack: &Stack) -> Answer {
    problem::json(&json!({ "now": stack.clock().now().to_string() }))
}

fn order(stack: &Stack, address: &Address) -> Answer {
    let placed_at = stack.clock().now();
    let signed_at = stack.clock().for_signatures().now();
    match curl::order(stack.sources(), &address.base, &address.currency, placed_at, signed_at) {
        Ok(command) => problem::with_type(StatusCode::OK, "text/plain; charset=utf-8", command + "\n"),
        Err(error) => problem::answer(StatusCode::NOT_FOUND, "Not found", &error.to_string()),
    }
}

fn inbox(stack: &Stack, uri: &Uri) -> Answer {
    let mut selection = Selection::default();
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match (name.as_ref(), value.parse()) {
            ("member", _) => selection.member = Some(value.into_owned()),
            ("channel", _) => selection.channel = Some(value.into_owned()),
            ("limit", Ok(limit)) => selection.limit = Some(limit),
            (name, _) => {
                let detail =
                    format!("{name}={value} is not understood; there is member=, channel= and limit=.");
                return problem::answer(StatusCode::BAD_REQUEST, "Bad request", &detail);
            }
        }
    }
    match stack.inbox().list(&selection) {
        Ok(messages) => problem::json(&messages),
        Err(error) => refusal(&error.into()),
    }
}

/// Where the clock should go.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Move {
    Advance(String),
    To(String),
}

async fn move_clock(stack: &Stack, body: &[u8]) -> Result<Answer, StackError> {
    let target = match serde_json::from_slice(body) {
        Ok(Move::Advance(period)) => stack.clock().after(&period)?,
        Ok(Move::To(text)) => text.parse::<Timestamp>().map_err(|_| {
            ClockError::NoMoment(format!("{text:?} is no instant such as 2027-01-01T00:00:00Z"))
        })?,
        Err(_) => {
            let wanted = r#"send {"advance":"P30D"} or {"to":"2027-01-01T00:00:00Z"}"#;
            return Err(ClockError::NoMoment(wanted.to_owned()).into());
        }
    };
    stack.advance_to(target).await?;
    Ok(clock(stack))
}
