//! What a commit did, in one line for whoever watches a stack: no person in it.

use std::fmt;

use domain::decide::Decision;
use domain::{Entry, Kind};

/// The line of a commit.
pub(super) struct LedgerLine<'a>(pub(super) &'a Decision);

impl fmt::Display for LedgerLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { profile, entries, .. } = self.0;
        let coupons = entries.iter().filter(|entry| matches!(entry.kind, Kind::CouponIssued { .. })).count();
        let mut parts: Vec<String> = entries.iter().filter_map(part).collect();
        if coupons > 0 {
            parts.push(format!("{coupons} coupon{} issued", if coupons == 1 { "" } else { "s" }));
        }
        write!(f, "{}: member {} has {} points", parts.join(", "), profile.member, profile.account.balance)
    }
}

/// What one entry adds to the line; coupons are counted instead.
fn part(entry: &Entry) -> Option<String> {
    let points = entry.points.0;
    Some(match &entry.kind {
        Kind::CouponIssued { .. } => return None,
        Kind::TierChanged { to: Some(level), .. } => format!("tier {level}"),
        Kind::TierChanged { to: None, .. } => "tier lost".to_owned(),
        Kind::ExpiryReminder { expiring, .. } => format!("reminder of {expiring} points"),
        _ if points == 0 => entry.id.cause.to_string(),
        _ => format!("{} {points:+} points", entry.id.cause),
    })
}

#[cfg(test)]
mod tests {
    use domain::{Audience, Cause, EntryId, OrderKey, Points, Timestamp};

    use super::*;

    fn entry(cause: Cause, points: i64, kind: Kind) -> Entry {
        Entry {
            id: EntryId { effective_at: Timestamp::UNIX_EPOCH, cause, n: 0 },
            sequence: 1,
            recorded_at: Timestamp::UNIX_EPOCH,
            points: Points(points),
            lifetime_points: Points::ZERO,
            status_points: Points::ZERO,
            counts: 0,
            kind,
            audience: Audience::Nobody,
            came_with: None,
        }
    }

    #[test]
    fn an_order_is_named_with_its_points_and_a_tier_by_its_level() {
        let order = Cause::Order(OrderKey::new("shop#1").unwrap());
        let earned = entry(order.clone(), 5_200, Kind::Order { revision: 1 });
        assert_eq!(part(&earned).as_deref(), Some("order/shop#1 +5200 points"));
        let nothing = entry(order, 0, Kind::Order { revision: 2 });
        assert_eq!(part(&nothing).as_deref(), Some("order/shop#1"));
        let lost = Kind::TierChanged { from: None, to: None, up: false, kept_until: None };
        let lost = entry(Cause::Tier("2026-03-01".parse().unwrap()), 0, lost);
        assert_eq!(part(&lost).as_deref(), Some("tier lost"));
    }
}
