//! The law of merging: whatever three customers order, give back, use, become and cease to be, at once and cut off
//! anywhere, nothing is minted, nothing is lost and nothing is stuck; and whoever is one has what they would have had.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use domain::{CouponState, CustomerId, MemberId, Profile, SourceName};
use jiff::ToSpan as _;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngSeed, TestRunner};
use runtime::{Budget, Engine};
use store::{Consistency, DirectoryKey};
use tests::{GENERIC, Shop, programme};

const OPENS: &str = "2026-03-02T10:00:00Z";
const CUSTOMERS: usize = 3;
/// The points of the programme's automatic reward.
const REWARD: i64 = 5_000;
/// So many lives of each kind take about ten seconds.
const CASES: u32 = 16;
/// The same lives each time, so that a failure is one of the change at hand.
const SEED: u64 = 9;

/// What happens to somebody.
#[derive(Debug, Clone)]
enum Step {
    Order { customer: usize, minor: i64 },
    Refund { which: Index, percent: i64 },
    Use { customer: usize },
    Merge { from: usize, into: usize },
    Part { customer: usize },
    Pass { hours: i32 },
}

/// One step, or two at once, of which the second may be cut off when it has been polled so often.
#[derive(Debug, Clone)]
struct Moment {
    step: Step,
    at_once: Option<(Step, Option<u16>)>,
}

fn step() -> impl Strategy<Value = Step> {
    let customer = || 0..CUSTOMERS;
    prop_oneof![
        5 => (customer(), prop_oneof![100_i64..30_000, 30_000_i64..120_000, Just(1_500_000)])
            .prop_map(|(customer, minor)| Step::Order { customer, minor }),
        3 => (any::<Index>(), 1_i64..=100).prop_map(|(which, percent)| Step::Refund { which, percent }),
        1 => customer().prop_map(|customer| Step::Use { customer }),
        5 => (customer(), customer()).prop_map(|(from, into)| Step::Merge { from, into }),
        4 => customer().prop_map(|customer| Step::Part { customer }),
        1 => (1_i32..48).prop_map(|hours| Step::Pass { hours }),
    ]
}

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let cut = prop::option::of(1_u16..120);
    let at_once = prop::option::weighted(0.4, (step(), cut));
    prop::collection::vec((step(), at_once).prop_map(|(step, at_once)| Moment { step, at_once }), 3..16)
}

/// A future that is dropped when it has been polled so often: a function that dies between any two of its calls.
struct CutOff<F> {
    future: Pin<Box<F>>,
    polls: u16,
}

impl<F: Future> Future for CutOff<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.future.as_mut().poll(context).map(Some)
    }
}

struct Order {
    id: String,
    customer: usize,
    minor: i64,
    refunded: i64,
}

/// Three customers in a shop, and what they have ordered.
struct Life<'a> {
    shop: &'a Shop,
    run: u32,
    orders: Vec<Order>,
    told: u32,
}

