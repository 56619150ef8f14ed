//! The schedules: review and sweep run as local time passes, at the template's rates counted from 1970, and when time
//! jumps the review at every due moment on the way.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::template::Rate;

/// When a function is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The function.
    pub function: String,
    rate: Rate,
}

impl Schedule {
    /// A function at a rate.
    pub fn new(function: impl Into<String>, rate: Rate) -> Self {
        Self { function: function.into(), rate }
    }

    /// The first tick at or after a moment. Ticks are counted from 1970 in UTC, so an hourly one is on the hour.
    pub fn tick_from(&self, at: Timestamp) -> Timestamp {
        let rate = i64::try_from(self.rate.0.as_secs()).unwrap_or(i64::MAX);
        let seconds = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
        let ticks = seconds.div_euclid(rate) + i64::from(seconds.rem_euclid(rate) > 0);
        Timestamp::from_second(ticks.saturating_mul(rate)).unwrap_or(Timestamp::MAX)
    }

    /// How long from a moment until the next tick after it.
    pub fn until_next(&self, now: Timestamp) -> Duration {
        let next = self.tick_from(now + SignedDuration::from_millis(1));
        Duration::try_from(next.duration_since(now)).unwrap_or_default()
    }

    /// The event that the Scheduler sends.
    pub fn event(&self, at: Timestamp) -> Value {
        json!({
            "version": "0",
            "id": "00000000-0000-0000-0000-000000000000",
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": dynoxide::streams::LOCAL_ACCOUNT,
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": dynoxide::streams::LOCAL_REGION,
            "resources": [],
            "detail": "{}",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hourly_tick_is_on_the_hour() {
        let schedule = Schedule::new("F", Rate(Duration::from_secs(3_600)));
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        assert_eq!(schedule.tick_from(at("2026-03-01T10:00:00Z")), at("2026-03-01T10:00:00Z"));
        assert_eq!(schedule.tick_from(at("2026-03-01T10:00:00.001Z")), at("2026-03-01T11:00:00Z"));
        assert_eq!(schedule.tick_from(at("2026-03-01T10:59:59Z")), at("2026-03-01T11:00:00Z"));
        assert_eq!(schedule.until_next(at("2026-03-01T10:00:00Z")), Duration::from_secs(3_600));
        assert_eq!(schedule.until_next(at("2026-03-01T10:59:00Z")), Duration::from_secs(60));
    }
}
