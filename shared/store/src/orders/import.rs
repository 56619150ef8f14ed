//! Orders of the past, brought by an import: stored as a webhook's are, but members are not told of what follows from them.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Order, OrderKey, Refund, RefundId, UnlinkedRefund};

use super::news::News;
use super::telling::Telling;
use super::{Arrival, Recorded};
use crate::expression::Update;
use crate::keys::orders;
use crate::{Store, StoreError};

/// When something is told of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// By its platform: whoever should hear of what follows from it does.
    AsItHappens,
    /// Long after, by an import.
    Afterwards,
}

impl Told {
    /// Marks what is written: the newest word of an order decides.
    pub(super) fn mark(self, update: &mut Update) {
        match self {
            Self::AsItHappens => update.remove(orders::QUIET),
            Self::Afterwards => update.set(orders::QUIET, AttributeValue::Bool(true)),
        }
    }
}

impl Store {
    /// As [`Store::record_order`], of an order of the past. What is known of it already stays as it is.
    pub async fn import_order(&self, order: &Order) -> Result<Recorded, StoreError> {
        let telling = Telling::of(order, Arrival::Sent, Told::Afterwards);
        let first = telling.first()?;
        self.record_telling(order, &telling, first, Told::Afterwards).await
    }

    /// As [`Store::record_refund`], of a refund of the past.
    pub async fn import_refund(
        &self,
        order: &OrderKey,
        id: &RefundId,
        refund: &Refund,
    ) -> Result<Recorded, StoreError> {
        self.refund_of_part_or_whole(order, &News::of_refund(id, refund), Told::Afterwards).await
    }

    /// As [`Store::record_unlinked_refund`], of a refund of the past.
    pub async fn import_unlinked_refund(&self, refund: &UnlinkedRefund) -> Result<Recorded, StoreError> {
        self.add(&refund.key, None, &News::of_unlinked_refund(refund), Told::Afterwards).await
    }
}
