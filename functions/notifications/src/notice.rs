//! What a journal entry has to tell: which event it is, its facts for the templates, and the integrators' event.

use domain::{CouponCode, Entry, Kind, LevelId, MemberId, Points, Programme, RewardId, Timestamp, time};
use serde::Serialize;

use crate::language::Language;

/// What happened, by the name that templates, filters and integrators use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    CouponIssued,
    TierReached,
    TierLost,
    PointsExpiring,
    PointsExpired,
}

impl Event {
    /// What an entry announces; nothing where nobody is told.
    pub(crate) fn of(entry: &Entry) -> Option<Self> {
        if !entry.notifies() {
            return None;
        }
        match &entry.kind {
            Kind::CouponIssued { .. } => Some(Self::CouponIssued),
            Kind::TierChanged { up: true, .. } => Some(Self::TierReached),
            Kind::TierChanged { up: false, .. } => Some(Self::TierLost),
            Kind::ExpiryReminder { .. } => Some(Self::PointsExpiring),
            Kind::Expired => Some(Self::PointsExpired),
            Kind::Order { .. }
            | Kind::UnlinkedRefund { .. }
            | Kind::OpeningBalance { .. }
            | Kind::CouponVoided { .. }
            | Kind::CouponRedeemed { .. }
            | Kind::CouponReturned { .. }
            | Kind::Forgiven
            | Kind::MergedInto { .. }
            | Kind::MergeReceived { .. }
            | Kind::GivenBack { .. }
            | Kind::Reopened
            | Kind::Rated { .. } => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CouponIssued => "coupon_issued",
            Self::TierReached => "tier_reached",
            Self::TierLost => "tier_lost",
            Self::PointsExpiring => "points_expiring",
            Self::PointsExpired => "points_expired",
        }
    }

    /// Which of the member's pages a tap on the push message opens.
    pub(crate) fn opens(self) -> &'static str {
        match self {
            Self::CouponIssued => "coupons",
            Self::TierReached | Self::TierLost => "tier",
            Self::PointsExpiring | Self::PointsExpired => "points",
        }
    }
}

/// What a template can say; a fact that the event does not have is undefined.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Facts {
    /// The programme's name.
    programme: String,
    /// What to call the member.
    name: Option<String>,
    /// How many points were spent, are expiring or have expired, as the language writes it.
    points: Option<String>,
    /// The same as a bare number, to choose between singular and plural.
    count: Option<i64>,
    /// The coupon's code.
    code: Option<String>,
    /// What the coupon gives.
    reward: Option<String>,
    /// The date before which the coupon is to be used.
    ends_on: Option<String>,
    /// The date on which points run out.
    expires_on: Option<String>,
    /// The tier level held now.
    level: Option<String>,
    /// The tier level held before.
    previous_level: Option<String>,
    /// What the level gives.
    perks: Vec<String>,
}

impl Facts {
    pub(crate) fn of(entry: &Entry, programme: &Programme, name: Option<&str>, language: Language) -> Self {
        let facts =
            Self { programme: programme.name.clone(), name: name.map(str::to_owned), ..Self::default() };
        let date = |at: Timestamp| language.date(time::date_of(at, &programme.time_zone));
        match &entry.kind {
            Kind::CouponIssued { code, reward, ends_at } => {
                let terms = programme.reward(reward).map(|reward| &reward.coupon);
                Self {
                    code: Some(code.to_string()),
                    reward: Some(terms.map_or_else(
                        // A reward that has left the programme since is called by its name.
                        || reward.to_string(),
                        |terms| language.reward(terms, programme.currency),
                    )),
                    ends_on: ends_at.map(date),
                    ..facts.with_points(taken(entry), language)
                }
            }
            Kind::ExpiryReminder { expiring, expires_at } => {
                Self { expires_on: Some(date(*expires_at)), ..facts.with_points(*expiring, language) }
            }
            Kind::Expired => Self {
                expires_on: Some(date(entry.id.effective_at)),
                ..facts.with_points(taken(entry), language)
            },
            Kind::TierChanged { from, to, .. } => facts.with_levels(programme, from.as_ref(), to.as_ref()),
            // Which kinds are announced is said once, by [`Event::of`].
            _ => facts,
        }
    }

    fn with_points(self, points: Points, language: Language) -> Self {
        Self { points: Some(language.points(points)), count: Some(points.0), ..self }
    }

    fn with_levels(self, programme: &Programme, from: Option<&LevelId>, to: Option<&LevelId>) -> Self {
        let title =
            |id: &LevelId| programme.level(id).map_or_else(|| id.to_string(), |level| level.title.clone());
        let level = to.and_then(|id| programme.level(id));
        Self {
            level: to.map(title),
            previous_level: from.map(title),
            perks: level
                .map(|level| level.perks.iter().map(|perk| perk.title.clone()).collect())
                .unwrap_or_default(),
            ..self
        }
    }
}

/// The points that an entry took.
fn taken(entry: &Entry) -> Points {
    entry.points.negated().unwrap_or(Points::ZERO)
}

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
    Coupon { points: Points, coupon: AnnouncedCoupon<'a> },
    Expiring { points: Points, expires_at: Timestamp },
    Tier { from: Option<&'a LevelId>, to: Option<&'a LevelId> },
    Points { points: Points },
}

/// With its code, so that an integration can make it known to the checkout.
#[derive(Debug, Serialize)]
struct AnnouncedCoupon<'a> {
    code: &'a CouponCode,
    reward: &'a RewardId,
    expires_at: Option<Timestamp>,
}

impl<'a> Announcement<'a> {
    /// The announcement of an entry, by its sort key.
    pub(crate) fn of(event: Event, member: &'a MemberId, key: &'a str, entry: &'a Entry) -> Self {
        let details = match &entry.kind {
            Kind::CouponIssued { code, reward, ends_at } => Details::Coupon {
                points: entry.points,
                coupon: AnnouncedCoupon { code, reward, expires_at: *ends_at },
            },
            Kind::ExpiryReminder { expiring, expires_at } => {
                Details::Expiring { points: *expiring, expires_at: *expires_at }
            }
            Kind::TierChanged { from, to, .. } => Details::Tier { from: from.as_ref(), to: to.as_ref() },
            _ => Details::Points { points: entry.points },
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
