//! The house itself: which crate may name which, and that every sample event is one that AWS could send.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use tests::FUNCTIONS;

/// Our own packages, each with those of our own that it names, tests aside.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo describes the workspace");
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let named = |package: &Package| {
        let shipped =
            package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        shipped.map(|dependency| dependency.name.clone()).filter(|name| ours.contains(name)).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), named(package))).collect()
}

fn everything_named_by(package: &str) -> BTreeSet<String> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo describes the workspace");
    let package = metadata.packages.iter().find(|known| known.name.as_str() == package).expect("a package");
    package.dependencies.iter().map(|dependency| dependency.name.clone()).collect()
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
    let named = everything_named_by("domain");
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    for function in FUNCTIONS {
        let main = std::fs::read_to_string(root.join(function).join("src/main.rs")).expect("a main");
        assert!(main.lines().count() <= 30, "{function} has {} lines", main.lines().count());
    }
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
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
