//! Requests and answers of an HTTP API of API Gateway, payload version 2.0, without anything that could end the
//! process: what a stranger sends becomes a request or an answer of 400.
//!
//! `lambda_http` has a mapping of its own, which builds an address with `expect`; a quotation mark in a query is enough
//! for that to fail.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;

use lambda_http::aws_lambda_events::encodings::Body;
use lambda_http::http::uri::PathAndQuery;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use lambda_http::{Context, Error, Request, RequestExt as _};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

use crate::answer::Problem;
use crate::panics::caught;

/// A request as API Gateway hands it over. Fields that are not used are not read, and none is required: what is missing
/// is the request's fault, and is answered as such.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpEvent {
    route_key: Option<String>,
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    headers: HashMap<String, String>,
    path_parameters: Option<HashMap<String, String>>,
    request_context: RequestContext,
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RequestContext {
    http: HttpContext,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HttpContext {
    method: String,
}

/// An answer as API Gateway wants it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpAnswer {
    status_code: u16,
    headers: HashMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

/// Runs a function behind the HTTP API: every event goes to `handle` as a request.
pub async fn run<F, Fut, E>(handle: F) -> Result<(), Error>
where
    F: Fn(Request) -> Fut,
    Fut: Future<Output = Result<Response<Body>, E>>,
    E: fmt::Display,
{
    let handle = &handle;
    let serve =
        move |event: LambdaEvent<HttpEvent>| async move { Ok::<_, Error>(answer(event, handle).await) };
    lambda_runtime::run(service_fn(serve)).await
}

/// Answers one event. Whatever goes wrong on the way is an answer too, also a panic of the handler's.
pub async fn answer<F, Fut, E>(event: LambdaEvent<HttpEvent>, handle: F) -> HttpAnswer
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Result<Response<Body>, E>>,
    E: fmt::Display,
{
    let LambdaEvent { payload, context } = event;
    let request = match payload.into_request(context) {
        Ok(request) => request,
        Err(problem) => return HttpAnswer::of(problem.response()),
    };
    // Boxed: the type of a handler's whole way is too deep for the compiler to lay out at once.
    let response = match caught(Box::pin(async { handle(request).await })).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(%error, "a request was not answered");
            Problem::internal().response()
        }
        Err(panicked) => {
            tracing::error!(error = %panicked, "a request was not answered");
            Problem::internal().response()
        }
    };
    HttpAnswer::of(response)
}

impl HttpEvent {
    fn into_request(self, context: Context) -> Result<Request, Problem> {
        let method = Method::from_bytes(self.request_context.http.method.as_bytes())
            .map_err(|_| Problem::bad_request("The request names no method."))?;
        let uri = self.uri()?;
        let body = match (self.body, self.is_base64_encoded) {
            (None, _) => Body::Empty,
            (Some(text), false) => Body::Text(text),
            (Some(text), true) => Body::Binary(
                base64_decoded(&text).ok_or_else(|| Problem::bad_request("The body is not base64."))?,
            ),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = header_map(&self.headers);
        Ok(request.with_lambda_context(context))
    }

    /// The address, as the caller wrote it or would have had to: HTTP APIs hand the path over decoded, so it is put
    /// together again from the route and its parameters. Whoever reads it decodes once.
    fn uri(&self) -> Result<Uri, Problem> {
        let mut address = String::from("/");
        for (index, segment) in self.segments().enumerate() {
            if index > 0 {
                address.push('/');
            }
            push_encoded(&mut address, segment, is_path_byte);
        }
        if let Some(query) = self.raw_query_string.as_deref().filter(|query| !query.is_empty()) {
            address.push('?');
            // A query stays encoded; only what cannot stand in one is encoded here.
            push_encoded(&mut address, query, is_query_byte);
        }
        PathAndQuery::try_from(address)
            .map(Uri::from)
            .map_err(|_| Problem::bad_request("The address cannot be read."))
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        let route = self.route_key.as_deref().and_then(|route| route.split_once(' ')).map(|(_, path)| path);
        let parameters = self.path_parameters.as_ref();
        let path = match (route, parameters) {
            (Some(route), Some(_)) => route,
            _ => self.raw_path.as_deref().unwrap_or_default(),
        };
        path.strip_prefix('/').unwrap_or(path).split('/').map(move |segment| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name.and_then(|name| parameters?.get(name)).map_or(segment, String::as_str)
        })
    }
}

/// What may stand in a segment as it is (RFC 3986, section 3.3).
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// What may stand in a query as it is (RFC 3986, section 3.4), and the sign of what is encoded already.
fn is_query_byte(byte: u8) -> bool {
    is_path_byte(byte) || b"/?%".contains(&byte)
}

fn push_encoded(address: &mut String, text: &str, stays: impl Fn(u8) -> bool) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if stays(byte) {
            address.push(char::from(byte));
        } else {
            address.push('%');
            address.push(char::from(DIGITS[usize::from(byte >> 4)]));
            address.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// A header that is none is left out: a signature in it would not be found, and the delivery refused.
fn header_map(headers: &HashMap<String, String>) -> HeaderMap {
    let read = |(name, value): (&String, &String)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    headers.iter().filter_map(read).collect()
}

fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

impl HttpAnswer {
    /// Our answers are texts.
    fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let headers = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        let body = match body {
            Body::Empty => String::new(),
            Body::Text(text) => text,
            other => String::from_utf8_lossy(&other).into_owned(),
        };
        Self {
            status_code: parts.status.as_u16(),
            headers: headers.collect(),
            body,
            is_base64_encoded: false,
        }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status_code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

#[cfg(test)]
mod tests;
