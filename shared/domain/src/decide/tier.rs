//! The tier: looked up, not latched. Up at once, and down as the programme says.

use super::draft::{Deltas, Draft, Stop};
use super::{rating, window};
use crate::ids::LevelId;
use crate::journal::{Cause, EntryId, Kind};
use crate::member::{Bookkeeping, Profile};
use crate::points::Points;
use crate::programme::{Level, Programme};
use crate::time::{Date, TimeError, Timestamp, date_of, start_of};

pub(super) fn settle(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let dates_are_exact = window::settle(draft, moment)?;
    rating::settle(draft, moment)?;
    if look_up(draft, moment)? && !dates_are_exact {
        // The date kept was that of another tier's end; until the window is read again, any change may end this one.
        let window = &mut draft.profile.bookkeeping.window;
        window.tier_changes_on = window::earlier(window.tier_changes_on, window.changes_on);
    }
    Ok(())
}

/// The level that a member holds: the highest that the sum reaches or that is kept, unless the rating is too low.
fn held<'a>(programme: &'a Programme, bookkeeping: &Bookkeeping) -> Option<&'a Level> {
    let tiers = programme.tiers.as_ref()?;
    if let (Some(rule), Some(rated)) = (&tiers.rating, &bookkeeping.rated)
        && rated.is_below(rule.minimum)
    {
        return None;
    }
    let window = &bookkeeping.window;
    let kept = window.kept.as_ref().and_then(|kept| programme.level(&kept.level));
    tiers.reached(window.sum.floored()).into_iter().chain(kept).max_by_key(|level| level.threshold)
}

/// Until when the level that a member holds is kept, though the status points no longer reach it; nothing where they do.
pub fn kept_until(programme: &Programme, profile: &Profile) -> Result<Option<Timestamp>, TimeError> {
    until(programme, &profile.bookkeeping, profile.account.tier.as_ref())
}

fn until(
    programme: &Programme,
    bookkeeping: &Bookkeeping,
    held: Option<&LevelId>,
) -> Result<Option<Timestamp>, TimeError> {
    let kept = bookkeeping.window.kept.as_ref().filter(|kept| Some(&kept.level) == held);
    kept.map(|kept| start_of(kept.until, &programme.time_zone)).transpose()
}

/// Posts a change of tier. Tells whether there was one.
fn look_up(draft: &mut Draft<'_>, moment: Timestamp) -> Result<bool, Stop> {
    let programme = draft.programme_at(moment);
    let level = held(programme, &draft.profile.bookkeeping);
    let from = draft.profile.account.tier.clone();
    let to = level.map(|level| level.id.clone());
    if from == to || !draft.has_room_for(1) {
        return Ok(false);
    }
    let up = level.map(|level| level.threshold) > threshold_before(draft, programme);
    let kept_until = until(programme, &draft.profile.bookkeeping, to.as_ref())?;
    let today = date_of(moment, &programme.time_zone);
    let id = next_id(draft, start_of(today, &programme.time_zone)?, today)?;
    draft.post(id, Deltas::default(), Kind::TierChanged { from, to, up, kept_until })?;
    let changed_on = &mut draft.profile.bookkeeping.tier_changed_on;
    *changed_on = (*changed_on).max(Some(today));
    Ok(true)
}

/// What the level held so far takes. One that the programme has no more is compared as it was when it was held.
fn threshold_before(draft: &Draft<'_>, programme: &Programme) -> Option<Points> {
    let id = draft.profile.account.tier.as_ref()?;
    let version = draft.programmes.numbered(draft.profile.bookkeeping.programme);
    let held_under = version.map(|version| &version.programme);
    let level = programme.level(id).or_else(|| held_under?.level(id))?;
    Some(level.threshold)
}

fn next_id(draft: &Draft<'_>, effective_at: Timestamp, today: Date) -> Result<EntryId, Stop> {
    let cause = Cause::Tier(today);
    if draft.profile.bookkeeping.tier_changed_on.is_some_and(|date| date >= today) {
        draft.next_id(effective_at, cause)
    } else {
        Ok(EntryId { effective_at, cause, n: 0 })
    }
}
