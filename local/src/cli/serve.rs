//! `laurel`: serves the whole stack until it is told to stop.

use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use domain::Programme;
use tokio::signal::unix::{SignalKind, signal};

use super::Rules;
use crate::clock::Time;
use crate::containers;
use crate::curl;
use crate::dynamodb::Durability;
use crate::inbox::Keeping;
use crate::server::{self, Listeners};
use crate::ssm::ParameterStore;
use crate::stack::{Options, Stack};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the HTTP routes are served, on 127.0.0.1.
    #[arg(long, default_value_t = 3_000)]
    port: u16,
    /// Where DynamoDB's own API is served, on 127.0.0.1.
    #[arg(long, default_value_t = 8_000)]
    dynamodb_port: u16,
    /// Serves containers too, at this machine's address on their network: 172.17.0.1 for Docker on Linux.
    #[arg(long, value_name = "ADDRESS")]
    containers: Option<IpAddr>,
    /// The folder of all data.
    #[arg(long, value_name = "DIR", default_value = ".laurel")]
    data: PathBuf,
    #[command(flatten)]
    rules: Rules,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    runtime::telemetry::start();
    let programme = arguments.rules.programme()?;
    let listeners = Listeners::bind(arguments.port, arguments.dynamodb_port).await?;
    let base = format!("http://{}", listeners.http()?);
    let sources = arguments.rules.sources_at(&base)?;
    if let Some(address) = arguments.containers {
        for served in [listeners.http()?, listeners.dynamodb()?] {
            let place = || format!("{address}:{}, for containers, cannot be used", served.port());
            containers::pass_on(address, served).await.with_context(place)?;
        }
    }
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    let options = Options {
        data: arguments.data.clone(),
        programme: programme.clone(),
        sources,
        time: Time::Movable,
        durability: Durability::Kept,
        keeping: Keeping::Kept,
    };
    let stack = Arc::new(Stack::open(options).await?);
    let parameters = ParameterStore::new(stack.sources_path(), &arguments.rules.sources_text_at(&base)?)?;
    let welcome = welcome(&stack, &listeners, &programme, &arguments)?;
    // A closed standard output is no reason not to serve.
    let _ = io::stdout().write_all(welcome.as_bytes());
    let shutdown = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    server::serve(
        stack,
        listeners,
        programme.currency.to_string(),
        parameters,
        arguments.containers,
        shutdown,
    )
    .await?;
    let _ = writeln!(io::stdout(), "Stopped. The data stay in {}.", arguments.data.display());
    Ok(())
}

fn welcome(
    stack: &Stack,
    listeners: &Listeners,
    programme: &Programme,
    arguments: &Arguments,
) -> anyhow::Result<String> {
    let base = format!("http://{}", listeners.http()?);
    let clock = stack.clock();
    let order = curl::order(
        stack.sources(),
        &base,
        &programme.currency.to_string(),
        clock.now(),
        clock.for_signatures().now(),
    );
    let order = match order {
        Ok(command) => format!(
            "A signed order of 520.00, good for five minutes (a fresh one: curl -s {base}/local/curl | sh):\n\n{command}\n"
        ),
        Err(error) => format!("No order to paste: {error}.\n"),
    };
    Ok(format!(
        "Laurel serves {base}\n\
         DynamoDB's own API is at http://{dynamodb}, the data are in {data}.\n\
         Programme: {name}, version {version}. Local time: {now:.0}. Every route: GET /\n\n\
         {order}\n\
         Then, for balance and coupon, and for what was sent:\n\n\
         curl -s '{base}/members?source={source}&customer={customer}'\n\
         curl -s '{base}/local/inbox'\n\n",
        dynamodb = listeners.dynamodb()?,
        data = arguments.data.display(),
        name = programme.name,
        version = stack.programme_version(),
        now = clock.now(),
        source = curl::SOURCE,
        customer = curl::CUSTOMER,
    ))
}
