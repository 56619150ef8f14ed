//! Two members who turn out to be one. Every step finds by itself how far the merge came, so that it may be cut off
//! anywhere, and be asked for again.

use domain::{Bookkeeping, Command, CustomerMerge, MemberId, Profile, SourceName, Timestamp};
use store::{Consistency, DirectoryKey};

use super::{Engine, EngineError};
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
        for _ in 0..MAX_ROUNDS {
            let (Some(from), Some(into)) = (
                self.current(from, Consistency::Strong).await?,
                self.current(into, Consistency::Strong).await?,
            ) else {
                return Ok(());
            };
            if from.member == into.member {
                return Ok(());
            }
            if self.finish_merges(&from, budget).await? || self.finish_merges(&into, budget).await? {
                continue;
            }
            self.carry_out_for(&into.member, Command::Receive { from: &from.member }, budget).await?;
        }
        Err(EngineError::Retryable("merges keep coming in between".to_owned()))
    }

    /// Finishes whatever a member is receiving or giving back; tells whether there was anything.
    pub(super) async fn finish_merges(&self, profile: &Profile, budget: Budget) -> Result<bool, EngineError> {
        match &profile.bookkeeping {
            Bookkeeping { receiving: Some(_), .. } => self.finish_receiving(&profile.member, budget).await?,
            Bookkeeping { releasing: Some(_), .. } => self.finish_releasing(&profile.member, budget).await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Carries over what a member is receiving, if anything.
    pub(super) async fn finish_receiving(
        &self,
        member: &MemberId,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let Some(profile) = self.store.profile(member, Consistency::Strong).await? else { return Ok(()) };
        let Some(receiving) = profile.bookkeeping.receiving else { return Ok(()) };
        let from = &receiving.from;
        let closed = self.carry_out_for(from, Command::MergeInto { into: member }, budget).await?;
        if closed.as_ref().is_some_and(|profile| profile.account.merged_into.is_none()) {
            return Err(EngineError::Retryable(format!("another merge of member {from} is under way")));
        }
        if closed.is_some_and(|profile| profile.account.merged_into.as_ref() == Some(member)) {
            self.store.adopt(from, member, self.clock.now()).await?;
        }
        let journal = self.store.journal_since(from, Timestamp::UNIX_EPOCH, Consistency::Strong).await?;
        let coupons = self.store.coupons(from, Consistency::Strong).await?;
        let command = Command::CarryOver { journal: &journal, coupons: &coupons };
        self.carry_out_for(member, command, budget).await.map(drop)
    }
}
