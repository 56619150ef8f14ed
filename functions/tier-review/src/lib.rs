//! The review: settles every member whose due date has come. It costs what is due, never what exists, and missed
//! runs catch up by themselves. It also misses a source that has fallen silent.

mod error;

use jiff::SignedDuration;
use lambda_runtime::LambdaEvent;
use runtime::telemetry::signal;
use runtime::{Budget, Engine, EngineError, caught};
use serde::Serialize;
use store::DUE_SHARDS;

pub use self::error::ReviewError;

/// Members taken from a shard at a time.
const PAGE: u16 = 100;

/// How long it is told that a source is silent.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The function.
#[derive(Debug, Clone)]
pub struct TierReview {
    engine: Engine,
    silent_after: Option<SignedDuration>,
}

/// What a run did; for the log, and for whoever invokes it by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Members that were settled.
    pub settled: u64,
    /// Members that could not be; they stay due and are logged.
    pub failed: u64,
    /// Whether everybody due was reached before the time was spent.
    pub complete: bool,
}

impl TierReview {
    /// The function over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine, silent_after: None }
    }

    /// The same function, which also tells of each source from which nothing was heard for so long.
    #[must_use]
    pub fn missing_sources_after(self, silent_after: SignedDuration) -> Self {
        Self { silent_after: Some(silent_after).filter(|silent| silent.is_positive()), ..self }
    }

    /// Settles whoever is due up to now, shard by shard, within the invocation's time. What the event says does
    /// not matter: the schedule only wakes the function.
    pub async fn handle(&self, event: LambdaEvent<serde_json::Value>) -> Result<Report, ReviewError> {
        let budget = Budget::until(event.context.deadline);
        let mut report = Report { complete: true, ..Report::default() };
        for shard in 0..DUE_SHARDS {
            self.review_shard(shard, budget, &mut report).await?;
        }
        tracing::info!(
            settled = report.settled,
            failed = report.failed,
            complete = report.complete,
            "reviewed"
        );
        if let Some(silent_after) = self.silent_after {
            self.miss_sources(silent_after).await?;
        }
        if report.settled == 0 && (report.failed > 0 || !report.complete) {
            // Nothing was achieved at all: let the schedule's retry and the alarm know.
            return Err(ReviewError::NobodySettled);
        }
        Ok(report)
    }

    /// Tells of silent sources, for a week: whoever has heard of it and does nothing has disconnected the shop.
    async fn miss_sources(&self, silent_after: SignedDuration) -> Result<(), ReviewError> {
        let now = self.engine.clock().now();
        for (source, heard_at) in self.engine.store().heard().await? {
            let silence = now.duration_since(heard_at);
            if silence > silent_after && silence <= silent_after.saturating_add(TOLD_FOR) {
                tracing::warn!(signal = signal::SILENT, %source, %heard_at, "nothing is heard from a source");
            }
        }
        Ok(())
    }

    async fn review_shard(&self, shard: u8, budget: Budget, report: &mut Report) -> Result<(), ReviewError> {
        let until = self.engine.clock().now();
        let mut after = None;
        loop {
            let page = self.engine.store().due_members(shard, until, after.as_ref(), PAGE).await?;
            for due in &page {
                if budget.is_spent() {
                    report.complete = false;
                    return Ok(());
                }
                // One who cannot be settled stays due, and must not keep the others waiting.
                let reviewed = caught(self.engine.review(&due.member, budget)).await;
                match reviewed.unwrap_or_else(|panicked| Err(EngineError::Permanent(panicked.to_string()))) {
                    Ok(()) => report.settled += 1,
                    Err(error) => {
                        tracing::error!(member.id = %due.member, %error, "could not be settled");
                        report.failed += 1;
                    }
                }
            }
            if page.len() < usize::from(PAGE) {
                return Ok(());
            }
            after = page.into_iter().last();
        }
    }
}
