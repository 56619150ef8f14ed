//! Answers of the local stack's own.

use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;

/// An HTTP answer with its whole body.
pub(crate) type Answer = Response<Vec<u8>>;

/// A problem as RFC 9457 wants it.
pub(crate) fn answer(status: StatusCode, title: &str, detail: &str) -> Answer {
    let document = json!({ "status": status.as_u16(), "title": title, "detail": detail });
    with_type(status, "application/problem+json", document.to_string())
}

/// A document in JSON.
pub(crate) fn json(document: &impl Serialize) -> Answer {
    match serde_json::to_string(document) {
        Ok(text) => with_type(StatusCode::OK, "application/json", text),
        Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", &error.to_string()),
    }
}

/// Any text.
pub(crate) fn with_type(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut response = Response::new(body.into_bytes());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
