//! A replay ends the same however often it is run or interrupted, and as an independent program has worked it out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::{Date, Programme};
use local::replay::{Options, ReplayError, replay};
use order_webhook::Sources;
use tempfile::TempDir;

const SOURCES: &str = include_str!("../../../local/sources.toml");
const PROGRAMME: &str = include_str!("../../../programme.toml");
const EXAMPLE: &str = include_str!("../../../local/example-orders.csv");

/// Steps between two interruptions: so few that a small history is interrupted several times.
const STEPS_UNTIL_KILLED: usize = 17;

/// A folder with a history, and what a replay of it wrote.
struct Bench {
    folder: TempDir,
    programme: Programme,
    as_of: Vec<Date>,
}

impl Bench {
    fn new(history: &str, programme: &str, as_of: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("orders.csv"), history).unwrap();
        let as_of = as_of.iter().map(|date| date.parse().unwrap()).collect();
        Self { folder, programme: Programme::from_toml(programme).unwrap(), as_of }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn options(&self, data: &str) -> Options {
        Options {
            file: self.path("orders.csv"),
            data: self.path(data),
            programme: self.programme.clone(),
            sources: Sources::from_toml(SOURCES).unwrap(),
            as_of: self.as_of.clone(),
            out: Some(self.path(data).with_extension("out")),
            fresh: false,
            skip_bad_rows: false,
            stop_after: None,
        }
    }

    /// `members.csv` and `snapshots.csv` of the replay over a data folder.
    fn results(&self, data: &str) -> [String; 2] {
        let out = self.path(data).with_extension("out");
        ["members.csv", "snapshots.csv"].map(|name| fs::read_to_string(out.join(name)).unwrap())
    }
}

/// The lines of a CSV file whose first field is one of these customers', after its first line.
fn only(file: &str, customers: &BTreeSet<&str>) -> String {
    let theirs = |line: &&str| customers.contains(line.split(',').next().unwrap_or_default());
    let mut kept: Vec<_> = file.lines().take(1).collect();
    kept.extend(file.lines().skip(1).filter(theirs));
    kept.join("\n") + "\n"
}

#[tokio::test]
async fn a_replay_that_is_interrupted_again_and_again_ends_as_one_that_is_not() {
    let customers = BTreeSet::from(["c-0012", "c-0014", "c-0017", "c-0021", "c-0025", "c-0030"]);
    let bench = Bench::new(&only(EXAMPLE, &customers), PROGRAMME, &["2024-06-30", "2025-12-31"]);

    let report = replay(bench.options("whole")).await.unwrap().to_string();
    let mut interruptions = 0;
    let resumed = loop {
        match replay(Options { stop_after: Some(STEPS_UNTIL_KILLED), ..bench.options("parts") }).await {
            Ok(report) => break report.to_string(),
            Err(ReplayError::Stopped) => interruptions += 1,
            Err(error) => panic!("{error}"),
        }
    };

    assert!(interruptions > 2, "{interruptions}");
    assert_eq!(bench.results("parts"), bench.results("whole"));
    let counted = |report: &str| report.lines().take_while(|line| !line.starts_with("messages")).count();
    assert_eq!(
        resumed.lines().take(counted(&resumed)).collect::<Vec<_>>(),
        report.lines().take(counted(&report)).collect::<Vec<_>>()
    );

    // Once done, another start only writes the results again.
    fs::remove_dir_all(bench.path("parts").with_extension("out")).unwrap();
    replay(Options { stop_after: Some(0), ..bench.options("parts") }).await.unwrap();
    assert_eq!(bench.results("parts"), bench.results("whole"));
}

