//! A member's account as it is now: what the app shows and the checkout asks.

use domain::decide::{expires_at, kept_until};
use domain::programme::Perk;
use domain::{
    Coupon, CouponCode, CouponState, DecideError, LevelId, MemberId, Pending, Points, Profile, Programme,
    Programmes, RewardId, Timestamp,
};
use serde::Serialize;

use crate::rating::RatingDocument;

/// The answer's document.
#[derive(Debug, Serialize)]
pub(crate) struct AccountDocument<'a> {
    member: &'a MemberId,
    balance: Points,
    /// Only where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<PendingDocument>,
    lifetime_points: Points,
    status_points: Points,
    tier: Option<&'a LevelId>,
    /// Only where the level is kept though the status points no longer reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_kept_until: Option<Timestamp>,
    perks: &'a [Perk],
    expires_at: Option<Timestamp>,
    coupons: Vec<CouponDocument<'a>>,
    next_tier: Option<NextTier<'a>>,
    next_reward: Option<NextReward<'a>>,
    /// Only where the programme asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<RatingDocument>,
}

/// What cannot be spent yet, and when the first of it can.
#[derive(Debug, Serialize)]
struct PendingDocument {
    points: Points,
    next_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct CouponDocument<'a> {
    code: &'a CouponCode,
    reward: &'a RewardId,
    state: CouponStateNow,
    expires_at: Option<Timestamp>,
}

/// What is stored knows no time; what is told does.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum CouponStateNow {
    Issued,
    Redeemed,
    Voided,
    Expired,
}

#[derive(Debug, Serialize)]
struct NextTier<'a> {
    id: &'a LevelId,
    threshold: Points,
    missing: Points,
}

#[derive(Debug, Serialize)]
struct NextReward<'a> {
    id: &'a RewardId,
    points: Points,
    missing: Points,
}

impl<'a> AccountDocument<'a> {
    /// The account of a settled profile under the version in force.
    pub(crate) fn of(
        profile: &'a Profile,
        programmes: &'a Programmes,
        coupons: &'a [Coupon],
        now: Timestamp,
    ) -> Result<Self, DecideError> {
        let programme = &programmes.at(now).programme;
        let account = &profile.account;
        let available = profile.available()?;
        let status_points = profile.bookkeeping.window.sum.floored();
        let tier = account.tier.as_ref();
        Ok(Self {
            member: &profile.member,
            balance: available,
            pending: PendingDocument::of(profile),
            lifetime_points: account.lifetime_points,
            status_points,
            tier,
            tier_kept_until: kept_until(programme, profile)?,
            perks: tier.and_then(|tier| programme.level(tier)).map_or(&[], |level| &level.perks),
            expires_at: expires_at(programmes, now, profile)?,
            coupons: coupons.iter().map(|coupon| CouponDocument::of(coupon, now)).collect(),
            next_tier: next_tier(programme, status_points),
            next_reward: next_reward(programme, available),
            rating: RatingDocument::of(programme, profile),
        })
    }
}

impl PendingDocument {
    fn of(profile: &Profile) -> Option<Self> {
        let Pending { points, next_at } = profile.bookkeeping.pending?;
        (!points.is_zero()).then_some(Self { points, next_at })
    }
}

impl<'a> CouponDocument<'a> {
    fn of(coupon: &'a Coupon, now: Timestamp) -> Self {
        let state = match coupon.state {
            CouponState::Voided => CouponStateNow::Voided,
            CouponState::Redeemed => CouponStateNow::Redeemed,
            CouponState::Issued if coupon.is_live(now) => CouponStateNow::Issued,
            CouponState::Issued | CouponState::Expired => CouponStateNow::Expired,
        };
        Self { code: &coupon.code, reward: &coupon.reward, state, expires_at: coupon.ends_at }
    }
}

fn next_tier(programme: &Programme, status_points: Points) -> Option<NextTier<'_>> {
    let level = programme.tiers.as_ref()?.next_after(status_points)?;
    let missing = missing(level.threshold, status_points);
    Some(NextTier { id: &level.id, threshold: level.threshold, missing })
}

