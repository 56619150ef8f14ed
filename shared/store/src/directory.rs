//! The directory: how a member is recognised, and a coupon found.

use std::collections::HashMap;

use domain::programme::Identity;
use domain::{CardFingerprint, Contact, CouponCode, Customer, CustomerId, MemberId, Phone, SourceName};

use serde::Deserialize;

use crate::expression::Update;
use crate::items::{Attributes, DirectoryItem, read, text, write};
use crate::keys::{self, directory};
use crate::person::is_erased;
use crate::transaction::{Action, Transacted};
use crate::{Consistency, Store, StoreError};

/// How many aliases, one after the other, lead from one customer to another. A shop merges the same person once or twice.
const MAX_ALIASES: usize = 32;
/// How often others may take a name at the same moment, before the whole is tried again.
const MAX_ROUNDS: u32 = 20;

/// One way to find a member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DirectoryKey {
    /// A platform's customer.
    Customer(SourceName, CustomerId),
    /// A verified e-mail.
    Email(String),
    /// A phone number, as it was told.
    Phone(Phone),
    /// A card, by the name that a source has for it.
    Card(SourceName, CardFingerprint),
    /// A coupon.
    Coupon(CouponCode),
}

impl DirectoryKey {
    /// The key by which the owner of an order is looked up: the first of those that the customer has.
    pub fn of_customer(customer: &Customer) -> Option<Self> {
        Self::all_of(customer).next()
    }

    /// Every key that a customer has, the better ones first: the platform's id, the verified e-mail, the phone number,
    /// the card.
    pub fn all_of(customer: &Customer) -> impl Iterator<Item = Self> {
        let source = &customer.source;
        let by_id = customer.id.clone().map(|id| Self::Customer(source.clone(), id));
        let by_email = customer.contact.verified_email().map(|email| Self::Email(email.to_owned()));
        let by_phone = customer.contact.phone.clone().map(Self::Phone);
        let by_card = customer.card.clone().map(|card| Self::Card(source.clone(), card));
        by_id.into_iter().chain(by_email).chain(by_phone).chain(by_card)
    }

    /// The keys of a person that mean the same one at every source: the verified e-mail, and where the shop vouches for
    /// them, the phone number.
    pub fn everywhere(contact: &Contact, identity: Identity) -> impl Iterator<Item = Self> {
        let email = contact.verified_email().map(|email| Self::Email(email.to_owned()));
        let phone = contact.phone.clone().filter(|_| identity.trust_phones).map(Self::Phone);
        email.into_iter().chain(phone)
    }

    /// Every name that a customer was told with, verified or not. By what is not verified nobody is found, but an order
    /// may wait under it for whoever enrols with it. Who was erased has no name.
    pub fn told_of(customer: &Customer) -> Vec<Self> {
        if is_erased(customer) {
            return Vec::new();
        }
        let mut names: Vec<Self> = Self::all_of(customer).collect();
        let email = customer.contact.email.clone().filter(|_| !customer.contact.email_verified);
        names.extend(email.map(Self::Email));
        names
    }
}

/// What the directory says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The key under which the member stands, or would: the one that was asked for, or, where a platform made its customer
    /// one with another one before either was known, that one's.
    pub key: DirectoryKey,
    /// The member, if there is one.
    pub member: Option<MemberId>,
}

/// Where a key leads: to a member, or, as an alias, to another key.
#[derive(Deserialize)]
struct Entry {
    member: Option<MemberId>,
    same_as: Option<String>,
}

impl Store {
    /// Another way to find a member. A name has one holder: who that is now is answered, and it is somebody else where the
    /// name was taken already.
    pub async fn add_name(&self, key: &DirectoryKey, member: &MemberId) -> Result<MemberId, StoreError> {
        for _ in 0..MAX_ROUNDS {
            let found = self.look_up(key, Consistency::Strong).await?;
            if let Some(holder) = found.member {
                return Ok(holder);
            }
            let item =
                write(&DirectoryItem { key: keys::directory_key(&found.key), member: member.clone() })?;
            let name = Action::PutNew(&self.tables.directory, item, directory::KEY);
            match self.transact(vec![name, self.is_not_erased(member)]).await? {
                Transacted::Done => return Ok(member.clone()),
                Transacted::Refused(0) | Transacted::Contended => {}
                // Once that is through, no name leads to them any more.
                Transacted::Refused(_) => {
                    return Err(StoreError::Retryable("the member is being erased".to_owned()));
                }
            }
        }
        Err(StoreError::Retryable("others keep taking this name".to_owned()))
    }

