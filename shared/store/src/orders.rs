//! Orders and refunds as the platforms told of them.

mod correcting;
mod freshness;
mod heard;
mod import;
mod news;
mod parking;
mod parts;
mod sweep;
mod telling;

use std::collections::HashMap;

use domain::{
    Customer, CustomerMerge, Order, OrderKey, OrderState, Refund, RefundId, SourceName, Timestamp,
    UnlinkedRefund,
};

pub use self::correcting::MAX_CORRECTIONS;
use self::import::Told;
pub(crate) use self::news::take_up;
use self::news::{News, deletion_update, is_deleted, merge_update, or_restore, too_many_refunds};
pub use self::parking::{Aside, Dropped, Parked, ParkedPage, Standing};
pub use self::sweep::{SweepPage, SweepPosition};
pub use self::telling::Arrival;
use self::telling::Telling;
use crate::expression::Update;
use crate::items::{Attributes, order_of_image, text};
use crate::keys::{erasures, orders};
use crate::transaction::{Action, Transacted};
use crate::writes::Written;
use crate::{BodyDigest, Consistency, Store, StoreError};

/// The most refunds of one order: an item holds 400 KB, and an order of a hundred lines, each refunded in
/// parts, stays far below.
pub const MAX_REFUNDS_PER_ORDER: usize = 500;
/// How often an order is written while others write the same one, before its webhook is asked to come again.
const MAX_ROUNDS: u32 = 20;

/// What became of a webhook's news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Something new was stored.
    Stored,
    /// All of it was known already, or is older than what is known.
    Known,
}

/// What became of the word that an order was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is deleted now, or was before.
    Recorded(Recorded),
    /// The very same body deleted it before, and it was restored since: it stays.
    RestoredSince,
}

impl Store {
    /// Writes an order's newest snapshot and its refunds, as its platform sent them: one write where they are newer than
    /// what is known. Of an older one, only what is missing is added.
    pub async fn record_order(&self, order: &Order) -> Result<Recorded, StoreError> {
        self.record_arrived_order(order, Arrival::Sent).await
    }

    /// As [`Store::record_order`], however it was heard of.
    pub async fn record_arrived_order(
        &self,
        order: &Order,
        arrival: Arrival,
    ) -> Result<Recorded, StoreError> {
        let telling = Telling::of(order, arrival, Told::AsItHappens);
        let first = telling.first()?;
        self.record_telling(order, &telling, first, Told::AsItHappens).await
    }

    /// As [`Store::record_order`], of an order that was deleted and is restored. It need not be newer than the
    /// moment at which we heard of the deletion, only newer than what was known before.
    pub async fn record_restored_order(&self, order: &Order) -> Result<Recorded, StoreError> {
        let telling = Telling::of(order, Arrival::Sent, Told::AsItHappens);
        let mut first = telling.first()?;
        if let Some(update) = &mut first {
            or_restore(update, order);
        }
        self.record_telling(order, &telling, first, Told::AsItHappens).await
    }

    /// Cancels an order that the platform deleted, at the latest at this moment, and keeps what is known of it.
    /// What was told of it before and comes later does not bring it back. The same body deletes it once for good.
    pub async fn record_deletion(
        &self,
        order: &OrderKey,
        at: Timestamp,
        body: &BodyDigest,
    ) -> Result<Deletion, StoreError> {
        let mut known = self.get(&self.tables.orders, order_key(order), Consistency::Strong).await?;
        for _ in 0..MAX_ROUNDS {
            let Some(mut update) = deletion_update(known.as_ref(), at, body)? else {
                return Ok(match known.as_ref().is_some_and(is_deleted) {
                    true => Deletion::Recorded(Recorded::Known),
                    false => Deletion::RestoredSince,
                });
            };
            Told::AsItHappens.mark(&mut update);
            match self.update_order(order, update).await? {
                Written::Done(_) => return Ok(Deletion::Recorded(Recorded::Stored)),
                Written::Refused(stored) => known = stored,
            }
        }
        Err(contended())
    }

