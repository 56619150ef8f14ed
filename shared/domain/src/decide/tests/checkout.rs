//! Scenarios of coupons that are used at a platform's checkout.

use super::world::{World, at, order, programme};
use crate::{Command, CouponCode, CouponState, OrderState};

/// A member with one coupon for 500 points and 100 points left, and its code.
fn with_a_coupon() -> (World, OrderState, CouponCode) {
    let mut world = World::new(programme(&[]), at("2026-01-01"));
    let first = world.orders("1", "2026-01-02", 60_000);
    let code = world.coupons[0].code.clone();
    (world, first, code)
}

/// An order that was paid with a coupon, too small to earn another one.
fn paid_with(code: &CouponCode, world: &World) -> OrderState {
    let mut state = order("2", world.now, 1_000);
    state.snapshot.as_mut().unwrap().coupons.insert(code.clone());
    state.coupons_seen.insert(code.clone());
    state
}

impl World {
    fn hears_of(&mut self, code: &CouponCode, state: &OrderState) {
        self.run(Command::Redeem { code, state }).unwrap();
    }

    fn state(&self) -> CouponState {
        self.coupons[0].state
    }
}

#[test]
fn a_coupon_used_by_an_order_is_redeemed_once() {
    let (mut world, _, code) = with_a_coupon();
    let using = paid_with(&code, &world);
    world.hears_of(&code, &using);
    world.hears_of(&code, &using);
    assert_eq!((world.state(), world.balance()), (CouponState::Redeemed, 100));
    assert_eq!(world.live_coupons(), 0);
    let redemptions =
        world.journal.iter().filter(|entry| entry.id.cause.to_string().starts_with("redemption"));
    assert_eq!(redemptions.count(), 1);
}

#[test]
fn it_comes_back_when_the_order_is_cancelled_or_uses_it_no_more() {
    for change in [
        |snapshot: &mut crate::Snapshot| snapshot.cancelled = true,
        |snapshot: &mut crate::Snapshot| snapshot.coupons.clear(),
    ] {
        let (mut world, _, code) = with_a_coupon();
        let using = paid_with(&code, &world);
        world.hears_of(&code, &using);
        let given_back = using.clone().changed(change);
        world.hears_of(&code, &given_back);
        assert_eq!((world.state(), world.live_coupons()), (CouponState::Issued, 1));
        world.hears_of(&code, &using);
        assert_eq!(world.state(), CouponState::Issued, "an older telling that comes late");
        let completed = given_back.changed(|snapshot| {
            snapshot.cancelled = false;
            snapshot.coupons.insert(code.clone());
        });
        world.hears_of(&code, &completed);
        assert_eq!(world.state(), CouponState::Redeemed);
    }
}

#[test]
fn a_coupon_that_another_order_has_used_stays_with_that_one() {
    let (mut world, _, code) = with_a_coupon();
    let using = paid_with(&code, &world);
    world.hears_of(&code, &using);
    let mut other = order("3", world.now, 1_000);
    other.snapshot = using.snapshot.clone();
    world.hears_of(&code, &other);
    world.hears_of(&code, &other.changed(|snapshot| snapshot.cancelled = true));
    assert_eq!(world.state(), CouponState::Redeemed);
}

#[test]
fn a_used_coupon_covers_no_refund() {
    let (mut world, first, code) = with_a_coupon();
    let using = paid_with(&code, &world);
    world.hears_of(&code, &using);
    world.arrives(&first.refunded("r", world.now, 60_000));
    assert_eq!((world.balance(), world.voided_coupons()), (-500, 0));
}

#[test]
fn a_coupon_that_was_taken_back_and_is_used_all_the_same_costs_its_points_again() {
    let (mut world, first, code) = with_a_coupon();
    let using = paid_with(&code, &world);
    world.arrives(&first.refunded("r", world.now, 60_000));
    assert_eq!((world.state(), world.balance()), (CouponState::Voided, 0));
    world.hears_of(&code, &using);
    assert_eq!((world.state(), world.balance()), (CouponState::Redeemed, -500));
    world.hears_of(&code, &using.changed(|snapshot| snapshot.cancelled = true));
    assert_eq!((world.state(), world.balance()), (CouponState::Voided, 0), "it covers the debt again");
    assert_eq!(world.folded(), world.profile.account);
}

#[test]
fn only_what_has_the_form_of_our_codes_is_looked_for() {
    assert_eq!(CouponCode::like_ours(" qjj3-2d2s-gbjx ").unwrap().as_str(), "QJJ3-2D2S-GBJX");
    for other in ["WELCOME10", "QJJ3-2D2S-GBJ", "QJJ3-2D2S-GBJX-2345", "QJJ0-2D2S-GBJX", "", "ÄJJ3-2D2S-GBJX"]
    {
        assert_eq!(CouponCode::like_ours(other), None, "{other}");
    }
}
