//! A merge taken back. As the merge itself: every step finds by itself how far it came, and a review finishes what was
//! cut off.

use std::collections::BTreeSet;

use domain::decide::Posting;
use domain::{Cause, Command, Coupon, CouponCode, Entry, Kind, MemberId, OrderState, Timestamp};
use jiff::SignedDuration;
use store::{Consistency, DirectoryKey};

use super::{Engine, EngineError, own_key};
use crate::clock::Budget;

/// For how long a merge can be taken back. Whoever notices later has bought and spent as one person since.
pub const UNDOABLE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// By how much the clocks of two of our functions may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);

/// How many other merges of the same members may come in between.
const MAX_ROUNDS: u32 = 32;

/// What became of the wish to take a merge back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmerged {
    /// It is taken back.
    Done,
    /// The member is part of nobody.
    NotMerged,
    /// It was too long ago.
    TooLate {
        /// When they became one.
        merged_at: Timestamp,
    },
    /// The other one has become part of somebody else since, which must be taken back first.
    MergedOn(MemberId),
}

impl Engine {
    /// Makes a member who became part of another one a member of their own again.
    pub async fn unmerge(&self, member: &MemberId, budget: Budget) -> Result<Unmerged, EngineError> {
        let mut is_asked = false;
        for _ in 0..MAX_ROUNDS {
            let journal =
                self.store.journal_since(member, Timestamp::UNIX_EPOCH, Consistency::Strong).await?;
            let Some((into, merged_at, is_open)) = last_merge(&journal) else {
                return Ok(Unmerged::NotMerged);
            };
            let Some(other) = self.store.profile(&into, Consistency::Strong).await? else {
                return Ok(Unmerged::NotMerged);
            };
            let is_under_way = other.bookkeeping.releasing.as_ref() == Some(member);
            if is_open && !is_under_way {
                // Perhaps a review was quicker than we.
                return Ok(if is_asked { Unmerged::Done } else { Unmerged::NotMerged });
            }
            if self.clock.now().duration_since(merged_at) > UNDOABLE_FOR {
                return Ok(Unmerged::TooLate { merged_at });
            }
            if other.account.merged_into.is_some() {
                return Ok(Unmerged::MergedOn(into));
            }
            if !self.finish_merges(&other, budget).await? {
                self.carry_out_for(&into, Command::Release { to: member }, budget).await?;
                is_asked = true;
            } else if is_under_way {
                return Ok(Unmerged::Done);
            }
        }
        Err(EngineError::Retryable("merges keep coming in between".to_owned()))
    }

    /// Gives back what a member is releasing, if anything. First the account is opened again, so that whatever comes
    /// from now on finds it; then what was told meanwhile is posted there; and only then it leaves the other one.
    pub(super) async fn finish_releasing(
        &self,
        member: &MemberId,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let Some(profile) = self.store.profile(member, Consistency::Strong).await? else { return Ok(()) };
        let Some(to) = &profile.bookkeeping.releasing else { return Ok(()) };
        let coupons = self.coupons_of(to, member).await?;
        self.carry_out_for(to, Command::Reopen { coupons: &coupons }, budget).await?;
        let told_since = self.told_since(to, member).await?;
        let mut batch = self.batch();
        for state in &told_since {
            match batch.reconcile(state, false, budget).await {
                // What cannot succeed there could not here either; the sweep finds it, and parks it.
                Ok(_) | Err(EngineError::Permanent(_)) => {}
                Err(error @ EngineError::Retryable(_)) => return Err(error),
            }
        }
        self.store.give_up(member, to).await?;
        let journal = self.store.journal_since(to, Timestamp::UNIX_EPOCH, Consistency::Strong).await?;
        let told_since: Vec<Posting> = told_since.iter().filter_map(posting_of).collect();
        let coupons: Vec<CouponCode> = coupons.into_iter().map(|coupon| coupon.code).collect();
        let command = Command::GiveBack { journal: &journal, told_since: &told_since, coupons: &coupons };
        self.carry_out_for(member, command, budget).await.map(drop)
    }

    /// The coupons at a member's that had come with another one, by whose name their codes are still found.
    async fn coupons_of(&self, to: &MemberId, member: &MemberId) -> Result<Vec<Coupon>, EngineError> {
        let mut theirs = Vec::new();
        for coupon in self.store.coupons(member, Consistency::Strong).await? {
            if self.leads_to(&DirectoryKey::Coupon(coupon.code.clone()), to).await? {
                theirs.push(coupon);
            }
        }
        Ok(theirs)
    }

    /// The orders of the other one's that stand here, as they are now. What was told of them before the merge is
    /// reconciled there already, and posts nothing.
    async fn told_since(&self, to: &MemberId, member: &MemberId) -> Result<Vec<OrderState>, EngineError> {
        let consistency = Consistency::Strong;
        let journal = self.store.journal_since(to, Timestamp::UNIX_EPOCH, consistency).await?;
        let closings = journal.iter().filter(|entry| matches!(entry.kind, Kind::MergedInto { .. }));
        let Some(closed_at) = closings.map(|entry| entry.recorded_at).max() else { return Ok(Vec::new()) };
        let told_from = closed_at - CLOCKS_DIFFER;
        let mut seen = BTreeSet::new();
        let mut told = Vec::new();
        for entry in self.store.journal_since(member, Timestamp::UNIX_EPOCH, consistency).await? {
            let (Cause::Order(key) | Cause::UnlinkedRefund(key)) = &entry.id.cause else { continue };
            if entry.recorded_at < told_from || !seen.insert(key.clone()) {
                continue;
            }
            let Some(state) = self.store.order(key).await? else { continue };
            let is_theirs = match (&state.claimed_by, own_key(&state)) {
                (Some(member), _) => self.is_now(member, to).await?,
                (None, Some(owner)) => self.leads_to(&owner, to).await?,
                (None, None) => false,
            };
            if is_theirs {
                told.push(state);
            }
        }
        Ok(told)
    }

    /// Whether a key leads to a member, or by way of them to another one.
    async fn leads_to(&self, key: &DirectoryKey, to: &MemberId) -> Result<bool, EngineError> {
        match self.store.find_member(key, Consistency::Strong).await? {
            Some(found) => self.is_now(&found, to).await,
            None => Ok(false),
        }
    }

    /// Whether a member is another one, or has become part of one by way of them.
    async fn is_now(&self, member: &MemberId, to: &MemberId) -> Result<bool, EngineError> {
        let current = self.store.current_member(member, Consistency::Strong).await?;
        Ok(current.is_some_and(|current| current.is(to)))
    }
}

/// With whom a journal says that its member last became one, when, and whether that was taken back.
fn last_merge(journal: &[Entry]) -> Option<(MemberId, Timestamp, bool)> {
    let of_merges = || journal.iter().filter(|entry| matches!(entry.id.cause, Cause::Merge(_)));
    let closings = of_merges().filter_map(|entry| match &entry.kind {
        Kind::MergedInto { into } => Some((entry, into)),
        _ => None,
    });
    let (closing, into) = closings.max_by_key(|(entry, _)| entry.sequence)?;
    let is_open = of_merges().any(|entry| entry.kind == Kind::Reopened && entry.sequence > closing.sequence);
    Some((into.clone(), closing.id.effective_at, is_open))
}

fn posting_of(state: &OrderState) -> Option<Posting> {
    Some((state.effective_at()?, state.cause()))
}
