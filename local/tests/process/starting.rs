//! What a newcomer sees first.

use std::io::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::laurel::{Laurel, program, request_as};

/// What a shell prints for a command.
fn shell(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_order_that_it_prints_works_when_it_is_pasted() {
    if Command::new("curl").arg("--version").output().is_err() {
        // Not `eprintln`, which the test runner hides.
        let _ = writeln!(std::io::stderr(), "SKIPPED: there is no curl here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(folder.path());
    // Given the commands that it prints, each until the empty line or the next one.
    let (_, from_order) = laurel.said.split_once("curl -i").unwrap();
    let (order, rest) = from_order.split_once("\n\n").unwrap();
    let question =
        rest.lines().find(|line| line.starts_with("curl -s") && line.contains("/members?")).unwrap();
    // When the first is pasted.
    let answer = shell(&format!("curl -i{order}"));
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    laurel.get("/local/idle");
    // Then the second shows what has become of 520.00.
    let member: Value = serde_json::from_str(&shell(question)).unwrap();
    assert_eq!(member["balance"], 200, "{member}");
    assert_eq!(member["coupons"].as_array().unwrap().len(), 1, "{member}");
}

#[test]
fn a_wrong_programme_is_named_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let programme = folder.path().join("programme.toml");
    std::fs::write(
        &programme,
        include_str!("../../../programme.toml").replace("points = 5000", "points = -1"),
    )
    .unwrap();
    let output = program()
        .args(["--port", "0", "--dynamodb-port", "0", "--data"])
        .arg(folder.path().join("data"))
        .arg("--programme")
        .arg(&programme)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("rewards[0].points: must be at least 1"), "{said}");
}

#[test]
fn the_start_screen_fits_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(folder.path());
    // A terminal of eighty columns breaks the order's body.
    let lines: usize = laurel.said.lines().map(|line| line.chars().count().div_ceil(80).max(1)).sum();
    assert!(lines <= 24, "{lines} lines:\n{}", laurel.said);
}

#[test]
fn no_foreign_name_that_leads_here_is_answered_on_either_port() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(folder.path());
    let dynamodb = format!("127.0.0.1:{}", laurel.dynamodb_port());
    for (address, path) in [(&laurel.address, "/local/inbox"), (&dynamodb, "/local/clock")] {
        let status = |host: &str| request_as(host, address, "GET", path, &[], b"").unwrap().0;
        assert_eq!((status(address), status("localhost"), status("evil.example")), (200, 200, 403), "{path}");
    }
}

#[test]
fn a_sample_event_is_sent_signed_for_now_also_to_another_port() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(folder.path());
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/order-webhook");
    for (event, status) in [
        ("generic-order-paid", "202"),
        ("shopify-orders-paid", "202"),
        ("square-order-created", "202"),
        ("bigcommerce-order-created", "202"),
        ("stripe-checkout-session-completed", "202"),
        ("woocommerce-ping", "200"),
    ] {
        let file = format!("{events}/{event}.json");
        let to = format!("http://{}", laurel.address);
        let output = program().args(["send", &file, "--to", &to]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.contains(&format!(": {status} ")),
            "{event}: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn what_was_published_goes_by_the_local_clock_and_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("other.toml"));
    let other = include_str!("../../../programme.toml")
        .replace("points_per_unit = \"10\"", "points_per_unit = \"20\"");
    std::fs::write(&file, other).unwrap();
    let mut laurel = Laurel::start(&data);
    laurel.post("/local/clock", r#"{"advance":"P30D"}"#);
    let published = laurel.run(&["publish", file.to_str().unwrap()]);
    assert!(published.status.success(), "{}", String::from_utf8_lossy(&published.stderr));
    let now = laurel.get("/local/clock")["now"].as_str().unwrap()[..10].to_owned();
    let said = String::from_utf8_lossy(&published.stdout).into_owned();
    assert!(said.contains(&format!("in force from {now}")), "{said}");
    laurel.kill();
    let again = Laurel::start(&data);
    assert_eq!(again.get("/")["programme_version"], 2);
}

#[test]
fn without_a_local_stack_it_is_said_how_to_start_one() {
    let output = program().args(["parked", "list", "--local", "--dynamodb-port", "1"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("no local stack answers on port 1: start one in another terminal with `cargo run`"),
        "{said}"
    );
}

#[test]
fn a_check_names_every_mistake_at_once_and_shows_every_message_of_a_programme_that_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("programme.toml");
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        program().arg("check").arg(&file).output().unwrap()
    };
    let right = include_str!("../../../programme.toml");
    let shown = check(right);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("[messages.coupon_issued.en.email]"));
    let wrong = check(&right.replace("points = 5000", "points = -1").replace("\"12 months\"", "\"soon\""));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("rewards[0].points") && said.contains("expiry.after_inactivity"), "{said}");
}
