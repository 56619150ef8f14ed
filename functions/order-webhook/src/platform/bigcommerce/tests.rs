//! BigCommerce's events and the answers of its API: money, standing, refunds, who bought, and how a delivery is known.

use domain::{Goods, Order, Payment};
use serde_json::{Value, json};

use super::*;
use crate::sources::Source;
use crate::tests::{at, headers, source};

const NOW: &str = "2026-03-01T12:00:00Z";

fn shop(extra: Value) -> Result<Source, SourceError> {
    let mut document = json!({
        "platform": "bigcommerce",
        "secrets": ["a-secret"],
        "api": {"store": "abc123", "token": "a-token"},
    });
    document.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    Source::new(&serde_json::from_value(document).unwrap())
}

fn event(scope: &str) -> Value {
    json!({
        "scope": scope, "store_id": "1025646", "data": {"type": "order", "id": 250}, "hash": "dd70",
        "created_at": 1_772_359_200, "producer": "stores/abc123",
    })
}

/// An order of 90.00 with 18.00 of tax, 10.00 of them discounted, as the API answers it.
fn order() -> Value {
    serde_json::from_str(include_str!("../../../../../local/platforms/bigcommerce-order.json")).unwrap()
}

fn with(mut document: Value, changes: Value) -> Value {
    document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    document
}

fn product(id: u64, kind: &str, ex_tax: &str, inc_tax: &str) -> Value {
    json!({
        "id": id, "order_id": 250, "product_id": 77, "name": "A thing", "type": kind, "quantity": 2,
        "total_ex_tax": ex_tax, "total_inc_tax": inc_tax, "total_tax": "0.0000", "is_refunded": false,
        "quantity_refunded": 0, "refund_amount": "0.0000", "applied_discounts": [], "product_options": [],
    })
}

fn refund(id: u64, total: f64, tax: f64, items: Value) -> Value {
    json!({
        "id": id, "order_id": 250, "user_id": 0, "created": "2026-03-05T09:00:00+01:00", "reason": "",
        "total_amount": total, "total_tax": tax, "uses_merchant_override_values": false, "items": items,
        "payments": [{"id": 1, "provider_id": "braintree", "amount": total, "offline": false,
            "is_declined": false, "declined_message": ""}],
    })
}

fn item(kind: &str, amount: f64) -> Value {
    json!({"item_type": kind, "item_id": 8, "reason": "", "quantity": 1, "requested_amount": amount})
}

fn known(document: &Value) -> Answer {
    Answer::of(document.to_string().into_bytes())
}

fn unknown() -> Answer {
    Answer::default()
}

fn read_all(answers: &[Answer]) -> Result<Reading, BadInput> {
    let (source, headers, body) = (source("shop"), headers([]), event("store/order/updated").to_string());
    let delivery = Delivery { source: &source, headers: &headers, body: body.as_bytes(), now: at(NOW) };
    shop(json!({})).unwrap().read(&delivery, answers)
}

fn told(order: &Value, refunds: &Value, products: &Value) -> Order {
    told_with(order, refunds, products, &unknown())
}

fn told_with(order: &Value, refunds: &Value, products: &Value, coupons: &Answer) -> Order {
    let refunds = known(&json!({"data": refunds, "meta": {}}));
    let answers = [known(order), refunds, known(products), coupons.clone()];
    match read_all(&answers).unwrap() {
        Reading::Told(news) => match news.as_slice() {
            [News::Order(order)] => order.clone(),
            other => panic!("{other:?}"),
        },
        more => panic!("{more:?}"),
    }
}

fn goods_back(order: &Value, refunds: &Value) -> Vec<(String, Goods)> {
    let refunds = told(order, refunds, &json!([])).refunds;
    refunds.into_iter().map(|(id, refund)| (id.as_str().to_owned(), refund.goods)).collect()
}

fn taxed(amount: i64, tax: i64) -> Goods {
    Goods { amount, tax, tax_included: false }
}

fn parse(event: &Value) -> Result<News, BadInput> {
    let (source, headers, body) = (source("shop"), headers([]), event.to_string());
    let delivery = Delivery { source: &source, headers: &headers, body: body.as_bytes(), now: at(NOW) };
    shop(json!({})).unwrap().parse(&delivery)
}

fn urls(resources: &[Resource]) -> Vec<&str> {
    resources.iter().map(|resource| resource.url.as_str()).collect()
}

