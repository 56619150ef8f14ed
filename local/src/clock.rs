//! The local stack's clock: the system's plus an offset that only grows, or in a replay a moment that is set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::state::State;

const OFFSET: &str = "clock_offset_ms";

/// Which clock a stack runs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// The system's clock plus the offset that the data folder remembers.
    Movable,
    /// Stands at a moment until it is moved.
    Simulated(Timestamp),
}

/// Why the clock does not move.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// Points would come back and coupons be issued twice.
    #[error("the clock stands at {now} and does not go back to {target}")]
    Backwards {
        /// Where it stands.
        now: Timestamp,
        /// Where it should go.
        target: Timestamp,
    },
    /// Not a moment.
    #[error("{0}")]
    NoMoment(String),
    /// The offset cannot be kept.
    #[error("the clock cannot be kept: {0}")]
    State(#[from] rusqlite::Error),
}

/// The clock. Clones share it.
#[derive(Debug, Clone)]
pub struct LocalClock(Arc<Inner>);

#[derive(Debug)]
enum Inner {
    Movable { offset_ms: AtomicI64, state: Arc<State> },
    Simulated { now_ms: AtomicI64 },
}

impl LocalClock {
    /// The clock as the state remembers it.
    pub fn open(time: Time, state: Arc<State>) -> Result<Self, ClockError> {
        let inner = match time {
            Time::Movable => {
                let offset_ms = AtomicI64::new(state.setting(OFFSET)?.unwrap_or_default());
                Inner::Movable { offset_ms, state }
            }
            Time::Simulated(at) => Inner::Simulated { now_ms: AtomicI64::new(at.as_millisecond()) },
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        let milliseconds = match &*self.0 {
            Inner::Movable { offset_ms, .. } => system_ms().saturating_add(offset_ms.load(Ordering::Acquire)),
            Inner::Simulated { now_ms } => now_ms.load(Ordering::Acquire),
        };
        // Only an offset of thousands of years leads out of the calendar, and `move_to` takes none.
        Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
    }

    /// The same clock, as the functions take it.
    pub fn for_functions(&self) -> runtime::Clock {
        let clock = self.clone();
        runtime::Clock::new(move || clock.now())
    }

    /// The clock by which signatures are judged: a sender on this machine signs by the machine's clock, wherever
    /// the local calendar was moved; a replay signs in its own time.
    pub fn for_signatures(&self) -> runtime::Clock {
        match &*self.0 {
            Inner::Movable { .. } => runtime::Clock::system(),
            Inner::Simulated { .. } => self.for_functions(),
        }
    }

    /// Moves forward to a moment.
    pub fn move_to(&self, target: Timestamp) -> Result<(), ClockError> {
        let now = self.now();
        if target < now {
            return Err(ClockError::Backwards { now, target });
        }
        domain::time::in_range(target).map_err(|error| ClockError::NoMoment(format!("{target} {error}")))?;
        match &*self.0 {
            Inner::Movable { offset_ms, state } => {
                let offset = target.as_millisecond().saturating_sub(system_ms());
                state.set_setting(OFFSET, offset)?;
                offset_ms.store(offset, Ordering::Release);
            }
            Inner::Simulated { now_ms } => now_ms.store(target.as_millisecond(), Ordering::Release),
        }
        Ok(())
    }

    /// The moment a period from now, such as `P30D` or `PT36H`, on the calendar of UTC.
    pub fn after(&self, period: &str) -> Result<Timestamp, ClockError> {
        let span: jiff::Span = period.parse().map_err(|_| {
            ClockError::NoMoment(format!("{period:?} is no ISO 8601 duration such as P30D or PT36H"))
        })?;
        Zoned::new(self.now(), TimeZone::UTC)
            .checked_add(span)
            .map(|later| later.timestamp())
            .map_err(|_| ClockError::NoMoment(format!("{period:?} leads out of the calendar")))
    }
}

fn system_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(folder: &tempfile::TempDir) -> Arc<State> {
        Arc::new(State::open(&folder.path().join("state.sqlite")).unwrap())
    }

    #[test]
    fn a_moved_clock_goes_on_from_there_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let clock = LocalClock::open(Time::Movable, state(&folder)).unwrap();
        let target = clock.after("P30D").unwrap();
        clock.move_to(target).unwrap();
        assert!(clock.now() >= target);
        drop(clock);
        let again = LocalClock::open(Time::Movable, state(&folder)).unwrap();
        assert!(again.now() >= target);
    }

    #[test]
    fn the_clock_never_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let at: Timestamp = "1997-01-01T00:00:00Z".parse().unwrap();
        let clock = LocalClock::open(Time::Simulated(at), state(&folder)).unwrap();
        clock.move_to("1997-02-01T00:00:00Z".parse().unwrap()).unwrap();
        let error = clock.move_to(at).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the clock stands at 1997-02-01T00:00:00Z and does not go back to 1997-01-01T00:00:00Z"
        );
    }

    #[test]
    fn a_period_is_read_as_iso_8601_and_nothing_else_moves_the_clock() {
        let folder = tempfile::tempdir().unwrap();
        let at: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let clock = LocalClock::open(Time::Simulated(at), state(&folder)).unwrap();
        assert_eq!(clock.after("P1M").unwrap(), "2026-02-28T12:00:00Z".parse().unwrap());
        assert_eq!(clock.after("PT36H").unwrap(), "2026-02-02T00:00:00Z".parse().unwrap());
        assert!(clock.after("soon").is_err());
        assert!(clock.after("P9999Y").is_err());
    }
}
