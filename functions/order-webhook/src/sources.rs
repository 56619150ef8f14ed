//! The connected shops and senders, with their platforms and keys.

mod freshness;
mod throttle;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::{SourceName, Timestamp};
use ring::hmac;
use runtime::{ParameterStore, Problem, Random};
use serde::Deserialize;

use self::freshness::Freshness;
use self::throttle::Throttle;
use crate::address::{AddressKey, path_with};
use crate::api::{AccessDocument, Answer};
use crate::fields::{BadInput, without_values};
use crate::parameters::Parameters;
use crate::phone::Country;
use crate::platform::{self, Delivery, Greeting, Listing, NegativeFees, News, Platform, Reading, Unlisted};
use crate::signature::{BadSecret, Refusal};

/// The current secret and the one before it, so that one can be rotated.
const MAX_SECRETS: usize = 2;
/// A request waits so long for the parameters, and a start as long; then it goes on with what is known.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a source is written down: a table of `local/sources.toml`, or the JSON of a parameter. Other keys are for whoever
/// needs them.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct SourceDocument {
    /// `generic`, `shopify`, …
    pub(crate) platform: String,
    /// One secret, or two while one is being rotated.
    #[serde(default)]
    pub(crate) secrets: Vec<String>,
    /// Where its customers are at home: their phone numbers are read as they are dialled there.
    pub(crate) country: Option<Country>,
    /// The address that the platform was told, where it signs that too.
    pub(crate) notification_url: Option<String>,
    /// The header that carries the secret itself, where the platform signs nothing.
    pub(crate) header: Option<String>,
    /// How the platform's API is reached: for its list of orders, and where its deliveries tell only where to look.
    pub(crate) api: Option<AccessDocument>,
    /// The keys with which the platform signs, where it does so with keys of its own (PEM).
    #[serde(default)]
    pub(crate) public_keys: Vec<String>,
    /// To whom the platform says that it sends, where it signs with keys of its own.
    pub(crate) client_id: Option<String>,
    /// Whether the shop shows its prices with tax, where the platform does not tell.
    #[serde(default)]
    pub(crate) prices_include_tax: bool,
    /// What its webhook's address ends with, so that nobody can guess it.
    pub(crate) address_key: Option<AddressKey>,
    /// How many requests a second one container takes from it.
    pub(crate) requests_per_second: Option<NonZeroU32>,
    /// Whether fees below 0 are discounts or payments, where the platform does not tell.
    #[serde(default)]
    pub(crate) negative_fees: NegativeFees,
}

/// Why a source cannot be used. Never shows a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not the name of a source.
    #[error("the name of a source has only letters, digits, - and _")]
    Name,
    /// Not the expected JSON or TOML.
    #[error("{0}")]
    Document(String),
    /// We do not understand that platform.
    #[error("the platform must be one of {0}")]
    Platform(String),
    /// None, or too many.
    #[error("a source has one secret, or two while one is being rotated")]
    SecretCount,
    /// It is no secret.
    #[error(transparent)]
    Secret(#[from] BadSecret),
    /// This platform cannot do without it.
    #[error("{0} is missing, and this platform needs it")]
    Missing(&'static str),
    /// A setting is not as it should be.
    #[error("{0} {1}")]
    Setting(&'static str, &'static str),
}

/// Why there are no sources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourcesError {
    /// The file is not as it should be.
    #[error("the sources cannot be read: {0}")]
    Document(String),
    /// One source is not as it should be.
    #[error("the source {name}: {problem}")]
    Source {
        /// Which.
        name: String,
        /// Why.
        problem: SourceError,
    },
    /// Parameter Store is away, or says no.
    #[error("the sources' parameters cannot be read: {0}")]
    Parameters(String),
}

/// One source, ready to verify. Its secrets live on only as keys, which never show themselves.
#[derive(Clone)]
pub(crate) struct Source {
    platform: Arc<dyn Platform>,
    keys: Vec<hmac::Key>,
    address_key: Option<AddressKey>,
    requests_per_second: Option<NonZeroU32>,
}

impl Source {
    pub(crate) fn new(document: &SourceDocument) -> Result<Self, SourceError> {
        let platform = platform::set_up(document)?;
        if !(platform.least_secrets()..=MAX_SECRETS).contains(&document.secrets.len()) {
            return Err(SourceError::SecretCount);
        }
        let keys = document.secrets.iter().map(|secret| platform.key(secret)).collect::<Result<_, _>>()?;
        let SourceDocument { address_key, requests_per_second, .. } = document;
        Ok(Self {
            platform,
            keys,
            address_key: address_key.clone(),
            requests_per_second: *requests_per_second,
        })
    }

