//! A person is forgotten: from the platform's signed word to a dump of every table, in which nothing of them is left,
//! while the amounts are.

mod guests;
mod merged;
mod moment;
mod names;
mod replayed;

use std::collections::BTreeMap;

use aws_lambda_events::event::dynamodb::Event;
use domain::ErasureId;
use erasure::ErasureFunction;
use lambda_http::http::{HeaderMap, Method};
use lambda_runtime::{Context, LambdaEvent};
use points_accrual::PointsAccrual;
use runtime::{Budget, Clock, Engine, Random};
use serde_json::{Value, json};
use store::DirectoryKey;
use store::person::{Erasure, Sought};
use tests::{SHOPIFY, Shop};

const OPENING: &str = "2026-03-02T10:00:00Z";
/// A deadline long past: one page is done, and no more.
const PAST: u64 = 1;

const CUSTOMER: u64 = 191_167;
/// What must not be found when the person is forgotten: customer id, e-mail, name, phone number, device, and its push
/// token.
const OF_THE_PERSON: [&str; 6] =
    ["191167", "john@example.com", "Johnathan", "+33612345678", "johns-phone", "token-of-john"];

/// Everything of every table through DynamoDB's own API, and its index, by table.
fn dump(shop: &Shop) -> BTreeMap<String, Vec<Value>> {
    let database = shop.stack.engine().database();
    let tables = ["Orders", "Members", "Directory", "Programmes", "Erasures"];
    let mut dump = BTreeMap::new();
    for table in tables.map(|table| format!("laurel-{table}Table")) {
        let request = serde_json::from_value(json!({"TableName": table})).unwrap();
        let page = serde_json::to_value(database.scan(request).unwrap()).unwrap();
        assert!(page.get("LastEvaluatedKey").is_none(), "{table} has another page");
        dump.insert(table, page["Items"].as_array().cloned().unwrap_or_default());
    }
    let index = json!({"TableName": "laurel-MembersTable", "IndexName": "due"});
    let page = serde_json::to_value(database.scan(serde_json::from_value(index).unwrap()).unwrap()).unwrap();
    dump.insert("due".to_owned(), page["Items"].as_array().cloned().unwrap_or_default());
    dump
}

/// Puts back what a backup of orders, members and directory held, beside whatever came since.
fn restore(shop: &Shop, backup: &BTreeMap<String, Vec<Value>>) {
    let database = shop.stack.engine().database();
    for table in ["Orders", "Members", "Directory"].map(|table| format!("laurel-{table}Table")) {
        for item in backup.get(&table).into_iter().flatten() {
            let request = serde_json::from_value(json!({"TableName": table, "Item": item})).unwrap();
            database.put_item(request).unwrap();
        }
    }
}

fn assert_nothing_is_left(shop: &Shop) {
    let dump = serde_json::to_string(&dump(shop)).unwrap();
    for word in OF_THE_PERSON {
        assert!(!dump.contains(word), "{word} is left");
    }
    assert!(!has_endpoint(shop), "an endpoint is left at the push service");
}

/// Whether the push service knows the device, the first of its kind.
fn has_endpoint(shop: &Shop) -> bool {
    const ENDPOINT: &str = "arn:aws:sns:dynoxide:000000000000:endpoint/APNS/laurel/000000000001";
    let form = format!("Action=GetEndpointAttributes&EndpointArn={ENDPOINT}");
    shop.stack.sns().answer(form.as_bytes()).0.is_success()
}

fn order(id: u64, subtotal: &str, status: &str, placed_at: &str) -> Value {
    json!({
        "id": id, "created_at": placed_at, "updated_at": placed_at, "currency": "EUR",
        "financial_status": status, "cancelled_at": null, "test": false, "taxes_included": true,
        "subtotal_price": subtotal, "current_subtotal_price": subtotal, "total_price": subtotal,
        "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": subtotal}], "refunds": [],
        "email": "john@example.com",
        "customer": {"id": CUSTOMER, "email": "john@example.com", "verified_email": true,
            "phone": "+33 6 12 34 56 78", "first_name": "Johnathan"},
    })
}

