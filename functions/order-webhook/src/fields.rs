//! The fields that platforms have in common, read into types that cannot be wrong. An error names the field and what
//! would be right, and never repeats what was sent.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use domain::contact;
pub(crate) use domain::contact::Email;
pub use domain::contact::NotAnAddress;
use domain::ids::IdError;
use domain::time::TimeError;
use domain::{Contact, CouponCode, Currency, Phone, Timestamp};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};
use serde_json::error::Category;

/// The largest amount in main units: more than any order, and so small that a body's worth of them, times
/// [`MAX_QUANTITY`], never overflows a decimal.
const MAX_AMOUNT: i64 = 1_000_000_000_000_000;
/// The most coupons of one order; each is looked up for itself.
const MAX_COUPONS: usize = 10;
/// The most pieces of one line of an order.
const MAX_QUANTITY: u32 = 1_000_000;

/// A body that cannot be understood: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub(crate) struct BadInput {
    place: String,
    problem: String,
}

impl BadInput {
    pub(crate) fn at(place: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self { place: place.into(), problem: problem.to_string() }
    }
}

/// Reads a body of JSON.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, BadInput> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let place = error.path().to_string();
        bad_json(if place == "." { "the body".to_owned() } else { place }, &error.into_inner())
    })?;
    json.end().map_err(|error| bad_json("the body".to_owned(), &error))?;
    Ok(value)
}

/// Reads a part of a body that was read before; `place` is where it stands.
pub(crate) fn read_part<T: DeserializeOwned>(place: &str, part: serde_json::Value) -> Result<T, BadInput> {
    serde_path_to_error::deserialize(part).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { place.to_owned() } else { format!("{place}.{path}") };
        bad_json(place, &error.into_inner())
    })
}

fn bad_json(place: String, error: &serde_json::Error) -> BadInput {
    match error.classify() {
        Category::Data => BadInput::at(place, without_values(&error.to_string())),
        // What was being read when the text ceased to be JSON may be a name of the sender's, so it is not shown.
        Category::Io | Category::Syntax | Category::Eof => BadInput::at(
            "the body",
            format_args!("is not JSON (line {}, column {})", error.line(), error.column()),
        ),
    }
}

/// A message of serde without the value that it found, which may be a contact or a secret.
pub(crate) fn without_values(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    if message.starts_with("invalid ") || message.starts_with("unknown ") {
        let expected = message.rsplit_once(", expected ").map_or("something else", |(_, expected)| expected);
        return format!("must be {expected}");
    }
    message.to_owned()
}

/// An identifier: text, or an integer taken digit for digit.
pub(crate) struct Id<T>(pub(crate) T);

/// A platform's identifier of an order; [`domain::OrderKey`] checks it.
pub(crate) struct PlatformId(pub(crate) String);

impl TryFrom<String> for PlatformId {
    type Error = IdError;
    fn try_from(id: String) -> Result<Self, IdError> {
        if id.is_empty() { Err(IdError::Empty) } else { Ok(Self(id)) }
    }
}

impl<'de, T: TryFrom<String, Error = IdError>> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor<T>(PhantomData<T>);

        impl<T: TryFrom<String, Error = IdError>> Visitor<'_> for IdVisitor<T> {
            type Value = Id<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an identifier: text, or an integer of at most 64 bits")
            }
            fn visit_str<E: Error>(self, id: &str) -> Result<Id<T>, E> {
                T::try_from(id.to_owned()).map(Id).map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, id: u64) -> Result<Id<T>, E> {
                self.visit_str(&id.to_string())
            }
            fn visit_i64<E: Error>(self, id: i64) -> Result<Id<T>, E> {
                self.visit_str(&id.to_string())
            }
        }
        deserializer.deserialize_any(IdVisitor(PhantomData))
    }
}

/// An instant, as RFC 3339.
#[derive(Clone, Copy)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InstantVisitor;

        impl Visitor<'_> for InstantVisitor {
            type Value = Instant;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an instant such as \"2026-01-31T12:00:00Z\" (RFC 3339)")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Instant, E> {
                domain::time::instant(text).map(Instant).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(InstantVisitor)
    }
}

