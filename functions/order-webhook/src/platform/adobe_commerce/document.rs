//! Orders, invoices and credit memos, found in the body of an event.
//!
//! An order is known by its `entity_id`, which its invoices and credit memos tell too, as `order_id`.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Customer, CustomerId, Order, OrderKey, Payment, Refund, RefundId, RefundKind};
use domain::{Phone, Snapshot, SourceName};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Shop;
use super::amounts::Amounts;
use super::standing::{self, Standing};
use crate::fields::{BadInput, Email, Id, PlatformId, Utc, contact, coupons, read_part};
use crate::phone::{Country, read_phone};
use crate::platform::News;

/// Where a resource stands in an event: of Adobe I/O in its two forms, of Mage-OS in its newer form.
const PLACES: [&str; 3] = ["/event/data/value", "/data/value", "/data"];
/// The objects into which some observers put the resource once more.
const WRAPPERS: [&str; 3] = ["order", "invoice", "creditmemo"];
/// The customer of whoever orders without an account.
const GUEST: &str = "0";
/// States of an invoice and of a credit memo, the same for both: open, paid (back), cancelled.
const DONE: &str = "2";
/// How long after its order a credit memo that was saved with it may be dated.
const BESIDE_ITS_ORDER: Duration = Duration::from_secs(5);
/// The refund by which a closed order says what was given back of it.
const CLOSED: &str = "closed";
/// How long before its moment an invoice is told, so that its order, saved with it, holds against it.
const BEFORE_ITS_ORDER: Duration = Duration::from_secs(1);

const OF_NO_INTEREST: &str = "events of this type are not needed";
const TOO_LITTLE: &str = "the event tells no amounts; subscribe to its fields";

type Fields = Map<String, Value>;

/// What an event tells of.
pub(super) enum Told {
    Order(OrderDocument),
    Invoice(InvoiceDocument),
    CreditMemo(CreditMemoDocument),
    Nothing(&'static str),
}

pub(super) struct OrderDocument(Fields);
pub(super) struct InvoiceDocument(Fields);
pub(super) struct CreditMemoDocument(Fields);

impl Told {
    /// Finds the resource in a body.
    pub(super) fn of(body: Value) -> Self {
        let name = body.get("type").and_then(Value::as_str).map(str::to_owned);
        let Some(fields) = resource(body) else { return Self::Nothing(OF_NO_INTEREST) };
        match name {
            Some(name) => Self::named(&name, fields),
            None => Self::seen(fields),
        }
    }

    fn named(name: &str, fields: Fields) -> Self {
        let observed = name.rsplit_once("observer.").map(|(_, observed)| observed);
        match observed.unwrap_or(name) {
            "sales_order_save_after" | "sales_order_save_commit_after" | "sales_order_place_after" => {
                Self::Order(OrderDocument(fields))
            }
            name if name.starts_with("sales_order_invoice_") || name.starts_with("sales.invoice.") => {
                Self::Invoice(InvoiceDocument(fields))
            }
            name if name.starts_with("sales_order_creditmemo_") || name.starts_with("sales.creditmemo.") => {
                Self::CreditMemo(CreditMemoDocument(fields))
            }
            name if name.starts_with("sales.order.") => Self::Order(OrderDocument(fields)),
            // A shop may give an event a name of its own.
            _ if observed.is_none() => Self::seen(fields),
            _ => Self::Nothing(OF_NO_INTEREST),
        }
    }

