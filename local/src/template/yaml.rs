//! YAML as CloudFormation writes it, turned into JSON: `!Ref x` becomes `{"Ref": "x"}`, `!GetAtt a.b` becomes
//! `{"Fn::GetAtt": "a.b"}`, so that the long and the short form are one thing afterwards.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

use super::TemplateError;

/// Reads the one document of a template.
pub(super) fn read(text: &str) -> Result<Value, TemplateError> {
    let documents = Yaml::load_from_str(text)
        .map_err(|error| TemplateError::new("the text", format!("is no YAML: {error}")))?;
    match documents.as_slice() {
        [document] => json(document),
        others => {
            Err(TemplateError::new("the text", format!("has {} documents instead of one", others.len())))
        }
    }
}

fn json(node: &Yaml<'_>) -> Result<Value, TemplateError> {
    match node {
        Yaml::Value(scalar) => Ok(of_scalar(scalar)),
        Yaml::Sequence(items) => items.iter().map(json).collect::<Result<Vec<_>, _>>().map(Value::Array),
        Yaml::Mapping(entries) => entries
            .iter()
            .map(|(key, value)| Ok((key_text(key)?, json(value)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
        Yaml::Tagged(tag, inner) => {
            let name = match tag.suffix.as_str() {
                "Ref" | "Condition" => tag.suffix.clone(),
                function => format!("Fn::{function}"),
            };
            Ok(Value::Object(Map::from_iter([(name, json(inner)?)])))
        }
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            Err(TemplateError::new("the text", "has a value that a template may not have"))
        }
    }
}

fn of_scalar(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(*value),
        Scalar::Integer(value) => Value::from(*value),
        Scalar::FloatingPoint(value) => Value::from(value.into_inner()),
        Scalar::String(value) => Value::String(value.to_string()),
    }
}

fn key_text(key: &Yaml<'_>) -> Result<String, TemplateError> {
    match key {
        Yaml::Value(Scalar::String(text)) => Ok(text.to_string()),
        Yaml::Value(Scalar::Integer(number)) => Ok(number.to_string()),
        other => Err(TemplateError::new("the text", format!("has the key {other:?}, which is no name"))),
    }
}
