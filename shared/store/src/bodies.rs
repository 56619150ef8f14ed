//! What was told in a body that its platform signed without a time. Such a body is as good years later as on its day, so
//! what must be done only once is remembered for good, by a digest of the signed bytes.
//!
//! It lies with the erasures, because no restore of the other tables may bring it back: a deletion with its order,
//! because it is written there in one piece.

use std::collections::HashMap;

use domain::{ErasureId, SourceName, Timestamp};

use crate::items::{Attributes, sha256, text};
use crate::keys::erasures;
use crate::{Consistency, Store, StoreError};

/// The characters of the digest in an erasure's name.
const NAME: usize = 32;

/// A digest of a signed body, as told by one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyDigest(String);

impl BodyDigest {
    /// Of the bytes that were signed.
    pub fn of(source: &SourceName, body: &[u8]) -> Self {
        // A source's name has no `#`.
        Self(sha256([source.as_str().as_bytes(), b"#", body].concat()))
    }

    /// The name of the erasure that the body asks for, or of a further part of it: the same body, the same erasure.
    pub fn erasure_id(&self, part: usize) -> Result<ErasureId, StoreError> {
        let digest = self.0.get(..NAME).unwrap_or_default();
        let name = if part == 0 { digest.to_owned() } else { format!("{digest}-{part}") };
        ErasureId::new(name).map_err(|error| StoreError::Permanent(format!("an erasure's name {error}")))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole item by which the body is remembered.
    pub(crate) fn item(&self, now: Timestamp) -> Attributes {
        let mut item = self.key();
        item.insert(erasures::TAKEN_AT.to_owned(), text(now.to_string()));
        item
    }

    fn key(&self) -> Attributes {
        HashMap::from([(erasures::ERASURE.to_owned(), text(format!("{}{}", erasures::BODY, self.0)))])
    }
}

impl Store {
    /// Whether a body was remembered.
    pub async fn has_taken(&self, body: &BodyDigest) -> Result<bool, StoreError> {
        Ok(self.get(&self.tables.erasures, body.key(), Consistency::Strong).await?.is_some())
    }

    /// Remembers a body for good.
    pub async fn remember(&self, body: &BodyDigest, now: Timestamp) -> Result<(), StoreError> {
        self.put_new(&self.tables.erasures, body.item(now), erasures::ERASURE).await.map(drop)
    }
}
