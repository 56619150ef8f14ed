//! Batches of the stream against a real store and an SNS that writes down what it is sent.

mod support;

use aws_lambda_events::event::dynamodb::Event as StreamEvent;
use domain::order::Contact;
use domain::{
    CouponCode, CouponState, Decision, DeviceId, EntryId, Points, Profile, Programme, Programmes, RewardId,
    Timestamp, time,
};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use store::{Commit, Device, DevicePlatform, Enrolment};

use self::support::{FakeSns, Published, empty_store};
use super::*;

const MEMBER: &str = "7K3QW9XZ4HBN2PRT6VYC";
const NOTIFICATIONS: &str = "arn:aws:sns:eu-west-1:123456789012:notifications";
const EVENTS: &str = "arn:aws:sns:eu-west-1:123456789012:events";
const PHONE: &str = "arn:aws:sns:eu-west-1:123456789012:endpoint/APNS/shop/phone";
const TABLET: &str = "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/shop/tablet";

const PROGRAMME: &str = r#"
name = "Stars"
currency = "EUR"
time_zone = "Europe/Paris"
[earning]
points_per_unit = "10"
[[rewards]]
id = "ten-percent"
points = 5000
automatic = true
coupon = { percent = "10", minimum_order = "100.00", valid_for = "3 months" }
[tiers]
window = "3 months"
status_points = { per_order = 10 }
[[tiers.levels]]
id = "gold"
threshold = 200
"#;

const COUPON_ISSUED: &str = include_str!("../../../events/notifications/coupon-issued.json");
const TIER_REACHED: &str = include_str!("../../../events/notifications/tier-reached.json");
const POINTS_EXPIRING: &str = include_str!("../../../events/notifications/points-expiring.json");
const COUPON_VOIDED: &str = include_str!("../../../events/notifications/coupon-voided.json");
const COUPON_REDEEMED: &str = include_str!("../../../events/notifications/coupon-redeemed.json");
const COUPON_RETURNED: &str = include_str!("../../../events/notifications/coupon-returned.json");
const COUPON_EXPIRED: &str = include_str!("../../../events/notifications/coupon-expired.json");
const POINTS_EXPIRED: &str = include_str!("../../../events/notifications/points-expired.json");

struct Bench {
    function: Notifications,
    store: Store,
    sns: FakeSns,
}

fn at(text: &str) -> Timestamp {
    time::instant(text).unwrap()
}

fn member() -> MemberId {
    MemberId::new(MEMBER).unwrap()
}

impl Bench {
    /// A member with this contact and these devices.
    async fn with(contact: Contact, devices: &[(&str, DevicePlatform, &str)]) -> Self {
        let store = empty_store().await;
        let now = at("2026-03-01T10:00:00Z");
        let programme = Programme::from_toml(PROGRAMME).unwrap();
        store.publish(&programme, now).await.unwrap();
        let profile = Profile { version: 1, ..Profile::new(member(), now, &Programmes::only(programme)) };
        let decision = Decision {
            profile,
            entries: Vec::new(),
            coupons: Vec::new(),
            rater: None,
            receives_coupons: false,
            removed_coupons: Default::default(),
            once: None,
            changed: true,
            completed: true,
        };
        let enrolment = Enrolment { keys: Vec::new(), contact };
        store
            .commit(Commit { decision: &decision, enrolment: Some(&enrolment), by_way_of: None })
            .await
            .unwrap();
        for (id, platform, endpoint) in devices {
            let id = DeviceId::new(*id).unwrap();
            let device = Device { id, platform: *platform, endpoint: (*endpoint).to_owned() };
            store.put_device(&member(), &device, now).await.unwrap();
        }
        let sns = FakeSns::default();
        let topics = Topics { notifications: NOTIFICATIONS.to_owned(), events: EVENTS.to_owned() };
        let function = Notifications::new(store.clone(), sns.client(), topics, Clock::fixed(now));
        Self { function, store, sns }
    }

