//! Shopify's bodies: money before and after refunds, what is paid, and who bought.

use domain::{Goods, RefundKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::tests::{at, headers, source};

fn parse_bytes(topic: &str, body: &[u8]) -> Result<News, BadInput> {
    let (source, headers) = (source("shop"), headers([(TOPIC, topic)]));
    Shopify { country: Country::of("FR"), access: None }.parse(&Delivery {
        source: &source,
        headers: &headers,
        body,
        now: at("2026-03-01T10:00:00Z"),
    })
}

fn order(body: &Value) -> Order {
    match parse_bytes("orders/updated", body.to_string().as_bytes()) {
        Ok(News::Order(order)) => order,
        other => panic!("{other:?}"),
    }
}

fn refund(body: &Value) -> Refund {
    match parse_bytes("refunds/create", body.to_string().as_bytes()) {
        Ok(News::Refund { refund, .. }) => refund,
        other => panic!("{other:?}"),
    }
}

/// Two pieces at 30.00 with 20 % tax within, of which `kept` are left.
fn tea(kept: u32) -> Value {
    json!({"id": 11, "quantity": 2, "current_quantity": kept, "price": "30.00", "tax_lines": [{"price": "10.00", "rate": 0.2}]})
}

fn body() -> Value {
    json!({
        "id": 9_007_199_254_740_993_u64,
        "created_at": "2026-03-01T10:00:00+01:00",
        "updated_at": "2026-03-01T10:05:00+01:00",
        "currency": "EUR",
        "financial_status": "paid",
        "taxes_included": true,
        "current_subtotal_price": "60.00",
        "subtotal_price": "60.00",
        "total_price": "64.90",
        "line_items": [tea(2)],
        "refunds": [],
        "customer": {"id": 5, "email": "c-2@example.com", "verified_email": true, "first_name": " "},
        "customer_locale": "fr-FR",
    })
}

#[test]
fn discount_codes_like_ours_are_coupons() {
    let mut body = body();
    body["discount_codes"] =
        json!([{"code": "qjj3-2d2s-gbjx", "amount": "5.00", "type": "fixed_amount"}, {"code": "WELCOME"}]);
    let coupons = order(&body).snapshot.coupons;
    assert_eq!(coupons.iter().map(|code| code.as_str()).collect::<Vec<_>>(), ["QJJ3-2D2S-GBJX"]);
}

#[test]
fn the_phone_is_the_customers_else_the_orders_and_never_an_addresss() {
    let phone = |customer: &str, orders: &str| {
        let mut body = body();
        body["customer"]["phone"] = json!(customer);
        body["phone"] = json!(orders);
        body["shipping_address"] = json!({"phone": "+33698765432"});
        order(&body).customer.unwrap().contact.phone.map(String::from)
    };
    assert_eq!(phone("06 12 34 56 78", "+33687654321").as_deref(), Some("+33612345678"));
    assert_eq!(phone("", "06 87 65 43 21").as_deref(), Some("+33687654321"));
    assert_eq!(phone("", "none"), None);
}

#[test]
fn a_customers_contact_is_told_and_an_order_passes_for_none() {
    let customer = json!({
        "id": 7, "email": "New@example.com", "verified_email": false, "first_name": "N", "updated_at": "2026-03-02T10:00:00Z",
    });
    let told = parse_bytes("customers/update", customer.to_string().as_bytes());
    let Ok(News::Contact { customer, .. }) = told else { panic!("{told:?}") };
    assert_eq!(customer.id.unwrap().as_str(), "7");
    assert_eq!(
        (customer.contact.email.as_deref(), customer.contact.email_verified),
        (Some("new@example.com"), false)
    );
    assert!(parse_bytes("customers/update", body().to_string().as_bytes()).is_err());
}

#[test]
fn an_order_tells_whether_the_customer_wants_messages() {
    let told = |customer: Value, buyer: Value| {
        let mut body = body();
        let fields = customer.as_object().unwrap().clone();
        body["customer"].as_object_mut().unwrap().extend(fields);
        body["buyer_accepts_marketing"] = buyer;
        order(&body).customer.unwrap().contact.consent
    };
    let state = |state: &str| json!({"state": state, "opt_in_level": null, "consent_updated_at": null});
    for (customer, buyer, expected) in [
        (json!({}), json!(null), None),
        (json!({}), json!(true), Some(true)),
        (json!({}), json!(false), Some(false)),
        (json!({"email_marketing_consent": state("subscribed")}), json!(false), Some(true)),
        (json!({"email_marketing_consent": state("unsubscribed")}), json!(true), Some(false)),
        (json!({"email_marketing_consent": state("not_subscribed")}), json!(null), Some(false)),
        (json!({"email_marketing_consent": null, "accepts_marketing": true}), json!(null), Some(true)),
        (json!({"sms_marketing_consent": state("unsubscribed")}), json!(null), Some(false)),
        (
            json!({"email_marketing_consent": state("unsubscribed"), "sms_marketing_consent": state("subscribed")}),
            json!(null),
            Some(false),
        ),
    ] {
        assert_eq!(told(customer.clone(), buyer.clone()), expected, "{customer} {buyer}");
    }
}

#[test]
fn a_customer_tells_whether_they_want_messages_and_so_does_a_topic_of_its_own() {
    let contact = |topic: &str, body: Value| match parse_bytes(topic, body.to_string().as_bytes()) {
        Ok(News::Contact { customer, at }) => Some((customer.contact.consent, at)),
        _ => None,
    };
    let told_at = at("2026-03-02T10:00:00Z");
    let consent = |state: &str| json!({"state": state, "consent_updated_at": "2026-03-02T11:00:00+01:00"});
    let customer = json!({
        "id": 7, "updated_at": "2026-03-02T10:00:00Z", "email_marketing_consent": consent("unsubscribed"),
    });
    assert_eq!(contact("customers/update", customer), Some((Some(false), told_at)));
    let of_its_own = |state: &str| json!({"customer_id": 7, "email_id": 1, "email_address": "a@example.com", "email_marketing_consent": consent(state)});
    for topic in ["customers_email_marketing_consent/update", "customers/email_marketing_consent_update"] {
        assert_eq!(contact(topic, of_its_own("SUBSCRIBED")), Some((Some(true), told_at)));
        assert_eq!(contact(topic, of_its_own("unsubscribed")), Some((Some(false), told_at)));
        let never_asked = json!({"customer_id": 7, "email_marketing_consent": {"state": "not_subscribed", "consent_updated_at": null}});
        assert_eq!(contact(topic, never_asked), None);
    }
}

#[test]
fn a_merge_is_told_once_it_is_done() {
    let merge = |status: &str, kept: &str| {
        let body = json!({
            "admin_graphql_api_customer_kept_id": kept,
            "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/9007199254740993",
            "admin_graphql_api_job_id": null, "status": status, "errors": [],
        });
        parse_bytes("customers/merge", body.to_string().as_bytes())
    };
    let Ok(News::Merge { merge: told, .. }) = merge("completed", "gid://shopify/Customer/1") else {
        panic!()
    };
    assert_eq!((told.kept.as_str(), told.deleted.as_str()), ("1", "9007199254740993"));
    assert!(matches!(merge("failed", "gid://shopify/Customer/1"), Ok(News::Nothing(_))));
    assert!(merge("completed", "gid://shopify/Order/1").is_err());
}

/// One of the two pieces given back.
fn tea_back() -> Value {
    json!({
        "id": 21, "order_id": 9_007_199_254_740_993_u64, "created_at": "2026-03-05T10:00:00+01:00",
        "refund_line_items": [{
            "line_item_id": 11, "quantity": 1, "subtotal": 30.0, "total_tax": 5, "line_item": tea(1),
            "subtotal_set": {"shop_money": {"amount": "30.00", "currency_code": "EUR"}},
        }],
        "transactions": [{"status": "success", "amount": "30.00", "currency": "EUR"}],
    })
}

fn with(mut document: Value, field: &str, value: Value) -> Value {
    document[field] = value;
    document
}

fn taxed(amount: i64, tax: i64) -> Goods {
    Goods { amount, tax, tax_included: true }
}

#[test]
fn an_order_is_read_whole() {
    let order = order(&body());
    assert_eq!(order.key.as_str(), "shop#9007199254740993");
    assert_eq!(order.placed_at, at("2026-03-01T09:00:00Z"));
    assert_eq!(order.snapshot.updated_at, at("2026-03-01T09:05:00Z"));
    assert_eq!(order.snapshot.goods, taxed(6_000, 1_000));
    assert_eq!(order.snapshot.payment, Payment::Paid);
    let customer = order.customer.unwrap();
    assert_eq!(customer.id.unwrap().as_str(), "5");
    assert_eq!(customer.contact.verified_email(), Some("c-2@example.com"));
    assert_eq!((customer.contact.name, customer.contact.locale.as_deref()), (None, Some("fr-FR")));
}

#[test]
fn an_imported_order_is_dated_as_it_was_placed() {
    let imported = with(body(), "processed_at", json!("2025-12-24T18:00:00+01:00"));
    assert_eq!(order(&imported).placed_at, at("2025-12-24T17:00:00Z"));
}

#[test]
fn goods_are_told_before_refunds_and_each_refund_for_itself() {
    let refunded = with(body(), "current_subtotal_price", json!("30.00"));
    let refunded = with(with(refunded, "line_items", json!([tea(1)])), "refunds", json!([tea_back()]));
    let order = order(&with(refunded, "financial_status", json!("partially_refunded")));
    assert_eq!(order.snapshot.goods, taxed(6_000, 1_000));
    assert_eq!(order.snapshot.payment, Payment::Paid);
    let within: Vec<_> = order.refunds.iter().map(|(id, refund)| (id.as_str(), refund.clone())).collect();
    assert_eq!(within, [("21", refund(&tea_back()))], "alone it is read as within its order");
    assert_eq!(within[0].1.goods, taxed(3_000, 500));
}

#[test]
fn what_was_taken_out_of_an_order_is_no_part_of_it() {
    let edited = with(body(), "current_subtotal_price", json!("30.00"));
    assert_eq!(order(&with(edited, "line_items", json!([tea(1)]))).snapshot.goods, taxed(3_000, 500));
}

#[test]
fn an_old_version_of_the_api_tells_only_what_was_ordered() {
    let old = with(with(body(), "current_subtotal_price", Value::Null), "refunds", json!([tea_back()]));
    assert_eq!(order(&old).snapshot.goods, taxed(6_000, 1_000));
}

#[test]
fn goods_of_less_than_nothing_are_none() {
    let below = with(body(), "current_subtotal_price", json!("-10.00"));
    assert_eq!(order(&below).snapshot.goods, taxed(0, 0));
}

#[test]
fn a_gift_card_is_no_goods_neither_bought_nor_given_back() {
    let card = json!({"id": 12, "quantity": 1, "current_quantity": 1, "price": "25.00", "gift_card": true,
        "discount_allocations": [{"amount": "5.00"}]});
    let bought = with(body(), "current_subtotal_price", json!("80.00"));
    assert_eq!(order(&with(bought, "line_items", json!([tea(2), card]))).snapshot.goods, taxed(6_000, 1_000));

    let card = with(card, "current_quantity", json!(0));
    let card_back =
        json!({"line_item_id": 12, "quantity": 1, "subtotal": 20, "total_tax": 0, "line_item": card});
    let back = with(tea_back(), "refund_line_items", json!([tea_back()["refund_line_items"][0], card_back]));
    let refunded = with(with(body(), "current_subtotal_price", json!("30.00")), "refunds", json!([back]));
    let order = order(&with(refunded, "line_items", json!([tea(1), card])));
    assert_eq!(order.snapshot.goods, taxed(6_000, 1_000));
    assert_eq!(refund(&back).goods, taxed(3_000, 500));
}

#[test]
fn a_discrepancy_says_how_much_was_really_given_back() {
    let adjusted = |amount: &str| {
        with(
            tea_back(),
            "order_adjustments",
            json!([
                {"kind": "refund_discrepancy", "amount": amount},
                {"kind": "shipping_refund", "amount": "-4.90"},
            ]),
        )
    };
    assert_eq!(refund(&adjusted("-6.00")).goods, taxed(3_600, 600), "more than the line");
    assert_eq!(refund(&adjusted("15.00")).goods, taxed(1_500, 250), "half of the line");
    let nothing = parse_bytes("refunds/create", adjusted("99.00").to_string().as_bytes());
    assert!(matches!(nothing, Ok(News::Nothing(_))), "never less than nothing");
}

#[test]
fn a_gesture_without_goods_is_a_refund() {
    let gesture = with(
        with(tea_back(), "refund_line_items", json!([])),
        "order_adjustments",
        json!([
            {"kind": "refund_discrepancy", "amount": "-10.00"},
        ]),
    );
    let gesture = refund(&gesture);
    assert_eq!((gesture.kind, gesture.goods), (RefundKind::Money, Goods::untaxed(1_000)), "its tax is in it");
}

/// So much shipping, as its own line tells it.
fn shipping(amount: &str) -> Value {
    let money = |amount: &str| json!({"shop_money": {"amount": amount, "currency_code": "EUR"}});
    json!([{"subtotal_amount_set": money(amount), "tax_amount_set": money("0.00")}])
}

#[test]
fn the_part_of_a_discrepancy_that_is_of_the_shipping_takes_nothing_off_the_goods() {
    let of = |adjustments: Value, given_back: &str, money: &str| {
        let back = with(tea_back(), "order_adjustments", adjustments);
        let back = with(back, "refund_shipping_lines", shipping(given_back));
        let transactions =
            json!([{"kind": "refund", "status": "success", "amount": money, "currency": "EUR"}]);
        refund(&with(back, "transactions", transactions)).goods
    };
    let short = |amount: &str| json!({"kind": "refund_discrepancy", "amount": amount});
    let all = json!({"kind": "shipping_refund", "amount": "-3.47"});
    assert_eq!(
        of(json!([all, short("2.60")]), "0.87", "30.87"),
        taxed(3_000, 500),
        "all of it is shipping's"
    );
    assert_eq!(
        of(json!([all, short("8.60")]), "0.87", "24.87"),
        taxed(2_400, 400),
        "6.00 of it are the goods'"
    );
    assert_eq!(
        of(json!([all, short("6.00")]), "3.47", "27.47"),
        taxed(2_400, 400),
        "all of it is the goods'"
    );
    assert_eq!(of(json!([{"amount": "2.60"}]), "0.87", "30.87"), taxed(3_000, 500), "without a kind");
    assert_eq!(
        of(json!([{"amount": "6.00"}]), "3.47", "27.47"),
        taxed(2_400, 400),
        "without a kind, the goods'"
    );
}

#[test]
fn an_adjustment_without_a_kind_is_of_shipping_where_its_reason_says_so() {
    let back =
        with(tea_back(), "order_adjustments", json!([{"reason": "Shipping refund", "amount": "-4.90"}]));
    assert_eq!(refund(&back).goods, taxed(3_000, 500));
    let in_set = json!([{"amount_set": {"shop_money": {"amount": "-6.00", "currency_code": "EUR"}}}]);
    assert_eq!(refund(&with(tea_back(), "order_adjustments", in_set)).goods, taxed(3_600, 600));
}

#[test]
fn shipping_and_duties_given_back_are_no_goods_but_part_of_what_was_to_be_paid() {
    let back = with(tea_back(), "refund_shipping_lines", shipping("4.90"));
    let duty =
        json!([{"duty_id": 1, "amount_set": {"shop_money": {"amount": "2.00", "currency_code": "EUR"}}}]);
    let back = with(back, "duties", duty);
    assert_eq!(refund(&back).goods, taxed(3_000, 500));
    let payment = tea_back_of("10.00", back.clone()).snapshot.payment;
    assert_eq!(payment, Payment::Partial { paid: 6_180, total: 7_180 });
    let alone = with(back, "refund_line_items", json!([]));
    assert!(matches!(parse_bytes("refunds/create", alone.to_string().as_bytes()), Ok(News::Nothing(_))));
}

#[test]
fn a_tip_is_no_goods_neither_given_nor_given_back() {
    let tip = json!({"id": 13, "quantity": 1, "current_quantity": 1, "price": "6.00", "tip_payment_gateway": "cash"});
    let tipped = |subtotal: &str| {
        let tipped = with(body(), "line_items", json!([tea(2), tip]));
        order(&with(tipped, "current_subtotal_price", json!(subtotal))).snapshot.goods
    };
    assert_eq!(tipped("60.00"), taxed(6_000, 1_000), "as Shopify documents the subtotal");
    assert_eq!(tipped("66.00"), taxed(6_000, 1_000), "where the subtotal has it");
    let tip_back =
        json!({"line_item_id": 13, "quantity": 1, "subtotal": 6, "total_tax": 0, "line_item": tip});
    let back = json!([tea_back()["refund_line_items"][0], tip_back]);
    assert_eq!(refund(&with(tea_back(), "refund_line_items", back)).goods, taxed(3_000, 500));
}

#[test]
fn an_exchange_keeps_the_points_of_what_is_paid_while_the_new_goods_are_not() {
    // 30.00 of the 60.00 came back, goods of 45.00 went out, and 15.00 are still owed.
    let new = json!({"id": 12, "quantity": 1, "current_quantity": 1, "price": "45.00", "tax_lines": [{"price": "7.50"}]});
    let back = with(tea_back(), "transactions", json!([]));
    let exchanged = with(with(body(), "line_items", json!([tea(1), new])), "refunds", json!([back]));
    let exchanged = with(exchanged, "current_subtotal_price", json!("75.00"));
    let exchanged = with(exchanged, "current_total_price", json!("79.90"));
    let told = |status: &str, outstanding: &str| {
        let told = with(exchanged.clone(), "total_outstanding", json!(outstanding));
        order(&with(told, "financial_status", json!(status)))
    };
    let in_between = told("partially_paid", "15.00");
    assert_eq!(in_between.snapshot.goods, taxed(10_500, 1_750));
    assert_eq!(in_between.snapshot.payment, Payment::Partial { paid: 9_490, total: 10_990 });
    assert_eq!(told("paid", "0.00").snapshot.payment, Payment::Paid);
    assert_eq!(in_between.refunds.values().map(|refund| refund.goods.amount).sum::<i64>(), 3_000);
}

#[test]
fn a_refund_of_shipping_alone_is_of_no_interest() {
    let shipping = with(
        with(tea_back(), "refund_line_items", json!([])),
        "order_adjustments",
        json!([
            {"kind": "shipping_refund", "amount": "-4.90"},
        ]),
    );
    assert!(matches!(parse_bytes("refunds/create", shipping.to_string().as_bytes()), Ok(News::Nothing(_))));
}

#[test]
fn money_on_its_way_back_counts_as_given_back() {
    let pending = |currency: &str| {
        let pending = json!([{"status": "pending", "amount": "30.00", "currency": currency}]);
        with(
            with(tea_back(), "transactions", pending),
            "order_adjustments",
            json!([
                {"kind": "refund_discrepancy", "amount": "30.00"},
            ]),
        )
    };
    assert_eq!(refund(&pending("EUR")).goods, taxed(3_000, 500));
    assert_eq!(refund(&pending("JPY")).goods, taxed(3_000, 500), "in whatever currency it goes");
}

#[test]
fn a_refund_whose_every_transaction_failed_gives_nothing_back() {
    let failed = with(tea_back(), "transactions", json!([{"status": "failure"}, {"status": "error"}]));
    assert!(matches!(parse_bytes("refunds/create", failed.to_string().as_bytes()), Ok(News::Nothing(_))));
    let refunded = with(with(body(), "current_subtotal_price", json!("30.00")), "refunds", json!([failed]));
    let order = order(&with(refunded, "line_items", json!([tea(1)])));
    assert_eq!(order.snapshot.goods, taxed(6_000, 1_000));
    assert!(
        order.refunds.values().all(|refund| refund.goods.amount == 0),
        "also if it was told while pending"
    );
}

#[test]
fn a_refund_alone_tells_by_its_rates_whether_tax_is_included() {
    let line =
        json!({"id": 11, "quantity": 1, "price": "30.00", "tax_lines": [{"price": "6.00", "rate": 0.2}]});
    let on_top = with(
        tea_back(),
        "refund_line_items",
        json!([
            {"line_item_id": 11, "quantity": 1, "subtotal": 30, "total_tax": "6.00", "line_item": line},
        ]),
    );
    assert_eq!(refund(&on_top).goods, Goods { amount: 3_000, tax: 600, tax_included: false });
    assert_eq!(refund(&tea_back()).goods, taxed(3_000, 500));
}

#[test]
fn amounts_out_of_all_proportion_are_malformed_and_no_panic() {
    let mut absurd = tea_back();
    absurd["refund_line_items"][0]["subtotal"] = json!("0.01");
    absurd["refund_line_items"][0]["total_tax"] = json!("1000000000000000");
    absurd["order_adjustments"] = json!([{"kind": "refund_discrepancy", "amount": "-1000000000000000"}]);
    let mut whole = body();
    whole["refunds"] = json!([absurd.clone()]);
    for (topic, body) in [("refunds/create", &absurd), ("orders/updated", &whole)] {
        let error = parse_bytes(topic, body.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("order_adjustments"), "{error}");
    }
}

#[test]
fn a_refund_whose_currency_nothing_tells_is_malformed() {
    let mut unknown = with(tea_back(), "transactions", json!([]));
    unknown["refund_line_items"][0]["subtotal_set"] = Value::Null;
    let error = parse_bytes("refunds/create", unknown.to_string().as_bytes()).unwrap_err();
    assert!(error.to_string().contains("currency"), "{error}");
}

#[test]
fn every_financial_status_has_its_payment() {
    for (status, payment) in [
        ("paid", Payment::Paid),
        ("partially_refunded", Payment::Paid),
        ("refunded", Payment::Paid),
        ("pending", Payment::Unpaid),
        ("authorized", Payment::Unpaid),
        ("expired", Payment::Unpaid),
        ("voided", Payment::Unpaid),
    ] {
        let snapshot = order(&with(body(), "financial_status", json!(status))).snapshot;
        assert_eq!((snapshot.payment, snapshot.cancelled), (payment, status == "voided"), "{status}");
    }
    assert_eq!(order(&with(body(), "financial_status", Value::Null)).snapshot.payment, Payment::Unpaid);
}

#[test]
fn a_part_that_is_paid_is_a_share_of_the_total() {
    let part = with(body(), "financial_status", json!("partially_paid"));
    let paid = |outstanding: &str| {
        order(&with(part.clone(), "total_outstanding", json!(outstanding))).snapshot.payment
    };
    assert_eq!(paid("44.90"), Payment::Partial { paid: 2_000, total: 6_490 });
    assert_eq!(paid("64.90"), Payment::Unpaid);
    assert_eq!(paid("0.00"), Payment::Paid);
}

/// Of 64.90 with shipping, one piece of 30.00 came back, so 34.90 is the total now.
fn tea_back_of(outstanding: &str, back: Value) -> Order {
    let refunded = with(with(body(), "line_items", json!([tea(1)])), "refunds", json!([back]));
    let refunded =
        with(with(refunded, "current_subtotal_price", json!("30.00")), "current_total_price", json!("34.90"));
    let refunded = with(refunded, "total_outstanding", json!(outstanding));
    order(&with(refunded, "financial_status", json!("partially_refunded")))
}

#[test]
fn an_order_paid_in_part_stays_so_when_it_is_refunded() {
    // 32.45 were paid, of which the 30.00 went back.
    let paid_back = tea_back_of("32.45", tea_back());
    assert_eq!(paid_back.snapshot.payment, Payment::Partial { paid: 3_245, total: 6_490 });
    // They did not, so only 2.45 of what is left are still to be paid.
    let unpaid = tea_back_of("2.45", with(tea_back(), "transactions", json!([])));
    assert_eq!(unpaid.snapshot.payment, Payment::Partial { paid: 6_245, total: 6_490 });
    assert_eq!(tea_back_of("0.00", tea_back()).snapshot.payment, Payment::Paid);
    assert_eq!(tea_back_of("-3.00", tea_back()).snapshot.payment, Payment::Paid, "the shop owes");
}

#[test]
fn the_total_before_refunds_has_all_that_was_given_back_and_nothing_that_was_taken_out() {
    let refund = |adjustments: Value| with(tea_back(), "order_adjustments", adjustments);
    for (back, total) in [
        (refund(json!([{"kind": "shipping_refund", "amount": "-4.90", "tax_amount": "-0.82"}])), 6_980),
        (refund(json!([{"kind": "refund_discrepancy", "amount": "10.00"}])), 5_490),
        (with(tea_back(), "transactions", json!([{"status": "failure"}])), 3_490),
    ] {
        let payment = tea_back_of("10.00", back).snapshot.payment;
        assert_eq!(payment, Payment::Partial { paid: total - 1_000, total });
    }
    let on_top = with(
        tea_back(),
        "order_adjustments",
        json!([{"kind": "shipping_refund", "amount": "-4.90", "tax_amount": "-0.98"}]),
    );
    let part = with(with(body(), "refunds", json!([on_top])), "financial_status", json!("partially_paid"));
    let part = with(with(part, "current_total_price", json!("24.12")), "total_outstanding", json!("15.00"));
    let payment = order(&with(part, "taxes_included", json!(false))).snapshot.payment;
    assert_eq!(payment, Payment::Partial { paid: 5_000, total: 6_500 }, "with the tax on top");
    let edited = with(
        with(body(), "current_total_price", json!("34.90")),
        "financial_status",
        json!("partially_paid"),
    );
    let payment = order(&with(edited, "total_outstanding", json!("10.00"))).snapshot.payment;
    assert_eq!(payment, Payment::Partial { paid: 2_490, total: 3_490 });
}

#[test]
fn a_cancelled_or_a_test_order_says_so() {
    assert!(order(&with(body(), "cancelled_at", json!("2026-03-02T10:00:00+01:00"))).snapshot.cancelled);
    assert!(!order(&with(body(), "cancelled_at", Value::Null)).snapshot.cancelled);
    assert!(order(&with(body(), "test", json!(true))).snapshot.test);
}

#[test]
fn only_the_customers_own_address_can_be_verified() {
    let typed = with(body(), "email", json!("typed@example.com"));
    let customer = order(&with(typed, "customer", json!({"id": 5, "email": null, "verified_email": true})));
    let contact = customer.customer.unwrap().contact;
    assert_eq!(contact.email.as_deref(), Some("typed@example.com"));
    assert_eq!(contact.verified_email(), None);
    assert_eq!(order(&with(body(), "customer", Value::Null)).customer, None);
}

#[test]
fn a_deleted_order_tells_only_its_number() {
    let deleted = parse_bytes("orders/delete", br#"{"id":820982911946154508}"#);
    let key = OrderKey::new("shop#820982911946154508").unwrap();
    assert_eq!(deleted, Ok(News::Deleted { order: key, at: at("2026-03-01T10:00:00Z") }));
    let whole = parse_bytes("orders/delete", body().to_string().as_bytes());
    assert!(whole.is_err(), "a whole order under this topic was sent under another");
}

#[test]
fn every_topic_that_has_the_order_is_read_and_what_changes_no_points_is_let_pass() {
    for topic in ["create", "paid", "updated", "cancelled", "fulfilled", "partially_fulfilled"] {
        let news = parse_bytes(&format!("orders/{topic}"), body().to_string().as_bytes());
        assert!(matches!(news, Ok(News::Order(_))), "{topic}");
    }
    for topic in [
        "orders/edited",
        "orders/risk_assessment_changed",
        "orders/shopify_protect_eligibility_changed",
        "orders/link_requested",
        "order_transactions/create",
    ] {
        assert!(matches!(parse_bytes(topic, b"{}"), Ok(News::Nothing(_))), "{topic}");
    }
}

#[test]
fn a_body_of_another_topic_is_malformed() {
    assert!(parse_bytes("refunds/create", body().to_string().as_bytes()).is_err());
    assert!(parse_bytes("orders/paid", tea_back().to_string().as_bytes()).is_err());
    let (source, headers) = (source("shop"), headers([]));
    let delivery =
        Delivery { source: &source, headers: &headers, body: b"{}", now: at("2026-03-01T10:00:00Z") };
    assert_eq!(
        Shopify::default().parse(&delivery).unwrap_err().to_string(),
        "X-Shopify-Topic: the header is missing"
    );
}

#[test]
fn more_refunds_than_an_order_may_have_are_refused() {
    let refunds: Vec<_> = (0..=MAX_REFUNDS_PER_ORDER).map(|id| with(tea_back(), "id", json!(id))).collect();
    let body = with(body(), "refunds", json!(refunds));
    assert!(parse_bytes("orders/updated", body.to_string().as_bytes()).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse_bytes("orders/paid", &bytes);
        let _ = parse_bytes("refunds/create", &bytes);
    }

    #[test]
    fn no_amounts_make_the_parser_panic(
        amounts in proptest::array::uniform4(prop_oneof![
            any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from), Just(Value::Null),
            (any::<i128>(), 0_usize..29).prop_map(|(number, scale)| json!(format!("{number}.{}", "9".repeat(scale)))),
            Just(json!("1000000000000000")), Just(json!("-0.0000000000000000000000000001")),
        ]),
        pieces in proptest::array::uniform3(any::<u32>().prop_map(|pieces| pieces % 1_000_002)),
    ) {
        let [price, tax, rate, subtotal] = amounts;
        let line = json!({"id": 11, "quantity": pieces[0], "current_quantity": pieces[1], "price": price,
            "gift_card": pieces[2] % 2 == 0, "tax_lines": [{"price": tax, "rate": rate}],
            "discount_allocations": [{"amount": subtotal}]});
        let back = json!({"id": 21, "order_id": 1, "created_at": "2026-03-05T10:00:00Z", "refund_line_items": [
            {"line_item_id": 11, "quantity": pieces[2], "subtotal": subtotal, "total_tax": tax, "line_item": line}],
            "order_adjustments": [{"amount": price}],
            "transactions": [{"status": "pending", "amount": rate, "currency": "EUR"}]});
        let _ = parse_bytes("refunds/create", back.to_string().as_bytes());
        let lines = vec![line; 50];
        let order = with(with(body(), "line_items", json!(lines)), "refunds", json!(vec![back; 50]));
        let _ = parse_bytes("orders/paid", with(order, "current_subtotal_price", subtotal).to_string().as_bytes());
    }
}
