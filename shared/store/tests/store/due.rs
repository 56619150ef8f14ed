//! Who is due is found without looking at anybody else.

use std::time::Duration;

use domain::{Decision, Timestamp};
use store::{Consistency, DUE_SHARDS, DueMember, Store};

use crate::given::{at, commit, decision, member};
use crate::support::Bench;

const HOUR: Duration = Duration::from_secs(3_600);

fn due(id: &str, version: u64, due_at: Option<Timestamp>) -> Decision {
    let mut decision = decision(id, version, Vec::new());
    decision.profile.bookkeeping.due_at = due_at;
    decision
}

async fn all_due(store: &Store, until: Timestamp) -> Vec<DueMember> {
    let mut found = Vec::new();
    for shard in 0..DUE_SHARDS {
        found.extend(store.due_members(shard, until, None, 100).await.unwrap());
    }
    found.sort_by_key(|due| (due.due_at, due.member.clone()));
    found
}

#[tokio::test]
async fn members_are_due_from_their_moment_on_earliest_first() {
    let Bench { store, .. } = Bench::new().await;
    assert_eq!(store.next_due().await.unwrap(), None);
    let (first, second) = (at("2026-04-01T00:00:00Z"), at("2026-04-01T00:00:00.001Z"));
    commit(&store, &due("m1", 1, Some(second))).await.unwrap();
    commit(&store, &due("m2", 1, Some(first))).await.unwrap();
    commit(&store, &due("m3", 1, None)).await.unwrap();

    let due_at = |id, due_at| DueMember { member: member(id), due_at };
    assert_eq!(all_due(&store, at("2026-03-31T23:59:59.999Z")).await, vec![]);
    assert_eq!(all_due(&store, first).await, vec![due_at("m2", first)]);
    assert_eq!(all_due(&store, second).await, vec![due_at("m2", first), due_at("m1", second)]);
    assert_eq!(store.next_due().await.unwrap(), Some(first));
}

#[tokio::test]
async fn a_member_who_is_due_no_more_leaves_the_index() {
    let Bench { store, .. } = Bench::new().await;
    let moment = at("2026-04-01T00:00:00Z");
    commit(&store, &due("m1", 1, Some(moment))).await.unwrap();
    commit(&store, &due("m1", 2, None)).await.unwrap();
    assert_eq!(all_due(&store, moment).await, vec![]);
    assert_eq!(store.next_due().await.unwrap(), None);
}

#[tokio::test]
async fn a_page_of_due_members_holds_no_more_than_its_limit() {
    let Bench { store, .. } = Bench::new().await;
    let moment = at("2026-04-01T00:00:00Z");
    for number in 0..40 {
        let later = moment + Duration::from_secs(number);
        commit(&store, &due(&format!("m{number}"), 1, Some(later))).await.unwrap();
    }
    let mut all = 0;
    for shard in 0..DUE_SHARDS {
        let until = at("2027-01-01T00:00:00Z");
        let members = store.due_members(shard, until, None, 100).await.unwrap();
        let page = store.due_members(shard, until, None, 2).await.unwrap();
        let rest = store.due_members(shard, until, page.last(), 100).await.unwrap();
        assert_eq!([page, rest].concat(), members);
        assert!(members.is_sorted_by_key(|due| due.due_at));
        all += members.len();
    }
    assert_eq!(all, 40);
}

#[tokio::test]
async fn everyone_is_made_due_within_the_span_and_nobody_later_than_before() {
    let Bench { store, .. } = Bench::new().await;
    let (soon, from) = (at("2026-03-10T00:00:00Z"), at("2026-04-01T00:00:00Z"));
    commit(&store, &due("early", 1, Some(soon))).await.unwrap();
    for number in 0..20 {
        let late = (number % 2 == 0).then(|| at("2027-04-01T00:00:00Z"));
        commit(&store, &due(&format!("m{number}"), 1, late)).await.unwrap();
    }

    assert_eq!(store.make_everyone_due(from, HOUR).await.unwrap(), 20);

    let everyone = all_due(&store, from + HOUR).await;
    assert_eq!(everyone.len(), 21);
    assert_eq!(everyone[0], DueMember { member: member("early"), due_at: soon });
    let moments = everyone[1..].iter().map(|due| due.due_at).collect::<std::collections::BTreeSet<_>>();
    assert!(moments.len() > 10, "they are spread: {moments:?}");
    assert!(moments.iter().all(|moment| (from..from + HOUR).contains(moment)));
    assert_eq!(store.make_everyone_due(from, HOUR).await.unwrap(), 0);
}

#[tokio::test]
async fn a_commit_decided_before_everyone_was_made_due_conflicts() {
    let Bench { store, .. } = Bench::new().await;
    let late = at("2027-04-01T00:00:00Z");
    commit(&store, &due("m1", 1, Some(late))).await.unwrap();

    store.make_everyone_due(at("2026-04-01T00:00:00Z"), Duration::ZERO).await.unwrap();

    assert!(commit(&store, &due("m1", 2, Some(late))).await.is_err());
    let profile = store.profile(&member("m1"), Consistency::Strong).await.unwrap().unwrap();
    assert_eq!((profile.version, profile.bookkeeping.due_at), (2, Some(at("2026-04-01T00:00:00Z"))));
}
