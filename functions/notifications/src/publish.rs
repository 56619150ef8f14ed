//! What goes out through SNS: push messages to endpoints, e-mails and announcements to topics.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::operation::publish::builders::PublishFluentBuilder;
use aws_sdk_sns::types::MessageAttributeValue;
use domain::MemberId;
use serde::Serialize;
use serde_json::json;

use crate::announcement::Announcement;
use crate::notice::Event;
use crate::wording::Words;

/// How SNS says that a device's endpoint was deleted, or is none; it has no error of its own for it.
const TARGETS: [&str; 2] = ["No endpoint found", "TargetArn Reason:"];

/// Where messages other than push go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// ARN of the topic of members' e-mails, `LAUREL_NOTIFICATIONS_TOPIC`.
    pub notifications: String,
    /// ARN of the integrators' topic, `LAUREL_EVENTS_TOPIC`.
    pub events: String,
}

/// Why a message did not go out, by who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PublishFailure {
    /// The target is disabled or deleted: a device is forgotten, a topic has to come back.
    #[error("the target is gone")]
    Gone,
    /// The function's role does not let it: a topic's right has to come back.
    #[error("SNS does not let us publish")]
    Forbidden,
    /// SNS is away or busy: report the record and try again.
    #[error("SNS does not take the message now ({0})")]
    Retryable(&'static str),
    /// This message can never go out: tell the operator, and go on.
    #[error("SNS refuses the message ({0})")]
    Permanent(&'static str),
}

/// Publishes.
#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    client: Client,
    topics: Topics,
}

#[derive(Serialize)]
struct Email<'a> {
    member: &'a MemberId,
    event: &'static str,
    to: &'a str,
    subject: &'a str,
    text: &'a str,
}

impl Publisher {
    pub(crate) fn new(client: Client, topics: Topics) -> Self {
        Self { client, topics }
    }

    /// To one device. A tap opens the page that the event is about.
    pub(crate) async fn push(
        &self,
        endpoint: &str,
        event: Event,
        member: &MemberId,
        words: &Words,
    ) -> Result<(), PublishFailure> {
        let publish = self
            .client
            .publish()
            .target_arn(endpoint)
            .message_structure("json")
            .message(push_message(event, member, words));
        send(publish, event, "push").await.map_err(|failure| match failure {
            // The role reaches every endpoint of the platform applications that the stack has, so this one is of a
            // former application, and a device that still is in use is told again with an endpoint of the new one.
            PublishFailure::Forbidden => PublishFailure::Gone,
            other => other,
        })
    }

    /// To the topic behind which a function sends the e-mail.
    pub(crate) async fn email(
        &self,
        to: &str,
        event: Event,
        member: &MemberId,
        words: &Words,
    ) -> Result<(), PublishFailure> {
        let email = Email { member, event: event.name(), to, subject: &words.title, text: &words.body };
        let publish =
            self.client.publish().topic_arn(&self.topics.notifications).message(json!(email).to_string());
        send(publish, event, "email").await
    }

    /// To the integrators.
    pub(crate) async fn announce(
        &self,
        event: Event,
        announcement: &Announcement<'_>,
    ) -> Result<(), PublishFailure> {
        let message = json!(announcement).to_string();
        let publish = self.client.publish().topic_arn(&self.topics.events).message(message);
        send(publish, event, "event").await
    }
}

/// One message for every platform: SNS takes out the part for the endpoint's, and wants each as a text.
fn push_message(event: Event, member: &MemberId, words: &Words) -> String {
    let Words { title, body } = words;
    let laurel = json!({ "event": event.name(), "member": member, "open": event.opens() });
    let apns = json!({
        "aps": { "alert": { "title": title, "body": body }, "sound": "default" },
        "laurel": laurel,
    })
    .to_string();
    let gcm = json!({
        "fcmV1Message": { "message": { "notification": { "title": title, "body": body }, "data": laurel } },
    })
    .to_string();
    json!({ "default": body, "APNS": apns, "APNS_SANDBOX": apns, "GCM": gcm }).to_string()
}

/// With the attributes by which subscriptions filter.
async fn send(publish: PublishFluentBuilder, event: Event, channel: &str) -> Result<(), PublishFailure> {
    let attribute =
        |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value).build();
    let attributes = attribute(channel).and_then(|channel| Ok((channel, attribute(event.name())?)));
    let (channel, event) = attributes.map_err(|_| PublishFailure::Permanent("attributes"))?;
    publish
        .message_attributes("channel", channel)
        .message_attributes("event", event)
        .send()
        .await
        .map(|_| ())
        .map_err(failure)
}

fn failure(error: SdkError<PublishError>) -> PublishFailure {
    let Some(error) = error.as_service_error() else { return PublishFailure::Retryable("no answer") };
    match error {
        PublishError::EndpointDisabledException(_) | PublishError::NotFoundException(_) => {
            PublishFailure::Gone
        }
        PublishError::InvalidParameterException(_)
            if TARGETS.iter().any(|words| error.message().unwrap_or_default().contains(words)) =>
        {
            PublishFailure::Gone
        }
        PublishError::InvalidParameterException(_)
        | PublishError::InvalidParameterValueException(_)
        | PublishError::ValidationException(_) => PublishFailure::Permanent("invalid parameter"),
        // The shop's push certificate ran out; its e-mails and events should not wait for a new one.
        PublishError::PlatformApplicationDisabledException(_) => {
            PublishFailure::Permanent("the platform application is disabled")
        }
        PublishError::AuthorizationErrorException(_) => PublishFailure::Forbidden,
        _ => PublishFailure::Retryable("an error of the service"),
    }
}
