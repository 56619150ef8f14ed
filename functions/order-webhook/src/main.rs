//! The Lambda function: everything is built once, then each request goes to the handler.

use lambda_http::Error;
use order_webhook::{OrderWebhook, Sources};
use runtime::{Clients, Clock, Config, config, gateway, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let clients = Clients::from_environment(Config::from_environment()?)?;
    let clock = Clock::system();
    let path = config::required("LAUREL_SOURCES_PATH")?;
    let sources = Sources::in_parameters(clients.ssm(), path, clock.now()).await;
    let webhook = OrderWebhook::new(clients.store(), sources, clock);
    gateway::run(|request| webhook.handle(request)).await
}
