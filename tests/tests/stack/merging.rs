//! Members who turn out to be one, by the platform's word and by hand, through the whole stack.

mod lives;
mod races;

use domain::decide::Parting;
use domain::{Command, Known, MemberId, Outcome};
use lambda_http::http::{HeaderMap, Method};
use runtime::{Budget, Clock, Engine, Random, Unmerged};
use serde_json::{Value, json};
use store::Consistency;
use tests::{SHOPIFY, Shop};

fn order(id: u64, customer: u64, total: &str) -> Value {
    json!({
        "id": id, "created_at": "2026-03-02T10:00:00+01:00", "updated_at": "2026-03-02T10:00:00+01:00",
        "currency": "EUR", "financial_status": "paid", "taxes_included": true,
        "current_subtotal_price": total, "subtotal_price": total, "total_price": total,
        "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": total}],
        "customer": {"id": customer, "email": format!("c-{customer}@example.com")},
    })
}

/// An engine of another invocation, at the shop's present moment.
fn engine(shop: &Shop) -> Engine {
    let clock = Clock::fixed(shop.stack.clock().now());
    Engine::new(shop.stack.store().clone(), clock, Random::system())
}

async fn tell(shop: &Shop, topic: &str, body: &Value) {
    let (status, answer) = shop.send(SHOPIFY, &[("x-shopify-topic", topic)], body).await;
    assert_eq!(status, 202, "{answer}");
    shop.drain().await;
}

async fn merge(shop: &Shop, kept: u64, deleted: u64) {
    let id = |customer| format!("gid://shopify/Customer/{customer}");
    let body = json!({
        "admin_graphql_api_customer_kept_id": id(kept), "admin_graphql_api_customer_deleted_id": id(deleted),
        "admin_graphql_api_job_id": null, "status": "completed", "errors": [],
    });
    tell(shop, "customers/merge", &body).await;
}

async fn customer(shop: &Shop, id: u64) -> Value {
    shop.get(&format!("/members?source={SHOPIFY}&customer={id}")).await.1
}

#[tokio::test]
async fn two_customers_whom_the_shop_makes_one_are_one_member_with_everything() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    tell(&shop, "orders/paid", &order(1, 7, "120.00")).await;
    tell(&shop, "orders/paid", &order(2, 8, "520.00")).await;
    merge(&shop, 7, 8).await;
    let (kept, deleted) = (customer(&shop, 7).await, customer(&shop, 8).await);
    assert_eq!(kept, deleted, "found under both names");
    assert_eq!((&kept["balance"], &kept["lifetime_points"]), (&json!(1_400), &json!(6_400)));
    assert_eq!((&kept["status_points"], kept["coupons"].as_array().unwrap().len()), (&json!(20), 1));

    // What comes later for the one who is gone is for the one who stays.
    tell(&shop, "orders/paid", &order(3, 8, "10.00")).await;
    let mut cancelled = order(2, 8, "520.00");
    cancelled["cancelled_at"] = json!("2026-03-02T11:00:00+01:00");
    cancelled["updated_at"] = cancelled["cancelled_at"].clone();
    tell(&shop, "orders/cancelled", &cancelled).await;
    let kept = customer(&shop, 7).await;
    assert_eq!((&kept["balance"], &kept["coupons"][0]["state"]), (&json!(1_300), &json!("voided")));

    merge(&shop, 7, 8).await;
    assert_eq!(customer(&shop, 8).await, kept, "merged once");
}

#[tokio::test]
async fn a_customer_whom_nobody_knows_yet_becomes_another_name() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    tell(&shop, "orders/paid", &order(2, 8, "10.00")).await;
    merge(&shop, 7, 8).await;
    tell(&shop, "orders/paid", &order(1, 7, "10.00")).await;
    assert_eq!(customer(&shop, 7).await["balance"], 200);
    assert_eq!(customer(&shop, 8).await["balance"], 200);
}

#[tokio::test]
async fn the_back_office_merges_by_hand() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    shop.process(&shop.order("2", "c-2", 2_000)).await;
    let id = async |customer: &str| shop.member(customer).await["member"].as_str().unwrap().to_owned();
    let (into, from) = (id("c-1").await, id("c-2").await);
    let merge = async |from: &str| {
        let body = json!({"from": from}).to_string();
        let uri = format!("/members/{into}/merge");
        shop.request(Method::POST, &uri, &HeaderMap::new(), body.as_bytes()).await
    };
    let (status, account) = merge(&from).await;
    assert_eq!((status, &account["balance"]), (200, &json!(300)));
    assert_eq!(merge(&from).await.1, account);
    assert_eq!(merge(&into).await.0, 200, "oneself");
    assert_eq!(merge("NOBODY").await.0, 409);
    assert_eq!(shop.member("c-2").await["member"], json!(into));
}

