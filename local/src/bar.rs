//! How far a replay or an import is, while it runs: a bar on a terminal, now and then a line elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use domain::Timestamp;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar is drawn at most this often; nobody reads faster.
const DRAWS_PER_SECOND: u8 = 10;
/// How long a log without a terminal stays silent.
const SILENCE: Duration = Duration::from_secs(10);
const TEMPLATE: &str = "{msg} [{bar:30}] {pos}/{len} rows  {per_sec}  {eta} left";

/// The progress on standard error.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    total: u64,
    resumed_at: u64,
    started: Instant,
    /// The moment that the bar shows.
    shown: Option<Timestamp>,
    /// When the last line was written; nothing on a terminal.
    spoken: Option<Instant>,
}

impl Bar {
    /// A bar over all rows, of which some were sent by an earlier run.
    pub(crate) fn new(total: usize, sent: usize) -> Self {
        let (total, resumed_at) = (total as u64, sent as u64);
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal {
            ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND)
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar =
            ProgressBar::with_draw_target(Some(total), target).with_style(style).with_position(resumed_at);
        bar.reset_eta();
        let started = Instant::now();
        Self { bar, total, resumed_at, started, shown: None, spoken: (!is_terminal).then_some(started) }
    }

    /// A row was sent, and it is of this moment.
    pub(crate) fn row_sent(&mut self, at: Timestamp) {
        self.bar.inc(1);
        if self.shown.replace(at).is_none_or(|before| before != at) {
            self.say(&at.strftime("%Y-%m-%d").to_string());
        }
        if self.spoken.is_some_and(|spoken| spoken.elapsed() >= SILENCE) {
            self.spoken = Some(Instant::now());
            eprintln!(
                "{}",
                line(at, self.bar.position(), self.total, self.resumed_at, self.started.elapsed())
            );
        }
    }

    /// What is being done.
    pub(crate) fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Leaves the screen to the report.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn line(at: Timestamp, sent: u64, total: u64, resumed_at: u64, elapsed: Duration) -> String {
    let rate = (sent.saturating_sub(resumed_at)) as f64 / elapsed.as_secs_f64().max(f64::EPSILON);
    let left = (total.saturating_sub(sent) as f64 / rate.max(f64::EPSILON)).ceil().min(f64::from(u32::MAX));
    let date = at.strftime("%Y-%m-%d");
    format!("{date}: {sent} of {total} rows, {rate:.0} rows/s, {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_rate_of_this_run_and_the_time_left() {
        let at = "1997-03-31T23:59:59Z".parse().unwrap();
        let told = line(at, 600, 1_000, 400, Duration::from_secs(2));
        assert_eq!(told, "1997-03-31: 600 of 1000 rows, 100 rows/s, 4 s left");
        assert!(line(at, 0, 0, 0, Duration::ZERO).ends_with("0 s left"));
    }
}
