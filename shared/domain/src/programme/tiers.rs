//! Tiers: a rolling window of status points, levels to reach, and how one that is no longer reached is lost.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::LevelId;
use crate::points::Points;
use crate::rating::{RaterHistory, Score};
use crate::time::{self, Date, Period, TimeError, TimeZone, Timestamp};

/// The tiers of a programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers {
    /// How far back status points count.
    pub window: Period,
    /// Status points per order that counts and whose goods are above 0.00.
    pub per_order: Points,
    /// Status points for 1.00 of the currency.
    pub per_unit: Decimal,
    /// The rating below which a member earns but holds no tier.
    pub rating: Option<RatingRule>,
    /// How a level is lost that is no longer reached.
    pub downgrade: Downgrade,
    /// By threshold, lowest first; no two alike.
    pub levels: Vec<Level>,
}

/// One tier level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Its name in the programme.
    pub id: LevelId,
    /// What members call it.
    pub title: String,
    /// Status points that reach it; a level of 0 is everybody's.
    pub threshold: Points,
    /// What it gives while it lasts.
    pub perks: Vec<Perk>,
}

/// What a tier gives while it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perk {
    /// Its name in the programme.
    pub id: String,
    /// What members read.
    pub title: String,
}

/// Which average of ratings a tier asks for. A member whom nobody has rated yet is not below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatingRule {
    /// The least average.
    pub minimum: Score,
    /// Over which ratings.
    pub over: RatedOver,
    /// Whose ratings do not count.
    pub set_aside: Option<SetAside>,
}

/// Which ratings an average is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RatedOver {
    /// Those of the tier's window.
    Window,
    /// The newest so many.
    Last(u32),
}

/// Raters who systematically rate low, whomever they rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetAside {
    /// Those whose average lies below this,
    pub average_below: Score,
    /// once they have given so many ratings.
    pub after: u32,
}

/// How a level is lost that is no longer reached: at once, unless something here says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Downgrade {
    /// It is kept to the end of the calendar period in which it was last reached,
    pub keep_until_end_of: Option<Cycle>,
    /// and then for so long.
    pub grace: Option<Period>,
    /// Then the next lower level is held as long again, and so on down.
    pub one_level_at_a_time: bool,
}

/// A period of the calendar, which everybody is in at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// A calendar month.
    Month,
    /// January to March, and so on.
    Quarter,
    /// A calendar year.
    Year,
}

impl Tiers {
    /// The highest level that a sum reaches.
    pub fn reached(&self, sum: Points) -> Option<&Level> {
        self.of_rank(self.rank(sum))
    }

    /// How many levels a sum reaches; the highest of them is the last.
    pub fn rank(&self, sum: Points) -> usize {
        self.levels.partition_point(|level| sum >= level.threshold)
    }

    /// The highest of so many levels.
    pub(crate) fn of_rank(&self, rank: usize) -> Option<&Level> {
        self.levels.get(rank.checked_sub(1)?)
    }

    /// The lowest level that a sum does not reach.
    pub fn next_after(&self, sum: Points) -> Option<&Level> {
        self.levels.get(self.rank(sum))
    }

    /// The first instant of the window that ends on a date.
    pub(crate) fn window_start(&self, today: Date, zone: &TimeZone) -> Result<Timestamp, TimeError> {
        let first = self.window.before_date(today)?.tomorrow().map_err(|_| TimeError::OutOfRange)?;
        time::since(first, zone)
    }

    /// What is left on a date of a rank that was last reached on the day before `since`: another rank, and the date
    /// on which that one is lost too. Nothing when nothing is left.
    pub fn kept(&self, rank: usize, since: Date, on: Date) -> Result<Option<(usize, Date)>, TimeError> {
        let mut rank = rank;
        let mut until = self.downgrade.lost_on(since)?;
        while until <= on {
            rank = if self.downgrade.one_level_at_a_time { rank.saturating_sub(1) } else { 0 };
            if rank == 0 {
                return Ok(None);
            }
            until = self.downgrade.next_lost_on(until)?;
        }
        Ok(Some((rank, until)))
    }

