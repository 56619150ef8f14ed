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
        let mut range = Some(Range::new(from, keys::after(prefix)));
        while let Some(rest) = range {
            let page;
            (page, range) = self.member_page(member, rest, consistency).await?;
            items.extend(page);
        }
        Ok(items)
    }

    /// One page of a member's items, as large as DynamoDB makes it, and the range of what is left.
    pub(crate) async fn member_page(
        &self,
        member: &MemberId,
        range: Range,
        consistency: Consistency,
    ) -> Result<(Vec<Attributes>, Option<Range>), StoreError> {
        let page = self
            .client
            .query()
            .table_name(&self.tables.members)
            .key_condition_expression("#member = :member AND #item BETWEEN :from AND :after")
            .expression_attribute_names("#member", members::MEMBER)
            .expression_attribute_names("#item", members::ITEM)
            .expression_attribute_values(":member", text(member.as_str()))
            .expression_attribute_values(":from", text(range.from.as_str()))
            .expression_attribute_values(":after", text(range.after.as_str()))
            .consistent_read(consistency.is_strong())
            .set_exclusive_start_key(range.read_up_to.as_ref().map(|item| member_key(member, item)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        let last = page.last_evaluated_key.as_ref().and_then(|key| key.get(members::ITEM)?.as_s().ok());
        let rest = last.map(|last| Range { read_up_to: Some(last.clone()), ..range });
        Ok((page.items.unwrap_or_default(), rest))
    }
}

/// Sort keys between two others, as far as they are not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    from: String,
    after: String,
    read_up_to: Option<String>,
}

impl Range {
    pub(crate) fn new(from: impl Into<String>, after: impl Into<String>) -> Self {
        Self { from: from.into(), after: after.into(), read_up_to: None }
    }
}
