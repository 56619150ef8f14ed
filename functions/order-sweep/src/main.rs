//! Wiring: clients built once, then run.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use order_sweep::OrderSweep;
use runtime::{Clients, Clock, Config, Engine, Random};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::telemetry::start();
    let clients = Clients::from_environment(Config::from_environment()?)?;
    let engine = Engine::new(clients.store(), Clock::system(), Random::system());
    let function = OrderSweep::new(engine);
    run(service_fn(|event: LambdaEvent<_>| function.handle(event))).await
}
