//! What members and integrators would have got: everything that was published, newest last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::params;
use serde::Serialize;
use serde_json::Value;

use crate::state::State;

/// Older messages go when this many are kept, so that a stack that runs for months does not fill the disk.
const KEEPS: i64 = 100_000;
/// How often older ones are looked for.
const SWEEPS_EVERY: u64 = 1_000;
/// The most messages of one answer.
pub const MAX_LISTED: u32 = 1_000;

/// Whether messages are kept or only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// For people to read.
    Kept,
    /// For a replay, whose hundred thousand messages nobody reads.
    Counted,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// When it was sent, in local time.
    pub at: String,
    /// Whom it is about.
    pub member: Option<String>,
    /// `push`, `email` or `event`.
    pub channel: String,
    /// What happened.
    pub event: Option<String>,
    /// The address or the endpoint.
    pub to: Option<String>,
    /// The subject or title.
    pub title: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// All that was published.
    pub payload: Value,
}

/// Which messages to list.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only those about a member.
    pub member: Option<String>,
    /// Only those of a channel.
    pub channel: Option<String>,
    /// How many, the newest.
    pub limit: Option<u32>,
}

/// How many messages went out since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// To devices.
    pub push: u64,
    /// E-mails.
    pub email: u64,
    /// Events for integrators.
    pub event: u64,
}

/// The inbox.
#[derive(Debug)]
pub struct Inbox {
    state: Arc<State>,
    keeping: Keeping,
    push: AtomicU64,
    email: AtomicU64,
    event: AtomicU64,
}

impl Inbox {
    /// The inbox in a state.
    pub fn new(state: Arc<State>, keeping: Keeping) -> Self {
        let zero = || AtomicU64::new(0);
        Self { state, keeping, push: zero(), email: zero(), event: zero() }
    }

    /// Takes a message.
    pub fn deliver(&self, message: &Message) -> rusqlite::Result<()> {
        let counter = match message.channel.as_str() {
            "push" => &self.push,
            "email" => &self.email,
            _ => &self.event,
        };
        let before = counter.fetch_add(1, Ordering::Relaxed);
        if self.keeping == Keeping::Counted {
            return Ok(());
        }
        let Message { at, member, channel, event, to, title, body, payload } = message;
        let connection = self.state.connection();
        connection
            .prepare_cached(
                "INSERT INTO inbox (at, member, channel, event, recipient, title, body, payload)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![at, member, channel, event, to, title, body, payload.to_string()])?;
        if before % SWEEPS_EVERY == 0 {
            connection
                .execute("DELETE FROM inbox WHERE id <= (SELECT MAX(id) FROM inbox) - ?1", params![KEEPS])?;
        }
        Ok(())
    }

    /// The newest messages of a selection, newest last.
    pub fn list(&self, selection: &Selection) -> rusqlite::Result<Vec<Message>> {
        let connection = self.state.connection();
        let mut statement = connection.prepare_cached(
            "SELECT at, member, channel, event, recipient, title, body, payload FROM
                 (SELECT * FROM inbox WHERE (?1 IS NULL OR member = ?1) AND (?2 IS NULL OR channel = ?2)
                  ORDER BY id DESC LIMIT ?3)
             ORDER BY id",
        )?;
        let limit = selection.limit.unwrap_or(MAX_LISTED).min(MAX_LISTED);
        let rows = statement.query_map(params![selection.member, selection.channel, limit], |row| {
            let payload: String = row.get(7)?;
            Ok(Message {
                at: row.get(0)?,
                member: row.get(1)?,
                channel: row.get(2)?,
                event: row.get(3)?,
                to: row.get(4)?,
                title: row.get(5)?,
                body: row.get(6)?,
                payload: serde_json::from_str(&payload).unwrap_or(Value::String(payload)),
            })
        })?;
        rows.collect()
    }

    /// How many went out since the start.
    pub fn counts(&self) -> Counts {
        Counts {
            push: self.push.load(Ordering::Relaxed),
            email: self.email.load(Ordering::Relaxed),
            event: self.event.load(Ordering::Relaxed),
        }
    }
}
