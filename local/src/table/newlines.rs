//! Line ends as the rest of `table` wants them: each one a single `\n`, and one after the last line, too.
//!
//! A spreadsheet ends lines with `\r\n`, an old one with `\r`. The `csv` crate reads all of them, but then counts
//! the lines wrongly, and a bad row must be named with the number that an editor shows.

use std::io::{self, Read};

/// Reads another reader's bytes with every line end made `\n`.
#[derive(Debug)]
pub(crate) struct Newlines<R> {
    inner: R,
    buffer: Box<[u8]>,
    filled: usize,
    position: usize,
    last: u8,
    ended: bool,
}

/// Bytes read at once; larger ones save nothing.
const BUFFER_BYTES: usize = 64 * 1024;

impl<R: Read> Newlines<R> {
    pub(crate) fn new(inner: R) -> Self {
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        Self { inner, buffer, filled: 0, position: 0, last: b'\n', ended: false }
    }

    /// The next byte as it stands in the source.
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        if self.position == self.filled {
            self.position = 0;
            self.filled = loop {
                match self.inner.read(&mut self.buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    answer => break answer?,
                }
            };
        }
        let byte = self.buffer.get(..self.filled).and_then(|filled| filled.get(self.position)).copied();
        self.position += usize::from(byte.is_some());
        Ok(byte)
    }

    /// The next byte as it is passed on.
    fn next_passed_on(&mut self) -> io::Result<Option<u8>> {
        loop {
            let Some(byte) = self.next_byte()? else {
                // What is never ended cannot be told from a line that goes on.
                let close = !self.ended && self.last != b'\n' && self.last != b'\r';
                self.ended = true;
                return Ok(close.then_some(b'\n'));
            };
            let before = std::mem::replace(&mut self.last, byte);
            match byte {
                b'\n' if before == b'\r' => {}
                b'\r' => return Ok(Some(b'\n')),
                other => return Ok(Some(other)),
            }
        }
    }
}

impl<R: Read> Read for Newlines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        for slot in out.iter_mut() {
            let Some(byte) = self.next_passed_on()? else { break };
            *slot = byte;
            written += 1;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed_on(text: &str) -> String {
        let mut out = String::new();
        Newlines::new(text.as_bytes()).read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn every_kind_of_line_end_becomes_one() {
        assert_eq!(passed_on("a\r\nb\rc\nd\n\n\r\n\re"), "a\nb\nc\nd\n\n\n\ne\n");
    }

    #[test]
    fn the_last_line_is_ended_and_not_ended_twice() {
        assert_eq!(passed_on("a"), "a\n");
        assert_eq!(passed_on("a\n"), "a\n");
        assert_eq!(passed_on("a\r"), "a\n");
        assert_eq!(passed_on("a\r\n"), "a\n");
        assert_eq!(passed_on(""), "");
    }
}
