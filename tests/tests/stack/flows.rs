//! Flows through the whole stack: signed webhook in, points, tiers, coupons and messages out.

use lambda_http::http::{HeaderMap, Method};
use serde_json::{Value, json};
use tests::{GENERIC, SHOPIFY, Shop, programme};

/// A Shopify order, as its webhooks have it.
fn shopify_order(id: u64, subtotal: &str, status: &str, updated_at: &str) -> Value {
    json!({
        "id": id,
        "created_at": "2026-03-02T10:00:00+01:00",
        "updated_at": updated_at,
        "currency": "EUR",
        "financial_status": status,
        "cancelled_at": null,
        "test": false,
        "taxes_included": true,
        "subtotal_price": subtotal,
        "current_subtotal_price": subtotal,
        "total_price": subtotal,
        "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": subtotal}],
        "refunds": [],
        "customer": {"id": 9_007_199_254_740_993_u64, "email": "someone@example.com", "verified_email": true},
    })
}

async fn shopify(shop: &Shop, topic: &str, body: &Value) -> u16 {
    let (status, _) = shop.send(SHOPIFY, &[("x-shopify-topic", topic)], body).await;
    shop.drain().await;
    status
}

async fn shopify_member(shop: &Shop) -> Value {
    shop.get(&format!("/members?source={SHOPIFY}&customer=9007199254740993")).await.1
}

#[tokio::test]
async fn a_shopify_orders_life_ends_with_the_points_of_what_was_kept() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let order = |subtotal, status, at| shopify_order(820_982_911_946_154_508, subtotal, status, at);
    // Created unpaid, then paid.
    assert_eq!(
        shopify(&shop, "orders/create", &order("120.00", "pending", "2026-03-02T10:00:00+01:00")).await,
        202
    );
    assert_eq!(
        shopify_member(&shop).await["balance"],
        Value::Null,
        "nobody is a member by an order that is not paid"
    );
    assert_eq!(
        shopify(&shop, "orders/paid", &order("120.00", "paid", "2026-03-02T10:05:00+01:00")).await,
        202
    );
    assert_eq!(shopify_member(&shop).await["balance"], 1_200);
    // A refund of goods for 20.00, told alone; then the order with it, and the refund once more.
    let refund = json!({
        "id": 890_088_186_047_892_319_u64, "order_id": 820_982_911_946_154_508_u64,
        "created_at": "2026-03-02T10:30:00+01:00",
        "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": 20.00, "total_tax": 0,
            "subtotal_set": {"shop_money": {"amount": "20.00", "currency_code": "EUR"}}}],
        "transactions": [], "order_adjustments": [],
    });
    assert_eq!(shopify(&shop, "refunds/create", &refund).await, 202);
    assert_eq!(shopify_member(&shop).await["balance"], 1_000);
    let mut refunded = order("100.00", "partially_refunded", "2026-03-02T10:30:01+01:00");
    refunded["refunds"] = json!([refund.clone()]);
    assert_eq!(shopify(&shop, "orders/updated", &refunded).await, 202);
    assert_eq!(shopify(&shop, "refunds/create", &refund).await, 202);
    assert_eq!(shopify_member(&shop).await["balance"], 1_000);
    // An old webhook comes late; then the order is cancelled.
    assert_eq!(
        shopify(&shop, "orders/paid", &order("120.00", "paid", "2026-03-02T10:05:00+01:00")).await,
        202
    );
    assert_eq!(shopify_member(&shop).await["balance"], 1_000);
    let mut cancelled = refunded.clone();
    cancelled["cancelled_at"] = json!("2026-03-02T11:00:00+01:00");
    cancelled["updated_at"] = json!("2026-03-02T11:00:00+01:00");
    assert_eq!(shopify(&shop, "orders/cancelled", &cancelled).await, 202);
    let member = shopify_member(&shop).await;
    assert_eq!((&member["balance"], &member["status_points"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_shopify_refund_that_fails_in_the_end_gives_the_points_back_in_every_order_of_delivery() {
    let paid = shopify_order(1, "100.00", "paid", "2026-03-02T10:05:00+01:00");
    let refund = |status| {
        json!({
            "id": 2, "order_id": 1, "created_at": "2026-03-02T10:30:00+01:00",
            "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": 100.00, "total_tax": 0,
                "subtotal_set": {"shop_money": {"amount": "100.00", "currency_code": "EUR"}}}],
            "transactions": [{"status": status, "amount": "100.00", "currency": "EUR"}], "order_adjustments": [],
        })
    };
    let mut failed = shopify_order(1, "100.00", "paid", "2026-03-02T10:40:00+01:00");
    // The line stays taken out of the order, though its money never went back.
    failed["current_subtotal_price"] = json!("0.00");
    failed["refunds"] = json!([refund("failure")]);
    let told = [("orders/paid", &paid), ("refunds/create", &refund("pending")), ("orders/updated", &failed)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let shop = Shop::open("2026-03-02T10:00:00Z").await;
        for (topic, body) in order.map(|n| told[n]) {
            assert_eq!(shopify(&shop, topic, body).await, 202);
        }
        assert_eq!(shopify_member(&shop).await["balance"], 1_000, "{order:?}");
    }
}

#[tokio::test]
async fn a_refund_pins_nobody_and_one_in_another_currency_stops_nothing() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let mut first = shop.refund("r1", "1", 1_000);
    first["refund"]["customer"] = json!({"id": "somebody-else"});
    shop.process(&first).await;
    let mut foreign = shop.refund("r2", "1", 9_000);
    foreign["refund"]["currency"] = json!("USD");
    shop.process(&foreign).await;
    shop.process(&shop.order("1", "c-1", 10_000)).await;
    shop.process(&shop.refund("r3", "1", 4_000)).await;
    assert_eq!(shop.member("c-1").await["balance"], 500);
    assert_eq!(shop.get("/members?source=generic-main&customer=somebody-else").await.0, 404);
}

