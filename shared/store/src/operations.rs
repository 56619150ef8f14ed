//! What operators did, and who: a record that is only ever added to, in the table of programmes, under a name that no
//! programme has. Nothing of it names a customer.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::time::instant;
use domain::{Timestamp, time};

use crate::items::{Attributes, text};
use crate::keys::programmes;
use crate::{Role, Store, StoreError};

/// The most that are listed at once.
const MAX_LISTED: i32 = 1_000;
/// Of two at one millisecond the second takes the next number.
const MAX_AT_ONE_MOMENT: i64 = 100;

/// One thing that an operator did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// When it was begun.
    pub at: Timestamp,
    /// Who did it, as they or their credentials say.
    pub by: String,
    /// What.
    pub did: String,
}

impl Store {
    /// Keeps an operation for good.
    pub async fn record_operation(&self, operation: &Operation) -> Result<(), StoreError> {
        for more in 0..MAX_AT_ONE_MOMENT {
            let number = operation.at.as_millisecond().saturating_add(more);
            let item: Attributes = HashMap::from([
                (programmes::NAME.to_owned(), text(programmes::OPERATIONS)),
                (programmes::VERSION.to_owned(), AttributeValue::N(number.to_string())),
                (programmes::AT.to_owned(), text(time::sortable(operation.at))),
                (programmes::BY.to_owned(), text(operation.by.as_str())),
                (programmes::DID.to_owned(), text(operation.did.as_str())),
            ]);
            if self.put_new(&self.tables.programmes, item, programmes::VERSION).await? {
                return Ok(());
            }
        }
        Err(StoreError::Conflict(Role::Programme))
    }

    /// The newest operations, the newest first.
    pub async fn operations(&self) -> Result<Vec<Operation>, StoreError> {
        let page = self
            .client
            .query()
            .table_name(&self.tables.programmes)
            .key_condition_expression("#name = :name")
            .expression_attribute_names("#name", programmes::NAME)
            .expression_attribute_values(":name", text(programmes::OPERATIONS))
            .scan_index_forward(false)
            .limit(MAX_LISTED)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        let field = |item: &Attributes, name: &str| Some(item.get(name)?.as_s().ok()?.clone());
        let read = |item: Attributes| {
            let at = instant(&field(&item, programmes::AT)?).ok()?;
            Some(Operation { at, by: field(&item, programmes::BY)?, did: field(&item, programmes::DID)? })
        };
        Ok(page.items.unwrap_or_default().into_iter().filter_map(read).collect())
    }
}
