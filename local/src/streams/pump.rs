//! One event source mapping at work, as Lambda does it: read the stream, keep what passes the filter, invoke the
//! function with a batch, look at the failures it reports, remember how far it came.

use std::sync::Arc;
use std::time::Duration;

use dynoxide::actions::get_records::Record;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use crate::clock::LocalClock;
use crate::dynamodb::{Engine, EngineError};
use crate::functions::Functions;
use crate::state::{FailedRecord, State};
use crate::template::Mapping;

/// Records read from the stream at a time; DynamoDB's own limit.
const PAGE: usize = 1_000;
/// Consumed records are trimmed in lots, so that writers wait seldom.
const TRIMS_EVERY: usize = 2_000;
/// How often a write that came over HTTP is looked for; those of the functions wake at once.
const LOOKS_EVERY: Duration = Duration::from_millis(100);
/// The wait before the second attempt; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Where a record's age decides, that is half a day. At a desk nobody waits so long.
const RETRIES_WITHOUT_BOUND: u32 = 50;

/// The stream cannot be read, or its place not be kept.
#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine's or the state's file.
    #[error("the stream's place cannot be kept: {0}")]
    File(#[from] rusqlite::Error),
    /// A record that is no JSON.
    #[error("a stream record cannot be written down: {0}")]
    Record(#[from] serde_json::Error),
}

/// An event source mapping. One batch is under way at a time.
#[derive(Debug)]
pub struct Pump {
    mapping: Mapping,
    engine: Engine,
    functions: Functions,
    state: Arc<State>,
    clock: LocalClock,
    progress: Mutex<Progress>,
    stop: watch::Receiver<bool>,
}

#[derive(Debug)]
struct Progress {
    /// The last record that is done with.
    position: Option<String>,
    /// What the engine's version was when there was nothing left to read.
    quiet_at: Option<i64>,
    /// Records done with and not yet trimmed.
    untrimmed: usize,
}

/// A record on its way to the function.
struct Parcel {
    sequence_number: String,
    record: Value,
}

/// How a batch went.
enum Outcome {
    Done,
    /// Everything before this parcel is done.
    FailedFrom {
        index: usize,
        reason: String,
    },
    /// Nothing is known of any of them.
    Failed {
        reason: String,
    },
}

impl Pump {
    /// A mapping that goes on where it was.
    pub fn open(
        mapping: Mapping,
        engine: Engine,
        functions: Functions,
        state: Arc<State>,
        clock: LocalClock,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, PumpError> {
        let position = state.position(&mapping.id)?;
        // What was consumed before the last stop may still lie there.
        let progress = Mutex::new(Progress { position, quiet_at: None, untrimmed: TRIMS_EVERY });
        Ok(Self { mapping, engine, functions, state, clock, progress, stop })
    }

    #[cfg(test)]
    pub(super) fn listen_to(&mut self, stop: watch::Receiver<bool>) {
        self.stop = stop;
    }

    /// What is pumped where.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Works until told to stop: at once when a function writes, and soon when anybody else does.
    pub async fn run(&self) {
        let (mut writes, mut stop) = (self.engine.writes(), self.stop.clone());
        while !*stop.borrow() {
            if let Err(error) = self.drain().await {
                tracing::error!(mapping = self.mapping.id, %error, "the stream stands still");
            }
            tokio::select! {
                _ = writes.changed() => {}
                () = tokio::time::sleep(LOOKS_EVERY) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Delivers everything there is. Returns how many records were read.
    pub async fn drain(&self) -> Result<usize, PumpError> {
        let mut progress = self.progress.lock().await;
        let mut read = 0;
        while !*self.stop.borrow() {
            // Asked before reading: what is written meanwhile changes it.
            let version = self.engine.records().version()?;
            if progress.quiet_at == Some(version) {
                break;
            }
            let page = self.engine.records_after(&self.mapping.table, progress.position.as_deref(), PAGE)?;
            let Some(last) = page.last().map(|record| record.dynamodb.sequence_number.clone()) else {
                progress.quiet_at = Some(version);
                break;
            };
            read += page.len();
            progress.untrimmed += page.len();
            let parcels = self.parcels(page)?;
            if self.deliver(&mut progress, &parcels).await? {
                self.advance(&mut progress, &last)?;
            }
            self.trim(&mut progress)?;
        }
        Ok(read)
    }

    /// Passes over everything there is without delivering it, as a stream loses what nobody read for a day.
    pub async fn forget(&self) -> Result<(), PumpError> {
        let mut progress = self.progress.lock().await;
        loop {
            let page = self.engine.records_after(&self.mapping.table, progress.position.as_deref(), PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            progress.untrimmed += page.len();
            self.advance(&mut progress, &last.dynamodb.sequence_number)?;
        }
    }

    fn parcels(&self, page: Vec<Record>) -> Result<Vec<Parcel>, PumpError> {
        let mut parcels = Vec::new();
        for record in page {
            let sequence_number = record.dynamodb.sequence_number.clone();
            let mut record = serde_json::to_value(record)?;
            if self.mapping.filter.matches(&record) {
                record["eventSourceARN"] = json!(self.mapping.stream_arn);
                parcels.push(Parcel { sequence_number, record });
            }
        }
        Ok(parcels)
    }

    /// Delivers in batches. Whether all of it is done; not so when told to stop.
    async fn deliver(&self, progress: &mut Progress, parcels: &[Parcel]) -> Result<bool, PumpError> {
        let mut rest = parcels;
        let mut size = self.mapping.batch_size;
        let mut attempts = 0;
        while let [first, ..] = rest {
            if *self.stop.borrow() {
                return Ok(false);
            }
            let batch = &rest[..size.min(rest.len())];
            let (done, failure) = match self.invoke(batch).await? {
                Outcome::Done => (batch.len(), None),
                Outcome::FailedFrom { index, reason } => (index, Some(reason)),
                Outcome::Failed { reason: _ } if self.mapping.bisects && batch.len() > 1 => {
                    size = batch.len() / 2;
                    continue;
                }
                Outcome::Failed { reason } => (0, Some(reason)),
            };
            if done > 0 {
                self.advance(progress, &rest[done - 1].sequence_number)?;
                rest = &rest[done..];
                (size, attempts) = (self.mapping.batch_size, 0);
            } else if let Some(reason) = failure {
                if attempts < self.mapping.retries.unwrap_or(RETRIES_WITHOUT_BOUND) {
                    self.pause(attempts).await;
                    attempts += 1;
                } else {
                    self.give_up(first, reason)?;
                    self.advance(progress, &first.sequence_number)?;
                    rest = &rest[1..];
                    (size, attempts) = (self.mapping.batch_size, 0);
                }
            }
        }
        Ok(true)
    }

    async fn invoke(&self, batch: &[Parcel]) -> Result<Outcome, PumpError> {
        let records: Vec<&Value> = batch.iter().map(|parcel| &parcel.record).collect();
        let event = serde_json::to_string(&json!({ "Records": records }))?;
        let answer = match self.functions.invoke(&self.mapping.function, event).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Outcome::Failed { reason: error.to_string() }),
        };
        Ok(outcome(&answer, batch))
    }

    async fn pause(&self, attempts: u32) {
        let pause = FIRST_PAUSE.saturating_mul(1 << attempts.min(10)).min(LONGEST_PAUSE);
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }

    fn give_up(&self, parcel: &Parcel, reason: String) -> Result<(), PumpError> {
        let mapping = self.mapping.id.clone();
        tracing::error!(mapping, sequence_number = parcel.sequence_number, reason, "a record is given up");
        self.state.keep_failed(&FailedRecord {
            at: self.clock.now().to_string(),
            mapping,
            sequence_number: parcel.sequence_number.clone(),
            reason,
            record: parcel.record.to_string(),
        })?;
        Ok(())
    }

    fn advance(&self, progress: &mut Progress, sequence_number: &str) -> Result<(), PumpError> {
        self.state.set_position(&self.mapping.id, sequence_number)?;
        progress.position = Some(sequence_number.to_owned());
        Ok(())
    }

    /// Each table has one follower (asserted when the stack opens), so what it is done with nobody needs.
    fn trim(&self, progress: &mut Progress) -> Result<(), PumpError> {
        if let (Some(position), true) = (&progress.position, progress.untrimmed >= TRIMS_EVERY) {
            self.engine.records().trim(&self.mapping.table, position)?;
            progress.untrimmed = 0;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialAnswer {
    #[serde(default)]
    batch_item_failures: Vec<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: Option<String>,
}

/// Lambda goes on from the lowest sequence number reported; an identifier that is not of the batch fails all of it.
fn outcome(answer: &str, batch: &[Parcel]) -> Outcome {
    // A function that answers nothing of the kind has no failures to report.
    let failures =
        serde_json::from_str(answer).map_or_else(|_| Vec::new(), |a: PartialAnswer| a.batch_item_failures);
    let mut first = None;
    for failure in failures {
        let place =
            batch.iter().position(|parcel| Some(&parcel.sequence_number) == failure.item_identifier.as_ref());
        match place {
            Some(index) => first = Some(first.map_or(index, |first: usize| first.min(index))),
            None => {
                return Outcome::Failed {
                    reason: "a failure was reported for no record of the batch".to_owned(),
                };
            }
        }
    }
    match first {
        None => Outcome::Done,
        Some(index) => Outcome::FailedFrom { index, reason: "reported as failed by the function".to_owned() },
    }
}
