//! Payments of an invoice, where both are named: by the payment itself, by its connection with the invoice, by the
//! invoice where the sender had its payments expanded, and by a checkout that has both.

use serde::Deserialize;

use super::{Occasion, Reference};
use crate::fields::{BadInput, null_is_default};
use crate::platform::News;

/// The connection of a payment with the invoice that it pays, or pays in part.
#[derive(Deserialize)]
pub(super) struct InvoicePaymentBody {
    invoice: Reference,
    payment: Payment,
}

/// An invoice's list of such connections.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct InvoicePayments {
    #[serde(deserialize_with = "null_is_default")]
    data: Vec<Connection>,
}

#[derive(Deserialize)]
struct Connection {
    payment: Payment,
}

/// One of these; of a payment that Stripe only records there is neither.
#[derive(Deserialize)]
struct Payment {
    payment_intent: Option<Reference>,
    charge: Option<Reference>,
}

impl InvoicePaymentBody {
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        if occasion.tells_payments_apart == Some(false) {
            return Ok(News::Nothing("in this version of the API its invoice names the payment"));
        }
        match self.payment.id() {
            Some(payment) => part(occasion, payment, self.invoice.id()),
            None => Ok(News::Nothing("the payment was not made with Stripe")),
        }
    }
}

impl InvoicePayments {
    /// That each payment is a part of the invoice.
    pub(super) fn parts(&self, occasion: &Occasion<'_>, invoice: &str) -> Result<Vec<News>, BadInput> {
        let payments = self.data.iter().filter_map(|connection| connection.payment.id());
        payments.map(|payment| part(occasion, payment, invoice)).collect()
    }
}

impl Payment {
    /// As its refunds name it.
    fn id(&self) -> Option<&str> {
        self.payment_intent.as_ref().or(self.charge.as_ref()).map(Reference::id)
    }
}

/// That a payment is a part of an invoice.
pub(super) fn part(occasion: &Occasion<'_>, payment: &str, invoice: &str) -> Result<News, BadInput> {
    Ok(News::Part { part: occasion.key(&[Some(payment)])?, of: occasion.key(&[Some(invoice)])? })
}
