//! A row as the store takes it: the same key and the same content whenever it is sent.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::ids::IdError;
use domain::{Currency, Customer, Goods, Order, OrderKey, Payment, Refund, RefundId};
use domain::{Snapshot, SourceName, Timestamp, UnlinkedRefund};
use store::{Recorded, Store, StoreError};

use crate::digest::Digest;
use crate::history::{CustomerNumber, Kind, Names, OrderNumber, Row};

/// What is sent for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parcel {
    /// An order, paid.
    Order(Box<Order>),
    /// A refund of an order, which may be unknown.
    Refund(OrderKey, RefundId, Refund),
    /// A refund that names no order.
    Unlinked(Box<UnlinkedRefund>),
}

impl Parcel {
    /// Writes it, as told afterwards.
    pub(super) async fn send(&self, store: &Store) -> Result<Recorded, StoreError> {
        match self {
            Self::Order(order) => store.import_order(order).await,
            Self::Refund(order, id, refund) => store.import_refund(order, id, refund).await,
            Self::Unlinked(refund) => store.import_unlinked_refund(refund).await,
        }
    }
}

/// All by which refunds without an identifier are told apart. A file may have the same one twice, and both count.
type Alike = (CustomerNumber, Option<OrderNumber>, Timestamp, i64);

/// Names the refunds of a file that have no identifier of their own, in the order of its rows.
#[derive(Debug, Default)]
pub(super) struct Naming(HashMap<Alike, u32>);

impl Naming {
    /// The row as it is sent under a source.
    pub(super) fn parcel(
        &mut self,
        row: &Row,
        names: &Names,
        source: &SourceName,
        currency: Currency,
    ) -> Result<Parcel, IdError> {
        let currency = row.currency.unwrap_or(currency);
        let goods = Goods::untaxed(row.amount_minor);
        let customer = Some(Customer {
            source: source.clone(),
            id: Some(names.customer(row.customer).clone()),
            card: None,
            contact: names.contact(row.customer).cloned().unwrap_or_default(),
        });
        let refund = Refund::of_goods(row.at, currency, goods);
        Ok(match row.kind {
            Kind::Order(order) => Parcel::Order(Box::new(Order {
                key: OrderKey::of_order(source, names.order_id(order))?,
                placed_at: row.at,
                customer,
                snapshot: Snapshot {
                    // As old as it can be, so that whatever the platform tells of the order is newer.
                    updated_at: row.at,
                    currency,
                    goods,
                    payment: Payment::Paid,
                    cancelled: false,
                    test: false,
                    coupons: BTreeSet::new(),
                },
                refunds: BTreeMap::new(),
            })),
            Kind::Refund(Some(order)) => {
                let key = OrderKey::of_order(source, names.order_id(order))?;
                Parcel::Refund(key, self.refund_id(row, names)?, refund)
            }
            Kind::Refund(None) => {
                let key = OrderKey::of_unlinked_refund(source, &self.refund_id(row, names)?)?;
                Parcel::Unlinked(Box::new(UnlinkedRefund { key, customer, refund }))
            }
        })
    }

    /// The file's identifier, else one that follows from what the row says, wherever it stands.
    fn refund_id(&mut self, row: &Row, names: &Names) -> Result<RefundId, IdError> {
        if let Some(id) = row.refund {
            return Ok(names.refund_id(id).clone());
        }
        let Row { at, amount_minor, customer, kind, .. } = *row;
        let order = if let Kind::Refund(order) = kind { order } else { None };
        let seen = self.0.entry((customer, order, at, amount_minor)).or_default();
        *seen += 1;
        let (customer, order) = (names.customer(customer), order.map(|order| names.order_id(order)));
        // No identifier has a line end in it.
        let said = format!("{customer}\n{}\n{at}\n{amount_minor}\n{seen}", order.unwrap_or_default());
        RefundId::of_imported_row(Digest::of(said.as_bytes()).as_str())
    }
}
