//! Expiry after inactivity, and the reminders before it.

use std::collections::BTreeMap;

use super::draft::{Deltas, Draft, Stop};
use crate::journal::{Cause, Entry, EntryId, Kind};
use crate::member::Profile;
use crate::points::{Overflow, Points};
use crate::programme::Programme;
use crate::time::{TimeError, Timestamp};

/// When the balance runs out if nothing happens; nothing when there is nothing to run out.
pub fn expires_at(programme: &Programme, profile: &Profile) -> Result<Option<Timestamp>, TimeError> {
    let (Some(expiry), Some(active_at)) = (&programme.expiry, profile.bookkeeping.active_at) else {
        return Ok(None);
    };
    if profile.account.balance <= Points::ZERO {
        return Ok(None);
    }
    expiry.after_inactivity.after(active_at, &programme.time_zone).map(Some)
}

/// The whole balance is gone at the instant itself.
pub(super) fn settle(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    match expires_at(draft.programme_at(moment), &draft.profile)? {
        Some(end) if end <= moment => expire(draft, end, draft.profile.account.balance),
        _ => Ok(()),
    }
}

/// Takes points away as of an instant at which they ran out.
fn expire(draft: &mut Draft<'_>, end: Timestamp, points: Points) -> Result<(), Stop> {
    if points <= Points::ZERO {
        return Ok(());
    }
    let may_have_expired_then = draft.profile.bookkeeping.last_expiry_at.is_some_and(|last| last >= end);
    let id = if may_have_expired_then {
        draft.next_id(end, Cause::Expiry(end))?
    } else {
        EntryId { effective_at: end, cause: Cause::Expiry(end), n: 0 }
    };
    draft.post(id, Deltas::points(points.negated()?), Kind::Expired)?;
    let last = &mut draft.profile.bookkeeping.last_expiry_at;
    *last = (*last).max(Some(end));
    Ok(())
}

/// Gives back points of an expiry that should not have taken them.
fn give_back(draft: &mut Draft<'_>, end: Timestamp, points: Points) -> Result<(), Stop> {
    if points <= Points::ZERO {
        return Ok(());
    }
    let id = draft.next_id(end, Cause::Expiry(end))?;
    draft.post(id, Deltas::points(points), Kind::Expired)
}

/// A refund that comes after an expiry which covered its order takes back as much of that expiry, as if it had
/// come before; and what one expiry does not cover, the next one.
pub(super) fn take_back(draft: &mut Draft<'_>, placed_at: Timestamp, points: Points) -> Result<(), Stop> {
    let mut uncovered = points;
    for (end, expired) in expiries_after(draft, placed_at)? {
        let given_back = uncovered.min(expired);
        give_back(draft, end, given_back)?;
        uncovered = uncovered.minus(given_back)?;
    }
    Ok(())
}

/// Every order that counts resets the expiry. One that was placed before an expiry but arrives after it is set
/// where it belongs: what ran out meanwhile is taken back, or what it earned runs out with the rest.
pub(super) fn order_began_to_count(
    draft: &mut Draft<'_>,
    placed_at: Timestamp,
    points: Points,
) -> Result<(), Stop> {
    if let Some((end, expired)) = expiries_after(draft, placed_at)?.into_iter().next() {
        match next_counting_order(draft, placed_at)? {
            Some(next) if next < end => expire(draft, end, points)?,
            next => {
                give_back(draft, end, expired)?;
                if let (Some(next), Some(expiry)) = (next, &draft.programme_at(draft.now()).expiry) {
                    let zone = &draft.programme_at(draft.now()).time_zone;
                    let own_end = expiry.after_inactivity.after(placed_at, zone)?;
                    if own_end <= next {
                        expire(draft, own_end, expired.plus(points)?)?;
                    }
                }
            }
        }
    }
    let active_at = &mut draft.profile.bookkeeping.active_at;
    *active_at = (*active_at).max(Some(placed_at));
    Ok(())
}

/// The expiry counts from the newest order that still counts, else from the first points.
pub(super) fn order_ceased_to_count(draft: &mut Draft<'_>, placed_at: Timestamp) -> Result<(), Stop> {
    if draft.profile.bookkeeping.active_at != Some(placed_at) {
        return Ok(());
    }
    let active_at = match counting_orders(draft, Timestamp::UNIX_EPOCH)?.pop() {
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

/// The instants after a moment at which points ran out for good, with how many, earliest first.
fn expiries_after(draft: &Draft<'_>, moment: Timestamp) -> Result<Vec<(Timestamp, Points)>, Stop> {
    if draft.profile.bookkeeping.last_expiry_at.is_none_or(|last| last <= moment) {
        return Ok(Vec::new());
    }
    let mut expired: BTreeMap<Timestamp, Points> = BTreeMap::new();
    for entry in draft.journal_since(moment)? {
        if let Cause::Expiry(end) = entry.id.cause
            && end > moment
        {
            let sum = expired.entry(end).or_default();
            *sum = sum.minus(entry.points)?;
        }
    }
    Ok(expired.into_iter().filter(|(_, points)| *points > Points::ZERO).collect())
}

fn next_counting_order(draft: &Draft<'_>, after: Timestamp) -> Result<Option<Timestamp>, Stop> {
    Ok(counting_orders(draft, after)?.into_iter().find(|placed_at| *placed_at > after))
}

/// When the orders that count were placed, from a moment on, oldest first.
fn counting_orders(draft: &Draft<'_>, since: Timestamp) -> Result<Vec<Timestamp>, Stop> {
    let mut counts: BTreeMap<(Timestamp, &Cause), i8> = BTreeMap::new();
    for Entry { id, counts: delta, .. } in draft.journal_since(since)?.filter(|entry| entry.counts != 0) {
        let count = counts.entry((id.effective_at, &id.cause)).or_default();
        *count = count.checked_add(*delta).ok_or(Overflow)?;
    }
    Ok(counts.into_iter().filter(|(_, count)| *count > 0).map(|((placed_at, _), _)| placed_at).collect())
}

/// For each step before the expiry one reminder; a later order starts the series again, and after an outage only
/// the newest step is sent.
pub(super) fn remind(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let programme = draft.programme_at(moment);
    let Some(end) = expires_at(programme, &draft.profile)? else { return Ok(()) };
    let due = reminders(programme, &draft.profile, end)?.into_iter().rev().find(|(at, _)| *at <= moment);
    let Some((at, step)) = due else { return Ok(()) };
    let kind = Kind::ExpiryReminder { expiring: draft.profile.account.balance, expires_at: end };
    let id = EntryId { effective_at: at, cause: Cause::Reminder(end, step), n: 0 };
    draft.post(id, Deltas::default(), kind)?;
    draft.profile.bookkeeping.reminded_at = Some(at);
    Ok(())
}

/// The moments of the reminders that are still to be sent, earliest first. A step that would lie before the order
/// which the expiry counts from, or before a reminder already sent, is left out; so no key is used twice.
pub(super) fn reminders(
    programme: &Programme,
    profile: &Profile,
    end: Timestamp,
) -> Result<Vec<(Timestamp, crate::time::Period)>, TimeError> {
    let after = profile.bookkeeping.reminded_at.max(profile.bookkeeping.active_at);
    let steps = programme.expiry.iter().flat_map(|expiry| &expiry.reminders);
    let mut moments = Vec::new();
    for step in steps {
        let at = step.before(end, &programme.time_zone)?;
        if Some(at) > after && at < end {
            moments.push((at, *step));
        }
    }
    moments.sort();
    Ok(moments)
}
