//! `order-webhook`: verifies what a platform sends, turns it into an order or a refund, and stores it.
//!
//! One way through: address → source → signature over the raw body → platform's JSON (and, where that tells only
//! where to look, the platform's API) → store → answer. A sender hears 2xx only after the write, so whatever we could not keep is sent again.

mod address;
mod api;
mod fields;
mod heard;
mod moments;
mod parameters;
mod phone;
mod platform;
mod reconciliation;
mod signature;
mod sources;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Instant;

use domain::{SourceName, Timestamp};
use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Error, Request, Response};
use runtime::telemetry::signal;
use runtime::{Clock, Problem};
use serde::Serialize;
use store::person::{Erasure, Sought};
use store::{Arrival, BodyDigest, Deletion, Recorded, Store, StoreError};
use tracing::Span;
use tracing::field::Empty;

use crate::address::Address;
pub use crate::address::path_of;
use crate::api::{Api, ApiError};
pub use crate::fields::{NotAnAddress, read_contact};
use crate::heard::Heard;
use crate::platform::{Delivery, Greeting, News, Request as Asked};
pub use crate::platform::{Listed, Unlisted};
pub use crate::reconciliation::{Outcome, ReconcileError, Reconciliation, Recorder};
pub use crate::signature::BadSecret;
use crate::sources::Source;
pub use crate::sources::{SourceError, Sources, SourcesError};

/// The largest body we read. An order with hundreds of lines is under 300 KB, so this is never met by an honest
/// sender, and it bounds what a stranger can make us hash. API Gateway stops at 10 MB, Lambda at 6 MB.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The function's handler.
#[derive(Debug, Clone)]
pub struct OrderWebhook {
    store: Store,
    sources: Sources,
    clock: Clock,
    /// By which it is judged what lies far ahead.
    calendar: Clock,
    api: Api,
    heard: Heard,
}

/// How a delivery came.
struct Delivered {
    arrival: Arrival,
    now: Timestamp,
    body: BodyDigest,
}

/// What became of a delivery.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Receipt {
    /// Something new was stored.
    Stored,
    /// A duplicate, which is as good.
    Known,
    /// Handed on to an operator, and what the sender is to mend, if anything.
    Requested {
        #[serde(skip_serializing_if = "Option::is_none")]
        mend: Option<&'static str>,
    },
    /// Understood, and of no interest.
    Ignored { reason: &'static str },
    /// Nothing came; the platform asked whether the address is ours.
    #[serde(skip)]
    Greeted(Greeting),
}

/// Why there is no receipt.
#[derive(Debug)]
enum Failure {
    /// The sender must mend something.
    Refused(Problem),
    /// The platform's API could not be read; the sender keeps the delivery and tries again.
    Unread(ApiError),
    /// The store must get well, or somebody must look at it; the sender keeps the delivery and tries again.
    Unstored(StoreError),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl OrderWebhook {
    /// A handler over a store, for the sources given.
    pub fn new(store: Store, sources: Sources, clock: Clock) -> Self {
        let calendar = clock.clone();
        Self { store, sources, clock, calendar, api: Api::default(), heard: Heard::default() }
    }

    /// The same, where the calendar is another one than the clock by which senders sign.
    pub fn with_calendar(self, calendar: Clock) -> Self {
        Self { calendar, ..self }
    }

    /// Answers one request. Never an error: whatever goes wrong is an answer of its own.
    #[tracing::instrument(name = "webhook", skip_all, fields(source = Empty, order.id = Empty))]
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let started = Instant::now();
        let receipt = self.receive(&request).await;
        let response = answer(&receipt);
        let is_known = Address::of(request.uri().path()).is_some_and(|at| self.sources.knows(&at.source));
        log(&receipt, response.status(), is_known, started);
        Ok(response)
    }

    async fn receive(&self, request: &Request) -> Result<Receipt, Failure> {
        let address = Address::of(request.uri().path())
            .ok_or_else(|| Problem::not_found("The address of a webhook is /webhooks/{source}."))?;
        let name = &address.source;
        Span::current().record("source", name.as_str());
        self.sources.refresh(self.clock.now()).await?;
        match *request.method() {
            Method::POST => {}
            Method::GET => return self.greet(&address, request.uri().query().unwrap_or_default()).await,
            _ => return Err(not_post().into()),
        }
        let body: &[u8] = request.body();
        if body.len() > MAX_BODY_BYTES {
            let limit = format!("A body may have at most {MAX_BODY_BYTES} bytes.");
            return Err(Problem::too_large(limit).into());
        }
        let delivery = Delivery { source: name, headers: request.headers(), body, now: self.clock.now() };
        let source = self.authenticate(&address, &delivery).await?;
        let taken = self.take(&source, &delivery, Arrival::Sent);
        let (receipt, ()) = tokio::join!(taken, self.hear(name, delivery.now));
        receipt
    }

