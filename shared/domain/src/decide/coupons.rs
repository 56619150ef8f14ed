//! Coupons: bought by themselves when the balance reaches a reward, taken back when a refund is not covered.

use super::draft::{Deltas, Draft, Stop};
use super::{DecideError, MAX_COUPONS_AT_ONCE};
use crate::ids::CouponCode;
use crate::journal::{Cause, EntryId, Kind};
use crate::member::{Coupon, CouponState, CouponUse};
use crate::order::OrderState;
use crate::points::{Overflow, Points};
use crate::programme::{Reward, Uncovered};
use crate::time::{FOREVER, Timestamp};

/// While what can be spent is below 0: void unused coupons, newest first; forgive the rest where the programme says so.
pub(super) fn cover_debt(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    if draft.profile.available()? >= Points::ZERO {
        return Ok(());
    }
    if draft.profile.bookkeeping.coupons_end_at.is_some_and(|end| end > moment) {
        for coupon in draft.live_coupons(moment)? {
            if draft.profile.available()? >= Points::ZERO {
                return Ok(());
            }
            if !draft.has_room_for_coupon() {
                return Ok(());
            }
            void(draft, coupon, moment)?;
        }
    }
    let available = draft.profile.available()?;
    if available < Points::ZERO && draft.programme_at(moment).uncovered == Uncovered::Clamp {
        let id = draft.next_id_of_commit(moment, Cause::Forgiven(draft.sequence()));
        draft.post(id, Deltas::points(available.negated()?), Kind::Forgiven)?;
    }
    Ok(())
}

fn void(draft: &mut Draft<'_>, mut coupon: Coupon, moment: Timestamp) -> Result<(), Stop> {
    let code = coupon.code.clone();
    let cause = Cause::Void(code.clone());
    let id = if coupon.used_by.is_some() {
        // It may have been taken back before, and used and given back since.
        draft.next_id(moment, cause)?
    } else {
        EntryId { effective_at: moment, cause, n: 0 }
    };
    draft.post(id, Deltas::points(coupon.points), Kind::CouponVoided { code })?;
    coupon.state = CouponState::Voided;
    draft.put_coupon(coupon);
    Ok(())
}

/// Brings a coupon to what an order says of it. An order that says it late, after a newer revision, is not heard; nor is
/// one that uses a coupon which another order has used.
pub(super) fn redeem(draft: &mut Draft<'_>, code: &CouponCode, state: &OrderState) -> Result<(), Stop> {
    let Some(placed_at) = state.placed_at else { return Ok(()) };
    if draft.profile.account.merged_into.is_some() {
        return Ok(());
    }
    let Some(mut coupon) = draft.all_coupons()?.into_iter().find(|coupon| coupon.code == *code) else {
        return Ok(());
    };
    let Some((points, kind)) = change(&coupon, state)? else { return Ok(()) };
    coupon.state = if state.uses(code) { CouponState::Redeemed } else { CouponState::Issued };
    coupon.used_by = Some(CouponUse { order: state.key.clone(), revision: state.revision });
    let id = draft.next_id(placed_at, Cause::Redemption(code.clone()))?;
    draft.post(id, Deltas::points(points), kind)?;
    draft.put_coupon(coupon);
    Ok(())
}

/// Whether a coupon is what an order says of it: redeeming would change nothing.
pub fn coupon_agrees(coupon: &Coupon, state: &OrderState) -> Result<bool, DecideError> {
    Ok(state.placed_at.is_none() || change(coupon, state)?.is_none())
}

/// What an order changes of a coupon, if anything, and the points that come of it.
fn change(coupon: &Coupon, state: &OrderState) -> Result<Option<(Points, Kind)>, Overflow> {
    let used_here = coupon.used_by.as_ref().filter(|used| used.order == state.key);
    if used_here.is_some_and(|used| used.revision > state.revision) {
        return Ok(None);
    }
    let (code, order) = (coupon.code.clone(), state.key.clone());
    Ok(match (state.uses(&code), coupon.state) {
        (true, CouponState::Issued) => Some((Points::ZERO, Kind::CouponRedeemed { code, order })),
        (true, CouponState::Voided) => Some((coupon.points.negated()?, Kind::CouponRedeemed { code, order })),
        (false, CouponState::Redeemed) if used_here.is_some() => {
            Some((Points::ZERO, Kind::CouponReturned { code, order }))
        }
        _ => None,
    })
}

/// Refuses an order that would buy more coupons than anybody means.
pub(super) fn check_count(draft: &Draft<'_>) -> Result<(), DecideError> {
    let points = draft.profile.account.balance;
    match draft.programme_at(draft.now()).automatic_reward() {
        Some(reward) if points.0 / reward.points.0 > MAX_COUPONS_AT_ONCE => {
            Err(DecideError::TooManyCoupons { points, reward: reward.id.clone() })
        }
        _ => Ok(()),
    }
}

/// While what can be spent reaches the automatic reward: take its points and issue a coupon.
pub(super) fn issue_automatic(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let Some(reward) = draft.programme_at(moment).automatic_reward() else { return Ok(()) };
    while draft.profile.available()? >= reward.points {
        if !draft.has_room_for_coupon() {
            return Ok(());
        }
        issue(draft, reward, moment)?;
    }
    Ok(())
}

fn issue(draft: &mut Draft<'_>, reward: &Reward, moment: Timestamp) -> Result<(), Stop> {
    let zone = &draft.programme_at(moment).time_zone;
    let coupon = Coupon {
        code: draft.entropy.coupon_code().ok_or(DecideError::EntropySpent)?,
        number: draft.profile.account.coupons_issued,
        reward: reward.id.clone(),
        points: reward.points,
        issued_at: moment,
        ends_at: reward.coupon.valid_for.map(|period| period.after(moment, zone)).transpose()?,
        state: CouponState::Issued,
        used_by: None,
    };
    let id = EntryId { effective_at: moment, cause: Cause::Coupon(coupon.number), n: 0 };
    let kind = Kind::CouponIssued {
        code: coupon.code.clone(),
        reward: coupon.reward.clone(),
        ends_at: coupon.ends_at,
    };
    draft.post(id, Deltas::points(reward.points.negated()?), kind)?;
    let end_at = &mut draft.profile.bookkeeping.coupons_end_at;
    *end_at = (*end_at).max(Some(coupon.ends_at.unwrap_or(FOREVER)));
    draft.put_coupon(coupon);
    Ok(())
}
