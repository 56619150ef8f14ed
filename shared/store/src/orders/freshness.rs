//! Which of two snapshots of an order is the later one, as one text that DynamoDB compares.

use domain::{Order, Payment, Timestamp, time};

use crate::items::ImageError;
use crate::keys::fnv1a;

/// The platform's time decides. Of two snapshots of the same time the later stage of an order's life wins:
/// unpaid, paid in part (the more is paid, the later), paid, cancelled; then the one with more refunds. A
/// digest of the content makes the order total, so that the same one wins whichever comes first.
pub(super) fn freshness(order: &Order) -> Result<String, ImageError> {
    let digest = serde_json::to_vec(&(&order.snapshot, &order.refunds)).map_err(ImageError::new)?;
    Ok(format!(
        "{}#{}#{:04}#{:016x}",
        time::sortable(order.snapshot.updated_at),
        stage(order),
        order.refunds.len(),
        fnv1a(&digest),
    ))
}

/// Of a deletion: later than whatever the platform told of the same time.
pub(super) fn freshness_of_deletion(at: Timestamp) -> String {
    format!("{}#4", time::sortable(at))
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
        let mut texts = in_order.iter().map(|order| freshness(order).unwrap()).collect::<Vec<_>>();
        texts.insert(7, freshness_of_deletion(time::instant(at).unwrap()));
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:#?}");
    }

    #[test]
    fn equal_content_is_equally_fresh_and_other_content_is_not() {
        let first = order("2026-03-01T10:00:00Z", Payment::Paid, false, 1);
        let mut other = first.clone();
        assert_eq!(freshness(&first), freshness(&other));
        other.snapshot.goods = Goods::untaxed(4_000);
        assert_ne!(freshness(&first), freshness(&other));
    }
}
