//! Instants, civil dates and calendar periods, always in the programme's time zone.

use std::fmt;

pub use jiff::Timestamp;
pub use jiff::civil::Date;
pub use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use serde::{Deserialize, Serialize};

/// Why a text is not an instant or a period, or why one leaves the calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339.
    #[error("is not an instant such as 2026-01-31T12:00:00Z (RFC 3339)")]
    Instant,
    /// Not a date.
    #[error("is not a date such as 2026-01-31")]
    Date,
    /// Not a period.
    #[error("is not a period such as \"3 months\", \"2 weeks\" or \"90 days\" (1 to {MAX_PERIOD} of them)")]
    Period,
    /// Before 1970 or after the year 9000.
    #[error("lies outside the years 1970 to 9000")]
    OutOfRange,
}

/// The most units a period may have: a hundred years of weeks.
pub const MAX_PERIOD: i64 = 5_200;
const LAST_YEAR: i16 = 9_000;

/// Stands for "for ever" where an instant is kept: the end of the last year that keys can sort.
pub const FOREVER: Timestamp = Timestamp::constant(221_876_927_999, 0);

/// Reads an instant as RFC 3339, with whatever offset; cut to the millisecond, which is what keys hold.
pub fn instant(text: &str) -> Result<Timestamp, TimeError> {
    let parsed: Timestamp = text.trim().parse().map_err(|_| TimeError::Instant)?;
    in_range(parsed)
}

/// Cuts an instant to the millisecond and refuses one outside the years that keys can sort.
pub fn in_range(at: Timestamp) -> Result<Timestamp, TimeError> {
    let cut = Timestamp::from_millisecond(at.as_millisecond()).map_err(|_| TimeError::OutOfRange)?;
    let year = TimeZone::UTC.to_datetime(cut).year();
    if (1970..=LAST_YEAR).contains(&year) { Ok(cut) } else { Err(TimeError::OutOfRange) }
}

/// How far ahead of us a sender's clock may be, in seconds: every zone of the world, written without its offset, lies
/// within a day.
const MAX_SECONDS_AHEAD: i64 = 24 * 60 * 60;

/// Whether a moment lies so far ahead that it says nothing of when something happened.
pub fn is_far_ahead(at: Timestamp, now: Timestamp) -> bool {
    at.as_second().saturating_sub(now.as_second()) > MAX_SECONDS_AHEAD
}

/// The moment, or now where it lies more than a day ahead.
pub fn not_far_ahead(at: Timestamp, now: Timestamp) -> Timestamp {
    if is_far_ahead(at, now) { now } else { at }
}

