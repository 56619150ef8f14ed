//! The members there are, with the names by which a programme that reaches across sources would find them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::programme::Identity;
use domain::{Contact, MemberId, Timestamp};
use serde::Deserialize;

use crate::items::{Attributes, read, text};
use crate::keys::members;
use crate::{DirectoryKey, Store, StoreError};

/// A member who has names that mean the same person at every source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nameable {
    /// Who.
    pub member: MemberId,
    /// Since when.
    pub enrolled_at: Timestamp,
    /// The names.
    pub names: Vec<DirectoryKey>,
}

/// The little that is read of a profile.
#[derive(Deserialize)]
struct ProfileItem {
    member: MemberId,
    enrolled_at: Timestamp,
    merged_into: Option<MemberId>,
}

#[derive(Deserialize)]
struct PersonItem {
    member: MemberId,
    #[serde(flatten)]
    contact: Contact,
}

impl Store {
    /// Every member whom such a name finds, whoever came first before the others; of those who have become part of others,
    /// nobody. A scan of the whole table, of which it keeps a little in memory.
    pub async fn nameable_members(&self, identity: Identity) -> Result<Vec<Nameable>, StoreError> {
        let mut enrolled: HashMap<MemberId, Timestamp> = HashMap::new();
        let mut named: Vec<(MemberId, Vec<DirectoryKey>)> = Vec::new();
        let mut start = None;
        loop {
            let (items, next) = self.profiles_and_persons(start).await?;
            for item in items {
                if item.get(members::ITEM) == Some(&text(members::PROFILE)) {
                    let ProfileItem { member, enrolled_at, merged_into } = read(item)?;
                    if merged_into.is_none() {
                        enrolled.insert(member, enrolled_at);
                    }
                } else {
                    let PersonItem { member, contact } = read(item)?;
                    let names: Vec<_> = DirectoryKey::everywhere(&contact, identity).collect();
                    if !names.is_empty() {
                        named.push((member, names));
                    }
                }
            }
            start = next;
            if start.is_none() {
                break;
            }
        }
        let of_members = named.into_iter().filter_map(|(member, names)| {
            let enrolled_at = *enrolled.get(&member)?;
            Some(Nameable { member, enrolled_at, names })
        });
        let mut nameable: Vec<_> = of_members.collect();
        nameable
            .sort_by(|one, other| (one.enrolled_at, &one.member).cmp(&(other.enrolled_at, &other.member)));
        Ok(nameable)
    }

    async fn profiles_and_persons(
        &self,
        start: Option<HashMap<String, AttributeValue>>,
    ) -> Result<(Vec<Attributes>, Option<HashMap<String, AttributeValue>>), StoreError> {
        let page = self
            .client
            .scan()
            .table_name(&self.tables.members)
            .filter_expression("#item IN (:profile, :person)")
            .expression_attribute_names("#item", members::ITEM)
            .expression_attribute_values(":profile", text(members::PROFILE))
            .expression_attribute_values(":person", text(members::PERSON))
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }
}