    /// Whether an address with this key, or without one, is the source's.
    fn is_at(&self, key: Option<&str>) -> bool {
        match (&self.address_key, key) {
            (None, None) => true,
            (Some(ours), Some(told)) => ours.is(told),
            _ => false,
        }
    }

    /// What the platform wants to hear when it asks whether our address is ours.
    pub(crate) fn greet(&self, query: &str) -> Option<Greeting> {
        self.platform.greet(query)
    }

    /// Whether any of the keys signed the delivery, or it is a ping, of which [`Source::parse`] reads nothing.
    pub(crate) fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        if self.platform.is_ping(delivery) {
            return Ok(());
        }
        let mut refusal = match self.platform.verify_publicly(delivery) {
            Some(Ok(())) => return Ok(()),
            Some(Err(reason)) => reason,
            None => Refusal::Mismatch,
        };
        for key in &self.keys {
            match self.platform.verify(key, delivery) {
                Ok(()) => return Ok(()),
                Err(reason) => refusal = reason,
            }
        }
        Err(refusal)
    }

    /// What the delivery tells.
    pub(crate) fn parse(&self, delivery: &Delivery<'_>) -> Result<News, BadInput> {
        if self.platform.is_ping(delivery) {
            return Ok(News::Nothing("a ping"));
        }
        self.platform.parse(delivery)
    }

    /// What the delivery tells together with the answers of the platform's API.
    pub(crate) fn read(&self, delivery: &Delivery<'_>, answers: &[Answer]) -> Result<Reading, BadInput> {
        self.platform.read(delivery, answers)
    }

    /// The platform's own list of what changed since a moment.
    pub(crate) fn list(&self, since: Timestamp, now: Timestamp) -> Result<Box<dyn Listing>, Unlisted> {
        self.platform.list(since, now)
    }
}

/// All sources. Clones share what they know.
#[derive(Clone)]
pub struct Sources(Arc<Inner>);

struct Inner {
    known: RwLock<Known>,
    /// Where to look again; what was written in a file does not change while we run.
    parameters: Option<Parameters>,
    throttle: Throttle,
    random: Random,
}

struct Known {
    sources: Found,
    freshness: Freshness,
}

/// What was found: each source, or that it cannot be used, which an operator was told.
pub(crate) type Found = HashMap<SourceName, Result<Source, SourceError>>;

/// Only the names are shown.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|known| f.debug_set().entries(known.sources.keys()).finish())
    }
}

