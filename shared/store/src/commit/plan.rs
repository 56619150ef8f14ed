//! What a commit writes, as a list of puts, each with its condition and its role: pure, so that it is tested
//! without a table.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Coupon, CouponCode, CouponState, Decision, Kind, MemberId, RaterChange, RaterHistory};

use super::{Commit, Enrolment};
use crate::expression::Placeholders;
use crate::items::{
    Attributes, DirectoryItem, coupon_item, entry_item, member_key, number, once_item, person_item,
    profile_item, rater_item, text, write,
};
use crate::keys::{self, MAX_N, directory, members};
use crate::{DirectoryKey, Role, StoreError};

/// The most writes that DynamoDB takes in one transaction.
pub(super) const MAX_WRITES: usize = 100;
/// How `CouponState::Issued` is stored.
const ISSUED: &str = "issued";

/// One action of the transaction.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Write {
    pub(super) role: Role,
    pub(super) action: Action,
    /// The whole item, or where it is not put, its key.
    pub(super) item: Attributes,
    pub(super) condition: Condition,
}

/// What is done with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// It is written.
    Put,
    /// It is removed, if it is there.
    Delete,
    /// It is only looked at.
    Check,
}

/// What must hold of the item that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing.
    None,
    /// There is none; the attribute is a key of the table.
    New(&'static str),
    /// There is one; the attribute is a key of the table.
    There(&'static str),
    /// It is the profile of this version.
    Version(u64),
    /// It is a coupon that was not taken back.
    StillIssued,
    /// It is the history of a rater as the rules saw it.
    Given(RaterHistory),
    /// It is the profile of a member who has become part of this one.
    MergedInto(MemberId),
}

/// Where a write goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Members,
    Directory,
}

impl Write {
    fn put(role: Role, item: Attributes, condition: Condition) -> Self {
        Self { role, action: Action::Put, item, condition }
    }

    pub(super) fn table(&self) -> Table {
        match self.role {
            Role::CouponCode | Role::DirectoryKey => Table::Directory,
            Role::Profile
            | Role::Entry
            | Role::Coupon
            | Role::Person
            | Role::Rater
            | Role::Merge
            | Role::Once
            | Role::Programme => Table::Members,
        }
    }
}

impl Condition {
    /// The condition expression, if there is a condition.
    pub(super) fn expression(&self, placeholders: &mut Placeholders) -> Option<String> {
        match self {
            Self::None => None,
            Self::New(key) => Some(format!("attribute_not_exists({})", placeholders.name(key))),
            Self::There(key) => Some(format!("attribute_exists({})", placeholders.name(key))),
            Self::Version(version) => {
                let (name, value) =
                    (placeholders.name(members::VERSION), placeholders.value(number(*version)));
                Some(format!("{name} = {value}"))
            }
            Self::StillIssued => {
                let (name, value) = (placeholders.name(members::STATE), placeholders.value(text(ISSUED)));
                Some(format!("{name} = {value}"))
            }
            Self::MergedInto(into) => {
                let (name, value) =
                    (placeholders.name(members::MERGED_INTO), placeholders.value(text(into.as_str())));
                Some(format!("{name} = {value}"))
            }
            Self::Given(history) => {
                let (name, value) =
                    (placeholders.name(members::RATINGS), placeholders.value(number(history.ratings)));
                let total = AttributeValue::N(history.total.to_string());
                let (total_name, total) = (placeholders.name(members::TOTAL), placeholders.value(total));
                Some(format!("{name} = {value} AND {total_name} = {total}"))
            }
        }
    }
}

/// Everything that two decisions write together: those of two members, who share nothing.
pub(super) fn plan_both(decisions: [&Decision; 2]) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    for decision in decisions {
        writes.extend(plan(&Commit { decision, enrolment: None, by_way_of: None })?);
    }
    check_size(&writes)?;
    Ok(writes)
}

