//! The deciding loop: load, decide, read what the rules still need, commit; on a conflict load again.

mod accrue;
mod batch;
mod bring;
mod contacts;
mod enrolment;
mod issuing;
mod joining;
mod ledger_line;
mod merging;
mod programmes;
mod unmerging;

use std::time::Duration;

use domain::decide::MAX_WRITES_PER_DECISION;
use domain::{
    Command, CouponCode, DecideError, Decision, Kind, Known, MemberId, Need, OrderState, Outcome, Profile,
    Programmes, Rater, RaterId, Rating, RatingId, Score, Timestamp, decide,
};
use store::{Commit, Consistency, Current, DirectoryKey, Enrolment, Store, StoreError};

pub use self::accrue::Accrued;
pub use self::batch::Batch;
use self::batch::{Owner, own_key};
pub use self::bring::{Brought, Newcomer};
pub use self::enrolment::Enrolled;
pub use self::issuing::Issued;
pub use self::joining::{Clash, Joined};
use self::ledger_line::LedgerLine;
pub use self::programmes::ProgrammeCache;
pub use self::unmerging::{UNDOABLE_FOR, Unmerged};
use crate::clock::{Budget, Clock};
use crate::random::{NoRandomness, Random};
use crate::telemetry::{LEDGER, ROUTINE, signal};

/// Reads that one decision may ask for: the journal, an earlier part of it, the coupons; and the earlier entries of each
/// cause that it posts under once more.
const MAX_READS_PER_DECISION: usize = 8 + MAX_WRITES_PER_DECISION;
/// The first pause after a conflict is up to this; each further one up to twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Why a command could not be carried out, by who must act.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Somebody else kept writing, or the store is away: report the record and stop.
    #[error("try again: {0}")]
    Retryable(String),
    /// It can never succeed as it is: park, and go on.
    #[error("{0}")]
    Permanent(String),
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) | StoreError::Retryable(_) => Self::Retryable(error.to_string()),
            StoreError::Permanent(_) | StoreError::UnknownMember | StoreError::BadCursor => {
                Self::Permanent(error.to_string())
            }
        }
    }
}

impl From<DecideError> for EngineError {
    fn from(error: DecideError) -> Self {
        match error {
            // An operator may have named it before it was read here.
            DecideError::NoVersion(_) => Self::Retryable(error.to_string()),
            _ => Self::Permanent(error.to_string()),
        }
    }
}

impl From<NoRandomness> for EngineError {
    fn from(error: NoRandomness) -> Self {
        Self::Retryable(error.to_string())
    }
}

/// Decides and commits.
#[derive(Debug, Clone)]
pub struct Engine {
    store: Store,
    clock: Clock,
    random: Random,
    programmes: ProgrammeCache,
}

/// A member's account as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The profile, settled to now; not committed.
    pub profile: Profile,
    /// The rules by which it was settled.
    pub programmes: std::sync::Arc<Programmes>,
}

/// A rating as it was told.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldRating {
    /// Its identifier.
    pub id: RatingId,
    /// When it was given.
    pub rated_at: Timestamp,
    /// How good.
    pub score: Score,
    /// Who gave it.
    pub rater: Option<RaterId>,
}

/// A member in the course of one command: what is loaded, and from where.
struct Loaded {
    profile: Profile,
    known: Known,
    enrolment: Option<Enrolment>,
    /// The member who was found, where they have become part of this one.
    by_way_of: Option<MemberId>,
}

impl Loaded {
    fn member(profile: Profile) -> Self {
        Self { profile, known: Known::default(), enrolment: None, by_way_of: None }
    }

    fn found(Current { profile, way }: Current) -> Self {
        let by_way_of = way.into_iter().last();
        let known = Known { by_way_of: by_way_of.clone(), ..Known::default() };
        Self { by_way_of, known, ..Self::member(profile) }
    }
}

