//! What the functions log, at their most talkative, names nobody.

use std::io;
use std::sync::{Arc, Mutex};

use domain::Timestamp;
use lambda_http::http::{HeaderMap, Method};
use runtime::telemetry::{self, signal};
use serde_json::{Value, json};
use tests::{GENERIC, SHOPIFY, Shop};
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::fmt::MakeWriter;

/// All that our own crates say, and of others what they say in operation.
const EVERYTHING: &str = "info,order_webhook=trace,points_accrual=trace,tier_review=trace,notifications=trace,\
                          member_api=trace,erasure=trace,runtime=trace,store=trace,domain=trace";
/// E-mail, name, phone number, customer id, device, its token, and what is signed with.
const OF_THE_PERSON: [&str; 7] = [
    "john@example.com",
    "Johnathan",
    "33612345678",
    "191167",
    "johns-phone",
    "token-of-john",
    "laurel-local-shopify",
];

/// Where the log is kept for a test.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Lets a subscriber have the lines of this thread. While it is the only one anywhere, a line that another test's thread
/// comes by first would be switched off for all; so there is another one.
pub(crate) fn listening(subscriber: impl Subscriber + Send + Sync) -> (DefaultGuard, Dispatch) {
    (set_default(subscriber), Dispatch::new(NoSubscriber::new()))
}

fn order(id: u64, subtotal: &str, currency: &str) -> Value {
    json!({
        "id": id, "created_at": "2026-03-01T10:00:00Z", "updated_at": "2026-03-01T10:00:00Z", "currency": currency,
        "financial_status": "paid", "taxes_included": true, "test": false,
        "subtotal_price": subtotal, "current_subtotal_price": subtotal, "total_price": subtotal,
        "line_items": [{"id": 1, "quantity": 1, "current_quantity": 1, "price": subtotal}], "refunds": [],
        "customer": {"id": 191_167, "email": "john@example.com", "verified_email": true, "first_name": "Johnathan",
            "phone": "+33612345678"},
    })
}

async fn told(shop: &Shop, topic: &str, body: &Value) -> u16 {
    let (status, _) = shop.send(SHOPIFY, &[("x-shopify-topic", topic)], body).await;
    shop.drain().await;
    status
}

#[tokio::test]
async fn no_line_of_any_function_names_a_person() {
    let kept = Kept::default();
    let subscriber = telemetry::on_lambda_to(kept.clone(), EVERYTHING.parse().unwrap());
    let _listening = listening(subscriber);
    let shop = Shop::open("2026-03-02T10:00:00Z").await;
    // Given an order that earns a coupon, of which the member is told by e-mail and push.
    assert_eq!(told(&shop, "orders/paid", &order(1, "100.00", "EUR")).await, 202);
    let customer = format!("/members?source={SHOPIFY}&customer=191167");
    let member = shop.get(&customer).await.1["member"].as_str().unwrap().to_owned();
    let device = format!("/members/{member}/devices/johns-phone");
    let token = json!({"platform": "apns", "token": "token-of-john"}).to_string();
    shop.request(Method::PUT, &device, &HeaderMap::new(), token.as_bytes()).await;
    assert_eq!(told(&shop, "orders/paid", &order(2, "520.00", "EUR")).await, 202);
    assert!(shop.sent("push").contains(&"coupon_issued".to_owned()));
    // And whatever goes wrong: an order that is parked, bodies with a name where none should be, a false signature.
    assert_eq!(told(&shop, "orders/paid", &order(3, "10.00", "USD")).await, 202);
    let mut garbled = order(4, "10.00", "EUR");
    garbled["created_at"] = json!("john@example.com");
    assert_eq!(told(&shop, "orders/paid", &garbled).await, 400);
    assert_eq!(shop.send(GENERIC, &[], &json!({"type": "order.updated", "order": "Johnathan"})).await.0, 400);
    let forged = order(5, "1.00", "EUR").to_string();
    let path = format!("/webhooks/{SHOPIFY}");
    shop.request(Method::POST, &path, &HeaderMap::new(), forged.as_bytes()).await;
    // And a review, what Shopify asks an operator for, and an erasure.
    shop.advance_to("2027-03-05T10:00:00Z").await;
    let person = json!({"id": 191_167, "email": "john@example.com", "phone": "555-625-1199"});
    let request =
        json!({"customer": person, "orders_requested": [1], "data_request": {"id": 9999}, "shop_id": 1});
    assert_eq!(told(&shop, "customers/data_request", &request).await, 202);
    let redaction = json!({"customer": person, "orders_to_redact": [1], "shop_id": 1});
    assert_eq!(told(&shop, "customers/redact", &redaction).await, 202);
    assert_eq!(shop.get(&customer).await.0, 404);

    let log = kept.text();
    for said in ["taken", "parked", "refused", "reviewed", "told", "an export is asked for", "erased"] {
        assert!(log.contains(&format!("\"message\":\"{said}\"")), "{said} was not logged: {log}");
    }
    // Lambda reads when and how grave each line is; without a moment that it can read it would say INFO of all.
    let mut signals = std::collections::BTreeSet::new();
    let mut levels = std::collections::BTreeSet::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].as_str().unwrap().parse::<Timestamp>().is_ok(), "{line}");
        levels.insert(line["level"].as_str().unwrap().to_owned());
        signals.extend(line["signal"].as_str().map(str::to_owned));
    }
    assert!(levels.contains("ERROR") && levels.contains("WARN") && levels.contains("INFO"), "{levels:?}");
    for said in [signal::PARKED, signal::EXPORT_ASKED, signal::REFUSED] {
        assert!(signals.contains(said), "{said} is no signal of any line");
    }
    // Which source was refused, the metric reads here.
    let refused = log.lines().find(|line| line.contains("\"signal\":\"refused\"")).unwrap();
    let refused: Value = serde_json::from_str(refused).unwrap();
    assert_eq!(refused["span"]["source"], SHOPIFY);
    // The operator is told by which order to find whoever asks.
    let asked = log.lines().find(|line| line.contains("an export is asked for")).unwrap();
    assert!(asked.contains("\"order.id\":\"shopify-main#1\""), "{asked}");
    for word in OF_THE_PERSON {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word} is logged");
    }
}
