//! What BigCommerce's refunds give back of goods.
//!
//! A refund's `total_amount` is all the money that went back. What of it is shipping, handling, wrapping, a fee or tax
//! is told; the rest is goods: products, without their tax where the shop shows prices without it, and money that names
//! no product. Money is goods with their tax, given as well as withheld: an amount of the order, a restocking fee.

use std::collections::{BTreeMap, HashMap};

use domain::{Currency, Refund, RefundId, Timestamp};
use rust_decimal::Decimal;
use serde::Deserialize;
use store::MAX_REFUNDS_PER_ORDER;

use super::order::{Product, moment};
use crate::fields::{Amount, BadInput, Id, PlatformId, Quantity, minor_units, null_is_default};
use crate::platform::priced::Priced;

/// A refund's item that names a product of the order.
const PRODUCT: &str = "PRODUCT";
/// One that names an amount, and nothing of the order.
const ORDER: &str = "ORDER";

#[derive(Deserialize)]
pub(super) struct RefundBody {
    id: Id<RefundId>,
    /// The documentation's own example leaves it empty.
    created: Option<String>,
    total_amount: Amount,
    #[serde(default, deserialize_with = "null_is_default")]
    total_tax: Amount,
    #[serde(default, deserialize_with = "null_is_default")]
    items: Vec<RefundItem>,
    #[serde(default, deserialize_with = "null_is_default")]
    payments: Vec<RefundPayment>,
}

#[derive(Deserialize)]
struct RefundItem {
    item_type: String,
    item_id: Option<Id<PlatformId>>,
    quantity: Option<Quantity>,
    #[serde(default, deserialize_with = "null_is_default")]
    requested_amount: Amount,
    /// Money given beside a product, or, below 0, withheld from it.
    #[serde(default, deserialize_with = "null_is_default")]
    adjustments: Vec<Adjustment>,
}

#[derive(Deserialize)]
struct Adjustment {
    #[serde(default, deserialize_with = "null_is_default")]
    amount: Amount,
}

#[derive(Deserialize)]
struct RefundPayment {
    #[serde(default, deserialize_with = "null_is_default")]
    is_declined: bool,
}

/// What each refund gives back of the goods, never more than there are. One that was declined gives back nothing, also
/// where it had been told before that.
pub(super) fn told(
    mut refunds: Vec<RefundBody>,
    priced: &Priced,
    currency: Currency,
    updated_at: Timestamp,
    certificates: &HashMap<String, Product>,
) -> Result<BTreeMap<RefundId, Refund>, BadInput> {
    if refunds.len() > MAX_REFUNDS_PER_ORDER {
        return Err(BadInput::at("data", format_args!("are more than {MAX_REFUNDS_PER_ORDER}")));
    }
    // In the order of their numbers, so that what one gives back stays when others follow.
    refunds.sort_by_key(|refund| (refund.id.0.as_str().len(), refund.id.0.as_str().to_owned()));
    let mut sum = Decimal::ZERO;
    let mut before = priced.share_as_priced(0);
    let mut told = BTreeMap::new();
    for refund in refunds {
        if !refund.is_declined() {
            sum += refund.goods(priced, certificates);
        }
        let so_far = priced.share_as_priced(minor_units("data", sum, currency)?);
        let refunded_at = refund.created.as_deref().and_then(moment).unwrap_or(updated_at);
        let goods = so_far.less(&before).goods();
        before = so_far;
        told.insert(refund.id.0, Refund::of_goods(refunded_at, currency, goods));
    }
    Ok(told)
}

impl RefundBody {
    /// Whether no money went back after all.
    pub(super) fn is_declined(&self) -> bool {
        !self.payments.is_empty() && self.payments.iter().all(|payment| payment.is_declined)
    }

    /// What went back for goods, as the shop prices them.
    fn goods(&self, priced: &Priced, certificates: &HashMap<String, Product>) -> Decimal {
        // A refund of no item only corrects the tax.
        if self.items.is_empty() {
            return Decimal::ZERO;
        }
        let other: Decimal = self.items.iter().map(|item| item.other_than_goods(certificates)).sum();
        let for_goods = self.total_amount.0 - other;
        if self.items.iter().all(|item| item.item_type == ORDER) {
            return as_priced(priced, for_goods).max(Decimal::ZERO);
        }
        let tax = if priced.tax_included { Decimal::ZERO } else { self.total_tax.0 };
        let money: Decimal = self.items.iter().map(RefundItem::money).sum();
        (for_goods - tax - money + as_priced(priced, money)).max(Decimal::ZERO)
    }
}

/// What a sum of money is of the goods, as the shop prices them.
fn as_priced(priced: &Priced, money: Decimal) -> Decimal {
    let amount = |minor: i64| Decimal::from(minor);
    match priced.gross {
        0 => money,
        gross => money * amount(priced.amount()) / amount(gross),
    }
}

impl RefundItem {
    /// What of it is money without goods, below 0 where it is withheld.
    fn money(&self) -> Decimal {
        match self.item_type.as_str() {
            PRODUCT => self.adjustments.iter().map(|adjustment| adjustment.amount.0).sum(),
            ORDER => self.requested_amount.0,
            _ => Decimal::ZERO,
        }
    }

    /// What of it is no goods. The amount of a product is not always told, so goods are what is left.
    fn other_than_goods(&self, certificates: &HashMap<String, Product>) -> Decimal {
        match self.item_type.as_str() {
            PRODUCT => {
                let id = self.item_id.as_ref().map_or("", |Id(PlatformId(id))| id);
                certificates.get(id).map_or(Decimal::ZERO, |certificate| certificate.worth(self.quantity))
            }
            ORDER => Decimal::ZERO,
            _ => self.requested_amount.0,
        }
    }
}
