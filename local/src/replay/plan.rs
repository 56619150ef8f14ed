//! What is done in which order: rows in time order, and the moments at which members are written down.

use std::ops::Range;

use domain::time::{self, TimeError};
use domain::{Date, TimeZone, Timestamp};
use jiff::SignedDuration;

use crate::history::{Kind, Row};

/// The least step of the engine's time, which keeps milliseconds.
pub(super) const TICK: SignedDuration = SignedDuration::from_millis(1);

/// One step of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The moment to which time moves first, with everything due by then done.
    pub at: Timestamp,
    /// What is done then.
    pub action: Action,
}

/// What a step does. The order of the variants is the order at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Sends rows, all of one moment: these of [`Plan::rows`].
    Send(Range<usize>),
    /// Writes down every member, as the last row left them.
    Members,
    /// Writes down every member, as of the end of a day.
    Snapshot(Date),
}

impl Action {
    fn rank(&self) -> u8 {
        match self {
            Self::Send(_) => 0,
            Self::Members => 1,
            Self::Snapshot(_) => 2,
        }
    }
}

/// A whole replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The rows in time order; orders before refunds at one instant, else as in the file.
    pub rows: Vec<Row>,
    /// The steps, one after the other.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Plans rows as they stand in the file, and snapshots as of the end of days in a zone. A file without rows
    /// needs no step at all.
    pub fn new(mut rows: Vec<Row>, as_of: &[Date], zone: &TimeZone) -> Result<Self, TimeError> {
        rows.sort_by_key(|row| (row.at, matches!(row.kind, Kind::Refund(_))));
        let Some(last) = rows.last().map(|row| row.at) else {
            return Ok(Self { rows, steps: Vec::new() });
        };
        let mut steps = sends(&rows);
        steps.push(Step { at: last, action: Action::Members });
        for date in as_of {
            steps.push(Step { at: last_instant_of(*date, zone)?, action: Action::Snapshot(*date) });
        }
        steps.sort_by_key(|step| (step.at, step.action.rank()));
        Ok(Self { rows, steps })
    }

    /// How many rows the steps before one send.
    pub fn sent_before(&self, step: usize) -> usize {
        let steps = self.steps.get(..step).unwrap_or(&self.steps);
        steps.iter().map(|step| if let Action::Send(rows) = &step.action { rows.len() } else { 0 }).sum()
    }

    /// The rows of a step.
    pub fn rows_of(&self, range: &Range<usize>) -> &[Row] {
        self.rows.get(range.clone()).unwrap_or_default()
    }
}

fn sends(rows: &[Row]) -> Vec<Step> {
    let mut start = 0;
    let mut steps = Vec::new();
    for same_moment in rows.chunk_by(|one, other| one.at == other.at) {
        let end = start + same_moment.len();
        if let Some(first) = same_moment.first() {
            steps.push(Step { at: first.at, action: Action::Send(start..end) });
        }
        start = end;
    }
    steps
}

/// The last instant of a civil day: just before the next one begins.
fn last_instant_of(date: Date, zone: &TimeZone) -> Result<Timestamp, TimeError> {
    let tomorrow = date.tomorrow().map_err(|_| TimeError::OutOfRange)?;
    let end = time::start_of(tomorrow, zone)?.checked_sub(TICK).map_err(|_| TimeError::OutOfRange)?;
    time::in_range(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::{History, Purpose};

    fn plan(rows: &str, as_of: &[&str], zone: &str) -> Plan {
        let file = format!("customer_id,date,amount_minor,kind,order_id\n{rows}");
        let history =
            History::read(file.as_bytes(), &"shop".to_owned().try_into().unwrap(), Purpose::Replay).unwrap();
        let as_of: Vec<Date> = as_of.iter().map(|date| date.parse().unwrap()).collect();
        Plan::new(history.rows, &as_of, &TimeZone::get(zone).unwrap()).unwrap()
    }

    fn told(plan: &Plan) -> Vec<String> {
        let told = |step: &Step| match &step.action {
            Action::Send(rows) => {
                let lines: Vec<_> = plan.rows_of(rows).iter().map(|row| row.line.to_string()).collect();
                format!("{} send {}", step.at, lines.join(" "))
            }
            Action::Members => format!("{} members", step.at),
            Action::Snapshot(date) => format!("{} snapshot {date}", step.at),
        };
        plan.steps.iter().map(told).collect()
    }

    #[test]
    fn rows_go_in_time_order_and_orders_before_refunds_at_one_instant() {
        let rows = "a,2024-01-03,1,order,1\na,2024-01-02,1,refund,1\na,2024-01-02,1,order,2\nb,2024-01-02T01:00:00+01:00,1,order,3\n";
        assert_eq!(
            told(&plan(rows, &[], "UTC")),
            [
                "2024-01-02T00:00:00Z send 4 5 3",
                "2024-01-03T00:00:00Z send 2",
                "2024-01-03T00:00:00Z members"
            ]
        );
    }

    #[test]
    fn a_snapshot_is_taken_at_the_end_of_its_day_in_the_programmes_zone() {
        let rows = "a,2024-03-30T23:30:00Z,1,order,1\na,2024-03-31T21:59:59.999Z,1,order,2\na,2024-03-31T22:00:00Z,1,order,3\n";
        assert_eq!(
            told(&plan(rows, &["2024-03-31", "2024-03-30", "2024-04-30"], "Europe/Paris")),
            [
                "2024-03-30T22:59:59.999Z snapshot 2024-03-30",
                "2024-03-30T23:30:00Z send 2",
                "2024-03-31T21:59:59.999Z send 3",
                "2024-03-31T21:59:59.999Z snapshot 2024-03-31",
                "2024-03-31T22:00:00Z send 4",
                "2024-03-31T22:00:00Z members",
                "2024-04-30T21:59:59.999Z snapshot 2024-04-30",
            ]
        );
    }

    #[test]
    fn a_file_without_rows_needs_no_step() {
        assert!(plan("", &["2024-01-01"], "UTC").steps.is_empty());
    }

    #[test]
    fn a_day_that_has_no_midnight_ends_where_the_next_begins() {
        // In São Paulo, 4 November 2018 began at 01:00, which is 03:00 in UTC.
        let plan = plan("a,2018-11-01,1,order,1\n", &["2018-11-03"], "America/Sao_Paulo");
        assert_eq!(plan.steps.last().unwrap().at.to_string(), "2018-11-04T02:59:59.999Z");
    }

    proptest! {
        #[test]
        fn every_row_is_sent_once_in_time_order_and_as_in_the_file_otherwise(
            cells in prop::collection::vec((1..4_u8, any::<bool>()), 1..40)
        ) {
            let rows: String = cells.iter().enumerate().map(|(n, (day, refund))| {
                format!("a,2024-01-0{day},1,{},{n}\n", if *refund { "refund" } else { "order" })
            }).collect();
            let plan = plan(&rows, &[], "UTC");
            let mut sent = Vec::new();
            for step in &plan.steps {
                if let Action::Send(range) = &step.action {
                    prop_assert!(plan.rows_of(range).iter().all(|row| row.at == step.at));
                    sent.extend_from_slice(plan.rows_of(range));
                }
            }
            prop_assert_eq!(sent.len(), cells.len());
            let key = |row: &Row| (row.at, matches!(row.kind, Kind::Refund(_)), row.line);
            prop_assert!(sent.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])));
        }
    }
}
