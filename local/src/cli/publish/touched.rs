//! Whom a new version of the programme touches, for whoever publishes it to see and agree to.

use std::fmt;

use anyhow::Context as _;
use domain::decide::{Impact, LevelChange, impact};
use domain::{Points, Programmes};
use store::Store;

/// What a version changes for all members together, on the day on which it comes into force.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    members: u64,
    expire_sooner: Sum,
    coupons: Sum,
    rise: u64,
    fall: u64,
}

/// How many members something touches, and how much of it there is.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    members: u64,
    amount: i64,
}

impl Sum {
    fn add(&mut self, amount: i64) {
        if amount > 0 {
            self.members += 1;
            self.amount = self.amount.saturating_add(amount);
        }
    }
}

impl Touched {
    /// Looks at every member's profile: half a read unit each.
    pub(super) async fn by(store: &Store, before: &Programmes, after: &Programmes) -> anyhow::Result<Self> {
        let mut touched = Self::default();
        let mut failed = None;
        let seen = store.each_profile(|profile| match impact(before, after, profile) {
            Ok(impact) => touched.add(impact),
            Err(error) => failed = Some(error),
        });
        touched.members = seen.await?;
        match failed {
            Some(error) => Err(error).context("what the change means for a member cannot be worked out"),
            None => Ok(touched),
        }
    }

    fn add(&mut self, impact: Impact) {
        let Points(sooner) = impact.expire_sooner;
        self.expire_sooner.add(sooner);
        self.coupons.add(impact.coupons);
        self.rise += u64::from(impact.level == Some(LevelChange::Up));
        self.fall += u64::from(impact.level == Some(LevelChange::Down));
    }

    /// Whether it touches nobody.
    pub(super) fn nobody(&self) -> bool {
        self.expire_sooner.members == 0 && self.coupons.members == 0 && self.rise == 0 && self.fall == 0
    }
}

impl fmt::Display for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Of {} members, when it comes into force:", self.members)?;
        let Sum { members, amount } = self.expire_sooner;
        writeln!(f, "  {members:>8} have points that run out sooner: {amount} points")?;
        let Sum { members, amount } = self.coupons;
        writeln!(f, "  {members:>8} have enough for more coupons at once: {amount} coupons")?;
        writeln!(f, "  {:>8} reach a higher level, {} a lower one or none", self.rise, self.fall)
    }
}
