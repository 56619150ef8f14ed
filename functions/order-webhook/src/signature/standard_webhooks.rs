//! The Standard Webhooks scheme: HMAC-SHA256 of `{id}.{timestamp}.{body}`, several signatures in one header, and a
//! time stamp that must be near. See <https://www.standardwebhooks.com>.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use domain::Timestamp;
use ring::hmac;

use super::{BadSecret, Refusal, digest};
use crate::platform::Delivery;

/// Seconds that a time stamp may lie before or after our clock; the specification's own value.
const TOLERANCE_SECONDS: i64 = 300;
/// Signatures that we look at. A sender that rotates its secret sends two; each costs a hash of the whole body.
const MAX_SIGNATURES: usize = 8;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
/// The names before the scheme became a standard; many senders still use them.
const OLDER_NAMES: [(&str, &str); 3] =
    [(ID, "svix-id"), (TIMESTAMP, "svix-timestamp"), (SIGNATURE, "svix-signature")];

/// Secrets are written with or without padding.
const SECRETS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key of a secret: base64, mostly after `whsec_`.
pub(crate) fn key(secret: &str) -> Result<hmac::Key, BadSecret> {
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    let bytes = SECRETS.decode(encoded).map_err(|_| BadSecret::Encoding)?;
    if bytes.is_empty() {
        return Err(BadSecret::Empty);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// Whether the key signed this delivery, not long ago.
pub(crate) fn verify(key: &hmac::Key, delivery: &Delivery<'_>) -> Result<(), Refusal> {
    let id = header(delivery, ID)?;
    let timestamp = header(delivery, TIMESTAMP)?;
    let signatures = header(delivery, SIGNATURE)?;
    let signed_at = signed_at(delivery)?;
    if signed_at.as_second().abs_diff(delivery.now.as_second()) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(Refusal::Stale(TOLERANCE_SECONDS));
    }
    let message = message(id, timestamp, delivery.body);
    signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .take(MAX_SIGNATURES)
        .filter_map(digest)
        .any(|digest| hmac::verify(key, &message, &digest).is_ok())
        .then_some(())
        .ok_or(Refusal::Mismatch)
}

/// When the sender signed.
pub(crate) fn signed_at(delivery: &Delivery<'_>) -> Result<Timestamp, Refusal> {
    let text = header(delivery, TIMESTAMP)?;
    // `parse` alone would take a sign, of which the scheme knows nothing.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Timestamp);
    }
    let seconds = text.parse().map_err(|_| Refusal::Timestamp)?;
    Timestamp::from_second(seconds).map_err(|_| Refusal::Timestamp)
}

/// The headers that sign a body.
pub(crate) fn sign(key: &hmac::Key, id: &str, at: Timestamp, body: &[u8]) -> Vec<(&'static str, String)> {
    let timestamp = at.as_second().to_string();
    let signature = STANDARD.encode(hmac::sign(key, &message(id, &timestamp, body)));
    vec![(ID, id.to_owned()), (TIMESTAMP, timestamp), (SIGNATURE, format!("v1,{signature}"))]
}

fn message(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

fn header<'a>(delivery: &Delivery<'a>, name: &'static str) -> Result<&'a str, Refusal> {
    let older = OLDER_NAMES.iter().find(|(new, _)| *new == name).map(|(_, older)| *older);
    delivery
        .header(name)
        .or_else(|| older.and_then(|older| delivery.header(older)))
        .ok_or(Refusal::Missing(name))
}
