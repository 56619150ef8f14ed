//! WooCommerce's bodies: money, standing, refunds, who bought, and what is told of a deleted order.

use domain::Goods;
use domain::money::Basis;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::tests::{at, headers, source};

const NOW: &str = "2026-03-01T12:00:00Z";

fn parse_bytes(topic: &str, body: &[u8]) -> Result<News, BadInput> {
    let (source, headers) = (source("shop"), headers([(TOPIC, topic)]));
    WooCommerce::default().parse(&Delivery { source: &source, headers: &headers, body, now: at(NOW) })
}

fn parse(topic: &str, body: &Value) -> Result<News, BadInput> {
    parse_bytes(topic, body.to_string().as_bytes())
}

fn order(body: &Value) -> Order {
    match parse("order.updated", body) {
        Ok(News::Order(order)) => order,
        other => panic!("{other:?}"),
    }
}

fn line(total: &str, total_tax: &str) -> Value {
    json!({"id": 1, "quantity": 1, "subtotal": "99.00", "total": total, "total_tax": total_tax, "price": 1.5})
}

/// Goods of 50.00 and 10.00 of tax, sent for 6.00, in a shop that shows its prices with tax.
fn body() -> Value {
    json!({
        "id": 727, "status": "processing", "currency": "EUR", "prices_include_tax": true,
        "date_created": "2026-03-01T11:00:00", "date_created_gmt": "2026-03-01T10:00:00",
        "date_modified": "2026-03-01T11:05:00", "date_modified_gmt": "2026-03-01T10:05:00",
        "date_paid_gmt": "2026-03-01T10:05:00",
        "discount_total": "5.00", "shipping_total": "5.00", "shipping_tax": "1.00", "total": "66.00",
        "total_tax": "11.00", "customer_id": 5,
        "billing": {"first_name": " ", "email": "C-3@example.com", "phone": ""},
        "line_items": [line("20.00", "4.00"), line("30.00", "6.00")],
        "fee_lines": [{"total": "3.00", "total_tax": "0.60"}],
        "refunds": [],
    })
}

fn with(mut document: Value, field: &str, value: Value) -> Value {
    document[field] = value;
    document
}

fn refunded(totals: &[(u64, &str)]) -> Value {
    let refunds = totals.iter().map(|(id, total)| json!({"id": id, "reason": "", "total": total}));
    with(body(), "refunds", refunds.collect())
}

fn refunds(body: &Value) -> Vec<(String, Goods)> {
    let refunds = order(body).refunds.into_iter().filter(|(_, refund)| refund.kind == RefundKind::Goods);
    refunds.map(|(id, refund)| (id.as_str().to_owned(), refund.goods)).collect()
}

fn taxed(amount: i64, tax: i64) -> Goods {
    Goods { amount, tax, tax_included: true }
}

#[test]
fn a_customers_contact_is_told_and_an_order_passes_for_none() {
    let customer = json!({
        "id": 5, "date_created_gmt": "2026-03-01T10:00:00", "date_modified_gmt": "2026-03-02T10:00:00",
        "email": "New@example.com", "first_name": "N", "username": "n",
    });
    let told = parse("customer.updated", &customer);
    let Ok(News::Contact { customer, at: told_at }) = told else { panic!("{told:?}") };
    assert_eq!((customer.id.unwrap().as_str(), told_at), ("5", at("2026-03-02T10:00:00Z")));
    assert_eq!(customer.contact.email.as_deref(), Some("new@example.com"));
    assert!(parse("customer.updated", &body()).is_err());
}

#[test]
fn orders_and_customers_tell_what_a_plug_in_asked_about_messages() {
    let meta = json!([{"id": 1, "key": "mailchimp_woocommerce_is_subscribed", "value": "0"}]);
    let told = order(&with(body(), "meta_data", meta.clone())).customer.unwrap().contact.consent;
    assert_eq!(told, Some(false));
    let customer = json!({
        "id": 5, "date_created_gmt": "2026-03-01T10:00:00", "username": "n", "meta_data": meta,
    });
    let Ok(News::Contact { customer, .. }) = parse("customer.updated", &customer) else { panic!() };
    assert_eq!(customer.contact.consent, Some(false));
}

