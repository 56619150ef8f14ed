//! A device that wants push messages, or wants none any more: its request, and its endpoint at SNS.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::create_platform_endpoint::CreatePlatformEndpointError;
use aws_sdk_sns::operation::delete_endpoint::DeleteEndpointError;
use domain::DeviceId;
use lambda_http::http::StatusCode;
use runtime::Problem;
use serde::{Deserialize, Serialize};
use store::DevicePlatform;

/// The largest body we read: a token and a few words.
const MAX_BODY_BYTES: usize = 8 * 1024;
/// The longest token. Apple's have 64 characters, Firebase's below 300; neither promises a length.
const MAX_TOKEN_BYTES: usize = 4 * 1024;
/// What SNS says of a token that already has an endpoint, around the endpoint's ARN.
const BEFORE_ARN: &str = "Endpoint ";
const AFTER_ARN: &str = " already exists";
const TOKEN: &str = "Token";
const ENABLED: &str = "Enabled";
const TRUE: &str = "true";

/// The SNS platform applications of this deployment; CloudFormation cannot make them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformApplications {
    /// ARN of the one for Apple's devices, `LAUREL_APNS_APPLICATION`.
    pub apns: Option<String>,
    /// ARN of the one for Firebase, `LAUREL_FCM_APPLICATION`.
    pub fcm: Option<String>,
}

/// What an app sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceRequest {
    pub(crate) platform: DevicePlatform,
    pub(crate) token: String,
}

/// The answer's document.
#[derive(Debug, Serialize)]
pub(crate) struct DeviceDocument<'a> {
    pub(crate) device: &'a DeviceId,
    pub(crate) platform: DevicePlatform,
}

impl DeviceRequest {
    /// Reads a body. The problem never repeats it.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Problem> {
        if body.len() > MAX_BODY_BYTES {
            return Err(Problem::too_large(format!("A body may have at most {MAX_BODY_BYTES} bytes.")));
        }
        let request: Self = serde_json::from_slice(body).map_err(|_| {
            Problem::bad_request(r#"The body is JSON with a platform, "apns" or "fcm", and a token."#)
        })?;
        let is_sound =
            !request.token.is_empty() && request.token.chars().all(|letter| letter.is_ascii_graphic());
        if !is_sound || request.token.len() > MAX_TOKEN_BYTES {
            let limit = format!("The token has 1 to {MAX_TOKEN_BYTES} characters of ASCII without a space.");
            return Err(Problem::bad_request(limit));
        }
        Ok(request)
    }
}

/// Makes endpoints.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    client: Client,
    applications: PlatformApplications,
}

impl Endpoints {
    pub(crate) fn new(client: Client, applications: PlatformApplications) -> Self {
        Self { client, applications }
    }

    /// An endpoint that is enabled and has this token; its ARN.
    ///
    /// SNS answers a token that it knows with the endpoint as it is, which may be disabled, or refuses it where the
    /// endpoint's attributes are others. So it is created, read, and set where it differs.
    pub(crate) async fn for_token(&self, request: &DeviceRequest) -> Result<String, Problem> {
        let endpoint = self.create(self.application(request.platform)?, &request.token).await?;
        if !self.is_ready(&endpoint, &request.token).await? {
            self.client
                .set_endpoint_attributes()
                .endpoint_arn(&endpoint)
                .attributes(TOKEN, &request.token)
                .attributes(ENABLED, TRUE)
                .send()
                .await
                .map_err(unavailable)?;
        }
        Ok(endpoint)
    }

