//! A merge taken back: the closed account is opened again, and the other one gives back what had come with it.
//!
//! Nothing of a closed account is ever removed, so opening it is one entry. What was carried over is given back cause by
//! cause; the journal itself says what has been, so that a step which was cut off may come again.

use std::collections::BTreeSet;

use super::draft::{Deltas, Draft, Stop};
use super::merging::{STEP, groups};
use super::{expiry, rating};
use crate::coupon::{Coupon, CouponState};
use crate::ids::{CouponCode, MemberId};
use crate::journal::{Cause, Entry, Kind};
use crate::member::Pending;
use crate::points::{Overflow, Points};
use crate::time::{FOREVER, Timestamp};

/// A cause with its moment: what an order's entries have in common.
pub type Posting = (Timestamp, Cause);

/// Begins to give back what had come with another member.
pub(super) fn release(draft: &mut Draft<'_>, to: &MemberId) {
    let bookkeeping = &mut draft.profile.bookkeeping;
    if bookkeeping.releasing.is_none()
        && bookkeeping.receiving.is_none()
        && draft.profile.account.merged_into.is_none()
    {
        bookkeeping.releasing = Some(to.clone());
    }
}

/// Opens a closed account again, as it was, with its coupons as they have become.
pub(super) fn reopen(draft: &mut Draft<'_>, coupons: &[Coupon]) -> Result<(), Stop> {
    let Some(into) = draft.profile.account.merged_into.clone() else { return Ok(()) };
    let Some(closing) = newest_with(draft, &into)? else { return Ok(()) };
    if !take_back(draft, coupons)? {
        return Ok(());
    }
    let deltas = Deltas::default().less(Deltas::of(&closing))?;
    let id = draft.next_id(draft.now(), Cause::Merge(into))?;
    draft.post(id, deltas, Kind::Reopened)?;
    let ends = coupons.iter().map(|coupon| coupon.ends_at.unwrap_or(FOREVER));
    draft.profile.bookkeeping.coupons_end_at = ends.max();
    add_up_anew(draft)
}

/// Takes over what has become of the account's own coupons; tells whether it is done.
fn take_back(draft: &mut Draft<'_>, coupons: &[Coupon]) -> Result<bool, Stop> {
    let own = draft.all_coupons()?;
    for coupon in coupons {
        let before = own.iter().find(|own| own.code == coupon.code);
        let number = before.map_or(coupon.number, |before| before.number);
        let coupon = Coupon { number, ..coupon.clone() };
        if before == Some(&coupon) {
            continue;
        }
        if !draft.has_room_for_coupon() {
            return Ok(false);
        }
        if let Some((points, kind)) = before.map(|before| settled(before, &coupon)).transpose()?.flatten() {
            let id = draft.next_id(draft.now(), Cause::Void(coupon.code.clone()))?;
            draft.post_again(id, Deltas::points(points), kind)?;
        }
        draft.put_coupon(coupon);
        draft.receives_coupons = true;
    }
    Ok(true)
}

/// What has become of a coupon while it was another member's, if that was worth points: taken back, it returned its
/// points there, and used after that it cost them again.
fn settled(before: &Coupon, now: &Coupon) -> Result<Option<(Points, Kind)>, Overflow> {
    let code = now.code.clone();
    Ok(match (before.state, now.state, now.uses.last()) {
        (CouponState::Voided, CouponState::Voided, _) => None,
        (_, CouponState::Voided, _) => Some((now.points, Kind::CouponVoided { code })),
        (CouponState::Voided, _, Some(used)) => {
            Some((now.points.negated()?, Kind::CouponRedeemed { code, order: used.order.clone() }))
        }
        _ => None,
    })
}

/// Gives the next part back to a member whose account, with this journal, was opened again; at the end, the sum of the
/// rest. `told_since` is what orders of that member's have posted here since.
pub(super) fn give_back(
    draft: &mut Draft<'_>,
    journal: &[Entry],
    told_since: &[Posting],
    coupons: &[CouponCode],
) -> Result<(), Stop> {
    let Some(to) = draft.profile.bookkeeping.releasing.clone() else { return Ok(()) };
    let received = newest_with(draft, &to)?.filter(|entry| matches!(entry.kind, Kind::MergeReceived { .. }));
    let Some(received) = received else {
        // There is nothing, or it was given back already.
        draft.profile.bookkeeping.releasing = None;
        return Ok(());
    };
    let left = left_to_give_back(draft, &to, received.sequence, journal, told_since)?;
    for ((effective_at, cause), deltas) in left.iter().take(STEP) {
        let id = draft.next_id(*effective_at, cause.clone())?;
        draft.post(id, *deltas, Kind::GivenBack { to: to.clone() })?;
    }
    if left.len() > STEP {
        draft.leave_the_rest();
        return Ok(());
    }
    let ours: BTreeSet<CouponCode> = draft.all_coupons()?.into_iter().map(|coupon| coupon.code).collect();
    for code in coupons.iter().filter(|code| ours.contains(code)) {
        if !draft.has_room_for_coupon() {
            return Ok(());
        }
        let settled_here = settled_since(draft, code, received.sequence)?;
        if settled_here != Deltas::default() {
            let id = draft.next_id(draft.now(), Cause::Void(code.clone()))?;
            let deltas = Deltas::default().less(settled_here)?;
            draft.post(id, deltas, Kind::GivenBack { to: to.clone() })?;
        }
        draft.remove_coupon(code.clone());
    }
    let id = draft.next_id(draft.now(), Cause::Merge(to.clone()))?;
    let rest = Deltas::default().less(Deltas::of(&received))?;
    draft.post(id, rest, Kind::GivenBack { to })?;
    draft.profile.bookkeeping.releasing = None;
    add_up_anew(draft)
}

