//! The tiers' part of the document.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{ProgrammeError, at_most, period, rate, wrong};
use crate::ids::LevelId;
use crate::points::Points;
use crate::programme::{Cycle, Downgrade, Level, Perk, RatedOver, RatingRule, SetAside, Tiers};
use crate::rating::Score;

/// The most ratings that an average of the newest ones may be made of: all of them are read for each new one.
const MAX_LAST_RATINGS: u32 = 1_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TiersDocument {
    window: String,
    status_points: StatusPointsDocument,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_rating: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ratings: Option<RatingsDocument>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    downgrade: Option<DowngradeDocument>,
    levels: Vec<LevelDocument>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RatingsDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_aside: Option<SetAsideDocument>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetAsideDocument {
    average_below: Decimal,
    after: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DowngradeDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_until_end_of: Option<Cycle>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grace: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    one_level_at_a_time: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusPointsDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_order: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_unit: Option<Decimal>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelDocument {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    threshold: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    perks: Vec<Perk>,
}

pub(super) fn check(document: &TiersDocument) -> Result<Tiers, ProgrammeError> {
    let per_order = document.status_points.per_order.unwrap_or(0);
    if per_order < 0 {
        return Err(wrong("tiers.status_points.per_order", "must not be negative"));
    }
    let per_unit =
        rate("tiers.status_points.per_unit", document.status_points.per_unit.unwrap_or(Decimal::ZERO))?;
    if per_order == 0 && per_unit.is_zero() {
        return Err(wrong("tiers.status_points", "needs per_order or per_unit above 0"));
    }
    if document.levels.is_empty() {
        return Err(wrong("tiers.levels", "needs at least one level"));
    }
    Ok(Tiers {
        window: period("tiers.window", &document.window)?,
        per_order: Points(per_order),
        per_unit,
        rating: check_rating(document)?,
        downgrade: document.downgrade.as_ref().map(check_downgrade).transpose()?.unwrap_or_default(),
        levels: check_levels(&document.levels)?,
    })
}

fn check_rating(document: &TiersDocument) -> Result<Option<RatingRule>, ProgrammeError> {
    let Some(minimum) = document.minimum_rating else {
        return match document.ratings {
            Some(_) => Err(wrong("tiers.ratings", "says nothing without tiers.minimum_rating")),
            None => Ok(None),
        };
    };
    let minimum = score("tiers.minimum_rating", minimum)?;
    let ratings = document.ratings.as_ref();
    let over = match ratings.and_then(|ratings| ratings.last) {
        None => RatedOver::Window,
        Some(last) if (1..=MAX_LAST_RATINGS).contains(&last) => RatedOver::Last(last),
        Some(_) => {
            return Err(wrong("tiers.ratings.last", format!("must be from 1 to {MAX_LAST_RATINGS}")));
        }
    };
    let set_aside = ratings.and_then(|ratings| ratings.set_aside.as_ref());
    Ok(Some(RatingRule { minimum, over, set_aside: set_aside.map(check_set_aside).transpose()? }))
}

fn check_set_aside(document: &SetAsideDocument) -> Result<SetAside, ProgrammeError> {
    if document.after < 1 {
        return Err(wrong("tiers.ratings.set_aside.after", "must be at least 1"));
    }
    let average_below = score("tiers.ratings.set_aside.average_below", document.average_below)?;
    Ok(SetAside { average_below, after: document.after })
}

fn check_downgrade(document: &DowngradeDocument) -> Result<Downgrade, ProgrammeError> {
    let rule = Downgrade {
        keep_until_end_of: document.keep_until_end_of,
        grace: document.grace.as_ref().map(|text| period("tiers.downgrade.grace", text)).transpose()?,
        one_level_at_a_time: document.one_level_at_a_time,
    };
    if rule.is_at_once() {
        let problem = "needs grace or keep_until_end_of: how long a level is kept that is no longer reached";
        return Err(wrong("tiers.downgrade", problem));
    }
    Ok(rule)
}

fn score(place: &str, score: Decimal) -> Result<Score, ProgrammeError> {
    if score <= Decimal::ZERO {
        return Err(wrong(place, "must be above 0"));
    }
    Score::new(score).map_err(|error| wrong(place, error))
}

fn check_levels(documents: &[LevelDocument]) -> Result<Vec<Level>, ProgrammeError> {
    at_most("tiers.levels", documents.len())?;
    let mut levels: Vec<Level> = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let place = format!("tiers.levels[{index}]");
        let id = LevelId::new(&document.id).map_err(|error| wrong(format!("{place}.id"), error))?;
        if document.threshold < 0 {
            return Err(wrong(format!("{place}.threshold"), "must not be negative"));
        }
        if let Some(twin) = levels.iter().find(|level| level.id == id) {
            return Err(wrong(format!("{place}.id"), format!("{} stands there twice", twin.id)));
        }
        if let Some(twin) = levels.iter().find(|level| level.threshold.0 == document.threshold) {
            return Err(wrong(format!("{place}.threshold"), format!("is also the threshold of {}", twin.id)));
        }
        at_most(&format!("{place}.perks"), document.perks.len())?;
        let title = document.title.clone().unwrap_or_else(|| capitalised(id.as_str()));
        levels.push(Level {
            id,
            title,
            threshold: Points(document.threshold),
            perks: document.perks.clone(),
        });
    }
    levels.sort_by_key(|level| level.threshold);
    Ok(levels)
}

fn capitalised(id: &str) -> String {
    let mut letters = id.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
