//! API Gateway on one's own machine: the template's routes, each request turned into the JSON event of an HTTP API
//! (payload version 2.0), each answer turned back.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::functions::Functions;
use crate::problem::{self, Answer};
use crate::template::{Route, Template};

/// API Gateway's own limit.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// What functions see as the host. A made-up one, because theirs is not the caller's to choose.
const DOMAIN: &str = "localhost";

/// The routes and the functions behind them.
#[derive(Debug, Clone)]
pub struct Gateway {
    routes: Vec<(Route, String)>,
    functions: Functions,
}

impl Gateway {
    /// The routes of a template.
    pub fn new(template: &Template, functions: Functions) -> Self {
        let mut routes: Vec<_> = template
            .functions
            .values()
            .flat_map(|function| function.routes.iter().map(|route| (route.clone(), function.id.clone())))
            .collect();
        routes.sort_by(|(a, _), (b, _)| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
        Self { routes, functions }
    }

    /// The routes, such as `GET /members/{member}`.
    pub fn routes(&self) -> Vec<String> {
        self.routes.iter().map(|(route, _)| format!("{} {}", route.method, route.path)).collect()
    }

    /// Answers a request.
    pub async fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Answer {
        // An HTTP API decodes the whole path before it looks for a route, so an encoded slash ends a segment too.
        let path = percent_decoded(uri.path());
        let Some((route, function, parameters)) = self.route(method, &path) else {
            let detail = format!("There is no {method} {path}. There is: {}.", self.routes().join(", "));
            return problem::answer(StatusCode::NOT_FOUND, "Not found", &detail);
        };
        let event = event(route, &parameters, &Asked { method, path: &path, uri, headers, body });
        match self.functions.invoke(function, event.to_string()).await {
            Ok(answer) => response(&answer),
            Err(error) => {
                tracing::error!(function, %error, "an invocation failed");
                problem::answer(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Internal error",
                    "The function failed; see the log.",
                )
            }
        }
    }

    fn route(&self, method: &Method, path: &str) -> Option<(&Route, &str, BTreeMap<String, String>)> {
        self.routes
            .iter()
            .filter(|(route, _)| route.method == method.as_str())
            .filter_map(|(route, function)| Some((route, function.as_str(), parameters(&route.path, path)?)))
            // The route with the fewest parameters is the most exact.
            .min_by_key(|(_, _, parameters)| parameters.len())
    }
}

/// A request, and its path decoded.
struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

/// The path's parameters when it fits the route.
fn parameters(route: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (mut expected, mut given) = (route.split('/'), path.split('/'));
    let mut parameters = BTreeMap::new();
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return Some(parameters),
            (Some(expected), Some(given)) => {
                match expected.strip_prefix('{').and_then(|e| e.strip_suffix('}')) {
                    Some(name) if !given.is_empty() => {
                        parameters.insert(name.to_owned(), given.to_owned());
                    }
                    None if expected == given => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

fn percent_decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

fn event(route: &Route, parameters: &BTreeMap<String, String>, asked: &Asked<'_>) -> Value {
    let Asked { method, path, uri, headers, body } = *asked;
    let route_key = format!("{} {}", route.method, route.path);
    let query = uri.query().unwrap_or_default();
    let (body, is_base64_encoded) = encoded(headers, body);
    let now = jiff::Timestamp::now();
    json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": event_headers(headers),
        "queryStringParameters": query_parameters(query),
        "pathParameters": parameters,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": DOMAIN,
            "domainPrefix": DOMAIN,
            "http": {
                "method": method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default(),
            },
            "requestId": now.as_nanosecond().to_string(),
            "routeKey": route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "body": body,
        "isBase64Encoded": is_base64_encoded,
    })
}

/// As text where the type says so, else in base64, as API Gateway does it.
fn encoded(headers: &HeaderMap, body: &[u8]) -> (String, bool) {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = ["text/", "application/json", "application/javascript", "application/xml"]
        .iter()
        .any(|known| content_type.starts_with(known));
    match std::str::from_utf8(body) {
        Ok(text) if is_text => (text.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    }
}

fn event_headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            all.entry(name.as_str()).or_default().push(value);
        }
    }
    // The gateway's to say, whatever the caller claims.
    all.insert("host", vec![DOMAIN]);
    all.insert("x-forwarded-proto", vec!["http"]);
    all.insert("x-forwarded-for", vec!["127.0.0.1"]);
    all.into_iter().map(|(name, values)| (name.to_owned(), Value::from(values.join(",")))).collect()
}

fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// What a function answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionAnswer {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

fn response(answer: &str) -> Answer {
    read(answer).unwrap_or_else(|| {
        problem::answer(StatusCode::BAD_GATEWAY, "Bad gateway", "The function's answer is no HTTP response.")
    })
}

fn read(answer: &str) -> Option<Answer> {
    let answer: FunctionAnswer = serde_json::from_str(answer).ok()?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded { STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status_code).ok()?;
    for (name, value) in answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        response.headers_mut().insert(name, HeaderValue::from_str(&value).ok()?);
    }
    Some(response)
}
