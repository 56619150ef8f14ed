//! What a commit writes, told without a table.

use domain::member::Window;
use domain::{
    Account, Audience, Bookkeeping, Cause, Contact, Entry, EntryId, MemberId, OrderKey, Points, Profile,
    RewardId, SourceName, time,
};

use super::*;

const NOON: &str = "2026-03-01T12:00:00Z";

fn decision(version: u64, entries: Vec<Entry>, coupons: Vec<Coupon>) -> Decision {
    let noon = time::instant(NOON).unwrap();
    let window = Window {
        on: "2026-03-01".parse().unwrap(),
        sum: Points(10),
        changes_on: None,
        tier_changes_on: None,
        mixed: false,
        kept: None,
    };
    let bookkeeping = Bookkeeping {
        programme: 1,
        settled_to: noon,
        window,
        active_at: None,
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
        due_at: None,
    };
    let member = MemberId::new("m1").unwrap();
    let profile = Profile { member, version, enrolled_at: noon, account: Account::default(), bookkeeping };
    Decision {
        profile,
        entries,
        coupons,
        rater: None,
        receives_coupons: false,
        removed_coupons: Default::default(),
        once: None,
        changed: true,
        completed: true,
    }
}

fn entry(cause: Cause, n: u32, kind: Kind) -> Entry {
    let noon = time::instant(NOON).unwrap();
    Entry {
        id: EntryId { effective_at: noon, cause, n },
        sequence: 1,
        recorded_at: noon,
        points: Points(500),
        lifetime_points: Points::ZERO,
        status_points: Points::ZERO,
        counts: 0,
        kind,
        audience: Audience::Nobody,
        came_with: None,
    }
}

fn of_order(n: u32) -> Entry {
    entry(Cause::Order(OrderKey::new("shop#1").unwrap()), n, Kind::Order { revision: 1 })
}

fn coupon(state: CouponState) -> Coupon {
    Coupon {
        code: CouponCode::new("ABCD").unwrap(),
        number: 0,
        reward: RewardId::new("ten-percent").unwrap(),
        points: Points(5_000),
        issued_at: time::instant(NOON).unwrap(),
        ends_at: None,
        state,
        uses: Vec::new(),
        came_with: None,
    }
}

fn issued() -> Entry {
    let Coupon { code, reward, ends_at, .. } = coupon(CouponState::Issued);
    entry(
        Cause::Coupon(0),
        0,
        Kind::CouponIssued { code, reward, ends_at, told_from: None, on_request: None },
    )
}

fn planned(decision: &Decision) -> Vec<(Role, Condition)> {
    let writes = plan(&Commit { decision, enrolment: None, by_way_of: None }).unwrap();
    writes.into_iter().map(|write| (write.role, write.condition)).collect()
}

const NEW_ITEM: Condition = Condition::New(members::ITEM);
const NEW_KEY: Condition = Condition::New(directory::KEY);

#[test]
fn the_profile_comes_first_and_is_guarded_by_the_version_before() {
    assert_eq!(planned(&decision(1, vec![], vec![])), [(Role::Profile, NEW_ITEM)]);
    let seventh = decision(7, vec![of_order(0), of_order(1)], vec![]);
    let expected = [(Role::Profile, Condition::Version(6)), (Role::Entry, NEW_ITEM), (Role::Entry, NEW_ITEM)];
    assert_eq!(planned(&seventh), expected);
}

#[test]
fn a_coupon_is_issued_with_its_code_and_taken_back_only_while_issued() {
    let issuing = decision(1, vec![issued()], vec![coupon(CouponState::Issued)]);
    assert_eq!(planned(&issuing)[2..], [(Role::Coupon, NEW_ITEM), (Role::CouponCode, NEW_KEY)]);

    let voiding = decision(1, vec![of_order(0)], vec![coupon(CouponState::Voided)]);
    assert_eq!(planned(&voiding)[2..], [(Role::Coupon, Condition::StillIssued)]);

    let both = decision(1, vec![issued()], vec![coupon(CouponState::Voided)]);
    assert_eq!(planned(&both)[2..], [(Role::Coupon, NEW_ITEM), (Role::CouponCode, NEW_KEY)]);
}

#[test]
fn issued_is_stored_under_the_name_that_the_condition_looks_for() {
    let issuing = decision(1, vec![issued()], vec![coupon(CouponState::Issued)]);
    let writes = plan(&Commit { decision: &issuing, enrolment: None, by_way_of: None }).unwrap();
    assert_eq!(writes[2].item.get(members::STATE), Some(&text(ISSUED)));
}

#[test]
fn an_enrolment_takes_each_key_once_and_keeps_the_contact_where_there_is_one() {
    let customer = |id: &str| {
        DirectoryKey::Customer(SourceName::new("shop").unwrap(), domain::CustomerId::new(id).unwrap())
    };
    let roles = |contact| {
        let enrolment = Enrolment { keys: vec![customer("7"), customer("8"), customer("7")], contact };
        let decision = decision(1, vec![], vec![]);
        let writes =
            plan(&Commit { decision: &decision, enrolment: Some(&enrolment), by_way_of: None }).unwrap();
        let tables = writes.iter().map(Write::table).collect::<Vec<_>>();
        assert_eq!(tables[..3], [Table::Members, Table::Directory, Table::Directory]);
        writes.into_iter().skip(1).map(|write| (write.role, write.condition)).collect::<Vec<_>>()
    };
    let keys = [(Role::DirectoryKey, NEW_KEY), (Role::DirectoryKey, NEW_KEY)];
    assert_eq!(roles(Contact::default()), keys);
    let with_a_name = Contact { name: Some("A Name".to_owned()), ..Contact::default() };
    assert_eq!(roles(with_a_name)[2], (Role::Person, Condition::None));
}

#[test]
fn nothing_is_written_where_nothing_changed() {
    let unchanged = Decision { changed: false, ..decision(3, vec![], vec![]) };
    assert_eq!(planned(&unchanged), []);
}

#[test]
fn a_decision_that_no_transaction_can_hold_is_refused() {
    let refused = |decision: &Decision| {
        matches!(plan(&Commit { decision, enrolment: None, by_way_of: None }), Err(StoreError::Permanent(_)))
    };
    let entries = |count| (0..count).map(of_order).collect::<Vec<_>>();
    assert_eq!(planned(&decision(1, entries(99), vec![])).len(), MAX_WRITES);
    assert!(refused(&decision(1, entries(100), vec![])));
    assert!(refused(&decision(1, vec![of_order(MAX_N + 1)], vec![])));
    assert!(refused(&decision(0, vec![], vec![])));
}
