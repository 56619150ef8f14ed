//! Who paid, as a charge tells. A guest has no customer of Stripe's, but a card that has the same fingerprint at every
//! payment, and perhaps a phone number.

use domain::{CardFingerprint, Customer, Phone};
use serde::Deserialize;

use super::sale::unverified;
use super::{Occasion, Reference};
use crate::fields::{BadInput, null_is_default};
use crate::phone::{Country, read_phone};
use crate::platform::News;

/// A charge that succeeded.
#[derive(Deserialize)]
pub(super) struct PaidBody {
    id: String,
    payment_intent: Option<Reference>,
    invoice: Option<Reference>,
    customer: Option<Reference>,
    receipt_email: Option<String>,
    #[serde(flatten)]
    payer: Payer,
}

/// What a charge has of whoever paid.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payer {
    #[serde(deserialize_with = "null_is_default")]
    billing_details: BillingDetails,
    #[serde(deserialize_with = "null_is_default")]
    payment_method_details: PaymentMethodDetails,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BillingDetails {
    email: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    #[serde(deserialize_with = "null_is_default")]
    address: Address,
}

/// An address, of which only the country matters.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    country: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PaymentMethodDetails {
    card: Option<Card>,
    card_present: Option<Card>,
}

#[derive(Deserialize)]
struct Card {
    fingerprint: Option<String>,
}

impl PaidBody {
    /// Whose the sale is, if it is a guest's: of a customer the sale itself tells, and better.
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let intent = self.payment_intent.as_ref().map(Reference::id);
        let invoice = self.invoice.as_ref().map(Reference::id);
        let order = occasion.key(&[intent, invoice, Some(&self.id)])?;
        let email = self.payer.billing_details.email.clone().or(self.receipt_email);
        let name = self.payer.billing_details.name.as_deref();
        let contact = unverified(email, self.payer.phone(occasion.country), name, None);
        let (source, card) = (occasion.source.clone(), self.payer.card());
        let customer = Customer { source, id: None, card, contact };
        if self.customer.is_some() || !customer.is_known() {
            return Ok(News::Nothing("the charge tells of no guest"));
        }
        Ok(News::Owner { order, customer })
    }
}

impl Payer {
    /// The name that Stripe has for the card, at a checkout or at a till.
    pub(super) fn card(&self) -> Option<CardFingerprint> {
        let PaymentMethodDetails { card, card_present } = &self.payment_method_details;
        let fingerprint = card.as_ref().or(card_present.as_ref())?.fingerprint.as_deref()?;
        CardFingerprint::new(fingerprint).ok()
    }

    /// The phone number that belongs to the card.
    pub(super) fn phone(&self, country: Option<Country>) -> Option<Phone> {
        let BillingDetails { phone, address, .. } = &self.billing_details;
        address.phone(phone.as_deref(), country)
    }
}

impl Address {
    /// The number that stands beside the address.
    pub(super) fn phone(&self, text: Option<&str>, country: Option<Country>) -> Option<Phone> {
        read_phone(text, Country::beside(self.country.as_deref(), country))
    }
}
