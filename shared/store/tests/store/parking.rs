//! What is put aside stays so until something new comes in or an operator says otherwise.

use store::{Dropped, Recorded, Standing, Store};

use crate::given::{NOON, at, body_of, later, order, order_key, refund, refund_id};
use crate::support::Bench;

const LATER: &str = "2026-03-03T12:00:00Z";

async fn standing(store: &Store, id: &str) -> Standing {
    store.order_with_standing(&order_key(id)).await.unwrap().expect("the order is known").1
}

#[tokio::test]
async fn a_parked_order_stays_so_until_something_new_comes_in() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("1")).await.unwrap();
    store.park(&order_key("1"), 1, "the order is in USD", at(NOON)).await.unwrap();

    let parked = store.parked().await.unwrap();
    assert_eq!((parked.len(), parked[0].reason.as_str()), (1, "the order is in USD"));
    assert_eq!(store.order(&order_key("1")).await.unwrap().unwrap().revision, 1);
    store.record_order(&order("1")).await.unwrap();
    assert_eq!(store.parked().await.unwrap().len(), 1);

    store.record_order(&later(&order("1"), "2026-03-02T12:00:00Z", 2)).await.unwrap();
    assert_eq!(store.parked().await.unwrap(), Vec::new());

    store.park(&order_key("1"), 2, "again", at(NOON)).await.unwrap();
    store.record_refund(&order_key("1"), &refund_id("a"), &refund(1)).await.unwrap();
    assert_eq!(store.parked().await.unwrap(), Vec::new());

    store.park(&order_key("1"), 3, "once more", at(NOON)).await.unwrap();
    store.unpark(&order_key("1")).await.unwrap();
    assert_eq!(store.parked().await.unwrap(), Vec::new());
}

#[tokio::test]
async fn the_accrual_is_woken_by_every_word_of_an_order_but_not_by_what_is_put_aside() {
    let bench = Bench::new().await;
    let store = &bench.store;
    store.record_refund(&order_key("1"), &refund_id("a"), &refund(1)).await.unwrap();
    assert!(bench.wakes_the_accrual("1").await);

    store.record_order(&order("1")).await.unwrap();
    assert!(bench.wakes_the_accrual("1").await);
    store.park(&order_key("1"), 2, "the order is in USD", at(NOON)).await.unwrap();
    assert!(!bench.wakes_the_accrual("1").await);

    store.unpark(&order_key("1")).await.unwrap();
    assert!(bench.wakes_the_accrual("1").await);
    store.park(&order_key("1"), 2, "again", at(NOON)).await.unwrap();
    store.record_deletion(&order_key("1"), at(NOON), &body_of("a")).await.unwrap();
    assert!(bench.wakes_the_accrual("1").await);
}

#[tokio::test]
async fn only_the_revision_that_failed_is_parked() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("2")).await.unwrap();
    store.record_order(&later(&order("2"), "2026-03-02T12:00:00Z", 2)).await.unwrap();
    store.park(&order_key("2"), 1, "the first one was in USD", at(NOON)).await.unwrap();
    assert_eq!(store.parked().await.unwrap(), Vec::new());

    store.park(&order_key("1"), 1, "nobody told of it", at(NOON)).await.unwrap();
    store.unpark(&order_key("1")).await.unwrap();
    assert_eq!(store.order(&order_key("1")).await.unwrap(), None);
}

#[tokio::test]
async fn a_dropped_order_wakes_nobody_and_keeps_both_reasons() {
    let bench = Bench::new().await;
    let store = &bench.store;
    store.record_order(&order("1")).await.unwrap();
    store.park(&order_key("1"), 1, "the order is in USD", at(NOON)).await.unwrap();

    assert!(store.drop_parked(&order_key("1"), "a trial", at(LATER)).await.unwrap());

    assert_eq!(store.parked().await.unwrap(), Vec::new());
    assert!(!bench.wakes_the_accrual("1").await);
    let Standing::Dropped(Dropped { reason, at: since, parked }) = standing(store, "1").await else {
        panic!("it is not dropped");
    };
    assert_eq!((reason.as_str(), since), ("a trial", at(LATER)));
    assert_eq!((parked.reason.as_str(), parked.at), ("the order is in USD", at(NOON)));

    // A record of it that the stream brings once more finds it dropped.
    store.park(&order_key("1"), 1, "the order is in USD", at(LATER)).await.unwrap();
    assert_eq!(store.parked().await.unwrap(), Vec::new());
}

#[tokio::test]
async fn news_or_an_operator_takes_a_dropped_order_up_again() {
    let bench = Bench::new().await;
    let store = &bench.store;
    store.record_order(&order("1")).await.unwrap();
    for revision in 1..=3 {
        store.park(&order_key("1"), revision, "the order is in USD", at(NOON)).await.unwrap();
        assert!(store.drop_parked(&order_key("1"), "a trial", at(NOON)).await.unwrap());
        match revision {
            1 => {
                let told = store.record_order(&later(&order("1"), LATER, 2)).await;
                assert_eq!(told.unwrap(), Recorded::Stored);
            }
            2 => {
                let told = store.record_refund(&order_key("1"), &refund_id("a"), &refund(1)).await;
                assert_eq!(told.unwrap(), Recorded::Stored);
            }
            _ => assert!(store.unpark(&order_key("1")).await.unwrap()),
        }
        assert_eq!(standing(store, "1").await, Standing::Active);
        assert!(bench.wakes_the_accrual("1").await);
    }
}

#[tokio::test]
async fn only_what_is_parked_can_be_dropped() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("1")).await.unwrap();
    for id in ["1", "2"] {
        assert!(!store.drop_parked(&order_key(id), "a trial", at(NOON)).await.unwrap());
        assert!(!store.unpark(&order_key(id)).await.unwrap());
    }
    assert_eq!(standing(&store, "1").await, Standing::Active);
    assert_eq!(store.order_with_standing(&order_key("2")).await.unwrap(), None);
}
