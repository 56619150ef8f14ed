//! What a programme's messages will say, and what is wrong with the shop's own words: for whoever writes them to see
//! before a member does.

use std::collections::BTreeSet;

use domain::journal::{Cause, EntryId};
use domain::{
    Audience, Entropy, Entry, Kind, LevelId, Period, Points, Programme, ProgrammeError, Timestamp, time,
};
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, escape_formatter};
use serde_json::Value;

use crate::language::Language;
use crate::notice::{Event, Facts, News};
use crate::wording::{Channel, DEFAULTS, Reader, Wording, environment};

/// The events of which members hear.
const EVENTS: [Event; 5] =
    [Event::CouponIssued, Event::TierReached, Event::TierLost, Event::PointsExpiring, Event::PointsExpired];
const CHANNELS: [Channel; 2] = [Channel::Email, Channel::Push];
/// Whom the sample messages are for.
const SAMPLE_NAME: &str = "Alex";

/// A message as a member would read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Which event it tells of.
    pub event: &'static str,
    /// In which language.
    pub locale: String,
    /// By which way.
    pub channel: &'static str,
    /// An e-mail's subject, a push message's title.
    pub title: String,
    /// The text.
    pub body: String,
}

/// Every message that members may get, with sample facts: of each event, by each channel, in every language for which
/// there are words.
pub fn previews(programme: &Programme) -> Vec<Preview> {
    let wording = Wording::new();
    let mut previews = Vec::new();
    for event in EVENTS {
        let Some(entry) = Sample::default().entry(event, programme) else { continue };
        for locale in locales(programme, event) {
            for channel in CHANNELS {
                let reader = Reader { name: Some(SAMPLE_NAME), locale: Some(&locale) };
                let news = News { event, entry: &entry, coupons: &[] };
                if let Some(words) = wording.of(news, channel, programme, reader) {
                    let (event, channel, locale) = (event.name(), channel.name(), locale.clone());
                    previews.push(Preview { event, locale, channel, title: words.title, body: words.body });
                }
            }
        }
    }
    previews
}

/// What is wrong with the shop's own words: each mistake with its place.
pub fn mistakes(programme: &Programme) -> Vec<ProgrammeError> {
    let mut mistakes = Vec::new();
    let mut wrong = |place: String, problem: String| mistakes.push(ProgrammeError::Wrong { place, problem });
    for (event_name, by_locale) in &programme.messages {
        let place = format!("messages.{event_name}");
        let Some(event) = EVENTS.into_iter().find(|event| event.name() == event_name) else {
            let known = EVENTS.map(Event::name).join(", ");
            wrong(place, format!("there is no such event; there is {known}"));
            continue;
        };
        for (locale, by_channel) in by_locale {
            let place = format!("{place}.{locale}");
            if !is_locale(locale) {
                wrong(place.clone(), "is no language such as fr or pt-BR (BCP 47)".to_owned());
            }
            for (channel_name, template) in by_channel {
                let place = format!("{place}.{channel_name}");
                if !CHANNELS.iter().any(|channel| channel.name() == channel_name) {
                    let known = CHANNELS.map(Channel::name).join(" and ");
                    wrong(place, format!("there is no such channel; there is {known}"));
                    continue;
                }
                for (field, text) in [("title", &template.title), ("body", &template.body)] {
                    if let Some(problem) = problem_of(text, event, programme) {
                        wrong(format!("{place}.{field}"), problem);
                    }
                }
            }
        }
    }
    mistakes
}

/// The languages in which there are words for an event.
fn locales(programme: &Programme, event: Event) -> BTreeSet<String> {
    let ours = DEFAULTS.iter().filter(|(its_event, ..)| *its_event == event.name());
    let ours = ours.map(|(_, locale, ..)| (*locale).to_owned());
    let own =
        programme.messages.get(event.name()).into_iter().flat_map(|by_locale| by_locale.keys().cloned());
    ours.chain(own).collect()
}

