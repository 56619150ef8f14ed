//! How people are written to: tidied where it enters, by a platform, by the shop's back end, or in a file; and what
//! remains of what was known when something newer is told.

use serde::Deserialize;

use crate::order::Contact;

/// The longest address that mail can be sent to (RFC 5321).
const MAX_EMAIL_BYTES: usize = 254;
/// What we keep of a name; the shops' own fields hold 255 characters.
const MAX_NAME_CHARACTERS: usize = 255;
/// The longest language tag worth keeping (RFC 5646, section 4.4.1).
const MAX_LOCALE_BYTES: usize = 35;

/// An e-mail address, lower case.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Email(String);

/// A text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an e-mail address")]
pub struct NotAnAddress;

impl Email {
    /// Checks a text and tidies it.
    pub fn new(text: &str) -> Result<Self, NotAnAddress> {
        let address = text.trim();
        let parts = address.rsplit_once('@');
        let is_address = parts.is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
        let is_plain = !address.chars().any(|c| c.is_control() || c.is_whitespace());
        if !is_address || !is_plain || address.len() > MAX_EMAIL_BYTES {
            return Err(NotAnAddress);
        }
        Ok(Self(address.to_lowercase()))
    }
}

impl TryFrom<String> for Email {
    type Error = NotAnAddress;
    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        Self::new(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// Addresses are never printed.
impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(…)")
    }
}

/// What is kept of a name; nothing of an empty one.
pub fn name(text: &str) -> Option<String> {
    let name: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARACTERS).collect();
    Some(name).filter(|name| !name.is_empty())
}

/// A language tag as it is kept, `pt-BR` for `pt_BR`; nothing of a text that is none.
pub fn locale(text: &str) -> Option<String> {
    let tag = text.trim().replace('_', "-");
    let is_tag =
        tag.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    (is_tag && tag.len() <= MAX_LOCALE_BYTES).then_some(tag)
}

impl Contact {
    /// Takes in what was told later; what is not told stays. An address or a number that nobody vouches for never replaces
    /// one that somebody does.
    pub fn hear(&mut self, told: &Self) {
        if told.email.is_some() && (told.email_verified || !self.email_verified) {
            self.email.clone_from(&told.email);
            self.email_verified = told.email_verified;
            self.typed_by_guest = told.typed_by_guest;
        }
        if told.phone.is_some() && (told.phone_verified || !self.phone_verified) {
            self.phone.clone_from(&told.phone);
            self.phone_verified = told.phone_verified;
        }
        for (known, told) in [(&mut self.name, &told.name), (&mut self.locale, &told.locale)] {
            if told.is_some() {
                known.clone_from(told);
            }
        }
    }

    /// Takes in whether the person wants messages. A no always holds; a yes takes back only what was said at the same
    /// place, unless the shop itself tells it.
    pub fn hear_consent(&mut self, told: &Self) {
        let is_no_of_others = self.consent == Some(false) && self.consent_by != told.consent_by;
        let holds = match told.consent {
            None => false,
            Some(false) => true,
            Some(true) => told.consent_by.is_none() || !is_no_of_others,
        };
        if holds {
            self.consent = told.consent;
            self.consent_by.clone_from(&told.consent_by);
        }
    }

    /// Takes in what an order of a member's tells: a box that was left empty at a checkout takes no word back.
    pub fn hear_at_checkout(&mut self, told: &Self) {
        if self.consent.is_none() || told.consent == Some(true) {
            self.hear_consent(told);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Phone, SourceName};

    fn email(address: &str, email_verified: bool) -> Contact {
        Contact { email: Some(address.to_owned()), email_verified, ..Contact::default() }
    }

    fn heard(mut known: Contact, told: &Contact) -> Contact {
        known.hear(told);
        known
    }

    #[test]
    fn an_address_that_nobody_verified_never_replaces_one_that_is() {
        let (own, typed) = (email("own@example.com", true), email("typed@example.com", false));
        assert_eq!(heard(own.clone(), &typed), own);
        assert_eq!(heard(own.clone(), &email("own@example.com", false)), own);
        assert_eq!(heard(typed.clone(), &own), own);
        assert_eq!(heard(own, &email("new@example.com", true)), email("new@example.com", true));
        assert_eq!(heard(typed, &email("new@example.com", false)), email("new@example.com", false));
    }

    #[test]
    fn a_number_that_nobody_vouches_for_never_replaces_one_that_somebody_does() {
        let phone = |number: &str, phone_verified| Contact {
            phone: Phone::new(number).ok(),
            phone_verified,
            ..Contact::default()
        };
        let vouched = phone("+33612345678", true);
        assert_eq!(heard(vouched.clone(), &phone("+33687654321", false)), vouched);
        assert_eq!(heard(phone("+33687654321", false), &vouched), vouched);
    }

    #[test]
    fn what_is_not_told_stays() {
        let known = Contact { name: Some("A".to_owned()), ..email("own@example.com", false) };
        let told = Contact { locale: Some("fr".to_owned()), ..Contact::default() };
        assert_eq!(heard(known.clone(), &told), Contact { locale: told.locale.clone(), ..known });
    }

    fn says(consent: bool, source: Option<&str>) -> Contact {
        let consent_by = source.map(|name| SourceName::new(name).unwrap());
        Contact { consent: Some(consent), consent_by, ..Contact::default() }
    }

    #[test]
    fn a_no_holds_until_the_one_who_told_it_or_the_shop_takes_it_back() {
        let then = |first: &Contact, second: &Contact| {
            let mut known = first.clone();
            known.hear_consent(second);
            known.consent
        };
        let (yes_here, no_here) = (says(true, Some("here")), says(false, Some("here")));
        let yes_there = says(true, Some("there"));
        assert_eq!(then(&yes_there, &no_here), Some(false));
        assert_eq!(then(&no_here, &yes_there), Some(false));
        assert_eq!(then(&no_here, &yes_here), Some(true));
        assert_eq!(then(&no_here, &says(true, None)), Some(true));
        assert_eq!(then(&says(false, None), &yes_here), Some(false));
        assert_eq!(then(&no_here, &Contact::default()), Some(false));
    }

    #[test]
    fn a_box_left_empty_at_a_checkout_takes_no_word_back() {
        let checkout = |known: &Contact, told: &Contact| {
            let mut known = known.clone();
            known.hear_at_checkout(told);
            known.consent
        };
        let (yes, no) = (says(true, Some("here")), says(false, Some("here")));
        assert_eq!(checkout(&Contact::default(), &no), Some(false));
        assert_eq!(checkout(&yes, &no), Some(true));
        assert_eq!(checkout(&no, &yes), Some(true));
    }
}
