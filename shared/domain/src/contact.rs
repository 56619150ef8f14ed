//! How people are written to, tidied where it enters: by a platform, by the shop's back end, or in a file.

use serde::Deserialize;

/// The longest address that mail can be sent to (RFC 5321).
const MAX_EMAIL_BYTES: usize = 254;
/// What we keep of a name; the shops' own fields hold 255 characters.
const MAX_NAME_CHARACTERS: usize = 255;
/// The longest language tag worth keeping (RFC 5646, section 4.4.1).
const MAX_LOCALE_BYTES: usize = 35;

/// An e-mail address, lower case.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Email(String);

/// A text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an e-mail address")]
pub struct NotAnAddress;

impl Email {
    /// Checks a text and tidies it.
    pub fn new(text: &str) -> Result<Self, NotAnAddress> {
        let address = text.trim();
        let parts = address.rsplit_once('@');
        let is_address = parts.is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
        let is_plain = !address.chars().any(|c| c.is_control() || c.is_whitespace());
        if !is_address || !is_plain || address.len() > MAX_EMAIL_BYTES {
            return Err(NotAnAddress);
        }
        Ok(Self(address.to_lowercase()))
    }
}

impl TryFrom<String> for Email {
    type Error = NotAnAddress;
    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        Self::new(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// Addresses are never printed.
impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(…)")
    }
}

/// What is kept of a name; nothing of an empty one.
pub fn name(text: &str) -> Option<String> {
    let name: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARACTERS).collect();
    Some(name).filter(|name| !name.is_empty())
}

/// A language tag as it is kept, `pt-BR` for `pt_BR`; nothing of a text that is none.
pub fn locale(text: &str) -> Option<String> {
    let tag = text.trim().replace('_', "-");
    let is_tag =
        tag.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    (is_tag && tag.len() <= MAX_LOCALE_BYTES).then_some(tag)
}
