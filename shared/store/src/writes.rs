//! The writes of a single item that everything but a commit is made of.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use crate::expression::{Placeholders, Update};
use crate::items::Attributes;
use crate::{Store, StoreError};

/// What became of an update.
pub(crate) enum Written {
    /// Done; the item as it is now.
    Done(Attributes),
    /// Refused by its condition, or because a transaction is writing the item; the item as it is, if it was
    /// told.
    Refused(Option<Attributes>),
}

impl Store {
    /// Updates an item under a condition.
    pub(crate) async fn update(
        &self,
        table: &str,
        key: Attributes,
        update: Update,
    ) -> Result<Written, StoreError> {
        let expression = update.expression();
        let (returned, returned_on_refusal) = update.returns();
        let Placeholders { names, values } = update.placeholders;
        let answer = self
            .client
            .update_item()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(expression)
            .set_condition_expression(update.condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_values(returned)
            .return_values_on_condition_check_failure(returned_on_refusal)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                self.meter.written(answer.consumed_capacity());
                Ok(Written::Done(answer.attributes.unwrap_or_default()))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    self.meter.refused();
                    Ok(Written::Refused(refused.item().cloned()))
                }
                Some(UpdateItemError::TransactionConflictException(_)) => Ok(Written::Refused(None)),
                _ => Err(StoreError::from_sdk(&error)),
            },
        }
    }

    /// Puts an item, over whatever is there.
    pub(crate) async fn put(&self, table: &str, item: Attributes) -> Result<(), StoreError> {
        let answer = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.written(answer.consumed_capacity());
        Ok(())
    }

    /// Puts an item unless one of its key, of which `key` is an attribute, is there; answers whether it did.
    pub(crate) async fn put_new(&self, table: &str, item: Attributes, key: &str) -> Result<bool, StoreError> {
        let answer = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", key)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                self.meter.written(answer.consumed_capacity());
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(refused) if refused.is_conditional_check_failed_exception() => {
                    self.meter.refused();
                    Ok(false)
                }
                _ => Err(StoreError::from_sdk(&error)),
            },
        }
    }

    /// Deletes an item, if it is there.
    pub(crate) async fn delete(&self, table: &str, key: Attributes) -> Result<(), StoreError> {
        let answer = self
            .client
            .delete_item()
            .table_name(table)
            .set_key(Some(key))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.written(answer.consumed_capacity());
        Ok(())
    }
}
