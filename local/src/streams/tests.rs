use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::clock::{LocalClock, Time};
use crate::dynamodb::{Durability, Engine};
use crate::functions::{Functions, Handler};
use crate::state::State;
use crate::template::{DEPLOYED, FunctionTemplate, LocalNames, Mapping, Template};

const FUNCTION: &str = "PointsAccrualFunction";

/// Orders as they reached the function, one list for each invocation.
type Seen = Arc<Mutex<Vec<Vec<String>>>>;

/// A stack of one stream and a function that does as the test says.
struct Desk {
    folder: tempfile::TempDir,
    engine: Engine,
    state: Arc<State>,
    mapping: Mapping,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let template = Template::parse(DEPLOYED, &LocalNames::default()).unwrap();
        let engine =
            Engine::open(&folder.path().join("dynamodb.sqlite"), Durability::Kept, &template.tables).unwrap();
        let state = Arc::new(State::open(&folder.path().join("state.sqlite")).unwrap());
        let mut mapping = template.functions[FUNCTION].mappings[0].clone();
        mapping.retries = Some(2);
        Self { folder, engine, state, mapping }
    }

    fn put(&self, order: &str) {
        self.put_item(&json!({ "order": { "S": order }, "accrue": { "BOOL": true } }));
    }

    fn put_item(&self, item: &Value) {
        let request = json!({ "TableName": self.mapping.table, "Item": item });
        let (status, body) = self.engine.answer("DynamoDB_20120810.PutItem", request.to_string().as_bytes());
        assert_eq!(status, 200, "{body}");
    }

    /// A pump whose function answers what `answer` says of the orders of a batch.
    fn pump(
        &self,
        answer: impl Fn(&[String], &Value) -> Result<Value, String> + Send + Sync + 'static,
    ) -> (Pump, Seen) {
        let seen = Seen::default();
        let (told, answer) = (Arc::clone(&seen), Arc::new(answer));
        let handler = Handler::of_events(move |event: LambdaEvent<Value>| {
            let orders: Vec<String> = event.payload["Records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|record| record["dynamodb"]["NewImage"]["order"]["S"].as_str().unwrap().to_owned())
                .collect();
            told.lock().unwrap().push(orders.clone());
            let answered = answer(&orders, &event.payload);
            async move { answered.map_err(lambda_runtime::Error::from) }
        });
        let template = FunctionTemplate {
            id: FUNCTION.to_owned(),
            timeout: Duration::from_secs(5),
            environment: BTreeMap::new(),
            routes: Vec::new(),
            mappings: Vec::new(),
            schedule: None,
        };
        let clock = LocalClock::open(Time::Movable, Arc::clone(&self.state)).unwrap();
        let pump = Pump::open(
            self.mapping.clone(),
            self.engine.clone(),
            Functions::default().with(&template, handler),
            Arc::clone(&self.state),
            clock,
            watch::Sender::new(false).subscribe(),
        );
        (pump.unwrap(), seen)
    }
}

fn well(_: &[String], _: &Value) -> Result<Value, String> {
    Ok(json!({ "batchItemFailures": [] }))
}

/// Reports an order as failed wherever it stands.
fn failing(order: &'static str) -> impl Fn(&[String], &Value) -> Result<Value, String> {
    move |orders, event| {
        let failures: Vec<Value> = orders
            .iter()
            .position(|other| other == order)
            .map(|at| json!({ "itemIdentifier": event["Records"][at]["dynamodb"]["SequenceNumber"] }))
            .into_iter()
            .collect();
        Ok(json!({ "batchItemFailures": failures }))
    }
}

fn batches(seen: &Seen) -> Vec<String> {
    seen.lock().unwrap().iter().map(|batch| batch.join(" ")).collect()
}

#[tokio::test]
async fn what_is_written_is_delivered_once_and_in_order() {
    let desk = Desk::new();
    let (pump, seen) = desk.pump(well);
    for order in ["a", "b", "c"] {
        desk.put(order);
    }
    assert_eq!(pump.drain().await.unwrap(), 3);
    assert_eq!(pump.drain().await.unwrap(), 0);
    desk.put("d");
    pump.drain().await.unwrap();
    assert_eq!(batches(&seen), ["a b c", "d"]);
}

