//! Requests against a real store, with a member who ordered.

mod enrolling;
mod ratings;
mod support;

use std::collections::BTreeMap;

use domain::{
    Contact, Currency, Customer, Goods, Order, OrderKey, Payment, Programme, Snapshot, Timestamp, time,
};
use lambda_http::http::Request as HttpRequest;
use runtime::{Budget, Clock, Random};
use serde_json::{Value, json};

use self::support::{Endpoint, FakeSns, empty_store};
use super::*;

const PROGRAMME: &str = r#"
name = "Stars"
currency = "EUR"
time_zone = "Europe/Paris"
[earning]
points_per_unit = "10"
[expiry]
after_inactivity = "12 months"
[[rewards]]
id = "ten-percent"
points = 5000
automatic = true
coupon = { percent = "10", minimum_order = "100.00", valid_for = "3 months" }
[tiers]
window = "3 months"
status_points = { per_order = 10 }
minimum_rating = "4.7"
[[tiers.levels]]
id = "silver"
threshold = 10
perks = [{ id = "gifts", title = "Gifts" }]
[[tiers.levels]]
id = "gold"
threshold = 200
"#;

const ORDERED_AT: &str = "2026-03-01T10:00:00Z";
const APNS: &str = "arn:aws:sns:eu-west-1:123456789012:endpoint/APNS/shop";
const TOKEN: &str = "00fc13adff785122";

struct Bench {
    api: MemberApi,
    store: Store,
    sns: FakeSns,
    member: MemberId,
}

fn at(text: &str) -> Timestamp {
    time::instant(text).unwrap()
}

fn api(store: &Store, sns: &FakeSns, now: &str) -> MemberApi {
    let engine = Engine::new(store.clone(), Clock::fixed(at(now)), Random::system());
    let applications = PlatformApplications { apns: Some(APNS.to_owned()), fcm: None };
    MemberApi::new(engine, sns.client(), applications)
}

impl Bench {
    /// Customer `a#7` of the shop, who bought goods for 600.00.
    async fn new() -> Self {
        let (store, sns) = (empty_store().await, FakeSns::default());
        store.publish(&Programme::from_toml(PROGRAMME).unwrap(), at(ORDERED_AT)).await.unwrap();
        let api = api(&store, &sns, ORDERED_AT);
        let order = order();
        store.record_order(&order).await.unwrap();
        let state = store.order(&order.key).await.unwrap().unwrap();
        let member = api.engine.batch().reconcile(&state, true, Budget::until(0)).await.unwrap().unwrap();
        Self { api, store, sns, member }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        ask(&self.api, "GET", path, "").await
    }

    async fn put_device(&self, device: &str, body: Value) -> (u16, Value) {
        ask(&self.api, "PUT", &format!("/members/{}/devices/{device}", self.member), &body.to_string()).await
    }

    async fn another_member(&self) -> String {
        let body = json!({"source": "shop", "customer": "8"}).to_string();
        ask(&self.api, "POST", "/members", &body).await.1["member"].as_str().unwrap().to_owned()
    }

    async fn endpoints_of_member(&self) -> Vec<String> {
        self.store.devices(&self.member).await.unwrap().into_iter().map(|device| device.endpoint).collect()
    }
}

fn order() -> Order {
    let source = SourceName::new("shop").unwrap();
    let placed_at = at(ORDERED_AT);
    Order {
        key: OrderKey::of_order(&source, "1").unwrap(),
        placed_at,
        customer: Some(Customer {
            source,
            id: Some(CustomerId::new("a#7").unwrap()),
            card: None,
            contact: Contact::default(),
        }),
        snapshot: Snapshot {
            updated_at: placed_at,
            currency: Currency::new("EUR").unwrap(),
            goods: Goods::untaxed(60_000),
            payment: Payment::Paid,
            cancelled: false,
            test: false,
            coupons: Default::default(),
        },
        refunds: BTreeMap::new(),
    }
}