    /// Gives the member coupons of these codes and ends, numbered from 0.
    async fn with_coupons(self, coupons: &[(&str, Option<&str>)]) -> Self {
        let now = at("2026-03-01T10:00:00Z");
        let programmes = Programmes::only(Programme::from_toml(PROGRAMME).unwrap());
        let coupons: Vec<Coupon> = (0..)
            .zip(coupons)
            .map(|(number, (code, ends_at))| Coupon {
                code: CouponCode::new(*code).unwrap(),
                number,
                reward: RewardId::new("ten-percent").unwrap(),
                points: Points(5_000),
                issued_at: now,
                ends_at: ends_at.map(at),
                state: CouponState::Issued,
                uses: Vec::new(),
                came_with: None,
            })
            .collect();
        let entry = |coupon: &Coupon| Entry {
            id: EntryId { effective_at: now, cause: Cause::Coupon(coupon.number), n: 0 },
            sequence: 2,
            recorded_at: now,
            points: Points(-5_000),
            lifetime_points: Points::ZERO,
            status_points: Points::ZERO,
            counts: 0,
            kind: Kind::CouponIssued {
                code: coupon.code.clone(),
                reward: coupon.reward.clone(),
                ends_at: coupon.ends_at,
                told_from: None,
                on_request: None,
            },
            audience: Audience::Everybody,
            came_with: None,
        };
        let decision = Decision {
            profile: Profile { version: 2, ..Profile::new(member(), now, &programmes) },
            entries: coupons.iter().map(entry).collect(),
            coupons,
            rater: None,
            receives_coupons: false,
            removed_coupons: Default::default(),
            once: None,
            changed: true,
            completed: true,
        };
        self.store.commit(Commit { decision: &decision, enrolment: None, by_way_of: None }).await.unwrap();
        self
    }

    async fn handle(&self, event: &StreamEvent) -> DynamoDbEventResponse {
        let event = LambdaEvent::new(event.clone(), Context::default());
        self.function.handle(event).await.unwrap()
    }
}

fn someone() -> Contact {
    Contact {
        email: Some("someone@example.com".to_owned()),
        name: Some("Robin".to_owned()),
        locale: Some("fr-CA".to_owned()),
        ..Contact::default()
    }
}

const BOTH: [(&str, DevicePlatform, &str); 2] =
    [("phone", DevicePlatform::Apns, PHONE), ("tablet", DevicePlatform::Fcm, TABLET)];

fn event(text: &str) -> StreamEvent {
    serde_json::from_str(text).unwrap()
}

/// One batch of several samples.
fn batch(texts: &[&str]) -> StreamEvent {
    let mut all = StreamEvent::default();
    all.records = texts.iter().flat_map(|text| event(text).records).collect();
    all
}

fn target(published: &Published) -> &str {
    published.get("TargetArn").unwrap_or_else(|| &published["TopicArn"])
}

fn targets(published: &[Published]) -> Vec<&str> {
    published.iter().map(target).collect()
}

fn message(published: &Published) -> Value {
    serde_json::from_str(&published["Message"]).unwrap()
}

