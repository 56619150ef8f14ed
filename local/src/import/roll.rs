//! A shop's members in a file: rows that can be brought, and rows that cannot, each with its line.

use std::collections::HashMap;
use std::io::Read;

use csv::ByteRecord;
use domain::contact::{self, Email, NotAnAddress};
use domain::ids::IdError;
use domain::person::NoPhone;
use domain::{Contact, CustomerId, Opening, Phone, Points, Reason, SourceName, Timestamp, time};
use runtime::Newcomer;
use store::{DirectoryKey, Enrolment};

use super::layout::{COLUMNS, Layout, Places};
use super::progress::Rejected;
use crate::history::{HistoryError, MAX_ROWS, moment, shown};
use crate::table::{NoPoints, Table, whole_points};

/// A row that can be brought.
#[derive(Debug)]
pub(super) struct Row {
    /// Its line in the file, counted from 1.
    pub(super) line: u64,
    pub(super) newcomer: Newcomer,
}

/// A file, read.
#[derive(Debug, Default)]
pub(super) struct Roll {
    pub(super) rows: Vec<Row>,
    pub(super) rejected: Vec<Rejected>,
}

/// Why a row is bad. An address is not repeated.
#[derive(Debug, thiserror::Error)]
enum BadRow {
    #[error("it has {found} fields, but the first line has {expected}")]
    Width { found: usize, expected: usize },
    #[error("{0} is not UTF-8")]
    NotText(&'static str),
    #[error("{column} {problem}")]
    Identifier { column: &'static str, problem: IdError },
    #[error("email {0}")]
    Email(#[from] NotAnAddress),
    #[error("phone {0}")]
    Phone(#[from] NoPhone),
    #[error("it has neither customer_id nor email nor phone")]
    Nobody,
    #[error("customer_id is one of a source: name it with --source")]
    NoSource,
    #[error("locale {0} is not a language tag such as fr or pt-BR")]
    Locale(String),
    #[error("consent {0} is neither yes nor no")]
    Consent(String),
    #[error(
        "{column} {value} is neither a date such as 2026-01-31 nor an instant such as 2026-01-31T12:00:00+01:00 of \
         the years 1970 to 9000"
    )]
    Moment { column: &'static str, value: String },
    #[error("{column} {at} lies in the future")]
    Future { column: &'static str, at: Timestamp },
    #[error("balance {value} {problem}")]
    Balance { value: String, problem: NoPoints },
    #[error("a balance needs a reason: a column of the file, or --reason")]
    NoReason,
    #[error("its {what} stands in line {line} already; the first one stays")]
    Twice { what: &'static str, line: u64 },
}

/// What a row says, as it stands there; empty where nothing does.
struct Cells<'a> {
    customer: &'a str,
    email: &'a str,
    phone: &'a str,
    name: String,
    locale: &'a str,
    consent: &'a str,
    joined_at: &'a str,
    balance: &'a str,
    reason: &'a str,
    balance_at: &'a str,
}

impl Roll {
    /// Reads a table. A bad row does not stop the reading.
    pub(super) fn read(
        file: impl Read,
        source: Option<&SourceName>,
        layout: &Layout,
        now: Timestamp,
    ) -> Result<Self, HistoryError> {
        let mut table = Table::open(file)?;
        let (places, width) = (layout.places(table.header())?, table.header().len());
        let mut roll = Self::default();
        let mut seen = HashMap::new();
        while let Some((line, record)) = table.next_row()? {
            if roll.rows.len() + roll.rejected.len() >= MAX_ROWS {
                return Err(HistoryError::TooLong);
            }
            let read = cells(&record, &places, width)
                .and_then(|cells| newcomer(&cells, source, layout, now))
                .and_then(|newcomer| once(newcomer, line, &mut seen));
            match read {
                Ok(newcomer) => roll.rows.push(Row { line, newcomer }),
                Err(reason) => roll.rejected.push(Rejected { line, reason: reason.to_string() }),
            }
        }
        Ok(roll)
    }
}

fn cells<'a>(record: &'a ByteRecord, places: &Places, width: usize) -> Result<Cells<'a>, BadRow> {
    if record.len() != width {
        return Err(BadRow::Width { found: record.len(), expected: width });
    }
    let mut cells = [""; COLUMNS.len()];
    for ((cell, place), column) in cells.iter_mut().zip(places).zip(COLUMNS) {
        let bytes = place.and_then(|place| record.get(place)).unwrap_or_default();
        *cell = std::str::from_utf8(bytes).map_err(|_| BadRow::NotText(column))?;
    }
    let [customer, rest @ ..] = cells;
    let [email, phone, name, first, last, locale, consent, joined_at, balance, reason, balance_at] =
        rest.map(str::trim);
    // An identifier is taken as it stands, so that no two are made one; of blanks alone, it is none.
    let customer = if customer.trim().is_empty() { "" } else { customer };
    let name = if name.is_empty() { format!("{first} {last}").trim().to_owned() } else { name.to_owned() };
    Ok(Cells { customer, email, phone, name, locale, consent, joined_at, balance, reason, balance_at })
}

fn newcomer(
    cells: &Cells<'_>,
    source: Option<&SourceName>,
    layout: &Layout,
    now: Timestamp,
) -> Result<Newcomer, BadRow> {
    let customer = some(cells.customer).map(|customer| read_customer(customer, source)).transpose()?;
    let email = some(cells.email).map(Email::new).transpose()?.map(String::from);
    let phone = some(cells.phone).map(Phone::new).transpose()?;
    let by_email = email.clone().map(DirectoryKey::Email);
    let by_phone = phone.clone().map(DirectoryKey::Phone);
    let keys: Vec<_> = customer.into_iter().chain(by_email).chain(by_phone).collect();
    if keys.is_empty() {
        return Err(BadRow::Nobody);
    }
    let locale = |text| contact::locale(text).ok_or_else(|| BadRow::Locale(shown(text)));
    let contact = Contact {
        email_verified: email.is_some(),
        email,
        phone_verified: phone.is_some(),
        phone,
        name: contact::name(&cells.name),
        locale: some(cells.locale).map(locale).transpose()?,
        consent: some(cells.consent).map(read_consent).transpose()?,
        ..Contact::default()
    };
    let past = |column, text| some(text).map(|text| read_past(column, text, now)).transpose();
    Ok(Newcomer {
        who: Enrolment { keys, contact },
        joined_at: past("joined_at", cells.joined_at)?,
        opening: read_opening(cells, layout, past("balance_at", cells.balance_at)?)?,
    })
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn read_customer(text: &str, source: Option<&SourceName>) -> Result<DirectoryKey, BadRow> {
    let source = source.ok_or(BadRow::NoSource)?;
    let customer = CustomerId::new(text);
    let customer = customer.map_err(|problem| BadRow::Identifier { column: "customer_id", problem })?;
    Ok(DirectoryKey::Customer(source.clone(), customer))
}

fn read_consent(text: &str) -> Result<bool, BadRow> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(BadRow::Consent(shown(text))),
    }
}

fn read_past(column: &'static str, text: &str, now: Timestamp) -> Result<Timestamp, BadRow> {
    let at = moment(text).and_then(|at| time::in_range(at).ok());
    let at = at.ok_or_else(|| BadRow::Moment { column, value: shown(text) })?;
    if at > now { Err(BadRow::Future { column, at }) } else { Ok(at) }
}

fn read_opening(
    cells: &Cells<'_>,
    layout: &Layout,
    dated: Option<Timestamp>,
) -> Result<Option<Opening>, BadRow> {
    let Some(balance) = some(cells.balance) else { return Ok(None) };
    let points = whole_points(balance, layout.decimal);
    match points.map_err(|problem| BadRow::Balance { value: shown(balance), problem })? {
        0 => Ok(None),
        points => {
            let reason = some(cells.reason).or(layout.reason.as_deref()).or(layout.from.reason());
            let reason = Reason::new(reason.ok_or(BadRow::NoReason)?);
            let reason = reason.map_err(|problem| BadRow::Identifier { column: "reason", problem })?;
            Ok(Some(Opening { points: Points(points), reason, dated }))
        }
    }
}

/// Nobody stands in a file twice; otherwise it would be chance which of two balances comes first.
fn once(newcomer: Newcomer, line: u64, seen: &mut HashMap<DirectoryKey, u64>) -> Result<Newcomer, BadRow> {
    for key in &newcomer.who.keys {
        if let Some(line) = seen.get(key) {
            let what = match key {
                DirectoryKey::Email(_) => "email",
                DirectoryKey::Phone(_) => "phone",
                _ => "customer_id",
            };
            return Err(BadRow::Twice { what, line: *line });
        }
    }
    seen.extend(newcomer.who.keys.iter().map(|key| (key.clone(), line)));
    Ok(newcomer)
}
