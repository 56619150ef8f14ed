//! Parameter Store, of which we call one action. Amazon's own crate for Systems Manager has all of its hundred and
//! fifty, and took a third of a cold build; so the call is put together here from the parts that those crates share:
//! signature, retries, time limits (ADR 7).

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use serde::{Deserialize, Serialize};

/// Parameters that a page holds; Parameter Store gives no more.
const PAGE_SIZE: u8 = 10;
/// How the protocol names the action.
const GET_PARAMETERS_BY_PATH: &str = "AmazonSSM.GetParametersByPath";

/// One parameter, decrypted.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameter {
    /// Its whole name, path included.
    pub name: String,
    /// What it holds: a secret.
    pub value: String,
}

impl std::fmt::Debug for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Parameter").field(&self.name).finish_non_exhaustive()
    }
}

/// Parameter Store did not answer, or said no.
pub type ParameterStoreError = SdkError<Refusal, HttpResponse>;

/// What Parameter Store says when it does not give the parameters. Never an answer's body, which may hold a secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(ErrorMetadata);

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// A client of Parameter Store. Clones share it.
#[derive(Debug, Clone)]
pub struct ParameterStore(Operation<PageRequest, Page, Refusal>);

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PageRequest {
    path: String,
    with_decryption: bool,
    max_results: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(default)]
    next_token: Option<String>,
}

/// Where Parameter Store is, who asks, and how patiently.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) region: String,
    /// Another address than Amazon's.
    pub(crate) endpoint: Option<String>,
    pub(crate) http: SharedHttpClient,
    pub(crate) credentials: Credentials,
    pub(crate) retries: RetryConfig,
    pub(crate) timeouts: TimeoutConfig,
}

impl ParameterStore {
    pub(crate) fn new(access: Access) -> Self {
        let endpoint = access.endpoint.clone().unwrap_or_else(|| amazons_endpoint(&access.region));
        let operation = Operation::builder()
            .service_name("ssm")
            .operation_name("GetParametersByPath")
            .endpoint_url(&endpoint)
            .http_client(access.http.clone())
            .sleep_impl(TokioSleep::new())
            .timeout_config(access.timeouts.clone())
            .standard_retry(&access.retries)
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .with_connection_poisoning()
            .runtime_plugin(signed(&access))
            .serializer(request)
            .deserializer(page)
            .build();
        Self(operation)
    }

    /// The parameters that lie directly under a path, decrypted, page by page until the last one.
    pub async fn under(&self, path: &str) -> Result<Vec<Parameter>, ParameterStoreError> {
        let mut found = Vec::new();
        let mut next_token = None;
        loop {
            let asked = PageRequest {
                path: path.to_owned(),
                with_decryption: true,
                max_results: PAGE_SIZE,
                next_token,
            };
            let page = self.0.invoke(asked).await?;
            found.extend(page.parameters);
            next_token = page.next_token.filter(|token| !token.is_empty());
            if next_token.is_none() {
                return Ok(found);
            }
        }
    }
}

/// Amazon's address of Parameter Store in a region; China and the European sovereign cloud have domains of their own.
fn amazons_endpoint(region: &str) -> String {
    let domain = match region.split('-').next() {
        Some("cn") => "amazonaws.com.cn",
        Some("eusc") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("https://ssm.{region}.{domain}")
}

/// Signature version 4 for each attempt, in Parameter Store's name.
fn signed(access: &Access) -> StaticRuntimePlugin {
    let mut config = Layer::new("signature");
    config.store_put(AuthSchemeOptionResolverParams::new(()));
    config.store_put(SigningName::from_static("ssm"));
    config.store_put(SigningRegion::from(Region::new(access.region.clone())));
    config.store_put(SigV4OperationSigningConfig {
        signing_options: SigningOptions::default(),
        ..Default::default()
    });
    let mut components = RuntimeComponentsBuilder::new("signature");
    components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
        StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
    )));
    let credentials = SharedCredentialsProvider::new(access.credentials.clone());
    components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    StaticRuntimePlugin::new().with_config(config.freeze()).with_runtime_components(components)
}

fn request(asked: PageRequest) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(serde_json::to_string(&asked)?));
    request.set_method("POST")?;
    request.set_uri("/")?;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/x-amz-json-1.1");
    headers.insert("x-amz-target", GET_PARAMETERS_BY_PATH);
    Ok(request)
}

fn page(response: &HttpResponse) -> Result<Page, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        return Err(OrchestratorError::operation(refusal(response, body)));
    }
    // Where in the answer it is wrong, without a word of it.
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("not an answer of GetParametersByPath (column {})", error.column());
        OrchestratorError::other(BoxError::from(place))
    })
}

/// The error's code, which says whether another attempt is worth it, and its message.
fn refusal(response: &HttpResponse, body: &[u8]) -> Refusal {
    #[derive(Default, Deserialize)]
    struct Told {
        #[serde(rename = "__type")]
        code: Option<String>,
        #[serde(alias = "Message")]
        message: Option<String>,
    }
    let Told { code, message } = serde_json::from_slice(body).unwrap_or_default();
    // Some services put a namespace before the code.
    let code = code.as_deref().and_then(|code| code.rsplit('#').next()).map(str::to_owned);
    let code = code.unwrap_or_else(|| format!("HTTP {}", response.status()));
    let mut metadata = ErrorMetadata::builder().code(code);
    if let Some(message) = message {
        metadata = metadata.message(message);
    }
    Refusal(metadata.build())
}

#[cfg(test)]
mod tests;
