//! A decision in the making: the profile as it becomes, and what is posted on the way.

use std::collections::{BTreeMap, BTreeSet};

use super::hearing::{self, Hearing};
use super::{DecideError, Decision, MAX_COUPONS_PER_DECISION, Need, due, expiry, pending, window};
use crate::audience::Audience;
use crate::coupon::Coupon;
use crate::entropy::Entropy;
use crate::ids::CouponCode;
use crate::journal::{Cause, Entry, EntryId, Kind};
use crate::member::{Known, Profile};
use crate::opening::Once;
use crate::points::{Overflow, Points};
use crate::programme::{Programme, Programmes};
use crate::rating::RaterChange;
use crate::time::{TimeError, Timestamp};

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
        let audience = hearing::audience(self, &id, deltas.points, &kind)?;
        self.post_to(audience, id, deltas, kind)
    }

    /// As [`Draft::post`], of what was told before, in another member's journal.
    pub(super) fn post_again(&mut self, id: EntryId, deltas: Deltas, kind: Kind) -> Result<(), Stop> {
        self.post_to(Audience::Nobody, id, deltas, kind)
    }

    fn post_to(&mut self, audience: Audience, id: EntryId, deltas: Deltas, kind: Kind) -> Result<(), Stop> {
        let entry = Entry {
            sequence: self.sequence(),
            recorded_at: self.now,
            points: deltas.points,
            lifetime_points: deltas.lifetime_points,
            status_points: deltas.status_points,
            counts: deltas.counts,
            kind,
            id,
            audience,
        };
        self.profile.account.fold(&entry)?;
        window::take_in(self, &entry)?;
        pending::take_in(self, &entry)?;
        expiry::take_in(self, &entry)?;
        self.entries.push(entry);
        Ok(())
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
        Stop::Needs(Need { journal_since: Some(since), coupons: false })
    }

    /// The key of the next entry of a cause, where earlier ones must be looked for.
    pub(super) fn next_id(&self, effective_at: Timestamp, cause: Cause) -> Result<EntryId, Stop> {
        let posted = self
            .journal_since(effective_at)?
            .filter(|entry| entry.id.effective_at == effective_at && entry.id.cause == cause)
            .count();
        let n = u32::try_from(posted).map_err(|_| Overflow)?;
        Ok(EntryId { effective_at, cause, n })
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
            None => return Err(Stop::Needs(Need { journal_since: None, coupons: true })),
        };
        let untouched = read.iter().filter(|coupon| !self.coupons.contains_key(&coupon.code));
        let all = untouched.chain(self.coupons.values());
        Ok(all.filter(|coupon| !self.removed_coupons.contains(&coupon.code)).cloned().collect())
    }

    /// Keeps a new or changed coupon; false, and the decision is full, when no more fit.
    pub(super) fn has_room_for_coupon(&mut self) -> bool {
        self.left_over = self.coupons.len() + self.removed_coupons.len() >= MAX_COUPONS_PER_DECISION;
        !self.left_over
    }

    pub(super) fn put_coupon(&mut self, coupon: Coupon) {
        self.coupons.insert(coupon.code.clone(), coupon);
    }

    /// Leaves a coupon to the member whose it was before.
    pub(super) fn remove_coupon(&mut self, code: CouponCode) {
        self.removed_coupons.insert(code);
    }

    /// Leaves what is not done yet to another decision.
    pub(super) fn leave_the_rest(&mut self) {
        self.left_over = true;
    }

    /// Whether the rest must wait for another decision.
    pub(super) fn is_full(&self) -> bool {
        self.left_over
    }

    pub(super) fn finish(mut self, review: bool) -> Result<Decision, TimeError> {
        hearing::gather_coupons(&mut self.entries, &mut self.hearing);
        self.profile.bookkeeping.cut_off = self.hearing.cut_off().filter(|_| self.left_over);
        due::update(&mut self, review)?;
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
