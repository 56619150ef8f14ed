//! The steps of a replay, done one after the other.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use domain::{Currency, SourceName, Timestamp};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use runtime::{Engine, Random};

use super::folder::{Folder, Progress, Unfinished};
use super::plan::{Action, Plan, Step, TICK};
use super::report::Tally;
use super::roll::{MemberLine, Roll, SnapshotLine};
use super::{ReplayError, webhook};
use crate::bar::Bar;
use crate::history::{Names, Row};
use crate::stack::{Stack, StackError};

/// A replay under way.
pub(super) struct Run<'a> {
    stack: &'a Stack,
    source: &'a SourceName,
    plan: &'a Plan,
    names: &'a Names,
    folder: &'a Folder,
    currency: Currency,
    /// How far it is, and what earlier runs counted.
    progress: Progress,
    earlier: Tally,
    started: Instant,
    bar: Bar,
    roll: Roll<'a>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        stack: &'a Stack,
        source: &'a SourceName,
        plan: &'a Plan,
        names: &'a Names,
        folder: &'a Folder,
        progress: Progress,
        currency: Currency,
    ) -> Self {
        let engine = Engine::new(stack.store().clone(), stack.clock().for_functions(), Random::system());
        Self {
            stack,
            source,
            plan,
            names,
            folder,
            currency,
            earlier: Tally { resumed: progress.clock.is_some(), ..progress.tally.clone() },
            started: Instant::now(),
            bar: Bar::new(plan.rows.len(), plan.sent_before(progress.next_step)),
            roll: Roll::new(engine, source, names.customers()),
            progress,
        }
    }

    /// Does every step that is left, or as many as are allowed.
    pub(super) async fn carry_out(mut self, allowed: Option<usize>) -> Result<Progress, ReplayError> {
        let plan = self.plan;
        let first = self.progress.next_step;
        for (index, step) in plan.steps.iter().enumerate().skip(first) {
            if allowed.is_some_and(|allowed| index - first >= allowed) {
                return Err(ReplayError::Stopped);
            }
            self.step(index, step).await?;
        }
        self.bar.finish();
        Ok(self.progress)
    }

    async fn step(&mut self, index: usize, step: &Step) -> Result<(), ReplayError> {
        self.move_to(step).await?;
        // Before the rows are sent: whatever is under way when we are killed must not be found by an earlier clock.
        self.save(index, step.at)?;
        match &step.action {
            Action::Send(rows) => self.send_all(rows, step.at).await?,
            action => self.write_down(action).await?,
        }
        self.save(index + 1, step.at)
    }

    /// Moves time as it would pass in an account, where the schedule ticks now and then: rows that come between two
    /// ticks find no review on the way. What is written down is as of everything due by then.
    async fn move_to(&self, step: &Step) -> Result<(), StackError> {
        let clock = self.stack.clock();
        let next_tick = self.stack.schedule().tick_from(clock.now() + TICK);
        if matches!(step.action, Action::Send(_)) && next_tick > step.at {
            return Ok(clock.move_to(step.at)?);
        }
        self.stack.advance_to(step.at).await
    }

    async fn send_all(&mut self, rows: &Range<usize>, at: Timestamp) -> Result<(), ReplayError> {
        let plan = self.plan;
        for row in plan.rows_of(rows) {
            self.send(row).await?;
            self.bar.row_sent(at);
        }
        Ok(self.stack.drain().await?)
    }

    /// Sends a row as its shop would have done at that moment.
    async fn send(&self, row: &Row) -> Result<(), ReplayError> {
        let unsendable = |problem: String| ReplayError::Unsendable { line: row.line, problem };
        let body = serde_json::to_vec(&webhook::of_row(self.names, row, self.currency))
            .map_err(|error| unsendable(error.to_string()))?;
        let uri: Uri = order_webhook::path_of(self.source)
            .parse()
            .map_err(|error: http::uri::InvalidUri| unsendable(error.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let now = self.stack.clock().now();
        let signature = self.stack.sources().sign(self.source, &webhook::name_of(row), now, &body);
        for (name, value) in signature.ok_or(ReplayError::NoSource)? {
            let value = value.parse().map_err(|_| unsendable(format!("its {name} is no header")))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let answer = self.stack.gateway().answer(&Method::POST, &uri, &headers, &body).await;
        if answer.status() == StatusCode::ACCEPTED {
            return Ok(());
        }
        Err(ReplayError::Refused {
            line: row.line,
            status: answer.status().as_u16(),
            answer: String::from_utf8_lossy(answer.body()).into_owned(),
        })
    }

    async fn write_down(&mut self, action: &Action) -> Result<(), ReplayError> {
        self.nothing_was_given_up()?;
        let Some(path) = self.folder.written_by(action) else { return Ok(()) };
        let file = Unfinished::create(path)?;
        match action {
            Action::Send(_) => {}
            Action::Members => {
                self.bar.say("writing down the members");
                self.roll.write(file.file(), MemberLine::of).await?;
                self.earlier.parked = self.stack.store().parked().await.map_err(StackError::from)?.len();
            }
            Action::Snapshot(date) => {
                self.bar.say(&format!("writing down the members as of {date}"));
                let line = |customer: &_, settled: &_| SnapshotLine::of(customer, *date, settled);
                self.roll.write(file.file(), line).await?;
            }
        }
        Ok(file.finish()?)
    }

    /// A record that was given up is missing in the result, and nobody would see it there.
    fn nothing_was_given_up(&self) -> Result<(), ReplayError> {
        let failed = self.stack.state().failed(1).map_err(StackError::from)?;
        match failed.into_iter().next() {
            None => Ok(()),
            Some(failed) => Err(ReplayError::GivenUp { function: failed.mapping, reason: failed.reason }),
        }
    }

    fn save(&mut self, next_step: usize, clock: Timestamp) -> Result<(), ReplayError> {
        let sent = self.stack.inbox().counts();
        let messages = [("push", sent.push), ("email", sent.email), ("event", sent.event)];
        let messages: BTreeMap<String, u64> =
            messages.into_iter().map(|(channel, count)| (channel.to_owned(), count)).collect();
        let tally = self.earlier.plus(self.started.elapsed(), self.stack.meter().usage(), &messages);
        self.progress = Progress { next_step, clock: Some(clock), tally };
        Ok(self.folder.save(&self.progress)?)
    }
}