fn refund(id: u64, order: u64, amount: &str) -> Value {
    json!({
        "id": id, "order_id": order, "created_at": "2026-03-02T10:30:00Z",
        "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": amount, "total_tax": 0,
            "subtotal_set": {"shop_money": {"amount": amount, "currency_code": "EUR"}}}],
        "transactions": [], "order_adjustments": [],
    })
}

async fn send(shop: &Shop, topic: &str, body: &Value) -> (u16, Value) {
    shop.send(SHOPIFY, &[("x-shopify-topic", topic)], body).await
}

async fn told(shop: &Shop, topic: &str, body: &Value) {
    let (status, answer) = send(shop, topic, body).await;
    assert_eq!(status, 202, "{answer}");
    shop.drain().await;
}

/// As Shopify documents it.
fn redaction() -> Value {
    json!({
        "shop_id": 954_889, "shop_domain": "example.myshopify.com",
        "customer": {"id": CUSTOMER, "email": "john@example.com", "phone": "555-625-1199"},
        "orders_to_redact": [1, 2, 3],
    })
}

async fn member_of(shop: &Shop) -> (u16, Value) {
    shop.get(&format!("/members?source={SHOPIFY}&customer={CUSTOMER}")).await
}

async fn account(shop: &Shop, member: &str) -> Value {
    shop.get(&format!("/members/{member}")).await.1
}

async fn journal(shop: &Shop, member: &str) -> Value {
    shop.get(&format!("/members/{member}/journal?limit=100")).await.1
}

/// A shop with a customer of two paid orders, an unpaid one, a test, and one that is parked; with a device. And
/// somebody else, to whom nothing may happen. Answers the member.
async fn given_a_customer(shop: &Shop) -> String {
    told(shop, "orders/paid", &order(1, "520.00", "paid", "2026-03-01T10:00:00Z")).await;
    told(shop, "orders/paid", &order(2, "80.00", "paid", "2026-03-01T11:00:00Z")).await;
    told(shop, "orders/create", &order(3, "30.00", "pending", "2026-03-01T12:00:00Z")).await;
    let mut test = order(4, "40.00", "paid", "2026-03-01T13:00:00Z");
    test["test"] = json!(true);
    told(shop, "orders/paid", &test).await;
    let mut parked = order(5, "50.00", "paid", "2026-03-01T14:00:00Z");
    parked["currency"] = json!("USD");
    told(shop, "orders/paid", &parked).await;
    shop.process(&shop.order("1", "somebody-else", 2_000)).await;
    let member = member_of(shop).await.1["member"].as_str().unwrap().to_owned();
    let device = format!("/members/{member}/devices/johns-phone");
    let body = json!({"platform": "apns", "token": "token-of-john"}).to_string();
    let (status, answer) = shop.request(Method::PUT, &device, &HeaderMap::new(), body.as_bytes()).await;
    assert!(status < 300 && has_endpoint(shop), "{status} {answer}");
    // Whatever is pushed leaves a mark that names the device.
    told(shop, "orders/paid", &order(6, "520.00", "paid", "2026-03-01T15:00:00Z")).await;
    assert!(shop.sent("push").contains(&"coupon_issued".to_owned()));
    member
}

