//! An order of BigCommerce and its refunds, as its API answers.
//!
//! Goods are the subtotal less the order's discounts and coupons, without shipping, handling, wrapping and fees, and
//! without gift certificates (which are money in another form: they earn when they are spent; what one pays, like
//! store credit, is part of the subtotal all the same). Amounts are in the currency that the customer pays in.

use std::collections::HashMap;

use domain::{Currency, Customer, CustomerId, Order, OrderKey, Payment};
use domain::{Snapshot, SourceName, Timestamp, time};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer};

use super::refunds::{self, RefundBody};
use crate::api::Answer;
use crate::fields::{self, Amount, BadInput, Email, Id, PlatformId, Quantity};
use crate::fields::{contact, minor_units, null_is_default, read};
use crate::phone::{Country, read_phone};
use crate::platform::priced::Priced;

/// The customer of whoever orders without an account.
const GUEST: &str = "0";
/// The type of a product that is bought money.
const GIFT_CERTIFICATE: &str = "giftcertificate";

/// What we read of an order.
#[derive(Deserialize)]
struct OrderBody {
    id: Id<PlatformId>,
    date_created: Moment,
    date_modified: Option<Moment>,
    status_id: u32,
    #[serde(default, deserialize_with = "null_is_default")]
    payment_status: String,
    currency_code: Option<Currency>,
    /// What the customer pays in; `currency_code` is what the prices were shown in.
    default_currency_code: Option<Currency>,
    subtotal_ex_tax: Amount,
    subtotal_inc_tax: Amount,
    #[serde(default, deserialize_with = "null_is_default")]
    discount_amount: Amount,
    #[serde(default, deserialize_with = "null_is_default")]
    coupon_discount: Amount,
    /// All that was given back, also what the list of refunds does not name.
    #[serde(default, deserialize_with = "null_is_default")]
    refunded_amount: Amount,
    #[serde(default, deserialize_with = "null_is_default")]
    is_tax_inclusive_pricing: bool,
    #[serde(default, deserialize_with = "null_is_default")]
    is_deleted: bool,
    customer_id: Option<Id<CustomerId>>,
    customer_locale: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    billing_address: BillingAddress,
}

#[derive(Default, Deserialize)]
struct BillingAddress {
    email: Option<String>,
    phone: Option<String>,
    country_iso2: Option<String>,
    first_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Product {
    id: Id<PlatformId>,
    #[serde(rename = "type")]
    kind: Option<String>,
    quantity: Option<Quantity>,
    #[serde(default, deserialize_with = "null_is_default")]
    total_ex_tax: Amount,
    #[serde(default, deserialize_with = "null_is_default")]
    total_inc_tax: Amount,
}

/// A coupon that was used at the order's checkout.
#[derive(Deserialize)]
struct Coupon {
    code: Option<String>,
}

#[derive(Deserialize)]
struct RefundsBody {
    data: Vec<RefundBody>,
}

/// An instant as mail writes it (RFC 2822), or as everybody else does (RFC 3339).
#[derive(Clone, Copy)]
struct Moment(Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        moment(&text)
            .map(Moment)
            .ok_or_else(|| de::Error::custom("is not an instant such as Tue, 20 Nov 2012 00:00:00 +0000"))
    }
}

pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let of_mail = || time::in_range(jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp()).ok();
    time::instant(text).ok().or_else(of_mail)
}

/// The order that the API's answers tell.
pub(super) fn told(
    source: &SourceName,
    country: Option<Country>,
    order: &Answer,
    refunds: &Answer,
    products: &Answer,
    coupons: &Answer,
) -> Result<Order, BadInput> {
    let order: OrderBody = read(&order.body)?;
    let refunds = read_or::<RefundsBody>(refunds)?.map_or_else(Vec::new, |refunds| refunds.data);
    let products = read_or::<Vec<Product>>(products)?.unwrap_or_default();
    let certificates =
        products.into_iter().filter(|product| product.kind.as_deref() == Some(GIFT_CERTIFICATE));
    let certificates = certificates.map(|product| (product.id.0.0.clone(), product)).collect();
    let customer = order.customer(source, country);
    let codes = read_or::<Vec<Coupon>>(coupons)?.unwrap_or_default();
    let mut order = order.told(source, customer, refunds, &certificates)?;
    order.snapshot.coupons = fields::coupons(codes.iter().filter_map(|coupon| coupon.code.as_deref()));
    Ok(order)
}

/// A list that may be missing: of an order without products or refunds some versions answer with nothing at all.
fn read_or<T: DeserializeOwned>(answer: &Answer) -> Result<Option<T>, BadInput> {
    if answer.is_known && !answer.body.is_empty() { read(&answer.body).map(Some) } else { Ok(None) }
}

