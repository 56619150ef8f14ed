//! A programme of a running shop begins to reach across sources.

use domain::Profile;
use runtime::{Budget, Clock, Engine, Random};
use serde_json::json;
use store::{Consistency, DirectoryKey};
use tests::{GENERIC, SHOPIFY, Shop, at, programme};

use super::{NAME, balance_of, orders, orders_at_shopify, shop};

fn engine(shop: &Shop) -> Engine {
    Engine::new(shop.stack.store().clone(), Clock::fixed(shop.stack.clock().now()), Random::system())
}

async fn begin_to_reach_across_sources(shop: &Shop) {
    let rules = programme(&[(NAME, &format!("{NAME}\nidentity = {{ across_sources = true }}"))]);
    shop.stack.store().publish(&rules, at("2026-03-02T10:30:00Z")).await.unwrap();
}

async fn member_of(shop: &Shop, source: &str, customer: &str) -> Profile {
    let account = shop.get(&format!("/members?source={source}&customer={customer}")).await.1;
    let member = domain::MemberId::new(account["member"].as_str().unwrap()).unwrap();
    shop.stack.store().profile(&member, Consistency::Strong).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_members_there_are_get_the_names_by_which_they_are_found_from_then_on() {
    let shop = shop(false).await;
    orders(&shop, "1", json!({"id": "c-1", "email": "one@example.com", "email_verified": true})).await;
    orders(&shop, "2", json!({"id": "c-2", "email": "typed@example.com"})).await;
    begin_to_reach_across_sources(&shop).await;
    let joined = engine(&shop).join_across_sources(Budget::until(0)).await.unwrap();
    assert_eq!((joined.members, joined.clashes.len()), (1, 0), "an address that nobody verified is no name");
    shop.advance_to("2026-03-02T11:00:00Z").await;

    // A customer of the other source with that address is the member.
    let order = json!({"id": 7, "email": "one@example.com", "verified_email": true});
    let keys = DirectoryKey::Email("one@example.com".to_owned());
    assert_eq!(balance_of(&shop, &keys).await, 100);
    orders_at_shopify_with_fresh_rules(&shop, &order).await;
    assert_eq!(member_of(&shop, SHOPIFY, "7").await.member, member_of(&shop, GENERIC, "c-1").await.member);
    assert_eq!(balance_of(&shop, &keys).await, 300);
}

/// A function keeps the programme for a minute of real time, so this order is accrued by one that starts now.
async fn orders_at_shopify_with_fresh_rules(shop: &Shop, customer: &serde_json::Value) {
    let order = json!({
        "id": 1, "created_at": "2026-03-02T10:45:00Z", "updated_at": "2026-03-02T10:45:00Z", "currency": "EUR",
        "financial_status": "paid", "current_subtotal_price": "20.00", "subtotal_price": "20.00",
        "total_price": "20.00", "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": "20.00"}],
        "customer": customer,
    });
    assert_eq!(shop.send(SHOPIFY, &[("x-shopify-topic", "orders/paid")], &order).await.0, 202);
    let key = domain::OrderKey::new(format!("{SHOPIFY}#1")).unwrap();
    let engine = engine(shop);
    let state = engine.store().order(&key).await.unwrap().unwrap();
    engine.batch().accrue(&state, true, Budget::until(0)).await.unwrap();
    shop.drain().await;
}

#[tokio::test]
async fn of_two_members_with_one_address_the_first_one_holds_it_and_the_other_is_listed() {
    let shop = shop(false).await;
    let address = |id: &str| json!({"id": id, "email": "one@example.com", "email_verified": true});
    let mut early = shop.order("1", "", 1_000);
    early["order"]["customer"] = address("c-1");
    early["order"]["placed_at"] = json!("2026-02-01T10:00:00Z");
    orders(&shop, "2", address("c-2")).await;
    shop.process(&early).await;
    orders_at_shopify(&shop, &json!({"id": 7, "email": "one@example.com", "verified_email": true})).await;
    begin_to_reach_across_sources(&shop).await;

    let first = member_of(&shop, GENERIC, "c-1").await.member;
    let joined = engine(&shop).join_across_sources(Budget::until(0)).await.unwrap();
    assert_eq!((joined.members, joined.clashes.len()), (3, 2));
    assert!(joined.clashes.iter().all(|clash| clash.holder == first && !clash.is_phone));
    // Done again it finds the same, and nobody was merged.
    let again = engine(&shop).join_across_sources(Budget::until(0)).await.unwrap();
    assert_eq!(again, joined);
    let other = joined.clashes[0].member.clone();
    engine(&shop).merge(&other, &first, Budget::until(0)).await.unwrap();
    let left = engine(&shop).join_across_sources(Budget::until(0)).await.unwrap();
    assert_eq!(left.clashes.len(), 1, "what the operator merged is no clash any more");
}

#[tokio::test]
async fn a_programme_that_does_not_reach_across_sources_gives_nobody_a_name() {
    let shop = shop(false).await;
    orders(&shop, "1", json!({"id": "c-1", "email": "one@example.com", "email_verified": true})).await;
    let joined = engine(&shop).join_across_sources(Budget::until(0)).await.unwrap();
    assert_eq!(joined.members, 0);
    let key = DirectoryKey::Email("one@example.com".to_owned());
    assert_eq!(shop.stack.store().find_member(&key, Consistency::Strong).await.unwrap(), None);
}
