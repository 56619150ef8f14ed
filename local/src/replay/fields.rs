//! One row of the file, from bytes to checked values, or the reason why it is bad.

use csv::ByteRecord;
use domain::{CustomerId, OrderKey, SourceName, Timestamp, time};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::history::HistoryError;

/// The columns that are read; a file may have others, in any order.
const COLUMNS: [&str; 5] = ["customer_id", "date", "amount_minor", "kind", "order_id"];
/// Characters of a bad value that its reason shows.
const SHOWN_CHARACTERS: usize = 40;
/// The length of `YYYY-MM-DD`.
const DATE_BYTES: usize = 10;

/// Where the columns stand in this file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    customer_id: usize,
    date: usize,
    amount_minor: usize,
    kind: usize,
    order_id: usize,
    width: usize,
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
    #[error("date {0} is neither a date such as 2026-01-31 nor an instant such as 2026-01-31T12:00:00+01:00")]
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
    pub(super) fn find(header: &ByteRecord) -> Result<Self, HistoryError> {
        let mut places = [0; COLUMNS.len()];
        let mut missing = Vec::new();
        for (place, name) in places.iter_mut().zip(COLUMNS) {
            let mut found =
                header.iter().enumerate().filter(|(_, cell)| cell.trim_ascii() == name.as_bytes());
            match (found.next(), found.next()) {
                (Some((index, _)), None) => *place = index,
                (Some(_), Some(_)) => return Err(HistoryError::ColumnTwice(name)),
                (None, _) => missing.push(name),
            }
        }
        if !missing.is_empty() {
            return Err(HistoryError::MissingColumns(missing.join(", ")));
        }
        let [customer_id, date, amount_minor, kind, order_id] = places;
        Ok(Self { customer_id, date, amount_minor, kind, order_id, width: header.len() })
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
        Ok(Fields {
            customer: read_customer(identifier(text(record, self.customer_id, "customer_id")?))?,
            at: read_date(text(record, self.date, "date")?.trim())?,
            amount_minor: read_amount(text(record, self.amount_minor, "amount_minor")?.trim())?,
            kind,
            order_id: read_order_id(identifier(text(record, self.order_id, "order_id")?), kind, source)?,
        })
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

/// An order needs an identifier that its key can hold. What a refund names need only be compared with the orders.
fn read_order_id<'a>(text: &'a str, kind: KindField, source: &SourceName) -> Result<&'a str, BadReason> {
    if kind == KindField::Order {
        OrderKey::of_order(source, text)
            .map_err(|problem| BadReason::Identifier { column: "order_id", problem })?;
    }
    Ok(text)
}

fn read_kind(text: &str) -> Result<KindField, BadReason> {
    match text {
        "order" => Ok(KindField::Order),
        "refund" => Ok(KindField::Refund),
        other => Err(BadReason::Kind(shown(other))),
    }
}

fn read_amount(text: &str) -> Result<i64, BadReason> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| BadReason::Amount(shown(text)))
}

/// A date is midnight in UTC. A time of day without an offset is UTC, too; between date and time a `T` or, as
/// databases write it, a space.
fn read_date(text: &str) -> Result<Timestamp, BadReason> {
    let at = instant(text).ok_or_else(|| BadReason::Date(shown(text)))?;
    time::in_range(at).map_err(|_| BadReason::OutOfRange(shown(text)))
}

fn instant(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_at_checked(DATE_BYTES)?;
    // The calendar's own reader knows more forms (20260131, 2026-W05-6); one is enough here.
    if !date
        .bytes()
        .enumerate()
        .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
    {
        return None;
    }
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

/// A value as a message shows it: short, quoted, and without anything that could upset a terminal.
pub(super) fn shown(text: &str) -> String {
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
    fn anything_else_is_no_date() {
        for text in [
            "",
            "2023-02-29",
            "2024-2-9",
            "20240229",
            "29/02/2024",
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
