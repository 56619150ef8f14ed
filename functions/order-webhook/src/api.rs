//! Reading a platform's own API, where its deliveries tell only where to look, and its list of orders. This is all the
//! HTTP there is: what to ask and what the answers mean is the platforms' business, and pure.
//!
//! The client is made at the first such delivery, so a function without such a source starts no slower. It trusts the
//! system's roots, because the platforms' certificates are signed by anybody; it follows no redirect, and takes no
//! answer that is too large or too late.

mod access;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use lambda_http::http::StatusCode;

pub(crate) use self::access::{Access, AccessDocument, Resource};
use crate::fields::BadInput;
use crate::platform::{Delivery, News, Reading};
use crate::sources::Source;

/// How often a delivery may lead to further resources: an order, and what belongs to it.
const MAX_ROUNDS: usize = 3;
/// How long a platform wants to be left alone, in seconds; BigCommerce says of every answer when it counts anew, in
/// milliseconds.
const RETRY_AFTER: &str = "retry-after";
const RESET_AFTER_MS: &str = "x-rate-limit-time-reset-ms";
const TOO_MANY_REQUESTS: u16 = 429;
/// Where the next page of a list is.
const LINK: &str = "link";
const USER_AGENT: &str = concat!("laurel/", env!("CARGO_PKG_VERSION"));

/// How long we wait for a platform, and how much we take of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Times one resource is asked for.
    pub(crate) attempts: u32,
    /// For one attempt.
    pub(crate) attempt: Duration,
    /// Before the second attempt; twice that before the third, and so on.
    pub(crate) pause: Duration,
    /// Before any attempt, where the platform says how long; whoever wants more is left alone.
    pub(crate) longest_wait: Duration,
    /// For everything that one delivery asks for.
    pub(crate) delivery: Duration,
    /// The largest answer.
    pub(crate) answer_bytes: usize,
}

/// The platforms, and Lambda as the template has it, give a delivery ten seconds; what is left is for the store.
const PATIENCE: Patience = Patience {
    attempts: 3,
    attempt: Duration::from_secs(2),
    pause: Duration::from_millis(200),
    longest_wait: Duration::from_secs(2),
    delivery: Duration::from_secs(6),
    // An order of 250 lines is well below.
    answer_bytes: 2 * 1024 * 1024,
};

/// Nobody waits for a list but an operator: it may be slow, and ask us to be, and a page has a hundred orders.
pub(crate) const PATIENCE_WITH_LISTS: Patience = Patience {
    attempts: 6,
    attempt: Duration::from_secs(60),
    pause: Duration::from_secs(1),
    // Their limits are counted by the minute at most.
    longest_wait: Duration::from_secs(90),
    delivery: Duration::from_secs(600),
    answer_bytes: 64 * 1024 * 1024,
};

/// What an API answered: what is there, or that there is no such thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) is_known: bool,
    pub(crate) body: Vec<u8>,
    /// The header that says where the next page is, where there is one.
    pub(crate) link: Option<String>,
}

impl Answer {
    /// What is there.
    pub(crate) fn of(body: impl Into<Vec<u8>>) -> Self {
        Self { is_known: true, body: body.into(), link: None }
    }
}

/// Why a platform's API could not be read. Nothing was stored; a delivery will come again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// Its own trouble, or the network's.
    #[error("the platform's API is away ({0})")]
    Away(String),
    /// We asked too much of it.
    #[error("the platform's API wants to be left alone for {} s", .0.as_secs())]
    Busy(Duration),
    /// A credential is wrong, or may not read orders.
    #[error(
        "the platform's API refuses the source's credentials (status {0}); mend api.token or its permissions"
    )]
    Credentials(u16),
    /// Nothing that a reader of orders should meet.
    #[error("the platform's API answers with status {0}; look at api.base and api.store of the source")]
    Unexpected(u16),
    /// Nobody's order is that large.
    #[error("the platform's API gave more than {0} bytes; look at api.base of the source")]
    TooLarge(usize),
    /// The documentation says otherwise.
    #[error("the platform's API answers otherwise than documented: {0}")]
    Unreadable(#[from] BadInput),
    /// One thing led to another.
    #[error("a delivery led to resources more than {MAX_ROUNDS} times")]
    Endless,
}

impl ApiError {
    /// Whether it passes by itself.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Busy(_))
    }

    /// Whether everything else that is asked would meet it too.
    pub(crate) fn is_of_everything(&self) -> bool {
        self.is_passing() || matches!(self, Self::Credentials(_))
    }
}

/// The platforms' APIs. Clones share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    patience: Patience,
    clients: Arc<Clients>,
}

#[derive(Debug, Default)]
struct Clients {
    public: OnceLock<Connector>,
    loopback: OnceLock<Connector>,
}

impl Default for Api {
    fn default() -> Self {
        Self::with(PATIENCE)
    }
}

impl Api {
    pub(crate) fn with(patience: Patience) -> Self {
        Self { patience, clients: Arc::default() }
    }

    /// Follows a delivery to what it tells of, until there is news.
    pub(crate) async fn follow(
        &self,
        source: &Source,
        delivery: &Delivery<'_>,
        news: News,
    ) -> Result<Vec<News>, ApiError> {
        let first = match news {
            News::Elsewhere(first) => first,
            News::Several(news) => return Ok(news),
            news => return Ok(vec![news]),
        };
        let following = self.rounds(source, delivery, first);
        let in_time = tokio::time::timeout(self.patience.delivery, following).await;
        in_time.unwrap_or_else(|_| Err(ApiError::Away("it takes too long".to_owned())))
    }

