//! A source that has fallen silent is missed by the review.

use std::io;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use lambda_runtime::{Context, LambdaEvent};
use runtime::telemetry::{self, signal};
use runtime::{Clock, Engine, Random};
use serde_json::{Value, json};
use tests::{GENERIC, Shop, at};
use tier_review::TierReview;

use crate::logs::listening;

const OPENS: &str = "2026-03-02T10:00:00Z";

/// The lines of a review at a moment that tell of a silent source.
async fn missed(shop: &Shop, moment: &str) -> Vec<Value> {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = telemetry::on_lambda_to(move || writer.clone(), "info".parse().unwrap());
    let _listening = listening(subscriber);
    let engine = Engine::new(shop.stack.store().clone(), Clock::fixed(at(moment)), Random::system());
    let review = TierReview::new(engine).missing_sources_after(SignedDuration::from_hours(72));
    review.handle(LambdaEvent::new(json!({}), Context::default())).await.unwrap();
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["signal"] == signal::SILENT).collect()
}

#[tokio::test]
async fn a_source_that_is_not_heard_for_three_days_is_told_for_a_week() {
    // Given a source that was heard once, and a stranger who never was.
    let shop = Shop::open(OPENS).await;
    shop.process(&shop.order("1", "c-1", 1_000)).await;
    shop.send("shopify-main", &[("x-shopify-hmac-sha256", "forged")], &json!({})).await;
    // Then its silence is told once it is longer than allowed, and not for ever.
    assert_eq!(missed(&shop, "2026-03-05T10:00:00Z").await, Vec::<Value>::new());
    let told = missed(&shop, "2026-03-05T11:00:00Z").await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["source"], &told[0]["heard_at"]), (&json!(GENERIC), &json!(OPENS)));
    assert_eq!(missed(&shop, "2026-03-12T09:00:00Z").await.len(), 1);
    assert_eq!(missed(&shop, "2026-03-12T11:00:00Z").await, Vec::<Value>::new());
}
