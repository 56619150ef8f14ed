//! Scenarios of tiers: the softer downgrades, and the minimum rating.

use super::world::{World, at, programme};
use crate::{Command, Programme};

const LEVELS: &str = "[[tiers.levels]]\n        id = \"silver\"";

/// No rewards; silver from 200 status points, gold from 1,000, in three months; and what else the tiers say.
fn rules(tiers: &str) -> Programme {
    programme(&[("automatic = true", "automatic = false"), (LEVELS, &format!("{tiers}\n\n{LEVELS}"))])
}

fn world(tiers: &str) -> World {
    World::new(rules(tiers), at("2026-01-01"))
}

/// The tier on each of some days, as reviews leave it.
fn tiers_on<'a>(world: &mut World, days: &[&'a str]) -> Vec<(&'a str, Option<String>)> {
    let tier = |day: &&'a str| {
        world.pass_to(at(day));
        (*day, world.tier().map(str::to_owned))
    };
    days.iter().map(tier).collect()
}

fn expected<'a>(tiers: &[(&'a str, &str)]) -> Vec<(&'a str, Option<String>)> {
    tiers.iter().map(|(day, tier)| (*day, (*tier != "none").then(|| (*tier).to_owned()))).collect()
}

#[test]
fn without_a_word_about_it_a_tier_ends_with_the_window() {
    let mut world = world("");
    world.orders("1", "2026-01-15", 100_000);
    let seen = tiers_on(&mut world, &["2026-01-15", "2026-04-14", "2026-04-15"]);
    assert_eq!(seen, expected(&[("2026-01-15", "gold"), ("2026-04-14", "gold"), ("2026-04-15", "none")]));
}

#[test]
fn a_grace_period_begins_when_the_window_no_longer_reaches_the_level() {
    let mut world = world("downgrade = { grace = \"1 month\" }");
    world.orders("1", "2026-01-15", 100_000);
    let seen = tiers_on(&mut world, &["2026-04-15", "2026-05-14", "2026-05-15"]);
    assert_eq!(seen, expected(&[("2026-04-15", "gold"), ("2026-05-14", "gold"), ("2026-05-15", "none")]));
}

#[test]
fn whoever_reaches_the_level_again_within_the_grace_never_lost_it() {
    let mut world = world("downgrade = { grace = \"1 month\" }");
    world.orders("1", "2026-01-15", 100_000);
    world.orders("2", "2026-05-01", 100_000);
    let seen = tiers_on(&mut world, &["2026-07-31", "2026-08-31", "2026-09-01"]);
    assert_eq!(seen, expected(&[("2026-07-31", "gold"), ("2026-08-31", "gold"), ("2026-09-01", "none")]));
    assert_eq!(
        world.journal.iter().filter(|entry| entry.id.cause.to_string().starts_with("tier")).count(),
        2
    );
}

#[test]
fn a_level_is_kept_to_the_end_of_the_year() {
    let mut world = world("downgrade = { keep_until_end_of = \"year\" }");
    world.orders("1", "2026-01-15", 100_000);
    let seen = tiers_on(&mut world, &["2026-12-31", "2027-01-01"]);
    assert_eq!(seen, expected(&[("2026-12-31", "gold"), ("2027-01-01", "none")]));
}

#[test]
fn one_level_at_a_time_the_next_lower_one_is_held_as_long() {
    let mut world = world("downgrade = { grace = \"2 weeks\", one_level_at_a_time = true }");
    world.orders("1", "2026-01-15", 100_000);
    let seen = tiers_on(&mut world, &["2026-04-28", "2026-04-29", "2026-05-12", "2026-05-13"]);
    let steps =
        [("2026-04-28", "gold"), ("2026-04-29", "silver"), ("2026-05-12", "silver"), ("2026-05-13", "none")];
    assert_eq!(seen, expected(&steps));
}

#[test]
fn a_refund_takes_at_once_what_its_order_had_reached() {
    let mut world = world("downgrade = { keep_until_end_of = \"year\" }");
    world.orders("1", "2026-01-15", 30_000);
    let large = world.orders("2", "2026-02-01", 100_000);
    assert_eq!(world.tier(), Some("gold"));
    world.pass_to(at("2026-02-10"));
    world.arrives(&large.refunded("r", world.now, 100_000));
    assert_eq!(world.tier(), Some("silver"), "the first order reached silver, and still does");
    world.pass_to(at("2026-12-31"));
    assert_eq!(world.tier(), Some("silver"));
}

#[test]
fn an_order_told_late_counts_for_the_days_on_which_it_would_have() {
    let mut world = world("downgrade = { grace = \"1 month\" }");
    world.orders("1", "2026-01-15", 10_000);
    world.pass_to(at("2026-05-01"));
    let late = super::world::order("2", at("2026-01-20"), 100_000);
    world.arrives(&late);
    assert_eq!(world.tier(), Some("gold"), "reached until 19 April, and kept for a month");
    world.pass_to(at("2026-05-20"));
    assert_eq!(world.tier(), None);
}

