//! The stack as a whole, and the house itself. One binary, because each would link the whole stack anew.

mod basis;
mod budgets;
mod checkout;
mod enrolment;
mod faults;
mod flows;
mod hearing;
mod house;
mod identity;
mod lives;
mod logs;
mod merging;
mod payments;
mod peers;
mod pending;
mod privacy;
mod reconcile;
mod replay;
mod sample_events;
mod silence;
mod sweep;
mod tiers;
mod together;
