//! The platform's own list of what changed, page by page. Every entry is told as the platform's webhook would have told
//! it, so that one and the same code reads both.

use std::fmt;

use domain::Timestamp;
use serde_json::Value;

use crate::api::{Answer, Resource};
use crate::fields::BadInput;

/// Orders of one page. Some platforms give no more, and no platform is asked for them faster than we store them.
pub(super) const PAGE: &str = "100";

/// A walk over a platform's list. It says what to ask, and hears what was answered.
pub(crate) trait Listing: Send {
    /// The page that comes next; nothing after the last one.
    fn page(&self) -> Option<Resource>;

    /// What that page lists. The walk goes on to the next one.
    fn hear(&mut self, answer: &Answer) -> Result<Vec<Listed>, BadInput>;

    /// Whether the list is one of events, each as it once was sent, and not of orders as they are now.
    fn is_of_events(&self) -> bool {
        false
    }
}

/// One entry of a list, as a webhook would have told it.
#[derive(Clone)]
pub struct Listed {
    /// What the platform calls it, for a message.
    name: String,
    /// The header that says what the body is, where the platform tells it so.
    pub(crate) topic: Option<(&'static str, &'static str)>,
    pub(crate) body: Vec<u8>,
    /// When the platform was asked, if it told the order as it was then.
    pub(crate) read_at: Option<Timestamp>,
}

/// Why a platform's list cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unlisted {
    /// It has none.
    #[error(
        "this platform has no list of orders that could be read; bring what is missing with laurel import orders"
    )]
    Never,
    /// We may not.
    #[error(
        "the source has no api, with which its list of orders could be read; the README says what it needs"
    )]
    NoAccess,
    /// It does not reach so far back.
    #[error(
        "this platform's list reaches back no further than {0} days; name a later --since, and bring what is older \
         with laurel import orders"
    )]
    TooOld(u32),
}

impl Listed {
    /// An entry whose body is the platform's own JSON. Its name is what the JSON has as its identifier.
    pub(super) fn of(body: &Value, topic: Option<(&'static str, &'static str)>) -> Self {
        Self { name: name(body), topic, body: body.to_string().into_bytes(), read_at: None }
    }

    /// The same, named by the order that it tells of.
    pub(super) fn named_by(self, order: &Value) -> Self {
        Self { name: name(order), ..self }
    }

    /// The same, with a word before its name that says what it is.
    pub(super) fn called(self, what: &str) -> Self {
        Self { name: format!("{what} {}", self.name), ..self }
    }

    /// What the platform calls it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn name(body: &Value) -> String {
    let name = ["id", "entity_id"].iter().find_map(|id| match body.get(*id)? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    });
    name.unwrap_or_else(|| "one without an identifier".to_owned())
}

/// Without the body, which names a person.
impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listed").field(&self.name).finish()
    }
}

/// Where a walk over pages with numbers is.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageNumber(Option<u32>);

impl PageNumber {
    pub(super) const FIRST: Self = Self(Some(1));

    /// The number; nothing after the last page.
    pub(super) fn number(self) -> Option<u32> {
        self.0
    }

    /// Goes on to the next page, or ends.
    pub(super) fn go_on(&mut self, is_more: bool) {
        self.0 = self.0.filter(|_| is_more).map(|page| page.saturating_add(1));
    }
}

/// A moment in UTC to the second, without an offset.
pub(super) fn without_offset(at: Timestamp, between: char) -> String {
    at.strftime(&format!("%Y-%m-%d{between}%H:%M:%S")).to_string()
}

/// A moment in UTC to the second, as RFC 3339.
pub(super) fn rfc3339(at: Timestamp) -> String {
    format!("{at:.0}")
}
