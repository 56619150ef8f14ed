//! The address of a webhook: `/webhooks/{source}`, or `/webhooks/{source}/{key}` where a source has a key in its
//! address that nobody can guess.

use std::fmt;

use domain::SourceName;
use ring::hmac;
use serde::Deserialize;

/// The path segment before the source's name.
const ROUTE: &str = "webhooks";
/// Shorter ones can be guessed.
const MIN_KEY_BYTES: usize = 16;
/// Longer ones make nothing safer.
const MAX_KEY_BYTES: usize = 128;

/// Where a delivery came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    pub(crate) source: SourceName,
    pub(crate) key: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// Reads the last segments of a path; what stands before `webhooks` may be a stage.
    pub(crate) fn of(path: &'a str) -> Option<Self> {
        let mut segments = path.trim_matches('/').split('/').skip_while(|segment| *segment != ROUTE).skip(1);
        let source = SourceName::new(segments.next()?).ok()?;
        let key = segments.next();
        segments.next().is_none().then_some(Self { source, key })
    }
}

/// The part of an address that nobody can guess.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AddressKey(String);

impl AddressKey {
    /// Whether this is it, in a time that does not tell how much of it is right.
    pub(crate) fn is(&self, told: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        hmac::verify(&key, told.as_bytes(), hmac::sign(&key, self.0.as_bytes()).as_ref()).is_ok()
    }
}

impl TryFrom<String> for AddressKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (MIN_KEY_BYTES..=MAX_KEY_BYTES).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Self(text))
        } else {
            Err("must be 16 to 128 letters, digits, - and _")
        }
    }
}

/// Never shown.
impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressKey")
    }
}

/// The address to which a source's platform sends.
pub fn path_of(source: &SourceName) -> String {
    format!("/{ROUTE}/{source}")
}

/// The same with the source's key.
pub(crate) fn path_with(source: &SourceName, key: Option<&AddressKey>) -> String {
    key.map_or_else(|| path_of(source), |key| format!("/{ROUTE}/{source}/{}", key.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_source_and_perhaps_its_key() {
        let shop = SourceName::new("shop").unwrap();
        let of = |path: &'static str| Address::of(path).map(|address| (address.source, address.key));
        assert_eq!(of("/webhooks/shop"), Some((shop.clone(), None)));
        assert_eq!(of("/prod/webhooks/shop/"), Some((shop.clone(), None)));
        assert_eq!(of("/webhooks/shop/k"), Some((shop, Some("k"))));
        for path in
            ["/", "/webhooks", "/webhooks/", "/webhooks/a b", "/webhooks/shop/k/more", "/members/shop"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn a_key_that_can_be_guessed_is_refused() {
        let key = |text: &str| AddressKey::try_from(text.to_owned());
        assert!(key("0123456789abcdef").unwrap().is("0123456789abcdef"));
        assert!(!key("0123456789abcdef").unwrap().is("0123456789abcdeF"));
        for bad in ["", "short", "0123456789abcde/", &"x".repeat(129)] {
            assert!(key(bad).is_err(), "{bad}");
        }
    }
}
