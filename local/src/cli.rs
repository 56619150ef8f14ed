//! The command line: `laurel` serves, `laurel replay` replays, `laurel sign` signs, `laurel check` checks a
//! programme, `laurel publish` publishes it, `laurel parked` looks after what was put aside, `laurel order` corrects what
//! was told, `laurel import` brings a shop's past, `laurel issue` issues a reward, `laurel reconcile` fetches what a
//! platform never delivered, `laurel person` exports and erases a person.

mod check;
mod import;
mod issue;
mod operations;
mod order;
mod parked;
mod person;
mod publish;
mod question;
mod reconcile;
mod replay;
mod send;
mod serve;
mod sign;
mod target;
mod verify;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use domain::{Programme, ProgrammeError};
use order_webhook::{Sources, SourcesError};

/// The programme that comes with Laurel.
const PROGRAMME: &str = include_str!("../../programme.toml");
/// Where a programme is looked for when none is named.
const PROGRAMME_FILE: &str = "programme.toml";
/// Where a local stack is served unless something else is said; the sources that come with Laurel name it.
const SERVED_AT: &str = "http://127.0.0.1:3000";
/// The sources that come with Laurel.
const SOURCES: &str = include_str!("../sources.toml");

/// A customer-loyalty engine, whole, on this machine.
#[derive(Debug, Parser)]
#[command(name = "laurel", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the whole stack; the same as no command at all.
    Serve(serve::Arguments),
    /// Sends an order history through the stack in simulated time.
    Replay(replay::Arguments),
    /// Prints a `curl` command that sends a file to a source, or a sample event, signed for now.
    Sign(sign::Arguments),
    /// Sends a sample event to a running stack, signed for now.
    Send(send::Arguments),
    /// Shows every mistake of a programme, and every message that its members will get.
    Check(check::Arguments),
    /// Publishes a programme to a deployed stack.
    Publish(publish::Arguments),
    /// Orders that could not be processed: which, why, and what to do with them.
    #[command(subcommand)]
    Parked(parked::Command),
    /// One order: what is known of it, and what an operator says of it against whatever is told.
    #[command(subcommand)]
    Order(order::Command),
    /// Brings a shop's past into a stack.
    #[command(subcommand)]
    Import(import::Command),
    /// Issues a reward of the programme to a member, for its points.
    Issue(issue::Arguments),
    /// Fetches what a platform never delivered.
    Reconcile(reconcile::Arguments),
    /// Exports or erases a person.
    Person(person::Arguments),
    /// Lists what operators did, and who.
    Operations(operations::Arguments),
    /// Walks a stack through what it is for, and prints what it saw.
    Verify(verify::Arguments),
}

/// What the stack goes by.
#[derive(Debug, Args)]
pub struct Rules {
    /// The programme. By default programme.toml here, or else the one that comes with Laurel.
    #[arg(long, value_name = "FILE")]
    programme: Option<PathBuf>,
    /// The sources with their secrets. By default those that come with Laurel.
    #[arg(long, value_name = "FILE")]
    sources: Option<PathBuf>,
}

/// A file of rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It cannot be read.
    #[error("{file}: {error}", file = file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The programme is wrong.
    #[error("{file}: {mistakes}", file = file.display(), mistakes = listed(mistakes))]
    Programme {
        /// Which.
        file: PathBuf,
        /// Each with its place.
        mistakes: Vec<ProgrammeError>,
    },
    /// The sources are wrong.
    #[error(transparent)]
    Sources(#[from] SourcesError),
}

impl Rules {
    /// The programme, checked.
    pub fn programme(&self) -> Result<Programme, RulesError> {
        let (file, text) = match &self.programme {
            Some(file) => (file.clone(), read(file)?),
            None if Path::new(PROGRAMME_FILE).exists() => {
                let file = PathBuf::from(PROGRAMME_FILE);
                let text = read(&file)?;
                (file, text)
            }
            None => (PathBuf::from(PROGRAMME_FILE), PROGRAMME.to_owned()),
        };
        checked(file, &text)
    }

    /// The sources, checked.
    pub fn sources(&self) -> Result<Sources, RulesError> {
        self.sources_at(SERVED_AT)
    }

    /// The sources of a stack that is served at an address.
    fn sources_at(&self, base: &str) -> Result<Sources, RulesError> {
        Ok(Sources::from_toml(&self.sources_text_at(base)?)?)
    }

    /// The sources as they are written down. Those that come with Laurel find the local stack where it is served.
    fn sources_text_at(&self, base: &str) -> Result<String, RulesError> {
        match &self.sources {
            Some(file) => read(file),
            None => Ok(SOURCES.replace(SERVED_AT, base.trim_end_matches('/'))),
        }
    }
}

/// A programme that is right, its messages included.
fn checked(file: PathBuf, text: &str) -> Result<Programme, RulesError> {
    let programme = match Programme::check_toml(text) {
        Ok(programme) => programme,
        Err(mistakes) => return Err(RulesError::Programme { file, mistakes }),
    };
    let mistakes = notifications::mistakes(&programme);
    if mistakes.is_empty() { Ok(programme) } else { Err(RulesError::Programme { file, mistakes }) }
}

/// One mistake on its line, or several, each on its own.
fn listed(mistakes: &[ProgrammeError]) -> String {
    match mistakes {
        [only] => only.to_string(),
        several => {
            let lines: String = several.iter().map(|mistake| format!("\n  {mistake}")).collect();
            format!("{} mistakes{lines}", several.len())
        }
    }
}

fn read(file: &Path) -> Result<String, RulesError> {
    fs::read_to_string(file).map_err(|error| RulesError::File { file: file.to_owned(), error })
}

/// Runs the program. Whatever went wrong is said on one line, and the exit is 1.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match noted(cli.command.as_ref()).await {
        Ok(()) => carry_out(cli).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without standard error there is nobody to tell.
            let _ = writeln!(io::stderr(), "laurel: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Notes what is about to be done to a stack, and who does it.
async fn noted(command: Option<&Command>) -> anyhow::Result<()> {
    let operation = match command {
        Some(Command::Publish(arguments)) => Some(arguments.operation()),
        Some(Command::Parked(command)) => command.operation(),
        Some(Command::Order(command)) => command.operation(),
        Some(Command::Import(command)) => Some(command.operation()),
        Some(Command::Reconcile(arguments)) => Some(arguments.operation()),
        Some(Command::Person(arguments)) => arguments.operation(),
        _ => None,
    };
    match operation {
        Some((target, did)) => operations::note(target, &did).await,
        None => Ok(()),
    }
}

async fn carry_out(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => serve::run(cli.serve).await,
        Some(Command::Serve(arguments)) => serve::run(arguments).await,
        Some(Command::Replay(arguments)) => replay::run(arguments).await,
        Some(Command::Sign(arguments)) => sign::run(arguments),
        Some(Command::Send(arguments)) => send::run(arguments).await,
        Some(Command::Check(arguments)) => check::run(arguments),
        Some(Command::Publish(arguments)) => publish::run(arguments).await,
        Some(Command::Parked(command)) => parked::run(command).await,
        Some(Command::Order(command)) => order::run(command).await,
        Some(Command::Import(command)) => import::run(command).await,
        Some(Command::Issue(arguments)) => issue::run(arguments).await,
        Some(Command::Reconcile(arguments)) => reconcile::run(arguments).await,
        Some(Command::Person(arguments)) => person::run(arguments).await,
        Some(Command::Operations(arguments)) => operations::run(arguments).await,
        Some(Command::Verify(arguments)) => verify::run(arguments),
    }
}
