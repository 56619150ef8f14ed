//! A person is found wherever the list says, exported whole, and erased page by page without a word left.

use domain::{Contact, Customer, CustomerId, DeviceId, ErasureId, MemberId, Order, UnlinkedRefund};
use store::person::{Erasure, PersonDocument, Sought};
use store::{Commit, Consistency, Device, DevicePlatform, DirectoryKey, Enrolment, Sent, Store};

use crate::given::{NOON, at, commit, coupon, customer, decision, entry, issued, member, order, order_key};
use crate::given::{refund, refund_id, source};
use crate::support::Bench;

const NAME: &str = "Johnathan";

fn somebody(id: &str) -> Customer {
    let contact = Contact {
        email: Some("john@example.com".to_owned()),
        email_verified: true,
        name: Some(NAME.to_owned()),
        ..Contact::default()
    };
    Customer { contact, ..customer(id) }
}

fn order_of(id: &str, owner: Customer) -> Order {
    Order { customer: Some(owner), ..order(id) }
}

fn sought() -> Sought {
    Sought::named(DirectoryKey::Customer(source(), CustomerId::new("7").unwrap()))
}

pub(crate) fn name(text: &str) -> ErasureId {
    ErasureId::new(text).unwrap()
}

/// Member m1, the customer 7: an order that was posted, one that was not, one of a guest with the same verified e-mail,
/// a refund that names no order; a coupon, a device and what was sent. And m2, somebody else.
async fn given_a_person(store: &Store) {
    let coupon = coupon("ABCD-EFGH-JKLM", 0);
    let mut first = decision("m1", 1, vec![entry("1", NOON, 0), issued(&coupon)]);
    first.coupons = vec![coupon];
    let keys = vec![
        DirectoryKey::Customer(source(), CustomerId::new("7").unwrap()),
        DirectoryKey::Email("john@example.com".to_owned()),
    ];
    let enrolment = Enrolment { keys, contact: somebody("7").contact };
    store.commit(Commit { decision: &first, enrolment: Some(&enrolment), by_way_of: None }).await.unwrap();
    store.record_order(&order_of("1", somebody("7"))).await.unwrap();
    store.record_order(&order_of("2", somebody("7"))).await.unwrap();
    let guest = Customer { id: None, ..somebody("7") };
    store.record_order(&order_of("3", guest)).await.unwrap();
    let key = domain::OrderKey::of_unlinked_refund(&source(), &refund_id("r1")).unwrap();
    let unlinked = UnlinkedRefund { key, customer: Some(somebody("7")), refund: refund(100) };
    store.record_unlinked_refund(&unlinked).await.unwrap();
    let phone = Device {
        id: DeviceId::new("johns-phone").unwrap(),
        platform: DevicePlatform::Apns,
        endpoint: "arn:1".to_owned(),
    };
    store.put_device(&member("m1"), &phone, at(NOON)).await.unwrap();
    for channel in ["email", "push/johns-phone"] {
        let sent = Sent { entry: "journal#x".to_owned(), channel: channel.to_owned() };
        store.mark_sent(&member("m1"), &sent, at(NOON)).await.unwrap();
    }
    commit(store, &decision("m2", 1, vec![entry("9", NOON, 0)])).await.unwrap();
    store.record_order(&order_of("9", customer("8"))).await.unwrap();
}

pub(crate) async fn exported(store: &Store, sought: &Sought) -> PersonDocument {
    store.export_person(name("export"), sought, at("2026-03-10T12:00:00Z")).await.unwrap()
}

/// Works an erasure off, page by page; the endpoints that it asked to delete.
pub(crate) async fn erased(store: &Store, id: &ErasureId) -> Vec<String> {
    let mut endpoints = Vec::new();
    let now = at("2026-03-10T12:00:00Z");
    loop {
        let mut erasure = store.erasure(id).await.unwrap().unwrap();
        if !erasure.is_open() {
            return endpoints;
        }
        erasure.begin(now);
        let page = store.erasure_page(&erasure).await.unwrap();
        endpoints.extend(page.endpoints().map(str::to_owned));
        store.erase_page(&mut erasure, page, now).await.unwrap();
        assert!(store.keep_erasure(&mut erasure).await.unwrap());
    }
}

