//! The published vectors of each scheme, checked through a source as the handler does it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{at, headers, shared_data, source};
use crate::platform::Delivery;
use crate::signature::body_hmac;
use crate::sources::{Source, SourceDocument};

/// How many vectors there are of the schemes that we know; none may be lost on the way.
const VECTORS: [(&str, usize); 5] =
    [("standard-webhooks", 27), ("shopify", 14), ("square", 10), ("stripe", 8), ("hmac-sha256-hex", 3)];
/// The tolerance that we give; a vector that tells another one would have to be left out.
const TOLERANCE_SECONDS: i64 = 300;

#[derive(Deserialize)]
struct Vector {
    id: String,
    scheme: String,
    secret: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_repeat: Option<Repeat>,
    valid: bool,
    now: Option<i64>,
    tolerance_s: Option<i64>,
    url: Option<String>,
    note: String,
}

#[derive(Deserialize)]
struct Repeat {
    char: String,
    count: usize,
}

impl Vector {
    fn body(&self) -> Vec<u8> {
        let repeated = self.body_repeat.as_ref().map(|repeat| repeat.char.repeat(repeat.count));
        self.body.clone().or(repeated).unwrap().into_bytes()
    }

    fn is_accepted(&self) -> bool {
        let platform = match self.scheme.as_str() {
            "standard-webhooks" => "generic",
            "hmac-sha256-hex" => "adobe_commerce",
            scheme => scheme,
        };
        let document = serde_json::json!({
            "platform": platform,
            "secrets": [self.secret],
            "notification_url": self.url,
            // Square cannot do without one.
            "api": (platform == "square").then(|| serde_json::json!({"token": "a-token"})),
        });
        let document: SourceDocument = serde_json::from_value(document).unwrap();
        let Ok(verifier) = Source::new(&document) else { return false };
        let now = self.now.map_or_else(
            || at("2026-03-01T10:00:00Z"),
            |seconds| domain::Timestamp::from_second(seconds).unwrap(),
        );
        let named = |name: &str| if name == "digest" { "x-magento-signature" } else { name }.to_owned();
        let named: Vec<_> = self.headers.iter().map(|(name, value)| (named(name), value)).collect();
        let headers = headers(named.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let delivery = Delivery { source: &source("shop"), headers: &headers, body: &self.body(), now };
        verifier.verify(&delivery).is_ok()
    }
}

fn vectors() -> Option<Vec<Vector>> {
    let text = std::fs::read_to_string(shared_data()?.join("signature-vectors.json")).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// Its one vector has an empty secret. Such a source is refused, so the digest is checked by itself.
#[test]
fn the_digest_of_woocommerce_agrees_and_its_empty_secret_is_refused() {
    let Some(vectors) = vectors() else { return };
    let vector = vectors.iter().find(|vector| vector.scheme == "woocommerce").unwrap();
    assert!(vector.secret.is_empty() && vector.valid && !vector.is_accepted());
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"");
    let signature = &vector.headers["X-WC-Webhook-Signature"];
    assert_eq!(&body_hmac::sign(&key, &vector.body()), signature);
    assert!(body_hmac::verify(&key, signature, &vector.body()).is_ok());
}

#[test]
fn every_published_vector_agrees() {
    let Some(vectors) = vectors() else { return };
    for (scheme, count) in VECTORS {
        let of_scheme: Vec<_> = vectors.iter().filter(|vector| vector.scheme == scheme).collect();
        assert!(of_scheme.len() >= count, "{scheme}: {} vectors", of_scheme.len());
        for vector in of_scheme {
            assert!(
                vector.tolerance_s.is_none_or(|tolerance| tolerance == TOLERANCE_SECONDS),
                "{}",
                vector.id
            );
            assert_eq!(vector.is_accepted(), vector.valid, "{}: {}", vector.id, vector.note);
        }
    }
}
