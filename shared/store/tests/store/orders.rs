//! Whatever comes twice, late or in the wrong order, the order is known as it last was, and nothing is lost.

use std::collections::BTreeMap;

use domain::{Contact, CouponCode, Currency, Customer, Order, OrderKey, OrderState, Payment};
use domain::{Refund, RefundId, RefundKind, UnlinkedRefund};
use store::{Deletion, MAX_REFUNDS_PER_ORDER, Recorded, Store, StoreError};

use crate::given::{NOON, at, body_of, customer, euro, later, order, order_key, refund, refund_id, source};
use crate::support::Bench;

async fn stored(store: &Store, id: &str) -> OrderState {
    store.order(&order_key(id)).await.unwrap().expect("the order is known")
}

fn with_refunds(mut order: Order, refunds: impl IntoIterator<Item = (String, Refund)>) -> Order {
    order.refunds = refunds.into_iter().map(|(id, refund)| (refund_id(&id), refund)).collect();
    order
}

/// An order's refunds as they are stored: its own version is theirs.
fn versioned(order: &Order) -> BTreeMap<RefundId, Refund> {
    let version = order.snapshot.updated_at;
    order.refunds.iter().map(|(id, refund)| (id.clone(), refund.clone().as_of(version))).collect()
}

#[tokio::test]
async fn an_order_reads_back_as_it_was_told() {
    let Bench { store, .. } = Bench::new().await;
    let mut told = with_refunds(order("1"), [("r#1".to_owned(), refund(500))]);
    told.snapshot.payment = Payment::Partial { paid: 1_000, total: 5_000 };
    told.snapshot.cancelled = true;
    told.snapshot.test = true;
    told.snapshot.coupons.insert(CouponCode::new("ABCD-EFGH-2345").unwrap());

    assert_eq!(store.record_order(&told).await.unwrap(), Recorded::Stored);

    let refunds = versioned(&told);
    let expected = OrderState {
        key: told.key,
        revision: 1,
        placed_at: Some(told.placed_at),
        owner: told.customer,
        claimed_by: None,
        coupons_seen: told.snapshot.coupons.clone(),
        snapshot: Some(told.snapshot),
        refunds,
        currencies_seen: [euro()].into(),
        unlinked: None,
        merge: None,
        quiet: false,
        corrections: vec![],
        formerly_placed_at: Default::default(),
        part_of: None,
    };
    assert_eq!(stored(&store, "1").await, expected);
    assert_eq!(store.order(&order_key("2")).await.unwrap(), None);
}

#[tokio::test]
async fn a_coupon_that_an_order_no_longer_uses_is_remembered() {
    let Bench { store, .. } = Bench::new().await;
    let code = CouponCode::new("ABCD-EFGH-2345").unwrap();
    let mut using = order("1");
    using.snapshot.coupons.insert(code.clone());
    store.record_order(&using).await.unwrap();
    let mut edited = order("1");
    edited.snapshot.updated_at = at("2027-01-01T00:00:00Z");
    store.record_order(&edited).await.unwrap();

    let state = stored(&store, "1").await;
    assert!(state.coupons_seen.contains(&code) && !state.uses(&code));
    assert!(state.snapshot.unwrap().coupons.is_empty());
}

#[tokio::test]
async fn a_duplicate_is_known_and_changes_nothing() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("1")).await.unwrap();
    let before = stored(&store, "1").await;

    assert_eq!(store.record_order(&order("1")).await.unwrap(), Recorded::Known);
    assert_eq!(stored(&store, "1").await, before);
}

#[tokio::test]
async fn a_stale_snapshot_changes_nothing_and_a_fresh_one_replaces_all_of_it() {
    let Bench { store, .. } = Bench::new().await;
    let mut first = order("1");
    first.snapshot.cancelled = true;
    store.record_order(&first).await.unwrap();

    let stale = later(&first, "2026-03-01T11:59:59Z", 1);
    assert_eq!(store.record_order(&stale).await.unwrap(), Recorded::Known);
    assert_eq!(stored(&store, "1").await.snapshot, Some(first.snapshot.clone()));

    let mut fresh = later(&first, "2026-03-01T12:00:00.001Z", 2);
    fresh.snapshot.cancelled = false;
    assert_eq!(store.record_order(&fresh).await.unwrap(), Recorded::Stored);
    let now = stored(&store, "1").await;
    assert_eq!((now.snapshot, now.revision), (Some(fresh.snapshot), 2));
}