impl Life<'_> {
    fn customer(&self, number: usize) -> String {
        format!("r{}-c{number}", self.run)
    }

    fn engine(&self) -> Engine {
        super::engine(self.shop)
    }

    async fn member(&self, customer: usize) -> Option<MemberId> {
        let id = CustomerId::new(self.customer(customer)).unwrap();
        let key = DirectoryKey::Customer(SourceName::new(GENERIC).unwrap(), id);
        self.shop.stack.store().find_member(&key, Consistency::Strong).await.unwrap()
    }

    /// Who a customer is now.
    async fn current(&self, customer: usize) -> Profile {
        let member = self.member(customer).await.unwrap();
        self.shop.stack.store().current_profile(&member, Consistency::Strong).await.unwrap().unwrap()
    }

    /// Tells the shop of orders and refunds; whatever else happens is returned, to be done at once or one by one.
    async fn tell(&mut self, step: &Step) {
        self.told += 1;
        match step {
            Step::Order { customer, minor } => {
                let id = format!("r{}-{}", self.run, self.told);
                self.shop.deliver(&self.shop.order(&id, &self.customer(*customer), *minor)).await;
                self.orders.push(Order { id, customer: *customer, minor: *minor, refunded: 0 });
            }
            Step::Refund { which, percent } if !self.orders.is_empty() => {
                let which = which.index(self.orders.len());
                let order = &mut self.orders[which];
                let minor = (order.minor - order.refunded) * percent / 100;
                order.refunded += minor;
                let refund = self.shop.refund(&format!("r{}-{}", self.run, self.told), &order.id, minor);
                self.shop.deliver(&refund).await;
            }
            Step::Use { customer } => {
                let holder = self.current(*customer).await.member;
                let coupons = self.shop.stack.store().coupons(&holder, Consistency::Strong).await.unwrap();
                let Some(coupon) = coupons.iter().find(|coupon| coupon.state == CouponState::Issued) else {
                    return;
                };
                let id = format!("r{}-{}", self.run, self.told);
                let mut order = self.shop.order(&id, &self.customer(*customer), 10_000);
                order["order"]["coupons"] = serde_json::json!([coupon.code]);
                self.shop.deliver(&order).await;
                self.orders.push(Order { id, customer: *customer, minor: 10_000, refunded: 0 });
            }
            _ => {}
        }
    }

    /// What an operator, the platform or the calendar does, beside what the shop was told.
    async fn act(&self, step: &Step) {
        let budget = Budget::until(0);
        match step {
            Step::Merge { from, into } => {
                let (from, into) = (self.member(*from).await.unwrap(), self.member(*into).await.unwrap());
                // Somebody may be in the way for too long; then it is tried again, or never.
                let _ = self.engine().merge(&from, &into, budget).await;
            }
            Step::Part { customer } => {
                let member = self.member(*customer).await.unwrap();
                let _ = self.engine().unmerge(&member, budget).await;
            }
            Step::Pass { hours } => {
                let until = self.shop.stack.clock().now() + hours.hours();
                self.shop.stack.advance_to(until).await.unwrap();
            }
            Step::Order { .. } | Step::Refund { .. } | Step::Use { .. } => self.shop.drain().await,
        }
    }

    async fn live(&mut self, moments: &[Moment]) {
        for customer in 0..CUSTOMERS {
            self.tell(&Step::Order { customer, minor: 1_000 }).await;
        }
        self.shop.drain().await;
        for Moment { step, at_once } in moments {
            self.tell(step).await;
            match at_once {
                Some((other, cut)) => {
                    self.tell(other).await;
                    let polls = cut.unwrap_or(u16::MAX);
                    let other = CutOff { future: Box::pin(self.act(other)), polls };
                    tokio::join!(self.act(step), other);
                }
                None => self.act(step).await,
            }
        }
        // Whatever was cut off is due: the next reviews finish it.
        self.shop.drain().await;
        self.act(&Step::Pass { hours: 3 }).await;
        self.act(&Step::Pass { hours: 3 }).await;
    }

    /// Holds the end against what the orders say.
    async fn check(&self, rewards: bool) {
        let mut expected: BTreeMap<MemberId, [i64; 3]> = BTreeMap::new();
        let mut open: BTreeMap<MemberId, Profile> = BTreeMap::new();
        for customer in 0..CUSTOMERS {
            let profile = self.current(customer).await;
            let sums = expected.entry(profile.member.clone()).or_default();
            for order in self.orders.iter().filter(|order| order.customer == customer) {
                let kept = order.minor - order.refunded;
                // Ten points for 1.00, ten status points for an order of which something was kept.
                let earned = [kept / 10, order.minor / 10, if kept > 0 { 10 } else { 0 }];
                sums.iter_mut().zip(earned).for_each(|(sum, earned)| *sum += earned);
            }
            open.insert(profile.member.clone(), profile);
        }
        let mut codes = BTreeSet::new();
        for (member, profile) in &open {
            let books = &profile.bookkeeping;
            assert!(books.receiving.is_none() && books.releasing.is_none(), "stuck: {profile:#?}");
            let coupons = self.shop.stack.store().coupons(member, Consistency::Strong).await.unwrap();
            for coupon in &coupons {
                assert!(codes.insert(coupon.code.clone()), "{} is two members' coupon", coupon.code);
                let found =
                    self.engine().current(&self.holder(&coupon.code).await, Consistency::Strong).await;
                let found = found.unwrap().unwrap().member;
                assert_eq!(found, *member, "the code {} leads elsewhere", coupon.code);
            }
            let [points, lifetime, status] = expected[member];
            let of = |profile: &Profile| {
                (profile.account.lifetime_points.0, profile.bookkeeping.window.sum.floored().0)
            };
            assert_eq!(of(profile), (lifetime, status), "lifetime and status points of {member}");
            if !rewards {
                assert_eq!(profile.account.balance.0, points, "balance of {member}");
            }
        }
        let mut total = 0;
        for (member, profile) in &open {
            let coupons = self.shop.stack.store().coupons(member, Consistency::Strong).await.unwrap();
            let kept = coupons.iter().filter(|coupon| coupon.state != CouponState::Voided).count();
            total += profile.account.balance.0 + REWARD * i64::try_from(kept).unwrap();
        }
        assert_eq!(total, expected.values().map(|sums| sums[0]).sum::<i64>(), "points and coupons in all");
    }

    async fn holder(&self, code: &domain::CouponCode) -> MemberId {
        let key = DirectoryKey::Coupon(code.clone());
        self.shop.stack.store().find_member(&key, Consistency::Strong).await.unwrap().unwrap()
    }
}

fn the_law_holds(rules: domain::Programme, rewards: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shop = runtime.block_on(Shop::with(OPENS, rules));
    let config = ProptestConfig {
        cases: CASES,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    };
    let run = std::cell::Cell::new(0);
    let lived = TestRunner::new(config).run(&moments(), |moments| {
        run.set(run.get() + 1);
        runtime.block_on(async {
            let mut life = Life { shop: &shop, run: run.get(), orders: Vec::new(), told: 0 };
            life.live(&moments).await;
            life.check(rewards).await;
        });
        Ok(())
    });
    lived.unwrap();
}

#[test]
fn three_who_are_merged_and_parted_in_any_order_have_what_they_would_have_had() {
    the_law_holds(programme(&[("points = 5000", "points = 900000000")]), false);
}

#[test]
fn merging_and_parting_in_any_order_mints_no_points_and_no_coupons() {
    the_law_holds(programme(&[]), true);
}