/// An instant, written without an offset because it always is in UTC.
#[derive(Clone, Copy)]
pub(crate) struct Utc(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Utc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        domain::time::instant(&text)
            .or_else(|_| domain::time::instant(&format!("{text}Z")))
            .map(Utc)
            .map_err(D::Error::custom)
    }
}

/// An instant, as whole seconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct UnixSeconds(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for UnixSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = i64::deserialize(deserializer)?;
        let at = Timestamp::from_second(seconds).map_err(|_| D::Error::custom(TimeError::OutOfRange))?;
        domain::time::in_range(at).map(UnixSeconds).map_err(D::Error::custom)
    }
}

/// Whole minor units, not negative.
#[derive(Clone, Copy)]
pub(crate) struct MinorUnits(pub(crate) i64);

impl<'de> Deserialize<'de> for MinorUnits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MinorUnitsVisitor;

        impl Visitor<'_> for MinorUnitsVisitor {
            type Value = MinorUnits;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of minor units, such as 4590 for 45.90")
            }
            fn visit_i64<E: Error>(self, amount: i64) -> Result<MinorUnits, E> {
                if amount < 0 { Err(E::custom("must not be negative")) } else { Ok(MinorUnits(amount)) }
            }
            fn visit_u64<E: Error>(self, amount: u64) -> Result<MinorUnits, E> {
                i64::try_from(amount).map(MinorUnits).map_err(|_| E::custom("is too large"))
            }
        }
        deserializer.deserialize_i64(MinorUnitsVisitor)
    }
}

/// An amount in main units, as text or as a number; exact, at most [`MAX_AMOUNT`] either way.
#[derive(Clone, Copy, Default)]
pub(crate) struct Amount(pub(crate) Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountVisitor;

        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as \"19.99\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                match Decimal::from_str_exact(text.trim()) {
                    Ok(amount) if amount.abs() <= Decimal::from(MAX_AMOUNT) => Ok(Amount(amount)),
                    _ => Err(E::custom(format_args!("is not an amount up to {MAX_AMOUNT}"))),
                }
            }
            fn visit_i64<E: Error>(self, amount: i64) -> Result<Amount, E> {
                self.visit_str(&amount.to_string())
            }
            fn visit_u64<E: Error>(self, amount: u64) -> Result<Amount, E> {
                self.visit_str(&amount.to_string())
            }
            fn visit_f64<E: Error>(self, amount: f64) -> Result<Amount, E> {
                // The shortest text that reads back as this number is the one that was sent.
                self.visit_str(&amount.to_string())
            }
        }
        deserializer.deserialize_any(AmountVisitor)
    }
}

/// A number of pieces, at most [`MAX_QUANTITY`].
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Quantity(pub(crate) u32);

impl TryFrom<u32> for Quantity {
    type Error = String;
    fn try_from(pieces: u32) -> Result<Self, String> {
        if pieces > MAX_QUANTITY { Err(format!("is more than {MAX_QUANTITY}")) } else { Ok(Self(pieces)) }
    }
}

/// The codes used at a checkout that could be coupons of ours.
pub(crate) fn coupons<'a>(codes: impl Iterator<Item = &'a str>) -> BTreeSet<CouponCode> {
    codes.filter_map(CouponCode::like_ours).take(MAX_COUPONS).collect()
}

/// Rounds an exact amount to minor units, half up: the one place where a platform's decimals are rounded.
pub(crate) fn minor_units(place: &str, amount: Decimal, currency: Currency) -> Result<i64, BadInput> {
    let rounded = amount.round_dp_with_strategy(currency.decimals(), RoundingStrategy::MidpointAwayFromZero);
    currency.minor_units_of(rounded).map_err(|error| BadInput::at(place, error))
}

/// How to reach a customer whom no platform tells of, as those of the platforms are read; what is empty is not known.
pub fn read_contact(
    email: &str,
    is_verified: bool,
    name: &str,
    locale: &str,
) -> Result<Contact, NotAnAddress> {
    let email = Some(email).filter(|email| !email.is_empty());
    let email = email.map(Email::new).transpose()?;
    Ok(contact(email, is_verified, None, Some(name), Some(locale)))
}

