//! Parameter Store on one's own machine: the one action that `order-webhook` calls, answered from the sources' file.
//! So a function in a container reads its sources as it does in an account.

use std::collections::BTreeMap;

use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// How the protocol names the action.
const GET_PARAMETERS_BY_PATH: &str = "AmazonSSM.GetParametersByPath";

/// The parameters, each with its whole name.
#[derive(Clone)]
pub struct ParameterStore(BTreeMap<String, String>);

/// The sources' file is no TOML. What it says is kept out of the message, for it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sources cannot be served as parameters: they are no tables of TOML")]
pub struct NoTables;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    path: String,
}

impl ParameterStore {
    /// One parameter under `path` for each table of the sources' file, its value the table as JSON.
    pub fn new(path: &str, sources: &str) -> Result<Self, NoTables> {
        let sources: BTreeMap<String, Value> = toml::from_str(sources).map_err(|_| NoTables)?;
        let named = |(name, source): (String, Value)| (format!("{path}/{name}"), source.to_string());
        Ok(Self(sources.into_iter().map(named).collect()))
    }

    /// Answers one request: the value of `x-amz-target` and the body in, JSON out.
    pub fn answer(&self, target: Option<&HeaderValue>, body: &[u8]) -> (StatusCode, String) {
        if target.is_none_or(|target| target != GET_PARAMETERS_BY_PATH) {
            return refusal("UnknownOperationException", "The local stack knows GetParametersByPath only.");
        }
        match serde_json::from_slice::<Request>(body) {
            Ok(request) => (StatusCode::OK, self.under(&request.path).to_string()),
            Err(error) => refusal("SerializationException", &error.to_string()),
        }
    }

    /// What lies directly under a path. They are few, so that one page holds them all.
    fn under(&self, path: &str) -> Value {
        let path = format!("{}/", path.trim_end_matches('/'));
        let parameters: Vec<_> = self
            .0
            .iter()
            .filter(|(name, _)| name.strip_prefix(&path).is_some_and(|rest| !rest.contains('/')))
            .map(|(name, value)| json!({ "Name": name, "Type": "SecureString", "Value": value }))
            .collect();
        json!({ "Parameters": parameters })
    }
}

fn refusal(kind: &str, message: &str) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, json!({ "__type": kind, "message": message }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCES: &str = "[shop]\nplatform = \"shopify\"\nsecrets = [\"a-secret\"]\n";

    fn asked(path: &str) -> Value {
        let store = ParameterStore::new("/laurel/laurel/sources", SOURCES).unwrap();
        let target = HeaderValue::from_static(GET_PARAMETERS_BY_PATH);
        let (status, answer) = store.answer(Some(&target), json!({ "Path": path }).to_string().as_bytes());
        assert_eq!(status, StatusCode::OK);
        serde_json::from_str(&answer).unwrap()
    }

    #[test]
    fn each_source_is_a_parameter_under_the_path() {
        let parameter = &asked("/laurel/laurel/sources")["Parameters"][0];
        assert_eq!(parameter["Name"], "/laurel/laurel/sources/shop");
        let value: Value = serde_json::from_str(parameter["Value"].as_str().unwrap()).unwrap();
        assert_eq!(value, json!({ "platform": "shopify", "secrets": ["a-secret"] }));
    }

    #[test]
    fn under_another_path_there_is_nothing() {
        assert_eq!(asked("/laurel/other/sources"), json!({ "Parameters": [] }));
        assert_eq!(asked("/laurel"), json!({ "Parameters": [] }));
    }

    #[test]
    fn another_action_is_refused() {
        let store = ParameterStore::new("/laurel/laurel/sources", SOURCES).unwrap();
        let target = HeaderValue::from_static("AmazonSSM.PutParameter");
        assert_eq!(store.answer(Some(&target), b"{}").0, StatusCode::BAD_REQUEST);
        assert_eq!(store.answer(None, b"{}").0, StatusCode::BAD_REQUEST);
    }
}
