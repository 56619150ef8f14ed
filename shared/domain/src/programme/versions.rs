//! Every version of the programme, with the moment from which it is in force.

use super::{Enrolment, Programme};
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

    /// Whether orders may have waited for somebody to enrol: under any version, since what began to wait goes on.
    pub fn may_have_waited(&self) -> bool {
        let mut versions = std::iter::once(&self.first).chain(&self.later);
        versions.any(|version| version.programme.enrolment == Enrolment::Explicit)
    }

    /// No order placed before this has points that are pending at a moment; nothing where none ever are.
    pub(crate) fn pending_since(&self, moment: Timestamp) -> Result<Option<Timestamp>, TimeError> {
        let mut earliest = None;
        for Version { programme, .. } in std::iter::once(&self.first).chain(&self.later) {
            if let Some(pending_for) = programme.earning.pending_for {
                // A day or two more than the period, because months differ in length.
                let zone = &programme.time_zone;
                let since = Period::days(2).before(pending_for.before(moment, zone)?, zone)?;
                earliest = Some(earliest.map_or(since, |earliest: Timestamp| earliest.min(since)));
            }
        }
        Ok(earliest)
    }

    /// The newest version, in force or to be.
    pub fn newest(&self) -> &Version {
        self.later.last().unwrap_or(&self.first)
    }
}
