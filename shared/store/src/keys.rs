//! Every key of every table, and every attribute that a condition, an index or a filter names. An item's
//! other attributes are the fields of its type in `items`, under the same names.

use domain::time;
use domain::{
    Cause, CouponCode, CustomerId, DeviceId, EntryId, MemberId, OrderKey, RaterId, RefundId, SourceName,
    Timestamp,
};

use crate::DirectoryKey;

/// In how many parts the index of due members is cut, so that no partition of it runs hot.
pub const DUE_SHARDS: u8 = 8;

/// Where a page of the journal ended: the key of its last entry, opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalCursor(pub String);

/// The table `orders`: one item per order, or per refund that names no order.
pub(crate) mod orders {
    /// Its key: `{source}#{platform order id}`.
    pub(crate) const ORDER: &str = "order";
    pub(crate) const REVISION: &str = "revision";
    pub(crate) const PLACED_AT: &str = "placed_at";
    pub(crate) const OWNER: &str = "owner";
    /// Only an order that waited for somebody to enrol has it.
    pub(crate) const CLAIMED_BY: &str = "claimed_by";
    /// Only an order that is known beside its refunds has it.
    pub(crate) const UPDATED_AT: &str = "updated_at";
    pub(crate) const CANCELLED: &str = "cancelled";
    pub(crate) const TEST: &str = "test";
    pub(crate) const COUPONS: &str = "coupons";
    /// Every code that any snapshot had; it only grows.
    pub(crate) const COUPONS_SEEN: &str = "coupons_seen";
    /// Every currency that any snapshot had; it only grows.
    pub(crate) const CURRENCIES_SEEN: &str = "currencies_seen";
    pub(crate) const FRESHNESS: &str = "freshness";
    /// Digests of what was told of the order as of its newest time, the newest last.
    pub(crate) const TOLD: &str = "told";
    /// When its platform was asked for the newest snapshot; only one that was read, and not sent, has it.
    pub(crate) const READ_AT: &str = "read_at";
    /// The freshness that an order had when it was deleted; only an order that is deleted has it.
    pub(crate) const DELETED: &str = "deleted";
    /// Digests of the bodies that told of its deletion; it only grows.
    pub(crate) const DELETIONS: &str = "deletions";
    /// What operators said of the order, oldest first; only a corrected one has it.
    pub(crate) const CORRECTIONS: &str = "corrections";
    pub(crate) const UNLINKED: &str = "unlinked";
    /// Only an order that is a part of another one has it: that one's key.
    pub(crate) const PART_OF: &str = "part_of";
    /// Only a merge of two customers has it.
    pub(crate) const MERGE: &str = "merge";
    /// The accrual stream's filter passes only images in which it is true: an order has it unless it is parked or
    /// dropped.
    pub(crate) const ACCRUE: &str = "accrue";
    pub(crate) const PARKED: &str = "parked";
    pub(crate) const DROPPED: &str = "dropped";
    /// Only an order whose newest word came from an import has it.
    pub(crate) const QUIET: &str = "quiet";
    /// Where the sweep's position stands in the place of an order. Every order's key has a `#`.
    pub(crate) const SWEEP: &str = "sweep";
    pub(crate) const POSITION: &str = "position";
    /// In the place of an order: when each source was heard last, each under [`HEARD_FROM`] and its name.
    pub(crate) const HEARD: &str = "heard";
    pub(crate) const HEARD_FROM: &str = "from#";
    /// Before a refund's id.
    pub(crate) const REFUND: &str = "refund#";
}