/// The nearest reward that the balance does not reach; where it reaches all of them, the dearest one.
fn next_reward(programme: &Programme, balance: Points) -> Option<NextReward<'_>> {
    let not_reached = programme.rewards.iter().filter(|reward| reward.points > balance);
    let nearest = not_reached.min_by_key(|reward| reward.points);
    let reward = nearest.or_else(|| programme.rewards.iter().max_by_key(|reward| reward.points))?;
    Some(NextReward { id: &reward.id, points: reward.points, missing: missing(reward.points, balance) })
}

/// What lacks to a goal. A debt that no number holds is as good as the largest one.
fn missing(goal: Points, have: Points) -> Points {
    goal.minus(have).unwrap_or(Points(i64::MAX)).floored()
}

#[cfg(test)]
mod tests {
    use domain::member::Kept;
    use domain::{Programmes, time};
    use serde_json::{Value, json};

    use super::*;

    const PROGRAMME: &str = r#"
        name = "Stars"
        currency = "EUR"
        time_zone = "Europe/Paris"
        [earning]
        points_per_unit = "10"
        [expiry]
        after_inactivity = "12 months"
        [[rewards]]
        id = "ten-percent"
        points = 5000
        automatic = true
        coupon = { percent = "10", valid_for = "3 months" }
        [tiers]
        window = "3 months"
        status_points = { per_order = 10 }
        [[tiers.levels]]
        id = "silver"
        threshold = 100
        perks = [{ id = "fuel", title = "Cash back on fuel" }]
        [[tiers.levels]]
        id = "gold"
        threshold = 200
    "#;

    fn at(text: &str) -> Timestamp {
        time::instant(text).unwrap()
    }

    fn document(change: impl FnOnce(&mut Profile), coupons: &[Coupon]) -> Value {
        let programme = Programme::from_toml(PROGRAMME).unwrap();
        let programmes = Programmes::only(programme);
        let enrolled_at = at("2026-01-31T12:00:00Z");
        let mut profile = Profile::new(MemberId::new("M1").unwrap(), enrolled_at, &programmes);
        change(&mut profile);
        let now = at("2026-03-01T00:00:00Z");
        json!(AccountDocument::of(&profile, &programmes, coupons, now).unwrap())
    }

    #[test]
    fn a_member_sees_what_there_is_and_what_lacks() {
        let seen = document(
            |profile| {
                profile.account.balance = Points(1_200);
                profile.account.lifetime_points = Points(6_200);
                profile.account.tier = Some(LevelId::new("silver").unwrap());
                profile.bookkeeping.window.sum = Points(130);
                profile.bookkeeping.active_at = Some(at("2026-02-28T10:00:00Z"));
            },
            &[],
        );
        assert_eq!(
            seen,
            json!({
                "member": "M1", "balance": 1200, "lifetime_points": 6200, "status_points": 130,
                "tier": "silver", "perks": [{"id": "fuel", "title": "Cash back on fuel"}],
                "expires_at": "2027-02-28T10:00:00Z", "coupons": [],
                "next_tier": {"id": "gold", "threshold": 200, "missing": 70},
                "next_reward": {"id": "ten-percent", "points": 5000, "missing": 3800},
            })
        );
    }

    #[test]
    fn what_is_pending_stands_beside_the_balance() {
        let seen = document(
            |profile| {
                profile.account.balance = Points(1_200);
                let next_at = at("2026-03-14T10:00:00Z");
                profile.bookkeeping.pending = Some(Pending { points: Points(900), next_at });
            },
            &[],
        );
        assert_eq!(seen["balance"], 300);
        assert_eq!(seen["pending"], json!({"points": 900, "next_at": "2026-03-14T10:00:00Z"}));
        assert_eq!(seen["next_reward"]["missing"], 4700);
    }