/// A language of two or three letters, and after hyphens what narrows it down.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|letter| letter.is_ascii_alphabetic())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// What is wrong with a template, if anything.
fn problem_of(text: &str, event: Event, programme: &Programme) -> Option<String> {
    let strict = strict();
    let template = match strict.template_from_str(text) {
        Ok(template) => template,
        Err(error) => return Some(format!("cannot be read: {}", in_words(&error))),
    };
    let globals: BTreeSet<String> = strict.globals().map(|(name, _)| name.to_owned()).collect();
    let used: BTreeSet<String> =
        template.undeclared_variables(false).into_iter().filter(|name| !globals.contains(name)).collect();
    let known = serde_json::to_value(Facts::default()).unwrap_or_default();
    let known: Vec<&String> = known.as_object().into_iter().flat_map(|known| known.keys()).collect();
    if let Some(unknown) = used.iter().find(|name| !known.contains(name)) {
        let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
        return Some(format!("there is no {unknown}; there is {}", known.join(", ")));
    }
    for sample in Sample::ALL {
        let Some(facts) = sample.facts(event, programme) else { continue };
        let Err(error) = template.render(Serde(&facts)) else { continue };
        let facts = serde_json::to_value(&facts).unwrap_or_default();
        let missing: Vec<&str> = used
            .iter()
            .map(String::as_str)
            .filter(|name| facts.get(name).is_some_and(Value::is_null))
            .collect();
        return Some(if missing.is_empty() {
            format!("cannot be filled: {}", in_words(&error))
        } else {
            let missing = missing.join(", ");
            format!("prints {missing}, which is missing for some members: write it within {{% if … %}}")
        });
    }
    None
}

/// As messages are filled, but whatever is missing is a mistake.
fn strict() -> Environment<'static> {
    let mut strict = environment();
    strict.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    strict.set_formatter(|out, state, value| {
        if value.is_none() || value.is_undefined() {
            return Err(minijinja::Error::new(ErrorKind::UndefinedError, "a value is missing"));
        }
        escape_formatter(out, state, value)
    });
    strict
}

fn in_words(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{}{detail}{line}", error.kind())
}

/// What a sample member has.
#[derive(Debug, Clone, Copy)]
struct Sample {
    has_name: bool,
    /// Whether a coupon ends, a level is kept for a while, and there is another level.
    has_all: bool,
}

impl Default for Sample {
    fn default() -> Self {
        Self { has_name: true, has_all: true }
    }
}

impl Sample {
    const ALL: [Self; 4] = [
        Self { has_name: true, has_all: true },
        Self { has_name: false, has_all: true },
        Self { has_name: true, has_all: false },
        Self { has_name: false, has_all: false },
    ];

    fn facts(self, event: Event, programme: &Programme) -> Option<Facts> {
        let entry = self.entry(event, programme)?;
        let news = News { event, entry: &entry, coupons: &[] };
        let name = self.has_name.then_some(SAMPLE_NAME);
        Some(Facts::of(news, programme, name, Language::of(&programme.locale)))
    }

    /// Nothing of an event that a programme does not have.
    fn entry(self, event: Event, programme: &Programme) -> Option<Entry> {
        let (kind, points) = match event {
            Event::TierReached | Event::TierLost => (self.tier(event, programme), Points::ZERO),
            Event::PointsExpiring => (
                Kind::ExpiryReminder { expiring: SAMPLE_POINTS, expires_at: moment(SAMPLE_END) },
                Points::ZERO,
            ),
            Event::PointsExpired => (Kind::Expired, SAMPLE_POINTS.negated().ok()?),
            _ => {
                let reward = programme.automatic_reward().or(programme.rewards.first())?;
                let kind = Kind::CouponIssued {
                    code: Entropy::new((0..=u8::MAX).cycle().take(Entropy::BYTES).collect()).coupon_code()?,
                    reward: reward.id.clone(),
                    ends_at: self.has_all.then(|| moment(SAMPLE_END)),
                    told_from: None,
                    on_request: None,
                };
                (kind, reward.points.negated().ok()?)
            }
        };
        let at = moment(SAMPLE_NOW);
        let cause = Cause::Reminder(at, Period::days(1));
        Some(Entry {
            id: EntryId { effective_at: at, cause, n: 0 },
            sequence: 1,
            recorded_at: at,
            points,
            lifetime_points: Points::ZERO,
            status_points: Points::ZERO,
            counts: 0,
            audience: Audience::Everybody,
            came_with: None,
            kind,
        })
    }

