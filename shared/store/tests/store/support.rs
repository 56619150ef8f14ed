//! A store of its own for each test: fresh tables in an engine in memory, or under random names at an
//! endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    Projection, ProjectionType, ScalarAttributeType,
};
use aws_smithy_async::rt::sleep::TokioSleep;
use dynoxide::Database;
use store::{Meter, Store, Tables, Usage};

use crate::given::order_key;

/// A store, and what it used.
pub(crate) struct Bench {
    pub(crate) store: Store,
    meter: Arc<Meter>,
    client: Client,
    tables: Tables,
}

/// Keeps the names of two tests of one run apart.
static BENCHES: AtomicU32 = AtomicU32::new(0);

impl Bench {
    pub(crate) async fn new() -> Self {
        let endpoint = match std::env::var("LAUREL_TEST_DYNAMODB_ENDPOINT") {
            Ok(endpoint) => endpoint,
            Err(_) => embedded().await,
        };
        let client = client(&endpoint);
        let tables = tables();
        create_tables(&client, &tables).await;
        let meter = Arc::new(Meter::new());
        let store = Store::new(client.clone(), tables.clone()).with_meter(Arc::clone(&meter));
        Self { store, meter, client, tables }
    }

    /// Whether the filter of the orders' stream passes an order as it is stored.
    pub(crate) async fn wakes_the_accrual(&self, order: &str) -> bool {
        let key = AttributeValue::S(order_key(order).to_string());
        let order = self.client.get_item().table_name(&self.tables.orders).key("order", key).send().await;
        order.unwrap().item.unwrap().get("accrue") == Some(&AttributeValue::Bool(true))
    }

    /// A device as it was laid down before the directory knew of endpoints.
    pub(crate) async fn lay_down_a_device(&self, member: &str, device: &store::Device) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.members)
            .item("member", text(member))
            .item("item", text(&format!("device#{}", device.id)))
            .item("platform", text("apns"))
            .item("endpoint", text(&device.endpoint))
            .item("registered_at", text("2026-01-01T00:00:00Z"));
        put.send().await.unwrap();
    }

    /// What a piece of work uses.
    pub(crate) async fn usage_of<T>(&self, work: impl Future<Output = T>) -> (T, Usage) {
        let before = self.meter.usage();
        let result = work.await;
        let after = self.meter.usage();
        let usage = Usage {
            requests: after.requests - before.requests,
            read_units: after.read_units - before.read_units,
            write_units: after.write_units - before.write_units,
            index_write_units: after.index_write_units - before.index_write_units,
        };
        (result, usage)
    }
}

/// Starts an engine in this process, which ends with the test's runtime.
async fn embedded() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let database = Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    format!("http://{address}")
}

fn client(endpoint: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(TokioSleep::new())
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

fn tables() -> Tables {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let run = format!("test-{now}-{}-{}", std::process::id(), BENCHES.fetch_add(1, Ordering::Relaxed));
    let name = |table: &str| format!("{run}-{table}");
    Tables {
        orders: name("orders"),
        members: name("members"),
        directory: name("directory"),
        programmes: name("programmes"),
        erasures: name("erasures"),
    }
}

async fn create_tables(client: &Client, tables: &Tables) {
    use ScalarAttributeType::{N, S};
    create(client, &tables.orders, &[("order", S)], None).await;
    create(client, &tables.members, &[("member", S), ("item", S)], Some([("due_shard", N), ("due_at", S)]))
        .await;
    create(client, &tables.directory, &[("key", S)], None).await;
    create(client, &tables.erasures, &[("erasure", S)], None).await;
    create(client, &tables.programmes, &[("name", S), ("version", N)], None).await;
}

type Attribute = (&'static str, ScalarAttributeType);

async fn create(client: &Client, table: &str, key: &[Attribute], index: Option<[Attribute; 2]>) {
    let definitions = key.iter().chain(index.iter().flatten()).map(|(name, kind)| {
        AttributeDefinition::builder().attribute_name(*name).attribute_type(kind.clone()).build().unwrap()
    });
    let index = index.as_ref().map(|key| {
        GlobalSecondaryIndex::builder()
            .index_name("due")
            .set_key_schema(Some(schema(key)))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .unwrap()
    });
    client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(definitions.collect()))
        .set_key_schema(Some(schema(key)))
        .set_global_secondary_indexes(index.map(|index| vec![index]))
        .send()
        .await
        .unwrap();
}

fn schema(key: &[Attribute]) -> Vec<KeySchemaElement> {
    let kinds = [KeyType::Hash, KeyType::Range];
    key.iter()
        .zip(kinds)
        .map(|((name, _), kind)| {
            KeySchemaElement::builder().attribute_name(*name).key_type(kind).build().unwrap()
        })
        .collect()
}
