//! Identifiers, each with a type of its own, checked where it enters.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::entropy;

/// The longest identifier we take from outside, in bytes: DynamoDB's key allows 1,024 for a whole sort key, and
/// a journal key holds an instant, a source and one identifier.
pub const MAX_ID_BYTES: usize = 200;

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// Longer than [`MAX_ID_BYTES`].
    #[error("is longer than {MAX_ID_BYTES} bytes")]
    TooLong,
    /// A control character, or one that this identifier does not allow.
    #[error("has a character that is not allowed")]
    BadCharacter,
}

pub(crate) fn check(text: &str, allowed: impl Fn(char) -> bool) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_ID_BYTES {
        return Err(IdError::TooLong);
    }
    if !text.chars().all(allowed) {
        return Err(IdError::BadCharacter);
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a text.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                check(&text, $allowed)?;
                Ok(Self(text))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

fn is_slug(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

pub(crate) fn is_printable(c: char) -> bool {
    !c.is_control()
}

id!(/// A member of the programme: ours, random, without meaning.
    MemberId, is_slug);
id!(/// One connected shop or sender, as it stands in the webhook's address.
    SourceName, is_slug);
id!(/// A customer's identifier at a source.
    CustomerId, is_printable);
id!(/// A refund's identifier at a source.
    RefundId, is_printable);
id!(/// A rating of a member, named by whoever collects them.
    RatingId, is_printable);
id!(/// Who rated, so that one rater can be told from another; a digest, so that nobody can be found by it.
    RaterId, is_slug);
id!(/// A member's device, named by the shop's app.
    DeviceId, is_slug);
id!(/// One erasure of a person: ours, random, without meaning.
    ErasureId, is_slug);
id!(/// A reward of the programme.
    RewardId, is_slug);
id!(/// A tier level of the programme.
    LevelId, is_slug);
id!(/// An order as the whole engine names it, `{source}#{platform order id}`; see [`OrderKey::of_order`].
    OrderKey, is_printable);
id!(/// An operator's request, named by whoever asks, so that asking twice is asking once.
    RequestId, is_printable);
id!(/// Why an operator gave points, in a few words that name nobody: the journal keeps them for ever.
    Reason, is_printable);
id!(/// A coupon's code as it is shown and typed: upper case, groups joined by dashes.
    CouponCode, is_slug);

/// Before the digest that names a refund of an imported file that has no identifier of its own.
const IMPORTED: &str = "import-";

impl RefundId {
    /// The identifier of a refund that an imported file tells without one: it follows from what the row says.
    pub fn of_imported_row(digest: &str) -> Result<Self, IdError> {
        Self::new(format!("{IMPORTED}{digest}"))
    }

    /// Whether the refund was imported without an identifier, so that its platform knows it by another one.
    pub fn is_of_imported_row(&self) -> bool {
        self.as_str().starts_with(IMPORTED)
    }
}

impl OrderKey {
    /// The key of a platform's order. `#` and `%` in the platform's identifier are escaped, so that no key is
    /// the beginning of another one followed by a separator.
    pub fn of_order(source: &SourceName, platform_id: &str) -> Result<Self, IdError> {
        check(platform_id, is_printable)?;
        Self::new(format!("{source}#{}", escape(platform_id)))
    }

    /// The key of a refund that names no order.
    pub fn of_unlinked_refund(source: &SourceName, refund: &RefundId) -> Result<Self, IdError> {
        Self::new(format!("{source}#refund#{}", escape(refund.as_str())))
    }

    /// The key of a merge of two customers, which takes the orders' way.
    pub fn of_merge(source: &SourceName, kept: &CustomerId, deleted: &CustomerId) -> Result<Self, IdError> {
        let (kept, deleted) = (escape(kept.as_str()), escape(deleted.as_str()));
        Self::new(format!("{source}#merge#{kept}#{deleted}"))
    }

    /// The source that the order came from.
    pub fn source(&self) -> &str {
        self.0.split('#').next().unwrap_or_default()
    }
}

fn escape(platform_id: &str) -> String {
    platform_id.replace('%', "%25").replace('#', "%23")
}

impl CouponCode {
    /// A code typed at a platform's checkout, if it could be one of ours; a shop's own codes are none of our business.
    pub fn like_ours(text: &str) -> Option<Self> {
        let code = Self::typed(text).ok()?;
        entropy::has_the_form_of_a_code(code.as_str()).then_some(code)
    }

    /// What a person typed at a checkout, in the form in which codes are kept.
    pub fn typed(text: &str) -> Result<Self, IdError> {
        Self::new(text.trim().to_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_in_a_platform_id_cannot_pass_for_ours() {
        let source = SourceName::new("shop").unwrap();
        assert_eq!(OrderKey::of_order(&source, "1#5").unwrap().as_str(), "shop#1%235");
        assert_ne!(
            OrderKey::of_order(&source, "1%235").unwrap(),
            OrderKey::of_order(&source, "1#5").unwrap()
        );
        let refund = RefundId::new("7").unwrap();
        assert_ne!(
            OrderKey::of_order(&source, "refund#7").unwrap(),
            OrderKey::of_unlinked_refund(&source, &refund).unwrap()
        );
    }

    #[test]
    fn an_id_is_checked_where_it_enters() {
        assert_eq!(MemberId::new(""), Err(IdError::Empty));
        assert_eq!(CustomerId::new("a\nb"), Err(IdError::BadCharacter));
        assert_eq!(SourceName::new("my shop"), Err(IdError::BadCharacter));
        assert_eq!(CustomerId::new("x".repeat(MAX_ID_BYTES + 1)), Err(IdError::TooLong));
    }
}
