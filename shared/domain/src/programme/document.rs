//! The programme's document, TOML or JSON, one schema: what is written, before it is checked.

#[cfg(test)]
mod tests;
mod tiers;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    Benefit, CouponTerms, Earning, Enrolment, Expiry, ExpiryRule, Identity, Limits, Messages, Programme,
    Reward, Rounding, Uncovered,
};
use crate::decide::MAX_COUPONS_AT_ONCE;
use crate::ids::RewardId;
use crate::money::{Basis, Currency};
use crate::points::Points;
use crate::time::{Period, TimeZone};

/// The most entries that any list of a programme may have.
const MAX_LIST: usize = 100;
/// The largest rate, in points per unit; nothing real comes near.
const MAX_RATE: i64 = 1_000_000;

/// What is wrong with a programme, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgrammeError {
    /// It cannot be read, or has an unknown or missing key. The message names the line.
    #[error("the programme cannot be read: {0}")]
    Unreadable(String),
    /// It can be read, but a value cannot be.
    #[error("{place}: {problem}")]
    Wrong {
        /// The path to the value, such as `tiers.levels[1].threshold`.
        place: String,
        /// What is the matter and what to write instead.
        problem: String,
    },
}

fn wrong(place: impl Into<String>, problem: impl ToString) -> ProgrammeError {
    ProgrammeError::Wrong { place: place.into(), problem: problem.to_string() }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    name: String,
    currency: String,
    time_zone: String,
    #[serde(default = "default_locale")]
    locale: String,
    #[serde(default)]
    enrolment: Enrolment,
    #[serde(default)]
    identity: IdentityDocument,
    earning: EarningDocument,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expiry: Option<ExpiryDocument>,
    #[serde(default)]
    refunds: RefundsDocument,
    #[serde(default, skip_serializing_if = "Limits::is_default")]
    limits: Limits,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rewards: Vec<RewardDocument>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tiers: Option<tiers::TiersDocument>,
    #[serde(default, skip_serializing_if = "Messages::is_empty")]
    messages: Messages,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityDocument {
    #[serde(default)]
    across_sources: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    trust_phones: bool,
}

fn default_locale() -> String {
    "en".to_owned()
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EarningDocument {
    points_per_unit: Decimal,
    #[serde(default)]
    basis: Basis,
    #[serde(default)]
    rounding: Rounding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending_for: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    exchange_rates: BTreeMap<String, Decimal>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpiryDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_inactivity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_earning: Option<String>,
    #[serde(default)]
    reminders: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundsDocument {
    #[serde(default)]
    uncovered: Uncovered,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RewardDocument {
    id: String,
    points: i64,
    #[serde(default)]
    automatic: bool,
    coupon: CouponDocument,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CouponDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    percent: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    free_shipping: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_order: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_for: Option<String>,
}

impl Programme {
    /// Reads and checks a programme as TOML, the form in which it lies in a repository. Of several mistakes the first.
    pub fn from_toml(text: &str) -> Result<Self, ProgrammeError> {
        Self::check_toml(text).map_err(first)
    }

    /// As [`Programme::from_toml`], with every mistake at once. What cannot be read at all is one.
    pub fn check_toml(text: &str) -> Result<Self, Vec<ProgrammeError>> {
        let document = toml::from_str(text)
            .map_err(|error| vec![ProgrammeError::Unreadable(in_words(&error.to_string()))])?;
        Self::check(document)
    }

    /// Reads and checks a programme as JSON, the form in which it is sent and stored.
    pub fn from_json(text: &str) -> Result<Self, ProgrammeError> {
        let document = serde_json::from_str(text)
            .map_err(|error| ProgrammeError::Unreadable(in_words(&error.to_string())))?;
        Self::check(document).map_err(first)
    }

    /// The programme as JSON; [`Programme::from_json`] reads it back.
    pub fn to_json(&self) -> Result<String, ProgrammeError> {
        serde_json::to_string(&self.document).map_err(|error| ProgrammeError::Unreadable(error.to_string()))
    }

    fn check(document: Document) -> Result<Self, Vec<ProgrammeError>> {
        let mut mistakes = Mistakes::default();
        if document.name.trim().is_empty() {
            mistakes.add(wrong("name", "is empty"));
        }
        let currency =
            mistakes.taken(Currency::new(&document.currency).map_err(|error| wrong("currency", error)));
        let zone = TimeZone::get(&document.time_zone)
            .map_err(|_| wrong("time_zone", "is not a zone of the IANA database such as Europe/Paris"));
        let time_zone = mistakes.taken(zone);
        let earning = currency.and_then(|own| mistakes.taken(check_earning(&document.earning, own)));
        let expiry = document.expiry.as_ref().map(|expiry| mistakes.taken(check_expiry(expiry)));
        if let Some(earning) = &earning {
            mistakes.taken(check_matures(earning, expiry.as_ref().and_then(Option::as_ref)));
        }
        let identity = mistakes.taken(check_identity(&document.identity));
        let rewards = currency.map(|own| check_rewards(&document.rewards, own, &mut mistakes));
        let tiers = document.tiers.as_ref().map(|tiers| mistakes.taken(tiers::check(tiers)));
        let limits = mistakes.taken(check_limits(document.limits));
        let all = (currency, time_zone, earning, identity, rewards, limits);
        let (Some(currency), Some(time_zone), Some(earning), Some(identity), Some(rewards), Some(limits)) =
            all
        else {
            return Err(mistakes.0);
        };
        if !mistakes.0.is_empty() {
            return Err(mistakes.0);
        }
        Ok(Self {
            name: document.name.clone(),
            currency,
            time_zone,
            locale: document.locale.clone(),
            enrolment: document.enrolment,
            identity,
            earning,
            expiry: expiry.flatten(),
            uncovered: document.refunds.uncovered,
            limits,
            rewards,
            tiers: tiers.flatten(),
            messages: document.messages.clone(),
            document,
        })
    }
}

fn check_limits(limits: Limits) -> Result<Limits, ProgrammeError> {
    let most = i64::from(limits.coupons_per_order);
    if !(1..=MAX_COUPONS_AT_ONCE).contains(&most) {
        let range = format!("must be 1 to {MAX_COUPONS_AT_ONCE}");
        return Err(wrong("limits.coupons_per_order", range));
    }
    if limits.coupons_per_hour == Some(0) {
        return Err(wrong("limits.coupons_per_hour", "must be 1 or more"));
    }
    Ok(limits)
}

/// What is wrong so far.
#[derive(Default)]
struct Mistakes(Vec<ProgrammeError>);

impl Mistakes {
    fn add(&mut self, mistake: ProgrammeError) {
        self.0.push(mistake);
    }

    /// What was read, or nothing where it is wrong.
    fn taken<T>(&mut self, read: Result<T, ProgrammeError>) -> Option<T> {
        read.map_err(|mistake| self.add(mistake)).ok()
    }
}

fn first(mistakes: Vec<ProgrammeError>) -> ProgrammeError {
    mistakes.into_iter().next().unwrap_or_else(|| ProgrammeError::Unreadable("it is wrong".to_owned()))
}

/// What a reader of documents says of types, in words that shops use.
fn in_words(problem: &str) -> String {
    IN_WORDS.iter().fold(problem.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

const IN_WORDS: [(&str, &str); 11] = [
    ("expected i64", "expected a whole number"),
    ("expected u32", "expected a whole number"),
    ("expected u64", "expected a whole number"),
    ("expected a boolean", "expected true or false"),
    ("expected a sequence", "expected a list [ … ]"),
    ("expected a map", "expected a table of keys"),
    ("invalid type: sequence", "this is a list"),
    ("invalid type: map", "this is a table of keys"),
    ("invalid type: ", "this is the "),
    ("expected struct ", "expected a table: "),
    ("a Decimal type representing a fixed-point number", "a decimal number such as \"1.5\""),
];

/// A phone joins customers of different sources, and nothing else.
fn check_identity(document: &IdentityDocument) -> Result<Identity, ProgrammeError> {
    let IdentityDocument { across_sources, trust_phones } = *document;
    if trust_phones && !across_sources {
        return Err(wrong("identity.trust_phones", "needs identity.across_sources = true"));
    }
    Ok(Identity { across_sources, trust_phones })
}

fn check_earning(document: &EarningDocument, currency: Currency) -> Result<Earning, ProgrammeError> {
    Ok(Earning {
        points_per_unit: rate("earning.points_per_unit", document.points_per_unit)?,
        basis: document.basis,
        rounding: document.rounding,
        pending_for: document
            .pending_for
            .as_ref()
            .map(|text| period("earning.pending_for", text))
            .transpose()?,
        exchange_rates: check_exchange_rates(&document.exchange_rates, currency)?,
    })
}

/// What runs out must have been there to spend.
fn check_matures(earning: &Earning, expiry: Option<&Expiry>) -> Result<(), ProgrammeError> {
    match (earning.pending_for, expiry) {
        (Some(pending_for), Some(expiry)) if pending_for.about_days() >= expiry.validity.about_days() => {
            Err(wrong("earning.pending_for", "must be shorter than the points' validity"))
        }
        _ => Ok(()),
    }
}

fn check_exchange_rates(
    documents: &BTreeMap<String, Decimal>,
    own: Currency,
) -> Result<BTreeMap<Currency, Decimal>, ProgrammeError> {
    let mut rates = BTreeMap::new();
    for (code, value) in documents {
        let place = format!("earning.exchange_rates.{code}");
        let currency = Currency::new(code).map_err(|error| wrong(&place, error))?;
        if currency == own {
            return Err(wrong(place, "is the programme's own currency"));
        }
        let value = rate(&place, *value)?;
        if value.is_zero() {
            return Err(wrong(place, "must be above 0"));
        }
        rates.insert(currency, value);
    }
    Ok(rates)
}

fn check_expiry(document: &ExpiryDocument) -> Result<Expiry, ProgrammeError> {
    let (rule, place, validity) = match (&document.after_inactivity, &document.after_earning) {
        (Some(validity), None) => (ExpiryRule::AfterInactivity, "expiry.after_inactivity", validity),
        (None, Some(validity)) => (ExpiryRule::AfterEarning, "expiry.after_earning", validity),
        _ => return Err(wrong("expiry", "must have exactly one of after_inactivity and after_earning")),
    };
    let validity = period(place, validity)?;
    at_most("expiry.reminders", document.reminders.len())?;
    let mut reminders = Vec::new();
    for (index, text) in document.reminders.iter().enumerate() {
        let place = format!("expiry.reminders[{index}]");
        let step = period(&place, text)?;
        if step.about_days() >= validity.about_days() {
            return Err(wrong(place, "must be shorter than the points' validity"));
        }
        if reminders.contains(&step) {
            return Err(wrong(place, "stands there twice"));
        }
        reminders.push(step);
    }
    reminders.sort_by_key(|step| std::cmp::Reverse(step.about_days()));
    Ok(Expiry { rule, validity, reminders })
}

fn check_rewards(documents: &[RewardDocument], currency: Currency, mistakes: &mut Mistakes) -> Vec<Reward> {
    mistakes.taken(at_most("rewards", documents.len()));
    let mut seen = BTreeSet::new();
    let mut automatic: Option<usize> = None;
    let mut rewards = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let place = format!("rewards[{index}]");
        let reward = mistakes.taken(check_reward(&place, document, currency));
        if reward.as_ref().is_some_and(|reward| !seen.insert(reward.id.clone())) {
            mistakes.add(wrong(format!("{place}.id"), format!("{} stands there twice", document.id)));
        }
        if document.automatic
            && let Some(first) = automatic.replace(index)
        {
            let problem = format!("only one reward can be automatic, and rewards[{first}] is");
            mistakes.add(wrong(format!("{place}.automatic"), problem));
        }
        rewards.extend(reward);
    }
    rewards
}

fn check_reward(
    place: &str,
    document: &RewardDocument,
    currency: Currency,
) -> Result<Reward, ProgrammeError> {
    let id = RewardId::new(&document.id).map_err(|error| wrong(format!("{place}.id"), error))?;
    if document.points < 1 {
        return Err(wrong(format!("{place}.points"), "must be at least 1"));
    }
    Ok(Reward {
        id,
        points: Points(document.points),
        automatic: document.automatic,
        coupon: check_coupon(&format!("{place}.coupon"), &document.coupon, currency)?,
    })
}

fn check_coupon(
    place: &str,
    document: &CouponDocument,
    currency: Currency,
) -> Result<CouponTerms, ProgrammeError> {
    let benefit = match (document.percent, &document.amount, document.free_shipping) {
        (Some(percent), None, false) if percent > Decimal::ZERO && percent <= Decimal::ONE_HUNDRED => {
            Benefit::Percent(percent)
        }
        (Some(_), None, false) => {
            return Err(wrong(format!("{place}.percent"), "must be above 0 and at most 100"));
        }
        (None, Some(amount), false) => {
            Benefit::Amount(amount_of(&format!("{place}.amount"), amount, currency, 1)?)
        }
        (None, None, true) => Benefit::FreeShipping,
        _ => return Err(wrong(place, "must have exactly one of percent, amount and free_shipping = true")),
    };
    let minimum_order = document
        .minimum_order
        .as_ref()
        .map(|amount| amount_of(&format!("{place}.minimum_order"), amount, currency, 0))
        .transpose()?;
    let valid_for =
        document.valid_for.as_ref().map(|text| period(&format!("{place}.valid_for"), text)).transpose()?;
    Ok(CouponTerms { benefit, minimum_order, valid_for })
}

fn rate(place: &str, rate: Decimal) -> Result<Decimal, ProgrammeError> {
    if rate.is_sign_negative() && !rate.is_zero() {
        return Err(wrong(place, "must not be negative"));
    }
    if rate > Decimal::from(MAX_RATE) {
        return Err(wrong(place, format!("must not be above {MAX_RATE}")));
    }
    Ok(rate)
}

fn period(place: &str, text: &str) -> Result<Period, ProgrammeError> {
    Period::parse(text).map_err(|error| wrong(place, error))
}

fn amount_of(place: &str, text: &str, currency: Currency, least: i64) -> Result<i64, ProgrammeError> {
    let minor = currency.minor_units(text).map_err(|error| wrong(place, error))?;
    if minor < least {
        return Err(wrong(place, if least > 0 { "must be above 0" } else { "must not be negative" }));
    }
    Ok(minor)
}

fn at_most(place: &str, count: usize) -> Result<(), ProgrammeError> {
    if count > MAX_LIST { Err(wrong(place, format!("has more than {MAX_LIST} entries"))) } else { Ok(()) }
}
