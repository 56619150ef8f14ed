//! Sources from a file and from Parameter Store; rotation; and secrets that never show.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
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
use crate::tests::{LOCAL_SOURCES, at, clients, headers, source};

const NOW: &str = "2026-03-01T10:00:00Z";
const BODY: &[u8] = b"{}";

/// A Parameter Store of the test's own: one parameter a page.
#[derive(Clone, Debug, Default)]
struct ParameterStore {
    parameters: Arc<Mutex<BTreeMap<String, String>>>,
    is_away: Arc<AtomicBool>,
}

impl ParameterStore {
    fn put(&self, name: &str, value: impl ToString) {
        self.parameters.lock().unwrap().insert(format!("/laurel/test/sources/{name}"), value.to_string());
    }

    fn be_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    fn page(&self, request: &Value) -> Value {
        assert_eq!(request["Path"], "/laurel/test/sources");
        assert_eq!(request["WithDecryption"], true);
        let parameters = self.parameters.lock().unwrap();
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
        let store = clients(SharedHttpClient::new(self.clone()), None).ssm();
        Sources::in_parameters(store, "/laurel/test/sources".to_owned(), at(NOW)).await
    }
}

impl HttpClient for ParameterStore {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for ParameterStore {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.is_away.load(Ordering::SeqCst) {
            // What the client does not wait and try again for.
            let refusal = SdkBody::from(r#"{"__type":"AccessDeniedException","message":"Not now"}"#);
            return HttpConnectorFuture::ready(Ok(HttpResponse::new(400.try_into().unwrap(), refusal)));
        }
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
    status_at(sources, name, None, headers)
}

fn status_at(sources: &Sources, name: &str, key: Option<&str>, headers: &HeaderMap) -> u16 {
    let delivery = Delivery { source: &source(name), headers, body: BODY, now: at(NOW) };
    match sources.at(&source(name), key) {
        Ok(found) => {
            if found.verify(&delivery).is_ok() {
                200
            } else {
                401
            }
        }
        Err(problem) => problem.status.as_u16(),
    }
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

#[test]
fn an_address_with_a_key_is_the_sources_only_with_that_key() {
    let text = "[shop]\nplatform = \"shopify\"\nsecrets = [\"a\"]\naddress_key = \"7kQ2mZ9xWv4tBn1c\"";
    let sources = Sources::from_toml(text).unwrap();
    assert_eq!(sources.path_of(&source("shop")), "/webhooks/shop/7kQ2mZ9xWv4tBn1c");
    assert_eq!(status_at(&sources, "shop", Some("7kQ2mZ9xWv4tBn1c"), &signed("a")), 200);
    for wrong in [None, Some(""), Some("7kQ2mZ9xWv4tBn1C")] {
        assert_eq!(status_at(&sources, "shop", wrong, &signed("a")), 404, "{wrong:?}");
    }
    // Nobody learns from the answer whether there is such a source.
    let unknown = sources.at(&source("nobody"), None).err();
    assert_eq!(sources.at(&source("shop"), None).err(), unknown);
    assert_eq!(
        status_at(&Sources::from_toml(LOCAL_SOURCES).unwrap(), "shopify-main", Some("x"), &signed("a")),
        404
    );
    let short = Sources::from_toml(&text.replace("7kQ2mZ9xWv4tBn1c", "short-one")).unwrap_err().to_string();
    assert!(short.contains("16 to 128") && !short.contains("short-one"), "{short}");
}

#[test]
fn a_source_with_a_rate_is_held_to_it() {
    let text = "[shop]\nplatform = \"shopify\"\nsecrets = [\"a\"]\nrequests_per_second = 3";
    let sources = Sources::from_toml(text).unwrap();
    let shop = sources.named(&source("shop")).unwrap();
    let lets_in = |now| sources.lets_in(&source("shop"), &shop, now);
    assert_eq!((0..9).filter(|_| lets_in(at(NOW))).count(), 3);
    assert_eq!((0..9).filter(|_| lets_in(later(1))).count(), 3);
}

#[tokio::test]
async fn every_page_of_parameters_is_read_and_a_bad_one_is_put_off() {
    let parameters = ParameterStore::default();
    parameters.put("shop", json!({"platform": "shopify", "secrets": ["a"], "country": "FR"}));
    parameters.put("slip", "{");
    parameters.put("other", json!({"platform": "shopify", "secrets": ["b"]}));
    let sources = parameters.sources().await;
    assert_eq!(sources.names(), [source("other"), source("shop")]);
    assert_eq!(status(&sources, "other", &signed("b")), 200);
    // It is there, so its platform is to try again rather than to give up.
    assert_eq!(status(&sources, "slip", &signed("a")), 503);
}

#[tokio::test]
async fn a_secret_that_was_taken_away_opens_nothing_after_five_minutes_of_nothing_but_good_deliveries() {
    let parameters = ParameterStore::default();
    parameters.put("shop", json!({"platform": "shopify", "secrets": ["new", "leaked"]}));
    let sources = parameters.sources().await;
    parameters.put("shop", json!({"platform": "shopify", "secrets": ["new"]}));
    for second in (0..=300).step_by(60) {
        sources.refresh(later(second)).await.unwrap();
    }
    assert_eq!(status(&sources, "shop", &signed("leaked")), 401);
    assert_eq!(status(&sources, "shop", &signed("new")), 200);
}

#[tokio::test]
async fn without_parameters_a_container_starts_puts_off_and_recovers() {
    let parameters = ParameterStore::default();
    parameters.put("shop", json!({"platform": "shopify", "secrets": ["a"]}));
    parameters.be_away(true);
    let sources = parameters.sources().await;
    assert_eq!(sources.refresh(later(1)).await.unwrap_err().status, 503);
    assert_eq!(sources.refresh(later(1)).await.unwrap_err().response().headers()["retry-after"], "5");
    parameters.be_away(false);
    sources.refresh(later(11)).await.unwrap();
    assert_eq!(status(&sources, "shop", &signed("a")), 200);
    // And when it is away later, what was read serves for half an hour, no longer.
    parameters.be_away(true);
    sources.refresh(later(11 + 29 * 60)).await.unwrap();
    assert_eq!(sources.refresh(later(11 + 31 * 60)).await.unwrap_err().status, 503);
}

#[tokio::test]
async fn a_new_source_or_secret_is_found_without_a_deployment_but_not_looked_for_at_every_knock() {
    let parameters = ParameterStore::default();
    let sources = parameters.sources().await;
    parameters.put("shop", json!({"platform": "shopify", "secrets": ["a"]}));
    assert!(!sources.read_again(later(59)).await);
    assert_eq!(status(&sources, "shop", &signed("a")), 404);
    assert!(sources.read_again(later(60)).await);
    assert_eq!(status(&sources, "shop", &signed("a")), 200);
    assert!(!sources.read_again(later(61)).await, "not again at once");
}
