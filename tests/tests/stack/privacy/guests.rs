//! Guests, who are no customer of the platform's: known by phone alone, or waiting to enrol.

use domain::{OrderKey, Phone};
use store::{Consistency, DirectoryKey};
use tests::{GENERIC, programme};

use super::*;

#[tokio::test]
async fn a_guest_who_is_known_by_phone_alone_is_forgotten_too() {
    let shop = Shop::open(OPENING).await;
    let guest = |id: &str, phone: &str, card: &str| {
        let mut order = shop.order(id, "guest", 1_000);
        order["order"]["customer"] = json!({"phone": phone, "card": card});
        order
    };
    let mut test = guest("1", "06 12 34 56 78", "card-of-john");
    test["order"]["test"] = json!(true);
    for order in
        [test, guest("2", "+33612345678", "card-of-john"), guest("3", "06 98 76 54 32", "other-card")]
    {
        shop.process(&order).await;
    }
    let phone = DirectoryKey::Phone(Phone::new("+33612345678").unwrap());
    let member = shop.stack.store().find_member(&phone, Consistency::Strong).await.unwrap().unwrap();
    let (sought, now) = (Sought::member(member.clone()), shop.stack.clock().now());
    let of_order = shop.stack.store().owner_sought(&OrderKey::new("generic-main#2").unwrap()).await;
    assert!(of_order.unwrap().is_some());
    let export = shop.stack.store().export_person(ErasureId::new("export-1").unwrap(), &sought, now).await;
    let export = serde_json::to_string(&export.unwrap()).unwrap();

    let erasure = Erasure::of(ErasureId::new("erasure-1").unwrap(), &sought);
    shop.stack.store().ask_erasure(&erasure).await.unwrap();
    shop.drain().await;

    let left = serde_json::to_string(&dump(&shop)).unwrap();
    for word in ["generic-main#1", "generic-main#2", "+33612345678", "card-of-john"] {
        assert!(export.contains(word), "{word} is in the export");
        assert_eq!(left.contains(word), word.starts_with(GENERIC), "{word}");
    }
    assert!(left.contains("+33698765432") && left.contains("other-card"), "somebody else's stay");
    assert_eq!(account(&shop, member.as_str()).await["balance"], 100);
}

/// A shop whose programme asks for enrolment, with a guest's order that waits, and somebody else's.
async fn given_a_waiting_guest() -> Shop {
    let rules = programme(&[(r#"enrolment = "automatic""#, r#"enrolment = "explicit""#)]);
    let shop = Shop::with(OPENING, rules).await;
    for (id, email) in [("1", "john@example.com"), ("2", "somebody-else@example.com")] {
        shop.process(&of_guest(&shop, id, email)).await;
    }
    shop
}

fn of_guest(shop: &Shop, id: &str, email: &str) -> Value {
    let mut order = shop.order(id, "", 1_000);
    order["order"]["customer"] = json!({"email": email, "name": "Johnathan"});
    if id == "2" {
        order["order"]["customer"] = json!({"email": email});
    }
    order
}

async fn enrol(shop: &Shop, email: &str) -> Value {
    let body = json!({"email": email, "name": "Johnathan"}).to_string();
    let (status, account) = shop.request(Method::POST, "/members", &HeaderMap::new(), body.as_bytes()).await;
    assert_eq!(status, 201, "{account}");
    shop.drain().await;
    account
}

async fn forget_john(shop: &Shop) {
    let sought = Sought::named(DirectoryKey::Email("john@example.com".to_owned()));
    let erasure = Erasure::of(ErasureId::new("erasure-1").unwrap(), &sought);
    shop.stack.store().ask_erasure(&erasure).await.unwrap();
    shop.drain().await;
}

fn waiting(shop: &Shop) -> usize {
    let items = dump(shop).remove("laurel-MembersTable").unwrap();
    items.iter().filter(|item| item["member"]["S"].as_str().unwrap().starts_with("waiting#")).count()
}

#[tokio::test]
async fn a_guest_whose_order_waits_is_forgotten_and_nobody_can_claim_the_order_any_more() {
    let shop = given_a_waiting_guest().await;
    let image = shop.stack.store().order(&OrderKey::new("generic-main#1").unwrap()).await.unwrap().unwrap();
    assert_eq!(waiting(&shop), 2);

    forget_john(&shop).await;

    assert_nothing_is_left(&shop);
    assert_eq!(waiting(&shop), 1, "somebody else still waits");
    // Whatever is told again, or is still in the stream, brings nothing back.
    let engine =
        Engine::new(shop.stack.store().clone(), shop.stack.clock().for_functions(), Random::system());
    engine.batch().accrue(&image, true, Budget::until(0)).await.unwrap();
    shop.process(&of_guest(&shop, "1", "john@example.com")).await;
    assert_nothing_is_left(&shop);
    let account = enrol(&shop, "john@example.com").await;
    let member = account["member"].as_str().unwrap();
    assert_eq!(self::account(&shop, member).await["balance"], 0, "who comes back is somebody new");
}

#[tokio::test]
async fn a_member_who_had_claimed_orders_is_exported_and_forgotten_with_them() {
    let shop = given_a_waiting_guest().await;
    let member = enrol(&shop, "john@example.com").await["member"].as_str().unwrap().to_owned();
    let before = account(&shop, &member).await;
    assert_eq!(before["balance"], 100);
    let sought = Sought::member(domain::MemberId::new(member.as_str()).unwrap());
    let now = shop.stack.clock().now();
    let id = ErasureId::new("export").unwrap();
    let document = shop.stack.store().export_person(id, &sought, now).await.unwrap();
    assert_eq!(document.orders.keys().collect::<Vec<_>>(), ["generic-main#1"]);

    forget_john(&shop).await;

    assert_nothing_is_left(&shop);
    assert_eq!(account(&shop, &member).await, before);
    // And a later refund of the order still balances.
    shop.process(&shop.refund("r-1", "1", 400)).await;
    assert_eq!(account(&shop, &member).await["balance"], 60);
}
