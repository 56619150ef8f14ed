//! A body that its platform signed without a time is good for ever: sent again later, it must not do again what it did.

use store::DirectoryKey;
use tests::WOOCOMMERCE;

use super::*;

const OTHER: u64 = 777;

fn merge() -> Value {
    let id = |customer: u64| format!("gid://shopify/Customer/{customer}");
    json!({
        "admin_graphql_api_customer_kept_id": id(OTHER), "admin_graphql_api_customer_deleted_id": id(CUSTOMER),
        "admin_graphql_api_job_id": null, "status": "completed", "errors": [],
    })
}

async fn known(shop: &Shop, topic: &str, body: &Value) {
    assert_eq!(send(shop, topic, body).await, (202, json!({"status": "known"})), "{topic}");
    shop.drain().await;
}

#[tokio::test]
async fn a_redaction_sent_again_erases_nobody_who_came_back() {
    let shop = Shop::open(OPENING).await;
    given_a_customer(&shop).await;
    told(&shop, "customers/redact", &redaction()).await;
    shop.advance_to("2026-03-05T10:00:00Z").await;
    told(&shop, "orders/paid", &order(20, "10.00", "paid", "2026-03-05T09:00:00Z")).await;
    let came_back = member_of(&shop).await;
    assert_eq!(came_back.0, 200);

    shop.advance_to("2027-01-05T10:00:00Z").await;
    let before = member_of(&shop).await;
    known(&shop, "customers/redact", &redaction()).await;
    assert_eq!(member_of(&shop).await, before);
    assert!(serde_json::to_string(&dump(&shop)).unwrap().contains("john@example.com"));

    // But when they ask once more, the shop lists other orders, and they are forgotten once more.
    let mut anew = redaction();
    anew["orders_to_redact"] = json!([20]);
    told(&shop, "customers/redact", &anew).await;
    assert_eq!(member_of(&shop).await.0, 404);
    assert_nothing_is_left(&shop);
}

#[tokio::test]
async fn a_redaction_that_was_not_finished_is_finished_when_it_is_sent_again() {
    let shop = Shop::open(OPENING).await;
    given_a_customer(&shop).await;
    // Given it was stored, and nobody was told so.
    assert_eq!(send(&shop, "customers/redact", &redaction()).await.0, 202);
    assert_eq!(send(&shop, "customers/redact", &redaction()).await.1, json!({"status": "known"}));
    shop.drain().await;
    assert_nothing_is_left(&shop);
    let erasures = shop.stack.store().erasures().await.unwrap();
    assert!(erasures.len() == 1 && !erasures[0].is_open());
}

#[tokio::test]
async fn a_merge_sent_again_undoes_no_undoing() {
    let shop = Shop::open(OPENING).await;
    let member = given_a_customer(&shop).await;
    let mut other = order(77, "20.00", "paid", OPENING);
    other["email"] = Value::Null;
    other["customer"] = json!({"id": OTHER});
    told(&shop, "orders/paid", &other).await;
    let of_the_other = async || shop.get(&format!("/members?source={SHOPIFY}&customer={OTHER}")).await.1;
    let apart = of_the_other().await;
    told(&shop, "customers/merge", &merge()).await;
    assert_ne!(of_the_other().await["balance"], apart["balance"]);
    let uri = format!("/members/{member}/unmerge");
    let (status, answer) = shop.request(Method::POST, &uri, &HeaderMap::new(), b"").await;
    assert_eq!(status, 200, "{answer}");
    shop.drain().await;
    let parted = of_the_other().await;

    known(&shop, "customers/merge", &merge()).await;

    assert_eq!(of_the_other().await, parted);
    assert_eq!(member_of(&shop).await.1["member"], json!(member));
}

