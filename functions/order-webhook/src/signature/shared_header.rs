//! No signature: a header that carries the secret itself, as a platform repeats it with every delivery. It says who
//! sends, and nothing of what is sent.

use ring::hmac;

use super::Refusal;

/// What both sides sign; any text will do.
const MESSAGE: &[u8] = b"laurel";

/// Whether the header holds the key's secret. Two digests are compared, so it takes as long whatever is sent.
pub(crate) fn verify(key: &hmac::Key, sent: &str) -> Result<(), Refusal> {
    let sent = hmac::Key::new(hmac::HMAC_SHA256, sent.as_bytes());
    let digest = hmac::sign(&sent, MESSAGE);
    hmac::verify(key, MESSAGE, digest.as_ref()).map_err(|_| Refusal::Header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::body_hmac;

    #[test]
    fn only_the_secret_itself_opens() {
        let key = body_hmac::key("a-secret").unwrap();
        assert_eq!(verify(&key, "a-secret"), Ok(()));
        for other in ["", "a-secre", "a-secret ", "A-secret", "another"] {
            assert_eq!(verify(&key, other), Err(Refusal::Header), "{other}");
        }
    }
}
