//! What the local stack itself remembers, in one small SQLite file beside the engine's: how far each stream was
//! consumed, the inbox, push endpoints, the clock, and records that were given up.
//!
//! A position is written after the function has done its work. A process killed in between delivers that batch once
//! more, as Lambda does; it never skips one.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS positions (mapping TEXT PRIMARY KEY, sequence_number TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failed_records (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, mapping TEXT NOT NULL, sequence_number TEXT NOT NULL,
    reason TEXT NOT NULL, record TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS endpoints (
    arn TEXT PRIMARY KEY, application TEXT NOT NULL, token TEXT NOT NULL, enabled INTEGER NOT NULL,
    user_data TEXT NOT NULL, UNIQUE (application, token)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, member TEXT, channel TEXT NOT NULL, event TEXT,
    recipient TEXT, title TEXT, body TEXT, payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_of_member ON inbox (member, id);
";

/// The state's file. A damaged or unreadable one is an error at start.
#[derive(Debug)]
pub struct State(Mutex<Connection>);

/// A record that was tried as often as the template allows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FailedRecord {
    /// When it was given up, in local time.
    pub at: String,
    /// Function and event.
    pub mapping: String,
    /// Its place in the stream.
    pub sequence_number: String,
    /// Why it failed the last time.
    pub reason: String,
    /// The record as the function got it, in JSON.
    pub record: String,
}

impl State {
    /// Opens or creates the file.
    pub fn open(file: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// How far a stream was consumed.
    pub fn position(&self, mapping: &str) -> rusqlite::Result<Option<String>> {
        self.connection()
            .prepare_cached("SELECT sequence_number FROM positions WHERE mapping = ?1")?
            .query_row(params![mapping], |row| row.get(0))
            .optional()
    }

    /// Remembers how far a stream was consumed.
    pub fn set_position(&self, mapping: &str, sequence_number: &str) -> rusqlite::Result<()> {
        self.connection()
            .prepare_cached("INSERT OR REPLACE INTO positions (mapping, sequence_number) VALUES (?1, ?2)")?
            .execute(params![mapping, sequence_number])?;
        Ok(())
    }

    /// A number kept under a name.
    pub fn setting(&self, name: &str) -> rusqlite::Result<Option<i64>> {
        self.connection()
            .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
            .query_row(params![name], |row| row.get(0))
            .optional()
    }

    /// Keeps a number under a name.
    pub fn set_setting(&self, name: &str, value: i64) -> rusqlite::Result<()> {
        self.connection()
            .prepare_cached("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)")?
            .execute(params![name, value])?;
        Ok(())
    }

    /// Keeps a record that was given up.
    pub fn keep_failed(&self, failed: &FailedRecord) -> rusqlite::Result<()> {
        let FailedRecord { at, mapping, sequence_number, reason, record } = failed;
        self.connection().execute(
            "INSERT INTO failed_records (at, mapping, sequence_number, reason, record) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![at, mapping, sequence_number, reason, record],
        )?;
        Ok(())
    }

    /// The newest records that were given up, oldest of them first.
    pub fn failed(&self, limit: u32) -> rusqlite::Result<Vec<FailedRecord>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT at, mapping, sequence_number, reason, record FROM
                 (SELECT * FROM failed_records ORDER BY id DESC LIMIT ?1) ORDER BY id",
        )?;
        let rows = statement.query_map(params![limit], |row| {
            Ok(FailedRecord {
                at: row.get(0)?,
                mapping: row.get(1)?,
                sequence_number: row.get(2)?,
                reason: row.get(3)?,
                record: row.get(4)?,
            })
        })?;
        rows.collect()
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves the connection as it was between two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
