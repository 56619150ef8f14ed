//! Scenarios of points that run out, under either rule, and of the reminders before.

use super::rules::{NO_REWARD, world};
use super::world::{at, order, programme, refund_of, unlinked};
use crate::decide::MAX_WRITES_PER_DECISION;
use crate::{Command, Refund, RefundId, RefundKind};

#[test]
fn each_order_that_counts_resets_the_expiry_also_one_of_nothing() {
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 10_000);
    assert_eq!(world.expires_at(), Some(at("2027-01-02")));
    world.orders("2", "2026-05-31", 0);
    assert_eq!(world.expires_at(), Some(at("2027-05-31T12:00:00Z")));
    world.pass_to(at("2027-05-31T11:59:59Z"));
    assert_eq!(world.balance(), 100);
    world.pass_to(at("2027-05-31T12:00:00Z"));
    assert_eq!((world.balance(), world.expires_at()), (0, None));
}

/// Of goods that cost nothing nothing is given back, whatever money is: the customer has them still.
#[test]
fn an_order_of_free_goods_still_counts_when_only_its_shipping_is_given_back() {
    let shipping = |kind| Refund { kind, ..refund_of(at("2026-03-02"), 490) };
    for refund in [shipping(RefundKind::SoFar), shipping(RefundKind::Money), refund_of(at("2026-03-02"), 0)] {
        let mut world = world(&[]);
        world.orders("1", "2026-01-02", 10_000);
        let mut free = world.orders("2", "2026-03-01", 0);
        free.revision += 1;
        free.refunds.insert(RefundId::new("r").unwrap(), refund);
        world.arrives(&free);
        assert_eq!((world.balance(), world.expires_at()), (100, Some(at("2027-03-01"))));
    }
}

#[test]
fn an_order_at_the_very_instant_of_expiry_starts_from_nothing() {
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 10_000);
    // The order arrives before the review of that instant.
    world.pass_to(at("2027-01-02T11:00:00Z"));
    world.now = at("2027-01-02T12:00:00Z");
    world.arrives(&order("2", world.now, 700));
    assert_eq!(world.balance(), 7);
    assert_eq!(world.expires_at(), Some(at("2028-01-02")));
}

#[test]
fn a_refund_does_not_reset_the_expiry_and_an_order_refunded_to_nothing_no_longer_does() {
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 10_000);
    let second = world.orders("2", "2026-06-02", 5_000);
    world.pass_to(at("2026-07-01"));
    let part = second.refunded("r1", world.now, 2_000);
    world.arrives(&part);
    assert_eq!(world.expires_at(), Some(at("2027-06-02")));
    world.arrives(&part.refunded("r2", world.now, 3_000));
    assert_eq!((world.balance(), world.expires_at()), (100, Some(at("2027-01-02T12:00:00Z"))));
}

#[test]
fn points_whose_date_has_passed_expire_at_once() {
    // Given an order of January, and one of June that kept its points alive.
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 10_000);
    let second = world.orders("2", "2026-06-02", 5_000);
    // When the second is refunded to nothing after the first one's year.
    world.pass_to(at("2027-02-01"));
    world.arrives(&second.refunded("r", world.now, 5_000));
    assert_eq!(world.balance(), 0);
}

#[test]
fn a_refund_after_an_expiry_takes_back_as_much_of_it() {
    let mut world = world(&[]);
    let first = world.orders("1", "2026-01-02", 10_000);
    world.pass_to(at("2027-03-01"));
    assert_eq!(world.balance(), 0);
    let part = first.refunded("r1", world.now, 4_000);
    world.arrives(&part);
    assert_eq!(world.balance(), 0);
    let whole = part.refunded("r2", world.now, 6_000);
    world.arrives(&whole);
    world.arrives(&whole);
    assert_eq!(world.balance(), 0);
    let expired: i64 =
        world.journal.iter().filter(|entry| entry.kind == crate::Kind::Expired).map(|e| e.points.0).sum();
    assert_eq!(expired, 0);
}

#[test]
fn a_refund_takes_back_no_more_of_an_expiry_than_it_took() {
    // Given 600 points: 500 bought a coupon (ended since), 100 expired.
    let mut world = world(&[]);
    let first = world.orders("1", "2026-01-02", 60_000);
    world.pass_to(at("2027-03-01"));
    assert_eq!(world.balance(), 0);
    world.arrives(&first.refunded("r", world.now, 60_000));
    assert_eq!(world.balance(), -500);
}

