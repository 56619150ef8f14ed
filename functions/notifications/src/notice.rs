//! What a journal entry has to tell: which event it is, and its facts for the templates.

use domain::{Coupon, CouponCode, Entry, Kind, LevelId, Points, Programme, RewardId, Timestamp, time};
use serde::Serialize;

use crate::language::Language;

/// The most coupons that a message lists, so that its end is not cut off; the others stand in the account.
const MAX_LISTED_COUPONS: usize = 100;

/// What happened, by the name that templates, filters and integrators use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    CouponIssued,
    CouponVoided,
    CouponRedeemed,
    CouponReturned,
    CouponExpired,
    TierReached,
    TierLost,
    PointsExpiring,
    PointsExpired,
}

impl Event {
    /// What an entry announces, to whomever; nothing where there is nothing to tell.
    pub(crate) fn of(entry: &Entry) -> Option<Self> {
        if entry.audience.is_nobody() {
            return None;
        }
        match &entry.kind {
            Kind::CouponIssued { .. } => Some(Self::CouponIssued),
            Kind::CouponVoided { .. } => Some(Self::CouponVoided),
            Kind::CouponRedeemed { .. } => Some(Self::CouponRedeemed),
            Kind::CouponReturned { .. } => Some(Self::CouponReturned),
            Kind::CouponExpired { .. } => Some(Self::CouponExpired),
            Kind::TierChanged { up: true, .. } => Some(Self::TierReached),
            Kind::TierChanged { up: false, .. } => Some(Self::TierLost),
            Kind::ExpiryReminder { .. } => Some(Self::PointsExpiring),
            Kind::Expired => Some(Self::PointsExpired),
            Kind::Order { .. }
            | Kind::UnlinkedRefund { .. }
            | Kind::OpeningBalance { .. }
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
            Self::CouponVoided => "coupon_voided",
            Self::CouponRedeemed => "coupon_redeemed",
            Self::CouponReturned => "coupon_returned",
            Self::CouponExpired => "coupon_expired",
            Self::TierReached => "tier_reached",
            Self::TierLost => "tier_lost",
            Self::PointsExpiring => "points_expiring",
            Self::PointsExpired => "points_expired",
        }
    }

    /// Which of the member's pages a tap on the push message opens.
    pub(crate) fn opens(self) -> &'static str {
        match self {
            Self::CouponIssued
            | Self::CouponVoided
            | Self::CouponRedeemed
            | Self::CouponReturned
            | Self::CouponExpired => "coupons",
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
    /// The coupon's code; of several all of them, with commas between.
    code: Option<String>,
    /// What the coupon gives; of several each once, with commas between.
    reward: Option<String>,
    /// The date before which the coupon is to be used; of several the earliest.
    ends_on: Option<String>,
    /// The coupons, at most [`MAX_LISTED_COUPONS`].
    coupons: Vec<CouponFacts>,
    /// How many coupons there are, listed or not.
    coupon_count: Option<usize>,
    /// The date on which points run out.
    expires_on: Option<String>,
    /// The tier level held now.
    level: Option<String>,
    /// The tier level held before.
    previous_level: Option<String>,
    /// The date on which the level held now ends, where the status points no longer reach it.
    kept_until: Option<String>,
    /// What the level gives.
    perks: Vec<String>,
}

/// One of the coupons that a message lists.
#[derive(Debug, Serialize)]
struct CouponFacts {
    code: String,
    reward: String,
    ends_on: Option<String>,
}

/// What is told of one coupon.
#[derive(Debug, Clone, Copy)]
struct Issued<'a> {
    code: &'a CouponCode,
    reward: &'a RewardId,
    ends_at: Option<Timestamp>,
    points: Points,
}

/// An entry of which a member is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct News<'a> {
    pub(crate) event: Event,
    pub(crate) entry: &'a Entry,
    /// The coupons of which the entry tells, where they are several.
    pub(crate) coupons: &'a [Coupon],
}

impl Facts {
    pub(crate) fn of(news: News<'_>, programme: &Programme, name: Option<&str>, language: Language) -> Self {
        let News { entry, coupons, .. } = news;
        let facts =
            Self { programme: programme.name.clone(), name: name.map(str::to_owned), ..Self::default() };
        let date = |at: Timestamp| language.date(time::date_of(at, &programme.time_zone));
        match &entry.kind {
            Kind::CouponIssued { code, reward, ends_at, .. } => {
                let alone = [Issued { code, reward, ends_at: *ends_at, points: taken(entry) }];
                let several: Vec<_> = coupons.iter().map(Issued::of).collect();
                facts.with_coupons(if several.is_empty() { &alone } else { &several }, programme, language)
            }
            Kind::ExpiryReminder { expiring, expires_at } => {
                Self { expires_on: Some(date(*expires_at)), ..facts.with_points(*expiring, language) }
            }
            Kind::Expired => Self {
                expires_on: Some(date(entry.id.effective_at)),
                ..facts.with_points(taken(entry), language)
            },
            Kind::TierChanged { from, to, kept_until, .. } => Self {
                kept_until: kept_until.map(date),
                ..facts.with_levels(programme, from.as_ref(), to.as_ref())
            },
            // Which kinds are announced is said once, by [`Event::of`].
            _ => facts,
        }
    }

    fn with_points(self, points: Points, language: Language) -> Self {
        Self { points: Some(language.points(points)), count: Some(points.0), ..self }
    }

    fn with_coupons(self, issued: &[Issued<'_>], programme: &Programme, language: Language) -> Self {
        let date = |at: Timestamp| language.date(time::date_of(at, &programme.time_zone));
        let mut rewards: Vec<String> = Vec::new();
        for coupon in issued {
            let reward = coupon.gives(programme, language);
            if !rewards.contains(&reward) {
                rewards.push(reward);
            }
        }
        let listed = issued.iter().take(MAX_LISTED_COUPONS).map(|coupon| CouponFacts {
            code: coupon.code.to_string(),
            reward: coupon.gives(programme, language),
            ends_on: coupon.ends_at.map(date),
        });
        let coupons: Vec<CouponFacts> = listed.collect();
        let codes: Vec<&str> = coupons.iter().map(|coupon| coupon.code.as_str()).collect();
        let points = issued.iter().try_fold(Points::ZERO, |sum, coupon| sum.plus(coupon.points));
        Self {
            code: Some(codes.join(", ")),
            reward: Some(rewards.join(", ")),
            ends_on: issued.iter().filter_map(|coupon| coupon.ends_at).min().map(date),
            coupon_count: Some(issued.len()),
            coupons,
            ..self.with_points(points.unwrap_or(Points(i64::MAX)), language)
        }
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

impl<'a> Issued<'a> {
    fn of(coupon: &'a Coupon) -> Self {
        let Coupon { code, reward, ends_at, points, .. } = coupon;
        Self { code, reward, ends_at: *ends_at, points: *points }
    }

    /// A reward that has left the programme since is called by its name.
    fn gives(&self, programme: &Programme, language: Language) -> String {
        programme.reward(self.reward).map_or_else(
            || self.reward.to_string(),
            |reward| language.reward(&reward.coupon, programme.currency),
        )
    }
}

/// The points that an entry took.
fn taken(entry: &Entry) -> Points {
    entry.points.negated().unwrap_or(Points::ZERO)
}
