//! Erases what the walk finds, a page at a time. Every page may be erased again, so that whatever broke off goes on.
//!
//! The order of the steps matters. The person's keys lead to the member until every order has another owner, so that
//! no order is ever without its member. Then the keys go and the profile's version rises: whoever was deciding for
//! this member decides again, and finds nobody or somebody new. What they posted until then the journal names.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Cause, MemberId, Timestamp, time};
use serde::Serialize;

use super::find::Place;
use super::walk::{Held, HeldKey, HeldOrder, HeldPage, HeldWaiting};
use super::{Erasure, Person, Step, erased_owner, stays};
use crate::expression::Update;
use crate::items::{customer_value, member_key, text, write};
use crate::keys::{self, directory, members, orders};
use crate::transaction::{Action, Transacted};
use crate::waiting::waiting_key;
use crate::{Consistency, DirectoryKey, Store, StoreError};

/// What leads to a member in the place of a person.
#[derive(Serialize)]
struct ErasedKey<'a> {
    key: String,
    member: &'a MemberId,
    erased: bool,
}

impl Store {
    /// The next page of an erasure.
    pub async fn erasure_page(&self, erasure: &Erasure) -> Result<HeldPage, StoreError> {
        match erasure.step {
            Some(step) => self.held(&erasure.person, step, erasure.cursor.as_deref()).await,
            None => Ok(HeldPage::default()),
        }
    }

    /// Erases a page, whose devices' endpoints are gone, and moves the erasure on.
    pub async fn erase_page(
        &self,
        erasure: &mut Erasure,
        page: HeldPage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(step) = erasure.step else { return Ok(()) };
        if step.finds() {
            if step == Step::Gather && page.next.is_none() {
                self.close(&erasure.person, now).await?;
            }
            let next = self.find(&mut erasure.person, step, page).await?;
            erasure.move_to(next, now);
            return Ok(());
        }
        for held in page.held {
            erasure.found += 1;
            self.erase(&erasure.person, held).await?;
        }
        if step == Step::Directory && page.next.is_none() {
            for member in &erasure.person.members {
                self.raise_version(member).await?;
            }
        }
        erasure.move_to(Place::after(step, page.next), now);
        Ok(())
    }

    async fn erase(&self, person: &Person, held: Held) -> Result<(), StoreError> {
        match held {
            Held::Order(order) => self.disown(person, &order).await,
            Held::Key(HeldKey { key, .. }) => {
                let key = HashMap::from([(directory::KEY.to_owned(), text(key))]);
                self.delete(&self.tables.directory, key).await
            }
            Held::Item(item) if stays(&item.key) => Ok(()),
            Held::Item(item) => self.delete(&self.tables.members, member_key(&item.member, &item.key)).await,
            Held::Waiting(HeldWaiting { key, .. }) => self.delete(&self.tables.members, key).await,
        }
    }

    /// Puts an owner without a name in the person's place. The key by which that one is found is written first, so
    /// that nobody meets an owner who leads nowhere; also where the owner is gone already, since the directory may have
    /// come back from a backup alone.
    async fn disown(&self, person: &Person, order: &HeldOrder) -> Result<(), StoreError> {
        let member = self.member_of(person, order).await?;
        let owner = erased_owner(&order.source, person, member.as_ref())?;
        if let Some((member, key)) = member.as_ref().zip(DirectoryKey::of_customer(&owner)) {
            let key = keys::directory_key(&key);
            let item = write(&ErasedKey { key, member, erased: true })?;
            self.put(&self.tables.directory, item).await?;
        }
        if owner == order.owner {
            return Ok(());
        }
        let mut update = Update::default();
        update.set(orders::OWNER, customer_value(&owner)?);
        update.if_there(orders::OWNER);
        let key = HashMap::from([(orders::ORDER.to_owned(), text(order.key.as_str()))]);
        let mut actions = vec![Action::Update(&self.tables.orders, key, update)];
        // Together, because afterwards nobody knows any more under which names the order may have waited.
        actions.extend(
            DirectoryKey::told_of(&order.owner)
                .iter()
                .map(|name| Action::Delete(&self.tables.members, waiting_key(name, &order.key))),
        );
        match self.transact(actions).await? {
            Transacted::Done | Transacted::Refused(_) => Ok(()),
            Transacted::Contended => Err(StoreError::Retryable("the order is being written".to_owned())),
        }
    }

    /// Whose order it is: by the journals, in one of which it may stand. Where it stands in none, it is the person's
    /// rather than of somebody new under the same key.
    async fn member_of(&self, person: &Person, order: &HeldOrder) -> Result<Option<MemberId>, StoreError> {
        if order.claimed_by.is_some() {
            return Ok(order.claimed_by.clone());
        }
        let found = match DirectoryKey::of_customer(&order.owner) {
            Some(key) => self.find_member(&key, Consistency::Strong).await?,
            None => None,
        };
        for member in person.members.iter().chain(&found) {
            if self.has_posted(member, order).await? {
                return Ok(Some(member.clone()));
            }
        }
        Ok(person.members.first().cloned().or(found))
    }

    async fn has_posted(&self, member: &MemberId, order: &HeldOrder) -> Result<bool, StoreError> {
        let Some(dated) = order.dated else { return Ok(false) };
        let key = order.key.clone();
        let cause = if order.is_unlinked { Cause::UnlinkedRefund(key) } else { Cause::Order(key) };
        let entries = format!("{}{}#{cause}#", members::JOURNAL, time::sortable(dated));
        let page = self
            .client
            .query()
            .table_name(&self.tables.members)
            .key_condition_expression("#member = :member AND begins_with(#item, :entries)")
            .expression_attribute_names("#member", members::MEMBER)
            .expression_attribute_names("#item", members::ITEM)
            .expression_attribute_values(":member", text(member.as_str()))
            .expression_attribute_values(":entries", text(entries))
            .consistent_read(true)
            .limit(1)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        Ok(!page.items().is_empty())
    }

    /// Lets nothing of a person be written any more where the members lie: what comes in this very moment comes before
    /// the mark, and is found, or is refused. Whoever is found to be one with them afterwards is marked in the next round.
    async fn close(&self, person: &Person, now: Timestamp) -> Result<(), StoreError> {
        for member in &person.members {
            if self.profile(member, Consistency::Strong).await?.is_none() {
                continue;
            }
            let mut mark = member_key(member, members::ERASED);
            mark.insert(members::ERASED_AT.to_owned(), text(now.to_string()));
            self.put(&self.tables.members, mark).await?;
        }
        Ok(())
    }

    async fn raise_version(&self, member: &MemberId) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.count(members::VERSION);
        update.if_there(members::VERSION);
        let profile = member_key(member, members::PROFILE);
        self.update(&self.tables.members, profile, update).await.map(drop)
    }
}
