//! Money that leaves the shop, or comes back to it, beside a charge's refunds: by a dispute, and outside of Stripe.
//!
//! While a dispute is open its money is mostly withdrawn, and then the customer has it. So the points go with the money:
//! they are taken back when it is withdrawn, at the latest when the dispute is lost, and come back when it is won. A
//! dispute that is only asked about (`warning_…`) moves no money.
//!
//! A credit note that is paid back through Stripe is a refund, and one that becomes credit moves no money; only what the
//! shop pays back by itself is told nowhere else.

use domain::{Currency, Refund, RefundId, RefundKind};
use serde::Deserialize;

use super::{Occasion, Reference, minor_units};
use crate::fields::{BadInput, MinorUnits, UnixSeconds};
use crate::platform::News;

/// A dispute, after a change.
#[derive(Deserialize)]
pub(super) struct DisputeBody {
    id: RefundId,
    payment_intent: Option<Reference>,
    charge: Option<Reference>,
    created: UnixSeconds,
    currency: Currency,
    amount: MinorUnits,
    #[serde(default)]
    status: Option<String>,
}

/// A credit note of an invoice.
#[derive(Deserialize)]
pub(super) struct CreditNoteBody {
    id: RefundId,
    invoice: Reference,
    created: UnixSeconds,
    currency: Currency,
    status: Option<String>,
    /// What the shop pays back by itself.
    out_of_band_amount: Option<MinorUnits>,
}

impl DisputeBody {
    /// Its money was taken from the shop.
    pub(super) fn withdrawn(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        self.news(true, occasion)
    }

    /// Its money is the shop's again.
    pub(super) fn reinstated(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        self.news(false, occasion)
    }

    /// It ended: lost, won, or as an inquiry that led to nothing.
    pub(super) fn closed(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let is_lost = self.status.as_deref() == Some("lost");
        self.news(is_lost, occasion)
    }

    fn news(self, is_away: bool, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let intent = self.payment_intent.as_ref().map(Reference::id);
        let Some(sale) = intent.or(self.charge.as_ref().map(Reference::id)) else {
            return Ok(News::Nothing("the dispute is of no charge"));
        };
        let amount = if is_away { self.amount.0 } else { 0 };
        let order = occasion.key(&[Some(sale)])?;
        let money = Money { id: self.id, at: self.created, currency: self.currency, amount };
        money.news(order, occasion)
    }
}

impl CreditNoteBody {
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let Some(MinorUnits(paid_back)) = self.out_of_band_amount.filter(|MinorUnits(amount)| *amount > 0)
        else {
            return Ok(News::Nothing("what it gives back is told as a refund, or is credit"));
        };
        let amount = if self.status.as_deref() == Some("void") { 0 } else { paid_back };
        let order = occasion.key(&[Some(self.invoice.id())])?;
        let money = Money { id: self.id, at: self.created, currency: self.currency, amount };
        money.news(order, occasion)
    }
}

/// Money that no charge's sum contains. It is 0 once it has come back; the latest word of it holds.
struct Money {
    id: RefundId,
    at: UnixSeconds,
    currency: Currency,
    amount: i64,
}

impl Money {
    fn news(self, order: domain::OrderKey, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let amount = minor_units("data.object.amount", self.currency, self.amount)?;
        let refund = Refund::of_money(self.at.0, self.currency, amount, RefundKind::Money);
        let refund = refund.as_of(occasion.at).counted_in(self.id.clone());
        Ok(News::Refund { order, id: self.id, refund })
    }
}
