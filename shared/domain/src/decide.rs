//! The one entry point of the rules: [`decide()`]. Two questions of the sweep stand beside it, [`is_reconciled`] and
//! [`coupon_agrees`]: whether there is anything to decide.

mod coupons;
mod draft;
mod due;
mod expiry;
mod groups;
mod hearing;
mod impact;
mod merging;
mod opening;
mod pending;
mod rating;
mod reconcile;
mod refunded;
mod target;
mod tier;
mod unmerging;
mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use self::coupons::coupon_agrees;
use self::draft::{Draft, Stop};
pub use self::expiry::expires_at;
pub use self::groups::{Group, Groups, Page};
pub use self::impact::{Impact, LevelChange, impact};
pub use self::merging::{Merging, STEP};
pub use self::reconcile::is_reconciled;
pub use self::target::{Target, target};
pub use self::tier::kept_until;
pub use self::unmerging::Parting;
use crate::coupon::Coupon;
use crate::entropy::Entropy;
use crate::ids::{CouponCode, RewardId};
use crate::journal::{Entry, Kind, Posting};
use crate::member::{Known, Profile};
use crate::opening::{Once, Opening};
use crate::order::OrderState;
use crate::points::{Overflow, Points};
use crate::programme::Programmes;
use crate::rating::{RaterChange, Rating};
use crate::request::RewardRequest;
use crate::time::{TimeError, Timestamp};

/// The most items that one decision writes. A transaction takes 100: the rest is for what the shell adds, such as a new
/// member's names. Whatever a decision has no room for follows as further settled steps.
pub const MAX_WRITES_PER_DECISION: usize = 88;

/// The most coupons that one decision issues or voids: so many codes are drawn for it.
pub const MAX_COUPONS_PER_DECISION: usize = 25;

/// The most coupons that a balance may buy by itself before somebody must look: the largest order of a real shop
/// earns a few hundred, but a slip in an amount's minor units would issue millions, one transaction after the other.
pub const MAX_COUPONS_AT_ONCE: i64 = 20_000;

/// How often the rules are gone through at one moment before they are said to undo each other. Each round but the last
/// posts something that another rule waits for: three are usual, and there are five rules.
const MAX_ROUNDS: usize = 32;

/// What is asked of a member.
#[derive(Debug, Clone, Copy)]
pub enum Command<'a> {
    /// Bring an order, or a refund that names none, to its target. `first_seen` says that the order was never posted before, so that its
    /// entries need not be looked for; a collision on commit then means that it was.
    Order {
        /// All that is known of the order.
        state: &'a OrderState,
        /// Whether nobody can have posted it before.
        first_seen: bool,
    },
    /// Redeem a coupon of the member that an order uses, or give it back where the order uses it no more.
    Redeem {
        /// The coupon's code.
        code: &'a CouponCode,
        /// The order, whosever it is.
        state: &'a OrderState,
    },
    /// Issue a reward that an operator asked for, for its points.
    Issue {
        /// What was asked.
        request: &'a RewardRequest,
    },
    /// Take a rating in.
    Rate {
        /// The rating, with what its rater has given before.
        rating: &'a Rating,
        /// Whether nobody can have told it before; a collision on commit then means that somebody has.
        first_seen: bool,
    },
    /// A step of a merge.
    Merge(Merging<'a>),
    /// A step of taking a merge back.
    Part(Parting<'a>),
    /// Bring a member of the past, and what they had, once. The member is not told of what follows.
    Bring {
        /// What they had, if anything.
        opening: Option<&'a Opening>,
        /// From when it counts where it does not say so itself.
        at: Timestamp,
    },
    /// Settle, on schedule; may put the due date later.
    Review,
    /// Settle only: what the member's account is now.
    Look,
}

/// What else must be read before the rules can decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// The journal from this moment of effect on.
    pub journal_since: Option<Timestamp>,
    /// The entries of these postings alone.
    pub postings: Vec<Posting>,
    /// The coupons.
    pub coupons: bool,
}

/// What the rules decided: commit it whole, or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The profile after it; its version is one more where anything changed.
    pub profile: Profile,
    /// New journal entries.
    pub entries: Vec<Entry>,
    /// Coupons issued, used or voided, as they are after it.
    pub coupons: Vec<Coupon>,
    /// Coupons that are another member's from now on.
    pub removed_coupons: BTreeSet<CouponCode>,
    /// Whether the coupons were another member's until now.
    pub receives_coupons: bool,
    /// What a rating adds to its rater's history.
    pub rater: Option<RaterChange>,
    /// What is posted once for ever, and was asked for.
    pub once: Option<Once>,
    /// Whether there is anything to commit.
    pub changed: bool,
    /// Whether the command is done; if not, commit this and decide the same command again.
    pub completed: bool,
}

