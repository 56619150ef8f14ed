//! Scenarios of who hears of what: the member of news, the integrators of all that there is to tell.

use proptest::prelude::*;

use super::rules::NO_REWARD;
use super::world::{World, at, order, programme};
use crate::programme::Version;
use crate::{Audience, Cause, Command, Entry, Kind, OrderState, Programmes};

fn quiet(state: OrderState) -> OrderState {
    OrderState { quiet: true, ..state }
}

fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::CouponIssued { .. } => "issued",
        Kind::CouponVoided { .. } => "voided",
        Kind::CouponRedeemed { .. } => "redeemed",
        Kind::CouponReturned { .. } => "returned",
        Kind::CouponExpired { .. } => "coupon expired",
        Kind::TierChanged { .. } => "tier",
        Kind::ExpiryReminder { .. } => "reminder",
        Kind::Expired => "expired",
        _ => "bookkeeping",
    }
}

impl World {
    /// Of what a kind of audience has heard since the journal had so many entries.
    fn heard_by(&self, audience: Audience, since: usize) -> Vec<&'static str> {
        let hears = |entry: &&Entry| entry.audience >= audience;
        self.journal.iter().skip(since).filter(hears).map(|entry| name(&entry.kind)).collect()
    }

    fn member_heard(&self, since: usize) -> Vec<&'static str> {
        self.heard_by(Audience::Everybody, since)
    }

    fn integrators_heard(&self, since: usize) -> Vec<&'static str> {
        self.heard_by(Audience::Integrators, since)
    }
}

#[test]
fn of_what_an_imported_order_causes_integrators_hear_and_the_member_does_not() {
    // Given the same order, told by its platform and by an import.
    let live = order("1", at("2025-12-01"), 60_000);
    let mut told = World::new(programme(&[]), at("2026-01-01"));
    let mut imported = told.clone();
    told.arrives(&live);
    imported.arrives(&quiet(live.clone()));
    // Then both accounts are the same, and only of the one the member hears.
    assert_eq!(told.profile, imported.profile);
    assert_eq!(told.member_heard(0), ["tier", "issued"]);
    assert_eq!(imported.member_heard(0), Vec::<&str>::new());
    assert_eq!(imported.integrators_heard(0), told.integrators_heard(0));
    // When later the calendar or the platform changes something, then it is told as ever.
    imported.pass_to(at("2026-03-01"));
    assert_eq!(imported.member_heard(0), ["tier"]);
}

#[test]
fn what_the_calendar_owed_anyway_is_told_though_an_imported_order_came_by_first() {
    // Given a reminder, the end of a tier and a coupon that matured, all due; nobody has come by yet.
    let pending = ("points_per_unit = \"1\"", "points_per_unit = \"1\"\npending_for = \"14 days\"");
    for (changes, passes_to, due) in [
        (vec![NO_REWARD], "2026-12-02T13:00:00Z", vec!["reminder"]),
        (vec![NO_REWARD], "2026-04-02", vec!["tier"]),
        (vec![NO_REWARD], "2027-01-02", vec!["expired"]),
        (vec![pending], "2026-01-16T13:00:00Z", vec!["issued"]),
    ] {
        let mut world = World::new(programme(&changes), at("2026-01-01"));
        world.orders("1", "2026-01-02", 60_000);
        let due_at = at(passes_to);
        let before = due_at.checked_sub(jiff::SignedDuration::from_hours(36)).unwrap();
        world.pass_to(before);
        world.now = due_at;
        let since = world.journal.len();
        // When an order of the past is imported, which counts for nothing today.
        world.arrives(&quiet(order("old", at("2024-01-01"), 0)));
        assert_eq!(world.member_heard(since), due, "{passes_to}");
    }
}

#[test]
fn a_coupon_that_the_import_tips_over_is_silent_beside_one_that_was_owed() {
    // Given 500 points that have matured, and nobody has come by yet.
    let pending = ("points_per_unit = \"1\"", "points_per_unit = \"1\"\npending_for = \"14 days\"");
    let mut world = World::new(programme(&[pending]), at("2026-01-01"));
    world.orders("1", "2026-01-02", 60_000);
    world.now = at("2026-01-17");
    let since = world.journal.len();
    // When an import brings 400 more, which have matured too.
    world.arrives(&quiet(order("old", at("2025-12-01"), 40_000)));
    // Then two coupons are issued, and the member hears of the one.
    let issued: Vec<&Entry> = world.journal[since..]
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::CouponIssued { .. }))
        .collect();
    let audiences: Vec<Audience> = issued.iter().map(|entry| entry.audience).collect();
    assert_eq!(audiences, [Audience::Everybody, Audience::Integrators]);
}

