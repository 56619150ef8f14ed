//! Numbers as people write them, good and bad; and the reader, held against libphonenumber as the crate `phonenumber` has it.

use phonenumber::Type;
use phonenumber::metadata::{DATABASE, Descriptor, Metadata};
use proptest::prelude::*;

use super::*;

/// The kinds of numbers that are a person's.
const OF_A_PERSON: [Type; 4] = [Type::FixedLine, Type::Mobile, Type::Voip, Type::PersonalNumber];

fn read_in(text: &str, country: &str) -> Option<String> {
    let country = Some(country).filter(|country| !country.is_empty());
    let country = country.map(|country| Country::of(country).unwrap());
    read_phone(Some(text), country).map(String::from)
}

#[test]
fn a_national_number_is_read_as_in_its_country() {
    for (country, text, number) in [
        ("FR", "06 12 34 56 78", "+33612345678"),
        ("FR", "06.12.34.56.78", "+33612345678"),
        ("fr", "0033 6 12 34 56 78", "+33612345678"),
        ("FR", "33612345678", "+33612345678"),
        ("FR", "6 12 34 56 78", "+33612345678"),
        ("DE", "(030) 12 34 56", "+4930123456"),
        ("GB", "020 7946 0018", "+442079460018"),
        ("IT", "06 6982 1234", "+390669821234"),
        ("US", "1 (512) 555-1111", "+15125551111"),
        ("CA", "212-555-2368", "+12125552368"),
        ("US", "011 33 6 12 34 56 78", "+33612345678"),
        ("AR", "011 15 2345-6789", "+5491123456789"),
        ("BR", "0 15 21 98765-4321", "+5521987654321"),
        ("RU", "8 (912) 345-67-89", "+79123456789"),
    ] {
        assert_eq!(read_in(text, country).as_deref(), Some(number), "{country} {text}");
    }
}

#[test]
fn a_number_with_a_plus_needs_no_country_and_no_other_one_changes_it() {
    for text in
        ["+33612345678", "+33 (0)6 12 34 56 78", " (+33) 6-12-34-56-78\u{202c}", "\u{ff0b}33612345678"]
    {
        for country in ["", "FR", "DE", "US"] {
            assert_eq!(read_in(text, country).as_deref(), Some("+33612345678"), "{country} {text}");
        }
    }
    assert_eq!(read_in("06 12 34 56 78", ""), None, "whose country is not known");
    assert_eq!(read_in("06 12 34 56 78", "US"), None, "the wrong country");
}

#[test]
fn an_extension_is_left_out() {
    for text in [
        "020 7946 0018 ext. 12",
        "020 7946 0018 x12",
        "020 7946 0018, extension 12",
        "020 7946 0018 #12",
        "tel:+44-20-7946-0018;ext=12",
    ] {
        assert_eq!(read_in(text, "GB").as_deref(), Some("+442079460018"), "{text}");
    }
}

#[test]
fn what_is_no_number_of_a_person_is_left_out() {
    let long = "1".repeat(10_000);
    for text in [
        "",
        "+",
        "n/a",
        "none",
        "0000000000",
        "1234567890",
        "1111111111",
        "555-555-SHIP",
        "(555) 555-5555",
        "911",
        "1-800-FLOWERS",
        "800 555 0199",
        "512 555 1111 or 512 555 1112",
        "512-555-1111 / 512-555-1112",
        "+1 512 555 11112222333",
        "512+555+1111",
        "c-1@example.com",
        "+999 123456",
        "ext 12",
        "x",
        "é",
        "512 555 1111 éé",
        &long,
    ] {
        assert_eq!(read_in(text, "US"), None, "{text}");
    }
}

#[test]
fn the_country_beside_a_number_comes_before_the_sources() {
    let read = |address, source| {
        read_phone(Some("020 7946 0018"), Country::beside(address, Country::of(source))).map(String::from)
    };
    assert_eq!(read(Some("GB"), "FR").as_deref(), Some("+442079460018"));
    for nothing in [None, Some(""), Some(" ")] {
        assert_eq!(read(nothing, "GB").as_deref(), Some("+442079460018"));
    }
    assert_eq!(read(Some("FR"), "GB"), None);
    assert_eq!(read(Some("United Kingdom"), "GB"), None, "whatever country that is");
}

#[test]
fn a_country_has_two_letters() {
    assert!(["FR", "us", "XK"].into_iter().all(|id| Country::of(id).is_some()));
    assert!(["", "F", "FRA", "UK", "001", "33", "É"].into_iter().all(|id| Country::of(id).is_none()));
}

