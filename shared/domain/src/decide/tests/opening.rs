//! Opening balances: given once, dated as told, and nothing but points.

use super::world::{World, at, order, programme};
use crate::audience::Audience;
use crate::decide::Command;
use crate::ids::MemberId;
use crate::journal::Kind;
use crate::opening::{Opening, Reason};
use crate::points::Points;
use crate::time::Timestamp;

const EARNED: (&str, &str) = ("after_inactivity = \"12 months\"", "after_earning = \"12 months\"");

fn opening(points: i64, dated: Option<&str>) -> Opening {
    let reason = Reason::new("from the old programme").unwrap();
    Opening { points: Points(points), reason, dated: dated.map(at) }
}

impl World {
    fn brings(&mut self, opening: &Opening) {
        let now = self.now;
        self.run(Command::Bring { opening: Some(opening), at: now }).unwrap();
    }
}

fn world(changes: &[(&str, &str)], now: &str) -> World {
    World::new(programme(changes), at(now))
}

fn expires_at(world: &World) -> Option<Timestamp> {
    world.expires_at()
}

#[test]
fn an_opening_balance_gives_points_and_the_reward_and_nothing_else_and_nobody_is_told() {
    let mut world = world(&[], "2026-03-02");
    let opening = opening(600, None);
    let now = world.now;
    let decision = world.decide(Command::Bring { opening: Some(&opening), at: now }).unwrap();
    assert!(decision.entries.iter().all(|entry| entry.audience < Audience::Everybody));
    assert_eq!(decision.once.as_ref().map(|once| &once.request), Some(&opening.request()));
    world.commit(&decision);
    assert_eq!((world.balance(), world.live_coupons()), (100, 1));
    assert_eq!((world.profile.account.lifetime_points, world.status()), (Points::ZERO, 0));
    assert_eq!(world.folded(), world.profile.account);
    assert!(world.journal.iter().all(|entry| entry.counts == 0 && entry.status_points.is_zero()));
    assert!(matches!(world.journal[0].kind, Kind::OpeningBalance { .. }));
}

#[test]
fn more_coupons_than_fit_one_step_are_issued_by_the_next_and_the_balance_is_given_once() {
    let mut world = world(&[], "2026-03-02");
    let opening = opening(40 * 500 + 7, None);
    let now = world.now;
    let command = Command::Bring { opening: Some(&opening), at: now };
    let first = world.decide(command).unwrap();
    assert!(!first.completed);
    world.commit(&first);
    let second = world.decide(command).unwrap();
    assert!(second.completed && second.once.is_none());
    assert!(second.entries.iter().all(|entry| entry.audience == Audience::Integrators), "of each coupon");
    world.commit(&second);
    assert_eq!((world.balance(), world.live_coupons()), (7, 40));
}

#[test]
fn after_inactivity_it_counts_as_an_order_of_its_moment() {
    // Given somebody who has nothing else, and somebody whose orders are long ago.
    let mut alone = world(&[], "2026-03-02");
    alone.brings(&opening(100, Some("2025-06-01")));
    assert_eq!((alone.balance(), expires_at(&alone)), (100, Some(at("2026-06-01"))));
    let mut returning = world(&[], "2026-03-02");
    returning.arrives(&order("1", at("2023-01-01"), 1_000));
    assert_eq!(returning.balance(), 0);
    returning.brings(&opening(100, None));
    assert_eq!((returning.balance(), expires_at(&returning)), (100, Some(at("2027-03-02"))));
    // Then a later order resets it, and without that order it counts from the balance again.
    let newer = order("2", at("2026-03-02"), 1_000);
    alone.arrives(&newer);
    assert_eq!(expires_at(&alone), Some(at("2027-03-02")));
    alone.arrives(&newer.changed(|order| order.cancelled = true));
    assert_eq!((alone.balance(), expires_at(&alone)), (100, Some(at("2026-06-01"))));
}

#[test]
fn a_balance_that_is_older_than_its_validity_is_gone_at_once() {
    for rule in [&[][..], &[EARNED][..]] {
        let mut world = world(rule, "2026-03-02");
        world.brings(&opening(100, Some("2024-12-01")));
        assert_eq!(world.balance(), 0);
    }
}

#[test]
fn after_earning_it_runs_out_a_period_after_its_moment_and_the_oldest_is_spent_first() {
    let mut world = world(&[EARNED], "2026-03-02");
    world.arrives(&order("1", at("2026-01-01"), 10_000));
    world.brings(&opening(300, Some("2025-06-01")));
    assert_eq!((world.balance(), expires_at(&world)), (400, Some(at("2026-06-01"))));
    world.pass_to(at("2026-06-02"));
    assert_eq!((world.balance(), expires_at(&world)), (100, Some(at("2027-01-01"))));
}

#[test]
fn of_two_members_who_become_one_both_balances_stay_and_run_out_on_their_own_days() {
    let mut one = world(&[EARNED], "2026-03-02");
    let mut other = one.clone();
    other.profile.member = MemberId::new("other").unwrap();
    one.brings(&opening(100, Some("2025-06-01")));
    other.brings(&opening(200, Some("2025-06-01")));
    one.receives(&mut other);
    assert_eq!((one.balance(), other.balance(), expires_at(&one)), (300, 0, Some(at("2026-06-01"))));
    assert_eq!(one.folded(), one.profile.account);
    one.pass_to(at("2026-06-02"));
    assert_eq!(one.balance(), 0);
}

#[test]
fn an_amount_beyond_all_reason_is_refused() {
    let mut world = world(&[], "2026-03-02");
    let opening = opening(i64::MAX, None);
    let now = world.now;
    assert!(world.run(Command::Bring { opening: Some(&opening), at: now }).is_err());
}
