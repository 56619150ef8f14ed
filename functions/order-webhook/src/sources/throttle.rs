//! How many requests of one source a container takes: a sender that has gone wild must not keep the others out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::{SourceName, Timestamp};

/// Requests that are left, as of a moment, in thousandths: a source's rate is also what it may send at once.
#[derive(Debug, Clone, Copy)]
struct Left {
    thousandths: i64,
    at: Timestamp,
}

/// What is left of each source that has a limit.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<HashMap<SourceName, Left>>);

impl Throttle {
    /// Whether one more request may come from a source that may send so many a second.
    pub(super) fn lets_in(&self, source: &SourceName, per_second: u32, now: Timestamp) -> bool {
        let most = i64::from(per_second).saturating_mul(1_000);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all.entry(source.clone()).or_insert(Left { thousandths: most, at: now });
        let milliseconds = (now.as_millisecond() - left.at.as_millisecond()).max(0);
        let gained = milliseconds.saturating_mul(i64::from(per_second));
        *left = Left { thousandths: left.thousandths.saturating_add(gained).min(most), at: now };
        if left.thousandths < 1_000 {
            return false;
        }
        left.thousandths -= 1_000;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_may_send_its_rate_at_once_and_then_as_time_goes_by_and_another_is_not_kept_out() {
        let throttle = Throttle::default();
        let (wild, calm) = (SourceName::new("wild").unwrap(), SourceName::new("calm").unwrap());
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        let taken = (0..50).filter(|_| throttle.lets_in(&wild, 10, at(0))).count();
        assert_eq!(taken, 10);
        assert!(throttle.lets_in(&calm, 10, at(0)));
        assert!(!throttle.lets_in(&wild, 10, at(99)));
        assert!(throttle.lets_in(&wild, 10, at(100)));
        assert!(!throttle.lets_in(&wild, 10, at(100)));
        assert_eq!((0..50).filter(|_| throttle.lets_in(&wild, 10, at(60_000))).count(), 10);
    }
}
