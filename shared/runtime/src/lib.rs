//! What every function's `main` needs: configuration, clients, clock, telemetry, and answers in the form that AWS
//! and HTTP want them. The deciding loop lives here too, because every function that changes a member uses it.

pub mod answer;
pub mod clients;
pub mod clock;
pub mod config;
pub mod engine;
pub mod gateway;
pub mod panics;
pub mod parameter_store;
pub mod random;
pub mod telemetry;

pub use answer::{Problem, json};
pub use clients::Clients;
pub use clock::{Budget, Clock};
pub use config::{Config, ConfigError};
pub use engine::{
    Accrued, Batch, Brought, Clash, Engine, EngineError, Enrolled, Issued, Joined, Newcomer, ProgrammeCache,
    Settled, ToldRating, UNDOABLE_FOR, Unmerged,
};
pub use panics::{Panicked, caught};
pub use parameter_store::{Parameter, ParameterStore, ParameterStoreError};
pub use random::Random;
