//! A member's devices, and which messages were sent.

use domain::{DeviceId, MemberId, Timestamp};

use crate::items::{Attributes, device_item, device_of, member_key, person_item, sent_item, text};
use crate::keys::{self, members};
use crate::{Consistency, Store, StoreError};

/// Whose push service a device uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DevicePlatform {
    /// Apple Push Notification service.
    Apns,
    /// Firebase Cloud Messaging.
    Fcm,
}

/// A device that gets push messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The app's name for it.
    pub id: DeviceId,
    /// Its push service.
    pub platform: DevicePlatform,
    /// The SNS endpoint.
    pub endpoint: String,
}

/// Which message of which journal entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The journal entry's sort key.
    pub entry: String,
    /// `email`, `event`, or `push` with the device.
    pub channel: String,
}

impl Sent {
    fn item(&self) -> String {
        keys::sent(&self.entry, &self.channel)
    }
}

/// Marks what is another member's, so that it goes with them if the merge is taken back.
fn came_with(from: &MemberId, mut item: Attributes) -> Attributes {
    item.insert(members::CAME_WITH.to_owned(), text(from.as_str()));
    item
}

impl Store {
    /// The devices of a member.
    pub async fn devices(&self, member: &MemberId) -> Result<Vec<Device>, StoreError> {
        let consistency = Consistency::Eventual;
        let items = self.member_items(member, members::DEVICE, members::DEVICE, consistency).await?;
        Ok(items.into_iter().map(device_of).collect::<Result<_, _>>()?)
    }

    /// Adds or replaces a device of an existing member, or answers [`StoreError::UnknownMember`].
    pub async fn put_device(
        &self,
        member: &MemberId,
        device: &Device,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        // A profile is never removed, so looking first is as safe as a transaction and a quarter of its
        // price.
        if self.member_item(member, members::PROFILE, Consistency::Strong).await?.is_none() {
            return Err(StoreError::UnknownMember);
        }
        self.put(&self.tables.members, device_item(member, device, at)?).await
    }

    /// Forgets a device; one that is not there is forgotten already.
    pub async fn delete_device(&self, member: &MemberId, device: &DeviceId) -> Result<(), StoreError> {
        self.delete(&self.tables.members, member_key(member, &keys::device(device))).await
    }

    /// Gives a member the devices of another one, and the contact where it has none of its own.
    pub async fn adopt(&self, from: &MemberId, into: &MemberId, at: Timestamp) -> Result<(), StoreError> {
        let known = self.devices(into).await?;
        for device in self.devices(from).await? {
            if known.iter().all(|other| other.id != device.id) {
                let item = came_with(from, device_item(into, &device, at)?);
                self.put(&self.tables.members, item).await?;
            }
        }
        if let Some(contact) = self.contact(from).await? {
            let item = came_with(from, person_item(into, &contact)?);
            self.put_new(&self.tables.members, item, members::MEMBER).await?;
        }
        Ok(())
    }

    /// Takes from a member whatever contact and devices had come with another one, or were told by their name since.
    pub async fn give_up(&self, into: &MemberId, from: &MemberId) -> Result<(), StoreError> {
        let consistency = Consistency::Strong;
        let mut held = self.member_items(into, members::DEVICE, members::DEVICE, consistency).await?;
        held.extend(self.member_item(into, members::PERSON, consistency).await?);
        for mut item in held {
            if item.get(members::CAME_WITH) != Some(&text(from.as_str())) {
                continue;
            }
            item.retain(|name, _| name == members::MEMBER || name == members::ITEM);
            self.delete(&self.tables.members, item).await?;
        }
        Ok(())
    }

    /// Whether a message of a journal entry was already sent.
    pub async fn was_sent(&self, member: &MemberId, sent: &Sent) -> Result<bool, StoreError> {
        Ok(self.member_item(member, &sent.item(), Consistency::Strong).await?.is_some())
    }

    /// Remembers that a message was sent.
    pub async fn mark_sent(&self, member: &MemberId, sent: &Sent, at: Timestamp) -> Result<(), StoreError> {
        self.put(&self.tables.members, sent_item(member, sent.item(), at)?).await
    }
}
