//! `laurel send`: a sample event, sent to a running stack as the caller that it plays would send it.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;

use super::{Rules, SERVED_AT};
use crate::http_client;
use crate::webhook_event::{self, Request};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// An event of API Gateway's, such as events/order-webhook/shopify-orders-paid.json. A webhook is signed for now by
    /// the source that it names.
    file: PathBuf,
    /// Where the stack is served.
    #[arg(long, value_name = "URL", default_value = SERVED_AT)]
    to: String,
    #[command(flatten)]
    rules: Rules,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { file, to, rules } = arguments;
    let place = || file.display().to_string();
    let event = fs::read(&file).with_context(place)?;
    let sources = rules.sources_at(&to)?;
    let now = Timestamp::now();
    let id = format!("delivery-{}", now.as_millisecond());
    let Request { method, target, headers, body } =
        webhook_event::request(&event, &sources, &id, now).with_context(place)?;
    let url = format!("{}{target}", to.trim_end_matches('/'));
    let answer = http_client::ask(&method, &url, headers, body).await.with_context(|| {
        format!("no stack is served at {to}: start one in another terminal with `cargo run`, or say with --to where it is")
    })?;
    let body = String::from_utf8_lossy(&answer.body);
    writeln!(io::stdout(), "{method} {target}: {} {body}", answer.status).context("standard output")?;
    if answer.status >= 400 { bail!("the stack refused it") } else { Ok(()) }
}
