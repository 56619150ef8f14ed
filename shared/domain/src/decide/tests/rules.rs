//! Scenarios.

use super::world::{World, at, order, programme, refund_of, unlinked};
use crate::{Command, DecideError, OrderKey, OrderState, Payment};

pub(super) fn world(changes: &[(&str, &str)]) -> World {
    World::new(programme(changes), at("2026-01-01"))
}

const CLAMP: (&str, &str) = ("\"negative\"", "\"clamp\"");
pub(super) const NO_REWARD: (&str, &str) = ("automatic = true", "automatic = false");

#[test]
fn an_order_earns_what_its_goods_are_worth_rounded_once() {
    for (rounding, points) in [("floor", 28), ("half_up", 29), ("ceiling", 29)] {
        let rule = format!("points_per_unit = \"1.5\"\nrounding = \"{rounding}\"");
        let mut world = world(&[("points_per_unit = \"1\"", &rule)]);
        world.orders("1", "2026-01-02", 1900);
        assert_eq!(world.balance(), points, "{rounding}");
    }
}

#[test]
fn half_up_rounds_a_half_up_and_less_down() {
    let rule = "points_per_unit = \"1\"\nrounding = \"half_up\"";
    for (minor, points) in [(1949, 19), (1950, 20), (1951, 20), (0, 0)] {
        let mut world = world(&[("points_per_unit = \"1\"", rule)]);
        world.orders("1", "2026-01-02", minor);
        assert_eq!(world.balance(), points, "{minor}");
    }
}

#[test]
fn a_single_large_order_earns_all_its_coupons_at_once() {
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 7_718_360);
    assert_eq!(world.coupons.len(), 154);
    assert_eq!(world.balance(), 77_183 - 154 * 500);
    assert_eq!(world.profile.account.coupons_issued, 154);
    assert_eq!(world.profile.account.lifetime_points.0, 77_183);
}

#[test]
fn an_order_that_would_buy_millions_of_coupons_is_refused_before_the_first() {
    let mut world = world(&[]);
    let slip = order("1", at("2026-01-01"), 1_000_000_000_000_000);
    let refused = world.run(Command::Order { state: &slip, first_seen: true }).unwrap_err();
    assert!(matches!(refused, DecideError::TooManyCoupons { .. }));
    assert_eq!(world.coupons.len(), 0);
}

#[test]
fn more_coupons_of_an_order_or_of_a_member_and_hour_than_the_programme_means_are_refused_before_the_first() {
    // Given at most three coupons an order, and four a member and hour.
    let limits = "[limits]\ncoupons_per_order = 3\ncoupons_per_hour = 4\n[refunds]";
    let mut world = world(&[("[refunds]", limits)]);
    let too_large = order("1", world.now, 200_000);
    let refused = world.run(Command::Order { state: &too_large, first_seen: true }).unwrap_err();
    assert!(matches!(refused, DecideError::TooManyCoupons { limit: 3, .. }), "{refused}");
    // When two orders of three coupons come within an hour, the second is refused, and an hour later it is not.
    world.arrives(&order("2", world.now, 150_000));
    let second = order("3", world.now, 150_000);
    let refused = world.run(Command::Order { state: &second, first_seen: true }).unwrap_err();
    assert!(matches!(refused, DecideError::TooManyCouponsAnHour { limit: 4, .. }), "{refused}");
    assert_eq!(world.coupons.len(), 3);
    world.pass_to(world.now + std::time::Duration::from_secs(3_600));
    world.run(Command::Order { state: &second, first_seen: true }).unwrap();
    assert_eq!(world.coupons.len(), 6);
}

#[test]
fn an_unpaid_a_cancelled_and_a_test_order_earn_nothing() {
    let placed = at("2026-01-02");
    for change in [
        |snapshot: &mut crate::Snapshot| snapshot.payment = Payment::Unpaid,
        |snapshot: &mut crate::Snapshot| snapshot.cancelled = true,
        |snapshot: &mut crate::Snapshot| snapshot.test = true,
    ] {
        let mut world = world(&[]);
        world.arrives(&order("1", placed, 10_000).changed(change));
        assert_eq!((world.balance(), world.journal.len()), (0, 0));
        assert_eq!(world.expires_at(), None);
    }
}

