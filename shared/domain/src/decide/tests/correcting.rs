//! An operator's word of an order: its points move, and a later version of the programme may count.

use std::collections::BTreeSet;

use super::rules::world;
use super::world::{at, order, programme};
use crate::decide::{is_reconciled, target};
use crate::programme::Version;
use crate::{Command, Correction, DecideError, Facts, OrderState, Programmes, Says};

fn said(facts: Facts) -> Correction {
    let (by, reason) = ("an-operator".to_owned(), "a test".to_owned());
    Correction { by, reason, at: at("2026-01-05"), says: Says::Facts(facts) }
}

#[test]
fn an_order_that_was_dated_in_another_age_runs_out_as_all_others_once_its_date_is_corrected() {
    let mut world = world(&[]);
    let told = order("1", at("2099-01-01"), 10_000);
    world.run(Command::Order { state: &told, first_seen: true }).unwrap();
    assert_eq!(world.balance(), 100);

    let corrected = OrderState {
        revision: 2,
        placed_at: Some(at("2026-01-02")),
        formerly_placed_at: BTreeSet::from([at("2099-01-01")]),
        corrections: vec![said(Facts { placed_at: Some(at("2026-01-02")), ..Facts::default() })],
        ..told.clone()
    };
    let only = Programmes::only(programme(&[]));
    assert!(!is_reconciled(&only, &corrected, &world.journal).unwrap());
    world.now = at("2026-01-05");
    world.run(Command::Order { state: &corrected, first_seen: false }).unwrap();
    assert_eq!(world.balance(), 100);
    assert_eq!(world.profile.account.lifetime_points.0, 100);
    assert!(is_reconciled(&only, &corrected, &world.journal).unwrap());
    world.run(Command::Order { state: &corrected, first_seen: false }).unwrap();
    assert_eq!(world.journal.len(), 3, "earned, taken back, earned anew, and nothing twice");
    world.run(Command::Order { state: &told, first_seen: false }).unwrap();
    assert_eq!(world.balance(), 100, "what was told before, delivered late, posts nothing");

    world.now = at("2027-01-03");
    world.run(Command::Review).unwrap();
    assert_eq!(world.balance(), 0, "a year after it was placed");
}

#[test]
fn an_order_earns_by_the_version_that_an_operator_names() {
    let later = programme(&[("points_per_unit = \"1\"", "points_per_unit = \"3\"")]);
    let versions = vec![
        Version { number: 1, from: at("2026-01-01"), programme: programme(&[]) },
        Version { number: 2, from: at("2026-02-01"), programme: later },
    ];
    let programmes = Programmes::new(versions).unwrap();
    let told = order("1", at("2026-01-02"), 10_000);
    assert_eq!(target(&programmes, &told).unwrap().points.0, 100);
    let under = |number| OrderState {
        corrections: vec![said(Facts { under: Some(number), ..Facts::default() })],
        ..told.clone()
    };
    assert_eq!(target(&programmes, &under(2)).unwrap().points.0, 300);
    assert_eq!(target(&programmes, &under(3)), Err(DecideError::NoVersion(3)));
}
