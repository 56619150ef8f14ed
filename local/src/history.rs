//! A shop's order history: the file as rows that can be sent, and the rows that cannot, each with its line.

mod fields;

use std::collections::HashMap;
use std::hash::Hash;
use std::io::Read;

use domain::{Contact, Currency, CustomerId, RefundId, SourceName, Timestamp};

pub use self::fields::BadReason;
use self::fields::{Columns, Fields, KindField};
pub(crate) use self::fields::{moment, named_columns, shown};
use crate::table::{Table, TableError};

/// The most rows of one file. They are kept in memory, about 100 bytes each, to be put in order.
pub const MAX_ROWS: usize = 10_000_000;

/// Why a file is no order history at all.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// It cannot be read as a table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The first line lacks columns.
    #[error("its first line has no column {missing}; it has {found}")]
    MissingColumns {
        /// Those that it lacks.
        missing: String,
        /// Those that it has.
        found: String,
    },
    /// The first line names a column twice.
    #[error("its first line has the column {0} twice")]
    ColumnTwice(&'static str),
    /// More than we keep in memory.
    #[error("it has more than {MAX_ROWS} rows; split it by customers")]
    TooLong,
}

/// What a file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be replayed: the whole truth is in the file, so a refund of an order that it lacks is of none.
    Replay,
    /// To be imported: the stack may know the order, and a shop's further columns are worth keeping.
    Import,
}

/// A row that can be sent. Customers and orders are numbers here, because a history repeats them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file, counted from 1.
    pub line: u64,
    /// When it happened.
    pub at: Timestamp,
    /// Minor units of goods; not negative.
    pub amount_minor: i64,
    /// Their currency, where the file names one; else the programme's.
    pub currency: Option<Currency>,
    /// Whose it is.
    pub customer: CustomerNumber,
    /// What happened.
    pub kind: Kind,
    /// The refund's own identifier, where the file names one.
    pub refund: Option<RefundNumber>,
}

/// What a row tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An order was placed, and paid.
    Order(OrderNumber),
    /// Goods were given back: of an order, or of none.
    Refund(Option<OrderNumber>),
}

/// A customer by their place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CustomerNumber(u32);

/// An order's identifier by its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderNumber(u32);

/// A refund's identifier by its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundNumber(u32);

/// A row that is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadRow {
    /// Its line in the file, counted from 1.
    pub line: u64,
    /// Why.
    pub reason: BadReason,
}

/// A file, read.
#[derive(Debug)]
pub struct History {
    /// The rows that can be sent, as in the file.
    pub rows: Vec<Row>,
    /// The others, as in the file.
    pub bad_rows: Vec<BadRow>,
    /// Whom and what the rows name.
    pub names: Names,
}

/// The identifiers behind the numbers of a history's rows.
#[derive(Debug)]
pub struct Names {
    customers: Vec<CustomerId>,
    orders: Vec<Box<str>>,
    refunds: Vec<RefundId>,
    contacts: HashMap<CustomerNumber, (Timestamp, Contact)>,
}

impl History {
    /// Reads a CSV file with the columns `customer_id,date,amount_minor,kind,order_id`, in any order and among
    /// any others, to be sent under a source. For an import currency, refund and contact are read, too, where the
    /// file has them. A bad row does not stop the reading.
    pub fn read(file: impl Read, source: &SourceName, purpose: Purpose) -> Result<Self, HistoryError> {
        let mut reading = Reading::default();
        let mut table = Table::open(file)?;
        let columns = Columns::find(table.header(), purpose)?;
        while let Some((line, record)) = table.next_row()? {
            if reading.rows.len() + reading.bad_rows.len() >= MAX_ROWS {
                return Err(HistoryError::TooLong);
            }
            match columns.read(&record, source).and_then(|fields| reading.row(line, fields)) {
                Ok(row) => reading.rows.push(row),
                Err(reason) => reading.bad_rows.push(BadRow { line, reason }),
            }
        }
        Ok(reading.link(purpose))
    }
}

impl Names {
    /// A customer's identifier. The number must be of the same history.
    pub fn customer(&self, number: CustomerNumber) -> &CustomerId {
        &self.customers[index(number.0)]
    }

    /// An order's identifier. The number must be of the same history.
    pub fn order_id(&self, number: OrderNumber) -> &str {
        &self.orders[index(number.0)]
    }

    /// A refund's identifier. The number must be of the same history.
    pub fn refund_id(&self, number: RefundNumber) -> &RefundId {
        &self.refunds[index(number.0)]
    }

