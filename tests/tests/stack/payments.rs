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
