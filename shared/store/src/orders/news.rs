//! What a webhook tells beyond what is stored, as an update of the order's item. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Currency, Customer, CustomerMerge, Order, OrderKey, OrderState, Refund, RefundId, Timestamp,
    UnlinkedRefund,
};

use super::MAX_REFUNDS_PER_ORDER;
use super::freshness::{freshness, freshness_of_deletion};
use crate::expression::Update;
use crate::items::{Attributes, customer_value, number, order_of_image, refund_value};
use crate::items::{snapshot_attributes, text, write_value};
use crate::keys::{self, orders};
use crate::{BodyDigest, StoreError};

/// The most refunds of one update: an expression holds 4 KB and 300 operators. The rest follows in further
/// updates.
pub(super) const MAX_REFUNDS_PER_WRITE: usize = 100;

/// The attributes of a snapshot that another snapshot may lack.
const SOMETIMES: [&str; 3] = [orders::CANCELLED, orders::TEST, orders::COUPONS];

/// The freshness of an order of which only the deletion is known: it sorts before every other.
const NOTHING_KNOWN: &str = "-";

/// The update that writes a snapshot with the refunds that came with it; on what condition, its telling says.
pub(super) fn snapshot_update(order: &Order) -> Result<Update, StoreError> {
    let mut update = Update::default();
    let snapshot = snapshot_attributes(&order.snapshot)?;
    for absent in SOMETIMES.into_iter().filter(|name| !snapshot.contains_key(*name)) {
        update.remove(absent);
    }
    for (attribute, value) in snapshot {
        update.set(&attribute, value);
    }
    if !order.snapshot.coupons.is_empty() {
        let codes = order.snapshot.coupons.iter().map(|code| code.as_str().to_owned());
        update.add(orders::COUPONS_SEEN, codes.collect());
    }
    update.pin(orders::PLACED_AT, write_value(&order.placed_at)?);
    if let Some(owner) = named(order.customer.as_ref()) {
        update.pin(orders::OWNER, customer_value(owner)?);
    }
    update.add(orders::CURRENCIES_SEEN, vec![order.snapshot.currency.to_string()]);
    for (id, refund) in versioned(order).into_iter().take(MAX_REFUNDS_PER_WRITE) {
        update.set(&keys::refund(id), refund_value(&refund)?);
    }
    update.set(orders::FRESHNESS, text(freshness(order)));
    update.remove(orders::DELETED);
    revise(&mut update);
    Ok(update)
}

/// The refunds of an order. Where one has no version of its own, the order's is its version.
fn versioned(order: &Order) -> BTreeMap<&RefundId, Cow<'_, Refund>> {
    let version = |refund: &Refund| refund.as_of.unwrap_or(order.snapshot.updated_at);
    let refunds = order.refunds.iter();
    refunds.map(|(id, refund)| (id, Cow::Owned(refund.clone().as_of(version(refund))))).collect()
}

/// An order that was taken out of the bin is also written over a deletion, if it is fresher than what was known when
/// the order was deleted.
pub(super) fn or_restore(update: &mut Update, order: &Order) {
    update.or_if_below(orders::DELETED, text(freshness(order)));
}

/// The update that deletes an order, known or not, and leaves whatever else is known of it; nothing where it is
/// deleted.
///
/// Of a deletion is known only that it came before its webhook. So it is dated then, and makes stale whatever is
/// older and comes later, whether that was told before the deletion or, by a clock or a queue, only seems so.
///
/// The body that told it names no time, so it is remembered on the order: the same body deletes it once.
pub(super) fn deletion_update(
    stored: Option<&Attributes>,
    at: Timestamp,
    body: &BodyDigest,
) -> Result<Option<Update>, StoreError> {
    if stored.is_some_and(|item| is_deleted(item) || was_deleted_by(item, body)) {
        return Ok(None);
    }
    let mut update = Update::default();
    let state = stored.map(|item| order_of_image(item.clone().into())).transpose()?;
    match &state {
        Some(order) => update.if_equal(orders::REVISION, number(order.revision)),
        None => update.if_missing(orders::ORDER),
    }
    // The platform's clock may be ahead of ours.
    let last = state.and_then(|order| order.snapshot).map_or(at, |snapshot| snapshot.updated_at.max(at));
    let freshness_before = stored.and_then(|item| item.get(orders::FRESHNESS).cloned());
    update.set(orders::CANCELLED, write_value(&true)?);
    update.set(orders::DELETED, freshness_before.unwrap_or_else(|| text(NOTHING_KNOWN)));
    update.set(orders::FRESHNESS, text(freshness_of_deletion(last)));
    update.add(orders::DELETIONS, vec![body.as_str().to_owned()]);
    revise(&mut update);
    Ok(Some(update))
}

