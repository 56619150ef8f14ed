//! Points that wait until their order can no longer be returned.

use super::world::{World, at, order, programme};
use crate::{Command, Kind, MemberId, Programme, Timestamp};

fn pending_for(period: &str) -> Programme {
    pending_where(period, &[])
}

fn pending_where(period: &str, changes: &[(&str, &str)]) -> Programme {
    let earning = format!("points_per_unit = \"1\"\npending_for = \"{period}\"");
    let mut all = vec![("points_per_unit = \"1\"", earning.as_str())];
    all.extend(changes);
    programme(&all)
}

fn coupons_issued_at(world: &World) -> Vec<Timestamp> {
    let is_issue = |kind: &Kind| matches!(kind, Kind::CouponIssued { .. });
    world.journal.iter().filter(|entry| is_issue(&entry.kind)).map(|entry| entry.id.effective_at).collect()
}

#[test]
fn what_an_order_earns_can_be_spent_when_its_return_window_has_ended() {
    let mut world = World::new(pending_for("14 days"), at("2026-01-01"));
    world.orders("1", "2026-01-02", 10_000);
    assert_eq!((world.available(), world.profile.pending().0, world.balance()), (0, 100, 100));
    assert_eq!((world.status(), world.profile.account.lifetime_points.0), (100, 100), "these count at once");
    world.orders("2", "2026-01-15", 5_000);
    assert_eq!((world.available(), world.profile.pending().0), (0, 150));
    world.orders("3", "2026-01-16", 2_000);
    assert_eq!((world.available(), world.profile.pending().0), (100, 70), "the first one, to the minute");
}

#[test]
fn a_coupon_is_bought_when_enough_has_matured_and_whoever_waits_for_it_is_due_then() {
    let mut world = World::new(pending_for("14 days"), at("2026-01-01"));
    world.orders("1", "2026-01-02", 30_000);
    assert!(world.profile.bookkeeping.due_at > Some(at("2026-01-16")), "300 points alone buy nothing");
    world.orders("2", "2026-01-05", 30_000);
    assert_eq!(world.profile.bookkeeping.due_at, Some(at("2026-01-16")));
    world.pass_to(at("2026-01-18"));
    assert_eq!((world.available(), world.live_coupons()), (300, 0));
    world.pass_to(at("2026-01-19"));
    assert_eq!((world.available(), world.live_coupons()), (100, 1));
}

#[test]
fn a_late_review_dates_what_matured_points_bought_as_of_then() {
    let mut world = World::new(pending_for("14 days"), at("2026-01-01"));
    world.orders("1", "2026-01-02", 60_000);
    world.now = at("2027-06-01");
    world.arrives(&order("2", world.now, 1_000));
    assert_eq!(coupons_issued_at(&world), [at("2026-01-16")], "before the rest ran out");
    assert_eq!((world.available(), world.profile.pending().0), (0, 10));
}

#[test]
fn more_than_one_decision_can_buy_is_bought_before_it_runs_out() {
    let mut world = World::new(pending_for("14 days"), at("2026-01-01"));
    world.orders("1", "2026-01-02", 7_718_360);
    world.now = at("2027-06-01");
    world.run(Command::Review).unwrap();
    assert_eq!(coupons_issued_at(&world), [at("2026-01-16"); 154]);
    assert_eq!(world.available(), 0);
}

#[test]
fn a_return_takes_from_what_is_pending_and_never_from_what_can_be_spent() {
    let mut world = World::new(pending_for("14 days"), at("2026-01-01"));
    world.orders("1", "2026-01-02", 10_000);
    let second = world.orders("2", "2026-01-20", 20_000);
    assert_eq!((world.available(), world.profile.pending().0), (100, 200));
    world.arrives(&second.clone().refunded("r", world.now, 5_000));
    assert_eq!((world.available(), world.profile.pending().0), (100, 150));
    world.arrives(&second.refunded("r", world.now, 5_000).changed(|order| order.cancelled = true));
    assert_eq!((world.available(), world.profile.pending().0), (100, 0));
    world.pass_to(at("2026-03-01"));
    assert_eq!(world.available(), 100);
}

#[test]
fn what_is_pending_covers_no_debt() {
    for (uncovered, available) in [("negative", -400), ("clamp", 0)] {
        let rules = pending_where("14 days", &[("\"negative\"", &format!("\"{uncovered}\""))]);
        let mut world = World::new(rules, at("2026-01-01"));
        let first = world.orders("1", "2026-01-02", 50_000);
        world.pass_to(at("2026-01-17"));
        let code = world.coupons[0].code.clone();
        let mut used = order("2", world.now, 40_000);
        used.snapshot.as_mut().unwrap().coupons.insert(code.clone());
        used.coupons_seen.insert(code.clone());
        world.run(Command::Redeem { code: &code, state: &used }).unwrap();
        world.arrives(&used);
        world.arrives(&first.refunded("r", world.now, 40_000));
        assert_eq!((world.available(), world.profile.pending().0), (available, 400), "{uncovered}");
        world.pass_to(at("2026-02-01"));
        assert_eq!(world.profile.available().unwrap().0, available, "a profile says what it was settled to");
        world.orders("3", "2026-02-01", 0);
        assert_eq!(world.available(), available + 400, "{uncovered}");
    }
}

#[test]
fn an_order_that_is_told_after_its_return_window_can_be_spent_at_once() {
    let mut world = World::new(pending_for("14 days"), at("2026-01-01"));
    world.orders("1", "2026-03-01", 1_000);
    world.arrives(&order("2", at("2026-02-10"), 60_000));
    assert_eq!((world.available(), world.profile.pending().0, world.live_coupons()), (100, 10, 1));
}

#[test]
fn an_order_waits_as_long_as_the_programme_of_its_day_said() {
    let mut world = World::new(pending_for("14 days"), at("2026-01-01"));
    world.orders("1", "2026-01-02", 10_000);
    world.pass_to(at("2026-01-10"));
    world.publish(programme(&[]));
    world.orders("2", "2026-01-11", 5_000);
    assert_eq!((world.available(), world.profile.pending().0), (50, 100));
    world.orders("3", "2026-01-16", 0);
    assert_eq!((world.available(), world.profile.pending().0), (150, 0));
}

#[test]
fn two_members_who_become_one_keep_what_is_pending() {
    let mut one = World::new(pending_for("14 days"), at("2026-01-01"));
    let mut other = one.clone();
    other.profile.member = MemberId::new("other").unwrap();
    one.orders("1", "2026-01-02", 10_000);
    other.orders("2", "2026-01-10", 20_000);
    one.pass_to(other.now);
    one.receives(&mut other);
    assert_eq!((one.available(), one.profile.pending().0), (0, 300));
    one.orders("3", "2026-01-16", 0);
    assert_eq!((one.available(), one.profile.pending().0), (100, 200));
}

#[test]
fn points_must_mature_before_they_run_out() {
    for (period, is_fine) in [("11 months", true), ("12 months", false), ("2 years", false)] {
        let text = format!(
            "name = \"Stars\"\ncurrency = \"EUR\"\ntime_zone = \"UTC\"\n[earning]\npoints_per_unit = \"1\"\n\
             pending_for = \"{period}\"\n[expiry]\nafter_inactivity = \"12 months\""
        );
        let read = Programme::from_toml(&text);
        assert_eq!(read.is_ok(), is_fine, "{period}");
        if let Err(error) = read {
            assert!(error.to_string().starts_with("earning.pending_for: "), "{error}");
        }
    }
}
