//! What the tests begin with: a member, an order, a decision.

use std::collections::BTreeMap;

use domain::member::Window;
use domain::{
    Account, Audience, Bookkeeping, Cause, Contact, Coupon, CouponCode, CouponState, Currency, Customer,
    CustomerId, Decision, Entry, EntryId, Goods, Kind, MemberId, Order, OrderKey, Payment, Points, Profile,
    Refund, RefundId, RewardId, Snapshot, SourceName, Timestamp, time,
};
use store::{Commit, DirectoryKey, Enrolment, Store, StoreError};

pub(crate) const NOON: &str = "2026-03-01T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    time::instant(text).unwrap()
}

pub(crate) fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

pub(crate) fn euro() -> Currency {
    Currency::new("EUR").unwrap()
}

pub(crate) fn source() -> SourceName {
    SourceName::new("shop").unwrap()
}

pub(crate) fn order_key(id: &str) -> OrderKey {
    OrderKey::of_order(&source(), id).unwrap()
}

pub(crate) fn customer(id: &str) -> Customer {
    Customer {
        source: source(),
        id: Some(CustomerId::new(id).unwrap()),
        card: None,
        contact: Contact::default(),
    }
}

pub(crate) fn order(id: &str) -> Order {
    Order {
        key: order_key(id),
        placed_at: at(NOON),
        customer: Some(customer("7")),
        snapshot: Snapshot {
            updated_at: at(NOON),
            currency: euro(),
            goods: Goods { amount: 5_000, tax: 833, tax_included: true },
            payment: Payment::Paid,
            cancelled: false,
            test: false,
            coupons: Default::default(),
        },
        refunds: BTreeMap::new(),
    }
}

pub(crate) fn refund(amount: i64) -> Refund {
    let goods = Goods::untaxed(amount);
    Refund::of_goods(at("2026-03-02T12:00:00Z"), euro(), goods)
}

pub(crate) fn refund_id(id: &str) -> RefundId {
    RefundId::new(id).unwrap()
}

pub(crate) fn profile(id: &str, version: u64) -> Profile {
    Profile {
        member: member(id),
        version,
        enrolled_at: at(NOON),
        account: Account { balance: Points(500), lifetime_points: Points(500), ..Account::default() },
        bookkeeping: Bookkeeping {
            programme: 1,
            settled_to: at(NOON),
            window: Window {
                on: "2026-03-01".parse().unwrap(),
                sum: Points(10),
                changes_on: Some("2026-06-02".parse().unwrap()),
                tier_changes_on: None,
                mixed: false,
                kept: None,
            },
            active_at: Some(at(NOON)),
            without_activity: false,
            expiries_from: None,
            next_expiry: None,
            pending: None,
            last_expiry_at: None,
            reminded_at: None,
            tier_changed_on: None,
            rated: None,
            coupons_end_at: None,
            next_coupon_end: None,
            cut_off: None,
            receiving: None,
            releasing: None,
            regaining: None,
            merged_up_to: None,
            coupons_of_hour: None,
            due_at: Some(at("2027-01-01T12:00:00Z")),
        },
    }
}

pub(crate) fn entry(order: &str, effective_at: &str, n: u32) -> Entry {
    Entry {
        id: EntryId { effective_at: at(effective_at), cause: Cause::Order(order_key(order)), n },
        sequence: 1,
        recorded_at: at(NOON),
        points: Points(500),
        lifetime_points: Points(500),
        status_points: Points(10),
        counts: 1,
        kind: Kind::Order { revision: 1 },
        audience: Audience::Nobody,
        came_with: None,
    }
}

pub(crate) fn coupon(code: &str, number: u32) -> Coupon {
    Coupon {
        code: CouponCode::new(code).unwrap(),
        number,
        reward: RewardId::new("ten-percent").unwrap(),
        points: Points(5_000),
        issued_at: at(NOON),
        ends_at: Some(at("2026-06-01T12:00:00Z")),
        state: CouponState::Issued,
        uses: Vec::new(),
        came_with: None,
    }
}

pub(crate) fn issued(coupon: &Coupon) -> Entry {
    let kind = Kind::CouponIssued {
        code: coupon.code.clone(),
        reward: coupon.reward.clone(),
        ends_at: coupon.ends_at,
        told_from: None,
        on_request: None,
    };
    let id = EntryId { effective_at: coupon.issued_at, cause: Cause::Coupon(coupon.number), n: 0 };
    Entry { id, kind, points: Points(-5_000), counts: 0, ..entry("1", NOON, 0) }
}

/// The first decision of a member's, or a later one by its version.
pub(crate) fn decision(id: &str, version: u64, entries: Vec<Entry>) -> Decision {
    Decision {
        profile: profile(id, version),
        entries,
        coupons: Vec::new(),
        rater: None,
        receives_coupons: false,
        removed_coupons: Default::default(),
        once: None,
        changed: true,
        completed: true,
    }
}

pub(crate) fn enrolment(customer: &str) -> Enrolment {
    Enrolment {
        keys: vec![DirectoryKey::Customer(source(), CustomerId::new(customer).unwrap())],
        contact: Contact { email: Some("someone@example.com".to_owned()), ..Contact::default() },
    }
}

pub(crate) async fn commit(store: &Store, decision: &Decision) -> Result<(), StoreError> {
    store.commit(Commit { decision, enrolment: None, by_way_of: None }).await
}

/// The digest of a body that was signed without a time.
pub(crate) fn body_of(text: &str) -> store::BodyDigest {
    store::BodyDigest::of(&SourceName::new("shop").unwrap(), text.as_bytes())
}

/// The order as of a later moment, with goods of so much.
pub(crate) fn later(order: &Order, updated_at: &str, amount: i64) -> Order {
    let mut later = order.clone();
    later.snapshot.updated_at = at(updated_at);
    later.snapshot.goods = Goods::untaxed(amount);
    later
}
