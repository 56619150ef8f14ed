//! What was given back: the sum so far of a charge, and what became of a refund.
//!
//! Older versions of the API list a charge's refunds, newer ones do not; the sum is there in all. It stands for every
//! refund made until it was told, so nothing is taken twice. A refund that fails gives its money back to the shop, and
//! the customer keeps the points.

use domain::{Currency, Goods, Refund, RefundId, RefundKind};
use serde::Deserialize;

use super::{Occasion, Reference, minor_units};
use crate::fields::{BadInput, MinorUnits, UnixSeconds};
use crate::platform::News;

/// A charge of which something was given back.
#[derive(Deserialize)]
pub(super) struct ChargeBody {
    id: RefundId,
    payment_intent: Option<Reference>,
    invoice: Option<Reference>,
    currency: Currency,
    amount_refunded: MinorUnits,
}

/// A refund, after a change.
#[derive(Deserialize)]
pub(super) struct RefundBody {
    id: RefundId,
    payment_intent: Option<Reference>,
    charge: Option<Reference>,
    created: UnixSeconds,
    currency: Currency,
    amount: MinorUnits,
    status: Option<String>,
}

impl ChargeBody {
    /// All sums of a charge are told under its identifier, and of them the latest is kept.
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let MinorUnits(amount) = self.amount_refunded;
        if amount == 0 {
            return Ok(News::Nothing("nothing was given back"));
        }
        let intent = self.payment_intent.as_ref().map(Reference::id);
        let invoice = self.invoice.as_ref().map(Reference::id);
        let order = occasion.key(&[intent, invoice, Some(self.id.as_str())])?;
        let amount = minor_units("data.object.amount_refunded", self.currency, amount)?;
        let refund = Refund {
            refunded_at: occasion.at,
            currency: self.currency,
            goods: Goods::untaxed(amount),
            kind: RefundKind::SoFar,
        };
        Ok(News::Refund { order, id: self.id, refund })
    }
}

impl RefundBody {
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let intent = self.payment_intent.as_ref().map(Reference::id);
        let Some(sale) = intent.or(self.charge.as_ref().map(Reference::id)) else {
            return Ok(News::Nothing("the refund is of no charge"));
        };
        let kind = match self.status.as_deref() {
            Some("failed" | "canceled") => RefundKind::Failed { at: occasion.at },
            _ => RefundKind::Money,
        };
        let refund = Refund {
            refunded_at: self.created.0,
            currency: self.currency,
            goods: Goods::untaxed(minor_units("data.object.amount", self.currency, self.amount.0)?),
            kind,
        };
        Ok(News::Refund { order: occasion.key(&[Some(sale)])?, id: self.id, refund })
    }
}
