//! When points run out: after inactivity, the whole balance, or after earning, oldest first.
//!
//! An expiry is reconciled as an order is: [`walk`] says what should have run out at each instant, and the difference to
//! what did is posted. The usual order changes nothing of that, which [`take_in`] sees without reading the journal;
//! whatever else is posted says from when the expiries are to be reconciled.

mod reminders;
mod walk;

use std::collections::BTreeMap;
use std::ops::Bound;

use self::walk::{Halt, Span, Walked, walk};
use super::DecideError;
use super::draft::{Deltas, Draft, Stop};
use crate::journal::{Cause, Entry, EntryId, Kind};
use crate::member::{NextExpiry, Profile};
use crate::points::Points;
use crate::programme::{Expiry, ExpiryRule, Programme, Programmes};
use crate::time::{TimeError, Timestamp};

pub(super) use self::reminders::{remind, upcoming};

/// A rule of expiry that is in force.
pub(super) struct InForce<'a> {
    programme: &'a Programme,
    pub(super) expiry: &'a Expiry,
    pub(super) not_before: Option<Timestamp>,
}

impl<'a> InForce<'a> {
    pub(super) fn at(programmes: &'a Programmes, moment: Timestamp) -> Result<Option<Self>, TimeError> {
        let programme = &programmes.at(moment).programme;
        let Some(expiry) = &programme.expiry else { return Ok(None) };
        Ok(Some(Self { programme, expiry, not_before: programmes.expires_not_before(moment)? }))
    }

    /// When what counts from a moment runs out.
    pub(super) fn end(&self, at: Timestamp) -> Result<Timestamp, TimeError> {
        let end = self.expiry.validity.after(at, &self.programme.time_zone)?;
        Ok(self.not_before.map_or(end, |not_before| end.max(not_before)))
    }
}

/// When points run out next if nothing happens, as of a moment; nothing when there is nothing to run out.
pub fn expires_at(
    programmes: &Programmes,
    moment: Timestamp,
    profile: &Profile,
) -> Result<Option<Timestamp>, TimeError> {
    Ok(next_expiry(programmes, moment, profile)?.map(|next| next.at))
}

/// What runs out next, and when, by the version in force at a moment.
pub(super) fn next_expiry(
    programmes: &Programmes,
    moment: Timestamp,
    profile: &Profile,
) -> Result<Option<NextExpiry>, TimeError> {
    let (balance, bookkeeping) = (profile.account.balance, &profile.bookkeeping);
    let Some(rule) = InForce::at(programmes, moment)?.filter(|_| balance > Points::ZERO) else {
        return Ok(None);
    };
    match (rule.expiry.rule, bookkeeping.active_at) {
        (ExpiryRule::AfterEarning, _) => Ok(bookkeeping.next_expiry),
        (ExpiryRule::AfterInactivity, None) => Ok(None),
        (ExpiryRule::AfterInactivity, Some(active_at)) => {
            Ok(Some(NextExpiry { at: rule.end(active_at)?, points: balance }))
        }
    }
}

/// Lets run out what has come to its end by a moment, and puts right what ran out before and should not have, or did
/// not and should have.
pub(super) fn settle(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    if !draft.programmes.ever_expire() {
        return Ok(());
    }
    if rule_has_changed(draft, moment) {
        let settled_to = draft.profile.bookkeeping.settled_to;
        reconcile_from(draft, settled_to.min(moment));
    }
    let next = next_expiry(draft.programmes, moment, &draft.profile)?.filter(|next| next.at <= moment);
    match (draft.profile.bookkeeping.expiries_from, next) {
        (Some(since), _) => reconcile(draft, since, moment),
        (None, Some(next)) if rule_at(draft, moment) == Some(ExpiryRule::AfterEarning) => {
            reconcile(draft, next.at, moment)
        }
        (None, Some(next)) if draft.has_room_for(1) => expire(draft, next.at, next.points),
        (None, _) => Ok(()),
    }
}

/// Whether the version of a moment lets points run out by another rule than the one under which the member was settled.
fn rule_has_changed(draft: &Draft<'_>, moment: Timestamp) -> bool {
    let version = draft.programmes.at(moment);
    let settled_under = draft.profile.bookkeeping.programme;
    let rule = |programme: &Programme| {
        let rule = programme.expiry.as_ref().map(|expiry| (expiry.rule, expiry.validity));
        (rule, programme.time_zone.clone())
    };
    version.number != settled_under
        && draft
            .programmes
            .numbered(settled_under)
            .is_none_or(|before| rule(&before.programme) != rule(&version.programme))
}

/// Has the expiries from a moment on reconciled when the member is settled next.
pub(super) fn reconcile_from(draft: &mut Draft<'_>, moment: Timestamp) {
    let from = &mut draft.profile.bookkeeping.expiries_from;
    *from = Some(from.map_or(moment, |from| from.min(moment)));
}