#[test]
fn an_order_paid_in_part_earns_that_part() {
    let mut world = world(&[]);
    let placed = world.orders("1", "2026-01-02", 9_000);
    world.arrives(
        &placed.clone().changed(|order| order.payment = Payment::Partial { paid: 3_000, total: 9_000 }),
    );
    assert_eq!(world.balance(), 30);
}

#[test]
fn of_an_order_paid_in_part_refunds_leave_what_was_paid_less_what_was_given_back_or_nothing() {
    let mut world = world(&[]);
    let placed = world.orders("1", "2026-01-02", 9_000);
    let part = placed.changed(|order| order.payment = Payment::Partial { paid: 5_000, total: 10_000 });
    let less = part.refunded("r1", at("2026-01-05"), 1_000);
    world.arrives(&less);
    assert_eq!(world.balance(), 35);
    assert!(world.expires_at().is_some());
    let nothing = less.refunded("r2", at("2026-01-06"), 3_500);
    world.arrives(&nothing);
    assert_eq!((world.balance(), world.profile.account.lifetime_points.0), (0, 45));
    assert_eq!(world.profile.bookkeeping.active_at, None, "nothing of what was paid is left");
}

#[test]
fn an_order_that_turns_out_to_be_a_part_of_another_one_earns_nothing() {
    let mut world = world(&[]);
    world.orders("in_1", "2026-01-01", 4_000);
    let payment = world.orders("pi_1", "2026-01-02", 5_000);
    assert_eq!(world.balance(), 90);
    let part = OrderState { part_of: Some(OrderKey::new("shop#in_1").unwrap()), ..payment.changed(|_| ()) };
    world.arrives(&part);
    assert_eq!((world.balance(), world.profile.account.lifetime_points.0), (40, 40));
    assert_eq!(world.profile.bookkeeping.active_at, Some(at("2026-01-01")));
}

#[test]
fn an_order_in_another_currency_is_refused_with_a_reason() {
    let mut world = world(&[]);
    let foreign = order("1", at("2026-01-02"), 100).changed(|order| {
        order.currency = crate::Currency::new("USD").unwrap();
    });
    let refused = world.run(Command::Order { state: &foreign, first_seen: true }).unwrap_err();
    assert!(matches!(refused, DecideError::Currency { .. }));
    assert_eq!(
        refused.to_string(),
        "the order is in USD, but the programme Stars runs in EUR and has no earning.exchange_rates.USD"
    );
}

#[test]
fn a_refund_takes_back_what_the_order_earned_and_no_more() {
    let mut world = world(&[]);
    let first = world.orders("1", "2026-01-02", 15_000);
    let part = first.refunded("r1", at("2026-01-05"), 4_999);
    world.arrives(&part);
    assert_eq!(world.balance(), 100);
    let whole = part.refunded("r2", at("2026-01-06"), 999_900);
    world.arrives(&whole);
    world.arrives(&whole);
    assert_eq!(world.balance(), 0);
    assert_eq!(world.profile.account.lifetime_points.0, 150);
    assert_eq!(world.expires_at(), None);
}

#[test]
fn an_uncovered_refund_goes_below_zero_or_is_forgiven() {
    for (changes, balance, forgiven) in [(vec![], -100, 0), (vec![CLAMP], 0, 100)] {
        // Given 600 points, of which 500 bought a coupon that has since ended.
        let mut world = world(&changes);
        let first = world.orders("1", "2026-01-02", 60_000);
        world.pass_to(at("2026-06-01"));
        assert_eq!((world.balance(), world.live_coupons()), (100, 0));
        // When 200 of them are refunded, nothing can be voided.
        world.arrives(&first.refunded("r", world.now, 20_000));
        assert_eq!((world.balance(), world.profile.account.forgiven.0), (balance, forgiven));
    }
}

#[test]
fn unused_coupons_are_voided_newest_first_before_the_balance_goes_below_zero() {
    let mut world = world(&[]);
    world.orders("1", "2026-01-02", 50_000);
    let second = world.orders("2", "2026-01-03", 60_000);
    assert_eq!((world.balance(), world.live_coupons()), (100, 2));
    world.arrives(&second.refunded("r", world.now, 30_000));
    assert_eq!((world.balance(), world.live_coupons(), world.voided_coupons()), (300, 1, 1));
    let voided = world.coupons.iter().find(|coupon| !coupon.is_live(world.now)).unwrap();
    assert_eq!(voided.number, 1, "the newest");
    assert_eq!(world.profile.account.coupons_issued, 2);
}

