//! A programme begins to reach across sources: the members there are get the names by which they are found from then on.

use domain::MemberId;
use store::{Consistency, DirectoryKey};

use super::{Engine, EngineError};
use crate::clock::Budget;

/// What became of the members when a programme began to reach across sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// How many members have such a name.
    pub members: usize,
    /// Names that somebody who came before holds already.
    pub clashes: Vec<Clash>,
}

/// A name that two members have. Whoever came first holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Who came later.
    pub member: MemberId,
    /// Who holds the name.
    pub holder: MemberId,
    /// Whether it is a phone number, and not a verified e-mail.
    pub is_phone: bool,
}

impl Engine {
    /// Gives every member the names that mean the same person at every source, as the newest programme has it: first come,
    /// first served. Nobody is merged. Done again, it goes on where it was cut off, and finds the same clashes.
    pub async fn join_across_sources(&self, budget: Budget) -> Result<Joined, EngineError> {
        let programmes = self.store.programmes().await?;
        let identity =
            programmes.map(|programmes| programmes.newest().programme.identity).unwrap_or_default();
        let mut joined = Joined::default();
        if !identity.across_sources {
            return Ok(joined);
        }
        for nameable in self.store.nameable_members(identity).await? {
            self.pause(0, budget).await?;
            joined.members += 1;
            for name in &nameable.names {
                let holder = self.add_name(name, &nameable.member, budget).await?;
                if let Some(holder) = self.somebody_else(&holder, &nameable.member).await? {
                    let is_phone = matches!(name, DirectoryKey::Phone(_));
                    joined.clashes.push(Clash { member: nameable.member.clone(), holder, is_phone });
                }
            }
        }
        Ok(joined)
    }

    /// Whoever a holder is now, where that is not the member.
    async fn somebody_else(
        &self,
        holder: &MemberId,
        member: &MemberId,
    ) -> Result<Option<MemberId>, EngineError> {
        if holder == member {
            return Ok(None);
        }
        let now = self.store.current_member(holder, Consistency::Strong).await?;
        Ok(now.map(|now| now.profile.member).filter(|now| now != member))
    }
}
