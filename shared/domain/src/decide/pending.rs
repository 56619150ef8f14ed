//! Points that cannot be spent yet, because their order may still be returned.
//!
//! What has run out is not pending any more: a later version may let points run out sooner than they mature.
//!
//! Nothing is posted when they mature. What is pending follows from the orders' entries and the date, as the tier does;
//! so whatever is taken back of a pending order was never to be spent, without a rule of its own. The profile keeps
//! the sum with the moment at which it next changes; then it is added up anew.

use super::draft::{Draft, Stop};
use super::expiry;
use crate::journal::{Cause, Entry};
use crate::member::Pending;
use crate::points::Points;
use crate::programme::Programmes;
use crate::time::{TimeError, Timestamp};

/// When some of what is pending matures, if anything is.
pub(super) fn next(draft: &Draft<'_>) -> Option<Timestamp> {
    draft.profile.bookkeeping.pending.map(|pending| pending.next_at)
}

/// Takes an entry in that an order posts.
pub(super) fn take_in(draft: &mut Draft<'_>, entry: &Entry) -> Result<(), Stop> {
    let settled_to = draft.profile.bookkeeping.settled_to;
    if let Some(at) = matures_at(draft.programmes, entry)?.filter(|at| *at > settled_to) {
        let pending = &mut draft.profile.bookkeeping.pending;
        *pending = Some(with(*pending, at, entry)?);
    }
    Ok(())
}

/// Lets mature what has come to its moment.
pub(super) fn settle(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    if next(draft).is_none_or(|at| at > moment) {
        return Ok(());
    }
    let mut pending = None;
    if let Some(since) = draft.programmes.pending_since(moment)? {
        let expiries = expiry::expired_since(draft, since)?;
        for entry in draft.journal_since(since)? {
            if let Some(at) = matures_at(draft.programmes, entry)?.filter(|at| *at > moment)
                && !expiry::took(draft.programmes, &expiries, entry.id.effective_at)?
            {
                pending = Some(with(pending, at, entry)?);
            }
        }
    }
    draft.profile.bookkeeping.pending = pending;
    Ok(())
}

/// When the points of an order's entry can be spent, by the rules of the day on which it was placed; nothing where that
/// is at once.
fn matures_at(programmes: &Programmes, entry: &Entry) -> Result<Option<Timestamp>, TimeError> {
    let Entry { id, points, .. } = entry;
    if points.is_zero() || !matches!(id.cause, Cause::Order(_)) {
        return Ok(None);
    }
    programmes.at(id.effective_at).programme.matures_at(id.effective_at)
}

fn with(pending: Option<Pending>, at: Timestamp, entry: &Entry) -> Result<Pending, Stop> {
    let before = pending.map_or(Points::ZERO, |pending| pending.points);
    let next_at = pending.map_or(at, |pending| pending.next_at.min(at));
    Ok(Pending { points: before.plus(entry.points)?, next_at })
}
