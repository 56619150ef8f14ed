//! The tables: the only crate that names the DynamoDB SDK.

mod bodies;
mod commit;
mod contacts;
mod devices;
mod directory;
mod due;
mod endpoints;
mod error;
mod expression;
mod items;
mod joining;
mod journal;
mod keys;
mod members;
mod meter;
mod operations;
mod orders;
pub mod person;
mod programmes;
mod reads;
mod transaction;
mod waiting;
mod writes;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

pub use self::bodies::BodyDigest;
pub use self::commit::{Commit, Enrolment};
pub use self::contacts::CONTACT_ATTRIBUTES;
pub use self::devices::{Device, DevicePlatform, Sent};
pub use self::directory::{DirectoryKey, Found};
pub use self::due::DueMember;
pub use self::error::{Role, StoreError};
pub use self::items::{ImageError, journal_entry_of_image, order_of_image};
pub use self::joining::Nameable;
pub use self::journal::JournalReader;
pub use self::keys::{DUE_SHARDS, JournalCursor};
pub use self::members::{Asked, Current};
pub use self::meter::{Meter, Usage};
pub use self::operations::Operation;
pub use self::orders::{
    Arrival, Aside, Deletion, Dropped, MAX_CORRECTIONS, MAX_REFUNDS_PER_ORDER, Parked, ParkedPage, Recorded,
    Standing, SweepPage, SweepPosition,
};
pub use self::waiting::Claim;

/// The names of the tables, as the template gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Orders and refunds as the platforms told of them.
    pub orders: String,
    /// Profile, journal, coupons, devices: everything of a member.
    pub members: String,
    /// How a member or a coupon is found.
    pub directory: String,
    /// Every version of the programme.
    pub programmes: String,
    /// The erasures that were asked for.
    pub erasures: String,
}

/// Whether a read may be a moment old. A first read may, because the version guards the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Half the price.
    Eventual,
    /// After a conflict.
    Strong,
}

/// All that is stored.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    tables: Tables,
    meter: Arc<Meter>,
}

impl Store {
    /// A store over a client, whose region, credentials and endpoint are the caller's choice.
    pub fn new(client: Client, tables: Tables) -> Self {
        Self { client, tables, meter: Arc::default() }
    }

    /// The same store, its use counted by a meter of the caller's.
    pub fn with_meter(self, meter: Arc<Meter>) -> Self {
        Self { meter, ..self }
    }

    /// The names of the tables.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }
}
