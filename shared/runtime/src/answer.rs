//! Answers over HTTP: JSON, and problems as RFC 9457 wants them.

use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;

/// Seconds after which a sender may try again.
const RETRY_AFTER_SECONDS: &str = "5";

/// An error for the caller: what is wrong and what to mend; never a body, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The kind of problem, always the same words.
    pub title: &'static str,
    /// This problem, and how to mend it.
    pub detail: String,
}

#[derive(Serialize)]
struct ProblemDocument<'a> {
    status: u16,
    title: &'a str,
    detail: &'a str,
}

impl Problem {
    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, title: "Bad request", detail: detail.into() }
    }

    /// 401: the signature is missing or wrong.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, title: "Signature refused", detail: detail.into() }
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, title: "Not found", detail: detail.into() }
    }

    /// 405: the thing is there, the method is not.
    pub fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::METHOD_NOT_ALLOWED, title: "Method not allowed", detail: detail.into() }
    }

    /// 409: a rule of the business says no.
    pub fn refused(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, title: "Refused", detail: detail.into() }
    }

    /// 413: more than we read.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, title: "Too large", detail: detail.into() }
    }

    /// 500: the fault is ours; the log says where.
    pub fn internal() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            title: "Internal error",
            detail: "The request met a fault of ours, which is logged. Send it again.".to_owned(),
        }
    }

    /// 503: try again; nothing was stored.
    pub fn unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "Unavailable",
            detail: "The store cannot be reached at the moment. Send the request again.".to_owned(),
        }
    }

    /// 429: the source sends more than it may.
    pub fn too_many() -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            title: "Too many requests",
            detail: "The source sends more requests a second than its limit. Send the request again."
                .to_owned(),
        }
    }

    /// 503: the sources with their secrets must be read first; nothing was stored.
    pub fn sources_unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "Unavailable",
            detail: "The source's configuration cannot be read at the moment. Send the request again."
                .to_owned(),
        }
    }

    /// 503: the platform's API must get well, or the source's access to it be mended; nothing was stored.
    pub fn platform_unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "Unavailable",
            detail: "The order cannot be read from the platform's API at the moment. Send the request again."
                .to_owned(),
        }
    }

    /// The problem as a response.
    pub fn response(&self) -> Response<Body> {
        let document =
            ProblemDocument { status: self.status.as_u16(), title: self.title, detail: &self.detail };
        let mut response = with_body(self.status, "application/problem+json", &document);
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, header::HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        response
    }
}

/// An answer in JSON.
pub fn json(status: StatusCode, document: &impl Serialize) -> Response<Body> {
    with_body(status, "application/json", document)
}

fn with_body(status: StatusCode, content_type: &'static str, document: &impl Serialize) -> Response<Body> {
    let body = serde_json::to_string(document).unwrap_or_else(|_| "{}".to_owned());
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}
