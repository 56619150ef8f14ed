//! `laurel import`: a shop's past, into a deployed stack or the local one.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use domain::SourceName;
use runtime::{Clock, Engine, Random};

use super::target::Target;
use crate::import::{self, Options};

/// Rows of a second. The stream gives the shop's orders of today to the accrual behind those of the past, and one shard
/// of it takes about so many; the past must not hold up the present.
const RATE: u32 = 50;
/// What a table that is new takes in a second, with all that follows from an order.
const MAX_RATE: i64 = 500;

/// What to import.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sends past orders and refunds. Nobody is notified of the coupons and tiers that follow from them.
    ///
    /// The file is CSV with the columns customer_id,date,amount_minor,kind,order_id as for `laurel replay`, and, where
    /// it has them, currency, refund_id, email, email_verified, name and locale. Started again after a stop it goes on
    /// where it was; a file that is imported twice counts once.
    Orders(Orders),
    /// Brings members of the past, with an opening balance where they had one. Nobody is notified.
    ///
    /// The file is CSV with the columns customer_id, email or phone (as in +33612345678) or all of them, and, where it has
    /// them, name, locale, consent, joined_at, balance, reason and balance_at. Started again after a stop it goes on where it was; a file that is
    /// imported twice counts once.
    Members(Members),
}

#[derive(Debug, Args)]
pub(super) struct Orders {
    /// The past orders.
    file: PathBuf,
    /// The source whose orders they are, as in the address of its webhooks: what the platform tells of one of them
    /// later is of the same order.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| SourceName::new(text))]
    source: SourceName,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub(super) struct Members {
    /// The members.
    file: PathBuf,
    /// The source whose customers they are, where the file has a customer_id.
    #[arg(long, value_name = "NAME", value_parser = |text: &str| SourceName::new(text))]
    source: Option<SourceName>,
    #[command(flatten)]
    how: How,
}

/// How to import, and whereto.
#[derive(Debug, Args)]
struct How {
    /// The most rows of a second. Whoever has no orders coming in may go faster.
    #[arg(long, value_name = "ROWS", default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=MAX_RATE))]
    rate: u32,
    /// Where to remember how far it came. By default FILE.import.json; it is deleted at the end.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Where to write rejected rows with their reasons. By default FILE.rejected.csv.
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Begins anew where an earlier import was broken off.
    #[arg(long)]
    fresh: bool,
    /// Is content with rejected rows: the exit is 0.
    #[arg(long)]
    skip_bad_rows: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Orders(arguments) => orders(arguments).await,
        Command::Members(arguments) => members(arguments).await,
    }
}

async fn orders(arguments: Orders) -> anyhow::Result<()> {
    let Orders { file, source, how } = arguments;
    let options = how.options(file);
    let report = import::import(&how.target.store()?, &source, &options, Clock::system().now()).await?;
    how.tell(&report, report.rejected, &options)
}

async fn members(arguments: Members) -> anyhow::Result<()> {
    let Members { file, source, how } = arguments;
    let options = how.options(file);
    let engine = Engine::new(how.target.store()?, Clock::system(), Random::system());
    let report = import::import_members(&engine, source.as_ref(), &options).await?;
    how.tell(&report, report.rejected, &options)
}

impl How {
    fn options(&self, file: PathBuf) -> Options {
        let beside = |extension: &str| Path::new(&file).with_added_extension(extension);
        Options {
            state: self.state.clone().unwrap_or_else(|| beside("import.json")),
            rejected: self.rejected.clone().unwrap_or_else(|| beside("rejected.csv")),
            rate: self.rate,
            fresh: self.fresh,
            file,
        }
    }

    fn tell(&self, report: &impl fmt::Display, rejected: usize, options: &Options) -> anyhow::Result<()> {
        write!(io::stdout(), "{report}").context("standard output")?;
        if rejected > 0 && !self.skip_bad_rows {
            bail!("rejected rows: {rejected}; {} says why", options.rejected.display());
        }
        Ok(())
    }
}
