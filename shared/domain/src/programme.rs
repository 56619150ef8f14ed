//! The programme: the shop's rules, read strictly, so that a mistake is named and not run.

mod document;
mod limits;
mod tiers;
mod versions;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use self::document::ProgrammeError;
pub use self::limits::Limits;
pub use self::tiers::{Cycle, Downgrade, Level, Perk, RatedOver, RatingRule, SetAside, Tiers};
pub use self::versions::{Programmes, Version};
use crate::ids::{LevelId, RewardId};
use crate::money::{Basis, Currency};
use crate::points::{Overflow, Points};
use crate::time::{Period, TimeError, TimeZone, Timestamp};

/// One version of the shop's rules, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Programme {
    /// What members call it.
    pub name: String,
    /// The currency in which orders earn.
    pub currency: Currency,
    /// The zone of every date and clock time.
    pub time_zone: TimeZone,
    /// The language of a member who has told none.
    pub locale: String,
    /// Who becomes a member.
    pub enrolment: Enrolment,
    /// By what a person is recognised beside the platform's own identifier.
    pub identity: Identity,
    /// How orders earn points.
    pub earning: Earning,
    /// When points run out, if they do.
    pub expiry: Option<Expiry>,
    /// What happens to a refund that the balance does not cover.
    pub uncovered: Uncovered,
    /// How many coupons are more than anybody means.
    pub limits: Limits,
    /// What points buy.
    pub rewards: Vec<Reward>,
    /// The tiers, if there are any.
    pub tiers: Option<Tiers>,
    /// The shop's own words for messages, before the default ones: event, then locale, then channel.
    pub messages: Messages,
    document: document::Document,
}

/// Templates by event, locale and channel.
pub type Messages = BTreeMap<String, BTreeMap<String, BTreeMap<String, Template>>>;

/// The words of one message; `minijinja` fills them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// An e-mail's subject, a push message's title.
    pub title: String,
    /// The text.
    pub body: String,
}

/// Who becomes a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enrolment {
    /// Whoever orders.
    #[default]
    Automatic,
    /// Whoever asks to; what others order waits for them.
    Explicit,
}

/// By what a person is recognised beside the platform's own identifier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Identity {
    /// Whether customers of different sources with the same verified e-mail are one member.
    pub across_sources: bool,
    /// Whether those with the same phone number are one member, too. No platform verifies a number, so the shop vouches.
    pub trust_phones: bool,
}

/// How orders earn points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    /// Points for 1.00 of the currency.
    pub points_per_unit: Decimal,
    /// Which amount of the goods counts.
    pub basis: Basis,
    /// How a fraction of a point is rounded, once per order.
    pub rounding: Rounding,
    /// How long after their order points cannot be spent, because it may be returned.
    pub pending_for: Option<Period>,
    /// What 1.00 of another currency is worth in the programme's.
    pub exchange_rates: BTreeMap<Currency, Decimal>,
}

/// How a fraction is rounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Down.
    #[default]
    Floor,
    /// To the nearest, a half up.
    HalfUp,
    /// Up.
    Ceiling,
}

/// When points run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// Counted from what.
    pub rule: ExpiryRule,
    /// How long after it.
    pub validity: Period,
    /// How long before the end to remind, longest first.
    pub reminders: Vec<Period>,
}

impl Expiry {
    /// Whether no points run out sooner by this rule than by the one before it.
    pub(crate) fn spares_what(&self, before: &Self) -> bool {
        self.rule == before.rule && self.validity.is_never_shorter_than(before.validity)
    }
}

/// What a validity counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryRule {
    /// The last order that counts; then the whole balance runs out.
    AfterInactivity,
    /// The order that earned the points; the oldest run out, and are spent, first.
    AfterEarning,
}

/// What happens while the balance is below 0 and no coupon can be voided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncovered {
    /// It stays below 0.
    #[default]
    Negative,
    /// The rest is forgiven.
    Clamp,
}

/// What points buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reward {
    /// Its name in the programme.
    pub id: RewardId,
    /// What it costs; at least 1.
    pub points: Points,
    /// Whether it is issued by itself when the balance reaches its points.
    pub automatic: bool,
    /// What the coupon gives.
    pub coupon: CouponTerms,
}

/// What a coupon gives, and on which terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponTerms {
    /// What is taken off.
    pub benefit: Benefit,
    /// The smallest order on which it can be used, in minor units.
    pub minimum_order: Option<i64>,
    /// How long it can be used; for ever where nothing is said.
    pub valid_for: Option<Period>,
}

/// What a coupon takes off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Benefit {
    /// Per cent of the order.
    Percent(Decimal),
    /// An amount in minor units.
    Amount(i64),
    /// The shipping.
    FreeShipping,
}

impl Rounding {
    /// The one place where a fraction becomes whole points.
    pub fn round(self, amount: Decimal) -> Result<Points, Overflow> {
        let whole = match self {
            Self::Floor => amount.floor(),
            Self::Ceiling => amount.ceil(),
            Self::HalfUp => amount.checked_add(Decimal::new(5, 1)).ok_or(Overflow)?.floor(),
        };
        i64::try_from(whole).map(Points).map_err(|_| Overflow)
    }
}

impl Programme {
    /// The reward that is issued by itself, if there is one.
    pub fn automatic_reward(&self) -> Option<&Reward> {
        self.rewards.iter().find(|reward| reward.automatic)
    }

    /// When what an order earns can be spent; nothing where that is at once. Not after it would have run out: a month
    /// may be shorter than the days that are told.
    pub fn matures_at(&self, placed_at: Timestamp) -> Result<Option<Timestamp>, TimeError> {
        let Some(pending_for) = self.earning.pending_for else { return Ok(None) };
        let validity = self.expiry.as_ref().map(|expiry| expiry.validity);
        let ends = [Some(pending_for), validity].into_iter().flatten();
        let ends = ends.map(|period| period.after(placed_at, &self.time_zone));
        Ok(ends.collect::<Result<Vec<_>, _>>()?.into_iter().min())
    }

    /// What 1.00 of a currency is worth in the programme's; nothing where it does not say.
    pub fn exchange_rate(&self, currency: Currency) -> Option<Decimal> {
        if currency == self.currency {
            return Some(Decimal::ONE);
        }
        self.earning.exchange_rates.get(&currency).copied()
    }

    /// The reward of this name.
    pub fn reward(&self, id: &RewardId) -> Option<&Reward> {
        self.rewards.iter().find(|reward| reward.id == *id)
    }

    /// The tier level of this name.
    pub fn level(&self, id: &LevelId) -> Option<&Level> {
        self.tiers.as_ref()?.levels.iter().find(|level| level.id == *id)
    }
}
