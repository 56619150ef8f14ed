//! What a replay tells at its end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::Usage;

use super::plan::Plan;
use super::roll::MemberLine;
use crate::history::Kind;

/// What is counted on the way, over all runs of one replay.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// How long it took.
    pub elapsed: Duration,
    /// Requests to the store that were answered.
    pub requests: u64,
    /// Read request units.
    pub read_units: f64,
    /// Write request units, those of indexes included.
    pub write_units: f64,
    /// Messages by channel.
    pub messages: BTreeMap<String, u64>,
    /// Orders that were put aside, once that is known: they earned nothing.
    pub parked: usize,
    /// Whether a run ended early and another went on. What the earlier one began and did not finish is not in these
    /// numbers, so they are lower bounds then.
    pub resumed: bool,
}

impl Tally {
    /// What was counted before this run, and in it.
    pub(super) fn plus(&self, elapsed: Duration, usage: Usage, sent: &BTreeMap<String, u64>) -> Self {
        let mut messages = self.messages.clone();
        for (channel, count) in sent {
            *messages.entry(channel.clone()).or_default() += count;
        }
        Self {
            messages,
            parked: self.parked,
            resumed: self.resumed,
            elapsed: self.elapsed + elapsed,
            requests: self.requests + usage.requests,
            read_units: self.read_units + usage.read_units,
            write_units: self.write_units + usage.write_units,
        }
    }
}

/// The report.
#[derive(Debug, Default)]
pub struct Report {
    orders: u64,
    linked_refunds: u64,
    unlinked_refunds: u64,
    bad_rows: usize,
    members: u64,
    lifetime_points: i128,
    balance: i128,
    coupons: u64,
    tiers: BTreeMap<String, u64>,
    tally: Tally,
}

impl Report {
    /// Counts the rows of a plan.
    pub(super) fn new(plan: &Plan, bad_rows: usize, tally: Tally) -> Self {
        let mut report = Self { bad_rows, tally, ..Self::default() };
        for row in &plan.rows {
            match row.kind {
                Kind::Order(_) => report.orders += 1,
                Kind::Refund(Some(_)) => report.linked_refunds += 1,
                Kind::Refund(None) => report.unlinked_refunds += 1,
            }
        }
        report
    }

    /// Counts a member.
    pub(super) fn count(&mut self, member: MemberLine) {
        self.members += 1;
        self.lifetime_points += i128::from(member.lifetime_points);
        self.balance += i128::from(member.balance);
        self.coupons += u64::from(member.coupons);
        if !member.tier.is_empty() {
            *self.tiers.entry(member.tier).or_default() += 1;
        }
    }

    fn rows(&self) -> u64 {
        self.orders + self.linked_refunds + self.unlinked_refunds
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outcome(f)?;
        self.cost(f)?;
        if self.tally.resumed {
            line(f, "resumed", "what earlier runs began and did not finish is not counted".to_owned())?;
        }
        Ok(())
    }
}

impl Report {
    fn outcome(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (linked, unlinked) = (grouped(self.linked_refunds), grouped(self.unlinked_refunds));
        let refunds = grouped(self.linked_refunds + self.unlinked_refunds);
        let (earned, balance) = (grouped(self.lifetime_points), grouped(self.balance));
        let tiers = self.tiers.iter().map(|(tier, members)| format!("{tier} {}", grouped(*members)));
        let sent = self.tally.messages.iter().filter(|(_, sent)| **sent > 0);
        let messages = sent.map(|(channel, sent)| format!("{channel} {}", grouped(*sent)));
        line(f, "members", grouped(self.members))?;
        line(f, "orders", grouped(self.orders))?;
        line(f, "refunds", format!("{refunds} ({linked} of an order, {unlinked} of none)"))?;
        line(f, "bad rows", grouped(self.bad_rows as u64))?;
        line(f, "parked", grouped(self.tally.parked as u64))?;
        line(f, "points", format!("{earned} earned, {balance} to spend"))?;
        line(f, "coupons", grouped(self.coupons))?;
        line(f, "tiers", listed(tiers))?;
        line(f, "messages", self.at_least(listed(messages)))
    }

    fn cost(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { elapsed, requests, read_units, write_units, .. } = &self.tally;
        let rows = self.rows() as f64;
        let each = |number: f64| format!("{:.2} a row", number / rows.max(1.0));
        let units = |number: f64| grouped(number.round() as i128);
        let (written, read) = (units(*write_units), units(*read_units));
        let seconds = elapsed.as_secs_f64();
        let requests = format!("{} ({})", grouped(*requests), each(*requests as f64));
        line(f, "requests", self.at_least(requests))?;
        line(f, "write units", self.at_least(format!("{written} ({})", each(*write_units))))?;
        line(f, "read units", self.at_least(format!("{read} ({})", each(*read_units))))?;
        let rate = rows / seconds.max(f64::EPSILON);
        let rate = if self.tally.resumed { String::new() } else { format!(", {rate:.0} rows/s") };
        line(f, "time", self.at_least(format!("{seconds:.1} s{rate}")))
    }

    /// A number of the tally, as sure as it is.
    fn at_least(&self, number: String) -> String {
        if self.tally.resumed { format!("at least {number}") } else { number }
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: String) -> fmt::Result {
    writeln!(f, "{name:<16}{value}")
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// A number as people read it: 69,659.
fn grouped(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(tier: &str, lifetime_points: i64, balance: i64) -> MemberLine {
        MemberLine {
            customer_id: "c-1".to_owned(),
            lifetime_points,
            balance,
            tier: tier.to_owned(),
            coupons: 2,
            expires_at: String::new(),
        }
    }

    #[test]
    fn a_report_reads_as_a_table() {
        let messages = BTreeMap::from([("event".to_owned(), 4), ("push".to_owned(), 0)]);
        let tally = Tally {
            elapsed: Duration::from_secs(2),
            requests: 14,
            read_units: 2.5,
            write_units: 11.0,
            messages,
            parked: 0,
            resumed: false,
        };
        let mut report = Report { orders: 2, tally, bad_rows: 1, ..Report::default() };
        report.count(member("gold", 1_234_567, -1_000));
        report.count(member("", 0, 999));
        assert_eq!(
            report.to_string(),
            "members         2\n\
             orders          2\n\
             refunds         0 (0 of an order, 0 of none)\n\
             bad rows        1\n\
             parked          0\n\
             points          1,234,567 earned, -1 to spend\n\
             coupons         4\n\
             tiers           gold 1\n\
             messages        event 4\n\
             requests        14 (7.00 a row)\n\
             write units     11 (5.50 a row)\n\
             read units      3 (1.25 a row)\n\
             time            2.0 s, 1 rows/s\n"
        );
    }

    #[test]
    fn a_report_of_several_runs_says_that_its_counts_are_lower_bounds() {
        let messages = BTreeMap::from([("event".to_owned(), 4)]);
        let tally = Tally { requests: 14, resumed: true, messages, ..Tally::default() };
        let said = Report { orders: 2, tally, ..Report::default() }.to_string();
        for line in [
            "messages        at least event 4\n",
            "requests        at least 14 (7.00 a row)\n",
            "write units     at least 0 (0.00 a row)\n",
            "read units      at least 0 (0.00 a row)\n",
            "time            at least 0.0 s\n",
            "resumed         what earlier runs began and did not finish is not counted\n",
        ] {
            assert!(said.contains(line), "{said}");
        }
    }

    #[test]
    fn a_number_is_grouped_by_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(-1_000), "-1,000");
        assert_eq!(grouped(69_659), "69,659");
    }
}