#[tokio::test]
async fn nothing_of_the_person_is_left_and_the_amounts_are_as_they_were() {
    let shop = Shop::open(OPENING).await;
    let member = given_a_customer(&shop).await;
    let (before, posted) = (account(&shop, &member).await, journal(&shop, &member).await);
    let somebody_else = shop.member("somebody-else").await;
    let dumped = serde_json::to_string(&dump(&shop)).unwrap();
    for word in &OF_THE_PERSON[..5] {
        assert!(dumped.contains(word), "{word} was there");
    }

    told(&shop, "customers/redact", &redaction()).await;

    assert_nothing_is_left(&shop);
    assert_eq!(member_of(&shop).await.0, 404);
    assert_eq!(account(&shop, &member).await, before);
    assert_eq!(journal(&shop, &member).await, posted);
    assert_eq!(shop.member("somebody-else").await, somebody_else);
    let orders = &dump(&shop)["laurel-OrdersTable"];
    let is_of = |order: &&Value, source: &str| order["order"]["S"].as_str().unwrap().starts_with(source);
    assert_eq!(orders.iter().filter(|order| is_of(order, SHOPIFY)).count(), 6);
    for order in orders.iter().filter(|order| is_of(order, SHOPIFY)) {
        assert_eq!(order["owner"]["M"]["id"]["S"], format!("erased/{member}"));
        assert!(order["goods"]["M"]["amount"]["N"].is_string());
    }
}

#[tokio::test]
async fn a_device_of_a_former_push_application_holds_up_neither_messages_nor_an_erasure() {
    let shop = Shop::open(OPENING).await;
    let member = given_a_customer(&shop).await;
    let former = store::Device {
        id: domain::DeviceId::new("former").unwrap(),
        platform: store::DevicePlatform::Apns,
        endpoint: "arn:aws:sns:dynoxide:000000000000:endpoint/APNS/before/000000000001".to_owned(),
    };
    let id = domain::MemberId::new(member.as_str()).unwrap();
    let put = async || shop.stack.store().put_device(&id, &former, shop.stack.clock().now()).await.unwrap();
    put().await;
    // A message reaches the other device, and the former one is forgotten.
    let before = shop.sent("push").len();
    told(&shop, "orders/paid", &order(7, "520.00", "paid", "2026-03-01T16:00:00Z")).await;
    assert!(shop.sent("push").len() > before);
    assert_eq!(shop.stack.store().devices(&id).await.unwrap().len(), 1);
    // An erasure ends.
    put().await;
    told(&shop, "customers/redact", &redaction()).await;
    assert!(shop.stack.store().erasures().await.unwrap().iter().all(|erasure| !erasure.is_open()));
    assert_eq!(shop.stack.store().devices(&id).await.unwrap(), []);
}

#[tokio::test]
async fn an_erased_order_goes_on_and_never_brings_the_person_back() {
    let shop = Shop::open(OPENING).await;
    let member = given_a_customer(&shop).await;
    told(&shop, "customers/redact", &redaction()).await;
    let before = account(&shop, &member).await;
    // Given the platform tells old orders again, with everything that it knows of the person.
    told(&shop, "orders/paid", &order(1, "520.00", "paid", "2026-03-01T10:00:00Z")).await;
    let mut newer = order(2, "80.00", "paid", "2026-03-01T11:00:00Z");
    newer["updated_at"] = json!("2026-03-02T10:00:00Z");
    told(&shop, "orders/updated", &newer).await;
    assert_nothing_is_left(&shop);
    assert_eq!(account(&shop, &member).await, before);
    // When an old order is refunded, and another one is paid at last.
    told(&shop, "refunds/create", &refund(11, 2, "80.00")).await;
    let mut paid = order(3, "30.00", "paid", "2026-03-01T12:00:00Z");
    paid["updated_at"] = json!("2026-03-02T10:01:00Z");
    told(&shop, "orders/paid", &paid).await;
    // Then both balance, and nobody new is a member.
    let after = account(&shop, &member).await;
    let difference = after["balance"].as_i64().unwrap() - before["balance"].as_i64().unwrap();
    assert_eq!(difference, 300 - 800);
    assert_eq!(member_of(&shop).await.0, 404);
    assert_nothing_is_left(&shop);
}

