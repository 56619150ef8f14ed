//! The words of a message: the shop's own or ours, in the member's language, filled with the facts.

use domain::Programme;
use domain::programme::Template;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, escape_formatter};

use crate::language::Language;
use crate::notice::{Event, Facts, News};

/// The language in which there is every template.
const LAST_RESORT: &str = "en";
/// The longest title, in characters: phones show fewer, and mail clients too.
const MAX_TITLE_CHARACTERS: usize = 150;
/// The longest push text, in characters: at four bytes each it leaves room for the rest in the 4 KB of a push
/// message.
const MAX_PUSH_CHARACTERS: usize = 700;
/// The longest e-mail, in characters: at four bytes each it stays below the 256 KB of an SNS message.
const MAX_EMAIL_CHARACTERS: usize = 50_000;

/// Where words are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Push,
    Email,
}

impl Channel {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Email => "email",
        }
    }

    fn limit(self) -> usize {
        match self {
            Self::Push => MAX_PUSH_CHARACTERS,
            Self::Email => MAX_EMAIL_CHARACTERS,
        }
    }
}

/// A message ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) body: String,
}

/// Whom the words are for: what is known of the member's name and language.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reader<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) locale: Option<&'a str>,
}

/// Fills templates.
#[derive(Debug)]
pub(crate) struct Wording(Environment<'static>);

impl Wording {
    pub(crate) fn new() -> Self {
        let mut environment = environment();
        environment.set_formatter(|out, state, value| match value.is_none() {
            // A member without a name is not called "none".
            true => Ok(()),
            false => escape_formatter(out, state, value),
        });
        Self(environment)
    }

    /// The words of an entry's message. A template of the shop's that cannot be filled is passed over: the member
    /// should not miss a coupon for a slip in it.
    pub(crate) fn of(
        &self,
        news: News<'_>,
        channel: Channel,
        programme: &Programme,
        reader: Reader<'_>,
    ) -> Option<Words> {
        let event = news.event;
        for locale in locales(reader.locale, &programme.locale) {
            let language = Language::of(&locale);
            let own = own_template(programme, event, &locale, channel);
            let ours = default_template(event, &locale, channel);
            for (title, body) in own.into_iter().chain(ours) {
                let facts = Facts::of(news, programme, reader.name, language);
                match self.fill(title, body, channel, &facts) {
                    Ok(words) => return Some(words),
                    Err(error) => {
                        tracing::warn!(event = event.name(), %locale, channel = channel.name(), %error, "a template cannot be filled");
                    }
                }
            }
        }
        None
    }

    fn fill(
        &self,
        title: &str,
        body: &str,
        channel: Channel,
        facts: &Facts,
    ) -> Result<Words, minijinja::Error> {
        Ok(Words {
            title: one_line(&self.0.render_str(title, Serde(facts))?, MAX_TITLE_CHARACTERS),
            body: self.0.render_str(body, Serde(facts))?.trim().chars().take(channel.limit()).collect(),
        })
    }
}

/// How templates are read.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).build().unwrap_or_default());
    environment
}

/// The locales to try, best first: the member's, its language, the programme's, its language, English.
fn locales(of_member: Option<&str>, of_programme: &str) -> Vec<String> {
    let mut locales: Vec<String> = Vec::new();
    for locale in of_member.into_iter().chain([of_programme, LAST_RESORT]) {
        let locale = locale.replace('_', "-");
        let language = locale.split('-').next().unwrap_or_default().to_owned();
        for candidate in [locale, language] {
            if !locales.contains(&candidate) {
                locales.push(candidate);
            }
        }
    }
    locales
}

/// The shop's own template for exactly this locale.
fn own_template<'a>(
    programme: &'a Programme,
    event: Event,
    locale: &str,
    channel: Channel,
) -> Option<(&'a str, &'a str)> {
    let by_locale = programme.messages.get(event.name())?;
    let (_, by_channel) = by_locale.iter().find(|(key, _)| key.eq_ignore_ascii_case(locale))?;
    let Template { title, body } = by_channel.get(channel.name())?;
    Some((title, body))
}

/// Our template for exactly this locale: the first line of its file is the title, the rest the body.
fn default_template(event: Event, locale: &str, channel: Channel) -> Option<(&'static str, &'static str)> {
    let (.., text) = DEFAULTS.iter().find(|(its_event, its_locale, its_channel, _)| {
        *its_event == event.name()
            && its_locale.eq_ignore_ascii_case(locale)
            && *its_channel == channel.name()
    })?;
    text.split_once('\n')
}

/// A title has no line break: in an e-mail it would begin another header.
fn one_line(title: &str, limit: usize) -> String {
    let flat: String = title.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    flat.trim().chars().take(limit).collect()
}

macro_rules! defaults {
    ($($event:literal $locale:literal $channel:literal),* $(,)?) => {
        [$((
            $event,
            $locale,
            $channel,
            include_str!(concat!("../templates/", $event, ".", $locale, ".", $channel, ".txt")),
        )),*]
    };
}

/// The default templates: event, locale, channel, text.
pub(crate) const DEFAULTS: [(&str, &str, &str, &str); 20] = defaults![
    "coupon_issued" "en" "email",
    "coupon_issued" "en" "push",
    "coupon_issued" "fr" "email",
    "coupon_issued" "fr" "push",
    "tier_reached" "en" "email",
    "tier_reached" "en" "push",
    "tier_reached" "fr" "email",
    "tier_reached" "fr" "push",
    "tier_lost" "en" "email",
    "tier_lost" "en" "push",
    "tier_lost" "fr" "email",
    "tier_lost" "fr" "push",
    "points_expiring" "en" "email",
    "points_expiring" "en" "push",
    "points_expiring" "fr" "email",
    "points_expiring" "fr" "push",
    "points_expired" "en" "email",
    "points_expired" "en" "push",
    "points_expired" "fr" "email",
    "points_expired" "fr" "push",
];

#[cfg(test)]
mod tests;
