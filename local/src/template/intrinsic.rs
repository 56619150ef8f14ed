//! CloudFormation's functions, as far as the parts that we read use them: `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::If`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::TemplateError;

/// The names that CloudFormation would give: a stack called `laurel` in an account of zeros.
#[derive(Debug, Clone)]
pub struct LocalNames {
    /// `AWS::Region`.
    pub region: &'static str,
    /// `AWS::AccountId`.
    pub account: &'static str,
    /// `AWS::StackName`.
    pub stack: &'static str,
    /// Values of parameters that differ from the template's defaults.
    pub parameters: BTreeMap<&'static str, &'static str>,
}

impl Default for LocalNames {
    fn default() -> Self {
        Self {
            // What the embedded engine puts into its own ARNs.
            region: dynoxide::streams::LOCAL_REGION,
            account: dynoxide::streams::LOCAL_ACCOUNT,
            stack: "laurel",
            // CloudFormation cannot make platform applications, so they come as parameters. Here both exist.
            parameters: BTreeMap::from([
                ("ApnsApplicationArn", "arn:aws:sns:dynoxide:000000000000:app/APNS/laurel"),
                ("FcmApplicationArn", "arn:aws:sns:dynoxide:000000000000:app/GCM/laurel"),
            ]),
        }
    }
}

/// Knows what the template's names stand for.
pub(super) struct Resolver<'a> {
    names: &'a LocalNames,
    resources: BTreeMap<&'a str, &'a str>,
    parameters: BTreeMap<&'a str, String>,
    pub(super) conditions: Option<&'a Value>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(document: &'a Value, names: &'a LocalNames) -> Self {
        let entries = |section: &str| document.get(section).and_then(Value::as_object).into_iter().flatten();
        let resources = entries("Resources")
            .filter_map(|(id, resource)| Some((id.as_str(), resource.get("Type")?.as_str()?)))
            .collect();
        let parameters = entries("Parameters")
            .filter_map(|(name, parameter)| {
                let value = match names.parameters.get(name.as_str()) {
                    Some(value) => (*value).to_owned(),
                    None => text_of(parameter.get("Default")?)?,
                };
                Some((name.as_str(), value))
            })
            .collect();
        Self { names, resources, parameters, conditions: document.get("Conditions") }
    }

    /// The value with every function replaced by what it gives; nothing where that is no value.
    pub(super) fn resolve(&self, place: &str, value: &Value) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::Array(items) => items
                .iter()
                .filter_map(|item| self.resolve(place, item).transpose())
                .collect::<Result<Vec<_>, _>>()
                .map(|items| Some(Value::Array(items))),
            Value::Object(object) => match single(object) {
                Some(("Ref", target)) => Ok(Some(Value::String(self.reference(place, target)?))),
                Some(("Fn::GetAtt", target)) => Ok(Some(Value::String(self.attribute(place, target)?))),
                Some(("Fn::Sub", text)) => Ok(Some(Value::String(self.substitute(place, text)?))),
                Some(("Fn::If", parts)) => match self.choose(place, parts)? {
                    Some(chosen) => self.resolve(place, chosen),
                    None => Ok(None),
                },
                Some((name, _)) if name.starts_with("Fn::") => Err(TemplateError::new(
                    place,
                    format!("uses {name}, which the local stack does not know"),
                )),
                _ => object
                    .iter()
                    .filter_map(|(key, value)| {
                        let resolved = self.resolve(&format!("{place}.{key}"), value).transpose()?;
                        Some(resolved.map(|value| (key.clone(), value)))
                    })
                    .collect::<Result<Map<_, _>, _>>()
                    .map(|object| Some(Value::Object(object))),
            },
            other => Ok(Some(other.clone())),
        }
    }

    /// What a resource is called once it exists.
    pub(super) fn physical_name(&self, id: &str) -> String {
        format!("{}-{id}", self.names.stack)
    }

    fn reference(&self, place: &str, target: &Value) -> Result<String, TemplateError> {
        let name = target.as_str().ok_or_else(|| TemplateError::new(place, "has a Ref without a name"))?;
        self.pseudo_parameter(name)
            .or_else(|| self.parameters.get(name).cloned())
            .or_else(|| self.reference_to_resource(name))
            .ok_or_else(|| {
                TemplateError::new(place, format!("refers to {name}, which is not in the template"))
            })
    }

    fn reference_to_resource(&self, id: &str) -> Option<String> {
        match *self.resources.get(id)? {
            "AWS::SNS::Topic" => Some(self.arn("sns", &self.physical_name(id))),
            _ => Some(self.physical_name(id)),
        }
    }

    fn attribute(&self, place: &str, target: &Value) -> Result<String, TemplateError> {
        let path = match target {
            Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("."),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        self.attribute_at(&path).ok_or_else(|| {
            TemplateError::new(place, format!("asks for {path}, which the local stack does not know"))
        })
    }

    fn attribute_at(&self, path: &str) -> Option<String> {
        let (id, attribute) = path.split_once('.')?;
        let name = self.physical_name(id);
        match (*self.resources.get(id)?, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => Some(self.arn("dynamodb", &format!("table/{name}"))),
            ("AWS::DynamoDB::Table", "StreamArn") => {
                Some(self.arn("dynamodb", &format!("table/{name}/stream/local")))
            }
            ("AWS::SNS::Topic", "TopicArn") => Some(self.arn("sns", &name)),
            ("AWS::SQS::Queue", "Arn") => Some(self.arn("sqs", &name)),
            // Neither has a region in its name; a bucket not even an account.
            ("AWS::S3::Bucket", "Arn") => Some(format!("arn:aws:s3:::{name}")),
            ("AWS::IAM::Role", "Arn") => Some(format!("arn:aws:iam::{}:role/{name}", self.names.account)),
            ("AWS::Serverless::Function", "Arn") => Some(self.arn("lambda", &format!("function:{name}"))),
            _ => None,
        }
    }

    /// `Fn::Sub` with names in the text; the form with a map of its own is not used by our template.
    fn substitute(&self, place: &str, text: &Value) -> Result<String, TemplateError> {
        let mut rest =
            text.as_str().ok_or_else(|| TemplateError::new(place, "has a Fn::Sub that is no text"))?;
        let mut whole = String::with_capacity(rest.len());
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) =
                after.split_once('}').ok_or_else(|| TemplateError::new(place, "has a ${ without its }"))?;
            whole.push_str(before);
            match name.contains('.') {
                true => whole.push_str(&self.attribute(place, &Value::from(name))?),
                false => whole.push_str(&self.reference(place, &Value::from(name))?),
            }
            rest = behind;
        }
        whole.push_str(rest);
        Ok(whole)
    }

    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        let value = match name {
            "AWS::Region" => self.names.region,
            "AWS::AccountId" => self.names.account,
            "AWS::StackName" => self.names.stack,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.names.region, self.names.account)
    }
}

pub(super) fn single(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = object.iter();
    let (key, value) = entries.next()?;
    entries.next().is_none().then_some((key.as_str(), value))
}

pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
