//! The life of one order as a platform tells it. In whatever order its events are delivered, and however often, what is
//! stored of it ends the same.

use domain::{OrderKey, OrderState};
use proptest::prelude::*;
use serde_json::Value;

use super::embedded_store;
use crate::fields::BadInput;
use crate::platform::News;

/// What may be told again, at the most.
const AGAIN: usize = 6;

/// The events of one order.
pub(crate) struct Life {
    pub(crate) order: &'static str,
    pub(crate) events: Vec<Value>,
    pub(crate) parse: fn(&Value) -> Result<News, BadInput>,
}

impl Life {
    /// Every event, in whatever order, and some of them again.
    pub(crate) fn deliveries(&self) -> impl Strategy<Value = Vec<usize>> + use<> {
        let count = self.events.len();
        let shuffled = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
        (shuffled, prop::collection::vec(0..count, 0..AGAIN))
            .prop_map(|(all, again)| all.into_iter().chain(again).collect())
    }

    /// What the rules see of the order when these events were told.
    pub(crate) async fn after(&self, told: impl IntoIterator<Item = usize>) -> OrderState {
        let store = embedded_store().await;
        for index in told {
            match (self.parse)(&self.events[index]) {
                Ok(News::Order(order)) => store.record_order(&order).await,
                Ok(News::Refund { order, id, refund }) => store.record_refund(&order, &id, &refund).await,
                other => panic!("{other:?}"),
            }
            .unwrap();
        }
        let mut state = store.order(&OrderKey::new(self.order).unwrap()).await.unwrap().unwrap();
        state.revision = 0;
        // How to reach the customer is as first told; the customer is the same.
        if let Some(owner) = &mut state.owner {
            owner.contact = Default::default();
        }
        state
    }

    /// Fails where the events, so delivered, end otherwise than one after the other.
    pub(crate) fn check(&self, delivered: Vec<usize>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let expected = runtime.block_on(self.after(0..self.events.len()));
        assert_eq!(runtime.block_on(self.after(delivered)), expected);
    }
}
