//! What a newcomer sees first.

use std::io::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::laurel::{Laurel, program};

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
