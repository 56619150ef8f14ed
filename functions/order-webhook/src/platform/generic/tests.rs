//! The generic sender's documents, good and bad.

use domain::Contact;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::tests::{at, headers, source};

fn parse_bytes(body: &[u8]) -> Result<News, BadInput> {
    let headers = headers([("webhook-timestamp", "1772359200")]);
    let source = source("shop");
    Generic { country: Country::of("FR") }.parse(&Delivery {
        source: &source,
        headers: &headers,
        body,
        now: at("2026-03-01T10:00:01Z"),
    })
}

fn parse(body: &Value) -> Result<News, String> {
    parse_bytes(body.to_string().as_bytes()).map_err(|error| error.to_string())
}

fn order() -> Value {
    json!({"type": "order.updated", "order": {
        "id": "1001",
        "placed_at": "2026-03-01T10:15:00+01:00",
        "currency": "eur",
        "goods": {"amount_minor": 4590, "tax_minor": 765, "tax_included": true},
        "status": "paid",
        "customer": {"id": 9_007_199_254_740_993_u64, "email": "C-1@Example.com", "email_verified": true, "locale": "fr"},
        "a field of the sender's own": [1, 2, 3],
    }})
}

fn refund() -> Value {
    json!({"type": "order.refunded", "refund": {
        "id": 7,
        "order_id": 1001,
        "refunded_at": "2026-03-05T09:00:00+01:00",
        "currency": "EUR",
        "goods": {"amount_minor": 1000},
    }})
}

/// The document with one field replaced.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[field] = value;
    document
}

fn parsed_order(document: &Value) -> Order {
    match parse(document) {
        Ok(News::Order(order)) => order,
        other => panic!("{other:?}"),
    }
}

#[test]
fn coupons_like_ours_are_read_and_others_left_to_the_shop() {
    let codes = json!(["qjj3-2d2s-gbjx", "WELCOME", ""]);
    let coupons = parsed_order(&with(order(), "/order/coupons", codes)).snapshot.coupons;
    assert_eq!(coupons.iter().map(|code| code.as_str()).collect::<Vec<_>>(), ["QJJ3-2D2S-GBJX"]);
}

#[test]
fn an_order_is_read_whole() {
    let order = parsed_order(&order());
    assert_eq!(order.key.as_str(), "shop#1001");
    assert_eq!(order.placed_at, at("2026-03-01T09:15:00Z"));
    assert_eq!(order.snapshot.updated_at, at("2026-03-01T10:00:00Z"), "as it was signed");
    assert_eq!(order.snapshot.currency.code(), "EUR");
    assert_eq!(order.snapshot.goods, Goods { amount: 4590, tax: 765, tax_included: true });
    assert_eq!(order.snapshot.payment, Payment::Paid);
    assert!(!order.snapshot.cancelled && !order.snapshot.test && order.refunds.is_empty());
    let customer = order.customer.unwrap();
    assert_eq!(customer.id.unwrap().as_str(), "9007199254740993");
    assert_eq!(customer.contact.verified_email(), Some("c-1@example.com"));
    assert_eq!(customer.contact.locale.as_deref(), Some("fr"));
}

#[test]
fn every_status_has_its_payment() {
    let snapshot = |status: &str| parsed_order(&with(order(), "/order/status", json!(status))).snapshot;
    assert_eq!(snapshot("unpaid").payment, Payment::Unpaid);
    assert!(snapshot("cancelled").cancelled);
    let part = with(order(), "/order/status", json!("partially_paid"));
    assert_eq!(parse(&part).unwrap_err(), "order.paid_minor: is needed with the status partially_paid");
    let part = with(with(part, "/order/paid_minor", json!(2000)), "/order/total_minor", json!(5090));
    assert_eq!(parsed_order(&part).snapshot.payment, Payment::Partial { paid: 2000, total: 5090 });
    let too_much = with(part, "/order/paid_minor", json!(5091));
    assert_eq!(parse(&too_much).unwrap_err(), "order.total_minor: must be above 0, and not below paid_minor");
}

#[test]
fn an_order_without_a_customer_is_an_order() {}

#[test]
fn a_refund_names_its_order() {
    let Ok(News::Refund { order, id, refund }) = parse(&refund()) else { panic!() };
    assert_eq!((order.as_str(), id.as_str()), ("shop#1001", "7"));
    assert_eq!(refund.refunded_at, at("2026-03-05T08:00:00Z"));
    assert_eq!(refund.goods, Goods::untaxed(1000));
}

#[test]
fn a_refund_has_the_version_that_is_told_else_the_moment_at_which_it_was_signed() {
    let version = |document: &Value| match parse(document) {
        Ok(News::Refund { refund, .. }) => refund.as_of,
        other => panic!("{other:?}"),
    };
    assert_eq!(version(&refund()), Some(at("2026-03-01T10:00:00Z")));
    let told = with(refund(), "/refund/updated_at", json!("2026-03-06T09:00:00+01:00"));
    assert_eq!(version(&told), Some(at("2026-03-06T08:00:00Z")));
}

