//! A member's devices, and which messages were sent.

use domain::{DeviceId, MemberId, Timestamp};

use crate::items::{Attributes, device_item, device_of, person_item, sent_item, sha256, text};
use crate::keys::{self, members};
use crate::transaction::{Action, Transacted};
use crate::{Consistency, Store, StoreError};

/// How often others may take an endpoint at the same moment, before the app is asked to come again.
const MAX_ROUNDS: u32 = 20;

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
    /// `email`, `event`, or `push` with a digest of the device.
    pub channel: String,
}

/// The characters of the digest of a device.
const DEVICE_DIGEST: usize = 24;

impl Sent {
    /// A push message to a device. The mark does not name the device: one that is written in the very moment in which
    /// the person is erased names nobody.
    pub fn push(entry: &str, device: &DeviceId) -> Self {
        let digest = sha256(format!("{entry}#{device}"));
        let digest = digest.get(..DEVICE_DIGEST).unwrap_or_default();
        Self { entry: entry.to_owned(), channel: format!("push/{digest}") }
    }

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

    /// Adds or replaces a device of an existing member, or answers [`StoreError::UnknownMember`], also of one who was
    /// erased. Its endpoint is this device's from now on: where it was another one's, that one is forgotten, since the
    /// push service has one endpoint for one app on one phone.
    pub async fn put_device(
        &self,
        member: &MemberId,
        device: &Device,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        // A profile is never removed, so looking first is as safe as a transaction and cheaper.
        if self.member_item(member, members::PROFILE, Consistency::Strong).await?.is_none() {
            return Err(StoreError::UnknownMember);
        }
        for _ in 0..MAX_ROUNDS {
            let holder = self.holder(&device.endpoint).await?;
            let known = self.device(member, &device.id).await?;
            let mut actions = vec![
                self.is_not_erased(member),
                self.take_endpoint(&device.endpoint, member, &device.id, holder.as_ref())?,
                self.write_device(member, device, known.as_ref(), at)?,
            ];
            for place in self.places(holder.as_ref()).await? {
                if place != (member.clone(), device.id.clone()) {
                    actions.push(self.removal(&place));
                }
            }
            if let Some(before) = known.filter(|known| known.endpoint != device.endpoint)
                && self.is_its_own(member, &before).await?
            {
                actions.push(self.release_endpoint(&before.endpoint));
            }
            match self.transact(actions).await? {
                Transacted::Done => return Ok(()),
                Transacted::Refused(0) => return Err(StoreError::UnknownMember),
                Transacted::Refused(_) | Transacted::Contended => {}
            }
        }
        Err(StoreError::Retryable("others keep taking the device's endpoint".to_owned()))
    }

    /// Forgets a device, wherever it came along with a merge; one that is not there is forgotten already.
    pub async fn delete_device(&self, member: &MemberId, device: &DeviceId) -> Result<(), StoreError> {
        let place = (member.clone(), device.clone());
        let mut places = Vec::new();
        let mut actions = Vec::new();
        if let Some(known) = self.device(member, device).await?
            && let Some(holder) = self.holder(&known.endpoint).await?
        {
            places = self.places(Some(&holder)).await?;
            if places.contains(&place) {
                actions.push(self.release_endpoint(&known.endpoint));
            } else {
                places.clear();
            }
        }
        if !places.contains(&place) {
            places.push(place);
        }
        actions.extend(places.iter().map(|place| self.removal(place)));
        match self.transact(actions).await? {
            Transacted::Contended => Err(StoreError::Retryable("the device is being written".to_owned())),
            Transacted::Done | Transacted::Refused(_) => Ok(()),
        }
    }

    /// Gives a member the devices of another one, and the contact where it has none of its own; nothing where either was
    /// erased.
    pub async fn adopt(&self, from: &MemberId, into: &MemberId, at: Timestamp) -> Result<(), StoreError> {
        let known = self.devices(into).await?;
        for device in self.devices(from).await? {
            if known.iter().all(|other| other.id != device.id) {
                let item = came_with(from, device_item(into, &device, at)?);
                self.adopt_item(from, into, item).await?;
            }
        }
        if let Some(contact) = self.contact(from).await? {
            self.adopt_item(from, into, came_with(from, person_item(into, &contact)?)).await?;
        }
        Ok(())
    }

    async fn adopt_item(&self, from: &MemberId, into: &MemberId, item: Attributes) -> Result<(), StoreError> {
        let actions = vec![
            Action::PutNew(&self.tables.members, item, members::MEMBER),
            self.is_not_erased(from),
            self.is_not_erased(into),
        ];
        match self.transact(actions).await? {
            Transacted::Contended => Err(StoreError::Retryable("the member is being written".to_owned())),
            Transacted::Done | Transacted::Refused(_) => Ok(()),
        }
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
