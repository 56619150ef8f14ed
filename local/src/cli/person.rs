//! `laurel person`: what is held of a person, for whoever asks, and how they are forgotten.

use std::fmt::{self, Display};
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args, Subcommand};
use domain::contact::Email;
use domain::{CardFingerprint, CustomerId, ErasureId, MemberId, OrderKey, Phone, SourceName};
use runtime::{Clock, Random};
use store::person::{Erasure, PersonDocument, Sought};
use store::{DirectoryKey, Store};

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
    /// Shows what is held of a person, asks, and has the stack erase it; the amounts stay.
    Erase {
        #[command(flatten)]
        who: Who,
        /// Do not ask: for programs, which look at the export first.
        #[arg(long)]
        yes: bool,
    },
    /// Lists the erasures, none of which names a person.
    Erasures,
    /// Has the stack do every erasure again, after tables came back from a backup.
    Reapply,
}

/// Whom it is about, by any name: verified by somebody, or only told with an order.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").required(true))]
struct Who {
    /// The platform's customer, at --source.
    #[arg(long, group = "who", requires = "source", value_parser = |text: &str| CustomerId::new(text))]
    customer: Option<CustomerId>,
    /// Whoever paid with this card, by the name that --source has for it.
    #[arg(long, group = "who", requires = "source", value_parser = |text: &str| CardFingerprint::new(text))]
    card: Option<CardFingerprint>,
    /// Where --customer or --card is one.
    #[arg(
        long,
        conflicts_with_all = ["email", "phone", "member", "order"],
        value_parser = |text: &str| SourceName::new(text)
    )]
    source: Option<SourceName>,
    /// Whoever has this e-mail, a member or a guest.
    #[arg(long, group = "who", value_parser = |text: &str| Email::new(text))]
    email: Option<Email>,
    /// Whoever has this phone number, as it is dialled from everywhere: +33612345678.
    #[arg(long, group = "who", value_parser = |text: &str| Phone::new(text))]
    phone: Option<Phone>,
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

/// What an erasure would erase.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    members: Vec<String>,
    orders: usize,
    waiting: usize,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = arguments.target.store()?;
    match arguments.command {
        Command::Export { who, out } => {
            let document = export(&store, &who, &arguments.target.clock().await?).await?;
            match out {
                Some(file) => fs::write(&file, document).with_context(|| file.display().to_string()),
                None => tell(&document),
            }
        }
        Command::Erase { who, yes } => {
            let consent = |found: &Found| if yes { Ok(true) } else { ask(found) };
            tell(&erase(&store, &who, &Clock::system(), consent).await?)
        }
        Command::Erasures => tell(&erasures(&store).await?),
        Command::Reapply => {
            let count = store.reapply_erasures().await?;
            tell(&format!("{count} erasures are done again; laurel person erasures tells when."))
        }
    }
}

async fn export(store: &Store, who: &Who, clock: &Clock) -> anyhow::Result<String> {
    let document = held_of(store, &who.sought(store).await?, clock).await?;
    Ok(serde_json::to_string_pretty(&document)?)
}

async fn held_of(store: &Store, sought: &Sought, clock: &Clock) -> anyhow::Result<PersonDocument> {
    let document = store.export_person(erasure_id()?, sought, clock.now()).await?;
    if document.is_empty() {
        bail!("nothing is held of this person");
    }
    Ok(document)
}

/// Asks for an erasure of whoever is found, if there is consent to what was found.
async fn erase(
    store: &Store,
    who: &Who,
    clock: &Clock,
    consent: impl FnOnce(&Found) -> anyhow::Result<bool>,
) -> anyhow::Result<String> {
    let sought = who.sought(store).await?;
    let document = held_of(store, &sought, clock).await.context("nobody is erased")?;
    if !consent(&Found::in_document(&document))? {
        bail!("nobody is erased");
    }
    let erasure = Erasure::of(erasure_id()?, &sought);
    store.ask_erasure(&erasure).await?;
    Ok(format!("Erasure {} is asked for; laurel person erasures tells when it is done.", erasure.id()))
}

impl Found {
    fn in_document(document: &PersonDocument) -> Self {
        Self {
            members: document.members.keys().cloned().collect(),
            orders: document.orders.len(),
            waiting: document.waiting.len(),
        }
    }
}

impl Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "members         {}  {}", self.members.len(), self.members.join(" "))?;
        writeln!(f, "orders          {}", self.orders)?;
        writeln!(f, "waiting orders  {}", self.waiting)
    }
}

/// Asks whoever sits at the terminal. A program is told how to say yes beforehand.
fn ask(found: &Found) -> anyhow::Result<bool> {
    let mut out = io::stderr();
    write!(out, "{found}")?;
    if !io::stdin().is_terminal() {
        bail!("nobody is erased: there is no terminal to ask at; --yes says it beforehand");
    }
    write!(out, "Erase this person for good? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("standard input")?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

async fn erasures(store: &Store) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for erasure in store.erasures().await? {
        let state = match erasure.done_at() {
            Some(at) if erasure.found_nobody() => format!("done {at:.0}, found nobody"),
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
        let name = match self {
            Self { customer: Some(customer), source: Some(source), .. } => {
                DirectoryKey::Customer(source.clone(), customer.clone())
            }
            Self { card: Some(card), source: Some(source), .. } => {
                DirectoryKey::Card(source.clone(), card.clone())
            }
            Self { email: Some(email), .. } => DirectoryKey::Email(email.clone().into()),
            Self { phone: Some(phone), .. } => DirectoryKey::Phone(phone.clone()),
            Self { member: Some(member), .. } => return Ok(Sought::member(member.clone())),
            Self { order: Some(order), .. } => {
                let owner = store.owner_sought(order).await?;
                return owner.with_context(|| format!("whose order {order} is, is not known"));
            }
            _ => bail!("say who: --source with --customer or --card, --email, --phone, --member or --order"),
        };
        Ok(Sought::named(name))
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
