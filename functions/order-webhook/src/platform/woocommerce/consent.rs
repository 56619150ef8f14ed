//! Whether a customer of WooCommerce's wants messages. WooCommerce itself does not ask; the plug-ins that do write the answer
//! beside the order or the customer, as one of the fields that WooCommerce tells without knowing them.

use serde_json::Value;

/// The fields of the plug-ins that are most in use: Mailchimp for WooCommerce, and ActiveCampaign for WooCommerce.
const FIELDS: [&str; 2] =
    ["mailchimp_woocommerce_is_subscribed", "activecampaign_for_woocommerce_accepts_marketing"];

/// What one of them says; a no goes before a yes. Whatever cannot be read says nothing: an order counts more.
pub(super) fn told(meta_data: &Value) -> Option<bool> {
    let fields = meta_data.as_array()?.iter();
    let ours = fields.filter(|field| {
        let key = field.get("key").and_then(Value::as_str).map(|key| key.trim_start_matches('_'));
        key.is_some_and(|key| FIELDS.contains(&key))
    });
    ours.filter_map(|field| is_yes(field.get("value")?)).reduce(|one, other| one && other)
}

fn is_yes(value: &Value) -> Option<bool> {
    let word = match value {
        Value::Bool(is_yes) => return Some(*is_yes),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_lowercase(),
        _ => return None,
    };
    match word.as_str() {
        "1" | "yes" | "true" | "subscribed" => Some(true),
        "0" | "no" | "false" | "unsubscribed" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_plug_ins_that_ask_are_understood_and_the_rest_says_nothing() {
        let mailchimp =
            |value: Value| json!([{"id": 1, "key": "mailchimp_woocommerce_is_subscribed", "value": value}]);
        for (value, expected) in [
            (json!("1"), Some(true)),
            (json!("0"), Some(false)),
            (json!("unsubscribed"), Some(false)),
            (json!(true), Some(true)),
            (json!(0), Some(false)),
            (json!(""), None),
            (json!("archived"), None),
            (json!({}), None),
        ] {
            assert_eq!(told(&mailchimp(value.clone())), expected, "{value}");
        }
        let both = json!([
            {"key": "_mailchimp_woocommerce_is_subscribed", "value": "1"},
            {"key": "activecampaign_for_woocommerce_accepts_marketing", "value": "0"},
        ]);
        assert_eq!(told(&both), Some(false));
        for nothing in [json!(null), json!([]), json!({}), json!([{"key": "other", "value": "1"}, 7])] {
            assert_eq!(told(&nothing), None, "{nothing}");
        }
    }
}
