//! Scenarios and laws of two members who turn out to be one.

use proptest::prelude::*;

use super::rules::NO_REWARD;
use super::world::{World, at, order, programme};
use crate::decide::{Groups, Merging, Page, STEP};
use crate::{Command, CouponState, OrderState, Posting};

pub(super) fn member(name: &str, changes: &[(&str, &str)]) -> World {
    World::new(programme(changes), at("2026-01-01")).named(name)
}

impl World {
    /// Carries another member over to this one, as the shell does, and tells in how many steps.
    pub(super) fn receives(&mut self, other: &mut World) -> usize {
        self.begins_to_receive(other);
        self.finishes_receiving(other)
    }

    /// The first commit of a merge, which is of both.
    pub(super) fn begins_to_receive(&mut self, other: &mut World) {
        let (into, from) = (self.profile.member.clone(), other.profile.member.clone());
        other.now = self.now;
        loop {
            let close = other.decide(Command::Merge(Merging::Close { into: &into })).unwrap();
            if close.profile.account.merged_into.is_some() {
                let receive = self.decide(Command::Merge(Merging::Receive { from: &from })).unwrap();
                assert!(receive.profile.bookkeeping.receiving.is_some());
                other.commit(&close);
                self.commit(&receive);
                return;
            }
            other.commit(&close);
        }
    }

    pub(super) fn finishes_receiving(&mut self, other: &World) -> usize {
        let mut steps = 0;
        let mut coupons = other.coupons.clone();
        coupons.sort_by_key(|coupon| coupon.number);
        while let Some(receiving) = self.profile.bookkeeping.receiving.clone() {
            steps += 1;
            match receiving.coupons {
                None => {
                    let page = other.page(Groups::of_all(), self.profile.bookkeeping.merged_up_to.clone());
                    self.step(Command::Merge(Merging::CarryOver(&page)));
                }
                Some(_) => self.step(Command::Merge(Merging::CarryCoupons(&coupons))),
            }
        }
        self.run(Command::Review).unwrap();
        steps
    }

    /// One commit.
    pub(super) fn step(&mut self, command: Command<'_>) {
        let decision = self.decide(command).unwrap();
        self.commit(&decision);
    }

    /// The next page of the journal, as the store reads it.
    pub(super) fn page(&self, mut groups: Groups, after: Option<Posting>) -> Page {
        let mut journal: Vec<_> = self.journal.iter().collect();
        journal.sort_by_key(|entry| &entry.id);
        let mut all = Vec::new();
        for entry in journal {
            if after.as_ref().is_none_or(|after| entry.id.posting() > *after) {
                all.extend(groups.take(entry).unwrap());
            }
        }
        all.extend(groups.finish());
        let is_last = all.len() <= STEP;
        all.truncate(STEP);
        Page { after, groups: all, is_last }
    }
}

#[test]
fn balance_status_coupons_and_lifetime_points_become_one() {
    let (mut one, mut other) = (member("A", &[]), member("B", &[]));
    one.orders("1", "2026-01-05", 30_000);
    other.orders("2", "2026-01-10", 70_000);
    one.pass_to(at("2026-01-20"));
    assert_eq!((other.balance(), other.coupons.len()), (200, 1));

    one.receives(&mut other);
    // 300 and 200 make another coupon.
    assert_eq!((one.balance(), one.profile.account.lifetime_points.0), (0, 1_000));
    assert_eq!((one.status(), one.tier()), (1_000, Some("gold")));
    assert_eq!(one.live_coupons(), 2);
    let numbers: std::collections::BTreeSet<_> = one.coupons.iter().map(|coupon| coupon.number).collect();
    assert_eq!(numbers, [0, 1].into());
    assert_eq!(one.folded(), one.profile.account);
    assert_eq!((other.balance(), other.tier(), other.profile.account.lifetime_points.0), (0, None, 0));
    assert_eq!(other.profile.account.merged_into, Some(one.profile.member.clone()));
    assert_eq!(other.profile.bookkeeping.due_at, None);
    assert_eq!(other.folded(), other.profile.account);
}

#[test]
fn a_refund_of_an_order_that_came_along_takes_back_what_it_earned() {
    let (mut one, mut other) = (member("A", &[NO_REWARD]), member("B", &[NO_REWARD]));
    one.orders("1", "2026-01-05", 30_000);
    let theirs = other.orders("2", "2026-01-10", 20_000);
    one.pass_to(at("2026-01-20"));
    one.receives(&mut other);
    one.arrives(&theirs);
    assert_eq!(one.balance(), 500, "told again, it is known");
    one.arrives(&theirs.refunded("r", one.now, 5_000));
    assert_eq!((one.balance(), one.status()), (450, 450));
}

#[test]
fn an_order_that_is_told_while_the_merge_is_under_way_counts_once() {
    let (mut one, mut other) = (member("A", &[NO_REWARD]), member("B", &[NO_REWARD]));
    let theirs = other.orders("2", "2026-01-10", 20_000);
    one.pass_to(at("2026-01-20"));
    one.begins_to_receive(&mut other);
    one.arrives_by_way_of(&other, &theirs.refunded("r", one.now, 5_000));
    one.finishes_receiving(&other);
    assert_eq!(one.balance(), 150);
}

