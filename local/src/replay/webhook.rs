//! A row as the generic sender's webhook tells it; the format is documented with `order-webhook`.

use domain::{Currency, Timestamp};
use serde::Serialize;

use crate::history::{Kind, Names, Row};

/// What is sent for a row.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum Webhook<'a> {
    #[serde(rename = "order.updated")]
    Updated { order: OrderBody<'a> },
    #[serde(rename = "order.refunded")]
    Refunded { refund: RefundBody<'a> },
}

#[derive(Debug, Serialize)]
pub(super) struct OrderBody<'a> {
    id: &'a str,
    placed_at: Timestamp,
    updated_at: Timestamp,
    currency: Currency,
    goods: GoodsBody,
    status: &'static str,
    customer: CustomerBody<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct RefundBody<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    refunded_at: Timestamp,
    currency: Currency,
    goods: GoodsBody,
    customer: CustomerBody<'a>,
}

#[derive(Debug, Serialize)]
struct GoodsBody {
    amount_minor: i64,
}

#[derive(Debug, Serialize)]
struct CustomerBody<'a> {
    id: &'a str,
}

/// The row's own name: the same whenever the file is replayed, so that a row sent again is a duplicate. A refund is
/// known by it, too, because two rows of one order are two refunds.
pub(super) fn name_of(row: &Row) -> String {
    format!("line-{}", row.line)
}

/// Tells a row in the programme's currency.
pub(super) fn of_row<'a>(names: &'a Names, row: &Row, currency: Currency) -> Webhook<'a> {
    let customer = CustomerBody { id: names.customer(row.customer).as_str() };
    let goods = GoodsBody { amount_minor: row.amount_minor };
    match row.kind {
        Kind::Order(order) => Webhook::Updated {
            order: OrderBody {
                id: names.order_id(order),
                placed_at: row.at,
                updated_at: row.at,
                currency,
                goods,
                status: "paid",
                customer,
            },
        },
        Kind::Refund(order) => Webhook::Refunded {
            refund: RefundBody {
                id: name_of(row),
                order_id: order.map(|order| names.order_id(order)),
                refunded_at: row.at,
                currency,
                goods,
                customer,
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::history::{History, Purpose};

    fn told(rows: &str) -> Vec<serde_json::Value> {
        let file = format!("customer_id,date,amount_minor,kind,order_id\n{rows}");
        let history =
            History::read(file.as_bytes(), &"shop".to_owned().try_into().unwrap(), Purpose::Replay).unwrap();
        let euro = Currency::new("EUR").unwrap();
        history
            .rows
            .iter()
            .map(|row| serde_json::to_value(of_row(&history.names, row, euro)).unwrap())
            .collect()
    }

    #[test]
    fn an_order_is_told_paid_on_its_day() {
        assert_eq!(
            told("c-1,2024-01-01,1999,order,o-1\n"),
            [json!({"type": "order.updated", "order": {
                "id": "o-1",
                "placed_at": "2024-01-01T00:00:00Z",
                "updated_at": "2024-01-01T00:00:00Z",
                "currency": "EUR",
                "goods": {"amount_minor": 1999},
                "status": "paid",
                "customer": {"id": "c-1"}
            }})]
        );
    }

    #[test]
    fn a_refund_is_named_by_its_line_and_names_its_order_if_there_is_one() {
        let told =
            told("c-1,2024-01-01,1999,order,o-1\nc-1,2024-01-02,5,refund,o-1\nc-1,2024-01-02,5,refund,\n");
        assert_eq!(
            told[1],
            json!({"type": "order.refunded", "refund": {
                "id": "line-3",
                "order_id": "o-1",
                "refunded_at": "2024-01-02T00:00:00Z",
                "currency": "EUR",
                "goods": {"amount_minor": 5},
                "customer": {"id": "c-1"}
            }})
        );
        assert_eq!(told[2]["refund"]["id"], "line-4");
        assert_eq!(told[2]["refund"].get("order_id"), None);
    }
}