    /// How to reach a customer, as the newest row that says so has it.
    pub fn contact(&self, number: CustomerNumber) -> Option<&Contact> {
        self.contacts.get(&number).map(|(_, contact)| contact)
    }

    /// Every customer, in byte order of the identifier.
    pub fn customers(&self) -> Vec<&CustomerId> {
        let mut customers: Vec<_> = self.customers.iter().collect();
        customers.sort_unstable();
        customers
    }
}

fn index(number: u32) -> usize {
    number as usize
}

/// What is known while the file is read.
#[derive(Default)]
struct Reading {
    rows: Vec<Row>,
    bad_rows: Vec<BadRow>,
    customers: Numbered<CustomerId>,
    /// Every order that a row names, of which not all are orders of the file.
    orders: Numbered<Box<str>>,
    /// Whose each of them is, once its own row was read.
    owners: Vec<Option<CustomerNumber>>,
    refunds: Vec<RefundId>,
    contacts: HashMap<CustomerNumber, (Timestamp, Contact)>,
}

impl Reading {
    fn row(&mut self, line: u64, fields: Fields<'_>) -> Result<Row, BadReason> {
        let Fields { customer, at, amount_minor, kind, order_id, currency, refund_id, contact } = fields;
        let customer = CustomerNumber(self.customers.of(customer));
        let kind = match kind {
            KindField::Order => {
                let order = self.named(order_id);
                match self.owners.get_mut(index(order.0)) {
                    Some(owner @ None) => *owner = Some(customer),
                    _ => return Err(BadReason::OrderTwice { order: shown(order_id) }),
                }
                Kind::Order(order)
            }
            KindField::Refund if order_id.is_empty() => Kind::Refund(None),
            KindField::Refund => Kind::Refund(Some(self.named(order_id))),
        };
        let refund = refund_id.map(|id| self.refund(id));
        self.reached_by(customer, at, contact);
        Ok(Row { line, at, amount_minor, currency, customer, kind, refund })
    }

    fn refund(&mut self, id: RefundId) -> RefundNumber {
        // MAX_ROWS keeps the count far below what a u32 holds.
        let number = u32::try_from(self.refunds.len()).unwrap_or(u32::MAX);
        self.refunds.push(id);
        RefundNumber(number)
    }

    fn reached_by(&mut self, customer: CustomerNumber, at: Timestamp, contact: Contact) {
        let is_newer = |known: &(Timestamp, Contact)| known.0 < at;
        if !contact.is_empty() && self.contacts.get(&customer).is_none_or(is_newer) {
            self.contacts.insert(customer, (at, contact));
        }
    }

    fn named(&mut self, order_id: &str) -> OrderNumber {
        let number = self.orders.of(order_id.into());
        if self.owners.len() <= index(number) {
            self.owners.push(None);
        }
        OrderNumber(number)
    }

    /// Tells the refunds of the file's orders from the others, now that every order is known. For an import a refund of
    /// another order stays one: the stack may know it, or will.
    fn link(self, purpose: Purpose) -> History {
        let Self { mut rows, mut bad_rows, customers, orders, owners, refunds, contacts } = self;
        let orders = orders.in_order();
        let owner = |order: OrderNumber| owners.get(index(order.0)).copied().flatten();
        rows.retain_mut(|row| {
            let Kind::Refund(Some(order)) = row.kind else { return true };
            match owner(order) {
                None if purpose == Purpose::Replay => row.kind = Kind::Refund(None),
                None => {}
                Some(owner) if owner == row.customer => {}
                Some(_) => {
                    let name = orders.get(index(order.0)).map(|id| shown(id)).unwrap_or_default();
                    bad_rows.push(BadRow { line: row.line, reason: BadReason::ForeignOrder { order: name } });
                    return false;
                }
            }
            true
        });
        bad_rows.sort_by_key(|bad| bad.line);
        History {
            rows,
            bad_rows,
            names: Names { customers: customers.in_order(), orders, refunds, contacts },
        }
    }
}

/// Gives each different value a number, counted from 0.
struct Numbered<T>(HashMap<T, u32>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash> Numbered<T> {
    fn of(&mut self, value: T) -> u32 {
        // MAX_ROWS keeps the count far below what a u32 holds.
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(value).or_insert(next)
    }

    fn in_order(self) -> Vec<T> {
        let mut values: Vec<_> = self.0.into_iter().collect();
        values.sort_unstable_by_key(|(_, number)| *number);
        values.into_iter().map(|(value, _)| value).collect()
    }
}

#[cfg(test)]
mod tests;
