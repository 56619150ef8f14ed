//! The one call of Parameter Store: what goes over the wire, and what comes of each answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::{Value, json};

use super::*;

/// Answers in turn, and remembers what it was asked.
#[derive(Debug, Clone, Default)]
struct Service {
    answers: Arc<Mutex<Vec<(u16, Value)>>>,
    asked: Arc<Mutex<Vec<HttpRequest>>>,
}

impl Service {
    fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }

    fn client(&self, region: &str) -> ParameterStore {
        ParameterStore::new(Access {
            region: region.to_owned(),
            endpoint: None,
            http: SharedHttpClient::new(self.clone()),
            credentials: Credentials::new("AKIDEXAMPLE", "a-secret-key", None, None, "test"),
            retries: RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::ZERO),
            timeouts: TimeoutConfig::builder().build(),
        })
    }

    async fn under_the_path(&self) -> Result<Vec<Parameter>, ParameterStoreError> {
        self.client("eu-west-3").under("/laurel/laurel/sources").await
    }

    fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn body(&self, call: usize) -> Value {
        serde_json::from_slice(self.asked.lock().unwrap()[call].body().bytes().unwrap()).unwrap()
    }
}

impl HttpClient for Service {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.asked.lock().unwrap().push(request);
        let (status, body) = self.answers.lock().unwrap().pop().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            status.try_into().unwrap(),
            SdkBody::from(body.to_string()),
        )))
    }
}

fn parameter(name: &str) -> Value {
    json!({"Name": format!("/laurel/laurel/sources/{name}"), "Type": "SecureString", "Value": "s3cret", "Version": 2})
}

#[tokio::test]
async fn the_call_is_signed_for_parameter_store_in_its_region() {
    let service = Service::answering([(200, json!({"Parameters": []}))]);
    assert_eq!(service.under_the_path().await.unwrap(), []);
    let asked = service.asked.lock().unwrap();
    let [request] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((request.method(), request.uri()), ("POST", "https://ssm.eu-west-3.amazonaws.com/"));
    assert_eq!(request.headers().get("x-amz-target"), Some("AmazonSSM.GetParametersByPath"));
    assert_eq!(request.headers().get("content-type"), Some("application/x-amz-json-1.1"));
    let authorization = request.headers().get("authorization").unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{authorization}");
    assert!(authorization.contains("/eu-west-3/ssm/aws4_request, "), "{authorization}");
    assert!(
        authorization.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-target, "),
        "{authorization}"
    );
}

#[tokio::test]
async fn pages_are_asked_for_until_the_last_one_decrypted() {
    let service = Service::answering([
        (200, json!({"Parameters": [parameter("shop")], "NextToken": "more"})),
        (200, json!({"NextToken": "and more"})),
        (200, json!({"Parameters": [parameter("till")], "NextToken": ""})),
    ]);
    let names: Vec<_> = service.under_the_path().await.unwrap().into_iter().map(|found| found.name).collect();
    assert_eq!(names, ["/laurel/laurel/sources/shop", "/laurel/laurel/sources/till"]);
    let first = json!({"Path": "/laurel/laurel/sources", "WithDecryption": true, "MaxResults": 10});
    assert_eq!(service.body(0), first);
    assert_eq!(service.body(1)["NextToken"], "more");
    assert_eq!(service.body(2)["NextToken"], "and more");
}

#[tokio::test]
async fn a_call_that_was_throttled_or_failed_over_there_is_tried_again() {
    let throttled = (400, json!({"__type": "ThrottlingException", "message": "Rate exceeded"}));
    let failed = (500, json!({"__type": "InternalServerError"}));
    let service = Service::answering([throttled, failed, (200, json!({"Parameters": [parameter("shop")]}))]);
    assert_eq!(service.under_the_path().await.unwrap().len(), 1);
    assert_eq!(service.calls(), 3);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_and_not_tried_again() {
    let message = "User laurel is not authorized to perform ssm:GetParametersByPath";
    let service = Service::answering([(
        400,
        json!({"__type": "com.amazon#AccessDeniedException", "Message": message}),
    )]);
    let error = service.under_the_path().await.unwrap_err();
    let refused = error.as_service_error().unwrap();
    assert_eq!((refused.code(), refused.message()), (Some("AccessDeniedException"), Some(message)));
    assert!(refused.to_string().contains("AccessDeniedException"), "{refused}");
    assert_eq!(service.calls(), 1);
}

#[tokio::test]
async fn neither_an_error_nor_a_parameter_shows_what_is_secret() {
    let service = Service::answering([(200, json!({"Parameters": [{"Name": "shop", "Value": ["s3cret"]}]}))]);
    let mut told = String::new();
    let error = service.under_the_path().await.unwrap_err();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        told += &error.to_string();
        cause = error.source();
    }
    assert!(told.contains("not an answer of GetParametersByPath") && !told.contains("s3cret"), "{told}");

    let service = Service::answering([(200, json!({"Parameters": [parameter("shop")]}))]);
    let shown = format!("{:?}", service.under_the_path().await.unwrap());
    assert!(shown.contains("sources/shop") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn china_and_the_european_sovereign_cloud_have_domains_of_their_own() {
    assert_eq!(amazons_endpoint("cn-north-1"), "https://ssm.cn-north-1.amazonaws.com.cn");
    assert_eq!(amazons_endpoint("eusc-de-east-1"), "https://ssm.eusc-de-east-1.amazonaws.eu");
    assert_eq!(amazons_endpoint("us-gov-west-1"), "https://ssm.us-gov-west-1.amazonaws.com");
}
