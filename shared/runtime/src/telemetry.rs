//! Logs: JSON on Lambda, readable elsewhere; `LAUREL_LOG` filters them (default `info`).

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging; a second call changes nothing.
pub fn start() {
    let filter = EnvFilter::try_from_env("LAUREL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let on_lambda = std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some();
    let started = if on_lambda {
        // CloudWatch adds the time itself.
        format.json().flatten_event(true).without_time().try_init()
    } else {
        format.compact().with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was already started");
    }
}
