//! Orders that wait for somebody to enrol: found under every name that was told, and claimed once.

use domain::{Contact, Customer, Order, OrderState};
use store::{Claim, DirectoryKey, Store};

use crate::given::{customer, member, order, order_key, source};
use crate::support::Bench;

fn named(address: &str) -> DirectoryKey {
    DirectoryKey::Email(address.to_owned())
}

/// A customer who told an address that nobody verified; or a guest who did.
fn told(id: Option<&str>) -> Customer {
    let contact = Contact { email: Some("a@example.com".to_owned()), ..Contact::default() };
    match id {
        Some(id) => Customer { contact, ..customer(id) },
        None => Customer { source: source(), id: None, card: None, contact },
    }
}

async fn waiting_order(store: &Store, id: &str, owner: Customer) -> OrderState {
    let names = DirectoryKey::told_of(&owner);
    store.record_order(&Order { customer: Some(owner), ..order(id) }).await.unwrap();
    store.wait(&order_key(id), &names).await.unwrap();
    store.order(&order_key(id)).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_order_waits_once_under_every_name_that_was_told() {
    let Bench { store, .. } = Bench::new().await;
    let state = waiting_order(&store, "1", told(Some("7"))).await;
    waiting_order(&store, "1", told(Some("7"))).await;
    let names = DirectoryKey::told_of(state.owner.as_ref().unwrap());
    assert_eq!(names.len(), 2);
    for name in &names {
        assert_eq!(store.waiting(name).await.unwrap(), [order_key("1")]);
    }
    store.end_waiting(&order_key("1"), &names[..1]).await.unwrap();
    assert_eq!(store.waiting(&names[0]).await.unwrap(), []);
    assert_eq!(store.waiting(&names[1]).await.unwrap(), [order_key("1")]);
    assert_eq!(store.waiting(&named("b@example.com")).await.unwrap(), []);
}

#[tokio::test]
async fn more_orders_than_a_page_holds_are_all_found_by_whoever_takes_them_up() {
    let Bench { store, .. } = Bench::new().await;
    let name = named("a@example.com");
    for number in 0..130 {
        store.wait(&order_key(&number.to_string()), std::slice::from_ref(&name)).await.unwrap();
    }
    let mut found = 0;
    loop {
        let page = store.waiting(&name).await.unwrap();
        if page.is_empty() {
            break;
        }
        for order in page {
            found += 1;
            store.end_waiting(&order, std::slice::from_ref(&name)).await.unwrap();
        }
    }
    assert_eq!(found, 130);
}

#[tokio::test]
async fn an_order_is_claimed_once_which_is_a_revision_and_wakes_the_accrual() {
    let bench = Bench::new().await;
    let state = waiting_order(&bench.store, "1", told(None)).await;
    let name = named("a@example.com");
    assert_eq!(bench.store.claim(&state, &name, &member("m1")).await.unwrap(), Claim::Made);
    assert_eq!(bench.store.claim(&state, &name, &member("m2")).await.unwrap(), Claim::Changed);
    let now = bench.store.order(&order_key("1")).await.unwrap().unwrap();
    assert_eq!((now.claimed_by, now.revision), (Some(member("m1")), state.revision + 1));
    assert_eq!(now.owner, state.owner);
    assert!(bench.wakes_the_accrual("1").await);
}

#[tokio::test]
async fn an_order_whose_owners_own_key_leads_to_somebody_is_claimed_under_no_other_name() {
    let Bench { store, .. } = Bench::new().await;
    let state = waiting_order(&store, "1", told(Some("7"))).await;
    let own = DirectoryKey::of_customer(state.owner.as_ref().unwrap()).unwrap();
    store.add_name(&own, &member("m1")).await.unwrap();
    let by_email = store.claim(&state, &named("a@example.com"), &member("m2")).await.unwrap();
    assert_eq!(by_email, Claim::LeadsElsewhere);
    assert_eq!(store.order(&order_key("1")).await.unwrap(), Some(state.clone()));
    assert_eq!(store.claim(&state, &own, &member("m1")).await.unwrap(), Claim::Made);
}

#[tokio::test]
async fn an_order_that_changed_since_it_was_read_is_not_claimed() {
    let Bench { store, .. } = Bench::new().await;
    let state = waiting_order(&store, "1", told(None)).await;
    // The guest is known now.
    store.record_order(&Order { customer: Some(told(Some("7"))), ..order("1") }).await.unwrap();
    let claim = store.claim(&state, &named("a@example.com"), &member("m1")).await.unwrap();
    assert_eq!(claim, Claim::Changed);
}
