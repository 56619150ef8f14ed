//! What is read of a member: every page, in order, and only what is asked for.

use domain::{DeviceId, MemberId};
use store::{Consistency, Device, DevicePlatform, JournalCursor, Sent, Store, StoreError};

use crate::given::{NOON, at, commit, decision, entry, member};
use crate::support::Bench;

/// Commits entries a minute apart, in as many commits as are needed.
async fn given_a_journal(store: &Store, member: &str, minutes: u32) {
    let minutes = (0..minutes).collect::<Vec<_>>();
    for (commits, chunk) in (1_u64..).zip(minutes.chunks(90)) {
        let entries = chunk.iter().map(|minute| {
            let when =
                format!("2026-03-{:02}T{:02}:{:02}:00Z", 1 + minute / 1_440, minute / 60 % 24, minute % 60);
            entry(&format!("order-{minute}-{}", "x".repeat(150)), &when, 0)
        });
        commit(store, &decision(member, commits, entries.collect())).await.unwrap();
    }
}

#[tokio::test]
async fn a_journal_of_more_than_a_page_is_read_to_its_end() {
    let bench = Bench::new().await;
    given_a_journal(&bench.store, "m1", 3_600).await;
    given_a_journal(&bench.store, "m2", 3).await;

    let (of, since) = (member("m1"), at("2026-03-01T00:00:00Z"));
    let read = bench.store.journal_since(&of, since, Consistency::Eventual);
    let (all, usage) = bench.usage_of(read).await;

    let all = all.unwrap();
    assert_eq!(all.len(), 3_600);
    assert!(all.is_sorted_by_key(|entry| entry.id.effective_at));
    assert!(usage.requests > 1, "one page held it all: {usage:?}");
}

#[tokio::test]
async fn a_journal_is_read_from_a_moment_on_that_moment_included() {
    let Bench { store, .. } = Bench::new().await;
    given_a_journal(&store, "m1", 10).await;
    let since = async |text: &str| {
        store.journal_since(&member("m1"), at(text), Consistency::Strong).await.unwrap().len()
    };
    assert_eq!(since("2026-03-01T00:04:00Z").await, 6);
    assert_eq!(since("2026-03-01T00:04:00.001Z").await, 5);
    assert_eq!(since("2026-03-02T00:00:00Z").await, 0);
}

#[tokio::test]
async fn pages_of_the_journal_go_back_from_the_newest_entry() {
    let Bench { store, .. } = Bench::new().await;
    given_a_journal(&store, "m1", 10).await;

    let mut minutes = Vec::new();
    let mut cursor = None;
    loop {
        let (entries, next) = store.journal_page(&member("m1"), cursor.as_ref(), 4).await.unwrap();
        assert!(entries.len() <= 4);
        minutes.extend(entries.iter().map(|entry| entry.id.effective_at));
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }

    assert_eq!(minutes.len(), 10);
    assert!(minutes.is_sorted_by(|a, b| a > b));
}

#[tokio::test]
async fn a_cursor_that_is_none_of_ours_is_refused() {
    let Bench { store, .. } = Bench::new().await;
    for text in ["profile", "", "journal#", "person", &"journal#x".repeat(500)] {
        let cursor = JournalCursor(text.to_owned());
        let page = store.journal_page(&member("m1"), Some(&cursor), 10).await;
        assert!(matches!(page, Err(StoreError::BadCursor)), "{text}");
    }
}

fn device(id: &str, platform: DevicePlatform, endpoint: &str) -> Device {
    Device { id: DeviceId::new(id).unwrap(), platform, endpoint: endpoint.to_owned() }
}

