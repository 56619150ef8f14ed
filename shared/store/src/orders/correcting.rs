//! What an operator says of an order, kept beside what is told of it.

use domain::{Correction, OrderKey, OrderState, time};

use super::freshness::time_of;
use super::news::revise;
use super::{MAX_ROUNDS, contended, order_key};
use crate::expression::Update;
use crate::items::{Attributes, order_of_image, text, write_value};
use crate::keys::orders;
use crate::writes::Written;
use crate::{Consistency, Store, StoreError};

/// The most corrections of one order: each stays on record, and nobody needs as many.
pub const MAX_CORRECTIONS: usize = 50;

impl Store {
    /// Puts a correction on record and wakes the accrual, also for what was parked or dropped. Answers the order as it is
    /// then; nothing where it is unknown.
    ///
    /// An order that was changed, as it was told, far ahead of the correction is dated as of it: so it can be told anew.
    pub async fn correct(
        &self,
        key: &OrderKey,
        correction: &Correction,
    ) -> Result<Option<OrderState>, StoreError> {
        let mut known = self.get(&self.tables.orders, order_key(key), Consistency::Strong).await?;
        for _ in 0..MAX_ROUNDS {
            let Some(stored) = known else { return Ok(None) };
            let update = correction_update(&stored, correction)?;
            match self.update_order(key, update).await? {
                Written::Done(stored) => return Ok(Some(order_of_image(stored.into())?)),
                Written::Refused(Some(stored)) => known = Some(stored),
                Written::Refused(None) => {
                    known = self.get(&self.tables.orders, order_key(key), Consistency::Strong).await?;
                }
            }
        }
        Err(contended())
    }
}

fn correction_update(stored: &Attributes, correction: &Correction) -> Result<Update, StoreError> {
    let order = order_of_image(stored.clone().into())?;
    if order.corrections.len() >= MAX_CORRECTIONS {
        return Err(StoreError::Permanent(format!("an order has at most {MAX_CORRECTIONS} corrections")));
    }
    let mut corrections = order.corrections;
    corrections.push(correction.clone());
    let mut update = Update::default();
    update.set(orders::CORRECTIONS, write_value(&corrections)?);
    let freshness = stored.get(orders::FRESHNESS).and_then(|freshness| freshness.as_s().ok());
    let is_frozen =
        freshness.and_then(|it| time_of(it)).is_some_and(|at| time::is_far_ahead(at, correction.at));
    if is_frozen {
        update.set(orders::FRESHNESS, text(format!("{}#", time::sortable(correction.at))));
        update.set(orders::UPDATED_AT, write_value(&correction.at)?);
    }
    match stored.get(orders::REVISION) {
        Some(revision) => update.if_equal(orders::REVISION, revision.clone()),
        None => update.if_missing(orders::REVISION),
    }
    revise(&mut update);
    Ok(update)
}
