//! A store of its own for each test, in an engine in memory, and an SNS that writes down what it is sent.

use std::collections::HashMap;
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
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
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
    let name = str::to_owned;
    let tables = Tables {
        orders: name("orders"),
        members: name("members"),
        directory: name("directory"),
        programmes: name("programmes"),
        erasures: name("erasures"),
    };
    Store::new(client, tables)
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

/// One request to SNS, by the names of its parameters.
pub(super) type Published = HashMap<String, String>;

/// An SNS that accepts everything but what it was told to refuse.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeSns {
    published: Arc<Mutex<Vec<Published>>>,
    refusals: Arc<Mutex<HashMap<String, (&'static str, &'static str)>>>,
}

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

    /// From now on a target is refused with this code and message.
    pub(super) fn refuse(&self, target: &str, code: &'static str, message: &'static str) {
        self.refusals.lock().unwrap().insert(target.to_owned(), (code, message));
    }

    pub(super) fn accept(&self, target: &str) {
        self.refusals.lock().unwrap().remove(target);
    }

    /// What was accepted since the last look.
    pub(super) fn take(&self) -> Vec<Published> {
        std::mem::take(&mut self.published.lock().unwrap())
    }

    fn answer(&self, body: &[u8]) -> (u16, String) {
        let request: Published = form_urlencoded::parse(body).into_owned().collect();
        let target = request.get("TargetArn").or(request.get("TopicArn")).cloned().unwrap_or_default();
        if let Some((code, message)) = self.refusals.lock().unwrap().get(&target) {
            let status = if *code == "InternalError" { 500 } else { 400 };
            return (
                status,
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
                ),
            );
        }
        self.published.lock().unwrap().push(request);
        let answer =
            "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
        (200, answer.to_owned())
    }
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
