//! An HMAC-SHA256 of the raw body in one header, in base64 as Shopify and others send it, or in hexadecimal digits. No
//! time stamp: an old delivery sent again is only a duplicate to us.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use super::{BadSecret, Refusal, digest, hex, hex_digest};

/// The key of a secret: its bytes as they are.
pub(crate) fn key(secret: &str) -> Result<hmac::Key, BadSecret> {
    if secret.is_empty() {
        return Err(BadSecret::Empty);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
}

/// Whether the key signed this body.
pub(crate) fn verify(key: &hmac::Key, signature: &str, body: &[u8]) -> Result<(), Refusal> {
    let digest = digest(signature).ok_or(Refusal::Mismatch)?;
    hmac::verify(key, body, &digest).map_err(|_| Refusal::Mismatch)
}

/// The signature of a body.
pub(crate) fn sign(key: &hmac::Key, body: &[u8]) -> String {
    STANDARD.encode(hmac::sign(key, body))
}

/// As [`verify`], of a signature in hexadecimal digits.
pub(crate) fn verify_hex(key: &hmac::Key, signature: &str, body: &[u8]) -> Result<(), Refusal> {
    let digest = hex_digest(signature).ok_or(Refusal::Mismatch)?;
    hmac::verify(key, body, &digest).map_err(|_| Refusal::Mismatch)
}

/// As [`sign`], in hexadecimal digits.
pub(crate) fn sign_hex(key: &hmac::Key, body: &[u8]) -> String {
    hex(hmac::sign(key, body).as_ref())
}
