//! Members as they are read: profile, journal, coupons.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Cause, Coupon, CouponCode, Entry, MemberId, Profile, RaterHistory, RaterId, Timestamp};

use crate::items::{
    MemberItem, OnceBody, RaterItem, entry_of, member_key, profile_of, rater_key, read, sha256, text,
};
use crate::keys::{self, members};
use crate::{Consistency, JournalCursor, Store, StoreError};

/// How many merges one after the other lead from one member to another. A shop merges the same person once or twice.
const MAX_MERGES: usize = 32;

/// A member as found, perhaps by way of others who have become part of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    /// Whoever it is now.
    pub profile: Profile,
    /// Who led there, one after the other.
    pub way: Vec<MemberId>,
}

impl Current {
    /// Whether a member is this one, or is on the way to them.
    pub fn is(&self, member: &MemberId) -> bool {
        self.profile.member == *member || self.way.contains(member)
    }
}

/// Whether something was asked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Never.
    Never,
    /// The very same.
    Before,
    /// Something else under the same cause.
    Differently,
}

impl Store {
    /// A member's profile.
    pub async fn profile(
        &self,
        member: &MemberId,
        consistency: Consistency,
    ) -> Result<Option<Profile>, StoreError> {
        let item = self.member_item(member, members::PROFILE, consistency).await?;
        Ok(item.map(profile_of).transpose()?)
    }

    /// The profile of a member, or of the one that this one has become part of.
    pub async fn current_profile(
        &self,
        member: &MemberId,
        consistency: Consistency,
    ) -> Result<Option<Profile>, StoreError> {
        Ok(self.current_member(member, consistency).await?.map(|current| current.profile))
    }

    /// As [`Store::current_profile`], with the way to it.
    pub async fn current_member(
        &self,
        member: &MemberId,
        consistency: Consistency,
    ) -> Result<Option<Current>, StoreError> {
        let mut profile = self.profile(member, consistency).await?;
        let mut way = Vec::new();
        while let Some(Profile { member, account, .. }) = &profile
            && let Some(into) = account.merged_into.clone()
        {
            way.push(member.clone());
            if way.len() > MAX_MERGES {
                let problem = format!("member {member} was merged more than {MAX_MERGES} times");
                return Err(StoreError::Permanent(problem));
            }
            profile = self.profile(&into, Consistency::Strong).await?;
        }
        Ok(profile.map(|profile| Current { profile, way }))
    }

    /// Every journal entry that takes effect at or after a moment, in key order, every page followed.
    pub async fn journal_since(
        &self,
        member: &MemberId,
        since: Timestamp,
        consistency: Consistency,
    ) -> Result<Vec<Entry>, StoreError> {
        let from = keys::journal_from(since);
        let items = self.member_items(member, members::JOURNAL, &from, consistency).await?;
        Ok(items.into_iter().map(entry_of).collect::<Result<_, _>>()?)
    }

    /// What one cause has posted at its moment; a query of these entries alone.
    pub async fn entries_of(
        &self,
        member: &MemberId,
        effective_at: Timestamp,
        cause: &Cause,
        consistency: Consistency,
    ) -> Result<Vec<Entry>, StoreError> {
        let entries = keys::entries(effective_at, cause);
        let items = self.member_items(member, &entries, &entries, consistency).await?;
        Ok(items.into_iter().map(entry_of).collect::<Result<_, _>>()?)
    }

    /// A page of the journal, newest first, and where the next one begins.
    pub async fn journal_page(
        &self,
        member: &MemberId,
        cursor: Option<&JournalCursor>,
        limit: u16,
    ) -> Result<(Vec<Entry>, Option<JournalCursor>), StoreError> {
        if cursor.is_some_and(|cursor| keys::entry_id(&cursor.0).is_none()) {
            return Err(StoreError::BadCursor);
        }
        let page = self
            .client
            .query()
            .table_name(&self.tables.members)
            .key_condition_expression("#member = :member AND begins_with(#item, :journal)")
            .expression_attribute_names("#member", members::MEMBER)
            .expression_attribute_names("#item", members::ITEM)
            .expression_attribute_values(":member", text(member.as_str()))
            .expression_attribute_values(":journal", text(members::JOURNAL))
            .scan_index_forward(false)
            .limit(i32::from(limit.max(1)))
            .set_exclusive_start_key(cursor.map(|cursor| member_key(member, &cursor.0)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        let next = page.last_evaluated_key.as_ref().and_then(|key| key.get(members::ITEM)?.as_s().ok());
        let next = next.map(|item| JournalCursor(item.clone()));
        let entries = page.items.unwrap_or_default().into_iter().map(entry_of).collect::<Result<_, _>>()?;
        Ok((entries, next))
    }

    /// Every coupon, newest first.
    pub async fn coupons(
        &self,
        member: &MemberId,
        consistency: Consistency,
    ) -> Result<Vec<Coupon>, StoreError> {
        let items = self.member_items(member, members::COUPON, members::COUPON, consistency).await?;
        let mut coupons = items
            .into_iter()
            .map(|item| Ok(read::<MemberItem<Coupon>>(item)?.body))
            .collect::<Result<Vec<_>, StoreError>>()?;
        coupons.sort_by_key(|coupon| std::cmp::Reverse(coupon.number));
        Ok(coupons)
    }

    /// One coupon.
    pub async fn coupon(
        &self,
        member: &MemberId,
        code: &CouponCode,
        consistency: Consistency,
    ) -> Result<Option<Coupon>, StoreError> {
        let item = self.member_item(member, &keys::coupon(code), consistency).await?;
        Ok(item.map(|item| read::<MemberItem<Coupon>>(item).map(|coupon| coupon.body)).transpose()?)
    }

    /// Whether something that is posted once for ever was asked before.
    pub async fn asked(&self, member: &MemberId, cause: &Cause, request: &str) -> Result<Asked, StoreError> {
        let item = self.member_item(member, &keys::once(cause), Consistency::Strong).await?;
        let Some(item) = item else { return Ok(Asked::Never) };
        let before = read::<MemberItem<OnceBody>>(item)?.body.request;
        Ok(if before == sha256(request) { Asked::Before } else { Asked::Differently })
    }

    /// What a rater has given so far.
    pub async fn rater_history(&self, rater: &RaterId) -> Result<RaterHistory, StoreError> {
        let item = self.get(&self.tables.members, rater_key(rater), Consistency::Strong).await?;
        Ok(item.map(|item| read::<RaterItem>(item).map(|item| item.history)).transpose()?.unwrap_or_default())
    }
}
