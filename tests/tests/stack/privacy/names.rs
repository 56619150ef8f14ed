//! Every way to name a person finds them: on orders, on members, and on what waits.

use domain::{CardFingerprint, CustomerId, MemberId, OrderKey, Phone, SourceName};
use store::DirectoryKey;
use store::person::PersonDocument;
use tests::{GENERIC, WOOCOMMERCE, programme};

use super::*;

const PHONE: &str = "+33612345678";

fn email(address: &str) -> Sought {
    Sought::named(DirectoryKey::Email(address.to_owned()))
}

fn phone() -> Sought {
    Sought::named(DirectoryKey::Phone(Phone::new(PHONE).unwrap()))
}

fn card() -> Sought {
    let card = CardFingerprint::new("card-of-john").unwrap();
    Sought::named(DirectoryKey::Card(SourceName::new(GENERIC).unwrap(), card))
}

async fn of_order(shop: &Shop, order: &str) -> Sought {
    let order = OrderKey::new(format!("{GENERIC}#{order}")).unwrap();
    shop.stack.store().owner_sought(&order).await.unwrap().unwrap()
}

async fn exported(shop: &Shop, sought: &Sought) -> PersonDocument {
    let (id, now) = (ErasureId::new("export").unwrap(), shop.stack.clock().now());
    shop.stack.store().export_person(id, sought, now).await.unwrap()
}

async fn forget(shop: &Shop, sought: &Sought) -> Erasure {
    let id = ErasureId::new("erasure-1").unwrap();
    shop.stack.store().ask_erasure(&Erasure::of(id.clone(), sought)).await.unwrap();
    shop.drain().await;
    shop.stack.store().erasure(&id).await.unwrap().unwrap()
}

/// Tells a paid order of the generic sender by a customer who is told like this.
async fn ordered(shop: &Shop, id: &str, customer: Value) {
    let mut order = shop.order(id, "", 1_000);
    order["order"]["customer"] = customer;
    shop.process(&order).await;
}

/// A guest, known by phone alone, who typed an address at the checkout and paid by card; and somebody else.
async fn given_a_guest() -> Shop {
    let shop = Shop::open(OPENING).await;
    let guest =
        json!({"phone": PHONE, "card": "card-of-john", "email": "john@example.com", "name": "Johnathan"});
    ordered(&shop, "1", guest).await;
    ordered(&shop, "2", json!({"phone": PHONE})).await;
    ordered(&shop, "3", json!({"phone": "+33698765432", "email": "other@example.com"})).await;
    shop
}

