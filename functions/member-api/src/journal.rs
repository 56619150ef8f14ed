//! A page of a member's journal, newest first.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Entry, Kind, MemberId, Points, Timestamp};
use runtime::Problem;
use serde::Serialize;
use store::JournalCursor;

const DEFAULT_LIMIT: u16 = 25;
/// A page of so many entries stays well below one megabyte, which is what DynamoDB reads at once.
const MAX_LIMIT: u16 = 100;
/// A sort key has at most 1,024 bytes, and base64 adds a third.
const MAX_CURSOR_BYTES: usize = 1_400;

/// The answer's document.
#[derive(Debug, Serialize)]
pub(crate) struct JournalDocument<'a> {
    member: &'a MemberId,
    entries: Vec<EntryDocument<'a>>,
    /// Ask with it for the next page; null on the last one.
    cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct EntryDocument<'a> {
    at: Timestamp,
    recorded_at: Timestamp,
    cause: String,
    n: u32,
    sequence: u64,
    points: Points,
    status_points: Points,
    lifetime_points: Points,
    /// The member whose it is, who has become part of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    came_with: Option<&'a MemberId>,
    #[serde(flatten)]
    kind: &'a Kind,
}

impl<'a> JournalDocument<'a> {
    pub(crate) fn of(member: &'a MemberId, entries: &'a [Entry], next: Option<&JournalCursor>) -> Self {
        Self {
            member,
            entries: entries.iter().map(EntryDocument::of).collect(),
            cursor: next.map(write_cursor),
        }
    }
}

impl<'a> EntryDocument<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            at: entry.id.effective_at,
            recorded_at: entry.recorded_at,
            cause: entry.id.cause.to_string(),
            n: entry.id.n,
            sequence: entry.sequence,
            points: entry.points,
            status_points: entry.status_points,
            lifetime_points: entry.lifetime_points,
            came_with: entry.came_with.as_ref(),
            kind: &entry.kind,
        }
    }
}

/// How many entries were asked for.
pub(crate) fn limit_of(text: Option<&str>) -> Result<u16, Problem> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| Problem::bad_request(format!("The limit is a number from 1 to {MAX_LIMIT}.")))
}

/// Where the page asked for begins. Whether it is a key of the journal, the store says.
pub(crate) fn cursor_of(text: Option<&str>) -> Result<Option<JournalCursor>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let bytes = Some(text).filter(|text| text.len() <= MAX_CURSOR_BYTES);
    let key = bytes.and_then(|text| String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok());
    key.map(|key| Some(JournalCursor(key))).ok_or_else(bad_cursor)
}

/// The problem of a cursor that we did not give out.
pub(crate) fn bad_cursor() -> Problem {
    Problem::bad_request("The cursor is none of ours: send the one of the page before as it is, or none.")
}

fn write_cursor(cursor: &JournalCursor) -> String {
    URL_SAFE_NO_PAD.encode(&cursor.0)
}

#[cfg(test)]
mod tests {
    use domain::{Audience, Cause, EntryId, OrderKey, time};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_is_told_with_what_its_kind_adds() {
        let at = time::instant("2026-03-01T10:00:00Z").unwrap();
        let member = MemberId::new("M1").unwrap();
        let entry = Entry {
            id: EntryId { effective_at: at, cause: Cause::Order(OrderKey::new("shop#1").unwrap()), n: 2 },
            sequence: 7,
            recorded_at: at,
            points: Points(-10),
            lifetime_points: Points::ZERO,
            status_points: Points(10),
            counts: 0,
            kind: Kind::Order { revision: 3 },
            audience: Audience::Nobody,
            came_with: None,
        };
        let next = JournalCursor("journal#2026".to_owned());
        assert_eq!(
            json!(JournalDocument::of(&member, &[entry], Some(&next))),
            json!({
                "member": "M1",
                "entries": [{
                    "at": "2026-03-01T10:00:00Z", "recorded_at": "2026-03-01T10:00:00Z", "cause": "order/shop#1",
                    "n": 2, "sequence": 7, "points": -10, "status_points": 10, "lifetime_points": 0,
                    "kind": "order", "revision": 3,
                }],
                "cursor": write_cursor(&next),
            })
        );
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_given_out_and_rubbish_is_refused() {
        let cursor = JournalCursor("journal#2026-03-01T10:00:00.000Z#order/shop#1%23é#000000".to_owned());
        assert_eq!(cursor_of(Some(&write_cursor(&cursor))), Ok(Some(cursor)));
        assert_eq!(cursor_of(None), Ok(None));
        for rubbish in ["%", "a", "_w", "é", &"A".repeat(MAX_CURSOR_BYTES + 4)] {
            assert_eq!(cursor_of(Some(rubbish)), Err(bad_cursor()), "{rubbish}");
        }
    }

    #[test]
    fn a_page_has_one_to_a_hundred_entries() {
        assert_eq!(limit_of(None), Ok(25));
        assert_eq!(limit_of(Some("100")), Ok(100));
        for text in ["0", "101", "-1", "", "ten", "1e2", "99999999999"] {
            assert!(limit_of(Some(text)).is_err(), "{text}");
        }
    }
}