#[test]
fn an_order_that_arrives_late_takes_the_expiry_back() {
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 10_000);
    world.pass_to(at("2027-03-01"));
    assert_eq!(world.balance(), 0);
    // Placed before the expiry, told after it.
    world.arrives(&order("late", at("2026-12-01"), 2_000));
    assert_eq!((world.balance(), world.expires_at()), (120, Some(at("2027-12-01"))));
}

#[test]
fn an_order_that_arrives_late_runs_out_with_what_it_would_have_run_out_with() {
    // Given an expiry of January's order, then a new order.
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 10_000);
    world.orders("2", "2027-02-01", 5_000);
    assert_eq!(world.balance(), 50);
    // When an order from before the first one is told, its points ran out together with the first one's.
    world.arrives(&order("late", at("2026-01-01"), 3_000));
    assert_eq!(world.balance(), 50);
    // When an order is told that bridges the gap, nothing ran out.
    world.arrives(&order("bridge", at("2026-12-01"), 3_000));
    assert_eq!(world.balance(), 50 + 30 + 100 + 30);
}

#[test]
fn under_expiry_after_earning_each_orders_points_run_out_by_themselves() {
    let mut world = world(&[("after_inactivity", "after_earning")]);
    world.orders("1", "2026-01-02", 10_000);
    world.orders("2", "2026-06-02", 5_000);
    assert_eq!(world.expires_at(), Some(at("2027-01-02")));
    world.pass_to(at("2027-01-02"));
    assert_eq!((world.balance(), world.expires_at()), (50, Some(at("2027-06-02"))));
    assert_eq!(world.reminders(), 2);
    world.pass_to(at("2027-06-02"));
    assert_eq!((world.balance(), world.expires_at()), (0, None));
}

#[test]
fn under_expiry_after_earning_what_was_spent_took_the_oldest_points() {
    let mut world = world(&[("after_inactivity", "after_earning")]);
    world.orders("1", "2026-01-02", 30_000);
    world.orders("2", "2026-03-02", 40_000);
    // 500 of 700 bought a coupon: all of the first order's and 200 of the second's.
    assert_eq!((world.balance(), world.expires_at()), (200, Some(at("2027-03-02"))));
    // A refund without an order counts as spent.
    world.pass_to(at("2026-07-02"));
    world.arrives(&unlinked("r", world.now, 15_000));
    assert_eq!((world.balance(), world.expires_at()), (50, Some(at("2027-03-02"))));
    world.pass_to(at("2027-03-02"));
    assert_eq!(world.balance(), 0);
}

#[test]
fn under_expiry_after_earning_a_refund_after_the_expiry_takes_it_back() {
    let mut world = world(&[("after_inactivity", "after_earning")]);
    let first = world.orders("1", "2026-01-02", 10_000);
    world.orders("2", "2026-12-02", 5_000);
    world.pass_to(at("2027-02-01"));
    assert_eq!(world.balance(), 50);
    let refunded = first.refunded("r", world.now, 10_000);
    world.arrives(&refunded);
    world.arrives(&refunded);
    assert_eq!((world.balance(), world.expires_at()), (50, Some(at("2027-12-02"))));
}

#[test]
fn under_expiry_after_earning_a_voided_coupon_was_never_bought() {
    let mut world = world(&[
        ("after_inactivity", "after_earning"),
        ("\"12 months\"", "\"2 months\""),
        ("[\"1 month\", ", "["),
    ]);
    world.orders("1", "2026-01-02", 40_000);
    let second = world.orders("2", "2026-02-20", 20_000);
    assert_eq!((world.balance(), world.live_coupons()), (100, 1));
    // The coupon comes back after the first order's points would have run out, so they are gone at once.
    world.pass_to(at("2026-03-10"));
    world.arrives(&second.refunded("r", world.now, 20_000));
    assert_eq!((world.balance(), world.voided_coupons()), (0, 1));
}

#[test]
fn a_change_of_the_rule_of_expiry_counts_anew() {
    let mut world = world(&[("after_inactivity", "after_earning"), NO_REWARD]);
    world.orders("1", "2026-01-02", 10_000);
    let second = world.orders("2", "2026-06-02", 5_000);
    world.publish(programme(&[NO_REWARD]));
    world.run(Command::Review).unwrap();
    assert_eq!(world.expires_at(), Some(at("2027-06-02")));
    world.arrives(&second.refunded("r", world.now, 5_000));
    assert_eq!((world.balance(), world.expires_at()), (100, Some(at("2027-01-02"))));
}

