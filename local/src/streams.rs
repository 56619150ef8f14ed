//! Streams: what is written to a table wakes the function that follows it.

mod filter;
mod pump;

#[cfg(test)]
mod tests;

pub use self::filter::{Filter, FilterError};
pub use self::pump::{Pump, PumpError};