#[test]
fn below_the_minimum_rating_a_member_earns_but_holds_no_tier() {
    let mut world = world("minimum_rating = \"4.7\"");
    world.orders("1", "2026-01-15", 100_000);
    assert_eq!(world.tier(), Some("gold"), "nobody has rated yet");
    world.is_rated("a", at("2026-01-16"), "4.6", "r1");
    assert_eq!((world.tier(), world.balance()), (None, 1_000));
    world.orders("2", "2026-01-20", 10_000);
    assert_eq!((world.tier(), world.balance(), world.status()), (None, 1_100, 1_100));
    world.is_rated("b", at("2026-01-20"), "4.8", "r2");
    assert_eq!(world.tier(), Some("gold"));
}

#[test]
fn a_softer_downgrade_does_not_soften_the_minimum_rating() {
    let mut world = world("minimum_rating = \"4.7\"\ndowngrade = { keep_until_end_of = \"year\" }");
    world.orders("1", "2026-01-15", 100_000);
    world.is_rated("a", at("2026-01-16"), "1", "r1");
    assert_eq!(world.tier(), None);
}

#[test]
fn the_same_rating_told_again_counts_once_and_another_score_corrects_it() {
    let mut world = world("minimum_rating = \"4\"");
    world.orders("1", "2026-01-15", 100_000);
    for _ in 0..2 {
        world.is_rated("a", at("2026-01-16"), "2", "r1");
    }
    assert_eq!(world.profile.bookkeeping.rated.as_ref().unwrap().count, 1);
    assert_eq!(world.tier(), None);
    world.is_rated("a", at("2026-01-16"), "5", "r1");
    let rated = world.profile.bookkeeping.rated.clone().unwrap();
    assert_eq!((rated.count, rated.total), (1, 500));
    assert_eq!(world.tier(), Some("gold"));
    let history = world.raters.values().next().unwrap();
    assert_eq!((history.ratings, history.total), (1, 500));
}

#[test]
fn a_rating_counts_as_long_as_it_lies_in_the_window() {
    let mut world = world("minimum_rating = \"4\"");
    world.orders("1", "2026-01-15", 100_000);
    world.is_rated("a", at("2026-01-10"), "1", "r1");
    world.is_rated("b", at("2026-01-15"), "5", "r2");
    assert_eq!(world.tier(), None);
    let seen = tiers_on(&mut world, &["2026-04-09", "2026-04-10", "2026-04-15"]);
    assert_eq!(seen, expected(&[("2026-04-09", "none"), ("2026-04-10", "gold"), ("2026-04-15", "none")]));
    assert_eq!(world.profile.bookkeeping.rated.as_ref().unwrap().count, 0);
    world.is_rated("c", at("2026-01-11"), "1", "r1");
    assert_eq!(world.profile.bookkeeping.rated.as_ref().unwrap().count, 0, "too old when it came");
}

#[test]
fn the_average_of_the_newest_ratings_knows_no_window() {
    let mut world = world("minimum_rating = \"4\"\nratings = { last = 2 }");
    world.orders("1", "2026-01-15", 100_000);
    world.is_rated("a", at("2026-01-10"), "1", "r1");
    world.is_rated("b", at("2026-01-12"), "5", "r1");
    assert_eq!(world.tier(), None);
    world.is_rated("c", at("2026-01-11"), "4", "r1");
    let rated = world.profile.bookkeeping.rated.clone().unwrap();
    assert_eq!((rated.count, rated.total, rated.since), (2, 900, Some(at("2026-01-11"))));
    assert_eq!(world.tier(), Some("gold"));
    world.is_rated("a", at("2026-01-10"), "2", "r1");
    assert_eq!(world.profile.bookkeeping.rated, Some(rated), "a correction of what no longer counts");
}

#[test]
fn ratings_by_whoever_systematically_rates_low_are_set_aside() {
    let aside = "ratings = { set_aside = { average_below = \"2\", after = 3 } }";
    let mut world = world(&format!("minimum_rating = \"4\"\n{aside}"));
    world.orders("1", "2026-01-15", 100_000);
    for (id, rater) in [("a", "grumpy"), ("b", "grumpy"), ("c", "grumpy")] {
        world.is_rated(id, at("2026-01-16"), "1", rater);
    }
    world.is_rated("d", at("2026-01-16"), "1", "grumpy");
    world.is_rated("e", at("2026-01-16"), "1", "fair");
    let rated = world.profile.bookkeeping.rated.as_ref().unwrap();
    assert_eq!((rated.count, rated.total), (4, 400), "three before it was plain, and the fair one");
    assert_eq!(world.raters.values().map(|history| history.ratings).sum::<u32>(), 5);
}

#[test]
fn another_rule_counts_the_ratings_anew() {
    let mut world = world("minimum_rating = \"4\"\nratings = { last = 1 }");
    world.orders("1", "2026-01-15", 100_000);
    world.is_rated("a", at("2026-01-10"), "1", "r1");
    world.is_rated("b", at("2026-01-12"), "5", "r1");
    assert_eq!(world.tier(), Some("gold"));
    world.publish(rules("minimum_rating = \"4\"\nratings = { last = 10 }"));
    world.run(Command::Review).unwrap();
    assert_eq!(world.tier(), None);
    world.publish(rules(""));
    world.run(Command::Review).unwrap();
    assert_eq!(world.tier(), Some("gold"));
    world.publish(rules("minimum_rating = \"4\""));
    world.run(Command::Review).unwrap();
    assert_eq!(world.tier(), None, "nothing was forgotten meanwhile");
}
