//! The rules, tried: scenarios as given/when/then, laws as properties, and a calendar suite.

mod calendar;
mod checkout;
mod laws;
mod long_way;
mod merging;
mod opening;
mod rules;
mod sweep;
mod tiers;
mod world;
