//! The whole stack in one process: the functions that Lambda runs, woken by the same events, over an embedded
//! DynamoDB, with a clock that can be moved. The only crate that knows emulators.

mod bar;
pub mod cli;
pub mod clock;
pub mod containers;
mod curl;
mod digest;
pub mod dynamodb;
pub mod functions;
pub mod gateway;
pub mod history;
mod http_client;
mod import;
mod in_process;
pub mod inbox;
mod local_api;
mod pace;
mod parked;
mod platforms;
mod problem;
pub mod reconcile;
pub mod replay;
pub mod schedule;
pub mod server;
pub mod sns;
pub mod ssm;
pub mod stack;
pub mod state;
pub mod streams;
mod table;
pub mod template;
mod webhook_event;
