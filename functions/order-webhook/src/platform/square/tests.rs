//! Square's events and the answers of its API: money, standing, refunds and returns, and who bought.

use domain::{Goods, Order, Payment};
use serde_json::{Value, json};

use super::*;
use crate::sources::Source;
use crate::tests::{at, headers, source};

const SALE: &str = "CAISENgvlJ6jLWAzERDzjyHVybY";
const RETURN: &str = "cEqXy2gSUTU0sLwUcKfNXnkFJXAZY";
const REFUND: &str = "EnZdNAlWCmfh6Mt5FMNST1o7taB_qJbFeWF0lInqOrzPL";

fn seller() -> Source {
    let document = json!({
        "platform": "square",
        "secrets": ["a-secret"],
        "notification_url": "https://laurel.example.com/webhooks/square-main",
        "api": {"token": "a-token"},
    });
    Source::new(&serde_json::from_value(document).unwrap()).unwrap()
}

/// Towels of 54.00 after their discount and a cup of 36.00, the tax in them; with them a charge of 5.00 and a tip.
fn sale() -> Value {
    serde_json::from_str(include_str!("../../../../../local/platforms/square-order.json")).unwrap()
}

/// One towel of it, 18.00, came back.
fn goods_back() -> Value {
    serde_json::from_str(include_str!("../../../../../local/platforms/square-return.json")).unwrap()
}

fn with(mut order: Value, changes: Value) -> Value {
    order["order"].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    order
}