#[tokio::test]
async fn a_merge_that_was_cut_off_is_finished_by_the_next_review() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("kept", "c-1", 1_000)).await;
    // More than one step carries over.
    for number in 0..60 {
        shop.deliver(&shop.order(&number.to_string(), "c-2", 100)).await;
    }
    shop.drain().await;
    let id = async |customer: &str| {
        MemberId::new(shop.member(customer).await["member"].as_str().unwrap()).unwrap()
    };
    let (into, from) = (id("c-1").await, id("c-2").await);
    let clock = Clock::fixed(shop.stack.clock().now());
    let engine = Engine::new(shop.stack.store().clone(), clock, Random::system());
    // No time is left after the first step, nor after the second.
    engine.merge(&from, &into, Budget::until(1)).await.unwrap_err();
    engine.merge(&from, &into, Budget::until(1)).await.unwrap_err();
    let profile = shop.stack.store().profile(&into, Consistency::Strong).await.unwrap().unwrap();
    assert!(profile.bookkeeping.merged_up_to.is_some());

    shop.advance_to("2026-03-02T12:00:00Z").await;
    let account = shop.member("c-2").await;
    assert_eq!((&account["member"], &account["balance"]), (&json!(into), &json!(700)));
    assert_eq!(account["status_points"], 610);
}

async fn post(shop: &Shop, member: &MemberId, what: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let uri = format!("/members/{member}/{what}");
    let answer = shop.request(Method::POST, &uri, &HeaderMap::new(), body.as_bytes()).await;
    shop.drain().await;
    answer
}

async fn id_of(shop: &Shop, customer: &str) -> MemberId {
    MemberId::new(shop.member(customer).await["member"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_merge_is_taken_back_with_what_came_since_and_can_be_made_again() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    shop.process(&shop.order("2", "c-2", 52_000)).await;
    let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
    let (ours, theirs) = (shop.member("c-1").await, shop.member("c-2").await);
    assert_eq!(post(&shop, &into, "merge", &json!({"from": from})).await.1["balance"], 300);

    shop.advance_to("2026-03-10T10:00:00Z").await;
    shop.process(&shop.order("3", "c-2", 2_000)).await;
    shop.process(&shop.refund("r-1", "2", 1_000)).await;
    assert_eq!(shop.member("c-1").await["balance"], 400);
    let (status, opened) = post(&shop, &from, "unmerge", &Value::Null).await;
    assert_eq!((status, &opened["member"], &opened["balance"]), (200, &json!(from), &json!(300)));
    assert_eq!(opened["coupons"], theirs["coupons"]);
    assert_eq!(shop.member("c-2").await, opened);
    let left = shop.member("c-1").await;
    for field in ["balance", "lifetime_points", "status_points", "coupons", "expires_at"] {
        assert_eq!(left[field], ours[field], "{field}");
    }
    let (status, problem) = post(&shop, &from, "unmerge", &Value::Null).await;
    assert_eq!((status, &problem["detail"]), (409, &json!("This member is not part of another one.")));

    shop.process(&shop.refund("r-2", "3", 2_000)).await;
    assert_eq!(shop.member("c-2").await["balance"], 100);
    assert_eq!(shop.member("c-1").await["balance"], 100);
    assert_eq!(post(&shop, &into, "merge", &json!({"from": from})).await.1["balance"], 200);
}

#[tokio::test]
async fn what_was_merged_long_ago_or_merged_on_is_not_taken_back() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    for customer in ["c-1", "c-2", "c-3"] {
        shop.process(&shop.order(customer, customer, 1_000)).await;
    }
    let ids = [id_of(&shop, "c-1").await, id_of(&shop, "c-2").await, id_of(&shop, "c-3").await];
    post(&shop, &ids[1], "merge", &json!({"from": ids[2]})).await;
    post(&shop, &ids[0], "merge", &json!({"from": ids[1]})).await;
    let (status, problem) = post(&shop, &ids[2], "unmerge", &Value::Null).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().ends_with("take that back first."), "{problem}");

    assert_eq!(post(&shop, &ids[1], "unmerge", &Value::Null).await.1["balance"], 200);
    shop.advance_to("2026-04-01T10:00:01Z").await;
    let (status, problem) = post(&shop, &ids[2], "unmerge", &Value::Null).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().ends_with("for 30 days."), "{problem}");
    assert_eq!(post(&shop, &MemberId::new("NOBODY").unwrap(), "unmerge", &Value::Null).await.0, 404);
}

