//! An order is reconciled, not added: post its target less what was posted so far.

use super::draft::{Deltas, Draft, Stop};
use super::target::{Target, target};
use super::{DecideError, coupons};
use crate::journal::{Cause, Entry, EntryId, Kind, Posting};
use crate::order::OrderState;
use crate::points::Overflow;
use crate::programme::Programmes;
use crate::time::Timestamp;

/// What an order has posted so far.
#[derive(Default)]
struct Posted {
    deltas: Deltas,
    entries: u32,
    newest_revision: u64,
}

pub(super) fn reconcile(draft: &mut Draft<'_>, state: &OrderState, first_seen: bool) -> Result<(), Stop> {
    let Some(effective_at) = state.effective_at() else { return Ok(()) };
    let cause = state.cause();
    for moment in &state.formerly_placed_at {
        withdraw(draft, state, *moment)?;
    }
    let posted = if first_seen {
        Posted::default()
    } else {
        let posting = Posting { effective_at, cause: cause.clone() };
        Posted::among(draft.entries_of(&posting)?.into_iter(), effective_at, &cause)?
    };
    let Some(deltas) = missing(draft.programmes, state, &posted)? else { return Ok(()) };
    let kind = match &state.unlinked {
        Some(_) => Kind::UnlinkedRefund { revision: state.revision },
        None => Kind::Order { revision: state.revision },
    };
    let came_with = draft.by_way_of();
    draft.post_of(came_with, EntryId { effective_at, cause, n: posted.entries }, deltas, kind)?;
    coupons::check_count(draft)?;
    Ok(())
}

/// Takes back what an order posted as of a moment at which, as an operator says, it was not placed.
fn withdraw(draft: &mut Draft<'_>, state: &OrderState, moment: Timestamp) -> Result<(), Stop> {
    let cause = state.cause();
    let posted = Posted::among(draft.journal_since(moment)?, moment, &cause)?;
    if posted.newest_revision > state.revision || posted.deltas == Deltas::default() {
        return Ok(());
    }
    let deltas = difference(Target::default(), posted.deltas)?;
    let id = EntryId { effective_at: moment, cause, n: posted.entries };
    let came_with = draft.by_way_of();
    draft.post_of(came_with, id, deltas, Kind::Order { revision: state.revision })
}

/// Whether an order has posted what it should: reconciling it would post nothing. Of the entries, those of other
/// causes do not matter.
pub fn is_reconciled(
    programmes: &Programmes,
    state: &OrderState,
    entries: &[Entry],
) -> Result<bool, DecideError> {
    let Some(effective_at) = state.effective_at() else { return Ok(true) };
    let cause = state.cause();
    for moment in &state.formerly_placed_at {
        if Posted::among(entries.iter(), *moment, &cause)?.deltas != Deltas::default() {
            return Ok(false);
        }
    }
    let posted = Posted::among(entries.iter(), effective_at, &cause)?;
    Ok(missing(programmes, state, &posted)?.is_none())
}

/// What is still to be posted, if anything.
fn missing(
    programmes: &Programmes,
    state: &OrderState,
    posted: &Posted,
) -> Result<Option<Deltas>, DecideError> {
    if posted.newest_revision > state.revision {
        // A delivery of an older state, after a newer one was already posted.
        return Ok(None);
    }
    let deltas = difference(target(programmes, state)?, posted.deltas)?;
    Ok((deltas != Deltas::default()).then_some(deltas))
}

impl Posted {
    fn among<'a>(
        entries: impl Iterator<Item = &'a Entry>,
        effective_at: Timestamp,
        cause: &Cause,
    ) -> Result<Self, Overflow> {
        let mut posted = Self::default();
        for entry in entries.filter(|entry| entry.id.effective_at == effective_at && entry.id.cause == *cause)
        {
            let sum = &mut posted.deltas;
            sum.points = sum.points.plus(entry.points)?;
            sum.lifetime_points = sum.lifetime_points.plus(entry.lifetime_points)?;
            sum.status_points = sum.status_points.plus(entry.status_points)?;
            sum.counts = sum.counts.checked_add(entry.counts).ok_or(Overflow)?;
            posted.entries = posted.entries.checked_add(1).ok_or(Overflow)?;
            if let Kind::Order { revision } | Kind::UnlinkedRefund { revision } = entry.kind {
                posted.newest_revision = posted.newest_revision.max(revision);
            }
        }
        Ok(posted)
    }
}

fn difference(target: Target, posted: Deltas) -> Result<Deltas, Overflow> {
    Ok(Deltas {
        points: target.points.minus(posted.points)?,
        lifetime_points: target.lifetime_points.minus(posted.lifetime_points)?,
        status_points: target.status_points.minus(posted.status_points)?,
        counts: i8::from(target.counts).checked_sub(posted.counts).ok_or(Overflow)?,
    })
}
