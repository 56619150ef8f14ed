//! The generic sender: orders whole, refunds one by one.

use serde_json::{Value, json};

use super::{Teller, Webhook, moment};
use crate::lives::order::{Happened, Order, Payment, Shape};

pub const GENERIC: Teller = Teller {
    source: tests::GENERIC,
    shape: Shape {
        pays_in_parts: true,
        edits_unpaid: true,
        edits_paid: true,
        cancels: true,
        completes_again: true,
        has_tests: true,
        names_customers_late: true,
        deletes: false,
        restores: false,
        refunds_fail: false,
        sells_gift_cards: false,
        adds_tax: false,
        refunds_are_money: false,
    },
    order_id: |id| id.to_string(),
    tell,
};

fn tell(order: &Order, happened: Happened) -> Vec<Webhook> {
    let refund = order.refunds.last().filter(|_| happened == Happened::Refunded);
    let refund = refund.map(|refund| {
        json!({"type": "order.refunded", "refund": {
            "id": refund.id, "order_id": order.id, "refunded_at": moment(refund.at) + "Z", "currency": "EUR",
            "goods": {"amount_minor": order.goods_back(refund)},
        }})
    });
    refund.into_iter().chain([whole(order)]).map(Webhook::new).collect()
}

fn whole(order: &Order) -> Value {
    let (status, paid) = match order.payment {
        _ if order.cancelled => ("cancelled", None),
        Payment::Unpaid => ("unpaid", None),
        Payment::Part(paid) => ("partially_paid", Some(paid)),
        Payment::Paid => ("paid", None),
    };
    json!({"type": "order.updated", "order": {
        "id": order.id, "placed_at": moment(order.placed_at) + "Z", "updated_at": moment(order.updated_at) + "Z",
        "currency": "EUR", "goods": {"amount_minor": order.goods()}, "status": status, "paid_minor": paid,
        "total_minor": order.total(), "test": order.test,
        "customer": order.customer.map(|id| json!({"id": id.to_string()})),
    }})
}
