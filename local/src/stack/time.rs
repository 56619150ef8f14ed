//! Time in the stack: it passes by itself, or jumps from one due moment to the next.

use std::time::Duration;

use domain::Timestamp;
use jiff::SignedDuration;
use serde::Deserialize;

use super::{Stack, StackError};
use crate::clock::ClockError;
use crate::schedule::Schedule;

/// How often the schedule looks at the clock, which somebody may have moved.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// After a run that failed.
const TRIES_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// What a function on a schedule answers.
#[derive(Deserialize)]
struct Report {
    complete: bool,
}

impl Stack {
    /// Moves time to a moment, doing on the way everything that is due, each at its tick of the schedule, and
    /// answers when all of it is done and the streams are drained.
    pub async fn advance_to(&self, target: Timestamp) -> Result<(), StackError> {
        let _turn = self.moving.lock().await;
        let now = self.clock.now();
        if target < now {
            return Err(ClockError::Backwards { now, target }.into());
        }
        self.drain().await?;
        let mut reviewed = None;
        while let Some(due) = self.store.next_due().await?.filter(|due| *due <= target) {
            let now = self.clock.now();
            // Whoever could not be settled stays due; then it goes on tick by tick, as it would in an account.
            let from =
                if reviewed == Some(due) { now + SignedDuration::from_millis(1) } else { due.max(now) };
            let tick = self.review_schedule.tick_from(from).min(target).max(now);
            let is_last = reviewed == Some(due) && tick >= target;
            self.clock.move_to(tick)?;
            self.review().await?;
            self.drain().await?;
            if is_last || self.is_stopping() {
                break;
            }
            reviewed = Some(due);
        }
        self.clock.move_to(target.max(self.clock.now()))?;
        self.drain().await
    }

    /// Runs the review, as often as it says that its time was too short.
    pub async fn review(&self) -> Result<(), StackError> {
        self.wake(&self.review_schedule).await
    }

    /// Wakes a function as its schedule does, as often as it says that there is more to do.
    async fn wake(&self, schedule: &Schedule) -> Result<(), StackError> {
        loop {
            let event = schedule.event(self.clock.now());
            let answer = self.invoke(&schedule.function, event.to_string()).await?;
            let complete = serde_json::from_str(&answer).is_ok_and(|report: Report| report.complete);
            if complete || self.is_stopping() {
                return Ok(());
            }
        }
    }

    /// Wakes a function at the start, for what was missed, and then at each tick of local time.
    pub(super) async fn keep_schedule(&self, schedule: &Schedule) {
        let mut stop = self.stop.subscribe();
        let mut next = self.clock.now();
        while !self.is_stopping() {
            let now = self.clock.now();
            let mut pause = LOOKS_EVERY;
            if now >= next {
                match self.wake(schedule).await {
                    Ok(()) => next = schedule.tick_from(now + SignedDuration::from_millis(1)),
                    Err(error) => {
                        tracing::error!(%error, function = schedule.function, "a scheduled run failed");
                        pause = TRIES_AGAIN_AFTER;
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
    }
}
