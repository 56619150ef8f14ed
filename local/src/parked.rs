//! Orders that were put aside, as an operator sees them: over HTTP of the local stack, and by `laurel parked`.

use std::collections::BTreeMap;

use domain::{
    Correction, CustomerId, MemberId, OrderKey, OrderState, Refund, RefundId, Snapshot, SourceName, Timestamp,
};
use serde::Serialize;
use store::{Consistency, DirectoryKey, Parked, Standing, Store, StoreError};

/// An order that lies aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) order: OrderKey,
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
}

impl From<Parked> for Line {
    fn from(Parked { key, reason, at }: Parked) -> Self {
        Self { order: key, reason, at }
    }
}

/// What was found aside.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    /// The one that lies there longest first.
    pub(crate) parked: Vec<Line>,
    /// Whether the search ended early, because there were as many as were wanted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) more: bool,
}

/// The parked orders, up to so many: the scan ends where they are found.
pub(crate) async fn list(store: &Store, at_most: usize) -> Result<Listed, StoreError> {
    let mut parked: Vec<Line> = Vec::new();
    let mut start = None;
    loop {
        let page = store.parked_page(start.as_ref()).await?;
        parked.extend(page.parked.into_iter().map(Line::from));
        start = page.next;
        if start.is_none() || parked.len() >= at_most {
            break;
        }
    }
    let more = start.is_some() || parked.len() > at_most;
    parked.truncate(at_most);
    parked.sort_by(|one, other| (one.at, &one.order).cmp(&(other.at, &other.order)));
    Ok(Listed { parked, more })
}

/// One order, if it is parked.
pub(crate) async fn find(store: &Store, order: &OrderKey) -> Result<Option<Line>, StoreError> {
    let known = store.order_with_standing(order).await?;
    let Some((_, Standing::Parked(aside))) = known else { return Ok(None) };
    Ok(Some(Line { order: order.clone(), reason: aside.reason, at: aside.at }))
}

/// All that is known of an order, except how to reach the person.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    order: OrderKey,
    #[serde(flatten)]
    standing: Standing,
    revision: u64,
    placed_at: Option<Timestamp>,
    customer: Option<Owner>,
    member: Option<MemberId>,
    snapshot: Option<Snapshot>,
    refunds: BTreeMap<RefundId, Refund>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corrections: Vec<Correction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unlinked_refund: Option<Refund>,
}

/// Whose order it is, without a contact.
#[derive(Debug, Serialize)]
struct Owner {
    source: SourceName,
    id: Option<CustomerId>,
    has_verified_email: bool,
}

/// Looks an order up, and its member.
pub(crate) async fn show(store: &Store, order: &OrderKey) -> Result<Option<Shown>, StoreError> {
    let Some((state, standing)) = store.order_with_standing(order).await? else { return Ok(None) };
    let OrderState { key, revision, placed_at, owner, claimed_by, snapshot, refunds, unlinked, .. } = state;
    let corrections = state.corrections;
    let member = match (claimed_by, owner.as_ref().and_then(DirectoryKey::of_customer)) {
        (Some(member), _) => Some(member),
        (None, Some(customer)) => store.find_member(&customer, Consistency::Eventual).await?,
        (None, None) => None,
    };
    let customer = owner.map(|owner| Owner {
        has_verified_email: owner.contact.verified_email().is_some(),
        source: owner.source,
        id: owner.id,
    });
    let unlinked_refund = unlinked;
    let order = key;
    Ok(Some(Shown {
        order,
        standing,
        revision,
        placed_at,
        customer,
        member,
        snapshot,
        refunds,
        corrections,
        unlinked_refund,
    }))
}

/// What became of one order that an operator named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handled {
    /// What was asked for.
    Done,
    /// It does not lie aside.
    NotAside,
    /// There is no such order.
    Unknown,
}

/// Takes an order up again; the stream then wakes the accrual.
pub(crate) async fn retry(store: &Store, order: &OrderKey) -> Result<Handled, StoreError> {
    handled(store, order, store.unpark(order).await?).await
}

/// As [`retry`], by what an operator says of it.
pub(crate) async fn retry_under(
    store: &Store,
    order: &OrderKey,
    ruling: &Correction,
) -> Result<Handled, StoreError> {
    match store.order_with_standing(order).await? {
        None => Ok(Handled::Unknown),
        Some((_, Standing::Active)) => Ok(Handled::NotAside),
        Some(_) => {
            let corrected = store.correct(order, ruling).await?;
            Ok(if corrected.is_some() { Handled::Done } else { Handled::Unknown })
        }
    }
}

/// Leaves an order unprocessed, for a reason.
pub(crate) async fn drop_order(
    store: &Store,
    order: &OrderKey,
    reason: &str,
    at: Timestamp,
) -> Result<Handled, StoreError> {
    handled(store, order, store.drop_parked(order, reason, at).await?).await
}

async fn handled(store: &Store, order: &OrderKey, done: bool) -> Result<Handled, StoreError> {
    if done {
        return Ok(Handled::Done);
    }
    let known = store.order(order).await?;
    Ok(if known.is_some() { Handled::NotAside } else { Handled::Unknown })
}
