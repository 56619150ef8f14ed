//! Laws, as properties over generated lives of a member.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::long_way::{ratings_by_the_journal, tier_by_the_journal};
use super::world::{World, at, entropy, order, programme, unlinked};
use crate::time::Timestamp;
use crate::{
    Cause, Command, Entry, Kind, Known, Opening, OrderState, Outcome, Payment, Points, Programme, Reason,
};

/// One step of a life.
#[derive(Debug, Clone)]
enum Step {
    Pass { hours: i64 },
    Order { minor: i64, placed_hours_ago: i64 },
    Refund { which: Index, minor: i64 },
    Unlinked { minor: i64 },
    Cancel { which: Index },
    Complete { which: Index },
    Redeliver { which: Index },
    Rate { score: i64, rater: u8, hours_ago: i64 },
    Opening { points: i64, hours_ago: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let minor = prop_oneof![Just(0), 1_i64..3_000, 3_000_i64..120_000, Just(7_718_360)];
    let step = prop_oneof![
        4 => (1_i64..24 * 70).prop_map(|hours| Step::Pass { hours }),
        1 => (24_i64 * 300..24 * 500).prop_map(|hours| Step::Pass { hours }),
        5 => (minor.clone(), prop_oneof![3 => Just(0), 1 => 0_i64..24 * 400])
            .prop_map(|(minor, placed_hours_ago)| Step::Order { minor, placed_hours_ago }),
        2 => (any::<Index>(), minor.clone()).prop_map(|(which, minor)| Step::Refund { which, minor }),
        1 => minor.prop_map(|minor| Step::Unlinked { minor }),
        1 => any::<Index>().prop_map(|which| Step::Cancel { which }),
        1 => any::<Index>().prop_map(|which| Step::Complete { which }),
        1 => any::<Index>().prop_map(|which| Step::Redeliver { which }),
        1 => (1_i64..=5, 0_u8..3, prop_oneof![Just(0), 0_i64..24 * 200])
            .prop_map(|(score, rater, hours_ago)| Step::Rate { score, rater, hours_ago }),
        1 => (1_i64..3_000, prop_oneof![Just(0), 0_i64..24 * 400])
            .prop_map(|(points, hours_ago)| Step::Opening { points, hours_ago }),
    ];
    prop::collection::vec(step, 1..25)
}

fn programmes() -> impl Strategy<Value = Programme> {
    let zone = select(vec!["UTC", "Europe/Paris", "America/Sao_Paulo"]);
    let window = select(vec!["3 months", "90 days", "1 week"]);
    let validity = select(vec![
        "after_inactivity = \"12 months\"",
        "after_inactivity = \"2 months\"",
        "after_earning = \"12 months\"",
        "after_earning = \"2 months\"",
    ]);
    let uncovered = select(vec!["negative", "clamp"]);
    let status = select(vec!["per_unit = 1", "per_order = 120", "per_unit = 1, per_order = 10"]);
    let downgrade = select(vec![
        "",
        "downgrade = { grace = \"1 month\" }",
        "downgrade = { grace = \"10 days\", one_level_at_a_time = true }",
        "downgrade = { keep_until_end_of = \"month\" }",
        "downgrade = { keep_until_end_of = \"year\", grace = \"1 month\", one_level_at_a_time = true }",
    ]);
    let rating = select(vec![
        "",
        "minimum_rating = \"3.5\"",
        "minimum_rating = \"3.5\"\nratings = { last = 3, set_aside = { average_below = \"2.5\", after = 2 } }",
    ]);
    let pending = select(vec!["", "pending_for = \"14 days\"", "pending_for = \"1 month\""]);
    let rules = (zone, window, validity, uncovered, status, downgrade, rating, pending);
    rules.prop_map(|(zone, window, validity, uncovered, status, downgrade, rating, pending)| {
        let levels = "[[tiers.levels]]\n        id = \"silver\"";
        programme(&[
            (levels, &format!("{downgrade}\n{rating}\n{levels}")),
            ("Europe/Paris", zone),
            ("points_per_unit = \"1\"", &format!("points_per_unit = \"1\"\n{pending}")),
            ("\"3 months\"\n        status", &format!("\"{window}\"\n        status")),
            ("after_inactivity = \"12 months\"", validity),
            ("\"negative\"", &format!("\"{uncovered}\"")),
            ("per_unit = 1", status),
        ])
    })
}

/// Lives a life, and hands every state of the member to `check`.
fn live(programme: Programme, steps: &[Step], mut check: impl FnMut(&mut World)) -> World {
    let mut world = World::new(programme, at("2026-01-31T23:15:00Z"));
    let mut orders: Vec<OrderState> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Pass { hours } => world.pass_to(later(world.now, *hours)),
            Step::Order { minor, placed_hours_ago } => {
                orders.push(order(&number.to_string(), later(world.now, -placed_hours_ago), *minor));
                world.arrives(orders.last().unwrap());
            }
            Step::Unlinked { minor } => {
                orders.push(unlinked(&number.to_string(), world.now, *minor));
                world.arrives(orders.last().unwrap());
            }
            Step::Rate { score, rater, hours_ago } => {
                let rated_at = later(world.now, -hours_ago);
                world.is_rated(&number.to_string(), rated_at, &score.to_string(), &format!("rater-{rater}"));
            }
            Step::Opening { points, hours_ago } => {
                if world.journal.iter().all(|entry| !matches!(entry.id.cause, Cause::Opening(_))) {
                    let reason = Reason::new("before").unwrap();
                    let opening = Opening { points: Points(*points), reason, dated: None };
                    let at = later(world.now, -hours_ago);
                    world.run(Command::Bring { opening: Some(&opening), at }).unwrap();
                }
            }
            _ if orders.is_empty() => {}
            Step::Redeliver { which } => world.arrives(&orders[which.index(orders.len())]),
            Step::Refund { which, .. } | Step::Cancel { which } | Step::Complete { which } => {
                let which = which.index(orders.len());
                if orders[which].unlinked.is_none() {
                    let changed = change(orders[which].clone(), step, number, world.now);
                    world.arrives(&changed);
                    orders[which] = changed;
                }
            }
        }
        check(&mut world);
    }
    world
}

