//! Orders that arrived together: whose each of them is, and its way to the journal.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::programme::Enrolment as Joining;
use domain::{Command, MemberId, OrderState};
use store::{Consistency, Current, DirectoryKey, Enrolment};

use super::{Engine, EngineError, Loaded, Progress};
use crate::clock::Budget;

/// Orders that arrived together. The records of one member go together too: after the first one the profile is at
/// hand, as it was just committed, and is not read again.
#[derive(Debug)]
pub struct Batch<'a> {
    pub(super) engine: &'a Engine,
    members: HashMap<DirectoryKey, Current>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self { engine, members: HashMap::new() }
    }

    /// Reconciles an order or an unlinked refund; enrols its customer where the programme says so. Returns the
    /// member, or nothing where there is nobody to give points to.
    pub async fn reconcile(
        &mut self,
        state: &OrderState,
        first_seen: bool,
        budget: Budget,
    ) -> Result<Option<MemberId>, EngineError> {
        if state.effective_at().is_none() {
            // Only refunds are known so far; they wait for their order.
            return Ok(None);
        }
        let mut state = Cow::Borrowed(state);
        let mut first_seen = first_seen;
        // What was told before was perhaps posted a moment ago, and to somebody else.
        let mut consistency = if first_seen { Consistency::Eventual } else { Consistency::Strong };
        let mut attempt = 0;
        loop {
            let loaded = match self.load_owner(&state, consistency, budget).await? {
                Owner::Is(loaded) => *loaded,
                Owner::Nobody => return Ok(None),
                Owner::Changed(now) => {
                    state = Cow::Owned(*now);
                    (first_seen, consistency) = (false, Consistency::Strong);
                    self.engine.pause(attempt, budget).await?;
                    continue;
                }
            };
            if loaded.enrolment.is_none() {
                self.engine.heed_contact(&state, &loaded.profile.member).await?;
            }
            let way = loaded.by_way_of.clone().into_iter().collect();
            let joins = loaded.enrolment.as_ref().map(|enrolment| enrolment.keys.clone());
            match self.engine.carry_out(loaded, Command::Order { state: &state, first_seen }).await? {
                Progress::Done(profile) => {
                    let member = profile.member.clone();
                    if let Some(key) = own_key(&state) {
                        self.members.insert(key, Current { profile: *profile, way });
                    }
                    self.engine.claim_waiting(&joins.unwrap_or_default(), &member, budget).await?;
                    return Ok(Some(member));
                }
                Progress::MoreToDo => attempt = 0,
                Progress::Conflict => attempt += 1,
            }
            first_seen = false;
            consistency = Consistency::Strong;
            self.engine.pause(attempt, budget).await?;
        }
    }

    /// Whose an order is: the member's who claimed it, or its owner's, who may be the start of a new member.
    async fn load_owner(
        &mut self,
        state: &OrderState,
        consistency: Consistency,
        budget: Budget,
    ) -> Result<Owner, EngineError> {
        let engine = self.engine;
        if let Some(member) = &state.claimed_by {
            return Ok(Owner::of(self.load_found(member, consistency).await?));
        }
        let Some(customer) = &state.owner else { return Ok(Owner::Nobody) };
        let programmes = engine.programmes.get().await?;
        let own = match own_key(state) {
            Some(key) => match self.load_known(&key, consistency).await? {
                Ok(loaded) => {
                    if programmes.may_have_waited()
                        && let Some(now) = engine.changed_hands(state).await?
                    {
                        return Ok(Owner::Changed(Box::new(now)));
                    }
                    return Ok(Owner::of(loaded));
                }
                Err(free) => Some(free),
            },
            None => None,
        };
        let Some(effective_at) = state.effective_at().filter(|_| state.enrols()) else {
            return Ok(Owner::Nobody);
        };
        let programme = &programmes.at(engine.clock.now()).programme;
        let mut keys: Vec<DirectoryKey> = own.iter().cloned().collect();
        if let Some(own) = &own
            && programme.identity.across_sources
        {
            let others = DirectoryKey::everywhere(&customer.contact, programme.identity);
            for other in others.filter(|other| other != own) {
                if let Some(member) = engine.store.find_member(&other, Consistency::Strong).await? {
                    if let Some(now) = engine.changed_hands(state).await? {
                        return Ok(Owner::Changed(Box::new(now)));
                    }
                    // A customer of another source; from now on found under this name too. Whoever took it at this very
                    // moment holds it, and is the owner.
                    let holder = engine.add_name(own, &member, budget).await?;
                    return Ok(Owner::of(self.load_found(&holder, Consistency::Strong).await?));
                }
                keys.push(other);
            }
        }
        if programme.enrolment == Joining::Explicit {
            return engine.claim_or_wait(state, budget).await;
        }
        if keys.is_empty() {
            return Ok(Owner::Nobody);
        }
        if let Some(now) = engine.changed_hands(state).await? {
            return Ok(Owner::Changed(Box::new(now)));
        }
        let enrolment = Enrolment { keys, contact: customer.told_contact() };
        let enrolled_at = effective_at.min(engine.clock.now());
        Ok(Owner::Is(Box::new(engine.newcomer(enrolment, enrolled_at, &programmes)?)))
    }

    /// A member who is found by a key: as they were committed for the record before, or as they are stored. Where there is
    /// none, the key under which a new one is found.
    async fn load_known(
        &mut self,
        key: &DirectoryKey,
        consistency: Consistency,
    ) -> Result<Result<Loaded, DirectoryKey>, EngineError> {
        if let Some(current) = self.members.remove(key) {
            return Ok(Ok(Loaded::found(current)));
        }
        let found = self.engine.store.look_up(key, consistency).await?;
        match found.member {
            Some(member) => self.load_found(&member, consistency).await.map(Ok),
            None => Ok(Err(found.key)),
        }
    }

    /// The profile of a member whom the directory names. The two are written together, so a profile missing in an
    /// eventually consistent read is there in a consistent one.
    async fn load_found(&self, member: &MemberId, consistency: Consistency) -> Result<Loaded, EngineError> {
        let store = &self.engine.store;
        let mut current = store.current_member(member, consistency).await?;
        if current.is_none() {
            current = store.current_member(member, Consistency::Strong).await?;
        }
        current
            .map(Loaded::found)
            .ok_or_else(|| EngineError::Permanent(format!("member {member} has no profile")))
    }
}

/// Whose an order is.
pub(super) enum Owner {
    Is(Box<Loaded>),
    Nobody,
    /// Look again: this is the order as it is now.
    Changed(Box<OrderState>),
}

impl Owner {
    pub(super) fn of(loaded: Loaded) -> Self {
        Self::Is(Box::new(loaded))
    }
}

/// The key by which the owner of an order is found; none where the order was claimed, whoever its owner is.
pub(super) fn own_key(state: &OrderState) -> Option<DirectoryKey> {
    state.owner.as_ref().filter(|_| state.claimed_by.is_none()).and_then(DirectoryKey::of_customer)
}
