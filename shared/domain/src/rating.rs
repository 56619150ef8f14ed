//! Ratings: what others think of a member, where a tier asks for a least average.

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::ids::{RaterId, RatingId};
use crate::points::Overflow;
use crate::time::Timestamp;

/// The highest score of any scale that we know: per cent.
const MAX_SCORE: i64 = 100;
const HUNDREDTHS: i64 = 100;

/// A score of any scale, such as 1 to 5, in hundredths: so that averages are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Score(i64);

/// Why a number is not a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from 0 to {MAX_SCORE}, with two decimals at most")]
pub struct BadScore;

impl Score {
    /// Checks a decimal.
    pub fn new(score: Decimal) -> Result<Self, BadScore> {
        let hundredths = score.checked_mul(Decimal::from(HUNDREDTHS)).ok_or(BadScore)?;
        let whole =
            hundredths.to_i64().filter(|whole| Decimal::from(*whole) == hundredths).ok_or(BadScore)?;
        if (0..=MAX_SCORE * HUNDREDTHS).contains(&whole) { Ok(Self(whole)) } else { Err(BadScore) }
    }

    /// The score in hundredths.
    pub fn hundredths(self) -> i64 {
        self.0
    }
}

impl TryFrom<Decimal> for Score {
    type Error = BadScore;
    fn try_from(score: Decimal) -> Result<Self, BadScore> {
        Self::new(score)
    }
}

impl From<Score> for Decimal {
    fn from(score: Score) -> Decimal {
        Decimal::new(score.0, 2).normalize()
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal::from(*self).fmt(f)
    }
}

/// One rating of a member, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// Its identifier; the same one told again corrects the score.
    pub id: RatingId,
    /// When it was given.
    pub rated_at: Timestamp,
    /// How good.
    pub score: Score,
    /// Who gave it.
    pub rater: Option<Rater>,
}

/// Somebody who rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rater {
    /// Who.
    pub id: RaterId,
    /// What that one has given before, to whomever.
    pub history: RaterHistory,
}

/// What a rater has given so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaterHistory {
    /// How many ratings.
    #[serde(default)]
    pub ratings: u32,
    /// Their sum, in hundredths.
    #[serde(default)]
    pub total: i64,
}

impl RaterHistory {
    /// Whether the average lies below a score.
    pub fn is_below(&self, score: Score) -> bool {
        average_is_below(self.ratings, self.total, score)
    }

    /// With one more rating.
    pub(crate) fn with(self, score: Score) -> Result<Self, Overflow> {
        let ratings = self.ratings.checked_add(1).ok_or(Overflow)?;
        Ok(Self { ratings, ..self.with_total(score.0)? })
    }

    /// With one rating corrected.
    pub(crate) fn corrected(self, from: Score, to: Score) -> Result<Self, Overflow> {
        self.with_total(to.0 - from.0)
    }

    fn with_total(self, more: i64) -> Result<Self, Overflow> {
        Ok(Self { total: self.total.checked_add(more).ok_or(Overflow)?, ..self })
    }
}

/// What a rating makes of its rater's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaterChange {
    /// Whose.
    pub rater: RaterId,
    /// As the rules saw it; a commit requires it.
    pub before: RaterHistory,
    /// With the rating.
    pub after: RaterHistory,
}

/// The ratings that a member's average is made of: bookkeeping, since the journal has them all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rated {
    /// How many.
    pub count: u32,
    /// Their sum, in hundredths.
    pub total: i64,
    /// The moment of the oldest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Rated {
    /// Whether there are ratings, and their average lies below a score.
    pub fn is_below(&self, score: Score) -> bool {
        average_is_below(self.count, self.total, score)
    }

    /// The average, where there is one.
    pub fn average(&self) -> Option<Decimal> {
        Decimal::new(self.total, 2).checked_div(Decimal::from(self.count))
    }

    /// Takes one more in.
    pub(crate) fn add(&mut self, score: Score, rated_at: Timestamp) -> Result<(), Overflow> {
        self.count = self.count.checked_add(1).ok_or(Overflow)?;
        self.total = self.total.checked_add(score.0).ok_or(Overflow)?;
        self.since = Some(self.since.map_or(rated_at, |since| since.min(rated_at)));
        Ok(())
    }
}

/// Without dividing, so that nothing is rounded.
fn average_is_below(count: u32, total: i64, score: Score) -> bool {
    count > 0 && i128::from(total) < i128::from(score.0) * i128::from(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(text: &str) -> Score {
        Score::new(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_score_has_two_decimals_and_a_bound() {
        assert_eq!(score("4.7").hundredths(), 470);
        assert_eq!(score("100").to_string(), "100");
        for bad in ["-0.01", "100.01", "4.705", "79228162514264337593543950335"] {
            assert_eq!(Score::new(bad.parse().unwrap()), Err(BadScore), "{bad}");
        }
    }

    #[test]
    fn an_average_is_compared_exactly() {
        let mut rated = Rated::default();
        assert!(!rated.is_below(score("4.7")), "nobody has rated yet");
        for stars in ["5", "5", "4.1"] {
            rated.add(score(stars), Timestamp::UNIX_EPOCH).unwrap();
        }
        assert!(!rated.is_below(score("4.7")));
        rated.add(score("4.69"), Timestamp::UNIX_EPOCH).unwrap();
        assert!(rated.is_below(score("4.7")));
        assert_eq!(rated.average().unwrap().to_string(), "4.6975");
    }
}