#[tokio::test]
async fn an_export_has_everything_that_is_held() {
    let Bench { store, .. } = Bench::new().await;
    given_a_person(&store).await;

    let document = exported(&store, &sought()).await;

    let mut keys = document.directory.clone();
    keys.sort_unstable();
    assert_eq!(keys, ["customer#shop#7", "email#john@example.com", "endpoint#arn:1"]);
    let orders: Vec<_> = document.orders.keys().map(String::as_str).collect();
    assert_eq!(orders, ["shop#1", "shop#2", "shop#3", "shop#refund#r1"]);
    assert_eq!(document.orders["shop#2"]["goods"]["amount"], 5_000);
    let items: Vec<_> = document.members["m1"].keys().map(String::as_str).collect();
    assert_eq!(
        items,
        [
            "coupon#ABCD-EFGH-JKLM",
            "device#johns-phone",
            "journal#2026-03-01T12:00:00.000Z#coupon/0#000000",
            "journal#2026-03-01T12:00:00.000Z#order/shop#1#000000",
            "person",
            "profile",
            "sent#journal#x#email",
            "sent#journal#x#push/johns-phone",
        ]
    );
    assert_eq!(document.members.len(), 1, "and of nobody else");
    assert_eq!(document.members["m1"]["person"]["name"], NAME);
    assert_eq!(exported(&store, &Sought::member(member("m1"))).await, document);
}

#[tokio::test]
async fn an_erasure_takes_whatever_an_export_shows_but_the_amounts() {
    let Bench { store, .. } = Bench::new().await;
    given_a_person(&store).await;
    let before = exported(&store, &Sought::member(member("m1"))).await;
    store.ask_erasure(&Erasure::of(name("e1"), &sought())).await.unwrap();

    assert_eq!(erased(&store, &name("e1")).await, ["arn:1"]);

    // By their key nothing is found any more.
    assert!(exported(&store, &sought()).await.is_empty());
    // By the member only the amounts are, as they were, and no word of the person.
    let after = exported(&store, &Sought::member(member("m1"))).await;
    let text = serde_json::to_string(&after).unwrap();
    for word in [NAME, "john@example.com", "johns-phone", "customer#shop#7", "arn:1"] {
        assert!(!text.contains(word), "{word} is left in {text}");
    }
    for item in ["coupon#ABCD-EFGH-JKLM", "journal#2026-03-01T12:00:00.000Z#order/shop#1#000000"] {
        assert_eq!(after.members["m1"][item], before.members["m1"][item]);
    }
    let kept = |document: &PersonDocument| document.members["m1"]["profile"]["balance"].clone();
    assert_eq!(kept(&after), kept(&before));
    // Every order has an owner, who leads to the same member.
    for id in ["1", "2", "3"] {
        let owner = store.order(&order_key(id)).await.unwrap().unwrap().owner.unwrap();
        assert!(owner.contact.is_empty());
        let key = DirectoryKey::of_customer(&owner).unwrap();
        assert_eq!(store.find_member(&key, Consistency::Strong).await.unwrap(), Some(member("m1")));
    }
    // And nothing happened to anybody else.
    assert_eq!(store.order(&order_key("9")).await.unwrap().unwrap().owner, Some(customer("8")));
}

#[tokio::test]
async fn an_erasure_raises_the_profiles_version_so_that_who_was_deciding_decides_again() {
    let Bench { store, .. } = Bench::new().await;
    given_a_person(&store).await;
    store.ask_erasure(&Erasure::of(name("e1"), &sought())).await.unwrap();
    erased(&store, &name("e1")).await;

    let late = commit(&store, &decision("m1", 2, vec![entry("4", NOON, 0)])).await;
    assert!(matches!(late, Err(store::StoreError::Conflict(store::Role::Profile))), "{late:?}");
}

