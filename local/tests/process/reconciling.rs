//! What a platform never delivered, fetched into the local stack from the platforms' APIs that it plays itself.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;

use domain::Timestamp;

use crate::laurel::{Laurel, program};

const SOURCES: &str = include_str!("../../sources.toml");
/// Each source, the customer of its order, and what that earns under the programme that comes with Laurel.
const SHOPS: [(&str, &str, i64); 6] = [
    // 49.90 of goods; what else was bought is a gift card.
    ("shopify-main", "9007199254750001", 499),
    // 55.00 of goods, of which 20.00 were given back.
    ("woo-main", "31", 350),
    // 90.00 of goods, of which 30.00 were given back.
    ("bigcommerce-main", "11", 600),
    // 90.00 of goods, of which 18.00 were given back.
    ("square-main", "JDKYHBWT1D4F8MFH63DBMEN8Y4", 720),
    // 45.00 of goods and 10.00 of tax, of which 11.00 were given back; and an invoice of 20.00.
    ("stripe-main", "cus_example_1", 560),
    // 40.00 of goods, of which 10.00 were given back.
    ("adobe-main", "31", 300),
];

/// The sources, whose platforms are where this very stack plays them.
fn sources(laurel: &Laurel, folder: &Path) -> PathBuf {
    let file = folder.join("sources.toml");
    fs::write(&file, SOURCES.replace("127.0.0.1:3000", &laurel.address)).unwrap();
    file
}

fn reconcile(laurel: &Laurel, source: &str, sources: &Path) -> Output {
    let file = sources.to_string_lossy();
    // The platforms that are played here list what they have, however old it is; but of Stripe nobody may ask so much.
    let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let output = laurel.run(&["reconcile", source, "--since", &today, "--sources", &file]);
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

/// The sources with a Shopify that answers everything like this.
fn shopify_that_answers(status: u16, body: &'static str, folder: &Path) -> PathBuf {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
        }
    });
    let file = folder.join("sources.toml");
    let at_base = SOURCES.replace("127.0.0.1:3000/local/platforms", &address.to_string());
    fs::write(&file, at_base).unwrap();
    file
}

#[test]
fn an_order_that_cannot_be_read_is_named_and_makes_the_exit_fail() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(&folder.path().join("data"));
    let sources = shopify_that_answers(200, r#"{"orders": [{"id": 3}]}"#, folder.path());
    let output = reconcile(&laurel, "shopify-main", &sources);
    assert_eq!(output.status.code(), Some(1));
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("rejected        3: the body: missing field `created_at`\n"), "{report}");
    assert!(report.contains("orders read     1\n"), "{report}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("rejected 1 of 1; the report says why"));
}

#[test]
fn a_platform_that_says_no_ends_it_with_what_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(&folder.path().join("data"));
    let sources = shopify_that_answers(401, "private", folder.path());
    let output = reconcile(&laurel, "shopify-main", &sources);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("it was broken off") && said.contains("mend api.token"), "{said}");
    assert!(!said.contains("private") && !said.contains("laurel-local-token"), "{said}");
}

#[test]
fn a_deployed_stacks_sources_are_those_of_parameter_store() {
    let folder = tempfile::tempdir().unwrap();
    let laurel = Laurel::start(&folder.path().join("data"));
    let tables = ["Orders", "Members", "Directory", "Programmes", "Erasures"];
    let tables = tables
        .map(|table| (format!("LAUREL_{}_TABLE", table.to_uppercase()), format!("laurel-{table}Table")));
    let output = program()
        .args(["reconcile", "nobody", "--since", "2026-03-01"])
        .env_clear()
        .envs(tables)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_ENDPOINT_URL_DYNAMODB", format!("http://127.0.0.1:{}", laurel.dynamodb_port()))
        .env("AWS_ENDPOINT_URL_SSM", format!("http://{}/local/ssm", laurel.address))
        .env("LAUREL_SOURCES_PATH", "/laurel/laurel/sources")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("there is no source nobody; there is adobe-main, bigcommerce-main, "), "{said}");
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
    assert!(said("stripe-main", "2026-03-01").contains("no further than 30 days"));
    assert!(said("woo-main", "3026-03-01").contains("lies in the future"));
    assert!(said("woo-main", "yesterday").contains("nor a date such as 2026-01-31"));
    let output =
        program().args(["reconcile", "woo-main", "--since", "2026-03-01"]).env_clear().output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("or --local"));
}
