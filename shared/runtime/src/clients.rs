//! The AWS clients, built once at start: credentials from the environment, where Lambda puts them, an explicit
//! region, `ring` for TLS and Amazon's own roots. No configuration chain is walked and no store of certificates is
//! read, which is most of what a cold start would cost.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::config::{Config, ConfigError, optional, required};
use crate::parameter_store::{Access, ParameterStore};

/// Times one call is tried; our own loop decides again after a conflict.
const ATTEMPTS: u32 = 3;
/// One attempt of a call to an AWS service in the same region; normal ones take milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Parsing the hundred and more certificates of the system took more than half of a start (ADR 0004).
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// The clients that the functions share.
#[derive(Debug, Clone)]
pub struct Clients {
    config: Config,
    http: SharedHttpClient,
    credentials: Credentials,
}

impl Clients {
    /// Reads the credentials from the environment and prepares one HTTP client for all services.
    pub fn from_environment(config: Config) -> Result<Self, ConfigError> {
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            optional("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        Self::new(config, credentials)
    }

    /// Prepares one HTTP client for all services, for credentials of the caller's.
    pub fn new(config: Config, credentials: Credentials) -> Result<Self, ConfigError> {
        let http = https_client(optional("SSL_CERT_FILE").is_some())?;
        Ok(Self { config, http, credentials })
    }

    /// The same clients over another transport, for the local stack and for tests.
    pub fn over(config: Config, http: SharedHttpClient, credentials: Credentials) -> Self {
        Self { config, http, credentials }
    }

    /// What the environment said.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(aws_sdk_dynamodb::config::Region::new(self.config.region.clone()))
            .credentials_provider(self.credentials.clone())
            .http_client(self.http.clone())
            .sleep_impl(TokioSleep::new())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts());
        config.set_endpoint_url(self.config.dynamodb_endpoint.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// SNS.
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let mut config = aws_sdk_sns::Config::builder()
            .behavior_version(aws_sdk_sns::config::BehaviorVersion::latest())
            .region(aws_sdk_sns::config::Region::new(self.config.region.clone()))
            .credentials_provider(self.credentials.clone())
            .http_client(self.http.clone())
            .sleep_impl(TokioSleep::new())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts());
        config.set_endpoint_url(self.config.sns_endpoint.clone());
        aws_sdk_sns::Client::from_conf(config.build())
    }

    /// Parameter Store.
    pub fn ssm(&self) -> ParameterStore {
        ParameterStore::new(Access {
            region: self.config.region.clone(),
            endpoint: self.config.ssm_endpoint.clone(),
            http: self.http.clone(),
            credentials: self.credentials.clone(),
            retries: RetryConfig::standard().with_max_attempts(ATTEMPTS),
            timeouts: timeouts(),
        })
    }

    /// The store over DynamoDB.
    pub fn store(&self) -> store::Store {
        store::Store::new(self.dynamodb(), self.config.tables.clone())
    }
}

/// A client that trusts Amazon's roots, or, where the environment names a file of others, those: the system's roots
/// are read from that file.
fn https_client(environment_names_roots: bool) -> Result<SharedHttpClient, ConfigError> {
    let trusted = if environment_names_roots {
        TrustStore::default()
    } else {
        TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
    };
    let context = TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .map_err(|error| ConfigError::new("SSL_CERT_FILE", format!("names no roots: {error}")))?;
    Ok(aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::SdkError;

    use super::*;

    #[tokio::test]
    async fn with_amazons_roots_a_call_fails_only_for_want_of_a_server() {
        let tables = store::Tables {
            orders: "orders".to_owned(),
            members: "members".to_owned(),
            directory: "directory".to_owned(),
            programmes: "programmes".to_owned(),
            erasures: "erasures".to_owned(),
        };
        let config = Config {
            region: "eu-west-1".to_owned(),
            // Nobody listens on port 1.
            dynamodb_endpoint: Some("https://127.0.0.1:1".to_owned()),
            sns_endpoint: None,
            ssm_endpoint: None,
            tables,
        };
        let credentials = Credentials::new("local", "local", None, None, "test");
        let clients = Clients::over(config, https_client(false).unwrap(), credentials);
        let refused = clients.dynamodb().list_tables().send().await.unwrap_err();
        assert!(matches!(refused, SdkError::DispatchFailure(failure) if failure.is_io()));
    }
}
