//! `laurel sign`: a `curl` command that sends a file as a source would, or a sample event signed for now.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use super::{Rules, SERVED_AT};
use crate::{curl, webhook_event};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The body to send; with --event, an event of API Gateway's.
    file: PathBuf,
    /// Prints the event, signed for now by the source that it names, for `sam local invoke --event -`.
    #[arg(long, conflicts_with_all = ["source", "to"])]
    event: bool,
    /// The source that sends it.
    #[arg(long, default_value = curl::SOURCE)]
    source: String,
    /// Where the stack is served.
    #[arg(long, default_value = SERVED_AT)]
    to: String,
    #[command(flatten)]
    rules: Rules,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let file = arguments.file.display();
    let content = fs::read(&arguments.file).with_context(|| file.to_string())?;
    let sources = arguments.rules.sources_at(&arguments.to)?;
    let now = Timestamp::now();
    let id = format!("delivery-{}", now.as_millisecond());
    let signed = if arguments.event {
        webhook_event::signed(&content, &sources, &id, now).with_context(|| file.to_string())?
    } else {
        let data = format!("--data-binary '@{file}'");
        curl::command(&sources, &arguments.to, &arguments.source, &id, now, &content, &data)?
    };
    writeln!(io::stdout(), "{signed}").context("standard output")
}
