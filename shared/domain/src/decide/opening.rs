//! Members of the past: what they had is posted once, as of its own moment, and follows the rules from then on.

use super::coupons;
use super::draft::{Deltas, Draft, Stop};
use crate::journal::{EntryId, Kind};
use crate::opening::{Once, Opening};
use crate::time::Timestamp;

/// Posts an opening balance, unless that was done by the step before. It gives points and nothing else: no order, no
/// status, no lifetime points. Only for expiry it is as if it were an order of its moment.
pub(super) fn open(draft: &mut Draft<'_>, opening: &Opening, at: Timestamp) -> Result<(), Stop> {
    if draft.profile.account.merged_into.is_some() {
        return Ok(());
    }
    let cause = Opening::cause(&draft.profile.member);
    let id: EntryId = draft.next_id(at, cause)?;
    if id.n > 0 {
        return Ok(());
    }
    draft.once = Some(Once { entry: id.clone(), request: opening.request() });
    let kind = Kind::OpeningBalance { reason: opening.reason.clone() };
    draft.post(id, Deltas::points(opening.points), kind)?;
    coupons::check_count(draft)?;
    Ok(())
}
