//! Scenarios and laws of a merge that is taken back.

use proptest::prelude::*;

use super::merging::member;
use super::rules::NO_REWARD;
use super::world::{World, at, order};
use crate::decide::{Groups, Parting};
use crate::{Command, CouponCode, CouponState, Entry, Kind, Opening, OrderState, Points, Reason};

impl World {
    /// Takes a merge with another member back, as the shell does; `told_since` are that member's orders since the merge.
    pub(super) fn gives_back(&mut self, other: &mut World, told_since: &[OrderState]) {
        self.begins_to_give_back(other);
        told_since.iter().for_each(|order| other.arrives(order));
        self.finishes_giving_back(other);
    }

    /// The first commit of taking a merge back, which is of both.
    fn begins_to_give_back(&mut self, other: &mut World) {
        other.now = self.now;
        let closing = other.closing();
        let to = other.profile.member.clone();
        let reopen = other.decide(Command::Part(Parting::Reopen { closing: &closing })).unwrap();
        let release = self.decide(Command::Part(Parting::Release { to: &to })).unwrap();
        assert!(release.profile.bookkeeping.releasing.is_some());
        other.commit(&reopen);
        self.commit(&release);
    }

    fn finishes_giving_back(&mut self, other: &mut World) {
        let (us, to) = (self.profile.member.clone(), other.profile.member.clone());
        let merged_at = other.closing().recorded_at;
        loop {
            let groups = Groups::of_theirs(to.clone(), merged_at);
            let page = self.page(groups, self.profile.bookkeeping.merged_up_to.clone());
            self.step(Command::Part(Parting::GiveBack(&page)));
            if page.is_last {
                break;
            }
        }
        let mut coupons = self.coupons.clone();
        coupons.retain(|coupon| coupon.came_with.as_ref() == Some(&to));
        let codes: Vec<CouponCode> = coupons.iter().map(|coupon| coupon.code.clone()).collect();
        other.run(Command::Part(Parting::TakeBack(&coupons))).unwrap();
        self.run(Command::Part(Parting::LeaveCoupons(&codes))).unwrap();
        self.run(Command::Part(Parting::End { with: &to })).unwrap();
        other.run(Command::Part(Parting::End { with: &us })).unwrap();
        assert!(!self.profile.bookkeeping.is_merging() && !other.profile.bookkeeping.is_merging());
    }

    /// The entry that closed the account last.
    fn closing(&self) -> Entry {
        let closings = self.journal.iter().filter(|entry| matches!(entry.kind, Kind::MergedInto { .. }));
        closings.max_by_key(|entry| entry.sequence).unwrap().clone()
    }

    /// All that a member looks at.
    fn seen(&self) -> (i64, i64, i64, Option<&str>, Option<crate::Timestamp>, usize) {
        let lifetime = self.profile.account.lifetime_points.0;
        (self.balance(), lifetime, self.status(), self.tier(), self.expires_at(), self.live_coupons())
    }
}

#[test]
fn an_order_that_came_along_and_was_dated_anew_is_given_back_once() {
    let (mut one, mut other) = (member("A", &[NO_REWARD]), member("B", &[NO_REWARD]));
    one.orders("1", "2026-01-05", 30_000);
    let theirs = other.orders("2", "2026-01-10", 10_000);
    one.pass_to(at("2026-01-20"));
    one.receives(&mut other);
    // When an operator corrects its date, it is posted by way of the member whose it was.
    let before = theirs.placed_at.unwrap();
    let corrected = OrderState {
        revision: 2,
        placed_at: Some(at("2026-01-12")),
        formerly_placed_at: [before].into(),
        ..theirs
    };
    one.arrives_by_way_of(&other, &corrected);
    assert_eq!(one.balance(), 400);
    one.gives_back(&mut other, &[corrected]);
    assert_eq!((one.balance(), other.balance()), (300, 100));
    assert_eq!((one.status(), other.status()), (300, 100));
}