#[tokio::test]
async fn of_two_snapshots_of_one_time_the_later_stage_stays_whichever_comes_first() {
    let paid = order("1");
    let mut unpaid = paid.clone();
    unpaid.snapshot.payment = Payment::Unpaid;
    let mut cancelled = paid.clone();
    cancelled.snapshot.cancelled = true;
    for told in [[&unpaid, &paid, &cancelled], [&cancelled, &unpaid, &paid], [&paid, &cancelled, &unpaid]] {
        let Bench { store, .. } = Bench::new().await;
        for order in told {
            store.record_order(order).await.unwrap();
        }
        assert_eq!(stored(&store, "1").await.snapshot, Some(cancelled.snapshot.clone()));
    }
}

#[tokio::test]
async fn a_stale_snapshot_still_brings_the_refunds_that_are_missing() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&with_refunds(order("1"), [("a".to_owned(), refund(500))])).await.unwrap();

    let stale = later(&order("1"), "2026-03-01T11:00:00Z", 1);
    let stale = with_refunds(stale, [("a".to_owned(), refund(1)), ("b".to_owned(), refund(700))]);
    assert_eq!(store.record_order(&stale).await.unwrap(), Recorded::Stored);

    let now = stored(&store, "1").await;
    let (a, b) = (refund(500).as_of(at(NOON)), refund(700).as_of(at("2026-03-01T11:00:00Z")));
    let expected = BTreeMap::from([(refund_id("a"), a), (refund_id("b"), b)]);
    assert_eq!((now.refunds, now.snapshot), (expected, Some(order("1").snapshot)));
    assert_eq!(store.record_order(&stale).await.unwrap(), Recorded::Known);
}

#[tokio::test]
async fn a_refund_waits_for_its_order() {
    let Bench { store, .. } = Bench::new().await;
    let id = refund_id("a");
    let first = store.record_refund(&order_key("1"), &id, &refund(500)).await.unwrap();
    assert_eq!(first, Recorded::Stored);
    let waiting = stored(&store, "1").await;
    assert_eq!((waiting.snapshot, waiting.placed_at, waiting.owner), (None, None, None));
    assert_eq!(waiting.refunds, BTreeMap::from([(id.clone(), refund(500))]));

    assert_eq!(store.record_order(&order("1")).await.unwrap(), Recorded::Stored);

    let now = stored(&store, "1").await;
    assert_eq!((now.snapshot, now.placed_at), (Some(order("1").snapshot), Some(at(NOON))));
    assert_eq!((now.refunds.len(), now.revision), (1, 2));
}

#[tokio::test]
async fn of_two_sums_the_later_one_is_kept_and_a_refund_may_fail_whichever_comes_first() {
    let (earlier, later) = (at("2026-03-02T12:00:00Z"), at("2026-03-03T12:00:00Z"));
    let sum = |refunded_at, amount| Refund { refunded_at, kind: RefundKind::SoFar, ..refund(amount) };
    let money = Refund { kind: RefundKind::Money, ..refund(500) };
    let failed = Refund { kind: RefundKind::Failed { at: later }, ..refund(500) };
    let told = [("all", sum(earlier, 500)), ("all", sum(later, 900)), ("a", money), ("a", failed.clone())];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let Bench { store, .. } = Bench::new().await;
        for index in order.into_iter().chain([0, 1, 2, 3]) {
            let (id, refund) = &told[index];
            store.record_refund(&order_key("1"), &refund_id(id), refund).await.unwrap();
        }
        let kept = BTreeMap::from([(refund_id("all"), sum(later, 900)), (refund_id("a"), failed.clone())]);
        assert_eq!(stored(&store, "1").await.refunds, kept, "{order:?}");
    }
}

