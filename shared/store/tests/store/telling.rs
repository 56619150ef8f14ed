//! Two tellings of one order as of one time, of which the platform's clock does not say which is the later.

use domain::{Order, Payment};
use store::{Arrival, Recorded, Store};

use crate::given::{at, body_of, later, order};
use crate::support::Bench;

const NOON: &str = "2026-03-01T12:00:00Z";

/// The order as of noon, whatever else is told of it, with goods of so much.
fn at_noon(goods: i64) -> Order {
    later(&order("1"), NOON, goods)
}

async fn goods(store: &Store) -> i64 {
    store.order(&order("1").key).await.unwrap().unwrap().snapshot.unwrap().goods.amount
}

#[tokio::test]
async fn of_two_tellings_of_one_time_the_later_arrival_holds_for_whatever_content() {
    for (first, second) in [(100, 180), (180, 100), (1, 2), (2, 1), (77, 78), (78, 77)] {
        let Bench { store, .. } = Bench::new().await;
        store.record_order(&at_noon(first)).await.unwrap();
        assert_eq!(store.record_order(&at_noon(second)).await.unwrap(), Recorded::Stored);
        assert_eq!(goods(&store).await, second);
    }
}

#[tokio::test]
async fn what_was_told_of_that_time_before_is_known_and_causes_no_write() {
    let Bench { store, .. } = Bench::new().await;
    for told in [100, 180, 150] {
        store.record_order(&at_noon(told)).await.unwrap();
    }
    let revision = store.order(&order("1").key).await.unwrap().unwrap().revision;
    for told in [100, 180, 150, 180] {
        assert_eq!(store.record_order(&at_noon(told)).await.unwrap(), Recorded::Known);
    }
    let now = store.order(&order("1").key).await.unwrap().unwrap();
    assert_eq!((now.revision, now.snapshot.unwrap().goods.amount), (revision, 150));
}

#[tokio::test]
async fn an_earlier_stage_of_the_same_time_was_overtaken_on_its_way() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&at_noon(100)).await.unwrap();
    let mut unpaid = at_noon(180);
    unpaid.snapshot.payment = Payment::Unpaid;
    assert_eq!(store.record_order(&unpaid).await.unwrap(), Recorded::Known);
    assert_eq!(goods(&store).await, 100);
}

#[tokio::test]
async fn what_is_read_at_the_platform_holds_against_whatever_was_sent_of_that_time() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&at_noon(100)).await.unwrap();
    store.record_order(&at_noon(180)).await.unwrap();
    let mut unpaid = at_noon(100);
    unpaid.snapshot.payment = Payment::Unpaid;
    let read = Arrival::Read(at("2026-03-01T12:10:00Z"));
    for (told, paid) in [(at_noon(100), true), (unpaid.clone(), false)] {
        assert_eq!(store.record_arrived_order(&told, read).await.unwrap(), Recorded::Stored);
        assert_eq!(store.record_arrived_order(&told, read).await.unwrap(), Recorded::Known, "read again");
        let snapshot = store.order(&told.key).await.unwrap().unwrap().snapshot.unwrap();
        assert_eq!((snapshot.goods.amount, snapshot.payment == Payment::Paid), (100, paid));
    }
    assert_eq!(store.record_order(&at_noon(140)).await.unwrap(), Recorded::Known, "sent before, and late");
    let next = later(&order("1"), "2026-03-01T12:00:01Z", 150);
    assert_eq!(store.record_order(&next).await.unwrap(), Recorded::Stored);
}

#[tokio::test]
async fn of_two_readings_the_one_that_was_asked_for_later_holds() {
    let (first, second) = (at("2026-03-01T12:00:00.100Z"), at("2026-03-01T12:00:00.200Z"));
    for told in [[(100, first), (180, second)], [(180, second), (100, first)]] {
        let Bench { store, .. } = Bench::new().await;
        for (amount, asked_at) in told {
            store.record_arrived_order(&at_noon(amount), Arrival::Read(asked_at)).await.unwrap();
        }
        assert_eq!(goods(&store).await, 180);
    }
}

#[tokio::test]
async fn a_reading_does_not_hold_against_what_was_sent_since() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&later(&order("1"), "2026-03-01T12:00:05Z", 180)).await.unwrap();
    let read = Arrival::Read(at("2026-03-01T12:00:02Z"));
    assert_eq!(store.record_arrived_order(&at_noon(100), read).await.unwrap(), Recorded::Known);
    assert_eq!(goods(&store).await, 180);
}

#[tokio::test]
async fn a_reading_thaws_an_order_that_was_changed_in_another_age() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&later(&order("1"), "2999-01-01T00:00:00Z", 100)).await.unwrap();
    let read = Arrival::Read(at("2026-03-02T12:00:00Z"));
    assert_eq!(store.record_arrived_order(&at_noon(180), read).await.unwrap(), Recorded::Stored);
    assert_eq!(goods(&store).await, 180);
}

#[tokio::test]
async fn a_deleted_order_that_the_platform_still_lists_is_there() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&at_noon(100)).await.unwrap();
    store.record_deletion(&order("1").key, at("2026-03-01T13:00:00Z"), &body_of("deleted")).await.unwrap();
    let cancelled = async || store.order(&order("1").key).await.unwrap().unwrap().snapshot.unwrap().cancelled;
    let (before, after) = (at("2026-03-01T12:59:00Z"), at("2026-03-01T13:01:00Z"));
    store.record_arrived_order(&at_noon(100), Arrival::Read(before)).await.unwrap();
    assert!(cancelled().await, "it was read before it was deleted");
    store.record_arrived_order(&at_noon(100), Arrival::Read(after)).await.unwrap();
    assert!(!cancelled().await);
}

#[tokio::test]
async fn an_order_dated_as_it_came_is_changed_by_what_comes_later_and_not_by_what_comes_again() {
    let Bench { store, .. } = Bench::new().await;
    let came = |when: &str, goods: i64| later(&order("1"), when, goods);
    let told = [
        (came(NOON, 100), Recorded::Stored),
        (came("2026-03-01T12:05:00Z", 180), Recorded::Stored),
        (came("2026-03-01T12:09:00Z", 100), Recorded::Known),
    ];
    for (order, expected) in told {
        assert_eq!(store.record_arrived_order(&order, Arrival::SentAhead).await.unwrap(), expected);
    }
    assert_eq!(goods(&store).await, 180);
    store.record_order(&came("2026-03-01T12:06:00Z", 150)).await.unwrap();
    assert_eq!(goods(&store).await, 150, "the clock was mended");
}

#[tokio::test]
async fn an_import_corrects_an_import_and_never_what_a_platform_sent() {
    let Bench { store, .. } = Bench::new().await;
    store.import_order(&at_noon(100)).await.unwrap();
    assert_eq!(store.import_order(&at_noon(180)).await.unwrap(), Recorded::Stored);
    assert_eq!(goods(&store).await, 180);
    store.record_order(&at_noon(150)).await.unwrap();
    assert_eq!(store.import_order(&at_noon(120)).await.unwrap(), Recorded::Known);
    assert_eq!(goods(&store).await, 150);
}
