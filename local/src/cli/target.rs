//! Which stack a command speaks to: a deployed one, found by the same environment as its functions have, or the local
//! one.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use domain::Timestamp;
use order_webhook::Sources;
use runtime::{Clients, Clock, Config, config};
use serde::Deserialize;
use store::Store;

use super::{SOURCES, read};
use crate::{http_client, stack};

/// What to do where the environment names no stack.
const SET_ENVIRONMENT: &str = "set what the stack's output Environment says, or --local";

/// A server on this machine takes a connection at once, or there is none.
const LOCAL_ANSWERS_WITHIN: Duration = Duration::from_secs(2);

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

    /// The clock by which it runs: the local one may have been moved.
    pub(super) async fn clock(&self) -> anyhow::Result<Clock> {
        #[derive(Deserialize)]
        struct Local {
            now: Timestamp,
        }
        if !self.local {
            return Ok(Clock::system());
        }
        let url = format!("http://{}/local/clock", self.local_address());
        let answer = http_client::ask("GET", &url, [], Vec::new()).await?;
        let local: Local = serde_json::from_slice(&answer.body)
            .with_context(|| format!("{url} does not answer as a local stack does"))?;
        let ahead = local.now.duration_since(Timestamp::now());
        Ok(Clock::new(move || Timestamp::now().checked_add(ahead).unwrap_or(Timestamp::MAX)))
    }

    fn local_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.dynamodb_port).into()
    }

    /// Without a stack to speak to, it is said how to begin.
    fn local_clients(&self) -> anyhow::Result<Clients> {
        if TcpStream::connect_timeout(&self.local_address(), LOCAL_ANSWERS_WITHIN).is_err() {
            bail!(
                "no local stack answers on port {}: start one in another terminal with `cargo run` (or `laurel`), or \
                 say with --dynamodb-port where it serves DynamoDB's API",
                self.dynamodb_port
            );
        }
        Ok(stack::clients_over(self.dynamodb_port)?)
    }

    fn clients(&self) -> anyhow::Result<Clients> {
        if self.local {
            return self.local_clients();
        }
        let config = Config::from_environment().context(SET_ENVIRONMENT)?;
        Ok(Clients::from_environment(config)?)
    }
}