async fn ask(api: &MemberApi, method: &str, path: &str, body: &str) -> (u16, Value) {
    let body = Body::from(body);
    let request = HttpRequest::builder().method(method).uri(path).body(body).unwrap();
    read(api.handle(request).await.unwrap())
}

fn read(response: Response<Body>) -> (u16, Value) {
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

#[tokio::test]
async fn a_member_sees_the_account_of_this_moment() {
    let bench = Bench::new().await;
    let (status, account) = bench.get(&format!("/members/{}", bench.member)).await;
    assert_eq!(status, 200);
    let code = account["coupons"][0]["code"].clone();
    assert_eq!(
        account,
        json!({
            "member": bench.member, "balance": 1000, "lifetime_points": 6000, "status_points": 10,
            "tier": "silver", "perks": [{"id": "gifts", "title": "Gifts"}],
            "expires_at": "2027-03-01T10:00:00Z",
            "coupons": [{"code": code, "reward": "ten-percent", "state": "issued", "expires_at": "2026-06-01T09:00:00Z"}],
            "next_tier": {"id": "gold", "threshold": 200, "missing": 190},
            "next_reward": {"id": "ten-percent", "points": 5000, "missing": 4000},
            "rating": {"average": null, "count": 0, "minimum": "4.7"},
        })
    );
}

#[tokio::test]
async fn an_account_is_right_between_two_reviews() {
    let bench = Bench::new().await;
    let path = format!("/members/{}", bench.member);
    let later = api(&bench.store, &bench.sns, "2027-03-01T10:00:00Z");
    let (_, account) = ask(&later, "GET", &path, "").await;
    assert_eq!(account["balance"], 0);
    assert_eq!(account["expires_at"], Value::Null);
    assert_eq!(account["status_points"], 0);
    assert_eq!(account["tier"], Value::Null);
    assert_eq!(account["coupons"][0]["state"], "expired");
    assert_eq!(bench.get(&path).await.1["balance"], 1000, "and looking changed nothing");
}

#[tokio::test]
async fn a_checkout_finds_a_member_by_the_shops_customer() {
    let bench = Bench::new().await;
    let (status, account) = bench.get("/members?source=shop&customer=a%237").await;
    assert_eq!((status, &account["member"]), (200, &json!(bench.member)));
    assert_eq!(bench.get("/members?source=shop&customer=8").await.0, 404);
    assert_eq!(bench.get("/members?source=other&customer=a%237").await.0, 404);
    for query in ["", "?source=shop", "?customer=7", "?source=my%20shop&customer=7", "?source=shop&customer="]
    {
        assert_eq!(bench.get(&format!("/members{query}")).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn the_journal_is_read_page_by_page_newest_first() {
    let bench = Bench::new().await;
    let path = format!("/members/{}/journal", bench.member);
    let (_, whole) = bench.get(&path).await;
    let entries = whole["entries"].as_array().unwrap();
    assert!(entries.len() >= 3 && whole["cursor"].is_null());
    assert!(entries.iter().any(|entry| entry["kind"] == "order" && entry["cause"] == "order/shop#1"));
    assert!(entries.iter().any(|entry| entry["kind"] == "coupon_issued" && entry["points"] == -5000));

    let mut read = Vec::new();
    let mut cursor = String::new();
    loop {
        let (status, page) = bench.get(&format!("{path}?limit=1{cursor}")).await;
        assert_eq!(status, 200);
        read.extend(page["entries"].as_array().unwrap().clone());
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&read, entries);
    for query in ["limit=0", "limit=101", "cursor=%25", "cursor=cHJvZmlsZQ"] {
        assert_eq!(bench.get(&format!("{path}?{query}")).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn nobody_is_found_under_a_name_that_no_member_has() {
    let bench = Bench::new().await;
    for path in ["/members/NOBODY", "/members/NOBODY/journal"] {
        let (status, problem) = bench.get(path).await;
        assert_eq!((status, &problem["title"]), (404, &json!("Not found")), "{path}");
    }
    let body = json!({"platform": "apns", "token": TOKEN}).to_string();
    assert_eq!(ask(&bench.api, "PUT", "/members/NOBODY/devices/phone", &body).await.0, 404);
    assert!(bench.sns.endpoints.lock().unwrap().is_empty(), "nothing was made at SNS");
}

#[tokio::test]
async fn another_method_is_refused_with_those_that_are_allowed() {
    let bench = Bench::new().await;
    for (method, path, allowed) in [
        ("POST", "/members/M1", "GET"),
        ("GET", "/members/M1/devices/phone", "PUT, DELETE"),
        ("DELETE", "/members", "GET, POST"),
    ] {
        let request = HttpRequest::builder().method(method).uri(path).body(Body::Empty).unwrap();
        let response = bench.api.handle(request).await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], allowed);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn a_device_is_added_once_and_then_replaced() {
    let bench = Bench::new().await;
    let body = json!({"platform": "apns", "token": TOKEN});
    let document = json!({"device": "phone", "platform": "apns"});
    assert_eq!(bench.put_device("phone", body.clone()).await, (201, document.clone()));
    assert_eq!(bench.put_device("phone", body).await, (200, document));
    assert_eq!(bench.endpoints_of_member().await, [format!("{APNS}/0")]);
    let endpoint = Endpoint { token: TOKEN.to_owned(), enabled: true, has_other_attributes: false };
    assert_eq!(bench.sns.endpoints.lock().unwrap()[&format!("{APNS}/0")], endpoint);
}

#[tokio::test]
async fn an_endpoint_that_was_switched_off_is_switched_on_again() {
    for has_other_attributes in [false, true] {
        let bench = Bench::new().await;
        let arn = format!("{APNS}/old");
        let endpoint = Endpoint { token: TOKEN.to_owned(), enabled: false, has_other_attributes };
        bench.sns.endpoints.lock().unwrap().insert(arn.clone(), endpoint);
        assert_eq!(bench.put_device("phone", json!({"platform": "apns", "token": TOKEN})).await.0, 201);
        assert!(bench.sns.endpoints.lock().unwrap()[&arn].enabled);
        assert_eq!(bench.endpoints_of_member().await, [arn]);
    }
}

#[tokio::test]
async fn a_device_that_cannot_be_added_says_why() {
    let bench = Bench::new().await;
    let put = async |platform: &str, token: &str| {
        bench.put_device("phone", json!({"platform": platform, "token": token})).await
    };
    let (status, problem) = put("fcm", TOKEN).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("LAUREL_FCM_APPLICATION"));
    assert_eq!(put("apns", "bad").await.0, 400);
    assert_eq!(put("apns", "outage").await.0, 503);
    assert_eq!(put("windows", TOKEN).await.0, 400);
    assert_eq!(bench.endpoints_of_member().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_member_has_only_so_many_devices() {
    let bench = Bench::new().await;
    for number in 0..MAX_DEVICES_PER_MEMBER {
        let body = json!({"platform": "apns", "token": format!("{number:x}")});
        assert_eq!(bench.put_device(&format!("device-{number}"), body).await.0, 201);
    }
    let body = json!({"platform": "apns", "token": "ff"});
    assert_eq!(bench.put_device("one-more", body.clone()).await.0, 409);
    assert_eq!(bench.put_device("device-0", body).await.0, 200, "but may replace one");
}

#[tokio::test]
async fn a_token_that_another_member_has_is_moved_to_whoever_tells_it() {
    let bench = Bench::new().await;
    let other = bench.another_member().await;
    let body = json!({"platform": "apns", "token": TOKEN});
    assert_eq!(bench.put_device("phone", body.clone()).await.0, 201);
    // When somebody else logs in on that phone.
    let (status, _) =
        ask(&bench.api, "PUT", &format!("/members/{other}/devices/same"), &body.to_string()).await;
    assert_eq!(status, 201);
    // Then it is theirs alone, with its endpoint.
    assert_eq!(bench.endpoints_of_member().await, Vec::<String>::new());
    let devices = bench.store.devices(&MemberId::new(other.as_str()).unwrap()).await.unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(bench.sns.endpoints.lock().unwrap().len(), 1);
    // And of one member under two names only the newer one is left.
    let (status, _) =
        ask(&bench.api, "PUT", &format!("/members/{other}/devices/anew"), &body.to_string()).await;
    assert_eq!(status, 201);
    let ids: Vec<_> = bench
        .store
        .devices(&MemberId::new(other.as_str()).unwrap())
        .await
        .unwrap()
        .into_iter()
        .map(|device| device.id.to_string())
        .collect();
    assert_eq!(ids, ["anew"]);
}

#[tokio::test]
async fn a_device_with_a_new_token_leaves_nothing_of_the_old_one() {
    let bench = Bench::new().await;
    for token in [TOKEN, "11aa22bb"] {
        assert!(bench.put_device("phone", json!({"platform": "apns", "token": token})).await.0 < 300);
    }
    let endpoints = bench.sns.endpoints.lock().unwrap();
    let tokens: Vec<_> = endpoints.values().map(|endpoint| endpoint.token.as_str()).collect();
    assert_eq!(tokens, ["11aa22bb"]);
}

#[tokio::test]
async fn a_device_is_removed_with_its_endpoint_as_often_as_one_likes() {
    let bench = Bench::new().await;
    let path = format!("/members/{}/devices/phone", bench.member);
    bench.put_device("phone", json!({"platform": "apns", "token": TOKEN})).await;
    bench.put_device("tablet", json!({"platform": "apns", "token": "11aa22bb"})).await;
    for _ in 0..2 {
        let request = HttpRequest::builder().method("DELETE").uri(&path).body(Body::Empty).unwrap();
        let response = bench.api.handle(request).await.unwrap();
        assert_eq!((response.status(), response.body().is_empty()), (StatusCode::NO_CONTENT, true));
    }
    assert_eq!(bench.endpoints_of_member().await.len(), 1, "the other one stays");
    assert_eq!(bench.sns.endpoints.lock().unwrap().len(), 1);
    // And whoever gets the phone afterwards is told there.
    assert_eq!(bench.put_device("phone", json!({"platform": "apns", "token": TOKEN})).await.0, 201);
}

#[tokio::test]
async fn every_sample_event_is_understood() {
    let bench = Bench::new().await;
    let (unknown_member, unknown_customer) =
        ("There is no such member.", "No member of this source has this customer identifier.");
    for (sample, detail) in [
        (include_str!("../../../events/member-api/get-member.json"), unknown_member),
        (include_str!("../../../events/member-api/find-member.json"), unknown_customer),
        (include_str!("../../../events/member-api/journal.json"), unknown_member),
        (include_str!("../../../events/member-api/put-device.json"), unknown_member),
        (include_str!("../../../events/member-api/delete-device.json"), unknown_member),
        (include_str!("../../../events/member-api/put-rating.json"), unknown_member),
        (include_str!("../../../events/member-api/merge.json"), unknown_member),
    ] {
        let request = lambda_http::request::from_str(sample).unwrap();
        let (status, problem) = read(bench.api.handle(request).await.unwrap());
        assert_eq!((status, &problem["detail"]), (404, &json!(detail)));
    }
    let enrol = include_str!("../../../events/member-api/enrol.json");
    let (status, account) =
        read(bench.api.handle(lambda_http::request::from_str(enrol).unwrap()).await.unwrap());
    assert_eq!((status, &account["balance"]), (201, &json!(0)));
}

#[tokio::test]
async fn while_the_store_is_away_the_caller_is_asked_to_come_again() {
    let bench = Bench::new().await;
    let away = api(&support::store_without_tables().await, &bench.sns, ORDERED_AT);
    for path in ["/members/M1", "/members/M1/journal", "/members?source=shop&customer=7"] {
        let request = HttpRequest::builder().uri(path).body(Body::Empty).unwrap();
        let response = away.handle(request).await.unwrap();
        assert_eq!(response.status(), 503, "{path}");
        assert!(response.headers().contains_key("retry-after"));
    }
}
