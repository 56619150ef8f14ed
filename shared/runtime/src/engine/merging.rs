//! Two members who turn out to be one. Every step finds by itself how far the merge came, so that it may be cut off
//! anywhere, and be asked for again.

use domain::decide::{Groups, Merging, STEP};
use domain::{Bookkeeping, Command, CustomerMerge, MemberId, Profile, SourceName};
use store::{Consistency, DirectoryKey, JournalReader};

use super::{Engine, EngineError, Loaded};
use crate::clock::Budget;

/// How many other merges of the same members may come in between before the record is tried again.
const MAX_ROUNDS: u32 = 32;

impl Engine {
    /// The profile of a member, or of the one that this one has become part of.
    pub async fn current(
        &self,
        member: &MemberId,
        consistency: Consistency,
    ) -> Result<Option<Profile>, EngineError> {
        Ok(self.store.current_profile(member, consistency).await?)
    }

    /// Merges two customers of a source. A customer whom nobody knows yet becomes another name of the other one; of two whom
    /// nobody knows, the directory remembers that they are one.
    pub async fn merge_customers(
        &self,
        source: &SourceName,
        merge: &CustomerMerge,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let key = |customer: &_| DirectoryKey::Customer(source.clone(), Clone::clone(customer));
        let (kept, deleted) = (key(&merge.kept), key(&merge.deleted));
        for round in 0..MAX_ROUNDS {
            self.pause(round, budget).await?;
            let into = self.store.look_up(&kept, Consistency::Strong).await?;
            let from = self.store.look_up(&deleted, Consistency::Strong).await?;
            // Whoever takes a name at the same moment is found in the next round.
            let (known, free) = match (into.member, from.member) {
                (Some(into), Some(from)) => return self.merge(&from, &into, budget).await,
                (Some(known), None) => (known, from.key),
                (None, Some(known)) => (known, into.key),
                (None, None) => {
                    if from.key == into.key || self.store.add_alias(&from.key, &into.key).await? {
                        return self.move_waiting(&deleted, &kept, budget).await;
                    }
                    continue;
                }
            };
            if self.add_name(&free, &known, budget).await? == known {
                return Ok(());
            }
        }
        Err(EngineError::Retryable("others keep taking the customers' names".to_owned()))
    }

    /// Makes one member part of another one, with everything. Of members who are one already there is nothing to do.
    pub async fn merge(&self, from: &MemberId, into: &MemberId, budget: Budget) -> Result<(), EngineError> {
        for round in 0..MAX_ROUNDS {
            let (Some(from), Some(into)) = (
                self.current(from, Consistency::Strong).await?,
                self.current(into, Consistency::Strong).await?,
            ) else {
                return Ok(());
            };
            if from.member == into.member {
                return self.finish_merges(&into, budget).await.map(drop);
            }
            if !self.finish_merges(&from, budget).await? && !self.finish_merges(&into, budget).await? {
                self.begin_merge(from, into).await?;
            }
            self.pause(round, budget).await?;
        }
        Err(EngineError::Retryable("merges keep coming in between".to_owned()))
    }

    /// Closes the one account and notes on the other one that it is being received, in one commit. Whatever comes in
    /// between is seen in the next round.
    async fn begin_merge(&self, from: Profile, into: Profile) -> Result<(), EngineError> {
        let programmes = self.programmes.get().await?;
        let (mut from, mut into) = (Loaded::member(from), Loaded::member(into));
        let (kept, closed) = (into.profile.member.clone(), from.profile.member.clone());
        let close = Command::Merge(Merging::Close { into: &kept });
        let close = self.decide(&programmes, &mut from, close).await?;
        if close.profile.account.merged_into.is_none() {
            // What was due is more than one commit.
            return self.commit_one(&close).await.map(drop);
        }
        let receive = Command::Merge(Merging::Receive { from: &closed });
        let receive = self.decide(&programmes, &mut into, receive).await?;
        if receive.profile.bookkeeping.receiving.is_some() {
            self.commit_both(&close, &receive).await?;
        } else if receive.changed {
            // What a decision that was cut off had left is more than one commit, too.
            self.commit_one(&receive).await?;
        }
        Ok(())
    }

    /// Finishes whatever a member is receiving, giving back or getting back; tells whether there was anything.
    pub(super) async fn finish_merges(&self, profile: &Profile, budget: Budget) -> Result<bool, EngineError> {
        let member = &profile.member;
        match &profile.bookkeeping {
            Bookkeeping { receiving: Some(_), .. } => self.finish_receiving(member, budget).await?,
            Bookkeeping { releasing: Some(_), .. } => self.finish_releasing(member, budget).await?,
            Bookkeeping { regaining: Some(from), .. } => self.finish_regaining(member, from, budget).await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Carries over what a member is receiving, if anything. Another one may be doing the same at the same time.
    pub(super) async fn finish_receiving(
        &self,
        member: &MemberId,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let mut reader: Option<JournalReader> = None;
        let mut attempt = 0;
        loop {
            let Some(profile) = self.store.profile(member, Consistency::Strong).await? else { return Ok(()) };
            let Some(receiving) = &profile.bookkeeping.receiving else { return Ok(()) };
            let from = receiving.from.clone();
            if reader.is_none() && !self.is_closed_into(&from, member).await? {
                let command = Command::Merge(Merging::GiveUp { from: &from });
                return self.carry_out_for(member, command, budget).await.map(drop);
            }
            let progress = if receiving.coupons.is_none() {
                let after = profile.bookkeeping.merged_up_to.clone();
                let reader = match &mut reader {
                    Some(reader) if reader.after() == after.as_ref() => reader,
                    reader => reader.insert(JournalReader::new(from, Groups::of_all(), after)),
                };
                let page = reader.page(&self.store, STEP).await?;
                let command = Command::Merge(Merging::CarryOver(&page));
                self.carry_out(Loaded::member(profile), command).await?
            } else {
                // Contact and devices first: after the coupons the merge is done.
                self.store.adopt(&from, member, self.clock.now()).await?;
                let mut coupons = self.store.coupons(&from, Consistency::Strong).await?;
                coupons.reverse();
                let command = Command::Merge(Merging::CarryCoupons(&coupons));
                self.carry_out(Loaded::member(profile), command).await?
            };
            attempt = progress.attempts_after(attempt);
            self.pause(attempt, budget).await?;
        }
    }

    async fn is_closed_into(&self, member: &MemberId, into: &MemberId) -> Result<bool, EngineError> {
        let profile = self.store.profile(member, Consistency::Strong).await?;
        Ok(profile.is_some_and(|profile| profile.account.merged_into.as_ref() == Some(into)))
    }
}
