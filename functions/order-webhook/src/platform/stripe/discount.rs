//! Which codes a sale was discounted by. Stripe's webhooks name a promotion code by its identifier, and its code only
//! where the sender had it expanded; but a coupon's identifier may be chosen, and is always told.

use serde::Deserialize;

use super::Reference;

/// A discount of a checkout session or an invoice: the coupon, in newer versions of the API within its `source`, and
/// the promotion code by which the customer got it. Of an invoice's, a webhook tells only the identifier.
#[derive(Deserialize)]
#[serde(untagged, expecting = "an identifier, or a discount")]
pub(super) enum Discount {
    Id(#[expect(dead_code, reason = "it leads nowhere without the API")] String),
    Whole { coupon: Option<Reference>, promotion_code: Option<PromotionCode>, source: Option<Source> },
}

#[derive(Deserialize)]
pub(super) struct Source {
    coupon: Option<Reference>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an identifier, or an object that has a code")]
pub(super) enum PromotionCode {
    Id(#[expect(dead_code, reason = "it is no code")] String),
    Whole { code: String },
}

impl Discount {
    /// What could be a code: the promotion code's own, and the coupon's identifier.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        let (coupon, promotion_code, source) = match self {
            Self::Id(_) => (None, None, None),
            Self::Whole { coupon, promotion_code, source } => {
                (coupon.as_ref(), promotion_code.as_ref(), source.as_ref())
            }
        };
        let code = match promotion_code {
            Some(PromotionCode::Whole { code }) => Some(code.as_str()),
            Some(PromotionCode::Id(_)) | None => None,
        };
        let coupon = coupon.or(source.and_then(|source| source.coupon.as_ref()));
        code.into_iter().chain(coupon.map(Reference::id))
    }
}