/// An instant at fixed width, so that texts sort as the instants do.
pub fn sortable(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The civil date of an instant.
pub fn date_of(at: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(at).date()
}

/// The first instant of a civil date: midnight, or what follows it where a clock change removes midnight.
pub fn start_of(date: Date, zone: &TimeZone) -> Result<Timestamp, TimeError> {
    let midnight = date.to_zoned(zone.clone()).map_err(|_| TimeError::OutOfRange)?;
    in_range(midnight.timestamp())
}

/// The first instant of a civil date, or of the first date that keys can sort: for reading everything since.
pub fn since(date: Date, zone: &TimeZone) -> Result<Timestamp, TimeError> {
    // A day late, so that it is within the range in every zone.
    start_of(date.max(Date::constant(1970, 1, 2)), zone)
}

/// A calendar period: months clamp to the month's last day, days and weeks are civil days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    count: i64,
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Unit {
    Years,
    Months,
    Weeks,
    Days,
}

impl Period {
    /// Reads "12 months", "1 month", "2 weeks", "90 days", "1 year".
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let (count, unit) = text.trim().split_once(' ').ok_or(TimeError::Period)?;
        let count: i64 = count.parse().map_err(|_| TimeError::Period)?;
        if !(1..=MAX_PERIOD).contains(&count) {
            return Err(TimeError::Period);
        }
        let unit = match unit.trim().trim_end_matches('s') {
            "year" => Unit::Years,
            "month" => Unit::Months,
            "week" => Unit::Weeks,
            "day" => Unit::Days,
            _ => return Err(TimeError::Period),
        };
        Ok(Self { count, unit })
    }

    /// A period of civil days.
    pub const fn days(count: i64) -> Self {
        Self { count, unit: Unit::Days }
    }

    /// A period of calendar months.
    pub(crate) const fn months(count: i64) -> Self {
        Self { count, unit: Unit::Months }
    }

    fn span(self) -> Span {
        match self.unit {
            Unit::Years => self.count.years(),
            Unit::Months => self.count.months(),
            Unit::Weeks => self.count.weeks(),
            Unit::Days => self.count.days(),
        }
    }

    /// Roughly how long, in days: only to compare two periods of a programme with each other.
    pub(crate) fn about_days(self) -> i64 {
        match self.unit {
            Unit::Years => self.count * 365,
            Unit::Months => self.count * 30,
            Unit::Weeks => self.count * 7,
            Unit::Days => self.count,
        }
    }

    /// Whether, counted from whatever moment, it ends no earlier than another one. Where only the calendar could tell,
    /// no.
    pub(crate) fn is_never_shorter_than(self, other: Self) -> bool {
        match (self.in_months(), other.in_months()) {
            (Some(months), Some(others)) => months >= others,
            (None, None) => self.about_days() >= other.about_days(),
            // Twelve months have 365 or 366 days, and one month 28 to 31.
            (Some(months), None) => months * 365 / 12 - 3 >= other.about_days(),
            (None, Some(others)) => self.about_days() >= others * 366 / 12 + 3,
        }
    }

    fn in_months(self) -> Option<i64> {
        match self.unit {
            Unit::Years => Some(self.count * 12),
            Unit::Months => Some(self.count),
            Unit::Weeks | Unit::Days => None,
        }
    }

    /// The instant a period later, on the same clock time of the zone.
    pub fn after(self, at: Timestamp, zone: &TimeZone) -> Result<Timestamp, TimeError> {
        let later = at.to_zoned(zone.clone()).checked_add(self.span()).map_err(|_| TimeError::OutOfRange)?;
        in_range(later.timestamp())
    }

    /// The instant a period earlier, on the same clock time of the zone.
    pub fn before(self, at: Timestamp, zone: &TimeZone) -> Result<Timestamp, TimeError> {
        let earlier =
            at.to_zoned(zone.clone()).checked_sub(self.span()).map_err(|_| TimeError::OutOfRange)?;
        in_range(earlier.timestamp())
    }

    /// The date a period earlier.
    pub fn before_date(self, date: Date) -> Result<Date, TimeError> {
        date.checked_sub(self.span()).map_err(|_| TimeError::OutOfRange)
    }

    /// The date a period later.
    pub fn after_date(self, date: Date) -> Result<Date, TimeError> {
        date.checked_add(self.span()).map_err(|_| TimeError::OutOfRange)
    }

    /// The first date on which a thing of `date` is no longer within a window of this length that ends there.
    ///
    /// Not simply `date + period`: a window of 3 months that ends on 28 February reaches back to 28 November, so
    /// what happened on 30 November still counts then, and leaves on 1 March.
    pub fn leaves_on(self, date: Date) -> Result<Date, TimeError> {
        let mut end = self.after_date(date)?;
        while self.before_date(end)? < date {
            end = end.tomorrow().map_err(|_| TimeError::OutOfRange)?;
        }
        Ok(end)
    }
}

impl TryFrom<String> for Period {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        Self::parse(&text)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Years => "year",
            Unit::Months => "month",
            Unit::Weeks => "week",
            Unit::Days => "day",
        };
        write!(f, "{} {unit}{}", self.count, if self.count == 1 { "" } else { "s" })
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