fn orders_of(document: &PersonDocument) -> Vec<&str> {
    document.orders.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_guest_known_by_phone_is_exported_and_erased_by_each_of_their_names() {
    let shop = given_a_guest().await;
    let by_order = of_order(&shop, "1").await;
    for sought in [email("john@example.com"), phone(), card(), by_order] {
        let shop = given_a_guest().await;
        let document = exported(&shop, &sought).await;
        assert_eq!(orders_of(&document), ["generic-main#1", "generic-main#2"], "{sought:?}");
        assert_eq!(document.members.len(), 1, "{sought:?}");

        let erasure = forget(&shop, &sought).await;

        assert!(!erasure.found_nobody());
        let left = serde_json::to_string(&dump(&shop)).unwrap();
        for word in [PHONE, "card-of-john", "john@example.com", "Johnathan"] {
            assert!(!left.contains(word), "{word} is left by {sought:?}");
        }
        for word in ["+33698765432", "other@example.com"] {
            assert!(left.contains(word), "somebody else's {word} stays");
        }
    }
}

#[tokio::test]
async fn a_customer_is_found_by_the_address_and_the_number_that_nobody_verified() {
    let shop = Shop::open(OPENING).await;
    let customer = json!({"id": "c-1", "email": "john@example.com", "phone": PHONE, "card": "card-of-john"});
    ordered(&shop, "1", customer).await;
    ordered(&shop, "2", json!({"id": "c-1"})).await;
    for sought in [email("john@example.com"), phone(), card()] {
        let document = exported(&shop, &sought).await;
        assert_eq!(orders_of(&document), ["generic-main#1", "generic-main#2"], "{sought:?}");
        assert!(document.directory.contains(&format!("customer#{GENERIC}#c-1")));
    }
    forget(&shop, &email("john@example.com")).await;
    assert_nothing_is_left(&shop);
    assert_eq!(shop.member("c-1").await["member"], Value::Null);
}

#[tokio::test]
async fn whoever_mistypes_an_address_that_is_somebodys_is_not_that_person() {
    let shop = Shop::open(OPENING).await;
    // Given John, whose address is verified, a customer who typed it, and a guest known by phone who typed it.
    let verified = json!({"id": "john", "email": "john@example.com", "email_verified": true});
    ordered(&shop, "1", verified).await;
    ordered(&shop, "2", json!({"id": "other", "email": "john@example.com"})).await;
    ordered(&shop, "3", json!({"phone": PHONE, "email": "john@example.com"})).await;
    // Then the customer is somebody whom the shop vouches for, and the guest may well be John.
    let document = exported(&shop, &email("john@example.com")).await;
    assert_eq!(orders_of(&document), ["generic-main#1", "generic-main#3"]);
    assert_eq!(document.members.len(), 2);
}

#[tokio::test]
async fn a_member_is_found_by_an_address_that_only_their_contact_has() {
    let shop = Shop::open(OPENING).await;
    let body = json!({
        "id": 7, "status": "processing", "currency": "EUR", "prices_include_tax": true,
        "date_created_gmt": "2026-03-01T10:00:00", "date_modified_gmt": "2026-03-01T10:00:00",
        "date_paid_gmt": "2026-03-01T10:00:00", "customer_id": 191_167, "line_items": [{"total": "10.00", "total_tax": "0.00"}],
        "billing": {"email": "first@example.com"},
    });
    shop.send(WOOCOMMERCE, &[("x-wc-webhook-topic", "order.created")], &body).await;
    shop.drain().await;
    let update = json!({
        "id": 191_167, "username": "john", "date_created_gmt": "2026-03-01T09:00:00",
        "date_modified_gmt": "2026-03-02T09:00:00", "email": "john@example.com", "first_name": "Johnathan",
        "billing": {"phone": PHONE},
    });
    let (status, answer) =
        shop.send(WOOCOMMERCE, &[("x-wc-webhook-topic", "customer.updated")], &update).await;
    assert_eq!((status, &answer["status"]), (202, &json!("stored")));

    for sought in [email("john@example.com"), phone()] {
        assert_eq!(orders_of(&exported(&shop, &sought).await), ["woo-main#7"], "{sought:?}");
    }
    forget(&shop, &email("john@example.com")).await;
    assert_nothing_is_left(&shop);
}

#[tokio::test]
async fn what_waits_is_exported_and_erased_by_each_name() {
    for sought in [email("john@example.com"), phone(), card()] {
        let rules = programme(&[(r#"enrolment = "automatic""#, r#"enrolment = "explicit""#)]);
        let shop = Shop::with(OPENING, rules).await;
        let guest = json!({"phone": PHONE, "card": "card-of-john", "email": "john@example.com"});
        ordered(&shop, "1", guest).await;
        let document = exported(&shop, &sought).await;
        assert_eq!(document.waiting.iter().collect::<Vec<_>>(), ["generic-main#1"], "{sought:?}");
        assert!(!forget(&shop, &sought).await.found_nobody());
        assert_nothing_is_left(&shop);
        assert!(!serde_json::to_string(&dump(&shop)).unwrap().contains("waiting#"), "{sought:?}");
    }
}

#[tokio::test]
async fn an_erasure_of_nobody_is_done_and_says_that_it_found_nobody() {
    let shop = given_a_guest().await;
    for sought in [email("nobody@example.com"), Sought::member(MemberId::new("NOBODY").unwrap())] {
        assert!(exported(&shop, &sought).await.is_empty());
    }
    let before = dump(&shop);
    assert!(forget(&shop, &Sought::member(MemberId::new("NOBODY").unwrap())).await.found_nobody());
    let mut after = dump(&shop);
    after.insert("laurel-ErasuresTable".to_owned(), vec![]);
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_redaction_takes_the_orders_that_it_lists_and_who_placed_them_as_a_guest() {
    let shop = Shop::open(OPENING).await;
    told(&shop, "orders/paid", &order(1, "520.00", "paid", "2026-03-01T10:00:00Z")).await;
    // Given an order that the person placed as a guest, and one that another customer placed.
    let mut guest = order(2, "80.00", "paid", "2026-03-01T11:00:00Z");
    guest["email"] = json!("guest@example.com");
    guest["customer"] = json!({"id": null, "email": "guest@example.com", "phone": "+33698765432"});
    told(&shop, "orders/paid", &guest).await;
    let mut transferred = order(3, "30.00", "paid", "2026-03-01T12:00:00Z");
    transferred["email"] = json!("another@example.com");
    transferred["customer"] = json!({"id": 8, "email": "another@example.com", "verified_email": true});
    told(&shop, "orders/paid", &transferred).await;
    let mut second = order(4, "30.00", "paid", "2026-03-01T12:00:00Z");
    second["customer"] = transferred["customer"].clone();
    told(&shop, "orders/paid", &second).await;

    told(&shop, "customers/redact", &redaction()).await;

    let dump = dump(&shop);
    let left = serde_json::to_string(&dump).unwrap();
    for word in ["john@example.com", "guest@example.com", "+33698765432"] {
        assert!(!left.contains(word), "{word} is left");
    }
    let owner = |id: &str| {
        let order = dump["laurel-OrdersTable"].iter().find(|order| order["order"]["S"] == id).unwrap();
        order["owner"]["M"]["id"]["S"].as_str().unwrap().to_owned()
    };
    assert!(owner("shopify-main#3").starts_with("erased/"), "what the shop lists is redacted");
    // But whom the shop knows as somebody else stays, with what else they ordered.
    assert_eq!(owner("shopify-main#4"), "8");
    let (status, account) = shop.get(&format!("/members?source={SHOPIFY}&customer=8")).await;
    assert_eq!((status, &account["balance"]), (200, &json!(600)));
}

#[tokio::test]
async fn a_redaction_finds_what_waited_for_a_customer_who_was_merged_before_either_was_known() {
    let rules = programme(&[(r#"enrolment = "automatic""#, r#"enrolment = "explicit""#)]);
    let shop = Shop::with(OPENING, rules).await;
    let mut of_another = order(1, "20.00", "paid", "2026-03-01T10:00:00Z");
    of_another["customer"]["id"] = json!(777);
    for wait_before_the_merge in [true, false] {
        if wait_before_the_merge {
            told(&shop, "orders/paid", &of_another).await;
        }
        let id = |customer: u64| format!("gid://shopify/Customer/{customer}");
        let merge = json!({
            "admin_graphql_api_customer_kept_id": id(CUSTOMER), "admin_graphql_api_customer_deleted_id": id(777),
            "admin_graphql_api_job_id": wait_before_the_merge, "status": "completed", "errors": [],
        });
        assert!(send(&shop, "customers/merge", &merge).await.0 < 300);
        shop.drain().await;
        let mut later = of_another.clone();
        later["id"] = json!(9);
        if !wait_before_the_merge {
            told(&shop, "orders/paid", &later).await;
        }
    }
    let mut redaction = redaction();
    redaction["orders_to_redact"] = json!([]);
    told(&shop, "customers/redact", &redaction).await;
    assert_nothing_is_left(&shop);
    assert!(!serde_json::to_string(&dump(&shop)).unwrap().contains("waiting#"));
}

#[tokio::test]
async fn an_erased_member_is_told_to_nobody_any_more() {
    let shop = given_a_guest().await;
    let document = exported(&shop, &phone()).await;
    let member = document.members.keys().next().unwrap().clone();
    let customer = DirectoryKey::Customer(SourceName::new(GENERIC).unwrap(), CustomerId::new("c-1").unwrap());
    forget(&shop, &phone()).await;
    // Whatever is told for the account afterwards is refused, or told of somebody new.
    let body = json!({"platform": "apns", "token": "token-of-john"}).to_string();
    let uri = format!("/members/{member}/devices/johns-phone");
    let (status, problem) = shop.request(Method::PUT, &uri, &HeaderMap::new(), body.as_bytes()).await;
    assert_eq!(status, 409, "{problem}");
    shop.process(&shop.order("9", "c-1", 1_000)).await;
    let newer = shop.stack.store().find_member(&customer, store::Consistency::Strong).await.unwrap().unwrap();
    let body = json!({"from": newer}).to_string();
    let uri = format!("/members/{member}/merge");
    let (status, problem) = shop.request(Method::POST, &uri, &HeaderMap::new(), body.as_bytes()).await;
    assert_eq!(status, 409, "{problem}");
    assert_nothing_is_left(&shop);
}
