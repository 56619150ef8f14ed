//! What should have run out of a member's points, and when: a walk along the calendar over everything that was posted.
//!
//! It looks at moments of effect alone, never at when something was reported. So however late an order, a refund or an
//! opening balance comes, walking again gives what would have run out had all come in time.
//!
//! *After inactivity* the whole positive balance runs out a validity after the newest activity.
//!
//! *After earning* there are no lots to keep. What was earned and has not reached its age is *young*; whatever the
//! balance has beyond the young points is old, and runs out: `balance − young = earned old − spent − expired`. So
//! what was spent took the oldest points first.

use std::collections::BTreeMap;

use super::InForce;
use crate::decide::DecideError;
use crate::journal::{Cause, Entry, Kind};
use crate::member::NextExpiry;
use crate::points::{Overflow, Points};
use crate::programme::{ExpiryRule, Programmes};
use crate::time::{TimeError, Timestamp};

/// What happened at one moment, expiries left out.
#[derive(Default)]
struct Happened {
    points: Points,
    /// What of it was earned: it has an age of its own.
    earned: Points,
    /// Whether an order counts, or an opening balance was given.
    is_activity: bool,
}

/// What a walk found.
pub(super) struct Walked {
    /// What ran out, by instant.
    pub(super) expired: BTreeMap<Timestamp, Points>,
    /// What runs out next under expiry after earning.
    pub(super) next_earned: Option<NextExpiry>,
    /// What inactivity counts from, if anything; missing where what was read does not tell.
    pub(super) active_at: Option<Option<Timestamp>>,
    /// Whether that is no activity, but the first points of somebody who never was active.
    pub(super) without_activity: bool,
}

/// Why a walk from a later moment than the first does not do.
pub(super) enum Halt {
    /// What came before decides, and was not read.
    Unread,
    /// It can never succeed.
    Failed(DecideError),
}

impl<E: Into<DecideError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Walks from a moment to another one.
///
/// `entries` are all that take effect from `read_since` on; `balance` is what all entries before `from` came to. What
/// was earned between `read_since` and `from` may still be young, and the newest activity among it is what inactivity
/// counts from.
pub(super) fn walk<'a>(
    programmes: &Programmes,
    entries: impl Iterator<Item = &'a Entry>,
    span: Span,
    balance: Points,
) -> Result<Walked, Halt> {
    let mut walker = Walker::new(programmes, span, balance)?;
    for (at, happened) in by_moment(entries)? {
        if at < span.from {
            walker.remember(at, &happened)?;
        } else {
            walker.go_to(at.min(span.to))?;
            walker.take_in(at, &happened)?;
        }
    }
    walker.go_to(span.to)?;
    walker.finish()
}

/// From where to where a walk goes.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) read_since: Timestamp,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Span {
    fn is_whole(&self) -> bool {
        self.read_since == Timestamp::UNIX_EPOCH
    }
}

fn by_moment<'a>(
    entries: impl Iterator<Item = &'a Entry>,
) -> Result<BTreeMap<Timestamp, Happened>, Overflow> {
    let mut by_cause: BTreeMap<(Timestamp, &Cause), (Points, i64)> = BTreeMap::new();
    for entry in entries.filter(|entry| !matches!(entry.id.cause, Cause::Expiry(_))) {
        let (points, active) = by_cause.entry((entry.id.effective_at, &entry.id.cause)).or_default();
        *points = points.plus(entry.points)?;
        *active = active.checked_add(activity(entry)).ok_or(Overflow)?;
    }
    let mut by_moment: BTreeMap<Timestamp, Happened> = BTreeMap::new();
    for ((at, cause), (points, active)) in by_cause {
        let happened = by_moment.entry(at).or_default();
        happened.points = happened.points.plus(points)?;
        if matches!(cause, Cause::Order(_) | Cause::Opening(_)) {
            happened.earned = happened.earned.plus(points)?;
        }
        happened.is_activity |= active > 0;
    }
    Ok(by_moment)
}

/// Whether an entry makes an order, or an opening balance, count as activity (1), or no longer (−1).
pub(super) fn activity(entry: &Entry) -> i64 {
    match (&entry.id.cause, &entry.kind) {
        (Cause::Opening(_), Kind::GivenBack { .. }) => -1,
        (Cause::Opening(_), _) => 1,
        _ => i64::from(entry.counts),
    }
}

/// A member on the way along the calendar.
struct Walker<'a> {
    programmes: &'a Programmes,
    span: Span,
    /// Where it is.
    at: Timestamp,
    balance: Points,
    active_at: Option<Timestamp>,
    without_activity: bool,
    /// What was earned, by moment, as far as it was read.
    earned: BTreeMap<Timestamp, Points>,
    /// What of it is young under the version in force, by the instant at which it no longer is.
    young: BTreeMap<Timestamp, Points>,
    sum_young: Points,
    expired: BTreeMap<Timestamp, Points>,
}

impl<'a> Walker<'a> {
    fn new(programmes: &'a Programmes, span: Span, balance: Points) -> Result<Self, Halt> {
        let mut walker = Self {
            programmes,
            span,
            at: span.from,
            balance,
            active_at: None,
            without_activity: false,
            earned: BTreeMap::new(),
            young: BTreeMap::new(),
            sum_young: Points::ZERO,
            expired: BTreeMap::new(),
        };
        walker.sort_young()?;
        Ok(walker)
    }

