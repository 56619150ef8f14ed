//! Erases persons: woken by the stream of `erasures` with each one that is open, it works as long as its time allows
//! and writes down how far it came, which wakes it again.
//!
//! Nothing here names a person: an erasure holds digests, and the log has its own random name.

use std::time::Duration;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use aws_sdk_sns::Client;
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::operation::delete_endpoint::DeleteEndpointError;
use lambda_runtime::{Error, LambdaEvent};
use runtime::{Budget, Clock, caught};
use store::person::{Erasure, erasure_of_image};
use store::{Store, StoreError};

/// What one page may take: a megabyte of orders to read, of which a hundred are the person's, each read and written.
const PAGE_TIME: Duration = Duration::from_secs(20);

/// How SNS may say that an endpoint, or its application, is not there; the model has no error of its own for it.
const NOT_FOUND: &str = "NotFound";

/// The function.
#[derive(Debug, Clone)]
pub struct ErasureFunction {
    store: Store,
    sns: Client,
    clock: Clock,
}

/// Why an erasure did not get on. It stays open, its record is tried again, and at last an alarm tells of it.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("an endpoint of the push service was not deleted ({0})")]
    Endpoint(String),
}

impl ErasureFunction {
    /// The function over its store, SNS and a clock.
    pub fn new(store: Store, sns: Client, clock: Clock) -> Self {
        Self { store, sns, clock }
    }

    /// Handles a batch in the order of the stream, and stops at the first record that must be tried again.
    pub async fn handle(&self, event: LambdaEvent<Event>) -> Result<DynamoDbEventResponse, Error> {
        let budget = Budget::until(event.context.deadline);
        let mut answer = DynamoDbEventResponse::default();
        for record in event.payload.records {
            let sequence_number = record.change.sequence_number.clone();
            let taken_up = caught(self.take_up(record, budget)).await.unwrap_or_else(|panicked| {
                // It stays open, and must not block those behind it: `laurel person reapply` takes it up again.
                tracing::error!(error = %panicked, sequence_number, "an erasure is left open");
                Ok(())
            });
            if let Err(error) = taken_up {
                tracing::warn!(%error, sequence_number, "an erasure must be tried again");
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = sequence_number;
                answer.batch_item_failures.push(failure);
                break;
            }
        }
        Ok(answer)
    }

    async fn take_up(&self, record: EventRecord, budget: Budget) -> Result<(), Failure> {
        let id = match erasure_of_image(record.change.new_image) {
            Ok(id) => id,
            Err(error) => {
                tracing::error!(%error, sequence_number = record.change.sequence_number, "not an erasure, left out");
                return Ok(());
            }
        };
        // The record only wakes: the erasure may be further, or done, since.
        match self.store.erasure(&id).await? {
            Some(erasure) if erasure.is_open() => self.work(erasure, budget).await,
            _ => Ok(()),
        }
    }

    /// One page at least, so that every invocation gets on.
    async fn work(&self, mut erasure: Erasure, budget: Budget) -> Result<(), Failure> {
        erasure.begin(self.clock.now());
        loop {
            let page = self.store.erasure_page(&erasure).await?;
            for endpoint in page.endpoints() {
                // The directory's keys of the person are gone: whoever has the endpoint now uses the same phone.
                if self.store.is_nobodys(endpoint).await? {
                    self.delete_endpoint(endpoint).await?;
                }
            }
            self.store.erase_page(&mut erasure, page, self.clock.now()).await?;
            if !erasure.is_open() || budget.left() < PAGE_TIME {
                break;
            }
        }
        if !self.store.keep_erasure(&mut erasure).await? || erasure.is_open() {
            return Ok(());
        }
        if erasure.found_nobody() {
            // Perhaps asked for under a name that we do not know, so an operator should look.
            tracing::warn!(erasure.id = %erasure.id(), "an erasure found nobody");
        } else {
            tracing::info!(erasure.id = %erasure.id(), members = erasure.members().count(), "erased");
        }
        Ok(())
    }

    /// Deleting what is gone is no error to SNS. An address that is none was never one, and holds nobody's token. What
    /// we may not reach is of a push application that the stack has no more; it goes when that application is deleted.
    async fn delete_endpoint(&self, endpoint: &str) -> Result<(), Failure> {
        let Err(error) = self.sns.delete_endpoint().endpoint_arn(endpoint).send().await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(DeleteEndpointError::InvalidParameterException(_)) => {
                tracing::warn!("a device's endpoint is none");
                Ok(())
            }
            Some(DeleteEndpointError::AuthorizationErrorException(_)) => {
                tracing::warn!("a device's endpoint is of a former push application");
                Ok(())
            }
            Some(error) if error.code() == Some(NOT_FOUND) => Ok(()),
            service => {
                let code = service.and_then(ProvideErrorMetadata::code).unwrap_or("no answer");
                Err(Failure::Endpoint(code.to_owned()))
            }
        }
    }
}
