//! One member in memory, driven as the shell drives the rules: decide, read what is needed, commit, repeat.

use std::collections::BTreeMap;

use crate::CouponState;
use crate::decide::{MAX_WRITES_PER_DECISION, expires_at};
use crate::programme::Version;
use crate::time::instant;
use crate::{
    Account, Command, Coupon, Currency, Customer, Date, DecideError, Decision, Entropy, Entry, Goods, Kind,
    Known, MemberId, OrderKey, OrderState, Outcome, Payment, Points, Profile, Programme, Programmes, Rater,
    RaterHistory, RaterId, Rating, RatingId, Refund, RefundId, Score, Snapshot, SourceName, Timestamp,
};

/// A programme with everything in it; `changes` replaces text in it.
pub(super) fn programme(changes: &[(&str, &str)]) -> Programme {
    let mut text = r#"
        name = "Stars"
        currency = "EUR"
        time_zone = "Europe/Paris"

        [earning]
        points_per_unit = "1"

        [expiry]
        after_inactivity = "12 months"
        reminders = ["1 month", "1 week"]

        [refunds]
        uncovered = "negative"

        [[rewards]]
        id = "five"
        points = 500
        automatic = true
        coupon = { amount = "5.00", valid_for = "3 months" }

        [tiers]
        window = "3 months"
        status_points = { per_unit = 1 }

        [[tiers.levels]]
        id = "silver"
        threshold = 200

        [[tiers.levels]]
        id = "gold"
        threshold = 1000
    "#
    .to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in the programme");
        text = text.replace(from, to);
    }
    Programme::from_toml(&text).unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    if text.contains('T') { instant(text) } else { instant(&format!("{text}T12:00:00Z")) }.unwrap()
}

pub(super) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// A paid order of `minor` cents, as first seen.
pub(super) fn order(id: &str, placed_at: Timestamp, minor: i64) -> OrderState {
    let source = SourceName::new("shop").unwrap();
    OrderState {
        key: OrderKey::of_order(&source, id).unwrap(),
        revision: 1,
        placed_at: Some(placed_at),
        owner: Some(Customer { source, id: None, card: None, contact: Default::default() }),
        claimed_by: None,
        snapshot: Some(Snapshot {
            updated_at: placed_at,
            currency: Currency::new("EUR").unwrap(),
            goods: Goods::untaxed(minor),
            payment: Payment::Paid,
            cancelled: false,
            test: false,
            coupons: Default::default(),
        }),
        refunds: Default::default(),
        unlinked: None,
        merge: None,
        quiet: false,
        coupons_seen: Default::default(),
        currencies_seen: Default::default(),
        corrections: vec![],
        formerly_placed_at: Default::default(),
        part_of: None,
    }
}

pub(super) fn refund_of(refunded_at: Timestamp, minor: i64) -> Refund {
    Refund::of_goods(refunded_at, Currency::new("EUR").unwrap(), Goods::untaxed(minor))
}

/// A refund that names no order.
pub(super) fn unlinked(id: &str, refunded_at: Timestamp, minor: i64) -> OrderState {
    let source = SourceName::new("shop").unwrap();
    let mut state = order("unused", refunded_at, 0);
    state.key = OrderKey::of_unlinked_refund(&source, &RefundId::new(id).unwrap()).unwrap();
    state.snapshot = None;
    state.placed_at = None;
    state.unlinked = Some(refund_of(refunded_at, minor));
    state
}

impl OrderState {
    /// The same order after a refund.
    pub(super) fn refunded(mut self, id: &str, refunded_at: Timestamp, minor: i64) -> Self {
        self.revision += 1;
        self.refunds.insert(RefundId::new(id).unwrap(), refund_of(refunded_at, minor));
        self
    }

    /// The same order after a change of its snapshot.
    pub(super) fn changed(mut self, change: impl FnOnce(&mut Snapshot)) -> Self {
        self.revision += 1;
        change(self.snapshot.as_mut().unwrap());
        self
    }
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) programmes: Programmes,
    pub(super) profile: Profile,
    pub(super) journal: Vec<Entry>,
    pub(super) coupons: Vec<Coupon>,
    /// What every rater has given so far.
    pub(super) raters: BTreeMap<RaterId, RaterHistory>,
    pub(super) now: Timestamp,
    versions: Vec<Version>,
    /// By way of whom the member is found, of those who have become part of them.
    pub(super) by_way_of: Option<MemberId>,
    seed: u64,
}