impl Engine {
    /// An engine over a store.
    pub fn new(store: Store, clock: Clock, random: Random) -> Self {
        let programmes = ProgrammeCache::new(store.clone());
        Self { store, clock, random, programmes }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The programme's versions, read at most once a minute.
    pub fn programmes(&self) -> &ProgrammeCache {
        &self.programmes
    }

    /// Begins a batch of orders.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }

    /// Settles a member on schedule and commits.
    pub async fn review(&self, member: &MemberId, budget: Budget) -> Result<(), EngineError> {
        let profile = self.carry_out_for(member, Command::Review, budget).await?;
        if let Some(profile) = profile {
            // A merge that was cut off goes on here, and so does one that is taken back.
            self.finish_merges(&profile, budget).await?;
        }
        Ok(())
    }

    /// Carries a command out to its end; of an unknown member nothing.
    async fn carry_out_for(
        &self,
        member: &MemberId,
        command: Command<'_>,
        budget: Budget,
    ) -> Result<Option<Profile>, EngineError> {
        let mut attempt = 0;
        let mut consistency = Consistency::Eventual;
        loop {
            let Some(profile) = self.store.profile(member, consistency).await? else { return Ok(None) };
            match self.carry_out(Loaded::member(profile), command).await? {
                Progress::Done(profile) => return Ok(Some(*profile)),
                Progress::MoreToDo => attempt = 0,
                Progress::Conflict => attempt += 1,
            }
            consistency = Consistency::Strong;
            self.pause(attempt, budget).await?;
        }
    }

    /// Brings a coupon to what an order says of it, whosever the order is. Of a code that is none of ours there is
    /// nothing to do.
    pub async fn redeem(
        &self,
        code: &CouponCode,
        state: &OrderState,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let key = DirectoryKey::Coupon(code.clone());
        let Some(member) = self.store.find_member(&key, Consistency::Eventual).await? else { return Ok(()) };
        self.carry_out_for_current(&member, Command::Redeem { code, state }, budget).await
    }

    /// Carries a command out for whoever a member is now, also where they are merged or parted meanwhile: a closed account
    /// takes nothing in, and a coupon may be on its way.
    pub(super) async fn carry_out_for_current(
        &self,
        member: &MemberId,
        command: Command<'_>,
        budget: Budget,
    ) -> Result<(), EngineError> {
        let mut consistency = Consistency::Eventual;
        loop {
            let Some(current) = self.current(member, consistency).await? else { return Ok(()) };
            if !self.finish_merges(&current, budget).await? {
                let after = self.carry_out_for(&current.member, command, budget).await?;
                if after.is_none_or(|profile| {
                    profile.account.merged_into.is_none() && !profile.bookkeeping.is_merging()
                }) {
                    return Ok(());
                }
            }
            consistency = Consistency::Strong;
            self.pause(0, budget).await?;
        }
    }

    /// Takes a rating of a member in, and commits. Nothing for an unknown member. The same rating told again changes
    /// nothing; with another score it is corrected.
    pub async fn rate(
        &self,
        member: &MemberId,
        told: &ToldRating,
        budget: Budget,
    ) -> Result<Option<Settled>, EngineError> {
        let mut attempt = 0;
        let mut first_seen = true;
        loop {
            let profile = self.current(member, Consistency::Strong).await?;
            let Some(profile) = profile else { return Ok(None) };
            let loaded = Loaded::member(profile);
            let rating = self.with_history(told).await?;
            match self.carry_out(loaded, Command::Rate { rating: &rating, first_seen }).await? {
                Progress::Done(profile) => {
                    return Ok(Some(Settled { profile: *profile, programmes: self.programmes.get().await? }));
                }
                Progress::MoreToDo => attempt = 0,
                Progress::Conflict => attempt += 1,
            }
            first_seen = false;
            self.pause(attempt, budget).await?;
        }
    }

    async fn with_history(&self, told: &ToldRating) -> Result<Rating, EngineError> {
        let rater = match &told.rater {
            Some(id) => Some(Rater { id: id.clone(), history: self.store.rater_history(id).await? }),
            None => None,
        };
        Ok(Rating { id: told.id.clone(), rated_at: told.rated_at, score: told.score, rater })
    }

    /// What a member's account is now, settled but not committed. Nothing for an unknown member.
    pub async fn look(&self, member: &MemberId) -> Result<Option<Settled>, EngineError> {
        let profile = self.current(member, Consistency::Strong).await?;
        let Some(profile) = profile else { return Ok(None) };
        let mut loaded = Loaded::member(profile);
        let programmes = self.programmes.get().await?;
        let decision = self.decide(&programmes, &mut loaded, Command::Look).await?;
        Ok(Some(Settled { profile: decision.profile, programmes }))
    }

    async fn carry_out(&self, mut loaded: Loaded, command: Command<'_>) -> Result<Progress, EngineError> {
        let programmes = self.programmes.get().await?;
        let decision = self.decide(&programmes, &mut loaded, command).await?;
        if decision.changed {
            let (enrolment, by_way_of) = (loaded.enrolment.as_ref(), loaded.by_way_of.as_ref());
            let commit = Commit { decision: &decision, enrolment, by_way_of };
            if !is_committed(self.store.commit(commit).await, &decision)? {
                return Ok(Progress::Conflict);
            }
        }
        Ok(if decision.completed { Progress::Done(Box::new(decision.profile)) } else { Progress::MoreToDo })
    }

    /// Commits decisions for two members together, or nothing where somebody else wrote first.
    pub(super) async fn commit_both(&self, one: &Decision, other: &Decision) -> Result<bool, EngineError> {
        let committed = is_committed(self.store.commit_both(one, other).await, one)?;
        if committed {
            note(other);
        }
        Ok(committed)
    }

    /// Commits a decision, or nothing where somebody else wrote first.
    pub(super) async fn commit_one(&self, decision: &Decision) -> Result<bool, EngineError> {
        let commit = Commit { decision, enrolment: None, by_way_of: None };
        is_committed(self.store.commit(commit).await, decision)
    }

    /// Asks the rules until they need nothing more.
    async fn decide(
        &self,
        programmes: &Programmes,
        loaded: &mut Loaded,
        command: Command<'_>,
    ) -> Result<Decision, EngineError> {
        let now = self.clock.now();
        for _ in 0..MAX_READS_PER_DECISION {
            let mut entropy = self.random.entropy()?;
            match decide(programmes, &loaded.profile, &loaded.known, command, now, &mut entropy)? {
                Outcome::Decided(decision) => return Ok(*decision),
                Outcome::Needs(need) => self.read(loaded, need).await?,
            }
        }
        Err(EngineError::Permanent("the rules keep asking for more".to_owned()))
    }

    /// Always consistently: the version guards the profile alone, and an older journal beside it would pass.
    async fn read(&self, loaded: &mut Loaded, need: Need) -> Result<(), EngineError> {
        let member = &loaded.profile.member;
        if let Some(since) = need.journal_since {
            let entries = self.store.journal_since(member, since, Consistency::Strong).await?;
            loaded.known.journal = Some((since, entries));
        }
        if !need.postings.is_empty() {
            loaded.known.postings.extend(self.store.entries_of_each(member, &need.postings).await?);
        }
        if need.coupons {
            loaded.known.coupons = Some(self.store.coupons(member, Consistency::Strong).await?);
        }
        Ok(())
    }

    /// Waits a little after a conflict, longer each time and never in step with the others.
    async fn pause(&self, attempt: u32, budget: Budget) -> Result<(), EngineError> {
        if budget.is_spent() {
            return Err(EngineError::Retryable("the invocation's time is spent".to_owned()));
        }
        if attempt > 0 {
            let longest =
                FIRST_PAUSE.saturating_mul(1 << attempt.min(8)).min(LONGEST_PAUSE).min(budget.left());
            let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
            tokio::time::sleep(Duration::from_micros(self.random.below(micros))).await;
        }
        Ok(())
    }
}

/// Whether a commit went through; if not, it is decided again.
fn is_committed(committed: Result<(), StoreError>, decision: &Decision) -> Result<bool, EngineError> {
    match committed {
        Ok(()) => {
            note(decision);
            Ok(true)
        }
        Err(StoreError::Conflict(with)) => {
            tracing::debug!(member.id = %decision.profile.member, %with, "conflict, deciding again");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// A line for whoever watches, and one for the metric by which an alarm knows how many coupons are issued in an hour.
fn note(decision: &Decision) {
    if !decision.entries.is_empty() {
        tracing::debug!(target: LEDGER, "{}", LedgerLine(decision));
    }
    let issued = decision.entries.iter().filter(|entry| matches!(entry.kind, Kind::CouponIssued { .. }));
    let coupons = issued.count();
    if coupons > 0 {
        tracing::info!(target: ROUTINE, signal = signal::COUPONS_ISSUED, coupons, "coupons are issued");
    }
}

/// How far one attempt came.
enum Progress {
    Done(Box<Profile>),
    MoreToDo,
    Conflict,
}

impl Progress {
    /// How many attempts in a row have met a conflict.
    fn attempts_after(&self, attempts: u32) -> u32 {
        match self {
            Self::Conflict => attempts.saturating_add(1),
            Self::Done(_) | Self::MoreToDo => 0,
        }
    }
}