#[tokio::test]
async fn an_old_contact_sent_again_brings_nothing_back() {
    let shop = Shop::open(OPENING).await;
    given_a_customer(&shop).await;
    let update = json!({"id": CUSTOMER, "email": "john@example.com", "verified_email": true, "state": "enabled",
        "first_name": "Johnathan", "updated_at": "2026-03-02T10:30:00Z"});
    told(&shop, "customers/update", &update).await;
    told(&shop, "customers/redact", &redaction()).await;
    // Given they came back, with another address.
    shop.advance_to("2026-03-05T10:00:00Z").await;
    let mut anew = order(20, "10.00", "paid", "2026-03-05T09:00:00Z");
    anew["email"] = json!("new@example.com");
    anew["customer"] = json!({"id": CUSTOMER, "email": "new@example.com", "verified_email": true});
    told(&shop, "orders/paid", &anew).await;

    known(&shop, "customers/update", &update).await;

    let left = serde_json::to_string(&dump(&shop)).unwrap();
    assert!(left.contains("new@example.com"));
    for word in ["john@example.com", "Johnathan"] {
        assert!(!left.contains(word), "{word} is back");
    }
}

#[tokio::test]
async fn a_deletion_sent_again_deletes_no_order_that_was_restored() {
    let shop = Shop::open(OPENING).await;
    let body = |modified: &str| {
        json!({
            "id": 7, "status": "processing", "currency": "EUR", "prices_include_tax": true,
            "date_created_gmt": "2026-03-01T10:00:00", "date_modified_gmt": modified,
            "date_paid_gmt": "2026-03-01T10:00:00", "customer_id": 5,
            "line_items": [{"total": "10.00", "total_tax": "0.00"}], "billing": {},
        })
    };
    let tell = async |topic: &str, body: &Value| {
        let answer = shop.send(WOOCOMMERCE, &[("x-wc-webhook-topic", topic)], body).await;
        shop.drain().await;
        answer
    };
    let balance =
        async || shop.get(&format!("/members?source={WOOCOMMERCE}&customer=5")).await.1["balance"].clone();
    tell("order.created", &body("2026-03-01T10:00:00")).await;
    assert_eq!(balance().await, 100);
    tell("order.deleted", &json!({"id": 7})).await;
    assert_eq!(balance().await, 0);
    tell("order.restored", &body("2026-03-02T11:00:00")).await;
    assert_eq!(balance().await, 100);

    assert_eq!(tell("order.deleted", &json!({"id": 7})).await, (202, json!({"status": "known"})));
    assert_eq!(balance().await, 100);
}

#[tokio::test]
async fn what_an_operator_is_asked_for_is_asked_once_for_each_body() {
    let shop = Shop::open(OPENING).await;
    let request = |id: u64| {
        json!({"shop_id": 1, "shop_domain": "example.myshopify.com", "orders_requested": [1],
            "customer": {"id": CUSTOMER}, "data_request": {"id": id}})
    };
    let redact = json!({"shop_id": 1, "shop_domain": "example.myshopify.com"});
    for (topic, body) in [
        ("customers/data_request", request(1)),
        ("customers/data_request", request(2)),
        ("shop/redact", redact),
    ] {
        assert_eq!(send(&shop, topic, &body).await.1["status"], "requested", "{topic}");
        known(&shop, topic, &body).await;
    }
}

#[tokio::test]
async fn what_is_remembered_is_no_erasure_and_names_nobody() {
    let shop = Shop::open(OPENING).await;
    given_a_customer(&shop).await;
    told(&shop, "customers/merge", &merge()).await;
    told(&shop, "customers/redact", &redaction()).await;
    assert_eq!(shop.stack.store().erasures().await.unwrap().len(), 1);
    assert_eq!(shop.stack.store().reapply_erasures().await.unwrap(), 1);
    shop.drain().await;
    assert_nothing_is_left(&shop);
    let nobody = Sought::named(DirectoryKey::Email("john@example.com".to_owned()));
    let id = ErasureId::new("export").unwrap();
    let now = shop.stack.clock().now();
    assert!(shop.stack.store().export_person(id, &nobody, now).await.unwrap().is_empty());
}
