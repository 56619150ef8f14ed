//! A reward that an operator issues to a member, once for each request.

use domain::{Command, CouponCode, Kind, MemberId, RewardRequest};
use store::{Asked, Consistency};

use super::{Engine, EngineError, Loaded, Progress};
use crate::clock::Budget;

/// The newest entries of a journal, among which one that was just posted stands.
const NEWEST_ENTRIES: u16 = 25;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issued {
    /// There is a new coupon, of this member.
    Done(MemberId, CouponCode),
    /// It was asked before, and done then.
    Before(MemberId),
    /// Another reward was asked for under this identifier.
    Otherwise(MemberId),
}

impl Engine {
    /// Issues a reward to a member for its points. Nothing for an unknown member. Asked again, it was done before.
    pub async fn issue(
        &self,
        named: &MemberId,
        request: &RewardRequest,
        budget: Budget,
    ) -> Result<Option<Issued>, EngineError> {
        let cause = request.cause();
        let mut attempt = 0;
        let mut is_ours = false;
        loop {
            let Some(profile) = self.current(named, Consistency::Strong).await? else { return Ok(None) };
            let member = profile.member.clone();
            // Asked of a member who has become part of this one, it was done there.
            for asked_of in [named.clone(), member.clone()] {
                match self.store.asked(&asked_of, &cause, &request.request()).await? {
                    Asked::Never => {}
                    Asked::Before if is_ours => return self.just_issued(member, request).await.map(Some),
                    Asked::Before => return Ok(Some(Issued::Before(member))),
                    Asked::Differently => return Ok(Some(Issued::Otherwise(member))),
                }
            }
            match self.carry_out(Loaded::member(profile), Command::Issue { request }).await? {
                Progress::Done(_) | Progress::MoreToDo => (attempt, is_ours) = (0, true),
                Progress::Conflict => (attempt, is_ours) = (attempt + 1, false),
            }
            self.pause(attempt, budget).await?;
        }
    }

    async fn just_issued(&self, member: MemberId, request: &RewardRequest) -> Result<Issued, EngineError> {
        let (newest, _) = self.store.journal_page(&member, None, NEWEST_ENTRIES).await?;
        let code = newest.into_iter().find_map(|entry| match entry.kind {
            Kind::CouponIssued { code, .. } if entry.id.cause == request.cause() => Some(code),
            _ => None,
        });
        Ok(code.map_or(Issued::Before(member.clone()), |code| Issued::Done(member, code)))
    }
}
