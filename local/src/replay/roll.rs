//! The roll: every member as of a moment, written down as CSV in order of customer.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use domain::{CustomerId, Date, DecideError, MemberId, SourceName, decide};
use runtime::{Engine, EngineError, Settled};
use serde::{Deserialize, Serialize};
use store::{Consistency, DirectoryKey, StoreError};

/// A line of a file that is written down.
pub(super) trait Line: Serialize {
    /// The file's first line.
    const HEADER: &'static [&'static str];
}

/// A line of `members.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberLine {
    /// The customer, as the file names them.
    pub customer_id: String,
    /// What the orders' goods earned before refunds.
    pub lifetime_points: i64,
    /// What the member can spend.
    pub balance: i64,
    /// The tier; empty when there is none.
    pub tier: String,
    /// How many coupons were issued, voided ones included.
    pub coupons: u32,
    /// When the balance runs out, in UTC; empty when there is nothing to run out.
    pub expires_at: String,
}

/// A line of `snapshots.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotLine {
    /// The customer, as the file names them.
    pub customer_id: String,
    /// The day, in the programme's zone, at whose end this was so.
    pub date: Date,
    /// What the member can spend.
    pub balance: i64,
    /// The status points of the tier window; never below 0.
    pub status_points: i64,
    /// The tier; empty when there is none.
    pub tier: String,
}

/// Why the members could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum RollError {
    /// The directory cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A member's account cannot be told.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A number or a date of it is out of range.
    #[error(transparent)]
    Account(#[from] DecideError),
    /// The lines cannot be written.
    #[error("the members cannot be written down: {0}")]
    Csv(#[from] csv::Error),
    /// The file cannot be.
    #[error("the members cannot be written down: {0}")]
    File(#[from] std::io::Error),
}

/// Reads members through the engine, settled to the moment at which its clock stands.
#[derive(Debug)]
pub(super) struct Roll<'a> {
    engine: Engine,
    source: &'a SourceName,
    customers: Vec<&'a CustomerId>,
    /// Whom the directory named already; a member stays the same.
    members: HashMap<&'a CustomerId, MemberId>,
}

impl<'a> Roll<'a> {
    /// A roll of customers, in the order in which they are to be written.
    pub(super) fn new(engine: Engine, source: &'a SourceName, customers: Vec<&'a CustomerId>) -> Self {
        Self { engine, source, customers, members: HashMap::new() }
    }

    /// Writes down who is a member now, a line each.
    pub(super) async fn write<L: Line>(
        &mut self,
        file: impl Write,
        line: impl Fn(&CustomerId, &Settled) -> Result<L, DecideError>,
    ) -> Result<(), RollError> {
        let mut lines = writer::<L>(file)?;
        for index in 0..self.customers.len() {
            let customer = self.customers[index];
            if let Some(settled) = self.look(customer).await? {
                lines.serialize(line(customer, &settled)?)?;
            }
        }
        Ok(lines.flush()?)
    }

    async fn look(&mut self, customer: &'a CustomerId) -> Result<Option<Settled>, RollError> {
        if let Some(member) = self.members.get(customer) {
            return Ok(self.engine.look(member).await?);
        }
        let key = DirectoryKey::Customer(self.source.clone(), customer.clone());
        let Some(member) = self.engine.store().find_member(&key, Consistency::Strong).await? else {
            return Ok(None);
        };
        let settled = self.engine.look(&member).await?;
        self.members.insert(customer, member);
        Ok(settled)
    }
}

impl Line for MemberLine {
    const HEADER: &'static [&'static str] =
        &["customer_id", "lifetime_points", "balance", "tier", "coupons", "expires_at"];
}

impl Line for SnapshotLine {
    const HEADER: &'static [&'static str] = &["customer_id", "date", "balance", "status_points", "tier"];
}