#[test]
fn the_coupons_of_an_imported_order_stay_silent_when_they_need_several_decisions() {
    let mut world = World::new(programme(&[]), at("2026-01-01"));
    let state = quiet(order("1", world.now, 60 * 50_000));
    // Given a first step that is committed, and then is cut off.
    let first = world.decide(Command::Order { state: &state, first_seen: true }).unwrap();
    assert!(!first.completed);
    world.commit(&first);
    // When a review finishes it, or the order of another day does.
    let mut by_order = world.clone();
    world.run(Command::Review).unwrap();
    by_order.arrives(&order("2", by_order.now, 10_000));
    // Then the member hears nothing of these coupons.
    for world in [&world, &by_order] {
        assert_eq!(world.live_coupons(), 60);
        assert!(!world.member_heard(0).contains(&"issued"));
        assert_eq!(world.integrators_heard(0).iter().filter(|name| **name == "issued").count(), 60);
    }
    // And of the next one that an order earns as ever.
    by_order.arrives(&order("3", by_order.now, 40_000));
    assert_eq!(by_order.member_heard(0).iter().filter(|name| **name == "issued").count(), 1);
}

#[test]
fn integrators_hear_of_all_that_becomes_of_a_coupon() {
    let mut world = World::new(programme(&[]), at("2026-01-01"));
    let first = world.orders("1", "2026-01-02", 60_000);
    let code = world.coupons[0].code.clone();
    let mut using = order("2", world.now, 1_000);
    using.snapshot.as_mut().unwrap().coupons.insert(code.clone());
    world.run(Command::Redeem { code: &code, state: &using }).unwrap();
    let cancelled = using.changed(|snapshot| snapshot.cancelled = true);
    world.run(Command::Redeem { code: &code, state: &cancelled }).unwrap();
    world.arrives(&first.refunded("r", world.now, 60_000));
    world.orders("3", "2026-01-03", 60_000);
    world.pass_to(at("2026-06-01"));
    let of_coupons: Vec<&str> = world
        .integrators_heard(0)
        .into_iter()
        .filter(|name| !["tier", "reminder", "expired"].contains(name))
        .collect();
    assert_eq!(of_coupons, ["issued", "redeemed", "returned", "voided", "issued", "coupon expired"]);
}

#[test]
fn what_the_past_says_wakes_nobody() {
    // Given a member who is not known yet, or one who is.
    for known in [false, true] {
        for rule in ["after_inactivity = \"12 months\"", "after_earning = \"12 months\""] {
            let changes = [("after_inactivity = \"12 months\"", rule), NO_REWARD];
            let mut world = World::new(programme(&changes), at("2026-01-01"));
            if known {
                world.orders("1", "2026-01-02", 10_000);
            }
            world.now = at("2026-02-01");
            let since = world.journal.len();
            // When an order of long ago is told, whose points have run out since.
            world.arrives(&order("old", at("2020-01-01"), 10_000));
            // Then that is posted, and not announced.
            assert_eq!(world.balance(), if known { 100 } else { 0 }, "{rule}");
            assert_eq!(world.member_heard(since), Vec::<&str>::new(), "{rule}");
        }
    }
}

#[test]
fn what_a_late_review_finds_is_news_for_a_month() {
    for (reviewed_on, heard) in [("2027-01-20", vec!["expired"]), ("2027-03-20", vec![])] {
        let mut world = World::new(programme(&[NO_REWARD]), at("2026-01-01"));
        world.orders("1", "2026-01-02", 10_000);
        world.pass_to(at("2026-12-30"));
        let since = world.journal.len();
        world.now = at(reviewed_on);
        world.run(Command::Review).unwrap();
        assert_eq!((world.balance(), world.member_heard(since)), (0, heard));
    }
}

#[test]
fn what_lies_before_the_programme_is_not_announced() {
    let mut world = World::new(programme(&[NO_REWARD]), at("2026-01-01"));
    world.orders("1", "2026-01-02", 10_000);
    world.pass_to(at("2026-12-30"));
    // Given a programme that began after the points had run out.
    let version = Version { number: 1, from: at("2027-01-03"), programme: programme(&[NO_REWARD]) };
    world.programmes = Programmes::new(vec![version]).unwrap();
    let since = world.journal.len();
    world.now = at("2027-01-04");
    world.run(Command::Review).unwrap();
    assert_eq!((world.balance(), world.member_heard(since)), (0, vec![]));
}