#[test]
fn a_negative_balance_does_not_expire() {
    let mut world = world(&[]);
    let first = world.orders("1", "2026-01-02", 60_000);
    world.pass_to(at("2026-06-01"));
    world.arrives(&first.refunded("r", world.now, 60_000));
    assert_eq!((world.balance(), world.expires_at()), (-500, None));
    world.pass_to(at("2029-01-01"));
    assert_eq!(world.balance(), -500);
}

#[test]
fn one_reminder_per_step_and_a_later_order_starts_the_series_again() {
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 10_000);
    world.pass_to(at("2026-12-10"));
    assert_eq!(world.reminders(), 1);
    world.orders("2", "2026-12-20", 1_000);
    world.pass_to(at("2027-12-21"));
    assert_eq!(world.reminders(), 3);
    assert_eq!(world.balance(), 0);
}

#[test]
fn after_an_outage_only_the_newest_reminder_is_sent() {
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 10_000);
    world.now = at("2026-12-30");
    world.run(Command::Review).unwrap();
    world.run(Command::Review).unwrap();
    assert_eq!(world.reminders(), 1);
}

#[test]
fn an_order_told_late_gives_back_every_expiry_that_would_not_have_been() {
    // Given two expiries: of the first order's points, and of the second one's.
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 10_000);
    world.orders("2", "2027-02-01", 5_000);
    world.pass_to(at("2028-03-01"));
    assert_eq!(world.balance(), 0);
    // When orders are told that bridge both gaps, nothing ran out.
    world.arrives(&order("late 1", at("2026-12-01"), 1_000));
    assert_eq!(world.balance(), 0);
    world.arrives(&order("late 2", at("2028-01-15"), 2_000));
    assert_eq!((world.balance(), world.expires_at()), (180, Some(at("2029-01-15"))));
}

#[test]
fn an_import_of_the_past_lets_run_out_what_would_have_though_no_expiry_was_ever_posted() {
    // Given a shop that was connected last month.
    let mut world = world(&[]);
    world.orders("now", "2026-06-01", 5_000);
    // When its past is imported: a purchase years ago, and nothing for long after it.
    world.arrives(&order("old", at("2023-01-01"), 30_000));
    assert_eq!(world.balance(), 50);
    world.arrives(&order("recent", at("2025-09-01"), 1_000));
    assert_eq!((world.balance(), world.expires_at()), (60, Some(at("2027-06-01"))));
}

#[test]
fn a_refund_without_an_order_that_is_told_after_an_expiry_leaves_no_debt() {
    for rule in ["after_inactivity", "after_earning"] {
        let mut world = world(&[("after_inactivity", rule)]);
        world.orders("1", "2026-01-02", 10_000);
        world.pass_to(at("2027-03-01"));
        assert_eq!(world.balance(), 0);
        world.arrives(&unlinked("r", at("2026-05-01"), 4_000));
        assert_eq!(world.balance(), 0, "{rule}");
    }
}

#[test]
fn when_an_order_between_two_others_stops_counting_the_expiry_is_where_it_would_have_been() {
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 500);
    let between = world.orders("2", "2026-12-01", 200);
    world.orders("3", "2027-06-01", 100);
    assert_eq!(world.balance(), 8);
    world.arrives(&between.changed(|order| order.cancelled = true));
    assert_eq!((world.balance(), world.expires_at()), (1, Some(at("2028-06-01"))));
}

#[test]
fn more_expiries_than_one_decision_posts_are_put_right_by_the_next() {
    // Given an order a day, each of which ran out by itself.
    let mut world = world(&[NO_REWARD, ("after_inactivity", "after_earning"), ("12 months", "2 months")]);
    for day in 0..200 {
        let placed_at = at("2026-01-02") + jiff::Span::new().hours(24 * day);
        world.pass_to(placed_at);
        world.arrives(&order(&day.to_string(), placed_at, 500));
    }
    world.pass_to(at("2027-01-01"));
    assert_eq!(world.balance(), 0);
    // When a refund is told that took all of them before they ran out.
    let refund = unlinked("r", at("2026-03-01T13:00:00Z"), 200 * 500);
    let decision = world.decide(Command::Order { state: &refund, first_seen: true }).unwrap();
    assert!(!decision.completed && decision.writes() <= MAX_WRITES_PER_DECISION);
    world.commit(&decision);
    world.run(Command::Review).unwrap();
    // Then it took what was there, and of later orders' points what they could give.
    world.arrives(&refund);
    assert_eq!(world.balance(), 0);
    assert_eq!(world.folded(), world.profile.account);
}
