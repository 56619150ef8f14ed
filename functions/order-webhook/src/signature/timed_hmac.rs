//! Stripe's scheme: a header `t={seconds},v1={digest}`, where the digest is the hexadecimal HMAC-SHA256 of
//! `{seconds}.{body}`. While a secret is being rotated there are several `v1`; `v0` is of test mode and proves nothing.

use domain::Timestamp;
use ring::hmac;

use super::{Refusal, hex, hex_digest};

/// Seconds that a time stamp may lie before or after our clock; what Stripe's own libraries allow.
const TOLERANCE_SECONDS: i64 = 300;
/// Signatures that we look at: one for each secret of an endpoint, with room. Each costs a hash of the whole body.
const MAX_SIGNATURES: usize = 8;

/// Whether the key signed this body, not long ago.
pub(crate) fn verify(key: &hmac::Key, header: &str, body: &[u8], now: Timestamp) -> Result<(), Refusal> {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let (_, seconds) = parts().find(|(name, _)| *name == "t").ok_or(Refusal::Timestamp)?;
    let signed_at = seconds_since_1970(seconds).ok_or(Refusal::Timestamp)?;
    if signed_at.abs_diff(now.as_second()) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(Refusal::Stale(TOLERANCE_SECONDS));
    }
    let message = message(seconds, body);
    parts()
        .filter(|(name, _)| *name == "v1")
        .take(MAX_SIGNATURES)
        .filter_map(|(_, digest)| hex_digest(digest))
        .any(|digest| hmac::verify(key, &message, &digest).is_ok())
        .then_some(())
        .ok_or(Refusal::Mismatch)
}

/// The header that signs a body.
pub(crate) fn sign(key: &hmac::Key, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.as_second().to_string();
    let digest = hex(hmac::sign(key, &message(&seconds, body)).as_ref());
    format!("t={seconds},v1={digest}")
}

fn message(seconds: &str, body: &[u8]) -> Vec<u8> {
    [seconds.as_bytes(), b".", body].concat()
}

fn seconds_since_1970(text: &str) -> Option<i64> {
    // `parse` alone would take a sign, of which the scheme knows nothing.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