#[test]
fn both_have_again_what_they_had() {
    let (mut one, mut other) = (member("A", &[]), member("B", &[]));
    one.orders("1", "2026-01-05", 30_000);
    other.orders("2", "2026-01-10", 70_000);
    one.pass_to(other.now);
    let before = (one.clone(), other.clone());
    one.receives(&mut other);
    assert_eq!((one.live_coupons(), one.balance()), (2, 0), "together they bought another coupon");
    one.pass_to(at("2026-01-20"));
    one.gives_back(&mut other, &[]);

    assert_eq!(other.seen(), before.1.seen());
    assert_eq!(one.seen(), before.0.seen(), "what was bought together is taken back to cover the points");
    assert_eq!(one.voided_coupons(), 1);
    assert_eq!(one.folded(), one.profile.account);
    assert_eq!(other.folded(), other.profile.account);
    assert_eq!(other.profile.account.merged_into, None);
}

#[test]
fn an_order_that_came_since_goes_to_whom_it_belongs_and_so_does_its_refund() {
    let (mut one, mut other) = (member("A", &[NO_REWARD]), member("B", &[NO_REWARD]));
    one.orders("1", "2026-01-05", 30_000);
    let second = other.orders("2", "2026-01-10", 70_000);
    one.pass_to(other.now);
    one.receives(&mut other);
    let refunded = second.refunded("r", one.now, 20_000);
    one.arrives_by_way_of(&other, &refunded);
    one.pass_to(at("2026-01-20"));
    let third = order("3", one.now, 5_000);
    one.arrives_by_way_of(&other, &third);
    assert_eq!(one.balance(), 850);

    one.gives_back(&mut other, &[refunded.clone(), third.clone()]);
    assert_eq!((one.balance(), one.status()), (300, 300));
    assert_eq!((other.balance(), other.status()), (550, 550));
    other.arrives(&third.changed(|order| order.cancelled = true));
    other.arrives(&refunded);
    assert_eq!((other.balance(), one.balance()), (500, 300));
}

#[test]
fn a_coupon_goes_back_as_it_has_become() {
    let (mut one, mut other) = (member("A", &[]), member("B", &[]));
    one.orders("1", "2026-01-05", 10_000);
    other.orders("2", "2026-01-10", 50_000);
    one.pass_to(other.now);
    one.receives(&mut other);
    let code = other.coupons[0].code.clone();
    let mut used = order("3", one.now, 20_000);
    used.snapshot.as_mut().unwrap().coupons.insert(code.clone());
    used.coupons_seen.insert(code.clone());
    one.run(Command::Redeem { code: &code, state: &used }).unwrap();

    one.gives_back(&mut other, &[]);
    assert!(one.coupons.is_empty());
    assert_eq!(other.coupons[0].state, CouponState::Redeemed);
}

#[test]
fn a_coupon_taken_back_meanwhile_returns_its_points_to_whose_it_was() {
    let (mut one, mut other) = (member("A", &[]), member("B", &[]));
    one.orders("1", "2026-01-05", 1_000);
    let second = other.orders("2", "2026-01-10", 50_000);
    one.pass_to(other.now);
    one.receives(&mut other);
    let refunded = second.refunded("r", one.now, 50_000);
    one.arrives_by_way_of(&other, &refunded);
    assert_eq!((one.balance(), one.voided_coupons()), (10, 1));
    one.gives_back(&mut other, &[refunded]);
    assert_eq!((one.balance(), one.coupons.len()), (10, 0));
    assert_eq!((other.balance(), other.live_coupons()), (0, 0));
    assert_eq!((one.folded(), other.folded()), (one.profile.account.clone(), other.profile.account.clone()));
}

#[test]
fn what_a_member_brought_goes_back_with_its_date() {
    let (mut one, mut other) = (member("A", &[]), member("B", &[]));
    one.orders("1", "2026-01-05", 10_000);
    other.now = at("2026-02-01");
    let opening = Opening { points: Points(70), reason: Reason::new("before").unwrap(), dated: None };
    other.run(Command::Bring { opening: Some(&opening), at: other.now }).unwrap();
    one.pass_to(other.now);
    let before = (one.clone(), other.clone());
    one.receives(&mut other);
    assert_eq!((one.balance(), one.expires_at()), (170, before.1.expires_at()));
    one.gives_back(&mut other, &[]);
    assert_eq!((one.seen(), other.seen()), (before.0.seen(), before.1.seen()));
}