    /// No rank that was lost before this date is kept on a date.
    pub fn keeps_from(&self, date: Date) -> Result<Date, TimeError> {
        let steps = match self.downgrade {
            Downgrade { keep_until_end_of: None, grace: None, .. } => 0,
            Downgrade { one_level_at_a_time: true, .. } => self.levels.len(),
            _ => 1,
        };
        (0..steps).try_fold(date, |date, _| self.downgrade.looks_back_from(date))
    }
}

impl Downgrade {
    /// Whether a level is lost as soon as it is no longer reached.
    pub fn is_at_once(self) -> bool {
        self == Self { one_level_at_a_time: self.one_level_at_a_time, ..Self::default() }
    }

    /// The first date without a level that was last reached on the day before `since`.
    fn lost_on(self, since: Date) -> Result<Date, TimeError> {
        let last_reached = since.yesterday().map_err(|_| TimeError::OutOfRange)?;
        self.softened(since, last_reached)
    }

    /// The first date without the next lower level, which is held from `since` on.
    fn next_lost_on(self, since: Date) -> Result<Date, TimeError> {
        self.softened(since, since)
    }

    /// From a date on, but not before the period of another date has ended, and the grace after that.
    fn softened(self, from: Date, period_of: Date) -> Result<Date, TimeError> {
        let end = self.keep_until_end_of.map_or(Ok(from), |cycle| cycle.next(period_of))?;
        self.grace.map_or(Ok(end), |grace| grace.after_date(end))
    }

    fn looks_back_from(self, date: Date) -> Result<Date, TimeError> {
        let date = self.grace.map_or(Ok(date), |grace| grace.before_date(date))?;
        let start = self.keep_until_end_of.map_or(date, |cycle| cycle.start(date));
        start.yesterday().map_err(|_| TimeError::OutOfRange)
    }
}

impl Cycle {
    fn months(self) -> i8 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        }
    }

    /// The first date of the period in which a date lies.
    fn start(self, date: Date) -> Date {
        let into = (date.month() - 1) % self.months();
        let first = date.first_of_month();
        first.with().month(first.month() - into).build().unwrap_or(first)
    }

    /// The first date of the period after the one in which a date lies.
    fn next(self, date: Date) -> Result<Date, TimeError> {
        Period::months(i64::from(self.months())).after_date(self.start(date))
    }
}

impl RatingRule {
    /// Whether a rater's ratings do not count.
    pub fn sets_aside(&self, rater: &RaterHistory) -> bool {
        self.set_aside.is_some_and(|rule| rater.ratings >= rule.after && rater.is_below(rule.average_below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_level_is_kept_to_the_end_of_the_period_in_which_it_was_last_reached() {
        for (cycle, since, lost_on) in [
            (Cycle::Month, "2026-03-15", "2026-04-01"),
            (Cycle::Month, "2026-04-01", "2026-04-01"),
            (Cycle::Quarter, "2026-05-31", "2026-07-01"),
            (Cycle::Quarter, "2026-12-31", "2027-01-01"),
            (Cycle::Year, "2026-01-02", "2027-01-01"),
            (Cycle::Year, "2026-01-01", "2026-01-01"),
        ] {
            let rule = Downgrade { keep_until_end_of: Some(cycle), ..Downgrade::default() };
            assert_eq!(rule.lost_on(date(since)), Ok(date(lost_on)), "{cycle:?} {since}");
        }
    }

    #[test]
    fn the_grace_follows_the_period() {
        let grace = Some(Period::parse("1 month").unwrap());
        let rule = Downgrade { keep_until_end_of: Some(Cycle::Year), grace, one_level_at_a_time: true };
        assert_eq!(rule.lost_on(date("2026-03-15")), Ok(date("2027-02-01")));
        assert_eq!(rule.next_lost_on(date("2027-02-01")), Ok(date("2028-02-01")));
        let rule = Downgrade { grace, ..Downgrade::default() };
        assert_eq!(rule.lost_on(date("2026-01-31")), Ok(date("2026-02-28")));
        assert_eq!(rule.next_lost_on(date("2026-02-28")), Ok(date("2026-03-28")));
    }
}
