//! One row of the file, from bytes to checked values, or the reason why it is bad.

use csv::ByteRecord;
use domain::{Contact, Currency, CustomerId, OrderKey, RefundId, SourceName, Timestamp, time};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::{HistoryError, Purpose};
use crate::table::column_name;

/// The columns that are read; a file may have others, in any order.
const COLUMNS: [&str; 5] = ["customer_id", "date", "amount_minor", "kind", "order_id"];
/// The columns that an import reads, too, where the file has them.
const FURTHER_COLUMNS: [&str; 6] = ["currency", "refund_id", "email", "email_verified", "name", "locale"];
/// Characters of a bad value that its reason shows.
const SHOWN_CHARACTERS: usize = 40;
/// Columns of a first line that a message names.
const MAX_COLUMNS_SHOWN: usize = 20;
/// The length of `YYYY-MM-DD`.
const DATE_BYTES: usize = 10;
/// Of a date with strokes, a number beyond this is a day.
const MONTHS: u8 = 12;

/// Where the columns stand in this file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    customer_id: usize,
    date: usize,
    amount_minor: usize,
    kind: usize,
    order_id: usize,
    /// Where each of [`FURTHER_COLUMNS`] stands; nowhere in a replay.
    further: [Option<usize>; FURTHER_COLUMNS.len()],
    width: usize,
    purpose: Purpose,
}

/// What a row says, each value checked by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) customer: CustomerId,
    pub(super) at: Timestamp,
    pub(super) amount_minor: i64,
    pub(super) kind: KindField,
    /// Empty where a refund names no order.
    pub(super) order_id: &'a str,
    pub(super) currency: Option<Currency>,
    pub(super) refund_id: Option<RefundId>,
    pub(super) contact: Contact,
}

/// What kind of row it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KindField {
    Order,
    Refund,
}

/// Why a row is bad.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReason {
    /// More or fewer fields than the first line has.
    #[error("it has {found} fields, but the first line has {expected}")]
    Width {
        /// What the row has.
        found: usize,
        /// What the header has.
        expected: usize,
    },
    /// A field is not text.
    #[error("{0} is not UTF-8")]
    NotText(&'static str),
    /// An identifier that the engine does not take.
    #[error("{column} {problem}")]
    Identifier {
        /// Which.
        column: &'static str,
        /// What is the matter with it.
        problem: domain::ids::IdError,
    },
    /// Neither a date nor an instant.
    #[error(
        "date {0} is neither a date such as 2026-01-31 nor an instant such as 2026-01-31T12:00:00+01:00 (of 31/01/2026 \
         and 01/31/2026 those are read that can be only one day)"
    )]
    Date(String),
    /// A moment that the engine cannot keep.
    #[error("date {0} lies outside the years 1970 to 9000")]
    OutOfRange(String),
    /// Not a whole number from 0 up.
    #[error("amount_minor {0} is not a whole number of minor units, 0 or more")]
    Amount(String),
    /// Neither order nor refund.
    #[error("kind {0} is neither order nor refund")]
    Kind(String),
    /// Past orders lie in the past.
    #[error("date {0} lies in the future")]
    Future(Timestamp),
    /// No currency.
    #[error("currency {0} is none of three letters (ISO 4217)")]
    Currency(String),
    /// No address. It is not repeated.
    #[error("email is not an e-mail address")]
    Email,
    /// Neither yes nor no.
    #[error("email_verified {0} is neither true nor false")]
    EmailVerified(String),
    /// The file has this order already.
    #[error("order {order} stands in the file already; the first one stays")]
    OrderTwice {
        /// Which.
        order: String,
    },
    /// A refund of somebody else's order.
    #[error("order {order} is another customer's")]
    ForeignOrder {
        /// Which.
        order: String,
    },
}

impl Columns {
    /// Finds the columns in a file's first line.
    pub(super) fn find(header: &ByteRecord, purpose: Purpose) -> Result<Self, HistoryError> {
        let mut places = [0; COLUMNS.len()];
        let mut missing = Vec::new();
        for (place, name) in places.iter_mut().zip(COLUMNS) {
            match place_of(name, header)? {
                Some(index) => *place = index,
                None => missing.push(name),
            }
        }
        let mut further = [None; FURTHER_COLUMNS.len()];
        if purpose == Purpose::Import {
            for (place, name) in further.iter_mut().zip(FURTHER_COLUMNS) {
                *place = place_of(name, header)?;
            }
        }
        if !missing.is_empty() {
            return Err(HistoryError::MissingColumns {
                missing: missing.join(", "),
                found: named_columns(header),
            });
        }
        let [customer_id, date, amount_minor, kind, order_id] = places;
        Ok(Self { customer_id, date, amount_minor, kind, order_id, further, width: header.len(), purpose })
    }

