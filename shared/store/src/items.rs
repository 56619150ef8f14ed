//! How each thing lies in its table, both ways: native attributes, named as the fields are, absent where
//! there is nothing. The same code reads what a call answers and what a stream record brings.

mod entry;
mod order;
mod profile;
#[cfg(test)]
mod size;

use std::collections::HashMap;
use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Contact, Coupon, DeviceId, MemberId, Once, OrderKey, RaterHistory, RaterId, Timestamp};
use ring::digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_dynamo::Item;

pub use self::entry::journal_entry_of_image;
pub(crate) use self::entry::{entry_item, entry_of};
pub use self::order::order_of_image;
pub(crate) use self::order::{customer_value, refund_value, snapshot_attributes};
pub(crate) use self::profile::{due_attributes, profile_item, profile_of};
use crate::keys::{self, members};
use crate::{Aside, Device, DevicePlatform, Dropped, Parked, Standing};

/// An item as the SDK has it.
pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// A stored item that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stored item cannot be read: {0}")]
pub struct ImageError(pub String);

impl ImageError {
    /// Says what is wrong.
    pub(crate) fn new(what: impl std::fmt::Display) -> Self {
        Self(what.to_string())
    }
}

/// Writes an item.
pub(crate) fn write<T: Serialize>(thing: &T) -> Result<Attributes, ImageError> {
    serde_dynamo::to_item(thing).map_err(ImageError::new)
}

/// Writes one attribute.
pub(crate) fn write_value<T: Serialize>(thing: &T) -> Result<AttributeValue, ImageError> {
    serde_dynamo::to_attribute_value(thing).map_err(ImageError::new)
}

/// Reads an item.
pub(crate) fn read<T: DeserializeOwned>(item: impl Into<Item>) -> Result<T, ImageError> {
    serde_dynamo::from_item(item).map_err(ImageError::new)
}

/// A text.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A whole number.
pub(crate) fn number(value: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// The key of one of a member's items.
pub(crate) fn member_key(member: &MemberId, item: &str) -> Attributes {
    HashMap::from([
        (members::MEMBER.to_owned(), text(member.as_str())),
        (members::ITEM.to_owned(), text(item)),
    ])
}

/// One of a member's items.
#[derive(Serialize, Deserialize)]
pub(crate) struct MemberItem<T> {
    pub(crate) member: MemberId,
    pub(crate) item: String,
    #[serde(flatten)]
    pub(crate) body: T,
}

pub(crate) fn coupon_item(member: &MemberId, coupon: &Coupon) -> Result<Attributes, ImageError> {
    write(&MemberItem { member: member.clone(), item: keys::coupon(&coupon.code), body: coupon })
}

pub(crate) fn person_item(member: &MemberId, contact: &Contact) -> Result<Attributes, ImageError> {
    write(&MemberItem { member: member.clone(), item: members::PERSON.to_owned(), body: contact })
}

#[derive(Serialize, Deserialize)]
struct DeviceBody {
    platform: DevicePlatform,
    endpoint: String,
    registered_at: Timestamp,
}

pub(crate) fn device_item(
    member: &MemberId,
    device: &Device,
    at: Timestamp,
) -> Result<Attributes, ImageError> {
    let body = DeviceBody { platform: device.platform, endpoint: device.endpoint.clone(), registered_at: at };
    write(&MemberItem { member: member.clone(), item: keys::device(&device.id), body })
}

pub(crate) fn device_of(item: Attributes) -> Result<Device, ImageError> {
    let MemberItem { item, body, .. } = read::<MemberItem<DeviceBody>>(item)?;
    let id = item.strip_prefix(members::DEVICE).unwrap_or_default();
    let id = DeviceId::new(id).map_err(|error| ImageError(format!("a device's id {error}")))?;
    Ok(Device { id, platform: body.platform, endpoint: body.endpoint })
}

#[derive(Serialize)]
struct SentBody {
    sent_at: Timestamp,
}

pub(crate) fn sent_item(member: &MemberId, item: String, at: Timestamp) -> Result<Attributes, ImageError> {
    write(&MemberItem { member: member.clone(), item, body: SentBody { sent_at: at } })
}

/// What a rater has given so far.
#[derive(Serialize, Deserialize)]
pub(crate) struct RaterItem {
    member: String,
    item: String,
    #[serde(flatten)]
    pub(crate) history: RaterHistory,
}

pub(crate) fn rater_key(rater: &RaterId) -> Attributes {
    HashMap::from([
        (members::MEMBER.to_owned(), text(keys::rater(rater))),
        (members::ITEM.to_owned(), text(members::RATINGS_GIVEN)),
    ])
}

pub(crate) fn rater_item(rater: &RaterId, history: RaterHistory) -> Result<Attributes, ImageError> {
    write(&RaterItem { member: keys::rater(rater), item: members::RATINGS_GIVEN.to_owned(), history })
}

/// The mark of what is posted once for ever: a digest of what was asked, and the entry that came of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct OnceBody {
    pub(crate) request: String,
    entry: String,
}

pub(crate) fn once_item(member: &MemberId, once: &Once) -> Result<Attributes, ImageError> {
    let body = OnceBody { request: sha256(&once.request), entry: keys::entry(&once.entry) };
    write(&MemberItem { member: member.clone(), item: keys::once(&once.entry.cause), body })
}

/// A digest as text.
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    let digest = digest::digest(&digest::SHA256, bytes.as_ref());
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A way to find a member.
#[derive(Serialize, Deserialize)]
pub(crate) struct DirectoryItem {
    pub(crate) key: String,
    pub(crate) member: MemberId,
}

/// A version of the programme.
#[derive(Serialize, Deserialize)]
pub(crate) struct ProgrammeItem {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) from: Timestamp,
    /// The programme as JSON text: one schema for file, API and table.
    pub(crate) document: String,
}

/// The key of an order's item.
pub(crate) fn order_key_of(item: Attributes) -> Result<OrderKey, ImageError> {
    #[derive(Deserialize)]
    struct OrderItem {
        order: OrderKey,
    }
    Ok(read::<OrderItem>(item)?.order)
}

pub(crate) fn parked_of(item: Attributes) -> Result<Parked, ImageError> {
    #[derive(Deserialize)]
    struct ParkedItem {
        order: OrderKey,
        parked: Aside,
    }
    let ParkedItem { order, parked } = read(item)?;
    Ok(Parked { key: order, reason: parked.reason, at: parked.at })
}

/// Whether an order's item is processed.
pub(crate) fn standing_of(item: Attributes) -> Result<Standing, ImageError> {
    #[derive(Deserialize)]
    struct StandingItem {
        parked: Option<Aside>,
        dropped: Option<Dropped>,
    }
    Ok(match read(item)? {
        StandingItem { parked: Some(parked), .. } => Standing::Parked(parked),
        StandingItem { dropped: Some(dropped), .. } => Standing::Dropped(dropped),
        StandingItem { parked: None, dropped: None } => Standing::Active,
    })
}
