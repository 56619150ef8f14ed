//! Points as people and spreadsheets write them: `5100`, `5 100`, `5,100.00`, `5.100,00`.

use clap::ValueEnum;

/// How numbers of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decimal {
    /// `5,100.50`
    Point,
    /// `5.100,50`
    Comma,
}

/// Why a text is no number of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPoints {
    /// Not from 0 up, or not whole.
    #[error("is not a whole number of points, 0 or more")]
    NotWhole,
    /// Two readings.
    #[error(
        "may be thousands or a fraction: write it without a separator, or say --decimal point or --decimal comma"
    )]
    Ambiguous,
}

/// The whole number of points that a text says. Blanks and apostrophes only part thousands; of point and comma the last
/// one is the decimal sign where both stand, and where only one does it parts thousands if it stands more than once.
/// One alone before three digits could be either, unless the file's way of writing is told. A fraction must be nothing.
pub(crate) fn whole_points(text: &str, decimal: Option<Decimal>) -> Result<i64, NoPoints> {
    let is_blank = |character: char| matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
    let spaced: Vec<&str> = text.trim().split(is_blank).collect();
    // What follows the last blank is three digits and perhaps a fraction.
    let last_group = spaced.last().map_or("", |last| last.split(['.', ',']).next().unwrap_or_default());
    if spaced.len() > 1 && (!in_groups(spaced.iter().take(spaced.len() - 1).copied().chain([last_group]))) {
        return Err(NoPoints::NotWhole);
    }
    let text = spaced.concat();
    let (whole, fraction, parting) = split(&text, decimal, spaced.len() > 1)?;
    let whole = match parting {
        Some(parting) if whole.contains(parting) => {
            if !in_groups(whole.split(parting)) {
                return Err(NoPoints::NotWhole);
            }
            whole.replace(parting, "")
        }
        _ => whole.to_owned(),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_nothing = fraction.bytes().all(|byte| byte == b'0');
    if whole.is_empty() || !digits(&whole) || !is_nothing {
        return Err(NoPoints::NotWhole);
    }
    whole.parse().map_err(|_| NoPoints::NotWhole)
}

/// What is whole, what is a fraction, and what parts the thousands of the whole.
fn split(
    text: &str,
    decimal: Option<Decimal>,
    is_spaced: bool,
) -> Result<(&str, &str, Option<char>), NoPoints> {
    let signs: Vec<(usize, char)> =
        text.char_indices().filter(|(_, sign)| matches!(sign, '.' | ',')).collect();
    let (Some((_, first)), Some((at, last))) = (signs.first().copied(), signs.last().copied()) else {
        return Ok((text, "", None));
    };
    let other = if last == '.' { ',' } else { '.' };
    let as_decimal = || Ok((&text[..at], &text[at + 1..], Some(other)));
    match decimal {
        Some(Decimal::Point) if last == '.' => return as_decimal(),
        Some(Decimal::Comma) if last == ',' => return as_decimal(),
        Some(_) => return Ok((text, "", Some(last))),
        None => {}
    }
    if first != last || is_spaced {
        return as_decimal();
    }
    if signs.len() > 1 {
        return Ok((text, "", Some(last)));
    }
    if text.len() - at - 1 == 3 { Err(NoPoints::Ambiguous) } else { as_decimal() }
}

/// One to three digits, and then three each.
fn in_groups<'a>(mut groups: impl Iterator<Item = &'a str>) -> bool {
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_as_they_are_written_where_there_is_one_reading() {
        for (text, points) in [
            ("0", 0),
            ("5100", 5100),
            (" 5100 ", 5100),
            ("5 100", 5100),
            ("5\u{a0}100", 5100),
            ("5\u{202f}100", 5100),
            ("12'345'678", 12_345_678),
            ("5,100.00", 5100),
            ("5.100,00", 5100),
            ("1,234,567", 1_234_567),
            ("1.234.567", 1_234_567),
            ("1.234.567,0", 1_234_567),
            ("5100.0", 5100),
            ("5100,00", 5100),
            ("1 234,000", 1234),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(whole_points(text, None), Ok(points), "{text}");
        }
    }

    #[test]
    fn one_sign_before_three_digits_is_read_only_where_the_files_way_is_told() {
        for text in ["5,100", "1.000", "12,345"] {
            assert_eq!(whole_points(text, None), Err(NoPoints::Ambiguous), "{text}");
        }
        assert_eq!(whole_points("5,100", Some(Decimal::Point)), Ok(5100));
        assert_eq!(whole_points("5.100", Some(Decimal::Comma)), Ok(5100));
        assert_eq!(whole_points("5,000", Some(Decimal::Comma)), Ok(5));
        assert_eq!(whole_points("5,100", Some(Decimal::Comma)), Err(NoPoints::NotWhole));
    }

    #[test]
    fn everything_else_is_no_number_of_points() {
        for text in [
            "",
            "-5",
            "+5",
            "1e3",
            "0x10",
            "12.5",
            "12,5",
            "1,23,456",
            "1 23",
            "1,2345,678",
            "1.234.56",
            ".",
            ",5",
            "5100 EUR",
            "१",
            "9223372036854775808",
            "' '",
        ] {
            assert_eq!(whole_points(text, None), Err(NoPoints::NotWhole), "{text}");
        }
    }
}
