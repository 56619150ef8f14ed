//! Coupons: bought by themselves when the balance reaches a reward, used at a checkout, taken back when a refund is not
//! covered, and over when their end has come.

use super::DecideError;
use super::draft::{Deltas, Draft, Stop};
use crate::coupon::{Coupon, CouponState};
use crate::ids::CouponCode;
use crate::journal::{Cause, EntryId, Kind};
use crate::member::{Bookkeeping, CouponsOfHour};
use crate::opening::Once;
use crate::order::OrderState;
use crate::points::Points;
use crate::programme::{Limits, Reward, Uncovered};
use crate::request::{OnRequest, RewardRequest};
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
    let forgives = draft.programme_at(moment).uncovered == Uncovered::Clamp;
    if available < Points::ZERO && forgives && draft.has_room_for(1) {
        let id = draft.next_id_of_commit(moment, Cause::Forgiven(draft.sequence()));
        draft.post(id, Deltas::points(available.negated()?), Kind::Forgiven)?;
    }
    Ok(())
}

fn void(draft: &mut Draft<'_>, mut coupon: Coupon, moment: Timestamp) -> Result<(), Stop> {
    let code = coupon.code.clone();
    let cause = Cause::Void(code.clone());
    let id = next_id(draft, &coupon, moment, cause)?;
    let came_with = coupon.came_with.clone();
    draft.post_of(came_with, id, Deltas::points(coupon.points), Kind::CouponVoided { code })?;
    coupon.state = CouponState::Voided;
    draft.put_coupon(coupon);
    Ok(())
}

/// The key of an entry that a coupon posts once, unless it was used and given back in between, or went and came back.
fn next_id(
    draft: &Draft<'_>,
    coupon: &Coupon,
    effective_at: Timestamp,
    cause: Cause,
) -> Result<EntryId, Stop> {
    if coupon.uses.is_empty() && coupon.came_with.is_none() {
        Ok(EntryId { effective_at, cause, n: 0 })
    } else {
        draft.next_id(effective_at, cause)
    }
}

/// Brings a coupon to what an order says of it. What is posted is its use and its return, not every order that uses it.
pub(super) fn redeem(draft: &mut Draft<'_>, code: &CouponCode, state: &OrderState) -> Result<(), Stop> {
    let Some(placed_at) = state.placed_at else { return Ok(()) };
    if draft.profile.account.merged_into.is_some() || draft.profile.bookkeeping.is_merging() {
        // Perhaps it is on its way; whoever asks asks again where it is then.
        return Ok(());
    }
    let Some(before) = draft.all_coupons()?.into_iter().find(|coupon| coupon.code == *code) else {
        return Ok(());
    };
    let Some(coupon) = before.told_by(state) else { return Ok(()) };
    let (code, order) = (code.clone(), state.key.clone());
    let posted = match (before.state, coupon.state) {
        (CouponState::Voided, CouponState::Redeemed) => {
            Some((before.points.negated()?, Kind::CouponRedeemed { code, order }))
        }
        (CouponState::Issued | CouponState::Expired, CouponState::Redeemed) => {
            Some((Points::ZERO, Kind::CouponRedeemed { code, order }))
        }
        (CouponState::Redeemed, CouponState::Issued) => {
            Some((Points::ZERO, Kind::CouponReturned { code, order }))
        }
        _ => None,
    };
    if let Some((points, kind)) = posted {
        let id = draft.next_id(placed_at, Cause::Redemption(coupon.code.clone()))?;
        draft.post_of(coupon.came_with.clone(), id, Deltas::points(points), kind)?;
    }
    if coupon.state == CouponState::Issued {
        note_end(&mut draft.profile.bookkeeping, &coupon);
    }
    draft.put_coupon(coupon);
    Ok(())
}

/// Whether a coupon is what an order says of it: redeeming would change nothing.
pub fn coupon_agrees(coupon: &Coupon, state: &OrderState) -> bool {
    state.placed_at.is_none() || coupon.told_by(state).is_none()
}

/// Posts of each coupon whose end has come unused that it is over, as of that end.
pub(super) fn end(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let Bookkeeping { next_coupon_end, coupons_end_at, .. } = draft.profile.bookkeeping;
    // Where no date is known there may be coupons from before it was kept; they are looked at once.
    if next_coupon_end.map_or(coupons_end_at.is_none(), |end| end > moment) {
        return Ok(());
    }
    let mut unused = draft.all_coupons()?;
    unused.retain(|coupon| coupon.state == CouponState::Issued);
    unused.sort_by_key(|coupon| (coupon.ends_at.unwrap_or(FOREVER), coupon.number));
    let is_over = |coupon: &Coupon| coupon.ends_at.is_some_and(|end| end <= moment);
    let left = unused.split_off(unused.partition_point(is_over));
    for mut coupon in unused {
        if !draft.has_room_for_coupon() {
            return Ok(());
        }
        let ended_at = coupon.ends_at.unwrap_or(moment);
        let id = next_id(draft, &coupon, ended_at, Cause::CouponEnd(coupon.code.clone()))?;
        draft.post(id, Deltas::default(), Kind::CouponExpired { code: coupon.code.clone() })?;
        coupon.state = CouponState::Expired;
        draft.put_coupon(coupon);
    }
    let bookkeeping = &mut draft.profile.bookkeeping;
    (bookkeeping.next_coupon_end, bookkeeping.coupons_end_at) = (None, None);
    left.iter().for_each(|coupon| note_end(bookkeeping, coupon));
    Ok(())
}

