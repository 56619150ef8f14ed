//! A merge taken back. As the merge itself: every step finds by itself how far it came, and a review finishes what was
//! cut off.

use domain::decide::{Group, Groups, Page, Parting, STEP};
use domain::{
    Cause, Command, Coupon, CouponCode, Entry, Kind, MemberId, OrderKey, Posting, Profile, Timestamp,
};
use jiff::SignedDuration;
use store::{Consistency, JournalReader};

use super::{Engine, EngineError, Loaded};
use crate::clock::Budget;

/// For how long a merge can be taken back. Whoever notices later has bought and spent as one person since.
pub const UNDOABLE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

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
    /// An earlier version of Laurel merged them, and did not mark what came along.
    Unmarked,
}

impl Engine {
    /// Makes a member who became part of another one a member of their own again.
    pub async fn unmerge(&self, member: &MemberId, budget: Budget) -> Result<Unmerged, EngineError> {
        let mut is_asked = false;
        for round in 0..MAX_ROUNDS {
            let profile = self.store.profile(member, Consistency::Strong).await?;
            let Some(profile) = profile else { return Ok(Unmerged::NotMerged) };
            let Some(into) = profile.account.merged_into.clone() else {
                // Perhaps a review was quicker than we.
                let is_done = profile.bookkeeping.regaining.is_some() || is_asked;
                self.finish_merges(&profile, budget).await?;
                return Ok(if is_done { Unmerged::Done } else { Unmerged::NotMerged });
            };
            let Some(closing) = self.store.closing(member, &into).await? else {
                return Ok(Unmerged::NotMerged);
            };
            if let Some(refused) = self.refusal(&closing) {
                return Ok(refused);
            }
            let Some(other) = self.store.profile(&into, Consistency::Strong).await? else {
                return Ok(Unmerged::NotMerged);
            };
            if other.account.merged_into.is_some() {
                return Ok(Unmerged::MergedOn(into));
            }
            if !self.finish_merges(&other, budget).await? {
                is_asked |= self.begin_parting(profile, &closing, other).await?;
            }
            self.pause(round, budget).await?;
        }
        Err(EngineError::Retryable("merges keep coming in between".to_owned()))
    }

    fn refusal(&self, closing: &Entry) -> Option<Unmerged> {
        let merged_at = closing.recorded_at;
        if self.clock.now().duration_since(merged_at) > UNDOABLE_FOR {
            return Some(Unmerged::TooLate { merged_at });
        }
        matches!(closing.kind, Kind::MergedInto { is_marked: false, .. }).then_some(Unmerged::Unmarked)
    }

    /// Opens the account again, so that whatever comes from now on finds it, and notes on the other one what it is to
    /// give back, in one commit. Tells whether that is done: what was due at the other one comes first, and may be more
    /// than one commit.
    async fn begin_parting(
        &self,
        closed: Profile,
        closing: &Entry,
        other: Profile,
    ) -> Result<bool, EngineError> {
        let programmes = self.programmes.get().await?;
        let to = closed.member.clone();
        let (mut closed, mut other) = (Loaded::member(closed), Loaded::member(other));
        let reopen = Command::Part(Parting::Reopen { closing });
        let reopen = self.decide(&programmes, &mut closed, reopen).await?;
        let release = Command::Part(Parting::Release { to: &to });
        let release = self.decide(&programmes, &mut other, release).await?;
        if release.profile.bookkeeping.releasing.as_ref() != Some(&to) {
            if release.changed {
                self.commit_one(&release).await?;
            }
            return Ok(false);
        }
        if reopen.profile.account.merged_into.is_some() {
            return Ok(false);
        }
        self.commit_both(&reopen, &release).await
    }

