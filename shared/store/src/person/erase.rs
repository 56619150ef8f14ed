//! Erases what the walk finds, a page at a time. Every page may be erased again, so that whatever broke off goes on.
//!
//! The order of the steps matters. The person's keys lead to the member until every order has another owner, so that
//! no order is ever without its member. Then the keys go and the profile's version rises: whoever was deciding for
//! this member decides again, and finds nobody or somebody new. What they posted until then the journal names.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Cause, Entry, Kind, MemberId, Timestamp, time};
use serde::Serialize;

use super::walk::{Held, HeldKey, HeldOrder, HeldPage};
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

/// With whom a journal, in order of sequence, says that its member is one.
fn one_with(journal: &[Entry]) -> BTreeSet<MemberId> {
    let mut others = BTreeSet::new();
    for entry in journal {
        let Cause::Merge(other) = &entry.id.cause else { continue };
        match entry.kind {
            Kind::MergedInto { .. } | Kind::MergeReceived { .. } => others.insert(other.clone()),
            _ => others.remove(other),
        };
    }
    others
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
        for held in page.held {
            match (step, held) {
                (Step::Recognise, Held::Key(key)) => self.recognise(&mut erasure.person, key).await?,
                (Step::Gather, Held::Key(key)) => erasure.person.learn(&key)?,
                (_, held) => self.erase(&erasure.person, held).await?,
            }
        }
        if step == Step::Recognise && page.next.is_none() {
            self.relate(&mut erasure.person).await?;
        }
        if step == Step::Directory && page.next.is_none() {
            for member in &erasure.person.members {
                self.raise_version(member).await?;
            }
        }
        erasure.move_on(step, page.next, now);
        Ok(())
    }

    /// Whoever became a member after the person was looked for is somebody new, under the same key.
    pub(super) async fn recognise(&self, person: &mut Person, key: HeldKey) -> Result<(), StoreError> {
        let Some(member) = key.member.clone() else { return person.learn(&key) };
        let profile = self.profile(&member, Consistency::Strong).await?;
        if person.is_dated(profile.map(|profile| profile.enrolled_at)) {
            person.learn_member(member)?;
        }
        Ok(())
    }

    /// Adds whoever became one with the members by a merge that was not taken back: the one they are part of, and those
    /// who are part of them.
    pub(super) async fn relate(&self, person: &mut Person) -> Result<(), StoreError> {
        let mut open: Vec<MemberId> = person.members.iter().cloned().collect();
        while let Some(member) = open.pop() {
            let mut journal = self.journal_since(&member, Timestamp::UNIX_EPOCH, Consistency::Strong).await?;
            journal.sort_by_key(|entry| entry.sequence);
            for other in one_with(&journal) {
                if !person.members.contains(&other) {
                    person.learn_member(other.clone())?;
                    open.push(other);
                }
            }
        }
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

    async fn raise_version(&self, member: &MemberId) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.count(members::VERSION);
        update.if_there(members::VERSION);
        let profile = member_key(member, members::PROFILE);
        self.update(&self.tables.members, profile, update).await.map(drop)
    }
}
