//! A table as spreadsheets and shops write it: separated by commas, semicolons or tabs, in UTF-8 or UTF-16, with any
//! line ends, and names of columns in any case. Rows come with the line on which an editor shows them.

mod encoding;
mod newlines;
mod numbers;
mod quotes;

use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder};

use self::encoding::Utf8;
use self::newlines::Newlines;
pub(crate) use self::numbers::{Decimal, NoPoints, whole_points};
use self::quotes::Quotes;

/// The most bytes of the first line: names of columns, of which the longest table known has a few hundred.
const MAX_FIRST_LINE_BYTES: usize = 64 * 1024;
/// What may separate fields, the likeliest first.
const SEPARATORS: [u8; 3] = *b",;\t";
/// How an export for a spreadsheet may name its separator on a line of its own.
const NAMED_SEPARATOR: &[u8] = b"sep=";
/// The columns that a file of rejected rows has before its own, and that are passed over when it is fed again.
const REJECTED_COLUMNS: [&str; 2] = ["rejected_line", "rejected_because"];

/// Why a file is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] csv::Error),
    /// Nor its first line.
    #[error("it cannot be read: {0}")]
    File(#[from] io::Error),
    /// A quote without its end.
    #[error(
        "line {line}: a field begins with a quote that nothing closes, so all that follows would be one field; close \
         it, or write the quote twice within quotes"
    )]
    OpenQuote {
        /// Where it was opened.
        line: u64,
    },
}

type Source<R> = Quotes<Chain<Cursor<Vec<u8>>, Newlines<Utf8<R>>>>;

/// A table under way.
#[derive(Debug)]
pub(crate) struct Table<R> {
    reader: Reader<Source<R>>,
    header: ByteRecord,
    separator: u8,
    /// Lines before the names of the columns.
    lines_before: u64,
    /// How many columns of [`REJECTED_COLUMNS`] come first.
    passed_over: usize,
}

impl<R: Read> Table<R> {
    /// Reads the names of the columns, and finds out how the fields are separated.
    pub(crate) fn open(file: R) -> Result<Self, TableError> {
        let mut lines = Newlines::new(Utf8::new(file));
        let (mut first, mut lines_before) = (first_line(&mut lines)?, 0);
        let named = named_separator(&first);
        if named.is_some() {
            first = first_line(&mut lines)?;
            lines_before = 1;
        }
        let separator = named.unwrap_or_else(|| separator_of(&first));
        let source = Quotes::new(Cursor::new(first).chain(lines), separator, lines_before + 1);
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(source);
        let mut header = ByteRecord::new();
        reader.read_byte_record(&mut header)?;
        let mut table = Self { reader, header: ByteRecord::new(), separator, lines_before, passed_over: 0 };
        table.check_quotes()?;
        table.passed_over = header
            .iter()
            .zip(REJECTED_COLUMNS)
            .take_while(|(cell, name)| column_name(cell) == **name)
            .count();
        table.header = header.iter().skip(table.passed_over).collect();
        Ok(table)
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &ByteRecord {
        &self.header
    }

    /// The next row with the line on which it begins.
    pub(crate) fn next_row(&mut self) -> Result<Option<(u64, ByteRecord)>, TableError> {
        let mut record = ByteRecord::new();
        if !self.reader.read_byte_record(&mut record)? {
            self.check_quotes()?;
            return Ok(None);
        }
        let line = self.lines_before + first_line_of(&record, self.reader.position().line());
        // The reader takes its bytes in large pieces, so that an open quote is known for sure at the end alone.
        if self.passed_over > 0 {
            record = record.iter().skip(self.passed_over).collect();
        }
        Ok(Some((line, record)))
    }

    fn check_quotes(&mut self) -> Result<(), TableError> {
        if !self.reader.is_done() {
            return Ok(());
        }
        self.reader.get_ref().open().map_or(Ok(()), |line| Err(TableError::OpenQuote { line }))
    }
}

/// Writes rows of a table that were rejected, each whole and as it was, after its line and the reason. Mended, the file
/// can be fed again.
pub(crate) fn write_rejected<'a>(
    path: &Path,
    table: &Path,
    rejected: impl IntoIterator<Item = (u64, &'a str)>,
) -> Result<(), TableError> {
    let mut table = Table::open(File::open(table)?)?;
    let mut file = csv::WriterBuilder::new().delimiter(table.separator).flexible(true).from_path(path)?;
    let named = REJECTED_COLUMNS.iter().map(|name| name.as_bytes());
    file.write_record(named.chain(table.header()))?;
    let mut rejected = rejected.into_iter().peekable();
    while let (Some((line, reason)), Some((at, row))) = (rejected.peek().copied(), table.next_row()?) {
        if at == line {
            let (line, why) = (line.to_string(), reason);
            file.write_record([line.as_bytes(), why.as_bytes()].into_iter().chain(&row))?;
            rejected.next();
        }
    }
    file.flush()?;
    Ok(())
}

/// A column's name as we compare it: `Customer ID` is `customer_id`.
pub(crate) fn column_name(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    text.trim()
        .to_lowercase()
        .split([' ', '-', '_', '\u{a0}'])
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

/// A line with its end. Quotes may hold one; names of columns hardly do.
fn first_line(lines: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while line.len() < MAX_FIRST_LINE_BYTES && lines.read(&mut byte)? == 1 {
        line.push(byte[0]);
        if byte == *b"\n" {
            break;
        }
    }
    Ok(line)
}

fn named_separator(line: &[u8]) -> Option<u8> {
    let named = line.trim_ascii_end().strip_prefix(NAMED_SEPARATOR).or_else(|| {
        // The tab itself is a blank at the end.
        line.strip_suffix(b"\n").and_then(|line| line.strip_prefix(NAMED_SEPARATOR))
    })?;
    let separator = if named.is_empty() { b"\t" } else { named };
    SEPARATORS.into_iter().find(|known| [*known] == *separator)
}

/// The separator that stands most often between the names of the columns, outside of quotes.
fn separator_of(line: &[u8]) -> u8 {
    let count = |separator: u8| {
        let mut quoted = false;
        let outside = line.iter().filter(|byte| {
            quoted ^= **byte == b'"';
            !quoted && **byte == separator
        });
        outside.count()
    };
    let mut best = SEPARATORS[0];
    for separator in SEPARATORS {
        if count(separator) > count(best) {
            best = separator;
        }
    }
    best
}

/// The line on which a record begins, from the line after its end. The reader's own answer for the beginning would
/// be that of the empty lines before it.
fn first_line_of(record: &ByteRecord, line_after: u64) -> u64 {
    let within = record.as_slice().iter().filter(|byte| **byte == b'\n').count();
    line_after.saturating_sub(1).saturating_sub(within as u64)
}

#[cfg(test)]
mod tests;