impl Sources {
    /// The sources of a TOML file: one table each, `platform = "…"` and `secrets = ["…"]`.
    pub fn from_toml(text: &str) -> Result<Self, SourcesError> {
        // The error's own text would quote the file, and so perhaps a secret.
        let documents: BTreeMap<SourceName, SourceDocument> =
            toml::from_str(text).map_err(|error| SourcesError::Document(without_values(error.message())))?;
        let sources = documents
            .iter()
            .map(|(name, document)| match Source::new(document) {
                Ok(source) => Ok((name.clone(), Ok(source))),
                Err(problem) => Err(SourcesError::Source { name: name.to_string(), problem }),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self::over(sources, None, Timestamp::UNIX_EPOCH))
    }

    /// The sources that lie under a path of Parameter Store, one SecureString each, named as the source. They are
    /// read now, and again within five minutes; where that fails now, a request reads them.
    pub async fn in_parameters(store: ParameterStore, path: String, now: Timestamp) -> Self {
        let sources = Self::over(HashMap::new(), Some(Parameters::new(store, path)), now);
        // What it could not read is told, and a request tries again.
        let _ = sources.refresh(now).await;
        sources
    }

    /// The same for a command, which cannot go on without them.
    pub async fn from_parameters(
        store: ParameterStore,
        path: String,
        now: Timestamp,
    ) -> Result<Self, SourcesError> {
        let parameters = Parameters::new(store, path);
        let sources = parameters.read().await?;
        Ok(Self::over(sources, Some(parameters), now))
    }

    fn over(sources: Found, parameters: Option<Parameters>, now: Timestamp) -> Self {
        Self(Arc::new(Inner {
            known: RwLock::new(Known { sources, freshness: Freshness::never(now) }),
            parameters,
            throttle: Throttle::default(),
            random: Random::system(),
        }))
    }

    /// The headers with which a source's platform would sign a body; nothing for an unknown source, and for one
    /// without a secret, whose platform alone can sign. `id` and `at` are used where the scheme knows them. A topic
    /// is no part of any signature, and is left to the caller.
    pub fn sign(
        &self,
        source: &SourceName,
        id: &str,
        at: Timestamp,
        body: &[u8],
    ) -> Option<Vec<(&'static str, String)>> {
        self.with(|known| {
            let source = known.sources.get(source)?.as_ref().ok()?;
            Some(source.platform.sign(source.keys.first()?, id, at, body))
        })
    }

    /// The names of all sources that can be used, in order.
    pub fn names(&self) -> Vec<SourceName> {
        let mut names: Vec<_> = self.with(|known| {
            known.sources.iter().filter(|(_, source)| source.is_ok()).map(|(name, _)| name.clone()).collect()
        });
        names.sort();
        names
    }

    /// The address to which a source's platform sends.
    pub fn path_of(&self, name: &SourceName) -> String {
        let key = self.with(|known| known.sources.get(name)?.as_ref().ok()?.address_key.clone());
        path_with(name, key.as_ref())
    }

    /// Whether there is a source of this name.
    pub(crate) fn knows(&self, name: &SourceName) -> bool {
        self.with(|known| known.sources.contains_key(name))
    }

    /// The source that an address names.
    pub(crate) fn at(&self, name: &SourceName, key: Option<&str>) -> Result<Source, Problem> {
        let source = self.named(name)?;
        if source.is_at(key) { Ok(source) } else { Err(unknown_source()) }
    }

    /// The source of a name.
    pub(crate) fn named(&self, name: &SourceName) -> Result<Source, Problem> {
        match self.with(|known| known.sources.get(name).cloned()) {
            Some(Ok(source)) => Ok(source),
            // It is there, and its platform is to keep what it has until somebody has mended it.
            Some(Err(_)) => Err(Problem::sources_unavailable()),
            None => Err(unknown_source()),
        }
    }

    /// Whether a source may send one more request now.
    pub(crate) fn lets_in(&self, name: &SourceName, source: &Source, now: Timestamp) -> bool {
        source.requests_per_second.is_none_or(|rate| self.0.throttle.lets_in(name, rate.get(), now))
    }

    /// Reads the sources again where it is time. An error where what is known may not be used: it was never read, or
    /// too long ago.
    pub(crate) async fn refresh(&self, now: Timestamp) -> Result<(), Problem> {
        let Some(parameters) = &self.0.parameters else { return Ok(()) };
        if self.change(|known| known.freshness.claims(now)) {
            self.read(parameters, now).await;
        }
        if self.with(|known| known.freshness.is_usable(now)) {
            Ok(())
        } else {
            Err(Problem::sources_unavailable())
        }
    }

    /// Reads the sources again for a stranger, unless that was done not long ago. Whether it was done now.
    pub(crate) async fn read_again(&self, now: Timestamp) -> bool {
        let Some(parameters) = &self.0.parameters else { return false };
        self.change(|known| known.freshness.claims_for_stranger(now)) && self.read(parameters, now).await
    }

    async fn read(&self, parameters: &Parameters, now: Timestamp) -> bool {
        let read = tokio::time::timeout(PATIENCE, parameters.read()).await;
        let read = read.unwrap_or_else(|_| Err(SourcesError::Parameters("no answer in time".to_owned())));
        let random = u32::try_from(self.0.random.below(u32::MAX.into())).unwrap_or_default();
        match read {
            Ok(sources) => {
                self.change(|known| {
                    known.sources = sources;
                    known.freshness.succeeded(now, random);
                });
                true
            }
            Err(error) => {
                self.change(|known| known.freshness.failed(now, random));
                if self.with(|known| known.freshness.is_usable(now)) {
                    tracing::warn!(%error, "sources not read again");
                } else {
                    tracing::error!(%error, "sources not read; every delivery is put off");
                }
                false
            }
        }
    }

    // The map is replaced as a whole, so it is sound even if a thread died with the lock.
    fn with<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.0.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.0.known.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn unknown_source() -> Problem {
    Problem::not_found("There is no source of this name; check the webhook's address.")
}

#[cfg(test)]
mod tests;