/// What taking a coupon back, or its use after that, has posted since it came.
fn settled_since(draft: &Draft<'_>, code: &CouponCode, since: u64) -> Result<Deltas, Stop> {
    let mut sum = Deltas::default();
    for entry in draft.journal_since(Timestamp::UNIX_EPOCH)?.filter(|entry| entry.sequence > since) {
        if matches!(&entry.id.cause, Cause::Void(of) | Cause::Redemption(of) if of == code) {
            sum = sum.with(entry)?;
        }
    }
    Ok(sum)
}

/// What of the member's is still here, by cause, with what it takes to give it back.
fn left_to_give_back(
    draft: &Draft<'_>,
    to: &MemberId,
    since: u64,
    journal: &[Entry],
    told_since: &[Posting],
) -> Result<Vec<(Posting, Deltas)>, Stop> {
    let us = &draft.profile.member;
    let closed_by = |entry: &&Entry| matches!(&entry.kind, Kind::MergedInto { into } if into == us);
    let closed = journal.iter().filter(closed_by).map(|entry| entry.sequence).max().unwrap_or_default();
    let carried: Vec<Entry> = journal.iter().filter(|entry| entry.sequence < closed).cloned().collect();
    let is_given_back = |entry: &Entry| {
        entry.sequence > since && matches!(&entry.kind, Kind::GivenBack { to: known } if known == to)
    };
    let ours: Vec<&Entry> = draft.journal_since(Timestamp::UNIX_EPOCH)?.collect();
    let mut seen = BTreeSet::new();
    let mut left = Vec::new();
    let carried = groups(&carried)?.into_iter().map(|group| {
        // Another expiry may share the instant of one that had come; nothing else shares its cause.
        let only = matches!(group.cause, Cause::Expiry(_)).then_some(group.deltas);
        ((group.effective_at, group.cause.clone()), only)
    });
    for (posting, only) in carried.chain(told_since.iter().map(|posting| (posting.clone(), None))) {
        let (effective_at, cause) = &posting;
        let here =
            ours.iter().filter(|entry| entry.id.effective_at == *effective_at && entry.id.cause == *cause);
        let mut sum = Deltas::default();
        let (mut is_here, mut is_done) = (false, false);
        for entry in here {
            sum = sum.with(entry)?;
            is_here = true;
            is_done |= is_given_back(entry);
        }
        if is_here && !is_done && seen.insert(posting.clone()) {
            left.push((posting, Deltas::default().less(only.unwrap_or(sum))?));
        }
    }
    // An expiry that had come covers the orders that had come; only of one that was posted here is something taken back.
    left.sort_by_key(|((_, cause), _)| !matches!(cause, Cause::Expiry(_)));
    Ok(left)
}

/// What was last posted of being one with another member, or two again.
fn newest_with(draft: &Draft<'_>, other: &MemberId) -> Result<Option<Entry>, Stop> {
    let journal = draft.journal_since(Timestamp::UNIX_EPOCH)?;
    let of_merge = journal.filter(|entry| matches!(&entry.id.cause, Cause::Merge(with) if with == other));
    Ok(of_merge.max_by_key(|entry| entry.sequence).cloned())
}

/// Everything that the bookkeeping saves reading is read.
fn add_up_anew(draft: &mut Draft<'_>) -> Result<(), Stop> {
    expiry::reconcile_from(draft, Timestamp::UNIX_EPOCH);
    let is_rated =
        draft.journal_since(Timestamp::UNIX_EPOCH)?.any(|entry| matches!(entry.kind, Kind::Rated { .. }));
    let bookkeeping = &mut draft.profile.bookkeeping;
    bookkeeping.window.changes_on = Some(bookkeeping.window.on);
    bookkeeping.pending = Some(Pending { points: Points::ZERO, next_at: bookkeeping.settled_to });
    if is_rated {
        bookkeeping.rated.get_or_insert_default();
        rating::recount(draft, draft.now(), true)?;
    }
    Ok(())
}