    /// Only a credit memo has adjustments; a shipment, as the only other thing that names its order, has no subtotal.
    fn seen(fields: Fields) -> Self {
        let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
        let is_of_order = has(&["order_id"]);
        if is_of_order
            && has(&["adjustment", "adjustment_positive", "adjustment_negative", "creditmemo_status"])
        {
            Self::CreditMemo(CreditMemoDocument(fields))
        } else if is_of_order && has(&["subtotal", "base_subtotal"]) {
            Self::Invoice(InvoiceDocument(fields))
        } else if !is_of_order
            && has(&["state", "status"])
            && has(&["order_currency_code", "base_currency_code"])
        {
            Self::Order(OrderDocument(fields))
        } else if has(&["real_order_id"]) {
            Self::Nothing(TOO_LITTLE)
        } else {
            Self::Nothing(OF_NO_INTEREST)
        }
    }
}

fn resource(mut body: Value) -> Option<Fields> {
    let place = PLACES.iter().find(|place| body.pointer(place).is_some_and(Value::is_object));
    let mut found = match place {
        Some(place) => body.pointer_mut(place)?.take(),
        None => body,
    };
    let wrapper = WRAPPERS.iter().find(|name| found.get(**name).is_some_and(Value::is_object));
    match wrapper {
        // A credit memo and an invoice may have each other and their order in them; then they have fields of their own.
        Some(name) if found.as_object()?.len() == 1 => found = found.get_mut(*name)?.take(),
        _ => {}
    }
    match found {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

impl OrderDocument {
    pub(super) fn news(self, source: &SourceName, shop: Shop) -> Result<News, BadInput> {
        let Self(fields) = self;
        let Some(amounts) = Amounts::of(&fields)? else { return Ok(News::Nothing(TOO_LITTLE)) };
        let id: Id<PlatformId> = either(&fields, "entity_id", "id")?;
        let Utc(placed_at) = needed(&fields, "created_at")?;
        let Utc(updated_at) = optional(&fields, "updated_at")?.unwrap_or(Utc(placed_at));
        let goods = amounts.goods(shop.prices_include_tax)?;
        let Standing { payment, is_cancelled, is_closed } = standing::of(&fields, &amounts)?;
        let mut refunds = BTreeMap::new();
        // Its credit memos say what was given back; a closed order says so once more, for a shop that does not send them.
        if is_closed {
            let money = standing::given_back(&amounts, &goods)?;
            let told_at = updated_at + BESIDE_ITS_ORDER;
            let refund = Refund::of_money(told_at, amounts.currency, money, RefundKind::SoFar);
            refunds.insert(RefundId::new(CLOSED).map_err(|error| BadInput::at("state", error))?, refund);
        }
        Ok(News::Order(Order {
            key: order_key(source, &id, "entity_id")?,
            placed_at,
            customer: customer(&fields, source, billing_phone(&fields, shop.country))?,
            snapshot: Snapshot {
                updated_at,
                currency: amounts.currency,
                goods,
                payment,
                cancelled: is_cancelled,
                test: false,
                coupons: coupons(fields.get("coupon_code").and_then(Value::as_str).into_iter()),
            },
            refunds,
        }))
    }
}

impl InvoiceDocument {
    /// A paid invoice says that its order is paid, where nothing newer is told of the order: the order may be invoiced in
    /// parts, and tells itself better. What remains is that an invoice which comes before its order dates it.
    pub(super) fn news(self, source: &SourceName, shop: Shop) -> Result<News, BadInput> {
        let Self(fields) = self;
        let Some(amounts) = Amounts::of(&fields)? else { return Ok(News::Nothing(TOO_LITTLE)) };
        if !is_done(&fields)? {
            return Ok(News::Nothing("the invoice is not paid"));
        }
        let Utc(placed_at) = needed(&fields, "created_at")?;
        let order: Id<PlatformId> = needed(&fields, "order_id")?;
        Ok(News::Order(Order {
            key: order_key(source, &order, "order_id")?,
            placed_at,
            // An invoice knows no customer, and a phone alone must not come before the one whom the order names.
            customer: customer(&fields, source, None)?,
            snapshot: Snapshot {
                updated_at: placed_at - BEFORE_ITS_ORDER,
                currency: amounts.currency,
                goods: amounts.goods(shop.prices_include_tax)?,
                payment: Payment::Paid,
                cancelled: false,
                test: false,
                coupons: Default::default(),
            },
            refunds: BTreeMap::new(),
        }))
    }
}

impl CreditMemoDocument {
    pub(super) fn news(self, source: &SourceName, prices_include_tax: bool) -> Result<News, BadInput> {
        let Self(fields) = self;
        let Some(amounts) = Amounts::of(&fields)? else { return Ok(News::Nothing(TOO_LITTLE)) };
        if !is_done(&fields)? {
            return Ok(News::Nothing("the credit memo is not paid back"));
        }
        let Utc(refunded_at) = needed(&fields, "created_at")?;
        let order: Id<PlatformId> = needed(&fields, "order_id")?;
        let Id(id): Id<RefundId> = either(&fields, "entity_id", "increment_id")?;
        let (goods, kind) = amounts.given_back(prices_include_tax)?;
        if goods.amount == 0 && goods.tax == 0 {
            return Ok(News::Nothing("the credit memo gives back no goods"));
        }
        let refund = Refund { kind, ..Refund::of_goods(refunded_at, amounts.currency, goods) };
        Ok(News::Refund { order: order_key(source, &order, "order_id")?, id, refund })
    }
}

/// Whether an invoice or a credit memo is settled; where its state is not told, the event is only sent once it is.
fn is_done(fields: &Fields) -> Result<bool, BadInput> {
    let state: Option<Id<PlatformId>> = optional(fields, "state")?;
    Ok(state.is_none_or(|Id(PlatformId(state))| state == DONE))
}

/// Nobody at the shop verifies an address.
fn customer(
    fields: &Fields,
    source: &SourceName,
    phone: Option<Phone>,
) -> Result<Option<Customer>, BadInput> {
    let text = |name| fields.get(name).and_then(Value::as_str);
    let id: Option<Id<CustomerId>> = optional(fields, "customer_id")?;
    let email = text("customer_email").and_then(|text| Email::try_from(text.to_owned()).ok());
    Ok(Some(Customer {
        source: source.clone(),
        id: id.map(|Id(id)| id).filter(|id| id.as_str() != GUEST),
        card: None,
        contact: contact(email, false, phone, text("customer_firstname"), None),
    }))
}

/// The phone of whoever pays: the billing address stands by itself, or is marked among all addresses.
fn billing_phone(fields: &Fields, country: Option<Country>) -> Option<Phone> {
    let all = || fields.get("addresses").and_then(Value::as_array).into_iter().flatten();
    let is_billing = |address: &&Value| address.get("address_type").is_some_and(|kind| kind == "billing");
    let address = fields.get("billing_address").or_else(|| all().find(is_billing))?;
    let text = |name| address.get(name).and_then(Value::as_str);
    read_phone(text("telephone"), Country::beside(text("country_id"), country))
}

fn optional<T: DeserializeOwned>(fields: &Fields, name: &str) -> Result<Option<T>, BadInput> {
    read_part(name, fields.get(name).cloned().unwrap_or_default())
}

fn needed<T: DeserializeOwned>(fields: &Fields, name: &str) -> Result<T, BadInput> {
    optional(fields, name)?.ok_or_else(|| BadInput::at(name, "is missing; subscribe to this field"))
}

fn either<T: DeserializeOwned>(fields: &Fields, name: &str, other: &str) -> Result<T, BadInput> {
    match optional(fields, name)?.or(optional(fields, other)?) {
        Some(value) => Ok(value),
        None => needed(fields, name),
    }
}

fn order_key(source: &SourceName, id: &Id<PlatformId>, place: &str) -> Result<OrderKey, BadInput> {
    OrderKey::of_order(source, &id.0.0).map_err(|error| BadInput::at(place, error))
}
