//! Members of the past, with what they had: an import brings them, as often as it likes, and they are told nothing.

use domain::{Command, MemberId, Opening, Timestamp};
use store::{Asked, Consistency, Enrolment};

use super::{Engine, EngineError, Enrolled};
use crate::clock::Budget;

/// Somebody whom an import brings.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Under which names, and how to be reached.
    pub who: Enrolment,
    /// Since when they are a member, where that is said.
    pub joined_at: Option<Timestamp>,
    /// What they had.
    pub opening: Option<Opening>,
}

/// What became of somebody whom an import brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brought {
    /// A new member, or a member who had no opening balance and has it now.
    Done(MemberId),
    /// All of it was known.
    Known(MemberId),
    /// The member has another opening balance.
    OpenedOtherwise(MemberId),
    /// The names lead to different members.
    Several(MemberId, MemberId),
}

impl Engine {
    /// Brings a member, or adds to one who is known what was not. A balance that names no moment of its own counts from
    /// `at`, and so does a member who names none.
    pub async fn bring(
        &self,
        newcomer: &Newcomer,
        at: Timestamp,
        budget: Budget,
    ) -> Result<Brought, EngineError> {
        let Newcomer { who, joined_at, opening } = newcomer;
        let command = Command::Bring { opening: opening.as_ref(), at };
        let joined_at = joined_at.unwrap_or(at);
        let brought = match self.join(who, joined_at, command, budget).await? {
            Enrolled::Several(one, other) => return Ok(Brought::Several(one, other)),
            Enrolled::New(member) => {
                // Coupons may be left to issue, of which nobody is to be told either.
                self.carry_out_for(&member, Command::Bring { opening: None, at }, budget).await?;
                Brought::Done(member)
            }
            Enrolled::Known(member) => match opening {
                Some(opening) => self.open(who, member, opening, at, budget).await?,
                None => Brought::Known(member),
            },
        };
        if let Brought::Done(member) | Brought::Known(member) = &brought {
            self.claim_waiting(&who.keys, member, budget).await?;
        }
        Ok(brought)
    }

    /// Gives a known member an opening balance, unless one was given: to them, or to whom a name of theirs led before
    /// they became one.
    async fn open(
        &self,
        who: &Enrolment,
        member: MemberId,
        opening: &Opening,
        at: Timestamp,
        budget: Budget,
    ) -> Result<Brought, EngineError> {
        let mut as_named = vec![member.clone()];
        for key in &who.keys {
            as_named.extend(self.store.find_member(key, Consistency::Strong).await?);
        }
        let request = opening.request();
        let mut is_opened = false;
        for one in &as_named {
            match self.store.asked(one, &Opening::cause(one), &request).await? {
                Asked::Never => {}
                Asked::Differently => is_opened = true,
                Asked::Before => {
                    self.carry_out_for(&member, Command::Bring { opening: None, at }, budget).await?;
                    return Ok(Brought::Known(member));
                }
            }
        }
        if is_opened {
            return Ok(Brought::OpenedOtherwise(member));
        }
        let command = Command::Bring { opening: Some(opening), at };
        self.carry_out_for_current(&member, command, budget).await?;
        Ok(Brought::Done(member))
    }
}
