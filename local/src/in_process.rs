//! A transport for AWS's own clients that needs no network: the request is answered by a function of ours.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http::StatusCode;

/// Answers one request: the value of `x-amz-target`, if any, and the body.
type Answer = dyn Fn(Option<&str>, &[u8]) -> (StatusCode, String) + Send + Sync;

/// An HTTP client for an AWS SDK.
#[derive(Clone)]
pub(crate) struct InProcess(Arc<Answer>);

impl InProcess {
    pub(crate) fn client(
        answer: impl Fn(Option<&str>, &[u8]) -> (StatusCode, String) + Send + Sync + 'static,
    ) -> SharedHttpClient {
        SharedHttpClient::new(Self(Arc::new(answer)))
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.clone();
        HttpConnectorFuture::new(async move {
            // A network would let others go on here. Without it an invocation of many requests would keep its thread
            // to itself, and could not be cut off.
            tokio::task::yield_now().await;
            transport.answer(&request)
        })
    }
}

impl InProcess {
    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let body = request.body().bytes().ok_or_else(|| {
            ConnectorError::user("the local stack's transport takes whole bodies only".into())
        })?;
        let (status, body) = (self.0)(request.headers().get("x-amz-target"), body);
        let status =
            status.as_u16().try_into().map_err(|error| ConnectorError::other(Box::new(error), None))?;
        Ok(HttpResponse::new(status, SdkBody::from(body)))
    }
}
