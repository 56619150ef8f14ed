//! A journal entry: its key is its sort key, and what is zero is absent.

use domain::{Audience, Entry, Kind, MemberId, Points, Timestamp};
use serde::{Deserialize, Serialize};
use serde_dynamo::Item;

use super::{Attributes, ImageError, MemberItem, read, write};
use crate::keys;

#[derive(Serialize, Deserialize)]
struct EntryBody {
    sequence: u64,
    recorded_at: Timestamp,
    #[serde(default, skip_serializing_if = "is_default")]
    points: Points,
    #[serde(default, skip_serializing_if = "is_default")]
    lifetime_points: Points,
    #[serde(default, skip_serializing_if = "is_default")]
    status_points: Points,
    #[serde(default, skip_serializing_if = "is_default")]
    counts: i8,
    /// The notifications stream's filter looks for this.
    #[serde(default, skip_serializing_if = "Audience::is_nobody")]
    audience: Audience,
    /// What an entry of before has instead, where everybody hears of it.
    #[serde(default, skip_serializing)]
    notify: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    came_with: Option<MemberId>,
    #[serde(flatten)]
    kind: Kind,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Writes an entry.
pub(crate) fn entry_item(member: &MemberId, entry: &Entry) -> Result<Attributes, ImageError> {
    let body = EntryBody {
        sequence: entry.sequence,
        recorded_at: entry.recorded_at,
        points: entry.points,
        lifetime_points: entry.lifetime_points,
        status_points: entry.status_points,
        counts: entry.counts,
        audience: entry.audience,
        notify: false,
        came_with: entry.came_with.clone(),
        kind: entry.kind.clone(),
    };
    write(&MemberItem { member: member.clone(), item: keys::entry(&entry.id), body })
}

/// Reads a journal entry from the image of a stream record, with its member and its sort key.
pub fn journal_entry_of_image(image: Item) -> Result<(MemberId, String, Entry), ImageError> {
    let MemberItem { member, item, body } = read::<MemberItem<EntryBody>>(image)?;
    let id =
        keys::entry_id(&item).ok_or_else(|| ImageError("the sort key is no journal entry's".to_owned()))?;
    let entry = Entry {
        id,
        sequence: body.sequence,
        recorded_at: body.recorded_at,
        points: body.points,
        lifetime_points: body.lifetime_points,
        status_points: body.status_points,
        counts: body.counts,
        kind: body.kind,
        audience: if body.notify { Audience::Everybody } else { body.audience },
        came_with: body.came_with,
    };
    Ok((member, item, entry))
}

/// Reads an entry that a query answered.
pub(crate) fn entry_of(item: Attributes) -> Result<Entry, ImageError> {
    journal_entry_of_image(item.into()).map(|(_, _, entry)| entry)
}

#[cfg(test)]
mod tests {
    use domain::{
        Cause, CouponCode, EntryId, LevelId, OrderKey, Period, RaterId, RatingId, Reason, RewardId, Score,
        time,
    };

    use super::*;

    fn at(text: &str) -> Timestamp {
        time::instant(text).unwrap()
    }

    fn entry(cause: Cause, kind: Kind) -> Entry {
        Entry {
            id: EntryId { effective_at: at("2026-03-01T10:00:00.123Z"), cause, n: 3 },
            sequence: u64::MAX,
            recorded_at: at("2026-03-01T10:00:01Z"),
            points: Points(i64::MIN),
            lifetime_points: Points(i64::MAX),
            status_points: Points(-1),
            counts: -1,
            kind,
            audience: Audience::Everybody,
            came_with: MemberId::new("m2").ok(),
        }
    }

