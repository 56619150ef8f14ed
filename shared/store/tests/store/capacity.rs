//! What an ordinary order costs, by the capacity that DynamoDB says was consumed.

use domain::{CardFingerprint, Contact, Customer, Decision, Phone};
use store::{Commit, Consistency, DUE_SHARDS, DirectoryKey};

use crate::given::{NOON, at, commit, customer, decision, enrolment, entry, member, order};
use crate::support::Bench;

#[tokio::test]
async fn an_ordinary_order_takes_one_and_four_write_units_and_one_read_unit_and_no_index_write() {
    let bench = Bench::new().await;
    let first = decision("a-member-of-ordinary-length", 1, Vec::new());
    bench
        .store
        .commit(Commit { decision: &first, enrolment: Some(&enrolment("7")), by_way_of: None })
        .await
        .unwrap();
    let mut told = order("5555555555555");
    let contact = Contact {
        email: Some("someone.with.a.long.name@example.com".to_owned()),
        email_verified: true,
        phone: Some(Phone::new("+33612345678").unwrap()),
        name: Some("A Name of Ordinary Length".to_owned()),
        locale: Some("fr-FR".to_owned()),
        ..Contact::default()
    };
    let card = CardFingerprint::new("ZoVSX2dK5igWt2SB").ok();
    told.customer = Some(Customer { contact, card, ..customer("7") });

    let (_, recording) = bench.usage_of(bench.store.record_order(&told)).await;
    assert_eq!((recording.requests, recording.write_units, recording.read_units), (1, 1.0, 0.0));

    let key = DirectoryKey::of_customer(&customer("7")).unwrap();
    let (found, finding) = bench.usage_of(bench.store.find_member(&key, Consistency::Eventual)).await;
    let found = found.unwrap().unwrap();
    let (_, loading) = bench.usage_of(bench.store.profile(&found, Consistency::Eventual)).await;
    assert_eq!(finding.read_units + loading.read_units, 1.0);

    let accrual = decision(found.as_str(), 2, vec![entry("5555555555555", NOON, 0)]);
    let (committed, accruing) = bench.usage_of(commit(&bench.store, &accrual)).await;
    committed.unwrap();
    assert_eq!((accruing.requests, accruing.write_units, accruing.index_write_units), (1, 4.0, 0.0));
}

#[tokio::test]
async fn a_due_date_that_moves_is_seen_as_a_write_of_the_index() {
    let bench = Bench::new().await;
    commit(&bench.store, &decision("m1", 1, Vec::new())).await.unwrap();
    let mut moved = decision("m1", 2, Vec::new());
    moved.profile.bookkeeping.due_at = Some(at("2026-05-01T00:00:00Z"));

    let (_, usage) = bench.usage_of(commit(&bench.store, &moved)).await;

    assert!(usage.index_write_units >= 1.0, "{usage:?}");
}

#[tokio::test]
async fn a_profile_without_a_due_date_stands_in_no_index() {
    let bench = Bench::new().await;
    let mut never = decision("m1", 1, vec![entry("1", NOON, 0)]);
    never.profile.bookkeeping.due_at = None;

    let (_, usage) = bench.usage_of(commit(&bench.store, &never)).await;

    assert_eq!((usage.write_units, usage.index_write_units), (4.0, 0.0));
}

#[tokio::test]
async fn looking_for_who_is_due_is_one_query_per_shard_whatever_the_number_of_members() {
    let bench = Bench::new().await;
    for number in 0..50 {
        commit(&bench.store, &decision(&format!("m{number}"), 1, Vec::new())).await.unwrap();
    }
    let look = async {
        for shard in 0..DUE_SHARDS {
            assert_eq!(bench.store.due_members(shard, at(NOON), None, 100).await.unwrap(), vec![]);
        }
    };
    let ((), usage) = bench.usage_of(look).await;
    assert_eq!(usage.requests, u64::from(DUE_SHARDS));
    assert!(usage.read_units <= f64::from(DUE_SHARDS));
}

#[tokio::test]
async fn a_duplicate_webhook_is_answered_with_one_refused_write_and_no_read() {
    let bench = Bench::new().await;
    bench.store.record_order(&order("1")).await.unwrap();
    let (_, usage) = bench.usage_of(bench.store.record_order(&order("1"))).await;
    assert_eq!((usage.read_units, usage.write_units), (0.0, 0.0));
}

#[tokio::test]
async fn a_decision_without_change_costs_nothing() {
    let bench = Bench::new().await;
    let nothing = Decision { changed: false, ..decision("m1", 1, Vec::new()) };
    let (_, usage) = bench.usage_of(commit(&bench.store, &nothing)).await;
    assert_eq!(usage, store::Usage::default());
    assert_eq!(bench.store.profile(&member("m1"), Consistency::Strong).await.unwrap(), None);
}
