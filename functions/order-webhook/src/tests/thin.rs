//! Deliveries that carry only an id, through the whole handler: with a store, and a stand-in for the platform's API.

use std::time::Duration;

use domain::{Goods, OrderKey, OrderState};
use lambda_http::http::Request;
use lambda_http::{Body, Response};
use runtime::Clock;
use serde_json::{Value, json};
use store::Store;

use super::stand_in::{self, Reply, StandIn};
use super::{LOCAL_SOURCES, at, embedded_store, source};
use crate::api::tests::IMPATIENT;
use crate::api::{Api, Patience};
use crate::{OrderWebhook, Sources, path_of};

const NOW: &str = "2026-03-05T10:00:00Z";
/// Where the local sources look for the platforms' APIs.
const LOCAL_API: &str = "http://127.0.0.1:3000/local/platforms";

const BIGCOMMERCE_ORDER: &str = "/stores/local/v2/orders/250";
const BIGCOMMERCE_REFUNDS: &str = "/stores/local/v3/orders/250/payment_actions/refunds";
const BIGCOMMERCE_PRODUCTS: &str = "/stores/local/v2/orders/250/products?limit=250";
const BIGCOMMERCE_COUPONS: &str = "/stores/local/v2/orders/250/coupons";
const SALE: &str = "CAISENgvlJ6jLWAzERDzjyHVybY";
const RETURN: &str = "cEqXy2gSUTU0sLwUcKfNXnkFJXAZY";

/// The local sources, with the platforms' APIs where the stand-in is.
pub(super) fn sources(stand_in: &StandIn) -> Sources {
    Sources::from_toml(&LOCAL_SOURCES.replace(LOCAL_API, &stand_in.base)).unwrap()
}

/// A stand-in that knows what the local stack's platforms know.
pub(super) fn platforms() -> StandIn {
    let stand_in = StandIn::start();
    for (path, answer) in [
        (BIGCOMMERCE_ORDER, include_str!("../../../../local/platforms/bigcommerce-order.json")),
        (BIGCOMMERCE_PRODUCTS, include_str!("../../../../local/platforms/bigcommerce-products.json")),
        (BIGCOMMERCE_COUPONS, include_str!("../../../../local/platforms/bigcommerce-coupons.json")),
        (BIGCOMMERCE_REFUNDS, include_str!("../../../../local/platforms/bigcommerce-refunds.json")),
        (&square(SALE), include_str!("../../../../local/platforms/square-order.json")),
        (&square(RETURN), include_str!("../../../../local/platforms/square-return.json")),
    ] {
        stand_in.on(path, [Reply::Status(200, answer.to_owned())]);
    }
    stand_in
}

fn square(order: &str) -> String {
    format!("/v2/orders/{order}")
}

struct Shop {
    platforms: StandIn,
    store: Store,
    webhook: OrderWebhook,
    sources: Sources,
}

impl Shop {
    async fn open() -> Self {
        let (platforms, store) = (platforms(), embedded_store().await);
        let sources = sources(&platforms);
        let mut webhook = OrderWebhook::new(store.clone(), sources.clone(), Clock::fixed(at(NOW)));
        webhook.api = Api::with(IMPATIENT);
        Self { platforms, store, webhook, sources }
    }

    async fn tell(&self, name: &str, event: Value) -> Response<Body> {
        let (name, body) = (source(name), event.to_string().into_bytes());
        let mut request = Request::post(path_of(&name));
        for (header, value) in self.sources.sign(&name, "msg_1", at(NOW), &body).unwrap() {
            request = request.header(header, value);
        }
        self.webhook.handle(request.body(Body::from(body)).unwrap()).await.unwrap()
    }

    /// What became of a delivery that was taken.
    async fn taken(&self, name: &str, event: Value) -> String {
        let response = self.tell(name, event).await;
        assert!(response.status().is_success(), "{:?}", response.body());
        let document: Value = serde_json::from_slice(response.body()).unwrap();
        document["status"].as_str().unwrap().to_owned()
    }

    async fn order(&self, key: &str) -> Option<OrderState> {
        self.store.order(&OrderKey::new(key).unwrap()).await.unwrap()
    }
}

fn bigcommerce(scope: &str) -> Value {
    json!({"scope": format!("store/order/{scope}"), "data": {"type": "order", "id": 250}, "hash": "dd70"})
}

fn square_order(id: &str) -> Value {
    json!({"type": "order.updated", "event_id": "1", "data": {"type": "order_updated", "id": id}})
}

fn told_by(stored: &OrderState) -> Vec<Goods> {
    stored.refunds.values().map(|refund| refund.goods).collect()
}

#[tokio::test]
async fn an_order_of_bigcommerce_is_stored_as_its_api_tells_it_and_a_duplicate_known() {
    let shop = Shop::open().await;
    shop.platforms.on(BIGCOMMERCE_REFUNDS, [stand_in::json(&json!({"data": [], "meta": {}}))]);
    assert_eq!(shop.taken("bigcommerce-main", bigcommerce("created")).await, "stored");
    assert_eq!(shop.taken("bigcommerce-main", bigcommerce("updated")).await, "known");
    let stored = shop.order("bigcommerce-main#250").await.unwrap();
    let goods = Goods { amount: 9_000, tax: 1_800, tax_included: false };
    assert_eq!(stored.snapshot.as_ref().unwrap().goods, goods);
    assert_eq!(stored.owner.as_ref().unwrap().id.as_ref().unwrap().as_str(), "11");
    assert!(stored.refunds.is_empty());
    assert_eq!(shop.platforms.asked()[0].headers["x-auth-token"], "laurel-local-token");
    let read = [BIGCOMMERCE_ORDER, BIGCOMMERCE_REFUNDS, BIGCOMMERCE_PRODUCTS, BIGCOMMERCE_COUPONS];
    assert_eq!(shop.platforms.paths()[..4], read);
}

