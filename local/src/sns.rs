//! SNS on one's own machine: the few actions that the functions call, with SNS's own quirks, over its query
//! protocol. What is published lands in the inbox.

mod endpoints;
mod protocol;
mod publish;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::StatusCode;

use self::protocol::{Parameters, SnsError};
use crate::clock::LocalClock;
use crate::inbox::Inbox;
use crate::state::State;

/// The applications whose endpoints the functions may reach, as the template's roles have it.
const APPLICATIONS: [&str; 2] = [":endpoint/APNS/laurel/", ":endpoint/GCM/laurel/"];

/// The service.
#[derive(Debug)]
pub struct Sns {
    state: Arc<State>,
    inbox: Arc<Inbox>,
    clock: LocalClock,
}

impl Sns {
    /// A service over a state and an inbox.
    pub fn new(state: Arc<State>, inbox: Arc<Inbox>, clock: LocalClock) -> Self {
        Self { state, inbox, clock }
    }

    /// Answers one request of the query protocol: a form in, XML out.
    pub fn answer(&self, form: &[u8]) -> (StatusCode, String) {
        let parameters = Parameters::read(form);
        let action = parameters.get("Action").unwrap_or_default().to_owned();
        match self.run(&action, &parameters) {
            Ok(result) => (StatusCode::OK, protocol::response(&action, &result)),
            Err(error) => (error.status(), error.document()),
        }
    }

    fn run(&self, action: &str, parameters: &Parameters) -> Result<String, SnsError> {
        for arn in ["TargetArn", "EndpointArn"].into_iter().filter_map(|name| parameters.get(name)) {
            // One of a former application: no role reaches it any more.
            if arn.contains(":endpoint/") && !APPLICATIONS.iter().any(|known| arn.contains(known)) {
                return Err(SnsError::Authorization(arn.to_owned()));
            }
        }
        match action {
            "CreatePlatformEndpoint" => self.create_endpoint(parameters),
            "GetEndpointAttributes" => self.endpoint_attributes(parameters),
            "SetEndpointAttributes" => self.set_endpoint_attributes(parameters),
            "DeleteEndpoint" => self.delete_endpoint(parameters),
            "Publish" => self.publish(parameters),
            other => Err(SnsError::UnknownAction(other.to_owned())),
        }
    }
}
