//! Text as the rest of `table` wants it: UTF-8 without a byte order mark. A spreadsheet that saves "Unicode text" writes
//! UTF-16, in either order of bytes, with a mark or without one.

use std::io::{self, Read};

/// What stands for half a character, so that the field it stands in is found not to be text.
const NO_TEXT: u8 = 0xff;
/// Bytes asked of the source at once.
const BUFFER_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16(Order),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    LittleEndian,
    BigEndian,
}

/// Reads another reader's text as UTF-8.
#[derive(Debug)]
pub(super) struct Utf8<R> {
    inner: R,
    encoding: Option<Encoding>,
    /// Bytes of the source that are no whole character yet.
    waiting: Vec<u8>,
    /// Text that was not passed on yet.
    text: Vec<u8>,
    passed_on: usize,
    ended: bool,
}

impl<R: Read> Utf8<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, encoding: None, waiting: Vec::new(), text: Vec::new(), passed_on: 0, ended: false }
    }

    /// Reads on until there is text, or the end.
    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; BUFFER_BYTES];
        while self.passed_on == self.text.len() && !self.ended {
            let read = match self.inner.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                answer => answer?,
            };
            self.ended = read == 0;
            self.waiting.extend_from_slice(chunk.get(..read).unwrap_or_default());
            // The mark has three bytes at most, and a source may give them one by one.
            if self.encoding.is_none() && self.waiting.len() < 4 && !self.ended {
                continue;
            }
            self.text.clear();
            self.passed_on = 0;
            self.decode();
        }
        Ok(())
    }

    fn decode(&mut self) {
        let encoding = match self.encoding {
            Some(known) => known,
            None => {
                let (found, mark) = encoding_of(&self.waiting);
                self.waiting.drain(..mark);
                *self.encoding.insert(found)
            }
        };
        match encoding {
            Encoding::Utf8 => self.text.append(&mut self.waiting),
            Encoding::Utf16(order) => self.decode_utf16(order),
        }
    }

    fn decode_utf16(&mut self, order: Order) {
        let units: Vec<u16> = self
            .waiting
            .chunks_exact(2)
            .map(|pair| {
                let pair = [pair[0], pair[1]];
                match order {
                    Order::LittleEndian => u16::from_le_bytes(pair),
                    Order::BigEndian => u16::from_be_bytes(pair),
                }
            })
            .collect();
        // The first half of a pair waits for the second one.
        let is_half = |unit: &u16| (0xd800..0xdc00).contains(unit);
        let whole = units.len() - usize::from(!self.ended && units.last().is_some_and(is_half));
        let mut utf8 = [0; 4];
        for character in char::decode_utf16(units.into_iter().take(whole)) {
            match character {
                Ok(character) => self.text.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes()),
                Err(_) => self.text.push(NO_TEXT),
            }
        }
        self.waiting.drain(..whole * 2);
        if self.ended && !self.waiting.is_empty() {
            self.text.push(NO_TEXT);
        }
    }
}

/// The encoding, and the length of the mark that says so. A table begins with the name of a column, so without a mark a
/// zero byte among the first two tells the encoding.
fn encoding_of(begin: &[u8]) -> (Encoding, usize) {
    match begin {
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0xff, 0xfe, ..] => (Encoding::Utf16(Order::LittleEndian), 2),
        [0xfe, 0xff, ..] => (Encoding::Utf16(Order::BigEndian), 2),
        [first, 0, ..] if *first != 0 => (Encoding::Utf16(Order::LittleEndian), 0),
        [0, second, ..] if *second != 0 => (Encoding::Utf16(Order::BigEndian), 0),
        _ => (Encoding::Utf8, 0),
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let ready = self.text.get(self.passed_on..).unwrap_or_default();
        let count = ready.len().min(out.len());
        for (slot, byte) in out.iter_mut().zip(ready) {
            *slot = *byte;
        }
        self.passed_on += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that gives a byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(1);
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn utf8(bytes: &[u8]) -> Vec<u8> {
        let mut whole = Vec::new();
        Utf8::new(bytes).read_to_end(&mut whole).unwrap();
        let mut slowly = Vec::new();
        Utf8::new(Slow(bytes)).read_to_end(&mut slowly).unwrap();
        assert_eq!(whole, slowly);
        whole
    }

    #[test]
    fn every_encoding_of_a_spreadsheet_is_read_with_and_without_its_mark() {
        const TEXT: &str = "E-mail;Prénom\nzoë@example.com;🌿\n";
        let little: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(utf8(TEXT.as_bytes()), TEXT.as_bytes());
        assert_eq!(utf8(&[&b"\xef\xbb\xbf"[..], TEXT.as_bytes()].concat()), TEXT.as_bytes());
        assert_eq!(utf8(&[&b"\xff\xfe"[..], &little].concat()), TEXT.as_bytes());
        assert_eq!(utf8(&[&b"\xfe\xff"[..], &big].concat()), TEXT.as_bytes());
        assert_eq!(utf8(&little), TEXT.as_bytes());
        assert_eq!(utf8(&big), TEXT.as_bytes());
        assert_eq!(utf8(b""), b"");
        assert_eq!(utf8(b"a"), b"a");
    }

    #[test]
    fn half_a_character_is_no_text() {
        assert_eq!(utf8(b"\xff\xfea\0\x00\xd8"), b"a\xff");
        assert_eq!(utf8(b"\xff\xfea\0b"), b"a\xff");
    }
}
