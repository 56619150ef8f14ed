//! RSA signatures with SHA-256 of the raw body, by a key whose public half is known.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
/// What says, in a public key's DER, that it is one of RSA (RFC 3279, section 2.3.1).
const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// The public half of a platform's key.
#[derive(Clone)]
pub(crate) struct PublicKey(UnparsedPublicKey<Vec<u8>>);

impl PublicKey {
    /// Reads a public key of RSA as PEM; nothing if it is none.
    pub(crate) fn from_pem(pem: &str) -> Option<Self> {
        let encoded = pem.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
        let encoded: String = encoded.split_ascii_whitespace().collect();
        let der = STANDARD.decode(encoded).ok()?;
        let (content, []) = element(SEQUENCE, &der)? else { return None };
        let (key, []) = element(BIT_STRING, content.strip_prefix(&RSA)?)? else { return None };
        // The first byte counts the bits that are not used; a key has none. The rest is the key as `ring` wants it.
        let key = key.strip_prefix(&[0])?;
        element(SEQUENCE, key)?;
        Some(Self(UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.to_vec())))
    }

    /// Whether this key's other half made the signature, which is base64, of a body.
    pub(crate) fn has_signed(&self, body: &[u8], signature: &str) -> bool {
        STANDARD.decode(signature).is_ok_and(|signature| self.0.verify(body, &signature).is_ok())
    }
}

/// The content of the DER element that the bytes begin with, and what follows it.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x0f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        // A key of RSA has at most a thousand bytes.
        _ => return None,
    };
    if found != tag { None } else { rest.split_at_checked(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_public_key_of_rsa_is_none() {
        for der in
            [vec![], vec![SEQUENCE], vec![SEQUENCE, 0x83, 1, 1, 1], [&[SEQUENCE, 15][..], &RSA].concat()]
        {
            let pem = format!("{BEGIN}\n{}\n{END}", STANDARD.encode(der));
            assert!(PublicKey::from_pem(&pem).is_none(), "{pem}");
        }
        assert!(PublicKey::from_pem("private").is_none());
        assert!(PublicKey::from_pem(&format!("{BEGIN}\n?\n{END}")).is_none());
    }
}
