//! Scenarios of a programme that changes: each version is a moment of the calendar.

use super::rules::{NO_REWARD, world};
use super::world::{World, at, order, programme};
use crate::{Command, Kind, Programme};

const NO_EXPIRY: (&str, &str) =
    ("[expiry]\n        after_inactivity = \"12 months\"\n        reminders = [\"1 month\", \"1 week\"]", "");
const CLAMP: (&str, &str) = ("\"negative\"", "\"clamp\"");

/// Points run out after so long without an order; the longest reminder comes a month before.
fn after(validity: &str) -> Programme {
    programme(&[NO_REWARD, ("\"12 months\"", &format!("\"{validity}\""))])
}

fn on_time_and_late(mut life: World, last: &str) -> (World, World) {
    let mut late = life.clone();
    life.pass_to(at(last));
    life.run(Command::Review).unwrap();
    late.now = at(last);
    late.run(Command::Review).unwrap();
    (life, late)
}

#[test]
fn a_first_expiry_lets_nothing_run_out_before_its_longest_reminder_has_gone_by() {
    // Given points that were earned long ago, when points never ran out.
    let mut world = world(&[NO_REWARD, NO_EXPIRY]);
    world.orders("1", "2026-01-02", 10_000);
    world.pass_to(at("2028-05-10"));
    // When a version comes that lets them run out after a year without an order.
    world.publish(after("12 months"));
    world.pass_to(at("2028-06-09"));
    // Then the member is reminded, and has a month from then.
    assert_eq!((world.balance(), world.reminders()), (100, 2));
    assert_eq!(world.expires_at(), Some(at("2028-06-10")));
    world.pass_to(at("2028-06-10"));
    assert_eq!(world.balance(), 0);
    // And points that are earned from then on run out in their own time.
    world.orders("2", "2028-07-01", 10_000);
    assert_eq!(world.expires_at(), Some(at("2029-07-01")));
}

#[test]
fn a_shorter_expiry_works_forwards_only_and_an_unrelated_version_after_it_changes_nothing() {
    for (rule, shorter) in [
        ("after_inactivity", "after_inactivity"),
        ("after_earning", "after_inactivity"),
        ("after_inactivity", "after_earning"),
    ] {
        let mut world = world(&[NO_REWARD, ("after_inactivity", rule)]);
        world.orders("1", "2026-01-02", 10_000);
        world.orders("2", "2026-02-02", 10_000);
        world.pass_to(at("2026-06-10"));
        let rules = [NO_REWARD, ("after_inactivity", shorter), ("12 months", "2 months")];
        world.publish(programme(&rules));
        world.pass_to(at("2026-06-20"));
        world.publish(programme(&[&rules[..], &[("name = \"Stars\"", "name = \"Suns\"")]].concat()));
        world.pass_to(at("2026-07-09"));
        assert_eq!((world.balance(), world.expires_at()), (200, Some(at("2026-07-10"))), "{rule} {shorter}");
        world.pass_to(at("2026-07-10"));
        assert_eq!((world.balance(), world.expires_at()), (0, None), "{rule} {shorter}");
    }
}

#[test]
fn the_longest_reminder_is_the_one_that_ends_last_on_the_calendar() {
    // 31 days from the first of January, though thirty days and a month are as long at other times.
    let reminders = ("[\"1 month\", \"1 week\"]", "[\"1 month\", \"30 days\"]");
    let mut world = world(&[NO_REWARD, NO_EXPIRY]);
    world.orders("1", "2026-01-02", 10_000);
    world.pass_to(at("2029-01-01"));
    world.publish(programme(&[NO_REWARD, reminders]));
    world.run(Command::Review).unwrap();
    assert_eq!(world.expires_at(), Some(at("2029-02-01")));
}

#[test]
fn a_longer_expiry_is_in_force_at_once() {
    let mut world = world(&[NO_REWARD]);
    world.orders("1", "2026-01-02", 10_000);
    world.pass_to(at("2026-12-20"));
    world.publish(after("24 months"));
    world.pass_to(at("2027-12-01"));
    assert_eq!((world.balance(), world.expires_at()), (100, Some(at("2028-01-02"))));
}

