//! A shop's past orders, written into a stack as its webhooks would have been, and marked as told afterwards, so that
//! members get no message of what follows from them.
//!
//! The file is read whole and put in time order. Its rows go to the table of orders a few at a time, at a bounded
//! rate; the stream does the rest. A small file remembers how far it came; the keys make a row that is sent again a
//! duplicate, so where it stands exactly does not matter.

mod layout;
mod members;
mod parcel;
mod plan;
mod progress;
mod report;
mod roll;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use domain::{Currency, SourceName, Timestamp};
use store::{Recorded, Store, StoreError};
use tokio::task::JoinSet;

pub(crate) use self::layout::{Exporter, Layout, NamedColumn};
pub(crate) use self::members::import_members;
use self::parcel::{Naming, Parcel};
pub(crate) use self::plan::{Plan, plan, plan_members};
pub(crate) use self::progress::ProgressError;
use self::progress::{Identity, Progress, Rejected};
pub(crate) use self::report::Report;
use crate::bar::Bar;
use crate::digest::{Digest, Digesting};
use crate::history::{BadReason, BadRow, History, HistoryError, Kind, Names, Purpose, Row};
use crate::pace::{Pace, patiently};
use crate::table::TableError;

/// Writes under way at once: from a desk far from the region each takes a tenth of a second, and the rate must still
/// be reached.
const IN_FLIGHT: usize = 16;

/// What is to be imported, and how.
#[derive(Debug)]
pub(crate) struct Options {
    /// The file.
    pub(crate) file: PathBuf,
    /// The most rows of a second.
    pub(crate) rate: u32,
    /// Where to remember how far it came.
    pub(crate) state: PathBuf,
    /// Where to write rejected rows.
    pub(crate) rejected: PathBuf,
    /// Whether to begin anew where an earlier import was broken off.
    pub(crate) fresh: bool,
}

/// Why an import ended early. Started again, it goes on where it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// A file.
    #[error("{path}: {problem}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What.
        problem: io::Error,
    },
    /// The file is no order history, and no list of members.
    #[error("{path}: {problem}", path = path.display())]
    History {
        /// Which.
        path: PathBuf,
        /// Why.
        problem: HistoryError,
    },
    /// The rejected rows cannot be written, or no longer be read.
    #[error("{path}: {problem}", path = path.display())]
    Rejected {
        /// Which.
        path: PathBuf,
        /// Why.
        problem: TableError,
    },
    /// How far it came.
    #[error(transparent)]
    Progress(#[from] ProgressError),
    /// Without a programme the stream would forget what it cannot process.
    #[error("there is no programme yet; publish one first")]
    NoProgramme,
    /// The store.
    #[error("line {line}: {problem}\nStart it again to go on.")]
    Store {
        /// Which row.
        line: u64,
        /// Why.
        problem: StoreError,
    },
    /// The store, before the first row.
    #[error(transparent)]
    Unreachable(#[from] StoreError),
    /// A task of ours broke.
    #[error("a row was not sent: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// Imports a file to its end, or goes on with it where an earlier run stopped. The source is the one that would have told
/// the orders, and part of each one's key.
pub(crate) async fn import(
    store: &Store,
    source: &SourceName,
    options: &Options,
    now: Timestamp,
) -> Result<Report, ImportError> {
    let programmes = store.programmes().await?.ok_or(ImportError::NoProgramme)?;
    let currency = programmes.newest().programme.currency;
    let (history, digest) = read(&options.file, source)?;
    let History { rows, bad_rows, names } = past(history, now);
    let identity =
        Identity { file: digest, source: Some(source.clone()), orders: store.tables().orders.clone() };
    let progress = Progress::open(&options.state, identity, options.fresh)?;
    let run =
        Run { store, source, options, names: &names, currency, bar: Bar::new(rows.len(), progress.next) };
    let progress = run.carry_out(&rows, progress).await?;
    let mut rejected: Vec<Rejected> = bad_rows.iter().map(Rejected::of).collect();
    rejected.extend(progress.rejected.iter().cloned());
    rejected.sort_by_key(|row| row.line);
    report::write_rejected(options, &rejected)?;
    progress.forget(&options.state)?;
    let refunds = rows.iter().filter(|row| matches!(row.kind, Kind::Refund(_))).count();
    Ok(Report {
        orders: rows.len() - refunds,
        refunds,
        sent: progress.sent,
        known: progress.known,
        rejected: rejected.len(),
        elapsed: progress.elapsed(),
    })
}

fn read(path: &Path, source: &SourceName) -> Result<(History, Digest), ImportError> {
    let file = File::open(path).map_err(|problem| ImportError::File { path: path.to_owned(), problem })?;
    let mut file = Digesting::new(file);
    let history = History::read(&mut file, source, Purpose::Import)
        .map_err(|problem| ImportError::History { path: path.to_owned(), problem })?;
    Ok((history, file.finish()))
}

/// The past alone, oldest first; orders before refunds at one instant, else as in the file.
fn past(mut history: History, now: Timestamp) -> History {
    let future: Vec<Row> = history.rows.extract_if(.., |row| row.at > now).collect();
    let bad = future.iter().map(|row| BadRow { line: row.line, reason: BadReason::Future(row.at) });
    history.bad_rows.extend(bad);
    history.rows.sort_by_key(|row| (row.at, matches!(row.kind, Kind::Refund(_))));
    history
}

/// An import under way.
struct Run<'a> {
    store: &'a Store,
    source: &'a SourceName,
    options: &'a Options,
    names: &'a Names,
    currency: Currency,
    bar: Bar,
}

impl Run<'_> {
    /// Sends every row that is left, some at a time, and remembers after each time how far it came.
    async fn carry_out(mut self, rows: &[Row], mut progress: Progress) -> Result<Progress, ImportError> {
        let (pace, first) = (Pace::begin(self.options.rate), progress.next);
        let elapsed_before = progress.elapsed();
        let mut naming = Naming::default();
        let mut parcels = rows.iter().map(|row| {
            // The rows that were sent before are named, too: the names of the others depend on them.
            (row, naming.parcel(row, self.names, self.source, self.currency))
        });
        if first > 0 {
            parcels.nth(first - 1);
        }
        let at_once = pace.at_once(IN_FLIGHT);
        while progress.next < rows.len() {
            pace.wait_for_turn(progress.next - first).await;
            let mut under_way = JoinSet::new();
            for (row, parcel) in parcels.by_ref().take(at_once) {
                progress.next += 1;
                self.bar.row_sent(row.at);
                match parcel {
                    Ok(parcel) => drop(under_way.spawn(send(self.store.clone(), row.line, parcel))),
                    Err(problem) => progress.reject(row.line, &problem),
                }
            }
            while let Some(sent) = under_way.join_next().await {
                match sent? {
                    (_, Ok(Recorded::Stored)) => progress.sent += 1,
                    (_, Ok(Recorded::Known)) => progress.known += 1,
                    (line, Err(StoreError::Permanent(problem))) => progress.reject(line, &problem),
                    (line, Err(problem)) => return Err(ImportError::Store { line, problem }),
                }
            }
            progress.set_elapsed(elapsed_before + pace.elapsed());
            progress.save(&self.options.state)?;
        }
        self.bar.finish();
        Ok(progress)
    }
}

/// Sends a row, also where the store is away for a moment.
async fn send(store: Store, line: u64, parcel: Parcel) -> (u64, Result<Recorded, StoreError>) {
    let is_away = |error: &StoreError| matches!(error, StoreError::Retryable(_));
    (line, patiently(|| parcel.send(&store), is_away).await)
}

#[cfg(test)]
mod tests;
