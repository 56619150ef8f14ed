//! A webhook is lost, and the platform's own list of orders makes up for it: from the list to the member's points and
//! messages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use domain::SourceName;
use local::reconcile::{Report, reconcile};
use order_webhook::{Reconciliation, Sources};
use runtime::Clock;
use serde_json::{Value, json};
use tests::{SHOPIFY, Shop, at};

const OPENING: &str = "2026-03-02T10:00:00Z";
/// As fast as a test.
const RATE: u32 = 500;

/// The shop's Admin API: one page, with the orders that it has now.
#[derive(Clone, Default)]
struct Platform(Arc<Mutex<Vec<Value>>>);

impl Platform {
    /// Serves the list, and answers where.
    fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let platform = self.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(&stream).lines();
                lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
                let body = json!({"orders": *platform.0.lock().unwrap()}).to_string();
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                )
                .unwrap();
            }
        });
        base
    }

    fn has(&self, orders: &[Value]) {
        *self.0.lock().unwrap() = orders.to_vec();
    }
}

fn order(id: u64, subtotal: &str) -> Value {
    let line = json!({"id": 1, "quantity": 1, "current_quantity": 1, "price": subtotal});
    json!({
        "id": id, "created_at": OPENING, "updated_at": OPENING, "currency": "EUR", "financial_status": "paid",
        "cancelled_at": null, "test": false, "taxes_included": true, "subtotal_price": subtotal,
        "current_subtotal_price": subtotal, "total_price": subtotal, "line_items": [line], "refunds": [],
        "customer": {"id": 7, "email": "c-7@example.com", "verified_email": true},
    })
}

async fn run(shop: &Shop, base: &str) -> Report {
    let text = format!(
        "[{SHOPIFY}]\nplatform = \"shopify\"\nsecrets = [\"a-secret\"]\napi = {{ token = \"t\", base = \"{base}\" }}"
    );
    let (sources, store) = (Sources::from_toml(&text).unwrap(), shop.stack.store().clone());
    let name = SourceName::new(SHOPIFY).unwrap();
    let clock = Clock::fixed(shop.stack.clock().now());
    let walk = Reconciliation::begin(store, &sources, &name, at("2026-03-01T00:00:00Z"), clock).unwrap();
    let (report, done) = reconcile(walk, RATE).await;
    done.unwrap();
    shop.drain().await;
    report
}

/// Lifetime points, balance and the number of coupons.
async fn account(shop: &Shop) -> [Value; 3] {
    let (_, member) = shop.get(&format!("/members?source={SHOPIFY}&customer=7")).await;
    let coupons = member["coupons"].as_array().map_or(0, Vec::len);
    [member["lifetime_points"].clone(), member["balance"].clone(), json!(coupons)]
}

#[tokio::test]
async fn an_order_whose_webhook_was_lost_earns_once_and_its_member_is_told() {
    let (shop, platform) = (Shop::open(OPENING).await, Platform::default());
    let base = platform.serve();
    // Given an order that was delivered, and one of which no webhook ever came.
    let (status, _) = shop.send(SHOPIFY, &[("x-shopify-topic", "orders/paid")], &order(1, "20.00")).await;
    assert_eq!(status, 202);
    shop.drain().await;
    assert_eq!(account(&shop).await, [json!(200), json!(200), json!(0)]);
    // When the platform's list is read, in which one order cannot be.
    platform.has(&[order(1, "20.00"), order(2, "520.00"), json!({"id": 3})]);
    let report = run(&shop, &base).await;
    // Then the member has the points and the coupon, and is told of it as ever.
    assert_eq!((report.read, report.stored, report.known, report.rejected.len()), (3, 1, 1, 1));
    assert_eq!((report.named, &report.rejected[0].0), (vec!["2".to_owned()], &"3".to_owned()));
    let earned = [json!(5_400), json!(400), json!(1)];
    assert_eq!(account(&shop).await, earned);
    let told = shop.sent("email");
    assert!(told.contains(&"coupon_issued".to_owned()), "{told:?}");
    // A second run changes nothing, and says nothing.
    let again = run(&shop, &base).await;
    assert_eq!((again.read, again.stored, again.known), (3, 0, 2));
    assert_eq!(account(&shop).await, earned);
    assert_eq!(shop.sent("email"), told);
}

#[tokio::test]
async fn a_webhook_that_comes_after_all_finds_its_order_known() {
    let (shop, platform) = (Shop::open(OPENING).await, Platform::default());
    let base = platform.serve();
    platform.has(&[order(1, "20.00")]);
    assert_eq!(run(&shop, &base).await.stored, 1);
    let late = shop.send(SHOPIFY, &[("x-shopify-topic", "orders/paid")], &order(1, "20.00")).await;
    assert_eq!(late, (202, json!({"status": "known"})));
    shop.drain().await;
    assert_eq!(account(&shop).await, [json!(200), json!(200), json!(0)]);
}

#[tokio::test]
async fn a_refund_of_which_nobody_told_takes_its_points_back() {
    let (shop, platform) = (Shop::open(OPENING).await, Platform::default());
    let base = platform.serve();
    platform.has(&[order(1, "20.00")]);
    run(&shop, &base).await;
    let mut refunded = order(1, "20.00");
    refunded["updated_at"] = json!("2026-03-03T10:00:00Z");
    refunded["refunds"] = json!([{
        "id": 9, "order_id": 1, "created_at": "2026-03-03T10:00:00Z", "transactions": [],
        "order_adjustments": [],
        "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": "5.00", "total_tax": 0}],
    }]);
    refunded["current_subtotal_price"] = json!("15.00");
    refunded["financial_status"] = json!("partially_refunded");
    platform.has(&[refunded]);
    assert_eq!(run(&shop, &base).await.stored, 1);
    assert_eq!(account(&shop).await[1], json!(150));
}
