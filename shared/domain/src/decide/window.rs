//! The rolling window of status points.
//!
//! The profile keeps the sum with a lower bound on the date of its next change, so that the journal is read only
//! when that date has come; then the whole window is read and added up anew.

use std::collections::BTreeMap;

use super::draft::{Draft, Stop};
use crate::journal::Entry;
use crate::member::{Kept, Window};
use crate::points::{Overflow, Points};
use crate::programme::{Programme, Tiers};
use crate::time::{Date, TimeError, Timestamp, date_of};

/// Brings the window to a moment. Tells whether it was added up anew, so that its dates are exact.
pub(super) fn settle(draft: &mut Draft<'_>, moment: Timestamp) -> Result<bool, Stop> {
    let version = draft.programmes.at(moment);
    let programme = &version.programme;
    let today = date_of(moment, &programme.time_zone);
    let rules_changed = draft.profile.bookkeeping.programme != version.number;
    let window = &mut draft.profile.bookkeeping.window;
    let kept_until = window.kept.as_ref().map(|kept| kept.until);
    let stale = rules_changed || earlier(window.changes_on, kept_until).is_some_and(|date| date <= today);
    window.on = today;
    match &programme.tiers {
        Some(tiers) if stale => draft.profile.bookkeeping.window = added_up(draft, programme, tiers, today)?,
        Some(_) => {}
        None => draft.profile.bookkeeping.window = Window::empty(today),
    }
    Ok(stale)
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
    let touches_the_past = date < window.on || entry.status_points < Points::ZERO;
    if touches_the_past && !tiers.downgrade.is_at_once() {
        // What is kept of earlier days is no longer known without reading them again.
        window.changes_on = Some(window.on);
    }
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
    let looked_from = tiers.keeps_from(today)?;
    let mut window = Window::empty(today);
    let mut past: BTreeMap<Date, Points> = BTreeMap::new();
    for (date, points) in by_date(draft, programme, tiers, looked_from)? {
        let leaves_on = tiers.window.leaves_on(date)?;
        add(&mut past, date, points)?;
        add(&mut past, leaves_on, points.negated()?)?;
        window.mixed |= points < Points::ZERO && leaves_on > today;
    }
    let future = past.split_off(&today.tomorrow().map_err(|_| TimeError::OutOfRange)?);
    let mut lost = Vec::new();
    for (date, points) in past {
        let rank = tiers.rank(window.sum.floored());
        window.sum = window.sum.plus(points)?;
        if date > looked_from && tiers.rank(window.sum.floored()) < rank {
            lost.push((rank, date));
        }
    }
    window.kept = kept(tiers, &lost, window.sum, today)?;
    window.changes_on = future.keys().next().copied();
    window.tier_changes_on = next_tier_change(tiers, window.sum, &future)?;
    Ok(window)
}

/// The status points of each day that counts on a date or after it; what came to nothing is left out.
fn by_date(
    draft: &Draft<'_>,
    programme: &Programme,
    tiers: &Tiers,
    from: Date,
) -> Result<BTreeMap<Date, Points>, Stop> {
    let since = tiers.window_start(from, &programme.time_zone)?;
    let mut sums = BTreeMap::new();
    for entry in draft.journal_since(since)? {
        add(&mut sums, date_of(entry.id.effective_at, &programme.time_zone), entry.status_points)?;
    }
    sums.retain(|_, points| !points.is_zero());
    Ok(sums)
}

/// The best that is kept of the ranks lost so far, where that is more than the sum reaches.
fn kept(tiers: &Tiers, lost: &[(usize, Date)], sum: Points, today: Date) -> Result<Option<Kept>, TimeError> {
    let mut best = None;
    for (rank, since) in lost {
        best = best.max(tiers.kept(*rank, *since, today)?);
    }
    let best = best.filter(|(rank, _)| *rank > tiers.rank(sum.floored()));
    Ok(best.and_then(|(rank, until)| Some(Kept { level: tiers.of_rank(rank)?.id.clone(), until })))
}

fn next_tier_change(
    tiers: &Tiers,
    sum_today: Points,
    changes: &BTreeMap<Date, Points>,
) -> Result<Option<Date>, Overflow> {
    let rank_today = tiers.rank(sum_today.floored());
    let mut sum = sum_today;
    for (date, points) in changes {
        sum = sum.plus(*points)?;
        if tiers.rank(sum.floored()) != rank_today {
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
pub(super) fn earlier(one: Option<Date>, other: Option<Date>) -> Option<Date> {
    one.into_iter().chain(other).min()
}

impl Window {
    /// A window without status points.
    pub(crate) fn empty(on: Date) -> Self {
        Self { on, sum: Points::ZERO, changes_on: None, tier_changes_on: None, mixed: false, kept: None }
    }
}