/// How to reach a customer. A name is cut, and a locale that is none left out: an order counts more than they do.
pub(crate) fn contact(
    email: Option<Email>,
    is_verified: bool,
    phone: Option<Phone>,
    name: Option<&str>,
    locale: Option<&str>,
) -> Contact {
    Contact {
        email_verified: email.is_some() && is_verified,
        email: email.map(String::from),
        phone,
        name: name.and_then(contact::name),
        locale: locale.and_then(contact::locale),
        ..Contact::default()
    }
}

/// Reads `null` as if the field were not there.
pub(crate) fn null_is_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(json: &str) -> Result<Decimal, String> {
        read::<Amount>(json.as_bytes()).map(|amount| amount.0).map_err(|error| error.to_string())
    }

    #[test]
    fn an_amount_is_exact_whether_text_or_number() {
        for json in ["\"199.95\"", "199.95", "\" 199.950 \""] {
            assert_eq!(amount(json), Ok(Decimal::new(19_995, 2)));
        }
        assert_eq!(amount("199"), Ok(Decimal::from(199)));
        assert_eq!(amount("-0.1"), Ok(Decimal::new(-1, 1)));
        for json in ["\"\"", "\"1e3\"", "1e300", "\"NaN\"", "9999999999999999999", "[]"] {
            assert!(amount(json).is_err(), "{json}");
        }
    }

    #[test]
    fn half_a_minor_unit_is_rounded_up() {
        let minor = |text: &str, currency: &str| {
            minor_units("x", text.parse().unwrap(), Currency::new(currency).unwrap()).unwrap()
        };
        assert_eq!(minor("1.005", "EUR"), 101);
        assert_eq!(minor("1.00499", "EUR"), 100);
        assert_eq!(minor("1200.5", "JPY"), 1201);
        assert_eq!(minor("1.2345", "KWD"), 1235);
    }

    #[test]
    fn an_id_beyond_two_to_the_fifty_third_keeps_every_digit() {
        let id = |json: &str| read::<Id<PlatformId>>(json.as_bytes()).map(|Id(PlatformId(id))| id);
        assert_eq!(id("9007199254740993").as_deref(), Ok("9007199254740993"));
        assert_eq!(id("18446744073709551615").as_deref(), Ok("18446744073709551615"));
        assert_eq!(id("\"0042\"").as_deref(), Ok("0042"));
        assert!(id("1.5").is_err() && id("\"\"").is_err() && id("null").is_err());
        assert!(id("18446744073709551616").is_err(), "a number that was rounded is refused");
    }

    #[test]
    fn an_error_never_repeats_what_was_sent() {
        #[derive(Debug, Deserialize)]
        struct Body {
            #[serde(rename = "placed_at")]
            _placed_at: u8,
        }
        let error = read::<Body>(br#"{"placed_at":"private, expected at line 7"}"#).unwrap_err().to_string();
        assert_eq!(error, "placed_at: must be u8");
        let error = read::<Body>(br#"{"private":"#).unwrap_err().to_string();
        assert_eq!(error, "the body: is not JSON (line 1, column 11)");
        assert_eq!(read::<Body>(b"{}").unwrap_err().to_string(), "the body: missing field `placed_at`");
    }

    #[test]
    fn a_contact_is_tidied() {
        let email = |text: &str| Email::new(text).ok();
        let found = contact(email(" C-1@Example.com"), true, None, Some(" C\n"), Some("pt_BR"));
        assert_eq!(found.verified_email(), Some("c-1@example.com"));
        assert_eq!((found.name.as_deref(), found.locale.as_deref()), (Some("C"), Some("pt-BR")));
        for bad in
            ["", "@", "nobody", "a b@example.com", "nobody@", &format!("{}@example.com", "x".repeat(300))]
        {
            assert!(email(bad).is_none(), "{bad}");
        }
        assert!(contact(None, true, None, Some(""), Some("../etc")).is_empty());
    }
}
