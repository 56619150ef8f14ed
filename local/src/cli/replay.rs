//! `laurel replay`: sends an order history through the stack in simulated time.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use domain::Date;
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Rules;
use crate::replay::{self, Options};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The order history: CSV with the columns customer_id,date,amount_minor,kind,order_id.
    file: PathBuf,
    /// The folder of the replay's data. Started again, the replay goes on with what it finds there.
    #[arg(long, value_name = "DIR", default_value = ".laurel-replay")]
    data: PathBuf,
    /// Begins anew, whatever the data folder holds of an earlier replay.
    #[arg(long)]
    fresh: bool,
    /// Leaves bad rows out and counts them, instead of stopping before anything is sent.
    #[arg(long)]
    skip_bad_rows: bool,
    /// Days, in the programme's zone, at whose end the members are written down, such as 2025-06-30,2025-12-31.
    #[arg(long, value_name = "DATES", value_delimiter = ',')]
    as_of: Vec<Date>,
    /// Where to write members.csv and snapshots.csv.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    rules: Rules,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    log_warnings();
    let options = Options {
        programme: arguments.rules.programme()?,
        sources: arguments.rules.sources()?,
        file: arguments.file,
        data: arguments.data,
        as_of: arguments.as_of,
        out: arguments.out,
        fresh: arguments.fresh,
        skip_bad_rows: arguments.skip_bad_rows,
        stop_after: None,
    };
    let report = replay::replay(options).await?;
    write!(io::stdout(), "{report}").context("standard output")
}

/// A replay runs thousands of reviews, each of which would say so; only what is wrong is worth a line beside the bar.
pub(super) fn log_warnings() {
    let format = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(io::stderr).compact();
    if format.finish().with(runtime::telemetry::filter(Level::WARN)).try_init().is_err() {
        tracing::debug!("logging was already started");
    }
}
