//! The sweep: walks over all orders, compares each with the journal entries under its key, and brings those that do
//! not match to their target, as the accrual would have done. So what a stream has lost is found without it.
//!
//! A pass over all orders takes as many runs as it needs: each run goes on where the one before stopped. Orders are
//! checked one after the other, which is the sweep's pace: a few hundred reads a second at most, far below what a
//! table takes.

mod error;

use std::time::Duration;

use domain::{OrderKey, OrderState, Timestamp};
use lambda_runtime::LambdaEvent;
use runtime::telemetry::signal;
use runtime::{Accrued, Budget, Engine, EngineError, caught};
use serde::Serialize;
use store::{Consistency, StoreError, SweepPosition};
use tracing::Instrument;

pub use self::error::SweepError;

/// Orders read at a time; also what is checked again after a run that crashed.
const PAGE: u16 = 200;

/// What one run may cost: about two cents in reads. A shop with more orders is swept in several runs.
const ORDERS_PER_RUN: u64 = 100_000;

/// The stream record of an order that changed so recently may still be on its way. A stream further behind sounds an
/// alarm of its own. The platforms' clocks may be ahead of ours by as much.
const UNDER_WAY: Duration = Duration::from_secs(15 * 60);

/// How often one order is brought to its target while it keeps changing; the next pass finds it again.
const MAX_ROUNDS: u32 = 5;

/// One order that cannot be checked is its own fault, but so many one after the other are the store's.
const MAX_FAILED_IN_A_ROW: u32 = 20;

/// The function.
#[derive(Debug, Clone)]
pub struct OrderSweep {
    engine: Engine,
    orders_per_run: u64,
}

/// What a run did; for the log, and for whoever invokes it by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Orders that were read, those that lie aside too.
    pub scanned: u64,
    /// Orders that were compared with the journal.
    pub checked: u64,
    /// Orders that changed a moment ago and were left to the stream.
    pub under_way: u64,
    /// Orders that did not match and were brought to their target.
    pub repaired: u64,
    /// Orders that did not match and can never succeed as they are; they were put aside.
    pub parked: u64,
    /// Orders that could not be checked; they are logged, and the next pass finds them again.
    pub failed: u64,
    /// Whether the pass reached its end. If not, the next run goes on; else it begins anew.
    pub complete: bool,
}

/// What an order turned out to be.
enum Found {
    UnderWay,
    AtTarget,
    Repaired,
    Parked,
}

