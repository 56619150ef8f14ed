//! The AWS clients, built once at start: credentials from the environment, where Lambda puts them, an explicit
//! region, and `ring` for TLS. No configuration chain is walked, which is most of what a cold start would cost.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::config::{Config, ConfigError, optional, required};

/// Times one call is tried; our own loop decides again after a conflict.
const ATTEMPTS: u32 = 3;
/// One attempt of a call to an AWS service in the same region; normal ones take milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

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
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
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
    pub fn ssm(&self) -> aws_sdk_ssm::Client {
        let mut config = aws_sdk_ssm::Config::builder()
            .behavior_version(aws_sdk_ssm::config::BehaviorVersion::latest())
            .region(aws_sdk_ssm::config::Region::new(self.config.region.clone()))
            .credentials_provider(self.credentials.clone())
            .http_client(self.http.clone())
            .sleep_impl(TokioSleep::new())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts());
        config.set_endpoint_url(self.config.ssm_endpoint.clone());
        aws_sdk_ssm::Client::from_conf(config.build())
    }

    /// The store over DynamoDB.
    pub fn store(&self) -> store::Store {
        store::Store::new(self.dynamodb(), self.config.tables.clone())
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}
