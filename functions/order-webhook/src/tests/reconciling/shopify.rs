//! Shopify's list: `GET /admin/api/…/orders.json`, with a cursor in the `Link` header.

use domain::Goods;
use serde_json::json;

use super::*;
use crate::tests::stand_in::Reply;

const API: &str = "api = { token = \"a-token\", base = \"BASE\" }";
const FIRST: &str =
    "/admin/api/2026-01/orders.json?status=any&updated_at_min=2026-03-01T00%3A00%3A00Z&limit=100";
const SECOND: &str = "/admin/api/2026-01/orders.json?limit=100&page_info=eyJsYXN0X2lkIjoxfQ%3D%3D";

fn order(id: u64, subtotal: &str) -> Value {
    json!({
        "id": id, "admin_graphql_api_id": format!("gid://shopify/Order/{id}"), "name": format!("#{id}"),
        "created_at": "2026-03-02T10:00:00+01:00", "processed_at": "2026-03-02T10:00:00+01:00",
        "updated_at": "2026-03-02T10:01:00+01:00", "cancelled_at": null, "currency": "EUR",
        "financial_status": "paid", "test": false, "taxes_included": true, "total_price": subtotal,
        "subtotal_price": subtotal, "current_subtotal_price": subtotal, "discount_codes": [],
        "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": subtotal}], "refunds": [],
        "customer": {"id": 7, "email": "c-7@example.com", "verified_email": true},
    })
}

fn page(orders: &[Value], link: &str) -> Reply {
    Reply::With(200, ("Link", link.to_owned()), json!({"orders": orders}).to_string())
}

/// The header of a first page, as Shopify documents it. Its address is the shop's public one.
fn next() -> String {
    "<https://my-shop.myshopify.com/admin/api/2026-01/orders.json?limit=100&page_info=eyJsYXN0X2lkIjoxfQ%3D%3D>; \
     rel=\"next\""
        .to_owned()
}

/// The header of a last page.
fn previous() -> String {
    next().replace("next", "previous")
}

async fn shop() -> Shop {
    Shop::of("shopify", API).await
}

#[tokio::test]
async fn of_two_pages_what_was_lost_is_stored_what_is_known_is_known_and_what_is_broken_stops_nobody() {
    let shop = shop().await;
    shop.deliver(Some(("x-shopify-topic", "orders/paid")), &order(2, "20.00")).await;
    let mut broken = order(3, "30.00");
    broken["currency"] = json!("private");
    shop.platform.on(FIRST, [page(&[order(1, "10.00"), order(2, "20.00")], &next())]);
    shop.platform.on(SECOND, [page(&[broken, order(4, "40.00")], &previous())]);

    let outcomes = shop.reconcile().await.unwrap();
    assert_eq!(outcomes[..2], [stored("1"), known("2")]);
    assert_eq!(outcomes[2], rejected("3", "currency: is not a currency of three letters (ISO 4217)"));
    assert_eq!(outcomes[3], stored("4"));

    let order = shop.order("1").await.unwrap();
    assert_eq!(order.snapshot.unwrap().goods, Goods { amount: 1_000, tax: 0, tax_included: true });
    assert_eq!(order.placed_at.unwrap(), at("2026-03-02T09:00:00Z"));
    assert_eq!(shop.platform.paths(), [FIRST, SECOND]);
    assert_eq!(shop.platform.asked()[1].headers["x-shopify-access-token"], "a-token");
}

#[tokio::test]
async fn a_second_time_everything_is_known() {
    let shop = shop().await;
    let mut refunded = order(1, "10.00");
    refunded["refunds"] = json!([{
        "id": 9, "order_id": 1, "created_at": "2026-03-03T10:00:00Z", "order_adjustments": [],
        "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": "4.00", "total_tax": 0}],
        "transactions": [],
    }]);
    shop.platform.on(FIRST, [page(&[refunded, order(2, "20.00")], &previous())]);
    assert_eq!(shop.reconcile().await.unwrap(), [stored("1"), stored("2")]);
    assert_eq!(shop.order("1").await.unwrap().refunds.len(), 1);
    assert_eq!(shop.reconcile().await.unwrap(), [known("1"), known("2")]);
}

#[tokio::test]
async fn what_the_list_says_now_holds_against_whatever_was_sent_of_the_same_second() {
    for (sent, listed) in [("10.00", "18.00"), ("18.00", "10.00")] {
        let shop = shop().await;
        let topic = Some(("x-shopify-topic", "orders/updated"));
        shop.deliver(topic, &order(1, listed)).await;
        shop.deliver(topic, &order(1, sent)).await;
        shop.platform.on(FIRST, [page(&[order(1, listed)], &previous())]);
        assert_eq!(shop.reconcile().await.unwrap(), [stored("1")]);
        let goods = shop.order("1").await.unwrap().snapshot.unwrap().goods.amount;
        assert_eq!(format!("{}.00", goods / 100), listed);
        assert_eq!(shop.reconcile().await.unwrap(), [known("1")]);
        shop.deliver(topic, &order(1, "14.00")).await;
        assert_eq!(
            shop.order("1").await.unwrap().snapshot.unwrap().goods.amount,
            goods,
            "sent before, and late"
        );
    }
}

#[tokio::test]
async fn the_credential_goes_to_no_address_that_an_answer_names() {
    let (shop, elsewhere) = (shop().await, StandIn::start());
    let link = format!("<{}/admin/api/2026-01/orders.json?page_info=x>; rel=\"next\"", elsewhere.base);
    shop.platform.on(FIRST, [page(&[order(1, "10.00")], &link)]);
    let second = "/admin/api/2026-01/orders.json?limit=100&page_info=x";
    shop.platform.on(second, [page(&[], "")]);
    assert_eq!(shop.reconcile().await.unwrap(), [stored("1")]);
    assert_eq!(shop.platform.paths(), [FIRST, second]);
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_shop_is_reached_by_its_name() {
    let named = |api: &str| {
        let text = format!("[shop]\nplatform = \"shopify\"\nsecrets = [\"a\"]\napi = {api}");
        Sources::from_toml(&text)
    };
    let sources = named("{ token = \"a-token\", store = \"my-shop\" }").unwrap();
    let resource = sources.named(&source("shop")).unwrap().list(at(SINCE), at(NOW)).unwrap().page().unwrap();
    assert!(resource.url.starts_with("https://my-shop.myshopify.com/admin/api/"), "{}", resource.url);
    for (api, setting) in [
        ("{ token = \"a\", store = \"my-shop.myshopify.com\" }", "api.store"),
        ("{ token = \"a\", store = \"\" }", "api.store"),
        ("{ token = \"a\" }", "api.base"),
        ("{ token = \"a\", secret = \"b\", store = \"a\" }", "api.secret"),
    ] {
        assert!(named(api).unwrap_err().to_string().contains(setting), "{api}");
    }
}