impl OrderSweep {
    /// The function over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine, orders_per_run: ORDERS_PER_RUN }
    }

    /// The same function, reading so many orders in a run.
    pub fn at_most(self, orders_per_run: u64) -> Self {
        Self { orders_per_run, ..self }
    }

    /// Goes on with the pass, within the invocation's time. What the event says does not matter: the schedule only
    /// wakes the function.
    pub async fn handle(&self, event: LambdaEvent<serde_json::Value>) -> Result<Report, SweepError> {
        let report = self.run(Budget::until(event.context.deadline)).await?;
        let Report { scanned, checked, under_way, repaired, parked, failed, complete } = report;
        tracing::info!(scanned, checked, under_way, repaired, parked, failed, complete, "swept");
        if checked == 0 && (failed > 0 || scanned == 0 && !complete) {
            // Nothing was achieved at all: let the schedule's retry and the alarm know.
            return Err(SweepError::NothingChecked);
        }
        Ok(report)
    }

    async fn run(&self, budget: Budget) -> Result<Report, SweepError> {
        let store = self.engine.store();
        let mut report = Report::default();
        let mut kept = store.sweep_position().await?;
        while report.scanned < self.orders_per_run && !budget.is_spent() {
            let left = u16::try_from(self.orders_per_run - report.scanned).unwrap_or(PAGE);
            let page = store.sweep_page(kept.as_ref(), left.min(PAGE)).await?;
            report.scanned += page.scanned;
            let mut position = kept.clone();
            let is_whole = self.check_all(page.orders, budget, &mut position, &mut report).await?;
            if is_whole {
                position = page.next;
                report.complete = position.is_none();
            }
            // A shop of one page needs no position, so that nothing is written where all is well.
            if position != kept {
                store.keep_sweep_position(position.as_ref()).await?;
                kept = position;
            }
            if report.complete || !is_whole {
                break;
            }
        }
        Ok(report)
    }

    /// Checks a page's orders and moves the position along. Whether time sufficed for all of them.
    async fn check_all(
        &self,
        orders: Vec<Result<OrderState, StoreError>>,
        budget: Budget,
        position: &mut Option<SweepPosition>,
        report: &mut Report,
    ) -> Result<bool, SweepError> {
        let mut failed_in_a_row = 0;
        for order in orders {
            if budget.is_spent() {
                return Ok(false);
            }
            let order = match order {
                Ok(order) => order,
                Err(error) => {
                    tracing::error!(%error, "not an order, left out");
                    report.failed += 1;
                    continue;
                }
            };
            let span = tracing::info_span!("order", order.id = %order.key);
            let checked = caught(Box::pin(self.check(&order, budget).instrument(span.clone()))).await;
            match checked.unwrap_or_else(|panicked| Err(EngineError::Permanent(panicked.to_string()))) {
                Ok(found) => {
                    report.count(&found);
                    failed_in_a_row = 0;
                }
                Err(_) if budget.is_spent() => return Ok(false),
                // One that cannot be checked must not keep the others waiting.
                Err(error) => {
                    span.in_scope(|| tracing::error!(%error, "could not be checked"));
                    report.failed += 1;
                    failed_in_a_row += 1;
                }
            }
            if failed_in_a_row == MAX_FAILED_IN_A_ROW {
                return Err(SweepError::ManyFailed(failed_in_a_row));
            }
            *position = Some(SweepPosition::after(&order.key));
        }
        Ok(true)
    }

    async fn check(&self, order: &OrderState, budget: Budget) -> Result<Found, EngineError> {
        if is_under_way(order, self.engine.clock().now()) {
            return Ok(Found::UnderWay);
        }
        if self.engine.is_at_target(order, Consistency::Eventual).await? {
            return Ok(Found::AtTarget);
        }
        self.repair(&order.key, budget).await
    }

    /// Brings an order to its target by the accrual's own way. It is read anew before and after: what came in
    /// meanwhile the accrual may have handled first, and may have had nothing to post for it.
    async fn repair(&self, key: &OrderKey, budget: Budget) -> Result<Found, EngineError> {
        let mut found = Found::AtTarget;
        for _ in 0..MAX_ROUNDS {
            let Some(order) = self.engine.store().order_to_accrue(key).await? else { return Ok(found) };
            if self.engine.is_at_target(&order, Consistency::Strong).await? {
                if matches!(found, Found::Repaired) {
                    tracing::warn!(signal = signal::REPAIRED, order.revision, "repaired");
                }
                return Ok(found);
            }
            match self.engine.batch().accrue(&order, false, budget).await? {
                Accrued::Done(_) => found = Found::Repaired,
                Accrued::Parked => return Ok(Found::Parked),
            }
        }
        Err(EngineError::Retryable("the order keeps changing".to_owned()))
    }
}

impl Report {
    fn count(&mut self, found: &Found) {
        match found {
            Found::UnderWay => self.under_way += 1,
            Found::AtTarget => self.checked += 1,
            Found::Repaired => {
                self.checked += 1;
                self.repaired += 1;
            }
            Found::Parked => {
                self.checked += 1;
                self.parked += 1;
            }
        }
    }
}

fn is_under_way(order: &OrderState, now: Timestamp) -> bool {
    order.newest_moment().is_some_and(|moment| {
        let seconds = now.duration_since(moment).as_secs().unsigned_abs();
        seconds < UNDER_WAY.as_secs()
    })
}
