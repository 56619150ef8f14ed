//! The rules, tried: scenarios as given/when/then, laws as properties, and a calendar suite.

mod calendar;
mod checkout;
mod correcting;
mod expiry;
mod hearing;
mod laws;
mod long_way;
mod merging;
mod opening;
mod order_of_telling;
mod parting;
mod pending;
mod rules;
mod sweep;
mod tiers;
mod unmerging;
mod versions;
mod world;
