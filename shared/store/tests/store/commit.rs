//! A commit is whole or not at all, and a conflict says what was written first.

use domain::{
    Cause, CouponState, CustomerId, Decision, Entry, EntryId, Kind, Once, Points, RaterChange, RaterHistory,
    RaterId, Reason,
};
use store::{Asked, Commit, Consistency, DirectoryKey, Role, Store, StoreError};

use crate::given::{NOON, commit, coupon, decision, enrolment, entry, issued, member, profile, source};
use crate::support::Bench;

fn conflict(result: Result<(), StoreError>) -> Role {
    match result {
        Err(StoreError::Conflict(role)) => role,
        other => panic!("no conflict: {other:?}"),
    }
}

async fn version(store: &Store, id: &str) -> Option<u64> {
    store.profile(&member(id), Consistency::Strong).await.unwrap().map(|profile| profile.version)
}

#[tokio::test]
async fn a_first_commit_makes_a_member_who_can_be_found_and_reached() {
    let Bench { store, .. } = Bench::new().await;
    let decision = decision("m1", 1, vec![entry("1", NOON, 0)]);
    let enrolment = enrolment("7");

    store.commit(Commit { decision: &decision, enrolment: Some(&enrolment), by_way_of: None }).await.unwrap();

    let profile = store.profile(&member("m1"), Consistency::Eventual).await.unwrap();
    assert_eq!(profile.as_ref(), Some(&decision.profile));
    assert_eq!(
        store.find_member(&enrolment.keys[0], Consistency::Eventual).await.unwrap(),
        Some(member("m1"))
    );
    assert_eq!(store.contact(&member("m1")).await.unwrap(), Some(enrolment.contact));
    let journal =
        store.journal_since(&member("m1"), crate::given::at(NOON), Consistency::Eventual).await.unwrap();
    assert_eq!(journal, decision.entries);
}

#[tokio::test]
async fn nobody_is_found_where_nobody_was_committed() {
    let Bench { store, .. } = Bench::new().await;
    let key = DirectoryKey::Customer(source(), CustomerId::new("7").unwrap());
    assert_eq!(store.find_member(&key, Consistency::Eventual).await.unwrap(), None);
    assert_eq!(store.profile(&member("m1"), Consistency::Eventual).await.unwrap(), None);
    assert_eq!(store.contact(&member("m1")).await.unwrap(), None);
}

#[tokio::test]
async fn a_member_is_enrolled_once() {
    let Bench { store, .. } = Bench::new().await;
    let enrolment = enrolment("7");
    let first = decision("m1", 1, Vec::new());
    store.commit(Commit { decision: &first, enrolment: Some(&enrolment), by_way_of: None }).await.unwrap();

    let second = decision("m2", 1, vec![entry("2", NOON, 0)]);
    let refused =
        store.commit(Commit { decision: &second, enrolment: Some(&enrolment), by_way_of: None }).await;

    assert_eq!(conflict(refused), Role::DirectoryKey);
    assert_eq!(version(&store, "m2").await, None);
    assert_eq!(conflict(commit(&store, &first).await), Role::Profile);
}

#[tokio::test]
async fn a_decision_of_an_old_version_conflicts_on_the_profile_and_writes_nothing() {
    let Bench { store, .. } = Bench::new().await;
    commit(&store, &decision("m1", 1, Vec::new())).await.unwrap();
    commit(&store, &decision("m1", 2, Vec::new())).await.unwrap();

    let late = decision("m1", 2, vec![entry("1", NOON, 0)]);

    assert_eq!(conflict(commit(&store, &late).await), Role::Profile);
    let since = crate::given::at(NOON);
    assert_eq!(store.journal_since(&member("m1"), since, Consistency::Strong).await.unwrap(), Vec::new());
}

#[tokio::test]
async fn the_same_entry_twice_conflicts_on_the_entry() {
    let Bench { store, .. } = Bench::new().await;
    commit(&store, &decision("m1", 1, vec![entry("1", NOON, 0)])).await.unwrap();

    let again = decision("m1", 2, vec![entry("1", NOON, 0)]);

    assert_eq!(conflict(commit(&store, &again).await), Role::Entry);
    assert_eq!(version(&store, "m1").await, Some(1));
}

