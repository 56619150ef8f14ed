//! What was given back: the sum so far of a charge, and what became of a refund.
//!
//! Older versions of the API list a charge's refunds, newer ones do not; the sum is there in all. It stands for every
//! refund of its charge made until it was told, so nothing is taken twice. A refund that fails gives its money back to the
//! shop, and the customer keeps the points.
//!
//! Of a payment that was captured in part Stripe tells the rest as refunded, too. It was never paid.

use domain::{Currency, Refund, RefundId, RefundKind};
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
    amount: Option<MinorUnits>,
    /// What of the amount was taken; less than the amount where only a part was captured.
    amount_captured: Option<MinorUnits>,
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
    /// All sums of a charge are told under its identifier, and of them the latest is kept. Also a sum of nothing stands
    /// for what Stripe tells as a refund of what was never captured.
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        if self.amount_refunded.0 == 0 {
            return Ok(News::Nothing("nothing was given back"));
        }
        let intent = self.payment_intent.as_ref().map(Reference::id);
        let invoice = self.invoice.as_ref().map(Reference::id);
        let order = occasion.key(&[intent, invoice, Some(self.id.as_str())])?;
        let amount = minor_units("data.object.amount_refunded", self.currency, self.given_back())?;
        let refund = Refund::of_money(occasion.at, self.currency, amount, RefundKind::SoFar);
        Ok(News::Refund { order, id: self.id, refund: refund.as_of(occasion.at) })
    }

    fn given_back(&self) -> i64 {
        let not_captured = match (self.amount, self.amount_captured) {
            (Some(MinorUnits(amount)), Some(MinorUnits(captured))) => amount.saturating_sub(captured).max(0),
            _ => 0,
        };
        self.amount_refunded.0.saturating_sub(not_captured).max(0)
    }
}

impl RefundBody {
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let intent = self.payment_intent.as_ref().map(Reference::id);
        let charge = self.charge.as_ref().map(Reference::id);
        let Some(sale) = intent.or(charge) else {
            return Ok(News::Nothing("the refund is of no charge"));
        };
        let kind = match self.status.as_deref() {
            Some("failed" | "canceled") => RefundKind::Failed { at: occasion.at },
            _ => RefundKind::Money,
        };
        let amount = minor_units("data.object.amount", self.currency, self.amount.0)?;
        let mut refund = Refund::of_money(self.created.0, self.currency, amount, kind).as_of(occasion.at);
        if let Some(charge) = charge {
            let sum = RefundId::new(charge).map_err(|error| BadInput::at("data.object.charge", error))?;
            refund = refund.counted_in(sum);
        }
        Ok(News::Refund { order: occasion.key(&[Some(sale)])?, id: self.id, refund })
    }
}