#[test]
fn every_event_of_an_order_leads_to_the_order_and_then_to_its_refunds_products_and_coupons() {
    for scope in ["created", "updated", "archived", "statusUpdated", "refund/created"] {
        let Ok(News::Elsewhere(first)) = parse(&event(&format!("store/order/{scope}"))) else {
            panic!("{scope}")
        };
        assert_eq!(urls(&first), ["https://api.bigcommerce.com/stores/abc123/v2/orders/250"]);
        assert_eq!(first[0].headers, [("x-auth-token", "a-token".to_owned())]);
    }
    let Ok(Reading::More(more)) = read_all(&[known(&order())]) else { panic!() };
    assert_eq!(
        urls(&more),
        [
            "https://api.bigcommerce.com/stores/abc123/v3/orders/250/payment_actions/refunds",
            "https://api.bigcommerce.com/stores/abc123/v2/orders/250/products?limit=250",
            "https://api.bigcommerce.com/stores/abc123/v2/orders/250/coupons",
        ]
    );
}

#[test]
fn coupon_codes_like_ours_are_coupons() {
    let coupon =
        |code: Value| json!({"id": 1, "coupon_id": 1, "order_id": 250, "code": code, "amount": "5.0000"});
    let coupons =
        known(&json!([coupon(json!("WELCOME")), coupon(json!("qjj3-2d2s-gbjx")), coupon(Value::Null)]));
    let told = told_with(&order(), &json!([]), &json!([]), &coupons).snapshot.coupons;
    assert_eq!(told.iter().map(|code| code.as_str()).collect::<Vec<_>>(), ["QJJ3-2D2S-GBJX"]);
}

#[test]
fn other_events_are_of_no_interest_and_an_address_cannot_be_bent() {
    for scope in
        ["store/order/message/created", "store/order/metafield/updated", "store/customer/created", "x"]
    {
        assert!(matches!(parse(&event(scope)), Ok(News::Nothing(_))), "{scope}");
    }
    for id in [json!("250/../1"), json!("250?x"), json!(""), json!(-1), json!(null)] {
        let bent = with(event("store/order/created"), json!({"data": {"type": "order", "id": id}}));
        assert!(parse(&bent).is_err(), "{id}");
    }
}

#[test]
fn goods_are_what_is_left_of_the_subtotal_after_discounts_and_coupons() {
    let told = told(&order(), &json!([]), &json!([]));
    assert_eq!(told.key.as_str(), "shop#250");
    assert_eq!(told.snapshot.goods, taxed(9_000, 1_800), "gift certificates and store credit are payments");
    assert_eq!(told.snapshot.currency.code(), "EUR", "what was paid in, not what was shown");
    assert_eq!(told.placed_at, at("2026-03-01T10:15:00Z"));
    assert_eq!(told.snapshot.updated_at, at("2026-03-01T10:20:00Z"));
    assert_eq!(told.snapshot.payment, Payment::Paid);
}

#[test]
fn a_shop_whose_prices_have_the_tax_in_them_earns_with_it() {
    let order = with(order(), json!({"is_tax_inclusive_pricing": true}));
    let goods = told(&order, &json!([]), &json!([])).snapshot.goods;
    assert_eq!(goods, Goods { amount: 10_800, tax: 1_800, tax_included: true });
}

#[test]
fn a_gift_certificate_that_is_bought_is_no_goods() {
    let products = json!([
        product(1, "physical", "60.0000", "78.0000"),
        product(2, "giftcertificate", "40.0000", "40.0000"),
    ]);
    assert_eq!(told(&order(), &json!([]), &products).snapshot.goods, taxed(5_000, 1_800));
    let certificate = json!({"item_type": "PRODUCT", "item_id": 2, "quantity": 1, "requested_amount": null});
    let refunds = json!([refund(1, 20.0, 0.0, json!([certificate]))]);
    let back = told(&order(), &refunds, &products).refunds;
    assert_eq!(back.values().next().unwrap().goods.amount, 0, "its refund gives back none");
}

#[test]
fn more_discount_than_goods_is_no_goods() {
    let order = with(order(), json!({"discount_amount": "500.0000"}));
    assert_eq!(told(&order, &json!([]), &json!([])).snapshot.goods.amount, 0);
}