#[tokio::test]
async fn a_member_has_devices_that_can_be_replaced_and_forgotten() {
    let Bench { store, .. } = Bench::new().await;
    commit(&store, &decision("m1", 1, Vec::new())).await.unwrap();
    let id = member("m1");
    let phone = device("phone", DevicePlatform::Apns, "arn:1");
    let tablet = device("tablet", DevicePlatform::Fcm, "arn:2");
    let other = device("phone", DevicePlatform::Fcm, "arn:3");

    store.put_device(&id, &phone, at(NOON)).await.unwrap();
    store.put_device(&id, &tablet, at(NOON)).await.unwrap();
    assert_eq!(store.devices(&id).await.unwrap(), vec![phone.clone(), tablet.clone()]);

    store.put_device(&id, &other, at(NOON)).await.unwrap();
    store.delete_device(&id, &tablet.id).await.unwrap();
    store.delete_device(&id, &tablet.id).await.unwrap();
    assert_eq!(store.devices(&id).await.unwrap(), vec![other]);
}

#[tokio::test]
async fn nobody_has_no_devices() {
    let Bench { store, .. } = Bench::new().await;
    let nobody = MemberId::new("nobody").unwrap();
    let phone = device("phone", DevicePlatform::Apns, "arn:1");
    assert!(matches!(store.put_device(&nobody, &phone, at(NOON)).await, Err(StoreError::UnknownMember)));
    assert_eq!(store.devices(&nobody).await.unwrap(), Vec::new());
}

#[tokio::test]
async fn what_was_sent_is_remembered_by_entry_and_channel() {
    let Bench { store, .. } = Bench::new().await;
    let sent = |channel: &str| Sent {
        entry: "journal#2026-03-01T12:00:00.000Z#coupon/0#000000".to_owned(),
        channel: channel.to_owned(),
    };
    store.mark_sent(&member("m1"), &sent("email"), at(NOON)).await.unwrap();
    store.mark_sent(&member("m1"), &sent("email"), at(NOON)).await.unwrap();

    assert!(store.was_sent(&member("m1"), &sent("email")).await.unwrap());
    assert!(!store.was_sent(&member("m1"), &sent("push/phone")).await.unwrap());
    assert!(!store.was_sent(&member("m2"), &sent("email")).await.unwrap());
}

#[tokio::test]
async fn a_device_from_before_the_directory_knew_of_endpoints_is_its_members_until_the_endpoint_is_told_anew()
{
    let bench = Bench::new().await;
    let store = &bench.store;
    for id in ["m1", "m2"] {
        commit(store, &decision(id, 1, vec![entry("1", NOON, 0)])).await.unwrap();
    }
    let device = |id: &str| Device {
        id: DeviceId::new(id).unwrap(),
        platform: DevicePlatform::Apns,
        endpoint: "arn:1".to_owned(),
    };
    let old = device("phone");
    bench.lay_down_a_device("m1", &old).await;
    assert!(store.is_its_own(&member("m1"), &old).await.unwrap());
    assert!(store.is_nobodys("arn:1").await.unwrap());

    store.put_device(&member("m2"), &device("same"), at(NOON)).await.unwrap();

    assert!(!store.is_its_own(&member("m1"), &old).await.unwrap());
    store.delete_device(&member("m1"), &old.id).await.unwrap();
    assert_eq!(store.devices(&member("m1")).await.unwrap(), vec![]);
    assert!(store.is_its_own(&member("m2"), &device("same")).await.unwrap(), "the other one keeps it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_tell_one_endpoint_at_once_one_has_it() {
    let Bench { store, .. } = Bench::new().await;
    let ids: Vec<String> = (0..6).map(|n| format!("m{n}")).collect();
    for id in &ids {
        commit(&store, &decision(id, 1, vec![entry("1", NOON, 0)])).await.unwrap();
    }
    let tasks = ids.iter().map(|id| {
        let (store, member) = (store.clone(), member(id));
        tokio::spawn(async move {
            let device = Device {
                id: DeviceId::new("phone").unwrap(),
                platform: DevicePlatform::Fcm,
                endpoint: "arn:1".to_owned(),
            };
            store.put_device(&member, &device, at(NOON)).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let mut devices = 0;
    for id in &ids {
        devices += store.devices(&member(id)).await.unwrap().len();
    }
    assert_eq!(devices, 1);
}
