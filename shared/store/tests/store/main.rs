//! The store against the real SDK and an engine that speaks DynamoDB's API: the embedded one, or whatever
//! listens at `LAUREL_TEST_DYNAMODB_ENDPOINT`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on should stop.

mod capacity;
mod commit;
mod correcting;
mod due;
mod given;
mod members;
mod names;
mod orders;
mod parking;
mod parts;
mod person;
mod programmes;
mod support;
mod sweep;
mod telling;
mod waiting;
