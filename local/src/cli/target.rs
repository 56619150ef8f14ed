//! Which stack a command speaks to: a deployed one, found by the same environment as its functions have, or the local
//! one.

use anyhow::Context as _;
use clap::Args;
use runtime::{Clients, Config};
use store::Store;

use crate::stack;

/// Which stack.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The stack that `laurel` serves on this machine, instead of the one that the environment names.
    #[arg(long)]
    local: bool,
    /// Where that one serves DynamoDB's own API.
    #[arg(long, value_name = "PORT", default_value_t = 8_000, requires = "local")]
    dynamodb_port: u16,
}

impl Target {
    /// Its store.
    pub(super) fn store(&self) -> anyhow::Result<Store> {
        Ok(self.clients()?.store())
    }

    fn clients(&self) -> anyhow::Result<Clients> {
        if self.local {
            return Ok(stack::clients_over(self.dynamodb_port)?);
        }
        let config =
            Config::from_environment().context("set what the stack's output Environment says, or --local")?;
        Ok(Clients::from_environment(config)?)
    }
}
