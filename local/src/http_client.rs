//! Asking a server on this machine over plain HTTP: what the commands beside a running stack need.

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// It cannot be sent.
    #[error("{0} is no address to send to")]
    Address(String),
    /// A header that HTTP does not have.
    #[error("the header {0} cannot be sent")]
    Header(String),
    /// Nobody answers there.
    #[error("nothing answers at {0}")]
    Silent(String),
}

/// A status and a body.
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Sends a request and waits for the whole answer.
pub(crate) async fn ask(
    method: &str,
    url: &str,
    headers: impl IntoIterator<Item = (String, String)>,
    body: Vec<u8>,
) -> Result<HttpAnswer, HttpError> {
    let silent = || HttpError::Silent(url.to_owned());
    let address = || HttpError::Address(url.to_owned());
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_uri(url).map_err(|_| address())?;
    request.set_method(method).map_err(|_| address())?;
    for (name, value) in headers {
        let refused = HttpError::Header(name.clone());
        request.headers_mut().try_insert(name, value).map_err(|_| refused)?;
    }
    let answer = Connector::builder().build_http().call(request).await.map_err(|_| silent())?;
    let status = answer.status().as_u16();
    let body = ByteStream::new(answer.into_body()).collect().await.map_err(|_| silent())?;
    Ok(HttpAnswer { status, body: body.into_bytes().to_vec() })
}
