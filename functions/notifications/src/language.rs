//! How numbers, dates, money and rewards are written in a language.

use domain::programme::{Benefit, CouponTerms};
use domain::{Currency, Date, Points};

/// What French puts before a sign or a currency.
const NO_BREAK_SPACE: &str = "\u{a0}";
/// What French puts between the thousands.
const NARROW_NO_BREAK_SPACE: &str = "\u{202f}";
/// Digits between two separators.
const GROUP: usize = 3;

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const FRENCH_MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// A language whose numbers, dates and rewards we can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    French,
    /// A shop's own templates may speak any other; it gets what everybody can read.
    Other,
}

impl Language {
    /// The language of a BCP 47 locale such as `fr-CA`.
    pub(crate) fn of(locale: &str) -> Self {
        match locale.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Self::English,
            "fr" => Self::French,
            _ => Self::Other,
        }
    }

    /// 5,000 or 5 000.
    pub(crate) fn points(self, points: Points) -> String {
        self.number(&points.to_string())
    }

    /// 1 March 2026, 1er mars 2026 or 2026-03-01.
    pub(crate) fn date(self, date: Date) -> String {
        let month_of = |months: [&'static str; 12]| {
            let index = usize::from(date.month().unsigned_abs()).saturating_sub(1);
            months.get(index).copied().unwrap_or_default()
        };
        match self {
            Self::English => format!("{} {} {}", date.day(), month_of(ENGLISH_MONTHS), date.year()),
            Self::French => {
                let ordinal = if date.day() == 1 { "er" } else { "" };
                format!("{}{ordinal} {} {}", date.day(), month_of(FRENCH_MONTHS), date.year())
            }
            Self::Other => date.to_string(),
        }
    }

    /// What a coupon gives: 10% off orders from 100.00 EUR.
    pub(crate) fn reward(self, terms: &CouponTerms, currency: Currency) -> String {
        let money = |minor| self.money(minor, currency);
        match self {
            Self::English | Self::Other => {
                let benefit = match &terms.benefit {
                    Benefit::Percent(percent) => format!("{}% off", percent.normalize()),
                    Benefit::Amount(minor) => format!("{} off", money(*minor)),
                    Benefit::FreeShipping => "free shipping on".to_owned(),
                };
                match terms.minimum_order {
                    Some(minimum) => format!("{benefit} orders from {}", money(minimum)),
                    None => format!("{benefit} an order"),
                }
            }
            Self::French => {
                let benefit = match &terms.benefit {
                    Benefit::Percent(percent) => {
                        let percent = self.number(&percent.normalize().to_string());
                        format!("{percent}{NO_BREAK_SPACE}% de réduction")
                    }
                    Benefit::Amount(minor) => format!("{} de réduction", money(*minor)),
                    Benefit::FreeShipping => "livraison offerte".to_owned(),
                };
                match terms.minimum_order {
                    Some(minimum) => format!("{benefit} dès {} d’achat", money(minimum)),
                    None => format!("{benefit} sur une commande"),
                }
            }
        }
    }

    fn money(self, minor: i64, currency: Currency) -> String {
        let amount = self.number(&currency.main_units(minor).to_string());
        let space = if self == Self::French { NO_BREAK_SPACE } else { " " };
        format!("{amount}{space}{currency}")
    }

    /// A number in digits, with this language's separators instead of none and a point.
    fn number(self, digits: &str) -> String {
        let (thousands, decimals) = match self {
            Self::English => (",", "."),
            Self::French => (NARROW_NO_BREAK_SPACE, ","),
            Self::Other => (NARROW_NO_BREAK_SPACE, "."),
        };
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
        let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("−", rest));
        let mut written = sign.to_owned();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(GROUP) {
                written.push_str(thousands);
            }
            written.push(digit);
        }
        if let Some(fraction) = fraction {
            written.push_str(decimals);
            written.push_str(fraction);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(benefit: Benefit, minimum_order: Option<i64>) -> CouponTerms {
        CouponTerms { benefit, minimum_order, valid_for: None }
    }

    #[test]
    fn a_number_has_the_separators_of_its_language() {
        assert_eq!(Language::English.points(Points(1_234_567)), "1,234,567");
        assert_eq!(Language::French.points(Points(5_000)), "5\u{202f}000");
        assert_eq!(Language::Other.points(Points(999)), "999");
        assert_eq!(Language::English.points(Points(-1_000)), "−1,000");
        assert_eq!(Language::English.points(Points(i64::MIN)), "−9,223,372,036,854,775,808");
    }

    #[test]
    fn a_date_is_written_as_the_language_writes_it() {
        let first: Date = "2026-03-01".parse().unwrap();
        let last: Date = "2026-12-31".parse().unwrap();
        assert_eq!(Language::English.date(first), "1 March 2026");
        assert_eq!(Language::French.date(first), "1er mars 2026");
        assert_eq!(Language::French.date(last), "31 décembre 2026");
        assert_eq!(Language::Other.date(last), "2026-12-31");
    }

    #[test]
    fn a_reward_says_what_it_gives_and_on_which_order() {
        let euro = Currency::new("EUR").unwrap();
        let percent = terms(Benefit::Percent("12.50".parse().unwrap()), Some(100_000));
        assert_eq!(Language::English.reward(&percent, euro), "12.5% off orders from 1,000.00 EUR");
        assert_eq!(
            Language::French.reward(&percent, euro),
            "12,5\u{a0}% de réduction dès 1\u{202f}000,00\u{a0}EUR d’achat"
        );
        let amount = terms(Benefit::Amount(500), None);
        assert_eq!(Language::English.reward(&amount, euro), "5.00 EUR off an order");
        assert_eq!(Language::French.reward(&amount, euro), "5,00\u{a0}EUR de réduction sur une commande");
        let shipping = terms(Benefit::FreeShipping, None);
        assert_eq!(Language::English.reward(&shipping, euro), "free shipping on an order");
        assert_eq!(Language::French.reward(&shipping, euro), "livraison offerte sur une commande");
        let yen = Currency::new("JPY").unwrap();
        assert_eq!(Language::English.reward(&amount, yen), "500 JPY off an order");
    }

    #[test]
    fn the_language_of_a_locale_is_its_first_part() {
        assert_eq!(Language::of("fr-CA"), Language::French);
        assert_eq!(Language::of("EN"), Language::English);
        assert_eq!(Language::of("de-AT"), Language::Other);
        assert_eq!(Language::of(""), Language::Other);
    }
}
