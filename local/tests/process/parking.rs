//! What an operator does with orders that could not be processed.

use std::process::Output;
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use crate::laurel::{Laurel, send};

const ORDER: &str = "generic-main#1";
const STOPS_WITHIN: Duration = Duration::from_secs(10);
/// Far enough for a programme that is published meanwhile.
const TOMORROW: Duration = Duration::from_secs(24 * 3_600);

/// An order of 10.00 in dollars, which the programme that comes with Laurel does not have.
fn in_dollars(placed_at: Timestamp, updated_at: Timestamp) -> Value {
    json!({"type": "order.updated", "order": {
        "id": "1", "placed_at": placed_at.to_string(), "updated_at": updated_at.to_string(), "currency": "USD",
        "goods": {"amount_minor": 1_000}, "status": "paid",
        "customer": {"id": "c-1", "email": "c-1@example.com", "email_verified": true},
    }})
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn list(laurel: &Laurel) -> String {
    laurel.get("/local/idle");
    told(&laurel.run(&["parked", "list"]))
}

fn show(laurel: &Laurel) -> Value {
    serde_json::from_str(&told(&laurel.run(&["parked", "show", ORDER]))).unwrap()
}

#[test]
fn a_parked_order_is_listed_shown_and_processed_once_its_cause_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let programme = folder.path().join("programme.toml");
    let mended = include_str!("../../../programme.toml").replace("currency = \"EUR\"", "currency = \"USD\"");
    std::fs::write(&programme, mended).unwrap();
    let data = folder.path().join("data");
    let mut laurel = Laurel::start(&data);
    // Given an order in a currency that the programme does not have.
    let tomorrow = Timestamp::now() + TOMORROW;
    assert_eq!(send(&laurel.address, &in_dollars(tomorrow, tomorrow)), Some(202));
    // When an operator looks, then it is listed with its reason, and shown without the person.
    let listed = list(&laurel);
    assert!(listed.starts_with("generic-main#1  ") && listed.contains("USD"), "{listed}");
    assert_eq!(listed.lines().count(), 1);
    let as_json: Value = serde_json::from_str(&told(&laurel.run(&["parked", "list", "--json"]))).unwrap();
    assert_eq!(as_json, laurel.get("/local/parked"));
    let shown = show(&laurel);
    assert_eq!((&shown["standing"], &shown["customer"]["id"]), (&json!("parked"), &json!("c-1")));
    assert_eq!(shown["snapshot"]["currency"], "USD");
    assert!(!shown.to_string().contains("example.com"), "{shown}");
    // When it is tried again as it is, then it is parked again.
    told(&laurel.run(&["parked", "retry", ORDER]));
    assert!(list(&laurel).contains("USD"));
    // When the programme is mended and it is tried again, then it is processed.
    assert_eq!(laurel.terminate(STOPS_WITHIN), Some(0));
    let laurel = Laurel::start_by(&data, Some(&programme));
    assert_eq!(told(&laurel.run(&["parked", "retry", "--all"])), "taken up again: 1\n");
    assert_eq!(list(&laurel), "");
    assert_eq!(show(&laurel)["standing"], "active");
    assert_eq!(laurel.member()["lifetime_points"], 100);
}

#[test]
fn a_rule_added_later_rescues_a_parked_order_once_an_operator_says_so_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let programme = folder.path().join("programme.toml");
    let with_rate = include_str!("../../../programme.toml")
        .replace("[earning]", "[earning]\nexchange_rates = { USD = \"0.5\" }");
    std::fs::write(&programme, with_rate).unwrap();
    let data = folder.path().join("data");
    let mut laurel = Laurel::start(&data);
    let now = Timestamp::now();
    assert_eq!(send(&laurel.address, &in_dollars(now, now)), Some(202));
    assert!(list(&laurel).contains("USD"));
    // Given a version with a rate, in force only since the order was placed.
    assert_eq!(laurel.terminate(STOPS_WITHIN), Some(0));
    let laurel = Laurel::start_by(&data, Some(&programme));
    told(&laurel.run(&["parked", "retry", ORDER]));
    assert!(list(&laurel).contains("USD"), "the version at its placing counts");
    // When an operator names a version that is not there, or no reason, then nothing is done.
    let under = |version: &str| {
        laurel.run(&[
            "parked",
            "retry",
            ORDER,
            "--under",
            version,
            "--as",
            "an-operator",
            "--reason",
            "a rate came late",
        ])
    };
    assert!(refused(&under("9")).contains("there is no version 9 of the programme; there is 1, 2"));
    assert_eq!(laurel.run(&["parked", "retry", ORDER, "--under", "2"]).status.code(), Some(2));
    // When the operator says by which version it earns, then it is processed, and says why.
    told(&under("2"));
    assert_eq!(list(&laurel), "");
    assert_eq!(laurel.member()["lifetime_points"], 50);
    let said = &show(&laurel)["corrections"][0];
    assert_eq!((&said["by"], &said["reason"]), (&json!("an-operator"), &json!("a rate came late")));
    assert_eq!(said["says"]["facts"], json!({"under": 2}));
}

