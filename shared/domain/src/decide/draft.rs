//! A decision in the making: the profile as it becomes, and what is posted on the way.

use std::collections::{BTreeMap, BTreeSet};

use super::hearing::{self, Hearing};
use super::{
    DecideError, Decision, MAX_COUPONS_PER_DECISION, MAX_WRITES_PER_DECISION, Need, due, expiry, pending,
    window,
};
use crate::audience::Audience;
use crate::coupon::Coupon;
use crate::entropy::Entropy;
use crate::ids::{CouponCode, MemberId};
use crate::journal::{Cause, Entry, EntryId, Kind, Posting};
use crate::member::{Known, Profile};
use crate::opening::Once;
use crate::points::{Overflow, Points};
use crate::programme::{Programme, Programmes};
use crate::rating::RaterChange;
use crate::time::Timestamp;

/// Why a decision cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// Something must be read first.
    Needs(Need),
    /// It can never succeed.
    Error(DecideError),
}

impl<E: Into<DecideError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// What one posting does to the account and the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Deltas {
    pub(super) points: Points,
    pub(super) lifetime_points: Points,
    pub(super) status_points: Points,
    pub(super) counts: i8,
}

impl Deltas {
    pub(super) fn points(points: Points) -> Self {
        Self { points, ..Self::default() }
    }

    pub(super) fn of(entry: &Entry) -> Self {
        let Entry { points, lifetime_points, status_points, counts, .. } = *entry;
        Self { points, lifetime_points, status_points, counts }
    }

    pub(super) fn with(self, entry: &Entry) -> Result<Self, Overflow> {
        Ok(Self {
            points: self.points.plus(entry.points)?,
            lifetime_points: self.lifetime_points.plus(entry.lifetime_points)?,
            status_points: self.status_points.plus(entry.status_points)?,
            counts: self.counts.checked_add(entry.counts).ok_or(Overflow)?,
        })
    }

    pub(super) fn less(self, other: Self) -> Result<Self, Overflow> {
        Ok(Self {
            points: self.points.minus(other.points)?,
            lifetime_points: self.lifetime_points.minus(other.lifetime_points)?,
            status_points: self.status_points.minus(other.status_points)?,
            counts: self.counts.checked_sub(other.counts).ok_or(Overflow)?,
        })
    }
}

/// What of a decision's writes settling leaves to the command itself: an entry, and what goes with it.
const WRITES_OF_A_COMMAND: usize = 4;
/// A coupon takes its entry, its item and, where it is new, its code in the directory.
const WRITES_OF_A_COUPON: usize = 3;

