//! Writes the plans by which phone numbers are read, from libphonenumber as the crate `phonenumber` has it (ADR 5).

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

use phonenumber::metadata::{DATABASE, Metadata};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let regions = (1..=999_u16).filter_map(|code| DATABASE.by_code(&code)).flatten();
    let plans: String = regions.filter_map(line_of).map(|line| line + "\n").collect();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("plans.tsv"), plans)?;
    Ok(())
}

/// One region as a line of the plans; nothing where no person has a number of it. Numbers that a firm pays for, or makes
/// others pay, are no person's.
fn line_of(metadata: &Metadata) -> Option<String> {
    let plain = |pattern: &str| pattern.replace(char::is_whitespace, "");
    let kinds = metadata.descriptors();
    let kinds = [kinds.fixed_line(), kinds.mobile(), kinds.voip(), kinds.personal_number()];
    let numbers: BTreeSet<_> =
        kinds.into_iter().flatten().map(|kind| plain(kind.national_number().as_str())).collect();
    let abroad = metadata.international_prefix().map(|pattern| plain(pattern.as_str()));
    let prefix = metadata.national_prefix_for_parsing().map(|pattern| plain(pattern.as_str()));
    let fields = [
        metadata.id().to_owned(),
        metadata.country_code().to_string(),
        abroad.unwrap_or_default(),
        prefix.or(metadata.national_prefix().map(str::to_owned)).unwrap_or_default(),
        metadata.national_prefix_transform_rule().unwrap_or_default().to_owned(),
        numbers.iter().cloned().collect::<Vec<_>>().join("|"),
    ];
    (!numbers.is_empty()).then(|| fields.join("\t"))
}
