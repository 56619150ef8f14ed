//! Publishing: a message to a topic or to a device, into the inbox.

use serde_json::Value;

use super::Sns;
use super::protocol::{Parameters, SnsError, element};
use crate::inbox::Message;

/// The channel of a message to a topic that does not name its own.
const EVENT: &str = "event";
/// The channel of a message to a device.
const PUSH: &str = "push";

impl Sns {
    pub(super) fn publish(&self, parameters: &Parameters) -> Result<String, SnsError> {
        let message = parameters.required("Message")?;
        let attributes = parameters.map("MessageAttributes", "Name", "Value.StringValue");
        let target = parameters.get("TargetArn").filter(|arn| arn.contains(":endpoint/"));
        let mut sent = match target {
            Some(endpoint) => self.to_endpoint(endpoint, message)?,
            None => to_topic(parameters, message)?,
        };
        if let (None, Some(channel)) = (target, attributes.get("channel")) {
            sent.channel.clone_from(channel);
        }
        sent.event = attributes.get("event").cloned().or(sent.event);
        sent.at = self.clock.now().to_string();
        self.inbox.deliver(&sent)?;
        Ok(element("MessageId", "00000000-0000-0000-0000-000000000000"))
    }

    fn to_endpoint(&self, arn: &str, message: &str) -> Result<Message, SnsError> {
        let endpoint = self.endpoint(arn)?.ok_or_else(|| {
            SnsError::InvalidParameter(
                "TargetArn Reason: No endpoint found for the target arn specified".to_owned(),
            )
        })?;
        if !endpoint.enabled {
            return Err(SnsError::EndpointDisabled);
        }
        let payload: Value = serde_json::from_str(message)
            .map_err(|_| SnsError::InvalidParameter("Message Reason: not a JSON object".to_owned()))?;
        if payload.get("default").is_none() {
            return Err(SnsError::InvalidParameter(
                "Message Reason: no default entry in JSON message body".to_owned(),
            ));
        }
        let platform = if arn.contains("/GCM/") { "GCM" } else { "APNS" };
        // Each platform's part is itself a text that holds JSON.
        let part: Value = payload
            .get(platform)
            .and_then(Value::as_str)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let alert = part.pointer("/aps/alert").or(part.pointer("/fcmV1Message/message/notification"));
        let laurel = part.get("laurel").or(part.pointer("/fcmV1Message/message/data"));
        Ok(Message {
            at: String::new(),
            member: text(laurel, "member"),
            channel: PUSH.to_owned(),
            event: text(laurel, "event"),
            to: Some(arn.to_owned()),
            title: text(alert, "title"),
            body: text(alert, "body").or_else(|| text(Some(&payload), "default")),
            payload: part,
        })
    }
}

fn to_topic(parameters: &Parameters, message: &str) -> Result<Message, SnsError> {
    parameters.get("TopicArn").or(parameters.get("TargetArn")).ok_or_else(|| {
        SnsError::InvalidParameter("TopicArn or TargetArn Reason: no value for required parameter".to_owned())
    })?;
    let payload: Value = serde_json::from_str(message).unwrap_or_else(|_| Value::from(message));
    let field = |name: &str| text(Some(&payload), name);
    Ok(Message {
        at: String::new(),
        member: field("member"),
        channel: EVENT.to_owned(),
        event: field("event"),
        to: field("to"),
        title: field("subject"),
        body: field("text"),
        payload,
    })
}

fn text(object: Option<&Value>, name: &str) -> Option<String> {
    object?.get(name)?.as_str().map(str::to_owned)
}
