//! `laurel check`: every mistake of a programme and of the sources' file, and every message that members will get.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use domain::Programme;
use notifications::Preview;
use order_webhook::Sources;

use super::{checked, read};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The programme.
    file: PathBuf,
    /// The sources with their secrets, to be checked too.
    #[arg(long, value_name = "FILE")]
    sources: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { file, sources } = arguments;
    let sources = sources.map(|file| read(&file).map(|text| (file, text))).transpose()?;
    let sources = sources
        .map(|(file, text)| Sources::from_toml(&text).map(drop).with_context(|| file.display().to_string()));
    let programme = checked(file.clone(), &read(&file)?);
    // Whatever is wrong with the one, the other is looked at, too.
    let programme = match (programme, sources) {
        (Err(programme), Some(Err(sources))) => return Err(sources.context(programme)),
        (programme, sources) => {
            sources.transpose()?;
            programme?
        }
    };
    write!(io::stdout(), "{}", shown(&file.display().to_string(), &programme)).context("standard output")
}

fn shown(file: &str, programme: &Programme) -> String {
    let previews = notifications::previews(programme);
    let mut text = format!("{file} is right. Its members will read, with facts made up for show:\n");
    for Preview { event, locale, channel, title, body } in previews {
        let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
        // Writing to a text never fails.
        let _ = write!(text, "\n[messages.{event}.{locale}.{channel}]\n  {title}\n{body}");
    }
    text
}
