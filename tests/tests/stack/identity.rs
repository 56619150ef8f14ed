//! Who is one member: customers of two sources, and guests, through the whole stack.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod contacts;
mod joining;

use domain::{CardFingerprint, Phone, SourceName};
use serde_json::{Value, json};
use store::{Consistency, DirectoryKey};
use tests::{GENERIC, SHOPIFY, Shop, programme};

const NAME: &str = "currency = \"EUR\"";

async fn shop(across_sources: bool) -> Shop {
    shop_where(&format!("across_sources = {across_sources}")).await
}

/// A shop whose programme says this under `[identity]`.
async fn shop_where(identity: &str) -> Shop {
    let identity = format!("{NAME}\nidentity = {{ {identity} }}");
    Shop::with("2026-03-02T10:00:00Z", programme(&[(NAME, &identity)])).await
}

const TRUSTING: &str = "across_sources = true, trust_phones = true";

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
async fn one_phone_at_two_sources_is_one_member_only_if_the_programme_trusts_phones() {
    for (identity, expected) in [
        (TRUSTING, (300, 300)),
        ("across_sources = true", (100, 200)),
        ("across_sources = false", (100, 200)),
    ] {
        let shop = shop_where(identity).await;
        orders(&shop, "1", json!({"id": "c-1", "phone": "06 12 34 56 78"})).await;
        orders_at_shopify(&shop, &json!({"id": 7, "phone": "+33612345678"})).await;
        assert_eq!(balances(&shop).await, (json!(expected.0), json!(expected.1)));
    }
}

#[tokio::test]
async fn a_verified_address_goes_before_a_phone() {
    let shop = shop_where(TRUSTING).await;
    orders(&shop, "1", json!({"id": "c-1", "email": "c-1@example.com", "email_verified": true})).await;
    orders(&shop, "2", json!({"id": "c-2", "phone": "06 12 34 56 78"})).await;
    let both = json!({"id": 7, "email": "c-1@example.com", "verified_email": true, "phone": "+33612345678"});
    orders_at_shopify(&shop, &both).await;
    assert_eq!(balances(&shop).await, (json!(300), json!(300)));
    assert_eq!(balance_of(&shop, &phone()).await, 100);
}

/// The same order under another status.
fn with_status(mut order: Value, status: &str) -> Value {
    order["order"]["status"] = json!(status);
    order
}

fn of(mut order: Value, customer: &Value) -> Value {
    order["order"]["customer"] = customer.clone();
    order
}

fn known_members(shop: &Shop) -> usize {
    let request = json!({"TableName": "laurel-MembersTable"});
    let page = shop.stack.engine().database().scan(serde_json::from_value(request).unwrap()).unwrap();
    let items = serde_json::to_value(page).unwrap()["Items"].clone();
    items.as_array().unwrap().iter().filter(|item| item["item"]["S"] == "profile").count()
}

#[tokio::test]
async fn an_order_that_does_not_count_makes_nobody_a_member() {
    let shop = shop(false).await;
    let guest = json!({"email": "sender@example.com", "phone": "06 12 34 56 78"});
    for (id, status) in [("1", "unpaid"), ("2", "cancelled")] {
        shop.process(&with_status(of(shop.order(id, "", 1_000), &guest), status)).await;
    }
    let mut test = of(shop.order("3", "", 1_000), &guest);
    test["order"]["test"] = json!(true);
    shop.process(&test).await;
    let mut nothing_paid = with_status(of(shop.order("4", "", 1_000), &guest), "partially_paid");
    nothing_paid["order"]["paid_minor"] = json!(0);
    nothing_paid["order"]["total_minor"] = json!(1_000);
    shop.process(&nothing_paid).await;
    shop.process(&shop.refund("r-1", "5", 100)).await;
    assert_eq!(known_members(&shop), 0);

    let mut paid_in_part = nothing_paid;
    paid_in_part["order"]["paid_minor"] = json!(500);
    paid_in_part["order"]["updated_at"] = json!("2026-03-02T10:00:01Z");
    shop.process(&paid_in_part).await;
    assert_eq!((known_members(&shop), balance_of(&shop, &phone()).await), (1, json!(50)));
}

#[tokio::test]
async fn an_order_enrols_as_soon_as_it_is_paid_and_leaves_the_member_when_it_is_cancelled() {
    let shop = shop(false).await;
    let order = shop.order("1", "c-1", 1_000);
    let then = |status: &str, at: &str| {
        let mut order = with_status(order.clone(), status);
        order["order"]["updated_at"] = json!(at);
        order
    };
    shop.process(&then("unpaid", "2026-03-02T10:00:01Z")).await;
    assert_eq!(shop.get(&format!("/members?source={GENERIC}&customer=c-1")).await.0, 404);
    shop.process(&then("paid", "2026-03-02T10:00:02Z")).await;
    assert_eq!(shop.member("c-1").await["balance"], 100);
    shop.process(&then("cancelled", "2026-03-02T10:00:03Z")).await;
    assert_eq!(shop.member("c-1").await["balance"], 0);
}

#[tokio::test]
async fn an_order_that_does_not_count_makes_no_account_readable_under_another_name() {
    let shop = shop_where(TRUSTING).await;
    orders(
        &shop,
        "1",
        json!({"id": "c-1", "email": "c-1@example.com", "email_verified": true, "phone": "06 12 34 56 78"}),
    )
    .await;
    for customer in [
        json!({"id": "c-2", "email": "c-1@example.com", "email_verified": true}),
        json!({"id": "c-2", "phone": "06 12 34 56 78"}),
    ] {
        for status in ["unpaid", "cancelled"] {
            shop.process(&with_status(of(shop.order(&format!("{status}-2"), "", 1_000), &customer), status))
                .await;
            assert_eq!(
                shop.get(&format!("/members?source={GENERIC}&customer=c-2")).await.0,
                404,
                "{customer}"
            );
        }
    }
}

#[tokio::test]
async fn a_number_that_somebody_typed_joins_nobody_who_is_known_by_more() {
    let shop = shop(true).await;
    let victim =
        json!({"id": "c-1", "email": "c-1@example.com", "email_verified": true, "phone": "06 12 34 56 78"});
    orders(&shop, "1", victim).await;
    // Another customer, and a guest, tell the same number.
    orders(&shop, "2", json!({"id": "c-2", "phone": "06 12 34 56 78"})).await;
    orders(&shop, "3", json!({"email": "guest@example.com", "phone": "06 12 34 56 78"})).await;
    assert_eq!(shop.member("c-1").await["balance"], 100);
    assert_eq!(shop.member("c-2").await["balance"], 100);
    assert_eq!(balance_of(&shop, &phone()).await, 100, "the guest is a member of their own, by the number");
    assert_eq!(known_members(&shop), 3);
}