/// What a posting that is not itself an expiry means for the expiries. Where it may change one that lies behind, or
/// the next one in a way that the profile does not tell, they are reconciled from its moment on.
pub(super) fn take_in(draft: &mut Draft<'_>, entry: &Entry) -> Result<(), Stop> {
    if matches!(entry.id.cause, Cause::Expiry(_)) {
        return Ok(());
    }
    let at = entry.id.effective_at;
    if draft.programmes.ever_expire() && !changes_no_expiry(draft, entry)? {
        reconcile_from(draft, at);
    }
    let bookkeeping = &mut draft.profile.bookkeeping;
    if walk::activity(entry) > 0 && (bookkeeping.without_activity || bookkeeping.active_at < Some(at)) {
        (bookkeeping.active_at, bookkeeping.without_activity) = (Some(at), false);
    }
    Ok(())
}

/// Whether an entry leaves every expiry as it is but for those that the profile tells by itself.
fn changes_no_expiry(draft: &mut Draft<'_>, entry: &Entry) -> Result<bool, Stop> {
    let at = entry.id.effective_at;
    let bookkeeping = &draft.profile.bookkeeping;
    let present = bookkeeping.settled_to.max(at);
    let version = draft.programmes.at(present);
    if draft.programmes.at(at).number != version.number || bookkeeping.expiries_from.is_some() {
        return Ok(false);
    }
    match &version.programme.expiry {
        Some(expiry) if expiry.rule == ExpiryRule::AfterInactivity => {
            changes_no_inactivity(draft, &version.programme, expiry, entry, present)
        }
        Some(expiry) => takes_its_place_at_the_end(draft, &version.programme, expiry, entry, present),
        None => Ok(bookkeeping.last_expiry_at.is_none_or(|last| last <= at)),
    }
}

/// After inactivity an order that counts moves the next expiry, which the profile tells. It changes none that lies
/// behind if none was posted since, and if from it to now there was never a validity without activity.
fn changes_no_inactivity(
    draft: &Draft<'_>,
    programme: &Programme,
    expiry: &Expiry,
    entry: &Entry,
    present: Timestamp,
) -> Result<bool, Stop> {
    let at = entry.id.effective_at;
    let bookkeeping = &draft.profile.bookkeeping;
    let nothing_expired_since = bookkeeping.last_expiry_at.is_none_or(|last| last <= at);
    let end = |from: Timestamp| expiry.validity.after(from, &programme.time_zone);
    let activity = walk::activity(entry);
    let is_told_in_time = at >= present;
    if activity < 0 {
        return Ok(false);
    }
    if activity > 0 && is_told_in_time {
        return Ok(true);
    }
    if activity == 0 && entry.points <= Points::ZERO {
        return Ok(nothing_expired_since);
    }
    let Some(active_at) = bookkeeping.active_at else { return Ok(activity > 0 && end(at)? > present) };
    if activity == 0 && is_told_in_time {
        return Ok(end(active_at)? > at);
    }
    let is_of_activity = activity > 0 || matches!(entry.id.cause, Cause::Order(_));
    Ok(nothing_expired_since
        && is_of_activity
        && !bookkeeping.without_activity
        && end(at)? > active_at
        && end(active_at.max(at))? > present)
}

/// After earning, an order whose points run out last changes nothing of what runs out next, or is itself what does.
fn takes_its_place_at_the_end(
    draft: &mut Draft<'_>,
    programme: &Programme,
    expiry: &Expiry,
    entry: &Entry,
    present: Timestamp,
) -> Result<bool, Stop> {
    if entry.points.is_zero() {
        return Ok(true);
    }
    let is_new_order =
        matches!(entry.id.cause, Cause::Order(_)) && entry.counts > 0 && entry.points > Points::ZERO;
    let end = |from: Timestamp| expiry.validity.after(from, &programme.time_zone);
    let at = end(entry.id.effective_at)?;
    let not_before = draft.programmes.expires_not_before(present)?;
    let bookkeeping = &mut draft.profile.bookkeeping;
    // Not the same as being placed last: of two days at the end of a month, a shorter month makes one.
    let newest_end = bookkeeping.active_at.map(end).transpose()?;
    let next_end = bookkeeping.next_expiry.map(|next| next.at);
    let runs_out_last = newest_end.max(next_end) <= Some(at) && at > present && not_before <= Some(at);
    if !(is_new_order && runs_out_last) {
        return Ok(false);
    }
    let balance = draft.profile.account.balance;
    let balance_before = balance.minus(entry.points)?;
    if balance_before <= Points::ZERO && balance > Points::ZERO {
        bookkeeping.next_expiry = Some(NextExpiry { at, points: balance });
    } else if let Some(next) = bookkeeping.next_expiry.as_mut().filter(|next| next.at == at) {
        next.points = next.points.plus(entry.points)?;
    }
    Ok(true)
}

