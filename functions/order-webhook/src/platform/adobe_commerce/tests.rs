//! Orders, invoices and credit memos in every envelope; signatures by key and by secret; every order of delivery.

use domain::{Goods, Order, Payment, RefundKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sources::Source;
use crate::tests::life::Life;
use crate::tests::{LOCAL_SOURCES, at, headers, source};

const SIGNED: &str = include_str!("../../../../../events/order-webhook/adobe-commerce-order-saved.json");

fn platform(change: Value) -> Arc<dyn Platform> {
    let mut document = json!({"platform": "adobe_commerce", "secrets": ["a"]});
    for (name, value) in change.as_object().unwrap() {
        document[name] = value.clone();
    }
    set_up(&serde_json::from_value(document).unwrap()).unwrap()
}

fn parse_by(platform: &dyn Platform, body: &Value) -> Result<News, BadInput> {
    let (source, headers, body) = (source("shop"), headers([]), body.to_string());
    let now = at("2026-03-05T10:00:00Z");
    platform.parse(&Delivery { source: &source, headers: &headers, body: body.as_bytes(), now })
}

fn parse(body: &Value) -> Result<News, BadInput> {
    parse_by(&*platform(json!({})), body)
}

fn order(body: &Value) -> Order {
    match parse(body) {
        Ok(News::Order(order)) => order,
        other => panic!("{other:?}"),
    }
}

fn saved(state: &str, updated_at: &str) -> Value {
    json!({
        "entity_id": "8", "increment_id": "000000013", "state": state, "status": "shop's own",
        "created_at": "2026-03-01 09:15:00", "updated_at": updated_at,
        "customer_id": "31", "customer_email": "C-1@example.com", "customer_firstname": "C",
        "order_currency_code": "EUR", "base_currency_code": "USD",
        "subtotal": "50.0000", "discount_amount": "-11.0000", "shipping_discount_amount": "1.0000",
        "tax_amount": 8.82, "shipping_tax_amount": "0.8200", "base_subtotal": 55, "grand_total": "52.9000",
    })
}

fn invoice(created_at: &str) -> Value {
    json!({
        "entity_id": "13", "order_id": 8, "state": "2", "created_at": created_at, "updated_at": created_at,
        "customer_id": 31, "order_currency_code": "EUR", "subtotal": 25, "tax_amount": 4, "discount_amount": 0,
    })
}

fn memo(id: u64, subtotal: &str, created_at: &str) -> Value {
    json!({
        "entity_id": id, "order_id": "8", "state": 2, "created_at": created_at, "order_currency_code": "EUR",
        "subtotal": subtotal, "tax_amount": "0", "discount_amount": 0, "shipping_amount": 0, "adjustment": 0,
    })
}

fn with(body: &Value, change: Value) -> Value {
    let mut changed = body.clone();
    for (name, value) in change.as_object().unwrap() {
        changed[name] = value.clone();
    }
    changed
}

#[test]
fn an_order_is_its_goods_after_discounts_without_shipping_in_its_own_currency() {
    let order = order(&saved("processing", "2026-03-01 09:15:04"));
    assert_eq!((order.key.as_str(), order.placed_at), ("shop#8", at("2026-03-01T09:15:00Z")));
    assert_eq!(order.snapshot.updated_at, at("2026-03-01T09:15:04Z"));
    assert_eq!(order.snapshot.currency.code(), "EUR");
    assert_eq!(order.snapshot.goods, Goods { amount: 4_000, tax: 800, tax_included: false });
    let customer = order.customer.unwrap();
    assert_eq!(customer.id.unwrap().as_str(), "31");
    assert_eq!(
        (customer.contact.email.as_deref(), customer.contact.verified_email()),
        (Some("c-1@example.com"), None)
    );
}

#[test]
fn a_shop_that_shows_prices_with_tax_says_so_in_its_source() {
    let body = saved("processing", "2026-03-01 09:15:04");
    let shown_with_tax = platform(json!({"prices_include_tax": true}));
    let Ok(News::Order(order)) = parse_by(&*shown_with_tax, &body) else { panic!() };
    assert_eq!(order.snapshot.goods, Goods { amount: 4_800, tax: 800, tax_included: true });
    // 10 % off 120.00 with 20.00 of tax in it: 12.00, of which 2.00 are tax.
    let discounted = json!({
        "subtotal": 100, "discount_amount": -12, "discount_tax_compensation_amount": 2, "tax_amount": 18,
        "shipping_discount_amount": null, "shipping_tax_amount": null,
    });
    let Ok(News::Order(order)) = parse_by(&*shown_with_tax, &with(&body, discounted)) else { panic!() };
    assert_eq!(order.snapshot.goods, Goods { amount: 10_800, tax: 1_800, tax_included: true });
}

#[test]
fn the_shops_currency_is_read_where_only_that_is_told() {
    let base = json!({
        "entity_id": 8, "state": "complete", "created_at": "2026-03-01 09:15:00", "base_currency_code": "JPY",
        "base_subtotal": 5000.0, "base_discount_amount": -500, "base_tax_amount": 450, "customer_id": null,
    });
    let order = order(&base);
    assert_eq!((order.snapshot.currency.code(), order.snapshot.goods.amount), ("JPY", 4_500));
    assert!(!order.customer.unwrap().is_known());
}

#[test]
fn a_guest_is_known_by_the_phone_of_the_billing_address_wherever_that_stands() {
    let billing = json!({"address_type": "billing", "telephone": "512-555-1111", "country_id": "US"});
    let shipping = json!({"address_type": "shipping", "telephone": "+33612345678", "country_id": "FR"});
    for addresses in [json!({"billing_address": billing}), json!({"addresses": [shipping, billing]})] {
        let guest = order(&with(&saved("processing", "2026-03-01 09:20:00"), addresses)).customer.unwrap();
        assert_eq!(guest.contact.phone.map(String::from).as_deref(), Some("+15125551111"));
    }
}

#[test]
fn gift_cards_earn_when_they_are_spent_and_not_when_they_are_bought() {
    let items = json!([
        {"product_type": "giftcard", "row_total": "20.0000", "discount_amount": 0, "tax_amount": 0},
        {"product_type": "simple", "row_total": "30.0000", "tax_amount": "8.0000"},
    ]);
    let order = order(&with(&saved("processing", "2026-03-01 09:15:04"), json!({ "items": items })));
    assert_eq!(order.snapshot.goods, Goods { amount: 2_000, tax: 800, tax_included: false });
}

#[test]
fn the_state_says_how_far_an_order_is_paid() {
    let standing = |body: &Value| {
        let order = order(body);
        (order.snapshot.payment, order.snapshot.cancelled)
    };
    for (state, expected) in [
        ("new", (Payment::Unpaid, false)),
        ("pending_payment", (Payment::Unpaid, false)),
        ("payment_review", (Payment::Unpaid, false)),
        ("holded", (Payment::Unpaid, false)),
        ("processing", (Payment::Paid, false)),
        ("complete", (Payment::Paid, false)),
        ("closed", (Payment::Paid, false)),
        ("canceled", (Payment::Unpaid, true)),
    ] {
        let body = saved(state, "2026-03-01 09:15:04");
        assert_eq!(standing(&body), expected, "{state}");
        let by_status = with(&body, json!({"state": null, "status": state}));
        assert_eq!(standing(&by_status), expected, "{state}");
    }
}

#[test]
fn the_share_that_is_paid_is_one_of_the_goods_because_shipping_is_invoiced_first() {
    let payment = |change| order(&with(&saved("complete", "2026-03-01 09:15:04"), change)).snapshot.payment;
    assert_eq!(payment(json!({"total_paid": "20.00"})), Payment::Partial { paid: 2_000, total: 5_290 });
    let shipped = json!({"total_paid": "20.00", "shipping_amount": "4.08", "shipping_discount_amount": 0});
    assert_eq!(payment(shipped), Payment::Partial { paid: 1_510, total: 4_800 }, "4.90 of it are shipping");
    let half = json!({"subtotal": 100, "discount_amount": 0, "grand_total": 110, "shipping_amount": 10,
        "subtotal_invoiced": 50, "subtotal_canceled": 50, "total_canceled": 50, "total_paid": 60});
    assert_eq!(payment(half.clone()), Payment::Partial { paid: 5_000, total: 10_000 });
    let of_half = |change| payment(with(&half, change));
    assert_eq!(
        of_half(json!({"subtotal_invoiced": 100, "total_invoiced": 110, "total_paid": 110})),
        Payment::Paid
    );
    let unpaid = json!({"subtotal_invoiced": 50, "total_invoiced": 60, "total_paid": 30});
    assert_eq!(
        of_half(unpaid),
        Payment::Partial { paid: 2_500, total: 10_000 },
        "half of the invoices is open"
    );
    let discounted = json!({"discount_amount": -40, "discount_invoiced": -10});
    assert_eq!(of_half(discounted), Payment::Partial { paid: 4_000, total: 6_000 }, "by what the goods cost");
    let only_canceled = json!({"subtotal_invoiced": null, "subtotal_canceled": 50});
    assert_eq!(of_half(only_canceled), Payment::Partial { paid: 5_000, total: 10_000 });
    assert_eq!(payment(json!({"subtotal_invoiced": 50, "total_paid": "52.90"})), Payment::Paid);
}

#[test]
fn a_closed_order_says_how_much_was_given_back_where_that_is_not_all() {
    let given_back = |change| {
        let closed = order(&with(&saved("closed", "2026-03-06 09:15:04"), change));
        closed.refunds.values().next().unwrap().goods.amount
    };
    let part = json!({"total_paid": "52.90", "total_refunded": "16.50"});
    assert_eq!(given_back(part.clone()), 1_650);
    let part = |change| given_back(with(&part, change));
    assert_eq!(part(json!({"shipping_refunded": "4.00", "shipping_tax_refunded": "0.50"})), 1_200);
    let exact = json!({"subtotal_refunded": 10, "discount_refunded": "-2.00", "tax_refunded": "2.00",
        "shipping_tax_refunded": "0.50", "adjustment_positive": 1, "adjustment_negative": "0.50"});
    assert_eq!(part(exact), 1_000);
    assert_eq!(part(json!({"total_refunded": "52.90"})), 4_800, "of all that was paid");
    assert_eq!(part(json!({"total_paid": "16.50"})), 4_800, "of all that was paid, though not all was");
    assert_eq!(part(json!({"total_refunded": "0.00"})), 0);
}

#[test]
fn of_a_closed_order_nothing_is_left_though_no_credit_memo_was_told() {
    let closed = order(&saved("closed", "2026-03-06 09:15:04"));
    let refund = closed.refunds.values().next().unwrap();
    assert_eq!((refund.kind, refund.goods.amount), (RefundKind::SoFar, 4_800));
}

#[test]
fn a_paid_invoice_pays_its_order_but_never_holds_against_it() {
    let paid = order(&invoice("2026-03-01 09:15:00"));
    assert_eq!((paid.key.as_str(), paid.snapshot.payment), ("shop#8", Payment::Paid));
    assert_eq!(paid.snapshot.goods, Goods { amount: 2_500, tax: 400, tax_included: false });
    assert!(paid.snapshot.updated_at < order(&saved("new", "2026-03-01 09:15:00")).snapshot.updated_at);
    for state in [1, 3] {
        let open = with(&invoice("2026-03-01 09:15:00"), json!({ "state": state }));
        assert!(matches!(parse(&open), Ok(News::Nothing(_))), "{state}");
    }
}

#[test]
fn a_credit_memo_is_a_refund_of_its_goods_and_adjustments() {
    let goods = |change| match parse(&with(&memo(51, "12.5", "2026-03-05 08:00:00"), change)) {
        Ok(News::Refund { order, id, refund }) => {
            assert_eq!((order.as_str(), id.as_str(), refund.kind), ("shop#8", "51", RefundKind::Goods));
            Some(refund.goods.amount)
        }
        Ok(News::Nothing(_)) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(goods(json!({})), Some(1_250));
    assert_eq!(goods(json!({"discount_amount": 2.5})), Some(1_000));
    assert_eq!(goods(json!({"adjustment_positive": 1, "adjustment_negative": "2.00"})), Some(1_150));
    assert_eq!(
        goods(json!({"subtotal": 0, "shipping_amount": 5, "tax_amount": 1, "shipping_tax_amount": 1})),
        None
    );
    assert_eq!(goods(json!({"state": "1"})), None);
}

#[test]
fn an_adjustment_is_money_with_its_tax_in_it() {
    let given_back = |change| match parse(&with(&memo(51, "100", "2026-03-05 08:00:00"), change)) {
        Ok(News::Refund { refund, .. }) => (refund.kind, refund.goods.amount, refund.goods.tax),
        other => panic!("{other:?}"),
    };
    let kept = json!({"tax_amount": 20, "adjustment_negative": 60});
    assert_eq!(given_back(kept), (RefundKind::Goods, 5_000, 1_000), "60.00 of the 120.00 went back");
    let more = json!({"tax_amount": 20, "adjustment_positive": "12.00"});
    assert_eq!(given_back(more), (RefundKind::Goods, 11_000, 2_200));
    let both = json!({"tax_amount": 20, "adjustment_positive": 12, "adjustment_negative": "-12"});
    assert_eq!(given_back(both), (RefundKind::Goods, 10_000, 2_000), "whatever the sign of the second");
    assert_eq!(given_back(json!({"tax_amount": 20, "adjustment": -60})), (RefundKind::Goods, 5_000, 1_000));
    let gesture = json!({"subtotal": 0, "adjustment_positive": "3.00"});
    assert_eq!(given_back(gesture), (RefundKind::Money, 300, 0), "without goods it stands for itself");
}

#[test]
fn the_adjustments_of_its_credit_memos_do_not_change_an_orders_goods() {
    let adjusted = json!({"adjustment_positive": "5.00", "adjustment_negative": "2.00"});
    let goods = order(&with(&saved("complete", "2026-03-06 09:15:04"), adjusted)).snapshot.goods;
    assert_eq!(goods, Goods { amount: 4_000, tax: 800, tax_included: false });
}

#[test]
fn a_resource_is_found_in_every_envelope() {
    let body = saved("processing", "2026-03-01 09:15:04");
    let name = "com.adobe.commerce.observer.sales_order_save_after";
    for envelope in [
        body.clone(),
        json!({"event_id": "1", "event": {"data": {"value": body}}}),
        json!({"type": name, "data": {"key": "1", "value": body}}),
        json!({"type": "com.adobe.commerce.stage.observer.sales_order_place_after", "data": {"value": {"order": body}}}),
        json!({"type": "sales.order.updated", "data": body}),
        json!({"type": "com.adobe.commerce.our_paid_orders", "data": {"value": body}}),
    ] {
        assert_eq!(order(&envelope).key.as_str(), "shop#8", "{envelope}");
    }
    let memo = memo(51, "1", "2026-03-05 08:00:00");
    for name in ["com.adobe.commerce.observer.sales_order_creditmemo_save_after", "sales.creditmemo.created"]
    {
        assert!(matches!(parse(&json!({"type": name, "data": memo})), Ok(News::Refund { .. })), "{name}");
    }
}

#[test]
fn other_events_are_of_no_interest() {
    for body in [
        json!({"type": "com.adobe.commerce.observer.customer_save_commit_after", "data": {"value": {"id": 1}}}),
        json!({"type": "customer.created", "data": {"id": 1, "email": "c-1@example.com"}}),
        json!({"type": "com.adobe.commerce.observer.sales_order_shipment_save_after", "data": {"value": {"order_id": 8}}}),
        json!({"order_id": 8, "entity_id": 3, "total_qty": 1}),
        json!({"id": 1, "sku": "SKU-1"}),
        json!({}),
    ] {
        assert!(matches!(parse(&body), Ok(News::Nothing(_))), "{body}");
    }
}

#[test]
fn an_error_says_which_field_is_missing_or_wrong_and_repeats_nothing() {
    let error =
        |change| parse(&with(&saved("complete", "2026-03-01 09:15:04"), change)).unwrap_err().to_string();
    assert_eq!(error(json!({"entity_id": null})), "entity_id: is missing; subscribe to this field");
    assert_eq!(error(json!({"created_at": null})), "created_at: is missing; subscribe to this field");
    for change in [
        json!({"subtotal": "private"}),
        json!({"updated_at": "private"}),
        json!({"customer_id": ["private"]}),
    ] {
        let text = error(change);
        assert!(!text.contains("private"), "{text}");
    }
    assert!(parse(&json!([])).is_err());
}

/// The sample event, signed by the local key, at a source without a secret.
struct Sample {
    source: Source,
    headers: Vec<(String, String)>,
    body: String,
}

impl Sample {
    fn new() -> Self {
        let sources: toml::Table = toml::from_str(LOCAL_SOURCES).unwrap();
        let mut document = serde_json::to_value(&sources["adobe-main"]).unwrap();
        document["secrets"] = json!([]);
        let event: Value = serde_json::from_str(SIGNED).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let headers = event["headers"].as_object().unwrap();
        Self {
            source: Source::new(&serde_json::from_value(document).unwrap()).unwrap(),
            headers: headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            body: text(&event["body"]),
        }
    }

    fn verify(&self) -> Result<(), Refusal> {
        let headers = headers(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let (source, body) = (source("adobe-main"), self.body.as_bytes());
        self.source.verify(&Delivery {
            source: &source,
            headers: &headers,
            body,
            now: at("2026-03-01T10:00:00Z"),
        })
    }

    fn signature(&mut self) -> &mut (String, String) {
        self.headers.iter_mut().find(|(name, _)| name == SIGNATURES[0]).unwrap()
    }
}

#[test]
fn adobes_signature_holds_in_either_header_and_for_the_bytes_that_were_signed() {
    let mut sample = Sample::new();
    assert_eq!(sample.verify(), Ok(()));
    sample.signature().0 = SIGNATURES[1].to_owned();
    assert_eq!(sample.verify(), Ok(()), "alone in the second header");
    sample.body.push(' ');
    assert_eq!(sample.verify(), Err(Refusal::Mismatch));
}

#[test]
fn a_signature_that_is_missing_or_another_is_refused() {
    let mut sample = Sample::new();
    sample.signature().1 = "AAAA".to_owned();
    assert_eq!(sample.verify(), Err(Refusal::Mismatch));
    sample.headers.retain(|(name, _)| name != SIGNATURES[0]);
    assert_eq!(sample.verify(), Err(Refusal::Missing(SIGNATURES[0])));
    sample.headers.push((SHARED_SIGNATURE.to_owned(), "0".repeat(64)));
    assert_eq!(sample.verify(), Err(Refusal::Missing(SIGNATURES[0])), "there is no secret to sign with");
}

#[test]
fn an_event_for_another_of_adobes_customers_is_refused() {
    let text = LOCAL_SOURCES.replace("laurel-local-client", "another-client");
    let sources: toml::Table = toml::from_str(&text).unwrap();
    let mut sample = Sample::new();
    sample.source = Source::new(&sources["adobe-main"].clone().try_into().unwrap()).unwrap();
    assert!(matches!(sample.verify(), Err(Refusal::Missing(SHARED_SIGNATURE))), "the secret is tried too");
    let mut document = serde_json::to_value(&sources["adobe-main"]).unwrap();
    document["secrets"] = json!([]);
    sample.source = Source::new(&serde_json::from_value(document).unwrap()).unwrap();
    assert_eq!(sample.verify(), Err(Refusal::Recipient));
}

/// Everything told of one order: placed, paid, given back in parts, closed.
fn life() -> Life {
    let events = vec![
        saved("new", "2026-03-01 09:15:00"),
        invoice("2026-03-01 09:15:00"),
        saved("processing", "2026-03-01 09:15:00"),
        saved("complete", "2026-03-03 10:00:00"),
        memo(51, "12.5000", "2026-03-05 08:00:00"),
        memo(52, "27.5000", "2026-03-06 08:00:00"),
        saved("closed", "2026-03-06 08:00:00"),
    ];
    Life { order: "shop#8", events, parse }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn an_order_ends_the_same_in_whatever_order_and_however_often_it_is_told(delivered in life().deliveries()) {
        life().check(delivered);
    }
}
