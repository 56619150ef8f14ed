//! `laurel operations`: what operators did, and who.

use std::io::{self, Write as _};

use anyhow::Context as _;
use clap::Args;
use runtime::{Clock, config};
use store::Operation;

use super::target::Target;

/// Who an operator is, where `--as` does not say.
const OPERATOR: &str = "LAUREL_OPERATOR";
/// The longest name and the longest description that are kept, in characters.
const MAX_CHARACTERS: usize = 300;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    for Operation { at, by, did } in arguments.target.store()?.operations().await? {
        writeln!(io::stdout(), "{at:.0}  {by}  {did}").context("standard output")?;
    }
    Ok(())
}

/// Notes what is about to be done. What cannot be noted is not done.
pub(super) async fn note(target: &Target, did: &str) -> anyhow::Result<()> {
    let short = |text: &str| text.chars().take(MAX_CHARACTERS).collect();
    let operation = Operation { at: Clock::system().now(), by: short(&who(target)), did: short(did) };
    Ok(target.store()?.record_operation(&operation).await?)
}

/// As the operator says; else by the credentials, whose access key CloudTrail knows.
pub(super) fn who(target: &Target) -> String {
    let told = target.operator().map(str::to_owned).or_else(|| config::optional(OPERATOR));
    let of_key = || match config::optional("AWS_ACCESS_KEY_ID") {
        Some(key) if !target.is_local() => format!("access key {key}"),
        _ => "this machine".to_owned(),
    };
    told.unwrap_or_else(of_key)
}
