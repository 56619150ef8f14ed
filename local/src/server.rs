//! The stack over HTTP, on this machine only: the routes and the local API on one port, DynamoDB's own API on
//! another.

mod callers;
mod dynamodb;

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::callers::Callers;
use crate::gateway::MAX_BODY_BYTES;
use crate::local_api::{self, Address};
use crate::problem::{self, Answer};
use crate::ssm::ParameterStore;
use crate::stack::Stack;

/// Requests under way are waited for this long when the stack stops.
const GRACE: Duration = Duration::from_secs(10);
/// Then streams and schedule have this long to come to the end of their record, which takes milliseconds. A review or an
/// order of thousands of coupons takes longer and is cut off, as a power cut would; the next start does it again.
const LAST_RECORD: Duration = Duration::from_secs(2);

/// The stack cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is taken.
    #[error("port {port} on 127.0.0.1 cannot be used ({error}); choose another with {option}")]
    Port {
        /// Which.
        port: u16,
        /// Why.
        error: io::Error,
        /// How to choose another.
        option: &'static str,
    },
    /// The connection's own end.
    #[error("serving failed: {0}")]
    Serving(String),
}

/// The two ports, taken before anything else is done.
#[derive(Debug)]
pub struct Listeners {
    http: TcpListener,
    dynamodb: TcpListener,
}

impl Listeners {
    /// Takes the ports.
    pub async fn bind(port: u16, dynamodb_port: u16) -> Result<Self, ServerError> {
        Ok(Self {
            http: listen(port, "--port").await?,
            dynamodb: listen(dynamodb_port, "--dynamodb-port").await?,
        })
    }

    /// Where the routes are served.
    pub fn http(&self) -> io::Result<SocketAddr> {
        self.http.local_addr()
    }

    /// Where DynamoDB's API is served.
    pub fn dynamodb(&self) -> io::Result<SocketAddr> {
        self.dynamodb.local_addr()
    }
}

async fn listen(port: u16, option: &'static str) -> Result<TcpListener, ServerError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.map_err(|error| ServerError::Port { port, error, option })
}

#[derive(Clone)]
struct Served {
    stack: Arc<Stack>,
    address: Arc<Address>,
    parameters: Arc<ParameterStore>,
    callers: Callers,
}

/// Serves until `shutdown`, then finishes what is under way: requests first, then the streams at their next record, both
/// within a bound.
pub async fn serve(
    stack: Arc<Stack>,
    listeners: Listeners,
    currency: String,
    parameters: ParameterStore,
    containers: Option<IpAddr>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServerError> {
    let base = listeners.http().map(|at| format!("http://{at}")).map_err(serving)?;
    let served = Served {
        stack: Arc::clone(&stack),
        address: Arc::new(Address { base, currency }),
        parameters: Arc::new(parameters),
        callers: Callers::new(containers),
    };
    let tables = dynamodb::router(Arc::clone(&stack), served.callers.clone());
    let router = Router::new().fallback(handle).with_state(served);
    let (stopping, stopped) = tokio::sync::watch::channel(false);
    let wait = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
        // The sender lives until the stack stops.
        let _ = stopped.wait_for(|stopping| *stopping).await;
    };
    let http = tokio::spawn(
        axum::serve(listeners.http, router).with_graceful_shutdown(wait(stopped.clone())).into_future(),
    );
    let dynamodb = tokio::spawn(
        axum::serve(listeners.dynamodb, tables).with_graceful_shutdown(wait(stopped)).into_future(),
    );
    let tasks = stack.run();
    shutdown.await;
    stopping.send_replace(true);
    let requests = async {
        let _ = http.await;
        let _ = dynamodb.await;
    };
    if tokio::time::timeout(GRACE, requests).await.is_err() {
        tracing::warn!("requests under way were cut off");
    }
    stack.stop();
    finish(tasks, LAST_RECORD).await
}

/// Waits for what works by itself, and cuts off what takes longer.
async fn finish(mut tasks: JoinSet<()>, bound: Duration) -> Result<(), ServerError> {
    let finished = async {
        while let Some(task) = tasks.join_next().await {
            task.map_err(serving)?;
        }
        Ok(())
    };
    tokio::time::timeout(bound, finished).await.unwrap_or_else(|_| {
        tracing::warn!("an invocation under way was cut off; the next start does its work again");
        Ok(())
    })
}

fn serving(error: impl std::fmt::Display) -> ServerError {
    ServerError::Serving(error.to_string())
}

async fn handle(State(served): State<Served>, request: Request) -> Response {
    answer(&served, request).await.map(Body::from)
}

async fn answer(served: &Served, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    if let Some(refusal) = served.callers.refusal(&parts.headers) {
        return refusal;
    }
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        let detail = format!("A body may have at most {MAX_BODY_BYTES} bytes.");
        return problem::answer(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &detail);
    };
    let Served { stack, address, parameters, .. } = served;
    if let Some(answer) = local_api::answer(stack, address, parameters, &parts, &body).await {
        return answer;
    }
    stack.gateway().answer(&parts.method, &parts.uri, &parts.headers, &body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_invocation_that_does_not_end_is_cut_off_when_the_stack_stops() {
        let bound = Duration::from_millis(1);
        let endless = JoinSet::from_iter([std::future::pending()]);
        finish(endless, bound).await.unwrap();
    }
}
