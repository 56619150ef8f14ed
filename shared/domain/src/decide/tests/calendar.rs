//! Month ends, leap days, and the days on which the clocks change.

use super::world::{World, at, date, programme};
use crate::time::{Period, TimeZone, date_of, start_of};

fn period(text: &str) -> Period {
    Period::parse(text).unwrap()
}

#[test]
fn a_month_that_is_too_short_clamps_to_its_last_day() {
    let zone = TimeZone::UTC;
    for (start, months, end) in [
        ("2026-01-31", "1 month", "2026-02-28"),
        ("2028-01-31", "1 month", "2028-02-29"),
        ("2028-02-29", "12 months", "2029-02-28"),
        ("2027-08-31", "6 months", "2028-02-29"),
        ("2026-12-31", "2 months", "2027-02-28"),
    ] {
        assert_eq!(period(months).after(at(start), &zone).unwrap(), at(end), "{start} + {months}");
    }
}

#[test]
fn an_entry_counts_in_a_window_of_months_until_the_day_it_leaves() {
    for (entry, leaves) in [
        ("2026-11-30", "2027-03-01"),
        ("2026-11-28", "2027-02-28"),
        ("2027-11-29", "2028-02-29"),
        ("2026-02-28", "2026-05-28"),
        ("2026-01-31", "2026-05-01"),
        ("2026-12-31", "2027-03-31"),
    ] {
        let (window, entry, leaves) = (period("3 months"), date(entry), date(leaves));
        assert_eq!(window.leaves_on(entry).unwrap(), leaves, "{entry}");
        assert!(window.before_date(leaves).unwrap() >= entry);
        assert!(window.before_date(leaves.yesterday().unwrap()).unwrap() < entry);
    }
}

#[test]
fn expiry_keeps_the_clock_time_across_a_change_of_clocks() {
    // Paris: summer time begins on 2026-03-29 at 02:00 and ends on 2026-10-25 at 03:00.
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let after = |from: &str, length: &str| period(length).after(at(from), &paris).unwrap();
    assert_eq!(after("2026-02-28T09:30:00Z", "1 month"), at("2026-03-28T09:30:00Z"));
    assert_eq!(after("2026-03-15T09:30:00Z", "1 month"), at("2026-04-15T08:30:00Z"));
    // 02:30 does not exist on the day the clocks go forward: it is 03:30 then.
    assert_eq!(after("2026-03-28T01:30:00Z", "1 day"), at("2026-03-29T01:30:00Z"));
    // 02:30 exists twice on the day they go back: the first one is meant.
    assert_eq!(after("2026-10-24T00:30:00Z", "1 day"), at("2026-10-25T00:30:00Z"));
}

#[test]
fn a_day_without_midnight_begins_after_the_change() {
    // São Paulo: on 2018-11-04 the clocks went from 00:00 to 01:00.
    let sao_paulo = TimeZone::get("America/Sao_Paulo").unwrap();
    let start = start_of(date("2018-11-04"), &sao_paulo).unwrap();
    assert_eq!(start, at("2018-11-04T03:00:00Z"));
    assert_eq!(date_of(start, &sao_paulo), date("2018-11-04"));
    assert_eq!(date_of(at("2018-11-04T02:59:59Z"), &sao_paulo), date("2018-11-03"));
    // On 2018-02-18 they went back from 00:00 to 23:00: the day before had that hour twice.
    assert_eq!(start_of(date("2018-02-18"), &sao_paulo).unwrap(), at("2018-02-18T03:00:00Z"));
    assert_eq!(date_of(at("2018-02-18T02:30:00Z"), &sao_paulo), date("2018-02-17"));
}

#[test]
fn a_tier_ends_with_the_civil_day_of_the_programme() {
    for (zone, placed, last_moment, end) in [
        // In Paris the order of 23:30 on 30 November leaves at the beginning of 1 March.
        ("Europe/Paris", "2026-11-30T22:30:00Z", "2027-02-28T22:59:59Z", "2027-02-28T23:00:00Z"),
        // Placed at 00:30 of 1 December in Paris, though it is November in UTC.
        ("Europe/Paris", "2026-11-30T23:30:00Z", "2027-02-28T22:59:59Z", "2027-02-28T23:00:00Z"),
        ("America/Sao_Paulo", "2018-08-04T12:00:00Z", "2018-11-04T02:59:59Z", "2018-11-04T03:00:00Z"),
        ("UTC", "2027-11-29T12:00:00Z", "2028-02-28T23:59:59Z", "2028-02-29T00:00:00Z"),
    ] {
        let rules = programme(&[("Europe/Paris", zone), ("automatic = true", "automatic = false")]);
        let mut world = World::new(rules, at("2018-01-01"));
        world.orders("1", placed, 30_000);
        assert_eq!(world.tier(), Some("silver"));
        world.pass_to(at(last_moment));
        assert_eq!(world.tier(), Some("silver"), "{zone} {placed}");
        world.pass_to(at(end));
        assert_eq!(world.tier(), None, "{zone} {placed}");
    }
}

#[test]
fn reminders_count_back_from_the_expiry_by_the_calendar() {
    let mut world = World::new(programme(&[("automatic = true", "automatic = false")]), at("2027-01-01"));
    // Expires on 2029-02-28; a month before is 2029-01-28.
    world.orders("1", "2028-02-29", 10_000);
    world.pass_to(at("2029-01-28T11:59:59Z"));
    assert_eq!(world.reminders(), 0);
    world.pass_to(at("2029-01-28T12:00:00Z"));
    assert_eq!(world.reminders(), 1);
    world.pass_to(at("2029-02-28T12:00:00Z"));
    assert_eq!((world.reminders(), world.balance()), (2, 0));
}
