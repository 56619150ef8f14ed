//! Which records a stream hands to its function: the part of EventBridge's patterns that the template uses. An
//! operator that is not known is an error at start, never a record silently passed or dropped.

use serde_json::{Map, Value};

/// The filters of a mapping: a record passes when any of them matches. Without filters everything passes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter(Vec<Pattern>);

/// A pattern cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Not a JSON object.
    #[error("has a filter pattern that is no JSON object: {0}")]
    NotAnObject(String),
    /// Something that the local stack does not know.
    #[error("has a filter pattern with {0}; the local stack knows values and \"exists\"")]
    UnknownOperator(String),
}

type Pattern = Vec<(String, Node)>;

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// All of the fields within must match.
    Within(Pattern),
    /// One of the conditions must hold.
    AnyOf(Vec<Condition>),
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Exists(bool),
    Equals(Value),
}

impl Filter {
    /// Reads the patterns of a mapping.
    pub fn parse<'a>(patterns: impl Iterator<Item = &'a str>) -> Result<Self, FilterError> {
        patterns
            .map(|text| {
                let object: Map<String, Value> =
                    serde_json::from_str(text).map_err(|_| FilterError::NotAnObject(text.to_owned()))?;
                pattern(&object)
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a record is of interest.
    pub fn matches(&self, record: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| fits(pattern, Some(record)))
    }
}

fn pattern(object: &Map<String, Value>) -> Result<Pattern, FilterError> {
    object.iter().map(|(key, value)| Ok((key.clone(), node(value)?))).collect()
}

fn node(value: &Value) -> Result<Node, FilterError> {
    match value {
        Value::Object(object) => pattern(object).map(Node::Within),
        Value::Array(conditions) => {
            conditions.iter().map(condition).collect::<Result<_, _>>().map(Node::AnyOf)
        }
        other => Err(FilterError::UnknownOperator(other.to_string())),
    }
}

fn condition(value: &Value) -> Result<Condition, FilterError> {
    match value {
        Value::Object(operator) => match (operator.len(), operator.get("exists")) {
            (1, Some(Value::Bool(expected))) => Ok(Condition::Exists(*expected)),
            _ => Err(FilterError::UnknownOperator(value.to_string())),
        },
        Value::Array(_) => Err(FilterError::UnknownOperator(value.to_string())),
        literal => Ok(Condition::Equals(literal.clone())),
    }
}

fn fits(pattern: &Pattern, record: Option<&Value>) -> bool {
    pattern.iter().all(|(key, node)| {
        let field = record.and_then(|record| record.get(key));
        match node {
            Node::Within(inner) => fits(inner, field),
            Node::AnyOf(conditions) => conditions.iter().any(|condition| match condition {
                // Lambda looks at leaves only: an object is not "there".
                Condition::Exists(expected) => field.is_some_and(|field| !field.is_object()) == *expected,
                Condition::Equals(value) => field == Some(value),
            }),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOT_PARKED: &str = r#"{"dynamodb":{"NewImage":{
        "order":{"S":[{"exists":true}]}, "parked":{"M":{"reason":{"S":[{"exists":false}]}}}}}}"#;

    fn filter(pattern: &str) -> Filter {
        Filter::parse([pattern].into_iter()).unwrap()
    }

    #[test]
    fn a_parked_order_and_a_removal_do_not_pass() {
        let filter = filter(NOT_PARKED);
        let order = json!({"dynamodb": {"NewImage": {"order": {"S": "shop#1"}}}});
        let parked = json!({"dynamodb": {"NewImage": {"order": {"S": "shop#1"}, "parked": {"M": {"reason": {"S": "no"}}}}}});
        let removed = json!({"dynamodb": {"Keys": {"order": {"S": "shop#1"}}}});
        assert!(filter.matches(&order));
        assert!(!filter.matches(&parked));
        assert!(!filter.matches(&removed));
    }

    #[test]
    fn a_value_must_be_the_same_and_any_of_several_will_do() {
        let filter =
            filter(r#"{"eventName":["INSERT","MODIFY"],"dynamodb":{"NewImage":{"notify":{"BOOL":[true]}}}}"#);
        let entry = |event: &str, notify: bool| json!({"eventName": event, "dynamodb": {"NewImage": {"notify": {"BOOL": notify}}}});
        assert!(filter.matches(&entry("INSERT", true)));
        assert!(filter.matches(&entry("MODIFY", true)));
        assert!(!filter.matches(&entry("REMOVE", true)));
        assert!(!filter.matches(&entry("INSERT", false)));
    }

    #[test]
    fn without_filters_everything_passes() {
        assert!(Filter::default().matches(&json!({})));
    }

    #[test]
    fn an_unknown_operator_is_an_error_that_shows_it() {
        let error = Filter::parse([r#"{"a":[{"prefix":"x"}]}"#].into_iter()).unwrap_err();
        assert_eq!(error, FilterError::UnknownOperator(r#"{"prefix":"x"}"#.to_owned()));
        assert!(Filter::parse(["[]"].into_iter()).is_err());
    }
}
