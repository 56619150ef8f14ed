//! The rules, tried: scenarios as given/when/then, laws as properties, and a calendar suite.

mod calendar;
mod laws;
mod rules;
mod world;