fn descriptor(metadata: &Metadata, kind: Type) -> Option<&Descriptor> {
    let all = metadata.descriptors();
    match kind {
        Type::FixedLine => all.fixed_line(),
        Type::Mobile => all.mobile(),
        Type::Voip => all.voip(),
        _ => all.personal_number(),
    }
}

fn regions() -> impl Iterator<Item = &'static Metadata> {
    (1..=999_u16).filter_map(|code| DATABASE.by_code(&code)).flatten()
}

#[test]
fn every_pattern_of_the_plans_can_be_read() {
    for plan in plans() {
        for pattern in [plan.abroad, plan.prefix, plan.numbers].into_iter().filter(|text| !text.is_empty()) {
            assert!(at_the_beginning(pattern).is_some(), "{}: {pattern}", plan.region);
        }
    }
    assert!(plans().count() > 240);
}

/// What libphonenumber takes a text for, where that is a person's number.
fn libphonenumber_reads(text: &str, country: &str) -> Option<String> {
    let parsed = phonenumber::parse(country.parse().ok(), text).ok().filter(phonenumber::is_valid)?;
    let metadata = DATABASE.by_id(parsed.country().id()?.as_ref())?;
    let national = parsed.national().to_string();
    let is_of_a_person = |kind| descriptor(metadata, kind).is_some_and(|kind| kind.is_match(&national));
    let number = parsed.format().mode(phonenumber::Mode::E164).to_string();
    OF_A_PERSON.into_iter().any(is_of_a_person).then_some(number)
}

#[test]
fn the_example_of_every_region_and_kind_is_read_at_home_and_from_abroad() {
    for (metadata, kind) in regions().flat_map(|region| OF_A_PERSON.map(|kind| (region, kind))) {
        let Some(example) = descriptor(metadata, kind).and_then(Descriptor::example) else { continue };
        let number = format!("+{}{example}", metadata.country_code());
        assert_eq!(read_in(&number, "").as_ref(), Some(&number), "{}", metadata.id());
        if Country::of(metadata.id()).is_some() {
            assert_eq!(read_in(example, metadata.id()), Some(number), "{} {example}", metadata.id());
            // Not everywhere does every kind of number take the prefix.
            let dialled = format!("{}{example}", metadata.national_prefix().unwrap_or_default());
            let expected = libphonenumber_reads(&dialled, metadata.id());
            assert!(
                expected.is_none() || read_in(&dialled, metadata.id()) == expected,
                "{} {dialled}",
                metadata.id()
            );
        }
    }
}

/// Numbers that may be somebody's, as they are dialled at home: the examples with other digits at their end.
fn dialled() -> impl Strategy<Value = (&'static str, String)> {
    let examples = regions().filter(|region| region.id().len() == 2).flat_map(|region| {
        let of_kinds = OF_A_PERSON.into_iter().filter_map(|kind| descriptor(region, kind)?.example());
        of_kinds.map(|example| (region.id(), region.national_prefix().unwrap_or_default(), example))
    });
    let examples: Vec<_> = examples.filter(|(_, _, example)| example.len() > 4).collect();
    (prop::sample::select(examples), any::<bool>(), "[0-9]{4}").prop_map(
        |((id, prefix, example), has_prefix, end)| {
            let prefix = if has_prefix { prefix } else { "" };
            (id, format!("{prefix}{}{end}", &example[..example.len() - 4]))
        },
    )
}

proptest! {
    // In libphonenumber each takes milliseconds.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_read_has_the_form_of_a_number_of_its_country(
        country in prop::sample::select(plans().map(|plan| plan.region).filter(|id| id.len() == 2).collect::<Vec<_>>()),
        text in "[+]?[0-9]{4,13}",
    ) {
        if let Some(number) = read_in(&text, country) {
            let is_of = |region: &Metadata| {
                let code = format!("+{}", region.country_code());
                number.strip_prefix(&code).is_some_and(|number| region.descriptors().general().is_match(number))
            };
            prop_assert!(regions().any(is_of), "{number}");
        }
    }

    #[test]
    fn whatever_libphonenumber_takes_for_a_persons_number_is_read_as_it_reads_it((country, text) in dialled()) {
        let expected = libphonenumber_reads(&text, country);
        prop_assert!(expected.is_none() || read_in(&text, country) == expected, "{country} {text}: {expected:?}");
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>(), country in prop::sample::select(vec!["", "FR", "US"])) {
        let _ = read_in(&text, country);
    }
}