#[tokio::test]
async fn a_record_is_what_lambda_would_send() {
    let desk = Desk::new();
    let (pump, _) = desk.pump(|_, event| {
        let record = &event["Records"][0];
        assert_eq!(record["eventName"], "INSERT");
        assert_eq!(record["eventSource"], "aws:dynamodb");
        assert_eq!(
            record["eventSourceARN"],
            "arn:aws:dynamodb:dynoxide:000000000000:table/laurel-OrdersTable/stream/local"
        );
        let parsed: lambda_http::aws_lambda_events::event::dynamodb::Event =
            serde_json::from_value(event.clone()).unwrap();
        assert_eq!(parsed.records.len(), 1);
        Ok(json!({}))
    });
    desk.put("a");
    pump.drain().await.unwrap();
    assert!(desk.state.failed(10).unwrap().is_empty(), "{:?}", desk.state.failed(10));
}

#[tokio::test]
async fn a_failed_record_is_tried_again_without_those_before_it_and_then_given_up() {
    let desk = Desk::new();
    let (pump, seen) = desk.pump(failing("b"));
    for order in ["a", "b", "c"] {
        desk.put(order);
    }
    pump.drain().await.unwrap();
    assert_eq!(batches(&seen), ["a b c", "b c", "b c", "b c", "c"]);
    let [failed] = desk.state.failed(10).unwrap().try_into().unwrap();
    assert!(failed.record.contains(r#""S":"b""#), "{failed:?}");
}

#[tokio::test]
async fn a_batch_that_fails_whole_is_halved_until_the_culprit_is_alone() {
    let desk = Desk::new();
    let (pump, seen) = desk.pump(|orders, _| match orders.contains(&"c".to_owned()) {
        true => Err("no".to_owned()),
        false => Ok(json!(null)),
    });
    for order in ["a", "b", "c", "d"] {
        desk.put(order);
    }
    pump.drain().await.unwrap();
    assert_eq!(batches(&seen), ["a b c d", "a b", "c d", "c", "c", "c", "d"]);
    assert_eq!(desk.state.failed(10).unwrap()[0].reason, "no");
}

#[tokio::test]
async fn what_is_parked_is_not_delivered() {
    let desk = Desk::new();
    let (pump, seen) = desk.pump(well);
    let parked =
        json!({ "M": { "reason": { "S": "no such currency" }, "at": { "S": "2026-03-01T00:00:00Z" } } });
    desk.put_item(&json!({ "order": { "S": "a" }, "parked": parked }));
    desk.put("b");
    pump.drain().await.unwrap();
    assert_eq!(batches(&seen), ["b"]);
}

#[tokio::test]
async fn a_second_start_goes_on_where_the_first_was() {
    let desk = Desk::new();
    desk.put("a");
    desk.pump(well).0.drain().await.unwrap();
    desk.put("b");
    let again =
        Desk { state: Arc::new(State::open(&desk.folder.path().join("state.sqlite")).unwrap()), ..desk };
    let (pump, seen) = again.pump(well);
    pump.drain().await.unwrap();
    assert_eq!(batches(&seen), ["b"]);
}

#[tokio::test]
async fn a_killed_invocation_is_delivered_again() {
    let desk = Desk::new();
    desk.put("a");
    let (pump, tried) = desk.pump(|_, _| std::panic::panic_any("killed"));
    // The first attempt crashes; before the next one everything is gone.
    {
        let mut drain = std::pin::pin!(pump.drain());
        while batches(&tried).is_empty() {
            tokio::select! {
                biased;
                () = tokio::task::yield_now() => {}
                _ = &mut drain => break,
            }
        }
    }
    let (pump, seen) = desk.pump(well);
    pump.drain().await.unwrap();
    assert_eq!(batches(&seen), ["a"]);
}

#[tokio::test]
async fn a_running_pump_follows_writes_and_stops_when_told() {
    let desk = Desk::new();
    let (stop, stopped) = watch::channel(false);
    let (mut pump, seen) = desk.pump(well);
    pump.listen_to(stopped);
    let pump = Arc::new(pump);
    let running = tokio::spawn({
        let pump = Arc::clone(&pump);
        async move { pump.run().await }
    });
    desk.put("a");
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while batches(&seen).is_empty() && std::time::Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    stop.send_replace(true);
    running.await.unwrap();
    assert_eq!(batches(&seen), ["a"]);
}
