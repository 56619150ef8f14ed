//! Adobe Commerce and Magento: orders, invoices and credit memos as Adobe I/O Events or the asynchronous events of
//! Mage-OS send them.
//!
//! Adobe signs with keys of its own, whose public halves it serves at <https://static.adobeioevents.com>; the source's
//! configuration has them, because a key that the delivery itself pointed to would prove nothing. All of Adobe's
//! customers share those keys, so the event must also name the source's client as its recipient. Mage-OS signs with the
//! source's secret. A source may take both.
//!
//! Which fields an event has depends on the subscription, and not every sender says what it sends. So a body is known
//! by its name where it has one, and by its fields otherwise.

mod amounts;
mod document;
mod list;
mod standing;

use std::sync::Arc;

use domain::Timestamp;
use ring::hmac;
use serde_json::Value;

use self::document::Told;
use super::{Delivery, Greeting, Listing, News, Platform, Unlisted};
use crate::api::Access;
use crate::fields::{BadInput, read};
use crate::phone::Country;
use crate::signature::public_key::PublicKey;
use crate::signature::{BadSecret, Refusal, body_hmac};
use crate::sources::{SourceDocument, SourceError};

/// The signature of Mage-OS: hexadecimal HMAC-SHA256 of the body.
const SHARED_SIGNATURE: &str = "x-magento-signature";
/// Adobe's, each by another key, so that one can be replaced while the other holds.
const SIGNATURES: [&str; 2] = ["x-adobe-digital-signature-1", "x-adobe-digital-signature-2"];
/// To whom an event is sent; CloudEvents allow no other than small letters in a name.
const RECIPIENTS: [&str; 2] = ["recipient_client_id", "recipientclientid"];
/// The keys that we try: the two that are in use, and two that come after them.
const MAX_PUBLIC_KEYS: usize = 4;
/// The longest challenge that we send back; Adobe's are UUIDs.
const MAX_CHALLENGE_BYTES: usize = 100;
/// The address to which an operator may go by hand when the challenge was not answered.
const VALIDATION: &str = "https://csm.adobe.io/";

/// See the file's own words.
struct AdobeCommerce {
    public_keys: Vec<PublicKey>,
    client_id: String,
    shop: Shop,
    /// Only to read the lists of orders and of credit memos.
    access: Option<Access>,
}

/// What the events do not tell of a shop.
#[derive(Clone, Copy)]
struct Shop {
    /// Whether it shows its prices with tax.
    prices_include_tax: bool,
    country: Option<Country>,
}

/// Adobe Commerce as a source's configuration sets it up.
pub(super) fn set_up(document: &SourceDocument) -> Result<Arc<dyn Platform>, SourceError> {
    if document.public_keys.len() > MAX_PUBLIC_KEYS {
        return Err(SourceError::Setting("public_keys", "are more than four"));
    }
    let keys = document.public_keys.iter().map(|pem| PublicKey::from_pem(pem));
    let public_keys = keys
        .collect::<Option<Vec<_>>>()
        .ok_or(SourceError::Setting("public_keys", "must be public keys of RSA, as PEM"))?;
    let client_id = document.client_id.clone().unwrap_or_default();
    if client_id.is_empty() && !public_keys.is_empty() {
        return Err(SourceError::Missing("client_id"));
    }
    let shop = Shop { prices_include_tax: document.prices_include_tax, country: document.country };
    let access = list::access(document)?;
    Ok(Arc::new(AdobeCommerce { public_keys, client_id, shop, access }))
}

impl Platform for AdobeCommerce {
    fn least_secrets(&self) -> usize {
        usize::from(self.public_keys.is_empty())
    }

    fn key(&self, secret: &str) -> Result<hmac::Key, BadSecret> {
        body_hmac::key(secret)
    }

    /// Adobe sends a challenge when an address is registered, and wants it back.
    fn greet(&self, query: &str) -> Option<Greeting> {
        let challenge = query.split('&').find_map(|pair| pair.strip_prefix("challenge="))?;
        let is_plain = challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let is_challenge = is_plain && (1..=MAX_CHALLENGE_BYTES).contains(&challenge.len());
        is_challenge.then(|| Greeting { challenge: challenge.to_owned() })
    }

    /// What Adobe sends, unsigned, when a challenge was not answered as it should have been.
    fn is_ping(&self, delivery: &Delivery<'_>) -> bool {
        let is_signed =
            SIGNATURES.iter().chain([&SHARED_SIGNATURE]).any(|name| delivery.header(name).is_some());
        if is_signed || !delivery.body.starts_with(b"{\"validationUrl\"") {
            return false;
        }
        let Ok(Value::Object(body)) = serde_json::from_slice(delivery.body) else { return false };
        let url = body.get("validationUrl").and_then(Value::as_str);
        body.len() == 1 && url.is_some_and(|url| url.starts_with(VALIDATION))
    }

    fn verify_publicly(&self, delivery: &Delivery<'_>) -> Option<Result<(), Refusal>> {
        if self.public_keys.is_empty() {
            return None;
        }
        let mut signatures = SIGNATURES.iter().filter_map(|name| delivery.header(name)).peekable();
        if signatures.peek().is_none() {
            return Some(Err(Refusal::Missing(SIGNATURES[0])));
        }
        let is_signed = signatures
            .any(|signature| self.public_keys.iter().any(|key| key.has_signed(delivery.body, signature)));
        Some(match is_signed {
            false => Err(Refusal::Mismatch),
            true if self.is_recipient(delivery.body) => Ok(()),
            true => Err(Refusal::Recipient),
        })
    }

    fn verify(&self, key: &hmac::Key, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        let signature = delivery.header(SHARED_SIGNATURE).ok_or(Refusal::Missing(SHARED_SIGNATURE))?;
        body_hmac::verify_hex(key, signature, delivery.body)
    }

    fn sign(&self, key: &hmac::Key, _id: &str, _at: Timestamp, body: &[u8]) -> Vec<(&'static str, String)> {
        vec![(SHARED_SIGNATURE, body_hmac::sign_hex(key, body))]
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Result<News, BadInput> {
        let body: Value = read(delivery.body)?;
        if !body.is_object() {
            return Err(BadInput::at("the body", "must be one event; have them delivered one by one"));
        }
        match Told::of(body) {
            Told::Order(order) => order.news(delivery.source, self.shop),
            Told::Invoice(invoice) => invoice.news(delivery.source, self.shop),
            Told::CreditMemo(memo) => memo.news(delivery.source, self.shop.prices_include_tax),
            Told::Nothing(reason) => Ok(News::Nothing(reason)),
        }
    }

    fn list(&self, since: Timestamp, _now: Timestamp) -> Result<Box<dyn Listing>, Unlisted> {
        let access = self.access.clone().ok_or(Unlisted::NoAccess)?;
        Ok(Box::new(list::Orders::changed_since(since, access)))
    }
}

impl AdobeCommerce {
    fn is_recipient(&self, body: &[u8]) -> bool {
        let Ok(Value::Object(event)) = serde_json::from_slice(body) else { return false };
        let recipient = RECIPIENTS.iter().find_map(|name| event.get(*name)?.as_str());
        recipient == Some(self.client_id.as_str())
    }
}

#[cfg(test)]
mod tests;
