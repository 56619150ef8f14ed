//! What tells a person from others beside a platform's identifier and an e-mail: a phone number, a card. Like every
//! contact they are never printed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{IdError, check, is_printable};

/// The fewest digits with which a number could be somebody's: a country's code, and a subscriber's number.
const MIN_PHONE_DIGITS: usize = 5;
/// The most digits of a number (ITU-T E.164, section 6.2.1).
const MAX_PHONE_DIGITS: usize = 15;

/// A phone number as it is dialled from everywhere: `+`, the country's code, and no other character than digits
/// (E.164). It is whose the source says; no platform verifies it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// A text that is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no phone number as it is dialled from everywhere, such as +33612345678 (E.164)")]
pub struct NoPhone;

impl Phone {
    /// Checks and wraps a number that is in its form already.
    pub fn new(text: impl Into<String>) -> Result<Self, NoPhone> {
        let text = text.into();
        let digits = text.strip_prefix('+').ok_or(NoPhone)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        let has_length = (MIN_PHONE_DIGITS..=MAX_PHONE_DIGITS).contains(&digits.len());
        if is_number && has_length { Ok(Self(text)) } else { Err(NoPhone) }
    }

    /// The number, with its `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Phone {
    type Error = NoPhone;
    fn try_from(text: String) -> Result<Self, NoPhone> {
        Self::new(text)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// A platform's own name for a payment card, the same at every payment with it. What stands behind it only the platform
/// knows, so it means nothing at another source.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CardFingerprint(String);

impl CardFingerprint {
    /// Checks and wraps a text.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        let text = text.into();
        check(&text, is_printable)?;
        Ok(Self(text))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CardFingerprint {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl From<CardFingerprint> for String {
    fn from(card: CardFingerprint) -> Self {
        card.0
    }
}

impl fmt::Debug for CardFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardFingerprint(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_a_plus_and_digits() {
        assert_eq!(Phone::new("+33612345678").unwrap().as_str(), "+33612345678");
        for text in
            ["", "+", "33612345678", "+0612345678", "+1234", "+1234567890123456", "+33 6", "+3361234567٣"]
        {
            assert_eq!(Phone::new(text), Err(NoPhone), "{text}");
        }
    }

    #[test]
    fn neither_a_number_nor_a_card_is_ever_printed() {
        let (phone, card) = (Phone::new("+33612345678"), CardFingerprint::new("ZoVSX2dK5igWt2SB"));
        assert_eq!(format!("{phone:?} {card:?}"), "Ok(Phone(…)) Ok(CardFingerprint(…))");
    }
}