#[tokio::test]
async fn a_refund_that_is_told_again_with_another_amount_is_corrected_and_an_older_version_is_not_heard() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("1")).await.unwrap();
    let record = async |refund| store.record_refund(&order_key("1"), &refund_id("a"), &refund).await.unwrap();
    let amount = async || stored(&store, "1").await.refunds[&refund_id("a")].goods.amount;
    let (first, second) = ("2026-03-03T12:00:00Z", "2026-03-04T12:00:00Z");

    // Without a version the later arrival holds.
    assert_eq!(record(refund(500)).await, Recorded::Stored);
    assert_eq!(record(refund(500)).await, Recorded::Known);
    assert_eq!((record(refund(600)).await, amount().await), (Recorded::Stored, 600));

    // With one the later version does, whichever arrives last.
    assert_eq!((record(refund(400).as_of(at(second))).await, amount().await), (Recorded::Stored, 400));
    assert_eq!((record(refund(700).as_of(at(first))).await, amount().await), (Recorded::Known, 400));
    assert_eq!((record(refund(500)).await, amount().await), (Recorded::Known, 400));
    assert_eq!((record(refund(300).as_of(at(second))).await, amount().await), (Recorded::Stored, 300));
}

#[tokio::test]
async fn a_refund_in_an_orders_own_newer_snapshot_is_a_newer_version_of_it() {
    let Bench { store, .. } = Bench::new().await;
    let record = async |refund| store.record_refund(&order_key("1"), &refund_id("a"), &refund).await.unwrap();
    let amount = async || stored(&store, "1").await.refunds[&refund_id("a")].goods.amount;
    store.record_order(&order("1")).await.unwrap();
    record(refund(500)).await;

    let fresher = later(&order("1"), "2026-03-03T12:00:00Z", 2);
    store.record_order(&with_refunds(fresher, [("a".to_owned(), refund(0))])).await.unwrap();
    assert_eq!(amount().await, 0);
    assert_eq!((record(refund(500)).await, amount().await), (Recorded::Known, 0));

    // One that is older than what is known of the order may still be newer than what is known of the refund.
    record(refund(200).as_of(at("2026-03-05T12:00:00Z"))).await;
    let newest = later(&order("1"), "2026-03-09T12:00:00Z", 2);
    store.record_order(&newest).await.unwrap();
    let older = later(&order("1"), "2026-03-08T12:00:00Z", 2);
    store.record_order(&with_refunds(older, [("a".to_owned(), refund(100))])).await.unwrap();
    assert_eq!(amount().await, 100);
}

#[tokio::test]
async fn every_currency_that_an_order_had_is_remembered_whichever_was_told_first() {
    let dollar = Currency::new("USD").unwrap();
    let mut corrected = later(&order("1"), "2026-03-03T12:00:00Z", 2);
    corrected.snapshot.currency = dollar;
    for told in [[order("1"), corrected.clone()], [corrected.clone(), order("1")]] {
        let Bench { store, .. } = Bench::new().await;
        for order in told.iter().chain(&told) {
            store.record_order(order).await.unwrap();
        }
        let now = stored(&store, "1").await;
        assert_eq!(now.snapshot.unwrap().currency, dollar);
        assert_eq!((now.currencies_seen, now.revision), ([euro(), dollar].into(), 2));
    }
}

#[tokio::test]
async fn owner_and_date_are_pinned_as_first_seen() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("1")).await.unwrap();

    let mut other = later(&order("1"), "2026-03-05T12:00:00Z", 2);
    other.placed_at = at("2026-03-05T12:00:00Z");
    other.customer = Some(customer("8"));
    store.record_order(&other).await.unwrap();

    let now = stored(&store, "1").await;
    assert_eq!((now.owner, now.placed_at), (Some(customer("7")), Some(at(NOON))));
}

#[tokio::test]
async fn a_guest_gives_way_to_a_customer_who_can_be_told_from_others_and_nobody_is_pinned_without_a_name() {
    let Bench { store, .. } = Bench::new().await;
    let contact = Contact { email: Some("someone@example.com".to_owned()), ..Contact::default() };
    let guest = Customer { source: source(), id: None, card: None, contact };
    let nobody = Customer { contact: Contact::default(), ..guest.clone() };
    let mut told = order("1");
    for (customer, owner) in [(nobody, None), (guest.clone(), Some(guest.clone()))] {
        told.customer = Some(customer);
        store.record_order(&told).await.unwrap();
        assert_eq!(stored(&store, "1").await.owner, owner);
    }

    told.customer = Some(customer("7"));
    assert_eq!(store.record_order(&told).await.unwrap(), Recorded::Stored);
    told.customer = Some(guest.clone());
    assert_eq!(store.record_order(&told).await.unwrap(), Recorded::Known);
    let now = stored(&store, "1").await;
    assert_eq!((now.owner, now.revision), (Some(customer("7")), 3));

    // Also where a fresher telling brings the customer.
    told = Order { customer: Some(guest), ..order("2") };
    store.record_order(&told).await.unwrap();
    told.customer = Some(customer("7"));
    told.snapshot.updated_at = at("2026-03-01T12:00:01Z");
    store.record_order(&told).await.unwrap();
    assert_eq!(stored(&store, "2").await.owner, Some(customer("7")));
}