    /// Remembers that a customer of whom nobody knows anything became part of another one who is as unknown: whoever comes
    /// under the one name is looked up under the other one. Answers whether it was written; not so where either of the two
    /// is known by now, or has an alias.
    pub async fn add_alias(&self, from: &DirectoryKey, to: &DirectoryKey) -> Result<bool, StoreError> {
        let mut update = Update::default();
        update.set(directory::SAME_AS, text(keys::directory_key(to)));
        update.if_missing(directory::KEY);
        let table = &self.tables.directory;
        let actions = vec![
            Action::Update(table, directory_item_key(from), update),
            Action::Absent(table, directory_item_key(to), directory::KEY),
        ];
        Ok(self.transact(actions).await? == Transacted::Done)
    }

    /// The member behind a key.
    pub async fn find_member(
        &self,
        key: &DirectoryKey,
        consistency: Consistency,
    ) -> Result<Option<MemberId>, StoreError> {
        Ok(self.look_up(key, consistency).await?.member)
    }

    /// What the directory says of a key, aliases followed.
    pub async fn look_up(&self, key: &DirectoryKey, consistency: Consistency) -> Result<Found, StoreError> {
        let mut key = key.clone();
        for _ in 0..=MAX_ALIASES {
            let item = self.get(&self.tables.directory, directory_item_key(&key), consistency).await?;
            let Some(item) = item else { return Ok(Found { key, member: None }) };
            match read(item)? {
                Entry { member: None, same_as: Some(other) } => {
                    key = keys::customer_of_directory_key(&other).ok_or_else(|| {
                        StoreError::Permanent("an alias of the directory leads to no customer".to_owned())
                    })?;
                }
                Entry { member, .. } => return Ok(Found { key, member }),
            }
        }
        Err(StoreError::Permanent(format!("a customer was merged more than {MAX_ALIASES} times")))
    }
}

fn directory_item_key(key: &DirectoryKey) -> Attributes {
    HashMap::from([(directory::KEY.to_owned(), text(keys::directory_key(key)))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer() -> Customer {
        Customer {
            source: SourceName::new("shop").unwrap(),
            id: CustomerId::new("7").ok(),
            card: CardFingerprint::new("a-card").ok(),
            contact: Contact {
                email: Some("a@example.com".to_owned()),
                email_verified: true,
                phone: Phone::new("+33612345678").ok(),
                ..Contact::default()
            },
        }
    }

    fn keys_of(customer: &Customer) -> Vec<String> {
        DirectoryKey::all_of(customer).map(|key| keys::directory_key(&key)).collect()
    }

    #[test]
    fn a_customer_is_found_by_id_else_by_verified_email_else_by_phone_else_by_card() {
        let mut customer = customer();
        let ranks = ["customer#shop#7", "email#a@example.com", "phone#+33612345678", "card#shop#a-card"];
        assert_eq!(keys_of(&customer), ranks);
        let mut first = |change: fn(&mut Customer)| {
            change(&mut customer);
            assert_eq!(customer.is_known(), DirectoryKey::of_customer(&customer).is_some());
            keys_of(&customer).first().cloned()
        };
        assert_eq!(first(|customer| customer.id = None).as_deref(), Some(ranks[1]));
        assert_eq!(first(|customer| customer.contact.email_verified = false).as_deref(), Some(ranks[2]));
        assert_eq!(first(|customer| customer.contact.phone = None).as_deref(), Some(ranks[3]));
        assert_eq!(first(|customer| customer.card = None), None);
    }

    #[test]
    fn a_card_means_nothing_at_another_source() {
        let here = customer();
        let there = Customer { source: SourceName::new("other").unwrap(), ..customer() };
        let ranks = |customer: &Customer| keys_of(customer)[1..3].to_vec();
        assert_eq!(ranks(&here), ranks(&there));
        assert_ne!(keys_of(&here).last(), keys_of(&there).last());
    }

    #[test]
    fn a_phone_means_the_same_person_everywhere_only_where_the_shop_vouches_for_it() {
        let keys = |trust_phones| {
            let identity = Identity { across_sources: true, trust_phones };
            DirectoryKey::everywhere(&customer().contact, identity).collect::<Vec<_>>()
        };
        assert_eq!(keys(false), keys(true)[..1]);
        assert!(matches!(keys(true)[..], [DirectoryKey::Email(_), DirectoryKey::Phone(_)]));
    }
}