    /// Deletes an endpoint; one that is gone is no error to SNS, and what is no address was never one.
    pub(crate) async fn delete(&self, endpoint: &str) -> Result<(), Problem> {
        match self.client.delete_endpoint().endpoint_arn(endpoint).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_no_address(&error) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn application(&self, platform: DevicePlatform) -> Result<&str, Problem> {
        let (application, variable) = match platform {
            DevicePlatform::Apns => (&self.applications.apns, "LAUREL_APNS_APPLICATION"),
            DevicePlatform::Fcm => (&self.applications.fcm, "LAUREL_FCM_APPLICATION"),
        };
        application.as_deref().ok_or_else(|| {
            Problem::refused(format!(
                "Push messages to this platform are not set up: {variable} has to name its SNS platform application."
            ))
        })
    }

    async fn create(&self, application: &str, token: &str) -> Result<String, Problem> {
        let created = self
            .client
            .create_platform_endpoint()
            .platform_application_arn(application)
            .token(token)
            .send()
            .await;
        match created {
            Ok(created) => created.endpoint_arn.ok_or_else(no_endpoint),
            Err(error) => known_endpoint(error),
        }
    }

    async fn is_ready(&self, endpoint: &str, token: &str) -> Result<bool, Problem> {
        let read =
            self.client.get_endpoint_attributes().endpoint_arn(endpoint).send().await.map_err(unavailable)?;
        let attributes = read.attributes.unwrap_or_default();
        let is = |name: &str, value: &str| attributes.get(name).is_some_and(|found| found == value);
        Ok(is(TOKEN, token) && is(ENABLED, TRUE))
    }
}

fn is_no_address<R>(error: &SdkError<DeleteEndpointError, R>) -> bool {
    matches!(error.as_service_error(), Some(DeleteEndpointError::InvalidParameterException(_)))
}

/// The endpoint that SNS names in its refusal, or the problem.
fn known_endpoint(error: SdkError<CreatePlatformEndpointError>) -> Result<String, Problem> {
    let Some(CreatePlatformEndpointError::InvalidParameterException(refusal)) = error.as_service_error()
    else {
        return Err(unavailable(error));
    };
    let message = refusal.message().unwrap_or_default();
    arn_in(message).map(str::to_owned).ok_or_else(|| Problem::bad_request("SNS does not accept the token."))
}

fn arn_in(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(BEFORE_ARN)?;
    let (arn, _) = rest.split_once(AFTER_ARN)?;
    arn.starts_with("arn:").then_some(arn)
}

fn unavailable<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Problem {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or("no answer");
    tracing::error!(code, "SNS does not make, change or delete an endpoint");
    no_endpoint()
}

fn no_endpoint() -> Problem {
    Problem {
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: "Unavailable",
        detail: "Push messages cannot be set up at the moment. Send the request again.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(body: &str) -> Option<StatusCode> {
        DeviceRequest::parse(body.as_bytes()).err().map(|problem| problem.status)
    }

    #[test]
    fn a_body_is_read_strictly() {
        assert_eq!(status_of(r#"{"platform":"apns","token":"abc"}"#), None);
        for body in [
            "",
            "[]",
            r#"{"platform":"apns"}"#,
            r#"{"platform":"windows","token":"abc"}"#,
            r#"{"platform":"apns","token":""}"#,
            r#"{"platform":"apns","token":"a b"}"#,
            r#"{"platform":"apns","token":"a\u0000"}"#,
            r#"{"platform":"apns","token":"abc","enabled":true}"#,
        ] {
            assert_eq!(status_of(body), Some(StatusCode::BAD_REQUEST), "{body}");
        }
        let token = "x".repeat(MAX_TOKEN_BYTES + 1);
        assert_eq!(
            status_of(&format!(r#"{{"platform":"fcm","token":"{token}"}}"#)),
            Some(StatusCode::BAD_REQUEST)
        );
        assert_eq!(status_of(&" ".repeat(MAX_BODY_BYTES + 1)), Some(StatusCode::PAYLOAD_TOO_LARGE));
    }

    #[test]
    fn the_endpoint_is_found_in_the_refusal() {
        let arn = "arn:aws:sns:eu-west-1:123456789012:endpoint/APNS/shop/0a1b";
        let message = format!(
            "Invalid parameter: Token Reason: Endpoint {arn} already exists with the same Token, but different attributes."
        );
        assert_eq!(arn_in(&message), Some(arn));
        assert_eq!(
            arn_in("Invalid parameter: Token Reason: must be at most 400 hexadecimal characters"),
            None
        );
    }
}
