//! Where a quote was opened that nothing closes: everything after it would be one field, and the rows in it lost.

use std::io::{self, Read};

/// Passes another reader's bytes on, and follows the quotes as the `csv` crate understands them.
#[derive(Debug)]
pub(super) struct Quotes<R> {
    inner: R,
    separator: u8,
    place: Place,
    line: u64,
    /// The line on which the quote was opened that we are in, or were in last.
    opened: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    FieldBegins,
    Field,
    Quoted,
    /// After a quote within quotes: it closes the field, or is the first of two that stand for one.
    MaybeClosed,
}

impl<R> Quotes<R> {
    pub(super) fn new(inner: R, separator: u8, first_line: u64) -> Self {
        Self { inner, separator, place: Place::FieldBegins, line: first_line, opened: first_line }
    }

    /// The line of the quote that is still open.
    pub(super) fn open(&self) -> Option<u64> {
        (self.place == Place::Quoted).then_some(self.opened)
    }

    fn follow(&mut self, byte: u8) {
        let ends_field = byte == self.separator || byte == b'\n';
        self.place = match (self.place, byte) {
            (Place::FieldBegins, b'"') => {
                self.opened = self.line;
                Place::Quoted
            }
            (Place::Quoted, b'"') => Place::MaybeClosed,
            (Place::MaybeClosed, b'"') | (Place::Quoted, _) => Place::Quoted,
            _ if ends_field => Place::FieldBegins,
            _ => Place::Field,
        };
        self.line += u64::from(byte == b'\n');
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        for byte in out.iter().take(read) {
            self.follow(*byte);
        }
        Ok(read)
    }
}
