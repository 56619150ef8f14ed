//! Which of two snapshots of an order is the later one, as a text that DynamoDB compares.

use domain::{Order, Payment, Timestamp, time};
use serde_json::json;

use crate::keys::fnv1a;

/// The platform's time decides. Of two snapshots of the same time the later stage of an order's life is the later one:
/// unpaid, paid in part (the more is paid, the later), paid, cancelled; then the one with more refunds.
pub(super) fn freshness(order: &Order) -> String {
    format!("{}{}#{:04}", moment(order), stage(order), order.refunds.len())
}

/// What every freshness of the same time begins with: it sorts before all of them, and after those of any earlier time.
pub(super) fn moment(order: &Order) -> String {
    format!("{}#", time::sortable(order.snapshot.updated_at))
}

/// Of a deletion: later than whatever the platform told of the same time.
pub(super) fn freshness_of_deletion(at: Timestamp) -> String {
    format!("{}#4", time::sortable(at))
}

/// The platform's time in a freshness.
pub(super) fn time_of(freshness: &str) -> Option<Timestamp> {
    time::instant(freshness.split_once('#')?.0).ok()
}

/// A freshness without what stands behind it in older items: a digest.
pub(super) fn comparable(freshness: &str) -> &str {
    let mut ends = freshness.match_indices('#').map(|(at, _)| at);
    ends.nth(2).and_then(|end| freshness.get(..end)).unwrap_or(freshness)
}

/// A digest of what an order tells, whenever it was told: the same one means the same telling, again.
pub(super) fn digest(order: &Order) -> String {
    let snapshot = domain::Snapshot { updated_at: Timestamp::UNIX_EPOCH, ..order.snapshot.clone() };
    let refunds: Vec<_> =
        order.refunds.iter().map(|(id, refund)| (id, refund.currency, refund.goods)).collect();
    format!("{:016x}", fnv1a(json!([snapshot, refunds]).to_string().as_bytes()))
}

fn stage(order: &Order) -> String {
    match order.snapshot.payment {
        _ if order.snapshot.cancelled => "3".to_owned(),
        Payment::Unpaid => "0".to_owned(),
        Payment::Partial { paid, .. } => format!("1:{:019}", paid.max(0)),
        Payment::Paid => "2".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::{Currency, Goods, OrderKey, Refund, RefundId, Snapshot};

    use super::*;

    fn order(updated_at: &str, payment: Payment, cancelled: bool, refunds: usize) -> Order {
        let (at, currency) = (time::instant(updated_at).unwrap(), Currency::new("EUR").unwrap());
        let refund = Refund::of_goods(at, currency, Goods::untaxed(100));
        let refunds = (0..refunds).map(|id| (RefundId::new(id.to_string()).unwrap(), refund.clone()));
        let goods = Goods::untaxed(5_000);
        Order {
            key: OrderKey::new("shop#1").unwrap(),
            placed_at: at,
            customer: None,
            snapshot: Snapshot {
                updated_at: at,
                currency,
                goods,
                payment,
                cancelled,
                test: false,
                coupons: Default::default(),
            },
            refunds: BTreeMap::from_iter(refunds),
        }
    }

    #[test]
    fn later_snapshots_sort_after_earlier_ones() {
        let (at, then) = ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.001Z");
        let partial = |paid| Payment::Partial { paid, total: 5_000 };
        let in_order = [
            order(at, Payment::Unpaid, false, 0),
            order(at, partial(900), false, 0),
            order(at, partial(1_000), false, 0),
            order(at, Payment::Paid, false, 0),
            order(at, Payment::Paid, false, 2),
            order(at, Payment::Paid, false, 10),
            order(at, Payment::Unpaid, true, 0),
            order(then, Payment::Unpaid, false, 0),
        ];
        let mut texts = in_order.iter().map(freshness).collect::<Vec<_>>();
        texts.insert(7, freshness_of_deletion(time::instant(at).unwrap()));
        texts.insert(0, moment(&in_order[0]));
        texts.insert(9, moment(&in_order[7]));
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:#?}");
        assert!(texts.iter().all(|text| time_of(text).is_some()));
    }

    #[test]
    fn the_same_content_has_the_same_digest_whenever_it_was_told_and_other_content_has_not() {
        let first = order("2026-03-01T10:00:00Z", Payment::Paid, false, 1);
        let mut other = order("2026-03-02T10:00:00Z", Payment::Paid, false, 1);
        assert_eq!(digest(&first), digest(&other));
        other.snapshot.goods = Goods::untaxed(4_000);
        assert_ne!(digest(&first), digest(&other));
    }

    #[test]
    fn a_freshness_of_older_items_is_compared_without_its_digest() {
        let paid = order("2026-03-01T10:00:00Z", Payment::Paid, false, 1);
        let now = freshness(&paid);
        assert_eq!(comparable(&format!("{now}#00000000deadbeef")), now);
        assert_eq!(comparable(&now), now);
        let deleted = freshness_of_deletion(paid.snapshot.updated_at);
        assert_eq!(comparable(&deleted), deleted);
    }
}
