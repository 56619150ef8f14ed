//! `laurel replay`: a shop's order history through the same functions, in simulated time.
//!
//! The file is read whole and put in time order ([`crate::history`], [`plan`]). Then each step moves the stack's clock, with
//! everything due on the way, and sends the rows of that moment as signed webhooks, or writes down the members as
//! they are. The data folder remembers after each step how far it came, so a replay that was killed goes on there
//! and ends the same ([`folder`]).

pub mod folder;
pub mod plan;
pub mod report;
pub mod roll;
mod run;
mod webhook;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use domain::programme::Enrolment;
use domain::time::TimeError;
use domain::{Date, Programme, ProgrammeError, SourceName};
use order_webhook::Sources;

use self::folder::{Folder, FolderError, Identity, Progress};
use self::plan::{Action, Plan};
use self::report::Report;
use self::roll::RollError;
use self::run::Run;
use crate::clock::Time;
pub use crate::digest::Digest;
use crate::digest::Digesting;
use crate::dynamodb::Durability;
use crate::history::{BadRow, History, HistoryError, Names, Purpose};
use crate::inbox::Keeping;
use crate::stack::{self, Stack, StackError};

/// The source under which the rows are sent; one of `sources.toml`.
const SOURCE: &str = "generic-main";
/// The most bad rows that are named one by one; whoever has more mends the export, not the rows.
pub const BAD_ROWS_NAMED: usize = 100;

/// What is to be replayed, and how.
#[derive(Debug)]
pub struct Options {
    /// The order history.
    pub file: PathBuf,
    /// The folder of the replay's data.
    pub data: PathBuf,
    /// The rules.
    pub programme: Programme,
    /// Who may send; the rows are signed with the first secret of `generic-main`.
    pub sources: Sources,
    /// At the end of which days to write down the members.
    pub as_of: Vec<Date>,
    /// Where to write `members.csv` and `snapshots.csv`.
    pub out: Option<PathBuf>,
    /// Whether to begin anew where an earlier run left something.
    pub fresh: bool,
    /// Whether to leave bad rows out instead of stopping.
    pub skip_bad_rows: bool,
    /// After how many steps to stop before the end, as a kill would; for tests.
    pub stop_after: Option<usize>,
}

/// Why a replay ended early. Started again, it goes on where it was.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file or a folder.
    #[error("{path}: {problem}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What.
        problem: io::Error,
    },
    /// The file is no order history.
    #[error("{path}: {problem}", path = path.display())]
    History {
        /// Which.
        path: PathBuf,
        /// Why.
        problem: HistoryError,
    },
    /// It has bad rows.
    #[error("{}\nMend them, or leave them out with --skip-bad-rows.", BadRows(.0))]
    BadRows(Vec<BadRow>),
    /// The programme cannot be written.
    #[error(transparent)]
    Programme(#[from] ProgrammeError),
    /// A day of `--as-of` is none that we can reach.
    #[error("a day of --as-of {0}")]
    AsOf(TimeError),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// Nobody would become a member.
    #[error(
        "the programme asks for enrolment, and a history does not tell who enrolled; replay it with \
         enrolment = \"automatic\""
    )]
    AsksForEnrolment,
    /// Nobody to send as.
    #[error("the sources have no {SOURCE}, as which the rows are sent")]
    NoSource,
    /// A webhook was not taken.
    #[error("line {line} was answered with {status}: {answer}")]
    Refused {
        /// Which row.
        line: u64,
        /// With what.
        status: u16,
        /// Why.
        answer: String,
    },
    /// A row that cannot be put into a request.
    #[error("line {line} cannot be sent: {problem}")]
    Unsendable {
        /// Which row.
        line: u64,
        /// Why.
        problem: String,
    },
    /// The stack gave up on a stream record, so the result would be wrong.
    #[error("{function} gave up on a record: {reason}")]
    GivenUp {
        /// Which function's stream.
        function: String,
        /// Why.
        reason: String,
    },
    /// The members cannot be written down.
    #[error(transparent)]
    Roll(#[from] RollError),
    /// Told to.
    #[error("stopped before the end")]
    Stopped,
}

impl From<csv::Error> for ReplayError {
    fn from(error: csv::Error) -> Self {
        Self::Roll(error.into())
    }
}

/// Bad rows as they are named to a person.
pub struct BadRows<'a>(pub &'a [BadRow]);

