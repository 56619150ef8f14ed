//! What the profile keeps, told the long way: from the whole journal, day by day, without any bookkeeping.

use super::world::World;
use crate::Kind;
use crate::programme::{Cycle, RatedOver, Tiers};
use crate::time::{Date, date_of};

/// The tier, told the long way: every day on which a level was reached gives it until it is lost.
pub(super) fn tier_by_the_journal(world: &World) -> Option<&str> {
    let programme = &world.programmes.newest().programme;
    let tiers = programme.tiers.as_ref().unwrap();
    let ratings = ratings_by_the_journal(world).unwrap_or_default();
    let minimum = tiers.rating.as_ref().map_or(0, |rule| rule.minimum.hundredths());
    if ratings.iter().sum::<i64>() < minimum * i64::try_from(ratings.len()).unwrap() {
        return None;
    }
    let today = world.profile.bookkeeping.window.on;
    let status: Vec<_> = world
        .journal
        .iter()
        .map(|entry| (date_of(entry.id.effective_at, &programme.time_zone), entry.status_points.0))
        .filter(|(_, points)| *points != 0)
        .collect();
    let mut best = 0;
    // Two levels, each lost within a year and a month after the one above.
    let mut day = today - jiff::Span::new().days(3 * 366);
    while day <= today {
        let first = tiers.window.before_date(day).unwrap();
        let sum: i64 =
            status.iter().filter(|(date, _)| first < *date && *date <= day).map(|(_, points)| points).sum();
        let reached = tiers.levels.iter().filter(|level| level.threshold.0 <= sum.max(0)).count();
        best = best.max(what_is_left(tiers, reached, day, today));
        day = day.tomorrow().unwrap();
    }
    best.checked_sub(1).map(|index| tiers.levels[index].id.as_str())
}

/// How many levels are left today to somebody who reached so many for the last time on a day.
fn what_is_left(tiers: &Tiers, reached: usize, day: Date, today: Date) -> usize {
    let rule = &tiers.downgrade;
    let after = |end: Date| rule.grace.map_or(end, |grace| grace.after_date(end).unwrap());
    let end_of_period = |day: Date| match rule.keep_until_end_of.unwrap() {
        Cycle::Month => day.last_of_month(),
        Cycle::Quarter => unreachable!("not among the programmes"),
        Cycle::Year => day.last_of_year(),
    };
    let keeps = rule.keep_until_end_of.is_some();
    let mut left = reached;
    let mut lost = after(if keeps { end_of_period(day) } else { day }.tomorrow().unwrap());
    if day == today {
        return reached;
    }
    while lost <= today && left > 0 {
        left = if rule.one_level_at_a_time { left - 1 } else { 0 };
        lost = after(if keeps { end_of_period(lost).tomorrow().unwrap() } else { lost });
        if rule.is_at_once() {
            break;
        }
    }
    left
}

/// The scores that count, in hundredths; nothing where the programme asks for none.
pub(super) fn ratings_by_the_journal(world: &World) -> Option<Vec<i64>> {
    let programme = &world.programmes.newest().programme;
    let tiers = programme.tiers.as_ref().unwrap();
    let rule = tiers.rating.as_ref()?;
    let first = tiers.window.before_date(world.profile.bookkeeping.window.on).unwrap();
    let mut ratings: Vec<_> = world
        .journal
        .iter()
        .filter_map(|entry| match entry.kind {
            Kind::Rated { score, set_aside: false, .. } => {
                Some((entry.id.effective_at, entry.id.cause.to_string(), score.hundredths()))
            }
            _ => None,
        })
        .filter(|(at, ..)| rule.over != RatedOver::Window || date_of(*at, &programme.time_zone) > first)
        .collect();
    ratings.sort();
    if let RatedOver::Last(most) = rule.over {
        ratings.drain(..ratings.len().saturating_sub(most as usize));
    }
    Some(ratings.into_iter().map(|(.., score)| score).collect())
}
