//! The rolling window of status points, and the tier that its sum reaches.
//!
//! The profile keeps the sum with a lower bound on the date of its next change, so that the journal is read only
//! when that date has come; then the whole window is read and added up anew.

use std::collections::BTreeMap;

use super::draft::{Deltas, Draft, Stop};
use crate::journal::{Cause, Entry, EntryId, Kind};
use crate::member::Window;
use crate::points::{Overflow, Points};
use crate::programme::{Programme, Tiers};
use crate::time::{Date, TimeError, Timestamp, date_of, start_of};

pub(super) fn settle(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let version = draft.programmes.at(moment);
    let programme = &version.programme;
    let today = date_of(moment, &programme.time_zone);
    let rules_changed = draft.profile.bookkeeping.programme != version.number;
    let window = &mut draft.profile.bookkeeping.window;
    let stale = rules_changed || window.changes_on.is_some_and(|date| date <= today);
    window.on = today;
    match &programme.tiers {
        Some(tiers) if stale => draft.profile.bookkeeping.window = added_up(draft, programme, tiers, today)?,
        Some(_) => {}
        None => draft.profile.bookkeeping.window = Window::empty(today),
    }
    if look_up(draft, programme, today)? && !stale {
        // The date kept was that of another tier's end; until the window is read again, any change may end this one.
        let window = &mut draft.profile.bookkeeping.window;
        window.tier_changes_on = earlier(window.tier_changes_on, window.changes_on);
    }
    Ok(())
}

/// The tier is looked up, not latched. Tells whether it changed.
fn look_up(draft: &mut Draft<'_>, programme: &Programme, today: Date) -> Result<bool, Stop> {
    let sum = draft.profile.bookkeeping.window.sum.floored();
    let reached = programme.tiers.as_ref().and_then(|tiers| tiers.reached(sum));
    let from = draft.profile.account.tier.clone();
    let to = reached.map(|level| level.id.clone());
    if from == to {
        return Ok(false);
    }
    let threshold_before = from.as_ref().and_then(|id| programme.level(id)).map(|level| level.threshold);
    let up = reached.map(|level| level.threshold) > threshold_before;
    let effective_at = start_of(today, &programme.time_zone)?;
    let cause = Cause::Tier(today);
    let id = if draft.profile.bookkeeping.tier_changed_on.is_some_and(|date| date >= today) {
        draft.next_id(effective_at, cause)?
    } else {
        EntryId { effective_at, cause, n: 0 }
    };
    draft.post(id, Deltas::default(), Kind::TierChanged { from, to, up })?;
    let bookkeeping = &mut draft.profile.bookkeeping;
    bookkeeping.tier_changed_on = bookkeeping.tier_changed_on.max(Some(today));
    Ok(true)
}

/// Adds an entry's status points to the sum, as far as they count.
pub(super) fn take_in(draft: &mut Draft<'_>, entry: &Entry) -> Result<(), Stop> {
    if entry.status_points.is_zero() {
        return Ok(());
    }
    let settled_to = draft.profile.bookkeeping.settled_to;
    let programme = draft.programme_at(settled_to.max(draft.now()));
    let Some(tiers) = &programme.tiers else { return Ok(()) };
    let date = date_of(entry.id.effective_at, &programme.time_zone);
    let window = &mut draft.profile.bookkeeping.window;
    if date > window.on {
        window.changes_on = earlier(window.changes_on, Some(date));
        window.tier_changes_on = earlier(window.tier_changes_on, Some(date));
    } else if date > tiers.window.before_date(window.on)? {
        window.sum = window.sum.plus(entry.status_points)?;
        window.changes_on = earlier(window.changes_on, Some(tiers.window.leaves_on(date)?));
    } else {
        return Ok(());
    }
    window.mixed |= entry.status_points < Points::ZERO;
    if window.mixed {
        window.tier_changes_on = earlier(window.tier_changes_on, window.changes_on);
    }
    Ok(())
}

/// The window, added up from the journal, with the exact date on which the calendar next changes the tier.
fn added_up(draft: &Draft<'_>, programme: &Programme, tiers: &Tiers, today: Date) -> Result<Window, Stop> {
    let first_date = tiers.window.before_date(today)?.tomorrow().map_err(|_| TimeError::OutOfRange)?;
    let since = start_of(first_date, &programme.time_zone)?;
    let mut by_date: BTreeMap<Date, Points> = BTreeMap::new();
    for entry in draft.journal_since(since)?.filter(|entry| !entry.status_points.is_zero()) {
        let sum = by_date.entry(date_of(entry.id.effective_at, &programme.time_zone)).or_default();
        *sum = sum.plus(entry.status_points)?;
    }
    let mut window = Window::empty(today);
    let mut changes: BTreeMap<Date, Points> = BTreeMap::new();
    for (date, points) in by_date.into_iter().filter(|(_, points)| !points.is_zero()) {
        if date > today {
            add(&mut changes, date, points)?;
        } else {
            window.sum = window.sum.plus(points)?;
        }
        add(&mut changes, tiers.window.leaves_on(date)?, points.negated()?)?;
        window.mixed |= points < Points::ZERO;
    }
    window.changes_on = changes.keys().next().copied();
    window.tier_changes_on = next_tier_change(tiers, window.sum, &changes)?;
    Ok(window)
}

fn next_tier_change(
    tiers: &Tiers,
    sum_today: Points,
    changes: &BTreeMap<Date, Points>,
) -> Result<Option<Date>, Overflow> {
    let tier = |sum: Points| tiers.reached(sum.floored()).map(|level| &level.id);
    let tier_today = tier(sum_today);
    let mut sum = sum_today;
    for (date, points) in changes {
        sum = sum.plus(*points)?;
        if tier(sum) != tier_today {
            return Ok(Some(*date));
        }
    }
    Ok(None)
}

fn add(sums: &mut BTreeMap<Date, Points>, date: Date, points: Points) -> Result<(), Overflow> {
    let sum = sums.entry(date).or_default();
    *sum = sum.plus(points)?;
    Ok(())
}

/// The earlier of two dates, where a missing one never comes.
fn earlier(one: Option<Date>, other: Option<Date>) -> Option<Date> {
    one.into_iter().chain(other).min()
}

impl Window {
    /// A window without status points.
    pub(crate) fn empty(on: Date) -> Self {
        Self { on, sum: Points::ZERO, changes_on: None, tier_changes_on: None, mixed: false }
    }
}
