//! Wiring of the `member-api` function: clients are built once, then it runs.

use lambda_http::Error;
use member_api::{MemberApi, PlatformApplications};
use runtime::{Clients, Clock, Config, Engine, Random, config, gateway, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let clients = Clients::from_environment(Config::from_environment()?)?;
    let applications = PlatformApplications {
        apns: config::optional("LAUREL_APNS_APPLICATION"),
        fcm: config::optional("LAUREL_FCM_APPLICATION"),
    };
    let engine = Engine::new(clients.store(), Clock::system(), Random::system());
    engine.programmes().warm().await;
    let api = MemberApi::new(engine, clients.sns(), applications);
    gateway::run(|request| api.handle(request)).await
}
