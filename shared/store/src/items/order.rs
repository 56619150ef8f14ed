//! An order: the newest snapshot side by side with the pinned facts, each refund an attribute of its own.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Correction, CouponCode, Currency, Customer, CustomerMerge, Facts, MemberId, OrderKey, OrderState, Refund,
    RefundId, Says, Snapshot, Timestamp,
};
use serde::Deserialize;
use serde_dynamo::Item;

use super::{Attributes, ImageError, read, write, write_value};
use crate::keys::orders;

#[derive(Deserialize)]
struct OrderItem {
    order: OrderKey,
    #[serde(default)]
    revision: u64,
    placed_at: Option<Timestamp>,
    owner: Option<Customer>,
    claimed_by: Option<MemberId>,
    unlinked: Option<Refund>,
    merge: Option<CustomerMerge>,
    #[serde(default)]
    coupons_seen: BTreeSet<CouponCode>,
    #[serde(default)]
    currencies_seen: BTreeSet<Currency>,
    #[serde(default)]
    quiet: bool,
    part_of: Option<OrderKey>,
    #[serde(default)]
    corrections: Vec<Correction>,
}

/// Reads an order from the image of a stream record.
pub fn order_of_image(image: Item) -> Result<OrderState, ImageError> {
    let refunds = refunds_of(&image)?;
    let told: Option<Snapshot> =
        image.contains_key(orders::UPDATED_AT).then(|| read(image.clone())).transpose()?;
    let item: OrderItem = read(image)?;
    let facts = Facts::after(&item.corrections);
    let snapshot = told.map(|told| facts.applied_to(told));
    let placed_at = item.placed_at.map(|told| facts.placed_at.unwrap_or(told));
    Ok(OrderState {
        formerly_placed_at: formerly_placed_at(&item, placed_at),
        corrections: item.corrections,
        key: item.order,
        revision: item.revision,
        placed_at,
        owner: item.owner,
        claimed_by: item.claimed_by,
        snapshot,
        refunds,
        unlinked: item.unlinked,
        merge: item.merge,
        coupons_seen: item.coupons_seen,
        currencies_seen: item.currencies_seen,
        quiet: item.quiet,
        part_of: item.part_of,
    })
}

/// Every moment that an operator replaced, or put in the place of another one, but for the one that holds.
fn formerly_placed_at(item: &OrderItem, placed_at: Option<Timestamp>) -> BTreeSet<Timestamp> {
    let corrected = item.corrections.iter().filter_map(|correction| match &correction.says {
        Says::Facts(facts) => facts.placed_at,
        Says::AsTold => None,
    });
    let mut moments: BTreeSet<_> = corrected.chain(item.placed_at).collect();
    placed_at.iter().for_each(|holds| {
        moments.remove(holds);
    });
    moments
}

fn refunds_of(image: &Item) -> Result<BTreeMap<RefundId, Refund>, ImageError> {
    image
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(orders::REFUND)?, value)))
        .map(|(id, value)| {
            let id = RefundId::new(id).map_err(|error| ImageError(format!("a refund's id {error}")))?;
            Ok((id, serde_dynamo::from_attribute_value(value.clone()).map_err(ImageError::new)?))
        })
        .collect()
}

/// The attributes of a snapshot.
pub(crate) fn snapshot_attributes(snapshot: &Snapshot) -> Result<Attributes, ImageError> {
    write(snapshot)
}

/// A refund as one attribute.
pub(crate) fn refund_value(refund: &Refund) -> Result<AttributeValue, ImageError> {
    write_value(refund)
}

/// A customer as one attribute.
pub(crate) fn customer_value(customer: &Customer) -> Result<AttributeValue, ImageError> {
    write_value(customer)
}