    /// Reads a row that will be sent under a source.
    pub(super) fn read<'a>(
        &self,
        record: &'a ByteRecord,
        source: &SourceName,
    ) -> Result<Fields<'a>, BadReason> {
        if record.len() != self.width {
            return Err(BadReason::Width { found: record.len(), expected: self.width });
        }
        let kind = read_kind(text(record, self.kind, "kind")?.trim())?;
        let must_be_a_key = kind == KindField::Order || self.purpose == Purpose::Import;
        let mut further = [""; FURTHER_COLUMNS.len()];
        for ((cell, place), name) in further.iter_mut().zip(self.further).zip(FURTHER_COLUMNS) {
            if let Some(place) = place {
                *cell = text(record, place, name)?.trim();
            }
        }
        let [currency, refund_id, email, email_verified, name, locale] = further;
        Ok(Fields {
            customer: read_customer(identifier(text(record, self.customer_id, "customer_id")?))?,
            at: read_date(text(record, self.date, "date")?.trim())?,
            amount_minor: read_amount(text(record, self.amount_minor, "amount_minor")?.trim())?,
            order_id: read_order_id(
                identifier(text(record, self.order_id, "order_id")?),
                kind,
                must_be_a_key,
                source,
            )?,
            kind,
            currency: read_currency(currency)?,
            refund_id: read_refund_id(refund_id)?.filter(|_| kind == KindField::Refund),
            contact: read_contact(email, email_verified, name, locale)?,
        })
    }
}

/// Where a column stands, if it does. `Customer ID` is `customer_id`.
fn place_of(name: &'static str, header: &ByteRecord) -> Result<Option<usize>, HistoryError> {
    let mut found = header.iter().enumerate().filter(|(_, cell)| column_name(cell) == name);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(HistoryError::ColumnTwice(name)),
        (found, _) => Ok(found.map(|(index, _)| index)),
    }
}

/// The columns of a first line, for a message.
pub(crate) fn named_columns(header: &ByteRecord) -> String {
    let names: Vec<_> = header
        .iter()
        .filter(|cell| !cell.is_empty())
        .map(|cell| shown(&String::from_utf8_lossy(cell)))
        .collect();
    match names.len() {
        0 => "none".to_owned(),
        more if more > MAX_COLUMNS_SHOWN => format!("{}, …", names[..MAX_COLUMNS_SHOWN].join(", ")),
        _ => names.join(", "),
    }
}

fn text<'a>(record: &'a ByteRecord, place: usize, column: &'static str) -> Result<&'a str, BadReason> {
    let bytes = record.get(place).unwrap_or_default();
    std::str::from_utf8(bytes).map_err(|_| BadReason::NotText(column))
}

/// An identifier is taken as it stands, so that no two are made one; of blanks alone, it is none.
fn identifier(text: &str) -> &str {
    if text.trim().is_empty() { "" } else { text }
}

fn read_customer(text: &str) -> Result<CustomerId, BadReason> {
    CustomerId::new(text).map_err(|problem| BadReason::Identifier { column: "customer_id", problem })
}

/// An order needs an identifier that its key can hold. What a refund names need only be compared with the orders in a
/// replay; in an import it is an order's.
fn read_order_id<'a>(
    text: &'a str,
    kind: KindField,
    must_be_a_key: bool,
    source: &SourceName,
) -> Result<&'a str, BadReason> {
    if must_be_a_key && (kind == KindField::Order || !text.is_empty()) {
        OrderKey::of_order(source, text)
            .map_err(|problem| BadReason::Identifier { column: "order_id", problem })?;
    }
    Ok(text)
}

fn read_kind(text: &str) -> Result<KindField, BadReason> {
    match text {
        _ if text.eq_ignore_ascii_case("order") => Ok(KindField::Order),
        _ if text.eq_ignore_ascii_case("refund") => Ok(KindField::Refund),
        other => Err(BadReason::Kind(shown(other))),
    }
}

fn read_currency(text: &str) -> Result<Option<Currency>, BadReason> {
    if text.is_empty() {
        return Ok(None);
    }
    Currency::new(text).map(Some).map_err(|_| BadReason::Currency(shown(text)))
}

fn read_refund_id(text: &str) -> Result<Option<RefundId>, BadReason> {
    if text.is_empty() {
        return Ok(None);
    }
    let id = RefundId::new(text);
    id.map(Some).map_err(|problem| BadReason::Identifier { column: "refund_id", problem })
}

/// An address counts as verified only where the file says so.
fn read_contact(email: &str, verified: &str, name: &str, locale: &str) -> Result<Contact, BadReason> {
    let is_verified = match verified.to_ascii_lowercase().as_str() {
        "" | "false" | "no" | "0" => false,
        "true" | "yes" | "1" => true,
        _ => return Err(BadReason::EmailVerified(shown(verified))),
    };
    order_webhook::read_contact(email, is_verified, name, locale).map_err(|_| BadReason::Email)
}

fn read_amount(text: &str) -> Result<i64, BadReason> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| BadReason::Amount(shown(text)))
}

/// A date is midnight in UTC. A time of day without an offset is UTC, too; between date and time a `T` or, as
/// databases write it, a space.
fn read_date(text: &str) -> Result<Timestamp, BadReason> {
    let at = moment(text).ok_or_else(|| BadReason::Date(shown(text)))?;
    time::in_range(at).map_err(|_| BadReason::OutOfRange(shown(text)))
}

