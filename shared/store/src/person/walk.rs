//! The walk along the list, a page at a time, so that it can stop anywhere and go on.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::{Cause, Contact, Customer, MemberId, OrderKey, Refund, SourceName, Timestamp};
use serde::Deserialize;

use super::{Person, Step, text_of};
use crate::items::{Attributes, MemberItem, member_key, read, text};
use crate::keys::{self, directory, members, orders};
use crate::waiting::order_of;
use crate::{Consistency, DirectoryKey, Store, StoreError};

/// Items of a member that are taken at a time. Each may name an order, which is read and written.
const ITEMS: i32 = 100;
/// Between the two parts of a place in the table `members`. No key has a line's end in it.
const BETWEEN: char = '\n';

/// One thing that is held.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// An order, or a refund that names none.
    Order(Box<HeldOrder>),
    /// A key of the directory.
    Key(HeldKey),
    /// One of a member's items.
    Item(HeldItem),
    /// The mark of an order that waits under a digest of a name.
    Waiting(HeldWaiting),
}

/// An order of the person's.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOrder {
    pub(super) key: OrderKey,
    pub(super) source: SourceName,
    pub(super) owner: Customer,
    /// The member whose it is, where it had waited for somebody to enrol.
    pub(super) claimed_by: Option<MemberId>,
    /// The moment that dates what it posts.
    pub(super) dated: Option<Timestamp>,
    pub(super) is_unlinked: bool,
    pub(super) item: Attributes,
}

/// A key that leads to the person.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HeldKey {
    pub(super) key: String,
    /// Where it leads; an alias leads to no member.
    pub(super) member: Option<MemberId>,
    /// Of an alias: the key to which it leads.
    pub(super) same_as: Option<String>,
    /// Whether it is one that took a person's place.
    #[serde(default)]
    erased: bool,
}

/// One of a member's items.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldItem {
    pub(super) member: MemberId,
    pub(super) key: String,
    pub(super) item: Attributes,
}

/// The mark of an order that waits: its key is all that it has.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldWaiting {
    pub(super) order: OrderKey,
    pub(super) key: Attributes,
}

impl HeldItem {
    /// The endpoint at the push service, where the item is a device.
    fn endpoint(&self) -> Option<&str> {
        self.key.starts_with(members::DEVICE).then(|| text_of(&self.item, members::ENDPOINT)).flatten()
    }
}

/// A page of what is held, and where the next one begins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeldPage {
    pub(super) held: Vec<Held>,
    pub(super) next: Option<String>,
}

impl HeldPage {
    /// The endpoints of devices: they are somewhere else, and go before what names them.
    pub fn endpoints(&self) -> impl Iterator<Item = &str> {
        self.held.iter().filter_map(|held| match held {
            Held::Item(item) => item.endpoint(),
            Held::Order(_) | Held::Key(_) | Held::Waiting(_) => None,
        })
    }
}

impl HeldKey {
    /// Whether it names whom it leads to. A coupon's code names nobody, and neither does what took a name's place.
    fn names_somebody(&self) -> bool {
        !self.erased && !self.key.starts_with(members::COUPON)
    }
}

impl Store {
    /// A page of what one step finds of a person.
    pub(super) async fn held(
        &self,
        person: &Person,
        step: Step,
        cursor: Option<&str>,
    ) -> Result<HeldPage, StoreError> {
        match step {
            Step::Orderers | Step::Contacts if !person.has_names() => Ok(HeldPage::default()),
            Step::Recognise => {
                self.held_keys(cursor, |held| person.knows(&held.key) || person.has_alias(held)).await
            }
            Step::Orderers => self.orders_told_with(person, cursor).await,
            Step::Contacts => self.contacts_of(person, cursor).await,
            Step::Gather => {
                let leads_there = |held: &HeldKey| {
                    held.member.as_ref().is_some_and(|member| person.may_be(member)) || person.has_alias(held)
                };
                self.held_keys(cursor, |held| held.names_somebody() && leads_there(held)).await
            }
            Step::Directory => {
                let is_theirs = |held: &HeldKey| {
                    let leads = held.member.as_ref().is_some_and(|member| person.members.contains(member));
                    leads || person.has_alias(held)
                };
                self.held_keys(cursor, |held| held.names_somebody() && is_theirs(held)).await
            }
            Step::Orders => self.held_orders(person, cursor).await,
            Step::Members => self.held_items(person, cursor).await,
            Step::Waiting => self.held_waiting(person, cursor).await,
        }
    }

    async fn held_keys(
        &self,
        cursor: Option<&str>,
        is_theirs: impl Fn(&HeldKey) -> bool,
    ) -> Result<HeldPage, StoreError> {
        let (items, next) = self.scanned(&self.tables.directory, directory::KEY, cursor).await?;
        let keys = items.into_iter().map(read::<HeldKey>).collect::<Result<Vec<_>, _>>()?;
        let held = keys.into_iter().filter(|key| is_theirs(key)).map(Held::Key).collect();
        Ok(HeldPage { held, next })
    }