#[test]
fn what_ran_out_together_is_given_back_where_it_was_the_others() {
    let (mut one, mut other) = (member("A", &[NO_REWARD]), member("B", &[NO_REWARD]));
    one.orders("1", "2026-01-05", 10_000);
    other.orders("2", "2026-01-10", 20_000);
    one.pass_to(other.now);
    one.receives(&mut other);
    one.pass_to(at("2027-01-20"));
    one.run(Command::Review).unwrap();
    assert_eq!(one.balance(), 0);
    one.gives_back(&mut other, &[]);
    assert_eq!((one.balance(), other.balance()), (0, 0), "it ran out for either");
    assert_eq!(one.folded(), one.profile.account);
}

#[test]
fn two_who_were_parted_can_be_merged_and_parted_again() {
    let (mut one, mut other) = (member("A", &[]), member("B", &[]));
    one.orders("1", "2026-01-05", 30_000);
    other.orders("2", "2026-01-10", 12_000);
    one.pass_to(other.now);
    let before = (one.clone(), other.clone());
    for day in ["2026-01-12", "2026-01-14"] {
        one.pass_to(at(day));
        one.receives(&mut other);
        assert_eq!((one.balance(), one.status(), other.balance()), (420, 420, 0));
        one.pass_to(at(&format!("{day}T18:00:00Z")));
        one.gives_back(&mut other, &[]);
        assert_eq!((one.seen(), other.seen()), (before.0.seen(), before.1.seen()));
    }
}

#[test]
fn a_long_history_goes_back_in_steps_that_may_be_cut_off() {
    let (mut one, mut other) = (member("A", &[NO_REWARD]), member("B", &[NO_REWARD]));
    one.orders("kept", "2026-01-05", 10_000);
    for number in 0..130 {
        other.now = at("2026-01-06");
        other.arrives(&order(&number.to_string(), other.now, 1_000));
    }
    one.pass_to(other.now);
    one.receives(&mut other);
    one.begins_to_give_back(&mut other);
    let page = one.page(Groups::of_theirs(other.profile.member.clone(), one.now), None);
    assert!(!page.is_last);
    one.step(Command::Part(Parting::GiveBack(&page)));
    assert!(one.profile.bookkeeping.due_at <= Some(one.now), "a review finds the rest");
    assert!(other.profile.bookkeeping.due_at <= Some(one.now));
    one.finishes_giving_back(&mut other);
    assert_eq!((one.balance(), one.status(), other.balance()), (100, 100, 1_300));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn two_who_were_parted_are_as_if_they_had_never_been_one(
        orders in prop::collection::vec((any::<bool>(), 1_i64..24 * 20, 0_i64..90_000, prop::option::of(0_i64..90_000)), 1..14),
        merged in any::<prop::sample::Index>(),
        pending in prop::bool::ANY,
    ) {
        let pending = if pending { "points_per_unit = \"1\"\npending_for = \"14 days\"" } else { "points_per_unit = \"1\"" };
        let rules = [NO_REWARD, ("points_per_unit = \"1\"", pending)];
        let (mut one, mut other) = (member("A", &rules), member("B", &rules));
        let (mut never_one, mut never_other) = (one.clone(), other.clone());
        let merged = merged.index(orders.len());
        let mut told_since = Vec::new();
        for (number, (is_others, hours, minor, refund)) in orders.into_iter().enumerate() {
            if number == merged {
                one.receives(&mut other);
            }
            let now = one.now + jiff::Span::new().hours(hours);
            [&mut one, &mut never_one, &mut never_other].into_iter().for_each(|world| world.pass_to(now));
            let placed = order(&number.to_string(), now, minor);
            let states = refund.map(|refund| placed.clone().refunded("r", now, refund));
            for state in [placed].into_iter().chain(states) {
                if !is_others {
                    one.arrives(&state);
                    never_one.arrives(&state);
                    continue;
                }
                never_other.arrives(&state);
                if number >= merged {
                    one.arrives_by_way_of(&other, &state);
                    told_since.retain(|known: &OrderState| known.key != state.key);
                    told_since.push(state);
                } else {
                    other.pass_to(now);
                    other.arrives(&state);
                }
            }
        }
        one.gives_back(&mut other, &told_since);
        for (parted, never) in [(&mut one, &mut never_one), (&mut other, &mut never_other)] {
            parted.run(Command::Review).unwrap();
            never.run(Command::Review).unwrap();
            prop_assert_eq!(parted.seen(), never.seen());
            prop_assert_eq!(parted.available(), never.available());
            prop_assert_eq!(parted.folded(), parted.profile.account.clone());
        }
    }
}