#[test]
fn a_status_says_how_far_an_order_is_paid_whatever_the_shop_calls_it() {
    let standing = |changes: Value| {
        let snapshot = told(&with(order(), changes), &json!([]), &json!([])).snapshot;
        (snapshot.payment, snapshot.cancelled)
    };
    for status in [2, 3, 8, 9, 10, 11, 14] {
        assert_eq!(standing(json!({"status_id": status})), (Payment::Paid, false), "{status}");
    }
    for status in [0, 1, 7, 12, 13, 99] {
        assert_eq!(standing(json!({"status_id": status})), (Payment::Unpaid, false), "{status}");
    }
    for status in [5, 6] {
        assert_eq!(standing(json!({"status_id": status})), (Payment::Unpaid, true), "{status}");
    }
    assert_eq!(
        standing(json!({"status_id": 4})),
        (Payment::Paid, true),
        "refunded, and no refund says of what"
    );
    assert_eq!(standing(json!({"is_deleted": true})), (Payment::Unpaid, true));
    assert_eq!(standing(json!({"payment_status": "void"})), (Payment::Unpaid, false));
    let refunded = with(order(), json!({"status_id": 4}));
    let whole = json!([refund(1, 108.0, 18.0, json!([item("PRODUCT", 90.0)]))]);
    assert!(!told(&refunded, &whole, &json!([])).snapshot.cancelled, "the refund deducts it");
}

#[test]
fn a_refund_gives_back_its_goods_and_neither_shipping_nor_fees_nor_tax() {
    // As documented: a product of 10.00, shipping of 10.00, and 0.83 of tax.
    let mixed = refund(1, 20.83, 0.83, json!([item("PRODUCT", 10.0), item("SHIPPING", 10.0)]));
    assert_eq!(goods_back(&order(), &json!([mixed])), [("1".to_owned(), taxed(1_000, 200))]);
    for kind in ["SHIPPING", "HANDLING", "GIFT_WRAPPING", "FEE"] {
        let other = refund(1, 11.0, 1.0, json!([item(kind, 10.0)]));
        assert_eq!(goods_back(&order(), &json!([other])), [("1".to_owned(), taxed(0, 0))], "{kind}");
    }
    let tax_only = refund(1, 5.0, 0.0, json!([]));
    assert_eq!(goods_back(&order(), &json!([tax_only])), [("1".to_owned(), taxed(0, 0))]);
}

#[test]
fn an_amount_that_names_no_product_is_goods_with_their_tax() {
    let by_amount = refund(1, 30.0, 0.0, json!([item("ORDER", 30.0)]));
    assert_eq!(goods_back(&order(), &json!([by_amount])), [("1".to_owned(), taxed(2_500, 500))]);
    let included = with(order(), json!({"is_tax_inclusive_pricing": true}));
    let back = Goods { amount: 3_000, tax: 500, tax_included: true };
    assert_eq!(goods_back(&included, &json!([by_amount])), [("1".to_owned(), back)]);
    // A product of 36.00 with its tax of 7.20, shipping of 10.00 with its tax, and 12.00 as a gesture.
    let items = json!([item("PRODUCT", 36.0), item("SHIPPING", 10.0), item("ORDER", 12.0)]);
    let mixed = refund(1, 67.2, 9.2, items);
    assert_eq!(goods_back(&order(), &json!([mixed])), [("1".to_owned(), taxed(4_600, 920))]);
    let all = refund(1, 108.0, 0.0, json!([item("ORDER", 108.0)]));
    assert_eq!(goods_back(&order(), &json!([all])), [("1".to_owned(), taxed(9_000, 1_800))]);
}

#[test]
fn what_is_given_or_withheld_beside_a_product_is_goods_with_their_tax_too() {
    // A product of 36.00 with its tax of 7.20.
    let beside = |amount: f64| {
        let mut product = item("PRODUCT", 0.0);
        product["adjustments"] = json!([{"amount": amount, "description": "Restocking"}]);
        product["requested_amount"] = Value::Null;
        refund(1, 43.2 + amount, 7.2, json!([product]))
    };
    assert_eq!(goods_back(&order(), &json!([beside(-6.0)])), [("1".to_owned(), taxed(3_100, 620))]);
    assert_eq!(goods_back(&order(), &json!([beside(6.0)])), [("1".to_owned(), taxed(4_100, 820))]);
}

#[test]
fn what_was_given_back_without_a_refund_in_the_list_is_goods_first_with_their_tax() {
    let standing = |status: u32, refunded: &str, refunds: Value| {
        let order = with(order(), json!({"status_id": status, "refunded_amount": refunded}));
        let snapshot = told(&order, &refunds, &json!([])).snapshot;
        (snapshot.payment, snapshot.cancelled)
    };
    let part = Payment::Partial { paid: 7_800, total: 10_800 };
    assert_eq!(standing(14, "30.0000", json!([])), (part, false));
    assert_eq!(standing(4, "200.0000", json!([])), (Payment::Unpaid, false));
    let listed = json!([refund(1, 30.0, 0.0, json!([item("ORDER", 30.0)]))]);
    assert_eq!(standing(14, "30.0000", listed), (Payment::Paid, false), "the refund deducts it");
    assert_eq!(standing(4, "0.0000", json!([])), (Payment::Paid, true));
}