#[tokio::test]
async fn an_amount_beyond_all_reason_is_parked_and_blocks_nobody() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.deliver(&shop.order("slip", "c-1", 1_000_000_000_000_000)).await;
    shop.process(&shop.order("2", "c-2", 1_000)).await;
    assert_eq!(shop.member("c-2").await["balance"], 100);
    let parked = shop.stack.store().parked().await.unwrap();
    assert!(parked[0].reason.contains("is the amount right?"), "{}", parked[0].reason);
}

#[tokio::test]
async fn what_the_platform_tells_for_no_reason_of_ours_is_answered_and_not_stored() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    assert_eq!(shopify(&shop, "products/update", &json!({"id": 1})).await, 200);
    assert_eq!(shop.send(GENERIC, &[], &json!({"type": "cart.updated"})).await.0, 200);
}

#[tokio::test]
async fn two_hundred_orders_at_once_for_one_member_are_all_counted_once() {
    let shop =
        Shop::with("2026-03-02T10:00:00Z", programme(&[("automatic = true", "automatic = false")])).await;
    let orders: Vec<Value> = (0..200).map(|number| shop.order(&number.to_string(), "c-1", 150)).collect();
    let deliveries = orders.iter().chain(&orders).map(|order| shop.deliver(order));
    futures_join(deliveries).await;
    shop.drain().await;
    let member = shop.member("c-1").await;
    assert_eq!((&member["balance"], &member["lifetime_points"]), (&json!(3_000), &json!(3_000)));
    assert_eq!(member["status_points"], 2_000);
}

/// Polls all of them side by side.
async fn futures_join<F: Future<Output = ()>>(futures: impl Iterator<Item = F>) {
    let mut pending: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        pending.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test]
async fn every_order_of_delivery_ends_the_same() {
    let mut ends = Vec::new();
    for shuffle in 0..4_usize {
        let shop =
            Shop::with("2026-03-02T10:00:00Z", programme(&[("automatic = true", "automatic = false")])).await;
        let mut deliveries = vec![
            shop.order("1", "c-1", 10_000),
            shop.refund("r1", "1", 2_500),
            shop.order("2", "c-1", 5_000),
            shop.refund("r2", "2", 5_000),
            shop.refund("r3", "1", 500),
            shop.order("3", "c-1", 300),
        ];
        deliveries.extend(deliveries.clone());
        deliveries.rotate_left(shuffle * 3);
        if shuffle % 2 == 1 {
            deliveries.reverse();
        }
        for delivery in &deliveries {
            shop.process(delivery).await;
        }
        let mut member = shop.member("c-1").await;
        member["member"] = Value::Null;
        ends.push(member);
    }
    assert_eq!(ends[0]["balance"], 700 + 30);
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
}

