//! The engine's table of stream records, seen over a second connection to its file: the index that the engine lacks,
//! and the trimming that it does not do.
//!
//! Before each write to a table with a stream the engine asks for the greatest sequence number of that table, as
//! text turned into a number, without an index: every write would then read every record ever written. The index
//! below serves that very expression, and the reading of the stream as well.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};

/// While the engine commits, which takes milliseconds, we wait.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const CREATE_INDEX: &str = "CREATE INDEX IF NOT EXISTS _laurel_stream_order
     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// Everything up to a record, but never the newest: the engine numbers the next record after it.
const TRIM: &str = "DELETE FROM _stream_records
     WHERE table_name = ?1
       AND CAST(sequence_number AS INTEGER) <= ?2
       AND CAST(sequence_number AS INTEGER) <
           (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1)";

/// What the engine adds to a stored number to make the 21 digits that DynamoDB's sequence numbers have.
const PUBLIC_OFFSET: u128 = 100_000_000_000_000_000_000;

/// A second connection to the engine's file.
#[derive(Debug)]
pub struct StreamRecords(Mutex<Connection>);

impl StreamRecords {
    /// Connects, and adds the index.
    pub(super) fn open(file: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // What is trimmed was processed long ago; losing a trimming to a power cut costs nothing.
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.execute_batch(CREATE_INDEX)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// A number that changes whenever the engine commits anything, over whichever way the write came.
    pub fn version(&self) -> rusqlite::Result<i64> {
        self.connection().prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
    }

    /// Forgets the records of a table up to and with a sequence number. Returns how many there were.
    pub fn trim(&self, table: &str, up_to: &str) -> rusqlite::Result<usize> {
        let Some(stored) = stored(up_to) else { return Ok(0) };
        self.connection().prepare_cached(TRIM)?.execute(params![table, stored])
    }

    /// How many records of a table are kept.
    pub fn count(&self, table: &str) -> rusqlite::Result<i64> {
        self.connection().query_row(
            "SELECT COUNT(*) FROM _stream_records WHERE table_name = ?1",
            params![table],
            |row| row.get(0),
        )
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves the connection as it was between two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stored(public: &str) -> Option<i64> {
    i64::try_from(public.parse::<u128>().ok()?.checked_sub(PUBLIC_OFFSET)?).ok()
}
