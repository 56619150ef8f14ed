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
    #[error("has a filter pattern with {0}; the local stack knows values only")]
    UnknownOperator(String),
}

type Pattern = Vec<(String, Node)>;

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// All of the fields within must match.
    Within(Pattern),
    /// The field must be there and have one of the values.
    AnyOf(Vec<Value>),
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
        self.0.is_empty() || self.0.iter().any(|pattern| fits(pattern, record))
    }
}

fn pattern(object: &Map<String, Value>) -> Result<Pattern, FilterError> {
    object.iter().map(|(key, value)| Ok((key.clone(), node(value)?))).collect()
}

fn node(value: &Value) -> Result<Node, FilterError> {
    match value {
        Value::Object(object) => pattern(object).map(Node::Within),
        Value::Array(values) => values.iter().map(literal).collect::<Result<_, _>>().map(Node::AnyOf),
        other => Err(FilterError::UnknownOperator(other.to_string())),
    }
}

fn literal(value: &Value) -> Result<Value, FilterError> {
    match value {
        Value::Object(_) | Value::Array(_) => Err(FilterError::UnknownOperator(value.to_string())),
        literal => Ok(literal.clone()),
    }
}

fn fits(pattern: &Pattern, record: &Value) -> bool {
    pattern.iter().all(|(key, node)| {
        record.get(key).is_some_and(|field| match node {
            Node::Within(inner) => fits(inner, field),
            Node::AnyOf(values) => values.contains(field),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filter(pattern: &str) -> Filter {
        Filter::parse([pattern].into_iter()).unwrap()
    }

    #[test]
    fn a_parked_order_and_a_removal_do_not_pass() {
        let filter = filter(r#"{"dynamodb":{"NewImage":{"accrue":{"BOOL":[true]}}}}"#);
        let order = json!({"dynamodb": {"NewImage": {"order": {"S": "shop#1"}, "accrue": {"BOOL": true}}}});
        let parked = json!({"dynamodb": {"NewImage": {"order": {"S": "shop#1"}, "parked": {"M": {"reason": {"S": "no"}}}}}});
        let removed = json!({"dynamodb": {"Keys": {"order": {"S": "shop#1"}}}});
        assert!(filter.matches(&order));
        assert!(!filter.matches(&parked));
        assert!(!filter.matches(&removed));
    }

    #[test]
    fn a_value_must_be_the_same_and_any_of_several_will_do() {
        let filter = filter(
            r#"{"eventName":["INSERT","MODIFY"],"dynamodb":{"NewImage":{"audience":{"S":["everybody","integrators"]}}}}"#,
        );
        let entry = |event: &str, audience: &str| json!({"eventName": event, "dynamodb": {"NewImage": {"audience": {"S": audience}}}});
        assert!(filter.matches(&entry("INSERT", "everybody")));
        assert!(filter.matches(&entry("MODIFY", "integrators")));
        assert!(!filter.matches(&entry("REMOVE", "everybody")));
        assert!(!filter.matches(&entry("INSERT", "nobody")));
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