#[tokio::test]
async fn bad_rows_stop_a_replay_before_anything_is_sent_or_are_left_out() {
    let history = "customer_id,date,amount_minor,kind,order_id\n\
                   c-1,2024-01-01,50000,order,o-1\n\
                   c-1,2024-01-02,50000,order,o-1\n\
                   c-1,yesterday,1,order,o-2\n";
    let bench = Bench::new(history, PROGRAMME, &["2023-12-31"]);

    let error = replay(bench.options("data")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 bad rows\n  line 3: order \"o-1\" stands in the file already; the first one stays\n  line 4: date \
         \"yesterday\" is neither a date such as 2026-01-31 nor an instant such as 2026-01-31T12:00:00+01:00 (of 31/01/2026 and 01/31/2026 those \
         are read that can be only one day)\nMend them, or leave them out with --skip-bad-rows."
    );
    assert!(!bench.path("data").exists());

    let report = replay(Options { skip_bad_rows: true, ..bench.options("data") }).await.unwrap().to_string();
    assert!(report.contains("bad rows        2\n"), "{report}");
    let [members, snapshots] = bench.results("data");
    assert_eq!(members, "customer_id,lifetime_points,balance,tier,coupons,expires_at\nc-1,5000,0,,1,\n");
    assert_eq!(snapshots, "customer_id,date,balance,status_points,tier\n");
}

#[tokio::test]
async fn a_file_without_rows_has_no_members() {
    let bench = Bench::new("order_id,kind,amount_minor,date,customer_id\n", PROGRAMME, &[]);
    replay(bench.options("data")).await.unwrap();
    let [members, snapshots] = bench.results("data");
    assert_eq!(members, "customer_id,lifetime_points,balance,tier,coupons,expires_at\n");
    assert_eq!(snapshots, "customer_id,date,balance,status_points,tier\n");
}

/// How many customers of the known answer are checked here; the whole of it takes minutes without optimisation.
const CUSTOMERS_OF_KNOWN_ANSWER: usize = 150;

#[tokio::test]
async fn a_replay_gives_the_known_answer() {
    let Some(data) = tests::shared_data() else { return };
    let history = fs::read_to_string(data.join("cdnow-orders.csv")).unwrap();
    let expected = data.join("cdnow-expected");
    let programme = fs::read_to_string(expected.join("programme.toml")).unwrap();
    let every: BTreeSet<_> = history.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let customers = every.into_iter().take(CUSTOMERS_OF_KNOWN_ANSWER).collect();
    let days = ["1997-03-31", "1997-06-30", "1997-12-31", "1998-02-28", "1998-06-30"];

    // The members are told as of the last row of the whole file, whosever it is.
    let last_day = history.lines().skip(1).filter_map(|line| line.split(',').nth(1)).max().unwrap();
    let clock = format!("the-last,{last_day},0,order,0,the-last\n");
    let bench = Bench::new(&(only(&history, &customers) + &clock), &programme, &days);
    replay(bench.options("data")).await.unwrap();

    let mut checked = customers;
    checked.insert("customer_id");
    let [members, snapshots] = bench.results("data").map(|file| sorted(&only(&file, &checked)));
    assert_eq!(members, sorted(&only(&unpacked(&expected.join("members.csv.gz")), &checked)));
    assert_eq!(snapshots, sorted(&only(&unpacked(&expected.join("snapshots.csv.gz")), &checked)));
}

/// The order of the known answer's rows is free.
fn sorted(file: &str) -> Vec<String> {
    let mut lines: Vec<_> = file.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn unpacked(file: &Path) -> String {
    let output = Command::new("gzip").arg("-dc").arg(file).output().unwrap();
    assert!(output.status.success(), "gzip: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_programme_that_asks_for_enrolment_is_not_replayed_because_nobody_would_be_a_member() {
    let programme = PROGRAMME.replace("enrolment = \"automatic\"", "enrolment = \"explicit\"");
    let bench = Bench::new(EXAMPLE, &programme, &[]);
    let refused = replay(bench.options("data")).await;
    assert!(matches!(refused, Err(ReplayError::AsksForEnrolment)), "{refused:?}");
}
