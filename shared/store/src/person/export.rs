//! Everything that is held of a person, as one document.

use std::collections::BTreeMap;

use domain::contact::Email;
use domain::{ErasureId, OrderKey, OrderState, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::walk::Held;
use super::{Person, Sought, Step};
use crate::items::{Attributes, ImageError};
use crate::{Consistency, DirectoryKey, Store, StoreError};

/// Everything that is held of a person, as it lies in the tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonDocument {
    /// As of when.
    pub exported_at: Timestamp,
    /// By what the person is found.
    pub directory: Vec<String>,
    /// By member and name: profile, person, journal, coupons, devices, and what was sent.
    pub members: BTreeMap<String, BTreeMap<String, Value>>,
    /// By key: the orders, and the refunds that name none.
    pub orders: BTreeMap<String, Value>,
}

impl PersonDocument {
    /// Whether nothing at all is held.
    pub fn is_empty(&self) -> bool {
        self.directory.is_empty() && self.members.is_empty() && self.orders.is_empty()
    }
}

impl Store {
    /// Collects everything that is held of a person up to a moment: the walk of an erasure, and nothing is changed.
    /// The identifier salts the digests, and is not kept.
    pub async fn export_person(
        &self,
        id: ErasureId,
        sought: &Sought,
        now: Timestamp,
    ) -> Result<PersonDocument, StoreError> {
        let mut person = Person::sought(id, sought);
        person.look_until(now);
        let mut document = PersonDocument::of(now);
        let (mut step, mut cursor) = (Step::FIRST, None);
        loop {
            let page = self.held(&person, step, cursor.as_deref()).await?;
            for held in page.held {
                match (step, held) {
                    (Step::Recognise, Held::Key(key)) => self.recognise(&mut person, key).await?,
                    (Step::Gather, Held::Key(key)) => person.learn(&key)?,
                    (_, held) => document.take(held)?,
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                if step == Step::Recognise {
                    self.relate(&mut person).await?;
                }
                match person.after(step) {
                    Some(next) => step = next,
                    None => return Ok(document),
                }
            }
        }
    }

    /// Whoever an order is of, if that is known: for an operator, to whom a platform names an order. A guest is sought as
    /// the member that they are.
    pub async fn owner_sought(&self, order: &OrderKey) -> Result<Option<Sought>, StoreError> {
        let Some(OrderState { owner, claimed_by, .. }) = self.order(order).await? else { return Ok(None) };
        if let Some(member) = claimed_by {
            return Ok(Some(Sought::Member(member)));
        }
        let Some(owner) = owner else { return Ok(None) };
        match DirectoryKey::of_customer(&owner) {
            Some(DirectoryKey::Customer(source, id)) => return Ok(Some(Sought::Customer(source, id))),
            Some(key) => {
                if let Some(member) = self.find_member(&key, Consistency::Strong).await? {
                    return Ok(Some(Sought::Member(member)));
                }
            }
            None => {}
        }
        let email = owner.contact.email.as_deref().and_then(|email| Email::new(email).ok());
        Ok(email.map(Sought::Email))
    }
}

impl PersonDocument {
    fn of(exported_at: Timestamp) -> Self {
        Self { exported_at, directory: Vec::new(), members: BTreeMap::new(), orders: BTreeMap::new() }
    }

    fn take(&mut self, held: Held) -> Result<(), StoreError> {
        match held {
            Held::Order(order) => {
                self.orders.insert(order.key.to_string(), json(order.item)?);
            }
            Held::Key(key) => self.directory.push(key.key),
            Held::Item(item) => {
                let items = self.members.entry(item.member.to_string()).or_default();
                items.insert(item.key, json(item.item)?);
            }
        }
        Ok(())
    }
}

fn json(item: Attributes) -> Result<Value, ImageError> {
    serde_dynamo::from_item(item).map_err(ImageError::new)
}
