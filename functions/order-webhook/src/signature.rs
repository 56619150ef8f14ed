//! Signature schemes. Each works on the raw bytes, compares in constant time, and knows nothing of JSON.

pub(crate) mod body_hmac;
pub(crate) mod public_key;
pub(crate) mod shared_header;
pub(crate) mod standard_webhooks;
pub(crate) mod timed_hmac;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes of an HMAC-SHA256.
const DIGEST_BYTES: usize = 32;

/// Why a delivery is not believed. It says what is wrong with the request, never what would have been right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// A header that the scheme needs is not there.
    #[error("The header {0} is missing.")]
    Missing(&'static str),
    /// The timestamp is no integer.
    #[error("The timestamp is not a whole number of seconds since 1970.")]
    Timestamp,
    /// The timestamp is too far from our clock.
    #[error("The timestamp is more than {0} seconds from now; sign the request again.")]
    Stale(i64),
    /// It is signed, and for somebody else.
    #[error("The event is for another client; check the source's client_id.")]
    Recipient,
    /// None of the signatures is ours.
    #[error("The signature does not match; check the source's secret, and sign the raw body.")]
    Mismatch,
    /// The header that carries the secret is not there, or carries another one.
    #[error("The header that carries the source's secret is missing or wrong; check the webhook's headers.")]
    Header,
}

/// Why a secret cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// It would let everybody in.
    #[error("a secret is empty")]
    Empty,
    /// Standard Webhooks secrets are base64.
    #[error("a secret is not base64 (after whsec_)")]
    Encoding,
}

/// A digest as it stands in a header; anything of another length cannot be one.
fn digest(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok().filter(|digest| digest.len() == DIGEST_BYTES)
}

/// As [`digest`], written in hexadecimal digits.
fn hex_digest(text: &str) -> Option<Vec<u8>> {
    if text.len() != 2 * DIGEST_BYTES || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |start| u8::from_str_radix(text.get(start..start + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
