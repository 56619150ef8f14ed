//! Shopify: orders and refunds as its webhooks send them, in the shape of its REST resources.
//!
//! Topic and delivery-id headers are not signed. So the topic only chooses how the body is read, and a body that does
//! not fit is refused; nothing else hangs on it. The bodies of the topics of privacy are told apart by what only they
//! have, so that none passes for another.

mod consent;
mod goods;
mod list;
mod privacy;

use std::sync::Arc;

use domain::{Contact, Currency, Customer, CustomerId, CustomerMerge, Order, OrderKey, Payment, Refund};
use domain::{Snapshot, SourceName, Timestamp};
use ring::hmac;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::IgnoredAny;
use store::MAX_REFUNDS_PER_ORDER;

use self::consent::{ConsentBody, MarketingConsent};
use self::goods::{LineItem, MoneySet, RefundBody};
use self::privacy::{DataRequestBody, RedactBody, ShopRedactBody};
use super::{Delivery, Listing, News, Platform, Request, Unlisted};
use crate::api::Access;
use crate::fields::{Amount, BadInput, Email, Id, Instant, PlatformId};
use crate::fields::{contact, coupons, minor_units, null_is_default, read};
use crate::phone::{Country, read_phone};
use crate::signature::{BadSecret, Refusal, body_hmac};
use crate::sources::{SourceDocument, SourceError};

const SIGNATURE: &str = "X-Shopify-Hmac-Sha256";
const TOPIC: &str = "X-Shopify-Topic";

/// See the file's own words.
#[derive(Default)]
struct Shopify {
    country: Option<Country>,
    /// Only to read the list of orders.
    access: Option<Access>,
}

/// Shopify as a source's configuration sets it up.
pub(super) fn set_up(document: &SourceDocument) -> Result<Arc<dyn Platform>, SourceError> {
    Ok(Arc::new(Shopify { country: document.country, access: list::access(document)? }))
}

impl Platform for Shopify {
    fn key(&self, secret: &str) -> Result<hmac::Key, BadSecret> {
        body_hmac::key(secret)
    }

    fn verify(&self, key: &hmac::Key, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        let signature = delivery.header(SIGNATURE).ok_or(Refusal::Missing(SIGNATURE))?;
        body_hmac::verify(key, signature, delivery.body)
    }

    fn sign(&self, key: &hmac::Key, _id: &str, _at: Timestamp, body: &[u8]) -> Vec<(&'static str, String)> {
        vec![(SIGNATURE, body_hmac::sign(key, body))]
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Result<News, BadInput> {
        let topic = delivery.header(TOPIC).ok_or_else(|| BadInput::at(TOPIC, "the header is missing"))?;
        match topic {
            "orders/create"
            | "orders/paid"
            | "orders/updated"
            | "orders/cancelled"
            | "orders/fulfilled"
            | "orders/partially_fulfilled" => {
                read::<OrderBody>(delivery.body)?.news(delivery.source, self.country)
            }
            "orders/delete" => {
                let key = order_key(delivery.source, &read::<DeletedBody>(delivery.body)?.id, "id")?;
                Ok(News::Deleted { order: key, at: delivery.now })
            }
            "customers/update" => {
                read::<CustomerUpdateBody>(delivery.body)?.news(delivery.source, self.country)
            }
            // Shopify's own page names it both ways.
            "customers_email_marketing_consent/update" | "customers/email_marketing_consent_update" => {
                Ok(read::<ConsentBody>(delivery.body)?.news(delivery.source))
            }
            "customers/merge" => read::<MergeBody>(delivery.body)?.news(delivery.source),
            "refunds/create" => read::<RefundBody>(delivery.body)?.news(delivery.source),
            "customers/redact" => read::<RedactBody>(delivery.body)?.news(delivery.source),
            "customers/data_request" => read::<DataRequestBody>(delivery.body)?.news(delivery.source),
            "shop/redact" => {
                read::<ShopRedactBody>(delivery.body)?;
                Ok(News::Request(Request::WholeShop))
            }
            // What `orders/edited` tells comes with `orders/updated` too, and whole. The other topics of orders (risk,
            // protection, requested links, transactions) change nothing that earns.
            _ => Ok(News::Nothing("this topic is not needed")),
        }
    }

    fn list(&self, since: Timestamp, _now: Timestamp) -> Result<Box<dyn Listing>, Unlisted> {
        let access = self.access.clone().ok_or(Unlisted::NoAccess)?;
        Ok(Box::new(list::Orders::changed_since(since, access)))
    }
}

/// What we read of an order. Every amount is in the shop's currency, never in the customer's.
#[derive(Deserialize)]
struct OrderBody {
    id: Id<PlatformId>,
    created_at: Instant,
    processed_at: Option<Instant>,
    updated_at: Instant,
    cancelled_at: Option<IgnoredAny>,
    currency: Currency,
    financial_status: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    test: bool,
    #[serde(default, deserialize_with = "null_is_default")]
    taxes_included: bool,
    total_price: Option<Amount>,
    current_total_price: Option<Amount>,
    total_outstanding: Option<Amount>,
    current_subtotal_price: Option<Amount>,
    current_subtotal_price_set: Option<MoneySet>,
    subtotal_price: Option<Amount>,
    #[serde(default, deserialize_with = "null_is_default")]
    line_items: Vec<LineItem>,
    #[serde(default, deserialize_with = "null_is_default")]
    refunds: Vec<RefundBody>,
    #[serde(default, deserialize_with = "null_is_default")]
    discount_codes: Vec<DiscountCode>,
    email: Option<String>,
    phone: Option<String>,
    customer_locale: Option<String>,
    buyer_accepts_marketing: Option<bool>,
    customer: Option<CustomerBody>,
}

/// What is told of a deleted order. It has nothing else, so the body of any other topic is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeletedBody {
    id: Id<PlatformId>,
}

