//! Wiring: clients built once, then run.

use erasure::ErasureFunction;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::{Clients, Clock, Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::telemetry::start();
    let clients = Clients::from_environment(Config::from_environment()?)?;
    let function = ErasureFunction::new(clients.store(), clients.sns(), Clock::system());
    run(service_fn(|event: LambdaEvent<_>| function.handle(event))).await
}
