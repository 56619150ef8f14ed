//! An operator's word of an order: it holds against whatever is told, and stays on record.

use std::collections::BTreeSet;

use domain::{Correction, Facts, Goods, Payment, Says};
use store::{MAX_CORRECTIONS, Recorded, Standing, StoreError};

use crate::given::{NOON, at, later, order, order_key};
use crate::support::Bench;

const LATER: &str = "2026-03-05T12:00:00Z";

fn said(facts: Facts) -> Correction {
    let (by, reason) = ("an-operator".to_owned(), "the date was mistyped".to_owned());
    Correction { by, reason, at: at(LATER), says: Says::Facts(facts) }
}

#[tokio::test]
async fn a_correction_holds_against_whatever_is_told_until_the_order_is_as_told_again() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("1")).await.unwrap();
    let facts = Facts {
        placed_at: Some(at("2026-02-01T12:00:00Z")),
        goods: Some(Goods::untaxed(700)),
        paid: Some(false),
        ..Facts::default()
    };
    let corrected = store.correct(&order_key("1"), &said(facts)).await.unwrap().unwrap();
    assert_eq!(corrected.placed_at, Some(at("2026-02-01T12:00:00Z")));
    assert_eq!(corrected.formerly_placed_at, BTreeSet::from([at(NOON)]));
    store.record_order(&later(&order("1"), "2026-03-06T12:00:00Z", 9_000)).await.unwrap();
    let now = store.order(&order_key("1")).await.unwrap().unwrap();
    let snapshot = now.snapshot.unwrap();
    assert_eq!((snapshot.goods, snapshot.payment), (Goods::untaxed(700), Payment::Unpaid));

    let as_told = Correction { says: Says::AsTold, ..said(Facts::default()) };
    let now = store.correct(&order_key("1"), &as_told).await.unwrap().unwrap();
    let snapshot = now.snapshot.unwrap();
    assert_eq!((snapshot.goods, snapshot.payment), (Goods::untaxed(9_000), Payment::Paid));
    assert_eq!(now.placed_at, Some(at(NOON)));
    assert_eq!(now.formerly_placed_at, BTreeSet::from([at("2026-02-01T12:00:00Z")]));
    assert_eq!((now.corrections.len(), now.corrections[0].by.as_str()), (2, "an-operator"));
}

#[tokio::test]
async fn a_correction_takes_up_what_was_parked_and_of_an_unknown_order_there_is_none() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("1")).await.unwrap();
    store.park(&order_key("1"), 1, "the order is in USD", at(NOON)).await.unwrap();
    let under = said(Facts { under: Some(2), ..Facts::default() });
    let now = store.correct(&order_key("1"), &under).await.unwrap().unwrap();
    assert_eq!((now.under(), now.revision), (Some(2), 2));
    let standing = store.order_with_standing(&order_key("1")).await.unwrap().unwrap().1;
    assert_eq!(standing, Standing::Active);
    assert_eq!(store.correct(&order_key("2"), &under).await.unwrap(), None);
}

#[tokio::test]
async fn an_order_that_was_changed_in_another_age_is_told_anew_once_it_is_corrected() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&later(&order("1"), "2999-01-01T00:00:00Z", 100)).await.unwrap();
    let next = later(&order("1"), "2026-03-06T12:00:00Z", 180);
    assert_eq!(store.record_order(&next).await.unwrap(), Recorded::Known);
    store.correct(&order_key("1"), &said(Facts { paid: Some(true), ..Facts::default() })).await.unwrap();
    assert_eq!(store.record_order(&next).await.unwrap(), Recorded::Stored);
    let now = store.order(&order_key("1")).await.unwrap().unwrap();
    assert_eq!(now.snapshot.unwrap().goods.amount, 180);
}

#[tokio::test]
async fn an_order_has_as_many_corrections_as_the_limit_says() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("1")).await.unwrap();
    let correction = said(Facts { paid: Some(true), ..Facts::default() });
    for _ in 0..MAX_CORRECTIONS {
        store.correct(&order_key("1"), &correction).await.unwrap();
    }
    assert!(matches!(store.correct(&order_key("1"), &correction).await, Err(StoreError::Permanent(_))));
}