/// A customer as it is now.
#[derive(Deserialize)]
struct CustomerUpdateBody {
    #[serde(flatten)]
    customer: CustomerBody,
    updated_at: Instant,
    /// No customer has it: the body of an order is refused.
    line_items: Option<IgnoredAny>,
}

impl CustomerUpdateBody {
    fn news(self, source: &SourceName, country: Option<Country>) -> Result<News, BadInput> {
        if self.line_items.is_some() {
            return Err(BadInput::at("line_items", "has no place in a customer"));
        }
        let customer = self.customer.told(source, AtCheckout::default(), country);
        Ok(News::Contact { customer, at: self.updated_at.0 })
    }
}

/// Two customers whom the shop made one.
#[derive(Deserialize)]
struct MergeBody {
    admin_graphql_api_customer_kept_id: GlobalId,
    admin_graphql_api_customer_deleted_id: GlobalId,
    status: String,
}

/// `gid://shopify/Customer/1`: the customer's identifier of the REST resources, after the last slash.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct GlobalId(CustomerId);

impl TryFrom<String> for GlobalId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let id = text.strip_prefix("gid://shopify/Customer/").and_then(|id| CustomerId::new(id).ok());
        id.map(Self).ok_or("is not a customer's global identifier, gid://shopify/Customer/…")
    }
}

impl MergeBody {
    fn news(self, source: &SourceName) -> Result<News, BadInput> {
        if self.status != "completed" {
            return Ok(News::Nothing("the customers are not merged"));
        }
        let merge = CustomerMerge {
            kept: self.admin_graphql_api_customer_kept_id.0,
            deleted: self.admin_graphql_api_customer_deleted_id.0,
        };
        Ok(News::Merge { source: source.clone(), merge })
    }
}

#[derive(Deserialize)]
struct DiscountCode {
    code: Option<String>,
}

#[derive(Deserialize)]
struct CustomerBody {
    id: Option<Id<CustomerId>>,
    email: Option<String>,
    verified_email: Option<bool>,
    phone: Option<String>,
    first_name: Option<String>,
    email_marketing_consent: Option<MarketingConsent>,
    sms_marketing_consent: Option<MarketingConsent>,
    accepts_marketing: Option<bool>,
}

/// How to reach whoever ordered, as they said at the checkout.
#[derive(Default)]
struct AtCheckout {
    email: Option<String>,
    phone: Option<String>,
    locale: Option<String>,
    accepts_marketing: Option<bool>,
}

impl OrderBody {
    fn news(self, source: &SourceName, country: Option<Country>) -> Result<News, BadInput> {
        if self.refunds.len() > MAX_REFUNDS_PER_ORDER {
            return Err(BadInput::at("refunds", format_args!("are more than {MAX_REFUNDS_PER_ORDER}")));
        }
        let key = order_key(source, &self.id, "id")?;
        let refunds = self
            .refunds
            .iter()
            .map(|refund| Ok((refund.id.0.clone(), refund.refund(self.currency, self.taxes_included)?)))
            .collect::<Result<_, BadInput>>()?;
        let snapshot = Snapshot {
            updated_at: self.updated_at.0,
            currency: self.currency,
            goods: goods::before_refunds(&self)?,
            payment: self.payment()?,
            cancelled: self.cancelled_at.is_some() || self.status() == "voided",
            test: self.test,
            coupons: coupons(self.discount_codes.iter().filter_map(|discount| discount.code.as_deref())),
        };
        // An imported order was created today and processed when the customer placed it: Shopify documents
        // `processed_at` as the date that appears on the order, and lets an import set it.
        let placed_at = self.processed_at.unwrap_or(self.created_at).0;
        let customer = self.customer(source, country);
        Ok(News::Order(Order { key, placed_at, customer, snapshot, refunds }))
    }