#[test]
fn a_late_review_finds_what_one_on_time_would_have() {
    // Given two months of validity, and from June on a year of it.
    let mut world = world(&[NO_REWARD, ("12 months", "2 months"), ("[\"1 month\", ", "[")]);
    world.orders("1", "2026-01-02", 10_000);
    world.publish_from(at("2026-06-01"), after("12 months"));
    // When nobody looks until August.
    let (on_time, late) = on_time_and_late(world, "2026-08-01");
    // Then the points ran out in March all the same.
    assert_eq!((late.balance(), on_time.balance()), (0, 0));
    assert!(
        late.journal
            .iter()
            .any(|entry| entry.kind == Kind::Expired && entry.id.effective_at == at("2026-03-02"))
    );
    assert_eq!(late.profile.account, on_time.profile.account);
}

#[test]
fn whoever_joins_while_a_version_is_on_its_way_is_looked_at_when_it_comes() {
    // Given a version on its way under which a reward costs half as much.
    let mut world = world(&[]);
    world.publish_from(at("2026-03-01"), programme(&[("points = 500", "points = 250")]));
    world.profile.bookkeeping.due_at = None;
    // When somebody joins who has enough for the cheaper reward alone.
    world.arrives(&order("1", world.now, 30_000));
    assert_eq!(world.profile.bookkeeping.due_at, Some(at("2026-03-01")));
    world.pass_to(at("2026-03-01"));
    assert_eq!((world.balance(), world.live_coupons()), (50, 1));
}

#[test]
fn a_member_without_a_version_on_its_way_is_not_due_for_one() {
    let mut world = world(&[NO_REWARD, NO_EXPIRY]);
    world.publish_from(
        at("2026-03-01"),
        programme(&[NO_REWARD, NO_EXPIRY, ("name = \"Stars\"", "name = \"Suns\"")]),
    );
    world.pass_to(at("2026-03-02"));
    world.arrives(&order("1", world.now, 1));
    world.run(Command::Review).unwrap();
    assert!(world.profile.bookkeeping.due_at.is_none_or(|due_at| due_at > world.now));
}

/// Whoever leaves a level that the programme has no more falls, unless they hold a higher one since.
#[test]
fn a_removed_level_is_compared_as_it_was_when_it_was_held() {
    let without_gold = "\n\n        [[tiers.levels]]\n        id = \"gold\"\n        threshold = 1000";
    let mut world = world(&[NO_REWARD]);
    world.orders("1", "2026-01-02", 120_000);
    assert_eq!(world.tier(), Some("gold"));
    world.publish(programme(&[NO_REWARD, (without_gold, "")]));
    world.run(Command::Review).unwrap();
    assert_eq!(world.tier(), Some("silver"));
    let last = world.journal.iter().rfind(|entry| matches!(entry.kind, Kind::TierChanged { .. })).unwrap();
    assert!(matches!(last.kind, Kind::TierChanged { up: false, .. }));
}

#[test]
fn what_has_run_out_is_not_pending_and_settling_ends() {
    // Given a version that holds points back for 60 days, and an order.
    for uncovered in [("\"negative\"", "\"negative\""), CLAMP] {
        let pending = ("points_per_unit = \"1\"", "points_per_unit = \"1\"\npending_for = \"60 days\"");
        let mut world = world(&[pending, NO_EXPIRY, uncovered]);
        world.orders("1", "2026-01-02", 10_000);
        // When the next version lets points run out after a month.
        let month = (
            "\"12 months\"\n        reminders = [\"1 month\", \"1 week\"]",
            "\"1 month\"\n        reminders = [\"1 week\"]",
        );
        world.publish(programme(&[month, uncovered]));
        world.pass_to(at("2026-02-10"));
        // Then they are gone, and nothing is owed or written off.
        assert_eq!((world.balance(), world.available(), world.profile.pending().0), (0, 0, 0));
        assert_eq!(world.profile.account.forgiven.0, 0);
    }
}

#[test]
fn a_live_coupon_is_not_voided_for_points_that_ran_out_while_they_were_pending() {
    let pending = ("points_per_unit = \"1\"", "points_per_unit = \"1\"\npending_for = \"60 days\"");
    let mut world = world(&[pending, NO_EXPIRY]);
    world.orders("1", "2026-01-02", 50_000);
    world.pass_to(at("2026-03-10"));
    assert_eq!(world.live_coupons(), 1);
    world.orders("2", "2026-03-11", 10_000);
    let month = (
        "\"12 months\"\n        reminders = [\"1 month\", \"1 week\"]",
        "\"1 month\"\n        reminders = [\"1 week\"]",
    );
    world.publish(programme(&[month]));
    world.pass_to(at("2026-04-20"));
    assert_eq!((world.balance(), world.live_coupons()), (0, 1));
}
