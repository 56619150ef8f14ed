//! What an order is worth: a pure function of the order as it is now and of the programme in force when it was
//! placed. The one place where a fraction is rounded.

use rust_decimal::Decimal;

use super::{DecideError, refunded};
use crate::ids::RefundId;
use crate::money::Currency;
use crate::order::{OrderState, Refund, Snapshot};
use crate::points::{Overflow, Points};
use crate::programme::{Programme, Programmes};
use crate::time::Timestamp;

/// What an order should have posted in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Target {
    /// Points after refunds; below 0 only for a refund without an order.
    pub points: Points,
    /// Points before refunds.
    pub lifetime_points: Points,
    /// Status points after refunds.
    pub status_points: Points,
    /// Whether the order resets the expiry.
    pub counts: bool,
}

/// The target of an order, or of a refund that names no order.
pub fn target(programmes: &Programmes, state: &OrderState) -> Result<Target, DecideError> {
    if let Some(refund) = &state.unlinked {
        return of_unlinked(programme_of(programmes, state, refund.refunded_at)?, refund);
    }
    if state.part_of.is_some() {
        return Ok(Target::default());
    }
    let (Some(snapshot), Some(placed_at)) = (&state.snapshot, state.placed_at) else {
        return Ok(Target::default());
    };
    let Some((paid, total)) = snapshot.payment.share().filter(|_| snapshot.stands()) else {
        return Ok(Target::default());
    };
    let refunds: Vec<_> = state.own_refunds().collect();
    of_order(programme_of(programmes, state, placed_at)?, snapshot, &refunds, paid, total)
}

/// The rules of the day on which it was placed, unless an operator says which.
fn programme_of<'a>(
    programmes: &'a Programmes,
    state: &OrderState,
    moment: Timestamp,
) -> Result<&'a Programme, DecideError> {
    let Some(number) = state.under() else { return Ok(&programmes.at(moment).programme) };
    let version = programmes.numbered(number).ok_or(DecideError::NoVersion(number))?;
    Ok(&version.programme)
}

/// `paid / total` is the share of the order that is paid.
fn of_order(
    programme: &Programme,
    snapshot: &Snapshot,
    refunds: &[(&RefundId, &Refund)],
    paid: i64,
    total: i64,
) -> Result<Target, DecideError> {
    let prices = Prices::of(programme, snapshot.currency)?;
    let gross = snapshot.goods.on(programme.earning.basis)?.max(0);
    let refunded = refunded::given_back(&snapshot.goods, refunds, programme.earning.basis)?;
    let share = |amount: i64| Decimal::from(amount).checked_mul(Decimal::from(paid)).ok_or(Overflow);
    let earned = prices.worth(share(gross)?, total)?;
    let given_back = Decimal::from(refunded).checked_mul(Decimal::from(total)).ok_or(Overflow)?;
    let kept = (share(gross)? - given_back).max(Decimal::ZERO);
    if refunded > 0 && kept.is_zero() {
        return Ok(Target { lifetime_points: earned.points, ..Target::default() });
    }
    let net = prices.worth(kept, total)?;
    let per_order = match &programme.tiers {
        Some(tiers) if gross > 0 => tiers.per_order,
        _ => Points::ZERO,
    };
    Ok(Target {
        points: net.points,
        lifetime_points: earned.points,
        status_points: net.status_points.plus(per_order)?,
        counts: true,
    })
}

fn of_unlinked(programme: &Programme, refund: &Refund) -> Result<Target, DecideError> {
    let prices = Prices::of(programme, refund.currency)?;
    let amount = refund.goods.on(programme.earning.basis)?.max(0);
    let worth = prices.worth(Decimal::from(amount), 1)?;
    Ok(Target {
        points: worth.points.negated()?,
        status_points: worth.status_points.negated()?,
        ..Target::default()
    })
}

/// What an amount gives: points, and status points per unit.
struct Worth {
    points: Points,
    status_points: Points,
}

/// What amounts of one currency are worth in a programme.
struct Prices<'a> {
    programme: &'a Programme,
    /// What 1.00 is worth in the programme's currency.
    exchange_rate: Decimal,
    minor_per_unit: Decimal,
}

impl<'a> Prices<'a> {
    fn of(programme: &'a Programme, currency: Currency) -> Result<Self, DecideError> {
        let exchange_rate = programme.exchange_rate(currency).ok_or_else(|| DecideError::Currency {
            order: currency.to_string(),
            expected: programme.currency.to_string(),
            programme: programme.name.clone(),
        })?;
        Ok(Self { programme, exchange_rate, minor_per_unit: Decimal::from(10_i64.pow(currency.decimals())) })
    }

    /// Of `minor / divisor` minor units; divided last, so that whole results come out whole.
    fn worth(&self, minor: Decimal, divisor: i64) -> Result<Worth, Overflow> {
        let divisor = self.minor_per_unit.checked_mul(Decimal::from(divisor)).ok_or(Overflow)?;
        let give = |rate: Decimal| {
            let exact = minor
                .checked_mul(self.exchange_rate)
                .and_then(|amount| amount.checked_mul(rate))
                .and_then(|product| product.checked_div(divisor));
            self.programme.earning.rounding.round(exact.ok_or(Overflow)?)
        };
        let per_unit = self.programme.tiers.as_ref().map_or(Decimal::ZERO, |tiers| tiers.per_unit);
        Ok(Worth { points: give(self.programme.earning.points_per_unit)?, status_points: give(per_unit)? })
    }
}