    fn status(&self) -> &str {
        self.financial_status.as_deref().unwrap_or_default()
    }

    fn payment(&self) -> Result<Payment, BadInput> {
        match self.status() {
            "paid" => Ok(Payment::Paid),
            "partially_paid" => self.partial_payment(),
            // What was refunded is deducted by the refunds themselves. The status no longer says whether all had been
            // paid before, but what is still to be paid does; older versions of the API do not tell it.
            "partially_refunded" | "refunded" if self.total_outstanding.is_some() => self.partial_payment(),
            "partially_refunded" | "refunded" => Ok(Payment::Paid),
            _ => Ok(Payment::Unpaid),
        }
    }

    /// Everything counts as paid that is not outstanding. Shopify tells what is outstanding of the order as it is now;
    /// goods are told before refunds, so the whole of which it is a part is the total before refunds, too.
    fn partial_payment(&self) -> Result<Payment, BadInput> {
        let (Some(total), Some(Amount(outstanding))) = (self.total_before_refunds(), self.total_outstanding)
        else {
            return Err(BadInput::at("total_outstanding", "is needed of an order partially paid"));
        };
        if outstanding <= Decimal::ZERO {
            return Ok(Payment::Paid);
        }
        let paid = minor_units("total_outstanding", total - outstanding, self.currency)?;
        let total = minor_units("total_price", total, self.currency)?;
        Ok(if paid > 0 { Payment::Partial { paid, total } } else { Payment::Unpaid })
    }

    /// `total_price` would have what was taken out of the order by editing it, which nobody is to pay any more.
    fn total_before_refunds(&self) -> Option<Decimal> {
        let refunded = || self.refunds.iter().map(|refund| refund.total(self.currency, self.taxes_included));
        let current = self.current_total_price.map(|Amount(now)| now + refunded().sum::<Decimal>());
        current.or(self.total_price.map(|Amount(total)| total))
    }

    fn customer(self, source: &SourceName, country: Option<Country>) -> Option<Customer> {
        let said = AtCheckout {
            email: self.email,
            phone: self.phone,
            locale: self.customer_locale,
            accepts_marketing: self.buyer_accepts_marketing,
        };
        Some(self.customer?.told(source, said, country))
    }
}

impl CustomerBody {
    /// What was typed at the checkout stands in where the customer has nothing; only the customer's own address can have
    /// been verified. The phone of an address is its recipient's, and no matter.
    fn told(self, source: &SourceName, said: AtCheckout, country: Option<Country>) -> Customer {
        let is_verified = self.email.is_some() && self.verified_email.unwrap_or_default();
        let consent = self.consent().or(said.accepts_marketing);
        let email = self.email.or(said.email).and_then(|text| Email::try_from(text).ok());
        let read = |text: Option<String>| read_phone(text.as_deref(), country);
        let phone = read(self.phone).or_else(|| read(said.phone));
        let contact = contact(email, is_verified, phone, self.first_name.as_deref(), said.locale.as_deref());
        Customer {
            source: source.clone(),
            id: self.id.map(|Id(id)| id),
            card: None,
            contact: Contact { consent, ..contact },
        }
    }
}

impl RefundBody {
    fn news(self, source: &SourceName) -> Result<News, BadInput> {
        let order = self.order_id.as_ref().ok_or_else(|| BadInput::at("order_id", "is missing"))?;
        let order = order_key(source, order, "order_id")?;
        if self.has_failed() {
            return Ok(News::Nothing("the refund's transactions failed"));
        }
        let currency = self.currency().ok_or_else(|| {
            BadInput::at(
                "refund_line_items",
                "need a subtotal_set, or the refund a transaction, with a currency",
            )
        })?;
        let refund = self.refund(currency, self.seems_to_include_tax())?;
        if refund.goods.amount == 0 {
            return Ok(News::Nothing("the refund gives back no goods"));
        }
        Ok(News::Refund { order, id: self.id.0, refund })
    }

    fn refund(&self, currency: Currency, tax_included: bool) -> Result<Refund, BadInput> {
        let (goods, kind) = self.given_back(currency, tax_included)?;
        let refunded_at = self.processed_at.unwrap_or(self.created_at).0;
        Ok(Refund { kind, ..Refund::of_goods(refunded_at, currency, goods) })
    }
}

fn order_key(source: &SourceName, id: &Id<PlatformId>, place: &str) -> Result<OrderKey, BadInput> {
    OrderKey::of_order(source, &id.0.0).map_err(|error| BadInput::at(place, error))
}

#[cfg(test)]
mod tests;