impl std::fmt::Display for BadRows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.0.len();
        write!(f, "{count} bad row{}", if count == 1 { "" } else { "s" })?;
        for row in self.0.iter().take(BAD_ROWS_NAMED) {
            write!(f, "\n  {row}")?;
        }
        let unnamed = count.saturating_sub(BAD_ROWS_NAMED);
        if unnamed > 0 { write!(f, "\n  and {unnamed} more") } else { Ok(()) }
    }
}

/// Replays a file to its end, or goes on with it where an earlier run stopped.
pub async fn replay(mut options: Options) -> Result<Report, ReplayError> {
    options.as_of.sort_unstable();
    options.as_of.dedup();
    if options.programme.enrolment == Enrolment::Explicit {
        return Err(ReplayError::AsksForEnrolment);
    }
    let source = SourceName::new(SOURCE).map_err(|_| ReplayError::NoSource)?;
    let (History { rows, bad_rows, names }, file) = read(&options.file, &source)?;
    if !bad_rows.is_empty() {
        if !options.skip_bad_rows {
            return Err(ReplayError::BadRows(bad_rows));
        }
        eprintln!("{}\nThey are left out.", BadRows(&bad_rows));
    }
    let plan = Plan::new(rows, &options.as_of, &options.programme.time_zone).map_err(ReplayError::AsOf)?;
    let programme = Digest::of(options.programme.to_json()?.as_bytes());
    let identity = Identity { file, programme, as_of: options.as_of.clone() };
    let (folder, progress) = Folder::open(&options.data, identity, options.fresh)?;
    let progress = run(&options, &source, &plan, &names, &folder, progress).await?;
    if let Some(out) = &options.out {
        write_results(out, &options.as_of, &folder, &names)?;
    }
    let mut report = Report::new(&plan, bad_rows.len(), progress.tally);
    if let Some(members) = folder.written_by(&Action::Members).filter(|members| members.exists()) {
        for line in roll::member_lines(&members)? {
            report.count(line?);
        }
    }
    Ok(report)
}

fn read(path: &Path, source: &SourceName) -> Result<(History, Digest), ReplayError> {
    let file = File::open(path).map_err(|problem| ReplayError::File { path: path.to_owned(), problem })?;
    let mut file = Digesting::new(file);
    let history = History::read(&mut file, source, Purpose::Replay)
        .map_err(|problem| ReplayError::History { path: path.to_owned(), problem })?;
    Ok((history, file.finish()))
}

/// Does the steps that are not done yet, if there are any.
async fn run(
    options: &Options,
    source: &SourceName,
    plan: &Plan,
    names: &Names,
    folder: &Folder,
    progress: Progress,
) -> Result<Progress, ReplayError> {
    let Some(next) = plan.steps.get(progress.next_step) else { return Ok(progress) };
    let stack = Stack::open(stack::Options {
        data: folder.stack(),
        programme: options.programme.clone(),
        sources: options.sources.clone(),
        time: Time::Simulated(progress.clock.unwrap_or(next.at)),
        // What a power cut breaks, a replay can make again.
        durability: Durability::Scratch,
        keeping: Keeping::Counted,
    })
    .await?;
    // The functions work beside the sender, as they would in an account; each step waits for them at its end.
    let mut streams = stack.run_streams();
    let run = Run::new(&stack, source, plan, names, folder, progress, options.programme.currency);
    let done = run.carry_out(options.stop_after).await;
    stack.stop();
    // What one of them left undone is still in its stream.
    while streams.join_next().await.is_some() {}
    done
}

fn write_results(out: &Path, as_of: &[Date], folder: &Folder, names: &Names) -> Result<(), ReplayError> {
    let in_out = |problem| ReplayError::File { path: out.to_owned(), problem };
    fs::create_dir_all(out).map_err(in_out)?;
    let written = |action| folder.written_by(&action).filter(|path| path.exists());
    let members = File::create(out.join("members.csv")).map_err(in_out)?;
    roll::copy_members(written(Action::Members).as_deref(), members)?;
    let days: Vec<_> = as_of.iter().filter_map(|date| written(Action::Snapshot(*date))).collect();
    let snapshots = File::create(out.join("snapshots.csv")).map_err(in_out)?;
    Ok(roll::join_snapshots(&days, &names.customers(), snapshots)?)
}
