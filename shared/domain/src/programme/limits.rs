//! How much of something is more than anybody means, so that somebody must look before it happens.

use serde::{Deserialize, Serialize};

use crate::decide::MAX_COUPONS_AT_ONCE;

/// Ceilings on coupons. What would go beyond one is put aside with its reason, and an alarm sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most coupons that an order may buy.
    #[serde(default = "most")]
    pub coupons_per_order: u32,
    /// The most coupons that are issued to a member in an hour of the clock, if there is a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupons_per_hour: Option<u32>,
}

fn most() -> u32 {
    u32::try_from(MAX_COUPONS_AT_ONCE).unwrap_or(u32::MAX)
}

impl Default for Limits {
    fn default() -> Self {
        Self { coupons_per_order: most(), coupons_per_hour: None }
    }
}

impl Limits {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
