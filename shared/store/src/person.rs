//! What is held of a person, and where: the one list that an export and an erasure both walk.
//!
//! First it is found out who the person is. Nothing is changed by that, so it may be done as often as need be.
//!
//! | step | what is looked at | what it finds |
//! |---|---|---|
//! | [`Step::Recognise`] | the directory | which members the names lead to |
//! | [`Step::Orderers`] | the orders that were told with the names | which members these orders are of |
//! | [`Step::Contacts`] | the contacts that lie with members | which members are reached by the names |
//! | [`Step::Gather`] | the directory again | which other names lead to those members |
//!
//! Then what is held:
//!
//! | step | what is held | what an erasure does |
//! |---|---|---|
//! | [`Step::Orders`] | the `owner` of orders and of refunds that name none | becomes one without a name, who leads to the same member; what waits for the owner to enrol waits no more |
//! | [`Step::Directory`] | whatever leads to the member, coupons' codes apart | is deleted |
//! | [`Step::Members`] | whatever lies with the member | what names somebody is deleted; amounts stay |
//! | [`Step::Waiting`] | what waits under a digest of a name, and the order that waits | the one is deleted, the other as above |

mod erase;
mod erasure;
mod export;
mod find;
mod sought;
mod walk;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Customer, CustomerId, MemberId, SourceName};
use serde::{Deserialize, Serialize};

pub use self::erasure::{Erasure, erasure_of_image};
pub use self::export::PersonDocument;
pub use self::sought::{Person, Sought};
pub use self::walk::{Held, HeldPage};
use crate::StoreError;
use crate::items::Attributes;
use crate::keys::members;

/// Before the name that takes the place of a person's.
const ERASED: &str = "erased/";

/// One way through the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The directory: which members the known names lead to.
    Recognise,
    /// The orders: whose members those are that were told with the known names.
    Orderers,
    /// The members' contacts: who is reached by the known names.
    Contacts,
    /// The directory again: which other names lead to the members.
    Gather,
    /// The orders, every page: also those that never gave a point.
    Orders,
    /// The directory's keys.
    Directory,
    /// The members' items, and once more the orders that their journal names.
    Members,
    /// What waits under the names.
    Waiting,
}

impl Step {
    /// The first of all.
    pub const FIRST: Self = Self::Recognise;

    /// What comes next, if anything does.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Recognise => Some(Self::Orderers),
            Self::Orderers => Some(Self::Contacts),
            Self::Contacts => Some(Self::Gather),
            Self::Gather => Some(Self::Orders),
            Self::Orders => Some(Self::Directory),
            Self::Directory => Some(Self::Members),
            Self::Members => Some(Self::Waiting),
            Self::Waiting => None,
        }
    }

    /// Whether it looks through the directory for names.
    fn reads_directory(self) -> bool {
        matches!(self, Self::Recognise | Self::Gather)
    }

    /// Whether it only finds out who the person is.
    fn finds(self) -> bool {
        matches!(self, Self::Recognise | Self::Orderers | Self::Contacts | Self::Gather)
    }
}

/// What of a member's items names nobody, and stays: amounts, and the marks that keep them from being posted twice.
/// Whatever is not named here goes, so that a new kind of item is erased until somebody says that it names no one.
const STAYS: [&str; 5] =
    [members::PROFILE, members::JOURNAL, members::COUPON, members::ONCE, members::ERASED];

/// Whether one of a member's items, by its sort key, is left by an erasure.
fn stays(item: &str) -> bool {
    if let Some(sent) = item.strip_prefix(members::SENT) {
        // Which message was sent names nobody, but a push message's mark names the device.
        return sent.rsplit_once('#').is_some_and(|(_, channel)| !channel.starts_with("push/"));
    }
    STAYS.iter().any(|kept| item == *kept || (kept.ends_with('#') && item.starts_with(kept)))
}

/// The owner of an order after an erasure, by whom the member, if there is one, is still found; so a refund of the
/// order balances, and the platform, which tells it again with everything it knows, finds the owner taken.
fn erased_owner(
    source: &SourceName,
    person: &Person,
    member: Option<&MemberId>,
) -> Result<Customer, StoreError> {
    let name = member.map_or(person.id.as_str(), MemberId::as_str);
    let id = CustomerId::new(format!("{ERASED}{name}"));
    let id = id.map_err(|error| StoreError::Permanent(format!("an erased owner's name {error}")))?;
    Ok(Customer { source: source.clone(), id: Some(id), card: None, contact: domain::Contact::default() })
}

/// Whether a customer is what an erasure put in a person's place.
pub(crate) fn is_erased(customer: &Customer) -> bool {
    customer.id.as_ref().is_some_and(|id| id.as_str().starts_with(ERASED))
}

fn text_of<'a>(item: &'a Attributes, attribute: &str) -> Option<&'a str> {
    item.get(attribute).and_then(|value| AttributeValue::as_s(value).ok()).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_stay_and_whatever_else_goes() {
        for kept in [
            "profile",
            "journal#2026-03-01T12:00:00.000Z#order/shop#1#000000",
            "coupon#ABCD-EFGH-JKLM",
            "once#gift/1",
            "erased",
            "sent#journal#2026-03-01T12:00:00.000Z#coupon/0#000000#email",
        ] {
            assert!(stays(kept), "{kept}");
        }
        for gone in [
            "person",
            "preferences",
            "device#phone",
            "profile2",
            "erased2",
            "sent#journal#x#push/phone",
            "new#",
        ] {
            assert!(!stays(gone), "{gone}");
        }
    }
}
