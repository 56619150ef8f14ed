//! A webhook's event signed anew, because a signature with a time stamp is good for five minutes and a sample event
//! is years old.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::SourceName;
use jiff::Timestamp;
use order_webhook::Sources;
use serde_json::Value;

/// Why an event cannot be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    /// It is no JSON.
    #[error("the event cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is not one of a webhook.
    #[error("the event has no {0}; only a webhook's event can be signed")]
    NoWebhook(&'static str),
    /// It is of another kind than a request over HTTP.
    #[error("the event is no request over HTTP; streams and schedules are the stack's own to send")]
    NoRequest,
    /// Nobody has its secret.
    #[error("the sources' file has no source {0}, or no secret of it: then its platform alone can sign")]
    UnknownSource(String),
}

/// The event with the headers that its source would send now; what came unsigned stays so. `id` names the delivery where the scheme wants a name.
pub(crate) fn signed(
    event: &[u8],
    sources: &Sources,
    id: &str,
    now: Timestamp,
) -> Result<String, SigningError> {
    let mut event: Value = serde_json::from_slice(event)?;
    let source = event.pointer("/pathParameters/source").and_then(Value::as_str);
    let source = source.ok_or(SigningError::NoWebhook("pathParameters.source"))?;
    let unknown = || SigningError::UnknownSource(source.to_owned());
    let name = SourceName::new(source).map_err(|_| unknown())?;
    let body = body(&event).ok_or(SigningError::NoWebhook("body"))?;
    let signature = sources.sign(&name, id, now, &body).ok_or_else(unknown)?;
    let headers = event.get_mut("headers").and_then(Value::as_object_mut);
    let headers = headers.ok_or(SigningError::NoWebhook("headers"))?;
    let is_signed = |name: &str| headers.keys().any(|known| known.eq_ignore_ascii_case(name));
    if !signature.iter().any(|(name, _)| is_signed(name)) {
        // A platform's ping, say, comes without.
        return Ok(serde_json::to_string_pretty(&event)?);
    }
    for (name, value) in signature {
        // API Gateway writes names in lower case, as we do; another spelling would be a second header.
        headers.retain(|known, _| !known.eq_ignore_ascii_case(name));
        headers.insert(name.to_owned(), Value::from(value));
    }
    Ok(serde_json::to_string_pretty(&event)?)
}

/// A request that an event of API Gateway's tells of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The request behind an event. A webhook of a source whose secret is known is signed for now; what nobody signs, or
/// only the platform itself can, is sent as it is.
pub(crate) fn request(
    event: &[u8],
    sources: &Sources,
    id: &str,
    now: Timestamp,
) -> Result<Request, SigningError> {
    let signed = match signed(event, sources, id, now) {
        Ok(signed) => signed.into_bytes(),
        Err(SigningError::NoWebhook(_) | SigningError::UnknownSource(_)) => event.to_vec(),
        Err(error) => return Err(error),
    };
    let event: Value = serde_json::from_slice(&signed)?;
    let text = |pointer: &'static str| event.pointer(pointer).and_then(Value::as_str);
    let method = text("/requestContext/http/method").ok_or(SigningError::NoRequest)?.to_owned();
    let path = text("/rawPath").ok_or(SigningError::NoRequest)?;
    let query = text("/rawQueryString").filter(|query| !query.is_empty());
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let headers = event.get("headers").and_then(Value::as_object).into_iter().flatten();
    let headers = headers.filter(|(name, _)| !OURS_TO_SAY.contains(&name.to_ascii_lowercase().as_str()));
    let headers = headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Ok(Request { method, target, headers: headers.collect(), body: body(&event).unwrap_or_default() })
}

/// What whoever sends a request says by itself.
const OURS_TO_SAY: [&str; 4] = ["host", "content-length", "connection", "x-forwarded-for"];

fn body(event: &Value) -> Option<Vec<u8>> {
    let body = event.get("body")?.as_str()?;
    match event.get("isBase64Encoded").and_then(Value::as_bool) {
        Some(true) => STANDARD.decode(body).ok(),
        _ => Some(body.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = include_str!("../../events/order-webhook/generic-order-paid.json");
    const SOURCES: &str = include_str!("../sources.toml");

    #[test]
    fn a_stale_event_gets_the_signature_of_now_and_stays_otherwise_as_it_was() {
        let sources = Sources::from_toml(SOURCES).unwrap();
        let now = "2027-05-01T12:00:00Z".parse().unwrap();
        let signed: Value =
            serde_json::from_str(&signed(EVENT.as_bytes(), &sources, "delivery-1", now).unwrap()).unwrap();
        let before: Value = serde_json::from_str(EVENT).unwrap();
        assert_eq!(signed["headers"]["webhook-timestamp"], now.as_second().to_string());
        assert_ne!(signed["headers"]["webhook-signature"], before["headers"]["webhook-signature"]);
        assert_eq!(signed["body"], before["body"]);
        assert_eq!(
            signed["headers"].as_object().unwrap().len(),
            before["headers"].as_object().unwrap().len()
        );
    }

    #[test]
    fn every_sample_request_can_be_sent_and_other_events_say_why_not() {
        let sources = Sources::from_toml(SOURCES).unwrap();
        let now = "2027-05-01T12:00:00Z".parse().unwrap();
        let webhook = request(EVENT.as_bytes(), &sources, "delivery-1", now).unwrap();
        assert_eq!((webhook.method.as_str(), webhook.target.as_str()), ("POST", "/webhooks/generic-main"));
        let stamp = ("webhook-timestamp".to_owned(), now.as_second().to_string());
        assert!(webhook.headers.contains(&stamp) && !webhook.body.is_empty());
        let find = include_bytes!("../../events/member-api/find-member.json");
        let find = request(find, &sources, "delivery-1", now).unwrap();
        assert!(find.target.starts_with("/members?"), "{}", find.target);
        let hourly = include_bytes!("../../events/tier-review/hourly.json");
        let refused = request(hourly, &sources, "delivery-1", now).unwrap_err();
        assert!(refused.to_string().starts_with("the event is no request over HTTP"), "{refused}");
    }

    #[test]
    fn an_event_that_is_no_webhook_is_refused() {
        let sources = Sources::from_toml(SOURCES).unwrap();
        let error = signed(b"{}", &sources, "delivery-1", Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the event has no pathParameters.source; only a webhook's event can be signed"
        );
    }
}
