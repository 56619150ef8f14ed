//! Who is due: the sparse index that a review reads, so that it costs what is due and never what exists.

use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{MemberId, Profile, Timestamp};
use serde::Deserialize;

use crate::expression::Update;
use crate::items::{Attributes, due_attributes, member_key, number, profile_of, read, text};
use crate::keys::{self, DUE_SHARDS, members};
use crate::writes::Written;
use crate::{Role, Store, StoreError};

/// How often one member is tried while others write the same profile; each try needs another writer to fail.
const ATTEMPTS_PER_MEMBER: u32 = 20;

/// A member whose time may have come.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DueMember {
    /// Who.
    pub member: MemberId,
    /// Since when.
    pub due_at: Timestamp,
}

impl DueMember {
    /// Where it stands in the index: the index's key and the table's.
    fn index_key(&self) -> Attributes {
        let mut key = member_key(&self.member, members::PROFILE);
        key.extend(due_attributes(&self.member, self.due_at));
        key
    }
}

/// The little of a profile that says when it is due.
#[derive(Deserialize)]
struct DueProfile {
    member: MemberId,
    version: u64,
    due_at: Option<Timestamp>,
}

impl Store {
    /// The members of a shard that are due up to a moment, earliest first: at most `limit` of them, those
    /// behind `after` where the page before ended there.
    pub async fn due_members(
        &self,
        shard: u8,
        until: Timestamp,
        after: Option<&DueMember>,
        limit: u16,
    ) -> Result<Vec<DueMember>, StoreError> {
        let until = domain::time::sortable(until);
        let condition = "#due_shard = :shard AND #due_at <= :until";
        let query = self
            .due_query(shard, limit)
            .key_condition_expression(condition)
            .set_exclusive_start_key(after.map(DueMember::index_key));
        let query = query.expression_attribute_names("#due_at", members::DUE_AT);
        self.due_page(query.expression_attribute_values(":until", text(until))).await
    }

    /// The earliest moment at which anybody is due.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut next = None;
        for shard in 0..DUE_SHARDS {
            let query = self.due_query(shard, 1).key_condition_expression("#due_shard = :shard");
            let first = self.due_page(query).await?.into_iter().next().map(|due| due.due_at);
            next = [next, first].into_iter().flatten().min();
        }
        Ok(next)
    }

    fn due_query(&self, shard: u8, limit: u16) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.tables.members)
            .index_name(members::DUE)
            .expression_attribute_names("#due_shard", members::DUE_SHARD)
            .expression_attribute_values(":shard", number(shard))
            .limit(i32::from(limit.max(1)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    async fn due_page(&self, query: QueryFluentBuilder) -> Result<Vec<DueMember>, StoreError> {
        let page = query.send().await.map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        Ok(page.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Shows every profile there is, in no order, and counts them.
    pub async fn each_profile(&self, mut see: impl FnMut(&Profile)) -> Result<u64, StoreError> {
        let (mut seen, mut start) = (0, None);
        loop {
            let page =
                self.scan_profiles(start).send().await.map_err(|error| StoreError::from_sdk(&error))?;
            self.meter.read(page.consumed_capacity());
            for item in page.items.unwrap_or_default() {
                see(&profile_of(item)?);
                seen += 1;
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(seen);
            }
        }
    }

    fn scan_profiles(&self, start: Option<Attributes>) -> ScanFluentBuilder {
        self.client
            .scan()
            .table_name(&self.tables.members)
            .filter_expression("#item = :profile")
            .expression_attribute_names("#item", members::ITEM)
            .expression_attribute_values(":profile", text(members::PROFILE))
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Makes every member due from a moment on, each at its own time within a span, and nobody later than
    /// before: for a new version of the programme that could bring dates forward. Returns how many were
    /// brought forward; run again after an error, it goes on.
    pub async fn make_everyone_due(&self, from: Timestamp, spread_over: Duration) -> Result<u64, StoreError> {
        let mut moved = 0;
        let mut start = None;
        loop {
            let page = self
                .scan_profiles(start)
                .projection_expression("#member, #version, #due_at")
                .expression_attribute_names("#member", members::MEMBER)
                .expression_attribute_names("#version", members::VERSION)
                .expression_attribute_names("#due_at", members::DUE_AT)
                .send()
                .await
                .map_err(|error| StoreError::from_sdk(&error))?;
            self.meter.read(page.consumed_capacity());
            for item in page.items.unwrap_or_default() {
                let profile: DueProfile = read(item)?;
                let due_at = own_moment(&profile.member, from, spread_over)?;
                moved += u64::from(self.bring_forward(profile, due_at).await?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(moved);
            }
        }
    }

    /// Whether the member's due date was moved.
    async fn bring_forward(&self, mut profile: DueProfile, due_at: Timestamp) -> Result<bool, StoreError> {
        let key = member_key(&profile.member, members::PROFILE);
        for _ in 0..ATTEMPTS_PER_MEMBER {
            if profile.due_at.is_some_and(|already| already <= due_at) {
                return Ok(false);
            }
            match self.update(&self.tables.members, key.clone(), bring_forward(&profile, due_at)).await? {
                Written::Done(_) => return Ok(true),
                Written::Refused(Some(newer)) => profile = read(newer)?,
                Written::Refused(None) => {}
            }
        }
        Err(StoreError::Conflict(Role::Profile))
    }
}

/// The version goes up with the date: a commit that is being decided now writes the whole profile, and would
/// put the old date back.
fn bring_forward(seen: &DueProfile, due_at: Timestamp) -> Update {
    let mut update = Update::default();
    for (attribute, value) in due_attributes(&seen.member, due_at) {
        update.set(&attribute, value);
    }
    update.count(members::VERSION);
    update.if_equal(members::VERSION, number(seen.version));
    update
}

/// A moment of the member's own within the span, always the same one.
fn own_moment(member: &MemberId, from: Timestamp, spread_over: Duration) -> Result<Timestamp, StoreError> {
    let span = u64::try_from(spread_over.as_millis()).unwrap_or(u64::MAX);
    let offset = keys::fnv1a(member.as_str().as_bytes()).checked_rem(span).unwrap_or_default();
    from.checked_add(Duration::from_millis(offset))
        .map_err(|_| StoreError::Permanent("the span leaves the calendar".to_owned()))
}
