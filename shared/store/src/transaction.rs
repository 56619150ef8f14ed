//! A few writes of different tables that are done together or not at all; a commit of a decision has its own way.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem,
    Update as UpdateItem,
};

use crate::expression::{Placeholders, Update};
use crate::items::Attributes;
use crate::{Store, StoreError};

/// One of the writes.
pub(crate) enum Action<'a> {
    /// Updates an item under its condition.
    Update(&'a str, Attributes, Update),
    /// Puts an item unless one of its key, of which the last is an attribute, is there.
    PutNew(&'a str, Attributes, &'static str),
    /// Deletes an item, if it is there.
    Delete(&'a str, Attributes),
    /// Requires that there is no item of this key, of which the last is an attribute.
    Absent(&'a str, Attributes, &'static str),
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transacted {
    /// All of it is done.
    Done,
    /// Nothing is done, because the condition of this one, counted from 0, does not hold.
    Refused(usize),
    /// Nothing is done, because somebody else is writing one of the items at this moment.
    Contended,
}

impl Store {
    /// Does all of it, or nothing.
    pub(crate) async fn transact(&self, actions: Vec<Action<'_>>) -> Result<Transacted, StoreError> {
        let items = actions.into_iter().map(Action::item).collect::<Result<_, _>>()?;
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                self.meter.written(answer.consumed_capacity());
                Ok(Transacted::Done)
            }
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    self.meter.refused();
                    outcome(cancelled.cancellation_reasons())
                }
                _ => Err(StoreError::from_sdk(&error)),
            },
        }
    }
}

impl Action<'_> {
    fn item(self) -> Result<TransactWriteItem, StoreError> {
        let item = TransactWriteItem::builder();
        let wrong = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Permanent(error.to_string());
        Ok(match self {
            Self::Update(table, key, update) => {
                let expression = update.expression();
                let Placeholders { names, values } = update.placeholders;
                let update = UpdateItem::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .update_expression(expression)
                    .set_condition_expression(update.condition)
                    .set_expression_attribute_names(Some(names))
                    .set_expression_attribute_values((!values.is_empty()).then_some(values));
                item.update(update.build().map_err(wrong)?)
            }
            Self::PutNew(table, new, attribute) => {
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(new))
                    .condition_expression("attribute_not_exists(#key)")
                    .expression_attribute_names("#key", attribute);
                item.put(put.build().map_err(wrong)?)
            }
            Self::Delete(table, key) => {
                item.delete(Delete::builder().table_name(table).set_key(Some(key)).build().map_err(wrong)?)
            }
            Self::Absent(table, key, attribute) => {
                let check = ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .condition_expression("attribute_not_exists(#key)")
                    .expression_attribute_names("#key", attribute);
                item.condition_check(check.build().map_err(wrong)?)
            }
        }
        .build())
    }
}

/// Reads the reasons of a cancellation, which come one for each action, in their order.
fn outcome(reasons: &[CancellationReason]) -> Result<Transacted, StoreError> {
    let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
    let codes: Vec<String> = reasons.iter().map(code).collect();
    if let Some(refused) = codes.iter().position(|code| code == "ConditionalCheckFailed") {
        return Ok(Transacted::Refused(refused));
    }
    if codes.iter().any(|code| code == "TransactionConflict") {
        return Ok(Transacted::Contended);
    }
    let busy = ["ThrottlingError", "ProvisionedThroughputExceeded", "None"];
    match codes.iter().find(|code| !busy.contains(&code.as_str())) {
        Some(never) => Err(StoreError::Permanent(format!("{never} in a transaction"))),
        None => Err(StoreError::Retryable("throttled in a transaction".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(codes: &[&str]) -> Result<Transacted, StoreError> {
        let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build());
        outcome(&reasons.collect::<Vec<_>>())
    }

    #[test]
    fn a_cancellation_says_which_condition_did_not_hold_or_that_somebody_else_was_writing() {
        assert_eq!(answered(&["None", "ConditionalCheckFailed"]).unwrap(), Transacted::Refused(1));
        assert_eq!(answered(&["ConditionalCheckFailed", "None"]).unwrap(), Transacted::Refused(0));
        assert_eq!(answered(&["None", "TransactionConflict"]).unwrap(), Transacted::Contended);
        assert!(matches!(answered(&["None", "ThrottlingError"]), Err(StoreError::Retryable(_))));
        assert!(matches!(answered(&["ValidationError", "None"]), Err(StoreError::Permanent(_))));
    }
}
