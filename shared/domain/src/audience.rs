//! Who hears of a journal entry.

use serde::{Deserialize, Serialize};

use crate::journal::Kind;
use crate::points::Points;

/// Who hears of an entry. An event for integrators names no person; a message goes to the member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// No one: the entry is bookkeeping.
    #[default]
    Nobody,
    /// The integrators alone.
    Integrators,
    /// The member and the integrators.
    Everybody,
}

impl Audience {
    /// Who hears of an entry of this kind, where the member wants to know what is new.
    pub fn of(kind: &Kind, points: Points) -> Self {
        match kind {
            // An expiry that is taken back is no news.
            Kind::Expired if points >= Points::ZERO => Self::Nobody,
            Kind::Expired
            | Kind::CouponIssued { .. }
            | Kind::ExpiryReminder { .. }
            | Kind::TierChanged { .. } => Self::Everybody,
            Kind::CouponVoided { .. }
            | Kind::CouponRedeemed { .. }
            | Kind::CouponReturned { .. }
            | Kind::CouponExpired { .. } => Self::Integrators,
            Kind::Order { .. }
            | Kind::UnlinkedRefund { .. }
            | Kind::OpeningBalance { .. }
            | Kind::Forgiven
            | Kind::MergedInto { .. }
            | Kind::MergeReceived { .. }
            | Kind::GivenBack { .. }
            | Kind::Reopened
            | Kind::Rated { .. } => Self::Nobody,
        }
    }

    /// Whether no one hears of it.
    pub fn is_nobody(&self) -> bool {
        *self == Self::Nobody
    }
}