#[test]
fn what_an_operator_says_of_an_order_holds_against_what_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(folder.path());
    assert_eq!(crate::laurel::send_order(&laurel.address, "1", 2_000), Some(202));
    let points = || {
        laurel.get("/local/idle");
        laurel.member()["balance"].clone()
    };
    assert_eq!(points(), 200);
    let correct = |facts: &[&str]| {
        let say = ["--as", "an-operator", "--reason", "a test"];
        laurel.run(&[&["order", "correct", ORDER][..], facts, &say].concat())
    };
    // When its goods and its date are corrected, then the points follow, and later tellings do not change that.
    told(&correct(&["--goods", "15.00", "--placed-at", "2026-01-31T12:00:00Z"]));
    assert_eq!(points(), 150);
    assert_eq!(crate::laurel::send_order(&laurel.address, "1", 3_000), Some(202));
    assert_eq!(points(), 150);
    let shown: Value = serde_json::from_str(&told(&laurel.run(&["order", "show", ORDER]))).unwrap();
    assert_eq!(
        (&shown["placed_at"], &shown["snapshot"]["goods"]["amount"]),
        (&json!("2026-01-31T12:00:00Z"), &json!(1_500))
    );
    // When it is as told again, then what was told last counts.
    told(&laurel.run(&["order", "as-told", ORDER, "--as", "an-operator", "--reason", "a mistake"]));
    assert_eq!(points(), 300);
    // What cannot be is said so.
    assert!(refused(&correct(&["--goods", "-1"])).contains("--goods"));
    assert!(refused(&correct(&["--under", "7"])).contains("there is no version 7"));
    assert_eq!(correct(&[]).status.code(), Some(2), "nothing is corrected");
    assert_eq!(correct(&["--paid", "--unpaid"]).status.code(), Some(2));
    let unknown = laurel.run(&["order", "correct", "nobody#1", "--paid", "--as", "x", "--reason", "y"]);
    assert!(refused(&unknown).contains("nobody#1: there is no such order"));
}

#[test]
fn a_dropped_order_is_parked_no_longer_until_the_platform_tells_something_new() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(folder.path());
    let now = Timestamp::now();
    assert_eq!(send(&laurel.address, &in_dollars(now, now)), Some(202));
    assert!(list(&laurel).contains("USD"));
    // When an operator drops it, then it is off the list, and says why.
    told(&laurel.run(&["parked", "drop", ORDER, "--reason", "the shop in dollars was a trial"]));
    assert_eq!(list(&laurel), "");
    let shown = show(&laurel);
    assert_eq!(
        (&shown["standing"], &shown["reason"]),
        (&json!("dropped"), &json!("the shop in dollars was a trial"))
    );
    assert!(shown["parked"]["reason"].as_str().unwrap().contains("USD"), "{shown}");
    // When the platform tells the same again, then it stays dropped; with something new it is tried, and parked.
    assert_eq!(send(&laurel.address, &in_dollars(now, now)), Some(202));
    assert_eq!(list(&laurel), "");
    assert_eq!(send(&laurel.address, &in_dollars(now, now + TOMORROW)), Some(202));
    assert!(list(&laurel).contains("USD"));
}

#[test]
fn an_order_that_does_not_exist_or_does_not_lie_aside_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(folder.path());
    assert_eq!(crate::laurel::send_order(&laurel.address, "1", 1_000), Some(202));
    laurel.get("/local/idle");
    for command in [&["parked", "show", "nobody#1"][..], &["parked", "drop", "nobody#1", "--reason", "x"]] {
        assert!(refused(&laurel.run(command)).contains("nobody#1: there is no such order"), "{command:?}");
    }
    let output = laurel.run(&["parked", "retry", "nobody#1", ORDER]);
    assert!(refused(&output).contains("2 of 2 were not taken up"));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "nobody#1: there is no such order\ngeneric-main#1: is neither parked nor dropped\n");
    let output = laurel.run(&["parked", "drop", ORDER, "--reason", "x"]);
    assert!(refused(&output).contains("generic-main#1: is not parked"));
    assert_eq!(laurel.run(&["parked", "show", "1001"]).status.code(), Some(2));
}
