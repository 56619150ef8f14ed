//! A replay that is killed and started again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::laurel::program;

const EXAMPLE: &str = include_str!("../../example-orders.csv");
/// So few that it is quick, and enough for refunds, coupons and tiers.
const CUSTOMERS: [&str; 4] = ["c-0012", "c-0014", "c-0017", "c-0030"];
/// The steps after which it is killed.
const KILL_AFTER: u64 = 10;

/// A history of a few customers, and the replays of it.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let is_kept = |(number, line): &(usize, &str)| {
            *number == 0 || CUSTOMERS.iter().any(|customer| line.starts_with(customer))
        };
        let lines = EXAMPLE.lines().enumerate().filter(is_kept).map(|(_, line)| format!("{line}\n"));
        fs::write(folder.path().join("orders.csv"), lines.collect::<String>()).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command that replays it in a folder of its own.
    fn replay(&self, data: &str) -> Command {
        let mut replay = program();
        replay.arg("replay").arg(self.path("orders.csv")).args(["--as-of", "2024-06-30,2025-06-30"]);
        replay.arg("--data").arg(self.path(data)).arg("--out").arg(self.path(data).with_extension("out"));
        replay
    }

    /// Replays it to the end; the report.
    fn finish(&self, data: &str) -> String {
        let output = self.replay(data).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn results(&self, data: &str) -> [String; 2] {
        let out = self.path(data).with_extension("out");
        ["members.csv", "snapshots.csv"].map(|name| fs::read_to_string(out.join(name)).unwrap())
    }
}

/// How many steps a replay has done.
fn steps_done(data: &Path) -> Option<u64> {
    let marker: Value = serde_json::from_slice(&fs::read(data.join("replay.json")).ok()?).ok()?;
    marker["progress"]["next_step"].as_u64()
}

#[test]
fn a_replay_that_is_killed_in_the_middle_ends_as_one_that_is_not() {
    let bench = Bench::new();
    // Given a replay that was not interrupted, and one that is killed in the middle.
    let whole = bench.finish("whole");
    let mut killed = bench.replay("killed").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while steps_done(&bench.path("killed")) < Some(KILL_AFTER) {
        assert_eq!(killed.try_wait().unwrap(), None, "it ended before it could be killed");
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success());
    assert!(steps_done(&bench.path("killed")) < steps_done(&bench.path("whole")), "the kill came too late");
    // When it is started again.
    let resumed = bench.finish("killed");
    // Then it ends the same, and says which of its numbers are not whole.
    assert_eq!(bench.results("killed"), bench.results("whole"));
    assert!(!whole.contains("at least"), "{whole}");
    assert!(resumed.contains("requests        at least "), "{resumed}");
}
