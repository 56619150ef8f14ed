//! `laurel import`: a shop's past, into a deployed stack or the local one.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use domain::{SourceName, Timestamp};
use runtime::{Engine, Random};

use super::target::Target;
use crate::import::{self, Exporter, Layout, NamedColumn, Options, Plan};
use crate::table::Decimal;

/// Rows of a second. The stream gives the shop's orders of today to the accrual behind those of the past, and one shard
/// of it takes about so many; the past must not hold up the present.
const RATE: u32 = 50;
/// What a table that is new takes in a second, with all that follows from an order.
const MAX_RATE: i64 = 500;

/// What to import.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sends past orders and refunds. Members get no message of the coupons and tiers that follow; integrators get events.
    ///
    /// The file is a table (CSV, by commas, semicolons or tabs) with the columns
    /// customer_id,date,amount_minor,kind,order_id as for `laurel replay`, and, where it has them, currency, refund_id,
    /// email, email_verified, name and locale. Started again after a stop it goes on
    /// where it was; a file that is imported twice counts once.
    Orders(Orders),
    /// Brings members of the past, with an opening balance where they had one. They get no message of it.
    ///
    /// The file is a table (CSV, by commas, semicolons or tabs) with the columns customer_id, email or phone (as in
    /// +33612345678) or all of them, and, where it has them, name (or first_name and last_name), locale, consent,
    /// joined_at, balance, reason and balance_at; or another programme's export, with --from or --column. Started again
    /// after a stop it goes on where it was; a file that is imported twice counts once.
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
    /// Whose export the file is.
    #[arg(long, value_enum, value_name = "PROGRAMME", default_value_t)]
    from: Exporter,
    /// A column that the file calls otherwise, as in --column "balance=Points approved".
    #[arg(long = "column", value_name = "OURS=THEIRS")]
    columns: Vec<NamedColumn>,
    /// How the file writes numbers, where 5,100 or 5.100 could be either: point (5,100.00) or comma (5.100,00).
    #[arg(long, value_enum, value_name = "SIGN")]
    decimal: Option<Decimal>,
    /// Why members have their opening balances, where the file gives no reason.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    how: How,
}

/// How to import, and whereto.
#[derive(Debug, Args)]
struct How {
    /// The most rows of a second. Whoever has no orders coming in may go faster.
    #[arg(long, value_name = "ROWS", default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=MAX_RATE))]
    rate: u32,
    /// Where to remember how far it came. By default FILE.orders-import.json or FILE.members-import.json; it is deleted at
    /// the end.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Where to write rejected rows, whole and with their reasons, to be mended and imported. By default
    /// FILE.orders-rejected.csv or FILE.members-rejected.csv.
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Begins anew where an earlier import was broken off.
    #[arg(long)]
    fresh: bool,
    /// Is content with rejected rows: the exit is 0.
    #[arg(long)]
    skip_bad_rows: bool,
    /// Says what it would do, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Does not ask whether the source is connected: for a shop that will be.
    #[arg(long)]
    any_source: bool,
    /// The sources, for --local. By default those that come with Laurel.
    #[arg(long, value_name = "FILE", requires = "local")]
    sources: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

impl Command {
    /// What it does to a stack, for the record.
    pub(super) fn operation(&self) -> (&Target, String) {
        match self {
            Self::Orders(Orders { file, source, how }) => {
                (&how.target, format!("import orders {} of {source}", file.display()))
            }
            Self::Members(Members { file, how, .. }) => {
                (&how.target, format!("import members {}", file.display()))
            }
        }
    }
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Orders(arguments) => orders(arguments).await,
        Command::Members(arguments) => members(arguments).await,
    }
}

async fn orders(arguments: Orders) -> anyhow::Result<()> {
    let Orders { file, source, how } = arguments;
    let now = how.target.clock().await?.now();
    how.check(&source, now).await?;
    let store = how.target.store()?;
    if how.dry_run {
        return how.tell_plan(&import::plan(&store, &source, &file, now).await?);
    }
    let options = how.options(file, "orders");
    let report = import::import(&store, &source, &options, now).await?;
    how.tell(&report, report.rejected, &options)
}

async fn members(arguments: Members) -> anyhow::Result<()> {
    let Members { file, source, from, columns, decimal, reason, how } = arguments;
    let layout = Layout { from, columns, decimal, reason };
    let clock = how.target.clock().await?;
    if let Some(source) = &source {
        how.check(source, clock.now()).await?;
    }
    let store = how.target.store()?;
    if how.dry_run {
        let plan = import::plan_members(&store, source.as_ref(), &layout, &file, clock.now()).await?;
        return how.tell_plan(&plan);
    }
    let options = how.options(file, "members");
    let engine = Engine::new(store, clock, Random::system());
    let report = import::import_members(&engine, source.as_ref(), &layout, &options).await?;
    how.tell(&report, report.rejected, &options)
}

impl How {
    /// Asks whether the source is connected: one that is misspelt would be another shop's, for ever.
    async fn check(&self, source: &SourceName, now: Timestamp) -> anyhow::Result<()> {
        if self.any_source {
            return Ok(());
        }
        let known = self.target.sources(self.sources.as_deref(), now).await;
        let known =
            known.context("the sources cannot be read, to check --source (--any-source leaves that out)")?;
        let known = known.names();
        if !known.contains(source) {
            let names: Vec<String> = known.iter().map(ToString::to_string).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            bail!(
                "there is no source {source}; connected are: {names}. Name one of them, connect it first, or say \
                 --any-source if it will be"
            );
        }
        Ok(())
    }

    fn options(&self, file: PathBuf, what: &str) -> Options {
        let beside = |extension: &str| Path::new(&file).with_added_extension(format!("{what}-{extension}"));
        Options {
            state: self.state.clone().unwrap_or_else(|| beside("import.json")),
            rejected: self.rejected.clone().unwrap_or_else(|| beside("rejected.csv")),
            rate: self.rate,
            fresh: self.fresh,
            file,
        }
    }

    fn tell_plan(&self, plan: &Plan) -> anyhow::Result<()> {
        write!(io::stdout(), "{plan}").context("standard output")?;
        if plan.rejected() > 0 && !self.skip_bad_rows {
            bail!("rows that would be rejected: {}", plan.rejected());
        }
        Ok(())
    }

    fn tell(&self, report: &impl fmt::Display, rejected: usize, options: &Options) -> anyhow::Result<()> {
        write!(io::stdout(), "{report}").context("standard output")?;
        if rejected > 0 && !self.skip_bad_rows {
            bail!("rejected rows: {rejected}; {} says why", options.rejected.display());
        }
        Ok(())
    }
}
