//! Who may call the local stack: programs on this machine, and no page of a foreign site that a browser on it shows.

use std::net::IpAddr;

use http::{HeaderMap, StatusCode, Uri, header};

use crate::problem::{self, Answer};

/// The names by which this machine calls itself.
const OURS: [&str; 2] = ["127.0.0.1", "localhost"];

/// The names by which the stack may be called.
#[derive(Debug, Clone)]
pub(super) struct Callers {
    containers: Option<String>,
}

impl Callers {
    /// `containers` is this machine's address on the network of the containers that are served too.
    pub(super) fn new(containers: Option<IpAddr>) -> Self {
        Self { containers: containers.map(|address| address.to_string()) }
    }

    /// The answer to a call that did not mean this machine: a foreign name that was made to lead here, or a page from
    /// elsewhere.
    pub(super) fn refusal(&self, headers: &HeaderMap) -> Option<Answer> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if !host.and_then(host_of).is_some_and(|host| self.knows(&host)) {
            let detail =
                "The local stack answers to 127.0.0.1 and localhost alone; send one of them as Host.";
            return Some(problem::answer(StatusCode::FORBIDDEN, "Forbidden", detail));
        }
        let origin = headers.get(header::ORIGIN)?.to_str().unwrap_or_default();
        let page = origin.split_once("://").and_then(|(_, authority)| host_of(authority));
        if page.is_some_and(|page| self.knows(&page)) {
            return None;
        }
        let detail = "The local stack answers no page of another site.";
        Some(problem::answer(StatusCode::FORBIDDEN, "Forbidden", detail))
    }

    fn knows(&self, host: &str) -> bool {
        OURS.contains(&host) || self.containers.as_deref() == Some(host)
    }
}

/// The host of `host:port`, in lower case.
fn host_of(authority: &str) -> Option<String> {
    let uri: Uri = format!("http://{authority}/").parse().ok()?;
    Some(uri.host()?.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_answered(callers: &Callers, host: Option<&'static str>, origin: Option<&'static str>) -> bool {
        let host = host.map(|host| (header::HOST, host.parse().unwrap()));
        let origin = origin.map(|origin| (header::ORIGIN, origin.parse().unwrap()));
        callers.refusal(&HeaderMap::from_iter(host.into_iter().chain(origin))).is_none()
    }

    #[test]
    fn only_this_machine_is_answered_and_no_page_of_another_site() {
        let callers = Callers::new(None);
        for host in ["127.0.0.1:3000", "localhost:8000", "LocalHost", "127.0.0.1"] {
            assert!(is_answered(&callers, Some(host), None), "{host}");
        }
        for host in [
            "evil.example:3000",
            "127.0.0.1.evil.example",
            "0.0.0.0:3000",
            "172.17.0.1:3000",
            "[::1]:3000",
            "",
        ] {
            assert!(!is_answered(&callers, Some(host), None), "{host}");
        }
        assert!(!is_answered(&callers, None, None));
        assert!(is_answered(&callers, Some("localhost:3000"), Some("http://localhost:3000")));
        for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
            assert!(!is_answered(&callers, Some("127.0.0.1:3000"), Some(origin)), "{origin}");
        }
    }

    #[test]
    fn containers_call_by_the_address_at_which_they_are_served() {
        let callers = Callers::new(Some("172.17.0.1".parse().unwrap()));
        assert!(is_answered(&callers, Some("172.17.0.1:8000"), None));
    }
}
