//! `laurel order`: what is known of one order, and what an operator says of it against whatever is told.

use std::io::{self, Write as _};

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args, Subcommand};
use domain::{Correction, Facts, Goods, OrderKey, Says, Snapshot, Timestamp, time};
use store::Store;

use super::operations::who;
use super::target::Target;
use crate::parked;

/// What to do with an order.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Prints all that is known of it, as JSON, without the person's contact: as it counts, and every correction.
    Show(Show),
    /// Says what is otherwise than told. It holds whatever the platform tells meanwhile, and the points follow.
    ///
    /// What was posted is not changed but taken back, and posted anew. What is not named stays as it is told.
    Correct(Correct),
    /// Says that it is as it is told, after all: no correction holds any longer. They stay on record.
    AsTold(AsTold),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The order: SOURCE#ID, such as shopify-main#1001.
    #[arg(value_parser = order_key)]
    order: OrderKey,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("fact").required(true).multiple(true))]
pub(super) struct Correct {
    /// The order: SOURCE#ID, such as shopify-main#1001.
    #[arg(value_parser = order_key)]
    order: OrderKey,
    /// When it was placed, such as 2026-01-31T12:00:00Z.
    #[arg(long, group = "fact", value_name = "INSTANT", value_parser = |text: &str| time::instant(text))]
    placed_at: Option<Timestamp>,
    /// What its goods cost before refunds, as the shop prices them, in the order's currency, such as 45.90.
    #[arg(long, group = "fact", value_name = "AMOUNT", allow_negative_numbers = true)]
    goods: Option<String>,
    /// It is paid.
    #[arg(long, group = "fact", conflicts_with = "unpaid")]
    paid: bool,
    /// It is not paid.
    #[arg(long, group = "fact")]
    unpaid: bool,
    /// It is cancelled.
    #[arg(long, group = "fact", conflicts_with = "standing")]
    cancelled: bool,
    /// It is not cancelled.
    #[arg(long, group = "fact")]
    standing: bool,
    /// It earns by this version of the programme, not by the one in force when it was placed.
    #[arg(long, group = "fact", value_name = "VERSION")]
    under: Option<u32>,
    /// Why, for whoever looks at the order later. Name no customer.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(super) struct AsTold {
    /// The order: SOURCE#ID, such as shopify-main#1001.
    #[arg(value_parser = order_key)]
    order: OrderKey,
    /// Why, for whoever looks at the order later. Name no customer.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    #[command(flatten)]
    target: Target,
}

impl Command {
    /// What it does to a stack, for the record; nothing where it only looks.
    pub(super) fn operation(&self) -> Option<(&Target, String)> {
        match self {
            Self::Show(_) => None,
            Self::Correct(Correct { order, reason, target, .. }) => {
                Some((target, format!("order correct {order}: {reason}")))
            }
            Self::AsTold(AsTold { order, reason, target }) => {
                Some((target, format!("order as-told {order}: {reason}")))
            }
        }
    }
}

pub(super) fn order_key(text: &str) -> Result<OrderKey, String> {
    match OrderKey::new(text) {
        Ok(key) if text.contains('#') => Ok(key),
        Ok(_) => Err("names no source; write it as the list does, such as shopify-main#1001".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show(Show { order, target }) => show(&target.store()?, &order).await,
        Command::Correct(arguments) => {
            let store = arguments.target.store()?;
            let says = Says::Facts(arguments.facts(&store).await?);
            let Correct { order, reason, target, .. } = arguments;
            correct(&store, &order, said(&target, reason, says).await?).await
        }
        Command::AsTold(AsTold { order, reason, target }) => {
            correct(&target.store()?, &order, said(&target, reason, Says::AsTold).await?).await
        }
    }
}

/// On record with who says so.
async fn said(target: &Target, reason: String, says: Says) -> anyhow::Result<Correction> {
    Ok(Correction { by: who(target), reason, at: target.clock().await?.now(), says })
}

async fn show(store: &Store, order: &OrderKey) -> anyhow::Result<()> {
    match parked::show(store, order).await? {
        Some(shown) => say(&serde_json::to_string_pretty(&shown)?),
        None => bail!("{order}: there is no such order"),
    }
}

async fn correct(store: &Store, order: &OrderKey, correction: Correction) -> anyhow::Result<()> {
    match store.correct(order, &correction).await? {
        Some(_) => say(&format!("{order}: is corrected; its points follow within seconds")),
        None => bail!("{order}: there is no such order"),
    }
}

impl Correct {
    async fn facts(&self, store: &Store) -> anyhow::Result<Facts> {
        let state = store.order(&self.order).await?;
        let state = state.with_context(|| format!("{}: there is no such order", self.order))?;
        let Some(snapshot) = state.snapshot else {
            bail!("{}: only refunds of it are known; there is nothing to correct", self.order);
        };
        if let Some(version) = self.under {
            check_version(store, version).await?;
        }
        Ok(Facts {
            placed_at: self.placed_at,
            goods: self.goods.as_deref().map(|amount| goods(amount, &snapshot)).transpose()?,
            paid: either(self.paid, self.unpaid),
            cancelled: either(self.cancelled, self.standing),
            under: self.under,
        })
    }
}

/// Whether there is such a version of the programme.
pub(super) async fn check_version(store: &Store, version: u32) -> anyhow::Result<()> {
    let programmes = store.programmes().await?.context("no programme is published")?;
    if programmes.numbered(version).is_some() {
        return Ok(());
    }
    let numbers: Vec<_> = programmes.numbers().map(|number| number.to_string()).collect();
    bail!("there is no version {version} of the programme; there is {}", numbers.join(", "))
}

fn either(yes: bool, no: bool) -> Option<bool> {
    (yes || no).then_some(yes)
}

/// Goods of this amount, with as large a part of tax as those that were told.
fn goods(amount: &str, told: &Snapshot) -> anyhow::Result<Goods> {
    let amount = told.currency.minor_units(amount).with_context(|| format!("--goods {amount}"))?;
    if amount < 0 {
        bail!("--goods must not be below 0");
    }
    Ok(told.goods.at(amount)?)
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("standard output")
}