/// The table `members`: everything of a member, told apart by the sort key.
pub(crate) mod members {
    /// Its hash key.
    pub(crate) const MEMBER: &str = "member";
    /// Its sort key.
    pub(crate) const ITEM: &str = "item";
    pub(crate) const PROFILE: &str = "profile";
    /// An attribute of the profile of a member who has become part of another one.
    pub(crate) const MERGED_INTO: &str = "merged_into";
    pub(crate) const PERSON: &str = "person";
    /// Stands while nobody is the member any more: an erasure took the person off, and nothing of a person may be written.
    pub(crate) const ERASED: &str = "erased";
    pub(crate) const ERASED_AT: &str = "erased_at";
    /// As of when a person's contact was told; what was told at an enrolment has none.
    pub(crate) const TOLD_AT: &str = "told_at";
    /// As of when it was told whether the person wants messages.
    pub(crate) const CONSENT_AT: &str = "consent_at";
    pub(crate) const CONSENT_BY: &str = "consent_by";
    pub(crate) const EMAIL_VERIFIED: &str = "email_verified";
    pub(crate) const PHONE_VERIFIED: &str = "phone_verified";
    pub(crate) const TYPED_BY_GUEST: &str = "typed_by_guest";
    /// Of a contact or a device that is another member's: whose, who has become part of this one.
    pub(crate) const CAME_WITH: &str = "came_with";
    pub(crate) const JOURNAL: &str = "journal#";
    pub(crate) const COUPON: &str = "coupon#";
    pub(crate) const DEVICE: &str = "device#";
    /// An attribute of a device: where the push service reaches it.
    pub(crate) const ENDPOINT: &str = "endpoint";
    pub(crate) const SENT: &str = "sent#";
    /// Before a cause that has no moment of its own.
    pub(crate) const ONCE: &str = "once#";
    /// Who rates members: before a digest, in the place of a member. No member has `#` in the name.
    pub(crate) const RATER: &str = "rater#";
    /// Orders that wait for somebody to enrol: before a digest of the name that was told, in the place of a member.
    pub(crate) const WAITING: &str = "waiting#";
    /// What waits there: before an order's key.
    pub(crate) const ORDER: &str = "order#";
    pub(crate) const RATINGS_GIVEN: &str = "ratings_given";
    pub(crate) const RATINGS: &str = "ratings";
    pub(crate) const TOTAL: &str = "total";
    pub(crate) const VERSION: &str = "version";
    pub(crate) const STATE: &str = "state";
    /// The sparse index of profiles: hash key [`DUE_SHARD`], sort key [`DUE_AT`], keys only.
    pub(crate) const DUE: &str = "due";
    pub(crate) const DUE_SHARD: &str = "due_shard";
    pub(crate) const DUE_AT: &str = "due_at";
}

/// The table `directory`: how a member or a coupon is found.
pub(crate) mod directory {
    /// Its key: `customer#{source}#{id}`, `email#{address}`, `phone#{E.164}`, `card#{source}#{fingerprint}`,
    /// `coupon#{CODE}`.
    pub(crate) const KEY: &str = "key";
    /// In a member's place: the key of the customer with whom this one became one before either was known.
    pub(crate) const SAME_AS: &str = "same_as";
    /// Before a platform's customer: source and identifier.
    pub(crate) const CUSTOMER: &str = "customer#";
    /// Before a verified e-mail.
    pub(crate) const EMAIL: &str = "email#";
    /// Before the address of a device at the push service, which leads to the one member whose device it is.
    pub(crate) const ENDPOINT: &str = "endpoint#";
    /// The attributes of that: whose, and which device.
    pub(crate) const MEMBER: &str = "member";
    pub(crate) const DEVICE: &str = "device";
}

/// The table `erasures`: which persons were erased, without their names.
pub(crate) mod erasures {
    /// Its key.
    pub(crate) const ERASURE: &str = "erasure";
    /// The function's stream is filtered for it.
    pub(crate) const OPEN: &str = "open";
    pub(crate) const STEP: &str = "step";
    pub(crate) const CURSOR: &str = "cursor";
    pub(crate) const UNTIL: &str = "until";
    pub(crate) const AGAIN: &str = "again";
    pub(crate) const CANDIDATES: &str = "candidates";
    pub(crate) const DONE_AT: &str = "done_at";
    pub(crate) const REVISION: &str = "revision";
    /// In an erasure's place, before a digest: a body that was signed without a time, and must not work again.
    pub(crate) const BODY: &str = "body#";
    pub(crate) const TAKEN_AT: &str = "taken_at";
}

