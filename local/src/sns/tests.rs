use aws_sdk_sns::Client;
use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::types::MessageAttributeValue;

use super::*;
use crate::clock::Time;
use crate::in_process::InProcess;
use crate::inbox::{Keeping, Message, Selection};

const APPLICATION: &str = "arn:aws:sns:dynoxide:000000000000:app/APNS/laurel";
const TOPIC: &str = "arn:aws:sns:dynoxide:000000000000:laurel-NotificationsTopic";

struct Desk {
    _folder: tempfile::TempDir,
    inbox: Arc<Inbox>,
    client: Client,
}

fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let state = Arc::new(State::open(&folder.path().join("state.sqlite")).unwrap());
    let inbox = Arc::new(Inbox::new(Arc::clone(&state), Keeping::Kept));
    let at = "2026-03-01T00:00:00Z".parse().unwrap();
    let clock = LocalClock::open(Time::Simulated(at), Arc::clone(&state)).unwrap();
    let sns = Sns::new(state, Arc::clone(&inbox), clock);
    let config = aws_sdk_sns::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .http_client(InProcess::client(move |_, body| sns.answer(body)));
    Desk { _folder: folder, inbox, client: Client::from_conf(config.build()) }
}

impl Desk {
    async fn register(&self, token: &str, user_data: &str) -> Result<String, String> {
        let created = self
            .client
            .create_platform_endpoint()
            .platform_application_arn(APPLICATION)
            .token(token)
            .custom_user_data(user_data)
            .send()
            .await;
        match created {
            Ok(created) => Ok(created.endpoint_arn.unwrap()),
            Err(error) => Err(error.into_service_error().message().unwrap().to_owned()),
        }
    }

    fn messages(&self) -> Vec<Message> {
        self.inbox.list(&Selection::default()).unwrap()
    }
}

#[tokio::test]
async fn a_known_token_gives_its_endpoint_and_with_other_attributes_an_error() {
    let desk = desk();
    let arn = desk.register("token-1", "member-1").await.unwrap();
    assert_eq!(desk.register("token-1", "member-1").await.unwrap(), arn);
    let refusal = desk.register("token-1", "member-2").await.unwrap_err();
    assert!(refusal.contains(&format!("Endpoint {arn} already exists with the same Token")), "{refusal}");
    assert_ne!(desk.register("token-2", "member-1").await.unwrap(), arn);
}

#[tokio::test]
async fn a_disabled_endpoint_refuses_and_stays_disabled_until_it_is_set() {
    let desk = desk();
    let arn = desk.register("token-1", "").await.unwrap();
    let set = |enabled: &str| {
        desk.client.set_endpoint_attributes().endpoint_arn(&arn).attributes("Enabled", enabled)
    };
    set("false").send().await.unwrap();
    assert_eq!(desk.register("token-1", "").await.unwrap(), arn);
    let publish =
        || desk.client.publish().target_arn(&arn).message_structure("json").message(r#"{"default":"x"}"#);
    let error = publish().send().await.unwrap_err().into_service_error();
    assert!(error.is_endpoint_disabled_exception(), "{error:?}");
    set("true").send().await.unwrap();
    publish().send().await.unwrap();
    assert_eq!(desk.messages().len(), 1);
    let attributes = desk.client.get_endpoint_attributes().endpoint_arn(&arn).send().await.unwrap();
    assert_eq!(attributes.attributes.unwrap()["Enabled"], "true");
}

#[tokio::test]
async fn a_deleted_endpoint_is_not_found_any_more() {
    let desk = desk();
    let arn = desk.register("token-1", "").await.unwrap();
    desk.client.delete_endpoint().endpoint_arn(&arn).send().await.unwrap();
    let error = desk.client.get_endpoint_attributes().endpoint_arn(&arn).send().await.unwrap_err();
    assert!(error.into_service_error().is_not_found_exception());
    let error =
        desk.client.publish().target_arn(&arn).message(r#"{"default":"x"}"#).send().await.unwrap_err();
    assert!(error.into_service_error().message().unwrap().contains("No endpoint found"));
}

#[tokio::test]
async fn an_email_shows_in_the_inbox_with_its_subject_and_its_reader() {
    let desk = desk();
    let attribute = |value: &str| {
        MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
    };
    let email = r#"{"member":"m-1","event":"coupon_issued","to":"ada@example.com","subject":"<Yours> & mine","text":"…"}"#;
    let publish = desk.client.publish().topic_arn(TOPIC).message(email);
    publish.message_attributes("channel", attribute("email")).send().await.unwrap();
    let [message] = desk.messages().try_into().unwrap();
    assert_eq!(message.channel, "email");
    assert_eq!(message.at, "2026-03-01T00:00:00Z");
    assert_eq!(message.member.as_deref(), Some("m-1"));
    assert_eq!(message.to.as_deref(), Some("ada@example.com"));
    assert_eq!(message.title.as_deref(), Some("<Yours> & mine"));
    assert_eq!(desk.inbox.counts().email, 1);
}

#[tokio::test]
async fn a_push_message_shows_what_the_device_would_show() {
    let desk = desk();
    let arn = desk.register("token-1", "").await.unwrap();
    let apns = serde_json::json!({"aps": {"alert": {"title": "Gold", "body": "Well done"}}, "laurel": {"member": "m-1", "event": "tier_reached"}});
    let message = serde_json::json!({"default": "Well done", "APNS": apns.to_string()}).to_string();
    desk.client.publish().target_arn(&arn).message_structure("json").message(message).send().await.unwrap();
    let [message] = desk.messages().try_into().unwrap();
    assert_eq!((message.channel.as_str(), message.title.as_deref()), ("push", Some("Gold")));
    assert_eq!((message.member.as_deref(), message.event.as_deref()), (Some("m-1"), Some("tier_reached")));
    assert_eq!(message.payload, apns);
}
