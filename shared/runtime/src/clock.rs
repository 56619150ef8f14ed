//! The clock as an argument: the system's on Lambda, a movable one in the local stack and in tests.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::Timestamp;

/// Where the present moment comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    /// A clock that stands still.
    pub fn fixed(at: Timestamp) -> Self {
        Self::new(move || at)
    }

    /// Any other clock.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present moment, to the millisecond, which is what keys hold.
    pub fn now(&self) -> Timestamp {
        let now = (self.0)();
        domain::time::in_range(now).unwrap_or(now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// What is left of an invocation's time. Real time, whatever the clock of the rules says.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    ends_at: Duration,
}

impl Budget {
    /// Kept back for the answer itself.
    const RESERVE: Duration = Duration::from_millis(500);
    /// For an invocation without a deadline, as some local tools send it.
    const WITHOUT_DEADLINE: Duration = Duration::from_secs(10);

    /// The time until Lambda's deadline, in milliseconds since the epoch.
    pub fn until(deadline_ms: u64) -> Self {
        let deadline = Duration::from_millis(deadline_ms);
        let ends_at = if deadline.is_zero() { since_epoch() + Self::WITHOUT_DEADLINE } else { deadline };
        Self { ends_at: ends_at.saturating_sub(Self::RESERVE) }
    }

    /// How long one may still work.
    pub fn left(&self) -> Duration {
        self.ends_at.saturating_sub(since_epoch())
    }

    /// Whether it is time to stop.
    pub fn is_spent(&self) -> bool {
        self.left().is_zero()
    }
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