/// The table `programmes`: every version.
pub(crate) mod programmes {
    /// Its hash key.
    pub(crate) const NAME: &str = "name";
    /// Its sort key.
    pub(crate) const VERSION: &str = "version";
    /// The one programme that a stack runs.
    pub(crate) const PROGRAMME: &str = "programme";
    /// In the place of a programme: what operators did, numbered by the moment in milliseconds.
    pub(crate) const OPERATIONS: &str = "operations";
    pub(crate) const AT: &str = "at";
    pub(crate) const BY: &str = "by";
    pub(crate) const DID: &str = "did";
}

/// The most entries that one cause may have at one moment: the width at which their numbers sort as text.
pub(crate) const MAX_N: u32 = 999_999;
const N_WIDTH: usize = 6;
/// `2026-03-01T10:00:00.000Z`.
const INSTANT_WIDTH: usize = 24;

/// `journal#{effective_at}#{cause}#{n}`.
pub(crate) fn entry(id: &EntryId) -> String {
    format!("{}{:0N_WIDTH$}", entries(id.effective_at, &id.cause), id.n)
}

/// What every key of a cause's entries at one moment begins with.
pub(crate) fn entries(effective_at: Timestamp, cause: &Cause) -> String {
    format!("{}#{cause}#", journal_from(effective_at))
}

/// Reads a journal entry's sort key; nothing if it is none.
pub(crate) fn entry_id(item: &str) -> Option<EntryId> {
    let (instant, rest) = item.strip_prefix(members::JOURNAL)?.split_at_checked(INSTANT_WIDTH)?;
    let (cause, n) = rest.strip_prefix('#')?.rsplit_once('#')?;
    let effective_at = time::instant(instant).ok()?;
    Some(EntryId { effective_at, cause: cause.parse().ok()?, n: n.parse().ok()? })
}

/// Where the journal of a moment begins.
pub(crate) fn journal_from(since: Timestamp) -> String {
    format!("{}{}", members::JOURNAL, time::sortable(since))
}

/// What sorts after the journal of a moment.
pub(crate) fn journal_after(until: Timestamp) -> String {
    after(&journal_from(until))
}

/// What sorts after every key of a prefix that ends in `#`.
pub(crate) fn after(prefix: &str) -> String {
    format!("{}$", prefix.trim_end_matches('#'))
}

/// `coupon#{code}`, in `members` and in `directory`.
pub(crate) fn coupon(code: &CouponCode) -> String {
    format!("{}{code}", members::COUPON)
}

/// `device#{id}`.
pub(crate) fn device(id: &DeviceId) -> String {
    format!("{}{id}", members::DEVICE)
}

/// `sent#{journal sort key}#{channel}`.
pub(crate) fn sent(entry: &str, channel: &str) -> String {
    format!("{}{entry}#{channel}", members::SENT)
}

/// `rater#{digest}`: the hash key of a rater's history.
pub(crate) fn rater(id: &RaterId) -> String {
    format!("{}{id}", members::RATER)
}

/// `once#{cause}`.
pub(crate) fn once(cause: &Cause) -> String {
    format!("{}{cause}", members::ONCE)
}

/// `refund#{id}`: an attribute of its order.
pub(crate) fn refund(id: &RefundId) -> String {
    format!("{}{id}", orders::REFUND)
}

/// The key of `directory`. A source has no `#`, so no two things share a key.
pub(crate) fn directory_key(key: &DirectoryKey) -> String {
    match key {
        DirectoryKey::Customer(source, id) => format!("{}{source}#{id}", directory::CUSTOMER),
        DirectoryKey::Email(address) => format!("{}{address}", directory::EMAIL),
        DirectoryKey::Phone(phone) => format!("phone#{}", phone.as_str()),
        DirectoryKey::Card(source, card) => format!("card#{source}#{}", card.as_str()),
        DirectoryKey::Coupon(code) => coupon(code),
    }
}

/// The customer whose key of `directory` this is; nothing of a key of another kind.
pub(crate) fn customer_of_directory_key(key: &str) -> Option<DirectoryKey> {
    let (source, id) = key.strip_prefix(directory::CUSTOMER)?.split_once('#')?;
    Some(DirectoryKey::Customer(SourceName::new(source).ok()?, CustomerId::new(id).ok()?))
}

