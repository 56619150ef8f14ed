//! Wiring: clients built once, then run.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use runtime::{Clients, Clock, Config, Engine, Random, config};
use tier_review::TierReview;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::telemetry::start();
    let clients = Clients::from_environment(Config::from_environment()?)?;
    let engine = Engine::new(clients.store(), Clock::system(), Random::system());
    let silent_after = config::hours("LAUREL_SILENT_AFTER_HOURS")?;
    let function = TierReview::new(engine).missing_sources_after(silent_after);
    run(service_fn(|event: LambdaEvent<_>| function.handle(event))).await
}
