//! Commits a decision: all of it in one transaction, or nothing.

mod plan;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem,
};
use domain::{Contact, Decision, MemberId};

use self::plan::{Action, Table, Write, plan, plan_both};
use crate::expression::Placeholders;
use crate::{DirectoryKey, Store, StoreError};

/// What one transaction writes.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// What the rules decided.
    pub decision: &'a Decision,
    /// Set when the decision is a new member's first.
    pub enrolment: Option<&'a Enrolment>,
    /// Set when the member was found by way of another one, who must still be part of this one then.
    pub by_way_of: Option<&'a MemberId>,
}

/// What a new member brings: how to be found, and how to be reached.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// Taken in the directory; a key already taken is a conflict.
    pub keys: Vec<DirectoryKey>,
    /// Kept with the person.
    pub contact: Contact,
}

impl Enrolment {
    /// The same person under other keys.
    pub fn under(&self, keys: &[DirectoryKey]) -> Self {
        Self { keys: keys.to_vec(), contact: self.contact.clone() }
    }
}

impl Store {
    /// Commits a decision in one transaction. A decision that changes nothing writes nothing.
    ///
    /// [`StoreError::Conflict`] names what somebody else wrote first.
    pub async fn commit(&self, commit: Commit<'_>) -> Result<(), StoreError> {
        self.write(plan(&commit)?).await
    }

    /// Commits decisions for two members in one transaction; otherwise as [`Store::commit`].
    pub async fn commit_both(&self, one: &Decision, other: &Decision) -> Result<(), StoreError> {
        self.write(plan_both([one, other])?).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let actions = writes.iter().map(|write| self.action(write)).collect::<Result<_, _>>()?;
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await
            .map_err(|error| {
                self.meter.refused();
                refusal(&writes, &error)
            })?;
        self.meter.written(answer.consumed_capacity());
        Ok(())
    }

    fn action(&self, write: &Write) -> Result<TransactWriteItem, StoreError> {
        let table = match write.table() {
            Table::Members => &self.tables.members,
            Table::Directory => &self.tables.directory,
        };
        let mut placeholders = Placeholders::default();
        let condition = write.condition.expression(&mut placeholders);
        let Placeholders { names, values } = placeholders;
        let names = (!names.is_empty()).then_some(names);
        let values = (!values.is_empty()).then_some(values);
        let item = Some(write.item.clone());
        let action = TransactWriteItem::builder();
        let action = match write.action {
            Action::Put => Put::builder()
                .table_name(table)
                .set_item(item)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map(|put| action.put(put)),
            Action::Delete => {
                Delete::builder().table_name(table).set_key(item).build().map(|delete| action.delete(delete))
            }
            Action::Check => ConditionCheck::builder()
                .table_name(table)
                .set_key(item)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .build()
                .map(|check| action.condition_check(check)),
        };
        Ok(action.map_err(|error| StoreError::Permanent(error.to_string()))?.build())
    }
}

fn refusal<R>(writes: &[Write], error: &SdkError<TransactWriteItemsError, R>) -> StoreError {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            reason(writes, cancelled.cancellation_reasons())
        }
        _ => StoreError::from_sdk(error),
    }
}

/// Reads the reasons of a cancellation, which come one for each write, in the order of the writes. What can
/// never succeed comes before a conflict, and a conflict, which is decided again at once, before a throttle.
fn reason(writes: &[Write], reasons: &[CancellationReason]) -> StoreError {
    let mut conflict = None;
    let mut busy = None;
    for (write, reason) in writes.iter().zip(reasons) {
        match reason.code().unwrap_or("None") {
            "None" => {}
            "ConditionalCheckFailed" | "TransactionConflict" | "DuplicateItem" => {
                conflict = conflict.or(Some(write.role));
            }
            "ThrottlingError" | "ProvisionedThroughputExceeded" => busy = busy.or(Some(write.role)),
            code => {
                let message = reason.message().unwrap_or_default();
                return StoreError::Permanent(format!("{code} for the {}: {message}", write.role));
            }
        }
    }
    match (conflict, busy) {
        (Some(role), _) => StoreError::Conflict(role),
        (None, Some(role)) => StoreError::Retryable(format!("throttled while writing the {role}")),
        (None, None) => StoreError::Retryable("the transaction was cancelled without a reason".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::plan::Condition;
    use super::*;
    use crate::Role;
    use crate::items::Attributes;

    fn answered(codes: &[&str]) -> StoreError {
        let roles = [Role::Profile, Role::Entry, Role::CouponCode];
        let writes = roles.map(|role| Write {
            role,
            action: Action::Put,
            item: Attributes::new(),
            condition: Condition::None,
        });
        let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build());
        reason(&writes, &reasons.collect::<Vec<_>>())
    }

    #[test]
    fn a_conflict_names_the_write_that_stands_at_the_same_place() {
        for (codes, expected) in [
            (["ConditionalCheckFailed", "None", "None"], Role::Profile),
            (["None", "ConditionalCheckFailed", "None"], Role::Entry),
            (["None", "None", "TransactionConflict"], Role::CouponCode),
            (["ThrottlingError", "ConditionalCheckFailed", "ConditionalCheckFailed"], Role::Entry),
        ] {
            assert!(matches!(answered(&codes), StoreError::Conflict(role) if role == expected), "{codes:?}");
        }
    }

    #[test]
    fn a_throttle_is_retryable_and_what_can_never_succeed_is_permanent() {
        assert!(matches!(answered(&["None", "ThrottlingError", "None"]), StoreError::Retryable(_)));
        assert!(matches!(
            answered(&["ProvisionedThroughputExceeded", "None", "None"]),
            StoreError::Retryable(_)
        ));
        assert!(matches!(answered(&["None", "None", "None"]), StoreError::Retryable(_)));
        for never in ["ValidationError", "ItemCollectionSizeLimitExceeded"] {
            let codes = ["ConditionalCheckFailed", "None", never];
            assert!(matches!(answered(&codes), StoreError::Permanent(_)), "{never}");
        }
    }
}