#[test]
fn a_coupon_that_came_along_is_used_and_taken_back_like_any_other() {
    let (mut one, mut other) = (member("A", &[]), member("B", &[]));
    let theirs = other.orders("2", "2026-01-10", 50_000);
    one.pass_to(at("2026-01-20"));
    one.receives(&mut other);
    one.arrives(&theirs.refunded("r", one.now, 50_000));
    assert_eq!((one.balance(), one.coupons[0].state), (0, CouponState::Voided));
}

#[test]
fn what_ran_out_before_the_merge_stays_so_and_a_refund_finds_it() {
    let (mut one, mut other) = (member("A", &[NO_REWARD]), member("B", &[NO_REWARD]));
    let theirs = other.orders("2", "2026-01-10", 20_000);
    one.pass_to(at("2027-02-01"));
    other.pass_to(one.now);
    assert_eq!(other.balance(), 0);
    one.receives(&mut other);
    one.arrives(&theirs.refunded("r", one.now, 5_000));
    assert_eq!(one.balance(), 0, "it had run out");
}

#[test]
fn an_account_that_is_closed_or_being_merged_is_neither_closed_nor_received_into() {
    let (mut one, mut other, mut third) = (member("A", &[]), member("B", &[]), member("C", &[]));
    other.orders("2", "2026-01-10", 20_000);
    (one.now, third.now) = (other.now, other.now);
    one.begins_to_receive(&mut other);
    let ids = [&one, &other, &third].map(|world| world.profile.member.clone());
    for busy in [&mut one, &mut other] {
        let before = busy.profile.account.merged_into.clone();
        let close = busy.decide(Command::Merge(Merging::Close { into: &ids[2] })).unwrap();
        assert_eq!(close.profile.account.merged_into, before);
        let receive = busy.decide(Command::Merge(Merging::Receive { from: &ids[2] })).unwrap();
        assert_eq!(receive.profile.bookkeeping.receiving, busy.profile.bookkeeping.receiving);
    }
    one.finishes_receiving(&other);
    assert_eq!((one.balance(), one.folded()), (200, one.profile.account.clone()));
}

#[test]
fn the_longest_history_takes_several_steps() {
    let (mut one, mut other) = (member("A", &[]), member("B", &[]));
    for n in 0..130 {
        other.orders(&n.to_string(), "2026-01-10", 40_000);
    }
    one.pass_to(at("2026-01-20"));
    assert!(one.receives(&mut other) > 3);
    assert_eq!(one.profile.account.lifetime_points.0, 130 * 400);
    assert_eq!(one.profile.account.coupons_issued, 104);
    assert_eq!((one.coupons.len(), one.balance()), (104, 0));
    assert_eq!(one.folded(), one.profile.account);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    /// Orders by either of the two, in any order: whoever is merged when, everything ends as if they had been one.
    #[test]
    fn two_who_are_merged_end_as_if_they_had_always_been_one(
        orders in prop::collection::vec((any::<bool>(), 0_i64..60, 0_i64..90_000, 0_i64..90_000), 1..14),
        merge_after in 0_usize..14,
        validity in prop::sample::select(vec!["after_inactivity = \"12 months\"", "after_earning = \"12 months\""]),
        uncovered in prop::sample::select(vec!["negative", "clamp"]),
    ) {
        let rules = [NO_REWARD, ("after_inactivity = \"12 months\"", validity), ("\"negative\"", &format!("\"{uncovered}\""))];
        let (mut one, mut other, mut both) = (member("A", &rules), member("B", &rules), member("C", &rules));
        let now = at("2026-06-15");
        let states: Vec<(bool, OrderState)> = orders
            .iter()
            .enumerate()
            .map(|(n, (by_other, days, minor, _))| {
                (*by_other, order(&n.to_string(), now - jiff::Span::new().hours(24 * days), *minor))
            })
            .collect();
        for world in [&mut one, &mut other, &mut both] {
            world.now = now;
        }
        let mut merged = false;
        for (n, (by_other, state)) in states.iter().enumerate() {
            if n == merge_after {
                one.receives(&mut other);
                merged = true;
            }
            both.arrives(state);
            match (*by_other, merged) {
                (true, false) => other.arrives(state),
                (true, true) => one.arrives_by_way_of(&other, state),
                (false, _) => one.arrives(state),
            }
        }
        if !merged {
            one.receives(&mut other);
        }
        // Refunds, once they are one: a debt is forgiven in the same moments.
        for ((_, state), (.., refund)) in states.iter().zip(&orders) {
            let refunded = state.clone().refunded("r", now, *refund);
            both.arrives(&refunded);
            one.arrives(&refunded);
        }
        prop_assert_eq!(one.balance(), both.balance());
        prop_assert_eq!(one.posted_by_orders(), both.posted_by_orders());
        prop_assert_eq!((one.status(), one.tier()), (both.status(), both.tier()));
        prop_assert_eq!(one.expires_at(), both.expires_at());
        prop_assert_eq!(one.folded(), one.profile.account.clone());
    }
}
