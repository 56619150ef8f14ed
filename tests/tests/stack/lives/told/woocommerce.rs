//! WooCommerce: every change is the whole order, and its refunds are sums of money.

use serde_json::{Value, json};

use super::{Teller, Webhook, moment, money};
use crate::lives::order::{Happened, Order, Payment, SHIPPING, Shape};

pub const WOOCOMMERCE: Teller = Teller {
    source: tests::WOOCOMMERCE,
    shape: Shape {
        edits_unpaid: true,
        cancels: true,
        completes_again: true,
        deletes: true,
        restores: true,
        refunds_are_money: true,
        pays_in_parts: false,
        edits_paid: false,
        refunds_fail: false,
        sells_gift_cards: false,
        adds_tax: false,
        has_tests: false,
        names_customers_late: false,
    },
    order_id: |id| id.to_string(),
    tell,
};

const TOPIC: &str = "x-wc-webhook-topic";

fn tell(order: &Order, happened: Happened) -> Vec<Webhook> {
    let (topic, body) = match happened {
        Happened::Placed => ("order.created", whole(order)),
        Happened::Deleted => ("order.deleted", json!({"id": order.id})),
        Happened::Restored => ("order.restored", whole(order)),
        _ => ("order.updated", whole(order)),
    };
    vec![Webhook { restores: happened == Happened::Restored, ..Webhook::of_topic(TOPIC, topic, body) }]
}

fn whole(order: &Order) -> Value {
    let refunds = order
        .refunds
        .iter()
        .map(|refund| json!({"id": refund.id, "total": money(-order.goods_back(refund) - refund.shipping)}));
    json!({
        "id": order.id, "status": status(order), "currency": "EUR", "date_created_gmt": moment(order.placed_at),
        "date_modified_gmt": moment(order.updated_at), "prices_include_tax": true,
        "line_items": [{"total": money(order.goods()), "total_tax": "0.00"}],
        "shipping_total": money(SHIPPING), "total": money(order.total()), "customer_id": order.customer.unwrap_or(0),
        "refunds": refunds.collect::<Vec<_>>(),
    })
}

fn status(order: &Order) -> &'static str {
    match order.payment {
        Payment::Unpaid if order.cancelled => "failed",
        _ if order.cancelled => "cancelled",
        Payment::Paid if order.money_back() >= order.total() => "refunded",
        Payment::Paid => "processing",
        Payment::Unpaid | Payment::Part(_) => "on-hold",
    }
}
