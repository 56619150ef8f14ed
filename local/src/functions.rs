//! The functions as Lambda would run them: an event in AWS's JSON goes in, the answer's JSON comes out, within the
//! time that the template allows.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_http::{Body, Request, Response};
use lambda_runtime::{Context, Error, LambdaEvent};
use runtime::gateway;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::template::FunctionTemplate;

/// Why an invocation gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// There is no such function.
    #[error("there is no function {0}")]
    Unknown(String),
    /// The event is not what the function takes.
    #[error("the event cannot be read: {0}")]
    Event(#[from] serde_json::Error),
    /// The function answered with an error.
    #[error("{0}")]
    Failed(String),
    /// It took longer than the template allows.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
    /// It panicked.
    #[error("crashed: {0}")]
    Crashed(String),
}

type Answer = Pin<Box<dyn Future<Output = Result<String, InvocationError>> + Send>>;

/// What runs for one function.
#[derive(Clone)]
pub struct Handler(Arc<dyn Fn(String, Context) -> Answer + Send + Sync>);

impl Handler {
    /// A handler of events of one type.
    pub fn of_events<E, A, X, F, Fut>(handle: F) -> Self
    where
        E: DeserializeOwned + Send,
        A: Serialize + Send,
        X: fmt::Display,
        F: Fn(LambdaEvent<E>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<A, X>> + Send,
    {
        Self(Arc::new(move |event, context| {
            let handle = handle.clone();
            Box::pin(async move {
                let event = serde_json::from_str(&event)?;
                let answer = handle(LambdaEvent::new(event, context)).await.map_err(failed)?;
                Ok(serde_json::to_string(&answer)?)
            })
        }))
    }

    /// A handler of HTTP requests, which come as API Gateway's events.
    pub fn of_requests<F, Fut>(handle: F) -> Self
    where
        F: Fn(Request) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response<Body>, Error>> + Send + 'static,
    {
        Self(Arc::new(move |event, context| {
            let handle = handle.clone();
            Box::pin(async move {
                let event = LambdaEvent::new(serde_json::from_str(&event)?, context);
                Ok(serde_json::to_string(&gateway::answer(event, handle).await)?)
            })
        }))
    }
}

fn failed(error: impl fmt::Display) -> InvocationError {
    InvocationError::Failed(error.to_string())
}

#[derive(Clone)]
struct Function {
    handler: Handler,
    timeout: Duration,
}

/// All functions, by their ids in the template.
#[derive(Clone, Default)]
pub struct Functions(BTreeMap<String, Function>);

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Functions {
    /// Adds a function.
    #[must_use]
    pub fn with(mut self, template: &FunctionTemplate, handler: Handler) -> Self {
        self.0.insert(template.id.clone(), Function { handler, timeout: template.timeout });
        self
    }

    /// Invokes a function. It runs in a task of its own, so that its panic is its own.
    pub async fn invoke(&self, id: &str, event: String) -> Result<String, InvocationError> {
        let function = self.0.get(id).ok_or_else(|| InvocationError::Unknown(id.to_owned()))?;
        let mut context = Context::default();
        context.deadline = deadline_ms(function.timeout);
        let answer = (function.handler.0)(event, context);
        match tokio::spawn(tokio::time::timeout(function.timeout, answer)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(InvocationError::TimedOut(function.timeout)),
            Err(panicked) => Err(InvocationError::Crashed(panicked.to_string())),
        }
    }
}

fn deadline_ms(timeout: Duration) -> u64 {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + timeout;
    u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX)
}
