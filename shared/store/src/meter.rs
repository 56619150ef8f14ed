//! What the store's calls cost, as DynamoDB tells it with each answer.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Adds up requests and capacity. What a refused write cost, DynamoDB does not tell, so only the request is counted.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    read_halves: AtomicU64,
    write_halves: AtomicU64,
    index_write_halves: AtomicU64,
}

/// What was used up to a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Calls that were answered, refused writes included.
    pub requests: u64,
    /// Read request units; an eventually consistent read of up to 4 KiB is half a one.
    pub read_units: f64,
    /// Write request units, those of indexes included.
    pub write_units: f64,
    /// Write request units of indexes alone.
    pub index_write_units: f64,
}

impl Meter {
    /// A meter at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was used so far.
    pub fn usage(&self) -> Usage {
        Usage {
            requests: self.requests.load(Ordering::Relaxed),
            read_units: units(&self.read_halves),
            write_units: units(&self.write_halves),
            index_write_units: units(&self.index_write_halves),
        }
    }

    pub(crate) fn read(&self, capacity: Option<&ConsumedCapacity>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        add(&self.read_halves, capacity.and_then(ConsumedCapacity::capacity_units));
    }

    /// A write that its condition refused: it costs too, but DynamoDB does not tell how much.
    pub(crate) fn refused(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn written<'a>(&self, capacities: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        for capacity in capacities {
            add(&self.write_halves, capacity.capacity_units());
            for index in capacity.global_secondary_indexes().into_iter().flat_map(|indexes| indexes.values())
            {
                add(&self.index_write_halves, index.capacity_units());
            }
        }
    }
}

/// DynamoDB counts in halves of a unit, which whole numbers add up exactly.
fn add(halves: &AtomicU64, units: Option<f64>) {
    let counted = (units.unwrap_or_default() * 2.0).round();
    halves.fetch_add(counted as u64, Ordering::Relaxed);
}

fn units(halves: &AtomicU64) -> f64 {
    halves.load(Ordering::Relaxed) as f64 / 2.0
}
