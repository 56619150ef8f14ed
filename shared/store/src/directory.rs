//! The directory: how a member is recognised, and a coupon found.

use std::collections::HashMap;

use domain::{CardFingerprint, CouponCode, Customer, CustomerId, MemberId, Phone, SourceName};

use crate::items::{DirectoryItem, read, text, write};
use crate::keys::{self, directory};
use crate::person::is_erased;
use crate::{Consistency, Store, StoreError};

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
        let by_card = customer.card.clone().map(|card| Self::Card(source.clone(), card));
        by_id.into_iter().chain(Self::everywhere(customer)).chain(by_card)
    }

    /// The keys of a customer that mean the same person at every source: the verified e-mail, then the phone number.
    pub fn everywhere(customer: &Customer) -> impl Iterator<Item = Self> {
        let email = customer.contact.verified_email().map(|email| Self::Email(email.to_owned()));
        email.into_iter().chain(customer.contact.phone.clone().map(Self::Phone))
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

impl Store {
    /// Another way to find a member; one that is taken stays as it is.
    pub async fn add_name(&self, key: &DirectoryKey, member: &MemberId) -> Result<(), StoreError> {
        let item = write(&DirectoryItem { key: keys::directory_key(key), member: member.clone() })?;
        self.put_new(&self.tables.directory, item, directory::KEY).await.map(drop)
    }

    /// The member behind a key.
    pub async fn find_member(
        &self,
        key: &DirectoryKey,
        consistency: Consistency,
    ) -> Result<Option<MemberId>, StoreError> {
        let key = HashMap::from([(directory::KEY.to_owned(), text(keys::directory_key(key)))]);
        let item = self.get(&self.tables.directory, key, consistency).await?;
        Ok(item.map(|item| read::<DirectoryItem>(item).map(|found| found.member)).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use domain::Contact;

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
        let everywhere = |customer: &Customer| DirectoryKey::everywhere(customer).collect::<Vec<_>>();
        assert_eq!(everywhere(&here), everywhere(&there));
        assert_ne!(keys_of(&here).last(), keys_of(&there).last());
    }
}
