//! Bodies of a webhook whose *API version* is older than we ask for.
//!
//! The shop disables a webhook after five refusals, so none of these is refused: an operator is asked to choose the
//! newer version, and the answer says the same. What the oldest one tells of an order is taken; it tells no refund of a
//! part. Of the one in between (*WP REST API Integration v1*) nothing is taken, because its times have no zone.

use domain::{Currency, CustomerId, Order};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Billing, CouponLine, LineItem, OrderBody, Shop, unplaced};
use crate::fields::{BadInput, Id, PlatformId, Utc, null_is_default, read};
use crate::platform::{Delivery, News, Request};

/// An order of the oldest API stands in an object of its own.
#[derive(Deserialize)]
struct WrappedOrder {
    order: OldOrder,
}

#[derive(Deserialize)]
struct OldOrder {
    id: Id<PlatformId>,
    status: String,
    currency: Currency,
    created_at: Utc,
    updated_at: Utc,
    payment_details: Option<PaymentDetails>,
    line_items: Vec<LineItem>,
    #[serde(default, deserialize_with = "null_is_default")]
    fee_lines: Vec<LineItem>,
    #[serde(default, deserialize_with = "null_is_default")]
    coupon_lines: Vec<CouponLine>,
    customer_id: Option<Id<CustomerId>>,
    #[serde(default, deserialize_with = "null_is_default")]
    billing_address: Billing,
}

#[derive(Deserialize)]
struct PaymentDetails {
    #[serde(default, deserialize_with = "null_is_default")]
    paid: bool,
}

/// What a body of an older version tells of an order; nothing where it is no such body.
pub(super) fn news(
    delivery: &Delivery<'_>,
    shop: Shop,
    tell: fn(Order) -> News,
) -> Option<Result<News, BadInput>> {
    let ask = News::Request(Request::NewerWebhook);
    if let Ok(WrappedOrder { order }) = read(delivery.body) {
        let body = OrderBody::from_old(order, shop);
        if body.is_draft() {
            return Some(Ok(unplaced()));
        }
        return Some(body.told(delivery.source, shop).map(|order| News::Several(vec![tell(order), ask])));
    }
    let fields: Map<String, Value> = read(delivery.body).ok()?;
    let is_unzoned = is_unzoned(&fields) && fields.contains_key("line_items");
    (fields.contains_key("order") || is_unzoned).then_some(Ok(ask))
}

/// Whether a body is of a customer, by an older version.
pub(super) fn is_of_customer(body: &[u8]) -> bool {
    let Ok(fields) = read::<Map<String, Value>>(body) else { return false };
    fields.contains_key("customer") || is_unzoned(&fields) && fields.contains_key("username")
}

fn is_unzoned(fields: &Map<String, Value>) -> bool {
    fields.contains_key("date_created") && !fields.contains_key("date_created_gmt")
}

impl OrderBody {
    fn from_old(old: OldOrder, shop: Shop) -> Self {
        let is_paid = old.payment_details.is_some_and(|payment| payment.paid);
        Self {
            id: old.id,
            status: old.status,
            currency: old.currency,
            date_created_gmt: old.created_at,
            date_modified_gmt: old.updated_at,
            date_paid_gmt: is_paid.then_some(old.updated_at),
            prices_include_tax: shop.prices_include_tax,
            line_items: old.line_items,
            fee_lines: old.fee_lines,
            refunds: vec![],
            hides_refunds: true,
            coupon_lines: old.coupon_lines,
            customer_id: old.customer_id,
            billing: old.billing_address,
            meta_data: Value::Null,
        }
    }
}
