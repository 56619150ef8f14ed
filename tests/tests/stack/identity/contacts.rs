//! Who is written to: a contact belongs to the name that it came with, and a reward goes to whoever earned it.

use domain::{Contact, MemberId};
use lambda_http::http::{HeaderMap, Method};
use local::inbox::Selection;
use serde_json::{Value, json};
use tests::{SHOPIFY, Shop, WOOCOMMERCE};

use super::{TRUSTING, of, orders_at_shopify, shop, shop_where, with_status};

/// To whom e-mails went, in order.
fn mailed(shop: &Shop) -> Vec<String> {
    let selection = Selection { channel: Some("email".to_owned()), ..Selection::default() };
    let messages = shop.stack.inbox().list(&selection).unwrap();
    messages.into_iter().filter_map(|message| message.to).collect()
}

fn guest(name: &str, known_by: &Value) -> Value {
    let mut guest = known_by.clone();
    guest["email"] = json!(format!("{name}@example.com"));
    guest
}

/// Guests who tell the same phone or card.
fn same_guests() -> [Value; 2] {
    [json!({"phone": "06 12 34 56 78"}), json!({"card": "card-7"})]
}

async fn buys(shop: &Shop, id: &str, who: &Value, minor: i64) {
    shop.process(&of(shop.order(id, "", minor), who)).await;
}

#[tokio::test]
async fn a_reward_never_goes_to_whoever_told_the_same_phone_or_card_and_paid_nothing() {
    for known_by in same_guests() {
        let shop = shop(false).await;
        let (sender, buyer) = (guest("sender", &known_by), guest("buyer", &known_by));
        shop.process(&with_status(of(shop.order("1", "", 1_000), &sender), "unpaid")).await;
        buys(&shop, "2", &buyer, 40_000).await;
        shop.process(&with_status(of(shop.order("3", "", 1_000), &sender), "cancelled")).await;
        buys(&shop, "4", &buyer, 10_000).await;
        assert_eq!(mailed(&shop), ["buyer@example.com"], "{known_by}");
    }
}

#[tokio::test]
async fn a_reward_goes_to_whoever_earned_most_of_it_whoever_came_first_or_last() {
    for known_by in same_guests() {
        let (sender, buyer) = (guest("sender", &known_by), guest("buyer", &known_by));
        // Given an order of 1.00 before, or as the one that completes the reward.
        for orders in [[(&sender, 100), (&buyer, 49_900)], [(&buyer, 49_900), (&sender, 100)]] {
            let shop = shop(false).await;
            for (number, (who, minor)) in orders.into_iter().enumerate() {
                buys(&shop, &number.to_string(), who, minor).await;
            }
            assert_eq!(mailed(&shop), ["buyer@example.com"], "{known_by}");
        }
    }
}

#[tokio::test]
async fn an_order_of_a_guest_changes_nothing_of_a_member_whom_the_shop_vouches_for() {
    let shop = shop(false).await;
    let body = json!({"phone": "+33612345678", "email": "own@example.com"}).to_string();
    let (status, _) = shop.request(Method::POST, "/members", &HeaderMap::new(), body.as_bytes()).await;
    assert_eq!(status, 201);
    buys(&shop, "1", &guest("typed", &json!({"phone": "06 12 34 56 78"})), 50_000).await;
    assert_eq!(mailed(&shop), ["own@example.com"]);
}

async fn contact_at(shop: &Shop, source: &str, customer: &str) -> Contact {
    let account = shop.get(&format!("/members?source={source}&customer={customer}")).await.1;
    let member = MemberId::new(account["member"].as_str().unwrap()).unwrap();
    shop.stack.store().contact(&member).await.unwrap().unwrap()
}

async fn customer_updated(shop: &Shop, source: &str, body: Value) -> Value {
    let (topic, name) = match source {
        SHOPIFY => ("x-shopify-topic", "customers/update"),
        _ => ("x-wc-webhook-topic", "customer.updated"),
    };
    let (status, answer) = shop.send(source, &[(topic, name)], &body).await;
    assert_eq!(status, 202, "{answer}");
    shop.drain().await;
    answer
}

