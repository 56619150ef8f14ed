//! A customer of Square's, whose event tells all of them. Orders name a customer and tell nothing of how to reach them.

use domain::{Contact, Customer, CustomerId, SourceName};
use serde::Deserialize;

use super::super::News;
use crate::fields::{Email, Id, Instant, contact, null_is_default};
use crate::phone::{Country, read_phone};

#[derive(Deserialize)]
pub(super) struct CustomerObject {
    customer: CustomerBody,
}

#[derive(Deserialize)]
struct CustomerBody {
    id: Id<CustomerId>,
    updated_at: Instant,
    given_name: Option<String>,
    email_address: Option<String>,
    phone_number: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    address: Address,
    #[serde(default, deserialize_with = "null_is_default")]
    preferences: Preferences,
}

#[derive(Default, Deserialize)]
struct Address {
    country: Option<String>,
}

#[derive(Default, Deserialize)]
struct Preferences {
    /// Whether they left the seller's mailings, or those of every seller.
    email_unsubscribed: Option<bool>,
}

impl CustomerObject {
    /// Square verifies no address.
    pub(super) fn news(self, source: &SourceName, country: Option<Country>) -> News {
        let CustomerBody { id: Id(id), updated_at, given_name, preferences, .. } = self.customer;
        let email = self.customer.email_address.and_then(|text| Email::try_from(text).ok());
        let country = Country::beside(self.customer.address.country.as_deref(), country);
        let phone = read_phone(self.customer.phone_number.as_deref(), country);
        let contact = Contact {
            consent: preferences.email_unsubscribed.map(|has_left| !has_left),
            ..contact(email, false, phone, given_name.as_deref(), None)
        };
        let customer = Customer { source: source.clone(), id: Some(id), card: None, contact };
        News::Contact { customer, at: updated_at.0 }
    }
}
