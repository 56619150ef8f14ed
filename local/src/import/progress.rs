//! How far an import came, in a small file that lives as long as the import is not done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{SourceName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::history::BadRow;

/// What is added to a file's name until it is whole.
const UNFINISHED: &str = "unfinished";

/// What an import is of, and whereto.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) file: Digest,
    pub(super) source: Option<SourceName>,
    /// The table's name, which is the stack's own.
    pub(super) orders: String,
}

/// How far it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    identity: Identity,
    /// The first row, in time order, that was not sent for sure.
    pub(super) next: usize,
    pub(super) sent: u64,
    pub(super) known: u64,
    /// What the store refused for good.
    pub(super) rejected: Vec<Rejected>,
    elapsed_ms: u64,
    /// When an import of members first began, from which their balances count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) began_at: Option<Timestamp>,
}

/// A row that was not sent, or that the store refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rejected {
    /// Its line in the file, counted from 1.
    pub(super) line: u64,
    pub(super) reason: String,
}

impl Rejected {
    pub(super) fn of(bad: &BadRow) -> Self {
        Self { line: bad.line, reason: bad.reason.to_string() }
    }
}

/// The file of the progress cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgressError {
    /// It cannot be read or written.
    #[error("{path}: {problem}", path = path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        problem: io::Error,
    },
    /// It is of another import.
    #[error(
        "{path}: another import, of another file, source or stack, was broken off here; finish that one, name \
         another --state, or begin anew with --fresh",
        path = path.display()
    )]
    Foreign {
        /// Which.
        path: PathBuf,
    },
}

impl Progress {
    /// What an earlier run of the same import left, or a beginning.
    pub(super) fn open(path: &Path, identity: Identity, fresh: bool) -> Result<Self, ProgressError> {
        let beginning = Self {
            identity,
            next: 0,
            sent: 0,
            known: 0,
            rejected: Vec::new(),
            elapsed_ms: 0,
            began_at: None,
        };
        if fresh {
            return Ok(beginning);
        }
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(beginning),
            Err(problem) => return Err(ProgressError::Unusable { path: path.to_owned(), problem }),
        };
        match serde_json::from_slice::<Self>(&text) {
            Ok(earlier) if earlier.identity == beginning.identity => Ok(earlier),
            _ => Err(ProgressError::Foreign { path: path.to_owned() }),
        }
    }

    /// Remembers it. A kill leaves the file as it was or as it is now, never half.
    pub(super) fn save(&self, path: &Path) -> Result<(), ProgressError> {
        let unfinished = path.with_added_extension(UNFINISHED);
        let written = serde_json::to_vec(self)
            .map_err(io::Error::from)
            .and_then(|text| fs::write(&unfinished, text))
            .and_then(|()| fs::rename(&unfinished, path));
        written.map_err(|problem| ProgressError::Unusable { path: path.to_owned(), problem })
    }

    /// It is done: the same file, imported again, is sent again and is known.
    pub(super) fn forget(&self, path: &Path) -> Result<(), ProgressError> {
        match fs::remove_file(path) {
            Err(problem) if problem.kind() != io::ErrorKind::NotFound => {
                Err(ProgressError::Unusable { path: path.to_owned(), problem })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn reject(&mut self, line: u64, reason: &impl ToString) {
        self.rejected.push(Rejected { line, reason: reason.to_string() });
    }

    /// How long it took so far, in all runs.
    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms)
    }

    pub(super) fn set_elapsed(&mut self, elapsed: Duration) {
        self.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(file: &str) -> Identity {
        let source = SourceName::new("shop").ok();
        Identity { file: Digest::of(file.as_bytes()), source, orders: "laurel-OrdersTable".to_owned() }
    }

    #[test]
    fn an_import_goes_on_where_it_was_and_one_of_another_file_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.csv.import.json");
        let mut progress = Progress::open(&path, identity("a"), false).unwrap();
        progress.next = 7;
        progress.reject(3, &"too much");
        progress.save(&path).unwrap();
        assert_eq!(Progress::open(&path, identity("a"), false).unwrap(), progress);
        let foreign = Progress::open(&path, identity("b"), false);
        assert!(matches!(foreign, Err(ProgressError::Foreign { .. })), "{foreign:?}");
        assert_eq!(Progress::open(&path, identity("b"), true).unwrap().next, 0);
        progress.forget(&path).unwrap();
        assert_eq!(Progress::open(&path, identity("a"), false).unwrap().next, 0);
    }
}