    #[test]
    fn a_debt_has_no_expiry_and_is_part_of_what_lacks() {
        let seen = document(
            |profile| {
                profile.account.balance = Points(-50);
                profile.bookkeeping.window.sum = Points(-10);
                profile.bookkeeping.active_at = Some(at("2026-02-28T10:00:00Z"));
            },
            &[],
        );
        assert_eq!(seen["expires_at"], Value::Null);
        assert_eq!(seen["status_points"], 0);
        assert_eq!(seen["tier"], Value::Null);
        assert_eq!(seen["next_tier"]["missing"], 100);
        assert_eq!(seen["next_reward"]["missing"], 5050);
    }

    #[test]
    fn above_the_highest_level_there_is_no_next_one() {
        assert_eq!(
            document(|profile| profile.bookkeeping.window.sum = Points(200), &[])["next_tier"],
            Value::Null
        );
        assert_eq!(missing(Points(5_000), Points(i64::MIN)), Points(i64::MAX));
    }

    #[test]
    fn a_level_that_is_kept_says_until_when() {
        let kept = |level: &str| {
            document(
                |profile| {
                    profile.account.tier = Some(LevelId::new("gold").unwrap());
                    let level = LevelId::new(level).unwrap();
                    let until = "2026-04-15".parse().unwrap();
                    profile.bookkeeping.window.kept = Some(Kept { level, until });
                },
                &[],
            )
        };
        assert_eq!(kept("gold")["tier_kept_until"], "2026-04-14T22:00:00Z", "midnight in Paris");
        assert_eq!(kept("silver").get("tier_kept_until"), None, "the status points reach the level held");
    }

    #[test]
    fn the_next_reward_is_the_nearest_one_whether_it_is_automatic_or_not() {
        let other = "[[rewards]]\n id = \"gift\"\n points = 2000\n coupon = { free_shipping = true }\n";
        let with_both = Programme::from_toml(&format!("{PROGRAMME}\n{other}")).unwrap();
        let alone =
            Programme::from_toml(&PROGRAMME.replace("automatic = true", "automatic = false")).unwrap();
        let next = |programme: &Programme, balance| json!(next_reward(programme, Points(balance)));
        assert_eq!(next(&with_both, 1_500), json!({"id": "gift", "points": 2000, "missing": 500}));
        assert_eq!(next(&with_both, 2_000), json!({"id": "ten-percent", "points": 5000, "missing": 3000}));
        assert_eq!(next(&alone, 1_200), json!({"id": "ten-percent", "points": 5000, "missing": 3800}));
        assert_eq!(next(&alone, 6_000), json!({"id": "ten-percent", "points": 5000, "missing": 0}));
    }

    #[test]
    fn a_coupon_says_whether_it_can_still_be_used() {
        let coupon = |ends_at, state| Coupon {
            code: CouponCode::new("ABCD-EFGH-2345").unwrap(),
            number: 0,
            reward: RewardId::new("ten-percent").unwrap(),
            points: Points(5_000),
            issued_at: at("2026-01-31T12:00:00Z"),
            ends_at,
            state,
            uses: Vec::new(),
            came_with: None,
        };
        let now = Some(at("2026-03-01T00:00:00Z"));
        let later = Some(at("2026-03-01T00:00:00.001Z"));
        let coupons = [
            coupon(None, CouponState::Issued),
            coupon(later, CouponState::Issued),
            coupon(now, CouponState::Issued),
            coupon(now, CouponState::Voided),
            coupon(now, CouponState::Expired),
        ];
        let seen = document(|_| {}, &coupons);
        let states: Vec<&Value> =
            seen["coupons"].as_array().unwrap().iter().map(|coupon| &coupon["state"]).collect();
        assert_eq!(states, ["issued", "issued", "expired", "voided", "expired"]);
        assert_eq!(
            seen["coupons"][2],
            json!({"code": "ABCD-EFGH-2345", "reward": "ten-percent", "state": "expired", "expires_at": "2026-03-01T00:00:00Z"})
        );
    }
}
