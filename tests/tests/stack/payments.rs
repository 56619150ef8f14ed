//! A sale of Stripe's and an order of Adobe Commerce's, from the webhook to the points.

use serde_json::{Value, json};
use tests::Shop;

const NOW: &str = "2026-03-10T12:00:00Z";
/// A few minutes before, in seconds since 1970.
const SOLD: i64 = 1_773_143_700;

fn event(kind: &str, seconds_later: i64, object: Value) -> Value {
    json!({"type": kind, "created": SOLD + seconds_later, "livemode": true, "data": {"object": object}})
}

/// Goods of 45.00 with 9.00 of tax on top, and 4.90 of shipping.
fn sale() -> [Value; 2] {
    let intent =
        json!({"id": "pi_1", "created": SOLD, "currency": "eur", "amount": 5890, "customer": "cus_1"});
    let session = json!({
        "id": "cs_1", "created": SOLD, "mode": "payment", "payment_status": "paid", "payment_intent": "pi_1",
        "currency": "eur", "amount_subtotal": 4500, "amount_total": 5890, "customer": "cus_1",
        "total_details": {"amount_discount": 0, "amount_shipping": 490, "amount_tax": 900},
    });
    [event("payment_intent.succeeded", 1, intent), event("checkout.session.completed", 1, session)]
}

fn refunded(seconds_later: i64, amount: i64) -> Value {
    let charge =
        json!({"id": "ch_1", "payment_intent": "pi_1", "currency": "eur", "amount_refunded": amount});
    event("charge.refunded", seconds_later, charge)
}

async fn told(shop: &Shop, source: &str, events: &[&Value]) {
    for event in events {
        let (status, answer) = shop.send(source, &[], event).await;
        assert_eq!(status, 202, "{answer}");
    }
    shop.drain().await;
}

async fn balance(shop: &Shop, source: &str, customer: &str) -> Value {
    shop.get(&format!("/members?source={source}&customer={customer}")).await.1["balance"].clone()
}

#[tokio::test]
async fn a_sale_of_stripes_earns_once_on_its_goods_whichever_event_comes_first() {
    let [intent, session] = sale();
    for events in [[&intent, &session, &intent], [&session, &intent, &session]] {
        let shop = Shop::open(NOW).await;
        told(&shop, "stripe-main", &events).await;
        assert_eq!(balance(&shop, "stripe-main", "cus_1").await, 450);
    }
}

#[tokio::test]
async fn money_given_back_by_stripe_takes_its_goods_points_and_a_refund_that_failed_gives_them_back() {
    let shop = Shop::open(NOW).await;
    let [_, session] = sale();
    // Half of what the goods cost with their tax, in two parts.
    told(&shop, "stripe-main", &[&session, &refunded(120, 2_700), &refunded(60, 1_350)]).await;
    assert_eq!(balance(&shop, "stripe-main", "cus_1").await, 225);
    let failed = json!({
        "id": "re_2", "created": SOLD + 119, "amount": 1350, "currency": "eur", "status": "failed", "payment_intent": "pi_1",
    });
    told(&shop, "stripe-main", &[&event("charge.refund.updated", 180, failed)]).await;
    assert_eq!(balance(&shop, "stripe-main", "cus_1").await, 337);
    told(&shop, "stripe-main", &[&refunded(240, 5_890)]).await;
    assert_eq!(balance(&shop, "stripe-main", "cus_1").await, 0);
}

/// Goods of 50.00 on one invoice that was paid in two parts, of each of which something was given back.
#[tokio::test]
async fn an_invoice_paid_in_parts_earns_once_and_has_the_refunds_of_every_payment() {
    let invoice =
        json!({"id": "in_1", "created": SOLD, "currency": "eur", "total": 5000, "customer": "cus_1"});
    let intent = |id: &str, amount: i64| {
        let payment =
            json!({"id": id, "created": SOLD, "currency": "eur", "amount": amount, "customer": "cus_1"});
        event("payment_intent.succeeded", 1, payment)
    };
    let link = |id: &str| {
        let payment = json!({"type": "payment_intent", "payment_intent": id});
        event("invoice_payment.paid", 2, json!({"invoice": "in_1", "payment": payment, "status": "paid"}))
    };
    let refund = |charge: &str, intent: &str, seconds_later: i64, amount: i64| {
        let charge =
            json!({"id": charge, "payment_intent": intent, "currency": "eur", "amount_refunded": amount});
        event("charge.refunded", seconds_later, charge)
    };
    let told_in_order = [
        event("invoice.paid", 2, invoice),
        intent("pi_1", 3_000),
        intent("pi_2", 2_000),
        link("pi_1"),
        link("pi_2"),
        refund("ch_1", "pi_1", 60, 500),
        refund("ch_1", "pi_1", 90, 1_000),
        refund("ch_2", "pi_2", 70, 500),
    ];
    for turned in [false, true] {
        let mut events: Vec<_> = told_in_order.iter().collect();
        if turned {
            events.reverse();
        }
        let shop = Shop::open(NOW).await;
        for event in events.iter().chain(&events[2..5]) {
            told(&shop, "stripe-main", &[event]).await;
        }
        assert_eq!(balance(&shop, "stripe-main", "cus_1").await, 350, "{turned}");
    }
}

