//! The law that the order of telling does not matter: however late and shuffled it comes, the account ends as if all
//! had come in time.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::world::{World, at, order, programme, unlinked};
use crate::programme::Version;
use crate::{Cause, Command, Opening, OrderState, Points, Programme, Programmes, Reason, Timestamp};

/// Something that happens to a member, at its own moment.
#[derive(Debug, Clone)]
enum Fact {
    /// An order is placed or changed, or a refund without an order is made.
    Order(Box<OrderState>),
    Opening(i64),
    Rated(String, i64),
}

#[derive(Debug, Clone)]
struct Happening {
    at: Timestamp,
    fact: Fact,
}

#[derive(Debug, Clone)]
enum Step {
    Order { minor: i64 },
    Refund { which: Index, minor: i64 },
    Cancel { which: Index },
    Complete { which: Index },
    Unlinked { minor: i64 },
    Opening { points: i64 },
    Rate { score: i64 },
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let minor = || prop_oneof![1 => Just(0), 6 => 1_i64..90_000];
    let step = prop_oneof![
        6 => minor().prop_map(|minor| Step::Order { minor }),
        2 => (any::<Index>(), minor()).prop_map(|(which, minor)| Step::Refund { which, minor }),
        2 => any::<Index>().prop_map(|which| Step::Cancel { which }),
        1 => any::<Index>().prop_map(|which| Step::Complete { which }),
        2 => (1_i64..20_000).prop_map(|minor| Step::Unlinked { minor }),
        1 => (1_i64..500).prop_map(|points| Step::Opening { points }),
        1 => (1_i64..=5).prop_map(|score| Step::Rate { score }),
    ];
    let hours = prop_oneof![3 => 0_i64..24 * 40, 2 => 24_i64 * 40..24 * 120, 1 => 24_i64 * 300..24 * 500];
    prop::collection::vec((hours, step), 1..14)
}

/// The programme's own words about expiry, which these laws replace.
const EXPIRY: &str = r#"[expiry]
        after_inactivity = "12 months"
        reminders = ["1 month", "1 week"]"#;

/// A programme without a reward, for a coupon is bought when its points are there, and stays bought.
fn rules() -> impl Strategy<Value = Programme> {
    let validity = select(vec![
        ("after_inactivity", "12 months", "3 months"),
        ("after_inactivity", "2 months", "1 month"),
        ("after_inactivity", "1 month", "14 days"),
        ("after_earning", "12 months", "3 months"),
        ("after_earning", "2 months", "1 month"),
        ("after_earning", "1 month", "14 days"),
    ]);
    let reminders = select(vec!["[\"1 week\"]", "[\"3 weeks\", \"1 week\"]"]);
    let rating = select(vec!["", "minimum_rating = \"3.5\""]);
    let (pends, expires) = (any::<bool>(), prop::bool::weighted(0.85));
    let rules = (validity, reminders, pends, rating, expires);
    rules.prop_map(|((rule, validity, window), reminders, pends, rating, expires)| {
        let expiry = format!("[expiry]\n{rule} = \"{validity}\"\nreminders = {reminders}");
        let pending = if pends { format!("pending_for = \"{window}\"") } else { String::new() };
        programme(&[
            ("automatic = true", "automatic = false"),
            (EXPIRY, if expires { &expiry } else { "" }),
            ("points_per_unit = \"1\"", &format!("points_per_unit = \"1\"\n{pending}")),
            (
                "[[tiers.levels]]\n        id = \"silver\"",
                &format!("{rating}\n[[tiers.levels]]\n        id = \"silver\""),
            ),
        ])
    })
}

fn history(steps: &[(i64, Step)]) -> Vec<Happening> {
    let mut now = at("2026-01-31T23:15:00Z");
    let mut orders: Vec<OrderState> = Vec::new();
    let mut happenings = Vec::new();
    for (number, (hours, step)) in steps.iter().enumerate() {
        now = later(now, *hours);
        let id = number.to_string();
        let fact = match step {
            Step::Order { minor } => {
                orders.push(order(&id, now, *minor));
                Fact::Order(Box::new(orders[orders.len() - 1].clone()))
            }
            Step::Unlinked { minor } => Fact::Order(Box::new(unlinked(&id, now, *minor))),
            Step::Opening { points } => Fact::Opening(*points),
            Step::Rate { score } => Fact::Rated(id, *score),
            Step::Refund { which, .. } | Step::Cancel { which } | Step::Complete { which } => {
                if orders.is_empty() {
                    continue;
                }
                let which = which.index(orders.len());
                let before = orders[which].clone();
                orders[which] = match step {
                    Step::Refund { minor, .. } => before.refunded(&id, now, *minor),
                    Step::Cancel { .. } => before.changed(|order| order.cancelled = true),
                    _ => before.changed(|order| order.cancelled = false),
                };
                Fact::Order(Box::new(orders[which].clone()))
            }
        };
        happenings.push(Happening { at: now, fact });
    }
    happenings
}