    /// Stores what an authentic delivery tells. What only led to the platform's API is read there, after it came.
    async fn take(
        &self,
        source: &Source,
        delivery: &Delivery<'_>,
        arrival: Arrival,
    ) -> Result<Receipt, Failure> {
        let news = source.parse(delivery).map_err(|bad| Problem::bad_request(bad.to_string()))?;
        let now = self.calendar.now();
        let arrival = if matches!(news, News::Elsewhere(_)) { Arrival::Read(now) } else { arrival };
        let news = self.api.follow(source, delivery, news).await.map_err(Failure::Unread)?;
        let body = BodyDigest::of(delivery.source, delivery.body);
        self.record(news, &Delivered { arrival, now, body }).await.map_err(Failure::Unstored)
    }

    async fn greet(&self, address: &Address<'_>, query: &str) -> Result<Receipt, Failure> {
        let mut source = self.sources.at(&address.source, address.key);
        if source.is_err() && self.sources.read_again(self.clock.now()).await {
            source = self.sources.at(&address.source, address.key);
        }
        source?.greet(query).map(Receipt::Greeted).ok_or_else(|| not_post().into())
    }

    /// The source whose secret signed the delivery. A source or a secret that we do not know may be newer than our
    /// last look, so an operator need not deploy to connect a shop or to rotate a secret.
    async fn authenticate(&self, address: &Address<'_>, delivery: &Delivery<'_>) -> Result<Source, Problem> {
        let verified = || {
            let source = self.sources.at(&address.source, address.key)?;
            let verified = source.verify(delivery);
            verified.map_err(|refusal| Problem::unauthorized(refusal.to_string())).map(|()| source)
        };
        if let Ok(source) = self.sources.at(&address.source, address.key)
            && !self.sources.lets_in(&address.source, &source, delivery.now)
        {
            return Err(Problem::too_many());
        }
        let first = verified();
        if first.is_ok() || !self.sources.read_again(delivery.now).await {
            return first;
        }
        verified()
    }

    /// Notes now and then that a source was heard, for the review, which misses one that falls silent. No delivery
    /// fails for it.
    async fn hear(&self, name: &SourceName, now: Timestamp) {
        if !self.heard.is_news(name, now) {
            return;
        }
        if let Err(error) = self.store.record_heard(name, now).await {
            tracing::warn!(%error, "not noted that the source was heard");
        }
    }

    async fn record(&self, told: Vec<News>, delivered: &Delivered) -> Result<Receipt, StoreError> {
        let mut receipt = Receipt::Ignored { reason: "nothing is told" };
        for news in told {
            let of_this = self.record_one(news, delivered).await?;
            // What is to be mended is said, whatever was stored beside it.
            if !matches!(receipt, Receipt::Stored) || matches!(of_this, Receipt::Requested { .. }) {
                receipt = of_this;
            }
        }
        Ok(receipt)
    }

    /// What hangs on no signed moment is done once for each body: a platform that signs no time signed it for ever.
    async fn record_one(&self, mut news: News, delivered: &Delivered) -> Result<Receipt, StoreError> {
        let &Delivered { mut arrival, now, ref body } = delivered;
        if let Some(order) = news.order() {
            Span::current().record("order.id", order.as_str());
        }
        if moments::take_as_of_now(&mut news, now) && arrival == Arrival::Sent {
            arrival = Arrival::SentAhead;
        }
        let recorded = match news {
            News::Order(order) => self.store.record_arrived_order(&order, arrival).await?,
            News::Restored(order) => self.store.record_restored_order(&order).await?,
            News::Deleted { order, at } => match self.store.record_deletion(&order, at, body).await? {
                Deletion::Recorded(recorded) => recorded,
                Deletion::RestoredSince => {
                    tracing::warn!("a deletion is told again of an order that was restored since; it stays");
                    Recorded::Known
                }
            },
            News::Part { part, of } => self.store.record_part(&part, &of).await?,
            News::Refund { order, id, refund } => self.store.record_refund(&order, &id, &refund).await?,
            News::UnlinkedRefund(refund) => self.store.record_unlinked_refund(&refund).await?,
            News::Owner { order, customer } => self.store.record_owner(&order, &customer).await?,
            News::Merge { source, merge } => {
                self.store.record_merge(&source, &merge, body, self.clock.now()).await?
            }
            News::Contact { customer, at } => match self.store.record_contact(&customer, at).await? {
                Some(recorded) => recorded,
                None => return Ok(Receipt::Ignored { reason: "this customer is no member" }),
            },
            News::Erasure(sought) => self.ask_erasure(&sought, body).await?,
            News::Request(request) => return self.hand_on(&request, body).await,
            News::Nothing(reason) => return Ok(Receipt::Ignored { reason }),
            // It was followed to what it tells of, and taken apart.
            News::Elsewhere(_) | News::Several(_) => {
                return Ok(Receipt::Ignored { reason: "nothing is told" });
            }
        };
        Ok(match recorded {
            Recorded::Stored => Receipt::Stored,
            Recorded::Known => Receipt::Known,
        })
    }

