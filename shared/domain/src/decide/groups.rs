//! A journal as a merge reads it: in the order of its keys, a part at a time, and what each cause posted in one sum.

use super::draft::Deltas;
use crate::ids::MemberId;
use crate::journal::{Cause, Entry, Kind, Posting};
use crate::points::Overflow;
use crate::time::Timestamp;

/// What a cause posted at its moment, in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The cause and its moment.
    pub posting: Posting,
    pub(super) deltas: Deltas,
    /// What the newest entry said that took nothing back with a merge.
    pub(super) kind: Option<Kind>,
    /// Whether the newest entry took all back.
    pub(super) is_given_back: bool,
    /// Whose it is, where that is a member who has become part of the journal's.
    pub(super) came_with: Option<MemberId>,
    /// How many entries the posting has, whosever.
    pub(super) entries: u32,
}

/// A part of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The posting after which it begins; nothing at the beginning of the journal.
    pub after: Option<Posting>,
    /// What it has, in the order of the journal's keys.
    pub groups: Vec<Group>,
    /// Whether the journal ends with it.
    pub is_last: bool,
}

/// What of a journal is summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Selection {
    All,
    /// What is another member's, and what was forgiven since they have become part of this one: whose debt that was
    /// only shows when they are two again.
    Theirs {
        member: MemberId,
        merged_at: Timestamp,
    },
}

/// Sums a journal's entries up as they come, in the order of their keys.
#[derive(Debug, Clone)]
pub struct Groups {
    selection: Selection,
    /// Of the posting that is under way: what is the other member's, or all, and what is both's.
    open: Option<[Group; 2]>,
}

impl Groups {
    /// Of a whole journal.
    pub fn of_all() -> Self {
        Self { selection: Selection::All, open: None }
    }

    /// Of what goes back to a member who became part of the journal's at a moment.
    pub fn of_theirs(member: MemberId, merged_at: Timestamp) -> Self {
        Self { selection: Selection::Theirs { member, merged_at }, open: None }
    }

    /// Takes the next entry in; gives what is complete before it.
    pub fn take(&mut self, entry: &Entry) -> Result<Vec<Group>, Overflow> {
        let is_next = self.open.as_ref().is_none_or(|[open, _]| !entry.id.is_of(&open.posting));
        let complete = if is_next { self.finish() } else { Vec::new() };
        let theirs = match &self.selection {
            Selection::All => None,
            Selection::Theirs { member, .. } => Some(member.clone()),
        };
        let new = |came_with| Group::new(entry.id.posting(), came_with);
        let [first, second] = self.open.get_or_insert_with(|| [new(theirs), new(None)]);
        first.entries = first.entries.checked_add(1).ok_or(Overflow)?;
        second.entries = first.entries;
        match &self.selection {
            Selection::All => first.add(entry)?,
            Selection::Theirs { .. } if first.came_with == entry.came_with => first.add(entry)?,
            Selection::Theirs { merged_at, .. } => {
                let is_forgiven = matches!(entry.id.cause, Cause::Forgiven(_));
                if is_forgiven && entry.came_with.is_none() && entry.recorded_at >= *merged_at {
                    second.add(entry)?;
                }
            }
        }
        Ok(complete)
    }

    /// What is under way, at the end of the journal.
    pub fn finish(&mut self) -> Vec<Group> {
        self.open.take().into_iter().flatten().filter(Group::is_any).collect()
    }
}

impl Group {
    fn new(posting: Posting, came_with: Option<MemberId>) -> Self {
        let (deltas, kind) = (Deltas::default(), None);
        Self { posting, deltas, kind, is_given_back: false, came_with, entries: 0 }
    }

    fn add(&mut self, entry: &Entry) -> Result<(), Overflow> {
        self.deltas = self.deltas.with(entry)?;
        self.is_given_back = matches!(entry.kind, Kind::GivenBack { .. });
        if !self.is_given_back {
            self.kind = Some(entry.kind.clone());
        }
        Ok(())
    }

    /// Whether there is anything that a merge takes along: points of any sort, or what an order or a rater said. What was
    /// all given back is gone.
    fn is_any(&self) -> bool {
        let is_something = self.deltas != Deltas::default();
        match &self.kind {
            None | Some(Kind::MergedInto { .. } | Kind::Reopened) => false,
            Some(
                Kind::Order { .. }
                | Kind::UnlinkedRefund { .. }
                | Kind::OpeningBalance { .. }
                | Kind::Rated { .. },
            ) => is_something || !self.is_given_back,
            Some(_) => is_something,
        }
    }

    /// Whether an order, or a refund without one, posted it.
    pub fn is_of_order(&self) -> bool {
        matches!(self.posting.cause, Cause::Order(_) | Cause::UnlinkedRefund(_))
    }

    /// Whether these entries of the same posting, in another journal, come to the same.
    pub fn is_told_by(&self, entries: &[Entry]) -> Result<bool, Overflow> {
        let mut told = Self::new(self.posting.clone(), None);
        for entry in entries {
            told.add(entry)?;
        }
        Ok(told.deltas == self.deltas && told.kind == self.kind)
    }
}
