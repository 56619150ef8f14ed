//! The directory: how a member is recognised, and a coupon found.

use std::collections::HashMap;

use domain::{CouponCode, Customer, CustomerId, MemberId, SourceName};

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
    /// A coupon.
    Coupon(CouponCode),
}

impl DirectoryKey {
    /// The key by which the owner of an order is looked up: the platform's id, else the verified e-mail.
    pub fn of_customer(customer: &Customer) -> Option<Self> {
        let by_id = customer.id.clone().map(|id| Self::Customer(customer.source.clone(), id));
        by_id.or_else(|| Self::of_email(customer))
    }

    /// Every name that a customer was told with, verified or not. By what is not verified nobody is found, but an order
    /// may wait under it for whoever enrols with it. Who was erased has no name.
    pub fn told_of(customer: &Customer) -> Vec<Self> {
        if is_erased(customer) {
            return Vec::new();
        }
        let by_id = customer.id.clone().map(|id| Self::Customer(customer.source.clone(), id));
        let email = customer.contact.email.clone().map(Self::Email);
        by_id.into_iter().chain(email).collect()
    }

    /// The key of a customer's verified e-mail, which means the same person at every source.
    pub fn of_email(customer: &Customer) -> Option<Self> {
        customer.contact.verified_email().map(|email| Self::Email(email.to_owned()))
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

    #[test]
    fn a_customer_is_found_by_id_else_by_verified_email_else_not_at_all() {
        let source = SourceName::new("shop").unwrap();
        let id = CustomerId::new("7").unwrap();
        let verified =
            Contact { email: Some("a@example.com".to_owned()), email_verified: true, ..Contact::default() };
        let unverified = Contact { email_verified: false, ..verified.clone() };
        let key = |id, contact: &Contact| {
            let customer = Customer { source: source.clone(), id, contact: contact.clone() };
            DirectoryKey::of_customer(&customer)
        };

        assert_eq!(key(Some(id.clone()), &verified), Some(DirectoryKey::Customer(source.clone(), id)));
        assert_eq!(key(None, &verified), Some(DirectoryKey::Email("a@example.com".to_owned())));
        assert_eq!(key(None, &unverified), None);
    }
}
