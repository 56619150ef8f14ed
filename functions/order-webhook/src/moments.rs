//! Moments that lie far ahead. A sender's clock may be wrong, or a date be mistyped: an order that was changed in 2999
//! would never be changed again, and one placed in 2099 would earn for ever. So what lies more than a day ahead is taken
//! as of now, and noted.

use domain::{Order, Refund, RefundKind, Timestamp, time};

use runtime::telemetry::signal;

use crate::platform::News;

/// Takes every moment of news that lies far ahead as of now. Tells whether the order's own time did.
pub(crate) fn take_as_of_now(news: &mut News, now: Timestamp) -> bool {
    match news {
        News::Order(order) | News::Restored(order) => order_as_of_now(order, now),
        News::Refund { refund, .. } => {
            refund_as_of_now(refund, now);
            false
        }
        News::UnlinkedRefund(unlinked) => {
            refund_as_of_now(&mut unlinked.refund, now);
            false
        }
        News::Contact { at, .. } => as_of_now(at, "updated_at", now),
        News::Deleted { .. }
        | News::Part { .. }
        | News::Owner { .. }
        | News::Merge { .. }
        | News::Several(_)
        | News::Elsewhere(_)
        | News::Erasure(_)
        | News::Request(_)
        | News::Nothing(_) => false,
    }
}

fn order_as_of_now(order: &mut Order, now: Timestamp) -> bool {
    as_of_now(&mut order.placed_at, "placed_at", now);
    order.refunds.values_mut().for_each(|refund| refund_as_of_now(refund, now));
    as_of_now(&mut order.snapshot.updated_at, "updated_at", now)
}

fn refund_as_of_now(refund: &mut Refund, now: Timestamp) {
    as_of_now(&mut refund.refunded_at, "refunded_at", now);
    if let Some(as_of) = &mut refund.as_of {
        as_of_now(as_of, "as_of", now);
    }
    if let RefundKind::Failed { at } = &mut refund.kind {
        as_of_now(at, "failed_at", now);
    }
}

/// The line stands in the span of its source and its order.
fn as_of_now(moment: &mut Timestamp, field: &'static str, now: Timestamp) -> bool {
    let is_far_ahead = time::is_far_ahead(*moment, now);
    if is_far_ahead {
        tracing::warn!(signal = signal::TO_MEND, field, told = %moment, "a moment lies far ahead");
        *moment = now;
    }
    is_far_ahead
}
