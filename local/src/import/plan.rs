//! What an import would do, told without doing it: the file is read and checked, and nothing is written anywhere.

use std::fmt;

use domain::{Currency, SourceName, Timestamp};
use store::Store;

use super::parcel::Naming;
use super::progress::Rejected;
use super::{ImportError, Layout, members, past, read};
use crate::history::{History, Kind};

/// Rejected rows that a plan names; the others are counted.
const MAX_REJECTED_SHOWN: usize = 20;

/// What an import would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What would be sent or brought, in words and numbers.
    would: Vec<(&'static str, u64)>,
    pub(super) rejected: Vec<Rejected>,
}

impl Plan {
    /// How many rows would be rejected.
    pub(crate) fn rejected(&self) -> usize {
        self.rejected.len()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.would {
            writeln!(f, "{what:<16}{count}")?;
        }
        writeln!(f, "{:<16}{}", "would reject", self.rejected.len())?;
        for Rejected { line, reason } in self.rejected.iter().take(MAX_REJECTED_SHOWN) {
            writeln!(f, "  line {line}: {reason}")?;
        }
        if self.rejected.len() > MAX_REJECTED_SHOWN {
            writeln!(f, "  and {} more", self.rejected.len() - MAX_REJECTED_SHOWN)?;
        }
        writeln!(f, "nothing was written")
    }
}

/// What [`super::import`] would do. A row that the store alone can refuse, or that it knows, is counted as one to send.
pub(crate) async fn plan(
    store: &Store,
    source: &SourceName,
    file: &std::path::Path,
    now: Timestamp,
) -> Result<Plan, ImportError> {
    let programmes = store.programmes().await?.ok_or(ImportError::NoProgramme)?;
    let (history, _) = read(file, source)?;
    Ok(plan_of(past(history, now), source, programmes.newest().programme.currency))
}

fn plan_of(history: History, source: &SourceName, currency: Currency) -> Plan {
    let History { rows, bad_rows, names } = history;
    let mut rejected: Vec<Rejected> = bad_rows.iter().map(Rejected::of).collect();
    let (mut orders, mut refunds, mut naming) = (0, 0, Naming::default());
    for row in &rows {
        match (naming.parcel(row, &names, source, currency), row.kind) {
            (Err(problem), _) => rejected.push(Rejected { line: row.line, reason: problem.to_string() }),
            (Ok(_), Kind::Order(_)) => orders += 1,
            (Ok(_), Kind::Refund(_)) => refunds += 1,
        }
    }
    rejected.sort_by_key(|row| row.line);
    let would = vec![
        ("would send", orders + refunds),
        ("orders", orders),
        ("refunds", refunds),
        ("customers", names.customers().len() as u64),
    ];
    Plan { would, rejected }
}

/// What [`super::import_members`] would do. Whom the stack knows, and with what, only the import itself finds out.
pub(crate) async fn plan_members(
    store: &Store,
    source: Option<&SourceName>,
    layout: &Layout,
    file: &std::path::Path,
    now: Timestamp,
) -> Result<Plan, ImportError> {
    store.programmes().await?.ok_or(ImportError::NoProgramme)?;
    let (roll, _) = members::read(file, source, layout, now)?;
    let openings = roll.rows.iter().filter_map(|row| row.newcomer.opening.as_ref());
    let (count, points) = openings.fold((0, 0_u64), |(count, points), opening| {
        (count + 1, points.saturating_add(u64::try_from(opening.points.0).unwrap_or_default()))
    });
    let would =
        vec![("would bring", roll.rows.len() as u64), ("with a balance", count), ("points in all", points)];
    Ok(Plan { would, rejected: roll.rejected })
}