#[test]
fn a_guest_is_known_by_a_phone_of_the_billing_addresss_country() {
    let guest = |phone: &str, country: &str| {
        let billing = json!({"email": "c-1@example.com", "phone": phone, "country": country});
        let body = with(with(body(), "customer_id", json!(0)), "billing", billing);
        order(&body).customer.unwrap().contact.phone.map(String::from)
    };
    assert_eq!(guest("020 7946 0018", "GB").as_deref(), Some("+442079460018"));
    assert_eq!(guest("020 7946 0018", ""), None);
    let customer = json!({
        "id": 5, "date_created_gmt": "2026-03-01T10:00:00", "username": "n",
        "billing": {"phone": "+44 20 7946 0018", "country": "FR"},
    });
    let Ok(News::Contact { customer, .. }) = parse("customer.updated", &customer) else { panic!() };
    assert_eq!(customer.contact.phone.map(String::from).as_deref(), Some("+442079460018"));
}

#[test]
fn coupon_lines_like_ours_are_coupons() {
    let mut body = body();
    body["coupon_lines"] = json!([{"id": 1, "code": "qjj3-2d2s-gbjx"}, {"id": 2, "code": "welcome"}]);
    let coupons = order(&body).snapshot.coupons;
    assert_eq!(coupons.iter().map(|code| code.as_str()).collect::<Vec<_>>(), ["QJJ3-2D2S-GBJX"]);
}

#[test]
fn an_order_is_read_whole() {
    let order = order(&body());
    assert_eq!(order.key.as_str(), "shop#727");
    assert_eq!(order.placed_at, at("2026-03-01T10:00:00Z"));
    assert_eq!(order.snapshot.updated_at, at("2026-03-01T10:05:00Z"));
    assert_eq!(order.snapshot.goods, taxed(6_000, 1_000));
    assert_eq!((order.snapshot.payment, order.snapshot.cancelled), (Payment::Paid, false));
    let customer = order.customer.unwrap();
    assert_eq!(customer.id.unwrap().as_str(), "5");
    assert_eq!((customer.contact.email.as_deref(), customer.contact.name), (Some("c-3@example.com"), None));
}

#[test]
fn a_shop_that_shows_prices_without_tax_has_its_goods_so() {
    let goods = order(&with(body(), "prices_include_tax", json!(false))).snapshot.goods;
    assert_eq!(goods, Goods { amount: 5_000, tax: 1_000, tax_included: false });
}

#[test]
fn finer_amounts_are_rounded_once_for_all_lines_whichever_way_tax_is_shown() {
    // 2 x 10.0825 and 2 x 2.0165 of tax: 20.165 without and 24.198 with it.
    let lines = json!([line("10.0825", "2.0165"), line("10.0825", "2.0165")]);
    for (shown_with_tax, amount) in [(true, 2_420), (false, 2_017)] {
        let body =
            with(with(body(), "line_items", lines.clone()), "prices_include_tax", shown_with_tax.into());
        let goods = order(&body).snapshot.goods;
        assert_eq!(goods.amount, amount);
        assert_eq!(goods.on(Basis::WithTax), Ok(2_420));
        assert_eq!(goods.on(Basis::WithoutTax), Ok(2_017));
    }
}

#[test]
fn less_than_nothing_is_nothing() {
    let body = with(body(), "line_items", json!([line("10.00", "2.00"), line("-15.00", "-3.00")]));
    assert_eq!(order(&body).snapshot.goods, taxed(0, 0));
}

#[test]
fn every_status_has_its_standing() {
    let unpaid = (Payment::Unpaid, false);
    for (status, when_dated, when_not) in [
        ("processing", (Payment::Paid, false), (Payment::Paid, false)),
        ("completed", (Payment::Paid, false), (Payment::Paid, false)),
        ("refunded", (Payment::Paid, true), (Payment::Paid, true)),
        ("cancelled", (Payment::Unpaid, true), (Payment::Unpaid, true)),
        ("failed", (Payment::Unpaid, true), (Payment::Unpaid, true)),
        ("trash", (Payment::Unpaid, true), (Payment::Unpaid, true)),
        ("pending", unpaid, unpaid),
        ("on-hold", unpaid, unpaid),
        ("draft", unpaid, unpaid),
        ("shipped", (Payment::Paid, false), unpaid),
    ] {
        let standing = |date: Value| {
            let told = with(with(body(), "status", json!(status)), "date_paid_gmt", date);
            let snapshot = order(&told).snapshot;
            assert_eq!(snapshot.test, status == "draft");
            (snapshot.payment, snapshot.cancelled)
        };
        assert_eq!(standing(json!("2026-03-01T10:05:00")), when_dated, "{status}");
        assert_eq!(standing(Value::Null), when_not, "{status}");
    }
}

