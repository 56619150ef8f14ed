//! A coupon, and what orders have said of it.

use serde::{Deserialize, Serialize};

use crate::ids::{CouponCode, MemberId, OrderKey, RewardId};
use crate::order::OrderState;
use crate::points::Points;
use crate::time::Timestamp;

/// The most orders that a coupon remembers. A code that more orders use at once is shared in public; what further ones
/// say of it changes nothing.
pub const MAX_USES: usize = 50;

/// A coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredCoupon")]
pub struct Coupon {
    /// What is typed at the checkout.
    pub code: CouponCode,
    /// The member's coupon of which number.
    pub number: u32,
    /// Which reward.
    pub reward: RewardId,
    /// The points it cost.
    pub points: Points,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Whether it can still be used, as far as it was settled; that it has ended since follows from the date.
    pub state: CouponState,
    /// The orders that have used it, and whether they still do; oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<CouponUse>,
    /// Whose it is, where that is a member who has become part of this one: it goes with them if the merge is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_with: Option<MemberId>,
}

/// What an order said of a coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponUse {
    /// Which order.
    pub order: OrderKey,
    /// As of which revision of it.
    pub revision: u64,
    /// Whether the order stands and uses the coupon; if not, it has given it back.
    pub stands: bool,
}

/// Whether a coupon was used, taken back or left to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouponState {
    /// Waiting to be used.
    Issued,
    /// Used by an order that stands.
    Redeemed,
    /// Taken back to cover a refund.
    Voided,
    /// It ended unused, and that was posted.
    Expired,
}

impl Coupon {
    /// Whether it can be used at a moment.
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.state == CouponState::Issued && self.ends_at.is_none_or(|end| end > at)
    }

    /// The coupon as an order leaves it; nothing where the order says nothing new. An order that says it late, after a
    /// newer revision, is not heard. A coupon is used as long as one order that stands uses it.
    pub fn told_by(&self, order: &OrderState) -> Option<Self> {
        let stands = order.uses(&self.code);
        let mut uses = self.uses.clone();
        match uses.iter_mut().find(|known| known.order == order.key) {
            Some(known) if known.revision > order.revision || known.stands == stands => return None,
            Some(known) => (known.revision, known.stands) = (order.revision, stands),
            None if !stands => return None,
            None => {
                if uses.len() >= MAX_USES {
                    let given_back = uses.iter().position(|known| !known.stands)?;
                    uses.remove(given_back);
                }
                uses.push(CouponUse { order: order.key.clone(), revision: order.revision, stands });
            }
        }
        let state = if uses.iter().any(|known| known.stands) {
            CouponState::Redeemed
        } else if self.state == CouponState::Redeemed {
            CouponState::Issued
        } else {
            self.state
        };
        Some(Self { state, uses, ..self.clone() })
    }
}

/// A coupon as it is stored. One of before knows only the order that last used it or gave it back.
#[derive(Deserialize)]
struct StoredCoupon {
    code: CouponCode,
    number: u32,
    reward: RewardId,
    points: Points,
    issued_at: Timestamp,
    #[serde(default)]
    ends_at: Option<Timestamp>,
    state: CouponState,
    #[serde(default)]
    uses: Vec<CouponUse>,
    #[serde(default)]
    used_by: Option<LastUse>,
    #[serde(default)]
    came_with: Option<MemberId>,
}

#[derive(Deserialize)]
struct LastUse {
    order: OrderKey,
    revision: u64,
}

impl From<StoredCoupon> for Coupon {
    fn from(stored: StoredCoupon) -> Self {
        let StoredCoupon {
            code,
            number,
            reward,
            points,
            issued_at,
            ends_at,
            state,
            mut uses,
            used_by,
            came_with,
        } = stored;
        if let Some(LastUse { order, revision }) = used_by.filter(|_| uses.is_empty()) {
            uses.push(CouponUse { order, revision, stands: state == CouponState::Redeemed });
        }
        Self { code, number, reward, points, issued_at, ends_at, state, uses, came_with }
    }
}
