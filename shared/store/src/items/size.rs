//! How large items are, by DynamoDB's published rules: 1 KB is a write unit, and an ordinary order pays for
//! few.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::member::{CutOff, Kept, Pending, Receiving, Window};
use domain::{
    Account, Audience, Bookkeeping, Cause, Currency, Entry, EntryId, Goods, Kind, LevelId, MemberId,
    OrderKey, Payment, Points, Posting, Profile, Rated, Snapshot, Timestamp, time,
};

use super::{Attributes, entry_item, profile_item, snapshot_attributes};

/// What one write unit holds.
const WRITE_UNIT: usize = 1_024;

/// The bytes of names and values, as DynamoDB counts them.
fn size_of(item: &Attributes) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
}

fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.trim_start_matches('-').len().div_ceil(2) + 2,
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::M(map) => 3 + map.len() + size_of(map),
        other => panic!("we store no {other:?}"),
    }
}

fn at(text: &str) -> Timestamp {
    time::instant(text).unwrap()
}

/// A profile in which nothing is missing, every number is large, and names have an ordinary length.
fn full_profile() -> Profile {
    let (date, moment) = ("2026-03-01".parse().unwrap(), at("2026-03-01T12:34:56.789Z"));
    let many = Points(999_999_999_999);
    Profile {
        member: MemberId::new("m".repeat(36)).unwrap(),
        version: 9_999_999_999,
        enrolled_at: moment,
        account: Account {
            balance: many,
            lifetime_points: many,
            forgiven: many,
            tier: Some(LevelId::new("g".repeat(40)).unwrap()),
            coupons_issued: u32::MAX,
            merged_into: None,
        },
        bookkeeping: Bookkeeping {
            programme: 9_999,
            settled_to: moment,
            window: Window {
                on: date,
                sum: many,
                changes_on: Some(date),
                tier_changes_on: Some(date),
                mixed: true,
                kept: Some(Kept { level: LevelId::new("g".repeat(40)).unwrap(), until: date }),
            },
            active_at: Some(moment),
            without_activity: true,
            expiries_from: Some(moment),
            next_expiry: Some(domain::member::NextExpiry { at: moment, points: Points(i64::MAX) }),
            pending: Some(Pending { points: Points(i64::MAX), next_at: moment }),
            last_expiry_at: Some(moment),
            reminded_at: Some(moment),
            tier_changed_on: Some(date),
            rated: Some(Rated { count: u32::MAX, total: i64::MAX, since: Some(moment) }),
            coupons_end_at: Some(moment),
            next_coupon_end: Some(moment),
            cut_off: Some(CutOff { silent: true, untold_from: Some(u32::MAX) }),
            receiving: Some(Receiving { from: MemberId::new("m".repeat(36)).unwrap(), coupons: None }),
            // A member gives nothing back while another is being received.
            releasing: None,
            regaining: None,
            merged_up_to: Some(Posting {
                effective_at: moment,
                cause: Cause::Order(OrderKey::new("shop#5555555555555").unwrap()),
            }),
            coupons_of_hour: None,
            due_at: Some(moment),
        },
    }
}

#[test]
fn a_profile_that_lacks_nothing_fits_one_write_unit() {
    let mut profile = full_profile();
    // Only while two members become one, or two again, may it take a second one.
    let size = size_of(&profile_item(&profile).unwrap());
    assert!(size <= 2 * WRITE_UNIT, "{size} bytes");
    (profile.bookkeeping.receiving, profile.bookkeeping.merged_up_to) = (None, None);
    let size = size_of(&profile_item(&profile).unwrap());
    assert!(size <= WRITE_UNIT, "{size} bytes");
}

#[test]
fn a_profile_reads_back_exactly_as_it_was_written() {
    let profile = full_profile();
    assert_eq!(super::profile_of(profile_item(&profile).unwrap()), Ok(profile));
}

#[test]
fn an_orders_journal_entry_fits_one_write_unit_even_with_the_longest_key() {
    let entry = Entry {
        id: EntryId {
            effective_at: at("2026-03-01T12:34:56.789Z"),
            cause: Cause::Order(OrderKey::new("k".repeat(domain::ids::MAX_ID_BYTES)).unwrap()),
            n: 999_999,
        },
        sequence: u64::MAX,
        recorded_at: at("2026-03-01T12:34:56.789Z"),
        points: Points(i64::MIN),
        lifetime_points: Points(i64::MIN),
        status_points: Points(i64::MIN),
        counts: -1,
        kind: Kind::Order { revision: u64::MAX },
        audience: Audience::Nobody,
        came_with: None,
    };
    let member = MemberId::new("m".repeat(36)).unwrap();
    let size = size_of(&entry_item(&member, &entry).unwrap());
    assert!(size <= WRITE_UNIT, "{size} bytes");
}

#[test]
fn a_snapshot_leaves_most_of_a_write_unit_to_key_owner_and_bookkeeping() {
    let snapshot = Snapshot {
        updated_at: at("2026-03-01T12:34:56.789Z"),
        currency: Currency::new("EUR").unwrap(),
        goods: Goods { amount: i64::MAX, tax: i64::MAX, tax_included: true },
        payment: Payment::Partial { paid: i64::MAX, total: i64::MAX },
        cancelled: true,
        test: true,
        coupons: Default::default(),
    };
    let size = size_of(&snapshot_attributes(&snapshot).unwrap());
    assert!(size <= WRITE_UNIT / 4, "{size} bytes");
}
