//! Whether a customer of Shopify's wants messages.
//!
//! Our messages are e-mails and pushes, so consent to e-mail decides, and consent to text messages only where nothing is told
//! of e-mail. Whoever is not subscribed has not agreed. Since version 2025-01 of the API a customer is told without their
//! consent, which then has a topic of its own.

use domain::{Contact, Customer, CustomerId, SourceName};
use serde::Deserialize;

use super::super::News;
use super::CustomerBody;
use crate::fields::Id;

const SUBSCRIBED: &str = "subscribed";

#[derive(Deserialize)]
pub(super) struct MarketingConsent {
    state: Option<String>,
    consent_updated_at: Option<String>,
}

impl MarketingConsent {
    fn is_given(&self) -> Option<bool> {
        self.state.as_ref().map(|state| state.eq_ignore_ascii_case(SUBSCRIBED))
    }
}

impl CustomerBody {
    /// What is told with a customer; `accepts_marketing` is of older versions of the API.
    pub(super) fn consent(&self) -> Option<bool> {
        let by_email = self.email_marketing_consent.as_ref().and_then(MarketingConsent::is_given);
        let by_text_message = || self.sms_marketing_consent.as_ref().and_then(MarketingConsent::is_given);
        by_email.or(self.accepts_marketing).or_else(by_text_message)
    }
}

/// The body of the topic that tells a customer's consent to e-mail.
#[derive(Deserialize)]
pub(super) struct ConsentBody {
    customer_id: Id<CustomerId>,
    email_marketing_consent: MarketingConsent,
}

impl ConsentBody {
    pub(super) fn news(self, source: &SourceName) -> News {
        let Self { customer_id: Id(id), email_marketing_consent: told } = self;
        let at = told.consent_updated_at.as_deref().and_then(|at| domain::time::instant(at).ok());
        let (Some(at), consent @ Some(_)) = (at, told.is_given()) else {
            return News::Nothing("the customer was never asked");
        };
        let contact = Contact { consent, ..Contact::default() };
        News::Contact { customer: Customer { source: source.clone(), id: Some(id), card: None, contact }, at }
    }
}
