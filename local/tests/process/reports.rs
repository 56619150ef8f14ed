//! Bug reports of other engines and plug-ins, each with the right value, played against the program as it is built.
//! They lie beside the repository with a player of their own.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// The folder of shared test data; `LAUREL_SHARED_DATA` names it, and by default it lies beside the repository.
fn reports() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("LAUREL_SHARED_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let player = folder.join("reports/run.py");
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    if player.is_file() && has_python {
        return Some(player);
    }
    // Not `eprintln`, which the test runner hides.
    let _ = writeln!(std::io::stderr(), "SKIPPED: there is no {}, or no python3", player.display());
    None
}

#[test]
fn what_others_reported_comes_out_right() {
    let Some(player) = reports() else { return };
    let played =
        Command::new("python3").arg(player).env("LAUREL_BIN", env!("CARGO_BIN_EXE_laurel")).output().unwrap();
    let said = String::from_utf8_lossy(&played.stdout).into_owned();
    // A case that is marked "known" is listed and does not fail.
    assert!(played.status.success(), "{said}{}", String::from_utf8_lossy(&played.stderr));
    assert!(said.contains(" cases, "), "{said}");
}