#[tokio::test]
async fn a_refund_without_an_order_is_stored_once_and_an_owner_who_appears_later_is_added() {
    let Bench { store, .. } = Bench::new().await;
    let key = OrderKey::of_unlinked_refund(&source(), &refund_id("a")).unwrap();
    let mut told = UnlinkedRefund { key: key.clone(), customer: None, refund: refund(500) };

    assert_eq!(store.record_unlinked_refund(&told).await.unwrap(), Recorded::Stored);
    assert_eq!(store.record_unlinked_refund(&told).await.unwrap(), Recorded::Known);
    told.customer = Some(customer("7"));
    assert_eq!(store.record_unlinked_refund(&told).await.unwrap(), Recorded::Stored);
    assert_eq!(store.record_unlinked_refund(&told).await.unwrap(), Recorded::Known);

    let now = store.order(&key).await.unwrap().unwrap();
    assert_eq!((now.unlinked, now.owner, now.revision), (Some(refund(500)), Some(customer("7")), 2));
}

#[tokio::test]
async fn a_refund_without_an_order_is_corrected_and_stays_dated_as_it_was_first_told() {
    let Bench { store, .. } = Bench::new().await;
    let key = OrderKey::of_unlinked_refund(&source(), &refund_id("a")).unwrap();
    let told = |refund| UnlinkedRefund { key: key.clone(), customer: Some(customer("7")), refund };
    let moved = Refund { refunded_at: at("2026-03-09T12:00:00Z"), ..refund(300) };
    store.record_unlinked_refund(&told(refund(500))).await.unwrap();
    assert_eq!(store.record_unlinked_refund(&told(moved)).await.unwrap(), Recorded::Stored);
    assert_eq!(
        store.order(&key).await.unwrap().unwrap().unlinked,
        Some(refund(300).as_of(at("2026-03-09T12:00:00Z")))
    );
}

#[tokio::test]
async fn a_deleted_order_is_cancelled_with_all_that_is_known_of_it() {
    let Bench { store, .. } = Bench::new().await;
    let told = with_refunds(order("1"), [("a".to_owned(), refund(500))]);
    store.record_order(&told).await.unwrap();

    let deletion = async |body: &str, moment: &str| {
        store.record_deletion(&told.key, at(moment), &body_of(body)).await.unwrap()
    };
    assert_eq!(deletion("a", "2026-03-02T12:00:00Z").await, Deletion::Recorded(Recorded::Stored));
    for body in ["a", "b"] {
        assert_eq!(deletion(body, "2026-03-03T12:00:00Z").await, Deletion::Recorded(Recorded::Known));
    }

    let now = stored(&store, "1").await;
    let refunds = versioned(&told);
    let cancelled = domain::Snapshot { cancelled: true, ..told.snapshot };
    assert_eq!((now.snapshot, now.refunds, now.owner), (Some(cancelled), refunds, told.customer));
}

#[tokio::test]
async fn only_what_is_later_than_its_deletion_or_restores_it_brings_an_order_back() {
    let told = order("1");
    let deleted_at = at("2026-03-02T12:00:00Z");
    let before = later(&told, "2026-03-02T11:00:00Z", 4_000);
    let after = later(&told, "2026-03-02T12:00:01Z", 3_000);
    let goods = async |store: &Store| {
        let snapshot = stored(store, "1").await.snapshot.filter(|snapshot| !snapshot.cancelled);
        snapshot.map(|snapshot| snapshot.goods.amount)
    };

    let Bench { store, .. } = Bench::new().await;
    store.record_deletion(&told.key, deleted_at, &body_of("a")).await.unwrap();
    store.record_order(&told).await.unwrap();
    assert_eq!(goods(&store).await, None, "it was deleted before we heard of it");
    assert_eq!(stored(&store, "1").await.owner, told.customer);
    store.record_restored_order(&told).await.unwrap();
    assert_eq!(goods(&store).await, Some(5_000));

    store.record_deletion(&told.key, deleted_at, &body_of("b")).await.unwrap();
    store.record_order(&before).await.unwrap();
    store.record_restored_order(&told).await.unwrap();
    assert_eq!(goods(&store).await, None, "an old restoration, told again, restores nothing");
    assert_eq!(store.record_restored_order(&before).await.unwrap(), Recorded::Stored);
    assert_eq!(goods(&store).await, Some(4_000));

    store.record_deletion(&told.key, deleted_at, &body_of("c")).await.unwrap();
    store.record_order(&after).await.unwrap();
    assert_eq!(goods(&store).await, Some(3_000), "what is later stands");
}