impl OrderBody {
    fn told(
        self,
        source: &SourceName,
        customer: Customer,
        refunds: Vec<RefundBody>,
        certificates: &HashMap<String, Product>,
    ) -> Result<Order, BadInput> {
        let currency = self.default_currency_code.or(self.currency_code);
        let currency = currency.ok_or_else(|| BadInput::at("default_currency_code", "is missing"))?;
        let has_refunds = refunds.iter().any(|refund| !refund.is_declined());
        let priced = self.priced(currency, certificates)?;
        let updated_at = self.date_modified.unwrap_or(self.date_created).0;
        // What was given back where no refund is listed, such as by a payment provider's own page.
        let unlisted = if has_refunds { Decimal::ZERO } else { self.refunded_amount.0.max(Decimal::ZERO) };
        let unlisted = minor_units("refunded_amount", unlisted, currency)?;
        let (payment, cancelled) = match self.standing(has_refunds || unlisted > 0) {
            (Payment::Paid, false) if unlisted > 0 => (left_of(&priced, unlisted), false),
            standing => standing,
        };
        Ok(Order {
            key: OrderKey::of_order(source, &self.id.0.0).map_err(|error| BadInput::at("id", error))?,
            placed_at: self.date_created.0,
            snapshot: Snapshot {
                updated_at,
                currency,
                goods: priced.goods(),
                payment,
                cancelled,
                test: false,
                coupons: Default::default(),
            },
            refunds: refunds::told(refunds, &priced, currency, updated_at, certificates)?,
            customer: Some(customer),
        })
    }

    /// Each amount is rounded once from the exact sum; the tax is what is between.
    fn priced(
        &self,
        currency: Currency,
        certificates: &HashMap<String, Product>,
    ) -> Result<Priced, BadInput> {
        let discounts = self.discount_amount.0 + self.coupon_discount.0;
        let certified = |amount: fn(&Product) -> Amount| -> Decimal {
            certificates.values().map(|product| amount(product).0).sum()
        };
        let net = self.subtotal_ex_tax.0 - certified(|product| product.total_ex_tax) - discounts;
        let gross = self.subtotal_inc_tax.0 - certified(|product| product.total_inc_tax) - discounts;
        let net = net.max(Decimal::ZERO);
        Ok(Priced {
            gross: minor_units("subtotal_inc_tax", gross.max(net), currency)?,
            net: minor_units("subtotal_ex_tax", net, currency)?,
            tax_included: self.is_tax_inclusive_pricing,
        })
    }

    /// How far it is paid, and whether it is cancelled.
    fn standing(&self, has_refunds: bool) -> (Payment, bool) {
        // Archiving is how an order is deleted; taken out of the archive it is as before.
        if self.is_deleted {
            return (Payment::Unpaid, true);
        }
        let is_void = matches!(self.payment_status.as_str(), "declined" | "void" | "void pending");
        match Status::of(self.status_id) {
            Status::Paid if is_void => (Payment::Unpaid, false),
            Status::Paid => (Payment::Paid, false),
            // What was refunded is deducted by the refunds themselves, and is everything where none is listed.
            Status::Refunded => (Payment::Paid, !has_refunds),
            Status::Cancelled => (Payment::Unpaid, true),
            Status::Waiting => (Payment::Unpaid, false),
        }
    }

    /// Whoever orders types the address; BigCommerce tells of none that it is verified.
    fn customer(&self, source: &SourceName, country: Option<Country>) -> Customer {
        let address = &self.billing_address;
        let email = address.email.clone().and_then(|text| Email::try_from(text).ok());
        let country = Country::beside(address.country_iso2.as_deref(), country);
        let phone = read_phone(address.phone.as_deref(), country);
        let (name, locale) = (address.first_name.as_deref(), self.customer_locale.as_deref());
        Customer {
            source: source.clone(),
            id: self.customer_id.as_ref().map(|Id(id)| id.clone()).filter(|id| id.as_str() != GUEST),
            card: None,
            contact: contact(email, false, phone, name, locale),
        }
    }
}

/// How far goods are still paid after money went back: it is goods first, with their tax.
fn left_of(priced: &Priced, money: i64) -> Payment {
    let left = priced.gross.saturating_sub(money);
    if left > 0 { Payment::Partial { paid: left, total: priced.gross } } else { Payment::Unpaid }
}

/// What a status says of payment. Shops rename them, so only the number tells.
enum Status {
    Waiting,
    Paid,
    Refunded,
    Cancelled,
}

impl Status {
    fn of(id: u32) -> Self {
        match id {
            // Shipped, partially shipped, awaiting pickup, awaiting shipment, completed, awaiting fulfilment,
            // partially refunded.
            2 | 3 | 8 | 9 | 10 | 11 | 14 => Self::Paid,
            4 => Self::Refunded,
            // Cancelled, declined.
            5 | 6 => Self::Cancelled,
            // Incomplete, pending, awaiting payment, manual verification required; and disputed, for as long as
            // nobody knows whose the money is.
            _ => Self::Waiting,
        }
    }
}

impl Product {
    /// What so many pieces cost.
    pub(super) fn worth(&self, pieces: Option<Quantity>) -> Decimal {
        match (pieces, self.quantity) {
            (Some(Quantity(pieces)), Some(Quantity(ordered))) if ordered > 0 => {
                self.total_inc_tax.0 * Decimal::from(pieces) / Decimal::from(ordered)
            }
            _ => self.total_inc_tax.0,
        }
    }
}
