//! What the platform never delivered: its own list of orders is read, and every entry of it stored by the very code that
//! stores a webhook. What is known already is a duplicate.

use std::fmt;

use domain::{SourceName, Timestamp};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use runtime::{Clock, Problem};
use store::{Arrival, Store, StoreError};

use crate::api::{Api, ApiError, PATIENCE_WITH_LISTS};
use crate::platform::{Delivery, Listing};
use crate::sources::{Source, Sources};
use crate::{Failure, Listed, OrderWebhook, Receipt, Unlisted};

/// A million orders. Whoever has more takes several times; and no answer can keep us turning pages for ever.
pub(crate) const MAX_PAGES: u32 = 10_000;
/// The status of what is not there.
const NOT_FOUND: u16 = 404;

/// Why a list cannot be read on. To begin anew is safe.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// There is no such source.
    #[error("there is no source {0}; there is {1}")]
    NoSource(SourceName, String),
    /// The platform's list cannot be read.
    #[error(transparent)]
    Unlisted(#[from] Unlisted),
    /// The platform does not answer, or not as it should.
    #[error("{0}")]
    Platform(String),
    /// The list does not come to an end.
    #[error("the platform's list does not end after {0} pages; name a later --since")]
    Endless(u32),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A walk over a platform's list.
pub struct Reconciliation {
    recorder: Recorder,
    listing: Box<dyn Listing>,
    pages: u32,
}

/// Stores what a list tells. Clones do the same.
#[derive(Clone)]
pub struct Recorder {
    webhook: OrderWebhook,
    source: Source,
    name: SourceName,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was missing, wholly or in part.
    Stored,
    /// It was known.
    Known,
    /// Understood, and of no interest.
    Ignored(&'static str),
    /// It cannot be understood, or not be kept, and why.
    Rejected(String),
}

impl Reconciliation {
    /// Begins to read what changed at a source since a moment.
    pub fn begin(
        store: Store,
        sources: &Sources,
        name: &SourceName,
        since: Timestamp,
        clock: Clock,
    ) -> Result<Self, ReconcileError> {
        let source = sources.named(name).map_err(|_| {
            let names: Vec<_> = sources.names().iter().map(ToString::to_string).collect();
            ReconcileError::NoSource(name.clone(), names.join(", "))
        })?;
        let listing = source.list(since, clock.now())?;
        let mut webhook = OrderWebhook::new(store, sources.clone(), clock);
        webhook.api = Api::with(PATIENCE_WITH_LISTS);
        Ok(Self { recorder: Recorder { webhook, source, name: name.clone() }, listing, pages: 0 })
    }

    /// What stores the entries.
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// The pages read so far.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Reads the next page; nothing after the last one. A page may have no entry.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ReconcileError> {
        let Some(resource) = self.listing.page() else { return Ok(None) };
        if self.pages == MAX_PAGES {
            return Err(ReconcileError::Endless(MAX_PAGES));
        }
        let asked_at = self.recorder.webhook.clock.now();
        let answer = self.recorder.webhook.api.get(&resource).await?;
        if !answer.is_known {
            return Err(ApiError::Unexpected(NOT_FOUND).into());
        }
        let mut listed = self.listing.hear(&answer).map_err(ApiError::from)?;
        if !self.listing.is_of_events() {
            listed.iter_mut().for_each(|entry| entry.read_at = Some(asked_at));
        }
        self.pages += 1;
        if self.listing.page().is_some_and(|next| next == resource) {
            return Err(ReconcileError::Endless(self.pages));
        }
        Ok(Some(listed))
    }
}

impl Recorder {
    /// Stores an entry as if a webhook had told it, but for this: the order as the platform has it now holds against
    /// whatever was sent before. An error is not the entry's fault: whatever comes after it would
    /// meet it too.
    pub async fn record(&self, listed: &Listed) -> Result<Outcome, ReconcileError> {
        let headers = headers(listed);
        let now = self.webhook.clock.now();
        let delivery = Delivery { source: &self.name, headers: &headers, body: &listed.body, now };
        let arrival = listed.read_at.map_or(Arrival::Sent, Arrival::Read);
        Ok(match self.webhook.take(&self.source, &delivery, arrival).await {
            Ok(Receipt::Stored | Receipt::Requested { .. }) => Outcome::Stored,
            Ok(Receipt::Known) => Outcome::Known,
            Ok(Receipt::Ignored { reason }) => Outcome::Ignored(reason),
            Ok(Receipt::Greeted(_)) => Outcome::Ignored("a greeting"),
            Err(Failure::Refused(Problem { detail, .. })) => Outcome::Rejected(detail),
            Err(Failure::Unread(error)) if error.is_of_everything() => return Err(error.into()),
            Err(Failure::Unread(error)) => Outcome::Rejected(error.to_string()),
            Err(Failure::Unstored(StoreError::Permanent(reason))) => Outcome::Rejected(reason),
            Err(Failure::Unstored(error)) => return Err(error.into()),
        })
    }
}

#[cfg(test)]
impl Reconciliation {
    /// As patient as a test.
    pub(crate) fn be_impatient(&mut self) {
        self.recorder.webhook.api = Api::with(crate::api::tests::IMPATIENT);
    }

    /// As if so many pages had been read.
    pub(crate) fn have_read(&mut self, pages: u32) {
        self.pages = pages;
    }
}

/// The one header that a body is read by; it is no secret, and nobody has signed it.
fn headers(listed: &Listed) -> HeaderMap {
    let topic = listed.topic.and_then(|(name, topic)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_static(topic)))
    });
    topic.into_iter().collect()
}

impl From<ApiError> for ReconcileError {
    fn from(error: ApiError) -> Self {
        Self::Platform(error.to_string())
    }
}

/// Without what it holds.
impl fmt::Debug for Reconciliation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconciliation").field("source", &self.recorder.name).finish_non_exhaustive()
    }
}

/// Without what it holds.
impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("source", &self.name).finish_non_exhaustive()
    }
}