    /// Nothing of the person is erased here, and nothing that names them is written: whoever sent this waits, and a
    /// table is long. The erasure has its name by the body, so the same body asks for it once.
    async fn ask_erasure(&self, sought: &Sought, body: &BodyDigest) -> Result<Recorded, StoreError> {
        let mut recorded = Recorded::Known;
        for (part, sought) in sought.in_parts().iter().enumerate() {
            let erasure = Erasure::of(body.erasure_id(part)?, sought);
            if self.store.ask_erasure(&erasure).await? == Recorded::Stored {
                recorded = Recorded::Stored;
            }
        }
        Ok(recorded)
    }

    /// The line wakes an alarm, and stands in the span of its source and its order. It is written before the body is
    /// remembered, so that no request gets lost between the two.
    async fn hand_on(&self, request: &Asked, body: &BodyDigest) -> Result<Receipt, StoreError> {
        if let Some(mend) = request.answer() {
            // It is said as long as it is not mended.
            tracing::warn!(signal = request.signal(), "{}", request.message());
            return Ok(Receipt::Requested { mend: Some(mend) });
        }
        if self.store.has_taken(body).await? {
            tracing::warn!(request = request.message(), "told again in the very same words");
            return Ok(Receipt::Known);
        }
        tracing::warn!(signal = request.signal(), "{}", request.message());
        self.store.remember(body, self.clock.now()).await?;
        Ok(Receipt::Requested { mend: None })
    }
}

fn not_post() -> Problem {
    Problem::method_not_allowed("A webhook is sent with POST.")
}

fn answer(receipt: &Result<Receipt, Failure>) -> Response<Body> {
    match receipt {
        Ok(Receipt::Greeted(greeting)) => runtime::json(StatusCode::OK, greeting),
        Ok(ignored @ Receipt::Ignored { .. }) => runtime::json(StatusCode::OK, ignored),
        Ok(kept @ (Receipt::Stored | Receipt::Known | Receipt::Requested { .. })) => {
            runtime::json(StatusCode::ACCEPTED, kept)
        }
        Err(Failure::Refused(problem)) => {
            let mut response = problem.response();
            if problem.status == StatusCode::METHOD_NOT_ALLOWED {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            }
            response
        }
        Err(Failure::Unread(_)) => Problem::platform_unavailable().response(),
        Err(Failure::Unstored(StoreError::Permanent(reason))) => Problem::refused(reason.clone()).response(),
        Err(Failure::Unstored(_)) => Problem::unavailable().response(),
    }
}

/// One line for each delivery, without a word of its body. What went well is routine, and stays quiet. What a source of
/// ours is refused, its platform may soon send no more, so an alarm waits for it; strangers wake nobody.
fn log(receipt: &Result<Receipt, Failure>, status: StatusCode, is_known: bool, started: Instant) {
    let refused = (is_known
        && status.is_client_error()
        && status != StatusCode::NOT_FOUND
        && status != StatusCode::METHOD_NOT_ALLOWED)
        .then_some(signal::REFUSED);
    let status = status.as_u16();
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match receipt {
        Ok(receipt) => tracing::debug!(status, duration_ms, ?receipt, "taken"),
        Err(Failure::Refused(problem)) => {
            tracing::warn!(signal = refused, status, duration_ms, %problem, "refused")
        }
        Err(Failure::Unread(error)) if error.is_passing() => {
            tracing::warn!(status, duration_ms, %error, "not read")
        }
        Err(Failure::Unread(error)) => tracing::error!(status, duration_ms, %error, "not read"),
        Err(Failure::Unstored(error)) => {
            tracing::error!(signal = refused, status, duration_ms, %error, "not stored")
        }
    }
}
