//! Lives that the generator does not reach, each with its numbers worked out by hand, at 10 points per 1.00.

use domain::{CustomerId, SourceName, Timestamp};
use serde_json::{Value, json};
use store::{Consistency, DirectoryKey};
use tests::{Shop, programme};

use crate::lives::NOW;
use crate::lives::order::{Happened, Order, Payment, Refund};
use crate::lives::told::{
    ADOBE_COMMERCE, GENERIC, SHOPIFY, STRIPE, STRIPE_APART, Teller, WOOCOMMERCE, Webhook,
};

/// A paid order of two pieces at 60.00.
fn order() -> Order {
    Order {
        id: 1,
        customer: Some(7),
        placed_at: 36_000,
        updated_at: 36_000,
        price: 6_000,
        pieces: 2,
        removed: 0,
        gift_card: 0,
        tax_on_top: false,
        test: false,
        payment: Payment::Paid,
        cancelled: false,
        deleted: false,
        restored: false,
        refunds: vec![],
    }
}

/// The order refunded once, an hour later.
fn refunded(refund: Refund) -> Order {
    Order { updated_at: 39_600, refunds: vec![refund], ..order() }
}

const REFUND: Refund =
    Refund { id: 10, at: 39_600, pieces: 0, fee: 0, gesture: 0, shipping: 0, failed_at: None };

async fn shop() -> Shop {
    Shop::with(NOW, programme(&[("automatic = true", "automatic = false")])).await
}

/// What the platform tells of the order, changed by hand.
fn told(teller: Teller, order: &Order, change: impl Fn(&mut Value)) -> Webhook {
    let mut webhook = (teller.tell)(order, Happened::Edited).pop().unwrap();
    change(&mut webhook.body);
    webhook
}

async fn send(shop: &Shop, teller: Teller, webhook: &Webhook) -> u16 {
    let (status, _) = shop.send(teller.source, webhook.header.as_slice(), &webhook.body).await;
    shop.drain().await;
    status
}

async fn tell(shop: &Shop, teller: Teller, order: &Order, change: impl Fn(&mut Value)) {
    assert_eq!(send(shop, teller, &told(teller, order, change)).await, 202);
}

async fn balance(shop: &Shop, teller: Teller) -> Value {
    shop.get(&format!("/members?source={}&customer=7", teller.source)).await.1["balance"].clone()
}

/// How many of the customer's orders count.
async fn counted(shop: &Shop, teller: Teller) -> i64 {
    let store = shop.stack.store();
    let customer =
        DirectoryKey::Customer(SourceName::new(teller.source).unwrap(), CustomerId::new("7").unwrap());
    let member = store.find_member(&customer, Consistency::Strong).await.unwrap().unwrap();
    let journal = store.journal_since(&member, Timestamp::UNIX_EPOCH, Consistency::Strong).await.unwrap();
    journal.iter().map(|entry| i64::from(entry.counts)).sum()
}

async fn is_parked(shop: &Shop) -> bool {
    !shop.stack.store().parked().await.unwrap().is_empty()
}

#[tokio::test]
async fn an_order_in_a_currency_with_a_rate_keeps_what_its_refunds_in_that_currency_leave() {
    let rates = "points_per_unit = \"10\"\nexchange_rates = { USD = \"0.9\" }";
    let shop = Shop::with(NOW, programme(&[("points_per_unit = \"10\"", rates)])).await;
    // 120.00 and a refund of 5.05 of it, at 9 points per 1.00.
    for mut webhook in (GENERIC.tell)(&refunded(Refund { gesture: 505, ..REFUND }), Happened::Refunded) {
        for part in ["order", "refund"] {
            if let Some(told) = webhook.body.get_mut(part) {
                told["currency"] = json!("USD");
            }
        }
        assert_eq!(send(&shop, GENERIC, &webhook).await, 202);
    }
    assert_eq!(balance(&shop, GENERIC).await, 1_034);
}

#[tokio::test]
async fn an_order_in_a_currency_without_a_rate_is_parked_until_nothing_of_it_can_earn() {
    let shop = shop().await;
    let dollars = |body: &mut Value| body["order"]["currency"] = json!("USD");
    tell(&shop, GENERIC, &order(), dollars).await;
    let parked = shop.stack.store().parked().await.unwrap();
    assert!(parked[0].reason.contains("USD"), "{}", parked[0].reason);
    assert_eq!(balance(&shop, GENERIC).await, Value::Null);
    let cancelled = Order { cancelled: true, updated_at: 39_600, ..order() };
    tell(&shop, GENERIC, &cancelled, dollars).await;
    assert!(!is_parked(&shop).await);
}

