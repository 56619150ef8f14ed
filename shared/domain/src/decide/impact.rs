//! What another version of the programme would change for a member on the day on which it comes into force, as far as
//! the profile tells: for whoever publishes it to see before.

use super::DecideError;
use super::expiry::{InForce, next_expiry};
use crate::member::Profile;
use crate::points::{Overflow, Points};
use crate::programme::{ExpiryRule, Level, Programmes, Version};
use crate::time::TimeError;

/// What changes for one member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Impact {
    /// The points that run out sooner than before.
    pub expire_sooner: Points,
    /// How many coupons what can be spent now buys by itself.
    pub coupons: i64,
    /// Whether the status points known now reach a higher level than the one held, or a lower one.
    pub level: Option<LevelChange>,
}

/// Which way a level changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelChange {
    /// To a higher level.
    Up,
    /// To a lower level, or none.
    Down,
}

/// What the newest version changes for a member when it comes into force, held against the one before it.
pub fn impact(before: &Programmes, after: &Programmes, profile: &Profile) -> Result<Impact, DecideError> {
    if profile.account.merged_into.is_some() {
        return Ok(Impact::default());
    }
    Ok(Impact {
        expire_sooner: expire_sooner(before, after, profile)?,
        coupons: coupons(before, after, profile)?,
        level: level(before.newest(), after.newest(), profile),
    })
}

fn expire_sooner(before: &Programmes, after: &Programmes, profile: &Profile) -> Result<Points, TimeError> {
    let balance = profile.account.balance;
    let from = after.newest().from;
    let Some(rule) = InForce::at(after, from)?.filter(|_| balance > Points::ZERO) else {
        return Ok(Points::ZERO);
    };
    let ends_before = next_expiry(before, from, profile)?.map(|next| next.at);
    let spares =
        before.newest().programme.expiry.as_ref().is_some_and(|known| rule.expiry.spares_what(known));
    let ends = match rule.expiry.rule {
        _ if spares => return Ok(Points::ZERO),
        ExpiryRule::AfterInactivity => {
            rule.end(profile.bookkeeping.active_at.unwrap_or(profile.enrolled_at))?
        }
        // When each of them was earned stands in the journal alone; this is the earliest that any can run out.
        ExpiryRule::AfterEarning => rule.not_before.unwrap_or(from),
    };
    Ok(if ends_before.is_none_or(|end| ends < end) { balance } else { Points::ZERO })
}

fn coupons(before: &Programmes, after: &Programmes, profile: &Profile) -> Result<i64, Overflow> {
    let available = profile.available()?;
    let bought = |programmes: &Programmes| {
        let reward = programmes.newest().programme.automatic_reward()?;
        available.floored().0.checked_div(reward.points.0)
    };
    Ok(bought(after).unwrap_or_default().saturating_sub(bought(before).unwrap_or_default()).max(0))
}

fn level(before: &Version, after: &Version, profile: &Profile) -> Option<LevelChange> {
    let sum = profile.bookkeeping.window.sum.floored();
    let reached =
        |version: &'_ Version| -> Option<Level> { version.programme.tiers.as_ref()?.reached(sum).cloned() };
    let (was, will_be) = (reached(before), reached(after));
    if was.as_ref().map(|level| &level.id) == will_be.as_ref().map(|level| &level.id) {
        return None;
    }
    let was_at = was.map(|was| after.programme.level(&was.id).unwrap_or(&was).threshold);
    Some(if will_be.map(|level| level.threshold) > was_at { LevelChange::Up } else { LevelChange::Down })
}