    fn in_force(&self) -> Result<Option<InForce<'a>>, TimeError> {
        InForce::at(self.programmes, self.at)
    }

    /// What happened before the walk begins is in the balance; it may still be young, and counts as activity.
    fn remember(&mut self, at: Timestamp, happened: &Happened) -> Result<(), Halt> {
        self.note_activity(at, happened);
        self.earn(at, happened.earned)
    }

    fn take_in(&mut self, at: Timestamp, happened: &Happened) -> Result<(), Halt> {
        self.balance = self.balance.plus(happened.points)?;
        self.note_activity(at, happened);
        self.earn(at, happened.earned)
    }

    fn note_activity(&mut self, at: Timestamp, happened: &Happened) {
        if happened.is_activity {
            (self.active_at, self.without_activity) = (Some(at), false);
        } else if self.active_at.is_none() && happened.points > Points::ZERO && self.span.is_whole() {
            (self.active_at, self.without_activity) = (Some(at), true);
        }
    }

    fn earn(&mut self, at: Timestamp, points: Points) -> Result<(), Halt> {
        if points.is_zero() {
            return Ok(());
        }
        let sum = self.earned.entry(at).or_default();
        *sum = sum.plus(points)?;
        match self.in_force()? {
            Some(rule) if rule.expiry.rule == ExpiryRule::AfterEarning => {
                self.keep_young(rule.end(at)?, points)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn keep_young(&mut self, end: Timestamp, points: Points) -> Result<(), Overflow> {
        if end > self.at {
            let sum = self.young.entry(end).or_default();
            *sum = sum.plus(points)?;
            self.sum_young = self.sum_young.plus(points)?;
        }
        Ok(())
    }

    /// Another version gives what was earned another age.
    fn sort_young(&mut self) -> Result<(), Halt> {
        self.young.clear();
        self.sum_young = Points::ZERO;
        let Some(rule) = self.in_force()? else { return Ok(()) };
        if rule.expiry.rule == ExpiryRule::AfterEarning {
            for (at, points) in self.earned.clone() {
                self.keep_young(rule.end(at)?, points)?;
            }
        }
        Ok(())
    }

    /// Goes on to a moment, letting run out on the way, under each version while it is in force, what has come to its
    /// end by then.
    fn go_to(&mut self, moment: Timestamp) -> Result<(), Halt> {
        loop {
            let version_ends = self.programmes.next_from(self.at).filter(|from| *from <= moment);
            match self.next_end()? {
                Some(end) if version_ends.map_or(end <= moment, |from| end < from) => self.expire_at(end)?,
                _ => match version_ends {
                    Some(from) => {
                        self.at = from;
                        self.sort_young()?;
                    }
                    None => {
                        self.at = self.at.max(moment);
                        return Ok(());
                    }
                },
            }
        }
    }

    /// The next instant at which something may run out.
    fn next_end(&self) -> Result<Option<Timestamp>, Halt> {
        if self.balance <= Points::ZERO {
            return Ok(None);
        }
        let Some(rule) = self.in_force()? else { return Ok(None) };
        Ok(match rule.expiry.rule {
            ExpiryRule::AfterInactivity => match self.active_at {
                Some(active_at) => Some(rule.end(active_at)?.max(self.at)),
                None if self.span.is_whole() => None,
                None => return Err(Halt::Unread),
            },
            ExpiryRule::AfterEarning => self.next_old(&rule)?.map(|next| next.at),
        })
    }

    /// What runs out next of what was earned: now, where old points are there already.
    fn next_old(&self, rule: &InForce<'_>) -> Result<Option<NextExpiry>, Overflow> {
        let first = rule.not_before.map_or(self.at, |not_before| not_before.max(self.at));
        let ends = self.young.keys().copied().filter(|end| *end > first);
        let mut young = self.young.iter().peekable();
        let mut sum_young = self.sum_young;
        for at in std::iter::once(first).chain(ends) {
            while let Some((_, points)) = young.next_if(|(end, _)| **end <= at) {
                sum_young = sum_young.minus(*points)?;
            }
            let old = self.balance.minus(sum_young)?;
            if old > Points::ZERO {
                return Ok(Some(NextExpiry { at, points: old }));
            }
        }
        Ok(None)
    }

    fn expire_at(&mut self, end: Timestamp) -> Result<(), Halt> {
        self.at = end;
        while let Some(first) = self.young.first_entry().filter(|first| *first.key() <= end) {
            self.sum_young = self.sum_young.minus(first.remove())?;
        }
        let points = self.balance.minus(self.sum_young)?;
        self.balance = self.balance.minus(points)?;
        let sum = self.expired.entry(end).or_default();
        *sum = sum.plus(points)?;
        Ok(())
    }

    fn finish(self) -> Result<Walked, Halt> {
        let next_earned = match self.in_force()? {
            Some(rule) if rule.expiry.rule == ExpiryRule::AfterEarning && self.balance > Points::ZERO => {
                self.next_old(&rule)?
            }
            _ => None,
        };
        Ok(Walked {
            expired: self.expired,
            next_earned,
            active_at: (self.active_at.is_some() || self.span.is_whole()).then_some(self.active_at),
            without_activity: self.without_activity,
        })
    }
}
