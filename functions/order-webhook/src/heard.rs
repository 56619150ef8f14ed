//! Which sources were heard lately, so that it is noted now and then and not at every delivery.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{SourceName, Timestamp};
use jiff::SignedDuration;

/// Silence is counted in hours, so a note an hour is fine enough, and costs nothing.
const BETWEEN_NOTES: SignedDuration = SignedDuration::from_hours(1);

/// When each source was noted last. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<HashMap<SourceName, Timestamp>>>);

impl Heard {
    /// Whether this is to be noted, which it is then taken to be.
    pub(crate) fn is_news(&self, source: &SourceName, now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(source).is_some_and(|at| now.duration_since(*at) < BETWEEN_NOTES) {
            return false;
        }
        noted.insert(source.clone(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_noted_once_an_hour() {
        let heard = Heard::default();
        let (shop, other) = (SourceName::new("shop").unwrap(), SourceName::new("other").unwrap());
        let minute = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        assert!(heard.is_news(&shop, minute(0)));
        assert!(!heard.is_news(&shop, minute(59)));
        assert!(heard.is_news(&other, minute(59)));
        assert!(heard.is_news(&shop, minute(60)));
    }
}