/// Whether an order is deleted, and was not restored since.
pub(super) fn is_deleted(stored: &Attributes) -> bool {
    stored.contains_key(orders::DELETED)
}

fn was_deleted_by(stored: &Attributes, body: &BodyDigest) -> bool {
    let bodies = stored.get(orders::DELETIONS).and_then(|bodies| bodies.as_ss().ok());
    bodies.is_some_and(|bodies| bodies.iter().any(|known| known == body.as_str()))
}

/// The update that writes a merge of two customers, once.
pub(super) fn merge_update(merge: &CustomerMerge) -> Result<Update, StoreError> {
    let mut update = Update::default();
    update.set(orders::MERGE, write_value(merge)?);
    update.if_missing(orders::ORDER);
    revise(&mut update);
    Ok(update)
}

/// Whatever is written is a revision, and takes up again what was put aside.
pub(super) fn revise(update: &mut Update) {
    update.count(orders::REVISION);
    take_up(update);
}

/// Wakes the accrual, also for what was parked or dropped.
pub(crate) fn take_up(update: &mut Update) {
    update.set(orders::ACCRUE, AttributeValue::Bool(true));
    update.remove(orders::PARKED);
    update.remove(orders::DROPPED);
}

/// Nobody is pinned as the owner whom nothing names.
fn named(customer: Option<&Customer>) -> Option<&Customer> {
    customer.filter(|customer| customer.is_named())
}

/// An owner stays as first told, but a guest, who cannot be told from others, gives way to a customer who can.
fn gives_way(owner: &Customer, to: &Customer) -> bool {
    !owner.is_known() && to.is_known()
}

/// What a webhook tells, apart from a snapshot.
#[derive(Debug, Clone, Default)]
pub(super) struct News<'a> {
    placed_at: Option<Timestamp>,
    owner: Option<&'a Customer>,
    refunds: BTreeMap<&'a RefundId, Cow<'a, Refund>>,
    currency: Option<Currency>,
    unlinked: Option<&'a Refund>,
    part_of: Option<&'a OrderKey>,
}

impl<'a> News<'a> {
    /// Of an order that is not fresher than what is stored.
    pub(super) fn of_order(order: &'a Order) -> Self {
        Self {
            placed_at: Some(order.placed_at),
            owner: named(order.customer.as_ref()),
            refunds: versioned(order),
            currency: Some(order.snapshot.currency),
            ..Self::default()
        }
    }

    /// Without the refunds that are known: dated as they came, they would pass for newer whenever they come again.
    pub(super) fn without_known_refunds(mut self, stored: Option<&OrderState>) -> Self {
        self.refunds.retain(|id, _| stored.is_none_or(|order| !order.refunds.contains_key(*id)));
        self
    }

    /// Of a refund of an order, which names nobody: whose it is, the order tells.
    pub(super) fn of_refund(id: &'a RefundId, refund: &'a Refund) -> Self {
        Self { refunds: BTreeMap::from([(id, Cow::Borrowed(refund))]), ..Self::default() }
    }

    /// Of whoever an order is of.
    pub(super) fn of_owner(owner: &'a Customer) -> Self {
        Self { owner: named(Some(owner)), ..Self::default() }
    }

    /// Of all refunds of another order, which is a part of this one.
    pub(super) fn of_refunds(refunds: &'a BTreeMap<RefundId, Refund>) -> Self {
        let refunds = refunds.iter().map(|(id, refund)| (id, Cow::Borrowed(refund))).collect();
        Self { refunds, ..Self::default() }
    }

