//! Who becomes a member, and by what the orders that waited for them are theirs.
//!
//! Where the programme asks for enrolment, an order whose owner leads to nobody waits under every name that it was told
//! with. Enrolment takes the directory's keys first and asks then what waits; the accrual lets the order wait first and
//! asks the directory then. So whichever comes first, one of the two sees the other.

use domain::{Command, MemberId, OrderKey, OrderState, Profile, Programmes, Timestamp};
use store::{Claim, Consistency, DirectoryKey, Enrolment};

use super::{Engine, EngineError, Loaded, Owner, Progress};
use crate::clock::Budget;
use crate::random::NoRandomness;

/// How often others may write an order, while it is claimed, before the whole is tried again.
const MAX_ROUNDS: u32 = 20;

/// What became of an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// A new member.
    New(MemberId),
    /// A member already; what was told in addition is noted.
    Known(MemberId),
    /// The names lead to different members; whoever knows that they are one may merge them.
    Several(MemberId, MemberId),
}

impl Engine {
    /// Makes somebody a member under names that whoever asks vouches for, or finds the member who is; then gives them
    /// the orders that waited. Asked again, it goes on where it was cut off.
    pub async fn enrol(
        &self,
        who: &Enrolment,
        enrolled_at: Timestamp,
        budget: Budget,
    ) -> Result<Enrolled, EngineError> {
        let enrolled = self.join(who, enrolled_at, Command::Review, budget).await?;
        if let Enrolled::New(member) | Enrolled::Known(member) = &enrolled {
            self.claim_waiting(&who.keys, member, budget).await?;
        }
        Ok(enrolled)
    }

    /// A new member begins with a command, which for one who is known is not carried out.
    pub(super) async fn join(
        &self,
        who: &Enrolment,
        enrolled_at: Timestamp,
        command: Command<'_>,
        budget: Budget,
    ) -> Result<Enrolled, EngineError> {
        let mut attempt = 0;
        let mut is_new = false;
        loop {
            let mut known: Vec<MemberId> = Vec::new();
            let mut free = Vec::new();
            for key in &who.keys {
                match self.member_at(key).await? {
                    Ok(member) if !known.contains(&member) => known.push(member),
                    Ok(_) => {}
                    Err(key) => free.push(key),
                }
            }
            match (known.as_slice(), free.as_slice()) {
                ([one, other, ..], _) => return Ok(Enrolled::Several(one.clone(), other.clone())),
                ([member], _) if is_new => return Ok(Enrolled::New(member.clone())),
                ([member], []) => {
                    match self.store.tell_contact(member, &who.contact, self.clock.now()).await? {
                        Some(_) => return Ok(Enrolled::Known(member.clone())),
                        // They are being erased; once that is through, the names are free, and lead to somebody new.
                        None => attempt += 1,
                    }
                }
                // Whoever takes one of them at the same moment is found in the next round.
                ([member], free) => {
                    for key in free {
                        self.store.add_name(key, member).await?;
                    }
                }
                ([], free) => match self.start(who.under(free), enrolled_at, command).await? {
                    Progress::Done(profile) => return Ok(Enrolled::New(profile.member)),
                    Progress::MoreToDo => is_new = true,
                    Progress::Conflict => attempt += 1,
                },
            }
            self.pause(attempt, budget).await?;
        }
    }

    async fn start(
        &self,
        who: Enrolment,
        enrolled_at: Timestamp,
        command: Command<'_>,
    ) -> Result<Progress, EngineError> {
        let programmes = self.programmes.get().await?;
        let loaded = self.newcomer(who, enrolled_at, &programmes)?;
        self.carry_out(loaded, command).await
    }

    /// A member who is not stored yet.
    pub(super) fn newcomer(
        &self,
        enrolment: Enrolment,
        enrolled_at: Timestamp,
        programmes: &Programmes,
    ) -> Result<Loaded, EngineError> {
        let member = self.random.entropy()?.member_id().ok_or(NoRandomness)?;
        let profile = Profile::new(member, enrolled_at, programmes);
        Ok(Loaded { enrolment: Some(enrolment), ..Loaded::member(profile) })
    }

    /// Another name of a member, and what waits under it; nothing where somebody else holds it. Answers who does.
    pub(super) async fn add_name(
        &self,
        name: &DirectoryKey,
        member: &MemberId,
        budget: Budget,
    ) -> Result<MemberId, EngineError> {
        let holder = self.store.add_name(name, member).await?;
        if holder == *member {
            self.claim_waiting(std::slice::from_ref(name), member, budget).await?;
        }
        Ok(holder)
    }

    /// Gives a member every order that waits under one of their names.
    pub(super) async fn claim_waiting(
        &self,
        names: &[DirectoryKey],
        member: &MemberId,
        budget: Budget,
    ) -> Result<(), EngineError> {
        if !self.programmes.get().await?.may_have_waited() {
            return Ok(());
        }
        for name in self.resolved(names.to_vec()).await? {
            loop {
                let waiting = self.store.waiting(&name).await?;
                if waiting.is_empty() {
                    break;
                }
                for order in waiting {
                    self.claim(&order, &name, member, budget).await?;
                }
            }
        }
        Ok(())
    }

    /// The names under which orders wait: in a customer's place the one whose alias they are.
    async fn resolved(&self, mut names: Vec<DirectoryKey>) -> Result<Vec<DirectoryKey>, EngineError> {
        for name in &mut names {
            if matches!(name, DirectoryKey::Customer(..)) {
                *name = self.store.look_up(name, Consistency::Strong).await?.key;
            }
        }
        Ok(names)
    }

