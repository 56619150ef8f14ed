//! Shopify: most changes are told by two topics with one body.

use serde_json::{Value, json};

use super::{Teller, Webhook, moment, money};
use crate::lives::order::{Happened, Order, Payment, Refund, Shape};

pub const SHOPIFY: Teller = Teller {
    source: tests::SHOPIFY,
    shape: Shape {
        pays_in_parts: true,
        edits_unpaid: true,
        edits_paid: true,
        cancels: true,
        deletes: true,
        sells_gift_cards: true,
        adds_tax: true,
        has_tests: true,
        names_customers_late: true,
        completes_again: false,
        restores: false,
        refunds_fail: false,
        refunds_are_money: false,
    },
    order_id: |id| id.to_string(),
    tell,
};

const TOPIC: &str = "x-shopify-topic";

fn tell(order: &Order, happened: Happened) -> Vec<Webhook> {
    let topic = match happened {
        Happened::Placed => "orders/create",
        Happened::Paid => "orders/paid",
        Happened::Fulfilled => "orders/fulfilled",
        Happened::Refunded => "refunds/create",
        Happened::Cancelled => "orders/cancelled",
        Happened::Deleted => return vec![Webhook::of_topic(TOPIC, "orders/delete", json!({"id": order.id}))],
        _ => "orders/partially_fulfilled",
    };
    let own = match order.refunds.last() {
        Some(refund) if happened == Happened::Refunded => refund_body(order, refund),
        _ => whole(order),
    };
    vec![Webhook::of_topic(TOPIC, topic, own), Webhook::of_topic(TOPIC, "orders/updated", whole(order))]
}

fn whole(order: &Order) -> Value {
    let current = order.pieces - order.removed - order.refunded_pieces();
    // Of a part-paid order goods that come back are paid back, so as much as before is to be paid.
    let outstanding = match order.payment {
        Payment::Unpaid => order.total(),
        Payment::Part(paid) => order.total() - paid,
        Payment::Paid => 0,
    };
    let total_back: i64 = order.refunds.iter().map(|refund| total_back(order, refund)).sum();
    json!({
        "id": order.id, "created_at": moment(order.placed_at) + "Z", "updated_at": moment(order.updated_at) + "Z",
        "cancelled_at": order.cancelled.then(|| moment(order.updated_at) + "Z"),
        "currency": "EUR", "financial_status": status(order), "test": order.test,
        "taxes_included": !order.tax_on_top, "total_price": money(order.total()),
        "current_total_price": money(order.total() - total_back), "total_outstanding": money(outstanding),
        "current_subtotal_price": money(current * order.price + order.gift_card),
        "line_items": lines(order),
        "refunds": order.refunds.iter().map(|refund| refund_body(order, refund)).collect::<Vec<_>>(),
        "customer": order.customer.map(|id| json!({"id": id})),
    })
}

fn status(order: &Order) -> &'static str {
    match order.payment {
        Payment::Unpaid if order.cancelled => "voided",
        Payment::Unpaid => "pending",
        Payment::Part(_) if order.refunds.is_empty() => "partially_paid",
        Payment::Paid if order.refunds.is_empty() => "paid",
        _ if order.pieces - order.removed == order.refunded_pieces() => "refunded",
        _ => "partially_refunded",
    }
}

fn lines(order: &Order) -> Vec<Value> {
    let gift_card = json!({"id": 2, "quantity": 1, "current_quantity": 1, "gift_card": true,
        "price": money(order.gift_card), "tax_lines": []});
    let cards = (order.gift_card > 0).then_some(gift_card);
    [tea(order)].into_iter().chain(cards).collect()
}

fn tea(order: &Order) -> Value {
    json!({
        "id": 1, "quantity": order.pieces, "gift_card": false, "price": money(order.price),
        "current_quantity": order.pieces - order.removed - order.refunded_pieces(),
        "tax_lines": [{"price": money(tax(order, order.pieces * order.price)), "rate": 0.2}],
    })
}

fn tax(order: &Order, goods: i64) -> i64 {
    goods / if order.tax_on_top { 5 } else { 6 }
}

/// What a refund takes off the total.
fn total_back(order: &Order, refund: &Refund) -> i64 {
    let goods = refund.pieces * order.price - refund.fee;
    let tax = if order.tax_on_top { tax(order, goods) } else { 0 };
    goods + tax + refund.gesture + refund.shipping
}

fn refund_body(order: &Order, refund: &Refund) -> Value {
    let goods = refund.pieces * order.price;
    let set = |minor: i64| json!({"shop_money": {"amount": money(minor), "currency_code": "EUR"}});
    let line = json!({
        "line_item_id": 1, "quantity": refund.pieces, "subtotal": money(goods), "subtotal_set": set(goods),
        "total_tax": money(tax(order, goods)), "line_item": tea(order),
    });
    // What the shop keeps is a part of goods and tax; money as a gesture has no tax.
    let kept = refund.fee + if order.tax_on_top { tax(order, refund.fee) } else { 0 };
    let adjustments = [
        ("shipping_refund", -refund.shipping),
        ("refund_discrepancy", kept),
        ("refund_discrepancy", -refund.gesture),
    ];
    let told = adjustments.iter().filter(|(_, amount)| *amount != 0);
    let told = told
        .map(|(kind, amount)| json!({"kind": kind, "amount": money(*amount), "amount_set": set(*amount)}));
    json!({
        "id": refund.id, "order_id": order.id, "created_at": moment(refund.at) + "Z",
        "refund_line_items": if refund.pieces > 0 { vec![line] } else { vec![] },
        "order_adjustments": told.collect::<Vec<_>>(),
        "transactions": [{"status": "success", "currency": "EUR"}],
    })
}
