//! A rating of a member: what is sent, and what is answered.

use std::fmt::Write;

use domain::{MemberId, Programme, RaterId, RatingId, Score, Timestamp, time};
use ring::digest;
use runtime::{Problem, ToldRating};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// The largest body we read: a number, a moment and an identifier.
const MAX_BODY_BYTES: usize = 8 * 1024;
/// How far ahead of us a sender's clock may be.
const MAX_SECONDS_AHEAD: i64 = 300;
/// So much of a digest tells apart more raters than there are people.
const RATER_BYTES: usize = 16;

/// What is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RatingRequest {
    score: Decimal,
    rated_at: String,
    rater: Option<String>,
}

/// How a member is rated, and what the tier asks for.
#[derive(Debug, Serialize)]
pub(crate) struct RatingDocument {
    average: Option<Decimal>,
    count: u32,
    minimum: Score,
}

/// The answer to a rating.
#[derive(Debug, Serialize)]
pub(crate) struct RatedDocument<'a> {
    pub(crate) member: &'a MemberId,
    pub(crate) tier: Option<&'a domain::LevelId>,
    pub(crate) rating: RatingDocument,
}

impl RatingDocument {
    /// Nothing where the programme asks for no rating.
    pub(crate) fn of(programme: &Programme, profile: &domain::Profile) -> Option<Self> {
        let minimum = programme.tiers.as_ref()?.rating.as_ref()?.minimum;
        let rated = profile.bookkeeping.rated.clone().unwrap_or_default();
        // Cut and not rounded, so that what is below the minimum never looks as if it were not.
        let shown =
            |average: Decimal| average.round_dp_with_strategy(2, RoundingStrategy::ToZero).normalize();
        Some(Self { average: rated.average().map(shown), count: rated.count, minimum })
    }
}

/// Reads a rating. The problem says what to mend.
pub(crate) fn parse(id: RatingId, body: &[u8], now: Timestamp) -> Result<ToldRating, Problem> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Problem::too_large(format!("A body may have at most {MAX_BODY_BYTES} bytes.")));
    }
    let RatingRequest { score, rated_at, rater } = serde_json::from_slice(body).map_err(|_| {
        Problem::bad_request(
            r#"The body is JSON with a score, a number, rated_at, an instant, and perhaps a rater."#,
        )
    })?;
    let score = Score::new(score).map_err(|error| Problem::bad_request(format!("score: {error}")))?;
    let rated_at =
        time::instant(&rated_at).map_err(|error| Problem::bad_request(format!("rated_at: {error}")))?;
    if rated_at.as_second() > now.as_second() + MAX_SECONDS_AHEAD {
        return Err(Problem::bad_request("rated_at: lies in the future"));
    }
    Ok(ToldRating { id, rated_at, score, rater: rater.as_deref().map(digest_of).transpose()? })
}

/// Raters are told apart by a digest: whom it stands for, we need not know.
fn digest_of(rater: &str) -> Result<RaterId, Problem> {
    let wrong = |problem: &str| Problem::bad_request(format!("rater: {problem}"));
    if rater.is_empty() {
        return Err(wrong("is empty; leave it out where nobody is known"));
    }
    let digest = digest::digest(&digest::SHA256, rater.as_bytes());
    let mut text = String::with_capacity(2 * RATER_BYTES);
    for byte in digest.as_ref().iter().take(RATER_BYTES) {
        write!(text, "{byte:02x}").map_err(|error| wrong(&error.to_string()))?;
    }
    RaterId::new(text).map_err(|error| wrong(&error.to_string()))
}