    /// Gives back what a member is releasing, if anything: page by page what its journal has of the other one's, after
    /// whatever their orders have posted here since was posted there; then the coupons, as they have become.
    pub(super) async fn finish_releasing(
        &self,
        member: &MemberId,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let mut reader: Option<JournalReader> = None;
        let mut attempt = 0;
        let to = loop {
            let Some(profile) = self.store.profile(member, Consistency::Strong).await? else { return Ok(()) };
            let Some(to) = profile.bookkeeping.releasing.clone() else { return Ok(()) };
            let Some(closing) = self.store.closing(&to, member).await? else { break to };
            let after = profile.bookkeeping.merged_up_to.clone();
            let reader = match &mut reader {
                Some(reader) if attempt == 0 && reader.after() == after.as_ref() => reader,
                reader => {
                    let groups = Groups::of_theirs(to.clone(), closing.recorded_at);
                    reader.insert(JournalReader::new(member.clone(), groups, after))
                }
            };
            let page = reader.page(&self.store, STEP).await?;
            if page.groups.is_empty() {
                break to;
            }
            self.post_what_was_told_since(&to, &page, budget).await?;
            let command = Command::Part(Parting::GiveBack(&page));
            attempt = self.carry_out(Loaded::member(profile), command).await?.attempts_after(attempt);
            self.pause(attempt, budget).await?;
        };
        self.give_coupons_back(member, &to, budget).await?;
        self.store.give_up(member, &to).await?;
        self.carry_out_for(member, Command::Part(Parting::End { with: &to }), budget).await?;
        let end = Command::Part(Parting::End { with: member });
        self.carry_out_for(&to, end, budget).await.map(drop)
    }

    /// Gets back what a member is to get back, if anything. Of the two, the one who gives ends first.
    pub(super) async fn finish_regaining(
        &self,
        member: &MemberId,
        from: &MemberId,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let other = self.store.profile(from, Consistency::Strong).await?;
        if other.is_some_and(|other| other.bookkeeping.releasing.as_ref() == Some(member)) {
            self.finish_releasing(from, budget).await?;
        }
        let end = Command::Part(Parting::End { with: from });
        self.carry_out_for(member, end, budget).await.map(drop)
    }

    /// Posts at the member to whom a page goes what orders of theirs say since the two were one.
    async fn post_what_was_told_since(
        &self,
        to: &MemberId,
        page: &Page,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let of_orders: Vec<&Group> = page.groups.iter().filter(|group| group.is_of_order()).collect();
        let postings: Vec<Posting> = of_orders.iter().map(|group| group.posting.clone()).collect();
        let told_before = self.store.entries_of_each(to, &postings).await?;
        let mut batch = self.batch();
        for group in of_orders {
            let entries = told_before.get(&group.posting).map(Vec::as_slice).unwrap_or_default();
            if group.is_told_by(entries).map_err(domain::DecideError::from)? {
                continue;
            }
            let Some(order) = order_of(&group.posting) else { continue };
            let Some(state) = self.store.order(order).await? else { continue };
            match batch.reconcile(&state, false, budget).await {
                // What cannot succeed there could not here either; the sweep finds it, and parks it.
                Ok(_) | Err(EngineError::Permanent(_)) => {}
                Err(error @ EngineError::Retryable(_)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Gives a member's coupons back that had come with another one. Until then neither can change them.
    async fn give_coupons_back(
        &self,
        member: &MemberId,
        to: &MemberId,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let mut coupons = self.store.coupons(member, Consistency::Strong).await?;
        coupons.retain(|coupon| coupon.came_with.as_ref() == Some(to));
        let codes: Vec<CouponCode> = coupons.iter().map(|coupon: &Coupon| coupon.code.clone()).collect();
        if codes.is_empty() {
            return Ok(());
        }
        self.carry_out_for(to, Command::Part(Parting::TakeBack(&coupons)), budget).await?;
        self.carry_out_for(member, Command::Part(Parting::LeaveCoupons(&codes)), budget).await.map(drop)
    }
}

fn order_of(posting: &Posting) -> Option<&OrderKey> {
    match &posting.cause {
        Cause::Order(key) | Cause::UnlinkedRefund(key) => Some(key),
        _ => None,
    }
}