impl Decision {
    /// How many items it writes.
    pub fn writes(&self) -> usize {
        let coupons = self.coupons.len() + self.removed_coupons.len();
        writes(&self.entries, coupons, self.rater.is_some(), self.once.is_some())
    }
}

/// The profile, the entries, the coupons with the codes of new ones, and what is written beside.
fn writes(entries: &[Entry], coupons: usize, rater: bool, once: bool) -> usize {
    let is_issue =
        |entry: &&Entry| matches!(entry.kind, Kind::CouponIssued { .. }) && entry.came_with.is_none();
    let codes = entries.iter().filter(is_issue).count();
    1 + entries.len() + coupons + codes + usize::from(rater) + usize::from(once)
}

/// A decision, or what it lacks.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Decided.
    Decided(Box<Decision>),
    /// Read this and ask again.
    Needs(Need),
}

/// Why the rules refuse; the order is parked with this as its reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// A number grew too large.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// A moment left the calendar.
    #[error("a moment {0}")]
    Time(#[from] TimeError),
    /// Orders earn only in the programme's currency.
    #[error(
        "the order is in {order}, but the programme {programme} runs in {expected} and has no earning.exchange_rates.{order}"
    )]
    Currency {
        /// The order's currency.
        order: String,
        /// The programme's.
        expected: String,
        /// The programme's name.
        programme: String,
    },
    /// An operator named a version that is not there.
    #[error("there is no version {0} of the programme, by which an operator says that the order earns")]
    NoVersion(u32),
    /// More coupons than anybody means.
    #[error(
        "{points} points would buy more than {limit} coupons of {reward} at once: is the amount right? If it is, raise limits.coupons_per_order of the programme"
    )]
    TooManyCoupons {
        /// The balance with the order.
        points: Points,
        /// The automatic reward.
        reward: RewardId,
        /// The most that an order may buy.
        limit: u32,
    },
    /// More coupons of one member than anybody means in an hour.
    #[error(
        "the member would be issued more than {limit} coupons of {reward} within an hour; take the order up again later, or raise limits.coupons_per_hour of the programme"
    )]
    TooManyCouponsAnHour {
        /// The automatic reward.
        reward: RewardId,
        /// The most that a member is issued in an hour.
        limit: u32,
    },
    /// The rules undo each other: a mistake of ours, which must stop nobody else.
    #[error("the member's account does not come to rest under the programme's rules")]
    Unsettled,
    /// A reward that the programme does not have.
    #[error("the programme has no reward {reward}; it has {known}")]
    UnknownReward {
        /// The one that was asked for.
        reward: RewardId,
        /// Those that there are.
        known: String,
    },
    /// A reward that costs more than there is to spend.
    #[error("{reward} costs {points} points, and the member has {available} to spend")]
    NotEnoughPoints {
        /// The reward.
        reward: RewardId,
        /// What it costs.
        points: Points,
        /// What can be spent.
        available: Points,
    },
    /// The shell drew too few random bytes.
    #[error("the random bytes are spent")]
    EntropySpent,
    /// A mistake of ours: every rule looks first whether there is room.
    #[error("{0} writes are more than the {MAX_WRITES_PER_DECISION} that one decision may take")]
    TooManyWrites(usize),
}

/// Decides a command for a member: settles to the command's moment, applies it, settles to `now`. Pure.
pub fn decide(
    programmes: &Programmes,
    profile: &Profile,
    known: &Known,
    command: Command<'_>,
    now: Timestamp,
    entropy: &mut Entropy,
) -> Result<Outcome, DecideError> {
    let mut draft = Draft::new(programmes, profile, known, now, entropy);
    match run(&mut draft, command) {
        Ok(()) => Ok(Outcome::Decided(Box::new(draft.finish(matches!(command, Command::Review))?))),
        Err(Stop::Needs(need)) => Ok(Outcome::Needs(need)),
        Err(Stop::Error(error)) => Err(error),
    }
}

fn run(draft: &mut Draft<'_>, command: Command<'_>) -> Result<(), Stop> {
    finish_what_was_cut_off(draft)?;
    if draft.is_full() {
        return Ok(());
    }
    if command.is_silent() {
        let calendar = draft.calendar_alone()?;
        if calendar.is_none() {
            // What is due anyway does not fit into one decision, so it comes first, and is told.
            return settle(draft, draft.until());
        }
        draft.hearing.comes_anyway = calendar;
    }
    carry_out(draft, command)
}

/// Does first what a decision that was cut off has left, and tells of it as that one would have.
fn finish_what_was_cut_off(draft: &mut Draft<'_>) -> Result<(), Stop> {
    let Some(cut_off) = draft.profile.bookkeeping.cut_off.take() else { return Ok(()) };
    draft.hearing.take_up(cut_off);
    settle(draft, draft.profile.bookkeeping.settled_to)?;
    if !draft.is_full() {
        draft.hearing.silent = false;
    }
    Ok(())
}

