//! Stripe: a sale is told by its payment and by its checkout or its invoice, and of refunds the sum so far.

use serde_json::{Value, json};

use super::{Teller, Webhook};
use crate::lives::order::{Happened, Order, SHIPPING, Shape};

pub const STRIPE: Teller =
    Teller { source: "stripe-main", shape: SHAPE, order_id: |id| format!("pi_{id}"), tell };

/// As newer versions of the API tell of invoices: the payment's refunds do not name the invoice, nor it the payment.
pub const STRIPE_APART: Teller =
    Teller { source: "stripe-main", shape: SHAPE, order_id: |id| format!("in_{id}"), tell: tell_apart };

const SHAPE: Shape = Shape {
    refunds_fail: true,
    has_tests: true,
    refunds_are_money: true,
    pays_in_parts: false,
    edits_unpaid: false,
    edits_paid: false,
    cancels: false,
    completes_again: false,
    deletes: false,
    restores: false,
    sells_gift_cards: false,
    adds_tax: false,
    names_customers_late: false,
};

/// Midnight of the day on which everything happens.
const MIDNIGHT: i64 = 1_772_409_600;

fn tell(order: &Order, happened: Happened) -> Vec<Webhook> {
    let at = order.updated_at;
    let events = match happened {
        Happened::Placed => vec![event(order, at, "checkout.session.completed", session(order, "unpaid"))],
        Happened::Paid => {
            let sale = if order.id.is_multiple_of(2) {
                event(order, at, "checkout.session.async_payment_succeeded", session(order, "paid"))
            } else {
                event(order, at, "invoice.paid", invoice(order))
            };
            vec![event(order, at, "payment_intent.succeeded", intent(order)), sale]
        }
        Happened::Refunded => vec![event(order, at, "charge.refunded", charge(order))],
        Happened::RefundFailed => failed_refund(order)
            .map(|body| event(order, at, "charge.refund.updated", body))
            .into_iter()
            .collect(),
        _ => vec![],
    };
    events.into_iter().map(Webhook::new).collect()
}

/// A payment tells its invoice, or something else does.
fn tell_apart(order: &Order, happened: Happened) -> Vec<Webhook> {
    let at = order.updated_at;
    let mut events = match happened {
        Happened::Paid => {
            let (mut intent, mut invoice) = (intent(order), invoice(order));
            invoice.as_object_mut().map(|invoice| invoice.remove("payment_intent"));
            let more = match order.id % 3 {
                0 => {
                    intent["payment_details"] = json!({"order_reference": invoice["id"]});
                    None
                }
                1 => Some(event(order, at, "invoice_payment.paid", invoice_payment(order))),
                _ => {
                    let mut session = session(order, "paid");
                    session["invoice"] = invoice["id"].clone();
                    Some(event(order, at, "checkout.session.completed", session))
                }
            };
            let intent = event(order, at, "payment_intent.succeeded", intent);
            let invoice = event(order, at, "invoice.paid", invoice);
            [vec![intent, invoice], more.into_iter().collect()].concat()
        }
        _ => return tell(order, happened),
    };
    events.iter_mut().for_each(|event| event["api_version"] = json!("2025-05-28.basil"));
    events.into_iter().map(Webhook::new).collect()
}

fn invoice_payment(order: &Order) -> Value {
    json!({"invoice": format!("in_{}", order.id), "payment": {"payment_intent": id(order)}, "status": "paid"})
}

fn event(order: &Order, second: i64, kind: &str, object: Value) -> Value {
    json!({"type": kind, "created": MIDNIGHT + second, "livemode": !order.test, "data": {"object": object}})
}

fn id(order: &Order) -> String {
    (STRIPE.order_id)(order.id)
}

fn customer(order: &Order) -> Value {
    json!(order.customer.map(|id| id.to_string()))
}

fn session(order: &Order, status: &str) -> Value {
    json!({
        "id": format!("cs_{}", order.id), "created": MIDNIGHT + order.placed_at, "mode": "payment",
        "payment_status": status, "payment_intent": id(order), "currency": "eur", "customer": customer(order),
        "amount_subtotal": order.goods(), "amount_total": order.total(),
        "total_details": {"amount_discount": 0, "amount_shipping": SHIPPING, "amount_tax": 0},
    })
}

fn invoice(order: &Order) -> Value {
    json!({
        "id": format!("in_{}", order.id), "created": MIDNIGHT + order.placed_at, "currency": "eur",
        "total": order.total(), "total_taxes": [], "shipping_cost": {"amount_total": SHIPPING},
        "payment_intent": id(order), "customer": customer(order),
    })
}

/// It knows only the money.
fn intent(order: &Order) -> Value {
    json!({
        "id": id(order), "created": MIDNIGHT + order.placed_at, "currency": "eur", "amount": order.total(),
        "customer": customer(order),
    })
}

fn charge(order: &Order) -> Value {
    json!({
        "id": format!("ch_{}", order.id), "payment_intent": id(order), "currency": "eur",
        "amount_refunded": order.money_back(),
    })
}

fn failed_refund(order: &Order) -> Option<Value> {
    let refund = order.refunds.iter().rfind(|refund| refund.failed_at.is_some())?;
    Some(json!({
        "id": format!("re_{}", refund.id), "created": MIDNIGHT + refund.at, "currency": "eur", "status": "failed",
        "amount": order.goods_back(refund) + refund.shipping, "payment_intent": id(order),
    }))
}
