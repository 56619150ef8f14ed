//! Two customers who were made one, rightly or by mistake, and one of them is forgotten.

use super::*;

/// A customer of another name, who is merged with the person.
const OTHER: u64 = 777;

/// Answers the person's own member.
async fn given_two_who_were_merged(shop: &Shop) -> String {
    let member = given_a_customer(shop).await;
    let mut other = order(77, "20.00", "paid", OPENING);
    other["email"] = Value::Null;
    other["customer"] = json!({"id": OTHER});
    told(shop, "orders/paid", &other).await;
    let id = |customer: u64| format!("gid://shopify/Customer/{customer}");
    let merge = json!({
        "admin_graphql_api_customer_kept_id": id(OTHER), "admin_graphql_api_customer_deleted_id": id(CUSTOMER),
        "admin_graphql_api_job_id": null, "status": "completed", "errors": [],
    });
    told(shop, "customers/merge", &merge).await;
    member
}

async fn other(shop: &Shop) -> (u16, Value) {
    shop.get(&format!("/members?source={SHOPIFY}&customer={OTHER}")).await
}

#[tokio::test]
async fn of_two_customers_who_were_merged_both_are_forgotten() {
    let shop = Shop::open(OPENING).await;
    given_two_who_were_merged(&shop).await;
    told(&shop, "customers/redact", &redaction()).await;
    assert_nothing_is_left(&shop);
    assert_eq!(other(&shop).await.0, 404);
}

#[tokio::test]
async fn of_two_who_were_merged_by_mistake_and_parted_one_is_forgotten_and_the_other_stays() {
    let shop = Shop::open(OPENING).await;
    let member = given_two_who_were_merged(&shop).await;
    // What is told of the person while they are one is the other's, too.
    let told_since = json!({"id": CUSTOMER, "email": "john@example.com", "verified_email": true, "state": "enabled",
        "first_name": "Johnathan", "updated_at": "2026-03-02T10:30:00Z"});
    told(&shop, "customers/update", &told_since).await;
    let uri = format!("/members/{member}/unmerge");
    let (status, answer) = shop.request(Method::POST, &uri, &HeaderMap::new(), b"").await;
    assert_eq!(status, 200, "{answer}");
    told(&shop, "customers/redact", &redaction()).await;
    assert_nothing_is_left(&shop);
    let (status, account) = other(&shop).await;
    assert_eq!((status, &account["balance"]), (200, &json!(200)));
}
