//! Every version of the programme.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::programme::Version;
use domain::{Programme, ProgrammeError, Programmes, Timestamp};

use crate::items::{ProgrammeItem, read, text, write};
use crate::keys::programmes;
use crate::{Role, Store, StoreError};

/// The shortest time between two moments that keys hold.
const MOMENT: Duration = Duration::from_millis(1);

impl Store {
    /// Every version; nothing when none was published.
    pub async fn programmes(&self) -> Result<Option<Programmes>, StoreError> {
        Ok(Programmes::new(self.versions().await?))
    }

    /// Publishes a programme unless it equals the newest version; returns the newest version's number. The
    /// first version is in force for all that came before; every other one from a moment after the one before it, whatever
    /// the clock of whoever publishes says: else a correction could be overruled by what it corrects. [`StoreError::Conflict`] when two publish at once.
    pub async fn publish(&self, programme: &Programme, from: Timestamp) -> Result<u32, StoreError> {
        let versions = self.versions().await?;
        let document = programme.to_json().map_err(unreadable)?;
        let Some(newest) = versions.iter().max_by_key(|version| version.number) else {
            return self.put_version(1, Timestamp::UNIX_EPOCH, document).await;
        };
        if newest.programme.to_json().map_err(unreadable)? == document {
            return Ok(newest.number);
        }
        let last = versions.iter().map(|version| version.from).max().unwrap_or(newest.from);
        let after_last = last
            .checked_add(MOMENT)
            .map_err(|_| StoreError::Permanent("the newest version ends the calendar".to_owned()))?;
        let from = from.max(after_last);
        self.put_version(newest.number.saturating_add(1), from, document).await
    }

    async fn put_version(&self, version: u32, from: Timestamp, document: String) -> Result<u32, StoreError> {
        let item = ProgrammeItem { name: programmes::PROGRAMME.to_owned(), version, from, document };
        let is_first = self.put_new(&self.tables.programmes, write(&item)?, programmes::VERSION).await?;
        if is_first { Ok(version) } else { Err(StoreError::Conflict(Role::Programme)) }
    }

    async fn versions(&self) -> Result<Vec<Version>, StoreError> {
        let mut versions = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.programmes)
                .key_condition_expression("#name = :name")
                .expression_attribute_names("#name", programmes::NAME)
                .expression_attribute_values(":name", text(programmes::PROGRAMME))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| StoreError::from_sdk(&error))?;
            self.meter.read(page.consumed_capacity());
            for item in page.items.unwrap_or_default() {
                let ProgrammeItem { version, from, document, .. } = read(item)?;
                let programme = Programme::from_json(&document).map_err(unreadable)?;
                versions.push(Version { number: version, from, programme });
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(versions);
            }
        }
    }
}

fn unreadable(error: ProgrammeError) -> StoreError {
    StoreError::Permanent(format!("the programme: {error}"))
}