pub(super) struct Draft<'a> {
    pub(super) programmes: &'a Programmes,
    pub(super) entropy: &'a mut Entropy,
    pub(super) profile: Profile,
    pub(super) entries: Vec<Entry>,
    coupons: BTreeMap<CouponCode, Coupon>,
    removed_coupons: BTreeSet<CouponCode>,
    before: &'a Profile,
    known: &'a Known,
    now: Timestamp,
    left_over: bool,
    /// Whether the coupons put were another member's until now.
    pub(super) receives_coupons: bool,
    /// What a rating adds to its rater's history.
    pub(super) rater: Option<RaterChange>,
    /// What is posted once for ever.
    pub(super) once: Option<Once>,
    /// Who hears of what is posted.
    pub(super) hearing: Hearing,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        programmes: &'a Programmes,
        before: &'a Profile,
        known: &'a Known,
        now: Timestamp,
        entropy: &'a mut Entropy,
    ) -> Self {
        Self {
            programmes,
            entropy,
            profile: before.clone(),
            entries: Vec::new(),
            coupons: BTreeMap::new(),
            removed_coupons: BTreeSet::new(),
            before,
            known,
            now,
            left_over: false,
            receives_coupons: false,
            rater: None,
            once: None,
            hearing: Hearing::of(programmes, before, now),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// The moment to which a decision settles in the end.
    pub(super) fn until(&self) -> Timestamp {
        self.now.max(self.profile.bookkeeping.settled_to)
    }

    /// What the calendar alone would post from here on; nothing where that is larger than one decision.
    pub(super) fn calendar_alone(&self) -> Result<Option<Vec<Entry>>, Stop> {
        let mut entropy = self.entropy.clone();
        let mut calendar = Draft {
            entropy: &mut entropy,
            profile: self.profile.clone(),
            entries: self.entries.clone(),
            coupons: self.coupons.clone(),
            removed_coupons: self.removed_coupons.clone(),
            hearing: self.hearing.clone(),
            rater: None,
            once: None,
            ..*self
        };
        super::settle(&mut calendar, self.until())?;
        Ok((!calendar.is_full()).then_some(calendar.entries))
    }

    pub(super) fn programme_at(&self, moment: Timestamp) -> &'a Programme {
        &self.programmes.at(moment).programme
    }

    /// Adds an entry and folds it into the account and the window.
    pub(super) fn post(&mut self, id: EntryId, deltas: Deltas, kind: Kind) -> Result<(), Stop> {
        self.post_of(None, id, deltas, kind)
    }

    /// As [`Draft::post`], of what is a member's who has become part of this one.
    pub(super) fn post_of(
        &mut self,
        came_with: Option<MemberId>,
        id: EntryId,
        deltas: Deltas,
        kind: Kind,
    ) -> Result<(), Stop> {
        let audience = hearing::audience(self, &id, deltas.points, &kind)?;
        let entry = Entry { audience, came_with, ..self.entry(id, deltas, kind) };
        self.take_in(entry)
    }

    /// As [`Draft::post_of`], of what was told before, in another member's journal.
    pub(super) fn post_again(
        &mut self,
        came_with: Option<MemberId>,
        id: EntryId,
        deltas: Deltas,
        kind: Kind,
    ) -> Result<(), Stop> {
        let entry = Entry { came_with, ..self.entry(id, deltas, kind) };
        self.take_in(entry)
    }

    /// Adds an entry that leaves the bookkeeping as it is: what closes an account, or opens it again.
    pub(super) fn fold(&mut self, id: EntryId, deltas: Deltas, kind: Kind) -> Result<(), Stop> {
        let entry = self.entry(id, deltas, kind);
        self.profile.account.fold(&entry)?;
        self.entries.push(entry);
        Ok(())
    }

    fn take_in(&mut self, entry: Entry) -> Result<(), Stop> {
        self.profile.account.fold(&entry)?;
        window::take_in(self, &entry)?;
        pending::take_in(self, &entry)?;
        expiry::take_in(self, &entry)?;
        self.entries.push(entry);
        Ok(())
    }

    fn entry(&self, id: EntryId, deltas: Deltas, kind: Kind) -> Entry {
        Entry {
            sequence: self.sequence(),
            recorded_at: self.now,
            points: deltas.points,
            lifetime_points: deltas.lifetime_points,
            status_points: deltas.status_points,
            counts: deltas.counts,
            kind,
            id,
            audience: Audience::Nobody,
            came_with: None,
        }
    }

    /// The member by whose name this one was found, who has become part of this one.
    pub(super) fn by_way_of(&self) -> Option<MemberId> {
        self.known.by_way_of.clone()
    }

    /// The sequence of the commit in the making.
    pub(super) fn sequence(&self) -> u64 {
        self.before.version.saturating_add(1)
    }

    /// Every entry that takes effect at or after a moment: read ones, then our own.
    pub(super) fn journal_since(&self, since: Timestamp) -> Result<impl Iterator<Item = &Entry>, Stop> {
        let read = if self.before.is_new() { Some(&[][..]) } else { self.known.journal_since(since) };
        let read = read.ok_or_else(|| self.need_journal(since))?;
        Ok(read.iter().chain(self.entries.iter().filter(move |entry| entry.id.effective_at >= since)))
    }

    fn need_journal(&self, since: Timestamp) -> Stop {
        let read_since = self.known.journal.as_ref().map(|(read_since, _)| *read_since);
        let since = read_since.map_or(since, |read_since| read_since.min(since));
        Stop::Needs(Need { journal_since: Some(since), ..Need::default() })
    }

    /// Every entry of a posting: read ones, then our own. Nothing else of the journal is read for it.
    pub(super) fn entries_of(&self, posting: &Posting) -> Result<Vec<&Entry>, Stop> {
        let read = if self.before.is_new() { Some(Vec::new()) } else { self.known.entries_of(posting) };
        let Some(mut entries) = read else {
            return Err(Stop::Needs(Need { postings: vec![posting.clone()], ..Need::default() }));
        };
        entries.extend(self.entries.iter().filter(|entry| entry.id.is_of(posting)));
        Ok(entries)
    }

    /// Asks for the entries of several postings at once.
    pub(super) fn need_entries_of<'b>(
        &self,
        postings: impl IntoIterator<Item = &'b Posting>,
    ) -> Result<(), Stop> {
        let is_unread = |posting: &&Posting| self.known.entries_of(posting).is_none();
        let postings: Vec<Posting> = postings.into_iter().filter(is_unread).cloned().collect();
        if postings.is_empty() || self.before.is_new() {
            return Ok(());
        }
        Err(Stop::Needs(Need { postings, ..Need::default() }))
    }

    /// The key of the next entry of a cause, where earlier ones must be looked for.
    pub(super) fn next_id(&self, effective_at: Timestamp, cause: Cause) -> Result<EntryId, Stop> {
        let posting = Posting { effective_at, cause };
        let n = u32::try_from(self.entries_of(&posting)?.len()).map_err(|_| Overflow)?;
        Ok(EntryId { effective_at, cause: posting.cause, n })
    }

    /// As [`Draft::next_id`], of a cause that no other commit can have.
    pub(super) fn next_id_of_commit(&self, effective_at: Timestamp, cause: Cause) -> EntryId {
        let posted = self.entries.iter().filter(|entry| entry.id.cause == cause).count();
        EntryId { effective_at, n: u32::try_from(posted).unwrap_or(u32::MAX), cause }
    }

    /// The unused coupons that can still be voided, newest first.
    pub(super) fn live_coupons(&self, moment: Timestamp) -> Result<Vec<Coupon>, Stop> {
        let mut live = self.all_coupons()?;
        live.retain(|coupon| coupon.is_live(moment));
        live.sort_by_key(|coupon| std::cmp::Reverse(coupon.number));
        Ok(live)
    }

    /// Every coupon, as this decision leaves it.
    pub(super) fn all_coupons(&self) -> Result<Vec<Coupon>, Stop> {
        let read = match &self.known.coupons {
            Some(coupons) => coupons.as_slice(),
            None if self.before.is_new() => &[],
            None => return Err(Stop::Needs(Need { coupons: true, ..Need::default() })),
        };
        let untouched = read.iter().filter(|coupon| !self.coupons.contains_key(&coupon.code));
        let all = untouched.chain(self.coupons.values());
        Ok(all.filter(|coupon| !self.removed_coupons.contains(&coupon.code)).cloned().collect())
    }

    /// Whether one more coupon can be issued, changed or removed; if not, the decision is full.
    pub(super) fn has_room_for_coupon(&mut self) -> bool {
        let coupons = self.coupons.len() + self.removed_coupons.len();
        self.left_over |= coupons >= MAX_COUPONS_PER_DECISION;
        self.has_room_for(WRITES_OF_A_COUPON)
    }

    /// Whether so many more writes fit beside the command's own; if not, the decision is full, and the rest is decided
    /// by another one.
    pub(super) fn has_room_for(&mut self, writes: usize) -> bool {
        self.left_over |= self.writes() + writes + WRITES_OF_A_COMMAND > MAX_WRITES_PER_DECISION;
        !self.left_over
    }

    fn writes(&self) -> usize {
        let coupons = self.coupons.len() + self.removed_coupons.len();
        super::writes(&self.entries, coupons, self.rater.is_some(), self.once.is_some())
    }

    pub(super) fn put_coupon(&mut self, coupon: Coupon) {
        self.coupons.insert(coupon.code.clone(), coupon);
    }

    /// Leaves a coupon to the member whose it was before.
    pub(super) fn remove_coupon(&mut self, code: CouponCode) {
        self.removed_coupons.insert(code);
    }

    /// Whether the rest must wait for another decision.
    pub(super) fn is_full(&self) -> bool {
        self.left_over
    }

    pub(super) fn finish(mut self, review: bool) -> Result<Decision, DecideError> {
        hearing::gather_coupons(&mut self.entries, &mut self.hearing);
        self.profile.bookkeeping.cut_off = self.hearing.cut_off().filter(|_| self.left_over);
        due::update(&mut self, review)?;
        if self.writes() > MAX_WRITES_PER_DECISION {
            return Err(DecideError::TooManyWrites(self.writes()));
        }
        let has_coupons = !self.coupons.is_empty() || !self.removed_coupons.is_empty();
        let changed =
            self.before.is_new() || has_coupons || !self.entries.is_empty() || self.bookkeeping_changed();
        if changed {
            self.profile.version = self.sequence();
        }
        Ok(Decision {
            profile: self.profile,
            entries: self.entries,
            coupons: self.coupons.into_values().collect(),
            removed_coupons: self.removed_coupons,
            receives_coupons: self.receives_coupons,
            rater: self.rater,
            once: self.once,
            changed,
            completed: !self.left_over,
        })
    }

    /// That time went by is no change worth a write.
    fn bookkeeping_changed(&self) -> bool {
        let mut after = self.profile.bookkeeping.clone();
        after.settled_to = self.before.bookkeeping.settled_to;
        after.window.on = self.before.bookkeeping.window.on;
        after != self.before.bookkeeping
    }
}