#[tokio::test]
async fn of_two_who_work_on_one_erasure_the_later_one_writes_nothing_down() {
    let Bench { store, .. } = Bench::new().await;
    store.ask_erasure(&Erasure::of(name("e1"), &sought())).await.unwrap();
    let mut one = store.erasure(&name("e1")).await.unwrap().unwrap();
    let mut other = one.clone();
    assert!(store.keep_erasure(&mut one).await.unwrap());
    assert!(!store.keep_erasure(&mut other).await.unwrap());
}

#[tokio::test]
async fn everything_of_a_table_of_many_pages_is_looked_at() {
    let bench = Bench::new().await;
    let store = bench.store.clone();
    // Given far more than a megabyte of orders, the last of which is the person's.
    for number in 0..90 {
        let refunds = (0..90).map(|n| (refund_id(&format!("{n}-{}", "x".repeat(100))), refund(1)));
        let order = Order { refunds: refunds.collect(), ..order_of(&number.to_string(), customer("8")) };
        store.record_order(&order).await.unwrap();
    }
    store.record_order(&order_of("a", somebody("7"))).await.unwrap();
    let (document, usage) = bench.usage_of(exported(&store, &sought())).await;
    assert_eq!(document.orders.len(), 1);
    assert!(usage.requests > 4, "one page held it all: {usage:?}");
    store.ask_erasure(&Erasure::of(name("e1"), &sought())).await.unwrap();
    erased(&store, &name("e1")).await;
    let owner = store.order(&order_key("a")).await.unwrap().unwrap().owner.unwrap();
    assert_eq!(owner.id.unwrap().as_str(), "erased/e1");
    let of_others = store.order(&order_key("0")).await.unwrap().unwrap().owner;
    assert_eq!(of_others, Some(customer("8")));
}

#[tokio::test]
async fn all_erasures_are_done_again_from_the_first_step() {
    let Bench { store, .. } = Bench::new().await;
    for id in ["e1", "e2"] {
        store.ask_erasure(&Erasure::of(name(id), &sought())).await.unwrap();
        erased(&store, &name(id)).await;
    }
    // Given a backup brought the person back.
    given_a_person(&store).await;
    assert!(!exported(&store, &sought()).await.is_empty());

    assert_eq!(store.reapply_erasures().await.unwrap(), 2);
    for erasure in store.erasures().await.unwrap() {
        assert!(erasure.is_open());
        erased(&store, erasure.id()).await;
    }

    assert!(exported(&store, &sought()).await.is_empty());
    let found: Vec<_> = store.erasures().await.unwrap();
    assert!(found.iter().any(|erasure| erasure.members().eq([&MemberId::new("m1").unwrap()])));
}

#[tokio::test]
async fn an_address_that_somebody_else_told_unverified_makes_their_order_nobody_elses() {
    let Bench { store, .. } = Bench::new().await;
    given_a_person(&store).await;
    // Given a member, and somebody who is none, who both told the person's address, and a guest who did.
    let contact = Contact { email: Some("john@example.com".to_owned()), ..Contact::default() };
    let key = DirectoryKey::Customer(source(), CustomerId::new("8").unwrap());
    store.add_name(&key, &member("m2")).await.unwrap();
    for (id, owner) in [("11", customer("8")), ("12", customer("99"))] {
        store.record_order(&order_of(id, Customer { contact: contact.clone(), ..owner })).await.unwrap();
    }
    store.record_order(&order_of("13", Customer { id: None, contact, ..customer("8") })).await.unwrap();

    let document = exported(&store, &Sought::named(DirectoryKey::Email("john@example.com".to_owned()))).await;

    let orders: Vec<_> = document.orders.keys().map(String::as_str).collect();
    assert_eq!(orders, ["shop#1", "shop#12", "shop#13", "shop#2", "shop#3", "shop#refund#r1"]);
}