    /// Every name of an order's owner under which it may wait.
    async fn names_of(&self, state: &OrderState) -> Result<Vec<DirectoryKey>, EngineError> {
        self.resolved(state.owner.as_ref().map(DirectoryKey::told_of).unwrap_or_default()).await
    }

    /// Lets what waits under one name wait under another one: two customers turned out to be one before they enrolled.
    pub(super) async fn move_waiting(
        &self,
        from: &DirectoryKey,
        to: &DirectoryKey,
        budget: Budget,
    ) -> Result<(), EngineError> {
        if !self.programmes.get().await?.may_have_waited() {
            return Ok(());
        }
        loop {
            let waiting = self.store.waiting(from).await?;
            if waiting.is_empty() {
                break;
            }
            for order in waiting {
                self.store.wait(&order, std::slice::from_ref(to)).await?;
                self.store.end_waiting(&order, std::slice::from_ref(from)).await?;
            }
        }
        match self.member_at(to).await? {
            // They enrolled meanwhile.
            Ok(member) => self.claim_waiting(std::slice::from_ref(to), &member, budget).await,
            Err(_) => Ok(()),
        }
    }

    /// Claims an order under one of its names, and ends its waiting; one that is somebody's already is left to them.
    async fn claim(
        &self,
        order: &OrderKey,
        name: &DirectoryKey,
        member: &MemberId,
        budget: Budget,
    ) -> Result<(), EngineError> {
        for round in 0..MAX_ROUNDS {
            self.pause(round, budget).await?;
            let state = self.store.order(order).await?;
            let mut names = match &state {
                Some(state) => self.names_of(state).await?,
                None => Vec::new(),
            };
            let claim = match &state {
                // Who was erased has no names, and nobody claims their orders.
                Some(state) if state.claimed_by.is_none() && !names.is_empty() => {
                    self.store.claim(state, name, member).await?
                }
                _ => Claim::LeadsElsewhere,
            };
            match claim {
                Claim::Made => {
                    let moved = Some(name).filter(|name| !names.contains(name));
                    names.extend(moved.cloned());
                    return Ok(self.store.end_waiting(order, &names).await?);
                }
                Claim::LeadsElsewhere => {
                    return Ok(self.store.end_waiting(order, std::slice::from_ref(name)).await?);
                }
                Claim::Changed => {}
            }
        }
        Err(EngineError::Retryable("others keep writing the order".to_owned()))
    }

    /// An order whose owner leads to nobody: it is claimed for a member who has another name of it, or it waits.
    pub(super) async fn claim_or_wait(
        &self,
        state: &OrderState,
        budget: Budget,
    ) -> Result<Owner, EngineError> {
        let mut names = self.names_of(state).await?;
        if names.is_empty() {
            return Ok(Owner::Nobody);
        }
        if let Some((name, member)) = self.member_named(&names, Consistency::Strong).await? {
            return self.claim_now(state, &name, &member, budget).await;
        }
        loop {
            self.pause(0, budget).await?;
            self.store.wait(&state.key, &names).await?;
            // A merge of two customers moves what waits under the one, and may not have seen this.
            let now = self.names_of(state).await?;
            if now == names {
                break;
            }
            self.store.end_waiting(&state.key, &names).await?;
            names = now;
        }
        if let Some(now) = self.changed_hands(state).await? {
            // Perhaps erased: then nothing may wait under names that are gone.
            self.store.end_waiting(&state.key, &names).await?;
            return Ok(Owner::Changed(Box::new(now)));
        }
        match self.member_named(&names, Consistency::Strong).await? {
            Some((name, member)) => self.claim_now(state, &name, &member, budget).await,
            None => Ok(Owner::Nobody),
        }
    }

    async fn claim_now(
        &self,
        state: &OrderState,
        name: &DirectoryKey,
        member: &MemberId,
        budget: Budget,
    ) -> Result<Owner, EngineError> {
        self.claim(&state.key, name, member, budget).await?;
        let now = self.store.order(&state.key).await?;
        Ok(now.map_or(Owner::Nobody, |now| Owner::Changed(Box::new(now))))
    }

    /// The order as it is now, where it is somebody else's than what is told: an erasure takes the person off their
    /// orders, and what the stream still holds must not enrol them anew; a claim gives an order to a member, and what
    /// the stream still holds must not give it to another one.
    pub(super) async fn changed_hands(&self, told: &OrderState) -> Result<Option<OrderState>, EngineError> {
        let now = self.store.order(&told.key).await?;
        Ok(now.filter(|now| (&now.owner, &now.claimed_by) != (&told.owner, &told.claimed_by)))
    }

    /// Whether an order whose owner leads to nobody has to wait: nobody has any other name of it either.
    pub(super) async fn has_to_wait(
        &self,
        state: &OrderState,
        consistency: Consistency,
    ) -> Result<bool, EngineError> {
        Ok(self.member_named(&self.names_of(state).await?, consistency).await?.is_none())
    }

    async fn member_named(
        &self,
        names: &[DirectoryKey],
        consistency: Consistency,
    ) -> Result<Option<(DirectoryKey, MemberId)>, EngineError> {
        for name in names {
            if let Some(member) = self.store.find_member(name, consistency).await? {
                return Ok(Some((name.clone(), member)));
            }
        }
        Ok(None)
    }

    /// The member behind a key, or the key under which nobody stands yet.
    async fn member_at(&self, key: &DirectoryKey) -> Result<Result<MemberId, DirectoryKey>, EngineError> {
        let found = self.store.look_up(key, Consistency::Strong).await?;
        let Some(member) = found.member else { return Ok(Err(found.key)) };
        let current = self.current(&member, Consistency::Strong).await?;
        Ok(current.map(|profile| profile.member).ok_or(found.key))
    }
}