#[tokio::test]
async fn what_the_stream_still_holds_of_an_erased_order_enrols_nobody() {
    let shop = Shop::open(OPENING).await;
    // Given an order's record, as the stream has it, of a customer who was forgotten since.
    told(&shop, "orders/paid", &order(1, "100.00", "paid", "2026-03-01T10:00:00Z")).await;
    let image = dump(&shop)["laurel-OrdersTable"][0].clone();
    let member = member_of(&shop).await.1["member"].as_str().unwrap().to_owned();
    told(&shop, "customers/redact", &redaction()).await;
    // When it is delivered once more.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let event: Event = serde_json::from_value(json!({"Records": [{
        "eventID": "1", "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {"ApproximateCreationDateTime": now, "Keys": {"order": image["order"]}, "NewImage": image,
            "SequenceNumber": "1", "SizeBytes": 1, "StreamViewType": "NEW_IMAGE"},
    }]}))
    .unwrap();
    let engine =
        Engine::new(shop.stack.store().clone(), shop.stack.clock().for_functions(), Random::system());
    PointsAccrual::new(engine).handle(LambdaEvent::new(event, Context::default())).await.unwrap();
    // Then nobody is enrolled, and nothing posted twice.
    assert_nothing_is_left(&shop);
    assert_eq!(member_of(&shop).await.0, 404);
    assert_eq!(account(&shop, &member).await["balance"], 1_000);
}

#[tokio::test]
async fn a_new_order_after_that_starts_a_new_member_whom_a_restored_backup_leaves_alone() {
    let shop = Shop::open(OPENING).await;
    let old = given_a_customer(&shop).await;
    let backup = dump(&shop);
    told(&shop, "customers/redact", &redaction()).await;
    let before = account(&shop, &old).await;

    shop.advance_to("2026-03-05T10:00:00Z").await;
    told(&shop, "orders/paid", &order(20, "10.00", "paid", "2026-03-05T09:00:00Z")).await;
    let (status, new) = member_of(&shop).await;
    assert_eq!((status, &new["balance"]), (200, &json!(100)));
    assert_ne!(new["member"], json!(old));
    assert_eq!(account(&shop, &old).await["balance"], before["balance"]);

    // When the orders alone come back from a backup, and the erasures are applied again.
    restore_orders(&shop, &backup);
    assert_eq!(shop.stack.store().reapply_erasures().await.unwrap(), 1);
    shop.drain().await;
    // Then the old ones are nobody's again, and the new one is still theirs.
    let dump = dump(&shop);
    let owner = |id: &str| {
        let order = dump["laurel-OrdersTable"].iter().find(|order| order["order"]["S"] == id).unwrap();
        order["owner"]["M"]["id"]["S"].clone()
    };
    for id in ["shopify-main#1", "shopify-main#3"] {
        assert_eq!(owner(id), format!("erased/{old}"));
    }
    assert_eq!(owner("shopify-main#20"), CUSTOMER.to_string());
    assert_eq!(member_of(&shop).await.1, new);
    assert_eq!(account(&shop, &old).await["balance"], before["balance"]);
}

fn restore_orders(shop: &Shop, backup: &BTreeMap<String, Vec<Value>>) {
    let table = "laurel-OrdersTable";
    restore(shop, &BTreeMap::from([(table.to_owned(), backup[table].clone())]));
    // A table that came back has an empty stream. The local one keeps its newest record, so that is somebody else's.
    let of_others = backup[table].iter().filter(|order| order["order"]["S"] == "generic-main#1").cloned();
    restore(shop, &BTreeMap::from([(table.to_owned(), of_others.collect())]));
    let records = shop.stack.engine().records_after(table, None, 1_000).unwrap();
    shop.stack.engine().records().trim(table, &records.last().unwrap().dynamodb.sequence_number).unwrap();
}

#[tokio::test]
async fn a_restored_backup_is_erased_again() {
    let shop = Shop::open(OPENING).await;
    let member = given_a_customer(&shop).await;
    let backup = dump(&shop);
    told(&shop, "customers/redact", &redaction()).await;
    let after = account(&shop, &member).await;
    restore(&shop, &backup);
    shop.drain().await;
    assert_eq!(member_of(&shop).await.0, 200, "the person is back");

    assert_eq!(shop.stack.store().reapply_erasures().await.unwrap(), 1);
    shop.drain().await;

    assert_nothing_is_left(&shop);
    assert_eq!(member_of(&shop).await.0, 404);
    assert_eq!(account(&shop, &member).await["balance"], after["balance"]);
}

