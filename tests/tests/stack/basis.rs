//! Rounding and tax basis in every combination, with the payloads of shops that show their prices with tax and without.

use serde_json::{Value, json};
use tests::{SHOPIFY, Shop, WOOCOMMERCE, programme};

const NOW: &str = "2026-03-02T10:00:00Z";
const ROUNDINGS: [&str; 3] = ["floor", "half_up", "ceiling"];

/// Each order has goods of 20.49 and 4.10 of tax on them: 24.59 in all. At one point per 1.00 of it, by hand: the points
/// under each of [`ROUNDINGS`], of the order, and of what is left after 12.30, half of it, was refunded: 12.29 with
/// tax, 10.24 without.
struct Expected {
    basis: &'static str,
    shown_with_tax: bool,
    points: [i64; 3],
    after_refund: [i64; 3],
}

const WITH_TAX: ([i64; 3], [i64; 3]) = ([24, 25, 25], [12, 12, 13]);
const WITHOUT_TAX: ([i64; 3], [i64; 3]) = ([20, 20, 21], [10, 10, 11]);

const fn expected(
    basis: &'static str,
    shown_with_tax: bool,
    (points, after_refund): ([i64; 3], [i64; 3]),
) -> Expected {
    Expected { basis, shown_with_tax, points, after_refund }
}

const TABLE: [Expected; 6] = [
    expected("as_priced", true, WITH_TAX),
    expected("as_priced", false, WITHOUT_TAX),
    expected("with_tax", true, WITH_TAX),
    expected("with_tax", false, WITH_TAX),
    expected("without_tax", true, WITHOUT_TAX),
    expected("without_tax", false, WITHOUT_TAX),
];

/// Shipping, which never earns, is 6.00 with tax in both.
fn shopify(shown_with_tax: bool, refunded: bool) -> Value {
    let (price, refund) = if shown_with_tax { ("24.59", "12.30") } else { ("20.49", "10.25") };
    let left = match (shown_with_tax, refunded) {
        (_, false) => price,
        (true, true) => "12.29",
        (false, true) => "10.24",
    };
    let line = json!({"id": 1, "quantity": 2, "current_quantity": if refunded { 1 } else { 2 }, "gift_card": false,
        "price": "99.99", "tax_lines": [{"price": "4.10", "rate": 0.2}]});
    let refund = json!({"id": 9, "order_id": 1, "created_at": NOW, "transactions": [], "order_adjustments": [],
        "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": refund, "total_tax": "2.05", "line_item": line}]});
    json!({
        "id": 1, "created_at": NOW, "updated_at": if refunded { "2026-03-02T10:10:00Z" } else { NOW },
        "currency": "EUR", "financial_status": if refunded { "partially_refunded" } else { "paid" },
        "cancelled_at": null, "test": false, "taxes_included": shown_with_tax, "current_subtotal_price": left,
        "total_price": "30.59", "line_items": [line], "customer": {"id": 5},
        "refunds": if refunded { json!([refund]) } else { json!([]) },
    })
}

fn woocommerce(shown_with_tax: bool, refunded: bool) -> Value {
    json!({
        "id": 1, "date_created_gmt": "2026-03-02T10:00:00",
        "date_modified_gmt": if refunded { "2026-03-02T10:10:00" } else { "2026-03-02T10:00:00" },
        "currency": "EUR", "status": "processing", "prices_include_tax": shown_with_tax,
        "shipping_total": "5.00", "shipping_tax": "1.00", "total": "30.59", "total_tax": "5.10", "customer_id": 5,
        "line_items": [{"total": "10.245", "total_tax": "2.049"}, {"total": "10.245", "total_tax": "2.049"}],
        "refunds": if refunded { json!([{"id": 9, "reason": "", "total": "-12.30"}]) } else { json!([]) },
    })
}

async fn tell(shop: &Shop, source: &str, body: &Value) -> i64 {
    let topic = if source == SHOPIFY {
        ("x-shopify-topic", "orders/updated")
    } else {
        ("x-wc-webhook-topic", "order.updated")
    };
    let (status, answer) = shop.send(source, &[topic], body).await;
    assert_eq!(status, 202, "{answer}");
    shop.drain().await;
    let (_, member) = shop.get(&format!("/members?source={source}&customer=5")).await;
    member["balance"].as_i64().unwrap()
}

#[tokio::test]
async fn every_basis_and_rounding_gives_both_platforms_orders_the_points_worked_out_by_hand() {
    for Expected { basis, shown_with_tax, points, after_refund } in TABLE {
        for (index, rounding) in ROUNDINGS.into_iter().enumerate() {
            let rules = programme(&[
                ("points_per_unit = \"10\"", "points_per_unit = \"1\""),
                ("basis = \"as_priced\"", &format!("basis = \"{basis}\"")),
                ("rounding = \"floor\"", &format!("rounding = \"{rounding}\"")),
            ]);
            let shop = Shop::with(NOW, rules).await;
            for (source, order) in [(SHOPIFY, shopify as fn(bool, bool) -> Value), (WOOCOMMERCE, woocommerce)]
            {
                let case = format!("{source}, {basis}, {rounding}, shown with tax: {shown_with_tax}");
                assert_eq!(tell(&shop, source, &order(shown_with_tax, false)).await, points[index], "{case}");
                let left = tell(&shop, source, &order(shown_with_tax, true)).await;
                assert_eq!(left, after_refund[index], "{case}, refunded");
            }
        }
    }
}
