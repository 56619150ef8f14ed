//! A member as the rules see one: the account, the bookkeeping, and what was read of journal and coupons.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coupon::Coupon;
use crate::ids::{LevelId, MemberId};
use crate::journal::{Cause, Entry, Kind, Posting};
use crate::points::{Overflow, Points};
use crate::programme::Programmes;
use crate::rating::Rated;
use crate::time::{Date, Timestamp, date_of};

/// The fold of the journal: nothing here that the journal does not give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// All points, pending ones among them; below 0 after an uncovered refund.
    pub balance: Points,
    /// What the orders' goods earned before refunds.
    pub lifetime_points: Points,
    /// How much debt was forgiven; apart from what was posted.
    #[serde(default, skip_serializing_if = "Points::is_zero_ref")]
    pub forgiven: Points,
    /// The tier held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<LevelId>,
    /// How many coupons were ever issued; also the number of the next.
    #[serde(default)]
    pub coupons_issued: u32,
    /// The member that this one has become part of; whoever looks for this one finds that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<MemberId>,
}

impl Points {
    pub(crate) fn is_zero_ref(points: &Points) -> bool {
        points.is_zero()
    }
}

impl Account {
    /// Adds one entry. Folding a whole journal in order of sequence, from [`Account::default`], gives the account.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), Overflow> {
        self.balance = self.balance.plus(entry.points)?;
        self.lifetime_points = self.lifetime_points.plus(entry.lifetime_points)?;
        match &entry.kind {
            // Of the coupons that came along, the merge says how many.
            Kind::CouponIssued { .. } if entry.came_with.is_none() => {
                self.coupons_issued = self.coupons_issued.checked_add(1).ok_or(Overflow)?;
            }
            Kind::Forgiven => self.forgiven = self.forgiven.plus(entry.points)?,
            Kind::TierChanged { to, .. } => self.tier.clone_from(to),
            Kind::MergedInto { into, .. } => {
                self.tier = None;
                self.merged_into = Some(into.clone());
            }
            Kind::MergeReceived { coupons, .. } => {
                self.coupons_issued = self.coupons_issued.checked_add(*coupons).ok_or(Overflow)?;
            }
            Kind::Reopened => self.merged_into = None,
            Kind::GivenBack { .. } if matches!(entry.id.cause, Cause::Forgiven(_)) => {
                self.forgiven = self.forgiven.plus(entry.points)?;
            }
            Kind::Order { .. }
            | Kind::CouponIssued { .. }
            | Kind::GivenBack { .. }
            | Kind::UnlinkedRefund { .. }
            | Kind::OpeningBalance { .. }
            | Kind::CouponVoided { .. }
            | Kind::CouponRedeemed { .. }
            | Kind::CouponReturned { .. }
            | Kind::CouponExpired { .. }
            | Kind::Expired
            | Kind::ExpiryReminder { .. }
            | Kind::Rated { .. } => {}
        }
        Ok(())
    }
}

/// What saves reading the journal: it can be recomputed from journal, programme and date at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookkeeping {
    /// The programme's version under which this was computed.
    pub programme: u32,
    /// The moment to which the member was settled; it never goes back.
    pub settled_to: Timestamp,
    /// The status points of the window.
    pub window: Window,
    /// What expiry counts from: the newest order that counts, else the first points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Timestamp>,
    /// Whether that is no activity, but the first points of somebody who never was active.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_activity: bool,
    /// From when on the expiries are still to be reconciled; absent where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiries_from: Option<Timestamp>,
    /// What runs out next, under expiry after earning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_expiry: Option<NextExpiry>,
    /// What orders earned that cannot be spent yet; absent when there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// The latest instant at which points ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_expiry_at: Option<Timestamp>,
    /// The moment of the newest reminder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<Timestamp>,
    /// The latest date of a change of tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_changed_on: Option<Date>,
    /// The ratings that count; absent when there never was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rated: Option<Rated>,
    /// No coupon that could be voided ends later than this; absent when none was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupons_end_at: Option<Timestamp>,
    /// A lower bound on the next moment at which an unused coupon ends, [`FOREVER`](crate::time::FOREVER) where none
    /// does. Absent where there is none, or where that is not known yet: profiles of before kept no such date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_coupon_end: Option<Timestamp>,
    /// The coupons of the present hour; kept only while the programme has a limit for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupons_of_hour: Option<CouponsOfHour>,
    /// What the next decision must know of the one before, where that was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_off: Option<CutOff>,
    /// The member whose account is being carried over to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving: Option<Receiving>,
    /// The member to whom what had come with a merge is being given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releasing: Option<MemberId>,
    /// The member from whom what had gone with a merge is coming back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regaining: Option<MemberId>,
    /// Up to where a journal has been carried over, or given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_up_to: Option<Posting>,
    /// A lower bound on the next moment at which the calendar could change this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// How many coupons were issued in an hour of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponsOfHour {
    /// Hours since 1970.
    pub hour: i64,
    /// Coupons.
    pub count: u32,
}

