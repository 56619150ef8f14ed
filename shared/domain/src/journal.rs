//! The journal: a member's append-only record. Ledger, activity feed and outbox at once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::ids::{
    CouponCode, IdError, LevelId, MemberId, OrderKey, RaterId, RatingId, Reason, RequestId, RewardId,
};
use crate::points::Points;
use crate::rating::Score;
use crate::request::OnRequest;
use crate::time::{self, Date, Period, Timestamp};

/// Why something was posted. With the moment of effect it is the entry's key, and so the idempotency record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Cause {
    /// An order; dated as it was placed.
    Order(OrderKey),
    /// A refund that names no order; dated as it was made.
    UnlinkedRefund(OrderKey),
    /// Points ran out at this instant.
    Expiry(Timestamp),
    /// A reminder of the expiry at this instant, one step before it.
    Reminder(Timestamp, Period),
    /// The tier was looked up on this date.
    Tier(Date),
    /// The member's coupon of this number, counted from 0.
    Coupon(u32),
    /// An unused coupon was taken back.
    Void(CouponCode),
    /// A coupon was used by an order, or came back from it; dated as the order was placed.
    Redemption(CouponCode),
    /// An operator asked for it; dated as it was done.
    Request(RequestId),
    /// A coupon ended unused; dated as it ended.
    CouponEnd(CouponCode),
    /// A debt was forgiven by the commit of this sequence.
    Forgiven(u64),
    /// Somebody rated the member; dated as it was given.
    Rating(RatingId),
    /// Two members turned out to be one; this is the other one.
    Merge(MemberId),
    /// What this member had before the programme knew them; dated as whoever told it says.
    Opening(MemberId),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(key) => write!(f, "order/{key}"),
            Self::UnlinkedRefund(key) => write!(f, "refund/{key}"),
            Self::Expiry(at) => write!(f, "expiry/{}", time::sortable(*at)),
            Self::Reminder(at, step) => write!(f, "reminder/{}/{step}", time::sortable(*at)),
            Self::Tier(date) => write!(f, "tier/{date}"),
            Self::Coupon(number) => write!(f, "coupon/{number}"),
            Self::Void(code) => write!(f, "void/{code}"),
            Self::Redemption(code) => write!(f, "redemption/{code}"),
            Self::Request(id) => write!(f, "request/{id}"),
            Self::CouponEnd(code) => write!(f, "coupon-end/{code}"),
            Self::Forgiven(sequence) => write!(f, "forgiven/{sequence}"),
            Self::Rating(id) => write!(f, "rating/{id}"),
            Self::Merge(member) => write!(f, "merge/{member}"),
            Self::Opening(member) => write!(f, "opening/{member}"),
        }
    }
}

/// A stored cause that we cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cause of a journal entry")]
pub struct UnknownCause(String);

impl From<Cause> for String {
    fn from(cause: Cause) -> Self {
        cause.to_string()
    }
}

impl TryFrom<String> for Cause {
    type Error = UnknownCause;

    fn try_from(text: String) -> Result<Self, UnknownCause> {
        text.parse()
    }
}

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(text: &str) -> Result<Self, UnknownCause> {
        parse_cause(text).ok_or_else(|| UnknownCause(text.to_owned()))
    }
}

fn parse_cause(text: &str) -> Option<Cause> {
    let (kind, rest) = text.split_once('/')?;
    let key = |text: &str| -> Result<OrderKey, IdError> { OrderKey::new(text) };
    Some(match kind {
        "order" => Cause::Order(key(rest).ok()?),
        "refund" => Cause::UnlinkedRefund(key(rest).ok()?),
        "expiry" => Cause::Expiry(time::instant(rest).ok()?),
        "reminder" => {
            let (at, step) = rest.split_once('/')?;
            Cause::Reminder(time::instant(at).ok()?, Period::parse(step).ok()?)
        }
        "tier" => Cause::Tier(rest.parse().ok()?),
        "coupon" => Cause::Coupon(rest.parse().ok()?),
        "void" => Cause::Void(CouponCode::new(rest).ok()?),
        "redemption" => Cause::Redemption(CouponCode::new(rest).ok()?),
        "request" => Cause::Request(RequestId::new(rest).ok()?),
        "coupon-end" => Cause::CouponEnd(CouponCode::new(rest).ok()?),
        "forgiven" => Cause::Forgiven(rest.parse().ok()?),
        "rating" => Cause::Rating(RatingId::new(rest).ok()?),
        "merge" => Cause::Merge(MemberId::new(rest).ok()?),
        "opening" => Cause::Opening(MemberId::new(rest).ok()?),
        _ => return None,
    })
}

/// Where an entry stands in the journal: unique for a member, for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// From when it counts; a pure function of the cause.
    pub effective_at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// Which of the same cause, counted densely from 0.
    pub n: u32,
}

/// What the entries of one cause at one moment have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Posting {
    /// From when they count.
    pub effective_at: Timestamp,
    /// Why.
    pub cause: Cause,
}

impl EntryId {
    /// The key without the number.
    pub fn posting(&self) -> Posting {
        Posting { effective_at: self.effective_at, cause: self.cause.clone() }
    }

