//! One telling of an order beside what is stored of it: whether it holds. Pure.
//!
//! A platform's times have whole seconds, so two tellings of one time are no exception. Of those the later arrival holds,
//! unless it is of an earlier stage of the order's life: then it was overtaken on its way. What was told before, word for
//! word, is known; so what was told of this time is remembered, by its digests.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Order, Refund, RefundId, Snapshot, Timestamp, time};

use super::freshness::{comparable, digest, freshness, moment, time_of};
use super::import::Told;
use super::news::snapshot_update;
use crate::StoreError;
use crate::expression::Update;
use crate::items::{Attributes, order_of_image, read, text};
use crate::keys::orders;

/// The most tellings of one time that are remembered. A shop that changes an order more often within a second is answered
/// twice, at the worst, by one that comes again.
const MAX_REMEMBERED: usize = 16;

/// How an order was heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Its platform sent it.
    Sent,
    /// Its platform sent it, dated so far ahead that its time says nothing: it is dated as it came.
    SentAhead,
    /// It was read at the platform, which was asked at this moment: so it is the order as it is, whatever was sent before.
    Read(Timestamp),
}

/// One telling.
pub(super) struct Telling<'a> {
    order: &'a Order,
    arrival: Arrival,
    told: Told,
    digest: String,
}

/// What is stored of the telling that holds.
struct Holding {
    freshness: String,
    digests: Vec<String>,
    read_at: Option<Timestamp>,
    is_deleted: bool,
    is_quiet: bool,
}

impl<'a> Telling<'a> {
    pub(super) fn of(order: &'a Order, arrival: Arrival, told: Told) -> Self {
        Self { order, arrival, told, digest: digest(order) }
    }

    /// The update for an order that is unknown, or of which only what is older is known: for most tellings the only one.
    /// Nothing where more must be known first.
    pub(super) fn first(&self) -> Result<Option<Update>, StoreError> {
        if self.arrival == Arrival::SentAhead {
            return Ok(None);
        }
        let mut update = self.update(vec![])?;
        update.if_missing_or_below(orders::FRESHNESS, text(moment(self.order)));
        Ok(Some(update))
    }

    /// The update over what is stored; nothing where that holds.
    pub(super) fn over(&self, stored: Option<&Attributes>) -> Result<Option<Update>, StoreError> {
        let holding = stored.and_then(Holding::of);
        if let (Some(stored), Some(holding)) = (stored, &holding)
            && (!self.holds_against(holding) || self.reads_the_same(stored, holding)?)
        {
            return Ok(None);
        }
        let remembered = holding.filter(|holding| self.is_of_the_time_of(holding));
        let mut update = self.update(remembered.map_or_else(Vec::new, |holding| holding.digests))?;
        match stored.and_then(|item| item.get(orders::REVISION)) {
            Some(revision) => update.if_equal(orders::REVISION, revision.clone()),
            None if stored.is_some() => update.if_missing(orders::REVISION),
            None => update.if_missing(orders::ORDER),
        }
        Ok(Some(update))
    }

    /// Whether it holds against what is stored.
    fn holds_against(&self, holding: &Holding) -> bool {
        let (told_at, held_at) = (self.order.snapshot.updated_at, time_of(&holding.freshness));
        if let Arrival::Read(asked_at) = self.arrival {
            return holding.is_before_reading(told_at, asked_at);
        }
        if holding.digests.contains(&self.digest) {
            return false;
        }
        match held_at {
            Some(held_at) if told_at < held_at => false,
            Some(held_at) if told_at == held_at => self.comes_after(holding),
            _ => true,
        }
    }

    /// Whether what was read is stored already, word for word. A reading may leave out refunds that are read elsewhere.
    fn reads_the_same(&self, stored: &Attributes, holding: &Holding) -> Result<bool, StoreError> {
        if !matches!(self.arrival, Arrival::Read(_)) || holding.is_deleted {
            return Ok(false);
        }
        let snapshot: Snapshot = read(stored.clone())?;
        let known = order_of_image(stored.clone().into())?.refunds;
        let is_known = |(id, told): (&RefundId, &Refund)| {
            let known = known.get(id);
            known.is_some_and(|known| Refund { as_of: known.as_of, ..told.clone() } == *known)
        };
        Ok(snapshot == self.order.snapshot && self.order.refunds.iter().all(is_known))
    }

    /// Whether it is dated as it came, and its refunds with it.
    pub(super) fn is_dated_by_us(&self) -> bool {
        self.arrival == Arrival::SentAhead
    }

    /// Of two of one time. What was read at the platform is the order as it was after that time, and an import's word is
    /// the platform's before it.
    fn comes_after(&self, holding: &Holding) -> bool {
        let is_of_an_import = self.told == Told::Afterwards && !holding.is_quiet;
        if holding.read_at.is_some() || is_of_an_import {
            return false;
        }
        freshness(self.order).as_str() >= comparable(&holding.freshness)
    }

    fn is_of_the_time_of(&self, holding: &Holding) -> bool {
        self.arrival == Arrival::SentAhead
            || time_of(&holding.freshness) == Some(self.order.snapshot.updated_at)
    }

    fn update(&self, mut digests: Vec<String>) -> Result<Update, StoreError> {
        let mut update = snapshot_update(self.order)?;
        digests.retain(|known| *known != self.digest);
        digests.push(self.digest.clone());
        let forgotten = digests.len().saturating_sub(MAX_REMEMBERED);
        let digests = digests.into_iter().skip(forgotten).map(text).collect();
        update.set(orders::TOLD, AttributeValue::L(digests));
        match self.arrival {
            Arrival::Read(asked_at) => update.set(orders::READ_AT, text(time::sortable(asked_at))),
            Arrival::Sent | Arrival::SentAhead => update.remove(orders::READ_AT),
        }
        self.told.mark(&mut update);
        Ok(update)
    }
}

impl Holding {
    /// Nothing where no snapshot and no deletion is stored.
    fn of(item: &Attributes) -> Option<Self> {
        let moment = |value: &AttributeValue| time::instant(value.as_s().ok()?).ok();
        let digests = item.get(orders::TOLD).and_then(|told| told.as_l().ok()).into_iter().flatten();
        Some(Self {
            freshness: item.get(orders::FRESHNESS)?.as_s().ok()?.clone(),
            digests: digests.filter_map(|digest| digest.as_s().ok().cloned()).collect(),
            read_at: item.get(orders::READ_AT).and_then(moment),
            is_deleted: item.contains_key(orders::DELETED),
            is_quiet: item.contains_key(orders::QUIET),
        })
    }

    /// Whether an order that was read, by a question of this moment, is as it is now. What was sent meanwhile is later, and
    /// so is what was read later; but a time that lies far ahead of the question is no time at all.
    fn is_before_reading(&self, told_at: Timestamp, asked_at: Timestamp) -> bool {
        let Some(held_at) = time_of(&self.freshness) else { return true };
        if self.is_deleted {
            return held_at < asked_at;
        }
        let was_read_later = self.read_at.is_some_and(|read_at| read_at > asked_at);
        match held_at.cmp(&told_at) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => !was_read_later,
            std::cmp::Ordering::Greater => time::is_far_ahead(held_at, asked_at),
        }
    }
}
