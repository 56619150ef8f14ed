//! Money: whole minor units with their currency.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::points::Overflow;

/// Why a text is not an amount or a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not three letters.
    #[error("is not a currency of three letters (ISO 4217)")]
    Currency,
    /// Not a decimal number.
    #[error("is not an amount of money")]
    Amount,
    /// More digits after the point than the currency has.
    #[error("has more decimals than {0} has")]
    TooFine(Currency),
    /// Outside what we can count.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// A currency by its ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Currencies whose minor unit is not the hundredth (ISO 4217, table A.1).
const WITHOUT_DECIMALS: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
    "XOF",
];
const WITHOUT_DECIMALS_PACIFIC: &str = "XPF";
const WITH_THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
const WITH_FOUR_DECIMALS: [&str; 2] = ["CLF", "UYW"];

impl Currency {
    /// Checks three letters, in either case.
    pub fn new(code: &str) -> Result<Self, MoneyError> {
        match code.as_bytes() {
            [a, b, c] if code.bytes().all(|letter| letter.is_ascii_alphabetic()) => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase(), c.to_ascii_uppercase()]))
            }
            _ => Err(MoneyError::Currency),
        }
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits after the point: 2 for the euro, 0 for the yen, 3 for the Kuwaiti dinar.
    pub fn decimals(&self) -> u32 {
        let code = self.code();
        if WITHOUT_DECIMALS.contains(&code) || code == WITHOUT_DECIMALS_PACIFIC {
            0
        } else if WITH_THREE_DECIMALS.contains(&code) {
            3
        } else if WITH_FOUR_DECIMALS.contains(&code) {
            4
        } else {
            2
        }
    }

    /// Reads an amount in main units ("19.99"); digits finer than the minor unit must be zeros.
    pub fn minor_units(&self, amount: &str) -> Result<i64, MoneyError> {
        let decimal = Decimal::from_str_exact(amount.trim()).map_err(|_| MoneyError::Amount)?;
        self.minor_units_of(decimal)
    }

    /// As [`Currency::minor_units`], of a number already read.
    pub fn minor_units_of(&self, amount: Decimal) -> Result<i64, MoneyError> {
        let minor = amount.checked_mul(Decimal::from(10_i64.pow(self.decimals()))).ok_or(Overflow)?;
        if !minor.fract().is_zero() {
            return Err(MoneyError::TooFine(*self));
        }
        i64::try_from(minor.trunc()).map_err(|_| Overflow.into())
    }

    /// An amount of minor units in main units: 1999 cents are 19.99.
    pub fn main_units(&self, minor: i64) -> Decimal {
        Decimal::new(minor, self.decimals())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::new(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Whole minor units (cents, yen).
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency.main_units(self.minor), self.currency)
    }
}

/// The goods of an order or a refund: after discounts, without shipping, in minor units of the order's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// As the shop prices them.
    pub amount: i64,
    /// The tax on them.
    #[serde(default)]
    pub tax: i64,
    /// Whether `amount` includes `tax`.
    #[serde(default)]
    pub tax_included: bool,
}

/// Which amount of the goods earns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// As the shop shows its prices.
    #[default]
    AsPriced,
    /// What the customer pays.
    WithTax,
    /// What the shop keeps.
    WithoutTax,
}

impl Goods {
    /// Goods without a word about tax.
    pub fn untaxed(amount: i64) -> Self {
        Self { amount, tax: 0, tax_included: false }
    }

    /// The amount that earns under a basis.
    pub fn on(&self, basis: Basis) -> Result<i64, Overflow> {
        match (basis, self.tax_included) {
            (Basis::AsPriced, _) | (Basis::WithTax, true) | (Basis::WithoutTax, false) => Ok(self.amount),
            (Basis::WithTax, false) => self.amount.checked_add(self.tax).ok_or(Overflow),
            (Basis::WithoutTax, true) => self.amount.checked_sub(self.tax).ok_or(Overflow),
        }
    }

