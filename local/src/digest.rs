//! What a file or a programme is known by, wherever it lies.

use std::fmt::Write;
use std::io::{self, Read};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// A SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest(String);

impl Digest {
    /// Of bytes at hand.
    pub fn of(bytes: &[u8]) -> Self {
        Self::written(ring::digest::digest(&SHA256, bytes))
    }

    /// The hexadecimal digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn written(digest: ring::digest::Digest) -> Self {
        let mut text = String::new();
        for byte in digest.as_ref() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }
}

/// Passes another reader's bytes on and takes their digest.
pub(crate) struct Digesting<R> {
    inner: R,
    context: Context,
}

impl<R: Read> Digesting<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, context: Context::new(&SHA256) }
    }

    /// The digest of all that was read.
    pub(crate) fn finish(self) -> Digest {
        Digest::written(self.context.finish())
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.context.update(out.get(..read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_same_in_parts_and_as_a_whole() {
        let mut reader = Digesting::new("abc".as_bytes());
        let mut one = [0; 1];
        while reader.read(&mut one).unwrap() > 0 {}
        let digest = reader.finish();
        assert_eq!(digest, Digest::of(b"abc"));
        assert!(digest.0.starts_with("ba7816bf"), "{digest:?}");
    }
}
