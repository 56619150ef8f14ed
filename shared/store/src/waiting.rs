//! Orders that wait for whoever placed them to enrol: a small item under each name that was told with the order, in the
//! place of a member. A name stands there as a digest, so the item itself names nobody; the order does.
//!
//! Two rules keep an order from ever being two members' at once. It is claimed once, by one attribute of its item, which
//! is written only onto what was read. And once the directory leads from the owner's own key to a member, nobody claims
//! the order under another name: the same transaction that claims it requires that.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{MemberId, OrderKey, OrderState};

use crate::expression::Update;
use crate::items::{Attributes, customer_value, number, sha256, text};
use crate::keys::{self, directory, members, orders};
use crate::orders::take_up;
use crate::transaction::{Action, Transacted};
use crate::{Consistency, DirectoryKey, Store, StoreError};

/// How many waiting orders are read at a time; each is then read and written for itself.
const PAGE: i32 = 100;

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The order is the member's, and wakes the accrual.
    Made,
    /// The owner's own key leads to a member, whose the order is.
    LeadsElsewhere,
    /// The order is not as it was read; read it again.
    Changed,
}

impl Store {
    /// Lets an order wait under each of these names. Waiting already, it goes on.
    pub async fn wait(&self, order: &OrderKey, names: &[DirectoryKey]) -> Result<(), StoreError> {
        for name in names {
            self.put(&self.tables.members, waiting_key(name, order)).await?;
        }
        Ok(())
    }

    /// Ends an order's waiting under these names.
    pub async fn end_waiting(&self, order: &OrderKey, names: &[DirectoryKey]) -> Result<(), StoreError> {
        for name in names {
            self.delete(&self.tables.members, waiting_key(name, order)).await?;
        }
        Ok(())
    }

    /// The first orders that wait under a name; whoever takes them up ends their waiting, and asks again. Read
    /// consistently: what began to wait before is not missed.
    pub async fn waiting(&self, name: &DirectoryKey) -> Result<Vec<OrderKey>, StoreError> {
        let page = self
            .client
            .query()
            .table_name(&self.tables.members)
            .key_condition_expression("#member = :name AND begins_with(#item, :order)")
            .expression_attribute_names("#member", members::MEMBER)
            .expression_attribute_names("#item", members::ITEM)
            .expression_attribute_values(":name", text(waiting_under(&keys::directory_key(name))))
            .expression_attribute_values(":order", text(members::ORDER))
            .consistent_read(true)
            .limit(PAGE)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::from_sdk(&error))?;
        self.meter.read(page.consumed_capacity());
        page.items.unwrap_or_default().iter().map(order_of).collect()
    }

    /// Gives an order to a member who enrolled under one of its names.
    pub async fn claim(
        &self,
        order: &OrderState,
        name: &DirectoryKey,
        member: &MemberId,
    ) -> Result<Claim, StoreError> {
        let mut update = Update::default();
        update.set(orders::CLAIMED_BY, text(member.as_str()));
        update.count(orders::REVISION);
        take_up(&mut update);
        update.if_equal(orders::REVISION, number(order.revision));
        if let Some(owner) = &order.owner {
            // An erasure puts another owner in the person's place, and that is no revision.
            update.and_if_equal(orders::OWNER, customer_value(owner)?);
        }
        let key = HashMap::from([(orders::ORDER.to_owned(), text(order.key.as_str()))]);
        let mut actions = vec![Action::Update(&self.tables.orders, key, update)];
        let own = order.owner.as_ref().and_then(DirectoryKey::of_customer);
        if let Some(own) = own.filter(|own| own != name) {
            let own = self.look_up(&own, Consistency::Strong).await?;
            if own.key != *name {
                if own.member.is_some() {
                    return Ok(Claim::LeadsElsewhere);
                }
                let key = HashMap::from([(directory::KEY.to_owned(), text(keys::directory_key(&own.key)))]);
                actions.push(Action::Absent(&self.tables.directory, key, directory::KEY));
            }
        }
        Ok(match self.transact(actions).await? {
            Transacted::Done => Claim::Made,
            // Also where the owner's own key leads to somebody by now: that is read anew.
            Transacted::Refused(_) | Transacted::Contended => Claim::Changed,
        })
    }
}

/// The key of a waiting order's item, which is all that it has.
pub(crate) fn waiting_key(name: &DirectoryKey, order: &OrderKey) -> Attributes {
    HashMap::from([
        (members::MEMBER.to_owned(), text(waiting_under(&keys::directory_key(name)))),
        (members::ITEM.to_owned(), text(format!("{}{order}", members::ORDER))),
    ])
}

/// The hash key of what waits under a name, a key of the directory.
pub(crate) fn waiting_under(name: &str) -> String {
    format!("{}{}", members::WAITING, sha256(name))
}

/// The order that waits there.
pub(crate) fn order_of(item: &Attributes) -> Result<OrderKey, StoreError> {
    let item = item.get(members::ITEM).and_then(|item| item.as_s().ok());
    let key = item.and_then(|item| item.strip_prefix(members::ORDER)).unwrap_or_default();
    OrderKey::new(key).map_err(|error| StoreError::Permanent(format!("a waiting order's key {error}")))
}