/// Everything that a commit writes, the profile first; nothing where nothing changed.
pub(super) fn plan(commit: &Commit<'_>) -> Result<Vec<Write>, StoreError> {
    let Commit { decision, enrolment, by_way_of } = commit;
    if !decision.changed && enrolment.is_none() {
        return Ok(Vec::new());
    }
    let member = &decision.profile.member;
    let mut writes = vec![profile(decision)?];
    for entry in &decision.entries {
        if entry.id.n > MAX_N {
            return Err(StoreError::Permanent(format!("more than {MAX_N} entries of one cause")));
        }
        let condition = Condition::New(members::ITEM);
        writes.push(Write::put(Role::Entry, entry_item(member, entry)?, condition));
    }
    let issued_now = issued_now(decision);
    for coupon in &decision.coupons {
        if decision.receives_coupons && !issued_now.contains(&coupon.code) {
            // It was another member's, in whose journal it was issued; its code still leads there, and on.
            let item = coupon_item(member, coupon)?;
            writes.push(Write::put(Role::Coupon, item, Condition::None));
        } else {
            writes.extend(self::coupon(member, coupon, issued_now.contains(&coupon.code))?);
        }
    }
    for code in &decision.removed_coupons {
        let item = member_key(member, &keys::coupon(code));
        let (action, condition) = (Action::Delete, Condition::None);
        writes.push(Write { role: Role::Coupon, action, item, condition });
    }
    if let Some(from) = by_way_of {
        let item = member_key(from, members::PROFILE);
        let condition = Condition::MergedInto(member.clone());
        writes.push(Write { role: Role::Merge, action: Action::Check, item, condition });
    }
    if let Some(change) = &decision.rater {
        writes.push(rater(change)?);
    }
    if let Some(once) = &decision.once {
        let condition = Condition::New(members::ITEM);
        writes.push(Write::put(Role::Once, once_item(member, once)?, condition));
    }
    if let Some(enrolment) = enrolment {
        writes.extend(self::enrolment(member, enrolment)?);
    }
    check_size(&writes)?;
    Ok(writes)
}

/// The rules see to it that a decision leaves room for what comes beside it.
fn check_size(writes: &[Write]) -> Result<(), StoreError> {
    if writes.len() > MAX_WRITES {
        return Err(StoreError::Permanent(format!("{} writes are too many for one commit", writes.len())));
    }
    Ok(())
}

fn profile(decision: &Decision) -> Result<Write, StoreError> {
    let condition = match decision.profile.version {
        0 => return Err(StoreError::Permanent("a commit must raise the profile's version".to_owned())),
        1 => Condition::New(members::ITEM),
        version => Condition::Version(version - 1),
    };
    Ok(Write::put(Role::Profile, profile_item(&decision.profile)?, condition))
}

/// The coupons that this very decision issued; it may have taken one of them back again.
fn issued_now(decision: &Decision) -> HashSet<&CouponCode> {
    let issued = decision.entries.iter().filter_map(|entry| match &entry.kind {
        Kind::CouponIssued { code, .. } if entry.came_with.is_none() => Some(code),
        _ => None,
    });
    issued.collect()
}

fn coupon(member: &MemberId, coupon: &Coupon, is_new: bool) -> Result<Vec<Write>, StoreError> {
    let item = coupon_item(member, coupon)?;
    if !is_new {
        let condition = match coupon.state {
            CouponState::Voided => Condition::StillIssued,
            CouponState::Redeemed | CouponState::Issued | CouponState::Expired => {
                Condition::There(members::ITEM)
            }
        };
        return Ok(vec![Write::put(Role::Coupon, item, condition)]);
    }
    Ok(vec![
        Write::put(Role::Coupon, item, Condition::New(members::ITEM)),
        found_by(&DirectoryKey::Coupon(coupon.code.clone()), member, Role::CouponCode)?,
    ])
}

fn rater(change: &RaterChange) -> Result<Write, StoreError> {
    let condition = match change.before.ratings {
        0 => Condition::New(members::ITEM),
        _ => Condition::Given(change.before),
    };
    Ok(Write::put(Role::Rater, rater_item(&change.rater, change.after)?, condition))
}

fn enrolment(member: &MemberId, enrolment: &Enrolment) -> Result<Vec<Write>, StoreError> {
    // One transaction may name an item only once.
    let mut seen = HashSet::new();
    let mut writes = Vec::new();
    for key in enrolment.keys.iter().filter(|key| seen.insert(*key)) {
        writes.push(found_by(key, member, Role::DirectoryKey)?);
    }
    if !enrolment.contact.is_empty() {
        let item = person_item(member, &enrolment.contact)?;
        writes.push(Write::put(Role::Person, item, Condition::None));
    }
    Ok(writes)
}

fn found_by(key: &DirectoryKey, member: &MemberId, role: Role) -> Result<Write, StoreError> {
    let item = DirectoryItem { key: keys::directory_key(key), member: member.clone() };
    Ok(Write::put(role, write(&item)?, Condition::New(directory::KEY)))
}
