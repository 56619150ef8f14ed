//! Orders and refunds as the platforms tell of them, and all that is known of one order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{CustomerId, OrderKey, RefundId, SourceName};
use crate::money::{Currency, Goods};
use crate::time::Timestamp;

/// Who bought: what identifies the person at the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The source at which the identifier means something.
    pub source: SourceName,
    /// The platform's own identifier; guests have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<CustomerId>,
    /// How to reach the person; kept with the person, never on profile or journal.
    #[serde(default, skip_serializing_if = "Contact::is_empty")]
    pub contact: Contact,
}

/// How to reach a person. Only a verified address identifies one.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// E-mail, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the source says that the address is the customer's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email_verified: bool,
    /// What to call the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Language and perhaps region, as BCP 47 ("fr", "pt-BR").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl Contact {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The e-mail by which the person may be recognised.
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }
}

/// Contacts are never printed.
impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(…)")
    }
}

impl Customer {
    /// Whether the person can be told from others: by an identifier or a verified e-mail.
    pub fn is_known(&self) -> bool {
        self.id.is_some() || self.contact.verified_email().is_some()
    }
}

/// How far an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// Nothing was paid; earns nothing.
    Unpaid,
    /// A part was paid: `paid` of `total` minor units; earns that part.
    Partial {
        /// What was paid so far.
        paid: i64,
        /// What is to be paid in all.
        total: i64,
    },
    /// All was paid.
    Paid,
}

/// What an order is worth to the programme, as a platform last told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When the platform last changed the order.
    pub updated_at: Timestamp,
    /// The currency of every amount in the order.
    pub currency: Currency,
    /// The goods before any refund: after discounts, without shipping.
    pub goods: Goods,
    /// How far it is paid.
    pub payment: Payment,
    /// Cancelled, voided or deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// A test or a draft: never earns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}

/// A refund of goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// When it was made.
    pub refunded_at: Timestamp,
    /// Its currency.
    pub currency: Currency,
    /// The goods it gives back; not negative.
    pub goods: Goods,
}

/// One order as a webhook tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The order's key.
    pub key: OrderKey,
    /// When the customer placed it; as first seen, it dates everything the order posts.
    pub placed_at: Timestamp,
    /// Who placed it, where that is known.
    pub customer: Option<Customer>,
    /// The order as it is now.
    pub snapshot: Snapshot,
    /// Every refund that the webhook tells of.
    pub refunds: BTreeMap<RefundId, Refund>,
}

/// A refund that names no order: an entry of its own, on its own day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlinkedRefund {
    /// The refund's key, [`OrderKey::of_unlinked_refund`].
    pub key: OrderKey,
    /// Whose refund it is.
    pub customer: Option<Customer>,
    /// The refund.
    pub refund: Refund,
}

/// All that the `orders` table knows of one order: the newest snapshot, pinned facts, refunds by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderState {
    /// The order's key.
    pub key: OrderKey,
    /// Counts the writes of this item; an entry names the revision that it reconciled.
    pub revision: u64,
    /// As first seen; missing while only refunds are known.
    pub placed_at: Option<Timestamp>,
    /// The customer as first seen.
    pub owner: Option<Customer>,
    /// The newest snapshot; missing while only refunds are known.
    pub snapshot: Option<Snapshot>,
    /// Refunds by refund id.
    pub refunds: BTreeMap<RefundId, Refund>,
    /// An unlinked refund has this instead of a snapshot.
    pub unlinked: Option<Refund>,
    /// Whether the newest word of it came from an import of the past: then nobody is told of what follows from it.
    pub quiet: bool,
}

impl OrderState {
    /// The moment that dates everything this order, or refund without an order, posts. Nothing while only refunds
    /// of an order are known.
    pub fn effective_at(&self) -> Option<Timestamp> {
        match (&self.unlinked, &self.snapshot) {
            (Some(refund), _) => Some(refund.refunded_at),
            (None, Some(_)) => self.placed_at,
            (None, None) => None,
        }
    }
}
