//! Turns stored orders into points: woken by the stream of `orders`, it brings every order to its target.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use lambda_runtime::{Error, LambdaEvent};
use runtime::{Accrued, Batch, Budget, Engine, EngineError, caught};
use tracing::Instrument;

/// The function.
#[derive(Debug, Clone)]
pub struct PointsAccrual {
    engine: Engine,
}

/// What the stream calls the first write of an item.
const INSERT: &str = "INSERT";

/// A record older than this was held up, or is run again by hand; its order may have changed since, also in a way that
/// posted nothing and left no trace, so it is read anew. Real time, as the stream's own.
const LATE: Duration = Duration::from_secs(15 * 60);

impl PointsAccrual {
    /// The function over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// Handles a batch in the order of the stream. It stops at the first record that must be tried again, so that
    /// nothing behind it is done before it; what can never succeed is parked, and the batch goes on.
    pub async fn handle(&self, event: LambdaEvent<Event>) -> Result<DynamoDbEventResponse, Error> {
        let budget = Budget::until(event.context.deadline);
        let mut batch = self.engine.batch();
        let mut answer = DynamoDbEventResponse::default();
        for record in event.payload.records {
            let sequence_number = record.change.sequence_number.clone();
            let Err(error) =
                caught(Box::pin(self.accrue(&mut batch, record, budget))).await.unwrap_or_else(|panicked| {
                    // An order is parked where its own handling panics; this is what stands before that.
                    tracing::error!(error = %panicked, sequence_number, "a record is left out");
                    Ok(())
                })
            else {
                continue;
            };
            tracing::warn!(%error, sequence_number, "a record must be tried again");
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = sequence_number;
            answer.batch_item_failures.push(failure);
            break;
        }
        Ok(answer)
    }

    /// Brings one order to its target. An error means: try this record again.
    async fn accrue(
        &self,
        batch: &mut Batch<'_>,
        record: EventRecord,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let is_late = is_late(&record);
        let first_seen = record.event_name == INSERT && !is_late;
        if record.change.new_image.is_empty() {
            // The item was removed; the journal keeps what it posted.
            return Ok(());
        }
        let state = match store::order_of_image(record.change.new_image) {
            Ok(state) => state,
            Err(error) => {
                // It names no order that could be parked, and must not block the records behind it.
                tracing::error!(%error, sequence_number = record.change.sequence_number, "not an order, left out");
                return Ok(());
            }
        };
        let state =
            if is_late { self.engine.store().order(&state.key).await?.unwrap_or(state) } else { state };
        let span = tracing::info_span!("order", order.id = %state.key, member.id = tracing::field::Empty);
        if let Accrued::Done(member) =
            batch.accrue(&state, first_seen, budget).instrument(span.clone()).await?
        {
            let _entered = span.entered();
            tracing::debug!(member.id = member.map(|member| member.to_string()), "reconciled");
        }
        Ok(())
    }
}

fn is_late(record: &EventRecord) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let created_at = record.change.approximate_creation_date_time.timestamp();
    u64::try_from(created_at).is_ok_and(|created_at| now > Duration::from_secs(created_at) + LATE)
}