#[tokio::test]
async fn a_code_that_is_taken_conflicts_on_the_code_whoever_has_it() {
    let Bench { store, .. } = Bench::new().await;
    let taken = coupon("ABCD-2345", 0);
    let with_coupon = |id| Decision { coupons: vec![taken.clone()], ..decision(id, 1, vec![issued(&taken)]) };
    commit(&store, &with_coupon("m1")).await.unwrap();

    assert_eq!(conflict(commit(&store, &with_coupon("m2")).await), Role::CouponCode);
    let found =
        store.find_member(&DirectoryKey::Coupon(taken.code.clone()), Consistency::Strong).await.unwrap();
    assert_eq!(found, Some(member("m1")));
}

#[tokio::test]
async fn a_coupon_is_taken_back_once() {
    let Bench { store, .. } = Bench::new().await;
    let coupon = coupon("ABCD-2345", 0);
    let first = Decision { coupons: vec![coupon.clone()], ..decision("m1", 1, vec![issued(&coupon)]) };
    commit(&store, &first).await.unwrap();
    let voided = domain::Coupon { state: CouponState::Voided, ..coupon };
    let taking_back = |version| Decision {
        coupons: vec![voided.clone()],
        ..decision("m1", version, vec![entry("1", NOON, u32::try_from(version).unwrap())])
    };

    commit(&store, &taking_back(2)).await.unwrap();

    assert_eq!(store.coupons(&member("m1"), Consistency::Strong).await.unwrap(), vec![voided.clone()]);
    assert_eq!(conflict(commit(&store, &taking_back(3)).await), Role::Coupon);
}

#[tokio::test]
async fn a_coupon_issued_and_taken_back_by_one_decision_is_stored_as_taken_back() {
    let Bench { store, .. } = Bench::new().await;
    let coupon = coupon("ABCD-2345", 0);
    let entries = vec![issued(&coupon)];
    let voided = domain::Coupon { state: CouponState::Voided, ..coupon };
    let both = Decision { coupons: vec![voided.clone()], ..decision("m1", 1, entries) };

    commit(&store, &both).await.unwrap();

    assert_eq!(store.coupons(&member("m1"), Consistency::Strong).await.unwrap(), vec![voided]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_commits_at_once_one_succeeds_and_the_others_conflict() {
    let Bench { store, .. } = Bench::new().await;
    commit(&store, &decision("m1", 1, Vec::new())).await.unwrap();

    let attempts = (0..8).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            commit(&store, &decision("m1", 2, vec![entry(&number.to_string(), NOON, 0)])).await
        })
    });
    let attempts = attempts.collect::<Vec<_>>();
    let mut committed = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(()) => committed += 1,
            Err(StoreError::Conflict(Role::Profile)) => {}
            Err(other) => panic!("{other}"),
        }
    }

    assert_eq!(committed, 1);
    assert_eq!(version(&store, "m1").await, Some(2));
}

#[tokio::test]
async fn whoever_was_found_by_way_of_another_is_a_conflict_once_that_one_is_on_their_own_again() {
    let Bench { store, .. } = Bench::new().await;
    let mut other = decision("m2", 1, Vec::new());
    other.profile.account.merged_into = Some(member("m1"));
    commit(&store, &other).await.unwrap();
    commit(&store, &decision("m1", 1, Vec::new())).await.unwrap();
    let way = member("m2");
    let by_way_of = async |version| {
        let decision = decision("m1", version, vec![entry("1", NOON, u32::try_from(version).unwrap())]);
        store.commit(Commit { decision: &decision, enrolment: None, by_way_of: Some(&way) }).await
    };
    by_way_of(2).await.unwrap();
    commit(&store, &decision("m2", 2, Vec::new())).await.unwrap();
    assert_eq!(conflict(by_way_of(3).await), Role::Merge);
    assert_eq!(version(&store, "m1").await, Some(2));
}

#[tokio::test]
async fn a_coupon_that_is_another_members_from_now_on_is_removed_and_still_found() {
    let Bench { store, .. } = Bench::new().await;
    let coupon = coupon("ABCD-2345", 0);
    let first = Decision { coupons: vec![coupon.clone()], ..decision("m1", 1, vec![issued(&coupon)]) };
    commit(&store, &first).await.unwrap();

    let removed_coupons = [coupon.code.clone()].into();
    commit(&store, &Decision { removed_coupons, ..decision("m1", 2, Vec::new()) }).await.unwrap();

    assert_eq!(store.coupons(&member("m1"), Consistency::Strong).await.unwrap(), vec![]);
    let found = store.find_member(&DirectoryKey::Coupon(coupon.code), Consistency::Strong).await.unwrap();
    assert_eq!(found, Some(member("m1")));
}

