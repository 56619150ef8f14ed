//! Tests of the function as a whole, and what they have in common.

mod events;
mod handler;
pub(crate) mod life;
mod moments;
mod payloads;
mod reconciling;
pub(crate) mod stand_in;
mod thin;
mod vectors;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use domain::{SourceName, Timestamp};
use dynoxide::{Database, server};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use runtime::{Clients, Config};
use store::{Store, Tables};
use tokio::net::TcpListener;

/// The sources of the local stack, with their public secrets.
pub(crate) const LOCAL_SOURCES: &str = include_str!("../../../local/sources.toml");

pub(crate) fn source(name: &str) -> SourceName {
    SourceName::new(name).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    domain::time::instant(text).unwrap()
}

pub(crate) fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let header = |(name, value): (&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
    };
    pairs.into_iter().map(header).collect()
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Public examples that are too many, or not ours, to keep in the repository. Where the folder is absent, the test
/// says so and is skipped.
fn shared_data() -> Option<PathBuf> {
    let folder =
        std::env::var_os("LAUREL_SHARED_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    // Not `eprintln`, which the test runner hides.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: {} is absent; LAUREL_SHARED_DATA may name it",
        folder.display()
    );
    None
}

/// Credentials that open nothing.
pub(crate) fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "tests")
}

/// The clients over a transport, with an endpoint for the store.
pub(crate) fn clients(http: SharedHttpClient, dynamodb_endpoint: Option<String>) -> Clients {
    let config = Config {
        region: "eu-west-3".to_owned(),
        dynamodb_endpoint,
        sns_endpoint: None,
        ssm_endpoint: None,
        tables: Tables {
            orders: "orders".to_owned(),
            members: "members".to_owned(),
            directory: "directory".to_owned(),
            programmes: "programmes".to_owned(),
            erasures: "erasures".to_owned(),
        },
    };
    Clients::over(config, http, credentials())
}

/// A store over an endpoint.
fn store_at(endpoint: String) -> Store {
    clients(aws_smithy_http_client::Builder::new().build_http(), Some(endpoint)).store()
}

/// A store over an engine of the test's own.
pub(crate) async fn embedded_store() -> Store {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let database = Database::memory().unwrap();
    for (table, key) in [("orders", "order"), ("erasures", "erasure"), ("directory", "key")] {
        let table = serde_json::json!({
            "TableName": table,
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        });
        database.create_table(serde_json::from_value(table).unwrap()).unwrap();
    }
    tokio::spawn(server::serve_on(listener, database));
    store_at(format!("http://{address}"))
}
