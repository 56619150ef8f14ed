//! What an import tells at its end: the numbers to a person, and the rejected rows in a file.

use std::fmt;
use std::fs;
use std::io;
use std::time::Duration;

use super::progress::Rejected;
use super::{ImportError, Options};
use crate::table;

/// What became of a file's rows, in all runs of the import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) orders: usize,
    pub(crate) refunds: usize,
    /// Rows that were new to the stack.
    pub(crate) sent: u64,
    /// Rows that it had already, from an earlier import or from the platform.
    pub(crate) known: u64,
    pub(crate) rejected: usize,
    pub(crate) elapsed: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, refunds, sent, known, rejected, elapsed } = self;
        writeln!(f, "orders          {orders}")?;
        writeln!(f, "refunds         {refunds}")?;
        writeln!(f, "sent            {sent}")?;
        writeln!(f, "known before    {known}")?;
        writeln!(f, "rejected        {rejected}")?;
        writeln!(f, "duration        {:.1} s", elapsed.as_secs_f64())
    }
}

/// Writes the rejected rows, whole and as they were, or takes away what an earlier import wrote when there are none.
pub(super) fn write_rejected(options: &Options, rejected: &[Rejected]) -> Result<(), ImportError> {
    let path = &options.rejected;
    if rejected.is_empty() {
        return match fs::remove_file(path) {
            Err(problem) if problem.kind() != io::ErrorKind::NotFound => {
                Err(ImportError::File { path: path.clone(), problem })
            }
            _ => Ok(()),
        };
    }
    let rows = rejected.iter().map(|Rejected { line, reason }| (*line, reason.as_str()));
    table::write_rejected(path, &options.file, rows)
        .map_err(|problem| ImportError::Rejected { path: path.clone(), problem })
}
