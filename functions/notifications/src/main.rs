//! Wiring of the `notifications` function: clients are built once, then it runs.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use notifications::{Notifications, Topics};
use runtime::{Clients, Clock, Config, config, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let topics = Topics {
        notifications: config::required("LAUREL_NOTIFICATIONS_TOPIC")?,
        events: config::required("LAUREL_EVENTS_TOPIC")?,
    };
    let clients = Clients::from_environment(Config::from_environment()?)?;
    let function = &Notifications::new(clients.store(), clients.sns(), topics, Clock::system());
    function.warm().await;
    run(service_fn(move |event: LambdaEvent<_>| async move { function.handle(event).await })).await
}
