//! Who is one member: customers of two sources, through the whole stack.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use tests::{SHOPIFY, Shop, programme};

const NAME: &str = "currency = \"EUR\"";

async fn shop(across_sources: bool) -> Shop {
    let identity = format!("{NAME}\nidentity = {{ across_sources = {across_sources} }}");
    Shop::with("2026-03-02T10:00:00Z", programme(&[(NAME, &identity)])).await
}

/// Orders at two sources by customers with one address, which the second one has verified or not.
async fn orders_at_both(shop: &Shop, is_verified: bool) {
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    let body = json!({
        "id": 1, "created_at": "2026-03-02T10:00:00Z", "updated_at": "2026-03-02T10:00:00Z", "currency": "EUR",
        "financial_status": "paid", "current_subtotal_price": "20.00", "subtotal_price": "20.00",
        "total_price": "20.00", "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": "20.00"}],
        "customer": {"id": 7, "email": "C-1@example.com", "verified_email": is_verified},
    });
    let (status, _) = shop.send(SHOPIFY, &[("x-shopify-topic", "orders/paid")], &body).await;
    assert_eq!(status, 202);
    shop.drain().await;
}

async fn balances(shop: &Shop) -> (Value, Value) {
    let other = shop.get(&format!("/members?source={SHOPIFY}&customer=7")).await.1;
    (shop.member("c-1").await["balance"].clone(), other["balance"].clone())
}

#[tokio::test]
async fn one_person_at_two_sources_is_one_member_if_the_programme_says_so() {
    let shop = shop(true).await;
    orders_at_both(&shop, true).await;
    assert_eq!(balances(&shop).await, (json!(300), json!(300)));
}

#[tokio::test]
async fn otherwise_and_where_nobody_verified_the_address_there_are_two() {
    for (across_sources, is_verified) in [(false, true), (true, false)] {
        let shop = shop(across_sources).await;
        orders_at_both(&shop, is_verified).await;
        assert_eq!(balances(&shop).await, (json!(100), json!(200)));
    }
}

#[tokio::test]
async fn a_new_address_is_used_from_then_on_and_an_older_telling_changes_nothing() {
    let shop = shop(false).await;
    orders_at_both(&shop, true).await;
    let update =
        |email: &str, at: &str| json!({"id": 7, "email": email, "verified_email": true, "updated_at": at});
    let tell =
        async |body: Value| shop.send(SHOPIFY, &[("x-shopify-topic", "customers/update")], &body).await;
    assert_eq!(tell(update("new@example.com", "2026-03-02T11:00:00Z")).await.0, 202);
    assert_eq!(tell(update("old@example.com", "2026-03-02T10:30:00Z")).await.1["status"], "known");
    let stranger = json!({"id": 8, "email": "x@example.com", "updated_at": "2026-03-02T11:00:00Z"});
    assert_eq!(tell(stranger).await.0, 200, "nobody becomes a member by an address");
    let other = shop.get(&format!("/members?source={SHOPIFY}&customer=7")).await.1;
    let member = domain::MemberId::new(other["member"].as_str().unwrap()).unwrap();
    let contact = shop.stack.store().contact(&member).await.unwrap().unwrap();
    assert_eq!(contact.verified_email(), Some("new@example.com"));
}
