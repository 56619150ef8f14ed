//! WooCommerce: orders as its webhooks send them, in the shape of its REST resource.
//!
//! The topic is not signed. So it only chooses how the body is read, and a body that does not fit is refused; whether
//! an order is newer than what is known is told by the order itself.
//!
//! Goods are the order's lines after discounts: shipping, fees and what is no line earn nothing. A line's `total` never
//! has the tax in it, whatever `prices_include_tax` says of the prices that customers see. A fee below 0 is a discount
//! that a plug-in gave, or a payment by a gift card or the like; the source's configuration says which.
//!
//! Of a refund an order tells only the sum, of goods, shipping and fees together. We take it as goods first, up to all
//! of them: who gives goods back never keeps their points, and a shop that gives back shipping alone takes a little
//! too much.

mod consent;
mod list;
mod old_api;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{
    Contact, Currency, Customer, CustomerId, Goods, Order, OrderKey, Payment, Phone, Refund, RefundId,
};
use domain::{RefundKind, Snapshot, SourceName, Timestamp};
use ring::hmac;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use store::MAX_REFUNDS_PER_ORDER;

use super::priced::Priced;
use super::{Delivery, Listing, News, Platform, Request, Unlisted};
use crate::fields::{
    Amount, BadInput, Email, Id, PlatformId, Utc, contact, coupons, minor_units, null_is_default, read,
};
use crate::phone::{Country, read_phone};
use crate::signature::{BadSecret, Refusal, body_hmac};
use crate::sources::{SourceDocument, SourceError};

const SIGNATURE: &str = "X-WC-Webhook-Signature";
const TOPIC: &str = "X-WC-Webhook-Topic";
/// What stands before the webhook's number in a ping, which is all that a ping has.
const PING: &[u8] = b"webhook_id=";
/// The digits of the largest number that MySQL gives.
const MAX_PING_DIGITS: usize = 20;
/// The customer of whoever orders without an account.
const GUEST: &str = "0";
/// Under what the sum of an order's refunds is told; a refund's own name has only digits.
const ALL_REFUNDS: &str = "all";
/// An order that its webhook could no longer read.
const NOT_FOUND: u16 = 404;

/// See the file's own words.
#[derive(Default)]
struct WooCommerce {
    shop: Shop,
    /// Only to read the list of orders.
    access: Option<list::ShopAccess>,
}

/// What the bodies do not tell of a shop.
#[derive(Clone, Copy, Default)]
struct Shop {
    country: Option<Country>,
    negative_fees: NegativeFees,
    /// Whether it shows its prices with tax, where an old body does not tell.
    prices_include_tax: bool,
}

/// What a fee below 0 is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NegativeFees {
    /// A discount on the goods, which earns nothing.
    #[default]
    Discounts,
    /// Money in another form, as a gift card is: what it pays for earns.
    Payments,
}

/// WooCommerce as a source's configuration sets it up.
pub(super) fn set_up(document: &SourceDocument) -> Result<Arc<dyn Platform>, SourceError> {
    let shop = Shop {
        country: document.country,
        negative_fees: document.negative_fees,
        prices_include_tax: document.prices_include_tax,
    };
    Ok(Arc::new(WooCommerce { shop, access: list::access(document)? }))
}

impl Platform for WooCommerce {
    fn key(&self, secret: &str) -> Result<hmac::Key, BadSecret> {
        body_hmac::key(secret)
    }

    /// It greets an address whenever a webhook is saved, and does not save one that answers otherwise than with 200.
    fn is_ping(&self, delivery: &Delivery<'_>) -> bool {
        let number = delivery.body.strip_prefix(PING).unwrap_or_default();
        (1..=MAX_PING_DIGITS).contains(&number.len())
            && number.iter().all(u8::is_ascii_digit)
            && !delivery.headers.contains_key(SIGNATURE)
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
            "order.created" | "order.updated" => order_news(delivery, self.shop, News::Order),
            "order.restored" => order_news(delivery, self.shop, News::Restored),
            "order.deleted" => {
                let DeletedBody { id } = read(delivery.body)?;
                Ok(News::Deleted { order: order_key(delivery.source, &id)?, at: delivery.now })
            }
            "customer.updated" => match read::<CustomerBody>(delivery.body) {
                Ok(customer) => customer.news(delivery.source, self.shop.country),
                Err(_) if old_api::is_of_customer(delivery.body) => Ok(News::Request(Request::NewerWebhook)),
                Err(bad) => Err(bad),
            },
            _ => Ok(News::Nothing("this topic is not needed")),
        }
    }

    fn list(&self, since: Timestamp, _now: Timestamp) -> Result<Box<dyn Listing>, Unlisted> {
        let shop = self.access.clone().ok_or(Unlisted::NoAccess)?;
        Ok(Box::new(list::Orders::changed_since(since, shop)))
    }
}