#[test]
fn a_refund_that_names_no_order_takes_back_what_such_an_order_would_give() {
    let mut world =
        world(&[("status_points = { per_unit = 1 }", "status_points = { per_unit = 1, per_order = 7 }")]);
    world.orders("1", "2026-01-02", 10_050);
    assert_eq!((world.balance(), world.status()), (100, 107));
    let refund = unlinked("r", at("2026-01-03"), 4_050);
    world.pass_to(at("2026-01-03"));
    world.arrives(&refund);
    world.arrives(&refund);
    assert_eq!((world.balance(), world.status()), (60, 67));
    assert_eq!(world.profile.account.lifetime_points.0, 100);
}

#[test]
fn a_refund_without_an_order_can_be_a_members_first() {
    let mut world = world(&[]);
    world.arrives(&unlinked("r", at("2026-01-01"), 5_000));
    assert_eq!((world.balance(), world.status(), world.expires_at()), (-50, 0, None));
    world.orders("1", "2026-01-02", 12_000);
    assert_eq!((world.balance(), world.status()), (70, 70));
}

#[test]
fn a_tier_comes_up_at_once_and_goes_down_when_the_window_says_so() {
    let mut world = world(&[NO_REWARD]);
    world.orders("1", "2026-01-10", 15_000);
    assert_eq!(world.tier(), None);
    world.orders("2", "2026-02-20", 90_000);
    assert_eq!((world.status(), world.tier()), (1_050, Some("gold")));
    world.pass_to(at("2026-04-09T21:59:59Z"));
    assert_eq!(world.tier(), Some("gold"));
    // The tenth of April begins in Paris.
    world.pass_to(at("2026-04-09T22:00:00Z"));
    assert_eq!((world.status(), world.tier()), (900, Some("silver")));
    world.pass_to(at("2026-05-20"));
    assert_eq!((world.status(), world.tier()), (0, None));
}

#[test]
fn a_level_without_a_threshold_is_everybodys() {
    let mut world = world(&[NO_REWARD, ("threshold = 200", "threshold = 0")]);
    world.arrives(&order("1", at("2026-01-01"), 10_000).changed(|order| order.payment = Payment::Unpaid));
    assert_eq!(world.tier(), Some("silver"));
    world.orders("2", "2026-01-02", 100_000);
    assert_eq!(world.tier(), Some("gold"));
    world.pass_to(at("2026-06-01"));
    assert_eq!(world.tier(), Some("silver"));
}

#[test]
fn status_per_order_counts_orders_that_count_and_have_goods() {
    let mut world = world(&[("per_unit = 1", "per_order = 10")]);
    world.orders("1", "2026-01-02", 1);
    world.orders("2", "2026-01-02", 0);
    assert_eq!(world.status(), 10);
    let third = world.orders("3", "2026-01-03", 5_000);
    assert_eq!(world.status(), 20);
    let part = third.refunded("r1", world.now, 4_999);
    world.arrives(&part);
    assert_eq!(world.status(), 20);
    world.arrives(&part.refunded("r2", world.now, 1));
    assert_eq!(world.status(), 10);
}

#[test]
fn an_order_told_late_adds_status_only_if_it_still_counts() {
    let mut world = world(&[NO_REWARD]);
    world.orders("1", "2026-06-01", 30_000);
    world.arrives(&order("old", at("2026-02-01"), 90_000));
    assert_eq!((world.status(), world.balance()), (300, 1_200));
    world.arrives(&order("recent", at("2026-04-01"), 80_000));
    assert_eq!((world.status(), world.tier()), (1_100, Some("gold")));
    world.pass_to(at("2026-07-02"));
    assert_eq!((world.status(), world.tier()), (300, Some("silver")));
}

#[test]
fn cancelled_then_completed_again_ends_where_it_began() {
    let mut world = world(&[NO_REWARD]);
    let first = world.orders("1", "2026-01-02", 30_000);
    let cancelled = first.changed(|order| order.cancelled = true);
    world.arrives(&cancelled);
    assert_eq!((world.balance(), world.status(), world.tier()), (0, 0, None));
    world.arrives(&cancelled.changed(|order| order.cancelled = false));
    assert_eq!((world.balance(), world.status(), world.tier()), (300, 300, Some("silver")));
    assert_eq!(world.profile.account.lifetime_points.0, 300);
}

