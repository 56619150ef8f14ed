//! Which stack a command speaks to: a deployed one, found by the same environment as its functions have, or the local
//! one.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use domain::Timestamp;
use order_webhook::Sources;
use runtime::{Clients, Config, config};
use store::Store;

use super::{SOURCES, read};
use crate::stack;

/// What to do where the environment names no stack.
const SET_ENVIRONMENT: &str = "set what the stack's output Environment says, or --local";

/// Which stack.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The stack that `laurel` serves on this machine, instead of the one that the environment names.
    #[arg(long, global = true)]
    local: bool,
    /// Where that one serves DynamoDB's own API.
    #[arg(long, value_name = "PORT", default_value_t = 8_000, global = true, requires = "local")]
    dynamodb_port: u16,
    /// Who you are, for the record of operations. By default LAUREL_OPERATOR, or else the access key.
    #[arg(long = "as", value_name = "NAME", global = true)]
    operator: Option<String>,
}

impl Target {
    /// Whether it is the one on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    /// Who the operator says to be.
    pub(super) fn operator(&self) -> Option<&str> {
        self.operator.as_deref()
    }

    /// Its store.
    pub(super) fn store(&self) -> anyhow::Result<Store> {
        Ok(self.clients()?.store())
    }

    /// Its sources, with their credentials: from Parameter Store, or, where the stack is the local one, from a file.
    pub(super) async fn sources(&self, file: Option<&Path>, now: Timestamp) -> anyhow::Result<Sources> {
        if self.local {
            let text = file.map_or_else(|| Ok(SOURCES.to_owned()), read)?;
            return Ok(Sources::from_toml(&text)?);
        }
        let path = config::required("LAUREL_SOURCES_PATH").context(SET_ENVIRONMENT)?;
        Ok(Sources::from_parameters(self.clients()?.ssm(), path, now).await?)
    }

    fn clients(&self) -> anyhow::Result<Clients> {
        if self.local {
            return Ok(stack::clients_over(self.dynamodb_port)?);
        }
        let config = Config::from_environment().context(SET_ENVIRONMENT)?;
        Ok(Clients::from_environment(config)?)
    }
}
