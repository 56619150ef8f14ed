//! What the sweep asks: whether an order, or a coupon, is what it should be. The answer is what deciding would do.

use super::world::{World, at, order, programme, unlinked};
use crate::decide::{coupon_agrees, is_reconciled};
use crate::{Command, OrderState};

fn world() -> World {
    World::new(programme(&[]), at("2026-01-01"))
}

impl World {
    fn has_posted(&self, state: &OrderState) -> bool {
        is_reconciled(&self.programmes, state, &self.journal).unwrap()
    }
}

#[test]
fn an_order_is_reconciled_once_it_has_posted_what_it_is_worth() {
    let mut world = world();
    let first = order("1", world.now, 10_000);
    let refunded = first.clone().refunded("r", world.now, 4_000);
    let cancelled = refunded.clone().changed(|snapshot| snapshot.cancelled = true);
    for state in [&first, &refunded, &cancelled] {
        assert!(!world.has_posted(state));
        world.arrives(state);
        assert!(world.has_posted(state));
    }
    // An older telling asks for nothing any more; another order of the same moment was never posted.
    assert!(world.has_posted(&first));
    assert!(!world.has_posted(&order("2", world.now, 10_000)));
}

#[test]
fn what_is_worth_nothing_is_reconciled_without_a_word() {
    let world = world();
    let unpaid = order("1", world.now, 10_000).changed(|snapshot| snapshot.cancelled = true);
    let only_refunds = OrderState { snapshot: None, placed_at: None, ..unpaid.clone() };
    assert!(world.has_posted(&unpaid) && world.has_posted(&only_refunds));
}

#[test]
fn a_refund_that_names_no_order_is_reconciled_under_its_own_cause() {
    let mut world = world();
    let refund = unlinked("r", world.now, 1_000);
    assert!(!world.has_posted(&refund));
    world.arrives(&refund);
    assert!(world.has_posted(&refund));
}

#[test]
fn a_coupon_agrees_with_an_order_once_it_was_redeemed_or_given_back() {
    let mut world = world();
    world.orders("1", "2026-01-02", 60_000);
    let code = world.coupons[0].code.clone();
    let mut using = order("2", world.now, 1_000);
    using.snapshot.as_mut().unwrap().coupons.insert(code.clone());
    let cancelled = using.clone().changed(|snapshot| snapshot.cancelled = true);
    for state in [&using, &cancelled] {
        assert!(!coupon_agrees(&world.coupons[0], state));
        world.run(Command::Redeem { code: &code, state }).unwrap();
        assert!(coupon_agrees(&world.coupons[0], state));
    }
}