#[test]
fn an_older_state_delivered_after_a_newer_one_changes_nothing() {
    let mut world = world(&[]);
    let first = order("1", at("2026-01-01"), 10_000);
    let cancelled = first.clone().changed(|order| order.cancelled = true);
    world.arrives(&first);
    world.arrives(&cancelled);
    world.arrives(&first);
    assert_eq!(world.balance(), 0);
}

#[test]
fn an_order_earns_by_the_rules_of_its_day() {
    let mut world = world(&[NO_REWARD]);
    let first = world.orders("1", "2026-01-02", 10_000);
    world.pass_to(at("2026-02-01"));
    world.publish(programme(&[NO_REWARD, ("points_per_unit = \"1\"", "points_per_unit = \"3\"")]));
    world.arrives(&first.refunded("r", world.now, 5_000));
    assert_eq!(world.balance(), 50);
    world.orders("2", "2026-02-02", 1_000);
    assert_eq!(world.balance(), 80);
}

#[test]
fn a_new_window_is_added_up_anew() {
    let mut world = world(&[NO_REWARD]);
    world.orders("1", "2026-01-02", 30_000);
    world.orders("2", "2026-03-01", 5_000);
    assert_eq!((world.status(), world.tier()), (350, Some("silver")));
    world.publish(programme(&[NO_REWARD, ("\"3 months\"\n        status", "\"1 month\"\n        status")]));
    world.run(Command::Review).unwrap();
    assert_eq!((world.status(), world.tier()), (50, None));
}

#[test]
fn another_currency_earns_by_the_programmes_rate_and_is_rounded_once() {
    let rates = "points_per_unit = \"1\"\nexchange_rates = { USD = \"0.9\", JPY = \"0.0061\" }";
    for (currency, minor, points) in [("USD", 1_999, 17), ("JPY", 3_280, 20), ("EUR", 1_999, 19)] {
        let mut world = world(&[("points_per_unit = \"1\"", rates)]);
        let currency = crate::Currency::new(currency).unwrap();
        let state = order("1", world.now, minor).changed(|snapshot| snapshot.currency = currency);
        world.arrives(&state);
        assert_eq!(world.balance(), points, "{currency}");
        let mut refunded = state.refunded("r", world.now, minor);
        refunded.refunds.values_mut().for_each(|refund| refund.currency = currency);
        world.arrives(&refunded);
        assert_eq!(world.balance(), 0, "{currency}");
    }
}

#[test]
fn an_order_whose_currency_is_corrected_keeps_its_refunds_and_no_other_currencys() {
    let rates = "points_per_unit = \"1\"\nexchange_rates = { USD = \"0.5\", JPY = \"1\" }";
    let mut world = world(&[("points_per_unit = \"1\"", rates)]);
    let currency = |code| crate::Currency::new(code).unwrap();
    // Given an order of 100.00, of which 40.00 were given back, all in euros.
    let mut state = order("1", world.now, 10_000).refunded("r", world.now, 4_000);
    state.currencies_seen = [currency("EUR")].into();
    world.arrives(&state);
    assert_eq!(world.balance(), 60);
    // When they turn out to have been dollars.
    let mut state = state.changed(|snapshot| snapshot.currency = currency("USD"));
    state.currencies_seen.insert(currency("USD"));
    world.arrives(&state);
    // Then 60 dollars are left.
    assert_eq!(world.balance(), 30);
    let mut state = state.refunded("other", world.now, 1_000);
    state.refunds.values_mut().for_each(|refund| refund.currency = currency("JPY"));
    world.arrives(&state);
    assert_eq!(world.balance(), 50, "the order never was in yen");
}

#[test]
fn a_refund_without_an_order_is_brought_to_its_correction_and_an_older_delivery_posts_nothing() {
    let mut world = world(&[]);
    world.orders("1", "2026-03-01", 50_000);
    let refund = unlinked("r", at("2026-03-02"), 10_000);
    world.now = at("2026-03-03");
    world.arrives(&refund);
    assert_eq!(world.balance(), 400);
    let mut corrected = refund.clone();
    corrected.revision += 1;
    corrected.unlinked = Some(refund_of(at("2026-03-02"), 4_000));
    world.arrives(&corrected);
    assert_eq!(world.balance(), 460);
    world.arrives(&refund);
    assert_eq!(world.balance(), 460);
}
