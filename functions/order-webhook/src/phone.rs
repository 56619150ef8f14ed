//! Phone numbers as people type them, read into the one form in which they are dialled from everywhere (E.164).
//!
//! What each country's numbers look like is Google's libphonenumber's, written down by `build.rs` from a crate that has
//! all of it. Of that only the plans of one country code are compiled, when a number is read, so that it costs nothing at
//! the start. The tests hold this reader against the crate itself, which takes a tenth of a second and 0.6 MB of the zip,
//! more than a function may (ADR 5).

use domain::Phone;
use regex_lite::Regex;
use serde::Deserialize;

/// One line for each region: its identifier, its country code, what is dialled before a foreign number, what is dialled
/// before a number of its own, what takes the place of the latter, and the numbers that a person may have.
static PLANS: &str = include_str!(concat!(env!("OUT_DIR"), "/plans.tsv"));

/// More than any number with its extension, however it is spelled; it bounds what a stranger can make us read.
const MAX_TEXT_BYTES: usize = 100;
/// The most digits of a country code.
const MAX_CODE_DIGITS: usize = 3;

/// A country by whose rules a number is read that does not begin with `+`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Country(Plan);

impl Country {
    /// The country of an identifier of two letters (ISO 3166).
    pub(crate) fn of(id: &str) -> Option<Self> {
        let is_id = id.len() == 2;
        plans().find(|plan| is_id && plan.region.eq_ignore_ascii_case(id)).map(Self)
    }

    /// The country of the address that stands beside a number; where it names none, that of the source.
    pub(crate) fn beside(address: Option<&str>, source: Option<Self>) -> Option<Self> {
        match address.map(str::trim).filter(|id| !id.is_empty()) {
            Some(id) => Self::of(id),
            None => source,
        }
    }
}

impl TryFrom<String> for Country {
    type Error = &'static str;
    fn try_from(id: String) -> Result<Self, Self::Error> {
        Self::of(&id).ok_or("country must be one of two letters (ISO 3166), such as \"FR\"")
    }
}

/// The number that a text holds, if it is one that a person may have. One without `+` is read as it is dialled in the
/// country; where none is known, it is nobody's.
pub(crate) fn read_phone(text: Option<&str>, country: Option<Country>) -> Option<Phone> {
    let typed = Typed::of(text?)?;
    match country {
        _ if typed.has_plus => dialled_from_abroad(&typed.digits),
        Some(Country(plan)) => plan.dialled_at_home(&typed.digits),
        None => None,
    }
}

/// A text as far as it can be dialled.
struct Typed {
    has_plus: bool,
    digits: String,
}

impl Typed {
    /// Nothing where the text has what no number has.
    fn of(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let mut typed = Self { has_plus: false, digits: String::new() };
        for c in without_extension(text)?.chars() {
            match c {
                '0'..='9' => typed.digits.push(c),
                '+' | '\u{ff0b}' if typed.digits.is_empty() => typed.has_plus = true,
                c if is_between_digits(c) => {}
                _ => return None,
            }
        }
        Some(typed)
    }
}

/// An extension reaches a desk, and not another person's phone. Nothing where some other word follows the number.
fn without_extension(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let Some(at) = text.find(|c: char| c.is_alphabetic() || matches!(c, '#' | ',' | ';')) else {
        return Some(text);
    };
    let (number, rest) = text.split_at_checked(at)?;
    let rest = rest.trim_start_matches([',', ';', ' ']).to_lowercase();
    let mark = ["extension", "extn", "ext", "x", "#"].into_iter().find_map(|mark| rest.strip_prefix(mark))?;
    let is_extension = mark.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || ".:=#".contains(c));
    is_extension.then_some(number)
}

/// What people put between digits: blanks, dashes, and the invisible marks that come with a number that was copied.
fn is_between_digits(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A number that begins with a country code. No code is the beginning of another one.
fn dialled_from_abroad(digits: &str) -> Option<Phone> {
    (1..=MAX_CODE_DIGITS).find_map(|length| {
        let (code, number) = digits.split_at_checked(length)?;
        plans_of(code).next()?.number(number)
    })
}

/// How numbers look in a region.
#[derive(Clone, Copy)]
struct Plan {
    region: &'static str,
    code: &'static str,
    /// What is dialled before a foreign number.
    abroad: &'static str,
    /// What is dialled before a number of its own.
    prefix: &'static str,
    /// What takes the place of the prefix, where it holds a part of the number.
    instead: &'static str,
    /// Fixed, mobile, personal, and over the Internet; those that a firm pays for, or makes others pay, are no person's.
    numbers: &'static str,
}

impl Plan {
    fn of_line(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Self {
            region: next()?,
            code: next()?,
            abroad: next()?,
            prefix: next()?,
            instead: next()?,
            numbers: next()?,
        })
    }

    /// A number as it is dialled in the region: to abroad, at home, or with the country code and no word before it.
    fn dialled_at_home(&self, digits: &str) -> Option<Phone> {
        let to_abroad = || dialled_from_abroad(begins_with(self.abroad, digits)?);
        let without_plus = || self.number(digits.strip_prefix(self.code)?);
        to_abroad().or_else(|| self.number(digits)).or_else(without_plus)
    }

    /// A number of this code, also of another region that has the code, with or without what is dialled before it.
    fn number(&self, digits: &str) -> Option<Phone> {
        let ways = [self.without_prefix(digits), Some(digits.to_owned())];
        let is_number = |number: &String| plans_of(self.code).any(|plan| plan.has(number));
        let number = ways.into_iter().flatten().find(is_number)?;
        Phone::new(format!("+{}{number}", self.code)).ok()
    }

    fn without_prefix(&self, digits: &str) -> Option<String> {
        let found = at_the_beginning(self.prefix)?.captures(digits)?;
        let rest = digits.get(found.get(0)?.end()..)?;
        let last = found.len() - 1;
        if self.instead.is_empty() || found.get(last).is_none() {
            return Some(rest.to_owned());
        }
        let mut number = String::new();
        found.expand(self.instead, &mut number);
        Some(number + rest)
    }

    fn has(&self, number: &str) -> bool {
        Regex::new(&format!("^(?:{})$", self.numbers)).is_ok_and(|numbers| numbers.is_match(number))
    }
}

fn plans() -> impl Iterator<Item = Plan> {
    PLANS.lines().filter_map(Plan::of_line)
}

/// The plans of a country code, that of its main region first.
fn plans_of(code: &str) -> impl Iterator<Item = Plan> {
    plans().filter(move |plan| plan.code == code)
}

/// What follows a pattern at the beginning of a text.
fn begins_with<'a>(pattern: &str, text: &'a str) -> Option<&'a str> {
    let end = at_the_beginning(pattern)?.find(text)?.end();
    text.get(end..)
}

fn at_the_beginning(pattern: &str) -> Option<Regex> {
    if pattern.is_empty() { None } else { Regex::new(&format!("^(?:{pattern})")).ok() }
}

#[cfg(test)]
mod tests;
