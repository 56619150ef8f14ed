//! Everything that is held of a person, as one document.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ErasureId, OrderKey, OrderState, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::find::Place;
use super::walk::Held;
use super::{Person, Sought, Step};
use crate::items::{Attributes, ImageError};
use crate::{DirectoryKey, Store, StoreError};

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
    /// The orders that wait for the person to enrol.
    pub waiting: BTreeSet<String>,
}

impl PersonDocument {
    /// Whether nothing at all is held.
    pub fn is_empty(&self) -> bool {
        self.directory.is_empty()
            && self.members.is_empty()
            && self.orders.is_empty()
            && self.waiting.is_empty()
    }
}

impl Store {
    /// Collects everything that is held of a person: the walk of an erasure, and nothing is changed. The identifier salts
    /// the digests, and is not kept.
    pub async fn export_person(
        &self,
        id: ErasureId,
        sought: &Sought,
        now: Timestamp,
    ) -> Result<PersonDocument, StoreError> {
        let mut person = Person::sought(id, sought);
        let mut document = PersonDocument::of(now);
        let mut place = Some(Place::start(Step::FIRST));
        while let Some(Place { step, cursor }) = place {
            let page = self.held(&person, step, cursor.as_deref()).await?;
            place = if step.finds() {
                self.find(&mut person, step, page).await?
            } else {
                for held in page.held {
                    document.take(held)?;
                }
                Place::after(step, page.next)
            };
        }
        Ok(document)
    }

    /// Whoever an order is of, if that is known: for an operator, to whom a platform names an order. It is the member who
    /// claimed it; else whoever is found by its owner's own key; else whoever has the address that was told with it.
    pub async fn owner_sought(&self, order: &OrderKey) -> Result<Option<Sought>, StoreError> {
        let Some(OrderState { owner, claimed_by, .. }) = self.order(order).await? else { return Ok(None) };
        let sought = match (claimed_by, owner) {
            (Some(member), _) => Some(Sought::member(member)),
            (None, Some(owner)) => {
                let own = DirectoryKey::of_customer(&owner);
                own.or_else(|| DirectoryKey::told_of(&owner).into_iter().next()).map(Sought::named)
            }
            (None, None) => None,
        };
        Ok(sought.map(|sought| sought.with_orders(vec![order.clone()])))
    }
}

impl PersonDocument {
    fn of(exported_at: Timestamp) -> Self {
        Self {
            exported_at,
            directory: Vec::new(),
            members: BTreeMap::new(),
            orders: BTreeMap::new(),
            waiting: BTreeSet::new(),
        }
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
            Held::Waiting(waiting) => {
                self.waiting.insert(waiting.order.to_string());
            }
        }
        Ok(())
    }
}

fn json(item: Attributes) -> Result<Value, ImageError> {
    serde_dynamo::from_item(item).map_err(ImageError::new)
}
