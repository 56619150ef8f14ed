//! Whom to look for, and who that turns out to be.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use domain::{Contact, Customer, ErasureId, MemberId, OrderKey, Phone, Timestamp};
use ring::hmac;
use serde::{Deserialize, Serialize};

use super::walk::HeldKey;
use crate::keys::{self, directory};
use crate::waiting::waiting_under;
use crate::{DirectoryKey, StoreError};

/// The most keys of one person: a handful is usual, and an item holds 400 KB.
const MAX_KEYS: usize = 3_000;
/// The most members that one person is: more than one only where a shop knows them under several names.
const MAX_MEMBERS: usize = 100;

/// Whom to look for: by any name that a person can have, verified or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sought {
    names: Vec<DirectoryKey>,
    orders: Vec<OrderKey>,
    members: Vec<MemberId>,
}

impl Sought {
    /// The most orders that one person is sought by; whoever names more seeks several times.
    pub const MAX_ORDERS: usize = 1_000;

    /// Whoever has this name: a platform's customer, an e-mail, a phone number or a card; a member or a guest.
    pub fn named(name: DirectoryKey) -> Self {
        Self { names: vec![name], ..Self::default() }
    }

    /// A member.
    pub fn member(member: MemberId) -> Self {
        Self { members: vec![member], ..Self::default() }
    }

    /// And whoever placed these orders.
    pub fn with_orders(self, orders: Vec<OrderKey>) -> Self {
        Self { orders, ..self }
    }

    /// The same, once for every [`Sought::MAX_ORDERS`] of the orders, and once at least.
    pub fn in_parts(&self) -> Vec<Self> {
        let part = |orders: &[OrderKey]| Self { orders: orders.to_vec(), ..self.clone() };
        match self.orders.as_slice() {
            [] => vec![self.clone()],
            orders => orders.chunks(Self::MAX_ORDERS).map(part).collect(),
        }
    }
}

