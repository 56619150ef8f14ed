//! `laurel person`: what is held of a person, for whoever asks, and how they are forgotten.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args, Subcommand};
use domain::contact::Email;
use domain::{CustomerId, ErasureId, MemberId, OrderKey, SourceName};
use runtime::{Clock, Random};
use store::Store;
use store::person::{Erasure, Sought};

use super::target::Target;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes everything that is held of a person, as one JSON document.
    Export {
        #[command(flatten)]
        who: Who,
        /// Where to; by default to standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Asks the stack to erase a person; the amounts stay.
    Erase {
        #[command(flatten)]
        who: Who,
    },
    /// Lists the erasures, none of which names a person.
    Erasures,
    /// Has the stack do every erasure again, after tables came back from a backup.
    Reapply,
}

/// Whom it is about.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").required(true))]
struct Who {
    /// The platform's customer, at --source.
    #[arg(long, group = "who", requires = "source", value_parser = |text: &str| CustomerId::new(text))]
    customer: Option<CustomerId>,
    /// Where --customer is one.
    #[arg(long, requires = "customer", value_parser = |text: &str| SourceName::new(text))]
    source: Option<SourceName>,
    /// Whoever has this e-mail, a member or a guest.
    #[arg(long, group = "who", value_parser = |text: &str| Email::new(text))]
    email: Option<Email>,
    /// The member.
    #[arg(long, group = "who", value_parser = |text: &str| MemberId::new(text))]
    member: Option<MemberId>,
    /// Whoever placed this order, such as shopify-main#1001.
    #[arg(long, group = "who", value_parser = |text: &str| OrderKey::new(text))]
    order: Option<OrderKey>,
}

impl Arguments {
    /// What it does, for the record, without a word about whom; nothing where it looks at nobody.
    pub(super) fn operation(&self) -> Option<(&Target, String)> {
        let did = match self.command {
            Command::Export { .. } => "person export",
            Command::Erase { .. } => "person erase",
            Command::Reapply => "person reapply",
            _ => return None,
        };
        Some((&self.target, did.to_owned()))
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = arguments.target.store()?;
    match arguments.command {
        Command::Export { who, out } => {
            let document = export(&store, &who, &Clock::system()).await?;
            match out {
                Some(file) => fs::write(&file, document).with_context(|| file.display().to_string()),
                None => tell(&document),
            }
        }
        Command::Erase { who } => tell(&erase(&store, &who).await?),
        Command::Erasures => tell(&erasures(&store).await?),
        Command::Reapply => {
            let count = store.reapply_erasures().await?;
            tell(&format!("{count} erasures are done again; laurel person erasures tells when."))
        }
    }
}

async fn export(store: &Store, who: &Who, clock: &Clock) -> anyhow::Result<String> {
    let sought = who.sought(store).await?;
    let document = store.export_person(erasure_id()?, &sought, clock.now()).await?;
    if document.is_empty() {
        bail!("nothing is held of this person");
    }
    Ok(serde_json::to_string_pretty(&document)?)
}

async fn erase(store: &Store, who: &Who) -> anyhow::Result<String> {
    let erasure = Erasure::of(erasure_id()?, &who.sought(store).await?);
    store.ask_erasure(&erasure).await?;
    Ok(format!("Erasure {} is asked for; laurel person erasures tells when it is done.", erasure.id()))
}

async fn erasures(store: &Store) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for erasure in store.erasures().await? {
        let state = match erasure.done_at() {
            Some(at) if !erasure.is_open() => format!("done {at:.0}"),
            _ => "open".to_owned(),
        };
        let members: Vec<_> = erasure.members().map(MemberId::as_str).collect();
        lines.push(format!("{}  {state}  {}", erasure.id(), members.join(" ")));
    }
    lines.sort_unstable();
    Ok(lines.join("\n"))
}

impl Who {
    async fn sought(&self, store: &Store) -> anyhow::Result<Sought> {
        match self {
            Self { customer: Some(customer), source: Some(source), .. } => {
                Ok(Sought::Customer(source.clone(), customer.clone()))
            }
            Self { email: Some(email), .. } => Ok(Sought::Email(email.clone())),
            Self { member: Some(member), .. } => Ok(Sought::Member(member.clone())),
            Self { order: Some(order), .. } => {
                let owner = store.owner_sought(order).await?;
                owner.with_context(|| format!("whose order {order} is, is not known"))
            }
            _ => bail!("say who: --source and --customer, --email, --member or --order"),
        }
    }
}

fn erasure_id() -> anyhow::Result<ErasureId> {
    Random::system().entropy()?.erasure_id().context("no random bytes")
}

fn tell(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("standard output")
}

#[cfg(test)]
mod tests;
