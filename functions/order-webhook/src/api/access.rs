//! How a platform's API is reached: its address and the source's credentials. Pure.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::{HeaderValue, Uri};
use serde::Deserialize;
use serde_json::Value;

use crate::sources::SourceError;

const TOKEN: &str = "api.token";
const BASE: &str = "api.base";
const SECRET: &str = "api.secret";

/// The table `api` of a source's configuration. Read strictly: a slip in a credential's name must not pass.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessDocument {
    /// The credential that the platform gave for its API.
    token: String,
    /// The second half of a credential that has two.
    secret: Option<String>,
    /// Where the platform names its shops in the address: which shop.
    pub(crate) store: Option<String>,
    /// Another address than the platform's public one: its sandbox, or a test's.
    base: Option<String>,
}

/// The way to an API.
#[derive(Clone)]
pub(crate) struct Access {
    base: String,
    token: String,
}

/// Something to be read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The question, as JSON, where the platform wants it sent with POST.
    pub(crate) question: Option<String>,
}

impl Access {
    /// The way that a source's configuration tells, to the platform's public address unless it says otherwise.
    pub(crate) fn new(document: &AccessDocument, public: &str) -> Result<Self, SourceError> {
        if document.secret.is_some() {
            return Err(SourceError::Setting(SECRET, "is for WooCommerce only"));
        }
        Self::at(document, document.base.as_deref().unwrap_or(public))
    }

    /// The way to a shop that runs on a machine of its own, and so has no address that we could know.
    pub(crate) fn of_shop(document: &AccessDocument) -> Result<Self, SourceError> {
        let base = document.base.as_deref().ok_or(SourceError::Missing(BASE))?;
        Self::new(document, base)
    }

    /// The way to such a shop, and the header that carries a key and its secret to it as name and password (RFC 7617).
    pub(crate) fn with_secret(document: &AccessDocument) -> Result<(Self, String), SourceError> {
        let base = document.base.as_deref().ok_or(SourceError::Missing(BASE))?;
        let secret = document.secret.as_deref().filter(|secret| !secret.is_empty());
        let secret = secret.ok_or(SourceError::Missing(SECRET))?;
        let access = Self::at(document, base)?;
        let authorization = format!("Basic {}", STANDARD.encode(format!("{}:{secret}", access.token)));
        Ok((access, authorization))
    }

    fn at(document: &AccessDocument, base: &str) -> Result<Self, SourceError> {
        let token = document.token.clone();
        if token.is_empty() || HeaderValue::from_str(&token).is_err() {
            return Err(SourceError::Setting(TOKEN, "is empty, or has what no header can carry"));
        }
        let base = base.trim_end_matches('/').to_owned();
        if !is_safe(&base) {
            return Err(SourceError::Setting(BASE, "must be https://…, or http://… on this very machine"));
        }
        Ok(Self { base, token })
    }

    /// The credential.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// What lies at a path.
    pub(crate) fn resource(&self, path: &str, headers: Vec<(&'static str, String)>) -> Resource {
        Resource { url: format!("{}{path}", self.base), headers, question: None }
    }

    /// What lies at a path, of which a query says more.
    pub(crate) fn query(
        &self,
        path: &str,
        query: &[(&str, &str)],
        headers: Vec<(&'static str, String)>,
    ) -> Resource {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.resource(&format!("{path}?{query}"), headers)
    }
}

impl Resource {
    /// The same, asked with a question.
    pub(crate) fn asked(self, question: &Value) -> Self {
        Self { question: Some(question.to_string()), ..self }
    }

    /// Whether it is asked for over TLS.
    pub(crate) fn is_public(&self) -> bool {
        self.url.starts_with("https://")
    }
}

/// A credential is shown to nobody on the way: everywhere but on this machine the address must be encrypted.
fn is_safe(base: &str) -> bool {
    let Ok(uri) = base.parse::<Uri>() else { return false };
    let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else { return false };
    if uri.query().is_some() || authority.as_str().contains('@') {
        return false;
    }
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(host),
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Without the credential that its headers hold.
impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resource").field(&self.url).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn access(document: serde_json::Value) -> Result<String, SourceError> {
        let document: AccessDocument = serde_json::from_value(document).unwrap();
        Access::new(&document, "https://api.example.com").map(|access| access.base)
    }

    #[test]
    fn an_api_is_reached_at_its_public_address_unless_another_one_is_told() {
        assert_eq!(access(json!({"token": "t"})).as_deref(), Ok("https://api.example.com"));
        for base in
            ["https://sandbox.example.com", "http://127.0.0.1:3000/x", "http://[::1]:1", "http://localhost"]
        {
            assert_eq!(access(json!({"token": "t", "base": base})).as_deref(), Ok(base));
        }
        assert_eq!(
            access(json!({"token": "t", "base": "https://a.example.com/"})).as_deref(),
            Ok("https://a.example.com")
        );
    }

    #[test]
    fn a_credential_goes_nowhere_unencrypted() {
        for base in [
            "http://api.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "http://192.0.2.1",
            "ftp://127.0.0.1",
            "https://user:private@example.com",
            "https://example.com/?a=b",
            "/v2",
            "",
        ] {
            let refused = access(json!({"token": "t", "base": base})).unwrap_err();
            assert!(matches!(refused, SourceError::Setting(BASE, _)), "{base}");
        }
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused_and_not_shown() {
        for token in ["", "private\n", "private\u{0}"] {
            let refused = access(json!({"token": token})).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("private"));
        }
    }

    #[test]
    fn a_resource_does_not_show_its_credential() {
        let access = Access { base: "https://api.example.com".to_owned(), token: "private".to_owned() };
        let resource = access.resource("/v2/orders/1", vec![("authorization", access.token().to_owned())]);
        assert_eq!(format!("{resource:?}"), r#"Resource("https://api.example.com/v2/orders/1")"#);
    }
}