#[tokio::test]
async fn an_order_of_less_than_nothing_earns_nothing_and_keeps_nothing_it_had_earned() {
    let later = Order { updated_at: 39_600, ..order() };
    for (teller, field) in [(SHOPIFY, "/current_subtotal_price"), (WOOCOMMERCE, "/line_items/0/total")] {
        let shop = shop().await;
        tell(&shop, teller, &order(), |_| ()).await;
        assert_eq!(balance(&shop, teller).await, 1_200, "{}", teller.source);
        tell(&shop, teller, &later, |body| *body.pointer_mut(field).unwrap() = json!("-10.00")).await;
        assert_eq!(balance(&shop, teller).await, 0, "{}", teller.source);
    }
}

#[tokio::test]
async fn the_generic_sender_is_told_that_goods_are_never_below_nothing() {
    let webhook = told(GENERIC, &order(), |body| body["order"]["goods"]["amount_minor"] = json!(-1));
    assert_eq!(send(&shop().await, GENERIC, &webhook).await, 400);
}

#[tokio::test]
async fn of_two_webhooks_of_one_platforms_time_the_later_stage_of_life_holds() {
    let unpaid = Order { payment: Payment::Unpaid, ..order() };
    let cancelled = Order { cancelled: true, ..order() };
    for (stages, points) in [([&unpaid, &order()], 1_200), ([&order(), &cancelled], 0)] {
        for told in [stages, [stages[1], stages[0]]] {
            for teller in [GENERIC, SHOPIFY, WOOCOMMERCE] {
                let shop = shop().await;
                for order in told {
                    tell(&shop, teller, order, |_| ()).await;
                }
                // Whoever's only order was cancelled before it was told is no member.
                let balance = balance(&shop, teller).await.as_i64().unwrap_or_default();
                assert_eq!(balance, points, "{} {told:?}", teller.source);
            }
        }
    }
}

#[tokio::test]
async fn a_webhook_older_than_what_is_stored_changes_nothing() {
    let shop = shop().await;
    let edited = Order { updated_at: 39_600, pieces: 1, ..order() };
    tell(&shop, SHOPIFY, &edited, |_| ()).await;
    tell(&shop, SHOPIFY, &order(), |_| ()).await;
    assert_eq!(balance(&shop, SHOPIFY).await, 600);
}

#[tokio::test]
async fn a_refund_that_comes_before_its_order_waits_and_makes_nobody_a_member() {
    for teller in [GENERIC, SHOPIFY] {
        let shop = shop().await;
        let webhooks = (teller.tell)(&refunded(Refund { pieces: 1, ..REFUND }), Happened::Refunded);
        send(&shop, teller, &webhooks[0]).await;
        assert_eq!(balance(&shop, teller).await, Value::Null);
        assert!(!is_parked(&shop).await);
        // The order as it was before it; then as it is.
        tell(&shop, teller, &order(), |_| ()).await;
        assert_eq!(balance(&shop, teller).await, 600, "{}", teller.source);
        send(&shop, teller, &webhooks[1]).await;
        assert_eq!(balance(&shop, teller).await, 600, "{}", teller.source);
    }
}

#[tokio::test]
async fn what_is_not_yet_ordered_earns_nothing() {
    let shop = shop().await;
    let draft = Webhook {
        header: Some(("x-shopify-topic", "draft_orders/create")),
        ..told(SHOPIFY, &order(), |body| body["status"] = json!("open"))
    };
    assert_eq!(send(&shop, SHOPIFY, &draft).await, 200);
    let draft = told(WOOCOMMERCE, &order(), |body| body["status"] = json!("checkout-draft"));
    assert_eq!(send(&shop, WOOCOMMERCE, &draft).await, 200);
    for status in ["draft", "auto-draft"] {
        tell(&shop, WOOCOMMERCE, &order(), |body| body["status"] = json!(status)).await;
    }
    for teller in [SHOPIFY, WOOCOMMERCE] {
        assert_eq!(balance(&shop, teller).await, Value::Null);
    }
}

#[tokio::test]
async fn a_draft_that_becomes_an_order_earns_like_any_other() {
    let shop = shop().await;
    let draft = Order { updated_at: 35_000, ..order() };
    tell(&shop, WOOCOMMERCE, &draft, |body| body["status"] = json!("draft")).await;
    tell(&shop, WOOCOMMERCE, &order(), |_| ()).await;
    assert_eq!(balance(&shop, WOOCOMMERCE).await, 1_200);
}

