use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::*;
use crate::in_process::InProcess;
use crate::template::{DEPLOYED, LocalNames, Template};

const ORDERS: &str = "laurel-OrdersTable";

fn engine(folder: &tempfile::TempDir) -> Engine {
    let template = Template::parse(DEPLOYED, &LocalNames::default()).unwrap();
    Engine::open(&folder.path().join("dynamodb.sqlite"), Durability::Kept, &template.tables).unwrap()
}

fn client(engine: &Engine) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .http_client(transport(engine));
    Client::from_conf(config.build())
}

fn transport(engine: &Engine) -> SharedHttpClient {
    let engine = engine.clone();
    InProcess::client(move |target, body| engine.answer(target.unwrap(), body))
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

async fn put(client: &Client, order: &str) {
    client
        .put_item()
        .table_name(ORDERS)
        .item("order", text(order))
        .item("note", text("x"))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn the_sdk_puts_and_gets_in_process() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(&engine(&folder));
    put(&client, "shop#1").await;
    let found = client.get_item().table_name(ORDERS).key("order", text("shop#1")).send().await.unwrap();
    assert_eq!(found.item.unwrap()["note"], text("x"));
}

#[tokio::test]
async fn a_cancelled_transaction_tells_the_reason_of_each_position() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(&engine(&folder));
    put(&client, "shop#1").await;
    let put_new = |order: &str| {
        let put = Put::builder()
            .table_name(ORDERS)
            .set_item(Some(HashMap::from([("order".to_owned(), text(order))])))
            .condition_expression("attribute_not_exists(#k)")
            .expression_attribute_names("#k", "order");
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    };
    let error = client
        .transact_write_items()
        .transact_items(put_new("shop#2"))
        .transact_items(put_new("shop#1"))
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.code(), Some("TransactionCanceledException"));
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error
    else {
        panic!("{error:?}");
    };
    let codes: Vec<_> =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
}

#[tokio::test]
async fn a_write_shows_at_once_to_who_waits_and_in_the_version() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder);
    let (mut writes, version) = (engine.writes(), engine.records().version().unwrap());
    put(&client(&engine), "shop#1").await;
    writes.changed().await.unwrap();
    assert_ne!(engine.records().version().unwrap(), version);
    assert_eq!(engine.records().version().unwrap(), engine.records().version().unwrap());
}

#[tokio::test]
async fn the_stream_is_read_in_order_from_any_place() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder);
    let client = client(&engine);
    for n in 0..5 {
        put(&client, &format!("shop#{n}")).await;
    }
    let all = engine.records_after(ORDERS, None, 100).unwrap();
    assert_eq!(all.len(), 5);
    let third = &all[2].dynamodb.sequence_number;
    let rest = engine.records_after(ORDERS, Some(third), 100).unwrap();
    assert_eq!(rest.len(), 2);
    assert_eq!(rest[0].dynamodb.sequence_number, all[3].dynamodb.sequence_number);
}

#[tokio::test]
async fn trimming_keeps_the_newest_record_and_what_was_not_consumed() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder);
    let client = client(&engine);
    for n in 0..5 {
        put(&client, &format!("shop#{n}")).await;
    }
    let all = engine.records_after(ORDERS, None, 100).unwrap();
    assert_eq!(engine.records().trim(ORDERS, &all[1].dynamodb.sequence_number).unwrap(), 2);
    assert_eq!(engine.records().trim(ORDERS, &all[4].dynamodb.sequence_number).unwrap(), 2);
    assert_eq!(engine.records().count(ORDERS).unwrap(), 1);
    put(&client, "shop#5").await;
    let rest = engine.records_after(ORDERS, Some(&all[4].dynamodb.sequence_number), 100).unwrap();
    assert_eq!(rest.len(), 1);
}

/// The engine's own statements, word for word: if a version of it asks otherwise, this test is to be read again.
#[test]
fn the_engines_queries_on_stream_records_use_our_index() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder);
    let plan_of = |query: &str| -> String {
        let connection = engine.records().connection();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
    };
    let next = plan_of(
        "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = 't'",
    );
    assert!(next.contains("_laurel_stream_order (table_name=?)"), "{next}");
    let read = plan_of(
        "SELECT event_name, keys_json, new_image, old_image, sequence_number, created_at, user_identity, event_id
         FROM _stream_records
         WHERE table_name = 't' AND shard_id = 's' AND CAST(sequence_number AS INTEGER) > 5
         ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT 100",
    );
    assert!(read.contains("_laurel_stream_order (table_name=? AND <expr>>?)"), "{read}");
    assert!(!read.contains("TEMP B-TREE"), "{read}");
}
