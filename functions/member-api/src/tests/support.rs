//! A store of its own for each test, in an engine in memory, and an SNS that keeps endpoints.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use dynoxide::Database;
use store::{Store, Tables};

const REGION: &str = "eu-west-1";

fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "test")
}

/// A store with empty tables.
pub(super) async fn empty_store() -> Store {
    let client = client().await;
    create_table(&client, "orders", ("order", ScalarAttributeType::S), None).await;
    create_table(
        &client,
        "members",
        ("member", ScalarAttributeType::S),
        Some(("item", ScalarAttributeType::S)),
    )
    .await;
    create_table(&client, "directory", ("key", ScalarAttributeType::S), None).await;
    create_table(
        &client,
        "programmes",
        ("name", ScalarAttributeType::S),
        Some(("version", ScalarAttributeType::N)),
    )
    .await;
    Store::new(client, tables())
}

/// A store of which nothing is there.
pub(super) async fn store_without_tables() -> Store {
    Store::new(client().await, tables())
}

fn tables() -> Tables {
    let name = str::to_owned;
    Tables {
        orders: name("orders"),
        members: name("members"),
        directory: name("directory"),
        programmes: name("programmes"),
        erasures: name("erasures"),
    }
}

async fn client() -> aws_sdk_dynamodb::Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(aws_sdk_dynamodb::config::Region::new(REGION))
        .credentials_provider(credentials())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

type KeyPart = (&'static str, ScalarAttributeType);

async fn create_table(client: &aws_sdk_dynamodb::Client, table: &str, hash: KeyPart, range: Option<KeyPart>) {
    let mut create = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for ((name, scalar), kind) in [(Some(hash), KeyType::Hash), (range, KeyType::Range)]
        .into_iter()
        .filter_map(|(part, kind)| Some((part?, kind)))
    {
        create = create
            .attribute_definitions(
                AttributeDefinition::builder().attribute_name(name).attribute_type(scalar).build().unwrap(),
            )
            .key_schema(KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap());
    }
    create.send().await.unwrap();
}

/// An endpoint of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) token: String,
    pub(super) enabled: bool,
    /// Whether somebody gave it attributes of his own, so that creating it again is refused.
    pub(super) has_other_attributes: bool,
}

/// An SNS with the endpoints of devices by ARN. Of a token it says what it says at AWS; one with `bad` or `outage` in it
/// is refused.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeSns {
    pub(super) endpoints: Arc<Mutex<BTreeMap<String, Endpoint>>>,
}

type Parameters = HashMap<String, String>;

impl FakeSns {
    pub(super) fn client(&self) -> aws_sdk_sns::Client {
        let config = aws_sdk_sns::Config::builder()
            .behavior_version(aws_sdk_sns::config::BehaviorVersion::latest())
            .region(aws_sdk_sns::config::Region::new(REGION))
            .credentials_provider(credentials())
            .retry_config(RetryConfig::disabled())
            .http_client(self.clone());
        aws_sdk_sns::Client::from_conf(config.build())
    }

    fn answer(&self, body: &[u8]) -> (u16, String) {
        let request: Parameters = form_urlencoded::parse(body).into_owned().collect();
        let mut endpoints = self.endpoints.lock().unwrap();
        match request["Action"].as_str() {
            "CreatePlatformEndpoint" => create(&mut endpoints, &request),
            "GetEndpointAttributes" => {
                let Endpoint { token, enabled, .. } = &endpoints[&request["EndpointArn"]];
                (
                    200,
                    format!(
                        "<GetEndpointAttributesResponse><GetEndpointAttributesResult><Attributes><entry><key>Enabled</key><value>{enabled}</value></entry><entry><key>Token</key><value>{token}</value></entry></Attributes></GetEndpointAttributesResult></GetEndpointAttributesResponse>"
                    ),
                )
            }
            "SetEndpointAttributes" => {
                let endpoint = endpoints.get_mut(&request["EndpointArn"]).unwrap();
                let set: HashMap<&str, &str> = (1..=2)
                    .map(|number| format!("Attributes.entry.{number}"))
                    .map(|entry| {
                        (
                            request[&format!("{entry}.key")].as_str(),
                            request[&format!("{entry}.value")].as_str(),
                        )
                    })
                    .collect();
                endpoint.token = set["Token"].to_owned();
                endpoint.enabled = set["Enabled"] == "true";
                (200, "<SetEndpointAttributesResponse/>".to_owned())
            }
            "DeleteEndpoint" => {
                endpoints.remove(&request["EndpointArn"]);
                (200, "<DeleteEndpointResponse/>".to_owned())
            }
            action => (400, error("InvalidAction", action)),
        }
    }
}

fn create(endpoints: &mut BTreeMap<String, Endpoint>, request: &Parameters) -> (u16, String) {
    let token = &request["Token"];
    if token.contains("bad") {
        return (400, error("InvalidParameter", "Invalid parameter: Token Reason: must be hexadecimal"));
    }
    if token.contains("outage") {
        return (500, error("InternalError", "try later"));
    }
    let known = endpoints.iter().find(|(_, endpoint)| endpoint.token == *token);
    if let Some((arn, Endpoint { has_other_attributes: true, .. })) = known {
        let message = format!(
            "Invalid parameter: Token Reason: Endpoint {arn} already exists with the same Token, but different attributes."
        );
        return (400, error("InvalidParameter", &message));
    }
    let arn = known.map_or_else(
        || format!("{}/{}", request["PlatformApplicationArn"], endpoints.len()),
        |(arn, _)| arn.clone(),
    );
    let fresh = Endpoint { token: token.clone(), enabled: true, has_other_attributes: false };
    endpoints.entry(arn.clone()).or_insert(fresh);
    (
        200,
        format!(
            "<CreatePlatformEndpointResponse><CreatePlatformEndpointResult><EndpointArn>{arn}</EndpointArn></CreatePlatformEndpointResult></CreatePlatformEndpointResponse>"
        ),
    )
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

impl HttpClient for FakeSns {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for FakeSns {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = self.answer(request.body().bytes().unwrap());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
    }
}
