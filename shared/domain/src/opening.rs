//! An opening balance: what a member had before the programme knew them.

use serde::{Deserialize, Serialize};

use crate::ids::MemberId;
use crate::journal::{Cause, EntryId};
use crate::points::Points;
use crate::time::Timestamp;

pub use crate::ids::Reason;

/// The points with which a member begins; once for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// How many; at least 1.
    pub points: Points,
    /// Why, in the operator's words.
    pub reason: Reason,
    /// From when they count for expiry, where that is said.
    pub dated: Option<Timestamp>,
}

impl Opening {
    /// The cause under which a member's opening balance stands in the journal.
    pub fn cause(member: &MemberId) -> Cause {
        Cause::Opening(member.clone())
    }

    /// What was asked, as one text: the same again is the same.
    pub fn request(&self) -> String {
        let dated = self.dated.map(|at| at.to_string()).unwrap_or_default();
        format!("{}\n{}\n{dated}", self.points.0, self.reason)
    }
}

/// Something that is posted once for ever, though its cause has no moment of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// What came of it; its cause is the key.
    pub entry: EntryId,
    /// What was asked.
    pub request: String,
}
