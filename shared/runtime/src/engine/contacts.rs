//! What an order means for how its member is reached. A contact belongs to the name that it came with, and a reward is
//! mailed to an address of whoever earned it.

use std::collections::BTreeMap;

use domain::decide::target;
use domain::{Cause, Contact, Customer, Kind, MemberId, OrderKey, OrderState, Points};
use store::DirectoryKey;

use super::{Engine, EngineError, own_key};

/// The entries of a guest's journal, newest first, among which it is weighed who earned most.
const MAX_WEIGHED: u16 = 200;

impl Engine {
    /// Heeds what an order of a known member tells beside its goods, before anything is posted that a message follows.
    pub(super) async fn heed_contact(
        &self,
        state: &OrderState,
        member: &MemberId,
    ) -> Result<(), EngineError> {
        let Some(owner) = &state.owner else { return Ok(()) };
        match own_key(state) {
            Some(DirectoryKey::Customer(..) | DirectoryKey::Email(_)) if owner.contact.consent.is_some() => {
                let Some(at) = state.newest_moment() else { return Ok(()) };
                self.store.tell_consent(member, &owner.told_contact(), at).await?;
                Ok(())
            }
            Some(DirectoryKey::Phone(_) | DirectoryKey::Card(..)) if owner.contact.email.is_some() => {
                self.weigh_guest(state, owner, member).await
            }
            _ => Ok(()),
        }
    }

    /// Of guests who tell one phone or card and different addresses, the one is written to whose orders have earned most;
    /// where they are level, whoever came first.
    async fn weigh_guest(
        &self,
        state: &OrderState,
        owner: &Customer,
        member: &MemberId,
    ) -> Result<(), EngineError> {
        let Some(known) = self.store.contact(member).await? else { return Ok(()) };
        if !known.typed_by_guest || known.email == owner.contact.email {
            return Ok(());
        }
        let mut earned = self.earned_by_orders(member).await?;
        earned.insert(state.key.clone(), target(&*self.programmes.get().await?, state)?.points);
        let mut by_address: BTreeMap<String, (Points, Contact)> = BTreeMap::new();
        for (order, points) in earned {
            let told = if order == state.key {
                owner.told_contact()
            } else {
                let order = self.store.order(&order).await?;
                match order.and_then(|order| order.owner) {
                    Some(owner) => owner.told_contact(),
                    None => continue,
                }
            };
            let Some(address) = told.email.clone().filter(|_| told.typed_by_guest) else { continue };
            let sum = by_address.entry(address).or_insert((Points::ZERO, told));
            sum.0 = sum.0.plus(points).map_err(|error| EngineError::Permanent(error.to_string()))?;
        }
        let of_known = known.email.as_ref().and_then(|address| by_address.get(address));
        let most = by_address.values().max_by_key(|(points, _)| *points);
        if let Some((points, contact)) = most
            && of_known.is_none_or(|(known, _)| points > known)
        {
            self.store.replace_guest(member, contact, self.clock.now()).await?;
        }
        Ok(())
    }

    /// What each of a member's newest orders has posted.
    async fn earned_by_orders(&self, member: &MemberId) -> Result<BTreeMap<OrderKey, Points>, EngineError> {
        let mut earned: BTreeMap<OrderKey, Points> = BTreeMap::new();
        let (entries, _) = self.store.journal_page(member, None, MAX_WEIGHED).await?;
        for entry in entries.into_iter().filter(|entry| matches!(entry.kind, Kind::Order { .. })) {
            let Cause::Order(order) = entry.id.cause else { continue };
            let sum = earned.entry(order).or_default();
            *sum = sum.plus(entry.points).map_err(|error| EngineError::Permanent(error.to_string()))?;
        }
        Ok(earned)
    }
}