    fn one_of_each_kind() -> Vec<Entry> {
        let order = OrderKey::new("shop#1%235").unwrap();
        let code = CouponCode::new("ABCD-EFGH-2345").unwrap();
        let reward = RewardId::new("ten-percent").unwrap();
        let gold = LevelId::new("gold").unwrap();
        let end = at("2026-06-01T10:00:00Z");
        let issued = |ends_at, told_from| Kind::CouponIssued {
            code: code.clone(),
            reward: reward.clone(),
            ends_at,
            told_from,
            on_request: None,
        };
        let tier = |from, to, up| {
            let kind = Kind::TierChanged { from, to, up, kept_until: up.then_some(end) };
            entry(Cause::Tier("2026-03-01".parse().unwrap()), kind)
        };
        let rated = |score: &str, rater: Option<&str>, set_aside| Kind::Rated {
            score: Score::new(score.parse().unwrap()).unwrap(),
            rater: rater.map(|rater| RaterId::new(rater).unwrap()),
            set_aside,
        };
        vec![
            entry(Cause::Order(order.clone()), Kind::Order { revision: u64::MAX }),
            entry(Cause::UnlinkedRefund(order), Kind::UnlinkedRefund { revision: u64::MAX }),
            entry(
                Cause::Opening(MemberId::new("m1").unwrap()),
                Kind::OpeningBalance { reason: Reason::new("from the old programme").unwrap() },
            ),
            entry(Cause::Coupon(0), issued(Some(end), None)),
            entry(Cause::Coupon(1), issued(None, Some(0))),
            entry(Cause::Void(code.clone()), Kind::CouponVoided { code: code.clone() }),
            entry(Cause::CouponEnd(code.clone()), Kind::CouponExpired { code: code.clone() }),
            entry(Cause::Forgiven(7), Kind::Forgiven),
            entry(Cause::Expiry(end), Kind::Expired),
            entry(
                Cause::Reminder(end, Period::parse("1 week").unwrap()),
                Kind::ExpiryReminder { expiring: Points(i64::MAX), expires_at: end },
            ),
            entry(Cause::Rating(RatingId::new("trip#7").unwrap()), rated("4.7", Some("digest"), false)),
            entry(Cause::Rating(RatingId::new("trip#8").unwrap()), rated("0", None, true)),
            tier(None, Some(gold.clone()), true),
            tier(Some(gold.clone()), None, false),
            tier(Some(gold.clone()), Some(gold), true),
        ]
    }

    #[test]
    fn an_entry_of_every_kind_reads_back_exactly_as_it_was_written() {
        let member = MemberId::new("m1").unwrap();
        for mut entry in one_of_each_kind() {
            for points in [entry.points, Points::ZERO, Points(1)] {
                entry.points = points;
                let item = entry_item(&member, &entry).unwrap();
                let read = journal_entry_of_image(item.into()).unwrap();
                assert_eq!(read, (member.clone(), keys::entry(&entry.id), entry.clone()));
            }
        }
    }

    #[test]
    fn what_is_zero_is_absent_and_who_hears_of_it_stands_where_the_filter_looks() {
        let member = MemberId::new("m1").unwrap();
        for mut entry in one_of_each_kind() {
            (entry.points, entry.lifetime_points) = (Points(-5), Points::ZERO);
            (entry.status_points, entry.counts) = (Points::ZERO, 0);
            for (audience, stored) in [
                (Audience::Nobody, None),
                (Audience::Integrators, Some("integrators")),
                (Audience::Everybody, Some("everybody")),
            ] {
                entry.audience = audience;
                let item = entry_item(&member, &entry).unwrap();
                for absent in ["lifetime_points", "status_points", "counts", "notify"] {
                    assert!(!item.contains_key(absent));
                }
                assert_eq!(item.get("audience"), stored.map(super::super::text).as_ref());
            }
        }
    }

    #[test]
    fn an_entry_of_before_reads_as_told_to_everybody_or_to_nobody() {
        let member = MemberId::new("m1").unwrap();
        let before =
            |notify: Option<bool>| {
                let mut item = entry_item(&member, &one_of_each_kind()[0]).unwrap();
                item.remove("audience");
                item.extend(notify.map(|notify| {
                    ("notify".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(notify))
                }));
                entry_of(item).unwrap().audience
            };
        assert_eq!(before(Some(true)), Audience::Everybody);
        assert_eq!(before(None), Audience::Nobody);
    }

    #[test]
    fn an_item_that_is_no_entry_is_refused() {
        let member = MemberId::new("m1").unwrap();
        let mut item = entry_item(&member, &one_of_each_kind()[0]).unwrap();
        item.insert("item".to_owned(), super::super::text("profile"));
        assert!(journal_entry_of_image(item.into()).is_err());
    }
}