fn euros(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn order_event(kind: &str, id: &str) -> Value {
    json!({"merchant_id": "5S9MXCS9Y99KK", "type": kind, "event_id": "1", "data": {"type": "order", "id": id}})
}

fn refund_event(order: &str, id: &str, amount: i64, status: &str) -> Value {
    let refund = json!({
        "id": id, "order_id": order, "payment_id": "EnZdNAlWCmfh6Mt5FMNST1o7taB", "status": status,
        "amount_money": euros(amount), "created_at": "2026-03-05T08:00:00.836Z",
    });
    json!({"type": "refund.updated", "data": {"type": "refund", "id": id, "object": {"refund": refund}}})
}

fn parse(event: &Value) -> Result<News, BadInput> {
    let (source, headers, body) = (source("shop"), headers([]), event.to_string());
    let now = at("2026-03-01T12:00:00Z");
    seller().parse(&Delivery { source: &source, headers: &headers, body: body.as_bytes(), now })
}

fn read_all(event: &Value, answers: &[&Value]) -> Result<Reading, BadInput> {
    let (source, headers, body) = (source("shop"), headers([]), event.to_string());
    let now = at("2026-03-01T12:00:00Z");
    let answers: Vec<Answer> =
        answers.iter().map(|order| Answer::of(order.to_string().into_bytes())).collect();
    seller().read(&Delivery { source: &source, headers: &headers, body: body.as_bytes(), now }, &answers)
}

fn told(event: &Value, answers: &[&Value]) -> Vec<News> {
    match read_all(event, answers).unwrap() {
        Reading::Told(news) => news,
        more => panic!("{more:?}"),
    }
}

fn order(order: &Value) -> Order {
    only_order(told(&order_event("order.updated", SALE), &[order]))
}

fn only_order(news: Vec<News>) -> Order {
    match news.as_slice() {
        [News::Order(order)] => order.clone(),
        other => panic!("{other:?}"),
    }
}

fn refunds(order: &Order) -> Vec<(&str, i64, i64)> {
    let refunds = order.refunds.iter();
    refunds.map(|(id, refund)| (id.as_str(), refund.goods.amount, refund.goods.tax)).collect()
}

#[test]
fn a_discount_named_by_a_code_of_ours_is_a_coupon() {
    let discounts = json!([
        {"uid": "d1", "name": "qjj3-2d2s-gbjx", "type": "FIXED_AMOUNT", "scope": "ORDER"},
        {"uid": "d2", "name": "Spring sale", "type": "FIXED_PERCENTAGE", "percentage": "5"},
        {"uid": "d3", "catalog_object_id": "DISC", "name": null},
    ]);
    let coupons = order(&with(sale(), json!({ "discounts": discounts }))).snapshot.coupons;
    assert_eq!(coupons.iter().map(|code| code.as_str()).collect::<Vec<_>>(), ["QJJ3-2D2S-GBJX"]);
}

#[test]
fn every_event_leads_to_its_order() {
    let payment = |order: Value| json!({"type": "payment.updated", "data": {"object": {"payment": order}}});
    for event in [
        order_event("order.created", SALE),
        order_event("order.updated", SALE),
        order_event("order.fulfillment.updated", SALE),
        payment(json!({"id": "p-1", "order_id": SALE})),
        refund_event(SALE, REFUND, 100, "PENDING"),
    ] {
        let Ok(News::Elsewhere(first)) = parse(&event) else { panic!("{event}") };
        assert_eq!(first[0].url, format!("https://connect.squareup.com/v2/orders/{SALE}"));
        assert_eq!(first[0].headers[0], ("authorization", "Bearer a-token".to_owned()));
    }
    for event in [
        payment(json!({"id": "p-1"})),
        json!({"type": "webhooks.test_notification", "data": {"type": "webhooks", "id": "1"}}),
        json!({"type": "catalog.version.updated", "data": {}}),
    ] {
        assert!(matches!(parse(&event), Ok(News::Nothing(_))), "{event}");
    }
    for id in ["a/b", "../x", "a?b", "a b", "", &"x".repeat(193)] {
        assert!(parse(&order_event("order.created", id)).is_err(), "{id}");
    }
}

#[test]
fn goods_are_the_lines_after_discounts_without_charges_and_tips() {
    let order = order(&sale());
    assert_eq!(order.key.as_str(), format!("shop#{SALE}"));
    assert_eq!(order.snapshot.goods, Goods { amount: 9_000, tax: 1_500, tax_included: true });
    assert_eq!((order.snapshot.payment, order.snapshot.currency.code()), (Payment::Paid, "EUR"));
    assert_eq!(order.placed_at, at("2026-03-01T10:15:00.614Z"));
    assert_eq!(order.snapshot.updated_at, at("2026-03-01T10:20:00.102Z"));
    assert_eq!(order.customer.unwrap().id.unwrap().as_str(), "JDKYHBWT1D4F8MFH63DBMEN8Y4");
}

#[test]
fn a_tax_that_comes_on_top_is_not_in_the_price() {
    let mut sale = sale();
    sale["order"]["taxes"][0]["type"] = json!("ADDITIVE");
    assert_eq!(order(&sale).snapshot.goods, Goods { amount: 7_500, tax: 1_500, tax_included: false });
}

#[test]
fn a_gift_card_that_is_bought_and_a_charge_in_a_line_are_no_goods() {
    let mut sale = sale();
    sale["order"]["line_items"][1]["item_type"] = json!("GIFT_CARD");
    sale["order"]["line_items"][0]["total_service_charge_money"] = euros(400);
    assert_eq!(order(&sale).snapshot.goods, Goods { amount: 5_000, tax: 900, tax_included: true });
}

#[test]
fn an_open_order_is_paid_as_far_as_its_tenders_reach() {
    let tender = |amount: i64, kind: &str, status: Value| {
        let card = json!({"status": status});
        json!({"id": "t", "type": kind, "amount_money": euros(amount), "card_details": card})
    };
    let standing = |tenders: Value, due: i64| {
        let open = json!({"state": "OPEN", "tenders": tenders, "net_amount_due_money": euros(due)});
        order(&with(sale(), open)).snapshot.payment
    };
    assert_eq!(standing(json!([]), 9_800), Payment::Unpaid);
    assert_eq!(standing(json!([tender(9_800, "CARD", json!("CAPTURED"))]), 0), Payment::Paid);
    assert_eq!(standing(json!([tender(9_800, "CARD", json!("AUTHORIZED"))]), 0), Payment::Unpaid);
    assert_eq!(standing(json!([tender(9_800, "NO_SALE", Value::Null)]), 9_800), Payment::Unpaid);
    let part = standing(json!([tender(4_900, "SQUARE_GIFT_CARD", Value::Null)]), 4_900);
    assert_eq!(part, Payment::Partial { paid: 4_900, total: 9_800 });
    assert_eq!(
        standing(json!([tender(5_000, "CASH", Value::Null)]), 0),
        Payment::Paid,
        "an exchange paid the rest"
    );
}

#[test]
fn a_draft_never_earns_and_what_was_cancelled_is() {
    let snapshot = |state: &str| order(&with(sale(), json!({"state": state}))).snapshot;
    assert!(snapshot("DRAFT").test && snapshot("CANCELED").cancelled);
    assert!(!snapshot("COMPLETED").test && !snapshot("COMPLETED").cancelled);
}

#[test]
fn who_paid_is_the_customer_where_the_order_names_none() {
    let mut sale = with(sale(), json!({"customer_id": null}));
    assert!(order(&sale).customer.is_none());
    sale["order"]["tenders"][0]["customer_id"] = json!("PAYER");
    assert_eq!(order(&sale).customer.unwrap().id.unwrap().as_str(), "PAYER");
}

#[test]
fn the_card_that_was_paid_with_is_known_and_whoever_gets_the_goods_is_nobody() {
    let mut sale = with(sale(), json!({"customer_id": null}));
    sale["order"]["tenders"][0]["card_details"] =
        json!({"status": "CAPTURED", "card": {"last_4": "1111", "fingerprint": "sq-1-a"}});
    sale["order"]["fulfillments"] =
        json!([{"pickup_details": {"recipient": {"phone_number": "+33612345678"}}}]);
    let guest = order(&sale).customer.unwrap();
    assert_eq!((guest.id, guest.contact.phone), (None, None));
    assert_eq!(guest.card.unwrap().as_str(), "sq-1-a");
}

#[test]
fn a_refund_of_money_is_taken_as_goods_first_up_to_all_of_them() {
    let refund = |id: &str, minute: u8, amount: i64, status: &str| {
        let at = format!("2026-03-05T08:{minute:02}:00Z");
        json!({"id": id, "created_at": at, "amount_money": euros(amount), "status": status, "reason": ""})
    };
    let list = json!([
        refund("b", 5, 6_000, "APPROVED"),
        refund("a", 9, 6_000, "APPROVED"),
        refund("c", 1, 6_000, "PENDING"),
        refund("d", 1, 6_000, "FAILED"),
    ]);
    let order = order(&with(sale(), json!({"refunds": list})));
    let failed = ("d", 0, 0);
    assert_eq!(
        refunds(&order),
        [("a", 3_000, 500), ("b", 6_000, 1_000), failed],
        "it may have been told before"
    );
}

#[test]
fn a_refund_of_money_is_goods_with_their_tax_where_that_is_on_top() {
    let refund = json!([{"id": "a", "amount_money": euros(1_800), "status": "COMPLETED"}]);
    let mut sale = with(sale(), json!({ "refunds": refund }));
    sale["order"]["taxes"][0]["type"] = json!("ADDITIVE");
    assert_eq!(refunds(&order(&sale)), [("a", 1_500, 300)]);
}

#[test]
fn a_refund_is_one_whether_its_order_or_its_event_tells_it() {
    let completed = refund_event(SALE, REFUND, 1_800, "COMPLETED");
    assert_eq!(refunds(&only_order(told(&completed, &[&sale()]))), [(REFUND, 1_800, 300)]);
    let pending = refund_event(SALE, REFUND, 1_800, "PENDING");
    assert_eq!(refunds(&only_order(told(&pending, &[&sale()]))), []);
}

#[test]
fn goods_that_come_back_are_given_back_of_the_order_that_sold_them() {
    let event = order_event("order.updated", RETURN);
    let Ok(Reading::More(more)) = read_all(&event, &[&goods_back()]) else { panic!() };
    assert_eq!(more[0].url, format!("https://connect.squareup.com/v2/orders/{SALE}"));
    let order = only_order(told(&event, &[&goods_back(), &sale()]));
    assert_eq!(order.key.as_str(), format!("shop#{SALE}"));
    assert_eq!(refunds(&order), [(REFUND, 1_800, 300)]);
    // The refund's own event tells the same, even where the order that came back does not list it.
    let unlisted = with(goods_back(), json!({"refunds": null}));
    let told_by_refund = told(&refund_event(RETURN, REFUND, 1_800, "COMPLETED"), &[&unlisted, &sale()]);
    assert_eq!(refunds(&only_order(told_by_refund)), [(REFUND, 1_800, 300)]);
    assert_eq!(refunds(&only_order(told(&event, &[&unlisted, &sale()]))), [], "until the money is gone");
}

#[test]
fn two_refunds_of_one_return_share_its_goods() {
    let mut back = goods_back();
    let mut second = back["order"]["refunds"][0].clone();
    back["order"]["refunds"][0]["amount_money"] = euros(600);
    second["id"] = json!("second");
    second["amount_money"] = euros(1_200);
    back["order"]["refunds"].as_array_mut().unwrap().push(second);
    let order = only_order(told(&order_event("order.updated", RETURN), &[&back, &sale()]));
    assert_eq!(refunds(&order), [(REFUND, 600, 100), ("second", 1_200, 200)]);
}

#[test]
fn a_sum_that_names_no_line_gives_back_goods_with_their_tax() {
    let mut back = goods_back();
    let line = &mut back["order"]["returns"][0]["return_line_items"][0];
    *line = json!({"uid": "x", "item_type": "CUSTOM_AMOUNT", "quantity": "1", "total_money": euros(1_800)});
    let order = only_order(told(&order_event("order.updated", RETURN), &[&back, &sale()]));
    assert_eq!(refunds(&order), [(REFUND, 1_800, 300)]);
}

#[test]
fn an_exchange_sells_and_gives_back() {
    let exchange = with(
        goods_back(),
        json!({
            "line_items": sale()["order"]["line_items"], "taxes": sale()["order"]["taxes"], "refunds": [],
            "total_money": euros(9_000), "net_amount_due_money": euros(0),
        }),
    );
    let news = told(&order_event("order.updated", RETURN), &[&exchange, &sale()]);
    let [News::Order(new), News::Order(old)] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!((new.snapshot.goods.amount, new.snapshot.payment), (9_000, Payment::Paid));
    assert_eq!(
        refunds(old),
        [(RETURN, 1_800, 300)],
        "no money went back, so the return goes by its own name"
    );
}

#[test]
fn goods_that_nobody_knows_the_sale_of_are_a_refund_of_their_own() {
    let mut back = goods_back();
    back["order"]["returns"][0]["source_order_id"] = Value::Null;
    let event = order_event("order.updated", RETURN);
    assert!(matches!(told(&event, &[&back]).as_slice(), [News::Nothing(_)]));
    back["order"]["customer_id"] = json!("c-1");
    let news = told(&event, &[&back]);
    let [News::UnlinkedRefund(refund)] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!(refund.refund.goods, Goods { amount: 1_500, tax: 300, tax_included: false });
}

#[test]
fn an_order_that_is_not_there_is_no_news_and_a_slip_in_the_answer_is_told() {
    let (source, headers, body) =
        (source("shop"), headers([]), order_event("order.updated", SALE).to_string());
    let now = at("2026-03-01T12:00:00Z");
    let delivery = Delivery { source: &source, headers: &headers, body: body.as_bytes(), now };
    let absent = Answer::default();
    assert_eq!(seller().read(&delivery, &[absent]), Ok(Reading::Told(vec![News::Nothing(UNKNOWN)])));
    let error = read_all(&order_event("order.updated", SALE), &[&with(sale(), json!({"total_money": null}))]);
    assert!(error.unwrap_err().to_string().starts_with("order.total_money: "));
}

#[test]
fn the_address_that_square_was_told_is_signed_too() {
    let body = order_event("order.updated", SALE).to_string();
    let signed = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, b"a-secret"),
        format!("https://laurel.example.com/webhooks/square-main{body}").as_bytes(),
    );
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signed);
    let (source, headers) = (source("shop"), headers([(SIGNATURE, text.as_str())]));
    let now = at("2026-03-01T12:00:00Z");
    let verified = |body: &[u8]| seller().verify(&Delivery { source: &source, headers: &headers, body, now });
    assert_eq!(verified(body.as_bytes()), Ok(()));
    assert_eq!(verified(b"{}"), Err(Refusal::Mismatch));
}