/// A date or an instant, as [`read_date`] takes them, of any year.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_at_checked(DATE_BYTES)?;
    let date = iso_date(date)?;
    let text = format!("{date}{time}");
    // The calendar's own reader knows more forms (20260131, 2026-W05-6); one is enough here.
    if time.is_empty() {
        let midnight = date.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight());
        return TimeZone::UTC.to_timestamp(midnight).ok();
    }
    if !time.starts_with(['T', 't', ' ']) || time.contains('[') {
        return None;
    }
    if time.contains(['Z', 'z', '+', '-']) {
        return text.parse().ok();
    }
    TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()
}

/// A date as `2026-01-31`, also from `2026/01/31`, from `31.01.2026`, which begins with the day wherever it is written,
/// and from `31/01/2026` and `01/31/2026`, unless it could be either: the third of April and the fourth of March.
fn iso_date(text: &str) -> Option<String> {
    let sign = text.chars().find(|sign| !sign.is_ascii_digit())?;
    let parts: Vec<&str> = text.split(sign).collect();
    let [first, second, third] = parts[..] else { return None };
    if !parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let is_late = |part: &str| part.parse::<u8>().is_ok_and(|number| number > MONTHS);
    let (year, month, day) = match (sign, first.len(), second.len(), third.len()) {
        ('-' | '/', 4, 2, 2) => (first, second, third),
        ('.', 2, 2, 4) => (third, second, first),
        ('/' | '-', 2, 2, 4) if is_late(first) || first == second => (third, second, first),
        ('/' | '-', 2, 2, 4) if is_late(second) => (third, first, second),
        _ => return None,
    };
    Some(format!("{year}-{month}-{day}"))
}

/// A value as a message shows it: short, quoted, and without anything that could upset a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let head: String = characters.by_ref().take(SHOWN_CHARACTERS).collect();
    let more = if characters.next().is_some() { "…" } else { "" };
    format!("{head:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        read_date(text).map_or_else(|reason| reason.to_string(), |at| at.to_string())
    }

    #[test]
    fn a_date_is_midnight_in_utc_and_an_offset_is_heeded() {
        assert_eq!(at("2024-02-29"), "2024-02-29T00:00:00Z");
        assert_eq!(at("2024-02-29T01:30:00+02:00"), "2024-02-28T23:30:00Z");
        assert_eq!(at("2024-02-29T01:30:00.1239Z"), "2024-02-29T01:30:00.123Z");
        assert_eq!(at("2024-02-29t01:30:00z"), "2024-02-29T01:30:00Z");
    }

    #[test]
    fn a_time_without_an_offset_is_utc() {
        assert_eq!(at("2024-02-29T01:30:00"), "2024-02-29T01:30:00Z");
        assert_eq!(at("2024-02-29 01:30"), "2024-02-29T01:30:00Z");
    }

    #[test]
    fn a_date_as_people_write_it_is_read_where_it_can_be_only_one_day() {
        for text in ["29.02.2024", "29/02/2024", "02/29/2024", "2024/02/29", "29-02-2024"] {
            assert_eq!(at(text), "2024-02-29T00:00:00Z", "{text}");
        }
        assert_eq!(at("04/04/2024"), "2024-04-04T00:00:00Z");
        assert_eq!(at("31.01.2024 12:30"), "2024-01-31T12:30:00Z");
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in [
            "",
            "2023-02-29",
            "2024-2-9",
            "20240229",
            "03/04/2024",
            "31.02.2024",
            "32/13/2024",
            "2024.02.29",
            "2024-02-29T",
            "2024-02-29X01:30:00",
            "2024-02-29T25:00:00",
            "2024-02-29T01:30:00+99:00",
            "2024-02-29T01:30:00[Europe/Paris]",
            "2024-02-2é",
            "1709164800",
        ] {
            assert!(matches!(read_date(text), Err(BadReason::Date(_))), "{text}");
        }
        assert!(matches!(read_date("1969-12-31"), Err(BadReason::OutOfRange(_))));
        assert!(matches!(read_date("9001-01-01"), Err(BadReason::OutOfRange(_))));
    }

    #[test]
    fn an_amount_is_a_whole_number_that_is_not_negative() {
        assert_eq!(read_amount("0"), Ok(0));
        assert_eq!(read_amount("7718360"), Ok(7_718_360));
        assert_eq!(read_amount("9223372036854775807"), Ok(i64::MAX));
        for text in ["", "-1", "+1", "1.0", "1e3", "0x10", "9223372036854775808", "१"] {
            assert!(matches!(read_amount(text), Err(BadReason::Amount(_))), "{text}");
        }
    }

    #[test]
    fn a_bad_value_is_shown_short_and_harmless() {
        assert_eq!(shown("\u{1b}[2J"), "\"\\u{1b}[2J\"");
        assert!(shown(&"x".repeat(1_000_000)).len() < 60);
    }
}