#[test]
fn an_order_that_is_still_in_the_checkout_is_of_no_interest() {
    let draft = with(body(), "status", json!("checkout-draft"));
    assert!(matches!(parse("order.created", &draft), Ok(News::Nothing(_))));
}

#[test]
fn a_refund_gives_back_goods_first_with_their_share_of_tax() {
    assert_eq!(refunds(&refunded(&[(9, "-12.00")])), [("9".to_owned(), taxed(1_200, 200))]);
    let shown_without = with(refunded(&[(9, "-12.00")]), "prices_include_tax", json!(false));
    let goods = Goods { amount: 1_000, tax: 200, tax_included: false };
    assert_eq!(refunds(&shown_without), [("9".to_owned(), goods)]);
}

#[test]
fn refunds_of_everything_give_back_exactly_the_goods() {
    // The younger refund has the longer number, and comes first, as WooCommerce lists them.
    let all = refunded(&[(10, "-55.00"), (9, "-11.00")]);
    assert_eq!(refunds(&all), [("10".to_owned(), taxed(4_900, 817)), ("9".to_owned(), taxed(1_100, 183))]);
    let first = refunded(&[(9, "-11.00")]);
    assert_eq!(refunds(&first), [("9".to_owned(), taxed(1_100, 183))], "and the first is what it was alone");
}

#[test]
fn the_sum_of_all_refunds_that_there_are_is_told_also_of_none() {
    for (listed, sum) in
        [(vec![], 0), (vec![(9, "-12.00")], 1_200), (vec![(9, "-12.00"), (10, "-0.50")], 1_250)]
    {
        let order = order(&refunded(&listed));
        let all = &order.refunds[&RefundId::new(ALL_REFUNDS).unwrap()];
        assert_eq!((all.kind, all.goods), (RefundKind::SoFar, Goods::untaxed(sum)));
        assert_eq!((order.refunds.len(), all.refunded_at), (listed.len() + 1, order.snapshot.updated_at));
    }
}

#[test]
fn a_refunded_order_is_deducted_by_its_refunds_or_cancelled_where_none_is_listed() {
    let listed = order(&with(refunded(&[(9, "-66.00")]), "status", json!("refunded")));
    assert_eq!((listed.snapshot.payment, listed.snapshot.cancelled), (Payment::Paid, false));
    let told = listed.refunds.values().map(|refund| (refund.kind, refund.goods.amount)).collect::<Vec<_>>();
    assert_eq!(told, [(RefundKind::Goods, 6_000), (RefundKind::SoFar, 6_600)]);
    assert_eq!(listed.refunds.values().next().unwrap().refunded_at, listed.snapshot.updated_at);
}

#[test]
fn a_guest_is_nobody_who_could_be_told_from_others() {
    for guest in [json!(0), json!("0"), Value::Null] {
        assert!(!order(&with(body(), "customer_id", guest)).customer.unwrap().is_known());
    }
    let nameless = with(body(), "billing", json!({"first_name": "", "email": ""}));
    assert!(order(&nameless).customer.unwrap().contact.is_empty());
}

#[test]
fn a_deleted_order_tells_only_its_number() {
    for id in [json!(727), json!("727")] {
        let Ok(News::Deleted { order, at: deleted_at }) = parse("order.deleted", &json!({"id": id})) else {
            panic!("it is deleted")
        };
        assert_eq!((order.as_str(), deleted_at), ("shop#727", at(NOW)));
    }
    assert!(
        parse("order.deleted", &body()).is_err(),
        "a whole order under this topic was sent under another"
    );
    assert!(parse("order.updated", &json!({"id": 727})).is_err());
}

#[test]
fn a_restored_order_is_told_whole() {
    assert_eq!(parse("order.restored", &body()), Ok(News::Restored(order(&body()))));
}

#[test]
fn an_order_that_the_shop_could_not_read_itself_is_no_order() {
    let error =
        |status: u16| json!({"code": "woocommerce_rest_x", "message": "…", "data": {"status": status}});
    assert!(matches!(parse("order.updated", &error(404)), Ok(News::Nothing(_))));
    let Ok(News::Request(request)) = parse("order.updated", &error(401)) else { panic!() };
    assert!(
        request.answer().unwrap().contains("may read orders"),
        "and five refusals would disable the webhook"
    );
}

fn fees(lines: &[(&str, &str)]) -> Value {
    let fees =
        lines.iter().map(|(total, total_tax)| json!({"id": 2, "total": total, "total_tax": total_tax}));
    with(body(), "fee_lines", fees.collect())
}