#[tokio::test]
async fn a_rater_who_has_rated_somebody_else_meanwhile_is_a_conflict() {
    let Bench { store, .. } = Bench::new().await;
    let rater = RaterId::new("digest").unwrap();
    let given = |ratings, total| RaterHistory { ratings, total };
    let rated = |member: &str, before, after| Decision {
        rater: Some(RaterChange { rater: rater.clone(), before, after }),
        ..decision(member, 1, Vec::new())
    };
    assert_eq!(store.rater_history(&rater).await.unwrap(), given(0, 0));

    commit(&store, &rated("m1", given(0, 0), given(1, 450))).await.unwrap();
    assert_eq!(conflict(commit(&store, &rated("m2", given(0, 0), given(1, 100))).await), Role::Rater);
    commit(&store, &rated("m2", given(1, 450), given(2, 550))).await.unwrap();
    assert_eq!(conflict(commit(&store, &rated("m3", given(2, 450), given(3, 650))).await), Role::Rater);

    assert_eq!(store.rater_history(&rater).await.unwrap(), given(2, 550));
    assert_eq!(version(&store, "m3").await, None);
}

#[tokio::test]
async fn a_decision_that_changes_nothing_writes_nothing() {
    let bench = Bench::new().await;
    let nothing = Decision { changed: false, ..decision("m1", 1, Vec::new()) };
    let (done, usage) = bench.usage_of(commit(&bench.store, &nothing)).await;
    done.unwrap();
    assert_eq!(usage.requests, 0);
}

#[tokio::test]
async fn the_largest_decision_fits_one_transaction_and_a_larger_one_is_refused() {
    let Bench { store, .. } = Bench::new().await;
    let coupons = (0..25).map(|number| coupon(&format!("CODE-{number}"), number)).collect::<Vec<_>>();
    let mut entries = coupons.iter().map(issued).collect::<Vec<_>>();
    entries.extend((0..20).map(|n| entry("1", NOON, n)));
    let largest = Decision { coupons, ..decision("m1", 1, entries) };

    store
        .commit(Commit { decision: &largest, enrolment: Some(&enrolment("7")), by_way_of: None })
        .await
        .unwrap();
    let coupons = store.coupons(&member("m1"), Consistency::Strong).await.unwrap();
    assert_eq!(
        coupons.iter().map(|coupon| coupon.number).collect::<Vec<_>>(),
        (0..25).rev().collect::<Vec<_>>()
    );

    let too_large = decision("m1", 2, (0..100).map(|n| entry("2", NOON, n)).collect());
    assert!(matches!(commit(&store, &too_large).await, Err(StoreError::Permanent(_))));
}

#[tokio::test]
async fn a_profile_reads_back_as_it_was_written_whatever_it_lacks() {
    let Bench { store, .. } = Bench::new().await;
    let mut bare = profile("m1", 1);
    bare.account.balance = Points(-3);
    bare.bookkeeping.active_at = None;
    bare.bookkeeping.due_at = None;
    bare.bookkeeping.window.changes_on = None;
    let decision = Decision { profile: bare.clone(), ..decision("m1", 1, Vec::new()) };

    commit(&store, &decision).await.unwrap();

    assert_eq!(store.profile(&member("m1"), Consistency::Strong).await.unwrap(), Some(bare));
}

#[tokio::test]
async fn what_is_posted_once_is_posted_once_for_ever_and_says_whether_the_same_was_asked() {
    let Bench { store, .. } = Bench::new().await;
    let opening = |version, n| {
        let id = EntryId { cause: Cause::Opening(member("m1")), ..entry("1", NOON, n).id };
        let once = Once { entry: id.clone(), request: "100".to_owned() };
        let kind = Kind::OpeningBalance { reason: Reason::new("before").unwrap() };
        let entries = vec![Entry { id, kind, ..entry("1", NOON, n) }];
        Decision { once: Some(once), ..decision("m1", version, entries) }
    };
    let cause = Cause::Opening(member("m1"));
    let asked = async |request: &str| store.asked(&member("m1"), &cause, request).await.unwrap();
    assert_eq!(asked("100").await, Asked::Never);
    commit(&store, &opening(1, 0)).await.unwrap();
    assert_eq!((asked("100").await, asked("200").await), (Asked::Before, Asked::Differently));
    assert_eq!(conflict(commit(&store, &opening(2, 1)).await), Role::Once);
}
