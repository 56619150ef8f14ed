//! The words of every message, and whose they are.

use domain::programme::Programme;
use domain::{
    Audience, Cause, Coupon, CouponCode, CouponState, Entry, EntryId, Kind, LevelId, OrderKey, Period,
    Points, RewardId, Timestamp, time,
};

use super::*;

const PROGRAMME: &str = r#"
name = "Stars"
currency = "EUR"
time_zone = "Europe/Paris"

[earning]
points_per_unit = "10"

[[rewards]]
id = "ten-percent"
points = 5000
automatic = true
coupon = { percent = "10", minimum_order = "100.00", valid_for = "3 months" }

[tiers]
window = "3 months"
status_points = { per_order = 10 }

[[tiers.levels]]
id = "silver"
threshold = 100

[[tiers.levels]]
id = "gold"
threshold = 200
perks = [{ id = "fuel", title = "Cash back on fuel" }, { id = "gifts", title = "Gifts & more" }]
"#;

fn programme(more: &str) -> Programme {
    Programme::from_toml(&format!("{PROGRAMME}\n{more}")).unwrap()
}

fn at(text: &str) -> Timestamp {
    time::instant(text).unwrap()
}

fn entry(cause: Cause, points: i64, kind: Kind) -> Entry {
    Entry {
        id: EntryId { effective_at: at("2026-02-28T23:30:00Z"), cause, n: 0 },
        sequence: 1,
        recorded_at: at("2026-02-28T23:30:00Z"),
        points: Points(points),
        lifetime_points: Points::ZERO,
        status_points: Points::ZERO,
        counts: 0,
        audience: Audience::of(&kind, Points(points)),
        kind,
        came_with: None,
    }
}

fn coupon() -> Entry {
    let kind = Kind::CouponIssued {
        code: CouponCode::new("ABCD-EFGH-2345").unwrap(),
        reward: RewardId::new("ten-percent").unwrap(),
        ends_at: Some(at("2026-05-31T22:00:00Z")),
        told_from: None,
        on_request: None,
    };
    entry(Cause::Coupon(0), -5_000, kind)
}

fn tier(from: Option<&str>, to: Option<&str>, up: bool) -> Entry {
    let level = |id: &str| LevelId::new(id).unwrap();
    let kind = Kind::TierChanged { from: from.map(level), to: to.map(level), up, kept_until: None };
    entry(Cause::Tier("2026-03-01".parse().unwrap()), 0, kind)
}

fn reminder(points: i64) -> Entry {
    let expires_at = at("2026-03-14T10:00:00Z");
    let cause = Cause::Reminder(expires_at, Period::parse("2 weeks").unwrap());
    entry(cause, 0, Kind::ExpiryReminder { expiring: Points(points), expires_at })
}

fn expired(points: i64) -> Entry {
    entry(Cause::Expiry(at("2026-02-28T23:30:00Z")), -points, Kind::Expired)
}

fn news<'a>(entry: &'a Entry, coupons: &'a [Coupon]) -> News<'a> {
    News { event: Event::of(entry).unwrap(), entry, coupons }
}

fn words_of(entry: &Entry, channel: Channel, programme: &Programme, locale: Option<&str>) -> Words {
    let reader = Reader { name: Some("Robin"), locale };
    Wording::new().of(news(entry, &[]), channel, programme, reader).unwrap()
}

