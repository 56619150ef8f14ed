//! What an operator says of an order, against whatever is told of it: on record, with who said it and why.

use serde::{Deserialize, Serialize};

use crate::money::Goods;
use crate::order::{Payment, Snapshot};
use crate::time::Timestamp;

/// One correction. It holds until another one says otherwise, whatever the platform tells meanwhile; what it does not
/// name stays as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Who says so. A name by which the operators know each other; no customer.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was said.
    pub at: Timestamp,
    /// What is said.
    pub says: Says,
}

/// What a correction says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// These facts are otherwise than told.
    Facts(Facts),
    /// Every correction before it holds no longer: the order is as it is told.
    AsTold,
}

/// Facts of an order, each where it is corrected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When the customer placed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_at: Option<Timestamp>,
    /// The goods before any refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods: Option<Goods>,
    /// Whether it is paid, wholly or not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<bool>,
    /// Whether it is cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<bool>,
    /// The version of the programme by which it earns, instead of the one in force when it was placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<u32>,
}

impl Facts {
    /// What holds after corrections, in the order in which they were made.
    pub fn after(corrections: &[Correction]) -> Self {
        corrections.iter().fold(Self::default(), |before, correction| match &correction.says {
            Says::AsTold => Self::default(),
            Says::Facts(facts) => Self {
                placed_at: facts.placed_at.or(before.placed_at),
                goods: facts.goods.or(before.goods),
                paid: facts.paid.or(before.paid),
                cancelled: facts.cancelled.or(before.cancelled),
                under: facts.under.or(before.under),
            },
        })
    }

    /// Whether nothing is corrected.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A snapshot as told, with what is corrected in it.
    pub fn applied_to(&self, told: Snapshot) -> Snapshot {
        let payment = match self.paid {
            Some(true) => Payment::Paid,
            Some(false) => Payment::Unpaid,
            None => told.payment,
        };
        let goods = self.goods.unwrap_or(told.goods);
        Snapshot { goods, payment, cancelled: self.cancelled.unwrap_or(told.cancelled), ..told }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(says: Says) -> Correction {
        Correction {
            by: "an-operator".to_owned(),
            reason: "a test".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            says,
        }
    }

    #[test]
    fn of_each_fact_the_newest_correction_holds_until_the_order_is_as_told_again() {
        let (paid, unpaid) =
            (Facts { paid: Some(true), ..Facts::default() }, Facts { paid: Some(false), ..Facts::default() });
        let under = Facts { under: Some(2), ..Facts::default() };
        let mut all = vec![said(Says::Facts(paid)), said(Says::Facts(under)), said(Says::Facts(unpaid))];
        assert_eq!(Facts::after(&all), Facts { paid: Some(false), under: Some(2), ..Facts::default() });
        all.push(said(Says::AsTold));
        assert!(Facts::after(&all).is_empty());
    }
}