#[tokio::test]
async fn an_erasure_that_is_interrupted_again_and_again_goes_on_to_its_end() {
    let shop = Shop::open(OPENING).await;
    let member = given_a_customer(&shop).await;
    let before = account(&shop, &member).await;
    let function = ErasureFunction::new(
        shop.stack.store().clone(),
        shop.stack.clients().sns(),
        Clock::fixed(shop.stack.clock().now()),
    );
    let source = domain::SourceName::new(SHOPIFY).unwrap();
    let customer = domain::CustomerId::new(CUSTOMER.to_string()).unwrap();
    let id = ErasureId::new("erasure-1").unwrap();
    let erasure = Erasure::of(id.clone(), &Sought::named(DirectoryKey::Customer(source, customer)));
    shop.stack.store().ask_erasure(&erasure).await.unwrap();

    let mut invocations = 0;
    while shop.stack.store().erasure(&id).await.unwrap().unwrap().is_open() {
        let mut context = Context::default();
        context.deadline = PAST;
        let event: Event = serde_json::from_value(json!({"Records": [{
            "eventID": "1", "eventName": "MODIFY", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
            "awsRegion": "eu-west-1",
            "dynamodb": {"ApproximateCreationDateTime": 1, "Keys": {},
                "NewImage": {"erasure": {"S": id.as_str()}}, "SequenceNumber": "1", "SizeBytes": 1,
                "StreamViewType": "NEW_IMAGE"},
        }]}))
        .unwrap();
        let answer = function.handle(LambdaEvent::new(event, context)).await.unwrap();
        assert!(answer.batch_item_failures.is_empty());
        invocations += 1;
        assert!(invocations < 50, "it does not get on");
    }

    assert!(invocations >= 8, "each step is a page at least: {invocations}");
    assert_nothing_is_left(&shop);
    assert_eq!(account(&shop, &member).await, before);
}

#[tokio::test]
async fn a_customer_who_never_became_a_member_is_forgotten_too() {
    let shop = Shop::open(OPENING).await;
    let mut test = order(4, "40.00", "paid", "2026-03-01T13:00:00Z");
    test["test"] = json!(true);
    told(&shop, "orders/paid", &test).await;
    assert_eq!(member_of(&shop).await.0, 404);
    assert!(serde_json::to_string(&dump(&shop)).unwrap().contains("john@example.com"));
    told(&shop, "customers/redact", &redaction()).await;
    assert_nothing_is_left(&shop);
}

#[tokio::test]
async fn what_an_operator_must_do_is_handed_on_and_erases_nothing() {
    let shop = Shop::open(OPENING).await;
    let member = given_a_customer(&shop).await;
    let request = json!({
        "shop_id": 954_889, "shop_domain": "example.myshopify.com", "orders_requested": [1, 2],
        "customer": {"id": CUSTOMER, "email": "john@example.com", "phone": "555-625-1199"},
        "data_request": {"id": 9999},
    });
    let shop_redaction = json!({"shop_id": 954_889, "shop_domain": "example.myshopify.com"});
    for (topic, body) in [("customers/data_request", &request), ("shop/redact", &shop_redaction)] {
        assert_eq!(send(&shop, topic, body).await, (202, json!({"status": "requested"})));
    }
    shop.drain().await;
    assert_eq!(member_of(&shop).await.1["member"], json!(member));
    // The topic's header is not signed: a body of one passes for no other.
    for (topic, body) in [
        ("customers/redact", &request),
        ("shop/redact", &redaction()),
        ("customers/data_request", &shop_redaction),
        ("customers/redact", &order(1, "520.00", "paid", "2026-03-01T10:00:00Z")),
    ] {
        assert_eq!(send(&shop, topic, body).await.0, 400, "{topic}");
    }
}