fn change(order: OrderState, step: &Step, number: usize, now: Timestamp) -> OrderState {
    match step {
        Step::Refund { minor, .. } => order.refunded(&number.to_string(), now, *minor),
        Step::Cancel { .. } => order.changed(|order| order.cancelled = true),
        _ => order.changed(|order| order.cancelled = false),
    }
}

fn later(at: Timestamp, hours: i64) -> Timestamp {
    at + jiff::Span::new().hours(hours)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn folding_the_journal_gives_the_account(programme in programmes(), steps in steps()) {
        live(programme, &steps, |world| assert_eq!(world.folded(), world.profile.account));
    }

    #[test]
    fn the_window_kept_is_the_window_added_up(programme in programmes(), steps in steps()) {
        live(programme, &steps, |world| {
            let programme = &world.programmes.newest().programme;
            let tiers = programme.tiers.as_ref().unwrap();
            let today = world.profile.bookkeeping.window.on;
            let first = tiers.window.before_date(today).unwrap();
            let sum: i64 = world
                .journal
                .iter()
                .filter(|entry| {
                    let date = crate::time::date_of(entry.id.effective_at, &programme.time_zone);
                    first < date && date <= today
                })
                .map(|entry| entry.status_points.0)
                .sum();
            assert_eq!(world.profile.bookkeeping.window.sum.0, sum);
        });
    }

    #[test]
    fn what_is_pending_is_what_young_orders_have_earned(programme in programmes(), steps in steps()) {
        live(programme, &steps, |world| {
            let programme = &world.programmes.newest().programme;
            let settled_to = world.profile.bookkeeping.settled_to;
            let is_pending = |entry: &&Entry| {
                let matures_at = programme.matures_at(entry.id.effective_at).unwrap();
                matches!(entry.kind, Kind::Order { .. }) && matures_at > Some(settled_to)
            };
            let pending: i64 = world.journal.iter().filter(is_pending).map(|entry| entry.points.0).sum();
            assert_eq!(world.profile.pending().0, pending);
        });
    }

    #[test]
    fn the_tier_held_is_the_one_that_the_journal_gives_day_by_day(
        programme in programmes(),
        steps in steps(),
    ) {
        let world = live(programme, &steps, |_| {});
        prop_assert_eq!(world.tier(), tier_by_the_journal(&world));
    }

    #[test]
    fn the_ratings_kept_are_those_that_the_journal_has(programme in programmes(), steps in steps()) {
        live(programme, &steps, |world| {
            let Some(rated) = &world.profile.bookkeeping.rated else { return };
            let Some(scores) = ratings_by_the_journal(world) else { return };
            assert_eq!((rated.count as usize, rated.total), (scores.len(), scores.iter().sum()));
        });
    }

    #[test]
    fn a_command_given_twice_changes_nothing(programme in programmes(), steps in steps()) {
        live(programme, &steps, |world| {
            let before = world.profile.clone();
            world.run(Command::Review).unwrap();
            let reviewed = world.profile.clone();
            world.run(Command::Review).unwrap();
            assert_eq!(&world.profile, &reviewed);
            assert_eq!(&before.account, &reviewed.account);
        });
    }

    #[test]
    fn due_dates_are_lower_bounds(programme in programmes(), steps in steps(), share in 0_i64..=1_000) {
        live(programme, &steps, |world| {
            let due = world.profile.bookkeeping.due_at.unwrap_or(later(world.now, 24 * 800));
            let span = due.as_millisecond() - 1 - world.now.as_millisecond();
            if span < 0 {
                return;
            }
            let mut later_world = world.clone();
            later_world.now =
                Timestamp::from_millisecond(world.now.as_millisecond() + span / 1_000 * share).unwrap();
            later_world.run(Command::Review).unwrap();
            assert_eq!(&later_world.profile.account, &world.profile.account);
            assert_eq!(later_world.journal.len(), world.journal.len());
        });
    }

    #[test]
    fn settling_late_ends_as_settling_on_time(programme in programmes(), steps in steps(), days in 1_i64..900) {
        let mut on_time = live(programme, &steps, |_| {});
        let mut late = on_time.clone();
        on_time.pass_to(later(on_time.now, days * 24));
        on_time.run(Command::Review).unwrap();
        late.now = on_time.now;
        late.run(Command::Review).unwrap();
        prop_assert_eq!(&late.profile.account, &on_time.profile.account);
        prop_assert_eq!(late.expires_at(), on_time.expires_at());
        prop_assert_eq!(late.status(), on_time.status());
    }

    #[test]
    fn an_interrupted_decision_settled_again_ends_the_same(
        minor in 1_300_000_i64..9_000_000,
        steps in steps(),
        cut in 1_usize..6,
    ) {
        let mut whole = live(programme(&[]), &steps, |_| {});
        let mut cut_off = whole.clone();
        let large = order("large", whole.now, minor);
        whole.arrives(&large);
        for _ in 0..cut {
            let decision = cut_off.decide(Command::Order { state: &large, first_seen: false }).unwrap();
            cut_off.commit(&decision);
            if decision.completed {
                break;
            }
            prop_assert!(decision.profile.bookkeeping.due_at <= Some(cut_off.now), "a review must find the rest");
        }
        cut_off.run(Command::Review).unwrap();
        whole.run(Command::Review).unwrap();
        prop_assert_eq!(&cut_off.profile.account, &whole.profile.account);
        prop_assert_eq!(cut_off.coupons.len(), whole.coupons.len());
        prop_assert_eq!(cut_off.folded(), cut_off.profile.account.clone());
    }

    #[test]
    fn every_order_of_delivery_posts_the_same(
        orders in prop::collection::vec((0_i64..90_000, 0_i64..24 * 60), 1..12),
        refunds in prop::collection::vec((any::<Index>(), 0_i64..90_000), 0..6),
        shuffle in any::<u64>(),
    ) {
        let now = at("2026-06-15");
        let mut states: Vec<OrderState> = orders
            .iter()
            .enumerate()
            .map(|(n, (minor, hours))| order(&n.to_string(), later(now, -hours), *minor))
            .collect();
        let mut deliveries = states.clone();
        for (n, (which, minor)) in refunds.iter().enumerate() {
            let which = which.index(states.len());
            states[which] = states[which].clone().refunded(&n.to_string(), now, *minor);
            deliveries.push(states[which].clone());
        }
        let rules = programme(&[("automatic = true", "automatic = false")]);
        let run = |deliveries: &[OrderState]| {
            let mut world = World::new(rules.clone(), later(now, -24 * 70));
            world.now = now;
            deliveries.iter().for_each(|state| world.arrives(state));
            world
        };
        let in_order = run(&deliveries);
        // The stream tells of one order in order, of different orders in any; and it may tell everything again.
        let hash = |text: String| {
            text.bytes().fold(shuffle, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
        };
        let (mut shuffled, mut again) = (deliveries.clone(), deliveries.clone());
        shuffled.sort_by_key(|state| (hash(state.key.to_string()), state.revision));
        again.sort_by_key(|state| hash(format!("{}{}", state.key, state.revision)));
        shuffled.extend(again);
        let shuffled = run(&shuffled);
        prop_assert_eq!(shuffled.posted_by_orders(), in_order.posted_by_orders());
        prop_assert_eq!(&shuffled.profile.account, &in_order.profile.account);
        prop_assert_eq!(shuffled.status(), in_order.status());
        prop_assert_eq!(shuffled.expires_at(), in_order.expires_at());
    }

    #[test]
    fn no_input_overflows_or_panics(
        amounts in prop::collection::vec((any::<i64>(), any::<i64>(), any::<bool>(), any::<i64>(), any::<i64>()), 1..6),
        moments in prop::collection::vec(0_i64..221_000_000_000, 6),
        basis in select(vec!["as_priced", "with_tax", "without_tax"]),
    ) {
        let rule = format!("points_per_unit = \"1000000\"\nbasis = \"{basis}\"");
        let mut world = World::new(programme(&[("points_per_unit = \"1\"", &rule)]), at("2026-01-01"));
        for (n, (amount, tax, tax_included, paid, total)) in amounts.into_iter().enumerate() {
            let placed_at = Timestamp::from_second(moments[n]).unwrap();
            let mut state = order(&n.to_string(), placed_at, amount);
            let snapshot = state.snapshot.as_mut().unwrap();
            snapshot.goods.tax = tax;
            snapshot.goods.tax_included = tax_included;
            if paid % 2 == 0 {
                snapshot.payment = Payment::Partial { paid, total };
            }
            let refunded = state.clone().refunded("r", placed_at, total);
            for state in [state, refunded, unlinked(&n.to_string(), placed_at, paid)] {
                // One decision only: an amount near the limits would issue coupons for a very long time.
                if let Ok(decision) = world.decide(Command::Order { state: &state, first_seen: false }) {
                    world.commit(&decision);
                }
            }
            prop_assert_eq!(world.folded(), world.profile.account.clone());
        }
    }
}

/// What is left of one order, kept the way a plain program would keep it.
struct Lot {
    ends_at: Timestamp,
    left: i64,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn under_expiry_after_earning_the_oldest_points_are_spent_and_run_out_first(
        events in prop::collection::vec((1_i64..24 * 80, 0_i64..70_000), 1..25),
        validity in select(vec!["12 months", "2 months", "30 days"]),
    ) {
        let rule = format!("after_earning = \"{validity}\"");
        let rules = programme(&[("after_inactivity = \"12 months\"", &rule), ("[\"1 month\", \"1 week\"]", "[\"1 week\"]")]);
        let validity = crate::Period::parse(validity).unwrap();
        let mut world = World::new(rules.clone(), at("2026-01-31T23:15:00Z"));
        let (mut lots, mut coupons) = (Vec::<Lot>::new(), 0);
        for (number, (hours, minor)) in events.into_iter().enumerate() {
            world.pass_to(later(world.now, hours));
            world.arrives(&order(&number.to_string(), world.now, minor));
            lots.retain(|lot| lot.ends_at > world.now);
            lots.push(Lot { ends_at: validity.after(world.now, &rules.time_zone).unwrap(), left: minor / 100 });
            // A later order may run out earlier: of two days at a month's end a shorter month makes one.
            lots.sort_by_key(|lot| lot.ends_at);
            while lots.iter().map(|lot| lot.left).sum::<i64>() >= 500 {
                let mut price = 500;
                for lot in &mut lots {
                    let taken = lot.left.min(price);
                    lot.left -= taken;
                    price -= taken;
                }
                coupons += 1;
            }
            prop_assert_eq!(world.balance(), lots.iter().map(|lot| lot.left).sum::<i64>());
            prop_assert_eq!(world.profile.account.coupons_issued, coupons);
            let next = lots.iter().filter(|lot| lot.left > 0).map(|lot| lot.ends_at).min();
            prop_assert_eq!(world.expires_at(), next);
        }
    }
}

#[test]
fn the_usual_order_needs_nothing_but_the_profile_and_touches_no_index() {
    let mut world = World::new(programme(&[("\"12 months\"", "\"12 months\"")]), at("2026-01-01"));
    world.orders("1", "2026-01-02", 5_000);
    let before = world.profile.clone();
    let second = order("2", at("2026-01-10"), 4_000);
    let command = Command::Order { state: &second, first_seen: true };
    let outcome = crate::decide(
        &world.programmes,
        &world.profile,
        &Known::default(),
        command,
        at("2026-01-10"),
        &mut entropy(1),
    );
    let Ok(Outcome::Decided(decision)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(decision.entries.len(), 1);
    assert!(matches!(decision.entries[0].kind, Kind::Order { .. }));
    assert_eq!(decision.profile.bookkeeping.due_at, before.bookkeeping.due_at);
}
