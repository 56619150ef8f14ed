//! Two members who turn out to be one: the account of the one is closed and carried over to the other.
//!
//! One commit closes the one account and notes on the other that it is being received: so nobody is ever received by two,
//! and two opposite merges at one moment make one. Then whatever the closed account has posted is carried over cause by
//! cause, each at its own moment and marked as the other one's: so the tier window, the expiries and every later change of
//! these orders go on as if they had always been here, and an undoing knows what to give back. A merge takes as many steps
//! as it needs; the profile remembers how far it came.

use super::draft::{Deltas, Draft, Stop};
use super::groups::{Group, Page};
use super::{coupons, expiry, rating, settle};
use crate::coupon::{Coupon, CouponState};
use crate::ids::MemberId;
use crate::journal::{Cause, Kind};
use crate::member::{Pending, Receiving};
use crate::points::{Overflow, Points};
use crate::time::Timestamp;

/// How many causes one step carries over or gives back: each is a write of the transaction.
pub const STEP: usize = 40;

/// A step of a merge.
#[derive(Debug, Clone, Copy)]
pub enum Merging<'a> {
    /// Close the account, which becomes part of another one. Commit it together with that one's [`Merging::Receive`].
    Close {
        /// Which.
        into: &'a MemberId,
    },
    /// Begin to receive another member's account, which is closed by the same commit.
    Receive {
        /// Whose.
        from: &'a MemberId,
    },
    /// Give up to receive an account that is not closed into this one. Laurel once began with the note, and closed the
    /// account by another commit.
    GiveUp {
        /// Whose.
        from: &'a MemberId,
    },
    /// Carry over the next part of the closed account's journal.
    CarryOver(&'a Page),
    /// Carry over the next of the closed account's coupons, and settle when that was the last.
    CarryCoupons(&'a [Coupon]),
}

impl Merging<'_> {
    /// What came along is no news.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self, Self::CarryOver(_))
    }
}

pub(super) fn run(draft: &mut Draft<'_>, step: Merging<'_>, until: Timestamp) -> Result<(), Stop> {
    match step {
        Merging::Close { into } => {
            settle(draft, until)?;
            if draft.is_full() { Ok(()) } else { close(draft, into) }
        }
        Merging::Receive { from } => {
            receive(draft, from);
            Ok(())
        }
        Merging::GiveUp { from } => {
            draft.profile.bookkeeping.receiving.take_if(|receiving| receiving.from == *from);
            settle(draft, until)
        }
        Merging::CarryOver(page) => carry_over(draft, page),
        Merging::CarryCoupons(coupons) => {
            carry_coupons(draft, coupons, until)?;
            settle(draft, until)
        }
    }
}

/// Whether the account can be merged or parted: it is neither closed nor still being merged with another one.
pub(super) fn is_free(draft: &Draft<'_>) -> bool {
    draft.profile.account.merged_into.is_none() && !draft.profile.bookkeeping.is_merging()
}

fn receive(draft: &mut Draft<'_>, from: &MemberId) {
    if is_free(draft) && draft.profile.member != *from {
        draft.profile.bookkeeping.receiving = Some(Receiving { from: from.clone(), coupons: None });
    }
}

/// Closes the account: whatever it has is another member's from now on. The bookkeeping stays as it is, for the day on
/// which the account may be opened again.
fn close(draft: &mut Draft<'_>, into: &MemberId) -> Result<(), Stop> {
    if !is_free(draft) {
        return Ok(());
    }
    let account = &draft.profile.account;
    let deltas = Deltas {
        points: account.balance.negated()?,
        lifetime_points: account.lifetime_points.negated()?,
        ..Deltas::default()
    };
    let id = draft.next_id(draft.now(), Cause::Merge(into.clone()))?;
    draft.fold(id, deltas, Kind::MergedInto { into: into.clone(), is_marked: true })?;
    Ok(())
}

