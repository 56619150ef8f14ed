//! What a platform never delivered: its list of orders is read page by page, and what it tells is stored as its webhooks
//! would have been, at a bounded rate. What is known is a duplicate, so to run it again is safe at any time, also after
//! it was broken off.

mod report;

use order_webhook::{Listed, Outcome, ReconcileError, Reconciliation, Recorder};
use store::StoreError;
use tokio::task::JoinSet;

pub use self::report::Report;
use crate::bar::Bar;
use crate::pace::{Pace, patiently};

/// Orders under way at once: from a desk far from the region each takes a tenth of a second, or several where it is read
/// for itself, and the platform must not be asked too much.
const IN_FLIGHT: usize = 8;

/// Reads the whole list. What was done until an error is reported all the same.
pub async fn reconcile(mut walk: Reconciliation, rate: u32) -> (Report, Result<(), ReconcileError>) {
    let mut run = Run {
        recorder: walk.recorder(),
        pace: Pace::begin(rate),
        bar: Bar::without_end("orders"),
        report: Report::default(),
    };
    let done = run.carry_out(&mut walk).await;
    run.bar.finish();
    run.report.pages = walk.pages();
    run.report.elapsed = run.pace.elapsed();
    (run.report, done)
}

struct Run {
    recorder: Recorder,
    pace: Pace,
    bar: Bar,
    report: Report,
}

impl Run {
    async fn carry_out(&mut self, walk: &mut Reconciliation) -> Result<(), ReconcileError> {
        let at_once = self.pace.at_once(IN_FLIGHT);
        while let Some(mut page) = walk.next_page().await? {
            self.bar.say(&format!("page {}", walk.pages()));
            while !page.is_empty() {
                self.pace.wait_for_turn(self.report.read).await;
                let rest = page.split_off(at_once.min(page.len()));
                self.record(std::mem::replace(&mut page, rest)).await?;
            }
        }
        Ok(())
    }

    /// Records some orders at once.
    async fn record(&mut self, orders: Vec<Listed>) -> Result<(), ReconcileError> {
        let mut under_way = JoinSet::new();
        for order in orders {
            under_way.spawn(record(self.recorder.clone(), order));
        }
        while let Some(recorded) = under_way.join_next().await {
            let (order, outcome) = recorded
                .map_err(|broken| StoreError::Retryable(format!("an order was not sent: {broken}")))?;
            self.report.count(order.name(), outcome?);
            self.bar.passed();
        }
        Ok(())
    }
}

/// Records an order, also where the store is away for a moment.
async fn record(recorder: Recorder, order: Listed) -> (Listed, Result<Outcome, ReconcileError>) {
    let is_away = |error: &ReconcileError| matches!(error, ReconcileError::Store(StoreError::Retryable(_)));
    let recorded = patiently(|| recorder.record(&order), is_away).await;
    (order, recorded)
}
