//! `laurel reconcile`: what a platform never delivered, from its own list of orders.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use domain::time::{self, Date, TimeZone};
use domain::{SourceName, Timestamp};
use order_webhook::Reconciliation;

use super::replay::log_warnings;
use super::target::Target;
use crate::reconcile;

/// As many as an import sends, and for the same reason: what comes late must not hold up the orders of today.
const RATE: u32 = 50;
const MAX_RATE: i64 = 500;

/// Reads the platform's list of orders, and stores what its webhooks never told.
///
/// What is known stays as it is, so that it can be run at any time and as often as you like. Members get what an order
/// earns, and are told of it. The source needs an `api`: the README says which, and with which permissions.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The source, as in the address of its webhooks.
    #[arg(value_parser = |text: &str| SourceName::new(text))]
    source: SourceName,
    /// From when on: orders that changed since. A date, or an instant such as 2026-01-31T12:00:00Z; a date is midnight in
    /// UTC.
    #[arg(long, value_name = "DATE", value_parser = since)]
    since: Timestamp,
    /// The most orders of a second. Whoever has no orders coming in may go faster.
    #[arg(long, value_name = "ORDERS", default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=MAX_RATE))]
    rate: u32,
    /// The sources with their credentials, for --local. By default those that come with Laurel.
    #[arg(long, value_name = "FILE", requires = "local")]
    sources: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

fn since(text: &str) -> Result<Timestamp, String> {
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    let at = match date {
        Some(date) => time::start_of(date, &TimeZone::UTC),
        None => time::instant(text),
    };
    at.map_err(|problem| format!("{problem}, nor a date such as 2026-01-31"))
}

impl Arguments {
    /// What it does to a stack, for the record.
    pub(super) fn operation(&self) -> (&Target, String) {
        (&self.target, format!("reconcile {}", self.source))
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    log_warnings();
    let Arguments { source, since, rate, sources, target } = arguments;
    let store = target.store()?;
    let clock = target.clock().await?;
    if since > clock.now() {
        bail!("--since {since} lies in the future");
    }
    let sources = target.sources(sources.as_deref(), clock.now()).await?;
    if store.programmes().await?.is_none() {
        // The stream would forget what it cannot process.
        bail!("there is no programme yet; publish one first");
    }
    let walk = Reconciliation::begin(store, &sources, &source, since, clock)?;
    let (report, done) = reconcile::reconcile(walk, rate).await;
    write!(io::stdout(), "{report}").context("standard output")?;
    done.context("it was broken off; run it again, then what was stored is known")?;
    match report.rejected.len() {
        0 => Ok(()),
        rejected => bail!("rejected {rejected} of {}; the report says why", report.read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_midnight_in_utc() {
        let at = |text| since(text).map(|at| at.to_string());
        assert_eq!(at("2026-03-01").as_deref(), Ok("2026-03-01T00:00:00Z"));
        assert_eq!(at("2026-03-01T01:30:00+02:00").as_deref(), Ok("2026-02-28T23:30:00Z"));
        for wrong in ["yesterday", "2026-02-30", "20260301", "2026-03-01T10:00", ""] {
            let refused = at(wrong).unwrap_err();
            assert_eq!(
                refused,
                "is not an instant such as 2026-01-31T12:00:00Z (RFC 3339), nor a date such as 2026-01-31"
            );
        }
    }
}
