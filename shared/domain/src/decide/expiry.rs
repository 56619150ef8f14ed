//! When points run out: after inactivity, the whole balance, or after earning, oldest first.

mod earning;
mod inactivity;
mod reminders;

use std::collections::BTreeMap;

use super::draft::{Deltas, Draft, Stop};
use crate::journal::{Cause, Entry, EntryId, Kind};
use crate::member::{NextExpiry, Profile};
use crate::points::Points;
use crate::programme::{ExpiryRule, Programme};
use crate::time::{TimeError, Timestamp};

pub(super) use self::reminders::{remind, upcoming};

/// When points run out next if nothing happens; nothing when there is nothing to run out.
pub fn expires_at(programme: &Programme, profile: &Profile) -> Result<Option<Timestamp>, TimeError> {
    Ok(next_expiry(programme, profile)?.map(|next| next.at))
}

/// What runs out next, and when.
pub(super) fn next_expiry(programme: &Programme, profile: &Profile) -> Result<Option<NextExpiry>, TimeError> {
    match &programme.expiry {
        Some(expiry) if profile.account.balance > Points::ZERO => match expiry.rule {
            ExpiryRule::AfterInactivity => inactivity::next(programme, expiry.validity, profile),
            ExpiryRule::AfterEarning => Ok(profile.bookkeeping.next_expiry),
        },
        _ => Ok(None),
    }
}

/// Works out anew what inactivity counts from.
pub(super) fn recount(draft: &mut Draft<'_>) -> Result<(), Stop> {
    inactivity::recount(draft)
}

pub(super) fn settle(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let version = draft.programmes.at(moment);
    let rules_changed = draft.profile.bookkeeping.programme != version.number;
    match version.programme.expiry.as_ref().map(|expiry| (expiry.rule, expiry.validity)) {
        Some((ExpiryRule::AfterInactivity, _)) => inactivity::settle(draft, moment, rules_changed),
        Some((ExpiryRule::AfterEarning, validity)) => {
            earning::settle(draft, &version.programme, validity, moment, rules_changed)
        }
        None => {
            draft.profile.bookkeeping.next_expiry = None;
            Ok(())
        }
    }
}

/// What a posting that is not itself an expiry means for the next one.
pub(super) fn take_in(draft: &mut Draft<'_>, entry: &Entry) -> Result<(), Stop> {
    let programme = draft.programme_at(draft.now());
    match &programme.expiry {
        Some(expiry) if expiry.rule == ExpiryRule::AfterEarning && entry.kind != Kind::Expired => {
            earning::take_in(draft, programme, expiry.validity, entry)
        }
        _ => Ok(()),
    }
}

/// An order that counts is activity, and so is an opening balance; it may have been missing when points ran out.
pub(super) fn activity_began_to_count(
    draft: &mut Draft<'_>,
    placed_at: Timestamp,
    points: Points,
) -> Result<(), Stop> {
    if rule_now(draft) != Some(ExpiryRule::AfterEarning) {
        inactivity::set_where_it_belongs(draft, placed_at, points)?;
    }
    let active_at = &mut draft.profile.bookkeeping.active_at;
    *active_at = (*active_at).max(Some(placed_at));
    Ok(())
}

/// Under either rule: inactivity counts from the newest order that still counts.
pub(super) fn order_ceased_to_count(draft: &mut Draft<'_>, placed_at: Timestamp) -> Result<(), Stop> {
    if rule_now(draft) == Some(ExpiryRule::AfterInactivity)
        && draft.profile.bookkeeping.active_at == Some(placed_at)
    {
        inactivity::recount(draft)?;
    }
    Ok(())
}

/// A refund that comes after an expiry which covered its order takes back as much of that expiry, as if it had
/// come before; and what one expiry does not cover, the next one.
pub(super) fn take_back(draft: &mut Draft<'_>, placed_at: Timestamp, points: Points) -> Result<(), Stop> {
    let programme = draft.programme_at(draft.now());
    let covers_from = match &programme.expiry {
        // Only points that had reached their own age have run out.
        Some(expiry) if expiry.rule == ExpiryRule::AfterEarning => {
            expiry.validity.after(placed_at, &programme.time_zone)?
        }
        _ => placed_at,
    };
    let mut uncovered = points;
    for (end, expired) in expiries_after(draft, placed_at)? {
        if end >= covers_from {
            let given_back = uncovered.min(expired);
            give_back(draft, end, given_back)?;
            uncovered = uncovered.minus(given_back)?;
        }
    }
    Ok(())
}

fn rule_now(draft: &Draft<'_>) -> Option<ExpiryRule> {
    draft.programme_at(draft.now()).expiry.as_ref().map(|expiry| expiry.rule)
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
    draft.post(id, Deltas::points(points), Kind::Expired)?;
    draft.lots_changed = true;
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
