//! Adobe Commerce as Mage-OS tells of it: orders, their invoices, and credit memos.

use serde_json::{Value, json};

use super::{Teller, Webhook, moment, money};
use crate::lives::order::{Happened, Order, Payment, Shape};

pub const ADOBE_COMMERCE: Teller = Teller {
    source: "mage-os-main",
    shape: Shape {
        pays_in_parts: true,
        cancels: true,
        completes_again: true,
        sells_gift_cards: true,
        edits_unpaid: false,
        edits_paid: false,
        deletes: false,
        restores: false,
        refunds_fail: false,
        adds_tax: false,
        has_tests: false,
        names_customers_late: false,
        refunds_are_money: false,
    },
    order_id: |id| id.to_string(),
    tell,
};

fn tell(order: &Order, happened: Happened) -> Vec<Webhook> {
    let first = match happened {
        Happened::Paid => Some(invoice(order)),
        Happened::Refunded => Some(credit_memo(order)),
        _ => None,
    };
    first.into_iter().chain([whole(order)]).map(Webhook::new).collect()
}

fn time(second: i64) -> String {
    moment(second).replace('T', " ")
}

fn whole(order: &Order) -> Value {
    let (state, paid) = match order.payment {
        _ if order.cancelled => ("canceled", 0),
        Payment::Unpaid => ("new", 0),
        Payment::Part(paid) => ("processing", paid),
        Payment::Paid if order.money_back() >= order.total() - order.gift_card => ("closed", order.total()),
        Payment::Paid => ("complete", order.total()),
    };
    let mut fields = amounts(order.goods() + order.gift_card);
    let own = json!({
        "entity_id": order.id, "state": state, "created_at": time(order.placed_at),
        "updated_at": time(order.updated_at), "customer_id": order.customer, "grand_total": money(order.total()),
        "total_paid": money(paid), "items": items(order),
    });
    extend(&mut fields, own);
    fields
}

fn items(order: &Order) -> Value {
    let tea = json!({"product_type": "simple", "row_total": money(order.goods())});
    let card = json!({"product_type": "giftcard", "row_total": money(order.gift_card)});
    if order.gift_card > 0 { json!([tea, card]) } else { json!([tea]) }
}

fn invoice(order: &Order) -> Value {
    let mut fields = amounts(order.goods() + order.gift_card);
    let own = json!({
        "entity_id": order.id, "order_id": order.id, "state": 2, "created_at": time(order.updated_at),
        "items": items(order),
    });
    extend(&mut fields, own);
    fields
}

fn credit_memo(order: &Order) -> Value {
    let Some(refund) = order.refunds.last() else { return Value::Null };
    let mut fields = amounts(refund.pieces * order.price);
    let own = json!({
        "entity_id": refund.id, "order_id": order.id, "state": 2, "created_at": time(refund.at),
        "adjustment_positive": money(refund.gesture), "adjustment_negative": money(refund.fee),
        "shipping_amount": money(refund.shipping),
    });
    extend(&mut fields, own);
    fields
}

fn amounts(subtotal: i64) -> Value {
    json!({
        "order_currency_code": "EUR", "subtotal": money(subtotal), "discount_amount": "0.0000",
        "tax_amount": "0.0000",
    })
}

fn extend(fields: &mut Value, own: Value) {
    if let (Value::Object(fields), Value::Object(own)) = (fields, own) {
        fields.extend(own);
    }
}
