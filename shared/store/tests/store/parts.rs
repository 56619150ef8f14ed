//! Orders that are parts of another one: their refunds are the whole's, whichever is told first.

use std::collections::BTreeMap;

use domain::{OrderState, Refund, RefundKind};
use store::{Recorded, Store};

use crate::given::{at, order, order_key, refund, refund_id};
use crate::support::Bench;

async fn stored(store: &Store, id: &str) -> OrderState {
    store.order(&order_key(id)).await.unwrap().expect("the order is known")
}

/// What is told of an invoice and of its payment.
async fn tell(store: &Store, what: usize) -> Recorded {
    let (part, whole) = (order_key("part"), order_key("whole"));
    let sum = |refunded_at, amount| Refund {
        refunded_at: at(refunded_at),
        kind: RefundKind::SoFar,
        ..refund(amount)
    };
    match what {
        0 => store.record_order(&order("whole")).await,
        1 => store.record_order(&order("part")).await,
        2 => store.record_part(&part, &whole).await,
        3 => store.record_refund(&part, &refund_id("ch"), &sum("2026-03-02T12:00:00Z", 300)).await,
        4 => store.record_refund(&part, &refund_id("ch"), &sum("2026-03-03T12:00:00Z", 500)).await,
        _ => store.record_refund(&part, &refund_id("re"), &refund(200)).await,
    }
    .unwrap()
}

#[tokio::test]
async fn a_parts_refunds_are_the_wholes_in_whatever_order_and_however_often_they_are_told() {
    for told in
        [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 2, 5, 0, 4, 1], [2, 4, 3, 0, 5, 1], [4, 0, 1, 5, 2, 3]]
    {
        let Bench { store, .. } = Bench::new().await;
        for what in told.into_iter().chain([2, 4, 3]) {
            tell(&store, what).await;
        }
        let (part, whole) = (stored(&store, "part").await, stored(&store, "whole").await);
        assert_eq!((part.part_of, whole.part_of), (Some(order_key("whole")), None), "{told:?}");
        assert_eq!(whole.snapshot, Some(order("whole").snapshot));
        let amounts = whole.refunds.iter().map(|(id, refund)| (id.as_str(), refund.goods.amount));
        assert_eq!(
            amounts.collect::<BTreeMap<_, _>>(),
            BTreeMap::from([("ch", 500), ("re", 200)]),
            "{told:?}"
        );
        assert_eq!(part.refunds, whole.refunds);
    }
}

#[tokio::test]
async fn that_an_order_is_a_part_is_news_once() {
    let Bench { store, .. } = Bench::new().await;
    assert_eq!((tell(&store, 2).await, tell(&store, 2).await), (Recorded::Stored, Recorded::Known));
    assert_eq!((tell(&store, 5).await, tell(&store, 5).await), (Recorded::Stored, Recorded::Known));
    assert_eq!(stored(&store, "whole").await.revision, 1, "its refund alone is known");
}