#[test]
fn a_fee_below_nothing_is_a_discount_and_one_above_earns_nothing() {
    let goods = |lines: &[(&str, &str)]| order(&fees(lines)).snapshot.goods;
    assert_eq!(goods(&[("-20.00", "-4.00")]), taxed(3_600, 600));
    assert_eq!(goods(&[("-20.00", "-4.00"), ("3.00", "0.60")]), taxed(3_600, 600));
    assert_eq!(goods(&[("-5.00", "0"), ("-5.00", "-1.00")]), taxed(4_900, 900), "taxed or not");
    assert_eq!(goods(&[("-90.00", "-18.00")]), taxed(0, 0), "never less than nothing");
}

#[test]
fn what_a_fee_below_nothing_paid_for_earns_where_the_source_says_that_it_is_a_payment() {
    let document = json!({"platform": "woocommerce", "secrets": ["a"], "negative_fees": "payments"});
    let platform = set_up(&serde_json::from_value(document).unwrap()).unwrap();
    let (source, headers) = (source("shop"), headers([(TOPIC, "order.updated")]));
    let body = fees(&[("-20.00", "-4.00")]).to_string();
    let told =
        platform.parse(&Delivery { source: &source, headers: &headers, body: body.as_bytes(), now: at(NOW) });
    let Ok(News::Order(order)) = told else { panic!("{told:?}") };
    assert_eq!(order.snapshot.goods, taxed(6_000, 1_000));
    let unknown = json!({"platform": "woocommerce", "secrets": ["a"], "negative_fees": "perhaps"});
    assert!(serde_json::from_value::<crate::sources::SourceDocument>(unknown).is_err());
}

/// The same order by the oldest API, which knows neither refunds nor how prices are shown.
fn old_body() -> Value {
    json!({"order": {
        "id": 727, "order_number": 727, "status": "completed", "currency": "EUR",
        "created_at": "2026-03-01T10:00:00Z", "updated_at": "2026-03-01T10:05:00Z", "total": "66.00",
        "payment_details": {"method_id": "cod", "paid": true}, "customer_id": 5,
        "billing_address": {"first_name": "", "email": "c-3@example.com", "phone": ""},
        "line_items": [line("20.00", "4.00"), line("30.00", "6.00")], "coupon_lines": [], "fee_lines": [],
    }})
}

