//! One sale as Stripe tells it: old versions of the API and new ones, and every order of delivery.

use domain::{Customer, Goods, Order, Payment, Refund, RefundId, RefundKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::tests::life::Life;
use crate::tests::{at, embedded_store, headers, source};

const CREATED: i64 = 1_772_356_530;

fn event(kind: &str, created: i64, object: Value) -> Value {
    json!({"type": kind, "created": created, "livemode": true, "data": {"object": object}})
}

fn parse(event: &Value) -> Result<News, BadInput> {
    let (source, headers, body) = (source("shop"), headers([]), event.to_string());
    let now = at("2026-03-01T10:00:00Z");
    Stripe::default().parse(&Delivery { source: &source, headers: &headers, body: body.as_bytes(), now })
}

fn order(event: &Value) -> Order {
    match parse(event) {
        Ok(News::Order(order)) => order,
        other => panic!("{other:?}"),
    }
}

fn is_nothing(event: &Value) -> bool {
    matches!(parse(event), Ok(News::Nothing(_)))
}

fn session() -> Value {
    event(
        "checkout.session.completed",
        CREATED + 20,
        json!({
            "id": "cs_1", "created": CREATED, "mode": "payment", "payment_status": "paid", "payment_intent": "pi_1",
            "invoice": null, "currency": "eur", "amount_subtotal": 5000, "amount_total": 5990,
            "total_details": {"amount_discount": 500, "amount_shipping": 490, "amount_tax": 1000},
            "customer": "cus_1", "customer_details": {"email": "C-1@example.com", "name": null}, "locale": "fr",
        }),
    )
}

fn intent() -> Value {
    event(
        "payment_intent.succeeded",
        CREATED + 20,
        json!({
            "id": "pi_1", "created": CREATED, "currency": "eur", "amount": 5990, "amount_received": 5990,
            "customer": {"id": "cus_1", "object": "customer"}, "invoice": null, "receipt_email": null,
        }),
    )
}

fn invoice() -> Value {
    event(
        "invoice.paid",
        CREATED + 20,
        json!({
            "id": "in_1", "created": CREATED, "currency": "eur", "subtotal": 2500, "total": 2400, "amount_paid": 2400,
            "total_discount_amounts": [{"amount": 500}], "total_tax_amounts": [{"amount": 400, "inclusive": false}],
            "payment_intent": "pi_1", "customer": "cus_1", "customer_email": "c-1@example.com",
        }),
    )
}

fn refunded(created: i64, amount: i64) -> Value {
    event(
        "charge.refunded",
        created,
        json!({"id": "ch_1", "payment_intent": "pi_1", "currency": "eur", "amount_refunded": amount}),
    )
}

fn refund(id: &str, made: i64, amount: i64, status: &str, told: i64) -> Value {
    let object = json!({
        "id": id, "created": made, "amount": amount, "currency": "eur", "status": status,
        "payment_intent": "pi_1", "charge": "ch_1",
    });
    event("charge.refund.updated", told, object)
}

fn with(event: &Value, change: Value) -> Value {
    let mut changed = event.clone();
    for (name, value) in change.as_object().unwrap() {
        changed["data"]["object"][name] = value.clone();
    }
    changed
}

#[test]
fn a_session_tells_the_goods_their_tax_apart_and_who_bought() {
    let order = order(&session());
    assert_eq!(order.key.as_str(), "shop#pi_1");
    assert_eq!(order.snapshot.goods, Goods { amount: 4_500, tax: 1_000, tax_included: false });
    assert_eq!(order.snapshot.payment, Payment::Paid);
    let Customer { id, contact, .. } = order.customer.unwrap();
    assert_eq!(id.unwrap().as_str(), "cus_1");
    assert_eq!((contact.email.as_deref(), contact.verified_email()), (Some("c-1@example.com"), None));
    assert_eq!(contact.locale.as_deref(), Some("fr"));
}

#[test]
fn prices_with_tax_in_them_are_recognised_by_their_sum() {
    let included = with(&session(), json!({"amount_total": 4990}));
    assert_eq!(order(&included).snapshot.goods, Goods { amount: 4_500, tax: 1_000, tax_included: true });
    let shipping = with(&session(), json!({"shipping_cost": {"amount_tax": 82}}));
    assert_eq!(order(&shipping).snapshot.goods.tax, 918);
}

#[test]
fn what_is_not_paid_or_told_elsewhere_is_of_no_interest() {
    for change in [
        json!({"payment_status": "unpaid"}),
        json!({"mode": "subscription", "payment_status": "no_payment_required", "amount_total": 0}),
        json!({"mode": "setup", "payment_status": null, "currency": null, "amount_subtotal": null}),
        json!({"mode": "subscription", "payment_intent": null, "invoice": "in_1"}),
    ] {
        assert!(is_nothing(&with(&session(), change.clone())), "{change}");
    }
    assert!(is_nothing(&refunded(CREATED, 0)));
    assert!(is_nothing(&event("customer.created", CREATED, json!({"id": "cus_1"}))));
}

#[test]
fn a_sale_that_a_discount_made_free_is_an_order_of_nothing() {
    let free = json!({
        "payment_status": "no_payment_required", "payment_intent": null, "amount_total": 0,
        "total_details": {"amount_discount": 5000, "amount_shipping": 0, "amount_tax": 0},
    });
    let order = order(&with(&session(), free));
    assert_eq!((order.key.as_str(), order.snapshot.goods.amount), ("shop#cs_1", 0));
    assert_eq!(order.snapshot.payment, Payment::Paid);
}

#[test]
fn codes_like_ours_are_coupons_wherever_a_discount_tells_them() {
    let code = "qjj3-2d2s-gbjx";
    let by_coupon = json!({"coupon": code, "promotion_code": null});
    let by_promotion = json!({"coupon": "SPRING", "promotion_code": {"id": "promo_1", "code": code}});
    let whole = json!({"id": "di_1", "coupon": {"id": code, "percent_off": 10}, "promotion_code": "promo_1"});
    let newer = json!({"id": "di_1", "source": {"type": "coupon", "coupon": code}, "promotion_code": null});
    for event in [
        with(&session(), json!({ "discounts": [by_coupon] })),
        with(&session(), json!({ "discounts": [by_promotion] })),
        with(
            &session(),
            json!({"total_details": {"amount_discount": 500, "breakdown": {"discounts": [
            {"amount": 500, "discount": whole}]}}}),
        ),
        with(&invoice(), json!({"discounts": ["di_1"], "discount": whole})),
        with(&invoice(), json!({ "discounts": [newer] })),
    ] {
        let coupons = order(&event).snapshot.coupons;
        assert_eq!(
            coupons.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
            ["QJJ3-2D2S-GBJX"],
            "{event}"
        );
    }
    let unknown = json!({"discounts": [{"coupon": "SPRING", "promotion_code": "promo_1"}]});
    assert!(order(&with(&session(), unknown)).snapshot.coupons.is_empty());
    assert!(
        order(&with(&invoice(), json!({"discounts": ["di_1"], "discount": null})))
            .snapshot
            .coupons
            .is_empty()
    );
}

#[test]
fn a_late_payment_is_told_by_its_session_once_it_succeeded() {
    let mut later = session();
    later["type"] = "checkout.session.async_payment_succeeded".into();
    assert_eq!(order(&later).snapshot.payment, Payment::Paid);
    later["type"] = "checkout.session.async_payment_failed".into();
    assert!(is_nothing(&with(&later, json!({"payment_status": "unpaid"}))));
}

#[test]
fn a_payment_alone_is_worth_what_was_received_for_goods() {
    let goods = |change| order(&with(&intent(), change)).snapshot.goods;
    assert_eq!(goods(json!({"amount_received": 4000})), Goods::untaxed(4_000));
    let details =
        json!({"tip": {"amount": 100}, "shipping": {"amount": 490}, "tax": {"total_tax_amount": 900}});
    assert_eq!(
        goods(json!({ "amount_details": details })),
        Goods { amount: 5_400, tax: 900, tax_included: true }
    );
    assert_eq!(goods(json!({"amount_details": {"tip": {}}, "payment_details": null})), Goods::untaxed(5_990));
}

#[test]
fn an_invoice_of_either_version_of_the_api_is_its_sale() {
    let old = order(&invoice());
    assert_eq!(old.key.as_str(), "shop#pi_1");
    assert_eq!(old.snapshot.goods, Goods { amount: 2_000, tax: 400, tax_included: false });
    let taxes = json!([{"amount": 400, "tax_behavior": "inclusive"}]);
    let new =
        with(&invoice(), json!({"payment_intent": null, "total_tax_amounts": null, "total_taxes": taxes}));
    assert_eq!(order(&new).key.as_str(), "shop#in_1");
    assert_eq!(order(&new).snapshot.goods, Goods { amount: 2_400, tax: 400, tax_included: true });
    let alone = with(&invoice(), json!({"payment_intent": null, "total": -100}));
    assert_eq!((order(&alone).key.as_str(), order(&alone).snapshot.goods.amount), ("shop#in_1", 0));
    let shipped = json!({"shipping_cost": {"amount_subtotal": 490, "amount_tax": 98, "amount_total": 588}});
    assert_eq!(
        order(&with(&invoice(), shipped)).snapshot.goods,
        Goods { amount: 1_510, tax: 302, tax_included: false }
    );
}

#[test]
fn of_an_invoice_only_what_was_paid_in_money_earns() {
    let goods = |change: Value| order(&with(&invoice(), change)).snapshot.goods;
    let half = Goods { amount: 1_000, tax: 200, tax_included: false };
    assert_eq!(goods(json!({"amount_paid": 1200, "starting_balance": -1200})), half, "half of it by credit");
    assert_eq!(goods(json!({"amount_paid": 0, "starting_balance": -9000})).amount, 0, "all of it by credit");
    let noted = json!({"amount_paid": 1200, "amount_due": 1200, "pre_payment_credit_notes_amount": 1200});
    assert_eq!(goods(noted), half, "a credit note came before the payment");
    let carried = json!({"amount_paid": 4800, "starting_balance": 2400});
    assert_eq!(goods(carried).amount, 4_000, "it pays what an earlier invoice was too small for");
    assert_eq!(goods(json!({"amount_paid": null})).amount, 2_000, "an older version does not tell");
    let by_itself = json!({"amount_paid": 0, "amount_due": 2400, "paid_out_of_band": true});
    assert_eq!(goods(by_itself).amount, 2_000, "the shop took the money itself");
    let credited = order(&with(&invoice(), json!({"total": -9000, "amount_paid": 0}))).snapshot;
    assert_eq!((credited.goods.amount, credited.payment), (0, Payment::Unpaid));
    let free = order(&with(&invoice(), json!({"total": 0, "amount_paid": 0}))).snapshot;
    assert_eq!((free.goods.amount, free.payment), (0, Payment::Paid));
}

#[test]
fn what_was_never_captured_is_not_given_back() {
    let sum = |amount: i64, captured: Value, refunded: i64| {
        let charge = json!({"amount": amount, "amount_captured": captured});
        match parse(&with(&self::refunded(CREATED + 60, refunded), charge)).unwrap() {
            News::Refund { refund, .. } => (refund.kind, refund.goods.amount),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(sum(20_675, json!(20_300), 375), (RefundKind::SoFar, 0));
    assert_eq!(sum(20_675, json!(20_300), 10_375), (RefundKind::SoFar, 10_000));
    assert_eq!(sum(20_675, json!(0), 20_675), (RefundKind::SoFar, 0), "the authorisation was released");
    assert_eq!(sum(20_675, json!(20_675), 375), (RefundKind::SoFar, 375));
    assert_eq!(sum(20_675, Value::Null, 375), (RefundKind::SoFar, 375), "an older version does not tell");
}

fn dispute(kind: &str, status: &str, told: i64) -> Value {
    let object = json!({
        "id": "dp_1", "object": "dispute", "amount": 5990, "currency": "eur", "created": CREATED + 1_000,
        "charge": "ch_1", "payment_intent": "pi_1", "status": status, "reason": "fraudulent",
    });
    event(&format!("charge.dispute.{kind}"), told, object)
}

#[test]
fn a_dispute_takes_the_money_and_may_bring_it_back() {
    let amount = |event: &Value| match parse(event).unwrap() {
        News::Refund { order, id, refund } => {
            assert_eq!((order.as_str(), id.as_str(), refund.kind), ("shop#pi_1", "dp_1", RefundKind::Money));
            assert_eq!(refund.counted_in, Some(id), "no charge's sum contains it");
            refund.goods.amount
        }
        other => panic!("{other:?}"),
    };
    for (kind, status, expected) in [
        ("funds_withdrawn", "needs_response", 5_990),
        ("closed", "lost", 5_990),
        ("closed", "won", 0),
        ("closed", "warning_closed", 0),
        ("funds_reinstated", "won", 0),
    ] {
        assert_eq!(amount(&dispute(kind, status, CREATED + 2_000)), expected, "{kind} {status}");
    }
    for (kind, status) in [("created", "warning_needs_response"), ("updated", "under_review")] {
        assert!(is_nothing(&dispute(kind, status, CREATED + 1_000)), "{kind}: no money moved");
    }
    let unnamed = json!({"payment_intent": null});
    let Ok(News::Refund { order, .. }) = parse(&with(&dispute("closed", "lost", CREATED), unnamed)) else {
        panic!()
    };
    assert_eq!(order.as_str(), "shop#ch_1");
}

#[test]
fn of_a_credit_note_only_what_the_shop_pays_back_by_itself_is_told_nowhere_else() {
    let note = |kind: &str, change: Value| {
        let object = json!({
            "id": "cn_1", "invoice": "in_1", "currency": "eur", "created": CREATED + 90, "status": "issued",
            "amount": 500, "type": "post_payment", "out_of_band_amount": 500,
        });
        with(&event(&format!("credit_note.{kind}"), CREATED + 91, object), change)
    };
    let amount = |event: &Value| match parse(event).unwrap() {
        News::Refund { order, id, refund } => {
            assert_eq!((order.as_str(), id.as_str()), ("shop#in_1", "cn_1"));
            refund.goods.amount
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(amount(&note("created", json!({}))), 500);
    assert_eq!(amount(&note("voided", json!({"status": "void"}))), 0);
    for by_stripe in [json!({"out_of_band_amount": null, "refund": "re_1"}), json!({"out_of_band_amount": 0})]
    {
        assert!(is_nothing(&note("created", by_stripe)));
    }
}

#[test]
fn a_payment_with_a_test_card_earns_nothing() {
    for mut event in [session(), intent(), invoice()] {
        assert!(!order(&event).snapshot.test);
        event["livemode"] = false.into();
        assert!(order(&event).snapshot.test);
    }
}

#[test]
fn a_guest_is_nobody_known() {
    let guest = order(&with(&session(), json!({"customer": null, "locale": "auto"}))).customer.unwrap();
    assert!(!guest.is_known() && guest.contact.locale.is_none());
}

#[test]
fn the_phone_of_a_session_and_of_an_invoice_is_the_customers() {
    let details = json!({"phone": "020 7946 0018", "address": {"country": "GB"}});
    let session = with(&session(), json!({"customer": null, "customer_details": details}));
    let invoice = with(&invoice(), json!({"customer_phone": "+442079460018"}));
    for event in [session, invoice] {
        let phone = order(&event).customer.unwrap().contact.phone;
        assert_eq!(phone.map(String::from).as_deref(), Some("+442079460018"));
    }
}

fn charge() -> Value {
    json!({
        "id": "ch_1", "payment_intent": "pi_1", "customer": null,
        "billing_details": {"email": null, "name": null, "phone": "+442079460018", "address": {"country": null}},
        "payment_method_details": {"type": "card", "card": {"fingerprint": "ZoVSX2dK5igWt2SB", "country": "US"}},
    })
}

#[test]
fn a_guest_is_known_by_the_card_that_a_payment_tells() {
    let guest = json!({"customer": null});
    let of_old = with(&with(&intent(), guest.clone()), json!({"charges": {"data": [charge()]}}));
    let expanded = with(&with(&intent(), guest.clone()), json!({"latest_charge": charge()}));
    for event in [of_old, expanded] {
        let guest = order(&event).customer.unwrap();
        assert_eq!(guest.card.unwrap().as_str(), "ZoVSX2dK5igWt2SB");
        assert!(guest.contact.phone.is_some());
    }
    let by_name_only = with(&with(&intent(), guest), json!({"latest_charge": "ch_1"}));
    assert!(!order(&by_name_only).customer.unwrap().is_known());
}

#[tokio::test]
async fn a_charge_tells_whose_a_guests_sale_is_before_or_after_the_sale() {
    let told = event("charge.succeeded", CREATED, charge());
    let guests = with(&intent(), json!({"customer": null, "latest_charge": "ch_1"}));
    let Ok(News::Owner { order: key, customer }) = parse(&told) else { panic!() };
    for is_first in [true, false] {
        let (store, sale) = (embedded_store().await, order(&guests));
        if is_first {
            store.record_owner(&key, &customer).await.unwrap();
        }
        store.record_order(&sale).await.unwrap();
        store.record_owner(&key, &customer).await.unwrap();
        let state = store.order(&sale.key).await.unwrap().unwrap();
        assert_eq!((state.owner.as_ref(), state.snapshot), (Some(&customer), Some(sale.snapshot)));
    }
    for change in [
        json!({"customer": "cus_1"}),
        json!({"billing_details": null, "payment_method_details": {"type": "ideal"}}),
    ] {
        assert!(is_nothing(&with(&told, change)));
    }
}

#[test]
fn minor_units_are_those_of_the_currency_and_not_always_stripes() {
    for (currency, told, expected) in [
        ("jpy", 5_990, 5_990),
        ("krw", 5_990, 5_990),
        ("xpf", 5_990, 5_990),
        ("kwd", 5_990, 5_990),
        ("tnd", 5_990, 5_990),
        ("mga", 5_990, 599_000),
        ("isk", 599_000, 5_990),
        ("ugx", 599_000, 5_990),
        // Whole only when they are paid out.
        ("huf", 599_000, 599_000),
        ("twd", 599_000, 599_000),
    ] {
        let event = with(&intent(), json!({"currency": currency, "amount_received": told}));
        assert_eq!(order(&event).snapshot.goods.amount, expected, "{currency}");
    }
}

#[test]
fn a_refund_is_told_by_its_charge_as_a_sum_and_by_itself_when_it_changes() {
    let Ok(News::Refund { order, id, refund: sum }) = parse(&refunded(CREATED + 60, 900)) else { panic!() };
    assert_eq!((order.as_str(), id.as_str()), ("shop#pi_1", "ch_1"));
    assert_eq!((sum.kind, sum.goods), (RefundKind::SoFar, Goods::untaxed(900)));
    for (status, kind) in [
        ("succeeded", RefundKind::Money),
        ("pending", RefundKind::Money),
        ("failed", RefundKind::Failed { at: at("2026-03-01T10:00:00Z") }),
        ("canceled", RefundKind::Failed { at: at("2026-03-01T10:00:00Z") }),
    ] {
        let told = refund("re_1", CREATED + 60, 400, status, at("2026-03-01T10:00:00Z").as_second());
        let Ok(News::Refund { order, id, refund }) = parse(&told) else { panic!("{status}") };
        assert_eq!((order.as_str(), id.as_str(), refund.kind), ("shop#pi_1", "re_1", kind));
        assert_eq!(refund.refunded_at.as_second(), CREATED + 60);
    }
    let unnamed = with(&refund("re_1", CREATED, 400, "failed", CREATED), json!({"payment_intent": null}));
    assert!(matches!(parse(&unnamed), Ok(News::Refund { order, .. }) if order.as_str() == "shop#ch_1"));
}

#[test]
fn an_error_names_the_whole_way_to_its_field() {
    let error = |event: &Value| parse(event).unwrap_err().to_string();
    let text = error(&with(&session(), json!({"amount_subtotal": "private"})));
    assert!(text.starts_with("data.object.amount_subtotal: ") && !text.contains("private"), "{text}");
    assert!(error(&with(&intent(), json!({"customer": 7}))).starts_with("data.object.customer: "));
    let text = error(&with(&session(), json!({"currency": null})));
    assert!(text.starts_with("data.object.currency: "), "{text}");
}

/// As a version of the API tells it.
fn of_version(version: &str, mut event: Value) -> Value {
    event["api_version"] = version.into();
    event
}

fn parts(event: &Value) -> Vec<(String, String)> {
    let told = match parse(event).unwrap() {
        News::Several(told) => told,
        one => vec![one],
    };
    let part = |news: News| match news {
        News::Part { part, of } => Some((part.to_string(), of.to_string())),
        _ => None,
    };
    told.into_iter().filter_map(part).collect()
}

fn invoice_payment() -> Value {
    let payment = json!({"type": "payment_intent", "payment_intent": "pi_1"});
    let object = json!({"object": "invoice_payment", "id": "inpay_1", "invoice": "in_1", "payment": payment,
        "amount_paid": 2400, "status": "paid"});
    of_version("2025-05-28.basil", event("invoice_payment.paid", CREATED + 21, object))
}

/// An invoice of a version of the API that does not tell its payment.
fn invoice_apart() -> Value {
    of_version("2025-03-31.basil", with(&invoice(), json!({"payment_intent": null})))
}

#[test]
fn whatever_names_an_invoice_and_its_payment_makes_the_payment_a_part_of_it() {
    let basil = "2025-03-31.basil";
    let pi_1 = [("shop#pi_1".to_owned(), "shop#in_1".to_owned())];
    assert_eq!(parts(&invoice_payment()), pi_1);
    assert_eq!(parts(&with(&intent(), json!({"payment_details": {"order_reference": "in_1"}}))), pi_1);
    let both = of_version(basil, with(&session(), json!({"invoice": "in_1"})));
    assert_eq!(parts(&both), pi_1);
    let Ok(News::Several(told)) = parse(&both) else { panic!() };
    assert!(matches!(&told[0], News::Order(order) if order.key.as_str() == "shop#in_1"));
    let payments = json!({"data": [
        {"payment": {"type": "payment_intent", "payment_intent": {"id": "pi_1", "object": "payment_intent"}}},
        {"payment": {"type": "charge", "charge": "ch_2"}},
        {"payment": {"type": "payment_record", "payment_record": "pr_3"}},
    ]});
    let expanded = parts(&with(&invoice_apart(), json!({ "payments": payments })));
    assert_eq!(expanded, [pi_1[0].clone(), ("shop#ch_2".to_owned(), "shop#in_1".to_owned())]);
    let recorded = json!({"payment": {"type": "payment_record", "payment_record": "pr_3"}});
    assert!(is_nothing(&with(&invoice_payment(), recorded)));
}

#[test]
fn where_an_invoice_names_its_payment_the_payment_is_the_sale() {
    let old = |event: Value| of_version("2025-02-24.acacia", event);
    assert!(is_nothing(&old(invoice_payment())));
    let reference = json!({"payment_details": {"order_reference": "in_the_shops_own_words"}});
    for event in [
        old(with(&session(), json!({"invoice": "in_1"}))),
        old(with(&intent(), json!({"invoice": "in_1"}))),
        old(with(&intent(), reference)),
        old(invoice()),
    ] {
        assert_eq!(order(&event).key.as_str(), "shop#pi_1");
        assert_eq!(parts(&event), []);
    }
}

#[test]
fn a_refunds_own_events_of_newer_versions_tell_it_too() {
    for kind in ["refund.created", "refund.updated", "refund.failed"] {
        let mut event = refund("re_1", CREATED + 60, 400, "failed", CREATED + 90);
        event["type"] = kind.into();
        assert!(matches!(parse(&event), Ok(News::Refund { id, .. }) if id.as_str() == "re_1"), "{kind}");
    }
}

/// Everything told of one sale: paid at a checkout, given back in parts, of which one part failed.
fn life() -> Life {
    let events = vec![
        session(),
        intent(),
        refunded(CREATED + 1_000, 600),
        refunded(CREATED + 2_000, 1_800),
        refund("re_1", CREATED + 2_000, 1_200, "succeeded", CREATED + 2_500),
        refund("re_1", CREATED + 2_000, 1_200, "failed", CREATED + 3_000),
        refund("re_1", CREATED + 2_000, 1_200, "failed", CREATED + 3_500),
        refund("re_2", CREATED + 4_000, 300, "succeeded", CREATED + 4_001),
        dispute("funds_withdrawn", "needs_response", CREATED + 1_000),
        dispute("closed", "won", CREATED + 5_000),
        dispute("funds_reinstated", "won", CREATED + 5_000),
    ];
    Life { order: "shop#pi_1", events, parse }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn one_sale_is_one_order_in_whatever_order_and_however_often_it_is_told(delivered in life().deliveries()) {
        life().check(delivered);
    }
}

#[tokio::test]
async fn what_is_left_of_a_sale_is_what_was_paid_without_the_refund_that_failed() {
    let state = life().after(0..11).await;
    assert_eq!(state.snapshot.unwrap().goods.amount, 4_500);
    let kinds: Vec<_> = state.refunds.values().map(|refund: &Refund| refund.kind).collect();
    let failed_at = at("1970-01-01T00:00:00Z") + std::time::Duration::from_secs(CREATED as u64 + 3_000);
    let failed = RefundKind::Failed { at: failed_at };
    assert_eq!(kinds, [RefundKind::SoFar, RefundKind::Money, failed, RefundKind::Money]);
    let disputed = &state.refunds[&RefundId::new("dp_1").unwrap()];
    assert_eq!(disputed.goods.amount, 0, "it was won");
}

#[test]
fn every_event_that_is_listed_is_needed() {
    for kind in list::EVENTS {
        assert!(parse(&event(kind, CREATED, json!({}))).is_err(), "{kind} is read");
    }
}
