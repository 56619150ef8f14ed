//! `laurel verify`: walks one stack through what it is for, and prints what it saw.

use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

/// The script, which speaks to the stack from outside, with nothing of this program's but its address.
const SCRIPT: &str = include_str!("../../../scripts/verify");

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Arguments {
    /// --local, --port, --source, --amount; --help says more.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let ended = Command::new("python3").arg("-c").arg(SCRIPT).args(arguments.arguments).status();
    if ended.context("verify needs Python 3 as python3")?.success() { Ok(()) } else { bail!("verify failed") }
}
