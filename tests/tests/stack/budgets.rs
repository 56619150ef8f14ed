//! What things may cost, counted by the store from the capacity that each call reports.

use store::DUE_SHARDS;
use tests::{Shop, programme};

/// What a piece of work used: read units, write units, index write units, requests.
async fn used(shop: &Shop, work: impl AsyncFnOnce(&Shop)) -> (f64, f64, f64, u64) {
    let before = shop.stack.meter().usage();
    work(shop).await;
    let after = shop.stack.meter().usage();
    (
        after.read_units - before.read_units,
        after.write_units - before.write_units,
        after.index_write_units - before.index_write_units,
        after.requests - before.requests,
    )
}

#[tokio::test]
async fn an_ordinary_order_costs_five_write_units_one_read_unit_and_no_index_write() {
    // Given a known member, and the programme read a moment ago.
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    shop.process(&shop.order("first", "c-1", 1_000)).await;
    // When an ordinary order comes, from the webhook to the balance.
    let (read, written, index, requests) = used(&shop, async |shop: &Shop| {
        shop.process(&shop.order("second", "c-1", 2_000)).await;
    })
    .await;
    // Then it costs what the budget says: the order, the directory, the profile, one transaction.
    assert!(written <= 5.0, "{written} write units");
    assert!(read <= 1.0, "{read} read units");
    assert_eq!(index, 0.0);
    assert_eq!(requests, 4);
    assert_eq!(shop.member("c-1").await["balance"], 300);
}

#[tokio::test]
async fn a_duplicate_costs_one_refused_write_and_wakes_nobody() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    let order = shop.order("first", "c-1", 1_000);
    shop.process(&order).await;
    let (read, _, _, requests) = used(&shop, async |shop: &Shop| shop.process(&order).await).await;
    assert_eq!((read, requests), (0.0, 1));
}

#[tokio::test]
async fn orders_of_one_member_in_one_batch_read_the_profile_once() {
    // Given a programme in which so few orders reach no tier.
    let rules = programme(&[("per_order = 10", "per_order = 1")]);
    let shop = Shop::with("2026-03-02T10:00:00Z", rules).await;
    shop.process(&shop.order("first", "c-1", 1_000)).await;
    let (read, _, _, _) = used(&shop, async |shop: &Shop| {
        for number in 0..20 {
            shop.deliver(&shop.order(&format!("more-{number}"), "c-1", 100)).await;
        }
        shop.drain().await;
    })
    .await;
    assert!(read <= 1.0, "{read} read units for 20 orders");
}

#[tokio::test]
async fn a_review_with_nothing_due_is_one_query_per_shard_however_many_members_there_are() {
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    for members in [1, 60] {
        for number in 0..members {
            shop.deliver(&shop.order(&format!("{members}-{number}"), &format!("c-{number}"), 1_000)).await;
        }
        shop.drain().await;
        let (_, written, _, requests) = used(&shop, async |shop: &Shop| {
            shop.stack.review().await.unwrap();
        })
        .await;
        assert_eq!((written, requests), (0.0, u64::from(DUE_SHARDS)), "with {members} members");
    }
}

#[tokio::test]
async fn a_sweep_costs_two_read_units_an_order_at_most_and_writes_its_position_once_a_page() {
    // Given a full page of orders, each of a member of its own, and all of them at their target.
    const ORDERS: u32 = 200;
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    for number in 0..ORDERS {
        shop.deliver(&shop.order(&format!("5555555555{number}"), &format!("c-{number}"), 1_000)).await;
    }
    shop.drain().await;
    shop.advance_to("2026-03-02T18:00:00Z").await;
    let (read, written, _, requests) = used(&shop, async |shop: &Shop| {
        shop.stack.invoke("OrderSweepFunction", "{}".to_owned()).await.unwrap();
    })
    .await;
    let (read, requests) = (read / f64::from(ORDERS), requests as f64 / f64::from(ORDERS));
    println!("a sweep: {read:.2} read units and {requests:.2} requests an order");
    assert!(read <= 2.0, "{read} read units an order");
    assert!(requests <= 3.1, "{requests} requests an order");
    // After a full page there may be more, so the position is kept, and dropped at the end.
    assert!(written <= 2.0, "{written} write units");
}
