//! Laws of merging and parting over lives with expiries, debts and coupons, and of how much one decision writes.

use proptest::prelude::*;
use proptest::sample::Index;

use super::merging::member;
use super::rules::NO_REWARD;
use super::world::{World, at, order};
use crate::decide::{Groups, Merging};
use crate::{Command, CouponState, Kind, OrderState};

/// One step of two lives.
#[derive(Debug, Clone)]
enum Step {
    Pass { hours: i64 },
    Order { others: bool, minor: i64, hours_ago: i64 },
    Refund { which: Index, percent: i64 },
    Merge,
    Part,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1_i64..24 * 40).prop_map(|hours| Step::Pass { hours }),
        5 => (any::<bool>(), 100_i64..90_000, prop_oneof![3 => Just(0), 1 => 0_i64..24 * 90])
            .prop_map(|(others, minor, hours_ago)| Step::Order { others, minor, hours_ago }),
        2 => (any::<Index>(), 1_i64..=100).prop_map(|(which, percent)| Step::Refund { which, percent }),
        2 => Just(Step::Merge),
        2 => Just(Step::Part),
    ];
    prop::collection::vec(step, 1..24)
}

/// Two members as they are, and as they would be had they never been one.
struct Pair {
    one: World,
    other: World,
    never_one: World,
    never_other: World,
    orders: Vec<(bool, OrderState)>,
    told_since: Vec<OrderState>,
}

impl Pair {
    fn new(rules: &[(&str, &str)]) -> Self {
        let (one, other) = (member("A", rules), member("B", rules));
        let (never_one, never_other) = (one.clone(), other.clone());
        Self { one, other, never_one, never_other, orders: Vec::new(), told_since: Vec::new() }
    }

    fn are_one(&self) -> bool {
        self.other.profile.account.merged_into.is_some()
    }

    fn tell(&mut self, others: bool, state: &OrderState) {
        let never = if others { &mut self.never_other } else { &mut self.never_one };
        never.arrives(state);
        match (others, self.are_one()) {
            (false, _) => self.one.arrives(state),
            (true, false) => self.other.arrives(state),
            (true, true) => {
                self.one.arrives_by_way_of(&self.other, state);
                self.told_since.retain(|known| known.key != state.key);
                self.told_since.push(state.clone());
            }
        }
    }

    fn part(&mut self) {
        if self.are_one() {
            let told_since = std::mem::take(&mut self.told_since);
            self.one.gives_back(&mut self.other, &told_since);
        }
    }

    fn live(&mut self, steps: &[Step]) {
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Pass { hours } => {
                    let until = self.one.now + jiff::Span::new().hours(*hours);
                    let Self { one, other, never_one, never_other, .. } = self;
                    [one, other, never_one, never_other].into_iter().for_each(|world| world.pass_to(until));
                }
                Step::Order { others, minor, hours_ago } => {
                    let placed_at = self.one.now - jiff::Span::new().hours(*hours_ago);
                    let placed = order(&number.to_string(), placed_at, *minor);
                    self.tell(*others, &placed);
                    self.orders.push((*others, placed));
                }
                Step::Refund { which, percent } if !self.orders.is_empty() => {
                    let which = which.index(self.orders.len());
                    let (others, state) = self.orders[which].clone();
                    let minor = state.snapshot.as_ref().unwrap().goods.amount * percent / 100;
                    let refunded = state.refunded(&number.to_string(), self.one.now, minor);
                    self.tell(others, &refunded);
                    self.orders[which].1 = refunded;
                }
                Step::Refund { .. } => {}
                Step::Merge if !self.are_one() => {
                    self.one.receives(&mut self.other);
                }
                Step::Merge => {}
                Step::Part => self.part(),
            }
        }
    }

    /// Points, and what coupons cost, of both; what was forgiven was added.
    fn worth(&self) -> i64 {
        [&self.one, &self.other]
            .into_iter()
            .filter(|world| world.profile.account.merged_into.is_none())
            .map(|world| {
                let kept = world.coupons.iter().filter(|coupon| coupon.state != CouponState::Voided).count();
                world.balance() + 500 * i64::try_from(kept).unwrap() - world.profile.account.forgiven.0
            })
            .sum()
    }
}