/// A customer as it is now.
#[derive(Deserialize)]
struct CustomerBody {
    id: Id<CustomerId>,
    date_modified_gmt: Option<Utc>,
    date_created_gmt: Utc,
    email: Option<String>,
    first_name: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    billing: Billing,
    #[serde(default)]
    meta_data: Value,
    /// No order has it.
    #[serde(rename = "username")]
    _username: String,
}

impl CustomerBody {
    fn news(self, source: &SourceName, country: Option<Country>) -> Result<News, BadInput> {
        let phone = self.billing.phone(country);
        let email = self.email.and_then(|text| Email::try_from(text).ok());
        let customer = Customer {
            source: source.clone(),
            id: Some(self.id.0),
            card: None,
            contact: Contact {
                consent: consent::told(&self.meta_data),
                ..contact(email, false, phone, self.first_name.as_deref(), None)
            },
        };
        Ok(News::Contact { customer, at: self.date_modified_gmt.unwrap_or(self.date_created_gmt).0 })
    }
}

fn order_news(delivery: &Delivery<'_>, shop: Shop, tell: fn(Order) -> News) -> Result<News, BadInput> {
    let order = match read::<OrderBody>(delivery.body) {
        Ok(order) => order,
        Err(bad) => {
            return old_api::news(delivery, shop, tell).unwrap_or_else(|| unread_order(delivery, bad));
        }
    };
    if order.is_draft() {
        return Ok(unplaced());
    }
    order.told(delivery.source, shop).map(tell)
}

/// Nobody has ordered yet; when somebody does, the order is dated anew.
fn unplaced() -> News {
    News::Nothing("the order is not placed yet")
}

/// A webhook sends what the shop answers when it is asked for the order: where it could not read it, an error.
fn unread_order(delivery: &Delivery<'_>, bad: BadInput) -> Result<News, BadInput> {
    match read::<ErrorBody>(delivery.body) {
        // It was deleted before its webhook was sent, of which `order.deleted` tells.
        Ok(ErrorBody { data: ErrorData { status: NOT_FOUND }, .. }) => {
            Ok(News::Nothing("the shop has this order no more"))
        }
        // Refused five times, the webhook would be disabled, and stay so when its user is mended.
        Ok(_) => Ok(News::Request(Request::WebhookUser)),
        Err(_) => Err(bad),
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "code")]
    _code: String,
    data: ErrorData,
}

#[derive(Deserialize)]
struct ErrorData {
    status: u16,
}

/// What is told of a deleted order. It has nothing else, so the body of any other topic is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeletedBody {
    id: Id<PlatformId>,
}

/// What we read of an order.
#[derive(Deserialize)]
struct OrderBody {
    id: Id<PlatformId>,
    status: String,
    currency: Currency,
    date_created_gmt: Utc,
    date_modified_gmt: Utc,
    date_paid_gmt: Option<Utc>,
    prices_include_tax: bool,
    line_items: Vec<LineItem>,
    #[serde(default, deserialize_with = "null_is_default")]
    fee_lines: Vec<LineItem>,
    #[serde(default, deserialize_with = "null_is_default")]
    refunds: Vec<RefundBody>,
    /// Whether its refunds are told at all; an old body tells none.
    #[serde(skip)]
    hides_refunds: bool,
    #[serde(default, deserialize_with = "null_is_default")]
    coupon_lines: Vec<CouponLine>,
    customer_id: Option<Id<CustomerId>>,
    #[serde(default, deserialize_with = "null_is_default")]
    billing: Billing,
    #[serde(default)]
    meta_data: Value,
}

#[derive(Deserialize)]
struct LineItem {
    total: Amount,
    #[serde(default, deserialize_with = "null_is_default")]
    total_tax: Amount,
}

#[derive(Deserialize)]
struct CouponLine {
    /// Lower case, however it was typed.
    code: String,
}

#[derive(Deserialize)]
struct RefundBody {
    id: Id<RefundId>,
    /// Of everything that is given back, below 0.
    total: Amount,
}

#[derive(Default, Deserialize)]
struct Billing {
    email: Option<String>,
    phone: Option<String>,
    country: Option<String>,
    first_name: Option<String>,
}

impl Billing {
    fn phone(&self, country: Option<Country>) -> Option<Phone> {
        read_phone(self.phone.as_deref(), Country::beside(self.country.as_deref(), country))
    }
}

impl OrderBody {
    fn told(self, source: &SourceName, shop: Shop) -> Result<Order, BadInput> {
        let priced = self.priced(shop.negative_fees)?;
        let (payment, cancelled) = self.standing();
        let snapshot = Snapshot {
            updated_at: self.date_modified_gmt.0,
            currency: self.currency,
            goods: priced.goods(),
            payment,
            cancelled,
            test: matches!(self.status.as_str(), "draft" | "auto-draft"),
            coupons: coupons(self.coupon_lines.iter().map(|line| line.code.as_str())),
        };
        Ok(Order {
            key: order_key(source, &self.id)?,
            placed_at: self.date_created_gmt.0,
            refunds: self.refunds_of(&priced)?,
            snapshot,
            customer: Some(self.customer(source, shop.country)),
        })
    }