#[test]
fn a_coupon_whose_end_has_come_already_is_not_announced() {
    let pending = ("points_per_unit = \"1\"", "points_per_unit = \"1\"\npending_for = \"14 days\"");
    let mut world = World::new(programme(&[pending]), at("2025-06-01"));
    world.now = at("2026-01-01");
    // When an order is told half a year late, of which a coupon was bought that has ended since.
    world.arrives(&order("1", at("2025-06-02"), 60_000));
    assert!(!world.member_heard(0).contains(&"issued"));
    let of_coupons: Vec<&str> =
        world.integrators_heard(0).into_iter().filter(|name| name.contains("issued")).collect();
    assert_eq!(of_coupons, ["issued"]);
}

#[test]
fn of_several_coupons_the_member_hears_at_once_and_integrators_of_each() {
    for (coupons, minor) in [(10, 520_000), (60, 3_010_000)] {
        let mut world = World::new(programme(&[]), at("2026-01-01"));
        world.orders("1", "2026-01-02", 20_000);
        let since = world.journal.len();
        world.orders("2", "2026-01-03", minor);
        let issued = |name: &&&str| **name == "issued";
        assert_eq!(world.live_coupons(), coupons);
        assert_eq!(world.member_heard(since).iter().filter(issued).count(), 1);
        assert_eq!(world.integrators_heard(since).iter().filter(issued).count(), coupons);
        let told = world.journal.iter().rfind(|entry| entry.audience == Audience::Everybody).unwrap();
        let Kind::CouponIssued { told_from, .. } = &told.kind else { panic!("{told:?}") };
        assert_eq!(*told_from, Some(0), "from the first one on");
        assert!(told.id.cause.to_string().ends_with(&format!("/{}", coupons - 1)), "up to the last one");
        assert_eq!(world.profile.bookkeeping.cut_off, None);
        // And a single one is told alone.
        world.orders("3", "2026-01-04", 50_000);
        let Some(Entry { kind: Kind::CouponIssued { told_from, .. }, .. }) = world.journal.last() else {
            panic!("{:?}", world.journal.last())
        };
        assert_eq!(*told_from, None);
    }
}

/// The numbers of the coupons of which the member was told, in order.
fn told_numbers(world: &World) -> Vec<u32> {
    let mut told = Vec::new();
    for entry in world.journal.iter().filter(|entry| entry.audience == Audience::Everybody) {
        if let (Kind::CouponIssued { told_from, .. }, Cause::Coupon(number)) = (&entry.kind, &entry.id.cause)
        {
            told.extend(told_from.unwrap_or(*number)..=*number);
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// However many coupons the orders of a life buy, and wherever a decision is cut off, the member hears of each that
    /// an order of their own bought, once; integrators hear of every coupon, once.
    #[test]
    fn of_each_coupon_everybody_hears_once(
        orders in prop::collection::vec((1_i64..4_000_000, 0_i64..40, any::<bool>()), 1..8),
    ) {
        let mut world = World::new(programme(&[]), at("2026-01-01"));
        let mut silent = 0;
        for (number, (minor, days, quiet)) in orders.into_iter().enumerate() {
            world.pass_to(world.now + jiff::SignedDuration::from_hours(24 * days));
            let (before, told) = (world.profile.account.coupons_issued, told_numbers(&world).len());
            let state = OrderState { quiet, ..order(&number.to_string(), world.now, minor) };
            // The first step is committed, and then another command comes by.
            let first = world.decide(Command::Order { state: &state, first_seen: true }).unwrap();
            world.commit(&first);
            world.run(Command::Review).unwrap();
            world.arrives(&state);
            let issued = world.profile.account.coupons_issued - before;
            let told = told_numbers(&world).len() - told;
            prop_assert_eq!(told, if quiet { 0 } else { usize::try_from(issued).unwrap() });
            silent += if quiet { issued } else { 0 };
        }
        let heard = world.integrators_heard(0).into_iter().filter(|name| *name == "issued").count();
        prop_assert_eq!(heard, usize::try_from(world.profile.account.coupons_issued).unwrap());
        let mut told = told_numbers(&world);
        told.dedup();
        prop_assert_eq!(told.len(), heard - usize::try_from(silent).unwrap());
    }
}