/// Takes the end of an unused coupon in.
pub(super) fn note_end(bookkeeping: &mut Bookkeeping, coupon: &Coupon) {
    let end = coupon.ends_at.unwrap_or(FOREVER);
    let is_known = bookkeeping.next_coupon_end.is_some() || bookkeeping.coupons_end_at.is_none();
    if is_known {
        let next = bookkeeping.next_coupon_end.unwrap_or(end);
        bookkeeping.next_coupon_end = Some(next.min(end));
    }
    bookkeeping.coupons_end_at = bookkeeping.coupons_end_at.max(Some(end));
}

/// Refuses an order that would buy more coupons than anybody means.
pub(super) fn check_count(draft: &Draft<'_>) -> Result<(), DecideError> {
    let points = draft.profile.account.balance;
    let programme = draft.programme_at(draft.now());
    let Some(reward) = programme.automatic_reward() else { return Ok(()) };
    let (coupons, reward) = (points.0 / reward.points.0, reward.id.clone());
    let Limits { coupons_per_order, coupons_per_hour } = programme.limits;
    if coupons > i64::from(coupons_per_order) {
        return Err(DecideError::TooManyCoupons { points, reward, limit: coupons_per_order });
    }
    let of_hour = CouponsOfHour::at(draft.profile.bookkeeping.coupons_of_hour, draft.now());
    match coupons_per_hour {
        Some(limit) if coupons > 0 && coupons.saturating_add(of_hour.count.into()) > limit.into() => {
            Err(DecideError::TooManyCouponsAnHour { reward, limit })
        }
        _ => Ok(()),
    }
}

/// While what can be spent reaches the automatic reward: take its points and issue a coupon.
pub(super) fn issue_automatic(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let Some(reward) = draft.programme_at(moment).automatic_reward() else { return Ok(()) };
    while draft.profile.available()? >= reward.points {
        if !draft.has_room_for_coupon() {
            draft.hearing.more_coupons_follow = true;
            return Ok(());
        }
        let cause = Cause::Coupon(draft.profile.account.coupons_issued);
        issue(draft, reward, moment, cause, None)?;
    }
    Ok(())
}

/// Issues a reward that an operator asked for. It costs what it costs everybody.
pub(super) fn issue_on_request(draft: &mut Draft<'_>, request: &RewardRequest) -> Result<(), Stop> {
    if draft.profile.account.merged_into.is_some() {
        return Ok(());
    }
    let moment = draft.until();
    let programme = draft.programme_at(moment);
    let Some(reward) = programme.reward(&request.reward) else {
        let known: Vec<&str> = programme.rewards.iter().map(|reward| reward.id.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(DecideError::UnknownReward { reward: request.reward.clone(), known }.into());
    };
    let available = draft.profile.available()?;
    if available < reward.points {
        let (reward, points) = (reward.id.clone(), reward.points);
        return Err(DecideError::NotEnoughPoints { reward, points, available }.into());
    }
    let id = issue(draft, reward, moment, request.cause(), Some(request.on_request.clone()))?;
    draft.once = Some(Once { entry: id, request: request.request() });
    Ok(())
}

fn issue(
    draft: &mut Draft<'_>,
    reward: &Reward,
    moment: Timestamp,
    cause: Cause,
    on_request: Option<OnRequest>,
) -> Result<EntryId, Stop> {
    let zone = &draft.programme_at(moment).time_zone;
    let coupon = Coupon {
        code: draft.entropy.coupon_code().ok_or(DecideError::EntropySpent)?,
        number: draft.profile.account.coupons_issued,
        reward: reward.id.clone(),
        points: reward.points,
        issued_at: moment,
        ends_at: reward.coupon.valid_for.map(|period| period.after(moment, zone)).transpose()?,
        state: CouponState::Issued,
        uses: Vec::new(),
        came_with: None,
    };
    let id = EntryId { effective_at: moment, cause, n: 0 };
    let kind = Kind::CouponIssued {
        code: coupon.code.clone(),
        reward: coupon.reward.clone(),
        ends_at: coupon.ends_at,
        told_from: None,
        on_request,
    };
    draft.post(id.clone(), Deltas::points(reward.points.negated()?), kind)?;
    note_end(&mut draft.profile.bookkeeping, &coupon);
    count_of_hour(draft);
    draft.put_coupon(coupon);
    Ok(id)
}

/// Counts a coupon in its hour, where the programme has a limit for it.
fn count_of_hour(draft: &mut Draft<'_>) {
    let now = draft.now();
    if draft.programme_at(now).limits.coupons_per_hour.is_none() {
        draft.profile.bookkeeping.coupons_of_hour = None;
        return;
    }
    let of_hour = CouponsOfHour::at(draft.profile.bookkeeping.coupons_of_hour, now);
    let count = of_hour.count.saturating_add(1);
    draft.profile.bookkeeping.coupons_of_hour = Some(CouponsOfHour { count, ..of_hour });
}
