//! Members as they are read: profile, coupons.

use domain::{Cause, Coupon, CouponCode, MemberId, Profile, RaterHistory, RaterId};

use crate::items::{MemberItem, OnceBody, RaterItem, member_key, profile_of, rater_key, read, sha256};
use crate::keys::{self, members};
use crate::transaction::Action;
use crate::{Consistency, Store, StoreError};

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

    /// Requires that nobody erased a member: together with this, whatever names a person may be written.
    pub(crate) fn is_not_erased(&self, member: &MemberId) -> Action<'_> {
        Action::Absent(&self.tables.members, member_key(member, members::ERASED), members::ITEM)
    }

    /// Whether a member was erased: the account is left, and nobody's.
    pub async fn is_erased(&self, member: &MemberId) -> Result<bool, StoreError> {
        Ok(self.member_item(member, members::ERASED, Consistency::Strong).await?.is_some())
    }
}
