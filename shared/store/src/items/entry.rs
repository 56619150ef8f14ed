//! A journal entry: its key is its sort key, and what is zero is absent.

use domain::{Entry, Kind, MemberId, Points, Timestamp};
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
    #[serde(default, skip_serializing_if = "is_default")]
    notify: bool,
    #[serde(flatten)]
    kind: Kind,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Writes an entry; a quiet one asks for nobody to be told.
pub(crate) fn entry_item(member: &MemberId, entry: &Entry, quiet: bool) -> Result<Attributes, ImageError> {
    let body = EntryBody {
        sequence: entry.sequence,
        recorded_at: entry.recorded_at,
        points: entry.points,
        lifetime_points: entry.lifetime_points,
        status_points: entry.status_points,
        counts: entry.counts,
        notify: entry.notifies() && !quiet,
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
        }
    }

    fn one_of_each_kind() -> Vec<Entry> {
        let order = OrderKey::new("shop#1%235").unwrap();
        let code = CouponCode::new("ABCD-EFGH-2345").unwrap();
        let reward = RewardId::new("ten-percent").unwrap();
        let gold = LevelId::new("gold").unwrap();
        let end = at("2026-06-01T10:00:00Z");
        let issued = |ends_at| Kind::CouponIssued { code: code.clone(), reward: reward.clone(), ends_at };
        let tier = |from, to, up| {
            entry(Cause::Tier("2026-03-01".parse().unwrap()), Kind::TierChanged { from, to, up })
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
            entry(Cause::Coupon(0), issued(Some(end))),
            entry(Cause::Coupon(1), issued(None)),
            entry(Cause::Void(code.clone()), Kind::CouponVoided { code: code.clone() }),
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
                let item = entry_item(&member, &entry, false).unwrap();
                let read = journal_entry_of_image(item.into()).unwrap();
                assert_eq!(read, (member.clone(), keys::entry(&entry.id), entry.clone()));
            }
        }
    }

    #[test]
    fn what_is_zero_is_absent_and_only_news_asks_to_be_told() {
        let member = MemberId::new("m1").unwrap();
        for mut entry in one_of_each_kind() {
            (entry.points, entry.lifetime_points) = (Points(-5), Points::ZERO);
            (entry.status_points, entry.counts) = (Points::ZERO, 0);
            let item = entry_item(&member, &entry, false).unwrap();
            for absent in ["lifetime_points", "status_points", "counts"] {
                assert!(!item.contains_key(absent));
            }
            assert_eq!(item.contains_key("notify"), entry.notifies());
            assert!(!entry_item(&member, &entry, true).unwrap().contains_key("notify"));
        }
    }

    #[test]
    fn an_item_that_is_no_entry_is_refused() {
        let member = MemberId::new("m1").unwrap();
        let mut item = entry_item(&member, &one_of_each_kind()[0], false).unwrap();
        item.insert("item".to_owned(), super::super::text("profile"));
        assert!(journal_entry_of_image(item.into()).is_err());
    }
}
