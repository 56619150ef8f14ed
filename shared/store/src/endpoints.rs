//! Whose device an endpoint of the push service is. A token has one endpoint, whoever is logged in to the app, so the
//! directory names the one device that has it: the one that told it last. A device from before the directory knew of
//! endpoints is whose it lies with, until the endpoint is told anew.

use std::collections::HashMap;

use domain::{DeviceId, MemberId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::expression::Update;
use crate::items::{Attributes, device_item, device_of, member_key, read, text};
use crate::keys::{self, directory, members};
use crate::transaction::Action;
use crate::{Consistency, Device, Store, StoreError};

/// Where a device lies: with whom, and under which name.
pub(crate) type Place = (MemberId, DeviceId);

/// Whose an endpoint is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Holder {
    member: MemberId,
    device: DeviceId,
}

impl Store {
    /// A device of a member.
    pub async fn device(&self, member: &MemberId, device: &DeviceId) -> Result<Option<Device>, StoreError> {
        let item = self.member_item(member, &keys::device(device), Consistency::Strong).await?;
        Ok(item.map(device_of).transpose()?)
    }

    /// Whether no device has told an endpoint, or none any more.
    pub async fn is_nobodys(&self, endpoint: &str) -> Result<bool, StoreError> {
        Ok(self.holder(endpoint).await?.is_none())
    }

    /// Whether a device's endpoint is not another device's since.
    pub async fn is_its_own(&self, member: &MemberId, device: &Device) -> Result<bool, StoreError> {
        let Some(holder) = self.holder(&device.endpoint).await? else { return Ok(true) };
        let place = (member.clone(), device.id.clone());
        Ok(self.places(Some(&holder)).await?.contains(&place))
    }

    pub(crate) async fn holder(&self, endpoint: &str) -> Result<Option<Holder>, StoreError> {
        let item = self.get(&self.tables.directory, endpoint_key(endpoint), Consistency::Strong).await?;
        Ok(item.map(read).transpose()?)
    }

    /// Everywhere a holder's device lies: a merge copies it, and leaves the first for when the merge is taken back.
    pub(crate) async fn places(&self, holder: Option<&Holder>) -> Result<Vec<Place>, StoreError> {
        let Some(Holder { member, device }) = holder else { return Ok(Vec::new()) };
        let current = self.current_member(member, Consistency::Strong).await?;
        let merged =
            current.into_iter().flat_map(|current| current.way.into_iter().chain([current.profile.member]));
        let mut members: Vec<MemberId> = merged.collect();
        if members.is_empty() {
            members.push(member.clone());
        }
        Ok(members.into_iter().map(|member| (member, device.clone())).collect())
    }

    /// Makes an endpoint a device's, if it is still whose it was.
    pub(crate) fn take_endpoint(
        &self,
        endpoint: &str,
        member: &MemberId,
        device: &DeviceId,
        before: Option<&Holder>,
    ) -> Result<Action<'_>, StoreError> {
        let mut update = Update::default();
        update.set(directory::MEMBER, text(member.as_str()));
        update.set(directory::DEVICE, text(device.as_str()));
        match before {
            Some(holder) => {
                update.if_equal(directory::MEMBER, text(holder.member.as_str()));
                update.and_if_equal(directory::DEVICE, text(holder.device.as_str()));
            }
            None => update.if_missing(directory::KEY),
        }
        Ok(Action::Update(&self.tables.directory, endpoint_key(endpoint), update))
    }

    /// Writes a device, if it is still as it was.
    pub(crate) fn write_device(
        &self,
        member: &MemberId,
        device: &Device,
        before: Option<&Device>,
        at: Timestamp,
    ) -> Result<Action<'_>, StoreError> {
        let key = member_key(member, &keys::device(&device.id));
        let mut update = Update::default();
        for (attribute, value) in device_item(member, device, at)? {
            if !key.contains_key(&attribute) {
                update.set(&attribute, value);
            }
        }
        update.remove(members::CAME_WITH);
        match before {
            Some(before) => update.if_equal(members::ENDPOINT, text(&before.endpoint)),
            None => update.if_missing(members::ENDPOINT),
        }
        Ok(Action::Update(&self.tables.members, key, update))
    }

    pub(crate) fn release_endpoint(&self, endpoint: &str) -> Action<'_> {
        Action::Delete(&self.tables.directory, endpoint_key(endpoint))
    }

    pub(crate) fn removal(&self, (member, device): &Place) -> Action<'_> {
        Action::Delete(&self.tables.members, member_key(member, &keys::device(device)))
    }
}

fn endpoint_key(endpoint: &str) -> Attributes {
    HashMap::from([(directory::KEY.to_owned(), text(format!("{}{endpoint}", directory::ENDPOINT)))])
}
