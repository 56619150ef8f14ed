//! Expiry after inactivity: the whole balance, a period after the newest order that counts.

use std::collections::BTreeMap;

use super::{expire, expiries_after, give_back};
use crate::decide::draft::{Draft, Stop};
use crate::journal::{Cause, Entry, Kind};
use crate::member::{NextExpiry, Profile};
use crate::points::{Overflow, Points};
use crate::programme::Programme;
use crate::time::{Period, TimeError, Timestamp};

pub(super) fn next(
    programme: &Programme,
    validity: Period,
    profile: &Profile,
) -> Result<Option<NextExpiry>, TimeError> {
    let end = profile.bookkeeping.active_at.map(|active_at| validity.after(active_at, &programme.time_zone));
    Ok(end.transpose()?.map(|at| NextExpiry { at, points: profile.account.balance }))
}

/// The whole balance is gone at the instant itself.
pub(super) fn settle(draft: &mut Draft<'_>, moment: Timestamp, rules_changed: bool) -> Result<(), Stop> {
    draft.profile.bookkeeping.next_expiry = None;
    if rules_changed {
        // The rule before may not have followed which orders still count.
        recount(draft)?;
    }
    match super::next_expiry(draft.programme_at(moment), &draft.profile)? {
        Some(next) if next.at <= moment => expire(draft, next.at, next.points),
        _ => Ok(()),
    }
}

/// An order that was placed before an expiry but arrives after it is set where it belongs: what ran out meanwhile is
/// taken back, or what it earned runs out with the rest.
pub(super) fn set_where_it_belongs(
    draft: &mut Draft<'_>,
    placed_at: Timestamp,
    points: Points,
) -> Result<(), Stop> {
    let Some((end, expired)) = expiries_after(draft, placed_at)?.into_iter().next() else { return Ok(()) };
    let next_order = activities(draft, placed_at)?.into_iter().find(|other| *other > placed_at);
    if next_order.is_some_and(|next_order| next_order < end) {
        return expire(draft, end, points);
    }
    give_back(draft, end, expired)?;
    let programme = draft.programme_at(draft.now());
    if let (Some(next_order), Some(expiry)) = (next_order, &programme.expiry) {
        let own_end = expiry.validity.after(placed_at, &programme.time_zone)?;
        if own_end <= next_order {
            expire(draft, own_end, expired.plus(points)?)?;
        }
    }
    Ok(())
}

/// The expiry counts from the newest activity that still counts, else from the first points.
pub(super) fn recount(draft: &mut Draft<'_>) -> Result<(), Stop> {
    let active_at = match activities(draft, Timestamp::UNIX_EPOCH)?.pop() {
        Some(newest) => Some(newest),
        None => draft
            .journal_since(Timestamp::UNIX_EPOCH)?
            .filter(|entry| entry.points > Points::ZERO && !matches!(entry.id.cause, Cause::Order(_)))
            .map(|entry| entry.id.effective_at)
            .min(),
    };
    draft.profile.bookkeeping.active_at = active_at;
    Ok(())
}

/// When there was activity, from a moment on, oldest first: the orders that count, and opening balances.
fn activities(draft: &Draft<'_>, since: Timestamp) -> Result<Vec<Timestamp>, Stop> {
    let mut counts: BTreeMap<(Timestamp, &Cause), i8> = BTreeMap::new();
    for Entry { id, counts: delta, kind, .. } in draft.journal_since(since)? {
        let delta = match (&id.cause, kind) {
            (Cause::Opening(_), Kind::GivenBack { .. }) => -1,
            (Cause::Opening(_), _) => 1,
            _ => *delta,
        };
        if delta != 0 {
            let count = counts.entry((id.effective_at, &id.cause)).or_default();
            *count = count.checked_add(delta).ok_or(Overflow)?;
        }
    }
    Ok(counts.into_iter().filter(|(_, count)| *count > 0).map(|((placed_at, _), _)| placed_at).collect())
}
