//! What BigCommerce's refunds give back of goods.
//!
//! A refund's `total_amount` is all the money that went back. What of it is shipping, handling, wrapping, a fee or tax
//! is told; the rest is goods: products and amounts that name none, a restocking fee withheld already deducted.

use std::collections::{BTreeMap, HashMap};

use domain::{Currency, Refund, RefundId, Timestamp};
use rust_decimal::Decimal;
use serde::Deserialize;
use store::MAX_REFUNDS_PER_ORDER;

use super::order::{Product, moment};
use crate::fields::{Amount, BadInput, Id, PlatformId, Quantity, minor_units, null_is_default};
use crate::platform::priced::Priced;

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
}

#[derive(Deserialize)]
struct RefundPayment {
    #[serde(default, deserialize_with = "null_is_default")]
    is_declined: bool,
}

/// What each refund gives back of the goods, never more than there are.
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
        sum += refund.goods(priced.tax_included, certificates);
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
    fn goods(&self, tax_included: bool, certificates: &HashMap<String, Product>) -> Decimal {
        // A refund of no item only corrects the tax.
        if self.items.is_empty() {
            return Decimal::ZERO;
        }
        let other: Decimal = self.items.iter().map(|item| item.other_than_goods(certificates)).sum();
        let tax = if tax_included { Decimal::ZERO } else { self.total_tax.0 };
        (self.total_amount.0 - tax - other).max(Decimal::ZERO)
    }
}

impl RefundItem {
    /// What of it is no goods. The amount of a product is not always told, so goods are what is left.
    fn other_than_goods(&self, certificates: &HashMap<String, Product>) -> Decimal {
        match self.item_type.as_str() {
            "PRODUCT" => {
                let id = self.item_id.as_ref().map_or("", |Id(PlatformId(id))| id);
                certificates.get(id).map_or(Decimal::ZERO, |certificate| certificate.worth(self.quantity))
            }
            "ORDER" => Decimal::ZERO,
            _ => self.requested_amount.0,
        }
    }
}