#[tokio::test]
async fn an_address_that_nobody_verified_replaces_no_verified_one_at_any_source() {
    let shop = shop_where(TRUSTING).await;
    let own = json!({"id": 7, "email": "own@example.com", "verified_email": true, "phone": "+33612345678"});
    orders_at_shopify(&shop, &own).await;
    // Given a customer of another source who is the same member by the phone.
    let order = json!({
        "id": 1, "status": "processing", "currency": "EUR", "date_created_gmt": "2026-03-02T10:00:00",
        "date_modified_gmt": "2026-03-02T10:00:00", "prices_include_tax": false, "customer_id": 5,
        "line_items": [{"total": "10.00"}], "billing": {"email": "typed@example.com", "phone": "+33612345678"},
    });
    let (status, answer) = shop.send(WOOCOMMERCE, &[("x-wc-webhook-topic", "order.created")], &order).await;
    assert_eq!(status, 202, "{answer}");
    shop.drain().await;
    let contact = contact_at(&shop, WOOCOMMERCE, "5").await;
    assert_eq!(contact.verified_email(), Some("own@example.com"), "the order told another one");

    let at_woo = json!({
        "id": 5, "username": "n", "date_created_gmt": "2026-03-01T10:00:00",
        "date_modified_gmt": "2026-03-02T11:00:00", "email": "typed@example.com", "first_name": "N",
    });
    customer_updated(&shop, WOOCOMMERCE, at_woo).await;
    let at_shopify = json!({"id": 7, "email": "typed@example.com", "verified_email": false, "updated_at": "2026-03-02T12:00:00Z"});
    customer_updated(&shop, SHOPIFY, at_shopify).await;
    let contact = contact_at(&shop, SHOPIFY, "7").await;
    assert_eq!(contact.verified_email(), Some("own@example.com"));
    assert_eq!(contact.name.as_deref(), Some("N"), "what is no address is news");
}

/// An order of 500.00 at Shopify, which gives a reward.
async fn rewarded_at_shopify(shop: &Shop, id: u64, customer: &Value, buyer_accepts_marketing: Option<bool>) {
    let order = json!({
        "id": id, "created_at": "2026-03-02T10:00:00Z", "updated_at": "2026-03-02T10:00:00Z", "currency": "EUR",
        "financial_status": "paid", "current_subtotal_price": "500.00", "subtotal_price": "500.00",
        "total_price": "500.00", "customer": customer, "buyer_accepts_marketing": buyer_accepts_marketing,
        "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": "500.00"}],
    });
    assert_eq!(shop.send(SHOPIFY, &[("x-shopify-topic", "orders/paid")], &order).await.0, 202);
    shop.drain().await;
}

#[tokio::test]
async fn whoever_wants_no_messages_gets_none_until_the_platform_says_otherwise() {
    let shop = shop(false).await;
    let customer = json!({"id": 7, "email": "a@example.com"});
    rewarded_at_shopify(&shop, 1, &customer, Some(false)).await;
    assert_eq!(mailed(&shop), Vec::<String>::new());

    let tell = async |state: &str, at: &str| {
        let consent = json!({"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": at});
        let body =
            json!({"customer_id": 7, "email_address": "a@example.com", "email_marketing_consent": consent});
        let topic = [("x-shopify-topic", "customers_email_marketing_consent/update")];
        assert_eq!(shop.send(SHOPIFY, &topic, &body).await.0, 202);
    };
    tell("subscribed", "2026-03-02T11:00:00Z").await;
    // A box left empty at the next checkout takes no word back.
    rewarded_at_shopify(&shop, 2, &customer, Some(false)).await;
    assert_eq!(mailed(&shop), ["a@example.com"]);

    tell("unsubscribed", "2026-03-02T12:00:00Z").await;
    tell("subscribed", "2026-03-02T11:00:00Z").await;
    rewarded_at_shopify(&shop, 3, &customer, None).await;
    assert_eq!(mailed(&shop), ["a@example.com"], "an older word comes too late");
    let contact = contact_at(&shop, SHOPIFY, "7").await;
    assert_eq!((contact.consent, contact.email.as_deref()), (Some(false), Some("a@example.com")));
}

#[tokio::test]
async fn an_order_of_a_member_who_was_never_asked_tells_whether_they_want_messages() {
    let shop = shop(false).await;
    let customer = json!({"id": 7, "email": "a@example.com"});
    rewarded_at_shopify(&shop, 1, &customer, None).await;
    assert_eq!(mailed(&shop).len(), 1);
    let left =
        json!({"id": 7, "email": "a@example.com", "email_marketing_consent": {"state": "unsubscribed"}});
    rewarded_at_shopify(&shop, 2, &left, None).await;
    assert_eq!(mailed(&shop).len(), 1, "heeded before its own reward is mailed");
}
