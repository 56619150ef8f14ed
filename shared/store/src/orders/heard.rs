//! When each source was heard last, noted now and then.
//!
//! It is one item of this very table, as the sweep's position is, under a key that no order has, so that whoever may
//! write orders needs no right more. It lacks `accrue`, so neither the stream's filter nor the sweep sees it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::time::instant;
use domain::{SourceName, Timestamp};

use crate::expression::Update;
use crate::items::{Attributes, text};
use crate::keys::orders;
use crate::{Consistency, Store, StoreError};

impl Store {
    /// Notes that a source was heard.
    pub async fn record_heard(&self, source: &SourceName, at: Timestamp) -> Result<(), StoreError> {
        let mut update = Update::default();
        update.set(&format!("{}{source}", orders::HEARD_FROM), text(at.to_string()));
        self.update(&self.tables.orders, heard_key(), update).await.map(drop)
    }

    /// Every source that was ever heard, and when it was noted last.
    pub async fn heard(&self) -> Result<BTreeMap<SourceName, Timestamp>, StoreError> {
        let item = self.get(&self.tables.orders, heard_key(), Consistency::Eventual).await?;
        let read = |(name, at): (String, AttributeValue)| {
            let source = SourceName::new(name.strip_prefix(orders::HEARD_FROM)?).ok()?;
            Some((source, instant(at.as_s().ok()?).ok()?))
        };
        Ok(item.into_iter().flatten().filter_map(read).collect())
    }
}

fn heard_key() -> Attributes {
    HashMap::from([(orders::ORDER.to_owned(), text(orders::HEARD))])
}
