//! Enrolment: what guests order waits for them, and is theirs when they enrol, whatever comes first.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use domain::{OrderKey, SourceName};
use lambda_http::http::{HeaderMap, Method};
use runtime::{Budget, Clock, Engine, Random};
use serde_json::{Value, json};
use store::{Consistency, DirectoryKey};
use tests::{GENERIC, SHOPIFY, Shop, at, programme};

const OPENING: &str = "2026-03-02T10:00:00Z";
/// When whatever happened before has long left the streams.
const LATER: &str = "2026-03-02T18:00:00Z";

/// A shop whose programme asks for enrolment.
async fn shop() -> Shop {
    let rules = programme(&[(r#"enrolment = "automatic""#, r#"enrolment = "explicit""#)]);
    Shop::with(OPENING, rules).await
}

/// The same order, of a guest, whose address nobody verified.
fn of_guest(mut order: Value, guest: &str) -> Value {
    order["order"]["customer"] = json!({"email": format!("{guest}@example.com")});
    order
}

/// The same order, of a customer who told an address that nobody verified.
fn of_customer(mut order: Value, customer: &str, told: &str) -> Value {
    order["order"]["customer"] = json!({"id": customer, "email": format!("{told}@example.com")});
    order
}

fn with(mut order: Value, field: &str, value: Value) -> Value {
    order["order"][field] = value;
    order
}

async fn enrol(shop: &Shop, body: Value) -> (u16, Value) {
    let body = body.to_string();
    let answer = shop.request(Method::POST, "/members", &HeaderMap::new(), body.as_bytes()).await;
    shop.drain().await;
    answer
}

fn email(guest: &str) -> Value {
    json!({"email": format!("{guest}@example.com")})
}

/// The account of whoever has this address, who is a member.
async fn account(shop: &Shop, guest: &str) -> Value {
    let key = DirectoryKey::Email(format!("{guest}@example.com"));
    let member = shop.stack.store().find_member(&key, Consistency::Strong).await.unwrap().unwrap();
    shop.get(&format!("/members/{member}")).await.1
}

/// How many items a table has; the index counts members.
fn items(shop: &Shop, table: &str) -> Vec<Value> {
    let request = json!({"TableName": format!("laurel-{table}Table")});
    let page = shop.stack.engine().database().scan(serde_json::from_value(request).unwrap()).unwrap();
    serde_json::to_value(page).unwrap()["Items"].as_array().cloned().unwrap_or_default()
}

fn members(shop: &Shop) -> usize {
    items(shop, "Members").iter().filter(|item| item["item"]["S"] == "profile").count()
}

fn waiting(shop: &Shop) -> usize {
    let is_waiting = |item: &&Value| item["member"]["S"].as_str().unwrap().starts_with("waiting#");
    items(shop, "Members").iter().filter(is_waiting).count()
}

async fn sweep(shop: &Shop) -> Value {
    shop.advance_to(LATER).await;
    let answer = shop.stack.invoke("OrderSweepFunction", "{}".to_owned()).await.unwrap();
    shop.drain().await;
    serde_json::from_str(&answer).unwrap()
}

fn engine(shop: &Shop) -> Engine {
    let clock = Clock::fixed(shop.stack.clock().now());
    Engine::new(shop.stack.store().clone(), clock, Random::system())
}

#[tokio::test]
async fn what_guests_order_waits_and_makes_nobody_a_member() {
    let shop = shop().await;
    shop.process(&of_guest(shop.order("1", "", 1_000), "a")).await;
    shop.process(&shop.order("2", "c-2", 1_000)).await;
    shop.process(&with(of_guest(shop.order("3", "", 1_000), "a"), "test", json!(true))).await;
    let mut nobodys = shop.order("4", "", 1_000);
    nobodys["order"]["customer"] = json!({"name": "Nobody"});
    shop.process(&nobodys).await;

    assert_eq!((members(&shop), waiting(&shop)), (0, 3), "under each name that was told");
    assert!(shop.stack.store().parked().await.unwrap().is_empty());
    let report = sweep(&shop).await;
    assert_eq!(
        (&report["checked"], &report["repaired"], &report["failed"]),
        (&json!(4), &json!(0), &json!(0))
    );
    assert_eq!(members(&shop), 0);
}

#[tokio::test]
async fn whoever_enrols_is_given_what_waited_with_its_own_dates() {
    let shop = shop().await;
    let first = with(of_guest(shop.order("1", "", 60_000), "a"), "placed_at", json!("2026-01-15T12:00:00Z"));
    let second =
        with(of_customer(shop.order("2", "", 2_000), "c-7", "a"), "placed_at", json!("2025-11-01T12:00:00Z"));
    for order in [&first, &second, &of_guest(shop.order("3", "", 1_000), "b")] {
        shop.process(order).await;
    }

    let (status, before) = enrol(&shop, email("a")).await;

    assert_eq!((status, &before["balance"]), (201, &json!(0)), "what waited follows by the stream");
    let account = account(&shop, "a").await;
    assert_eq!((&account["lifetime_points"], &account["balance"]), (&json!(6_200), &json!(1_200)));
    assert_eq!(account["coupons"].as_array().unwrap().len(), 1);
    assert_eq!(account["expires_at"], "2027-01-15T12:00:00Z", "counted from the newest order");
    // The order of November has left the window.
    assert_eq!(account["status_points"], 10);
    assert_eq!(shop.sent("email"), ["coupon_issued"]);
    assert_eq!((members(&shop), waiting(&shop)), (1, 1), "what another guest ordered still waits");
    let report = sweep(&shop).await;
    assert_eq!(report["repaired"], 0);
}

#[tokio::test]
async fn points_that_had_run_out_meanwhile_run_out_again_as_of_their_own_day() {
    let shop = shop().await;
    for (id, placed_at) in [("1", "2024-06-01T10:00:00Z"), ("2", "2024-09-01T10:00:00Z")] {
        let order = of_guest(shop.order(id, "", 1_000), "a");
        shop.process(&with(order, "placed_at", json!(placed_at))).await;
    }
    enrol(&shop, email("a")).await;
    let account = account(&shop, "a").await;
    assert_eq!((&account["lifetime_points"], &account["balance"]), (&json!(200), &json!(0)));
    let journal = format!("/members/{}/journal", account["member"].as_str().unwrap());
    let entries = shop.get(&journal).await.1["entries"].as_array().unwrap().clone();
    let expired: i64 = entries
        .iter()
        .filter(|entry| entry["cause"] == "expiry/2025-09-01T10:00:00.000Z")
        .map(|entry| entry["points"].as_i64().unwrap())
        .sum();
    assert_eq!(expired, -200, "{entries:?}");
}

/// One of the things that happen, in whatever order.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Order,
    Refund,
    Enrolment,
}

async fn happens(shop: &Shop, event: Event, owner: fn(Value) -> Value, enroller: &Value) {
    match event {
        Event::Order => shop.deliver(&owner(shop.order("1", "", 60_000))).await,
        Event::Refund => shop.deliver(&shop.refund("r-1", "1", 20_000)).await,
        Event::Enrolment => {
            let body = enroller.to_string();
            let (status, answer) =
                shop.request(Method::POST, "/members", &HeaderMap::new(), body.as_bytes()).await;
            assert_eq!(status, 201, "{answer}");
        }
    }
}

#[tokio::test]
async fn order_refund_and_enrolment_end_the_same_in_whatever_order_they_come() {
    use Event::{Enrolment, Order, Refund};
    let guest: fn(Value) -> Value = |order| of_guest(order, "a");
    let customer: fn(Value) -> Value = |order| of_customer(order, "c-7", "a");
    let by_customer = json!({"source": GENERIC, "customer": "c-7", "email": "a@example.com"});
    for (owner, enroller) in [(guest, email("a")), (customer, email("a")), (customer, by_customer)] {
        for events in [
            [Order, Refund, Enrolment],
            [Order, Enrolment, Refund],
            [Refund, Order, Enrolment],
            [Refund, Enrolment, Order],
            [Enrolment, Order, Refund],
            [Enrolment, Refund, Order],
        ] {
            // The streams are drained, or are not, after each of them.
            for drained in 0..4 {
                let shop = shop().await;
                for (number, event) in events.into_iter().enumerate() {
                    happens(&shop, event, owner, &enroller).await;
                    if drained & (1 << number) != 0 {
                        shop.drain().await;
                    }
                }
                shop.drain().await;
                let case = format!("{events:?}, {drained}, {enroller}");
                let account = account(&shop, "a").await;
                assert_eq!(account["balance"], 4_000, "{case}");
                assert_eq!(account["lifetime_points"], 6_000, "{case}");
                assert_eq!(account["expires_at"], "2027-03-02T10:00:00Z", "{case}");
                assert_eq!((members(&shop), waiting(&shop)), (1, 0), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_refund_that_names_no_order_waits_and_is_claimed_alike() {
    let shop = shop().await;
    shop.process(&of_guest(shop.order("1", "", 5_000), "a")).await;
    let mut refund = shop.refund("r-1", "", 2_000);
    refund["refund"].as_object_mut().unwrap().remove("order_id");
    refund["refund"]["customer"] = json!({"email": "a@example.com"});
    shop.process(&refund).await;
    assert_eq!((members(&shop), waiting(&shop)), (0, 2));
    enrol(&shop, email("a")).await;
    assert_eq!(account(&shop, "a").await["balance"], 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_and_an_enrolment_at_the_same_moment_never_miss_each_other() {
    let shop = shop().await;
    for number in 0..30 {
        let guest = format!("g-{number}");
        shop.deliver(&of_guest(shop.order(&guest, "", 1_000), &guest)).await;
        let key = OrderKey::new(format!("{GENERIC}#{guest}")).unwrap();
        let state = shop.stack.store().order(&key).await.unwrap().unwrap();
        shop.stack.forget_records_of("PointsAccrualFunction").await.unwrap();
        let (accrual, enroller) = (engine(&shop), engine(&shop));
        let keys = vec![DirectoryKey::Email(format!("{guest}@example.com"))];
        let who = store::Enrolment { keys, contact: domain::Contact::default() };
        let both = (
            tokio::spawn(async move { accrual.batch().accrue(&state, true, Budget::until(0)).await }),
            tokio::spawn(async move { enroller.enrol(&who, at(OPENING), Budget::until(0)).await }),
        );
        both.0.await.unwrap().unwrap();
        both.1.await.unwrap().unwrap();
        shop.drain().await;
        assert_eq!(account(&shop, &guest).await["balance"], 100, "{guest}");
        assert_eq!(waiting(&shop), 0, "{guest}");
    }
    assert_eq!(members(&shop), 30);
}

#[tokio::test]
async fn an_order_of_two_names_is_one_members_whatever_the_stream_still_holds() {
    let shop = shop().await;
    shop.process(&of_customer(shop.order("1", "", 1_000), "c-7", "a")).await;
    let key = OrderKey::new(format!("{GENERIC}#1")).unwrap();
    let before = shop.stack.store().order(&key).await.unwrap().unwrap();
    enrol(&shop, email("a")).await;
    // Given the customer of the shop enrols under another address, and is somebody else.
    let customer = json!({"source": GENERIC, "customer": "c-7", "email": "b@example.com"});
    assert_eq!(enrol(&shop, customer).await.0, 201);
    // When a record from before all that is delivered once more.
    engine(&shop).batch().accrue(&before, true, Budget::until(0)).await.unwrap();
    // Then the order is still the first one's, with all that comes of it, and the next one the other's.
    shop.process(&shop.refund("r-1", "1", 500)).await;
    shop.process(&of_customer(shop.order("2", "", 3_000), "c-7", "a")).await;
    assert_eq!(account(&shop, "a").await["balance"], 50);
    assert_eq!(account(&shop, "b").await["balance"], 300);
}

#[tokio::test]
async fn a_guest_who_turns_out_to_be_a_customer_is_that_customer() {
    let shop = shop().await;
    shop.process(&of_guest(shop.order("1", "", 1_000), "a")).await;
    let known = of_customer(shop.order("1", "", 1_000), "c-7", "a");
    shop.process(&with(known, "updated_at", json!("2026-03-02T10:00:01Z"))).await;
    assert_eq!(enrol(&shop, json!({"source": GENERIC, "customer": "c-7"})).await.0, 201);
    assert_eq!(shop.member("c-7").await["balance"], 100);
}

/// Customer so-and-so of Shopify, of whom nothing else is told, orders goods for 20.00.
async fn orders_at_shopify(shop: &Shop, id: u64, customer: u64) {
    orders_as(shop, id, json!({"id": customer})).await;
}

async fn orders_as(shop: &Shop, id: u64, customer: Value) {
    let order = shopify_order(id, customer);
    assert_eq!(shop.send(SHOPIFY, &[("x-shopify-topic", "orders/paid")], &order).await.0, 202);
    shop.drain().await;
}

fn shopify_order(id: u64, customer: Value) -> Value {
    json!({
        "id": id, "created_at": OPENING, "updated_at": OPENING, "currency": "EUR", "financial_status": "paid",
        "current_subtotal_price": "20.00", "subtotal_price": "20.00", "total_price": "20.00",
        "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": "20.00"}],
        "customer": customer,
    })
}

async fn merge_at_shopify(shop: &Shop, kept: u64, deleted: u64) {
    let id = |customer: u64| format!("gid://shopify/Customer/{customer}");
    let merge = json!({
        "admin_graphql_api_customer_kept_id": id(kept), "admin_graphql_api_customer_deleted_id": id(deleted),
        "admin_graphql_api_job_id": null, "status": "completed", "errors": [],
    });
    assert_eq!(shop.send(SHOPIFY, &[("x-shopify-topic", "customers/merge")], &merge).await.0, 202);
    shop.drain().await;
}

#[tokio::test]
async fn of_two_customers_who_turned_out_to_be_one_the_one_who_enrols_gets_what_either_ordered() {
    let shop = shop().await;
    orders_at_shopify(&shop, 1, 7).await;
    orders_at_shopify(&shop, 2, 8).await;
    merge_at_shopify(&shop, 7, 8).await;
    enrol(&shop, json!({"source": SHOPIFY, "customer": "7"})).await;
    let member = shop.get(&format!("/members?source={SHOPIFY}&customer=7")).await.1;
    assert_eq!((&member["balance"], waiting(&shop)), (&json!(400), 0));
}

/// Two customers of Shopify of whom nobody ever heard become one.
async fn merged_before_anybody_ordered(rules: &[(&str, &str)]) -> Shop {
    let shop = Shop::with(OPENING, programme(rules)).await;
    merge_at_shopify(&shop, 7, 8).await;
    shop
}

async fn balance_at_shopify(shop: &Shop, customer: u64) -> Value {
    shop.get(&format!("/members?source={SHOPIFY}&customer={customer}")).await.1["balance"].clone()
}

#[tokio::test]
async fn a_merge_of_two_customers_of_whom_neither_ever_ordered_is_remembered() {
    let shop = merged_before_anybody_ordered(&[]).await;
    orders_at_shopify(&shop, 1, 8).await;
    assert_eq!(
        (balance_at_shopify(&shop, 7).await, balance_at_shopify(&shop, 8).await),
        (json!(200), json!(200))
    );
    orders_at_shopify(&shop, 2, 7).await;
    assert_eq!((balance_at_shopify(&shop, 8).await, members(&shop)), (json!(400), 1));
    // The kept one became part of a third one, whom nobody knows either; and once more, the other way round.
    merge_at_shopify(&shop, 9, 7).await;
    merge_at_shopify(&shop, 7, 9).await;
    orders_at_shopify(&shop, 3, 9).await;
    assert_eq!((balance_at_shopify(&shop, 8).await, members(&shop)), (json!(600), 1));
}

#[tokio::test]
async fn aliases_of_aliases_lead_to_one_member_and_never_round_in_a_circle() {
    let shop = merged_before_anybody_ordered(&[]).await;
    for (kept, deleted) in [(6, 7), (8, 6), (7, 8)] {
        merge_at_shopify(&shop, kept, deleted).await;
    }
    for (id, customer) in [(1, 8), (2, 7), (3, 6)] {
        orders_at_shopify(&shop, id, customer).await;
    }
    assert_eq!((balance_at_shopify(&shop, 7).await, members(&shop)), (json!(600), 1));
    let report = sweep(&shop).await;
    assert_eq!((&report["repaired"], &report["failed"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn what_the_merged_one_orders_waits_for_the_kept_one_to_enrol() {
    let explicit = (r#"enrolment = "automatic""#, r#"enrolment = "explicit""#);
    for enroller in ["7", "8"] {
        let shop = merged_before_anybody_ordered(&[explicit]).await;
        orders_at_shopify(&shop, 1, 8).await;
        orders_at_shopify(&shop, 2, 7).await;
        assert_eq!((members(&shop), waiting(&shop)), (0, 2));
        assert_eq!(enrol(&shop, json!({"source": SHOPIFY, "customer": enroller})).await.0, 201);
        orders_at_shopify(&shop, 3, 8).await;
        assert_eq!((balance_at_shopify(&shop, 7).await, waiting(&shop)), (json!(600), 0), "{enroller}");
        assert_eq!(enrol(&shop, json!({"source": SHOPIFY, "customer": "8"})).await.0, 200);
        assert_eq!(members(&shop), 1);
    }
}

#[tokio::test]
async fn of_two_opposite_merges_at_one_moment_one_is_remembered() {
    let shop = Shop::open(OPENING).await;
    let source = SourceName::new(SHOPIFY).unwrap();
    let customer = |id: String| domain::CustomerId::new(id).unwrap();
    for pair in 0..20 {
        let (one, other) = (customer(format!("{pair}-a")), customer(format!("{pair}-b")));
        let merge = |kept: &domain::CustomerId, deleted: &domain::CustomerId| {
            let merge = domain::CustomerMerge { kept: kept.clone(), deleted: deleted.clone() };
            let (engine, source) = (engine(&shop), source.clone());
            tokio::spawn(async move { engine.merge_customers(&source, &merge, Budget::until(0)).await })
        };
        let both = tokio::join!(merge(&one, &other), merge(&other, &one));
        both.0.unwrap().unwrap();
        both.1.unwrap().unwrap();
        let store = shop.stack.store();
        let key = |id: &domain::CustomerId| DirectoryKey::Customer(source.clone(), id.clone());
        let mut found = Vec::new();
        for id in [&one, &other] {
            found.push(store.look_up(&key(id), Consistency::Strong).await.unwrap());
        }
        assert_eq!(found[0], found[1]);
    }
}

#[tokio::test]
async fn a_merge_and_both_customers_first_orders_at_one_moment_leave_one_member() {
    let shop = Shop::open(OPENING).await;
    let source = SourceName::new(SHOPIFY).unwrap();
    for pair in 0..20_u64 {
        let (kept, deleted) = (1_000 + pair, 2_000 + pair);
        for customer in [kept, deleted] {
            let order = shopify_order(customer, json!({"id": customer}));
            assert_eq!(shop.send(SHOPIFY, &[("x-shopify-topic", "orders/paid")], &order).await.0, 202);
        }
        let accrue = |order: u64| {
            let (engine, key) = (engine(&shop), OrderKey::new(format!("{SHOPIFY}#{order}")).unwrap());
            tokio::spawn(async move {
                let state = engine.store().order(&key).await.unwrap().unwrap();
                engine.batch().accrue(&state, true, Budget::until(0)).await
            })
        };
        let id = |customer: u64| domain::CustomerId::new(customer.to_string()).unwrap();
        let merge = domain::CustomerMerge { kept: id(kept), deleted: id(deleted) };
        let (engine, of) = (engine(&shop), source.clone());
        let merging =
            tokio::spawn(async move { engine.merge_customers(&of, &merge, Budget::until(0)).await });
        let all = tokio::join!(accrue(kept), merging, accrue(deleted));
        all.0.unwrap().unwrap();
        all.1.unwrap().unwrap();
        all.2.unwrap().unwrap();
        shop.drain().await;
        let account = shop.get(&format!("/members?source={SHOPIFY}&customer={kept}")).await.1;
        let other = shop.get(&format!("/members?source={SHOPIFY}&customer={deleted}")).await.1;
        assert_eq!((&account["balance"], &account["member"]), (&json!(400), &other["member"]));
    }
}

#[tokio::test]
async fn two_first_orders_of_one_customer_at_one_moment_are_one_members() {
    let rules =
        programme(&[("currency = \"EUR\"", "currency = \"EUR\"\nidentity = { across_sources = true }")]);
    let shop = Shop::with(OPENING, rules).await;
    for customer in 0..20 {
        let address = format!("known-{customer}@example.com");
        assert_eq!(enrol(&shop, json!({"email": address})).await.0, 201);
        // One of them tells the address by which a member is known, the other one does not.
        let known = json!({"id": format!("c-{customer}"), "email": address, "email_verified": true});
        let unknown = json!({"id": format!("c-{customer}")});
        let mut accruals = Vec::new();
        for (number, who) in [known, unknown].into_iter().enumerate() {
            let id = format!("{customer}-{number}");
            let mut order = shop.order(&id, "", 1_000);
            order["order"]["customer"] = who;
            shop.deliver(&order).await;
            let (engine, key) = (engine(&shop), OrderKey::new(format!("{GENERIC}#{id}")).unwrap());
            let state = engine.store().order(&key).await.unwrap().unwrap();
            accruals.push(tokio::spawn(async move {
                engine.batch().accrue(&state, true, Budget::until(0)).await
            }));
        }
        for accrual in accruals {
            accrual.await.unwrap().unwrap();
        }
        shop.drain().await;
        let member = shop.member(&format!("c-{customer}")).await;
        assert_eq!(member["balance"], 200, "{member}");
        assert_eq!(member["lifetime_points"], 200, "nothing was posted to anybody else");
    }
    let lifetime: i64 = items(&shop, "Members")
        .iter()
        .filter(|item| item["item"]["S"] == "profile")
        .map(|item| item["lifetime_points"]["N"].as_str().unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(lifetime, 20 * 200, "each order was posted once");
}

#[tokio::test]
async fn a_member_whom_another_source_knows_by_a_verified_address_gets_what_waited_there() {
    let rules = programme(&[
        (r#"enrolment = "automatic""#, r#"enrolment = "explicit""#),
        ("currency = \"EUR\"", "currency = \"EUR\"\nidentity = { across_sources = true }"),
    ]);
    let shop = Shop::with(OPENING, rules).await;
    orders_at_shopify(&shop, 1, 8).await;
    enrol(&shop, email("a")).await;
    assert_eq!((account(&shop, "a").await["balance"].clone(), waiting(&shop)), (json!(0), 1));
    orders_as(&shop, 2, json!({"id": 8, "email": "a@example.com", "verified_email": true})).await;
    assert_eq!((account(&shop, "a").await["balance"].clone(), waiting(&shop)), (json!(400), 0));
    let found = shop.get(&format!("/members?source={SHOPIFY}&customer=8")).await.1;
    assert_eq!(found["balance"], 400, "from now on found under that name too");
}

#[tokio::test]
async fn a_new_name_of_a_member_brings_what_waits_under_it() {
    let shop = shop().await;
    shop.process(&of_guest(shop.order("1", "", 1_000), "a")).await;
    orders_at_shopify(&shop, 2, 8).await;
    assert_eq!(enrol(&shop, json!({"source": SHOPIFY, "customer": "7"})).await.0, 201);
    // When the address is told, and the platform makes the two customers one.
    let more = json!({"source": SHOPIFY, "customer": "7", "email": "a@example.com"});
    assert_eq!(enrol(&shop, more).await.0, 200);
    assert_eq!(account(&shop, "a").await["balance"], 100);
    merge_at_shopify(&shop, 7, 8).await;
    assert_eq!(account(&shop, "a").await["balance"], 300);
}

#[tokio::test]
async fn an_enrolment_that_was_cut_off_is_finished_by_the_next_one_or_by_the_sweep() {
    let shop = shop().await;
    for id in ["1", "2"] {
        shop.process(&of_guest(shop.order(id, "", 1_000), "a")).await;
    }
    let keys = vec![DirectoryKey::Email("a@example.com".to_owned())];
    let who = store::Enrolment { keys, contact: domain::Contact::default() };
    // No time is left once the member is there.
    engine(&shop).enrol(&who, at(OPENING), Budget::until(1)).await.unwrap_err();
    shop.drain().await;
    assert_eq!((members(&shop), account(&shop, "a").await["balance"].clone()), (1, json!(0)));

    let report = sweep(&shop).await;
    assert_eq!((&report["repaired"], &report["failed"]), (&json!(2), &json!(0)));
    assert_eq!(account(&shop, "a").await["balance"], 200);
    assert_eq!(enrol(&shop, email("a")).await.0, 200);
    assert_eq!((account(&shop, "a").await["balance"].clone(), waiting(&shop)), (json!(200), 0));
}

#[tokio::test]
async fn what_waited_is_claimed_too_when_the_programme_asks_for_no_enrolment_any_more() {
    let shop = shop().await;
    shop.process(&shop.order("1", "c-7", 1_000)).await;
    shop.process(&shop.order("2", "c-7", 2_000)).await;
    let rules = programme(&[]);
    shop.stack.store().publish(&rules, at("2026-03-02T10:30:00Z")).await.unwrap();
    shop.advance_to("2026-03-02T12:00:00Z").await;
    // A cache holds the versions for a minute of real time; a function that starts now has none.
    let order = shop.order("3", "c-7", 3_000);
    shop.deliver(&order).await;
    let key = OrderKey::new(format!("{GENERIC}#3")).unwrap();
    let state = shop.stack.store().order(&key).await.unwrap().unwrap();
    engine(&shop).batch().accrue(&state, true, Budget::until(0)).await.unwrap();
    shop.drain().await;
    assert_eq!(shop.member("c-7").await["balance"], 600);
}

#[tokio::test]
async fn whoever_enrols_where_nobody_has_to_is_a_member_before_the_first_order() {
    let shop = Shop::open(OPENING).await;
    shop.process(&of_guest(shop.order("1", "", 1_000), "c-7")).await;
    assert_eq!((members(&shop), waiting(&shop)), (0, 0), "nothing waits there");
    let body = json!({"source": GENERIC, "customer": "c-7", "email": "c-7@example.com"});
    let (status, account) = enrol(&shop, body).await;
    assert_eq!(status, 201);
    shop.process(&shop.order("2", "c-7", 2_000)).await;
    let member = shop.member("c-7").await;
    assert_eq!((&member["member"], &member["balance"]), (&account["member"], &json!(200)));
    let source = SourceName::new(GENERIC).unwrap();
    let key = DirectoryKey::Customer(source, domain::CustomerId::new("c-7").unwrap());
    assert!(shop.stack.store().find_member(&key, Consistency::Strong).await.unwrap().is_some());
}