impl World {
    pub(super) fn new(programme: Programme, now: Timestamp) -> Self {
        let versions = vec![Version { number: 1, from: Timestamp::UNIX_EPOCH, programme }];
        let programmes = Programmes::new(versions.clone()).unwrap();
        let profile = Profile::new(MemberId::new("m").unwrap(), now, &programmes);
        let (journal, coupons, raters, by_way_of) = Default::default();
        Self { programmes, profile, journal, coupons, raters, now, versions, by_way_of, seed: 0 }
    }

    /// The same member under another name, who draws other codes.
    pub(super) fn named(mut self, name: &str) -> Self {
        self.profile.member = MemberId::new(name).unwrap();
        self.seed = name.bytes().fold(0, |seed, byte| seed * 256 + u64::from(byte)) << 32;
        self
    }

    /// Publishes another version, in force from now on.
    pub(super) fn publish(&mut self, programme: Programme) {
        self.publish_from(self.now, programme);
    }

    /// Publishes another version, in force from a moment on, and has the member looked at then, as a publication does.
    pub(super) fn publish_from(&mut self, from: Timestamp, programme: Programme) {
        let mut versions = self.versions.clone();
        versions.push(Version { number: self.programmes.newest().number + 1, from, programme });
        self.programmes = Programmes::new(versions.clone()).unwrap();
        self.versions = versions;
        let due_at = &mut self.profile.bookkeeping.due_at;
        *due_at = Some(due_at.map_or(from, |due_at| due_at.min(from)));
    }

    /// An order or a refund arrives now.
    pub(super) fn arrives(&mut self, state: &OrderState) {
        self.run(Command::Order { state, first_seen: false }).unwrap();
    }

    /// An order arrives of a customer who has become part of this member.
    pub(super) fn arrives_by_way_of(&mut self, other: &World, state: &OrderState) {
        self.by_way_of = Some(other.profile.member.clone());
        self.arrives(state);
        self.by_way_of = None;
    }

    /// Somebody rates the member, or tells the same rating again.
    pub(super) fn is_rated(&mut self, id: &str, rated_at: Timestamp, score: &str, rater: &str) {
        let rater = RaterId::new(rater).unwrap();
        let history = self.raters.get(&rater).copied().unwrap_or_default();
        let rating = Rating {
            id: RatingId::new(id).unwrap(),
            rated_at,
            score: Score::new(score.parse().unwrap()).unwrap(),
            rater: Some(Rater { id: rater, history }),
        };
        self.run(Command::Rate { rating: &rating, first_seen: false }).unwrap();
    }

    /// An order arrives at the moment at which it was placed, after the reviews that were due before.
    pub(super) fn orders(&mut self, id: &str, placed_at: &str, minor: i64) -> OrderState {
        self.pass_to(at(placed_at));
        let state = order(id, self.now, minor);
        self.arrives(&state);
        state
    }

    /// Time goes by, and whoever is due is reviewed.
    pub(super) fn pass_to(&mut self, moment: Timestamp) {
        assert!(moment >= self.now);
        while let Some(due) = self.profile.bookkeeping.due_at.filter(|due| *due <= moment) {
            self.now = due.max(self.now);
            self.run(Command::Review).unwrap();
            assert!(
                self.profile.bookkeeping.due_at.is_none_or(|next| next > due),
                "a review leaves the member due at {due}"
            );
        }
        self.now = moment;
    }

    /// Runs a command to its end, as the shell does.
    pub(super) fn run(&mut self, command: Command<'_>) -> Result<(), DecideError> {
        for _ in 0..1_000 {
            let decision = self.decide(command)?;
            self.commit(&decision);
            if decision.completed {
                return Ok(());
            }
        }
        panic!("the command does not come to an end");
    }

