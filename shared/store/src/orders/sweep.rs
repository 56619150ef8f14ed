//! The sweep's way over the orders, page by page, and where it stands between two runs.
//!
//! Its position is an item of this very table, under a key that no order has: it means nothing without these orders,
//! and comes back from a backup with them. It lacks `accrue`, so neither the stream's filter nor the sweep sees it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::{OrderKey, OrderState};

use super::{order_key, state_of};
use crate::expression::Update;
use crate::items::{Attributes, order_of_image, text};
use crate::keys::orders;
use crate::{Consistency, Store, StoreError};

/// Where a sweep goes on: after this key of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPosition(String);

impl SweepPosition {
    /// Right after an order.
    pub fn after(order: &OrderKey) -> Self {
        Self(order.as_str().to_owned())
    }

    fn of(key: &Attributes, attribute: &str) -> Option<Self> {
        key.get(attribute)?.as_s().ok().map(|key| Self(key.clone()))
    }
}

/// A page of orders.
#[derive(Debug)]
pub struct SweepPage {
    /// Every order that the accrual is to work on: those that lie aside are left out. One that cannot be read is an
    /// error of its own.
    pub orders: Vec<Result<OrderState, StoreError>>,
    /// How many were read for it, those that lie aside too.
    pub scanned: u64,
    /// Where the next page begins; nothing after the last one.
    pub next: Option<SweepPosition>,
}

impl Store {
    /// The orders after a position, or from the beginning, as they were a moment ago: at most `limit`, and fewer
    /// where some lie aside.
    pub async fn sweep_page(
        &self,
        after: Option<&SweepPosition>,
        limit: u16,
    ) -> Result<SweepPage, StoreError> {
        let start = after.map(|after| HashMap::from([(orders::ORDER.to_owned(), text(after.0.as_str()))]));
        let page = self
            .client
            .scan()
            .table_name(&self.tables.orders)
            .filter_expression("#accrue = :true")
            .expression_attribute_names("#accrue", orders::ACCRUE)
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .set_exclusive_start_key(start)
            .limit(i32::from(limit.max(1)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        let next = page.last_evaluated_key().and_then(|key| SweepPosition::of(key, orders::ORDER));
        let scanned = u64::try_from(page.scanned_count()).unwrap_or_default();
        let items = page.items.unwrap_or_default().into_iter();
        let orders = items.map(|item| order_of_image(item.into()).map_err(StoreError::from)).collect();
        Ok(SweepPage { orders, scanned, next })
    }

    /// An order as it is at this moment, unless it lies aside.
    pub async fn order_to_accrue(&self, key: &OrderKey) -> Result<Option<OrderState>, StoreError> {
        let item = self.get(&self.tables.orders, order_key(key), Consistency::Strong).await?;
        state_of(item.filter(|item| item.get(orders::ACCRUE) == Some(&AttributeValue::Bool(true))))
    }

    /// Where the sweep goes on; nothing where it begins anew.
    pub async fn sweep_position(&self) -> Result<Option<SweepPosition>, StoreError> {
        let item = self.get(&self.tables.orders, sweep_key(), Consistency::Strong).await?;
        Ok(item.and_then(|item| SweepPosition::of(&item, orders::POSITION)))
    }

    /// Keeps where the sweep goes on.
    pub async fn keep_sweep_position(&self, position: Option<&SweepPosition>) -> Result<(), StoreError> {
        let mut update = Update::default();
        match position {
            Some(SweepPosition(key)) => update.set(orders::POSITION, text(key)),
            None => update.remove(orders::POSITION),
        }
        self.update(&self.tables.orders, sweep_key(), update).await.map(drop)
    }
}

fn sweep_key() -> Attributes {
    HashMap::from([(orders::ORDER.to_owned(), text(orders::SWEEP))])
}
