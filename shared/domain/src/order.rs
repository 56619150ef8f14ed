//! Orders and refunds as the platforms tell of them, and all that is known of one order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::correction::{Correction, Facts};
use crate::ids::{CouponCode, CustomerId, MemberId, OrderKey, RefundId, SourceName};
use crate::journal::Cause;
use crate::money::{Currency, Goods};
use crate::person::{CardFingerprint, Phone};
use crate::time::Timestamp;

/// Who bought: what identifies the person at the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The source at which the identifier means something.
    pub source: SourceName,
    /// The platform's own identifier; guests have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<CustomerId>,
    /// The card that was paid with, by the name that the source has for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardFingerprint>,
    /// How to reach the person; kept with the person, never on profile or journal.
    #[serde(default, skip_serializing_if = "Contact::is_empty")]
    pub contact: Contact,
}

/// How to reach a person. A verified address identifies one, and a phone number as it was told.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// E-mail, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the source says that the address is the customer's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email_verified: bool,
    /// Whether a guest typed the address, who is known by nothing better than a phone number or a card.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub typed_by_guest: bool,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Whether the shop vouches for the number; no platform does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub phone_verified: bool,
    /// What to call the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Language and perhaps region, as BCP 47 ("fr", "pt-BR").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Whether the person wants messages, where somebody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<bool>,
    /// The source that told so; nothing where the shop itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_by: Option<SourceName>,
}

impl Contact {
    /// Whether messages may be sent: unless the person said no.
    pub fn accepts_messages(&self) -> bool {
        self.consent != Some(false)
    }

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
    /// The contact as a member's who is found by these names.
    pub fn told_contact(&self) -> Contact {
        let is_guest = self.id.is_none() && self.contact.verified_email().is_none();
        Contact {
            typed_by_guest: is_guest && self.contact.email.is_some(),
            consent_by: self.contact.consent.map(|_| self.source.clone()),
            ..self.contact.clone()
        }
    }

    /// Whether the person can be told from others: by an identifier, a verified e-mail, a phone number or a card.
    pub fn is_known(&self) -> bool {
        self.id.is_some()
            || self.contact.verified_email().is_some()
            || self.contact.phone.is_some()
            || self.card.is_some()
    }

    /// Whether anything names the person, verified or not: then whoever enrols under that name may claim the order.
    pub fn is_named(&self) -> bool {
        self.is_known() || self.contact.email.is_some()
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
    /// Codes like ours that were used at its checkout.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub coupons: BTreeSet<CouponCode>,
}

impl Payment {
    /// The share of the order that is paid, as a part of a whole; nothing where nothing is paid.
    pub fn share(self) -> Option<(i64, i64)> {
        match self {
            Self::Paid => Some((1, 1)),
            Self::Partial { paid, total } if paid > 0 && total > 0 => Some((paid.min(total), total)),
            Self::Partial { .. } | Self::Unpaid => None,
        }
    }
}

impl Snapshot {
    /// Whether the order stands, so that what was used to pay for it is used.
    pub fn stands(&self) -> bool {
        !self.cancelled && !self.test
    }

    /// Whether the order counts: something of it is paid, and it stands.
    pub fn counts(&self) -> bool {
        self.stands() && self.payment.share().is_some()
    }
}

/// A refund of goods, or of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// When it was made.
    pub refunded_at: Timestamp,
    /// Its currency.
    pub currency: Currency,
    /// The goods it gives back; not negative. Where money is told, its amount is the money.
    pub goods: Goods,
    /// What it tells of.
    #[serde(default, skip_serializing_if = "RefundKind::is_goods")]
    pub kind: RefundKind,
    /// The moment, by the platform's clock, of which this is the description. It is the refund's version: a later one
    /// corrects it. Where the platform has none, it is the moment at which the refund was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// The sum so far that contains this refund, by the sum's identifier, where an order has several payments. A refund
    /// that no sum contains names itself. Without a name, every sum that was told later contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_in: Option<RefundId>,
}

/// What a refund tells of. Most platforms tell of goods; one that only moves money tells of money, and of all of it
/// so far rather than of each refund.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundKind {
    /// The goods that it gives back.
    #[default]
    Goods,
    /// The money that it gives back, tax and shipping among it. It is goods first, up to all of them.
    Money,
    /// Money that was to be given back, and then was not.
    Failed {
        /// When that failed.
        at: Timestamp,
    },
    /// All money given back until its moment, of one payment: it stands for every refund made then or before.
    SoFar,
}

impl RefundKind {
    fn is_goods(&self) -> bool {
        *self == Self::Goods
    }
}

impl Refund {
    /// A refund of goods, as most platforms tell it.
    pub fn of_goods(refunded_at: Timestamp, currency: Currency, goods: Goods) -> Self {
        Self { refunded_at, currency, goods, kind: RefundKind::Goods, as_of: None, counted_in: None }
    }

    /// A refund of money in minor units, or what became of one.
    pub fn of_money(refunded_at: Timestamp, currency: Currency, amount: i64, kind: RefundKind) -> Self {
        Self { kind, ..Self::of_goods(refunded_at, currency, Goods::untaxed(amount)) }
    }

    /// The same refund, described as of a moment by the platform's clock.
    pub fn as_of(self, at: Timestamp) -> Self {
        Self { as_of: Some(at), ..self }
    }

