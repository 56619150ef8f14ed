//! Expiry after earning: what each order earned runs out a period after it was placed, oldest first; an opening balance
//! as if it had been earned at its moment.
//!
//! There are no lots to keep. What was earned and has not reached its age is *young*; whatever the balance has beyond
//! the young points is old, and runs out: `balance − young = earned old − spent − expired`. So what was spent took the
//! oldest points first, a voided coupon was never bought, and what was forgiven was never spent.

use std::collections::BTreeMap;

use super::expire;
use crate::decide::draft::{Draft, Stop};
use crate::journal::{Cause, Entry};
use crate::member::NextExpiry;
use crate::points::Points;
use crate::programme::Programme;
use crate::time::{Period, Timestamp};

/// Lets run out, at its own instant, whatever reached its age since the member was last settled.
pub(super) fn settle(
    draft: &mut Draft<'_>,
    programme: &Programme,
    validity: Period,
    moment: Timestamp,
    rules_changed: bool,
) -> Result<(), Stop> {
    let bookkeeping = &draft.profile.bookkeeping;
    let has_come = bookkeeping.next_expiry.is_some_and(|next| next.at <= moment);
    if !(draft.lots_changed || rules_changed || has_come) {
        return Ok(());
    }
    draft.lots_changed = false;
    draft.profile.bookkeeping.next_expiry = None;
    if draft.profile.account.balance <= Points::ZERO {
        return Ok(());
    }
    let settled_to = draft.profile.bookkeeping.settled_to;
    let mut young = young_since(draft, programme, validity, settled_to)?;
    let mut sum_young = young.values().try_fold(Points::ZERO, |sum, points| sum.plus(*points))?;
    // What came to light only now and is old already goes at once.
    expire(draft, moment, draft.profile.account.balance.minus(sum_young)?)?;
    while let Some((end, points)) = young.pop_first() {
        sum_young = sum_young.minus(points)?;
        let old = draft.profile.account.balance.minus(sum_young)?;
        if end > moment && old > Points::ZERO {
            draft.profile.bookkeeping.next_expiry = Some(NextExpiry { at: end, points: old });
            break;
        }
        expire(draft, end, old)?;
    }
    Ok(())
}

/// What orders and opening balances earned that has not reached its age at a moment, by the instant at which it does.
fn young_since(
    draft: &Draft<'_>,
    programme: &Programme,
    validity: Period,
    moment: Timestamp,
) -> Result<BTreeMap<Timestamp, Points>, Stop> {
    // A day more than the period, because months differ in length; what is old is left out below.
    let since =
        Period::days(2).before(validity.before(moment, &programme.time_zone)?, &programme.time_zone)?;
    let mut young: BTreeMap<Timestamp, Points> = BTreeMap::new();
    let is_earned = |entry: &&Entry| matches!(entry.id.cause, Cause::Order(_) | Cause::Opening(_));
    for entry in draft.journal_since(since)?.filter(is_earned) {
        let end = validity.after(entry.id.effective_at, &programme.time_zone)?;
        if end > moment {
            let sum = young.entry(end).or_default();
            *sum = sum.plus(entry.points)?;
        }
    }
    Ok(young)
}

/// An order that runs out last changes nothing of what runs out next, or is itself what does; so it needs no reading.
/// After anything else the young points are added up anew.
pub(super) fn take_in(
    draft: &mut Draft<'_>,
    programme: &Programme,
    validity: Period,
    entry: &Entry,
) -> Result<(), Stop> {
    if entry.points.is_zero() {
        return Ok(());
    }
    let at = validity.after(entry.id.effective_at, &programme.time_zone)?;
    if !(is_new_order(entry) && runs_out_last(draft, programme, validity, at)?) {
        draft.lots_changed = true;
        return Ok(());
    }
    let balance = draft.profile.account.balance;
    let balance_before = balance.minus(entry.points)?;
    let next = &mut draft.profile.bookkeeping.next_expiry;
    if balance_before <= Points::ZERO && balance > Points::ZERO {
        *next = Some(NextExpiry { at, points: balance });
    } else if let Some(next) = next.as_mut().filter(|next| next.at == at) {
        next.points = next.points.plus(entry.points)?;
    }
    Ok(())
}

fn is_new_order(entry: &Entry) -> bool {
    matches!(entry.id.cause, Cause::Order(_)) && entry.counts > 0 && entry.points > Points::ZERO
}

/// Not the same as being placed last: of two days at the end of a month, a shorter month makes one.
fn runs_out_last(
    draft: &Draft<'_>,
    programme: &Programme,
    validity: Period,
    at: Timestamp,
) -> Result<bool, Stop> {
    let newest = draft.profile.bookkeeping.active_at;
    let newest_end = newest.map(|placed_at| validity.after(placed_at, &programme.time_zone)).transpose()?;
    let next_end = draft.profile.bookkeeping.next_expiry.map(|next| next.at);
    Ok(newest_end.max(next_end) <= Some(at))
}