impl CouponsOfHour {
    /// Those of the hour of a moment.
    pub fn at(kept: Option<Self>, now: Timestamp) -> Self {
        let hour = now.as_second().div_euclid(3_600);
        kept.filter(|kept| kept.hour == hour).unwrap_or(Self { hour, count: 0 })
    }
}

/// What a decision that was larger than one commit leaves to the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOff {
    /// Whether the member is not told of what is left, because it follows from an import of the past.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// The number of the first coupon of which the member is yet to be told, together with those still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold_from: Option<u32>,
}

impl Bookkeeping {
    /// Whether the account is about to be merged, or parted: until all of it has come, or gone, the balance is nobody's.
    pub fn is_merging(&self) -> bool {
        self.receiving.is_some() || self.releasing.is_some() || self.regaining.is_some()
    }
}

/// A merge under way: larger than any transaction, so it is done in steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receiving {
    /// Whose account it is.
    pub from: MemberId,
    /// How many of its coupons have been carried over; absent while its journal is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupons: Option<u32>,
}

/// What runs out next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextExpiry {
    /// When.
    pub at: Timestamp,
    /// How many points.
    pub points: Points,
}

/// What cannot be spent until the return windows of its orders end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// How many points.
    pub points: Points,
    /// A lower bound on the moment at which the first of them mature.
    pub next_at: Timestamp,
}

/// The running sum of the tier window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The date on which the sum was right.
    pub on: Date,
    /// The status points of the window that ends on that date; floored when read, not when kept.
    pub sum: Points,
    /// A lower bound on the next date on which the calendar changes the sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes_on: Option<Date>,
    /// A lower bound on the next date on which the calendar changes the tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_changes_on: Option<Date>,
    /// Whether something negative is in the window, so that the calendar may also raise the sum.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mixed: bool,
    /// What is kept of a level that the sum no longer reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// A level that is kept for a while after it was last reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Which.
    pub level: LevelId,
    /// The first date without it.
    pub until: Date,
}

/// A member's profile: the account with its version, and the bookkeeping. No person in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Whose.
    pub member: MemberId,
    /// Counts the commits; 0 is not yet stored.
    pub version: u64,
    /// When the member came to the programme.
    pub enrolled_at: Timestamp,
    /// The fold of the journal.
    pub account: Account,
    /// What saves reading it.
    pub bookkeeping: Bookkeeping,
}

impl Profile {
    /// A member who is not stored yet.
    pub fn new(member: MemberId, enrolled_at: Timestamp, programmes: &Programmes) -> Self {
        let version = programmes.at(enrolled_at);
        Self {
            member,
            version: 0,
            enrolled_at,
            account: Account::default(),
            bookkeeping: Bookkeeping {
                programme: version.number,
                settled_to: enrolled_at,
                window: Window::empty(date_of(enrolled_at, &version.programme.time_zone)),
                active_at: None,
                without_activity: false,
                expiries_from: None,
                next_expiry: None,
                pending: None,
                last_expiry_at: None,
                reminded_at: None,
                tier_changed_on: None,
                rated: None,
                coupons_end_at: None,
                next_coupon_end: None,
                cut_off: None,
                receiving: None,
                releasing: None,
                regaining: None,
                merged_up_to: None,
                coupons_of_hour: None,
                due_at: None,
            },
        }
    }

    /// What the member can spend; below 0 after an uncovered refund.
    pub fn available(&self) -> Result<Points, Overflow> {
        self.account.balance.minus(self.pending())
    }

    /// What orders earned that cannot be spent yet.
    pub fn pending(&self) -> Points {
        self.bookkeeping.pending.map_or(Points::ZERO, |pending| pending.points)
    }

    /// Whether the journal cannot have anything yet.
    pub fn is_new(&self) -> bool {
        self.version == 0
    }
}

/// What has been read of a member beside the profile; the rules ask for more when they need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Every journal entry that takes effect at or after an instant, in key order.
    pub journal: Option<(Timestamp, Vec<Entry>)>,
    /// Every coupon of the member.
    pub coupons: Option<Vec<Coupon>>,
    /// Every entry of a posting, where nothing else of the journal is needed; without any where there are none.
    pub postings: BTreeMap<Posting, Vec<Entry>>,
    /// The member who was found, where they have become part of this one.
    pub by_way_of: Option<MemberId>,
}

impl Known {
    /// The entries from an instant on, if they were read.
    pub fn journal_since(&self, since: Timestamp) -> Option<&[Entry]> {
        let (read_since, entries) = self.journal.as_ref()?;
        if *read_since > since {
            return None;
        }
        let start = entries.partition_point(|entry| entry.id.effective_at < since);
        entries.get(start..)
    }

    /// The entries of a posting, if they were read.
    pub fn entries_of(&self, posting: &Posting) -> Option<Vec<&Entry>> {
        if let Some(entries) = self.journal_since(posting.effective_at) {
            let at_once = entries.iter().take_while(|entry| entry.id.effective_at == posting.effective_at);
            return Some(at_once.filter(|entry| entry.id.cause == posting.cause).collect());
        }
        self.postings.get(posting).map(|entries| entries.iter().collect())
    }
}
