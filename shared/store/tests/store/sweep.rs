//! The sweep sees every order that does not lie aside, once, however often it is cut; and only its own entries.

use std::collections::BTreeSet;

use domain::Cause;
use store::{Consistency, Store, SweepPosition};

use crate::given::{NOON, at, commit, decision, entry, member, order, order_key};
use crate::support::Bench;

const PAGE: u16 = 3;

/// The orders that are seen from a position on, and how many were read for it.
async fn seen_after(store: &Store, mut position: Option<SweepPosition>) -> (Vec<String>, u64) {
    let (mut seen, mut scanned) = (Vec::new(), 0);
    loop {
        let page = store.sweep_page(position.as_ref(), PAGE).await.unwrap();
        assert!(page.scanned <= u64::from(PAGE));
        scanned += page.scanned;
        seen.extend(page.orders.into_iter().map(|order| order.unwrap().key.to_string()));
        position = page.next;
        if position.is_none() {
            return (seen, scanned);
        }
    }
}

#[tokio::test]
async fn every_order_is_seen_once_except_what_lies_aside_and_the_position_itself() {
    let Bench { store, .. } = Bench::new().await;
    for number in 0..10 {
        store.record_order(&order(&number.to_string())).await.unwrap();
    }
    store.park(&order_key("4"), 1, "the order is in USD", at(NOON)).await.unwrap();
    store.keep_sweep_position(Some(&SweepPosition::after(&order_key("0")))).await.unwrap();
    let (seen, scanned) = seen_after(&store, None).await;
    assert_eq!((seen.len(), scanned), (9, 11));
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 9);
    assert!(store.order_to_accrue(&order_key("4")).await.unwrap().is_none());
    assert!(store.order_to_accrue(&order_key("5")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_sweep_goes_on_after_any_order_and_begins_anew_after_its_end() {
    let Bench { store, .. } = Bench::new().await;
    for number in 0..10 {
        store.record_order(&order(&number.to_string())).await.unwrap();
    }
    let (all, _) = seen_after(&store, None).await;
    assert_eq!(store.sweep_position().await.unwrap(), None);
    let fourth = SweepPosition::after(&domain::OrderKey::new(all[3].as_str()).unwrap());
    store.keep_sweep_position(Some(&fourth)).await.unwrap();
    let position = store.sweep_position().await.unwrap();
    assert_eq!(position, Some(fourth));
    let rest: BTreeSet<_> = seen_after(&store, position).await.0.into_iter().collect();
    assert!(all[4..].iter().all(|order| rest.contains(order)));
    assert_eq!(rest.len(), 6);
    store.keep_sweep_position(None).await.unwrap();
    assert_eq!(store.sweep_position().await.unwrap(), None);
}

#[tokio::test]
async fn the_entries_of_an_order_are_read_without_those_of_its_neighbours() {
    let Bench { store, .. } = Bench::new().await;
    let entries = vec![entry("1", NOON, 0), entry("1", NOON, 1), entry("11", NOON, 0)];
    commit(&store, &decision("m1", 1, entries)).await.unwrap();
    let cause = Cause::Order(order_key("1"));
    let of = async |moment| store.entries_of(&member("m1"), at(moment), &cause, Consistency::Eventual).await;
    let found = of(NOON).await.unwrap();
    assert_eq!(found.iter().map(|entry| entry.id.n).collect::<Vec<_>>(), [0, 1]);
    assert!(of("2026-03-01T12:00:01Z").await.unwrap().is_empty());
}
