//! The worth of goods with their tax and without, and parts of it: what a refund gives back where a platform tells
//! only a sum of money.

use domain::Goods;

/// Goods in minor units, with their tax and without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Priced {
    pub(super) gross: i64,
    pub(super) net: i64,
    pub(super) tax_included: bool,
}

impl Priced {
    pub(super) fn goods(&self) -> Goods {
        Goods { amount: self.amount(), tax: self.gross - self.net, tax_included: self.tax_included }
    }

    /// As the shop prices them.
    pub(super) fn amount(&self) -> i64 {
        if self.tax_included { self.gross } else { self.net }
    }

    /// So much of the whole as a sum with tax pays for; never more than the whole, and of all of it exactly all.
    pub(super) fn share(&self, sum: i64) -> Self {
        self.part(sum, self.gross)
    }

    /// As [`Priced::share`], of a sum as the shop prices its goods.
    pub(super) fn share_as_priced(&self, sum: i64) -> Self {
        self.part(sum, self.amount())
    }

    /// `sum` parts of `whole`, each amount rounded half up.
    pub(super) fn part(&self, sum: i64, whole: i64) -> Self {
        let sum = sum.clamp(0, whole.max(0));
        let part = |amount: i64| match i128::from(whole) {
            ..=0 => 0,
            whole => {
                let part = (2 * i128::from(amount) * i128::from(sum) + whole) / (2 * whole);
                // It is at most `amount`, which is an `i64`.
                i64::try_from(part).unwrap_or(amount)
            }
        };
        Self { gross: part(self.gross), net: part(self.net), tax_included: self.tax_included }
    }

    pub(super) fn less(&self, other: &Self) -> Self {
        Self { gross: self.gross - other.gross, net: self.net - other.net, tax_included: self.tax_included }
    }
}
