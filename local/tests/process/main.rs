//! The program itself, as a newcomer starts it, as Ctrl-C stops it and as a power cut ends it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on should stop.

mod importing;
mod laurel;
mod parking;
mod reconciling;
mod replaying;
mod reports;
mod starting;
mod stopping;