#[test]
fn every_event_has_words_in_every_language_and_channel() {
    let entries = [
        coupon(),
        tier(Some("silver"), Some("gold"), true),
        tier(Some("gold"), None, false),
        reminder(5_000),
        expired(1),
    ];
    let mut all = String::new();
    for entry in &entries {
        for locale in ["en", "fr"] {
            for channel in [Channel::Email, Channel::Push] {
                let words = words_of(entry, channel, &programme(""), Some(locale));
                let event = Event::of(entry).unwrap().name();
                all += &format!(
                    "=== {event} {locale} {}\n{}\n---\n{}\n\n",
                    channel.name(),
                    words.title,
                    words.body
                );
            }
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn every_file_of_the_templates_is_one_of_the_defaults() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut defaults: Vec<String> = DEFAULTS
        .iter()
        .map(|(event, locale, channel, _)| format!("{event}.{locale}.{channel}.txt"))
        .collect();
    files.sort();
    defaults.sort();
    assert_eq!(files, defaults);
}

#[test]
fn the_code_stands_in_the_email_and_never_in_a_push_message() {
    for locale in ["en", "fr"] {
        let words = |channel| words_of(&coupon(), channel, &programme(""), Some(locale));
        assert!(words(Channel::Email).body.contains("ABCD-EFGH-2345"));
        let push = words(Channel::Push);
        assert!(!push.title.contains("ABCD") && !push.body.contains("ABCD"));
    }
}

fn several(count: u32) -> Vec<Coupon> {
    let coupon = |number| Coupon {
        code: CouponCode::new(format!("ABCD-EFGH-{number:04}")).unwrap(),
        number,
        reward: RewardId::new("ten-percent").unwrap(),
        points: Points(5_000),
        issued_at: at("2026-02-28T23:30:00Z"),
        ends_at: (number != 1).then(|| at("2026-05-31T22:00:00Z")),
        state: CouponState::Issued,
        uses: Vec::new(),
        came_with: None,
    };
    (0..count).map(coupon).collect()
}

#[test]
fn several_coupons_have_words_in_every_language_and_channel() {
    let (entry, coupons) = (coupon(), several(3));
    let mut all = String::new();
    for locale in ["en", "fr"] {
        for channel in [Channel::Email, Channel::Push] {
            let reader = Reader { name: None, locale: Some(locale) };
            let words = Wording::new().of(news(&entry, &coupons), channel, &programme(""), reader).unwrap();
            all += &format!("=== {locale} {}\n{}\n---\n{}\n\n", channel.name(), words.title, words.body);
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn of_very_many_coupons_the_first_are_listed_and_the_others_counted() {
    let (entry, coupons) = (coupon(), several(2_000));
    let words =
        Wording::new().of(news(&entry, &coupons), Channel::Email, &programme(""), Reader::default()).unwrap();
    assert!(words.body.contains("ABCD-EFGH-0099") && !words.body.contains("ABCD-EFGH-0100"));
    assert!(words.body.contains("1900 more stand in your account."));
    assert!(words.body.ends_with("Stars"), "to its end");
}

#[test]
fn a_template_that_knows_one_coupon_names_every_code_of_several() {
    let own = programme(
        "[messages.coupon_issued.en.email]\ntitle = \"{{ reward }}\"\nbody = \"{{ points }}: {{ code }}\"",
    );
    let (entry, coupons) = (coupon(), several(2));
    let words = Wording::new().of(news(&entry, &coupons), Channel::Email, &own, Reader::default()).unwrap();
    assert_eq!(words.body, "10,000: ABCD-EFGH-0000, ABCD-EFGH-0001");
    assert_eq!(words.title, "10% off orders from 100.00 EUR");
}

#[test]
fn a_level_that_is_kept_says_until_when() {
    let mut lost = tier(Some("gold"), Some("silver"), false);
    if let Kind::TierChanged { kept_until, .. } = &mut lost.kind {
        *kept_until = Some(at("2026-04-14T22:00:00Z"));
    }
    let body = |channel, locale| words_of(&lost, channel, &programme(""), Some(locale)).body;
    assert_eq!(body(Channel::Push, "en"), "Your level in Stars is now Silver, until 15 April 2026.");
    assert!(body(Channel::Email, "en").contains("\nYou keep it until 15 April 2026.\n"));
    assert!(body(Channel::Email, "fr").contains("jusqu’au 15 avril 2026."));
}

#[test]
fn a_lower_level_is_named_where_there_is_one() {
    let lost = tier(Some("gold"), Some("silver"), false);
    let words = words_of(&lost, Channel::Push, &programme(""), None);
    assert_eq!(words.body, "Your level in Stars is now Silver.");
}

#[test]
fn one_point_is_one_point() {
    let body = |locale| words_of(&reminder(1), Channel::Push, &programme(""), Some(locale)).body;
    assert_eq!(body("en"), "1 point expires on 14 March 2026. An order before then keeps it.");
    assert_eq!(body("fr"), "1 point expire le 14 mars 2026. Une commande avant cette date le conserve.");
}

#[test]
fn a_member_is_told_in_the_nearest_language_there_is() {
    let french = PROGRAMME.replace("currency", "locale = \"fr\"\ncurrency");
    let french = Programme::from_toml(&french).unwrap();
    let title = |programme: &Programme, locale| words_of(&expired(5), Channel::Push, programme, locale).title;
    let english = programme("");
    assert_eq!(title(&english, Some("fr-CA")), "Vos points ont expiré");
    assert_eq!(title(&english, Some("FR_ca")), "Vos points ont expiré");
    assert_eq!(title(&english, Some("de-AT")), "Your points have expired");
    assert_eq!(title(&english, None), "Your points have expired");
    assert_eq!(title(&french, Some("de")), "Vos points ont expiré");
    assert_eq!(title(&french, None), "Vos points ont expiré");
    assert_eq!(title(&french, Some("en-GB")), "Your points have expired");
    assert_eq!(title(&english, Some("")), "Your points have expired");
}

#[test]
fn the_shops_own_words_come_before_ours() {
    let own = programme(
        r#"
        [messages.points_expired.fr-CA.push]
        title = "Oups"
        body = "{{ points }} points perdus le {{ expires_on }}"
        [messages.points_expired.de.push]
        title = "Schade"
        body = "{{ points }} Punkte sind am {{ expires_on }} verfallen"
        "#,
    );
    let words = |locale, channel| words_of(&expired(5_000), channel, &own, Some(locale));
    assert_eq!(words("fr-CA", Channel::Push).body, "5\u{202f}000 points perdus le 1er mars 2026");
    assert_eq!(words("fr-BE", Channel::Push).title, "Vos points ont expiré");
    assert_eq!(words("de-AT", Channel::Push).body, "5\u{202f}000 Punkte sind am 2026-03-01 verfallen");
    assert_eq!(words("de-AT", Channel::Email).title, "Your points in Stars have expired");
}

#[test]
fn a_slip_in_the_shops_own_template_costs_nobody_a_message() {
    let own = programme("[messages.points_expired.en.push]\ntitle = \"{{ points\"\nbody = \"{% if %}\"");
    assert_eq!(words_of(&expired(5), Channel::Push, &own, None).title, "Your points have expired");
}

#[test]
fn a_title_is_one_line_and_every_text_has_an_end() {
    let own = programme(
        "[messages.points_expired.en.push]\ntitle = \"{{ name }}\"\nbody = \"{% for n in range(2000) %}é{% endfor %}\"",
    );
    let entry = expired(5);
    let reader = Reader { name: Some("A\r\nBcc: everybody"), locale: None };
    let words = Wording::new().of(news(&entry, &[]), Channel::Push, &own, reader).unwrap();
    assert_eq!(words.title, "A  Bcc: everybody");
    assert_eq!(words.body.chars().count(), MAX_PUSH_CHARACTERS);
}

#[test]
fn what_nobody_is_told_of_is_no_event() {
    let order = Cause::Order(OrderKey::new("shop#1").unwrap());
    assert_eq!(Event::of(&entry(order, 10, Kind::Order { revision: 1 })), None);
    assert_eq!(Event::of(&expired(-5)), None, "an expiry that is taken back");
}
