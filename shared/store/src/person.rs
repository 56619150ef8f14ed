//! What is held of a person, and where: the one list that an export and an erasure both walk.
//!
//! | step | what is held | what an erasure does |
//! |---|---|---|
//! | [`Step::Orders`] | the `owner` of orders and of refunds that name none | becomes one without a name, who leads to the same member; what waits for the owner to enrol waits no more |
//! | [`Step::Directory`] | whatever leads to the member, coupons' codes apart | is deleted |
//! | [`Step::Members`] | whatever lies with the member | what names somebody is deleted; amounts stay |
//!
//! Two steps come before, [`Step::Recognise`] and [`Step::Gather`]: whose keys these are, and which other keys lead to
//! the same members.

mod erase;
mod erasure;
mod export;
mod walk;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::contact::Email;
use domain::{Customer, CustomerId, ErasureId, MemberId, SourceName, Timestamp};
use ring::hmac;
use serde::{Deserialize, Serialize};

pub use self::erasure::{Erasure, erasure_of_image};
pub use self::export::PersonDocument;
use self::walk::HeldKey;
pub use self::walk::{Held, HeldPage};
use crate::items::Attributes;
use crate::keys::{self, members};
use crate::{DirectoryKey, StoreError};

/// The most keys of one person: a handful is usual, and an item holds 400 KB.
const MAX_KEYS: usize = 1_000;
/// The most members that one person is: more than one only where a shop knows them under several names.
const MAX_MEMBERS: usize = 100;
/// Before the name that takes the place of a person's.
const ERASED: &str = "erased/";

/// Whom to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// A platform's customer, a member or not.
    Customer(SourceName, CustomerId),
    /// Whoever has this e-mail, a member or a guest.
    Email(Email),
    /// A member.
    Member(MemberId),
}

/// One way through the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The directory: which members the known keys lead to.
    Recognise,
    /// The directory again: which other keys lead to them.
    Gather,
    /// The orders, every page: also those that never gave a point.
    Orders,
    /// The directory's keys.
    Directory,
    /// The members' items, and once more the orders that their journal names.
    Members,
}

impl Step {
    /// The first of all.
    pub const FIRST: Self = Self::Recognise;

    /// What comes next, if anything does.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Recognise => Some(Self::Gather),
            Self::Gather => Some(Self::Orders),
            Self::Orders => Some(Self::Directory),
            Self::Directory => Some(Self::Members),
            Self::Members => None,
        }
    }
}

/// A person without a name: members, and digests of the keys by which they are found. A digest is salted with an
/// identifier of its own, so that only who knows a key already can tell that it is this person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The salt.
    #[serde(rename = "erasure")]
    id: ErasureId,
    keys: BTreeSet<String>,
    members: BTreeSet<MemberId>,
    /// Who became a member later is somebody new, and so are their orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    /// Whether the directory is looked through once more: a key was learned to which a key passed before may lead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    again: bool,
}

impl Person {
    /// Whoever is sought.
    pub fn sought(id: ErasureId, sought: &Sought) -> Self {
        let mut person =
            Self { id, keys: BTreeSet::new(), members: BTreeSet::new(), until: None, again: false };
        match sought {
            Sought::Customer(source, customer) => {
                let key = DirectoryKey::Customer(source.clone(), customer.clone());
                person.keys.insert(person.digest(&keys::directory_key(&key)));
            }
            Sought::Email(email) => {
                let key = DirectoryKey::Email(email.clone().into());
                person.keys.insert(person.digest(&keys::directory_key(&key)));
            }
            Sought::Member(member) => {
                person.members.insert(member.clone());
            }
        }
        person
    }

    /// Sets the moment up to which the person is looked for, once and for all.
    pub fn look_until(&mut self, now: Timestamp) {
        self.until.get_or_insert(now);
    }

    /// The members that are this person.
    pub fn members(&self) -> impl Iterator<Item = &MemberId> {
        self.members.iter()
    }

    fn knows(&self, key: &str) -> bool {
        self.keys.contains(&self.digest(key))
    }