fn part(message: &Value, platform: &str) -> Value {
    serde_json::from_str(message[platform].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_coupon_is_told_to_every_device_by_email_and_to_integrators() {
    let bench = Bench::with(someone(), &BOTH).await;
    assert_eq!(bench.handle(&event(COUPON_ISSUED)).await, DynamoDbEventResponse::default());
    let published = bench.sns.take();
    assert_eq!(targets(&published), [PHONE, TABLET, NOTIFICATIONS, EVENTS]);

    let push = message(&published[0]);
    let title = "Une nouvelle récompense vous attend";
    let body = push["default"].as_str().unwrap();
    let laurel = json!({"event": "coupon_issued", "member": MEMBER, "open": "coupons"});
    assert_eq!(published[0]["MessageStructure"], "json");
    assert_eq!(
        part(&push, "APNS"),
        json!({"aps": {"alert": {"title": title, "body": body}, "sound": "default"}, "laurel": laurel})
    );
    assert_eq!(push["APNS"], push["APNS_SANDBOX"]);
    assert_eq!(
        part(&push, "GCM"),
        json!({"fcmV1Message": {"message": {"notification": {"title": title, "body": body}, "data": laurel}}})
    );

    let email = message(&published[2]);
    assert_eq!(email["to"], "someone@example.com");
    assert_eq!(email["member"], MEMBER);
    assert!(email["text"].as_str().unwrap().contains("7Q4M-XK2P-9TRB"));
}

#[tokio::test]
async fn integrators_hear_what_happened_and_nothing_of_the_person() {
    let bench = Bench::with(someone(), &[]).await;
    bench.handle(&batch(&[COUPON_ISSUED, TIER_REACHED, POINTS_EXPIRING, POINTS_EXPIRED])).await;
    let published = bench.sns.take();
    let announced: Vec<Value> =
        published.iter().filter(|published| target(published) == EVENTS).map(message).collect();
    assert_eq!(
        announced[0],
        json!({
            "id": "journal#2026-03-01T10:00:00.000Z#coupon/0#000000",
            "event": "coupon_issued", "member": MEMBER,
            "at": "2026-03-01T10:00:00Z", "recorded_at": "2026-03-01T10:00:01Z",
            "points": -5000,
            "coupon": {"code": "7Q4M-XK2P-9TRB", "reward": "ten-percent", "expires_at": "2026-06-01T10:00:00Z"},
        })
    );
    assert_eq!((&announced[1]["from"], &announced[1]["to"]), (&Value::Null, &json!("gold")));
    assert_eq!(announced[2]["points"], 1240);
    assert_eq!(announced[2]["expires_at"], "2026-03-31T10:00:00Z");
    assert_eq!(announced[3]["points"], -1240);
    for announcement in announced {
        let text = announcement.to_string();
        assert!(!text.contains('@') && !text.contains("Robin"), "{text}");
    }
}

#[tokio::test]
async fn of_what_becomes_of_a_coupon_integrators_hear_and_the_member_does_not() {
    let bench = Bench::with(someone(), &BOTH).await;
    bench.handle(&batch(&[COUPON_REDEEMED, COUPON_RETURNED, COUPON_VOIDED, COUPON_EXPIRED])).await;
    let published = bench.sns.take();
    assert_eq!(targets(&published), [EVENTS; 4]);
    let code = json!({"code": "7Q4M-XK2P-9TRB"});
    let announced: Vec<Value> = published.iter().map(message).collect();
    let order = "shopify-main#5678901234";
    let told: Vec<_> = announced
        .iter()
        .map(|event| (event["event"].as_str().unwrap(), &event["coupon"], &event["order"], &event["points"]))
        .collect();
    assert_eq!(
        told,
        [
            ("coupon_redeemed", &code, &json!(order), &json!(0)),
            ("coupon_returned", &code, &json!(order), &json!(0)),
            ("coupon_voided", &code, &Value::Null, &json!(5000)),
            ("coupon_expired", &code, &Value::Null, &json!(0)),
        ]
    );
}

#[tokio::test]
async fn what_an_import_brought_is_told_to_integrators_alone() {
    let bench = Bench::with(someone(), &BOTH).await;
    let imported = COUPON_ISSUED.replace("\"everybody\"", "\"integrators\"");
    bench.handle(&event(&imported)).await;
    assert_eq!(targets(&bench.sns.take()), [EVENTS]);
}

#[tokio::test]
async fn an_entry_written_before_there_were_audiences_is_told_to_everybody() {
    let bench = Bench::with(someone(), &[]).await;
    let before =
        COUPON_ISSUED.replace("\"audience\"", "\"notify\"").replace("\"S\": \"everybody\"", "\"BOOL\": true");
    bench.handle(&event(&before)).await;
    assert_eq!(targets(&bench.sns.take()), [NOTIFICATIONS, EVENTS]);
}

#[tokio::test]
async fn one_message_lists_the_codes_of_all_coupons_that_were_issued_together() {
    let later = Some("2026-06-01T10:00:00Z");
    // Given five coupons: one that was told before, one that has ended, and three of one order.
    let coupons = [
        ("AAAA-AAAA-AAAA", later),
        ("BBBB-BBBB-BBBB", Some("2026-02-01T10:00:00Z")),
        ("CCCC-CCCC-CCCC", later),
        ("DDDD-DDDD-DDDD", None),
        ("7Q4M-XK2P-9TRB", later),
    ];
    let bench = Bench::with(someone(), &BOTH).await.with_coupons(&coupons).await;
    let last = COUPON_ISSUED
        .replace("coupon/0#", "coupon/4#")
        .replace("\"ends_at\"", "\"told_from\": { \"N\": \"1\" }, \"ends_at\"");
    // When the last of them is told, then each channel has one message of the three.
    bench.handle(&event(&last)).await;
    let published = bench.sns.take();
    assert_eq!(targets(&published), [PHONE, TABLET, NOTIFICATIONS, EVENTS]);
    assert!(published[0]["Message"].contains("3 nouvelles récompenses"));
    let email = message(&published[2]);
    assert_eq!(email["subject"], "Vos 3 récompenses");
    let text = email["text"].as_str().unwrap();
    for (code, listed) in coupons.iter().map(|(code, _)| code).zip([false, false, true, true, true]) {
        assert_eq!(text.contains(code), listed, "{code}: {text}");
    }
    assert!(text.contains("15\u{202f}000 points"), "{text}");
}

#[tokio::test]
async fn whoever_wants_no_messages_gets_none_and_integrators_hear_of_it_as_ever() {
    let bench = Bench::with(Contact { consent: Some(false), ..someone() }, &BOTH).await;
    bench.handle(&event(COUPON_ISSUED)).await;
    assert_eq!(targets(&bench.sns.take()), [EVENTS]);
    let bench = Bench::with(Contact { consent: Some(true), ..someone() }, &BOTH).await;
    bench.handle(&event(COUPON_ISSUED)).await;
    assert_eq!(targets(&bench.sns.take()), [PHONE, TABLET, NOTIFICATIONS, EVENTS]);
}

#[tokio::test]
async fn subscriptions_can_filter_by_channel_and_event() {
    let bench = Bench::with(someone(), &BOTH[..1]).await;
    bench.handle(&event(TIER_REACHED)).await;
    let channels: Vec<Value> = bench.sns.take().iter().map(attributes).collect();
    let with = |channel: &str| json!({"channel": channel, "event": "tier_reached"});
    assert_eq!(channels, [with("push"), with("email"), with("event")]);
}

fn attributes(published: &Published) -> Value {
    let entries = (1..=2).map(|number| {
        let entry = format!("MessageAttributes.entry.{number}");
        let name = published[&format!("{entry}.Name")].clone();
        (name, Value::from(published[&format!("{entry}.Value.StringValue")].clone()))
    });
    Value::Object(entries.collect())
}

#[tokio::test]
async fn a_member_without_address_and_device_is_only_announced() {
    let bench = Bench::with(Contact::default(), &[]).await;
    bench.handle(&event(POINTS_EXPIRED)).await;
    assert_eq!(targets(&bench.sns.take()), [EVENTS]);
}

#[tokio::test]
async fn a_batch_that_comes_again_tells_nobody_twice() {
    let bench = Bench::with(someone(), &BOTH).await;
    let batch = batch(&[COUPON_ISSUED, POINTS_EXPIRED]);
    bench.handle(&batch).await;
    assert_eq!(bench.sns.take().len(), 8);
    bench.handle(&batch).await;
    assert_eq!(bench.sns.take(), Vec::<Published>::new());
}

#[tokio::test]
async fn an_outage_reports_the_record_and_later_sends_only_what_is_missing() {
    let bench = Bench::with(someone(), &BOTH).await;
    bench.sns.refuse(NOTIFICATIONS, "InternalError", "try later");
    let batch = batch(&[COUPON_ISSUED, TIER_REACHED]);
    let answer = bench.handle(&batch).await;
    let failures: Vec<_> =
        answer.batch_item_failures.iter().map(|failure| failure.item_identifier.as_deref()).collect();
    assert_eq!(failures, [batch.records[0].change.sequence_number.as_deref()]);
    assert_eq!(targets(&bench.sns.take()), [PHONE, TABLET], "and nothing of the record behind it");

    bench.sns.accept(NOTIFICATIONS);
    assert_eq!(bench.handle(&batch).await, DynamoDbEventResponse::default());
    assert_eq!(targets(&bench.sns.take()), [NOTIFICATIONS, EVENTS, PHONE, TABLET, NOTIFICATIONS, EVENTS]);
}

#[tokio::test]
async fn a_device_whose_endpoint_is_gone_is_forgotten_and_the_others_are_told() {
    for (code, message) in [
        ("EndpointDisabled", "Endpoint is disabled"),
        ("NotFound", "Endpoint does not exist"),
        (
            "InvalidParameter",
            "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified",
        ),
        ("InvalidParameter", "Invalid parameter: TargetArn Reason: is not a valid ARN to publish to"),
        // One of a push application that the stack had before, which its role does not reach.
        ("AuthorizationError", "User: … is not authorized to perform: SNS:Publish on resource: …"),
    ] {
        let bench = Bench::with(someone(), &BOTH).await;
        bench.sns.refuse(PHONE, code, message);
        assert_eq!(bench.handle(&event(COUPON_ISSUED)).await, DynamoDbEventResponse::default());
        assert_eq!(targets(&bench.sns.take()), [TABLET, NOTIFICATIONS, EVENTS]);
        let left: Vec<String> =
            bench.store.devices(&member()).await.unwrap().into_iter().map(|device| device.endpoint).collect();
        assert_eq!(left, [TABLET]);
    }
}

#[tokio::test]
async fn a_topic_that_is_gone_has_to_come_back() {
    let bench = Bench::with(Contact::default(), &[]).await;
    for (code, message) in [("NotFound", "Topic does not exist"), ("AuthorizationError", "not authorized")] {
        bench.sns.refuse(EVENTS, code, message);
        assert_eq!(bench.handle(&event(COUPON_ISSUED)).await.batch_item_failures.len(), 1);
    }
}

#[tokio::test]
async fn a_push_service_that_is_switched_off_does_not_hold_up_the_rest() {
    let bench = Bench::with(someone(), &BOTH[..1]).await;
    bench.sns.refuse(PHONE, "PlatformApplicationDisabled", "Platform application is disabled");
    assert_eq!(bench.handle(&event(COUPON_ISSUED)).await, DynamoDbEventResponse::default());
    assert_eq!(targets(&bench.sns.take()), [NOTIFICATIONS, EVENTS]);
    assert_eq!(bench.store.devices(&member()).await.unwrap().len(), 1, "the device stays");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_does_not_block_those_behind_it() {
    let bench = Bench::with(someone(), &[]).await;
    let poison = COUPON_ISSUED.replace("coupon_issued", "gift_given");
    let answer = bench.handle(&batch(&[&poison, POINTS_EXPIRED])).await;
    assert_eq!(answer, DynamoDbEventResponse::default());
    assert_eq!(targets(&bench.sns.take()), [NOTIFICATIONS, EVENTS]);
}

#[tokio::test]
async fn changes_that_tell_nothing_new_are_ignored() {
    let bench = Bench::with(someone(), &[]).await;
    let modified = COUPON_ISSUED.replace("INSERT", "MODIFY");
    let removed = COUPON_ISSUED.replace("INSERT", "REMOVE");
    let bookkeeping = COUPON_ISSUED.replace("\"everybody\"", "\"nobody\"");
    let mut profile = event(COUPON_ISSUED);
    profile.records[0].change.new_image.remove("audience");
    for event in [event(&modified), event(&removed), event(&bookkeeping), profile] {
        assert_eq!(bench.handle(&event).await, DynamoDbEventResponse::default());
    }
    assert_eq!(bench.sns.take(), Vec::<Published>::new());
}

#[tokio::test]
async fn an_invocation_without_time_left_reports_the_first_record() {
    let bench = Bench::with(someone(), &[]).await;
    let mut context = Context::default();
    context.deadline = 1;
    let answer = bench.function.handle(LambdaEvent::new(event(COUPON_ISSUED), context)).await.unwrap();
    assert_eq!(answer.batch_item_failures.len(), 1);
    assert_eq!(bench.sns.take(), Vec::<Published>::new());
}
