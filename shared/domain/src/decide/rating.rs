//! Ratings: posted as they are told, and the average that the tier asks for.

use std::collections::BTreeMap;

use super::draft::{Deltas, Draft, Stop};
use crate::journal::{Cause, Entry, EntryId, Kind, Posting};
use crate::points::Overflow;
use crate::programme::{Programme, RatedOver, RatingRule, Tiers};
use crate::rating::{Rated, Rater, RaterChange, RaterHistory, Rating, Score};
use crate::time::{TimeError, Timestamp, date_of, start_of};

/// Posts a rating, or what corrects an earlier telling of it; the same one told twice posts nothing.
pub(super) fn rate(draft: &mut Draft<'_>, rating: &Rating, first_seen: bool) -> Result<(), Stop> {
    let known = if first_seen { Vec::new() } else { told_so_far(draft, rating)? };
    let n = u32::try_from(known.len()).map_err(|_| Overflow)?;
    let id = EntryId { effective_at: rating.rated_at, cause: Cause::Rating(rating.id.clone()), n };
    match known.into_iter().last() {
        Some(Kind::Rated { score, .. }) if score == rating.score => Ok(()),
        Some(Kind::Rated { score, rater, set_aside }) => {
            let teller = rating.rater.as_ref().filter(|teller| Some(&teller.id) == rater.as_ref());
            draft.rater = changed(teller, |history| history.corrected(score, rating.score))?;
            draft.post(id, Deltas::default(), Kind::Rated { score: rating.score, rater, set_aside })?;
            recount(draft, draft.now(), false)
        }
        _ => rate_anew(draft, rating, id),
    }
}

fn told_so_far(draft: &Draft<'_>, rating: &Rating) -> Result<Vec<Kind>, Stop> {
    let posting = Posting { effective_at: rating.rated_at, cause: Cause::Rating(rating.id.clone()) };
    Ok(draft.entries_of(&posting)?.into_iter().map(|entry| entry.kind.clone()).collect())
}

fn rate_anew(draft: &mut Draft<'_>, rating: &Rating, id: EntryId) -> Result<(), Stop> {
    let programme = draft.programme_at(draft.now());
    let rule = rule_of(programme);
    let set_aside =
        rule.zip(rating.rater.as_ref()).is_some_and(|((_, rule), rater)| rule.sets_aside(&rater.history));
    draft.rater = changed(rating.rater.as_ref(), |history| history.with(rating.score))?;
    let rater = rating.rater.as_ref().map(|rater| rater.id.clone());
    draft.post(id, Deltas::default(), Kind::Rated { score: rating.score, rater, set_aside })?;

    let today = draft.profile.bookkeeping.window.on;
    let rated = draft.profile.bookkeeping.rated.get_or_insert_default();
    let Some((tiers, rule)) = rule.filter(|_| !set_aside) else { return Ok(()) };
    match rule.over {
        RatedOver::Last(most) if rated.count >= most => recount(draft, draft.now(), false)?,
        RatedOver::Window if rating.rated_at < tiers.window_start(today, &programme.time_zone)? => {}
        RatedOver::Last(_) | RatedOver::Window => rated.add(rating.score, rating.rated_at)?,
    }
    Ok(())
}

fn changed(
    rater: Option<&Rater>,
    change: impl FnOnce(RaterHistory) -> Result<RaterHistory, Overflow>,
) -> Result<Option<RaterChange>, Overflow> {
    let Some(Rater { id, history }) = rater else { return Ok(None) };
    Ok(Some(RaterChange { rater: id.clone(), before: *history, after: change(*history)? }))
}

/// Leaves out what the window no longer has.
pub(super) fn settle(draft: &mut Draft<'_>, moment: Timestamp) -> Result<(), Stop> {
    let version = draft.programmes.at(moment);
    let Some((tiers, rule)) = rule_of(&version.programme) else { return Ok(()) };
    let Some(rated) = &draft.profile.bookkeeping.rated else { return Ok(()) };
    let rules_changed = draft.profile.bookkeeping.programme != version.number;
    let today = date_of(moment, &version.programme.time_zone);
    let has_left = match (rule.over, rated.since) {
        (RatedOver::Window, Some(since)) => {
            since < tiers.window_start(today, &version.programme.time_zone)?
        }
        _ => false,
    };
    if rules_changed || has_left { recount(draft, moment, rules_changed) } else { Ok(()) }
}

/// When a rating next leaves the window; a lower bound on when the average changes by itself.
pub(super) fn next_change(
    programme: &Programme,
    rated: Option<&Rated>,
) -> Result<Option<Timestamp>, TimeError> {
    let Some((tiers, RatingRule { over: RatedOver::Window, .. })) = rule_of(programme) else {
        return Ok(None);
    };
    let Some(since) = rated.and_then(|rated| rated.since) else { return Ok(None) };
    let leaves_on = tiers.window.leaves_on(date_of(since, &programme.time_zone))?;
    start_of(leaves_on, &programme.time_zone).map(Some)
}

/// Counts the ratings from the journal. Under other rules than before, older ones may count again.
pub(super) fn recount(draft: &mut Draft<'_>, moment: Timestamp, rules_changed: bool) -> Result<(), Stop> {
    let programme = draft.programme_at(moment);
    let Some((tiers, rule)) = rule_of(programme) else { return Ok(()) };
    let oldest = draft.profile.bookkeeping.rated.as_ref().and_then(|rated| rated.since);
    let (since, most) = match rule.over {
        RatedOver::Window => {
            let today = date_of(moment, &programme.time_zone);
            (tiers.window_start(today, &programme.time_zone)?, usize::MAX)
        }
        RatedOver::Last(most) => {
            let oldest = oldest.filter(|_| !rules_changed).unwrap_or(Timestamp::UNIX_EPOCH);
            (oldest, usize::try_from(most).unwrap_or(usize::MAX))
        }
    };
    let mut rated = Rated::default();
    for ((rated_at, _), score) in newest_tellings(draft, since)?.into_iter().rev().take(most) {
        rated.add(score, rated_at)?;
    }
    draft.profile.bookkeeping.rated = Some(rated);
    Ok(())
}

/// The scores that count, as they were last told, by moment.
fn newest_tellings<'a>(
    draft: &'a Draft<'_>,
    since: Timestamp,
) -> Result<BTreeMap<(Timestamp, &'a Cause), Score>, Stop> {
    let mut tellings: BTreeMap<(Timestamp, &Cause), (u32, Option<Score>)> = BTreeMap::new();
    for Entry { id, kind, .. } in draft.journal_since(since)? {
        let score = match kind {
            Kind::Rated { score, set_aside: false, .. } => Some(*score),
            Kind::GivenBack { .. } => None,
            _ => continue,
        };
        let telling = tellings.entry((id.effective_at, &id.cause)).or_insert((id.n, score));
        *telling = (*telling).max((id.n, score));
    }
    Ok(tellings.into_iter().filter_map(|(key, (_, score))| Some((key, score?))).collect())
}

fn rule_of(programme: &Programme) -> Option<(&Tiers, &RatingRule)> {
    let tiers = programme.tiers.as_ref()?;
    Some((tiers, tiers.rating.as_ref()?))
}
