//! Two members who turn out to be one: the account of the one is closed and carried over to the other.
//!
//! What orders, refunds, opening balances and expiries posted is carried over entry by entry, each at its own moment: so the tier window,
//! expiry after earning and every later change of these orders go on as if they had always been here. One entry sums
//! up the rest. A merge takes as many steps as it needs; the profile remembers how far it came.

use std::collections::BTreeMap;

use super::draft::{Deltas, Draft, Stop};
use super::{coupons, expiry, rating};
use crate::coupon::{Coupon, CouponState};
use crate::ids::MemberId;
use crate::journal::{Cause, Entry, Kind};
use crate::member::{Receiving, Window};
use crate::points::Overflow;
use crate::time::{Timestamp, date_of};

/// What one step carries over: entries and coupons, each a write of the transaction. There must be room for a coupon's
/// two writes beside it, for as many as one decision takes back.
pub(super) const STEP: usize = 40;

/// What one cause posted in all.
pub(super) struct Group<'a> {
    pub(super) effective_at: Timestamp,
    pub(super) cause: &'a Cause,
    pub(super) deltas: Deltas,
    kind: &'a Kind,
}

/// Begins to receive an account, unless another one is being received; that must be done first.
pub(super) fn receive(draft: &mut Draft<'_>, from: &MemberId) -> Result<(), Stop> {
    let bookkeeping = &mut draft.profile.bookkeeping;
    let is_free = bookkeeping.receiving.is_none() && bookkeeping.releasing.is_none();
    if is_free && draft.profile.account.merged_into.is_none() {
        bookkeeping.receiving = Some(Receiving { from: from.clone(), done: 0 });
    }
    Ok(())
}

/// Closes the account: whatever it has is another member's from now on.
pub(super) fn close(draft: &mut Draft<'_>, into: &MemberId) -> Result<(), Stop> {
    let bookkeeping = &draft.profile.bookkeeping;
    let is_busy = bookkeeping.receiving.is_some() || bookkeeping.releasing.is_some();
    if is_busy || draft.profile.account.merged_into.is_some() {
        // What is still to come, or to go, must be here first.
        return Ok(());
    }
    let now = draft.now();
    let account = &draft.profile.account;
    let deltas = Deltas {
        points: account.balance.negated()?,
        lifetime_points: account.lifetime_points.negated()?,
        ..Deltas::default()
    };
    let id = draft.next_id(now, Cause::Merge(into.clone()))?;
    draft.post(id, deltas, Kind::MergedInto { into: into.clone() })?;
    let zone = &draft.programme_at(now).time_zone;
    let bookkeeping = &mut draft.profile.bookkeeping;
    bookkeeping.window = Window::empty(date_of(now, zone));
    (bookkeeping.active_at, bookkeeping.next_expiry, bookkeeping.coupons_end_at) = (None, None, None);
    (bookkeeping.rated, bookkeeping.pending, bookkeeping.expiries_from) = (None, None, None);
    bookkeeping.without_activity = false;
    bookkeeping.next_coupon_end = None;
    Ok(())
}

/// Carries over the next part of a closed account; at its end, the sum of the rest.
pub(super) fn carry_over(draft: &mut Draft<'_>, journal: &[Entry], coupons: &[Coupon]) -> Result<(), Stop> {
    let Some(Receiving { from, done }) = draft.profile.bookkeeping.receiving.clone() else { return Ok(()) };
    let us = &draft.profile.member;
    if !journal.iter().any(|entry| matches!(&entry.kind, Kind::MergedInto { into } if into == us)) {
        // It became part of somebody else, who was quicker; here nothing is left to receive.
        draft.profile.bookkeeping.receiving = None;
        return Ok(());
    }
    let groups = groups(journal)?;
    let start = usize::try_from(done).map_err(|_| Overflow)?;
    let end = (start + STEP).min(groups.len() + coupons.len());
    for group in groups.get(start.min(groups.len())..end.min(groups.len())).unwrap_or_default() {
        carry_group(draft, group)?;
    }
    for index in start.max(groups.len())..end {
        carry_coupon(draft, coupons, index - groups.len())?;
    }
    if end < groups.len() + coupons.len() {
        let done = u32::try_from(end).map_err(|_| Overflow)?;
        draft.profile.bookkeeping.receiving = Some(Receiving { from, done });
        draft.leave_the_rest();
        return Ok(());
    }
    let id = draft.next_id(draft.now(), Cause::Merge(from.clone()))?;
    let coupons = u32::try_from(coupons.len()).map_err(|_| Overflow)?;
    draft.post(id, rest(journal)?, Kind::MergeReceived { from, coupons })?;
    draft.profile.bookkeeping.receiving = None;
    expiry::reconcile_from(draft, Timestamp::UNIX_EPOCH);
    if groups.iter().any(|group| matches!(group.kind, Kind::Rated { .. })) {
        draft.profile.bookkeeping.rated.get_or_insert_default();
        rating::recount(draft, draft.now(), true)?;
    }
    Ok(())
}