#[tokio::test]
async fn one_order_that_earns_154_coupons_gets_every_one() {
    let rules = programme(&[
        ("points_per_unit = \"10\"", "points_per_unit = \"1\""),
        ("points = 5000", "points = 500"),
    ]);
    let shop = Shop::with("2026-03-02T10:00:00Z", rules).await;
    let order = shop.order("1", "c-1", 7_718_360);
    shop.process(&order).await;
    shop.process(&order).await;
    let member = shop.member("c-1").await;
    assert_eq!((&member["balance"], &member["lifetime_points"]), (&json!(183), &json!(77_183)));
    assert_eq!(member["coupons"].as_array().map(Vec::len), Some(154));
    assert_eq!(shop.sent("email"), ["coupon_issued"], "one message of all of them");
    assert_eq!(shop.sent("event"), ["coupon_issued"; 154]);
}

#[tokio::test]
async fn an_order_in_another_currency_is_parked_and_blocks_nobody() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let mut foreign = shop.order("1", "c-1", 1_000);
    foreign["order"]["currency"] = json!("USD");
    shop.deliver(&foreign).await;
    shop.process(&shop.order("2", "c-1", 1_000)).await;
    assert_eq!(shop.member("c-1").await["balance"], 100);
    let parked = shop.stack.store().parked().await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].key.as_str(), "generic-main#1");
    assert!(parked[0].reason.contains("USD"), "{}", parked[0].reason);
    // The sender mends it.
    let mut mended = foreign.clone();
    mended["order"]["currency"] = json!("EUR");
    mended["order"]["updated_at"] = json!("2026-03-02T10:00:01Z");
    shop.process(&mended).await;
    assert_eq!(shop.member("c-1").await["balance"], 200);
    assert!(shop.stack.store().parked().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_order_without_a_customer_is_theirs_once_they_are_known() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let mut guest = shop.order("1", "c-1", 1_000);
    guest["order"].as_object_mut().unwrap().remove("customer");
    shop.process(&guest).await;
    assert_eq!(shop.get("/members?source=generic-main&customer=c-1").await.0, 404);
    assert!(shop.stack.store().parked().await.unwrap().is_empty());
    let mut known = shop.order("1", "c-1", 1_000);
    known["order"]["updated_at"] = json!("2026-03-02T10:00:01Z");
    shop.process(&known).await;
    assert_eq!(shop.member("c-1").await["balance"], 100);
}

#[tokio::test]
async fn a_tier_is_reached_at_once_and_lost_when_the_window_says_so() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    for number in 0..5 {
        shop.process(&shop.order(&number.to_string(), "c-1", 1_000)).await;
    }
    let member = shop.member("c-1").await;
    assert_eq!((&member["tier"], &member["status_points"]), (&json!("silver"), &json!(50)));
    assert_eq!(member["next_tier"]["id"], "gold");
    shop.advance_to("2026-06-02T12:00:00Z").await;
    let member = shop.member("c-1").await;
    assert_eq!((&member["tier"], &member["status_points"]), (&Value::Null, &json!(0)));
    assert_eq!(shop.sent("event"), ["tier_reached", "tier_lost"]);
}

#[tokio::test]
async fn garbage_is_refused_on_every_route_with_a_word_that_says_what_to_mend() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let none = HeaderMap::new();
    let huge = vec![b'{'; 2 * 1024 * 1024];
    for (method, uri, body, expected) in [
        (Method::POST, "/webhooks/generic-main", &b"{}"[..], 401),
        (Method::POST, "/webhooks/generic-main", &huge[..], 413),
        (Method::POST, "/webhooks/nobody", b"{}", 404),
        (Method::POST, "/webhooks/shopify-main", b"\xff\xfe", 401),
        (Method::GET, "/members", b"", 400),
        (Method::GET, "/members/%00%ff", b"", 400),
        (Method::GET, "/members/nobody", b"", 404),
        (Method::GET, "/members/nobody/journal?limit=0", b"", 400),
        (Method::GET, "/members/nobody/journal?cursor=garbage", b"", 400),
        (Method::PUT, "/members/nobody/devices/phone", b"[]", 400),
        (Method::PUT, "/members/nobody/devices/phone", b"{\"platform\":\"fax\",\"token\":\"1\"}", 400),
    ] {
        let (status, problem) = shop.request(method.clone(), uri, &none, body).await;
        assert_eq!(status, expected, "{method} {uri}: {problem}");
        assert!(
            problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{method} {uri}: {problem}"
        );
    }
    let (status, problem) =
        shop.send(GENERIC, &[], &json!({"type": "order.updated", "order": {"id": 1}})).await;
    assert_eq!(status, 400);
    assert!(problem["detail"].as_str().unwrap().contains("placed_at"), "{problem}");
}