    /// The same refund, which one sum so far contains and no other. One that names itself is in none.
    pub fn counted_in(self, sum: RefundId) -> Self {
        Self { counted_in: Some(sum), ..self }
    }

    /// Whether this description of a refund takes the place of another one under the same identifier. The later version
    /// holds, and of two of the same moment the one that arrived later; a refund that failed stays failed; of two sums
    /// the later one holds. So descriptions with a version end the same in whatever order they arrive.
    pub fn supersedes(&self, known: &Self) -> bool {
        match (self.kind, known.kind) {
            (RefundKind::SoFar, RefundKind::SoFar) => {
                (self.refunded_at, self.goods.amount) > (known.refunded_at, known.goods.amount)
            }
            (RefundKind::Failed { .. }, RefundKind::Money) => true,
            (RefundKind::Money, RefundKind::Failed { .. }) => false,
            (RefundKind::Failed { at }, RefundKind::Failed { at: known_at }) => at < known_at,
            _ => match self.version().cmp(&known.version()) {
                Ordering::Less => false,
                Ordering::Equal => Self { as_of: known.as_of, ..self.clone() } != *known,
                // Also where nothing else is new: what lies between the two versions must stay older than this one.
                Ordering::Greater => true,
            },
        }
    }

    /// What stays where one description takes the place of another: when the refund was made dates what it posts.
    pub fn in_place_of(&self, known: &Self) -> Self {
        Self { refunded_at: known.refunded_at, as_of: Some(self.version()), ..self.clone() }
    }

    fn version(&self) -> Timestamp {
        self.as_of.unwrap_or(self.refunded_at)
    }
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

/// Two customers of a source who turned out to be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerMerge {
    /// The one that stays.
    pub kept: CustomerId,
    /// The one that became part of it.
    pub deleted: CustomerId,
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
    /// The customer as first seen; a guest gives way to a customer who can be told from others.
    pub owner: Option<Customer>,
    /// The member whose it is, where it had waited for somebody to enrol; whoever the owner is.
    pub claimed_by: Option<MemberId>,
    /// The newest snapshot; missing while only refunds are known.
    pub snapshot: Option<Snapshot>,
    /// Refunds by refund id.
    pub refunds: BTreeMap<RefundId, Refund>,
    /// An unlinked refund has this instead of a snapshot.
    pub unlinked: Option<Refund>,
    /// A merge of two customers has only this.
    pub merge: Option<CustomerMerge>,
    /// Whether the newest word of it came from an import of the past: then the member is not told of what follows from it.
    pub quiet: bool,
    /// Every coupon's code that any snapshot of the order had.
    pub coupons_seen: BTreeSet<CouponCode>,
    /// Every currency that any snapshot of the order had; a correction of the currency is one of its refunds, too.
    pub currencies_seen: BTreeSet<Currency>,
    /// What operators said of it, oldest first. What holds of that is in `placed_at` and `snapshot` already.
    pub corrections: Vec<Correction>,
    /// Moments that once dated what it posted, until an operator corrected when it was placed.
    pub formerly_placed_at: BTreeSet<Timestamp>,
    /// The order of which this one turned out to be a part, such as an invoice of its payment. That one earns, and has
    /// the refunds of both.
    pub part_of: Option<OrderKey>,
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

    /// The version of the programme by which an operator says that it earns.
    pub fn under(&self) -> Option<u32> {
        Facts::after(&self.corrections).under
    }

    /// The cause under which everything that this order, or refund without an order, posts stands in the journal.
    pub fn cause(&self) -> Cause {
        match &self.unlinked {
            Some(_) => Cause::UnlinkedRefund(self.key.clone()),
            None => Cause::Order(self.key.clone()),
        }
    }

    /// The newest moment, by the platform's clock, at which anything of it happened.
    pub fn newest_moment(&self) -> Option<Timestamp> {
        let changed_at = self.snapshot.as_ref().map(|snapshot| snapshot.updated_at);
        let refunds = self.refunds.values().chain(&self.unlinked).map(|refund| refund.refunded_at);
        self.placed_at.into_iter().chain(changed_at).chain(refunds).max()
    }

    /// Whether it may make its owner a member, or give a member another name: an order that counts does, and a refund
    /// that names no order. A payment that belongs to another order does not: that order does.
    pub fn enrols(&self) -> bool {
        self.unlinked.is_some()
            || (self.part_of.is_none() && self.snapshot.as_ref().is_some_and(Snapshot::counts))
    }

    /// The refunds that are the order's own. One in a currency that the order never had cannot be of it. One in a
    /// currency that the order had is in the order's currency: whoever corrects that corrects both.
    pub fn own_refunds(&self) -> impl Iterator<Item = (&RefundId, &Refund)> {
        let is_own = |currency: Currency| {
            self.snapshot.as_ref().is_none_or(|snapshot| snapshot.currency == currency)
                || self.currencies_seen.contains(&currency)
        };
        self.refunds.iter().filter(move |(_, refund)| is_own(refund.currency))
    }

    /// Whether the order, as it is now, uses a coupon.
    pub fn uses(&self, code: &CouponCode) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.stands() && snapshot.coupons.contains(code))
    }
}
