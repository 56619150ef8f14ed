//! Members' journals as they are read: from a moment on, of one cause, page by page.

use std::collections::{BTreeMap, VecDeque};

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::decide::{Group, Groups, Page};
use domain::{Cause, Entry, Kind, MemberId, Posting, Timestamp};

use crate::items::{entry_of, member_key, text};
use crate::keys::{self, members};
use crate::reads::Range;
use crate::{Consistency, JournalCursor, Store, StoreError};

/// So many entries are looked through at once for the one that closed an account: it is nearly always the newest.
const NEWEST: u16 = 8;

/// A journal that is read from its beginning, or from a posting on, a page at a time, and summed up by cause.
#[derive(Debug)]
pub struct JournalReader {
    member: MemberId,
    after: Option<Posting>,
    groups: Groups,
    complete: VecDeque<Group>,
    unread: Option<Range>,
}

impl Store {
    /// Every journal entry that takes effect at or after a moment, in key order, every page followed.
    pub async fn journal_since(
        &self,
        member: &MemberId,
        since: Timestamp,
        consistency: Consistency,
    ) -> Result<Vec<Entry>, StoreError> {
        let from = keys::journal_from(since);
        let items = self.member_items(member, members::JOURNAL, &from, consistency).await?;
        Ok(items.into_iter().map(entry_of).collect::<Result<_, _>>()?)
    }

    /// What one cause has posted at its moment; a query of these entries alone.
    pub async fn entries_of(
        &self,
        member: &MemberId,
        effective_at: Timestamp,
        cause: &Cause,
        consistency: Consistency,
    ) -> Result<Vec<Entry>, StoreError> {
        let entries = keys::entries(effective_at, cause);
        let items = self.member_items(member, &entries, &entries, consistency).await?;
        Ok(items.into_iter().map(entry_of).collect::<Result<_, _>>()?)
    }

    /// A page of the journal, newest first, and where the next one begins.
    pub async fn journal_page(
        &self,
        member: &MemberId,
        cursor: Option<&JournalCursor>,
        limit: u16,
    ) -> Result<(Vec<Entry>, Option<JournalCursor>), StoreError> {
        if cursor.is_some_and(|cursor| keys::entry_id(&cursor.0).is_none()) {
            return Err(StoreError::BadCursor);
        }
        let page = self
            .client
            .query()
            .table_name(&self.tables.members)
            .key_condition_expression("#member = :member AND begins_with(#item, :journal)")
            .expression_attribute_names("#member", members::MEMBER)
            .expression_attribute_names("#item", members::ITEM)
            .expression_attribute_values(":member", text(member.as_str()))
            .expression_attribute_values(":journal", text(members::JOURNAL))
            .scan_index_forward(false)
            .limit(i32::from(limit.max(1)))
            .set_exclusive_start_key(cursor.map(|cursor| member_key(member, &cursor.0)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        let next = page.last_evaluated_key.as_ref().and_then(|key| key.get(members::ITEM)?.as_s().ok());
        let next = next.map(|item| JournalCursor(item.clone()));
        let entries = page.items.unwrap_or_default().into_iter().map(entry_of).collect::<Result<_, _>>()?;
        Ok((entries, next))
    }

    /// What each of some postings has, all of it read in one walk over the range in which they lie, of which nothing else
    /// is kept.
    pub async fn entries_of_each(
        &self,
        member: &MemberId,
        postings: &[Posting],
    ) -> Result<BTreeMap<Posting, Vec<Entry>>, StoreError> {
        let mut found: BTreeMap<Posting, Vec<Entry>> =
            postings.iter().map(|posting| (posting.clone(), Vec::new())).collect();
        let (first, last) = match (found.first_key_value(), found.last_key_value()) {
            (Some((first, _)), Some((last, _))) => (first.clone(), last.clone()),
            _ => return Ok(found),
        };
        let mut unread = Some(if first == last {
            let entries = keys::entries(first.effective_at, &first.cause);
            Range::new(entries.as_str(), keys::after(&entries))
        } else {
            Range::new(keys::journal_from(first.effective_at), keys::journal_after(last.effective_at))
        });
        while let Some(range) = unread {
            let page;
            (page, unread) = self.member_page(member, range, Consistency::Strong).await?;
            for item in page {
                let entry = entry_of(item)?;
                if let Some(entries) = found.get_mut(&entry.id.posting()) {
                    entries.push(entry);
                }
            }
        }
        Ok(found)
    }

    /// What closed the account of a member who has become part of another one.
    pub async fn closing(&self, member: &MemberId, into: &MemberId) -> Result<Option<Entry>, StoreError> {
        let mut cursor = None;
        loop {
            let (entries, next) = self.journal_page(member, cursor.as_ref(), NEWEST).await?;
            let is_closing =
                |entry: &Entry| matches!(&entry.kind, Kind::MergedInto { into: with, .. } if with == into);
            match (entries.into_iter().find(is_closing), next) {
                (Some(closing), _) => return Ok(Some(closing)),
                (None, None) => return Ok(None),
                (None, next) => cursor = next,
            }
        }
    }
}

impl JournalReader {
    /// Reads what comes after a posting, or from the beginning.
    pub fn new(member: MemberId, groups: Groups, after: Option<Posting>) -> Self {
        let from = after.as_ref().map_or_else(
            || members::JOURNAL.to_owned(),
            |posting| keys::after(&keys::entries(posting.effective_at, &posting.cause)),
        );
        let unread = Some(Range::new(from, keys::after(members::JOURNAL)));
        Self { member, after, groups, complete: VecDeque::new(), unread }
    }

    /// After which posting the next page begins.
    pub fn after(&self) -> Option<&Posting> {
        self.after.as_ref()
    }

    /// The next so many groups, or few more, because those of one posting stay together.
    pub async fn page(&mut self, store: &Store, size: usize) -> Result<Page, StoreError> {
        let overflow = |error| StoreError::Permanent(format!("the journal of {}: {error}", self.member));
        while self.complete.len() <= size
            && let Some(range) = self.unread.take()
        {
            let items;
            (items, self.unread) = store.member_page(&self.member, range, Consistency::Strong).await?;
            for item in items {
                self.complete.extend(self.groups.take(&entry_of(item)?).map_err(overflow)?);
            }
            if self.unread.is_none() {
                self.complete.extend(self.groups.finish());
            }
        }
        let mut groups: Vec<Group> = Vec::new();
        while let Some(next) = self.complete.front()
            && (groups.len() < size || groups.last().is_some_and(|last| last.posting == next.posting))
        {
            groups.extend(self.complete.pop_front());
        }
        let after = self.after.clone();
        if let Some(last) = groups.last() {
            self.after = Some(last.posting.clone());
        }
        let is_last = self.complete.is_empty() && self.unread.is_none();
        Ok(Page { after, groups, is_last })
    }
}
