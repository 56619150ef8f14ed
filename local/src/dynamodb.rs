//! DynamoDB on one's own machine: the embedded engine in a file, spoken to in process by the functions' own SDK
//! clients and over DynamoDB's HTTP API by everything else.

mod dispatch;
mod stream_records;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use dynoxide::actions::get_records::{GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::{Database, DynoxideError, streams};
use tokio::sync::watch;

pub use self::stream_records::StreamRecords;
use crate::template::Table;

/// What the engine did not do.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine itself says no.
    #[error("the embedded DynamoDB: {0}")]
    Engine(String),
    /// Its file cannot be read or written.
    #[error("the embedded DynamoDB's file: {0}")]
    File(#[from] rusqlite::Error),
    /// A request of ours that the engine does not understand.
    #[error("the embedded DynamoDB does not understand: {0}")]
    Request(#[from] serde_json::Error),
}

impl From<DynoxideError> for EngineError {
    fn from(error: DynoxideError) -> Self {
        Self::Engine(error.to_string())
    }
}

/// How much the file is worth. With either choice a killed process loses nothing; they differ when the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// After a power cut the file is whole and may lack the last moments.
    Kept,
    /// After a power cut the file may be broken: for data that can be made again, such as a replay's.
    Scratch,
}

/// The embedded engine. Clones share it.
#[derive(Clone)]
pub struct Engine {
    database: Database,
    records: Arc<StreamRecords>,
    written: watch::Sender<()>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Opens or creates the file, and the tables that it lacks.
    pub fn open(file: &Path, durability: Durability, tables: &[Table]) -> Result<Self, EngineError> {
        let database = Database::new(&file.to_string_lossy())?;
        match durability {
            Durability::Kept => database.disable_bulk_loading()?,
            Durability::Scratch => database.enable_bulk_loading()?,
        }
        let records = Arc::new(StreamRecords::open(file)?);
        let engine = Self { database, records, written: watch::Sender::new(()) };
        for table in tables {
            engine.create(table)?;
        }
        Ok(engine)
    }

    fn create(&self, table: &Table) -> Result<(), EngineError> {
        if self.database.get_table_metadata(&table.name)?.is_none() {
            self.database.create_table(serde_json::from_value(table.create.clone())?)?;
        }
        Ok(())
    }

    /// The engine's own handle, to serve its HTTP API.
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// Changes with every write through the functions' clients. What comes over HTTP does not show here but in
    /// [`StreamRecords::version`].
    pub fn writes(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }

    /// The stream records as they lie in the file.
    pub fn records(&self) -> &StreamRecords {
        &self.records
    }

    /// The records of a table's stream after a sequence number, oldest first.
    pub fn records_after(
        &self,
        table: &str,
        position: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Record>, EngineError> {
        let iterator = self.database.get_shard_iterator(GetShardIteratorRequest {
            // The engine reads the table's name out of the ARN, and a table has one stream.
            stream_arn: streams::stream_arn(table, "local"),
            shard_id: streams::shard_id(table),
            shard_iterator_type: if position.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" }
                .to_owned(),
            sequence_number: position.map(str::to_owned),
        })?;
        let shard_iterator = iterator.shard_iterator.unwrap_or_default();
        Ok(self.database.get_records(GetRecordsRequest { shard_iterator, limit: Some(limit) })?.records)
    }

    fn announce_write(&self) {
        self.written.send_replace(());
    }
}