    fn is_draft(&self) -> bool {
        self.status == "checkout-draft"
    }

    /// How far it is paid, and whether it is cancelled. A status of the shop's own, such as "shipped", says nothing of
    /// payment, so there the date of payment decides.
    fn standing(&self) -> (Payment, bool) {
        match self.status.as_str() {
            "processing" | "completed" => (Payment::Paid, false),
            // What was refunded is deducted by the refunds themselves, and is everything where none is listed.
            "refunded" => (Payment::Paid, self.refunds.is_empty()),
            "cancelled" | "failed" | "trash" => (Payment::Unpaid, true),
            "pending" | "on-hold" | "draft" | "auto-draft" => (Payment::Unpaid, false),
            _ if self.date_paid_gmt.is_some() => (Payment::Paid, false),
            _ => (Payment::Unpaid, false),
        }
    }

    /// Both amounts are rounded once from the exact sum, so that each is right by itself; the tax is what is between.
    /// Plugins write discounts as lines or fees below 0; less than nothing earns nothing.
    fn priced(&self, negative_fees: NegativeFees) -> Result<Priced, BadInput> {
        let is_discount =
            |fee: &&LineItem| negative_fees == NegativeFees::Discounts && fee.total.0 < Decimal::ZERO;
        let lines = || self.line_items.iter().chain(self.fee_lines.iter().filter(is_discount));
        let net: Decimal = lines().map(|line| line.total.0).sum();
        let tax: Decimal = lines().map(|line| line.total_tax.0).sum();
        let net = net.max(Decimal::ZERO);
        let gross = net + tax.max(Decimal::ZERO);
        Ok(Priced {
            gross: minor_units("line_items", gross, self.currency)?,
            net: minor_units("line_items", net, self.currency)?,
            tax_included: self.prices_include_tax,
        })
    }

    /// What each refund gives back of the goods. No refund tells when it was made; the order, when it last changed.
    ///
    /// A shop may delete a refund, and the order is told without it. So the sum of those that there are, also of none,
    /// is told too: it stands for every refund told until then.
    fn refunds_of(&self, priced: &Priced) -> Result<BTreeMap<RefundId, Refund>, BadInput> {
        if self.hides_refunds {
            return Ok(BTreeMap::new());
        }
        if self.refunds.len() >= MAX_REFUNDS_PER_ORDER {
            return Err(BadInput::at("refunds", format_args!("are not less than {MAX_REFUNDS_PER_ORDER}")));
        }
        // In the order of their numbers, so that what one gives back stays when others follow.
        let mut in_order: Vec<_> = self.refunds.iter().map(|refund| (&refund.id.0, refund.total.0)).collect();
        in_order.sort_by_key(|(id, _)| (id.as_str().len(), id.as_str()));
        let mut sum = Decimal::ZERO;
        let mut before = priced.share(0);
        let mut refunds = BTreeMap::new();
        for (id, total) in in_order {
            sum += total.abs();
            let so_far = priced.share(minor_units("refunds", sum, self.currency)?);
            let goods = so_far.less(&before).goods();
            before = so_far;
            refunds.insert(id.clone(), self.refund(goods, RefundKind::Goods));
        }
        let all = RefundId::new(ALL_REFUNDS).map_err(|error| BadInput::at("refunds", error))?;
        let money = Goods::untaxed(minor_units("refunds", sum, self.currency)?);
        refunds.insert(all, self.refund(money, RefundKind::SoFar));
        Ok(refunds)
    }

    fn refund(&self, goods: Goods, kind: RefundKind) -> Refund {
        Refund { kind, ..Refund::of_goods(self.date_modified_gmt.0, self.currency, goods) }
    }

    /// Whoever orders types the address; WooCommerce verifies none.
    fn customer(self, source: &SourceName, country: Option<Country>) -> Customer {
        let phone = self.billing.phone(country);
        let email = self.billing.email.and_then(|text| Email::try_from(text).ok());
        Customer {
            source: source.clone(),
            id: self.customer_id.map(|Id(id)| id).filter(|id| id.as_str() != GUEST),
            card: None,
            contact: Contact {
                consent: consent::told(&self.meta_data),
                ..contact(email, false, phone, self.billing.first_name.as_deref(), None)
            },
        }
    }
}

fn order_key(source: &SourceName, id: &Id<PlatformId>) -> Result<OrderKey, BadInput> {
    OrderKey::of_order(source, &id.0.0).map_err(|error| BadInput::at("id", error))
}

#[cfg(test)]
mod tests;