#[test]
fn a_refund_tells_its_goods_or_its_money() {
    let money = with(with(refund(), "/refund/goods", Value::Null), "/refund/money_minor", json!(1200));
    let Ok(News::Refund { refund: told, .. }) = parse(&money) else { panic!() };
    assert_eq!((told.kind, told.goods), (RefundKind::Money, Goods::untaxed(1200)));
    let neither_or_both = "refund.goods: is needed, or money_minor, and not both";
    for wrong in
        [with(refund(), "/refund/goods", Value::Null), with(refund(), "/refund/money_minor", json!(1))]
    {
        assert_eq!(parse(&wrong).unwrap_err(), neither_or_both);
    }
    let unlinked = parse(&with(money, "/refund/order_id", Value::Null)).unwrap_err();
    assert!(unlinked.starts_with("refund.money_minor: "), "{unlinked}");
}

#[test]
fn a_refund_without_an_order_needs_a_customer() {
    let unlinked = with(refund(), "/refund/order_id", Value::Null);
    let expected = "refund.customer: needs an id, an email, a phone or a card where there is no order_id";
    assert_eq!(parse(&unlinked).unwrap_err(), expected);
    let nobody = with(unlinked.clone(), "/refund/customer", json!({"name": "C"}));
    assert_eq!(parse(&nobody).unwrap_err(), expected);
    let guest = with(unlinked.clone(), "/refund/customer", json!({"email": "c-1@example.com"}));
    assert!(parse(&guest).is_ok(), "it may wait for the guest to enrol");
    let Ok(News::UnlinkedRefund(unlinked)) = parse(&with(unlinked, "/refund/customer", json!({"id": "c-1"})))
    else {
        panic!()
    };
    assert_eq!(unlinked.key.as_str(), "shop#refund#7");
    let customer = unlinked.customer.unwrap();
    assert_eq!((customer.id.unwrap().as_str(), customer.contact), ("c-1", Contact::default()));
}

#[test]
fn a_phone_is_read_as_in_the_sources_country_and_a_card_as_it_is() {
    let guest = |phone: &str| json!({"phone": phone, "card": "card-7"});
    let read = |phone: &str| parsed_order(&with(order(), "/order/customer", guest(phone))).customer.unwrap();
    let known = read("06 12 34 56 78");
    assert_eq!(known.contact.phone.map(String::from).as_deref(), Some("+33612345678"));
    assert_eq!(known.card.unwrap().as_str(), "card-7");
    assert!(read("to be told").contact.phone.is_none(), "what is no number is left out");
    let unlinked =
        with(with(refund(), "/refund/order_id", Value::Null), "/refund/customer", guest("0612345678"));
    assert!(matches!(parse(&unlinked), Ok(News::UnlinkedRefund(_))));
}

#[test]
fn an_unknown_type_is_let_pass() {
    assert!(matches!(parse(&json!({"type": "customer.updated", "order": 1})), Ok(News::Nothing(_))));
}

#[test]
fn an_error_names_its_field_and_the_remedy() {
    for (pointer, value, error) in [
        ("/order/goods/amount_minor", json!(-1), "order.goods.amount_minor: must not be negative"),
        (
            "/order/goods/amount_minor",
            json!(45.9),
            "order.goods.amount_minor: must be a whole number of minor units, such as 4590 for 45.90",
        ),
        (
            "/order/goods/tax_minor",
            json!(4591),
            "order.goods: tax_minor must not be above the amount_minor that includes it",
        ),
        ("/order/id", json!(""), "order.id: is empty"),
        ("/order/id", json!("x".repeat(200)), "order.id: is longer than 200 bytes"),
        (
            "/order/placed_at",
            json!("yesterday"),
            "order.placed_at: is not an instant such as 2026-01-31T12:00:00Z (RFC 3339)",
        ),
        ("/order/currency", json!("euro"), "order.currency: is not a currency of three letters (ISO 4217)"),
        (
            "/order/status",
            json!("shipped"),
            "order.status: must be one of `paid`, `partially_paid`, `unpaid`, `cancelled`",
        ),
        ("/order/customer/email", json!("nobody"), "order.customer.email: is not an e-mail address"),
        ("/order/customer/id", json!("a\nb"), "order.customer.id: has a character that is not allowed"),
        ("/type", json!("order.refunded"), "the body: missing field `refund`"),
    ] {
        assert_eq!(parse(&with(order(), pointer, value)).unwrap_err(), error);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse_bytes(&body);
    }

    #[test]
    fn no_value_in_any_field_makes_the_parser_panic(
        pointer in proptest::sample::select(vec![
            "/order/id", "/order/placed_at", "/order/goods/amount_minor", "/order/goods/tax_minor",
            "/order/customer", "/order/currency", "/order/status", "/order/total_minor",
        ]),
        value in prop_oneof![
            any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from), Just(Value::Null), Just(json!({})), Just(json!([[]])),
        ],
    ) {
        let _ = parse(&with(order(), pointer, value));
    }
}