impl World {
    fn is_told(&mut self, Happening { at, fact }: &Happening) {
        match fact {
            Fact::Order(state) => self.arrives(state),
            Fact::Rated(id, score) => self.is_rated(id, *at, &score.to_string(), &format!("rater-{id}")),
            Fact::Opening(points) => {
                if self.journal.iter().all(|entry| !matches!(entry.id.cause, Cause::Opening(_))) {
                    let reason = Reason::new("before").unwrap();
                    let opening = Opening { points: Points(*points), reason, dated: Some(*at) };
                    self.run(Command::Bring { opening: Some(&opening), at: *at }).unwrap();
                }
            }
        }
    }

    fn ends_with(&mut self, now: Timestamp) -> impl PartialEq + std::fmt::Debug + use<> {
        self.pass_to(now.max(self.now));
        self.run(Command::Review).unwrap();
        assert_eq!(self.folded(), self.profile.account);
        let expired: std::collections::BTreeMap<String, i64> = self
            .journal
            .iter()
            .filter(|entry| matches!(entry.id.cause, Cause::Expiry(_)))
            .fold(Default::default(), |mut sums, entry| {
                *sums.entry(entry.id.cause.to_string()).or_default() += entry.points.0;
                sums
            });
        let expired: Vec<_> = expired.into_iter().filter(|(_, points)| *points != 0).collect();
        let account = self.profile.account.clone();
        (account, self.available(), self.status(), self.expires_at(), expired)
    }
}

/// An order is stored before it is posted, so whoever posts it late posts it as it has become.
fn as_known_at_last(happenings: &[Happening], happening: &Happening) -> Happening {
    let Fact::Order(state) = &happening.fact else { return happening.clone() };
    let same = |other: &&Happening| matches!(&other.fact, Fact::Order(other) if other.key == state.key);
    happenings.iter().rfind(same).unwrap_or(happening).clone()
}

/// Only one opening balance is given; the first that is told would win, so there is only the first one that happened.
fn with_one_opening(mut happenings: Vec<Happening>) -> Vec<Happening> {
    let mut seen = false;
    happenings.retain(|happening| {
        !matches!(happening.fact, Fact::Opening(_)) || !std::mem::replace(&mut seen, true)
    });
    happenings
}

fn world(programmes: &Programmes, born: Timestamp) -> World {
    let mut world = World::new(programmes.newest().programme.clone(), born);
    world.programmes = programmes.clone();
    world.profile.bookkeeping.programme = programmes.at(born).number;
    world
}

fn later(at: Timestamp, hours: i64) -> Timestamp {
    at + jiff::Span::new().hours(hours)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_late_ends_as_if_it_had_come_in_time(
        first in rules(),
        second in prop::option::of((rules(), 0_i64..24 * 500)),
        steps in steps(),
        keys in prop::collection::vec((any::<u32>(), any::<bool>()), 14),
        days_after in 0_i64..800,
        born in 0_i64..24 * 400,
    ) {
        let happenings = with_one_opening(history(&steps));
        let begin = at("2026-01-31T23:15:00Z");
        let mut versions = vec![Version { number: 1, from: Timestamp::UNIX_EPOCH, programme: first }];
        if let Some((programme, hours)) = second {
            versions.push(Version { number: 2, from: later(begin, hours), programme });
        }
        let programmes = Programmes::new(versions).unwrap();
        let end = happenings.last().map_or(begin, |last| later(last.at, days_after * 24));

        let mut in_time = world(&programmes, begin);
        for happening in &happenings {
            in_time.pass_to(happening.at);
            in_time.is_told(happening);
        }
        let in_time = in_time.ends_with(end);

        // Some of it comes in time, the rest at the end, in whatever order, and all of it once more.
        let mut late = world(&programmes, later(begin, born).min(end));
        let mut rest = Vec::new();
        for (happening, (key, comes_in_time)) in happenings.iter().zip(&keys) {
            if *comes_in_time && happening.at >= late.now {
                late.pass_to(happening.at);
                late.is_told(happening);
            } else {
                rest.push((*key, happening));
            }
        }
        late.pass_to(end.max(late.now));
        rest.sort_by_key(|(key, _)| *key);
        rest.iter().for_each(|(_, happening)| late.is_told(&as_known_at_last(&happenings, happening)));
        let told = late.ends_with(end);
        prop_assert_eq!(&told, &in_time);
        happenings.iter().for_each(|happening| late.is_told(&as_known_at_last(&happenings, happening)));
        prop_assert_eq!(&late.ends_with(end), &in_time);
    }
}