#[test]
fn a_body_of_the_oldest_api_is_taken_as_far_as_it_goes_and_an_operator_asked_for_the_newer_one() {
    let Ok(News::Several(told)) = parse("order.updated", &old_body()) else { panic!() };
    let [News::Order(order), News::Request(request)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((order.key.as_str(), order.placed_at), ("shop#727", at("2026-03-01T10:00:00Z")));
    assert_eq!(order.snapshot.goods, Goods { amount: 5_000, tax: 1_000, tax_included: false });
    assert_eq!(order.snapshot.payment, Payment::Paid);
    assert!(order.refunds.is_empty(), "that none is told does not say that there is none");
    assert!(request.answer().unwrap().contains("WP REST API Integration v3"));
    let Ok(News::Several(told)) = parse("order.restored", &old_body()) else { panic!() };
    assert!(matches!(told[..], [News::Restored(_), News::Request(_)]));
}

#[test]
fn no_body_of_an_old_api_is_refused() {
    let unzoned =
        json!({"id": 727, "status": "processing", "date_created": "2026-03-01T11:00:00", "line_items": []});
    let unreadable = json!({"order": {"id": 727}});
    let wrapped = json!({"customer": {"id": 5, "created_at": "2026-03-01T10:00:00Z"}});
    let customer = json!({"id": 5, "date_created": "2026-03-01T10:00:00", "username": "n"});
    for (topic, body) in [
        ("order.updated", unzoned),
        ("order.created", unreadable),
        ("customer.updated", wrapped),
        ("customer.updated", customer),
    ] {
        assert_eq!(parse(topic, &body), Ok(News::Request(Request::NewerWebhook)), "{body}");
    }
}

#[test]
fn other_topics_are_of_no_interest_and_none_is_malformed() {
    for topic in ["product.updated", "customer.deleted", "action.woocommerce_add_to_cart"] {
        assert!(matches!(parse(topic, &json!({"id": 727})), Ok(News::Nothing(_))));
    }
    let (source, headers) = (source("shop"), headers([]));
    let delivery = Delivery { source: &source, headers: &headers, body: b"{}", now: at(NOW) };
    assert_eq!(
        WooCommerce::default().parse(&delivery).unwrap_err().to_string(),
        format!("{TOPIC}: the header is missing")
    );
}

#[test]
fn a_ping_is_this_one_form_without_a_signature() {
    let is_ping = |pairs: &[(&str, &str)], body: &[u8]| {
        let (source, headers) = (source("shop"), headers(pairs.iter().copied()));
        WooCommerce::default().is_ping(&Delivery { source: &source, headers: &headers, body, now: at(NOW) })
    };
    assert!(is_ping(&[], b"webhook_id=1"));
    assert!(is_ping(&[], b"webhook_id=18446744073709551615"));
    assert!(!is_ping(&[(SIGNATURE, "x")], b"webhook_id=1"));
    let others: [&[u8]; 8] = [
        b"",
        b"webhook_id=",
        b"webhook_id=1&id=2",
        b"webhook_id=1\n",
        b" webhook_id=1",
        b"webhook_id=-1",
        b"webhook_id=184467440737095516150",
        b"{\"webhook_id\":1}",
    ];
    for body in others {
        assert!(!is_ping(&[], body), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn an_error_names_the_field() {
    for (field, value, error) in [
        ("currency", json!("EURO"), "currency: is not a currency of three letters (ISO 4217)"),
        ("line_items", Value::Null, "line_items: must be a sequence"),
        ("date_created_gmt", Value::Null, "date_created_gmt: must be a string"),
    ] {
        assert_eq!(parse("order.created", &with(body(), field, value)).unwrap_err().to_string(), error);
    }
    let error = parse("order.created", &with(body(), "date_created_gmt", json!("yesterday"))).unwrap_err();
    assert!(error.to_string().starts_with("date_created_gmt: "), "{error}");
}

#[test]
fn more_refunds_than_an_order_may_have_are_refused() {
    let refunds: Vec<_> = (0..=MAX_REFUNDS_PER_ORDER).map(|id| json!({"id": id, "total": "-0.01"})).collect();
    assert!(parse("order.updated", &with(body(), "refunds", json!(refunds))).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for topic in ["order.created", "order.deleted", "order.restored"] {
            let _ = parse_bytes(topic, &bytes);
        }
    }

    #[test]
    fn no_amounts_make_the_parser_panic(
        amounts in proptest::array::uniform3(prop_oneof![
            any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from), Just(Value::Null),
            (any::<i128>(), 0_usize..29).prop_map(|(number, scale)| json!(format!("{number}.{}", "9".repeat(scale)))),
            Just(json!("1000000000000000")), Just(json!("-0.0000000000000000000000000001")),
        ]),
    ) {
        let [total, tax, refund] = amounts;
        let lines = vec![json!({"total": total, "total_tax": tax}); 50];
        let refunds: Vec<_> = (0..50).map(|id| json!({"id": id, "total": refund})).collect();
        let _ = parse("order.updated", &with(with(body(), "line_items", json!(lines)), "refunds", json!(refunds)));
    }

    #[test]
    fn refunds_never_give_back_more_than_the_goods_nor_tax_below_nothing(
        net in 0_i64..100_000, tax in 0_i64..50_000, shown_with_tax: bool,
        totals in proptest::collection::vec(0_i64..60_000, 1..6),
    ) {
        let main = |minor: i64| Decimal::new(minor, 2).to_string();
        let numbered: Vec<_> =
            totals.iter().enumerate().map(|(id, total)| json!({"id": id, "total": main(-total)})).collect();
        let lines = json!([line(&main(net), &main(tax))]);
        let told = with(with(body(), "refunds", json!(numbered)), "line_items", lines);
        let told = order(&with(told, "prices_include_tax", json!(shown_with_tax)));
        let sum = told.refunds[&RefundId::new(ALL_REFUNDS).unwrap()].goods.amount;
        let each = || told.refunds.values().filter(|refund| refund.kind == RefundKind::Goods);
        for basis in [Basis::WithTax, Basis::WithoutTax] {
            let given_back: Vec<_> = each().map(|refund| refund.goods.on(basis).unwrap()).collect();
            prop_assert!(given_back.iter().all(|amount| *amount >= 0));
            let (all, whole) = (given_back.iter().sum::<i64>(), told.snapshot.goods.on(basis).unwrap());
            prop_assert!(all <= whole);
            prop_assert_eq!(told.snapshot.goods.paid_with(sum).unwrap().on(basis), Ok(all), "the sum is all of them");
            if totals.iter().sum::<i64>() >= net + tax {
                prop_assert_eq!(all, whole);
            }
        }
        prop_assert!(told.refunds.values().all(|refund| refund.goods.tax >= 0));
    }
}
