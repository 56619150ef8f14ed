//! Every version of the programme, with the moment from which it is in force.

use super::{Enrolment, Expiry, Programme};
use crate::time::{Period, TimeError, Timestamp};

/// One version of the programme.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Counted from 1.
    pub number: u32,
    /// From when it is in force; the first one is in force for all that came before it, too.
    pub from: Timestamp,
    /// The rules.
    pub programme: Programme,
}

/// Every version, so that an order earns by the rules of the day on which it was placed.
#[derive(Debug, Clone, PartialEq)]
pub struct Programmes {
    first: Version,
    later: Vec<Version>,
}

impl Programmes {
    /// Wraps every version there is; nothing without a first one.
    pub fn new(mut versions: Vec<Version>) -> Option<Self> {
        versions.sort_by_key(|version| (version.from, version.number));
        let mut versions = versions.into_iter();
        Some(Self { first: versions.next()?, later: versions.collect() })
    }

    /// A programme that was never changed.
    pub fn only(programme: Programme) -> Self {
        Self { first: Version { number: 1, from: Timestamp::UNIX_EPOCH, programme }, later: Vec::new() }
    }

    /// The version in force at a moment.
    pub fn at(&self, moment: Timestamp) -> &Version {
        self.later.iter().rev().find(|version| version.from <= moment).unwrap_or(&self.first)
    }

    /// When the programme began: from when its first version is in force.
    pub fn begin_at(&self) -> Timestamp {
        self.first.from
    }

    /// The numbers of all versions, in the order in which they come into force.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.versions().map(|version| version.number)
    }

    /// Whether orders may have waited for somebody to enrol: under any version, since what began to wait goes on.
    pub fn may_have_waited(&self) -> bool {
        self.versions().any(|version| version.programme.enrolment == Enrolment::Explicit)
    }

    /// No order placed before this has points that are pending at a moment; nothing where none ever are.
    pub(crate) fn pending_since(&self, moment: Timestamp) -> Result<Option<Timestamp>, TimeError> {
        let mut earliest = None;
        for Version { programme, .. } in self.versions() {
            if let Some(pending_for) = programme.earning.pending_for {
                // A day or two more than the period, because months differ in length.
                let zone = &programme.time_zone;
                let since = Period::days(2).before(pending_for.before(moment, zone)?, zone)?;
                earliest = Some(earliest.map_or(since, |earliest: Timestamp| earliest.min(since)));
            }
        }
        Ok(earliest)
    }

    /// These versions, and another one that comes into force at a moment.
    pub fn with(&self, programme: Programme, from: Timestamp) -> Self {
        let number = self.newest().number.saturating_add(1);
        let versions = self.versions().cloned().chain([Version { number, from, programme }]);
        let mut later: Vec<Version> = versions.collect();
        later.sort_by_key(|version| (version.from, version.number));
        let first = later.remove(0);
        Self { first, later }
    }

    /// When the next version after a moment comes into force, if one is published.
    pub fn next_from(&self, moment: Timestamp) -> Option<Timestamp> {
        self.later.iter().map(|version| version.from).find(|from| *from > moment)
    }

    /// The version of this number.
    pub fn numbered(&self, number: u32) -> Option<&Version> {
        self.versions().find(|version| version.number == number)
    }

    /// Whether points run out under any version.
    pub(crate) fn ever_expire(&self) -> bool {
        self.versions().any(|version| version.programme.expiry.is_some())
    }

    /// No points of before this can still run out at a moment or after it; nothing where none ever do.
    pub(crate) fn unexpired_since(&self, moment: Timestamp) -> Result<Option<Timestamp>, TimeError> {
        let mut earliest: Option<Timestamp> = None;
        for Version { programme, .. } in self.versions() {
            if let Some(Expiry { validity, .. }) = &programme.expiry {
                // A day or two more than the period, because months differ in length.
                let zone = &programme.time_zone;
                let since = validity
                    .before(moment, zone)
                    .and_then(|since| Period::days(2).before(since, zone))
                    .unwrap_or(Timestamp::UNIX_EPOCH);
                earliest = Some(earliest.map_or(since, |earliest| earliest.min(since)));
            }
        }
        Ok(earliest)
    }

    /// The moment before which nothing runs out under the version in force at a moment, if there is one.
    ///
    /// A version that lets points run out for the first time, or sooner than before, or by another rule, does not work
    /// backwards: its members get at least the time of its longest reminder, from when it comes into force. Versions
    /// after it that leave the rule as it is, or lengthen it, keep that promise.
    pub(crate) fn expires_not_before(&self, moment: Timestamp) -> Result<Option<Timestamp>, TimeError> {
        let mut not_before = None;
        let mut before = self.first.programme.expiry.as_ref();
        for Version { from, programme, .. } in self.later.iter().filter(|version| version.from <= moment) {
            let Some(expiry) = &programme.expiry else {
                before = None;
                continue;
            };
            if !before.is_some_and(|before| expiry.spares_what(before)) {
                // Which reminder is the longest, the calendar alone tells.
                not_before = not_before.max(Some(*from));
                for step in &expiry.reminders {
                    not_before = not_before.max(Some(step.after(*from, &programme.time_zone)?));
                }
            }
            before = Some(expiry);
        }
        Ok(not_before)
    }

    fn versions(&self) -> impl Iterator<Item = &Version> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// The newest version, in force or to be.
    pub fn newest(&self) -> &Version {
        self.later.last().unwrap_or(&self.first)
    }
}