#[tokio::test]
async fn an_order_of_adobe_commerce_earns_once_it_is_paid_and_nothing_of_a_closed_one_is_left() {
    let shop = Shop::open(NOW).await;
    let order = |state: &str, minute: u8| {
        json!({
            "entity_id": 8, "state": state, "created_at": "2026-03-10 11:00:00",
            "updated_at": format!("2026-03-10 11:{minute:02}:00"), "customer_id": 31,
            "order_currency_code": "EUR", "subtotal": "50.0000", "discount_amount": "-5.0000", "tax_amount": "9.0000",
        })
    };
    let memo = json!({
        "entity_id": 51, "order_id": 8, "state": 2, "created_at": "2026-03-10 11:20:00", "order_currency_code": "EUR",
        "subtotal": "20.0000", "discount_amount": "0.0000", "tax_amount": "4.0000", "adjustment": 0,
    });
    told(&shop, "mage-os-main", &[&order("processing", 10), &order("new", 0)]).await;
    assert_eq!(balance(&shop, "mage-os-main", "31").await, 450);
    told(&shop, "mage-os-main", &[&memo, &memo]).await;
    assert_eq!(balance(&shop, "mage-os-main", "31").await, 250);
    told(&shop, "mage-os-main", &[&order("closed", 30)]).await;
    assert_eq!(balance(&shop, "mage-os-main", "31").await, 0);
}

#[tokio::test]
async fn the_local_stack_answers_adobes_challenge() {
    let shop = Shop::open(NOW).await;
    let answer = shop.get("/webhooks/adobe-main?challenge=8ec8d794-e0ab").await;
    assert_eq!(answer, (200, json!({"challenge": "8ec8d794-e0ab"})));
}

/// Each in whatever order and told twice: forwards, backwards, and a later half first.
fn turned(events: &[Value]) -> [Vec<&Value>; 3] {
    let (first, second) = events.split_at(events.len() / 2);
    let forwards: Vec<_> = events.iter().chain(events).collect();
    [
        forwards.clone(),
        forwards.into_iter().rev().collect(),
        second.iter().chain(first).chain(second).collect(),
    ]
}

async fn balance_after(events: &[&Value], customer: &str) -> Value {
    let shop = Shop::open(NOW).await;
    for event in events {
        shop.send("stripe-main", &[], event).await;
    }
    shop.drain().await;
    balance(&shop, "stripe-main", customer).await
}

#[tokio::test]
async fn a_years_price_that_becomes_credit_for_nine_months_earns_once() {
    let invoice = |id: String, second: i64, total: i64, paid: i64, before: i64, after: i64| {
        let invoice = json!({
            "id": id, "created": SOLD + second, "currency": "eur", "total": total, "amount_paid": paid,
            "amount_due": paid, "starting_balance": before, "ending_balance": after, "customer": "cus_1",
        });
        event("invoice.paid", second, invoice)
    };
    let mut events = vec![
        invoice("in_year".to_owned(), 0, 10_000, 10_000, 0, 0),
        invoice("in_less".to_owned(), 10, -9_000, 0, 0, -9_000),
    ];
    for month in 0..9 {
        let before = -9_000 + 1_000 * month;
        events.push(invoice(format!("in_{month}"), 20 + month, 1_000, 0, before, before + 1_000));
    }
    for told in turned(&events) {
        assert_eq!(balance_after(&told, "cus_1").await, 1_000);
    }
}

#[tokio::test]
async fn a_dispute_takes_the_points_with_the_money_and_brings_them_back_with_it() {
    let [_, session] = sale();
    let dispute = |kind: &str, status: &str, second: i64| {
        let dispute = json!({
            "id": "dp_1", "created": SOLD + 60, "amount": 5890, "currency": "eur", "status": status,
            "charge": "ch_1", "payment_intent": "pi_1",
        });
        event(&format!("charge.dispute.{kind}"), second, dispute)
    };
    let opened =
        [session, dispute("created", "needs_response", 60), dispute("funds_withdrawn", "needs_response", 60)];
    let lost = [&opened[..], &[dispute("closed", "lost", 90)]].concat();
    let won = [&opened[..], &[dispute("closed", "won", 90), dispute("funds_reinstated", "won", 91)]].concat();
    for (events, points) in [(&opened[..], 0), (&lost, 0), (&won, 450), (&opened[..2], 450)] {
        for told in turned(events) {
            assert_eq!(balance_after(&told, "cus_1").await, points);
        }
    }
}

