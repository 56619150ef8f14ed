//! What a reconciliation reports.

use std::fmt;
use std::time::Duration;

use order_webhook::Outcome;

/// The most orders that were stored that are named; whoever lost more looks for one cause, not at each order.
const MAX_NAMED: usize = 100;

/// What became of the orders of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries of the list.
    pub read: u64,
    /// What was missing, wholly or in part.
    pub stored: u64,
    /// What was known.
    pub known: u64,
    /// What is of no interest.
    pub ignored: u64,
    /// What could not be read or kept, and why.
    pub rejected: Vec<(String, String)>,
    /// The first of what was missing.
    pub named: Vec<String>,
    pub(super) pages: u32,
    pub(super) elapsed: Duration,
}

impl Report {
    pub(super) fn count(&mut self, name: &str, outcome: Outcome) {
        self.read += 1;
        match outcome {
            Outcome::Stored => {
                self.stored += 1;
                if self.named.len() < MAX_NAMED {
                    self.named.push(name.to_owned());
                }
            }
            Outcome::Known => self.known += 1,
            Outcome::Ignored(_) => self.ignored += 1,
            Outcome::Rejected(reason) => self.rejected.push((name.to_owned(), reason)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, stored, known, ignored, rejected, named, pages, elapsed } = self;
        for name in named {
            writeln!(f, "stored          {name}")?;
        }
        if let more @ 1.. = stored.saturating_sub(named.len() as u64) {
            writeln!(f, "stored          and {more} more")?;
        }
        for (name, reason) in rejected {
            writeln!(f, "rejected        {name}: {reason}")?;
        }
        writeln!(f, "pages read      {pages}")?;
        writeln!(f, "orders read     {read}")?;
        writeln!(f, "newly stored    {stored}")?;
        writeln!(f, "known already   {known}")?;
        writeln!(f, "not needed      {ignored}")?;
        writeln!(f, "rejected        {}", rejected.len())?;
        writeln!(f, "duration        {:.1} s", elapsed.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_what_was_missing_and_why_something_was_rejected() {
        let mut report = Report { pages: 2, elapsed: Duration::from_millis(1_250), ..Report::default() };
        report.count("1", Outcome::Stored);
        report.count("2", Outcome::Known);
        report.count("3", Outcome::Rejected("currency: is missing".to_owned()));
        report.count("4", Outcome::Ignored("a draft"));
        assert_eq!(
            report.to_string(),
            "stored          1\nrejected        3: currency: is missing\npages read      2\norders read     4\n\
             newly stored    1\nknown already   1\nnot needed      1\nrejected        1\nduration        1.2 s\n"
        );
    }

    #[test]
    fn a_long_report_names_the_first_only() {
        let mut report = Report::default();
        (0..103).for_each(|number| report.count(&number.to_string(), Outcome::Stored));
        let told = report.to_string();
        assert!(told.contains("stored          99\nstored          and 3 more\n"), "{told}");
    }
}