#[tokio::test]
async fn the_body_that_deleted_an_order_deletes_it_no_more_once_it_was_restored() {
    let Bench { store, .. } = Bench::new().await;
    let told = order("1");
    let deleted = async |moment: &str| {
        store.record_deletion(&told.key, at(moment), &body_of("signed for ever")).await.unwrap()
    };
    assert_eq!(deleted("2026-03-02T12:00:00Z").await, Deletion::Recorded(Recorded::Stored));
    store.record_restored_order(&told).await.unwrap();
    let restored = stored(&store, "1").await;

    assert_eq!(deleted("2027-03-02T12:00:00Z").await, Deletion::RestoredSince);
    assert_eq!(stored(&store, "1").await, restored);
}

#[tokio::test]
async fn an_order_whose_clock_is_ahead_of_ours_is_deleted_too() {
    let Bench { store, .. } = Bench::new().await;
    store.record_order(&order("1")).await.unwrap();
    store.record_deletion(&order_key("1"), at("2026-02-01T00:00:00Z"), &body_of("a")).await.unwrap();
    assert!(stored(&store, "1").await.snapshot.unwrap().cancelled);
    assert_eq!(store.record_order(&order("1")).await.unwrap(), Recorded::Known);
}

#[tokio::test]
async fn an_order_takes_as_many_refunds_as_the_limit_says_and_no_more() {
    let Bench { store, .. } = Bench::new().await;
    let refunds = |count: usize| (0..count).map(|id| (format!("refund-{id:03}"), refund(1)));
    let full = with_refunds(order("1"), refunds(MAX_REFUNDS_PER_ORDER));

    assert_eq!(store.record_order(&full).await.unwrap(), Recorded::Stored);
    assert_eq!(stored(&store, "1").await.refunds, versioned(&full));
    assert_eq!(store.record_order(&full).await.unwrap(), Recorded::Known);

    let one_more = store.record_refund(&full.key, &refund_id("one-more"), &refund(1)).await;
    assert!(matches!(one_more, Err(StoreError::Permanent(_))), "{one_more:?}");
    let too_many = with_refunds(order("2"), refunds(MAX_REFUNDS_PER_ORDER + 1));
    assert!(matches!(store.record_order(&too_many).await, Err(StoreError::Permanent(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_that_come_at_once_are_all_stored() {
    let Bench { store, .. } = Bench::new().await;
    let tasks = (0..8).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let id = refund_id(&number.to_string());
            store.record_refund(&order_key("1"), &id, &refund(number)).await.unwrap()
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap(), Recorded::Stored);
    }
    let now = stored(&store, "1").await;
    assert_eq!((now.refunds.len(), now.revision), (8, 8));
}

#[tokio::test]
async fn an_order_is_quiet_as_long_as_only_an_import_told_of_it() {
    let Bench { store, .. } = Bench::new().await;
    let quiet = async || stored(&store, "1").await.quiet;

    assert_eq!(store.import_order(&order("1")).await.unwrap(), Recorded::Stored);
    assert!(quiet().await);
    assert_eq!(store.import_order(&order("1")).await.unwrap(), Recorded::Known);
    store.record_refund(&order_key("1"), &refund_id("a"), &refund(1)).await.unwrap();
    assert!(!quiet().await);

    store.import_refund(&order_key("1"), &refund_id("b"), &refund(1)).await.unwrap();
    assert!(quiet().await);
    store.record_order(&later(&order("1"), "2026-03-02T12:00:00Z", 2)).await.unwrap();
    assert!(!quiet().await);
    assert_eq!(store.import_order(&order("1")).await.unwrap(), Recorded::Known);
    assert!(!quiet().await);
}