    fn tier(self, event: Event, programme: &Programme) -> Kind {
        let level = |index: usize| -> Option<LevelId> {
            Some(programme.tiers.as_ref()?.levels.get(index)?.id.clone())
        };
        let up = event == Event::TierReached;
        let (lower, upper) = (level(0), level(1).or(level(0)));
        let lower = lower.filter(|_| self.has_all);
        let (from, to) = if up { (lower, upper) } else { (upper, lower) };
        Kind::TierChanged { from, to, up, kept_until: None }
    }
}

const SAMPLE_NOW: &str = "2026-03-01T12:00:00Z";
const SAMPLE_END: &str = "2026-06-01T12:00:00Z";
const SAMPLE_POINTS: Points = Points(1_250);

fn moment(text: &str) -> Timestamp {
    time::instant(text).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAMME: &str = include_str!("../../../programme.toml");

    fn programme(messages: &str) -> Programme {
        Programme::from_toml(&format!("{PROGRAMME}\n{messages}")).unwrap()
    }

    fn problems(messages: &str) -> Vec<String> {
        mistakes(&programme(messages)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_message_that_comes_with_laurel_is_shown_and_is_right() {
        let programme = programme("");
        let previews = previews(&programme);
        assert_eq!(previews.len(), DEFAULTS.len());
        for Preview { event, locale, channel, title, body } in &previews {
            assert!(!title.is_empty() && !body.is_empty(), "{event} {locale} {channel}");
            assert!(!format!("{title}{body}").contains("none"), "{event} {locale} {channel}: {body}");
        }
        assert_eq!(mistakes(&programme), []);
    }

    #[test]
    fn every_word_of_the_shops_own_that_cannot_be_filled_is_named_with_what_there_is() {
        let event = "[messages.coupon_isued.en.email]\ntitle = \"a\"\nbody = \"b\"";
        assert!(
            problems(event)[0]
                .starts_with("messages.coupon_isued: there is no such event; there is coupon_issued, ")
        );
        let channel = "[messages.coupon_issued.en.sms]\ntitle = \"a\"\nbody = \"b\"";
        assert_eq!(
            problems(channel),
            ["messages.coupon_issued.en.sms: there is no such channel; there is email and push"]
        );
        let several = r#"
            [messages.coupon_issued.english.email]
            title = "{{ kode }}"
            body = "{% if name %}"
            [messages.points_expired.fr.push]
            title = "{{ points }} points"
            body = "Hello {{ name }}"
        "#;
        let problems = problems(several);
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems[0].starts_with("messages.coupon_issued.english: is no language such as fr"));
        assert!(problems[1].contains("email.title: there is no kode; there is code, count,"), "{problems:?}");
        assert!(problems[2].contains("email.body: cannot be read: "), "{problems:?}");
        assert!(
            problems[3].contains("push.body: prints name, which is missing for some members"),
            "{problems:?}"
        );
    }

    #[test]
    fn what_is_asked_for_before_it_is_printed_may_be_missing() {
        let own = r#"
            [messages.coupon_issued.fr.email]
            title = "{{ reward }}"
            body = "{% if name %}{{ name }}, {% endif %}{{ code }}{% if ends_on %} {{ ends_on }}{% endif %}{% for coupon in coupons %}{{ coupon.code }}{% endfor %}"
        "#;
        assert_eq!(problems(own), [] as [&str; 0]);
    }
}
