//! `laurel`: the whole stack in one process, and what works on it.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    local::cli::run().await
}
