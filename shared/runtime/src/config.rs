//! Configuration from the environment, read once at start. Every variable stands in the README's table.

use jiff::SignedDuration;
use store::Tables;

/// A variable is missing or unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} {problem}")]
pub struct ConfigError {
    name: &'static str,
    problem: String,
}

impl ConfigError {
    pub(crate) fn new(name: &'static str, problem: String) -> Self {
        Self { name, problem }
    }
}

/// What a function is told by its environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL`: where the local stack listens.
    pub dynamodb_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_SNS`, else `AWS_ENDPOINT_URL`.
    pub sns_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_SSM`, else `AWS_ENDPOINT_URL`.
    pub ssm_endpoint: Option<String>,
    /// `LAUREL_ORDERS_TABLE`, `LAUREL_MEMBERS_TABLE`, `LAUREL_DIRECTORY_TABLE`, `LAUREL_PROGRAMMES_TABLE`,
    /// `LAUREL_ERASURES_TABLE`.
    pub tables: Tables,
}

impl Config {
    /// Reads the environment.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let endpoint = |service: &str| optional(service).or_else(|| optional("AWS_ENDPOINT_URL"));
        Ok(Self {
            region: required("AWS_REGION")?,
            dynamodb_endpoint: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            sns_endpoint: endpoint("AWS_ENDPOINT_URL_SNS"),
            ssm_endpoint: endpoint("AWS_ENDPOINT_URL_SSM"),
            tables: Tables {
                orders: required("LAUREL_ORDERS_TABLE")?,
                members: required("LAUREL_MEMBERS_TABLE")?,
                directory: required("LAUREL_DIRECTORY_TABLE")?,
                programmes: required("LAUREL_PROGRAMMES_TABLE")?,
                erasures: required("LAUREL_ERASURES_TABLE")?,
            },
        })
    }
}

/// A variable that a function cannot do without.
pub fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or_else(|| ConfigError::new(name, "is not set".to_owned()))
}

/// A variable with a number of hours; 0 where it is missing or empty.
pub fn hours(name: &'static str) -> Result<SignedDuration, ConfigError> {
    let hours = optional(name).map_or(Ok(0), |text| text.parse::<u32>());
    let hours = hours.map_err(|_| ConfigError::new(name, "is not a whole number of hours".to_owned()))?;
    Ok(SignedDuration::from_hours(hours.into()))
}

/// A variable that may be missing or empty.
pub fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