#[tokio::test]
async fn of_a_payment_that_was_captured_in_part_the_rest_is_no_refund() {
    let intent = json!({
        "id": "pi_1", "created": SOLD, "currency": "eur", "amount": 20_675, "amount_received": 20_300,
        "customer": "cus_1",
    });
    let charge = |second: i64, refunded: i64| {
        let charge = json!({
            "id": "ch_1", "payment_intent": "pi_1", "currency": "eur", "amount": 20_675,
            "amount_captured": 20_300, "amount_refunded": refunded,
        });
        event("charge.refunded", second, charge)
    };
    let rest = json!({
        "id": "re_1", "created": SOLD + 5, "amount": 375, "currency": "eur", "status": "succeeded",
        "payment_intent": "pi_1", "charge": "ch_1",
    });
    let captured =
        [event("payment_intent.succeeded", 1, intent), event("refund.created", 5, rest), charge(5, 375)];
    let refunded = [&captured[..], &[charge(60, 10_375)]].concat();
    for (events, points) in [(&captured[..], 2_030), (&refunded, 1_030)] {
        for told in turned(events) {
            assert_eq!(balance_after(&told, "cus_1").await, points);
        }
    }
}

#[tokio::test]
async fn a_refund_that_fails_comes_off_the_sum_of_its_own_payment() {
    let invoice =
        json!({"id": "in_1", "created": SOLD, "currency": "eur", "total": 5000, "customer": "cus_1"});
    let link = |id: &str| {
        let payment = json!({"type": "payment_intent", "payment_intent": id});
        event("invoice_payment.paid", 2, json!({"invoice": "in_1", "payment": payment, "status": "paid"}))
    };
    let sum = |charge: &str, intent: &str, second: i64, amount: i64| {
        let charge =
            json!({"id": charge, "payment_intent": intent, "currency": "eur", "amount_refunded": amount});
        event("charge.refunded", second, charge)
    };
    // Of the second payment the refund failed before its sum was told anew, and a later sum of the first is no word of it.
    let failed = json!({
        "id": "re_2", "created": SOLD + 60, "amount": 500, "currency": "eur", "status": "failed",
        "payment_intent": "pi_2", "charge": "ch_2",
    });
    let events = [
        event("invoice.paid", 2, invoice),
        link("pi_1"),
        link("pi_2"),
        sum("ch_2", "pi_2", 60, 500),
        event("refund.failed", 70, failed),
        sum("ch_1", "pi_1", 90, 1_000),
    ];
    for told in turned(&events) {
        assert_eq!(balance_after(&told, "cus_1").await, 400);
    }
}

#[tokio::test]
async fn a_refund_is_corrected_by_its_id_and_an_orders_corrected_currency_is_its_refunds_too() {
    let rate = ("points_per_unit = \"10\"", "points_per_unit = \"10\"\nexchange_rates = { USD = \"0.5\" }");
    let shop = Shop::with(NOW, tests::programme(&[rate])).await;
    let refund = |minor: i64, updated_at: &str| {
        let mut refund = shop.refund("r-1", "1", minor);
        refund["refund"]["updated_at"] = json!(updated_at);
        refund
    };
    told(&shop, tests::GENERIC, &[&shop.order("1", "c-1", 10_000), &refund(4_000, "2026-03-10T12:00:00Z")])
        .await;
    assert_eq!(balance(&shop, tests::GENERIC, "c-1").await, 600);
    told(&shop, tests::GENERIC, &[&refund(2_000, "2026-03-10T12:00:02Z")]).await;
    assert_eq!(balance(&shop, tests::GENERIC, "c-1").await, 800);
    told(&shop, tests::GENERIC, &[&refund(4_000, "2026-03-10T12:00:01Z")]).await;
    assert_eq!(balance(&shop, tests::GENERIC, "c-1").await, 800, "an older version");
    let mut corrected = shop.order("1", "c-1", 10_000);
    corrected["order"]["currency"] = json!("USD");
    corrected["order"]["updated_at"] = json!("2026-03-10T13:00:00Z");
    told(&shop, tests::GENERIC, &[&corrected]).await;
    assert_eq!(balance(&shop, tests::GENERIC, "c-1").await, 400);
    let mut money = refund(0, "2026-03-10T14:00:00Z");
    money["refund"].as_object_mut().unwrap().remove("goods");
    money["refund"]["money_minor"] = json!(6_000);
    money["refund"]["currency"] = json!("USD");
    told(&shop, tests::GENERIC, &[&money]).await;
    assert_eq!(balance(&shop, tests::GENERIC, "c-1").await, 200);
}
