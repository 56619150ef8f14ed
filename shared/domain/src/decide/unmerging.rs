//! A merge taken back: the closed account is opened again, and the other one gives back what had come with it.
//!
//! Nothing of a closed account is ever removed, so opening it is one entry, committed together with the note on the other
//! one that it gives back. What that one has of theirs is marked as theirs: whatever came along, whatever their orders have
//! posted since, and whatever became of their coupons. All of it is given back cause by cause, in as many steps as it needs.
//! Until the last one neither account is settled. What was bought together stays with the member who stayed; a debt takes
//! it back, as after a refund.

use std::collections::BTreeSet;

use super::draft::{Deltas, Draft, Stop};
use super::groups::{Group, Page};
use super::merging::{is_free, resume};
use super::{coupons, expiry, rating, settle};
use crate::coupon::{Coupon, CouponState};
use crate::ids::{CouponCode, MemberId};
use crate::journal::{Cause, Entry, EntryId, Kind};
use crate::points::{Overflow, Points};
use crate::time::Timestamp;

/// A step of taking a merge back.
#[derive(Debug, Clone, Copy)]
pub enum Parting<'a> {
    /// Begin to give back what had come with another member, whose account is opened by the same commit.
    Release {
        /// Whose it was.
        to: &'a MemberId,
    },
    /// Open a closed account again, as it was. Commit it together with the other one's [`Parting::Release`].
    Reopen {
        /// The entry that closed it.
        closing: &'a Entry,
    },
    /// Give back the next part of what is the other member's.
    GiveBack(&'a Page),
    /// Take coupons back, as they have become with the other member.
    TakeBack(&'a [Coupon]),
    /// Leave these coupons to the other member, who has taken them back.
    LeaveCoupons(&'a [CouponCode]),
    /// All is given back, or has come back: the account is settled again.
    End {
        /// From or to whom.
        with: &'a MemberId,
    },
}

pub(super) fn run(draft: &mut Draft<'_>, step: Parting<'_>, until: Timestamp) -> Result<(), Stop> {
    match step {
        Parting::Release { to } => {
            if is_free(draft) {
                draft.profile.bookkeeping.releasing = Some(to.clone());
            }
            Ok(())
        }
        Parting::Reopen { closing } => reopen(draft, closing),
        Parting::GiveBack(page) => give_back(draft, page),
        Parting::TakeBack(coupons) => take_back(draft, coupons),
        Parting::LeaveCoupons(codes) => leave_coupons(draft, codes),
        Parting::End { with } => {
            end(draft, with, until)?;
            settle(draft, until)
        }
    }
}

/// Opens a closed account again. It is dated as what closed it, so that on the calendar the account never was closed.
fn reopen(draft: &mut Draft<'_>, closing: &Entry) -> Result<(), Stop> {
    let Kind::MergedInto { into, .. } = &closing.kind else { return Ok(()) };
    if draft.profile.account.merged_into.as_ref() != Some(into) {
        return Ok(());
    }
    let deltas = Deltas::default().less(Deltas::of(closing))?;
    let id = draft.next_id(closing.id.effective_at, closing.id.cause.clone())?;
    draft.fold(id, deltas, Kind::Reopened)?;
    draft.profile.bookkeeping.regaining = Some(into.clone());
    Ok(())
}

/// Gives a part back, if it is the next one.
fn give_back(draft: &mut Draft<'_>, page: &Page) -> Result<(), Stop> {
    let Some(to) = draft.profile.bookkeeping.releasing.clone() else { return Ok(()) };
    if draft.profile.bookkeeping.merged_up_to != page.after {
        return Ok(());
    }
    for group in &page.groups {
        if !draft.has_room_for(1) {
            return Ok(());
        }
        give_group_back(draft, &to, group)?;
        draft.profile.bookkeeping.merged_up_to = Some(group.posting.clone());
    }
    if page.groups.iter().any(|group| matches!(group.kind, Some(Kind::Rated { .. }))) {
        rating::recount(draft, draft.now(), true)?;
    }
    Ok(())
}

fn give_group_back(draft: &mut Draft<'_>, to: &MemberId, group: &Group) -> Result<(), Stop> {
    let Group { posting, deltas, came_with, entries, .. } = group;
    let posted_now = draft.entries.iter().filter(|entry| entry.id.is_of(posting)).count();
    let n = entries.checked_add(u32::try_from(posted_now).map_err(|_| Overflow)?).ok_or(Overflow)?;
    let id = EntryId { effective_at: posting.effective_at, cause: posting.cause.clone(), n };
    let back = Deltas::default().less(*deltas)?;
    draft.post_of(came_with.clone(), id, back, Kind::GivenBack { to: to.clone() })?;
    if let Cause::Expiry(end) = posting.cause {
        expiry::reconcile_from(draft, end);
    }
    Ok(())
}

/// Takes over what has become of the account's own coupons.
fn take_back(draft: &mut Draft<'_>, changed: &[Coupon]) -> Result<(), Stop> {
    if draft.profile.bookkeeping.regaining.is_none() {
        return Ok(());
    }
    let own = draft.all_coupons()?;
    for coupon in changed {
        let Some(before) = own.iter().find(|own| own.code == coupon.code) else { continue };
        let coupon = Coupon { number: before.number, came_with: before.came_with.clone(), ..coupon.clone() };
        if *before == coupon {
            continue;
        }
        if !draft.has_room_for_coupon() {
            return Ok(());
        }
        if let Some((points, kind)) = settled(before, &coupon)? {
            let id = draft.next_id(draft.now(), Cause::Void(coupon.code.clone()))?;
            draft.post_again(coupon.came_with.clone(), id, Deltas::points(points), kind)?;
        }
        if coupon.state == CouponState::Issued {
            coupons::note_end(&mut draft.profile.bookkeeping, &coupon);
        }
        draft.put_coupon(coupon);
        draft.receives_coupons = true;
    }
    Ok(())
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

fn leave_coupons(draft: &mut Draft<'_>, codes: &[CouponCode]) -> Result<(), Stop> {
    if draft.profile.bookkeeping.releasing.is_none() {
        return Ok(());
    }
    let ours: BTreeSet<CouponCode> = draft.all_coupons()?.into_iter().map(|coupon| coupon.code).collect();
    for code in codes.iter().filter(|code| ours.contains(code)) {
        if !draft.has_room_for_coupon() {
            return Ok(());
        }
        draft.remove_coupon(code.clone());
    }
    Ok(())
}

/// Ends what was under way with another member.
fn end(draft: &mut Draft<'_>, with: &MemberId, until: Timestamp) -> Result<(), Stop> {
    let bookkeeping = &mut draft.profile.bookkeeping;
    let is_releasing = bookkeeping.releasing.take_if(|to| to == with).is_some();
    let is_regaining = bookkeeping.regaining.take_if(|from| from == with).is_some();
    if !is_releasing && !is_regaining {
        return Ok(());
    }
    bookkeeping.merged_up_to = None;
    if is_releasing {
        let id = draft.next_id(draft.now(), Cause::Merge(with.clone()))?;
        draft.fold(id, Deltas::default(), Kind::GivenBack { to: with.clone() })?;
    }
    resume(draft, until);
    Ok(())
}
