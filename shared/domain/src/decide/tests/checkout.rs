//! Scenarios of coupons that are used at a platform's checkout.

use super::world::{World, at, order, programme};
use crate::coupon::MAX_USES;
use crate::{
    Audience, Command, Coupon, CouponCode, CouponState, OnRequest, OrderState, Reason, RequestId, RewardId,
    RewardRequest,
};

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

/// Another order that was paid with the same coupon.
fn another(id: &str, using: &OrderState) -> OrderState {
    let mut other = order(id, using.placed_at.unwrap(), 1_000);
    other.snapshot.clone_from(&using.snapshot);
    other.coupons_seen.clone_from(&using.coupons_seen);
    other
}

#[test]
fn a_coupon_is_used_as_long_as_one_order_that_stands_uses_it() {
    let ceases: [fn(&mut crate::Snapshot); 3] = [
        |snapshot| snapshot.cancelled = true,
        |snapshot| snapshot.test = true,
        |snapshot| snapshot.coupons.clear(),
    ];
    for cease in ceases {
        for first_told in [0, 1] {
            for first_ceased in [0, 1] {
                // Given two paid orders that name one coupon, told in either order.
                let (mut world, _, code) = with_a_coupon();
                let using = paid_with(&code, &world);
                let orders = [using.clone(), another("3", &using)];
                world.hears_of(&code, &orders[first_told]);
                world.hears_of(&code, &orders[1 - first_told]);
                // When one of them ceases to use it, then it is used all the same.
                world.hears_of(&code, &orders[first_ceased].clone().changed(cease));
                assert_eq!(world.state(), CouponState::Redeemed);
                // When the other one does, too, then it comes back.
                world.hears_of(&code, &orders[1 - first_ceased].clone().changed(cease));
                assert_eq!((world.state(), world.live_coupons()), (CouponState::Issued, 1));
                let posted = world.journal.iter().filter(|entry| {
                    matches!(
                        entry.kind,
                        crate::Kind::CouponRedeemed { .. } | crate::Kind::CouponReturned { .. }
                    )
                });
                assert_eq!(posted.count(), 2, "its use and its return, once each");
            }
        }
    }
}

#[test]
fn an_order_that_takes_a_coupon_up_again_counts_once() {
    let (mut world, _, code) = with_a_coupon();
    let using = paid_with(&code, &world);
    let other = another("3", &using);
    world.hears_of(&code, &using);
    world.hears_of(&code, &other);
    let cancelled = using.clone().changed(|snapshot| snapshot.cancelled = true);
    world.hears_of(&code, &cancelled);
    let again = cancelled.changed(|snapshot| snapshot.cancelled = false);
    world.hears_of(&code, &again);
    world.hears_of(&code, &other.changed(|snapshot| snapshot.cancelled = true));
    assert_eq!(world.state(), CouponState::Redeemed);
    world.hears_of(&code, &again.changed(|snapshot| snapshot.cancelled = true));
    assert_eq!(world.state(), CouponState::Issued);
}

#[test]
fn a_code_that_is_shared_in_public_remembers_a_bounded_number_of_orders() {
    let (mut world, _, code) = with_a_coupon();
    let using = paid_with(&code, &world);
    for number in 0..MAX_USES + 10 {
        let other = another(&format!("o{number}"), &using);
        world.hears_of(&code, &other);
        if number % 10 == 0 {
            world.hears_of(&code, &other.changed(|snapshot| snapshot.cancelled = true));
        }
    }
    assert_eq!(world.coupons[0].uses.len(), MAX_USES);
    assert_eq!(world.state(), CouponState::Redeemed);
}

#[test]
fn a_coupon_that_was_stored_with_its_last_use_reads_on() {
    let stored = |state: &str| {
        serde_json::json!({
            "code": "ABCD-EFGH-2345", "number": 3, "reward": "five", "points": 500,
            "issued_at": "2026-01-02T12:00:00Z", "state": state,
            "used_by": {"order": "shop#2", "revision": 4},
        })
    };
    for (state, stands) in [("redeemed", true), ("issued", false), ("voided", false)] {
        let coupon: Coupon = serde_json::from_value(stored(state)).unwrap();
        let [known] = &coupon.uses[..] else { panic!("{:?}", coupon.uses) };
        assert_eq!((known.order.as_str(), known.revision, known.stands), ("shop#2", 4, stands));
        let written = serde_json::to_value(&coupon).unwrap();
        assert_eq!(written.get("used_by"), None);
        assert_eq!(serde_json::from_value::<Coupon>(written).unwrap(), coupon);
    }
}