    async fn rounds(
        &self,
        source: &Source,
        delivery: &Delivery<'_>,
        mut resources: Vec<Resource>,
    ) -> Result<Vec<News>, ApiError> {
        let mut answers = Vec::new();
        for _ in 0..MAX_ROUNDS {
            for resource in &resources {
                answers.push(self.get(resource).await?);
            }
            match source.read(delivery, &answers)? {
                Reading::More(more) => resources = more,
                Reading::Told(news) => return Ok(news),
            }
        }
        Err(ApiError::Endless)
    }

    /// What passes by itself is tried again, a little later each time.
    pub(crate) async fn get(&self, resource: &Resource) -> Result<Answer, ApiError> {
        let mut pause = self.patience.pause;
        for _ in 1..self.patience.attempts {
            let wait = match self.attempt(resource).await {
                Err(ApiError::Busy(wait)) if wait <= self.patience.longest_wait => wait.max(pause),
                Err(error @ ApiError::Busy(_)) => return Err(error),
                Err(error) if error.is_passing() => pause,
                done => return done,
            };
            tracing::debug!(wait_ms = wait.as_millis(), "asked again");
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        self.attempt(resource).await
    }

    async fn attempt(&self, resource: &Resource) -> Result<Answer, ApiError> {
        let asking = async {
            let call = self.client(resource).call(request(resource)?);
            let response = call.await.map_err(|error| ApiError::Away(kind(error.is_timeout())))?;
            answer(response, self.patience.answer_bytes).await
        };
        let in_time = tokio::time::timeout(self.patience.attempt, asking).await;
        in_time.unwrap_or_else(|_| Err(ApiError::Away(kind(true))))
    }

    fn client(&self, resource: &Resource) -> &Connector {
        if resource.is_public() {
            self.clients.public.get_or_init(|| connector(TrustStore::default()))
        } else {
            self.clients.loopback.get_or_init(|| connector(TrustStore::empty()))
        }
    }
}

fn connector(trusted: TrustStore) -> Connector {
    let builder = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(trusted).build() {
        Ok(context) => builder.tls_context(context).build(),
        // It is refused only where a certificate of our own is none, and we have none.
        Err(_) => builder.build(),
    }
}

fn request(resource: &Resource) -> Result<HttpRequest, ApiError> {
    let unsendable = |_| ApiError::Unexpected(StatusCode::BAD_REQUEST.as_u16());
    let mut request = HttpRequest::new(SdkBody::from(resource.question.clone().unwrap_or_default()));
    request.set_uri(resource.url.as_str()).map_err(unsendable)?;
    if resource.question.is_some() {
        request.set_method("POST").map_err(|_| ApiError::Unexpected(StatusCode::BAD_REQUEST.as_u16()))?;
        request.headers_mut().insert("content-type", "application/json");
    }
    let headers = request.headers_mut();
    let ours = [("accept", "application/json"), ("user-agent", USER_AGENT)];
    let theirs = resource.headers.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in ours.into_iter().chain(theirs) {
        headers.try_insert(name, value.to_owned()).map_err(unsendable)?;
    }
    Ok(request)
}

async fn answer(response: HttpResponse, answer_bytes: usize) -> Result<Answer, ApiError> {
    match response.status().as_u16() {
        200..=299 => {
            let link = response.headers().get(LINK).map(str::to_owned);
            let body = body(response.into_body(), answer_bytes).await?;
            Ok(Answer { link, ..Answer::of(body) })
        }
        404 | 410 => Ok(Answer::default()),
        status @ (401 | 403) => Err(ApiError::Credentials(status)),
        status @ (408 | 425 | 429 | 500..=599) => {
            let away = || ApiError::Away(format!("status {status}"));
            Err(wait(&response).map_or_else(away, ApiError::Busy))
        }
        status => Err(ApiError::Unexpected(status)),
    }
}

/// How long the platform wants to be left alone; Shopify writes its seconds with decimals.
fn wait(response: &HttpResponse) -> Option<Duration> {
    let told = |name, of: fn(f64) -> f64| {
        let number = response.headers().get(name)?.trim().parse::<f64>().ok()?;
        Duration::try_from_secs_f64(of(number)).ok()
    };
    let reset = || told(RESET_AFTER_MS, |milliseconds| milliseconds / 1_000.0);
    let asked_too_much = response.status().as_u16() == TOO_MANY_REQUESTS;
    told(RETRY_AFTER, |seconds| seconds).or_else(|| reset().filter(|_| asked_too_much))
}

async fn body(body: SdkBody, answer_bytes: usize) -> Result<Vec<u8>, ApiError> {
    let mut stream = ByteStream::new(body);
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| ApiError::Away("its answer broke off".to_owned()))?;
        if bytes.len() + chunk.len() > answer_bytes {
            return Err(ApiError::TooLarge(answer_bytes));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn kind(is_late: bool) -> String {
    if is_late { "no answer in time" } else { "no connection" }.to_owned()
}

#[cfg(test)]
pub(crate) mod tests;