    async fn held_orders(&self, person: &Person, cursor: Option<&str>) -> Result<HeldPage, StoreError> {
        let (items, next) = self.scanned(&self.tables.orders, orders::ORDER, cursor).await?;
        let mut held = Vec::new();
        for item in items {
            if let Some(order) = held_order(item)?
                && person.is_dated(order.dated)
                && self.is_theirs(person, &order).await?
            {
                held.push(Held::Order(Box::new(order)));
            }
        }
        Ok(HeldPage { held, next })
    }

    /// The orders that were told with a name of the person's, or that a platform says are theirs.
    async fn orders_told_with(&self, person: &Person, cursor: Option<&str>) -> Result<HeldPage, StoreError> {
        let (items, next) = self.scanned(&self.tables.orders, orders::ORDER, cursor).await?;
        let orders = items.into_iter().map(held_order).collect::<Result<Vec<_>, _>>()?;
        let is_told = |order: &HeldOrder| {
            person.is_dated(order.dated) && (person.has_ordered(&order.key) || person.was_told(&order.owner))
        };
        let told = orders.into_iter().flatten().filter(is_told);
        Ok(HeldPage { held: told.map(|order| Held::Order(Box::new(order))).collect(), next })
    }

    /// The contacts by which the person is reached, verified or not.
    async fn contacts_of(&self, person: &Person, cursor: Option<&str>) -> Result<HeldPage, StoreError> {
        let only = ("#item = :item", text(members::PERSON));
        let (items, next) = self.scanned_members(only, cursor).await?;
        let mut held = Vec::new();
        for item in items {
            let MemberItem { member, item: key, body } = read::<MemberItem<Contact>>(item.clone())?;
            if person.is_reached_by(&body) {
                held.push(Held::Item(HeldItem { member, key, item }));
            }
        }
        Ok(HeldPage { held, next })
    }

    /// What waits under a name of the person's, and the orders that wait. Under which names an order waits, its owner
    /// need not tell: two customers may have turned out to be one.
    async fn held_waiting(&self, person: &Person, cursor: Option<&str>) -> Result<HeldPage, StoreError> {
        let only = ("begins_with(#member, :item)", text(members::WAITING));
        let (items, next) = self.scanned_members(only, cursor).await?;
        let mut held = Vec::new();
        for key in items {
            if !text_of(&key, members::MEMBER).is_some_and(|name| person.knows(name)) {
                continue;
            }
            let order = order_of(&key)?;
            let waiting = self.order_item(&order).await?;
            if let Some(waiting) = &waiting
                && !person.is_dated(waiting.dated)
            {
                // Of whoever came back, under the same name.
                continue;
            }
            let theirs = waiting.filter(|order| order.claimed_by.is_none());
            held.extend(theirs.map(|order| Held::Order(Box::new(order))));
            held.push(Held::Waiting(HeldWaiting { order, key }));
        }
        Ok(HeldPage { held, next })
    }

    /// Whether an order is the person's: a platform says so, their member claimed it, a key of theirs finds its owner, or it is nobody else's
    /// and was told with a name of theirs.
    async fn is_theirs(&self, person: &Person, order: &HeldOrder) -> Result<bool, StoreError> {
        let is_claimed = order.claimed_by.as_ref().is_some_and(|member| person.members.contains(member));
        if is_claimed || person.has_ordered(&order.key) || person.is_owner(&order.owner) {
            return Ok(true);
        }
        if order.claimed_by.is_some() || !person.was_told(&order.owner) {
            return Ok(false);
        }
        match DirectoryKey::of_customer(&order.owner) {
            Some(key) => Ok(self.find_member(&key, Consistency::Strong).await?.is_none()),
            None => Ok(true),
        }
    }

    /// A page of a whole table, read consistently: what was written before is not missed. A scan, because an index of
    /// owners would cost every order a write, and this is asked for seldom.
    pub(super) async fn scanned(
        &self,
        table: &str,
        key: &str,
        cursor: Option<&str>,
    ) -> Result<(Vec<Attributes>, Option<String>), StoreError> {
        let start = cursor.map(|cursor| HashMap::from([(key.to_owned(), text(cursor))]));
        let scan = self.client.scan().table_name(table).set_exclusive_start_key(start);
        let (items, last) = self.scan(scan).await?;
        Ok((items, last.and_then(|last| text_of(&last, key).map(str::to_owned))))
    }