#[test]
fn a_source_that_lacks_its_address_or_its_way_to_the_api_is_refused() {
    for (document, problem) in [
        (json!({"api": {"token": "t"}}), "notification_url is missing, and this platform needs it"),
        (
            json!({"notification_url": "", "api": {"token": "t"}}),
            "notification_url is missing, and this platform needs it",
        ),
        (json!({"notification_url": "https://x"}), "api is missing, and this platform needs it"),
        (
            json!({"notification_url": "https://x", "api": {"token": "t", "store": "s"}}),
            "api.store is not for Square",
        ),
    ] {
        let mut whole = json!({"platform": "square", "secrets": ["a-secret"]});
        whole.as_object_mut().unwrap().extend(document.as_object().unwrap().clone());
        let refused = Source::new(&serde_json::from_value(whole).unwrap()).err().unwrap();
        assert_eq!(refused.to_string(), problem);
    }
}

#[test]
fn a_customer_is_told_with_how_to_reach_them_and_whether_they_left_the_mailings() {
    let told = |preferences: Value| {
        let event = json!({"type": "customer.updated", "data": {"type": "customer", "id": "C-1", "object": {"customer": {
            "id": "C-1", "updated_at": "2026-03-02T10:00:00.123Z", "given_name": "N", "email_address": "New@example.com",
            "phone_number": "+33612345678", "preferences": preferences,
        }}}});
        let (source, headers) = (domain::SourceName::new("square-main").unwrap(), headers([]));
        let body = event.to_string();
        let delivery = Delivery {
            source: &source,
            headers: &headers,
            body: body.as_bytes(),
            now: at("2026-03-02T10:00:01Z"),
        };
        match seller().parse(&delivery) {
            Ok(News::Contact { customer, at }) => (customer, at),
            other => panic!("{other:?}"),
        }
    };
    let (customer, told_at) = told(json!({"email_unsubscribed": true}));
    assert_eq!((customer.id.unwrap().as_str(), told_at), ("C-1", at("2026-03-02T10:00:00.123Z")));
    let contact = customer.contact;
    assert_eq!((contact.email.as_deref(), contact.verified_email()), (Some("new@example.com"), None));
    assert_eq!(
        (contact.phone.map(String::from).as_deref(), contact.consent),
        (Some("+33612345678"), Some(false))
    );
    assert_eq!(told(json!({"email_unsubscribed": false})).0.contact.consent, Some(true));
    assert_eq!(told(json!(null)).0.contact.consent, None);
}
