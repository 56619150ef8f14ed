//! The API that answers at the second try, never, slowly, too much, elsewhere, or not us.

use std::time::Duration;

use super::*;
use crate::tests::stand_in::{Reply, StandIn};

/// As patient as a test.
pub(crate) const IMPATIENT: Patience = Patience {
    attempts: 3,
    attempt: Duration::from_millis(500),
    pause: Duration::from_millis(1),
    longest_wait: Duration::from_millis(50),
    delivery: Duration::from_secs(5),
    answer_bytes: MAX_ANSWER_BYTES,
};
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
const PATH: &str = "/v2/orders/1";

fn resource(base: &str) -> Resource {
    let headers = vec![("x-auth-token", "a-token".to_owned())];
    Resource { url: format!("{base}{PATH}"), headers, question: None }
}

async fn asked(replies: impl IntoIterator<Item = Reply>) -> (Result<Answer, ApiError>, usize) {
    asked_with(IMPATIENT, replies).await
}

async fn asked_with(
    patience: Patience,
    replies: impl IntoIterator<Item = Reply>,
) -> (Result<Answer, ApiError>, usize) {
    let stand_in = StandIn::start();
    stand_in.on(PATH, replies);
    let answer = Api::with(patience).get(&resource(&stand_in.base)).await;
    (answer, stand_in.asked().len())
}

fn status(status: u16) -> Reply {
    Reply::Status(status, "{\"private\":true}".to_owned())
}

#[tokio::test]
async fn an_answer_is_read_whole_and_the_credential_goes_along() {
    let stand_in = StandIn::start();
    stand_in.on(PATH, [Reply::Bytes(MAX_ANSWER_BYTES)]);
    let answer = Api::with(IMPATIENT).get(&resource(&stand_in.base)).await.unwrap();
    assert!(answer.is_known && answer.body.len() == MAX_ANSWER_BYTES);
    let asked = &stand_in.asked()[0];
    assert_eq!(asked.headers["x-auth-token"], "a-token");
    assert_eq!(asked.headers["accept"], "application/json", "BigCommerce would answer in XML");
}

#[tokio::test]
async fn what_passes_by_itself_is_asked_again() {
    for passing in [status(429), status(500), status(503), Reply::HungUp] {
        let (answer, times) = asked([passing, status(200)]).await;
        assert!(answer.unwrap().is_known);
        assert_eq!(times, 2);
    }
}

#[tokio::test]
async fn an_api_says_how_long_it_wants_to_be_left_alone_and_whoever_wants_too_much_is_asked_no_more() {
    let (seconds, milliseconds) = ("Retry-After", "X-Rate-Limit-Time-Reset-Ms");
    let busy = |wait| ApiError::Busy(Duration::from_millis(wait));
    let away = |status| ApiError::Away(format!("status {status}"));
    for (status, header, value, expected, attempts) in [
        (429, seconds, "0.007", busy(7), 3),
        (503, seconds, "0.007", busy(7), 3),
        (429, seconds, "2.0", busy(2_000), 1),
        (429, seconds, "soon", away(429), 3),
        (429, milliseconds, "8", busy(8), 3),
        (429, milliseconds, "30000", busy(30_000), 1),
        // It says so of every answer.
        (500, milliseconds, "30000", away(500), 3),
    ] {
        let reply = Reply::With(status, (header, value.to_owned()), String::new());
        assert_eq!(asked([reply]).await, (Err(expected), attempts), "{status} {header}: {value}");
    }
}

#[tokio::test]
async fn an_api_that_stays_away_is_left_alone_after_three_times() {
    let (answer, times) = asked([status(500)]).await;
    assert_eq!((answer, times), (Err(ApiError::Away("status 500".to_owned())), 3));
}

#[tokio::test]
async fn nobody_waits_for_an_answer_that_never_comes() {
    let patience = Patience { attempt: Duration::from_millis(20), ..IMPATIENT };
    let (answer, times) = asked_with(patience, [Reply::Silence]).await;
    assert_eq!((answer, times), (Err(ApiError::Away("no answer in time".to_owned())), 3));
}

#[tokio::test]
async fn an_api_where_nobody_listens_is_away() {
    // Nothing listens on this port.
    let answer = Api::with(IMPATIENT).get(&resource("http://127.0.0.1:9")).await;
    assert_eq!(answer, Err(ApiError::Away("no connection".to_owned())));
}

#[tokio::test]
async fn an_answer_above_the_limit_is_not_taken() {
    let (answer, times) = asked([Reply::Bytes(MAX_ANSWER_BYTES + 1)]).await;
    assert_eq!((answer, times), (Err(ApiError::TooLarge(MAX_ANSWER_BYTES)), 1));
}

#[tokio::test]
async fn refused_credentials_are_no_reason_to_ask_again() {
    for refused in [401, 403] {
        let (answer, times) = asked([status(refused)]).await;
        assert_eq!((answer, times), (Err(ApiError::Credentials(refused)), 1));
    }
}

#[tokio::test]
async fn a_credential_is_not_carried_to_another_address() {
    for redirect in [301, 302, 307, 308] {
        let stand_in = StandIn::start();
        stand_in.on(PATH, [status(redirect)]);
        let answer = Api::with(IMPATIENT).get(&resource(&stand_in.base)).await;
        assert_eq!(answer, Err(ApiError::Unexpected(redirect)));
        assert_eq!(stand_in.paths(), [PATH]);
    }
}

#[tokio::test]
async fn what_is_not_there_is_an_answer_too() {
    for absent in [404, 410] {
        let (answer, times) = asked([status(absent)]).await;
        assert_eq!((answer, times), (Ok(Answer::default()), 1));
    }
}

#[test]
fn the_public_client_is_made_without_a_word() {
    // Where the system has no roots, only the calls fail.
    let resource = resource("https://api.example.com");
    assert!(resource.is_public());
    let api = Api::default();
    let _ = api.client(&resource);
    assert!(api.clients.public.get().is_some() && api.clients.loopback.get().is_none());
}
