//! Finds out who a person is: every member that a name of theirs leads to. Nothing is changed.
//!
//! A name that a platform vouches for leads to its member: a customer, a verified address. One that was only told, an
//! address or a phone number typed at a checkout, leads to whom the order is of that it was told with; but where there is
//! a member whom somebody vouches for, and the order's member is known by other such names, it was somebody else who told
//! it.

use std::collections::BTreeSet;

use domain::{Cause, Contact, Entry, Kind, MemberId, Timestamp};

use super::walk::{Held, HeldKey, HeldOrder, HeldPage};
use super::{Person, Step};
use crate::items::{MemberItem, read};
use crate::{Consistency, DirectoryKey, Store, StoreError};

/// Where a walk goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) step: Step,
    pub(super) cursor: Option<String>,
}

impl Place {
    /// The beginning of a step.
    pub(super) fn start(step: Step) -> Self {
        Self { step, cursor: None }
    }

    /// What comes after a page of a step.
    pub(super) fn after(step: Step, next_page: Option<String>) -> Option<Self> {
        match next_page {
            Some(cursor) => Some(Self { step, cursor: Some(cursor) }),
            None => step.next().map(Self::start),
        }
    }
}

impl Store {
    /// Learns what a page tells of the person, and where to look next.
    pub(super) async fn find(
        &self,
        person: &mut Person,
        step: Step,
        page: HeldPage,
    ) -> Result<Option<Place>, StoreError> {
        for held in page.held {
            match (step, held) {
                (Step::Recognise, Held::Key(key)) => self.recognise(person, key).await?,
                (Step::Orderers, Held::Order(order)) => {
                    if let Some(member) = self.member_behind(&order).await? {
                        let is_vouched_for = person.is_vouched_for(&order.owner.contact);
                        self.learn_teller(person, member, is_vouched_for).await?;
                    }
                }
                (Step::Contacts, Held::Item(item)) => {
                    let MemberItem { member, body, .. } = read::<MemberItem<Contact>>(item.item)?;
                    let is_vouched_for = person.is_vouched_for(&body);
                    self.learn_teller(person, member, is_vouched_for).await?;
                }
                (Step::Gather, Held::Key(key)) => gather(person, &key)?,
                _ => {}
            }
        }
        if page.next.is_some() {
            return Ok(Place::after(step, page.next));
        }
        let before = person.members.len();
        match step {
            Step::Contacts => {
                person.take_tellers_in()?;
                self.relate(person).await?;
            }
            Step::Gather => {
                person.take_candidates_in()?;
                // Also whoever became one with them while this went on.
                self.relate(person).await?;
            }
            _ => {}
        }
        let has_grown = step == Step::Gather && person.members.len() > before;
        if (step.reads_directory() && person.looks_again()) || has_grown {
            return Ok(Some(Place::start(step)));
        }
        Ok(Place::after(step, None))
    }

    async fn recognise(&self, person: &mut Person, key: HeldKey) -> Result<(), StoreError> {
        let Some(member) = key.member.clone() else { return person.learn(&key) };
        if self.was_there(person, &member).await? {
            person.learn_member(member)?;
        }
        Ok(())
    }

    async fn learn_teller(
        &self,
        person: &mut Person,
        member: MemberId,
        is_vouched_for: bool,
    ) -> Result<(), StoreError> {
        if self.was_there(person, &member).await? {
            person.learn_teller(member, is_vouched_for)?;
        }
        Ok(())
    }

    /// Whoever became a member after the person was looked for is somebody new, under the same key.
    async fn was_there(&self, person: &Person, member: &MemberId) -> Result<bool, StoreError> {
        let profile = self.profile(member, Consistency::Strong).await?;
        Ok(person.is_dated(profile.map(|profile| profile.enrolled_at)))
    }

    /// Whose an order is: the member's who claimed it, or who is found by its owner's own key.
    async fn member_behind(&self, order: &HeldOrder) -> Result<Option<MemberId>, StoreError> {
        match (&order.claimed_by, DirectoryKey::of_customer(&order.owner)) {
            (Some(member), _) => Ok(Some(member.clone())),
            (None, Some(key)) => self.find_member(&key, Consistency::Strong).await,
            (None, None) => Ok(None),
        }
    }

    /// Adds whoever became one with the members by a merge that was not taken back: the one they are part of, and those
    /// who are part of them.
    async fn relate(&self, person: &mut Person) -> Result<(), StoreError> {
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
}

fn gather(person: &mut Person, key: &HeldKey) -> Result<(), StoreError> {
    match &key.member {
        Some(member) if !person.members.contains(member) => {
            person.rule_out(&key.key, member);
            Ok(())
        }
        _ => person.learn(key),
    }
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
