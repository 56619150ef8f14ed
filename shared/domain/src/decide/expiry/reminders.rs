//! Reminders before points run out: for each step one, and after an outage only the newest.

use super::next_expiry;
use crate::decide::draft::{Deltas, Draft, Stop};
use crate::journal::{Cause, EntryId, Kind};
use crate::member::{NextExpiry, Profile};
use crate::programme::{ExpiryRule, Programme, Programmes};
use crate::time::{Period, TimeError, Timestamp};

/// Posts the newest reminder whose moment has come. A later order starts the series again.
pub(in crate::decide) fn remind(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let Some(next) = next_expiry(draft.programmes, moment, &draft.profile)? else { return Ok(()) };
    let programme = draft.programme_at(moment);
    let come = steps(programme, &draft.profile, next)?.into_iter().rev().find(|(at, _)| *at <= moment);
    let Some((at, step)) = come else { return Ok(()) };
    if !draft.has_room_for(1) {
        return Ok(());
    }
    let kind = Kind::ExpiryReminder { expiring: next.points, expires_at: next.at };
    let id = EntryId { effective_at: at, cause: Cause::Reminder(next.at, step), n: 0 };
    draft.post(id, Deltas::default(), kind)?;
    draft.profile.bookkeeping.reminded_at = Some(at);
    Ok(())
}

/// The moments at which the calendar next has something to do: the reminders still to come, and the expiry.
pub(in crate::decide) fn upcoming(
    programmes: &Programmes,
    moment: Timestamp,
    profile: &Profile,
) -> Result<Vec<Timestamp>, TimeError> {
    let Some(next) = next_expiry(programmes, moment, profile)? else { return Ok(Vec::new()) };
    let reminders = steps(&programmes.at(moment).programme, profile, next)?.into_iter().map(|(at, _)| at);
    Ok(reminders.chain([next.at]).collect())
}

/// The reminders still to be sent, earliest first. A step that would lie before the order which the expiry counts
/// from, or before a reminder already sent, is left out; so no key is used twice.
fn steps(
    programme: &Programme,
    profile: &Profile,
    next: NextExpiry,
) -> Result<Vec<(Timestamp, Period)>, TimeError> {
    let Some(expiry) = &programme.expiry else { return Ok(Vec::new()) };
    let counts_from = match expiry.rule {
        ExpiryRule::AfterInactivity => profile.bookkeeping.active_at,
        ExpiryRule::AfterEarning => None,
    };
    let after = profile.bookkeeping.reminded_at.max(counts_from);
    let mut moments = Vec::new();
    for step in &expiry.reminders {
        let at = step.before(next.at, &programme.time_zone)?;
        if Some(at) > after && at < next.at {
            moments.push((at, *step));
        }
    }
    moments.sort();
    Ok(moments)
}
