//! The reads that everything else is made of: one item, and a range of a member's items to its last page.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::MemberId;

use crate::items::{Attributes, member_key, text};
use crate::keys::{self, members};
use crate::{Consistency, Store, StoreError};

impl Consistency {
    pub(crate) fn is_strong(self) -> bool {
        self == Self::Strong
    }
}

impl Store {
    /// One item of a table.
    pub(crate) async fn get(
        &self,
        table: &str,
        key: Attributes,
        consistency: Consistency,
    ) -> Result<Option<Attributes>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(table)
            .set_key(Some(key))
            .consistent_read(consistency.is_strong())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(answer.consumed_capacity());
        Ok(answer.item)
    }

    /// One of a member's items.
    pub(crate) async fn member_item(
        &self,
        member: &MemberId,
        item: &str,
        consistency: Consistency,
    ) -> Result<Option<Attributes>, StoreError> {
        self.get(&self.tables.members, member_key(member, item), consistency).await
    }

    /// Every item of a member from a sort key to the end of its prefix, in key order, every page followed.
    pub(crate) async fn member_items(
        &self,
        member: &MemberId,
        prefix: &str,
        from: &str,
        consistency: Consistency,
    ) -> Result<Vec<Attributes>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.members)
                .key_condition_expression("#member = :member AND #item BETWEEN :from AND :after")
                .expression_attribute_names("#member", members::MEMBER)
                .expression_attribute_names("#item", members::ITEM)
                .expression_attribute_values(":member", text(member.as_str()))
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":after", text(keys::after(prefix)))
                .consistent_read(consistency.is_strong())
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| StoreError::from_sdk(&error))?;
            self.meter.read(page.consumed_capacity());
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }
}
