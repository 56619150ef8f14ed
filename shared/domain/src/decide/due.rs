//! The due date: a lower bound on the next moment at which the calendar could change a member.

use super::draft::Draft;
use super::{expiry, rating};
use crate::time::{FOREVER, TimeError, Timestamp, start_of};

/// Brings the due date earlier at once, and puts it later only in a review: an ordinary order writes no index.
pub(super) fn update(draft: &mut Draft<'_>, review: bool) -> Result<(), TimeError> {
    if draft.profile.account.merged_into.is_some() {
        draft.profile.bookkeeping.due_at = None;
        return Ok(());
    }
    let bookkeeping = &draft.profile.bookkeeping;
    let next = if draft.is_full() {
        // Whoever goes on begins where this decision was cut off.
        Some(bookkeeping.settled_to.min(draft.now()))
    } else if bookkeeping.is_merging() {
        Some(draft.now())
    } else {
        next_change(draft)?
    };
    let before = draft.profile.bookkeeping.due_at.filter(|_| !review);
    draft.profile.bookkeeping.due_at = before.into_iter().chain(next).min();
    Ok(())
}

fn next_change(draft: &Draft<'_>) -> Result<Option<Timestamp>, TimeError> {
    let bookkeeping = &draft.profile.bookkeeping;
    let programme = draft.programme_at(bookkeeping.settled_to);
    let mut moments = expiry::upcoming(draft.programmes, bookkeeping.settled_to, &draft.profile)?;
    // A version that is on its way is looked at when it comes, also by whoever joins before.
    moments.extend(draft.programmes.next_from(bookkeeping.settled_to));
    let kept_until = bookkeeping.window.kept.as_ref().map(|kept| kept.until);
    for date in bookkeeping.window.tier_changes_on.into_iter().chain(kept_until) {
        moments.push(start_of(date, &programme.time_zone)?);
    }
    if let Some(pending) = &bookkeeping.pending
        && programme.automatic_reward().is_some_and(|reward| draft.profile.account.balance >= reward.points)
    {
        // What matures changes nothing but what can be spent; only what it may buy by itself is worth a review.
        moments.push(pending.next_at);
    }
    moments.extend(bookkeeping.next_coupon_end.filter(|end| *end < FOREVER));
    moments.extend(rating::next_change(programme, bookkeeping.rated.as_ref())?);
    Ok(moments.into_iter().min())
}