fn carry_out(draft: &mut Draft<'_>, command: Command<'_>) -> Result<(), Stop> {
    let until = draft.until();
    match command {
        Command::Order { state, first_seen } => order(draft, state, first_seen, until),
        Command::Redeem { code, state } => settled(draft, until, |draft| coupons::redeem(draft, code, state)),
        Command::Issue { request } => {
            settled(draft, until, |draft| coupons::issue_on_request(draft, request))
        }
        Command::Rate { rating, first_seen } => {
            settled(draft, until, |draft| rating::rate(draft, rating, first_seen))
        }
        Command::Merge(step) => merging::run(draft, step, until),
        Command::Part(step) => unmerging::run(draft, step, until),
        Command::Bring { opening: Some(opening), at } => bring(draft, opening, at, until),
        Command::Bring { opening: None, .. } | Command::Review | Command::Look => settle(draft, until),
    }
}

impl Command<'_> {
    /// Whether the member is not told of what follows: what somebody had before is no news.
    fn is_silent(&self) -> bool {
        match self {
            Self::Order { state, .. } | Self::Redeem { state, .. } => state.quiet,
            Self::Part(_) | Self::Bring { .. } => true,
            Self::Merge(step) => step.is_silent(),
            Self::Issue { .. } | Self::Rate { .. } | Self::Review | Self::Look => false,
        }
    }
}

/// Applies what takes effect now, between settling and settling.
fn settled<'a>(
    draft: &mut Draft<'a>,
    until: Timestamp,
    apply: impl FnOnce(&mut Draft<'a>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    settle(draft, until)?;
    if draft.is_full() {
        return Ok(());
    }
    apply(draft)?;
    settle(draft, until)
}

fn order(draft: &mut Draft<'_>, state: &OrderState, first_seen: bool, until: Timestamp) -> Result<(), Stop> {
    if let Some(moment) = state.effective_at()
        && moment <= until
    {
        settle(draft, moment)?;
        if draft.is_full() {
            return Ok(());
        }
    }
    reconcile::reconcile(draft, state, first_seen)?;
    settle(draft, until)
}

fn bring(draft: &mut Draft<'_>, opening: &Opening, at: Timestamp, until: Timestamp) -> Result<(), Stop> {
    let at = opening.dated.unwrap_or(at).min(until);
    settle(draft, at)?;
    if draft.is_full() {
        return Ok(());
    }
    opening::open(draft, opening, at)?;
    settle(draft, until)
}

/// Brings the member up to a moment of the calendar. On the way it stops where a decision was cut off, wherever points
/// mature, and wherever another version comes into force: what follows from that is dated as of then, and comes before
/// whatever happens later.
fn settle(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let bookkeeping = &draft.profile.bookkeeping;
    if moment < bookkeeping.settled_to || draft.profile.account.merged_into.is_some() {
        return Ok(());
    }
    if bookkeeping.is_merging() {
        return Ok(());
    }
    if bookkeeping.due_at.is_some_and(|due_at| due_at <= bookkeeping.settled_to) {
        settle_at(draft, bookkeeping.settled_to)?;
    }
    while let Some(at) = next_stop(draft)
        && at < moment
        && !draft.is_full()
    {
        settle_at(draft, at)?;
    }
    if draft.is_full() { Ok(()) } else { settle_at(draft, moment) }
}

/// The next moment that must not be passed by.
fn next_stop(draft: &Draft<'_>) -> Option<Timestamp> {
    let settled_to = draft.profile.bookkeeping.settled_to;
    let version = draft.programmes.next_from(settled_to);
    pending::next(draft).into_iter().chain(version).min().map(|at| at.max(settled_to))
}

/// Settles at one moment, in the order of the rules, until nothing changes. It looks at the state alone, so it also
/// finishes what an interrupted commit left.
fn settle_at(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    for _ in 0..MAX_ROUNDS {
        let posted = draft.entries.len();
        tier::settle(draft, moment)?;
        expiry::settle(draft, moment)?;
        pending::settle(draft, moment)?;
        if !draft.is_full() {
            coupons::end(draft, moment)?;
            coupons::cover_debt(draft, moment)?;
            coupons::issue_automatic(draft, moment)?;
        }
        if draft.is_full() {
            note_settled(draft, moment);
            return Ok(());
        }
        if draft.entries.len() == posted {
            expiry::remind(draft, moment)?;
            note_settled(draft, moment);
            return Ok(());
        }
    }
    Err(Stop::Error(DecideError::Unsettled))
}

fn note_settled(draft: &mut Draft<'_>, moment: Timestamp) {
    draft.profile.bookkeeping.settled_to = moment;
    draft.profile.bookkeeping.programme = draft.programmes.at(moment).number;
}
