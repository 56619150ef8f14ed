//! Who is one member: customers of two sources, and guests, through the whole stack.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use domain::{CardFingerprint, Phone, SourceName};
use serde_json::{Value, json};
use store::{Consistency, DirectoryKey};
use tests::{GENERIC, SHOPIFY, Shop, programme};

const NAME: &str = "currency = \"EUR\"";

async fn shop(across_sources: bool) -> Shop {
    let identity = format!("{NAME}\nidentity = {{ across_sources = {across_sources} }}");
    Shop::with("2026-03-02T10:00:00Z", programme(&[(NAME, &identity)])).await
}

/// Orders at two sources by customers with one address, which the second one has verified or not.
async fn orders_at_both(shop: &Shop, is_verified: bool) {
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    let customer = json!({"id": 7, "email": "C-1@example.com", "verified_email": is_verified});
    orders_at_shopify(shop, &customer).await;
}

/// An order of 20.00 at the other source.
async fn orders_at_shopify(shop: &Shop, customer: &Value) {
    let body = json!({
        "id": 1, "created_at": "2026-03-02T10:00:00Z", "updated_at": "2026-03-02T10:00:00Z", "currency": "EUR",
        "financial_status": "paid", "current_subtotal_price": "20.00", "subtotal_price": "20.00",
        "total_price": "20.00", "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": "20.00"}],
        "customer": customer,
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
    let update = |email: &str, at: &str| json!({"id": 7, "email": email, "verified_email": true, "phone": "+33687654321", "updated_at": at});
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
    assert_eq!(contact.phone, Phone::new("+33687654321").ok());
}

/// An order by whoever the customer is, with a number of its own.
async fn orders(shop: &Shop, id: &str, customer: Value) {
    let mut order = shop.order(id, "nobody", 1_000);
    order["order"]["customer"] = customer;
    shop.process(&order).await;
}

async fn balance_of(shop: &Shop, key: &DirectoryKey) -> Value {
    let Some(member) = shop.stack.store().find_member(key, Consistency::Strong).await.unwrap() else {
        return Value::Null;
    };
    shop.get(&format!("/members/{member}")).await.1["balance"].clone()
}

fn phone() -> DirectoryKey {
    DirectoryKey::Phone(Phone::new("+33612345678").unwrap())
}

#[tokio::test]
async fn a_guest_is_recognised_by_phone_however_it_is_spelled() {
    let shop = shop(false).await;
    for (id, spelled) in
        [("1", "06 12 34 56 78"), ("2", "06.12.34.56.78"), ("3", "+33 (0)6 12 34 56 78"), ("4", "06 12")]
    {
        orders(&shop, id, json!({"email": "guest@example.com", "phone": spelled})).await;
    }
    assert_eq!(balance_of(&shop, &phone()).await, 300, "the last one is no number");
}

#[tokio::test]
async fn a_guest_is_recognised_by_card_where_nothing_better_is_told() {
    let shop = shop(false).await;
    orders(&shop, "1", json!({"card": "card-7"})).await;
    orders(&shop, "2", json!({"card": "card-7"})).await;
    orders(&shop, "3", json!({"card": "card-7", "phone": "06 12 34 56 78"})).await;
    let card = |source| {
        DirectoryKey::Card(SourceName::new(source).unwrap(), CardFingerprint::new("card-7").unwrap())
    };
    assert_eq!(balance_of(&shop, &card(GENERIC)).await, 200);
    assert_eq!(balance_of(&shop, &phone()).await, 100);
    assert_eq!(balance_of(&shop, &card(SHOPIFY)).await, Value::Null);
}

#[tokio::test]
async fn one_phone_at_two_sources_is_one_member_if_the_programme_says_so() {
    for (across_sources, expected) in [(true, (300, 300)), (false, (100, 200))] {
        let shop = shop(across_sources).await;
        orders(&shop, "1", json!({"id": "c-1", "phone": "06 12 34 56 78"})).await;
        orders_at_shopify(&shop, &json!({"id": 7, "phone": "+33612345678"})).await;
        assert_eq!(balances(&shop).await, (json!(expected.0), json!(expected.1)));
    }
}

#[tokio::test]
async fn a_verified_address_goes_before_a_phone() {
    let shop = shop(true).await;
    orders(&shop, "1", json!({"id": "c-1", "email": "c-1@example.com", "email_verified": true})).await;
    orders(&shop, "2", json!({"id": "c-2", "phone": "06 12 34 56 78"})).await;
    let both = json!({"id": 7, "email": "c-1@example.com", "verified_email": true, "phone": "+33612345678"});
    orders_at_shopify(&shop, &both).await;
    assert_eq!(balances(&shop).await, (json!(300), json!(300)));
    assert_eq!(balance_of(&shop, &phone()).await, 100);
}
