//! Sources from a file and from Parameter Store; rotation; and secrets that never show.

use std::sync::Mutex;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use lambda_http::http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::tests::{LOCAL_SOURCES, at, credentials, headers, source};

const NOW: &str = "2026-03-01T10:00:00Z";
const BODY: &[u8] = b"{}";

/// A Parameter Store of the test's own: one parameter a page.
#[derive(Clone, Debug, Default)]
struct ParameterStore(Arc<Mutex<Vec<(String, String)>>>);

impl ParameterStore {
    fn put(&self, name: &str, value: impl ToString) {
        self.0.lock().unwrap().push((format!("/laurel/test/sources/{name}"), value.to_string()));
    }

    fn page(&self, request: &Value) -> Value {
        assert_eq!(request["Path"], "/laurel/test/sources");
        assert_eq!(request["WithDecryption"], true);
        let parameters = self.0.lock().unwrap();
        let index: usize = request["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let page: Vec<_> = parameters
            .iter()
            .skip(index)
            .take(1)
            .map(|(name, value)| json!({"Name": name, "Value": value, "Type": "SecureString"}))
            .collect();
        let next = (index + 1 < parameters.len()).then(|| (index + 1).to_string());
        json!({"Parameters": page, "NextToken": next})
    }

    async fn sources(&self) -> Sources {
        let config = aws_sdk_ssm::Config::builder()
            .behavior_version(aws_sdk_ssm::config::BehaviorVersion::latest())
            .region(aws_sdk_ssm::config::Region::new("eu-west-3"))
            .credentials_provider(credentials())
            .http_client(SharedHttpClient::new(self.clone()))
            .build();
        let client = aws_sdk_ssm::Client::from_conf(config);
        Sources::from_parameters(client, "/laurel/test/sources".to_owned(), at(NOW)).await.unwrap()
    }
}

impl HttpClient for ParameterStore {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for ParameterStore {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let page = self.page(&serde_json::from_slice(request.body().bytes().unwrap()).unwrap());
        let response = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(page.to_string()));
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn document(platform: &str, secrets: &[&str]) -> Result<Source, SourceError> {
    Source::new(&serde_json::from_value(json!({"platform": platform, "secrets": secrets})).unwrap())
}

/// What a shop with this secret sends.
fn signed(secret: &str) -> HeaderMap {
    let shopify = platform::named("shopify").unwrap();
    let signed = shopify.sign(&shopify.key(secret).unwrap(), "", at(NOW), BODY);
    headers(signed.iter().map(|(name, value)| (*name, value.as_str())))
}

fn status(sources: &Sources, name: &str, headers: &HeaderMap) -> u16 {
    let delivery = Delivery { source: &source(name), headers, body: BODY, now: at(NOW) };
    sources.verified(&delivery).map_or_else(|problem| problem.status.as_u16(), |_| 200)
}

fn later(seconds: u64) -> Timestamp {
    at(NOW) + Duration::from_secs(seconds)
}

#[test]
fn the_local_sources_are_sound() {
    let sources = Sources::from_toml(LOCAL_SOURCES).unwrap();
    let names = [
        "adobe-main",
        "bigcommerce-main",
        "generic-main",
        "mage-os-main",
        "shopify-main",
        "square-main",
        "stripe-main",
        "woo-main",
    ];
    assert_eq!(sources.names(), names.map(source));
    assert_eq!(status(&sources, "shopify-main", &signed("laurel-local-shopify")), 200);
}

#[test]
fn a_secret_that_would_let_everybody_in_is_refused_at_the_start() {
    assert_eq!(document("shopify", &[""]).err(), Some(SourceError::Secret(BadSecret::Empty)));
    assert_eq!(document("generic", &["whsec_"]).err(), Some(SourceError::Secret(BadSecret::Empty)));
    assert_eq!(document("generic", &["whsec_?"]).err(), Some(SourceError::Secret(BadSecret::Encoding)));
    assert_eq!(document("shopify", &[]).err(), Some(SourceError::SecretCount));
    assert_eq!(document("shopify", &["a", "b", "c"]).err(), Some(SourceError::SecretCount));
    assert!(matches!(document("unheard-of", &["a"]).err(), Some(SourceError::Platform(_))));
}

#[test]
fn a_source_may_name_its_country_and_a_slip_in_it_is_told() {
    let with = |country: &str| {
        Sources::from_toml(&format!(
            "[shop]\nplatform = \"shopify\"\nsecrets = [\"a\"]\ncountry = \"{country}\""
        ))
    };
    assert!(with("FR").is_ok());
    let error = with("France").unwrap_err().to_string();
    assert_eq!(
        error,
        "the sources cannot be read: country must be one of two letters (ISO 3166), such as \"FR\""
    );
}

#[test]
fn either_of_two_secrets_opens_while_one_is_being_rotated() {
    let text = "[shop]\nplatform = \"shopify\"\nsecrets = [\"new\", \"old\"]";
    let sources = Sources::from_toml(text).unwrap();
    assert_eq!(status(&sources, "shop", &signed("new")), 200);
    assert_eq!(status(&sources, "shop", &signed("old")), 200);
    assert_eq!(status(&sources, "shop", &signed("older")), 401);
}

#[test]
fn no_message_shows_a_secret() {
    for text in [
        "[shop]\nplatform = \"shopify\"\nsecrets = \"private\"",
        "[shop]\nplatform = \"private\"\nsecrets = [\"private\"]",
        "[shop]\nplatform = \"generic\"\nsecrets = [\"private?\"]",
        "[shop]\nplatform = \"shopify\"\nsecrets = [\"private\"",
        "[shop]\nplatform = \"square\"\nsecrets = [\"private\"]\nnotification_url = \"x\"\napi.token = 7",
        "[shop]\nplatform = \"square\"\nsecrets = [\"a\"]\nnotification_url = \"x\"\napi = \"private\"",
        "[shop]\nplatform = \"square\"\nsecrets = [\"a\"]\nnotification_url = \"x\"\napi = { tokn = \"private\" }",
    ] {
        let error = Sources::from_toml(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("private"), "{error:?}");
    }
    let text = "[shop]\nplatform = \"shopify\"\nsecrets = [\"private\"]";
    assert_eq!(format!("{:?}", Sources::from_toml(text).unwrap()), "{SourceName(shop)}");
}

#[test]
fn what_a_source_signs_it_verifies() {
    let sources = Sources::from_toml(LOCAL_SOURCES).unwrap();
    for name in sources.names() {
        let signed = sources.sign(&name, "msg_1", at(NOW), BODY).unwrap();
        let headers = headers(signed.iter().map(|(name, value)| (*name, value.as_str())));
        assert_eq!(status(&sources, name.as_str(), &headers), 200);
    }
    assert!(sources.sign(&source("nobody"), "msg_1", at(NOW), BODY).is_none());
}

fn adobe(change: Value) -> Result<Source, SourceError> {
    let sources: toml::Table = toml::from_str(LOCAL_SOURCES).unwrap();
    let mut document = serde_json::to_value(&sources["adobe-main"]).unwrap();
    for (key, value) in change.as_object().unwrap() {
        document[key] = value.clone();
    }
    Source::new(&serde_json::from_value(document).unwrap())
}

#[test]
fn a_platform_that_signs_with_keys_of_its_own_needs_no_secret_but_a_recipient() {
    assert!(adobe(json!({"secrets": []})).is_ok());
    assert_eq!(adobe(json!({"secrets": [], "public_keys": []})).err(), Some(SourceError::SecretCount));
    assert_eq!(adobe(json!({"client_id": null})).err(), Some(SourceError::Missing("client_id")));
    assert_eq!(adobe(json!({"client_id": ""})).err(), Some(SourceError::Missing("client_id")));
    for keys in [json!(["private"]), json!(["", "", "", "", ""])] {
        let error = adobe(json!({ "public_keys": keys })).err().unwrap();
        assert!(matches!(error, SourceError::Setting("public_keys", _)));
        assert!(!error.to_string().contains("private"));
    }
}

#[test]
fn nobody_but_the_platform_signs_for_a_source_without_a_secret() {
    let text = LOCAL_SOURCES.replace("secrets = [\"laurel-local-adobe\"]", "");
    let sources = Sources::from_toml(&text).unwrap();
    assert!(sources.sign(&source("adobe-main"), "msg_1", at(NOW), BODY).is_none());
}

#[tokio::test]
async fn every_page_of_parameters_is_read_and_a_bad_one_left_out() {
    let parameters = ParameterStore::default();
    parameters.put("shop", json!({"platform": "shopify", "secrets": ["a"], "country": "FR"}));
    parameters.put("slip", "{");
    parameters.put("other", json!({"platform": "shopify", "secrets": ["b"]}));
    let sources = parameters.sources().await;
    assert_eq!(sources.names(), [source("other"), source("shop")]);
    assert_eq!(status(&sources, "other", &signed("b")), 200);
}

#[tokio::test]
async fn a_new_source_or_secret_is_found_without_a_deployment_but_not_looked_for_at_every_knock() {
    let parameters = ParameterStore::default();
    let sources = parameters.sources().await;
    parameters.put("shop", json!({"platform": "shopify", "secrets": ["a"]}));
    assert!(!sources.read_again(later(299)).await);
    assert_eq!(status(&sources, "shop", &signed("a")), 404);
    assert!(sources.read_again(later(300)).await);
    assert_eq!(status(&sources, "shop", &signed("a")), 200);
    assert!(!sources.read_again(later(301)).await, "not again at once");
}
