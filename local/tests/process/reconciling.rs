//! What a platform never delivered, fetched into the local stack from the platforms' APIs that it plays itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::laurel::{Laurel, program};

const SOURCES: &str = include_str!("../../sources.toml");
/// Each source, the customer of its order, and what that earns under the programme that comes with Laurel.
const SHOPS: [(&str, &str, i64); 4] = [
    // 49.90 of goods; what else was bought is a gift card.
    ("shopify-main", "9007199254750001", 499),
    // 55.00 of goods, of which 20.00 were given back.
    ("woo-main", "31", 350),
    // 90.00 of goods, of which 30.00 were given back.
    ("bigcommerce-main", "11", 600),
    // 90.00 of goods, of which 18.00 were given back.
    ("square-main", "JDKYHBWT1D4F8MFH63DBMEN8Y4", 720),
];

/// The sources, whose platforms are where this very stack plays them.
fn sources(laurel: &Laurel, folder: &Path) -> PathBuf {
    let file = folder.join("sources.toml");
    fs::write(&file, SOURCES.replace("127.0.0.1:3000", &laurel.address)).unwrap();
    file
}

fn reconcile(laurel: &Laurel, source: &str, sources: &Path) -> Output {
    let file = sources.to_string_lossy();
    let output = laurel.run(&["reconcile", source, "--since", "2026-03-01", "--sources", &file]);
    laurel.get("/local/idle");
    output
}

fn report(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn balance(laurel: &Laurel, source: &str, customer: &str) -> Option<i64> {
    laurel.get(&format!("/members?source={source}&customer={customer}"))["balance"].as_i64()
}

#[test]
fn orders_that_no_webhook_told_give_their_points_and_a_second_time_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(&folder.path().join("data"));
    let sources = sources(&laurel, folder.path());
    for (source, customer, points) in SHOPS {
        assert_eq!(balance(&laurel, source, customer), None);
        let first = report(&reconcile(&laurel, source, &sources));
        assert!(first.contains("rejected        0\n") && !first.contains("newly stored    0\n"), "{first}");
        assert_eq!(balance(&laurel, source, customer), Some(points), "{source}");
        let second = report(&reconcile(&laurel, source, &sources));
        assert!(second.contains("newly stored    0\n"), "{source}: {second}");
        assert_eq!(balance(&laurel, source, customer), Some(points), "{source}");
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(&folder.path().join("data"));
    let sources = sources(&laurel, folder.path());
    let said = |source: &str, since: &str| {
        let file = sources.to_string_lossy();
        let output = laurel.run(&["reconcile", source, "--since", since, "--sources", &file]);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("generic-main", "2026-03-01").contains("no list of orders"));
    assert!(said("nobody", "2026-03-01").contains("there is no source nobody; there is adobe-main, "));
    assert!(said("woo-main", "3026-03-01").contains("lies in the future"));
    assert!(said("woo-main", "yesterday").contains("nor a date such as 2026-01-31"));
    let output =
        program().args(["reconcile", "woo-main", "--since", "2026-03-01"]).env_clear().output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("or --local"));
}
