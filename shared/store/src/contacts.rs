//! How members are reached: the item `person`.
//!
//! Whatever is told is joined to what is known by the rules of [`domain::contact`], and written onto what was read. Address,
//! name and language have one clock, consent has another, so that an older word of the one never hides a newer one of the
//! other.

use std::time::Duration;

use domain::{Contact, Customer, MemberId, Timestamp, time};

use crate::expression::Update;
use crate::items::{Attributes, MemberItem, member_key, read, text, write};
use crate::keys::members;
use crate::transaction::{Action, Transacted};
use crate::{Consistency, Current, DirectoryKey, Recorded, Store, StoreError};

/// How often others may change a contact at the same moment, before the whole is tried again.
const MAX_ROUNDS: u32 = 20;
/// How long before somebody joins what is told of them may be dated: they become a customer, and then a member.
const BEFORE_JOINING: Duration = Duration::from_secs(60 * 60);
/// What a contact may have had and has no more.
const SOMETIMES: [&str; 4] =
    [members::EMAIL_VERIFIED, members::PHONE_VERIFIED, members::TYPED_BY_GUEST, members::CONSENT_BY];

/// The attributes of `members` that a change of a contact names. `order-webhook`, to which anybody may speak, has the
/// right to write these and no others.
pub const CONTACT_ATTRIBUTES: [&str; 14] = [
    members::MEMBER,
    members::ITEM,
    "email",
    members::EMAIL_VERIFIED,
    "phone",
    members::PHONE_VERIFIED,
    members::TYPED_BY_GUEST,
    "name",
    "locale",
    "consent",
    members::CONSENT_BY,
    members::CONSENT_AT,
    members::TOLD_AT,
    members::CAME_WITH,
];

/// One telling of a contact.
#[derive(Clone, Copy)]
struct Told<'a> {
    contact: &'a Contact,
    at: Timestamp,
    /// The member by whose name it was told, where they have become part of this one.
    came_with: Option<&'a MemberId>,
    occasion: Occasion,
}

/// On what occasion a contact is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// By itself: it holds unless something newer was told.
    Update,
    /// With an order: only whether the person wants messages.
    Checkout,
    /// Weighed against what is known of a guest: it takes the place of that.
    Weighed,
}

impl Store {
    /// How to reach a member. Read consistently: a new member's first news follows the enrolment at once.
    pub async fn contact(&self, member: &MemberId) -> Result<Option<Contact>, StoreError> {
        let item = self.member_item(member, members::PERSON, Consistency::Strong).await?;
        item.map(contact_of).transpose()
    }

    /// Changes how a customer who is a member is reached, unless something newer was told; what is not told stays, and
    /// what is not verified replaces nothing that is. Nothing of somebody who is no member, or who was erased. A platform may
    /// sign no time, so that a body may be sent again years later: what is older than the membership is no news of it.
    pub async fn record_contact(
        &self,
        customer: &Customer,
        at: Timestamp,
    ) -> Result<Option<Recorded>, StoreError> {
        let Some(key) = DirectoryKey::of_customer(customer) else { return Ok(None) };
        let Some(found) = self.find_member(&key, Consistency::Strong).await? else { return Ok(None) };
        let joined = self.profile(&found, Consistency::Strong).await?;
        if joined.is_some_and(|profile| at < profile.enrolled_at - BEFORE_JOINING) {
            return Ok(Some(Recorded::Known));
        }
        let current = self.current_member(&found, Consistency::Strong).await?;
        let Some(Current { profile, way }) = current else { return Ok(None) };
        let contact = customer.told_contact();
        let told = Told { contact: &contact, at, came_with: way.last(), occasion: Occasion::Update };
        self.change_contact(&profile.member, told).await
    }

    /// As [`Store::record_contact`], of a member whom the teller vouches for. Nothing of one who was erased.
    pub async fn tell_contact(
        &self,
        member: &MemberId,
        contact: &Contact,
        at: Timestamp,
    ) -> Result<Option<Recorded>, StoreError> {
        let told = Told { contact, at, came_with: None, occasion: Occasion::Update };
        self.change_contact(member, told).await
    }

    /// Whether the person wants messages, as an order of a member's tells it.
    pub async fn tell_consent(
        &self,
        member: &MemberId,
        contact: &Contact,
        at: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let told = Told { contact, at, came_with: None, occasion: Occasion::Checkout };
        Ok(self.change_contact(member, told).await?.unwrap_or(Recorded::Known))
    }

    /// Puts what one guest told in the place of what another one did, who is known by the same phone or card.
    pub async fn replace_guest(
        &self,
        member: &MemberId,
        contact: &Contact,
        at: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let told = Told { contact, at, came_with: None, occasion: Occasion::Weighed };
        Ok(self.change_contact(member, told).await?.unwrap_or(Recorded::Known))
    }

    /// Nothing of a member who was erased.
    async fn change_contact(
        &self,
        member: &MemberId,
        told: Told<'_>,
    ) -> Result<Option<Recorded>, StoreError> {
        for _ in 0..MAX_ROUNDS {
            let stored = self.member_item(member, members::PERSON, Consistency::Strong).await?;
            let Some(update) = told.beyond(stored.unwrap_or_default())? else {
                return Ok(Some(Recorded::Known));
            };
            let key = member_key(member, members::PERSON);
            let contact = Action::Update(&self.tables.members, key, update);
            match self.transact(vec![contact, self.is_not_erased(member)]).await? {
                Transacted::Done => return Ok(Some(Recorded::Stored)),
                Transacted::Refused(0) | Transacted::Contended => {}
                Transacted::Refused(_) => return Ok(None),
            }
        }
        Err(StoreError::Retryable("others keep changing this contact".to_owned()))
    }
}