#[test]
fn refunds_never_give_back_more_than_the_goods_and_all_of_them_exactly_all() {
    let third = |id| refund(id, 43.2, 7.2, json!([item("PRODUCT", 36.0)]));
    let back = goods_back(&order(), &json!([third(10), third(9), third(11)]));
    let goods: Vec<Goods> = back.iter().map(|(_, goods)| *goods).collect();
    assert_eq!(back[0].0, "10");
    // By their numbers: 9, 10, 11.
    assert_eq!(goods, [taxed(3_600, 720), taxed(1_800, 360), taxed(3_600, 720)]);
    assert_eq!(
        goods.iter().map(|goods| (goods.amount, goods.tax)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
        (9_000, 1_800)
    );
}

#[test]
fn a_refund_that_was_declined_gives_back_nothing_and_one_without_a_time_is_dated_as_the_order() {
    let mut declined = refund(1, 24.0, 0.0, json!([item("ORDER", 24.0)]));
    declined["payments"][0]["is_declined"] = json!(true);
    let mut undated = refund(2, 24.0, 0.0, json!([item("ORDER", 24.0)]));
    undated["created"] = json!("");
    let refunds = told(&order(), &json!([declined, undated]), &json!([])).refunds;
    let amounts: Vec<_> = refunds.iter().map(|(id, refund)| (id.as_str(), refund.goods.amount)).collect();
    assert_eq!(amounts, [("1", 0), ("2", 2_000)], "the first may have been told before it was declined");
    assert_eq!(refunds.values().last().unwrap().refunded_at, at("2026-03-01T10:20:00Z"));
    let refunded = with(order(), json!({"status_id": 4}));
    assert!(told(&refunded, &json!([declined]), &json!([])).snapshot.cancelled, "no refund says of what");
}

#[test]
fn a_customer_is_known_by_number_and_a_guest_by_nothing() {
    let customer = told(&order(), &json!([]), &json!([])).customer.unwrap();
    assert_eq!(customer.id.as_ref().unwrap().as_str(), "11");
    assert_eq!(customer.contact.email.as_deref(), Some("c-1@example.com"));
    assert_eq!((customer.contact.verified_email(), customer.contact.locale.as_deref()), (None, Some("fr")));
    let guest = told(&with(order(), json!({"customer_id": 0})), &json!([]), &json!([])).customer.unwrap();
    assert!(!guest.is_known());
}

#[test]
fn a_guest_is_known_by_a_phone_of_the_billing_addresss_country() {
    let address = json!({"phone": "(512) 555-1111", "country": "United States", "country_iso2": "US"});
    let guest = with(order(), json!({"customer_id": 0, "billing_address": address}));
    let guest = told(&guest, &json!([]), &json!([])).customer.unwrap();
    assert_eq!(guest.contact.phone.map(String::from).as_deref(), Some("+15125551111"));
}

#[test]
fn an_order_that_is_not_there_is_no_news_and_lists_may_be_missing() {
    assert_eq!(read_all(&[unknown()]), Ok(Reading::Told(vec![News::Nothing(UNKNOWN)])));
    let empty = Answer::of(Vec::new());
    let Ok(Reading::Told(news)) = read_all(&[known(&order()), unknown(), empty.clone(), empty]) else {
        panic!()
    };
    assert!(matches!(&news[..], [News::Order(order)] if order.refunds.is_empty()));
    assert!(read_all(&[known(&json!({"id": 250})), unknown(), unknown(), unknown()]).is_err());
}

#[test]
fn a_header_may_carry_the_secret_where_nothing_is_signed() {
    let shop = shop(json!({"header": "X-Laurel-Secret"})).unwrap();
    let verified = |value: &str| {
        let (source, headers) = (source("shop"), headers([("x-laurel-secret", value)]));
        shop.verify(&Delivery { source: &source, headers: &headers, body: b"{}", now: at(NOW) })
    };
    assert_eq!(verified("a-secret"), Ok(()));
    assert_eq!(verified("another"), Err(Refusal::Header));
    assert_eq!(verified(""), Err(Refusal::Header));
}

#[test]
fn a_source_that_lacks_its_way_to_the_api_is_refused() {
    for (changes, problem) in [
        (json!({"api": null}), "api is missing, and this platform needs it"),
        (json!({"api": {"token": "t"}}), "api.store is missing, and this platform needs it"),
        (
            json!({"api": {"token": "t", "store": "a/b"}}),
            "api.store is the shop's hash: letters and digits only",
        ),
        (json!({"header": "no header"}), "header is no name of a header"),
    ] {
        assert_eq!(shop(changes).err().unwrap().to_string(), problem);
    }
}
