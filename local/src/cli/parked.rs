//! `laurel parked`: orders that could not be processed, and what an operator does with them.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use domain::{Correction, Facts, OrderKey, Says};
use store::Store;

use super::operations::who;
use super::order::{check_version, order_key};
use super::target::Target;
use crate::parked::{self, Handled};

/// Whoever has more parked orders at once mends one cause, not each order.
const MOST_LISTED: &str = "1000";

/// What to do with parked orders.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists them, the one that lies there longest first.
    ///
    /// It reads the whole table of orders, half a kilobyte each or so: for a million orders about one cent and one
    /// minute. It ends as soon as it has found as many as --limit says.
    List(List),
    /// Prints all that is known of an order, parked or not, as JSON, without the person's contact.
    Show(Show),
    /// Takes orders up again, parked or dropped: within seconds the accrual tries them as they are.
    ///
    /// What fails again is parked again, with its new reason, and the alarm sounds again.
    Retry(Retry),
    /// Leaves a parked order unprocessed for good: it is parked no longer, and the reason stays on the order.
    ///
    /// If the platform tells something new of it, it is taken up again. `laurel parked retry ORDER` takes it up, too.
    Drop(Drop),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Prints JSON instead of a line for each.
    #[arg(long)]
    json: bool,
    /// The most that are looked for.
    #[arg(long, value_name = "ORDERS", default_value = MOST_LISTED)]
    limit: NonZeroUsize,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The order, as the list names it: SOURCE#ID.
    #[arg(value_parser = order_key)]
    order: OrderKey,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(super) struct Retry {
    /// The orders, as the list names them: SOURCE#ID.
    #[arg(value_name = "ORDER", value_parser = order_key, required_unless_present = "all")]
    orders: Vec<OrderKey>,
    /// Every parked order, which are looked for as `laurel parked list` does.
    #[arg(long, conflicts_with_all = ["orders", "under"])]
    all: bool,
    /// By this version of the programme, not by the one in force when they were placed: a rule added later counts too.
    ///
    /// On record with each order, as `laurel order correct --under` puts it.
    #[arg(long, value_name = "VERSION", requires = "reason")]
    under: Option<u32>,
    /// Why --under. Name no customer.
    #[arg(long, value_name = "TEXT", requires = "under", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: Option<String>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(super) struct Drop {
    /// The order, as the list names it: SOURCE#ID.
    #[arg(value_parser = order_key)]
    order: OrderKey,
    /// Why, for whoever looks at the order later. Name no person.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    #[command(flatten)]
    target: Target,
}

impl Command {
    /// What it does to a stack, for the record; nothing where it only looks.
    pub(super) fn operation(&self) -> Option<(&Target, String)> {
        match self {
            Self::List(_) | Self::Show(_) => None,
            Self::Retry(Retry { all: true, target, .. }) => Some((target, "parked retry --all".to_owned())),
            Self::Retry(Retry { orders, target, under, reason, .. }) => {
                let orders: Vec<&str> = orders.iter().map(OrderKey::as_str).collect();
                let under = under.map(|version| format!(" --under {version}: ")).unwrap_or_default();
                let reason = reason.as_deref().unwrap_or_default();
                Some((target, format!("parked retry {}{under}{reason}", orders.join(" "))))
            }
            Self::Drop(Drop { order, reason, target }) => {
                Some((target, format!("parked drop {order}: {reason}")))
            }
        }
    }
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List(arguments) => list(arguments).await,
        Command::Show(arguments) => show(arguments).await,
        Command::Retry(arguments) => retry(arguments).await,
        Command::Drop(arguments) => drop_order(arguments).await,
    }
}

async fn list(arguments: List) -> anyhow::Result<()> {
    let listed = parked::list(&arguments.target.store()?, arguments.limit.get()).await?;
    if arguments.json {
        return say(&serde_json::to_string_pretty(&listed)?);
    }
    for line in &listed.parked {
        say(&format!("{}  {:.0}  {}", line.order, line.at, line.reason))?;
    }
    if listed.more {
        say(&format!("There may be more than these {}: --limit looks further.", listed.parked.len()))?;
    }
    Ok(())
}

async fn show(arguments: Show) -> anyhow::Result<()> {
    let order = arguments.order;
    match parked::show(&arguments.target.store()?, &order).await? {
        Some(shown) => say(&serde_json::to_string_pretty(&shown)?),
        None => bail!("{order}: there is no such order"),
    }
}

async fn retry(arguments: Retry) -> anyhow::Result<()> {
    let store = arguments.target.store()?;
    if arguments.all {
        return retry_all(&store).await;
    }
    let ruling = arguments.ruling(&store).await?;
    let mut left = 0_usize;
    for order in &arguments.orders {
        let handled = match &ruling {
            Some(ruling) => parked::retry_under(&store, order, ruling).await?,
            None => parked::retry(&store, order).await?,
        };
        let (done, told) = match handled {
            Handled::Done => (true, "is taken up again"),
            Handled::NotAside => (false, "is neither parked nor dropped"),
            Handled::Unknown => (false, "there is no such order"),
        };
        left += usize::from(!done);
        say(&format!("{order}: {told}"))?;
    }
    if left > 0 { bail!("{left} of {} were not taken up", arguments.orders.len()) } else { Ok(()) }
}

impl Retry {
    /// What an operator says of the version by which the orders earn.
    async fn ruling(&self, store: &Store) -> anyhow::Result<Option<Correction>> {
        let (Some(version), Some(reason)) = (self.under, &self.reason) else { return Ok(None) };
        check_version(store, version).await?;
        let by = who(&self.target);
        let says = Says::Facts(Facts { under: Some(version), ..Facts::default() });
        let at = self.target.clock().await?.now();
        Ok(Some(Correction { by, reason: reason.clone(), at, says }))
    }
}

/// Page by page, so that it needs no memory for them. What is parked again behind the scan is not met twice.
async fn retry_all(store: &Store) -> anyhow::Result<()> {
    let mut taken_up = 0_usize;
    let mut start = None;
    loop {
        let page = store.parked_page(start.as_ref()).await?;
        for order in page.parked {
            // Whoever was quicker took it up.
            taken_up += usize::from(store.unpark(&order.key).await?);
        }
        start = page.next;
        if start.is_none() {
            return say(&format!("taken up again: {taken_up}"));
        }
    }
}

async fn drop_order(arguments: Drop) -> anyhow::Result<()> {
    let Drop { order, reason, target } = arguments;
    match parked::drop_order(&target.store()?, &order, &reason, target.clock().await?.now()).await? {
        Handled::Done => say(&format!("{order}: is dropped")),
        Handled::NotAside => bail!("{order}: is not parked"),
        Handled::Unknown => bail!("{order}: there is no such order"),
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("standard output")
}
