//! How far a replay, an import or a reconciliation is, while it runs: a bar on a terminal, now and then a line elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use domain::Timestamp;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar is drawn at most this often; nobody reads faster.
const DRAWS_PER_SECOND: u8 = 10;
/// How long a log without a terminal stays silent.
const SILENCE: Duration = Duration::from_secs(10);
const TEMPLATE: &str = "{msg} [{bar:30}] {pos}/{len} rows  {per_sec}  {eta} left";
const WITHOUT_END: &str = "{spinner} {msg}  {pos} {prefix}  {per_sec}";

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
        let bar = Self::drawn(Some(total), TEMPLATE);
        bar.bar.set_position(resumed_at);
        bar.bar.reset_eta();
        Self { total, resumed_at, ..bar }
    }

    /// A bar over so many things as there will be; nobody knows before.
    pub(crate) fn without_end(things: &'static str) -> Self {
        let bar = Self::drawn(None, WITHOUT_END);
        bar.bar.set_prefix(things);
        bar
    }

    fn drawn(total: Option<u64>, template: &str) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal {
            ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND)
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(total, target).with_style(style);
        let started = Instant::now();
        let spoken = (!is_terminal).then_some(started);
        Self { bar, total: 0, resumed_at: 0, started, shown: None, spoken }
    }

    /// A row was sent, and it is of this moment.
    pub(crate) fn row_sent(&mut self, at: Timestamp) {
        self.bar.inc(1);
        if self.shown.replace(at).is_none_or(|before| before != at) {
            self.say(&at.strftime("%Y-%m-%d").to_string());
        }
        if self.is_time_to_speak() {
            eprintln!(
                "{}",
                line(at, self.bar.position(), self.total, self.resumed_at, self.started.elapsed())
            );
        }
    }

    /// One more of the things without end.
    pub(crate) fn passed(&mut self) {
        self.bar.inc(1);
        if self.is_time_to_speak() {
            let (seen, things) = (self.bar.position(), self.bar.prefix());
            let rate = rate(seen, self.started.elapsed());
            eprintln!("{}: {seen} {things}, {rate:.0} a second", self.bar.message());
        }
    }

    fn is_time_to_speak(&mut self) -> bool {
        let is_time = self.spoken.is_some_and(|spoken| spoken.elapsed() >= SILENCE);
        if is_time {
            self.spoken = Some(Instant::now());
        }
        is_time
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
    let rate = rate(sent.saturating_sub(resumed_at), elapsed);
    let left = (total.saturating_sub(sent) as f64 / rate.max(f64::EPSILON)).ceil().min(f64::from(u32::MAX));
    let date = at.strftime("%Y-%m-%d");
    format!("{date}: {sent} of {total} rows, {rate:.0} rows/s, {left:.0} s left")
}

/// How many of them a second.
fn rate(done: u64, elapsed: Duration) -> f64 {
    done as f64 / elapsed.as_secs_f64().max(f64::EPSILON)
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
