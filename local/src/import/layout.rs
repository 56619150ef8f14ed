//! How a file of members is written: with our own columns, with those of another programme's export, or with whatever
//! columns the operator names.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use csv::ByteRecord;

use crate::history::{HistoryError, named_columns};
use crate::table::{Decimal, column_name};

/// The columns that are read, where the file has them; a file may have others, in any order.
pub(super) const COLUMNS: [&str; 12] = [
    "customer_id",
    "email",
    "phone",
    "name",
    "first_name",
    "last_name",
    "locale",
    "consent",
    "joined_at",
    "balance",
    "reason",
    "balance_at",
];

/// Whose export the file is. Only those are here whose columns are public; any other file is read with `--column`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exporter {
    /// Our own columns
    #[default]
    Laurel,
    /// Smile.io: email and points
    Smile,
    /// Yotpo Loyalty & Referrals: Email, Full Name or First Name and Last Name, Points Balance
    Yotpo,
    /// YITH WooCommerce Points and Rewards: id or email, and points
    Yith,
    /// WPLoyalty and the like for WooCommerce: user_email and points
    Wployalty,
}

impl Exporter {
    /// What the export calls a column of ours, the likeliest first.
    ///
    /// - Smile.io: `email` and `points` (its help centre, "Import points with a CSV file"); the API's customer object, which
    ///   tools write to files, has `first_name`, `last_name`, `points_balance` and `created_at` (its developer pages,
    ///   "Customer object").
    /// - Yotpo: its support pages, "Importing/Exporting Points and Customers"; `Emails` and `Points` are the columns of the
    ///   newer form ("Importing or Adjusting Your Customers' Points").
    /// - YITH: `id` or `email`, and `points`; the plug-in's own `export()`, and its documentation, "Import and export tab".
    ///   The id is the WordPress user's, which WooCommerce tells as the customer's.
    /// - WPLoyalty: `user_email` and `points` (its documentation, "How to import customer points").
    fn names(self, column: &str) -> &'static [&'static str] {
        match (self, column) {
            (Self::Laurel, _) => &[],
            (Self::Smile, "balance") => &["points_balance", "points"],
            (Self::Smile, "joined_at") => &["created_at"],
            (Self::Yotpo, "email") => &["email", "emails", "email_address"],
            (Self::Yotpo, "name") => &["full_name"],
            (Self::Yotpo, "balance") => &["points_balance", "current_points_balance", "points"],
            (Self::Yith, "customer_id") => &["id"],
            (Self::Yith | Self::Wployalty, "balance") => &["points"],
            (Self::Wployalty, "email") => &["user_email", "email"],
            (_, "email") => &["email"],
            (_, "first_name") => &["first_name"],
            (_, "last_name") => &["last_name"],
            _ => &[],
        }
    }

    /// The reason of every opening balance where the file gives none.
    pub(super) fn reason(self) -> Option<&'static str> {
        match self {
            Self::Laurel => None,
            Self::Smile => Some("balance at Smile.io"),
            Self::Yotpo => Some("balance at Yotpo"),
            Self::Yith => Some("balance of YITH Points and Rewards"),
            Self::Wployalty => Some("balance of WPLoyalty"),
        }
    }
}

/// A column of ours under the file's own name, as in `balance=Points approved`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedColumn {
    ours: &'static str,
    theirs: String,
}

/// No column of ours, or no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is one of {} and the file's own name, as in balance=Points", COLUMNS.join(", "))]
pub(crate) struct NoColumn;

impl FromStr for NamedColumn {
    type Err = NoColumn;

    fn from_str(text: &str) -> Result<Self, NoColumn> {
        let (ours, theirs) = text.split_once('=').ok_or(NoColumn)?;
        let ours = COLUMNS.into_iter().find(|known| *known == ours.trim()).ok_or(NoColumn)?;
        let theirs = column_name(theirs.as_bytes());
        if theirs.is_empty() { Err(NoColumn) } else { Ok(Self { ours, theirs }) }
    }
}

impl fmt::Display for NamedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.ours, self.theirs)
    }
}

/// How a file is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Whose export it is.
    pub(crate) from: Exporter,
    /// Columns that are called otherwise.
    pub(crate) columns: Vec<NamedColumn>,
    /// How numbers are written, where that is known.
    pub(crate) decimal: Option<Decimal>,
    /// The reason of every opening balance where the file gives none.
    pub(crate) reason: Option<String>,
}

/// Where each of [`COLUMNS`] stands.
pub(super) type Places = [Option<usize>; COLUMNS.len()];

impl Layout {
    /// Finds the columns in a first line. One that the operator named must be there.
    pub(super) fn places(&self, header: &ByteRecord) -> Result<Places, HistoryError> {
        let missing = |missing: &str| HistoryError::MissingColumns {
            missing: missing.to_owned(),
            found: named_columns(header),
        };
        let names: Vec<String> = header.iter().map(column_name).collect();
        let mut places = [None; COLUMNS.len()];
        for (place, ours) in places.iter_mut().zip(COLUMNS) {
            if let Some(named) = self.columns.iter().find(|named| named.ours == ours) {
                *place = Some(place_in(&names, &named.theirs, ours)?.ok_or_else(|| missing(&named.theirs))?);
                continue;
            }
            for name in self.from.names(ours).iter().chain([&ours]) {
                *place = place.or(place_in(&names, name, ours)?);
            }
        }
        match places {
            [None, None, None, ..] => Err(missing("customer_id, email or phone")),
            _ => Ok(places),
        }
    }
}

fn place_in(names: &[String], name: &str, ours: &'static str) -> Result<Option<usize>, HistoryError> {
    let mut found = names.iter().enumerate().filter(|(_, known)| *known == name);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(HistoryError::ColumnTwice(ours)),
        (found, _) => Ok(found.map(|(index, _)| index)),
    }
}
