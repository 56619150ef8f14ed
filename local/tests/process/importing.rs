//! A shop's past orders, sent into the local stack.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::laurel::{Laurel, send_order};

/// Enough that a kill finds some sent and some not.
const ROWS: u64 = 120;
/// 100.00; two of three earn a coupon under the programme that comes with Laurel.
const EACH: u64 = 10_000;

/// Orders of one customer, a day apart.
fn orders() -> String {
    let rows = (0..ROWS).map(|number| {
        format!(
            "c-1,2025-{:02}-{:02},{EACH},order,past-{number},c-1@example.com,true\n",
            1 + number / 28,
            1 + number % 28
        )
    });
    let header = "customer_id,date,amount_minor,kind,order_id,email,email_verified";
    format!("{header}\n{}", rows.collect::<String>())
}

fn write(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join("orders.csv");
    fs::write(&file, text).unwrap();
    file
}

fn arguments(file: &Path) -> [String; 5] {
    ["import", "orders", &file.to_string_lossy(), "--source", "generic-main"].map(str::to_owned)
}

fn import(laurel: &Laurel, file: &Path, further: &[&str]) -> Output {
    let arguments = arguments(file);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(further.iter().copied()).collect();
    let output = laurel.run(&arguments);
    laurel.get("/local/idle");
    output
}

fn report(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// How many rows a broken-off import has sent.
fn sent(file: &Path) -> Option<u64> {
    let state = fs::read(file.with_added_extension("orders-import.json")).ok()?;
    serde_json::from_slice::<Value>(&state).ok()?["next"].as_u64()
}

/// What must be the same, however the import went.
fn account(laurel: &Laurel) -> [Value; 3] {
    let member = laurel.member();
    let coupons = member["coupons"].as_array().unwrap().len();
    [member["lifetime_points"].clone(), member["balance"].clone(), json!(coupons)]
}

#[test]
fn an_import_that_is_killed_and_started_again_ends_as_one_that_is_not_and_tells_no_member() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), &orders());
    let laurel = Laurel::start(&folder.path().join("data"));
    // Given an import that is killed in the middle.
    let arguments = arguments(&file);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--rate", "40"]).collect();
    let mut killed = laurel.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while sent(&file).is_none() {
        assert_eq!(killed.try_wait().unwrap(), None, "it ended before it could be killed");
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success());
    assert!(sent(&file) < Some(ROWS), "the kill came too late");
    // When it is started again, and when all of it is sent once more.
    let resumed = import(&laurel, &file, &["--rate", "500"]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    let once = account(&laurel);
    let again = report(&import(&laurel, &file, &["--rate", "500"]));
    // Then every order has counted once, and no member has heard of it.
    assert_eq!(once[0], json!(ROWS * EACH / 10));
    assert_eq!(account(&laurel), once);
    assert!(again.contains("sent            0\n") && again.contains("known before    120\n"), "{again}");
    for of_persons in ["email", "push"] {
        assert_eq!(laurel.get(&format!("/local/inbox?channel={of_persons}")), json!([]));
    }
    let events = laurel.get("/local/inbox?channel=event");
    assert!(!events.as_array().unwrap().is_empty(), "integrators hear of what follows");
    assert!(sent(&file).is_none(), "the state is gone when the import is done");
    // When the shop sends an order of today, then the member hears of its coupon, too.
    assert_eq!(send_order(&laurel.address, "today", 10 * EACH), Some(202));
    laurel.get("/local/idle");
    assert!(!laurel.get("/local/inbox?channel=email").as_array().unwrap().is_empty());
}

#[test]
fn rejected_rows_are_named_in_a_file_and_make_the_import_fail_unless_they_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        folder.path(),
        "customer_id,date,amount_minor,kind,order_id\nc-1,2025-01-01,100,order,1\nc-1,2025-01-02,x,order,2\n",
    );
    let laurel = Laurel::start(&folder.path().join("data"));
    let output = import(&laurel, &file, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(report(&output).contains("rejected        1\n"), "{}", report(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("orders.csv.orders-rejected.csv says why"));
    let rejected = fs::read_to_string(file.with_added_extension("orders-rejected.csv")).unwrap();
    assert_eq!(
        rejected,
        "rejected_line,rejected_because,customer_id,date,amount_minor,kind,order_id\n3,\"amount_minor \"\"x\"\" is not a \
         whole number of minor units, 0 or more\",c-1,2025-01-02,x,order,2\n"
    );
    assert_eq!(laurel.member()["lifetime_points"], 10);
    assert_eq!(import(&laurel, &file, &["--skip-bad-rows"]).status.code(), Some(0));
    // The rejected row is mended in that file, and the file imported as it is.
    let mended = file.with_added_extension("orders-rejected.csv");
    fs::write(&mended, rejected.replace(",x,", ",200,")).unwrap();
    assert_eq!(import(&laurel, &mended, &[]).status.code(), Some(0));
    laurel.get("/local/idle");
    assert_eq!(laurel.member()["lifetime_points"], 30);
}

#[test]
fn a_source_that_is_not_connected_is_refused_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let file =
        write(folder.path(), "customer_id,date,amount_minor,kind,order_id\nc-1,2025-01-01,100,order,1\n");
    let laurel = Laurel::start(&folder.path().join("data"));
    let path = file.to_string_lossy().into_owned();
    let misspelt = ["import", "orders", &path, "--source", "generic-mian"];
    let refused = laurel.run(&misspelt);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("no source generic-mian") && said.contains("generic-main, "), "{said}");
    let planned = laurel.run(&[&misspelt[..], &["--any-source", "--dry-run"]].concat());
    assert!(
        planned.status.success() && report(&planned).contains("would send      1\n"),
        "{}",
        report(&planned)
    );
    assert!(laurel.run(&[&misspelt[..], &["--any-source"]].concat()).status.success());
}

#[test]
fn members_are_imported_with_what_they_had_and_go_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("members.csv");
    fs::write(&file, "customer_id,email,balance,reason\nc-1,c-1@example.com,4000,from the old programme\n")
        .unwrap();
    let laurel = Laurel::start(&folder.path().join("data"));
    let path = file.to_string_lossy().into_owned();
    let arguments = ["import", "members", &path, "--source", "generic-main"];
    let first = laurel.run(&arguments);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    assert!(report(&first).contains("brought         1\n"), "{}", report(&first));
    assert!(report(&laurel.run(&arguments)).contains("known before    1\n"));
    assert_eq!(laurel.member()["balance"], 4_000);
    assert_eq!(send_order(&laurel.address, "today", EACH), Some(202));
    laurel.get("/local/idle");
    assert_eq!(
        (&laurel.member()["balance"], &laurel.member()["lifetime_points"]),
        (&json!(0), &json!(1_000))
    );
}
