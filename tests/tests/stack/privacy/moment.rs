//! What is told of a person in the very moment in which they are erased is erased with them, or refused.

use std::sync::Arc;

use domain::{CustomerId, SourceName};
use store::DirectoryKey;

use super::*;

const PERSONS: u64 = 30;
const CLIENTS: u64 = 4;
const TELLINGS: u64 = 6;

/// One client: tells a contact and a device of a member, again and again.
async fn tell(shop: Arc<Shop>, customer: u64, member: String, client: u64) {
    for n in 0..TELLINGS {
        let second = client * TELLINGS + n;
        let update = json!({"id": customer, "email": format!("secret-{customer}@example.com"), "verified_email": true,
            "state": "enabled", "first_name": "Secret", "updated_at": format!("2026-03-02T11:00:{second:02}Z")});
        let (status, answer) = send(&shop, "customers/update", &update).await;
        assert!(status < 300 || status == 503, "{status} {answer}");
        let body = json!({"platform": "apns", "token": format!("secret-{customer}-{client}")}).to_string();
        let uri = format!("/members/{member}/devices/secret-{client}");
        let (status, answer) = shop.request(Method::PUT, &uri, &HeaderMap::new(), body.as_bytes()).await;
        assert!([200, 201, 409, 503].contains(&status), "{status} {answer}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_contact_or_a_device_told_in_the_very_moment_of_an_erasure_does_not_stay() {
    let shop = Arc::new(Shop::open(OPENING).await);
    let mut members = Vec::new();
    for customer in 1..=PERSONS {
        let mut order = order(customer, "10.00", "paid", "2026-03-01T10:00:00Z");
        order["email"] = Value::Null;
        order["customer"] = json!({"id": customer});
        assert_eq!(send(&shop, "orders/paid", &order).await.0, 202);
    }
    shop.drain().await;
    for customer in 1..=PERSONS {
        let (_, account) = shop.get(&format!("/members?source={SHOPIFY}&customer={customer}")).await;
        members.push(account["member"].as_str().unwrap().to_owned());
    }

    for (customer, member) in (1..=PERSONS).zip(members) {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| tokio::spawn(tell(Arc::clone(&shop), customer, member.clone(), client)))
            .collect();
        let source = SourceName::new(SHOPIFY).unwrap();
        let key = DirectoryKey::Customer(source, CustomerId::new(customer.to_string()).unwrap());
        let id = ErasureId::new(format!("erasure-{customer}")).unwrap();
        shop.stack.store().ask_erasure(&Erasure::of(id, &Sought::named(key))).await.unwrap();
        shop.drain().await;
        for client in clients {
            client.await.unwrap();
        }
    }
    shop.drain().await;

    let left = dump(&shop);
    let named = |item: &&Value| item.to_string().to_lowercase().contains("secret");
    let left: Vec<_> = left.values().flatten().filter(named).collect();
    assert!(left.is_empty(), "{} are left: {left:?}", left.len());
    let endpoints = (1..=PERSONS * CLIENTS).filter(|number| {
        let arn = format!("arn:aws:sns:dynoxide:000000000000:endpoint/APNS/laurel/{number:012}");
        let form = format!("Action=GetEndpointAttributes&EndpointArn={arn}");
        shop.stack.sns().answer(form.as_bytes()).0.is_success()
    });
    assert_eq!(endpoints.count(), 0, "endpoints are left at the push service");
}