fn rule_at(draft: &Draft<'_>, moment: Timestamp) -> Option<ExpiryRule> {
    draft.programme_at(moment).expiry.as_ref().map(|expiry| expiry.rule)
}

/// Posts, instant by instant from a moment on, what should have run out less what did.
fn reconcile(draft: &mut Draft<'_>, since: Timestamp, moment: Timestamp) -> Result<(), Stop> {
    let walked = walked(draft, since, moment)?;
    let mut missing = walked.expired;
    for (end, points) in expired_since(draft, since)? {
        let sum = missing.entry(end).or_default();
        *sum = sum.minus(points)?;
    }
    missing.retain(|_, points| !points.is_zero());
    for (end, points) in missing {
        if !draft.has_room_for(1) {
            draft.profile.bookkeeping.expiries_from = Some(end);
            return Ok(());
        }
        expire(draft, end, points)?;
    }
    let bookkeeping = &mut draft.profile.bookkeeping;
    bookkeeping.expiries_from = None;
    bookkeeping.next_expiry = walked.next_earned;
    if let Some(active_at) = walked.active_at {
        (bookkeeping.active_at, bookkeeping.without_activity) = (active_at, walked.without_activity);
    }
    Ok(())
}

/// Walks from a moment to another one, over what may still run out, and over the whole journal where that does not do.
fn walked(draft: &Draft<'_>, from: Timestamp, to: Timestamp) -> Result<Walked, Stop> {
    let near = draft.programmes.unexpired_since(from)?.unwrap_or(from);
    for read_since in [near, Timestamp::UNIX_EPOCH] {
        let entries: Vec<&Entry> = draft.journal_since(read_since)?.collect();
        let after = entries.iter().filter(|entry| entry.id.effective_at >= from);
        let balance = after
            .into_iter()
            .try_fold(draft.profile.account.balance, |balance, entry| balance.minus(entry.points))?;
        let bookkeeping = &draft.profile.bookkeeping;
        // An activity that was known and is not found ceased to count; what there was before it lies further back.
        let knows_older = !bookkeeping.without_activity && bookkeeping.active_at < Some(read_since);
        match walk(draft.programmes, entries.into_iter(), Span { read_since, from, to }, balance) {
            Ok(walked) if walked.active_at.is_some() || knows_older => return Ok(walked),
            Ok(_) | Err(Halt::Unread) => {}
            Err(Halt::Failed(error)) => return Err(Stop::Error(error)),
        }
    }
    Err(Stop::Error(DecideError::Unsettled))
}

/// Takes points away as of an instant at which they ran out, or gives them back where they should not have.
fn expire(draft: &mut Draft<'_>, end: Timestamp, points: Points) -> Result<(), Stop> {
    let may_have_expired_then = draft.profile.bookkeeping.last_expiry_at.is_some_and(|last| last >= end);
    let id = if may_have_expired_then {
        draft.next_id(end, Cause::Expiry(end))?
    } else {
        EntryId { effective_at: end, cause: Cause::Expiry(end), n: 0 }
    };
    draft.post(id, Deltas::points(points.negated()?), Kind::Expired)?;
    let bookkeeping = &mut draft.profile.bookkeeping;
    bookkeeping.last_expiry_at = bookkeeping.last_expiry_at.max(Some(end));
    if let Some(pending) = &mut bookkeeping.pending {
        // What has run out is not pending; it is added up anew.
        pending.next_at = pending.next_at.min(end);
    }
    Ok(())
}

/// Whether one of these expiries took what was earned at a moment.
pub(super) fn took(
    programmes: &Programmes,
    expiries: &BTreeMap<Timestamp, Points>,
    earned_at: Timestamp,
) -> Result<bool, TimeError> {
    for (end, points) in expiries.range((Bound::Excluded(earned_at), Bound::Unbounded)) {
        if *points > Points::ZERO
            && let Some(rule) = InForce::at(programmes, *end)?
            && (rule.expiry.rule == ExpiryRule::AfterInactivity || rule.end(earned_at)? <= *end)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What ran out so far at each instant from a moment on.
pub(super) fn expired_since(
    draft: &Draft<'_>,
    since: Timestamp,
) -> Result<BTreeMap<Timestamp, Points>, Stop> {
    let mut expired: BTreeMap<Timestamp, Points> = BTreeMap::new();
    for entry in draft.journal_since(since)? {
        if let Cause::Expiry(end) = entry.id.cause {
            let sum = expired.entry(end).or_default();
            *sum = sum.minus(entry.points)?;
        }
    }
    Ok(expired)
}