#[tokio::test]
async fn a_gift_card_does_not_earn_when_it_is_bought_and_takes_nothing_off_what_it_pays_for() {
    let shop = shop().await;
    let with_card = Order { gift_card: 5_000, ..order() };
    tell(&shop, SHOPIFY, &with_card, |_| ()).await;
    assert_eq!(balance(&shop, SHOPIFY).await, 1_200);
    let paid_by_card = Order { id: 2, ..order() };
    tell(&shop, SHOPIFY, &paid_by_card, |body| {
        body["payment_gateway_names"] = json!(["gift_card"]);
        body["total_outstanding"] = json!("0.00");
    })
    .await;
    assert_eq!(balance(&shop, SHOPIFY).await, 2_400);
}

/// One piece given back, of which the shop keeps 15.00 for restocking; then 10.00 as a gesture; then the shipping.
#[tokio::test]
async fn shopifys_refunds_take_back_what_they_give_back_of_the_goods() {
    for (refund, points) in [
        (Refund { pieces: 1, ..REFUND }, 600),
        (Refund { pieces: 1, fee: 1_500, ..REFUND }, 750),
        (Refund { gesture: 1_000, ..REFUND }, 1_100),
        (Refund { shipping: 500, ..REFUND }, 1_200),
        (Refund { pieces: 1, fee: 1_500, shipping: 500, ..REFUND }, 750),
    ] {
        let shop = shop().await;
        tell(&shop, SHOPIFY, &order(), |_| ()).await;
        let refunded = refunded(refund);
        for webhook in (SHOPIFY.tell)(&refunded, Happened::Refunded) {
            send(&shop, SHOPIFY, &webhook).await;
            assert_eq!(balance(&shop, SHOPIFY).await, points, "{refunded:?}");
        }
    }
}

/// Two pieces at 0.00, of which the shipping was paid and given back: a visit to the shop all the same.
#[tokio::test]
async fn free_goods_whose_shipping_was_given_back_reset_the_expiry_at_every_platform() {
    let bought = Order { payment: Payment::Unpaid, price: 0, ..order() };
    let paid = Order { payment: Payment::Paid, updated_at: 39_000, ..bought.clone() };
    let back =
        Order { updated_at: 39_600, refunds: vec![Refund { shipping: 500, ..REFUND }], ..paid.clone() };
    for teller in [GENERIC, SHOPIFY, WOOCOMMERCE, STRIPE, STRIPE_APART, ADOBE_COMMERCE] {
        let shop = shop().await;
        for (order, happened) in
            [(&bought, Happened::Placed), (&paid, Happened::Paid), (&back, Happened::Refunded)]
        {
            for webhook in (teller.tell)(order, happened) {
                send(&shop, teller, &webhook).await;
            }
        }
        let counted = counted(&shop, teller).await;
        assert_eq!(counted, 1, "{}", teller.source);
    }
}

/// A refund of 30.00, then one of 20.00 too; then the first is deleted, of which no webhook of its own tells.
#[tokio::test]
async fn a_refund_that_woocommerces_shop_deleted_is_none_in_whatever_order_it_is_told() {
    let (first, second) = (Refund { gesture: 3_000, ..REFUND }, Refund { id: 11, gesture: 2_000, ..REFUND });
    let told = |updated_at, refunds: &[&Refund]| {
        let refunds = refunds.iter().map(|refund| (*refund).clone()).collect();
        Order { updated_at, refunds, ..order() }
    };
    let life = [
        order(),
        told(39_600, &[&first]),
        told(39_700, &[&first, &second]),
        told(39_800, &[&second]),
        told(39_900, &[]),
    ];
    for (last, points) in [(1, 900), (2, 700), (3, 1_000), (4, 1_200)] {
        for turned in [false, true] {
            let shop = shop().await;
            let mut told: Vec<_> = life[..=last].iter().collect();
            if turned {
                told.reverse();
            }
            for order in told.iter().chain(&told) {
                tell(&shop, WOOCOMMERCE, order, |_| ()).await;
            }
            assert_eq!(balance(&shop, WOOCOMMERCE).await, points, "{last} {turned}");
        }
    }
}

/// WooCommerce tells only the sum, and money is goods first.
#[tokio::test]
async fn a_refund_of_woocommerces_for_shipping_alone_takes_a_little_too_much() {
    let shop = shop().await;
    tell(&shop, WOOCOMMERCE, &refunded(Refund { shipping: 500, ..REFUND }), |_| ()).await;
    assert_eq!(balance(&shop, WOOCOMMERCE).await, 1_150);
}
