//! One name has one holder; and of two customers who became one before either was known, the one leads to the other, for
//! whoever looks, writes or erases.

use domain::{CustomerId, MemberId, Order};
use store::person::{Erasure, Sought};
use store::{Consistency, DirectoryKey, Store};

use crate::given::{customer, member, order, order_key, source};
use crate::person::{erased, exported, name};
use crate::support::Bench;

fn key(id: &str) -> DirectoryKey {
    DirectoryKey::Customer(source(), CustomerId::new(id).unwrap())
}

async fn found(store: &Store, id: &str) -> (DirectoryKey, Option<MemberId>) {
    let found = store.look_up(&key(id), Consistency::Strong).await.unwrap();
    (found.key, found.member)
}

#[tokio::test]
async fn whoever_names_a_member_is_answered_who_holds_the_name() {
    let Bench { store, .. } = Bench::new().await;
    assert_eq!(store.add_name(&key("7"), &member("m1")).await.unwrap(), member("m1"));
    assert_eq!(store.add_name(&key("7"), &member("m2")).await.unwrap(), member("m1"));
    assert_eq!(found(&store, "7").await, (key("7"), Some(member("m1"))));
}

#[tokio::test]
async fn of_many_who_take_one_name_at_one_moment_one_holds_it_and_all_are_told_the_same() {
    let Bench { store, .. } = Bench::new().await;
    let takers = (0..16).map(|number| {
        let (store, member) = (store.clone(), member(&format!("m{number}")));
        tokio::spawn(async move { store.add_name(&key("7"), &member).await })
    });
    let mut holders = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        holders.push(taker.await.unwrap().unwrap());
    }
    holders.dedup();
    assert_eq!(holders.len(), 1);
    assert_eq!(found(&store, "7").await.1.as_ref(), holders.first());
}

#[tokio::test]
async fn an_alias_leads_to_the_other_customer_and_to_whoever_that_becomes() {
    let Bench { store, .. } = Bench::new().await;
    assert!(store.add_alias(&key("8"), &key("7")).await.unwrap());
    assert!(store.add_alias(&key("7"), &key("6")).await.unwrap(), "and that one became part of a third");
    assert_eq!(found(&store, "8").await, (key("6"), None));
    // Whoever names a member by one of them names them by the last one.
    assert_eq!(store.add_name(&key("8"), &member("m1")).await.unwrap(), member("m1"));
    for id in ["6", "7", "8"] {
        assert_eq!(found(&store, id).await, (key("6"), Some(member("m1"))));
    }
}

#[tokio::test]
async fn there_is_an_alias_only_of_two_whom_nobody_knows_so_never_a_circle() {
    let Bench { store, .. } = Bench::new().await;
    store.add_name(&key("7"), &member("m1")).await.unwrap();
    assert!(!store.add_alias(&key("8"), &key("7")).await.unwrap());
    assert!(!store.add_alias(&key("7"), &key("8")).await.unwrap());
    assert!(store.add_alias(&key("1"), &key("2")).await.unwrap());
    assert!(!store.add_alias(&key("2"), &key("1")).await.unwrap());
    assert!(!store.add_alias(&key("1"), &key("3")).await.unwrap(), "an alias stays");
}

/// An order of each of two customers who became one before either was known; and one of somebody else.
async fn given_two_who_became_one(store: &Store, is_member: bool) {
    assert!(store.add_alias(&key("8"), &key("7")).await.unwrap());
    if is_member {
        store.add_name(&key("7"), &member("m1")).await.unwrap();
    }
    for (id, owner) in [("1", "7"), ("2", "8"), ("3", "9")] {
        store.record_order(&Order { customer: Some(customer(owner)), ..order(id) }).await.unwrap();
    }
}

#[tokio::test]
async fn an_erasure_of_either_of_two_who_became_one_finds_what_both_ordered() {
    for (sought, is_member) in [("7", false), ("8", false), ("7", true), ("8", true)] {
        let Bench { store, .. } = Bench::new().await;
        given_two_who_became_one(&store, is_member).await;
        let sought = Sought::named(DirectoryKey::Customer(source(), CustomerId::new(sought).unwrap()));
        let document = exported(&store, &sought).await;
        let orders: Vec<_> = document.orders.keys().map(String::as_str).collect();
        assert_eq!(orders, ["shop#1", "shop#2"], "{sought:?}");

        store.ask_erasure(&Erasure::of(name("erasure"), &sought)).await.unwrap();
        erased(&store, &name("erasure")).await;

        for (id, is_erased) in [("1", true), ("2", true), ("3", false)] {
            let owner = store.order(&order_key(id)).await.unwrap().unwrap().owner.unwrap();
            assert_eq!(owner.id.unwrap().as_str().starts_with("erased/"), is_erased, "{sought:?} {id}");
        }
        assert_eq!(found(&store, "8").await, (key("8"), None), "the alias is gone with the person");
    }
}