#[test]
fn a_coupon_that_ends_unused_is_over_once_as_of_its_end() {
    let (mut world, _, _) = with_a_coupon();
    assert!(world.profile.bookkeeping.due_at <= world.coupons[0].ends_at, "the member is due by then");
    world.pass_to(at("2026-09-01"));
    world.run(Command::Review).unwrap();
    let ends: Vec<_> = world
        .journal
        .iter()
        .filter(|entry| matches!(entry.kind, crate::Kind::CouponExpired { .. }))
        .map(|entry| (Some(entry.id.effective_at), entry.points.0))
        .collect();
    assert_eq!(ends, [(world.coupons[0].ends_at, 0)]);
    assert_eq!((world.state(), world.balance()), (CouponState::Expired, 100), "its points stay spent");
    assert_eq!(world.profile.bookkeeping.next_coupon_end, None);
}

#[test]
fn a_coupon_that_was_used_does_not_end_until_it_has_come_back() {
    let (mut world, _, code) = with_a_coupon();
    let using = paid_with(&code, &world);
    world.hears_of(&code, &using);
    world.pass_to(at("2026-09-01"));
    assert_eq!(world.state(), CouponState::Redeemed);
    world.hears_of(&code, &using.changed(|snapshot| snapshot.cancelled = true));
    assert_eq!(world.state(), CouponState::Expired, "it came back after its end");
    // And an order that the shop let use it all the same uses it.
    world.hears_of(&code, &another("3", &paid_with(&code, &world)));
    assert_eq!(world.state(), CouponState::Redeemed);
}

#[test]
fn coupons_of_before_there_was_a_date_of_their_end_are_found_at_the_next_settling() {
    let (mut world, _, _) = with_a_coupon();
    world.profile.bookkeeping.next_coupon_end = None;
    world.now = at("2026-09-01");
    world.run(Command::Review).unwrap();
    assert_eq!(world.state(), CouponState::Expired);
    // And where none has ended, the date is known from then on.
    let (mut world, _, _) = with_a_coupon();
    world.profile.bookkeeping.next_coupon_end = None;
    world.orders("2", "2026-01-03", 1_000);
    assert_eq!(world.profile.bookkeeping.next_coupon_end, world.coupons[0].ends_at);
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

fn request(reward: &str) -> RewardRequest {
    let text = |text: &str| Reason::new(text).unwrap();
    RewardRequest {
        id: RequestId::new("ticket-7").unwrap(),
        reward: RewardId::new(reward).unwrap(),
        on_request: OnRequest { by: text("support"), reason: text("a lost parcel") },
    }
}

#[test]
fn an_operator_issues_a_reward_that_is_not_automatic_for_its_points() {
    let mut world = World::new(programme(&[("automatic = true", "automatic = false")]), at("2026-01-01"));
    world.orders("1", "2026-01-02", 60_000);
    assert_eq!((world.balance(), world.live_coupons()), (600, 0));
    let asked = request("five");
    let decision = world.decide(Command::Issue { request: &asked }).unwrap();
    world.commit(&decision);
    assert_eq!((world.balance(), world.live_coupons()), (100, 1));
    // And the entry says who asked, and why, and everybody hears of it.
    let entry = world.journal.last().unwrap();
    let crate::Kind::CouponIssued { on_request, .. } = &entry.kind else { panic!("{entry:?}") };
    assert_eq!(on_request.as_ref(), Some(&asked.on_request));
    assert_eq!(
        (entry.id.cause.to_string().as_str(), entry.audience),
        ("request/ticket-7", Audience::Everybody)
    );
    assert_eq!(decision.once.unwrap().entry, entry.id, "it is posted once for ever");
    assert_eq!(world.folded(), world.profile.account);
}

#[test]
fn a_reward_that_there_is_not_or_that_the_points_do_not_reach_is_refused_with_what_there_is() {
    let mut world = World::new(programme(&[("automatic = true", "automatic = false")]), at("2026-01-01"));
    world.orders("1", "2026-01-02", 40_000);
    let mut refusal =
        |reward| world.decide(Command::Issue { request: &request(reward) }).unwrap_err().to_string();
    assert_eq!(refusal("ten"), "the programme has no reward ten; it has five");
    assert_eq!(refusal("five"), "five costs 500 points, and the member has 400 to spend");
}
