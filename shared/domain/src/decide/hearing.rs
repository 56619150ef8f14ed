//! Who hears of what a decision posts. Integrators hear of everything that there is to tell. The member hears of what
//! is new: not of the past, and not of what follows from a command that is silent, such as an imported order.

use super::draft::{Draft, Stop};
use crate::audience::Audience;
use crate::journal::{Cause, Entry, EntryId, Kind};
use crate::member::{CutOff, Profile};
use crate::points::Points;
use crate::programme::Programmes;
use crate::time::{Period, TimeError, TimeZone, Timestamp, start_of};

/// For so long something is news: a review that comes a week late tells what it finds, one that comes after a year does
/// not.
const NEWS_FOR: Period = Period::days(31);

/// What decides who hears of an entry.
#[derive(Clone)]
pub(super) struct Hearing {
    /// What took effect before this is the past.
    news_from: Timestamp,
    /// Whether the member hears of nothing.
    pub(super) silent: bool,
    /// Of a command that is silent: what the calendar would have posted without it, of which the member hears as ever.
    pub(super) comes_anyway: Option<Vec<Entry>>,
    /// The first coupon of which the member is yet to be told.
    untold_from: Option<u32>,
    /// Whether more coupons follow in the next decision.
    pub(super) more_coupons_follow: bool,
}

impl Hearing {
    /// The past of a member is what lies before the moment up to which they were settled; of one who is new it is
    /// everything before now. What lies before the programme is the past of everybody.
    pub(super) fn of(programmes: &Programmes, before: &Profile, now: Timestamp) -> Self {
        let known_to = if before.is_new() { now } else { before.bookkeeping.settled_to };
        // Before the first date of the calendar there is nothing.
        let oldest_news = NEWS_FOR.before(now, &TimeZone::UTC).unwrap_or(known_to);
        Self {
            news_from: known_to.max(programmes.begin_at()).max(oldest_news),
            silent: false,
            comes_anyway: None,
            untold_from: None,
            more_coupons_follow: false,
        }
    }

    /// Goes on as the decision did that was cut off.
    pub(super) fn take_up(&mut self, cut_off: CutOff) {
        (self.silent, self.untold_from) = (cut_off.silent, cut_off.untold_from);
    }

    /// What the next decision must know of this one, which is cut off.
    pub(super) fn cut_off(&self) -> Option<CutOff> {
        let silent = self.silent || self.comes_anyway.is_some();
        let cut_off = CutOff { silent, untold_from: self.untold_from };
        (cut_off != CutOff::default()).then_some(cut_off)
    }
}

/// Who hears of what is about to be posted.
pub(super) fn audience(
    draft: &Draft<'_>,
    id: &EntryId,
    points: Points,
    kind: &Kind,
) -> Result<Audience, Stop> {
    let audience = Audience::of(kind, points);
    if audience < Audience::Everybody {
        return Ok(audience);
    }
    if draft.hearing.silent || !is_news(draft, id, kind)? {
        return Ok(Audience::Integrators);
    }
    Ok(match &draft.hearing.comes_anyway {
        Some(calendar) => who_hears_anyway(calendar, &draft.entries, id, kind),
        None => audience,
    })
}

/// Who would hear of the same without the command: at least the integrators. The number of points may be another, and
/// so may a coupon's: of those of one moment the first ones would have been issued anyway.
fn who_hears_anyway(calendar: &[Entry], posted: &[Entry], id: &EntryId, kind: &Kind) -> Audience {
    let same = match kind {
        Kind::CouponIssued { .. } => {
            let issued_then = |entry: &&Entry| {
                entry.id.effective_at == id.effective_at && matches!(entry.kind, Kind::CouponIssued { .. })
            };
            calendar.iter().filter(issued_then).nth(posted.iter().filter(issued_then).count())
        }
        Kind::TierChanged { .. } => calendar.iter().find(|entry| entry.id == *id && entry.kind == *kind),
        _ => calendar.iter().find(|entry| entry.id == *id),
    };
    same.map_or(Audience::Integrators, |entry| entry.audience)
}

/// Whether something is new to the member. A coupon is as long as it can be used, and a reminder as long as the points
/// are there. A tier is of a whole day.
fn is_news(draft: &Draft<'_>, id: &EntryId, kind: &Kind) -> Result<bool, TimeError> {
    let news_from = draft.hearing.news_from;
    Ok(match (kind, &id.cause) {
        (Kind::CouponIssued { ends_at, .. }, _) => ends_at.is_none_or(|end| end > draft.now()),
        (Kind::ExpiryReminder { expires_at, .. }, _) => *expires_at > draft.now(),
        (_, Cause::Tier(date)) => {
            let next_day = date.tomorrow().map_err(|_| TimeError::OutOfRange)?;
            start_of(next_day, &draft.programme_at(id.effective_at).time_zone)? > news_from
        }
        _ => id.effective_at >= news_from,
    })
}

/// Lets the member hear of several coupons at once, with the last of them; in a decision that is cut off in their midst,
/// with the last of a later one. Integrators hear of each.
pub(super) fn gather_coupons(entries: &mut [Entry], hearing: &mut Hearing) {
    let mut last = None;
    for entry in entries.iter_mut().filter(|entry| entry.audience == Audience::Everybody) {
        if let (Kind::CouponIssued { .. }, Cause::Coupon(number)) = (&entry.kind, &entry.id.cause) {
            hearing.untold_from.get_or_insert(*number);
            entry.audience = Audience::Integrators;
            last = Some(entry);
        }
    }
    let Some(last) = last.filter(|_| !hearing.more_coupons_follow) else { return };
    last.audience = Audience::Everybody;
    let first = hearing.untold_from.take();
    if let (Kind::CouponIssued { told_from, .. }, Cause::Coupon(number)) = (&mut last.kind, &last.id.cause) {
        *told_from = first.filter(|first| first != number);
    }
}