    pub(super) fn decide(&mut self, command: Command<'_>) -> Result<Decision, DecideError> {
        self.seed += 1;
        let mut known = Known { by_way_of: self.by_way_of.clone(), ..Known::default() };
        for _ in 0..96 {
            let mut entropy = entropy(self.seed);
            match crate::decide(&self.programmes, &self.profile, &known, command, self.now, &mut entropy)? {
                Outcome::Decided(decision) => {
                    assert!(decision.writes() <= MAX_WRITES_PER_DECISION, "{} writes", decision.writes());
                    return Ok(*decision);
                }
                Outcome::Needs(need) => {
                    for posting in need.postings {
                        let of_posting = self.journal.iter().filter(|entry| entry.id.is_of(&posting));
                        let mut entries: Vec<Entry> = of_posting.cloned().collect();
                        entries.sort_by_key(|entry| entry.id.n);
                        known.postings.insert(posting, entries);
                    }
                    if let Some(since) = need.journal_since {
                        let mut entries: Vec<Entry> = self
                            .journal
                            .iter()
                            .filter(|entry| entry.id.effective_at >= since)
                            .cloned()
                            .collect();
                        entries.sort_by(|a, b| a.id.cmp(&b.id));
                        known.journal = Some((since, entries));
                    }
                    if need.coupons {
                        known.coupons = Some(self.coupons.clone());
                    }
                }
            }
        }
        panic!("the rules keep asking for more");
    }

    /// Commits as the store does: every key is new.
    pub(super) fn commit(&mut self, decision: &Decision) {
        if !decision.changed {
            assert!(decision.entries.is_empty() && decision.coupons.is_empty());
            assert!(decision.removed_coupons.is_empty());
            return;
        }
        assert_eq!(decision.profile.version, self.profile.version + 1);
        for entry in &decision.entries {
            assert!(self.journal.iter().all(|known| known.id != entry.id), "{:?} is posted twice", entry.id);
            self.journal.push(entry.clone());
        }
        for coupon in &decision.coupons {
            self.coupons.retain(|known| known.code != coupon.code);
            self.coupons.push(coupon.clone());
        }
        self.coupons.retain(|coupon| !decision.removed_coupons.contains(&coupon.code));
        if let Some(change) = &decision.rater {
            let history = self.raters.entry(change.rater.clone()).or_default();
            assert_eq!(*history, change.before);
            *history = change.after;
        }
        self.profile = decision.profile.clone();
    }

    pub(super) fn balance(&self) -> i64 {
        self.profile.account.balance.0
    }

    /// What can be spent.
    pub(super) fn available(&self) -> i64 {
        self.profile.available().unwrap().0
    }

    pub(super) fn tier(&self) -> Option<&str> {
        self.profile.account.tier.as_ref().map(|tier| tier.as_str())
    }

    pub(super) fn status(&self) -> i64 {
        self.profile.bookkeeping.window.sum.floored().0
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        expires_at(&self.programmes, self.now, &self.profile).unwrap()
    }

    pub(super) fn live_coupons(&self) -> usize {
        self.coupons.iter().filter(|coupon| coupon.is_live(self.now)).count()
    }

    pub(super) fn voided_coupons(&self) -> usize {
        self.coupons.iter().filter(|coupon| coupon.state == CouponState::Voided).count()
    }

    pub(super) fn reminders(&self) -> usize {
        self.journal.iter().filter(|entry| matches!(entry.kind, Kind::ExpiryReminder { .. })).count()
    }

    /// The fold of the journal.
    pub(super) fn folded(&self) -> Account {
        let mut journal = self.journal.clone();
        journal.sort_by(|a, b| (a.sequence, &a.id).cmp(&(b.sequence, &b.id)));
        let mut account = Account::default();
        journal.iter().try_for_each(|entry| account.fold(entry)).unwrap();
        account
    }

    /// What orders have posted so far: points, lifetime points and status points.
    pub(super) fn posted_by_orders(&self) -> (Points, Points, Points) {
        self.journal.iter().filter(|entry| matches!(entry.kind, Kind::Order { .. })).fold(
            Default::default(),
            |(points, lifetime, status), entry| {
                (
                    points.plus(entry.points).unwrap(),
                    lifetime.plus(entry.lifetime_points).unwrap(),
                    status.plus(entry.status_points).unwrap(),
                )
            },
        )
    }
}

/// Bytes that differ from one decision to the next; not random at all.
pub(super) fn entropy(seed: u64) -> Entropy {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let byte = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[4]
    };
    Entropy::new((0..Entropy::BYTES).map(byte).collect())
}