    /// Writes a telling over what is known, and first of all as if nothing as new were; of one that does not hold, only
    /// what is missing.
    async fn record_telling(
        &self,
        order: &Order,
        telling: &Telling<'_>,
        first: Option<Update>,
        told: Told,
    ) -> Result<Recorded, StoreError> {
        if order.refunds.len() > MAX_REFUNDS_PER_ORDER {
            return Err(too_many_refunds());
        }
        let news = News::of_order(order);
        let mut update = first;
        for _ in 0..MAX_ROUNDS {
            let written = match update {
                Some(update) => self.update_order(&order.key, update).await?,
                None => Written::Refused(
                    self.get(&self.tables.orders, order_key(&order.key), Consistency::Strong).await?,
                ),
            };
            let known = match written {
                Written::Done(stored) => {
                    // What one update does not write: further refunds, and a customer in a guest's place.
                    self.add(&order.key, state_of(Some(stored))?, &news, told).await?;
                    return Ok(Recorded::Stored);
                }
                Written::Refused(stored) => stored,
            };
            update = telling.over(known.as_ref())?;
            if update.is_none() {
                let known = state_of(known)?;
                let is_dated_by_us = telling.is_dated_by_us();
                let news = if is_dated_by_us { news.without_known_refunds(known.as_ref()) } else { news };
                return self.add(&order.key, known, &news, told).await;
            }
        }
        Err(contended())
    }

    /// Writes a refund of an order, known or not yet. One that is known stays, unless this is a later version of it
    /// ([`Refund::supersedes`]).
    pub async fn record_refund(
        &self,
        order: &OrderKey,
        id: &RefundId,
        refund: &Refund,
    ) -> Result<Recorded, StoreError> {
        self.refund_of_part_or_whole(order, &News::of_refund(id, refund), Told::AsItHappens).await
    }

    /// Writes whose an order is, known or not yet. The owner first told stays.
    pub async fn record_owner(&self, order: &OrderKey, owner: &Customer) -> Result<Recorded, StoreError> {
        self.record_news(order, &News::of_owner(owner), Told::AsItHappens).await
    }

    /// Writes a refund that names no order.
    pub async fn record_unlinked_refund(&self, refund: &UnlinkedRefund) -> Result<Recorded, StoreError> {
        self.add(&refund.key, None, &News::of_unlinked_refund(refund), Told::AsItHappens).await
    }

    /// Writes that two customers turned out to be one, which takes the orders' way; the body that told it is remembered
    /// with it, so that it never does so again.
    pub async fn record_merge(
        &self,
        source: &SourceName,
        merge: &CustomerMerge,
        body: &BodyDigest,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let key = OrderKey::of_merge(source, &merge.kept, &merge.deleted)
            .map_err(|error| StoreError::Permanent(format!("the customers' identifiers: {error}")))?;
        let actions = vec![
            Action::PutNew(&self.tables.erasures, body.item(now), erasures::ERASURE),
            Action::Update(&self.tables.orders, order_key(&key), merge_update(merge)?),
        ];
        match self.transact(actions).await? {
            Transacted::Done => Ok(Recorded::Stored),
            Transacted::Refused(0) => Ok(Recorded::Known),
            // Another body told the same merge, and it is under way.
            Transacted::Refused(_) => {
                self.remember(body, now).await?;
                Ok(Recorded::Known)
            }
            Transacted::Contended => Err(contended()),
        }
    }

    /// Removes a merge that is done: it names two customers, and nothing asks for it any more.
    pub async fn forget_merge(&self, key: &OrderKey) -> Result<(), StoreError> {
        self.delete(&self.tables.orders, order_key(key)).await
    }

    /// All that is known of an order.
    pub async fn order(&self, key: &OrderKey) -> Result<Option<OrderState>, StoreError> {
        self.read_order(key, Consistency::Strong).await
    }

    async fn record_news(
        &self,
        order: &OrderKey,
        news: &News<'_>,
        told: Told,
    ) -> Result<Recorded, StoreError> {
        Ok(self.record_and_read(order, news, told).await?.0)
    }

    /// As [`Store::record_news`], with all that is known after it.
    async fn record_and_read(
        &self,
        order: &OrderKey,
        news: &News<'_>,
        told: Told,
    ) -> Result<(Recorded, Option<OrderState>), StoreError> {
        // An eventual read may be a moment old; the write is conditioned on the revision that it saw.
        let known = self.read_order(order, Consistency::Eventual).await?;
        self.add_and_read(order, known, news, told).await
    }

    async fn add(
        &self,
        key: &OrderKey,
        known: Option<OrderState>,
        news: &News<'_>,
        told: Told,
    ) -> Result<Recorded, StoreError> {
        Ok(self.add_and_read(key, known, news, told).await?.0)
    }

    /// Writes what is not stored yet, until nothing is new.
    async fn add_and_read(
        &self,
        key: &OrderKey,
        mut known: Option<OrderState>,
        news: &News<'_>,
        told: Told,
    ) -> Result<(Recorded, Option<OrderState>), StoreError> {
        let mut recorded = Recorded::Known;
        for _ in 0..MAX_ROUNDS {
            let Some(mut update) = news.beyond(known.as_ref())? else { return Ok((recorded, known)) };
            told.mark(&mut update);
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