fn rules<'a>(validity: &'a str, uncovered: &'a str) -> [(&'a str, &'a str); 2] {
    [("after_inactivity = \"12 months\"", validity), ("\"negative\"", uncovered)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn whoever_is_parted_has_what_they_would_have_had_whatever_ran_out_meanwhile(
        steps in steps(),
        validity in prop::sample::select(vec![
            "after_inactivity = \"12 months\"", "after_inactivity = \"2 months\"",
            "after_earning = \"12 months\"", "after_earning = \"2 months\"",
        ]),
    ) {
        let [validity, _] = rules(validity, "\"negative\"");
        let mut pair = Pair::new(&[NO_REWARD, validity]);
        pair.live(&steps);
        pair.part();
        let Pair { one, other, never_one, never_other, .. } = &mut pair;
        for (parted, never) in [(one, never_one), (other, never_other)] {
            parted.run(Command::Review).unwrap();
            never.run(Command::Review).unwrap();
            prop_assert_eq!(parted.balance(), never.balance());
            prop_assert_eq!((parted.status(), parted.tier()), (never.status(), never.tier()));
            prop_assert_eq!(parted.expires_at(), never.expires_at());
            prop_assert_eq!(parted.profile.account.lifetime_points, never.profile.account.lifetime_points);
            prop_assert_eq!(parted.folded(), parted.profile.account.clone());
        }
    }

    #[test]
    fn merging_and_parting_mints_nothing_also_where_debts_are_forgiven(
        steps in steps(),
        uncovered in prop::sample::select(vec!["\"negative\"", "\"clamp\""]),
    ) {
        // Nothing runs out.
        let mut pair = Pair::new(&rules("after_inactivity = \"100 years\"", uncovered));
        pair.live(&steps);
        let expected = |world: &World| world.posted_by_orders().0.0;
        prop_assert_eq!(pair.worth(), expected(&pair.never_one) + expected(&pair.never_other));
        pair.part();
        prop_assert_eq!(pair.worth(), expected(&pair.never_one) + expected(&pair.never_other));
        for world in [&pair.one, &pair.other] {
            prop_assert_eq!(world.folded(), world.profile.account.clone());
        }
    }
}

#[test]
fn a_settling_that_posts_more_than_one_commit_takes_is_done_in_several() {
    // Each order runs out by itself, and the tier changes on the way; nobody has looked for years.
    let rules = [
        NO_REWARD,
        ("after_inactivity = \"12 months\"", "after_earning = \"10 days\""),
        ("[\"1 month\", \"1 week\"]", "[\"1 week\"]"),
    ];
    let (mut one, mut other) = (member("A", &rules), member("B", &rules));
    for world in [&mut one, &mut other] {
        for n in 0..150 {
            let placed_at = world.now + jiff::Span::new().hours(24 * 11 * n);
            let state = order(&format!("{}-{n}", world.profile.member), placed_at, 30_000);
            let step = Command::Order { state: &state, first_seen: false };
            world.step(step);
        }
    }
    let end = at("2031-01-01");
    (one.now, other.now) = (end, end);
    one.receives(&mut other);
    assert_eq!((one.balance(), one.folded()), (0, one.profile.account.clone()));
    one.gives_back(&mut other, &[]);
    assert_eq!((one.balance(), other.balance()), (0, 0));
    let expired = |world: &World| {
        let of_expiry = world.journal.iter().filter(|entry| entry.kind == Kind::Expired);
        of_expiry.map(|entry| entry.points.0).sum::<i64>()
    };
    assert_eq!(expired(&other), -150 * 300);
}

#[test]
fn a_page_that_was_carried_over_is_not_carried_over_again() {
    let (mut one, mut other) = (member("A", &[NO_REWARD]), member("B", &[NO_REWARD]));
    for n in 0..60 {
        other.orders(&n.to_string(), "2026-01-10", 1_000);
    }
    one.pass_to(other.now);
    one.begins_to_receive(&mut other);
    let page = other.page(Groups::of_all(), None);
    for _ in 0..2 {
        one.step(Command::Merge(Merging::CarryOver(&page)));
        assert_eq!(one.balance(), 400);
    }
    one.finishes_receiving(&other);
    assert_eq!(one.balance(), 600);
}