#[tokio::test]
async fn a_refund_and_a_deletion_of_bigcommerce_change_the_order_that_is_stored() {
    let shop = Shop::open().await;
    shop.platforms.on(BIGCOMMERCE_REFUNDS, [stand_in::json(&json!({"data": []}))]);
    assert_eq!(shop.taken("bigcommerce-main", bigcommerce("created")).await, "stored");
    let refunds = include_str!("../../../../local/platforms/bigcommerce-refunds.json").to_owned();
    shop.platforms.on(BIGCOMMERCE_REFUNDS, [Reply::Status(200, refunds)]);
    assert_eq!(shop.taken("bigcommerce-main", bigcommerce("refund/created")).await, "stored");
    let stored = shop.order("bigcommerce-main#250").await.unwrap();
    assert_eq!(told_by(&stored), [Goods { amount: 3_000, tax: 600, tax_included: false }]);

    let order = include_str!("../../../../local/platforms/bigcommerce-order.json");
    let archived = order.replace("\"is_deleted\": false", "\"is_deleted\": true");
    shop.platforms.on(BIGCOMMERCE_ORDER, [Reply::Status(200, archived)]);
    assert_eq!(shop.taken("bigcommerce-main", bigcommerce("archived")).await, "stored");
    assert!(shop.order("bigcommerce-main#250").await.unwrap().snapshot.unwrap().cancelled);
}

#[tokio::test]
async fn an_order_of_square_and_what_came_back_of_it_are_one_order_in_whatever_sequence() {
    for sequence in [[SALE, RETURN, SALE], [RETURN, SALE, RETURN], [RETURN, RETURN, SALE]] {
        let shop = Shop::open().await;
        let mut became = Vec::new();
        for order in sequence {
            became.push(shop.taken("square-main", square_order(order)).await);
        }
        let stored = shop.order(&format!("square-main#{SALE}")).await.unwrap();
        assert_eq!(told_by(&stored), [Goods { amount: 1_800, tax: 300, tax_included: true }]);
        assert_eq!(stored.snapshot.unwrap().goods.amount, 9_000);
        assert!(shop.order(&format!("square-main#{RETURN}")).await.is_none());
        assert_eq!(became.last().unwrap(), "known", "{sequence:?}");
        assert_eq!(shop.platforms.asked()[0].headers["authorization"], "Bearer laurel-local-token");
    }
}

#[tokio::test]
async fn an_api_that_is_busy_for_a_moment_is_asked_again() {
    let shop = Shop::open().await;
    let order = include_str!("../../../../local/platforms/square-order.json").to_owned();
    let busy = Reply::Status(429, String::new());
    shop.platforms.on(&square(SALE), [busy, Reply::Status(200, order)]);
    assert_eq!(shop.taken("square-main", square_order(SALE)).await, "stored");
}

#[tokio::test]
async fn what_cannot_be_read_is_not_stored_and_asked_for_again() {
    for trouble in [
        Reply::Status(500, "private".to_owned()),
        Reply::Status(401, "private".to_owned()),
        Reply::Status(302, "private".to_owned()),
        Reply::Status(200, "{\"private\":1}".to_owned()),
        Reply::Status(200, "<private/>".to_owned()),
        Reply::Bytes(3 * 1024 * 1024),
        Reply::HungUp,
    ] {
        let shop = Shop::open().await;
        shop.platforms.on(BIGCOMMERCE_ORDER, [trouble.clone()]);
        shop.platforms.on(&square(SALE), [trouble]);
        for (name, event) in
            [("bigcommerce-main", bigcommerce("created")), ("square-main", square_order(SALE))]
        {
            let response = shop.tell(name, event).await;
            assert_eq!(response.status(), 503);
            assert!(response.headers().contains_key("retry-after"));
            assert!(!String::from_utf8(response.body().to_vec()).unwrap().contains("private"));
        }
        assert!(shop.order("bigcommerce-main#250").await.is_none());
        assert!(shop.order(&format!("square-main#{SALE}")).await.is_none());
    }
}

#[tokio::test]
async fn a_delivery_waits_no_longer_than_the_platform_does() {
    let mut shop = Shop::open().await;
    let slow = Duration::from_secs(60);
    let delivery = Duration::from_millis(50);
    shop.webhook.api = Api::with(Patience { attempt: slow, pause: slow, delivery, ..IMPATIENT });
    shop.platforms.on(&square(SALE), [Reply::Silence]);
    assert_eq!(shop.tell("square-main", square_order(SALE)).await.status(), 503);
}

#[tokio::test]
async fn an_order_that_the_platform_does_not_know_is_of_no_interest() {
    let shop = Shop::open().await;
    assert_eq!(shop.taken("square-main", square_order("nobodys")).await, "ignored");
    let other = json!({"scope": "store/order/created", "data": {"type": "order", "id": 9}});
    assert_eq!(shop.taken("bigcommerce-main", other).await, "ignored");
}

#[tokio::test]
async fn nothing_is_read_for_whoever_did_not_sign() {
    let shop = Shop::open().await;
    for name in ["bigcommerce-main", "square-main"] {
        let unsigned = Request::post(path_of(&source(name))).body(Body::from("{}")).unwrap();
        assert_eq!(shop.webhook.handle(unsigned).await.unwrap().status(), 401);
    }
    assert!(shop.platforms.asked().is_empty());
}