impl MemberLine {
    pub(super) fn of(customer: &CustomerId, settled: &Settled) -> Result<Self, DecideError> {
        let account = &settled.profile.account;
        let settled_to = settled.profile.bookkeeping.settled_to;
        let expires_at = decide::expires_at(&settled.programmes, settled_to, &settled.profile)?;
        Ok(Self {
            customer_id: customer.to_string(),
            lifetime_points: account.lifetime_points.0,
            balance: settled.profile.available()?.0,
            tier: tier_of(settled),
            coupons: account.coupons_issued,
            expires_at: expires_at.map(|at| at.to_string()).unwrap_or_default(),
        })
    }
}

impl SnapshotLine {
    pub(super) fn of(customer: &CustomerId, date: Date, settled: &Settled) -> Result<Self, DecideError> {
        Ok(Self {
            customer_id: customer.to_string(),
            date,
            balance: settled.profile.available()?.0,
            status_points: settled.profile.bookkeeping.window.sum.floored().0,
            tier: tier_of(settled),
        })
    }
}

fn tier_of(settled: &Settled) -> String {
    settled.profile.account.tier.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// A file that has its first line even where no other follows.
fn writer<L: Line>(file: impl Write) -> Result<csv::Writer<impl Write>, csv::Error> {
    // It has a buffer of its own.
    let mut lines = csv::WriterBuilder::new().has_headers(false).from_writer(file);
    lines.write_record(L::HEADER)?;
    Ok(lines)
}

/// Joins the snapshots of several days, each in order of customer, into one file in order of customer and date.
pub(super) fn join_snapshots(
    days: &[impl AsRef<Path>],
    customers: &[&CustomerId],
    file: impl Write,
) -> Result<(), RollError> {
    let mut joined = writer::<SnapshotLine>(file)?;
    let mut days = days
        .iter()
        .map(|day| Ok(csv::Reader::from_path(day)?.into_deserialize::<SnapshotLine>().peekable()))
        .collect::<Result<Vec<_>, csv::Error>>()?;
    for customer in customers {
        for day in &mut days {
            let theirs = |line: &Result<SnapshotLine, csv::Error>| {
                line.as_ref().map_or(true, |line| line.customer_id == customer.as_str())
            };
            if let Some(line) = day.next_if(theirs) {
                joined.serialize(line?)?;
            }
        }
    }
    Ok(joined.flush()?)
}

/// Copies a `members.csv`; where none was written, there are no members.
pub(super) fn copy_members(from: Option<&Path>, file: impl Write) -> Result<(), RollError> {
    let mut copy = writer::<MemberLine>(file)?;
    if let Some(from) = from {
        for line in member_lines(from)? {
            copy.serialize(line?)?;
        }
    }
    Ok(copy.flush()?)
}

/// The lines of a `members.csv`.
pub(super) fn member_lines(
    file: &Path,
) -> Result<impl Iterator<Item = Result<MemberLine, csv::Error>>, csv::Error> {
    Ok(csv::Reader::from_path(file)?.into_deserialize())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn snapshots_are_joined_in_order_of_customer_and_date() {
        let folder = tempfile::tempdir().unwrap();
        let day = |date: &str, customers: &[&str]| {
            let path = folder.path().join(date);
            let mut lines = csv::Writer::from_path(&path).unwrap();
            for customer in customers {
                let date = date.parse().unwrap();
                let customer_id = (*customer).to_owned();
                let line =
                    SnapshotLine { customer_id, date, balance: 1, status_points: 0, tier: String::new() };
                lines.serialize(line).unwrap();
            }
            lines.flush().unwrap();
            path
        };
        let days = [day("2024-01-31", &["a", "c,1"]), day("2024-02-29", &["a", "b", "c,1"])];
        let customers: Vec<_> = ["a", "b", "c,1"].map(|id| CustomerId::new(id).unwrap()).into();
        let joined = folder.path().join("snapshots.csv");
        join_snapshots(&days, &customers.iter().collect::<Vec<_>>(), File::create(&joined).unwrap()).unwrap();
        assert_eq!(
            std::fs::read_to_string(joined).unwrap(),
            "customer_id,date,balance,status_points,tier\n\
             a,2024-01-31,1,0,\na,2024-02-29,1,0,\nb,2024-02-29,1,0,\n\
             \"c,1\",2024-01-31,1,0,\n\"c,1\",2024-02-29,1,0,\n"
        );
    }
}