/// What is carried over entry by entry, by moment.
pub(super) fn groups(journal: &[Entry]) -> Result<Vec<Group<'_>>, Overflow> {
    let mut groups: BTreeMap<(Timestamp, &Cause), Group<'_>> = BTreeMap::new();
    let mut in_order: Vec<&Entry> = journal.iter().filter(|entry| stands_for_itself(entry)).collect();
    in_order.sort_by_key(|entry| (entry.sequence, &entry.id));
    for entry in in_order {
        let Entry { id, kind, .. } = entry;
        let group = groups.entry((id.effective_at, &id.cause)).or_insert(Group {
            effective_at: id.effective_at,
            cause: &id.cause,
            deltas: Deltas::default(),
            kind,
        });
        if !matches!(id.cause, Cause::Expiry(_)) {
            group.kind = kind;
        }
        group.deltas = group.deltas.with(entry)?;
    }
    groups.retain(|_, group| !matches!(group.kind, Kind::GivenBack { .. }));
    Ok(groups.into_values().collect())
}

fn stands_for_itself(entry: &Entry) -> bool {
    match &entry.kind {
        Kind::Order { .. }
        | Kind::UnlinkedRefund { .. }
        | Kind::OpeningBalance { .. }
        | Kind::Expired
        | Kind::Rated { .. } => true,
        // Of what had come with somebody else and went back, only the rest has no cause of its own.
        Kind::GivenBack { .. } => !matches!(entry.id.cause, Cause::Merge(_)),
        _ => false,
    }
}

/// The sum of everything else; what closed the account, or opened it again, is no part of it.
fn rest(journal: &[Entry]) -> Result<Deltas, Overflow> {
    let others = journal.iter().filter(|entry| {
        !stands_for_itself(entry) && !matches!(entry.kind, Kind::MergedInto { .. } | Kind::Reopened)
    });
    others.into_iter().try_fold(Deltas::default(), |sum, entry| sum.with(entry))
}

/// Posts what a cause posted there. An order that was told here meanwhile has been reconciled here already.
fn carry_group(draft: &mut Draft<'_>, group: &Group<'_>) -> Result<(), Stop> {
    let id = draft.next_id(group.effective_at, group.cause.clone())?;
    let newest = draft
        .journal_since(group.effective_at)?
        .filter(|entry| entry.id.effective_at == group.effective_at && entry.id.cause == *group.cause)
        .max_by_key(|entry| entry.id.n);
    let is_here_already = newest.is_some_and(|entry| !matches!(entry.kind, Kind::GivenBack { .. }));
    if is_here_already && !matches!(group.cause, Cause::Expiry(_)) {
        return Ok(());
    }
    draft.post_again(id, group.deltas, group.kind.clone())?;
    let bookkeeping = &mut draft.profile.bookkeeping;
    if let Cause::Expiry(end) = group.cause {
        bookkeeping.last_expiry_at = bookkeeping.last_expiry_at.max(Some(*end));
    }
    Ok(())
}

fn carry_coupon(draft: &mut Draft<'_>, coupons: &[Coupon], index: usize) -> Result<(), Stop> {
    let Some(coupon) = coupons.get(index) else { return Ok(()) };
    let before = u32::try_from(index).map_err(|_| Overflow)?;
    let number = draft.profile.account.coupons_issued.checked_add(before).ok_or(Overflow)?;
    if coupon.state == CouponState::Issued {
        coupons::note_end(&mut draft.profile.bookkeeping, coupon);
    }
    draft.put_coupon(Coupon { number, ..coupon.clone() });
    draft.receives_coupons = true;
    Ok(())
}
