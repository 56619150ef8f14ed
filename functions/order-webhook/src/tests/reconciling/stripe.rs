//! Stripe's list: `GET /v1/events`, newest first, each page after the last event of the one before.

use serde_json::json;

use super::*;
use crate::Unlisted;
use crate::tests::stand_in;

const API: &str = "api = { token = \"rk_live_key\", base = \"BASE\" }";
const TYPES: &str = "types%5B%5D=checkout.session.completed&types%5B%5D=checkout.session.async_payment_succeeded\
    &types%5B%5D=checkout.session.async_payment_failed&types%5B%5D=invoice.paid&types%5B%5D=invoice_payment.paid\
    &types%5B%5D=payment_intent.succeeded&types%5B%5D=charge.succeeded&types%5B%5D=charge.refunded\
    &types%5B%5D=charge.refund.updated&types%5B%5D=refund.updated&types%5B%5D=refund.failed\
    &types%5B%5D=charge.dispute.funds_withdrawn&types%5B%5D=charge.dispute.funds_reinstated\
    &types%5B%5D=charge.dispute.closed&types%5B%5D=credit_note.created&types%5B%5D=credit_note.voided";

fn page(starting_after: &str) -> String {
    format!("/v1/events?{TYPES}&created%5Bgte%5D=1772323200&limit=100{starting_after}")
}

fn intent(number: u32) -> Value {
    json!({
        "id": format!("evt_{number}"), "object": "event", "type": "payment_intent.succeeded",
        "created": 1_772_356_530, "livemode": true, "pending_webhooks": 0,
        "data": {"object": {
            "id": format!("pi_{number}"), "object": "payment_intent", "amount": 5_990, "amount_received": 5_990,
            "created": 1_772_356_530, "currency": "eur", "customer": "cus_1", "invoice": null,
            "status": "succeeded", "metadata": {},
        }},
    })
}

#[tokio::test]
async fn of_two_pages_what_was_lost_is_stored_what_is_known_is_known_and_what_is_broken_stops_nobody() {
    let shop = Shop::of("stripe", API).await;
    shop.deliver(None, &intent(2)).await;
    let mut broken = intent(3);
    broken["data"]["object"]["currency"] = json!("private");
    let first =
        json!({"object": "list", "data": [intent(1), intent(2)], "has_more": true, "url": "/v1/events"});
    let second =
        json!({"object": "list", "data": [broken, intent(4)], "has_more": false, "url": "/v1/events"});
    shop.platform.on(&page(""), [stand_in::json(&first)]);
    shop.platform.on(&page("&starting_after=evt_2"), [stand_in::json(&second)]);

    let outcomes = shop.reconcile().await.unwrap();
    assert_eq!(
        [&outcomes[0], &outcomes[1], &outcomes[3]],
        [&stored("evt_1"), &known("evt_2"), &stored("evt_4")]
    );
    assert!(
        matches!(&outcomes[2], (name, Outcome::Rejected(why)) if name == "evt_3" && !why.contains("private"))
    );
    assert_eq!(shop.order("pi_4").await.unwrap().snapshot.unwrap().goods.amount, 5_990);
    assert_eq!(shop.platform.asked()[1].headers["authorization"], "Bearer rk_live_key");
    assert_eq!(shop.reconcile().await.unwrap()[0], known("evt_1"));
}

#[tokio::test]
async fn events_of_more_than_thirty_days_ago_are_not_promised() {
    let shop = Shop::of("stripe", API).await;
    let since = |text| shop.begin(at(text)).map(|_| ());
    assert!(since("2026-02-08T10:00:00Z").is_ok());
    let refused = since("2026-02-08T09:59:59Z").unwrap_err();
    assert!(matches!(refused, ReconcileError::Unlisted(Unlisted::TooOld(30))));
    let told = refused.to_string();
    assert!(told.contains("no further than 30 days") && told.contains("laurel import orders"), "{told}");
}

#[tokio::test]
async fn a_page_without_events_after_which_there_is_more_is_no_answer() {
    let shop = Shop::of("stripe", API).await;
    shop.platform.on(&page(""), [stand_in::json(&json!({"data": [], "has_more": true}))]);
    assert!(matches!(shop.reconcile().await, Err(ReconcileError::Platform(_))));
}

#[test]
fn stripes_key_is_all_that_it_needs() {
    for (api, setting) in [
        ("{ token = \"rk_key\", store = \"shop\" }", "api.store"),
        ("{ token = \"rk_key\", secret = \"private\" }", "api.secret"),
    ] {
        let text = format!("[shop]\nplatform = \"stripe\"\nsecrets = [\"a\"]\napi = {api}");
        let refused = Sources::from_toml(&text).unwrap_err().to_string();
        assert!(refused.contains(setting) && !refused.contains("private"), "{refused}");
    }
}