    /// Whether the entry is one of a posting.
    pub fn is_of(&self, posting: &Posting) -> bool {
        self.effective_at == posting.effective_at && self.cause == posting.cause
    }
}

/// One posting. The deltas say what it does to the account, the kind says what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub id: EntryId,
    /// The commit that wrote it; folding in this order gives the account.
    pub sequence: u64,
    /// When it was written.
    pub recorded_at: Timestamp,
    /// Points given or taken.
    pub points: Points,
    /// What an order's goods earned before refunds.
    pub lifetime_points: Points,
    /// Status points given or taken; they count in the window by the date of effect.
    pub status_points: Points,
    /// +1 where an order begins to count, −1 where it ceases to.
    pub counts: i8,
    /// What happened.
    pub kind: Kind,
    /// Who hears of it.
    pub audience: Audience,
    /// Whose it is, where that is a member who has become part of this one: it goes with them if the merge is taken back.
    pub came_with: Option<MemberId>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// An order was brought to its target, as of this revision of it.
    Order {
        /// The revision that was reconciled.
        revision: u64,
    },
    /// A refund without an order took points back, as of this revision of it.
    UnlinkedRefund {
        /// The revision that was reconciled; 0 where none was kept.
        #[serde(default)]
        revision: u64,
    },
    /// What the member had before the programme knew them.
    OpeningBalance {
        /// Why.
        reason: Reason,
    },
    /// A reward was bought with points.
    CouponIssued {
        /// The new coupon's code.
        code: CouponCode,
        /// Which reward it is.
        reward: RewardId,
        /// When it ends, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_at: Option<Timestamp>,
        /// The number of the first of several that were issued together: the member hears of all of them at once, with
        /// this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told_from: Option<u32>,
        /// Who asked for it, where it was not issued by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_request: Option<OnRequest>,
    },
    /// An unused coupon was taken back to cover a refund; its points returned.
    CouponVoided {
        /// Which.
        code: CouponCode,
    },
    /// A coupon was used at a checkout. One that had been taken back costs its points again.
    CouponRedeemed {
        /// Which.
        code: CouponCode,
        /// By which order.
        order: OrderKey,
    },
    /// The last order that used a coupon was cancelled, or uses it no more.
    CouponReturned {
        /// Which.
        code: CouponCode,
        /// From which order.
        order: OrderKey,
    },
    /// A coupon ended unused.
    CouponExpired {
        /// Which.
        code: CouponCode,
    },
    /// A debt that no coupon covered was forgiven.
    Forgiven,
    /// The balance ran out; positive points are an expiry taken back.
    Expired,
    /// The member should know that points are about to run out.
    ExpiryReminder {
        /// How many points.
        expiring: Points,
        /// When.
        expires_at: Timestamp,
    },
    /// Another tier, or none any more.
    TierChanged {
        /// The level before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<LevelId>,
        /// The level now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<LevelId>,
        /// Whether it is a rise.
        up: bool,
        /// Until when the level is kept, where the status points no longer reach it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_until: Option<Timestamp>,
    },
    /// This member became part of another one, with everything; nothing is posted here any more.
    MergedInto {
        /// Which.
        into: MemberId,
        /// Whether what came along is marked as theirs, so that it can go back. Merges of before are not.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_marked: bool,
    },
    /// Another member has become part of this one, with everything: whatever had points stands here as entries of its
    /// own.
    MergeReceived {
        /// Which.
        from: MemberId,
        /// How many coupons came along, used ones included.
        coupons: u32,
    },
    /// What had come with another member, or was told by their name since, is theirs again.
    GivenBack {
        /// Whose.
        to: MemberId,
    },
    /// This member had become part of another one, and is one of their own again.
    Reopened,
    /// Somebody rated the member, or corrected a rating: then this is the score from now on.
    Rated {
        /// How good.
        score: Score,
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rater: Option<RaterId>,
        /// Whether it does not count, because its rater systematically rates low.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        set_aside: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_reads_back_as_it_was_written() {
        let at = time::instant("2026-03-01T10:00:00+01:00").unwrap();
        let key = OrderKey::new("shop#1%235").unwrap();
        for cause in [
            Cause::Order(key.clone()),
            Cause::UnlinkedRefund(key),
            Cause::Expiry(at),
            Cause::Reminder(at, Period::parse("2 weeks").unwrap()),
            Cause::Tier("2026-03-01".parse().unwrap()),
            Cause::Coupon(153),
            Cause::Void(CouponCode::new("ABCD-EFGH-2345").unwrap()),
            Cause::Redemption(CouponCode::new("ABCD-EFGH-2345").unwrap()),
            Cause::Request(RequestId::new("ticket/7").unwrap()),
            Cause::CouponEnd(CouponCode::new("ABCD-EFGH-2345").unwrap()),
            Cause::Forgiven(7),
            Cause::Rating(RatingId::new("trip/7#a").unwrap()),
            Cause::Merge(MemberId::new("M2").unwrap()),
            Cause::Opening(MemberId::new("M2").unwrap()),
        ] {
            assert_eq!(cause.to_string().parse(), Ok(cause));
        }
        assert!("order".parse::<Cause>().is_err());
        assert!("gift/1".parse::<Cause>().is_err());
    }
}
