//! A shop's members of the past: names, contacts, since when, and what they had. Each row is written at once, by the
//! engine that the functions have, and members get no message of it.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use domain::{SourceName, Timestamp};
use runtime::{Brought, Budget, Engine, EngineError, Newcomer};
use store::StoreError;
use tokio::task::JoinSet;

use super::progress::{Identity, Progress, Rejected};
use super::roll::{Roll, Row};
use super::{IN_FLIGHT, ImportError, Layout, Options, report};
use crate::bar::Bar;
use crate::digest::{Digest, Digesting};
use crate::pace::{Pace, patiently};

/// What became of a file's members, in all runs of the import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MembersReport {
    pub(crate) members: usize,
    /// Rows that were new to the stack, or whose balance was.
    pub(crate) brought: u64,
    /// Rows that it had already.
    pub(crate) known: u64,
    pub(crate) rejected: usize,
    pub(crate) elapsed: Duration,
}

impl fmt::Display for MembersReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { members, brought, known, rejected, elapsed } = self;
        writeln!(f, "members         {members}")?;
        writeln!(f, "brought         {brought}")?;
        writeln!(f, "known before    {known}")?;
        writeln!(f, "rejected        {rejected}")?;
        writeln!(f, "duration        {:.1} s", elapsed.as_secs_f64())
    }
}

/// Imports a file to its end, or goes on with it where an earlier run stopped.
pub(crate) async fn import_members(
    engine: &Engine,
    source: Option<&SourceName>,
    layout: &Layout,
    options: &Options,
) -> Result<MembersReport, ImportError> {
    let store = engine.store();
    store.programmes().await?.ok_or(ImportError::NoProgramme)?;
    let now = engine.clock().now();
    let (roll, digest) = read(&options.file, source, layout, now)?;
    let identity = Identity { file: digest, source: source.cloned(), orders: store.tables().orders.clone() };
    let progress = Progress::open(&options.state, identity, options.fresh)?;
    let progress = bring_all(engine, options, &roll.rows, progress, now).await?;
    let mut rejected: Vec<Rejected> = roll.rejected;
    rejected.extend(progress.rejected.iter().cloned());
    rejected.sort_by_key(|row| row.line);
    report::write_rejected(options, &rejected)?;
    progress.forget(&options.state)?;
    Ok(MembersReport {
        members: roll.rows.len(),
        brought: progress.sent,
        known: progress.known,
        rejected: rejected.len(),
        elapsed: progress.elapsed(),
    })
}

pub(super) fn read(
    path: &Path,
    source: Option<&SourceName>,
    layout: &Layout,
    now: Timestamp,
) -> Result<(Roll, Digest), ImportError> {
    let file = File::open(path).map_err(|problem| ImportError::File { path: path.to_owned(), problem })?;
    let mut file = Digesting::new(file);
    let roll = Roll::read(&mut file, source, layout, now)
        .map_err(|problem| ImportError::History { path: path.to_owned(), problem })?;
    Ok((roll, file.finish()))
}

/// Brings every row that is left, some at a time, and remembers after each time how far it came. Balances that name no
/// moment count from the one at which the import first began.
async fn bring_all(
    engine: &Engine,
    options: &Options,
    rows: &[Row],
    mut progress: Progress,
    now: Timestamp,
) -> Result<Progress, ImportError> {
    let began_at = *progress.began_at.get_or_insert(now);
    let (pace, first, elapsed_before) = (Pace::begin(options.rate), progress.next, progress.elapsed());
    let mut bar = Bar::new(rows.len(), first);
    progress.save(&options.state)?;
    for some in rows.get(first..).unwrap_or_default().chunks(pace.at_once(IN_FLIGHT)) {
        pace.wait_for_turn(progress.next - first).await;
        let mut under_way = JoinSet::new();
        for Row { line, newcomer } in some {
            progress.next += 1;
            bar.row_sent(now);
            under_way.spawn(bring(engine.clone(), *line, newcomer.clone(), began_at));
        }
        while let Some(brought) = under_way.join_next().await {
            count(brought?, &mut progress)?;
        }
        progress.set_elapsed(elapsed_before + pace.elapsed());
        progress.save(&options.state)?;
    }
    bar.finish();
    Ok(progress)
}

/// Brings a member, also where the store is away for a moment.
async fn bring(
    engine: Engine,
    line: u64,
    newcomer: Newcomer,
    at: Timestamp,
) -> (u64, Result<Brought, EngineError>) {
    let is_away = |error: &EngineError| matches!(error, EngineError::Retryable(_));
    (line, patiently(|| engine.bring(&newcomer, at, Budget::until(0)), is_away).await)
}

fn count(
    (line, brought): (u64, Result<Brought, EngineError>),
    progress: &mut Progress,
) -> Result<(), ImportError> {
    match brought {
        Ok(Brought::Done(_)) => progress.sent += 1,
        Ok(Brought::Known(_)) => progress.known += 1,
        Ok(Brought::OpenedOtherwise(member)) => {
            let reason = format!("member {member} has another opening balance already, which stays");
            progress.reject(line, &reason);
        }
        Ok(Brought::Several(one, other)) => {
            let reason = format!("its names lead to two members, {one} and {other}: merge them first");
            progress.reject(line, &reason);
        }
        Err(EngineError::Permanent(reason)) => progress.reject(line, &reason),
        Err(EngineError::Retryable(reason)) => {
            return Err(ImportError::Store { line, problem: StoreError::Retryable(reason) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