#[tokio::test]
async fn taking_back_that_was_cut_off_is_finished_by_the_next_review() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("kept", "c-1", 1_000)).await;
    for number in 0..60 {
        shop.deliver(&shop.order(&number.to_string(), "c-2", 100)).await;
    }
    shop.drain().await;
    let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
    post(&shop, &into, "merge", &json!({"from": from})).await;
    shop.process(&shop.order("since", "c-2", 700)).await;
    let clock = Clock::fixed(shop.stack.clock().now());
    let engine = Engine::new(shop.stack.store().clone(), clock, Random::system());
    engine.unmerge(&from, Budget::until(1)).await.unwrap_err();
    let profile = shop.stack.store().profile(&into, Consistency::Strong).await.unwrap().unwrap();
    assert_eq!(profile.bookkeeping.releasing.as_ref(), Some(&from));

    shop.advance_to("2026-03-02T12:00:00Z").await;
    let (one, other) = (shop.member("c-1").await, shop.member("c-2").await);
    assert_eq!((&one["balance"], &one["status_points"]), (&json!(100), &json!(10)));
    assert_eq!((&other["balance"], &other["status_points"]), (&json!(670), &json!(610)));
}

/// What is due comes first, and is more than one commit: until then neither account is touched.
#[tokio::test]
async fn two_are_merged_and_parted_though_more_is_due_than_one_commit_holds_and_no_point_is_minted() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("1", "c-1", 1_500_000)).await;
    shop.process(&shop.order("2", "c-2", 3_000)).await;
    let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
    shop.advance_to("2026-05-20T10:00:00Z").await;
    assert_eq!(post(&shop, &into, "merge", &json!({"from": from})).await.0, 200);
    // Given thirty coupons that ended three days ago, which no review has looked at.
    let clock = Clock::fixed(tests::at("2026-06-05T10:00:00Z"));
    let engine = Engine::new(shop.stack.store().clone(), clock, Random::system());
    // When the two are parted, then each has what is theirs.
    assert_eq!(engine.unmerge(&from, Budget::until(0)).await.unwrap(), Unmerged::Done);
    let balance = async |member: &MemberId| {
        shop.stack.store().profile(member, Consistency::Strong).await.unwrap().unwrap().account.balance.0
    };
    assert_eq!((balance(&into).await, balance(&from).await), (0, 300));
}

#[tokio::test]
async fn a_coupon_that_two_bought_together_can_be_used() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("1", "c-1", 30_000)).await;
    shop.process(&shop.order("2", "c-2", 30_000)).await;
    let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
    let account = post(&shop, &into, "merge", &json!({"from": from})).await.1;
    let mut order = shop.order("3", "c-1", 10_000);
    order["order"]["coupons"] = json!([account["coupons"][0]["code"]]);
    shop.process(&order).await;
    assert_eq!(shop.member("c-1").await["coupons"][0]["state"], "redeemed");
}

#[tokio::test]
async fn an_order_decided_by_way_of_a_merge_that_is_taken_back_meanwhile_is_decided_again() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    shop.process(&shop.order("2", "c-2", 2_000)).await;
    let (into, from) = (id_of(&shop, "c-1").await, id_of(&shop, "c-2").await);
    post(&shop, &into, "merge", &json!({"from": from})).await;
    let clock = Clock::fixed(shop.stack.clock().now());
    let engine = Engine::new(shop.stack.store().clone(), clock, Random::system());
    let mut batch = engine.batch();
    let state = async |id: &str| {
        let key = domain::OrderKey::new(format!("{}#{id}", tests::GENERIC)).unwrap();
        shop.stack.store().order(&key).await.unwrap().unwrap()
    };
    // The batch remembers by whose way it found the member.
    let found = batch.reconcile(&state("2").await, false, Budget::until(0)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&into));
    // When the account is opened again, and the other one has not been touched yet,
    reopen(&shop, &from, &into).await;
    shop.deliver(&shop.order("3", "c-2", 3_000)).await;
    // then the next order of the same customer is not posted where the last one was.
    let found = batch.reconcile(&state("3").await, true, Budget::until(0)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&from));
    shop.drain().await;
    assert_eq!(shop.member("c-2").await["balance"], 500);
}

/// The first commit of taking a merge back, which opens the account again.
async fn reopen(shop: &Shop, member: &MemberId, from: &MemberId) {
    let store = shop.stack.store();
    let programmes = store.programmes().await.unwrap().unwrap();
    let closing = store.closing(member, from).await.unwrap().unwrap();
    let decided = async |member: &MemberId, step: Parting<'_>| {
        let journal =
            store.journal_since(member, domain::Timestamp::UNIX_EPOCH, Consistency::Strong).await.unwrap();
        let journal = Some((domain::Timestamp::UNIX_EPOCH, journal));
        let known = Known { journal, ..Known::default() };
        let profile = store.profile(member, Consistency::Strong).await.unwrap().unwrap();
        let mut entropy = Random::system().entropy().unwrap();
        let (command, now) = (Command::Part(step), shop.stack.clock().now());
        match domain::decide(&programmes, &profile, &known, command, now, &mut entropy).unwrap() {
            Outcome::Decided(decision) => decision,
            needs @ Outcome::Needs(_) => panic!("{needs:?}"),
        }
    };
    let reopened = decided(member, Parting::Reopen { closing: &closing }).await;
    let released = decided(from, Parting::Release { to: member }).await;
    store.commit_both(&reopened, &released).await.unwrap();
}
