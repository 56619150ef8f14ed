//! When the sources are read again, and how long they may be used.

use domain::Timestamp;
use jiff::SignedDuration;

/// A secret that was taken away is good for so long at most.
const LONGEST_KEPT: SignedDuration = SignedDuration::from_mins(5);
/// Containers start together, in a flood of orders; their readings are spread over this. Parameter Store answers 40
/// calls a second.
const SPREAD: SignedDuration = SignedDuration::from_mins(1);
/// A source or a secret that we do not know may be newer than our last look; strangers make us look so often at most.
const BETWEEN_STRANGERS: SignedDuration = SignedDuration::from_mins(1);
/// After a reading that failed, the next one comes between once and twice this later.
const RETRY: SignedDuration = SignedDuration::from_secs(5);
/// Whatever Parameter Store does, what was read so long ago is not used any more.
const USABLE: SignedDuration = SignedDuration::from_mins(30);

/// Moments of readings, past and to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Freshness {
    read_at: Option<Timestamp>,
    tried_at: Timestamp,
    next_at: Timestamp,
}

impl Freshness {
    /// Nothing was read yet.
    pub(super) fn never(now: Timestamp) -> Self {
        Self { read_at: None, tried_at: now, next_at: now }
    }

    /// Whether it is time to read, of which whoever asks takes charge: the others go on with what is known.
    pub(super) fn claims(&mut self, now: Timestamp) -> bool {
        self.claim(now >= self.next_at, now)
    }

    /// The same for a stranger.
    pub(super) fn claims_for_stranger(&mut self, now: Timestamp) -> bool {
        self.claim(now.duration_since(self.tried_at) >= BETWEEN_STRANGERS, now)
    }

    fn claim(&mut self, is_time: bool, now: Timestamp) -> bool {
        if is_time {
            self.tried_at = now;
            self.next_at = later(now, RETRY);
        }
        is_time
    }

    /// They were read. `random` is below `u32::MAX`, for jitter.
    pub(super) fn succeeded(&mut self, now: Timestamp, random: u32) {
        self.read_at = Some(now);
        self.next_at = later(now, LONGEST_KEPT - share(SPREAD, random));
    }

    /// They could not be read.
    pub(super) fn failed(&mut self, now: Timestamp, random: u32) {
        self.next_at = later(now, RETRY + share(RETRY, random));
    }

    /// Whether what is known may still be used.
    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        self.read_at.is_some_and(|read_at| now.duration_since(read_at) <= USABLE)
    }
}

fn share(of: SignedDuration, random: u32) -> SignedDuration {
    let milliseconds = of.as_millis() * i128::from(random) / i128::from(u32::MAX);
    SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or_default())
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(count: i64) -> Timestamp {
        Timestamp::from_second(count * 60).unwrap()
    }

    #[test]
    fn they_are_read_again_within_five_minutes_whatever_the_jitter() {
        for random in [0, 7, u32::MAX / 2, u32::MAX] {
            let mut freshness = Freshness::never(minutes(0));
            assert!(freshness.claims(minutes(0)));
            freshness.succeeded(minutes(0), random);
            let just_before = Timestamp::from_second(4 * 60 - 1).unwrap();
            assert!(!freshness.claims(just_before), "{random}");
            assert!(freshness.claims(minutes(5)), "{random}");
            assert!(!freshness.claims(minutes(5)), "one reads for all");
        }
    }

    #[test]
    fn a_reading_that_failed_comes_again_soon_and_what_is_known_ends_at_half_an_hour() {
        let mut freshness = Freshness::never(minutes(0));
        assert!(!freshness.is_usable(minutes(0)));
        freshness.succeeded(minutes(0), 0);
        assert!(freshness.claims(minutes(5)));
        freshness.failed(minutes(5), u32::MAX);
        assert!(!freshness.claims(Timestamp::from_second(5 * 60 + 9).unwrap()));
        assert!(freshness.claims(Timestamp::from_second(5 * 60 + 10).unwrap()));
        assert!(freshness.is_usable(minutes(30)));
        assert!(!freshness.is_usable(minutes(31)));
    }

    #[test]
    fn strangers_make_us_look_once_a_minute() {
        let mut freshness = Freshness::never(minutes(0));
        freshness.succeeded(minutes(0), 0);
        assert!(!freshness.claims_for_stranger(Timestamp::from_second(59).unwrap()));
        assert!(freshness.claims_for_stranger(minutes(1)));
        assert!(!freshness.claims_for_stranger(minutes(1)));
    }
}