/// Which parts of a telling are news.
struct IsNews {
    contact: bool,
    consent: bool,
}

impl Told<'_> {
    /// The update that joins it to what is stored, on the condition that this is still as it was read; nothing where
    /// nothing changes.
    fn beyond(&self, stored: Attributes) -> Result<Option<Update>, StoreError> {
        let at = text(time::sortable(self.at));
        let mut update = Update::default();
        update.asks_for_nothing();
        let [contact, consent] = [members::TOLD_AT, members::CONSENT_AT].map(|clock| {
            let seen = stored.get(clock);
            match seen {
                Some(value) => update.and_if_equal(clock, value.clone()),
                None => update.and_if_missing(clock),
            }
            seen.is_none_or(|seen| seen.as_s().ok() < at.as_s().ok())
        });
        let known = if stored.is_empty() { Contact::default() } else { contact_of(stored)? };
        let Some((next, is_news)) = self.joined_to(&known, &IsNews { contact, consent }) else {
            return Ok(None);
        };
        if is_news.contact {
            update.set(members::TOLD_AT, at.clone());
            self.mark_owner(&mut update, next.email == self.contact.email);
        }
        if is_news.consent {
            update.set(members::CONSENT_AT, at);
        }
        let attributes = write(&next)?;
        for absent in SOMETIMES.into_iter().filter(|name| !attributes.contains_key(*name)) {
            update.remove(absent);
        }
        for (attribute, value) in attributes {
            update.set(&attribute, value);
        }
        Ok(Some(update))
    }

    /// The contact after this telling, and what of it is news; nothing where there is none.
    fn joined_to(&self, known: &Contact, is_newer: &IsNews) -> Option<(Contact, IsNews)> {
        let tells_contact = self.occasion != Occasion::Checkout && has_address(self.contact);
        let is_news = IsNews {
            contact: tells_contact && (self.occasion == Occasion::Weighed || is_newer.contact),
            consent: self.contact.consent.is_some() && is_newer.consent,
        };
        let mut next = known.clone();
        match self.occasion {
            _ if !is_news.contact => {}
            Occasion::Weighed => {
                let Contact { consent, consent_by, .. } = next;
                next = Contact { consent, consent_by, ..self.contact.clone() };
            }
            Occasion::Update | Occasion::Checkout => next.hear(self.contact),
        }
        match self.occasion {
            _ if !is_news.consent => {}
            Occasion::Update => next.hear_consent(self.contact),
            Occasion::Checkout | Occasion::Weighed => next.hear_at_checkout(self.contact),
        }
        // A word that changes nothing is news all the same, as of its moment; but not with every order.
        let changes = self.occasion != Occasion::Checkout || next != *known;
        ((is_news.contact || is_news.consent) && changes).then_some((next, is_news))
    }

    /// Whose the contact is, so that it goes with them if the merge is taken back; where the own address stayed, it is
    /// whose it was.
    fn mark_owner(&self, update: &mut Update, is_taken: bool) {
        match self.came_with {
            Some(other) if is_taken => update.set(members::CAME_WITH, text(other.as_str())),
            Some(_) => {}
            None => update.remove(members::CAME_WITH),
        }
    }
}

fn has_address(contact: &Contact) -> bool {
    *contact
        != Contact { consent: contact.consent, consent_by: contact.consent_by.clone(), ..Contact::default() }
}

fn contact_of(item: Attributes) -> Result<Contact, StoreError> {
    Ok(read::<MemberItem<Contact>>(item)?.body)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{Phone, SourceName};

    use super::*;

    /// Every attribute that an update names, with the key's.
    fn named(stored: Attributes, contact: &Contact, came_with: Option<&MemberId>) -> BTreeSet<String> {
        let at = Timestamp::from_second(60).unwrap();
        let told = Told { contact, at, came_with, occasion: Occasion::Update };
        let update = told.beyond(stored).unwrap().unwrap();
        let key = [members::MEMBER, members::ITEM].map(str::to_owned);
        update.placeholders.names.into_values().chain(key).collect()
    }

    #[test]
    fn a_change_of_a_contact_names_only_what_the_webhooks_role_may_write() {
        let contact = Contact {
            email: Some("a@example.com".to_owned()),
            email_verified: true,
            typed_by_guest: true,
            phone: Some(Phone::new("+33612345678").unwrap()),
            phone_verified: true,
            name: Some("A".to_owned()),
            locale: Some("fr".to_owned()),
            consent: Some(true),
            consent_by: Some(SourceName::new("shop").unwrap()),
        };
        let other = MemberId::new("M2").unwrap();
        let mut all = named(Attributes::new(), &contact, Some(&other));
        all.extend(named(Attributes::new(), &Contact { consent: Some(false), ..contact }, None));
        let allowed: BTreeSet<String> = CONTACT_ATTRIBUTES.map(str::to_owned).into();
        assert!(all.is_subset(&allowed), "{all:?}");
        assert!(all.contains("email") && all.contains(members::CONSENT_AT));
    }
}
