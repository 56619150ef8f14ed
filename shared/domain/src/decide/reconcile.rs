//! An order is reconciled, not added: post its target less what was posted so far.

use super::draft::{Deltas, Draft, Stop};
use super::target::{Target, target};
use super::{coupons, expiry};
use crate::journal::{Cause, EntryId, Kind};
use crate::order::OrderState;
use crate::points::{Overflow, Points};
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
    let cause = cause_of(state);
    let posted = if first_seen { Posted::default() } else { posted_so_far(draft, effective_at, &cause)? };
    if posted.newest_revision > state.revision {
        // A delivery of an older state, after a newer one was already posted.
        return Ok(());
    }
    let deltas = difference(target(draft.programmes, state)?, posted.deltas)?;
    if deltas == Deltas::default() {
        return Ok(());
    }
    let kind = match &state.unlinked {
        Some(_) => Kind::UnlinkedRefund,
        None => Kind::Order { revision: state.revision },
    };
    draft.post(EntryId { effective_at, cause, n: posted.entries }, deltas, kind)?;
    coupons::check_count(draft)?;
    if state.unlinked.is_none() {
        follow_up(draft, effective_at, deltas)?;
    }
    Ok(())
}

fn cause_of(state: &OrderState) -> Cause {
    match &state.unlinked {
        Some(_) => Cause::UnlinkedRefund(state.key.clone()),
        None => Cause::Order(state.key.clone()),
    }
}

fn posted_so_far(draft: &Draft<'_>, effective_at: Timestamp, cause: &Cause) -> Result<Posted, Stop> {
    let mut posted = Posted::default();
    for entry in draft.journal_since(effective_at)? {
        if entry.id.effective_at != effective_at || entry.id.cause != *cause {
            continue;
        }
        let sum = &mut posted.deltas;
        sum.points = sum.points.plus(entry.points)?;
        sum.lifetime_points = sum.lifetime_points.plus(entry.lifetime_points)?;
        sum.status_points = sum.status_points.plus(entry.status_points)?;
        sum.counts = sum.counts.checked_add(entry.counts).ok_or(Overflow)?;
        posted.entries = posted.entries.checked_add(1).ok_or(Overflow)?;
        if let Kind::Order { revision } = entry.kind {
            posted.newest_revision = posted.newest_revision.max(revision);
        }
    }
    Ok(posted)
}

fn difference(target: Target, posted: Deltas) -> Result<Deltas, Overflow> {
    Ok(Deltas {
        points: target.points.minus(posted.points)?,
        lifetime_points: target.lifetime_points.minus(posted.lifetime_points)?,
        status_points: target.status_points.minus(posted.status_points)?,
        counts: i8::from(target.counts).checked_sub(posted.counts).ok_or(Overflow)?,
    })
}

/// What an order's change means for the expiry.
fn follow_up(draft: &mut Draft<'_>, placed_at: Timestamp, deltas: Deltas) -> Result<(), Stop> {
    if deltas.counts > 0 {
        return expiry::order_began_to_count(draft, placed_at, deltas.points);
    }
    if deltas.points < Points::ZERO {
        expiry::take_back(draft, placed_at, deltas.points.negated()?)?;
    }
    if deltas.counts < 0 {
        expiry::order_ceased_to_count(draft, placed_at)?;
    }
    Ok(())
}