/// A person without a name: members, and digests of the keys by which they are found. A digest is salted with an
/// identifier of its own, so that only who knows a key already can tell that it is this person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The salt.
    #[serde(rename = "erasure")]
    pub(super) id: ErasureId,
    /// Of names, of what waits under them, and of orders that a platform says are the person's.
    keys: BTreeSet<String>,
    pub(super) members: BTreeSet<MemberId>,
    /// Members of whom an address or a number of the person's was told, and nobody vouches that it is theirs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    candidates: BTreeSet<MemberId>,
    /// Whether the directory is looked through once more: a customer's key was learned, to which an alias passed before
    /// may lead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    again: bool,
    /// Who became a member later is somebody new, and so are their orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl Person {
    /// Whoever is sought.
    pub fn sought(id: ErasureId, sought: &Sought) -> Self {
        let mut person = Self {
            id,
            keys: BTreeSet::new(),
            members: sought.members.iter().cloned().collect(),
            candidates: BTreeSet::new(),
            again: false,
            until: None,
        };
        for name in &sought.names {
            person.insert(&keys::directory_key(name));
        }
        for order in &sought.orders {
            person.keys.insert(person.digest(&keys::order_name(order)));
        }
        person
    }

    /// Sets the moment up to which the person is looked for, once and for all.
    pub fn look_until(&mut self, now: Timestamp) {
        self.until.get_or_insert(now);
    }

    /// The members that are this person.
    pub fn members(&self) -> impl Iterator<Item = &MemberId> {
        self.members.iter()
    }

    /// Whether anything is known by which a person could be found, members apart.
    pub(super) fn has_names(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether a member is the person, or perhaps is.
    pub(super) fn may_be(&self, member: &MemberId) -> bool {
        self.members.contains(member) || self.candidates.contains(member)
    }

    /// Whether a key of the directory, or of what waits, is this person's.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.keys.contains(&self.digest(key))
    }

    /// Whether a platform named this order as the person's.
    pub(super) fn has_ordered(&self, order: &OrderKey) -> bool {
        self.knows(&keys::order_name(order))
    }

    pub(super) fn is_dated(&self, at: Option<Timestamp>) -> bool {
        at.zip(self.until).is_none_or(|(at, until)| at <= until)
    }

    /// Whether an order's owner is found by a key of this person's.
    pub(super) fn is_owner(&self, owner: &Customer) -> bool {
        DirectoryKey::all_of(owner).any(|key| self.knows(&keys::directory_key(&key)))
    }

    /// Whether an address of this person's is somebody's, as a platform says.
    pub(super) fn is_vouched_for(&self, contact: &Contact) -> bool {
        let email = contact.verified_email().map(|email| DirectoryKey::Email(email.to_owned()));
        email.is_some_and(|key| self.knows(&keys::directory_key(&key)))
    }

    /// Whether an order's owner was told with a name of this person's, verified or not.
    pub(super) fn was_told(&self, owner: &Customer) -> bool {
        DirectoryKey::told_of(owner).iter().any(|key| self.knows(&keys::directory_key(key)))
    }

    /// Whether a member is reached by a name of this person's, verified or not.
    pub(super) fn is_reached_by(&self, contact: &Contact) -> bool {
        let email = contact.email.clone().map(DirectoryKey::Email);
        let phone = contact.phone.clone().map(|phone: Phone| DirectoryKey::Phone(phone));
        email.into_iter().chain(phone).any(|key| self.knows(&keys::directory_key(&key)))
    }

    /// Whether an alias leads to a key of this person's.
    pub(super) fn has_alias(&self, held: &HeldKey) -> bool {
        held.same_as.as_ref().is_some_and(|same_as| self.knows(same_as))
    }

    /// Another key of the person's, and where it is an alias, the one to which it leads.
    pub(super) fn learn(&mut self, held: &HeldKey) -> Result<(), StoreError> {
        self.learn_key(&held.key)?;
        held.same_as.as_ref().map_or(Ok(()), |same_as| self.learn_key(same_as))
    }

    /// Whether to look again, once for every time that there was reason to.
    pub(super) fn looks_again(&mut self) -> bool {
        std::mem::take(&mut self.again)
    }

    fn learn_key(&mut self, key: &str) -> Result<(), StoreError> {
        if self.insert(key) && key.starts_with(directory::CUSTOMER) {
            self.again = true;
        }
        if self.keys.len() > MAX_KEYS {
            return Err(StoreError::Permanent(format!("a person has at most {MAX_KEYS} keys")));
        }
        Ok(())
    }

    /// A member who is the person.
    pub(super) fn learn_member(&mut self, member: MemberId) -> Result<(), StoreError> {
        self.candidates.remove(&member);
        self.members.insert(member);
        if self.members.len() > MAX_MEMBERS {
            return Err(StoreError::Permanent(format!("a person is at most {MAX_MEMBERS} members")));
        }
        Ok(())
    }

    /// A member of whom a name of the person's was told. Where nobody vouches for that, it may be somebody who mistyped.
    pub(super) fn learn_teller(&mut self, member: MemberId, is_vouched_for: bool) -> Result<(), StoreError> {
        if is_vouched_for {
            return self.learn_member(member);
        }
        if !self.members.contains(&member) {
            self.candidates.insert(member);
        }
        Ok(())
    }

    /// Where nobody is vouched for, whoever told the names is the person.
    pub(super) fn take_tellers_in(&mut self) -> Result<(), StoreError> {
        if self.members.is_empty() { self.take_candidates_in() } else { Ok(()) }
    }

    /// A candidate is somebody else whom a name leads to that is not the person's, and that a platform vouches for.
    pub(super) fn rule_out(&mut self, key: &str, member: &MemberId) {
        if keys::is_vouched_for(key) && !self.knows(key) {
            self.candidates.remove(member);
        }
    }

    /// Takes in the candidates that are left.
    pub(super) fn take_candidates_in(&mut self) -> Result<(), StoreError> {
        for member in std::mem::take(&mut self.candidates) {
            self.learn_member(member)?;
        }
        Ok(())
    }

    /// With what waits under the name; whether it was new.
    fn insert(&mut self, key: &str) -> bool {
        self.keys.insert(self.digest(&waiting_under(key)));
        self.keys.insert(self.digest(key))
    }

    fn digest(&self, key: &str) -> String {
        let salt = hmac::Key::new(hmac::HMAC_SHA256, self.id.as_str().as_bytes());
        let digest = hmac::sign(&salt, key.as_bytes());
        digest.as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{CustomerId, SourceName};

    use super::*;

    fn customer() -> DirectoryKey {
        DirectoryKey::Customer(SourceName::new("shop").unwrap(), CustomerId::new("7").unwrap())
    }

    fn person(id: &str) -> Person {
        Person::sought(ErasureId::new(id).unwrap(), &Sought::named(customer()))
    }

    fn member(id: &str) -> MemberId {
        MemberId::new(id).unwrap()
    }

    #[test]
    fn a_person_is_known_by_their_key_and_the_key_is_not_told() {
        let (one, other) = (person("one"), person("other"));
        assert!(one.knows("customer#shop#7") && other.knows("customer#shop#7"));
        assert!(!one.knows("customer#shop#8"));
        assert_ne!(one.keys, other.keys, "the same person has other digests in each erasure");
        assert!(!serde_json::to_string(&one).unwrap().contains("shop"));
    }

    #[test]
    fn what_waits_under_a_name_and_the_orders_that_a_platform_names_are_known_too() {
        let order = |id: &str| OrderKey::new(format!("shop#{id}")).unwrap();
        let sought = Sought::named(customer()).with_orders(vec![order("1")]);
        let person = Person::sought(ErasureId::new("one").unwrap(), &sought);
        assert!(person.knows(&waiting_under("customer#shop#7")));
        assert!(person.has_ordered(&order("1")) && !person.has_ordered(&order("2")));
    }

    #[test]
    fn a_long_list_of_orders_is_sought_in_parts_of_which_none_is_left_out() {
        let all: Vec<_> =
            (0..Sought::MAX_ORDERS * 2 + 1).map(|n| OrderKey::new(format!("shop#{n}")).unwrap()).collect();
        let parts = Sought::named(customer()).with_orders(all.clone()).in_parts();
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.names == [customer()]));
        assert_eq!(parts.into_iter().flat_map(|part| part.orders).collect::<Vec<_>>(), all);
        assert_eq!(Sought::named(customer()).in_parts().len(), 1);
    }

    #[test]
    fn who_told_a_name_is_the_person_where_nobody_is_vouched_for_and_else_only_if_nobody_vouches_otherwise() {
        let mut nobody_yet = person("one");
        nobody_yet.learn_teller(member("m2"), false).unwrap();
        nobody_yet.take_tellers_in().unwrap();
        assert!(nobody_yet.members().eq([&member("m2")]));

        let mut person = person("one");
        for (teller, is_vouched_for) in [("m2", false), ("m3", false), ("m1", true)] {
            person.learn_teller(member(teller), is_vouched_for).unwrap();
        }
        person.take_tellers_in().unwrap();
        assert!(person.members().eq([&member("m1")]));
        for (key, leads_to) in [("customer#shop#8", "m2"), ("phone#+33612345678", "m3")] {
            person.rule_out(key, &member(leads_to));
        }
        person.take_candidates_in().unwrap();
        assert!(person.members().eq([&member("m1"), &member("m3")]));
    }
}