    fn is_dated(&self, at: Option<Timestamp>) -> bool {
        at.zip(self.until).is_none_or(|(at, until)| at <= until)
    }

    /// Whether an order's owner is found by a key of this person's.
    fn is_owner(&self, owner: &Customer) -> bool {
        DirectoryKey::all_of(owner).any(|key| self.knows(&keys::directory_key(&key)))
    }

    /// Whether an order's owner was told with a name of this person's, verified or not.
    fn was_told(&self, owner: &Customer) -> bool {
        DirectoryKey::told_of(owner).iter().any(|key| self.knows(&keys::directory_key(key)))
    }

    /// Whether an alias leads to a key of this person's.
    fn has_alias(&self, held: &HeldKey) -> bool {
        held.same_as.as_ref().is_some_and(|same_as| self.knows(same_as))
    }

    /// Learns a key of this person's, and where it is an alias, the one to which it leads.
    fn learn(&mut self, held: &HeldKey) -> Result<(), StoreError> {
        self.learn_key(&held.key)?;
        held.same_as.as_ref().map_or(Ok(()), |same_as| self.learn_key(same_as))
    }

    /// What comes after a step that is through.
    fn after(&mut self, step: Step) -> Option<Step> {
        let is_looking = matches!(step, Step::Recognise | Step::Gather);
        if is_looking && std::mem::take(&mut self.again) { Some(Step::FIRST) } else { step.next() }
    }

    fn learn_key(&mut self, key: &str) -> Result<(), StoreError> {
        // Only customers have aliases.
        let is_new = self.keys.insert(self.digest(key));
        self.again |= is_new && keys::customer_of_directory_key(key).is_some();
        if self.keys.len() > MAX_KEYS {
            return Err(StoreError::Permanent(format!("a person has at most {MAX_KEYS} keys")));
        }
        Ok(())
    }

    fn learn_member(&mut self, member: MemberId) -> Result<(), StoreError> {
        self.members.insert(member);
        if self.members.len() > MAX_MEMBERS {
            return Err(StoreError::Permanent(format!("a person is at most {MAX_MEMBERS} members")));
        }
        Ok(())
    }

    fn digest(&self, key: &str) -> String {
        let salt = hmac::Key::new(hmac::HMAC_SHA256, self.id.as_str().as_bytes());
        let digest = hmac::sign(&salt, key.as_bytes());
        digest.as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// What of a member's items names nobody, and stays: amounts, and the marks that keep them from being posted twice.
/// Whatever is not named here goes, so that a new kind of item is erased until somebody says that it names no one.
const STAYS: [&str; 4] = [members::PROFILE, members::JOURNAL, members::COUPON, members::ONCE];

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

    fn person(id: &str) -> Person {
        let sought = Sought::Customer(SourceName::new("shop").unwrap(), CustomerId::new("7").unwrap());
        Person::sought(ErasureId::new(id).unwrap(), &sought)
    }

    #[test]
    fn a_person_is_known_by_their_key_and_the_key_is_not_told() {
        let (one, other) = (person("one"), person("other"));
        assert!(one.knows("customer#shop#7") && other.knows("customer#shop#7"));
        assert!(!one.knows("customer#shop#8"));
        assert_ne!(one.keys, other.keys, "the same person has other digests in each erasure");
        assert!(!serde_json::to_string(&one).unwrap().contains("shop"));
    }

    #[test]
    fn amounts_stay_and_whatever_else_goes() {
        for kept in [
            "profile",
            "journal#2026-03-01T12:00:00.000Z#order/shop#1#000000",
            "coupon#ABCD-EFGH-JKLM",
            "once#gift/1",
            "sent#journal#2026-03-01T12:00:00.000Z#coupon/0#000000#email",
        ] {
            assert!(stays(kept), "{kept}");
        }
        for gone in ["person", "preferences", "device#phone", "profile2", "sent#journal#x#push/phone", "new#"]
        {
            assert!(!stays(gone), "{gone}");
        }
    }
}
