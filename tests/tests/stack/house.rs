//! The house itself: which crate may name which, what is built, and what is built once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tests::FUNCTIONS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What `cargo` says of the workspace.
fn cargo(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    let said = command.args(arguments).args(["--locked", "--offline"]).current_dir(root()).output();
    let said = said.expect("cargo runs");
    assert!(said.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).expect("text")
}

/// The packages of the workspace, as `cargo metadata` describes them.
fn packages() -> Vec<Value> {
    let mut metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).expect("JSON");
    let Value::Array(packages) = metadata["packages"].take() else { panic!("no packages") };
    packages
}

fn name_of(described: &Value) -> String {
    described["name"].as_str().expect("a name").to_owned()
}

/// What a package names, of one kind of dependency or of all.
fn named_by(package: &Value, kind: Option<&Value>) -> BTreeSet<String> {
    let dependencies = package["dependencies"].as_array().expect("dependencies");
    dependencies.iter().filter(|named| kind.is_none_or(|kind| named["kind"] == *kind)).map(name_of).collect()
}

/// Our own packages, each with those of our own that it names, tests aside.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let packages = packages();
    let ours: BTreeSet<String> = packages.iter().map(name_of).collect();
    let shipped = |package| &named_by(package, Some(&Value::Null)) & &ours;
    packages.iter().map(|package| (name_of(package), shipped(package))).collect()
}

#[test]
fn dependencies_point_from_functions_to_the_rules_and_never_back() {
    let layers = [("domain", vec![]), ("store", vec!["domain"]), ("runtime", vec!["domain", "store"])];
    let dependencies = dependencies();
    for (package, allowed) in layers {
        let allowed: BTreeSet<String> = allowed.into_iter().map(str::to_owned).collect();
        assert!(dependencies[package].is_subset(&allowed), "{package} names {:?}", dependencies[package]);
    }
    let shared: BTreeSet<String> = ["domain", "store", "runtime"].map(str::to_owned).into();
    for function in FUNCTIONS {
        assert!(dependencies[function].is_subset(&shared), "{function} names {:?}", dependencies[function]);
    }
}

#[test]
fn the_rules_know_no_aws_no_runtime_and_no_http() {
    let packages = packages();
    let domain = packages.iter().find(|package| package["name"] == "domain").expect("the rules");
    let named = named_by(domain, None);
    let foreign: Vec<&String> = named
        .iter()
        .filter(|name| {
            ["aws", "lambda", "tokio", "http", "ring", "tracing"].iter().any(|part| name.starts_with(part))
        })
        .collect();
    assert!(foreign.is_empty(), "domain names {foreign:?}");
}

#[test]
fn only_the_store_names_the_database_in_its_sources() {
    let root = root();
    for folder in ["functions", "shared/domain"] {
        for file in rust_files(&root.join(folder)) {
            let text = std::fs::read_to_string(&file).expect("a source file");
            let names = text.contains("aws_sdk_dynamodb")
                && !file.components().any(|part| part.as_os_str() == "tests");
            assert!(!names || file.ends_with("tests.rs"), "{} names the DynamoDB SDK", file.display());
        }
    }
}

#[test]
fn a_functions_main_is_wiring_of_thirty_lines_at_most() {
    let root = root().join("functions");
    for function in FUNCTIONS {
        let main = std::fs::read_to_string(root.join(function).join("src/main.rs")).expect("a main");
        assert!(main.lines().count() <= 30, "{function} has {} lines", main.lines().count());
    }
}

/// The features with which each package is built for one way of calling cargo, that of build scripts aside.
fn features(arguments: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut features = BTreeMap::<String, BTreeSet<String>>::new();
    let tree = ["tree", "--prefix", "none", "--no-dedupe", "--format", "{p}\t{f}"];
    for line in cargo(&[&tree[..], arguments].concat()).lines().filter(|line| !line.is_empty()) {
        let (package, enabled) = line.split_once('\t').expect("a package and its features");
        // `v1.2.3 (proc-macro)`, `(*)`, and the folder of one of ours.
        let package = package.split(" (").next().expect("a name and a version");
        features.entry(package.to_owned()).or_default().insert(enabled.to_owned());
    }
    features
}

#[test]
fn cargo_run_and_the_tests_share_one_build_of_every_library() {
    let run = features(&["-p", "local", "-e", "normal"]);
    for tests in [&["-p", "tests"][..], &["--workspace"]] {
        let tested = features(&[tests, &["-e", "normal,dev"]].concat());
        let apart: Vec<_> = run
            .iter()
            .filter(|(package, enabled)| tested.get(*package) != Some(enabled))
            .map(|(package, enabled)| format!("{package}: {enabled:?}, in tests {:?}", tested.get(package)))
            .collect();
        assert!(
            apart.is_empty(),
            "{tests:?} builds these and all that names them once more; name the features in local/Cargo.toml \
             for both: {apart:#?}"
        );
    }
}

#[test]
fn a_package_has_one_binary_of_integration_tests_at_most() {
    for package in packages() {
        let targets = package["targets"].as_array().expect("targets");
        let binaries: Vec<String> =
            targets.iter().filter(|target| target["kind"][0] == "test").map(name_of).collect();
        assert!(
            binaries.len() <= 1,
            "{} has {binaries:?}, each of which links everything: make them modules of one",
            name_of(&package)
        );
    }
}

#[test]
fn no_binary_of_ours_is_built_once_more_for_tests_that_it_does_not_have() {
    for package in packages() {
        for target in package["targets"].as_array().expect("targets") {
            if target["kind"][0] == "bin" {
                assert_eq!(target["test"], false, "{}: say `test = false`", name_of(target));
            }
            if target["kind"][0] == "lib" {
                assert_eq!(target["doctest"], false, "{}: say `doctest = false`", name_of(target));
            }
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
