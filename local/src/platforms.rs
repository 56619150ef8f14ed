//! The platforms' APIs on one's own machine: one order of each, as `local/sources.toml` reaches them. So an event that
//! carries only an id can be tried without a shop.

/// What lies at each path after `/local/platforms`.
const ANSWERS: [(&str, &str); 6] = [
    ("/stores/local/v2/orders/250", include_str!("../platforms/bigcommerce-order.json")),
    ("/stores/local/v2/orders/250/products", include_str!("../platforms/bigcommerce-products.json")),
    ("/stores/local/v2/orders/250/coupons", include_str!("../platforms/bigcommerce-coupons.json")),
    (
        "/stores/local/v3/orders/250/payment_actions/refunds",
        include_str!("../platforms/bigcommerce-refunds.json"),
    ),
    ("/v2/orders/CAISENgvlJ6jLWAzERDzjyHVybY", include_str!("../platforms/square-order.json")),
    ("/v2/orders/cEqXy2gSUTU0sLwUcKfNXnkFJXAZY", include_str!("../platforms/square-return.json")),
];

/// What a platform answers at a path of its API; nothing where it knows nothing.
pub(crate) fn answer(path: &str) -> Option<&'static str> {
    ANSWERS.iter().find(|(known, _)| *known == path).map(|(_, answer)| *answer)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

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
        assert_eq!(answer("/v2/orders/nobodys"), None);
    }
}
