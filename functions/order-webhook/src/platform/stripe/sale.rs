//! What was sold: checkout sessions, invoices, and payments of which no more is told.
//!
//! Of one sale every event tells the same moment of placing as nearly as it can: when its own object was made, not when
//! the event came. What remains is that a session is made when the customer comes to the checkout and its intent, in
//! newer versions of the API, when paying; the first one told stays, minutes from the other.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{CardFingerprint, Contact, CouponCode, Currency, Customer, CustomerId, Goods};
use domain::{Order, OrderKey, Payment, Phone, Snapshot, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::discount::Discount;
use super::part::{InvoicePayments, part};
use super::payer::{Address, Payer};
use super::{Occasion, Reference, minor_units};
use crate::fields::{BadInput, Email, MinorUnits, UnixSeconds, contact, coupons, null_is_default};
use crate::platform::News;

/// How long before anything else a bare payment was told: of one sale it must never be the latest word.
const BEFORE_ALL_ELSE: Duration = Duration::from_millis(1);
/// What an invoice's identifier begins with.
const INVOICE: &str = "in_";
/// What a checkout page says of its language where it takes the browser's.
const AUTOMATIC: &str = "auto";

/// A checkout session.
#[derive(Deserialize)]
pub(super) struct SessionBody {
    id: String,
    created: Option<UnixSeconds>,
    mode: Option<String>,
    payment_status: Option<String>,
    payment_intent: Option<Reference>,
    invoice: Option<Reference>,
    currency: Option<Currency>,
    amount_subtotal: Option<MinorUnits>,
    amount_total: Option<MinorUnits>,
    #[serde(default, deserialize_with = "null_is_default")]
    total_details: TotalDetails,
    #[serde(default, deserialize_with = "null_is_default")]
    discounts: Vec<Discount>,
    #[serde(default, deserialize_with = "null_is_default")]
    shipping_cost: ShippingCost,
    customer: Option<Reference>,
    #[serde(default, deserialize_with = "null_is_default")]
    consent: Consent,
    #[serde(default, deserialize_with = "null_is_default")]
    customer_details: CustomerDetails,
    customer_email: Option<String>,
    locale: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TotalDetails {
    amount_discount: Option<MinorUnits>,
    amount_shipping: Option<MinorUnits>,
    amount_tax: Option<MinorUnits>,
    /// Only where the sender had it expanded.
    #[serde(deserialize_with = "null_is_default")]
    breakdown: Breakdown,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Breakdown {
    #[serde(deserialize_with = "null_is_default")]
    discounts: Vec<BreakdownDiscount>,
}

#[derive(Deserialize)]
struct BreakdownDiscount {
    discount: Discount,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ShippingCost {
    amount_tax: Option<MinorUnits>,
    amount_total: Option<MinorUnits>,
}

/// What the payer was asked at the checkout.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Consent {
    /// Whether they want to hear of promotions: `opt_in` or `opt_out`.
    promotions: Option<String>,
}

impl Consent {
    fn is_given(&self) -> Option<bool> {
        self.promotions.as_ref().map(|answer| answer == "opt_in")
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CustomerDetails {
    email: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    #[serde(deserialize_with = "null_is_default")]
    address: Address,
}

/// A payment.
#[derive(Deserialize)]
pub(super) struct IntentBody {
    id: String,
    created: UnixSeconds,
    currency: Currency,
    amount: MinorUnits,
    amount_received: Option<MinorUnits>,
    #[serde(default, deserialize_with = "null_is_default")]
    amount_details: AmountDetails,
    /// Newer versions of the API name a payment's invoice only here.
    #[serde(default, deserialize_with = "null_is_default")]
    payment_details: PaymentDetails,
    invoice: Option<Reference>,
    customer: Option<Reference>,
    receipt_email: Option<String>,
    /// Older versions of the API have the charges in the payment, newer ones its latest, mostly by its identifier only.
    #[serde(default, deserialize_with = "null_is_default")]
    charges: Charges,
    latest_charge: Option<LatestCharge>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Charges {
    #[serde(deserialize_with = "null_is_default")]
    data: Vec<Payer>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LatestCharge {
    Object(Box<Payer>),
    Id(IgnoredAny),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AmountDetails {
    #[serde(deserialize_with = "null_is_default")]
    tip: Part,
    #[serde(deserialize_with = "null_is_default")]
    shipping: Part,
    #[serde(deserialize_with = "null_is_default")]
    tax: TaxPart,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Part {
    amount: Option<MinorUnits>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TaxPart {
    total_tax_amount: Option<MinorUnits>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PaymentDetails {
    order_reference: Option<String>,
}

/// An invoice.
#[derive(Deserialize)]
pub(super) struct InvoiceBody {
    id: String,
    created: UnixSeconds,
    currency: Currency,
    /// Below 0 where more was credited than bought.
    total: i64,
    /// What of it was paid in money. The rest was credited before, or paid with the customer's credit; more than the
    /// total, where an earlier invoice was too small to be paid.
    amount_paid: Option<MinorUnits>,
    amount_due: Option<i64>,
    /// Whether the shop took the money itself.
    #[serde(default, deserialize_with = "null_is_default")]
    paid_out_of_band: bool,
    /// Older versions of the API tell taxes under the first name, newer ones under the second.
    #[serde(default, deserialize_with = "null_is_default")]
    total_tax_amounts: Vec<InvoiceTax>,
    #[serde(default, deserialize_with = "null_is_default")]
    total_taxes: Vec<InvoiceTax>,
    #[serde(default, deserialize_with = "null_is_default")]
    shipping_cost: ShippingCost,
    payment_intent: Option<Reference>,
    /// Newer versions of the API have no payment intent, and this only where the sender had it expanded.
    #[serde(default, deserialize_with = "null_is_default")]
    payments: InvoicePayments,
    #[serde(default, deserialize_with = "null_is_default")]
    discounts: Vec<Discount>,
    /// Older versions of the API tell the first one whole.
    discount: Option<Discount>,
    customer: Option<Reference>,
    customer_email: Option<String>,
    customer_name: Option<String>,
    customer_phone: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    customer_address: Address,
}

#[derive(Deserialize)]
struct InvoiceTax {
    amount: i64,
    inclusive: Option<bool>,
    tax_behavior: Option<String>,
}

/// What a paid sale is, whoever tells of it.
struct Sale {
    key: OrderKey,
    placed_at: Timestamp,
    updated_at: Timestamp,
    currency: Currency,
    goods: Goods,
    payment: Payment,
    coupons: BTreeSet<CouponCode>,
    customer: Option<Reference>,
    card: Option<CardFingerprint>,
    contact: Contact,
}

impl Sale {
    fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let id = self.customer.map(|customer| CustomerId::new(customer.id())).transpose();
        let id = id.map_err(|error| BadInput::at("data.object.customer", error))?;
        let Self { key, placed_at, updated_at, currency, goods, payment, coupons, card, contact, .. } = self;
        let test = occasion.test;
        Ok(News::Order(Order {
            key,
            placed_at,
            customer: Some(Customer { source: occasion.source.clone(), id, card, contact }),
            snapshot: Snapshot { updated_at, currency, goods, payment, cancelled: false, test, coupons },
            refunds: Default::default(),
        }))
    }
}

impl Sale {
    /// The sale, and the payments that are parts of it.
    fn news_with(self, parts: Vec<News>, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let sale = self.news(occasion)?;
        if parts.is_empty() { Ok(sale) } else { Ok(News::Several([vec![sale], parts].concat())) }
    }
}

impl SessionBody {
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        if self.mode.as_deref() == Some("setup") {
            return Ok(News::Nothing("nothing was sold"));
        }
        if !self.is_settled() {
            return Ok(News::Nothing("nothing was paid"));
        }
        if self.payment_intent.is_none() && self.invoice.is_some() {
            return Ok(News::Nothing("its invoice tells of it"));
        }
        let currency = self
            .currency
            .ok_or_else(|| BadInput::at("data.object.currency", "is needed of what was paid"))?;
        let (goods, coupons) = (self.goods(currency)?, self.coupons());
        let details = self.customer_details;
        let phone = details.address.phone(details.phone.as_deref(), occasion.country);
        let intent = self.payment_intent.as_ref().map(Reference::id);
        // Stripe made an invoice of what was paid, which does not name the payment.
        let invoice = self.invoice.as_ref().map(Reference::id);
        let invoice = invoice.filter(|_| occasion.tells_payments_apart == Some(true));
        let parts = match (intent, invoice) {
            (Some(intent), Some(invoice)) => vec![part(occasion, intent, invoice)?],
            _ => vec![],
        };
        let sale = Sale {
            key: occasion.key(&[invoice, intent, Some(&self.id)])?,
            placed_at: self.created.map_or(occasion.at, |UnixSeconds(at)| at),
            updated_at: occasion.at,
            currency,
            goods,
            payment: Payment::Paid,
            coupons,
            contact: Contact {
                consent: self.consent.is_given(),
                ..unverified(
                    details.email.or(self.customer_email),
                    phone,
                    details.name.as_deref(),
                    self.locale.as_deref().filter(|locale| *locale != AUTOMATIC),
                )
            },
            customer: self.customer,
            card: None,
        };
        sale.news_with(parts, occasion)
    }

    /// Paid, or a sale of 0.00 that needs no payment; a subscription that begins with a trial is not sold yet.
    fn is_settled(&self) -> bool {
        let is_free = self.mode.as_deref() == Some("payment")
            && self.amount_total.is_some_and(|MinorUnits(total)| total == 0);
        match self.payment_status.as_deref() {
            Some("paid") => true,
            Some("no_payment_required") => is_free,
            _ => false,
        }
    }

    fn coupons(&self) -> BTreeSet<CouponCode> {
        let broken_down = self.total_details.breakdown.discounts.iter().map(|it| &it.discount);
        coupons(self.discounts.iter().chain(broken_down).flat_map(Discount::codes))
    }

    /// Where everything adds up without the tax, the prices have it in them.
    fn goods(&self, currency: Currency) -> Result<Goods, BadInput> {
        let place = "data.object.amount_subtotal";
        let MinorUnits(subtotal) = self.amount_subtotal.ok_or_else(|| BadInput::at(place, "is missing"))?;
        let details = &self.total_details;
        let after_discount = subtotal.saturating_sub(or_zero(details.amount_discount)).max(0);
        let tax = or_zero(details.amount_tax);
        let without_tax = after_discount.saturating_add(or_zero(details.amount_shipping));
        let tax_included = tax > 0 && self.amount_total.is_some_and(|MinorUnits(total)| total == without_tax);
        let tax = tax.saturating_sub(or_zero(self.shipping_cost.amount_tax)).max(0);
        goods(place, currency, after_discount, tax, tax_included)
    }
}

impl IntentBody {
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let reference = self.payment_details.order_reference.as_deref().unwrap_or_default();
        let is_of_invoice = self.invoice.is_none() && reference.starts_with(INVOICE);
        if is_of_invoice && occasion.tells_payments_apart != Some(false) {
            return part(occasion, &self.id, reference);
        }
        let place = "data.object.amount";
        let MinorUnits(paid) = self.amount_received.unwrap_or(self.amount);
        let AmountDetails { tip, shipping, tax } = &self.amount_details;
        let for_goods =
            paid.saturating_sub(or_zero(tip.amount)).saturating_sub(or_zero(shipping.amount)).max(0);
        let tax = or_zero(tax.total_tax_amount);
        let payer = self.payer();
        let phone = payer.and_then(|payer| payer.phone(occasion.country));
        let card = payer.and_then(Payer::card);
        let sale = Sale {
            key: occasion.key(&[Some(&self.id)])?,
            placed_at: self.created.0,
            updated_at: self.created.0 - BEFORE_ALL_ELSE,
            currency: self.currency,
            goods: goods(place, self.currency, for_goods, tax, tax > 0)?,
            payment: Payment::Paid,
            coupons: BTreeSet::new(),
            contact: unverified(self.receipt_email, phone, None, None),
            customer: self.customer,
            card,
        };
        sale.news(occasion)
    }

    fn payer(&self) -> Option<&Payer> {
        match &self.latest_charge {
            Some(LatestCharge::Object(payer)) => Some(payer),
            Some(LatestCharge::Id(_)) | None => self.charges.data.first(),
        }
    }
}

impl InvoiceBody {
    pub(super) fn news(self, occasion: &Occasion<'_>) -> Result<News, BadInput> {
        let phone = self.customer_address.phone(self.customer_phone.as_deref(), occasion.country);
        let intent = self.payment_intent.as_ref().map(Reference::id);
        let parts = match intent {
            Some(_) => vec![],
            None => self.payments.parts(occasion, &self.id)?,
        };
        let sale = Sale {
            key: occasion.key(&[intent, Some(&self.id)])?,
            placed_at: self.created.0,
            updated_at: occasion.at,
            currency: self.currency,
            goods: self.goods()?,
            // Nothing was bought where more was credited.
            payment: if self.total < 0 { Payment::Unpaid } else { Payment::Paid },
            coupons: coupons(self.discounts.iter().chain(&self.discount).flat_map(Discount::codes)),
            contact: unverified(self.customer_email, phone, self.customer_name.as_deref(), None),
            customer: self.customer,
            card: None,
        };
        sale.news_with(parts, occasion)
    }

    /// What was paid for goods. Credit is no money: what it stands for earned when it was paid, or was a present. So of an
    /// invoice over less than nothing, which becomes credit, nothing is taken back either, until money is given back.
    fn goods(&self) -> Result<Goods, BadInput> {
        let whole = self.all_goods()?;
        let part = |amount: i64| match (i128::from(self.total), i128::from(self.paid())) {
            (..=0, _) => 0,
            (total, paid) => (2 * i128::from(amount) * paid + total) / (2 * total),
        };
        let place = "data.object.amount_paid";
        let part = |amount| i64::try_from(part(amount)).map_err(|_| BadInput::at(place, "is too large"));
        Ok(Goods { amount: part(whole.amount)?, tax: part(whole.tax)?, tax_included: whole.tax_included })
    }

    /// What was paid in money. Older versions of the API do not tell it.
    fn paid(&self) -> i64 {
        let paid = self.amount_paid.map_or(self.total, |MinorUnits(paid)| paid);
        let by_itself = self.amount_due.filter(|_| self.paid_out_of_band).unwrap_or_default();
        paid.max(by_itself)
    }

    /// What is left of the total without shipping and tax. The total is after all discounts, while of the subtotal
    /// only those are still to be taken off that are not a line's own.
    fn all_goods(&self) -> Result<Goods, BadInput> {
        let shipping = or_zero(self.shipping_cost.amount_total);
        let taxes = if self.total_taxes.is_empty() { &self.total_tax_amounts } else { &self.total_taxes };
        let all_tax: i64 = taxes.iter().fold(0, |sum, tax| tax.amount.saturating_add(sum));
        let tax = all_tax.saturating_sub(or_zero(self.shipping_cost.amount_tax)).max(0);
        let with_tax = self.total.saturating_sub(shipping).max(0);
        let tax_included = tax > 0 && taxes.iter().all(InvoiceTax::is_included);
        let amount = if tax_included { with_tax } else { with_tax.saturating_sub(tax).max(0) };
        goods("data.object.total", self.currency, amount, tax, tax_included)
    }
}

impl InvoiceTax {
    fn is_included(&self) -> bool {
        self.inclusive.unwrap_or(self.tax_behavior.as_deref() == Some("inclusive"))
    }
}

fn goods(
    place: &str,
    currency: Currency,
    amount: i64,
    tax: i64,
    tax_included: bool,
) -> Result<Goods, BadInput> {
    let amount = minor_units(place, currency, amount)?;
    let tax = minor_units(place, currency, tax)?;
    Ok(Goods { amount, tax: if tax_included { tax.min(amount) } else { tax }, tax_included })
}

fn or_zero(amount: Option<MinorUnits>) -> i64 {
    amount.map_or(0, |MinorUnits(amount)| amount)
}

/// Whoever pays types the address; Stripe verifies none.
pub(super) fn unverified(
    email: Option<String>,
    phone: Option<Phone>,
    name: Option<&str>,
    locale: Option<&str>,
) -> Contact {
    contact(email.and_then(|text| Email::try_from(text).ok()), false, phone, name, locale)
}
