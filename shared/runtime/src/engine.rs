//! The deciding loop: load, decide, read what the rules still need, commit; on a conflict load again.

mod accrue;
mod bring;
mod enrolment;
mod merging;
mod programmes;
mod unmerging;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use domain::programme::Enrolment as Joining;
use domain::{
    Command, CouponCode, DecideError, Decision, Known, MemberId, Need, OrderState, Outcome, Profile,
    Programmes, Rater, RaterId, Rating, RatingId, Score, Timestamp, decide,
};
use store::{Commit, Consistency, Current, DirectoryKey, Enrolment, Store, StoreError};

pub use self::accrue::Accrued;
pub use self::bring::{Brought, Newcomer};
pub use self::enrolment::Enrolled;
pub use self::programmes::ProgrammeCache;
pub use self::unmerging::{UNDOABLE_FOR, Unmerged};
use crate::clock::{Budget, Clock};
use crate::random::{NoRandomness, Random};

/// Reads that one decision may ask for. Three suffice: the journal, an earlier part of it, the coupons.
const MAX_READS_PER_DECISION: u32 = 8;
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
        Self::Permanent(error.to_string())
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
        Self { by_way_of: way.into_iter().last(), ..Self::member(profile) }
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
        Batch { engine: self, members: HashMap::new() }
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
        let Some(profile) = self.current(&member, Consistency::Eventual).await? else { return Ok(()) };
        self.carry_out_for(&profile.member, Command::Redeem { code, state }, budget).await.map(drop)
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
            match self.store.commit(commit).await {
                Ok(()) => {}
                Err(StoreError::Conflict(with)) => {
                    tracing::debug!(member.id = %decision.profile.member, %with, "conflict, deciding again");
                    return Ok(Progress::Conflict);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(if decision.completed { Progress::Done(Box::new(decision.profile)) } else { Progress::MoreToDo })
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

/// Orders that arrived together. The records of one member go together too: after the first one the profile is at
/// hand, as it was just committed, and is not read again.
#[derive(Debug)]
pub struct Batch<'a> {
    engine: &'a Engine,
    members: HashMap<DirectoryKey, Current>,
}

impl Batch<'_> {
    /// Reconciles an order or an unlinked refund; enrols its customer where the programme says so. Returns the
    /// member, or nothing where there is nobody to give points to.
    pub async fn reconcile(
        &mut self,
        state: &OrderState,
        first_seen: bool,
        budget: Budget,
    ) -> Result<Option<MemberId>, EngineError> {
        if state.effective_at().is_none() {
            // Only refunds are known so far; they wait for their order.
            return Ok(None);
        }
        let mut state = Cow::Borrowed(state);
        let mut first_seen = first_seen;
        let mut consistency = Consistency::Eventual;
        let mut attempt = 0;
        loop {
            let loaded = match self.load_owner(&state, consistency, budget).await? {
                Owner::Is(loaded) => *loaded,
                Owner::Nobody => return Ok(None),
                Owner::Changed(now) => {
                    state = Cow::Owned(*now);
                    (first_seen, consistency) = (false, Consistency::Strong);
                    self.engine.pause(attempt, budget).await?;
                    continue;
                }
            };
            let way = loaded.by_way_of.clone().into_iter().collect();
            let joins = loaded.enrolment.as_ref().map(|enrolment| enrolment.keys.clone());
            match self.engine.carry_out(loaded, Command::Order { state: &state, first_seen }).await? {
                Progress::Done(profile) => {
                    let member = profile.member.clone();
                    if let Some(key) = own_key(&state) {
                        self.members.insert(key, Current { profile: *profile, way });
                    }
                    self.engine.claim_waiting(&joins.unwrap_or_default(), &member, budget).await?;
                    return Ok(Some(member));
                }
                Progress::MoreToDo => attempt = 0,
                Progress::Conflict => attempt += 1,
            }
            first_seen = false;
            consistency = Consistency::Strong;
            self.engine.pause(attempt, budget).await?;
        }
    }

    /// Whose an order is: the member's who claimed it, or its owner's, who may be the start of a new member.
    async fn load_owner(
        &mut self,
        state: &OrderState,
        consistency: Consistency,
        budget: Budget,
    ) -> Result<Owner, EngineError> {
        let engine = self.engine;
        if let Some(member) = &state.claimed_by {
            return Ok(Owner::of(self.load_found(member, consistency).await?));
        }
        let Some(customer) = &state.owner else { return Ok(Owner::Nobody) };
        let programmes = engine.programmes.get().await?;
        let key = own_key(state);
        if let Some(key) = &key
            && let Some(loaded) = self.load_known(key, consistency).await?
        {
            if programmes.may_have_waited()
                && let Some(now) = engine.changed_hands(state).await?
            {
                return Ok(Owner::Changed(Box::new(now)));
            }
            return Ok(Owner::of(loaded));
        }
        let Some(effective_at) = state.effective_at().filter(|_| enrols(state)) else {
            return Ok(Owner::Nobody);
        };
        let programme = &programmes.at(engine.clock.now()).programme;
        let mut keys: Vec<DirectoryKey> = key.iter().cloned().collect();
        if programme.across_sources
            && let Some(key) = &key
        {
            for other in DirectoryKey::everywhere(customer).filter(|other| other != key) {
                if let Some(member) = engine.store.find_member(&other, Consistency::Strong).await? {
                    // A customer of another source; from now on found under this name too.
                    engine.add_name(key, &member, budget).await?;
                    return Ok(Owner::of(self.load_found(&member, Consistency::Strong).await?));
                }
                keys.push(other);
            }
        }
        if programme.enrolment == Joining::Explicit {
            return engine.claim_or_wait(state, budget).await;
        }
        if keys.is_empty() {
            return Ok(Owner::Nobody);
        }
        if let Some(now) = engine.changed_hands(state).await? {
            return Ok(Owner::Changed(Box::new(now)));
        }
        let enrolment = Enrolment { keys, contact: customer.contact.clone() };
        let enrolled_at = effective_at.min(engine.clock.now());
        Ok(Owner::Is(Box::new(engine.newcomer(enrolment, enrolled_at, &programmes)?)))
    }

    /// A member who is found by a key: as they were committed for the record before, or as they are stored.
    async fn load_known(
        &mut self,
        key: &DirectoryKey,
        consistency: Consistency,
    ) -> Result<Option<Loaded>, EngineError> {
        if let Some(current) = self.members.remove(key) {
            return Ok(Some(Loaded::found(current)));
        }
        match self.engine.store.find_member(key, consistency).await? {
            Some(member) => self.load_found(&member, consistency).await.map(Some),
            None => Ok(None),
        }
    }

    /// The profile of a member whom the directory names. The two are written together, so a profile missing in an
    /// eventually consistent read is there in a consistent one.
    async fn load_found(&self, member: &MemberId, consistency: Consistency) -> Result<Loaded, EngineError> {
        let store = &self.engine.store;
        let mut current = store.current_member(member, consistency).await?;
        if current.is_none() {
            current = store.current_member(member, Consistency::Strong).await?;
        }
        current
            .map(Loaded::found)
            .ok_or_else(|| EngineError::Permanent(format!("member {member} has no profile")))
    }
}

/// Whose an order is.
enum Owner {
    Is(Box<Loaded>),
    Nobody,
    /// Look again: this is the order as it is now.
    Changed(Box<OrderState>),
}

impl Owner {
    fn of(loaded: Loaded) -> Self {
        Self::Is(Box::new(loaded))
    }
}

/// How far one attempt came.
enum Progress {
    Done(Box<Profile>),
    MoreToDo,
    Conflict,
}

/// The key by which the owner of an order is found; none where the order was claimed, whoever its owner is.
fn own_key(state: &OrderState) -> Option<DirectoryKey> {
    state.owner.as_ref().filter(|_| state.claimed_by.is_none()).and_then(DirectoryKey::of_customer)
}

/// Tests and drafts make nobody a member.
fn enrols(state: &OrderState) -> bool {
    state.snapshot.as_ref().is_none_or(|snapshot| !snapshot.test)
}
