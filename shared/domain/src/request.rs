//! A reward that an operator issues to a member, for the points that it costs.

use serde::{Deserialize, Serialize};

use crate::ids::{Reason, RequestId, RewardId};
use crate::journal::Cause;

/// What an operator asks for; once for ever under its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewardRequest {
    /// Its identifier, chosen by whoever asks: the same again is the same request.
    pub id: RequestId,
    /// Which reward.
    pub reward: RewardId,
    /// By whom, and why.
    pub on_request: OnRequest,
}

/// Who asked for something, and why. The journal keeps both for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnRequest {
    /// Who: an operator's account, not a member.
    pub by: Reason,
    /// Why, in a few words that name no one.
    pub reason: Reason,
}

impl RewardRequest {
    /// The cause under which its coupon stands in the journal.
    pub fn cause(&self) -> Cause {
        Cause::Request(self.id.clone())
    }

    /// What was asked, as one text: the same again is the same.
    pub fn request(&self) -> String {
        self.reward.to_string()
    }
}
