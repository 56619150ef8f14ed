//! Erasures that were asked for, and those that are done: none names the person, and all are done again after a
//! restore.

use std::collections::HashMap;

use domain::{ErasureId, MemberId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_dynamo::Item;

use super::find::Place;
use super::{Person, Sought, Step, text_of};
use crate::expression::Update;
use crate::items::{Attributes, ImageError, number, read, text, write, write_value};
use crate::keys::erasures;
use crate::writes::Written;
use crate::{Consistency, Recorded, Store, StoreError};

/// An erasure, open or done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    #[serde(flatten)]
    pub(super) person: Person,
    /// Where it is; nothing once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) step: Option<Step>,
    /// Where the step goes on. In the directory and among the members it may be anybody's key, so it is kept no longer
    /// than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    done_at: Option<Timestamp>,
    /// How much of the person's was held, counted anew whenever a page is done again.
    #[serde(default)]
    pub(super) found: u64,
    /// What the stream's filter looks for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    open: bool,
    revision: u64,
}

/// The attributes that an erasure may lack.
const SOMETIMES: [&str; 7] = [
    erasures::STEP,
    erasures::CURSOR,
    erasures::DONE_AT,
    erasures::OPEN,
    erasures::UNTIL,
    erasures::AGAIN,
    erasures::CANDIDATES,
];

impl Erasure {
    /// An erasure of whoever is sought.
    pub fn of(id: ErasureId, sought: &Sought) -> Self {
        let person = Person::sought(id, sought);
        Self {
            person,
            step: Some(Step::FIRST),
            cursor: None,
            done_at: None,
            found: 0,
            open: true,
            revision: 1,
        }
    }

    /// Its name.
    pub fn id(&self) -> &ErasureId {
        &self.person.id
    }

    /// The members that it found so far.
    pub fn members(&self) -> impl Iterator<Item = &MemberId> {
        self.person.members()
    }

    /// When it was done, the last time.
    pub fn done_at(&self) -> Option<Timestamp> {
        self.done_at
    }

    /// Whether there is anything left to do.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Begins at this moment, if it did not begin before.
    pub fn begin(&mut self, now: Timestamp) {
        self.person.look_until(now);
    }

    /// Whether it looked everywhere, and nothing was the person's.
    pub fn found_nobody(&self) -> bool {
        !self.open && self.found == 0
    }

    pub(super) fn move_to(&mut self, place: Option<Place>, now: Timestamp) {
        let (step, cursor) = place.map(|place| (place.step, place.cursor)).unzip();
        (self.step, self.cursor) = (step, cursor.flatten());
        if self.step.is_none() {
            self.done_at = Some(now);
            self.open = false;
        }
    }
}

/// Which erasure the image of a stream record is of. The image itself may be old.
pub fn erasure_of_image(image: Item) -> Result<ErasureId, ImageError> {
    #[derive(Deserialize)]
    struct Image {
        erasure: ErasureId,
    }
    Ok(read::<Image>(image)?.erasure)
}

impl Store {
    /// Asks for an erasure, once under its name. Its stream wakes the function that does it.
    pub async fn ask_erasure(&self, erasure: &Erasure) -> Result<Recorded, StoreError> {
        let is_new = self.put_new(&self.tables.erasures, write(erasure)?, erasures::ERASURE).await?;
        Ok(if is_new { Recorded::Stored } else { Recorded::Known })
    }

    /// An erasure as it is now.
    pub async fn erasure(&self, id: &ErasureId) -> Result<Option<Erasure>, StoreError> {
        let item = self.get(&self.tables.erasures, erasure_key(id), Consistency::Strong).await?;
        Ok(item.map(read).transpose()?)
    }

    /// Writes down how far an erasure came, which wakes the function again if it is not done. Whether it did: not so
    /// if somebody else wrote meanwhile, who goes on from there.
    pub async fn keep_erasure(&self, erasure: &mut Erasure) -> Result<bool, StoreError> {
        let mut update = Update::default();
        let mut attributes = write(erasure)?;
        attributes.retain(|name, _| ![erasures::ERASURE, erasures::REVISION].contains(&name.as_str()));
        for absent in SOMETIMES.into_iter().filter(|name| !attributes.contains_key(*name)) {
            update.remove(absent);
        }
        for (attribute, value) in attributes {
            update.set(&attribute, value);
        }
        update.count(erasures::REVISION);
        update.if_equal(erasures::REVISION, number(erasure.revision));
        match self.update(&self.tables.erasures, erasure_key(erasure.id()), update).await? {
            Written::Done(_) => {
                erasure.revision += 1;
                Ok(true)
            }
            Written::Refused(_) => Ok(false),
        }
    }

    /// Every erasure there is.
    pub async fn erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        let mut erasures = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let (items, next) =
                self.scanned(&self.tables.erasures, erasures::ERASURE, cursor.as_deref()).await?;
            for item in items {
                if !text_of(&item, erasures::ERASURE).is_some_and(|key| key.starts_with(erasures::BODY)) {
                    erasures.push(read(item)?);
                }
            }
            cursor = next;
            if cursor.is_none() {
                return Ok(erasures);
            }
        }
    }

    /// Opens every erasure again, from its first step: after the other tables came back from a backup. How many.
    pub async fn reapply_erasures(&self) -> Result<usize, StoreError> {
        let erasures = self.erasures().await?;
        for erasure in &erasures {
            let mut update = Update::default();
            update.set(erasures::OPEN, write_value(&true)?);
            update.set(erasures::STEP, write_value(&Step::FIRST)?);
            update.remove(erasures::CURSOR);
            // Whoever is at it now finds it changed and leaves it to whom this wakes.
            update.count(erasures::REVISION);
            update.if_there(erasures::ERASURE);
            self.update(&self.tables.erasures, erasure_key(erasure.id()), update).await?;
        }
        Ok(erasures.len())
    }
}

fn erasure_key(id: &ErasureId) -> Attributes {
    HashMap::from([(erasures::ERASURE.to_owned(), text(id.as_str()))])
}
