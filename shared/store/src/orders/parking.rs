//! Orders that were put aside because they could not be processed, and how an operator gets them out again.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{OrderKey, OrderState, Timestamp};
use serde::{Deserialize, Serialize};

use super::news::take_up;
use super::{MAX_ROUNDS, contended, order_key};
use crate::expression::Update;
use crate::items::{number, order_key_of, order_of_image, parked_of, standing_of, write_value};
use crate::keys::orders;
use crate::writes::Written;
use crate::{Consistency, Store, StoreError};

/// The longest reason for parking or dropping that is kept, in characters.
const MAX_REASON_CHARACTERS: usize = 500;

/// Why and since when an order lies aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// Whether an order is processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// Each word of it wakes the accrual.
    Active,
    /// It could not be processed, and waits for an operator or for news.
    Parked(Aside),
    /// An operator decided that it stays as it is; only news of it takes it up again.
    Dropped(Dropped),
}

/// Why and since when an order stays unprocessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The operator's reason.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Why it had been parked.
    pub parked: Aside,
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

/// What one page of the scan found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedPage {
    /// The parked orders among a megabyte of orders; often none.
    pub parked: Vec<Parked>,
    /// Where the next page begins; nothing after the last one.
    pub next: Option<OrderKey>,
}

impl Store {
    /// Puts an order aside as it was at a revision, with a reason; nothing of it is lost. What comes in later takes
    /// it up again, and what came in since is not put aside. One that an operator dropped stays so.
    pub async fn park(
        &self,
        key: &OrderKey,
        revision: u64,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(orders::PARKED, write_value(&Aside { reason: short(reason), at })?);
        update.remove(orders::ACCRUE);
        update.if_equal(orders::REVISION, number(revision));
        update.and_if_missing(orders::DROPPED);
        self.update_order(key, update).await.map(drop)
    }

    /// Takes up an order that was parked or dropped, so that it is tried again as it is. Answers whether it was.
    pub async fn unpark(&self, key: &OrderKey) -> Result<bool, StoreError> {
        let mut update = Update::default();
        take_up(&mut update);
        update.if_there(orders::PARKED);
        update.or_if_there(orders::DROPPED);
        Ok(matches!(self.update_order(key, update).await?, Written::Done(_)))
    }

    /// Leaves a parked order unprocessed for good, with the operator's reason beside the one for parking: it is
    /// parked no longer, and only news of it wakes the accrual. Answers whether it was parked.
    pub async fn drop_parked(&self, key: &OrderKey, reason: &str, at: Timestamp) -> Result<bool, StoreError> {
        for _ in 0..MAX_ROUNDS {
            let Some((_, Standing::Parked(parked))) = self.order_with_standing(key).await? else {
                return Ok(false);
            };
            let mut update = Update::default();
            // It may be tried and parked anew meanwhile; the operator has decided on what was read.
            update.if_equal(orders::PARKED, write_value(&parked)?);
            update.set(orders::DROPPED, write_value(&Dropped { reason: short(reason), at, parked })?);
            update.remove(orders::PARKED);
            if let Written::Done(_) = self.update_order(key, update).await? {
                return Ok(true);
            }
        }
        Err(contended())
    }

    /// All that is known of an order, and whether it is processed.
    pub async fn order_with_standing(
        &self,
        key: &OrderKey,
    ) -> Result<Option<(OrderState, Standing)>, StoreError> {
        let item = self.get(&self.tables.orders, order_key(key), Consistency::Strong).await?;
        let Some(item) = item else { return Ok(None) };
        let standing = standing_of(item.clone())?;
        Ok(Some((order_of_image(item.into())?, standing)))
    }

    /// Every order that is parked: a scan of the whole table, every page followed.
    pub async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        let mut parked = Vec::new();
        let mut start = None;
        loop {
            let page = self.parked_page(start.as_ref()).await?;
            parked.extend(page.parked);
            start = page.next;
            if start.is_none() {
                return Ok(parked);
            }
        }
    }

    /// The parked orders of one page of a scan, which begins after an order, or at the start.
    pub async fn parked_page(&self, after: Option<&OrderKey>) -> Result<ParkedPage, StoreError> {
        let page = self
            .client
            .scan()
            .table_name(&self.tables.orders)
            .filter_expression("attribute_exists(#parked)")
            .projection_expression("#order, #parked")
            .expression_attribute_names("#order", orders::ORDER)
            .expression_attribute_names("#parked", orders::PARKED)
            .set_exclusive_start_key(after.map(order_key))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        let parked = page.items.unwrap_or_default().into_iter().map(parked_of).collect::<Result<_, _>>()?;
        let next = page.last_evaluated_key.map(order_key_of).transpose()?;
        Ok(ParkedPage { parked, next })
    }
}

fn short(reason: &str) -> String {
    reason.chars().take(MAX_REASON_CHARACTERS).collect()
}