/// Whether somebody vouches that a key of the directory is its member's: a platform, that its customer or their e-mail
/// is. A phone number and a card only were told.
pub(crate) fn is_vouched_for(directory_key: &str) -> bool {
    directory_key.starts_with(directory::CUSTOMER) || directory_key.starts_with(directory::EMAIL)
}

/// `order#{key}`: an order among the names of a person; no key of the directory begins like this.
pub(crate) fn order_name(order: &OrderKey) -> String {
    format!("{}{order}", members::ORDER)
}

/// The part of the index in which a member stands; never changes, because the hash does not.
pub(crate) fn due_shard(member: &MemberId) -> u8 {
    let shard = fnv1a(member.as_str().as_bytes()) % u64::from(DUE_SHARDS);
    u8::try_from(shard).unwrap_or_default()
}

/// FNV-1a, 64 bits: the same on every machine and for ever, which the standard library's hash does not
/// promise.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use domain::Period;

    use super::*;

    fn at(text: &str) -> Timestamp {
        time::instant(text).unwrap()
    }

    #[test]
    fn a_journal_key_reads_back_as_it_was_written() {
        let order = OrderKey::new("shop#1%235").unwrap();
        for cause in [
            Cause::Order(order.clone()),
            Cause::UnlinkedRefund(OrderKey::new("shop#refund#7").unwrap()),
            Cause::Reminder(at("2026-03-01T10:00:00Z"), Period::parse("2 weeks").unwrap()),
            Cause::Coupon(153),
        ] {
            let id = EntryId { effective_at: at("2026-03-01T10:00:00.001Z"), cause, n: 12 };
            assert_eq!(entry_id(&entry(&id)), Some(id));
        }
    }

    #[test]
    fn journal_keys_sort_by_moment_and_then_by_number() {
        let key = |when: &str, n| {
            entry(&EntryId {
                effective_at: at(when),
                cause: Cause::Order(OrderKey::new("shop#1").unwrap()),
                n,
            })
        };
        assert!(key("2026-03-01T10:00:00Z", 9) < key("2026-03-01T10:00:00Z", 10));
        assert!(key("2026-03-01T10:00:00.999Z", MAX_N) < key("2026-03-01T10:00:01Z", 0));
        assert!(journal_from(at("2026-03-01T10:00:00Z")) < key("2026-03-01T10:00:00Z", 0));
        assert!(key("8999-12-31T23:59:59Z", 0) < after(members::JOURNAL));
    }

    #[test]
    fn another_text_is_no_journal_key() {
        for text in
            ["", "profile", "journal#", "journal#yesterday", "journal#2026-03-01T10:00:00.000Z#order/a"]
        {
            assert_eq!(entry_id(text), None, "{text}");
        }
        assert_eq!(entry_id(&format!("journal#{}", "é".repeat(40))), None);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_members_spread_over_all_shards() {
        let mut shards = [0_u32; DUE_SHARDS as usize];
        for number in 0..8_000 {
            let member = MemberId::new(format!("member-{number}")).unwrap();
            shards[usize::from(due_shard(&member))] += 1;
        }
        assert!(shards.iter().all(|members| (800..1_200).contains(members)), "{shards:?}");
    }

    #[test]
    fn two_ways_to_find_a_member_never_share_a_key() {
        let customer = |source: &str, id: &str| {
            directory_key(&DirectoryKey::Customer(
                SourceName::new(source).unwrap(),
                CustomerId::new(id).unwrap(),
            ))
        };
        assert_eq!(customer("shop", "7"), "customer#shop#7");
        let read_back = customer_of_directory_key("customer#shop-a#7#8").map(|key| directory_key(&key));
        assert_eq!(read_back.as_deref(), Some("customer#shop-a#7#8"));
        assert_eq!(customer_of_directory_key("email#a@example.com"), None);
        assert_ne!(customer("shop", "a#7"), customer("shop-a", "7"));
        assert_eq!(directory_key(&DirectoryKey::Email("a@example.com".to_owned())), "email#a@example.com");
    }
}