    /// As [`Store::scanned`], of the items of `members` that a condition on their keys leaves; everything is read.
    async fn scanned_members(
        &self,
        (only, value): (&str, AttributeValue),
        cursor: Option<&str>,
    ) -> Result<(Vec<Attributes>, Option<String>), StoreError> {
        let start = cursor.and_then(|cursor| cursor.split_once(BETWEEN)).map(|(member, item)| {
            HashMap::from([
                (members::MEMBER.to_owned(), text(member)),
                (members::ITEM.to_owned(), text(item)),
            ])
        });
        let (placeholder, attribute) =
            if only.contains("#item") { ("#item", members::ITEM) } else { ("#member", members::MEMBER) };
        let scan = self
            .client
            .scan()
            .table_name(&self.tables.members)
            .filter_expression(only)
            .expression_attribute_names(placeholder, attribute)
            .expression_attribute_values(":item", value)
            .set_exclusive_start_key(start);
        let (items, last) = self.scan(scan).await?;
        let place = |last: Attributes| {
            let (member, item) = (text_of(&last, members::MEMBER)?, text_of(&last, members::ITEM)?);
            Some(format!("{member}{BETWEEN}{item}"))
        };
        Ok((items, last.and_then(place)))
    }

    async fn scan(
        &self,
        scan: ScanFluentBuilder,
    ) -> Result<(Vec<Attributes>, Option<Attributes>), StoreError> {
        let page = scan
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }

    /// A page of the items of one member; the cursor is the member and the item after which it begins.
    async fn held_items(&self, person: &Person, cursor: Option<&str>) -> Result<HeldPage, StoreError> {
        let (member, after) = match cursor.and_then(|cursor| cursor.split_once('#')) {
            Some((member, item)) => {
                let member = MemberId::new(member);
                (member.map_err(|error| StoreError::Permanent(format!("a member's name {error}")))?, item)
            }
            None => match person.members.first() {
                Some(first) => (first.clone(), ""),
                None => return Ok(HeldPage::default()),
            },
        };
        let (items, last) = self.items_after(&member, after).await?;
        let mut held = Vec::new();
        for item in items {
            let key = text_of(&item, members::ITEM).unwrap_or_default().to_owned();
            if let Some(order) = self.order_of_entry(&key).await? {
                held.push(Held::Order(Box::new(order)));
            }
            held.push(Held::Item(HeldItem { member: member.clone(), key, item }));
        }
        let next_member = || person.members.iter().find(|next| **next > member);
        let next = match last {
            Some(item) => Some(format!("{member}#{item}")),
            None => next_member().map(|next| format!("{next}#")),
        };
        Ok(HeldPage { held, next })
    }

    async fn items_after(
        &self,
        member: &MemberId,
        after: &str,
    ) -> Result<(Vec<Attributes>, Option<String>), StoreError> {
        let page = self
            .client
            .query()
            .table_name(&self.tables.members)
            .key_condition_expression("#member = :member")
            .expression_attribute_names("#member", members::MEMBER)
            .expression_attribute_values(":member", text(member.as_str()))
            .consistent_read(true)
            .limit(ITEMS)
            .set_exclusive_start_key((!after.is_empty()).then(|| member_key(member, after)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        let last = page.last_evaluated_key.and_then(|last| text_of(&last, members::ITEM).map(str::to_owned));
        Ok((page.items.unwrap_or_default(), last))
    }

    /// The order that a journal entry was posted for, where it has an owner: whoever's key that was, it is this member's.
    async fn order_of_entry(&self, item: &str) -> Result<Option<HeldOrder>, StoreError> {
        let (Cause::Order(key) | Cause::UnlinkedRefund(key)) = (match keys::entry_id(item) {
            Some(id) => id.cause,
            None => return Ok(None),
        }) else {
            return Ok(None);
        };
        self.order_item(&key).await
    }

    /// An order, where it has an owner.
    async fn order_item(&self, key: &OrderKey) -> Result<Option<HeldOrder>, StoreError> {
        let key = HashMap::from([(orders::ORDER.to_owned(), text(key.as_str()))]);
        let item = self.get(&self.tables.orders, key, Consistency::Strong).await?;
        Ok(item.map(held_order).transpose()?.flatten())
    }
}

/// An order as the list has it; nothing where it has no owner.
fn held_order(item: Attributes) -> Result<Option<HeldOrder>, StoreError> {
    #[derive(Deserialize)]
    struct OrderItem {
        order: OrderKey,
        owner: Customer,
        claimed_by: Option<MemberId>,
        placed_at: Option<Timestamp>,
        unlinked: Option<Refund>,
    }
    if !matches!(item.get(orders::OWNER), Some(AttributeValue::M(_))) {
        return Ok(None);
    }
    let OrderItem { order, owner, claimed_by, placed_at, unlinked } = read(item.clone())?;
    let source = SourceName::new(order.source());
    let source = source.map_err(|error| StoreError::Permanent(format!("{order}: the source {error}")))?;
    Ok(Some(HeldOrder {
        key: order,
        source,
        owner,
        claimed_by,
        dated: unlinked.as_ref().map(|refund| refund.refunded_at).or(placed_at),
        is_unlinked: unlinked.is_some(),
        item,
    }))
}
