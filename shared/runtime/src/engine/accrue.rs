//! An order on its way to its target: what the accrual does for each stream record, and the sweep for whatever the
//! stream lost.

use domain::decide::{coupon_agrees, is_reconciled};
use domain::programme::Enrolment as Joining;
use domain::{CouponCode, MemberId, OrderState, Profile, SourceName};
use store::{Consistency, DirectoryKey, StoreError};

use super::{Batch, Engine, EngineError, own_key};
use crate::clock::Budget;
use crate::panics::caught;
use crate::telemetry::signal;

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accrued {
    /// It is at its target; with the member, unless there is nobody to give points to.
    Done(Option<MemberId>),
    /// It can never succeed as it is, and was put aside with its reason.
    Parked,
}

impl Batch<'_> {
    /// Brings an order to its target, and the coupons that it uses to what it says of them; what can never succeed is
    /// parked. An error means: try again.
    pub async fn accrue(
        &mut self,
        state: &OrderState,
        first_seen: bool,
        budget: Budget,
    ) -> Result<Accrued, EngineError> {
        let reason = match caught(self.redeem_and_reconcile(state, first_seen, budget)).await {
            Ok(Ok(member)) => return Ok(Accrued::Done(member)),
            Ok(Err(error @ EngineError::Retryable(_))) => return Err(error),
            Ok(Err(EngineError::Permanent(reason))) => reason,
            Err(panicked) => panicked.to_string(),
        };
        self.engine.park(state, &reason).await?;
        Ok(Accrued::Parked)
    }

    /// A merge of two customers, which is then forgotten, or an order. First its coupons: one that is used must not be taken back to cover what the order owes.
    async fn redeem_and_reconcile(
        &mut self,
        state: &OrderState,
        first_seen: bool,
        budget: Budget,
    ) -> Result<Option<MemberId>, EngineError> {
        if let Some(merge) = &state.merge {
            let source = SourceName::new(state.key.source())
                .map_err(|error| EngineError::Permanent(format!("the source {error}")))?;
            self.engine.merge_customers(&source, merge, budget).await?;
            self.engine.store().forget_merge(&state.key).await?;
            return Ok(None);
        }
        for code in &state.coupons_seen {
            self.engine.redeem(code, state, budget).await?;
        }
        self.reconcile(state, first_seen, budget).await
    }
}

impl Engine {
    /// Whether an order and its coupons are at their target. It reads the owner and the entries and coupons that the
    /// order names, nothing else, and where it cannot tell it says no: accruing then finds nothing to do, or says why not.
    pub async fn is_at_target(
        &self,
        state: &OrderState,
        consistency: Consistency,
    ) -> Result<bool, EngineError> {
        if state.merge.is_some() {
            // What is done is not there any more.
            return Ok(false);
        }
        for code in &state.coupons_seen {
            if !self.coupon_agrees(code, state, consistency).await? {
                return Ok(false);
            }
        }
        self.has_posted_its_target(state, consistency).await
    }

    async fn coupon_agrees(
        &self,
        code: &CouponCode,
        state: &OrderState,
        consistency: Consistency,
    ) -> Result<bool, EngineError> {
        let key = DirectoryKey::Coupon(code.clone());
        let Some(profile) = self.profile_at(&key, consistency).await? else { return Ok(true) };
        let coupon = self.store.coupon(&profile.member, code, consistency).await?;
        Ok(coupon.is_none_or(|coupon| coupon_agrees(&coupon, state)))
    }

    async fn has_posted_its_target(
        &self,
        state: &OrderState,
        consistency: Consistency,
    ) -> Result<bool, EngineError> {
        let Some(effective_at) = state.effective_at() else {
            // Only refunds so far, which wait for their order.
            return Ok(true);
        };
        let profile = match (&state.claimed_by, own_key(state)) {
            (Some(member), _) => self.current(member, consistency).await?,
            (None, Some(key)) => self.profile_at(&key, consistency).await?,
            (None, None) => None,
        };
        let Some(profile) = profile else { return self.needs_nobody(state, consistency).await };
        let cause = state.cause();
        let mut entries = Vec::new();
        for moment in state.formerly_placed_at.iter().chain([&effective_at]) {
            entries.extend(self.store.entries_of(&profile.member, *moment, &cause, consistency).await?);
        }
        Ok(is_reconciled(&*self.programmes.get().await?, state, &entries).unwrap_or(false))
    }

    /// Whether an order whose owner leads to nobody is to be left alone.
    async fn needs_nobody(&self, state: &OrderState, consistency: Consistency) -> Result<bool, EngineError> {
        let now = self.clock.now();
        let programmes = self.programmes.get().await?;
        Ok(!state.enrols()
            || match programmes.at(now).programme.enrolment {
                Joining::Automatic if !programmes.may_have_waited() => own_key(state).is_none(),
                Joining::Automatic if own_key(state).is_some() => false,
                Joining::Automatic | Joining::Explicit => self.has_to_wait(state, consistency).await?,
            })
    }

    async fn profile_at(
        &self,
        key: &DirectoryKey,
        consistency: Consistency,
    ) -> Result<Option<Profile>, EngineError> {
        let Some(member) = self.store.find_member(key, consistency).await? else { return Ok(None) };
        self.current(&member, consistency).await
    }

    async fn park(&self, state: &OrderState, reason: &str) -> Result<(), EngineError> {
        tracing::error!(signal = signal::PARKED, order.id = %state.key, reason, "parked");
        match self.store.park(&state.key, state.revision, reason, self.clock.now()).await {
            Ok(()) => Ok(()),
            Err(error @ (StoreError::Conflict(_) | StoreError::Retryable(_))) => Err(error.into()),
            Err(error) => {
                tracing::error!(order.id = %state.key, %error, "could not be parked");
                Err(EngineError::Retryable(error.to_string()))
            }
        }
    }
}
