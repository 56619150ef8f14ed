//! Orders and refunds as the platforms told of them.

mod freshness;
mod news;
mod sweep;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Order, OrderKey, OrderState, Refund, RefundId, Timestamp, UnlinkedRefund};

use self::news::{MAX_REFUNDS_PER_WRITE, News, deletion_update, restoration_update};
use self::news::{snapshot_update, take_up, too_many_refunds};
pub use self::sweep::{SweepPage, SweepPosition};
use crate::expression::Update;
use crate::items::{Attributes, ParkedMark, number, order_of_image, parked_of, text, write_value};
use crate::keys::orders;
use crate::writes::Written;
use crate::{Consistency, Store, StoreError};

/// The most refunds of one order: an item holds 400 KB, and an order of a hundred lines, each refunded in
/// parts, stays far below.
pub const MAX_REFUNDS_PER_ORDER: usize = 500;
/// How often an order is written while others write the same one, before its webhook is asked to come again.
const MAX_ROUNDS: u32 = 20;
/// The longest reason for parking that is kept, in characters.
const MAX_REASON_CHARACTERS: usize = 500;

/// What became of a webhook's news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Something new was stored.
    Stored,
    /// All of it was known already, or is older than what is known.
    Known,
}

/// An order that could not be processed, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Which.
    pub key: OrderKey,
    /// Why, for the operator.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

impl Store {
    /// Writes an order's newest snapshot and its refunds: one write where they are newer than what is known.
    /// Of an older one, only what is missing is added.
    pub async fn record_order(&self, order: &Order) -> Result<Recorded, StoreError> {
        self.record_snapshot(order, snapshot_update(order)?).await
    }

    /// As [`Store::record_order`], of an order that was deleted and is restored. It need not be newer than the
    /// moment at which we heard of the deletion, only newer than what was known before.
    pub async fn record_restored_order(&self, order: &Order) -> Result<Recorded, StoreError> {
        self.record_snapshot(order, restoration_update(order)?).await
    }

    /// Cancels an order that the platform deleted, at the latest at this moment, and keeps what is known of it.
    /// What was told of it before and comes later does not bring it back.
    pub async fn record_deletion(&self, order: &OrderKey, at: Timestamp) -> Result<Recorded, StoreError> {
        let mut known = self.get(&self.tables.orders, order_key(order), Consistency::Strong).await?;
        for _ in 0..MAX_ROUNDS {
            let Some(update) = deletion_update(known.as_ref(), at)? else { return Ok(Recorded::Known) };
            match self.update_order(order, update).await? {
                Written::Done(_) => return Ok(Recorded::Stored),
                Written::Refused(stored) => known = stored,
            }
        }
        Err(contended())
    }

    async fn record_snapshot(&self, order: &Order, update: Update) -> Result<Recorded, StoreError> {
        if order.refunds.len() > MAX_REFUNDS_PER_ORDER {
            return Err(too_many_refunds());
        }
        let news = News::of_order(order);
        match self.update_order(&order.key, update).await? {
            // Refused without a word of what is there: somebody is writing it at this moment.
            Written::Refused(None) => Err(contended()),
            Written::Refused(known) => self.add(&order.key, state_of(known)?, &news).await,
            Written::Done(_) if order.refunds.len() <= MAX_REFUNDS_PER_WRITE => Ok(Recorded::Stored),
            Written::Done(stored) => {
                self.add(&order.key, state_of(Some(stored))?, &news).await?;
                Ok(Recorded::Stored)
            }
        }
    }

    /// Writes a refund of an order, known or not yet. One that is known stays as it was told, unless this telling
    /// supersedes it: only its order, which says when it was last changed, may tell it anew.
    pub async fn record_refund(
        &self,
        order: &OrderKey,
        id: &RefundId,
        refund: &Refund,
    ) -> Result<Recorded, StoreError> {
        // An eventual read may be a moment old; the write is conditioned on the revision that it saw.
        let known = self.read_order(order, Consistency::Eventual).await?;
        self.add(order, known, &News::of_refund(id, refund)).await
    }

    /// Writes a refund that names no order.
    pub async fn record_unlinked_refund(&self, refund: &UnlinkedRefund) -> Result<Recorded, StoreError> {
        self.add(&refund.key, None, &News::of_unlinked_refund(refund)).await
    }

    /// All that is known of an order.
    pub async fn order(&self, key: &OrderKey) -> Result<Option<OrderState>, StoreError> {
        self.read_order(key, Consistency::Strong).await
    }

    /// Puts an order aside as it was at a revision, with a reason; nothing of it is lost. What comes in later takes
    /// it up again, and what came in since is not put aside.
    pub async fn park(
        &self,
        key: &OrderKey,
        revision: u64,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let reason = reason.chars().take(MAX_REASON_CHARACTERS).collect();
        let mut update = Update::default();
        update.set(orders::PARKED, write_value(&ParkedMark { reason, at })?);
        update.remove(orders::ACCRUE);
        update.if_equal(orders::REVISION, number(revision));
        self.update_order(key, update).await.map(drop)
    }

    /// Takes up an order that was put aside, so that it is tried again as it is.
    pub async fn unpark(&self, key: &OrderKey) -> Result<(), StoreError> {
        let mut update = Update::default();
        take_up(&mut update);
        update.if_there(orders::PARKED);
        self.update_order(key, update).await.map(drop)
    }

    /// Every order that was put aside: a scan, for the operator, every page followed.
    pub async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        let mut parked = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .scan()
                .table_name(&self.tables.orders)
                .filter_expression("attribute_exists(#parked)")
                .expression_attribute_names("#parked", orders::PARKED)
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| StoreError::from_sdk(&error))?;
            self.meter.read(page.consumed_capacity());
            for item in page.items.unwrap_or_default() {
                parked.push(parked_of(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(parked);
            }
        }
    }

    /// Writes what is not stored yet, until nothing is new.
    async fn add(
        &self,
        key: &OrderKey,
        mut known: Option<OrderState>,
        told: &News<'_>,
    ) -> Result<Recorded, StoreError> {
        let mut recorded = Recorded::Known;
        for _ in 0..MAX_ROUNDS {
            let Some(update) = told.beyond(known.as_ref())? else { return Ok(recorded) };
            match self.update_order(key, update).await? {
                Written::Done(stored) => (known, recorded) = (state_of(Some(stored))?, Recorded::Stored),
                Written::Refused(stored) => known = state_of(stored)?,
            }
        }
        Err(contended())
    }

    async fn read_order(
        &self,
        key: &OrderKey,
        consistency: Consistency,
    ) -> Result<Option<OrderState>, StoreError> {
        state_of(self.get(&self.tables.orders, order_key(key), consistency).await?)
    }

    async fn update_order(&self, key: &OrderKey, update: Update) -> Result<Written, StoreError> {
        self.update(&self.tables.orders, order_key(key), update).await
    }
}

fn contended() -> StoreError {
    StoreError::Retryable("others keep writing this order".to_owned())
}

fn order_key(key: &OrderKey) -> Attributes {
    HashMap::from([(orders::ORDER.to_owned(), text(key.as_str()))])
}

fn state_of(item: Option<Attributes>) -> Result<Option<OrderState>, StoreError> {
    Ok(item.map(|item| order_of_image(item.into())).transpose()?)
}