    /// As if they cost this, as the shop prices them, with as large a part of tax.
    pub fn at(&self, amount: i64) -> Result<Self, Overflow> {
        let tax = match i128::from(self.amount) {
            0 => 0,
            before => (2 * i128::from(self.tax) * i128::from(amount) + before).div_euclid(2 * before),
        };
        Ok(Self { amount, tax: i64::try_from(tax).map_err(|_| Overflow)?, tax_included: self.tax_included })
    }

    /// So much of them as a sum with tax pays for, half a minor unit of tax rounded down: never more than all of them,
    /// and for the price of all of them exactly all.
    pub fn paid_with(&self, money: i64) -> Result<Self, Overflow> {
        let price = self.on(Basis::WithTax)?.max(0);
        let with_tax = money.clamp(0, price);
        let without_tax = match i128::from(price) {
            0 => 0,
            price => {
                let whole = i128::from(self.on(Basis::WithoutTax)?);
                (2 * whole * i128::from(with_tax) + price).div_euclid(2 * price)
            }
        };
        let without_tax = i64::try_from(without_tax).map_err(|_| Overflow)?;
        let amount = if self.tax_included { with_tax } else { without_tax };
        let tax = with_tax.checked_sub(without_tax).ok_or(Overflow)?;
        Ok(Self { amount, tax, tax_included: self.tax_included })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_at_another_price_have_as_large_a_part_of_tax() {
        let goods = Goods { amount: 6_000, tax: 1_000, tax_included: true };
        assert_eq!(goods.at(1_500), Ok(Goods { amount: 1_500, tax: 250, tax_included: true }));
        assert_eq!(Goods::untaxed(0).at(1_500), Ok(Goods::untaxed(1_500)));
    }

    #[test]
    fn an_amount_is_read_in_the_minor_units_of_its_currency() {
        let minor = |code: &str, text: &str| Currency::new(code).unwrap().minor_units(text);
        assert_eq!(minor("EUR", "19.99"), Ok(1999));
        assert_eq!(minor("EUR", "20"), Ok(2000));
        assert_eq!(minor("EUR", "19.9900"), Ok(1999));
        assert_eq!(minor("JPY", "1200"), Ok(1200));
        assert_eq!(minor("KWD", "1.234"), Ok(1234));
        assert_eq!(minor("EUR", "-0.01"), Ok(-1));
        assert!(matches!(minor("EUR", "1.005"), Err(MoneyError::TooFine(_))));
        assert_eq!(minor("EUR", "1e3"), Err(MoneyError::Amount));
        assert_eq!(minor("EUR", "99999999999999999999.00"), Err(MoneyError::Overflow(Overflow)));
    }

    #[test]
    fn the_basis_chooses_the_amount_that_earns() {
        let shown_with_tax = Goods { amount: 5000, tax: 800, tax_included: true };
        let shown_without = Goods { amount: 4200, tax: 800, tax_included: false };
        assert_eq!(shown_with_tax.on(Basis::WithTax), Ok(5000));
        assert_eq!(shown_with_tax.on(Basis::WithoutTax), Ok(4200));
        assert_eq!(shown_without.on(Basis::WithTax), Ok(5000));
        assert_eq!(shown_without.on(Basis::WithoutTax), Ok(4200));
        assert_eq!(shown_without.on(Basis::AsPriced), Ok(4200));
    }

    #[test]
    fn a_sum_pays_for_goods_with_their_share_of_tax_and_never_for_more_than_all() {
        let shown_with_tax = Goods { amount: 5000, tax: 800, tax_included: true };
        let shown_without = Goods { amount: 4200, tax: 800, tax_included: false };
        for whole in [shown_with_tax, shown_without] {
            assert_eq!(whole.paid_with(5000), Ok(whole));
            assert_eq!(whole.paid_with(i64::MAX), Ok(whole));
            assert_eq!(whole.paid_with(-1).unwrap().on(Basis::WithTax), Ok(0));
            let half = whole.paid_with(2500).unwrap();
            assert_eq!((half.on(Basis::WithTax), half.on(Basis::WithoutTax)), (Ok(2500), Ok(2100)));
        }
        assert_eq!(Goods::untaxed(0).paid_with(100), Ok(Goods::untaxed(0)));
        assert_eq!(Goods { amount: 2, tax: 1, tax_included: true }.paid_with(1).unwrap().tax, 0);
    }
}
