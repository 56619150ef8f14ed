//! The event for integrators: who and what, never how to reach the person.

use domain::{CouponCode, Entry, Kind, LevelId, MemberId, OrderKey, Points, RewardId, Timestamp};
use serde::Serialize;

use crate::notice::Event;

/// What integrators receive: who and what, never how to reach the person.
#[derive(Debug, Serialize)]
pub(crate) struct Announcement<'a> {
    /// The entry's key, the same at every delivery: by it a receiver drops a duplicate.
    id: &'a str,
    event: &'static str,
    member: &'a MemberId,
    at: Timestamp,
    recorded_at: Timestamp,
    #[serde(flatten)]
    details: Details<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Coupon {
        points: Points,
        coupon: AnnouncedCoupon<'a>,
        /// The order that used the coupon, or uses it no more.
        #[serde(skip_serializing_if = "Option::is_none")]
        order: Option<&'a OrderKey>,
    },
    Expiring {
        points: Points,
        expires_at: Timestamp,
    },
    Tier {
        from: Option<&'a LevelId>,
        to: Option<&'a LevelId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        kept_until: Option<Timestamp>,
    },
    Points {
        points: Points,
    },
}

/// With its code, so that an integration can make it known to the checkout.
#[derive(Debug, Serialize)]
struct AnnouncedCoupon<'a> {
    code: &'a CouponCode,
    /// What it gives and when it ends, told when it is issued.
    #[serde(flatten)]
    terms: Option<CouponTerms<'a>>,
}

#[derive(Debug, Serialize)]
struct CouponTerms<'a> {
    reward: &'a RewardId,
    expires_at: Option<Timestamp>,
}

impl<'a> Announcement<'a> {
    /// The announcement of an entry, by its sort key.
    pub(crate) fn of(event: Event, member: &'a MemberId, key: &'a str, entry: &'a Entry) -> Self {
        let points = entry.points;
        let coupon = |code, order, terms| {
            let coupon = AnnouncedCoupon { code, terms };
            Details::Coupon { points, coupon, order }
        };
        let details = match &entry.kind {
            Kind::CouponIssued { code, reward, ends_at, .. } => {
                coupon(code, None, Some(CouponTerms { reward, expires_at: *ends_at }))
            }
            Kind::CouponVoided { code } | Kind::CouponExpired { code } => coupon(code, None, None),
            Kind::CouponRedeemed { code, order } | Kind::CouponReturned { code, order } => {
                coupon(code, Some(order), None)
            }
            Kind::ExpiryReminder { expiring, expires_at } => {
                Details::Expiring { points: *expiring, expires_at: *expires_at }
            }
            Kind::TierChanged { from, to, kept_until, .. } => {
                Details::Tier { from: from.as_ref(), to: to.as_ref(), kept_until: *kept_until }
            }
            _ => Details::Points { points },
        };
        Self {
            id: key,
            event: event.name(),
            member,
            at: entry.id.effective_at,
            recorded_at: entry.recorded_at,
            details,
        }
    }
}