/// Carries over a part of the closed account's journal, if it is the next one.
fn carry_over(draft: &mut Draft<'_>, page: &Page) -> Result<(), Stop> {
    let bookkeeping = &draft.profile.bookkeeping;
    let Some(Receiving { from, coupons: None }) = bookkeeping.receiving.clone() else { return Ok(()) };
    if bookkeeping.merged_up_to != page.after {
        return Ok(());
    }
    draft.need_entries_of(page.groups.iter().map(|group| &group.posting))?;
    for group in &page.groups {
        if !draft.has_room_for(1) {
            return Ok(());
        }
        carry_group(draft, &from, group)?;
        draft.profile.bookkeeping.merged_up_to = Some(group.posting.clone());
    }
    if page.is_last {
        draft.profile.bookkeeping.merged_up_to = None;
        draft.profile.bookkeeping.receiving = Some(Receiving { from, coupons: Some(0) });
    }
    if page.groups.iter().any(|group| matches!(group.kind, Some(Kind::Rated { .. }))) {
        draft.profile.bookkeeping.rated.get_or_insert_default();
        rating::recount(draft, draft.now(), true)?;
    }
    Ok(())
}

/// Posts what a cause posted there. An order that was told here meanwhile has been reconciled here already.
fn carry_group(draft: &mut Draft<'_>, from: &MemberId, group: &Group) -> Result<(), Stop> {
    let Group { posting, deltas, kind: Some(kind), .. } = group else { return Ok(()) };
    let is_one_members = matches!(
        posting.cause,
        Cause::Order(_) | Cause::UnlinkedRefund(_) | Cause::Opening(_) | Cause::Rating(_)
    );
    let is_here = |entry: &&&crate::Entry| is_one_members || entry.came_with.as_ref() == Some(from);
    let here = draft.entries_of(posting)?;
    let newest = here.iter().filter(is_here).max_by_key(|entry| entry.id.n);
    if newest.is_some_and(|entry| !matches!(entry.kind, Kind::GivenBack { .. })) {
        return Ok(());
    }
    let id = draft.next_id(posting.effective_at, posting.cause.clone())?;
    draft.post_again(Some(from.clone()), id, *deltas, kind.clone())?;
    if let Cause::Expiry(end) = posting.cause {
        // What ran out for the one need not have for both.
        let last = &mut draft.profile.bookkeeping.last_expiry_at;
        *last = (*last).max(Some(end));
        expiry::reconcile_from(draft, end);
    }
    Ok(())
}

/// Carries over the next coupons of all; after the last one the merge is done.
fn carry_coupons(draft: &mut Draft<'_>, all: &[Coupon], until: Timestamp) -> Result<(), Stop> {
    let Some(Receiving { from, coupons: Some(done) }) = draft.profile.bookkeeping.receiving.clone() else {
        return Ok(());
    };
    let first = usize::try_from(done).map_err(|_| Overflow)?;
    for (index, coupon) in all.iter().enumerate().skip(first) {
        let carried = u32::try_from(index).map_err(|_| Overflow)?;
        if !draft.has_room_for_coupon() {
            draft.profile.bookkeeping.receiving = Some(Receiving { from, coupons: Some(carried) });
            return Ok(());
        }
        let number = draft.profile.account.coupons_issued.checked_add(carried).ok_or(Overflow)?;
        if coupon.state == CouponState::Issued {
            coupons::note_end(&mut draft.profile.bookkeeping, coupon);
        }
        draft.put_coupon(Coupon { number, came_with: Some(from.clone()), ..coupon.clone() });
        draft.receives_coupons = true;
    }
    let id = draft.next_id(draft.now(), Cause::Merge(from.clone()))?;
    let coupons = u32::try_from(all.len()).map_err(|_| Overflow)?;
    draft.fold(id, Deltas::default(), Kind::MergeReceived { from, coupons })?;
    draft.profile.bookkeeping.receiving = None;
    resume(draft, until);
    Ok(())
}

/// Goes on after a time in which the account was not settled. What has been posted meanwhile may be of any moment, so the
/// calendar is not gone along step by step: everything is looked up as of now, and the expiries from then on.
pub(super) fn resume(draft: &mut Draft<'_>, until: Timestamp) {
    expiry::reconcile_from(draft, draft.profile.bookkeeping.settled_to);
    let bookkeeping = &mut draft.profile.bookkeeping;
    bookkeeping.window.changes_on = Some(bookkeeping.window.on);
    bookkeeping.pending = Some(Pending { points: Points::ZERO, next_at: until });
    bookkeeping.settled_to = until;
    bookkeeping.due_at = None;
}