    /// Of an order that turned out to be a part of another one. The first one told stays.
    pub(super) fn of_part(whole: &'a OrderKey) -> Self {
        Self { part_of: Some(whole), ..Self::default() }
    }

    /// Of a refund that names no order. A later version of it corrects it, but not the moment that dates it.
    pub(super) fn of_unlinked_refund(refund: &'a UnlinkedRefund) -> Self {
        let owner = named(refund.customer.as_ref());
        Self { owner, unlinked: Some(&refund.refund), ..Self::default() }
    }

    /// The update that writes what is not stored yet, on the condition that what is stored is still as it was
    /// read; nothing where all of it is known.
    pub(super) fn beyond(&self, stored: Option<&OrderState>) -> Result<Option<Update>, StoreError> {
        let mut update = Update::default();
        let mut is_news = false;
        if let Some(at) = self.placed_at.filter(|_| stored.is_none_or(|order| order.placed_at.is_none())) {
            update.set(orders::PLACED_AT, write_value(&at)?);
            is_news = true;
        }
        let stored_owner = stored.and_then(|order| order.owner.as_ref());
        if let Some(owner) = self.owner.filter(|told| stored_owner.is_none_or(|owner| gives_way(owner, told)))
        {
            update.set(orders::OWNER, customer_value(owner)?);
            is_news = true;
        }
        if let Some(refund) = self.new_unlinked(stored) {
            update.set(orders::UNLINKED, refund_value(&refund)?);
            is_news = true;
        }
        // An order that is new to the table is written with its snapshot, and that writes its currency.
        let is_new = |currency: &Currency| {
            stored.is_some_and(|order| order.snapshot.is_some() && !order.currencies_seen.contains(currency))
        };
        if let Some(currency) = self.currency.filter(is_new) {
            update.add(orders::CURRENCIES_SEEN, vec![currency.to_string()]);
            is_news = true;
        }
        if let Some(whole) = self.part_of.filter(|_| stored.is_none_or(|order| order.part_of.is_none())) {
            update.set(orders::PART_OF, text(whole.as_str()));
            is_news = true;
        }
        for (id, refund) in self.new_refunds(stored)?.into_iter().take(MAX_REFUNDS_PER_WRITE) {
            update.set(&keys::refund(id), refund_value(refund)?);
            is_news = true;
        }
        match stored {
            Some(order) => update.if_equal(orders::REVISION, number(order.revision)),
            None => update.if_missing(orders::ORDER),
        }
        revise(&mut update);
        Ok(is_news.then_some(update))
    }

    fn new_unlinked(&self, stored: Option<&OrderState>) -> Option<Cow<'a, Refund>> {
        let refund = self.unlinked?;
        match stored.and_then(|order| order.unlinked.as_ref()) {
            None => Some(Cow::Borrowed(refund)),
            Some(known) => {
                let corrected = refund.in_place_of(known);
                corrected.supersedes(known).then_some(Cow::Owned(corrected))
            }
        }
    }

    fn new_refunds(&self, stored: Option<&OrderState>) -> Result<Vec<(&'a RefundId, &Refund)>, StoreError> {
        let already = |id: &RefundId| stored.and_then(|order| order.refunds.get(id));
        let added = self.refunds.keys().filter(|id| already(id).is_none()).count();
        if stored.map_or(0, |order| order.refunds.len()) + added > MAX_REFUNDS_PER_ORDER {
            return Err(too_many_refunds());
        }
        let refunds = self.refunds.iter().map(|(id, refund)| (*id, refund.as_ref()));
        Ok(refunds.filter(|(id, refund)| already(id).is_none_or(|known| refund.supersedes(known))).collect())
    }
}

/// More than [`MAX_REFUNDS_PER_ORDER`].
pub(super) fn too_many_refunds() -> StoreError {
    StoreError::Permanent(format!("an order has at most {MAX_REFUNDS_PER_ORDER} refunds"))
}
