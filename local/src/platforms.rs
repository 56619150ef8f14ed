//! The platforms' APIs on one's own machine, as `local/sources.toml` reaches them: one order of each, or the one that
//! its sample event tells. So an event that carries only an id, and `laurel reconcile`, can be tried without a shop.

use serde_json::{Value, json};

/// What lies at each path after `/local/platforms`.
const ANSWERS: [(&str, &str); 6] = [
    ("/stores/local/v2/orders/250", BIGCOMMERCE_ORDER),
    ("/stores/local/v2/orders/250/products", include_str!("../platforms/bigcommerce-products.json")),
    ("/stores/local/v2/orders/250/coupons", include_str!("../platforms/bigcommerce-coupons.json")),
    (
        "/stores/local/v3/orders/250/payment_actions/refunds",
        include_str!("../platforms/bigcommerce-refunds.json"),
    ),
    ("/v2/orders/CAISENgvlJ6jLWAzERDzjyHVybY", SQUARE_ORDER),
    ("/v2/orders/cEqXy2gSUTU0sLwUcKfNXnkFJXAZY", SQUARE_RETURN),
];
const BIGCOMMERCE_ORDER: &str = include_str!("../platforms/bigcommerce-order.json");
const SQUARE_ORDER: &str = include_str!("../platforms/square-order.json");
const SQUARE_RETURN: &str = include_str!("../platforms/square-return.json");

const SHOPIFY_EVENT: &str = include_str!("../../events/order-webhook/shopify-orders-paid.json");
const WOOCOMMERCE_EVENT: &str =
    include_str!("../../events/order-webhook/woocommerce-order-updated-refunded.json");
/// Stripe's list is of events, the newest first.
const STRIPE_EVENTS: [&str; 5] = [
    include_str!("../../events/order-webhook/stripe-charge-refunded.json"),
    include_str!("../../events/order-webhook/stripe-charge-refund-updated.json"),
    include_str!("../../events/order-webhook/stripe-invoice-paid.json"),
    include_str!("../../events/order-webhook/stripe-payment-intent-succeeded.json"),
    include_str!("../../events/order-webhook/stripe-checkout-session-completed.json"),
];
const ADOBE_ORDER_EVENT: &str = include_str!("../../events/order-webhook/adobe-commerce-order-saved.json");
const ADOBE_CREDIT_MEMO_EVENT: &str =
    include_str!("../../events/order-webhook/adobe-commerce-creditmemo-saved.json");

/// What a platform answers at a path of its API; nothing where it knows nothing. Every list has one page.
pub(crate) fn answer(path: &str, query: &str) -> Option<String> {
    if let Some((_, answer)) = ANSWERS.iter().find(|(known, _)| *known == path) {
        return Some((*answer).to_owned());
    }
    let has = |pair: &str| query.split('&').any(|known| known == pair);
    let list = match path {
        "/stores/local/v2/orders" if has("page=1") && !has("is_deleted=true") => {
            json!([json_of(BIGCOMMERCE_ORDER)])
        }
        "/v2/locations" => json!({"locations": [{"id": "D7AVYMEAPJ3A3"}]}),
        "/v2/orders/search" => {
            json!({"orders": [json_of(SQUARE_ORDER)["order"], json_of(SQUARE_RETURN)["order"]]})
        }
        "/wp-json/wc/v3/orders" if has("page=1") && !has("status=trash") => {
            json!([told_by(WOOCOMMERCE_EVENT)])
        }
        "/stores/local/v2/orders" | "/wp-json/wc/v3/orders" => json!([]),
        "/v1/events" => json!({"data": STRIPE_EVENTS.map(told_by), "has_more": false}),
        "/rest/V1/orders" => saved(ADOBE_ORDER_EVENT),
        "/rest/V1/creditmemos" => saved(ADOBE_CREDIT_MEMO_EVENT),
        path if path.starts_with("/admin/api/") && path.ends_with("/orders.json") => {
            json!({"orders": [told_by(SHOPIFY_EVENT)]})
        }
        _ => return None,
    };
    Some(list.to_string())
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// The body of a sample event.
fn told_by(event: &str) -> Value {
    json_of(json_of(event)["body"].as_str().unwrap_or_default())
}

/// The list with what an event of Adobe's told of.
fn saved(event: &str) -> Value {
    json!({"items": [told_by(event)["data"]["value"]], "total_count": 1})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_of_the_order_that_its_path_names() {
        for (path, text) in ANSWERS {
            let answer: Value = serde_json::from_str(text).unwrap();
            let order = answer.pointer("/order").unwrap_or(&answer);
            let id = order
                .get("id")
                .or_else(|| order.pointer("/0/order_id"))
                .or_else(|| order.pointer("/data/0/order_id"));
            let id = id.unwrap().to_string();
            assert!(path.split('/').any(|part| part == id.trim_matches('"')), "{path}: {id}");
        }
        assert_eq!(answer("/v2/orders/nobodys", ""), None);
    }

    #[test]
    fn every_list_has_an_order_on_its_first_page() {
        for (path, place) in [
            ("/stores/local/v2/orders", "/0/id"),
            ("/v2/locations", "/locations/0/id"),
            ("/v2/orders/search", "/orders/1/id"),
            ("/wp-json/wc/v3/orders", "/0/id"),
            ("/admin/api/2026-01/orders.json", "/orders/0/id"),
            ("/v1/events", "/data/4/id"),
            ("/rest/V1/orders", "/items/0/entity_id"),
            ("/rest/V1/creditmemos", "/items/0/order_id"),
        ] {
            let list = json_of(&answer(path, "limit=100&page=1").unwrap());
            assert!(list.pointer(place).is_some_and(|id| !id.is_null()), "{path}: {list}");
        }
        assert_eq!(answer("/wp-json/wc/v3/orders", "page=2").as_deref(), Some("[]"));
    }
}
