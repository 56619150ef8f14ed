//! AWS's query protocol: `Action=…&Name=…` in, XML out.

use std::collections::BTreeMap;

use http::StatusCode;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";
/// Nobody asks for it, but SDKs want one.
const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000000";

/// A request's parameters.
#[derive(Debug, Clone)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub(super) fn read(form: &[u8]) -> Self {
        Self(form_urlencoded::parse(form).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, SnsError> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            SnsError::InvalidParameter(format!("{name} Reason: no value for required parameter"))
        })
    }

    /// A map, which the protocol writes as `Attributes.entry.1.key`, `Attributes.entry.1.value`; message attributes
    /// have `Name` and `Value.StringValue` instead.
    pub(super) fn map(&self, name: &str, key: &str, value: &str) -> BTreeMap<String, String> {
        (1..)
            .map_while(|n| Some((n, self.get(&format!("{name}.entry.{n}.{key}"))?)))
            .map(|(n, key)| {
                let value = self.get(&format!("{name}.entry.{n}.{value}")).unwrap_or_default();
                (key.to_owned(), value.to_owned())
            })
            .collect()
    }
}

/// SNS says no.
#[derive(Debug, thiserror::Error)]
pub(super) enum SnsError {
    #[error("Invalid parameter: {0}")]
    InvalidParameter(String),
    #[error("Endpoint is disabled")]
    EndpointDisabled,
    #[error("Endpoint does not exist")]
    NotFound,
    #[error("User is not authorized to perform this action on {0}")]
    Authorization(String),
    #[error("The local stack does not know the action {0}")]
    UnknownAction(String),
    #[error("The inbox cannot be written: {0}")]
    State(#[from] rusqlite::Error),
}

impl SnsError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::InvalidParameter(_) | Self::EndpointDisabled | Self::UnknownAction(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Authorization(_) => StatusCode::FORBIDDEN,
            Self::State(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::InvalidParameter(_) => "InvalidParameter",
            Self::EndpointDisabled => "EndpointDisabled",
            Self::NotFound => "NotFound",
            Self::Authorization(_) => "AuthorizationError",
            Self::UnknownAction(_) => "InvalidAction",
            Self::State(_) => "InternalError",
        }
    }

    pub(super) fn document(&self) -> String {
        let (code, message) = (self.code(), escape(&self.to_string()));
        format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        )
    }
}

/// An action's result, already XML, in its envelope.
pub(super) fn response(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// An element with a text.
pub(super) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
