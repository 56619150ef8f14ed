//! `laurel publish`: publishes a programme to a stack.

mod joining;
mod touched;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use domain::programme::Version;
use domain::{Programme, Timestamp};
use runtime::ProgrammeCache;
use store::{Store, StoreError};

use self::touched::Touched;
use super::target::Target;
use super::{checked, question, read};

/// A new version is in force only when no function goes by an older one any more: twice as long as they keep one,
/// for a slow write and for clocks that differ.
const NOTICE: Duration = Duration::from_secs(2 * ProgrammeCache::KEPT.as_secs());

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The programme.
    file: PathBuf,
    /// Hours over which everybody is looked at again after a change.
    #[arg(long, value_name = "HOURS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=168))]
    within_hours: u64,
    /// Has everybody looked at again although the programme is published already, to finish what was broken off.
    #[arg(long)]
    again: bool,
    /// Publishes without asking, whomever the change touches.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    target: Target,
}

impl Arguments {
    /// What it does to a stack, for the record.
    pub(super) fn operation(&self) -> (&Target, String) {
        (&self.target, format!("publish {}", self.file.display()))
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let programme = checked(arguments.file.clone(), &read(&arguments.file)?)?;
    let store = arguments.target.store()?;
    let clock = arguments.target.clock().await?;
    let now = clock.now();
    let touched = touched(&store, &programme, now).await?;
    if let Some(touched) = &touched {
        write!(io::stdout(), "{touched}").context("standard output")?;
    }
    if touched.is_some_and(|touched| !touched.nobody()) && !arguments.yes && !arguments.is_agreed()? {
        bail!("nothing was published");
    }
    let within = Duration::from_secs(arguments.within_hours.saturating_mul(3_600));
    let begins = joining::begins(&store, &programme, arguments.again).await?;
    let told = publish(&store, &programme, now, within, arguments.again).await?;
    writeln!(io::stdout(), "{told}").context("standard output")?;
    if begins {
        joining::join(store, clock, arguments.target.is_local()).await?;
    }
    Ok(())
}

impl Arguments {
    /// A local stack is there to try things; where nobody can be asked, it goes on.
    fn is_agreed(&self) -> anyhow::Result<bool> {
        match question::ask("Publish?")? {
            Some(agreed) => Ok(agreed),
            None if self.target.is_local() => Ok(true),
            None => {
                bail!("the change touches members, and there is no terminal to ask at: --yes agrees to it")
            }
        }
    }
}

/// Whom a new version touches; nothing where it is the first one, or no other than the one before.
async fn touched(store: &Store, programme: &Programme, now: Timestamp) -> anyhow::Result<Option<Touched>> {
    let Some(before) = store.programmes().await? else { return Ok(None) };
    if before.newest().programme == *programme {
        return Ok(None);
    }
    let in_force = now.checked_add(NOTICE).context("the clock is at the end of the calendar")?;
    let after = before.with(programme.clone(), in_force.max(before.newest().from));
    Touched::by(store, &before, &after).await.map(Some)
}

/// Publishes, and says what was done.
async fn publish(
    store: &Store,
    programme: &Programme,
    now: Timestamp,
    within: Duration,
    again: bool,
) -> anyhow::Result<String> {
    let name = &programme.name;
    let before = newest(store).await?.map(|version| version.number);
    let in_force = now.checked_add(NOTICE).context("the clock is at the end of the calendar")?;
    let number = store.publish(programme, in_force).await?;
    if before.is_none() {
        return Ok(format!("{name}: version {number} is in force, for everything that ever was."));
    }
    if before == Some(number) && !again {
        return Ok(format!("{name}: version {number} is this very programme; nothing was published."));
    }
    let from = newest(store).await?.map_or(in_force, |version| version.from);
    let due = store.make_everyone_due(from.max(now), within).await.with_context(|| {
        format!("version {number} is published, but not everybody is due; run this again with --again")
    })?;
    let hours = within.as_secs() / 3_600;
    Ok(format!(
        "{name}: version {number} is in force from {from:.0}; {due} members are due again within {hours} h."
    ))
}

async fn newest(store: &Store) -> Result<Option<Version>, StoreError> {
    Ok(store.programmes().await?.map(|programmes| programmes.newest().clone()))
}

#[cfg(test)]
mod tests;
