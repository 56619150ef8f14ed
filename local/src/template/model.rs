//! What of the template the local stack acts upon.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::intrinsic::{LocalNames, Resolver};
use super::{TemplateError, yaml};
use crate::streams::Filter;

/// Lambda's own limit when a template sets none.
const DEFAULT_TIMEOUT_SECONDS: u64 = 3;

/// Everything that is read from `template.yaml`.
#[derive(Debug, Clone)]
pub struct Template {
    /// The tables.
    pub tables: Vec<Table>,
    /// The functions, by logical id.
    pub functions: BTreeMap<String, FunctionTemplate>,
}

/// A table, ready to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name in the store.
    pub name: String,
    /// The request of DynamoDB's `CreateTable`.
    pub create: Value,
    /// Whether it has a stream.
    pub has_stream: bool,
}

/// A function and what wakes it.
#[derive(Debug, Clone)]
pub struct FunctionTemplate {
    /// Its id in the template, such as `OrderWebhookFunction`.
    pub id: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Its environment, resolved.
    pub environment: BTreeMap<String, String>,
    /// HTTP routes that lead to it.
    pub routes: Vec<Route>,
    /// Streams that feed it.
    pub mappings: Vec<Mapping>,
    /// Its schedule.
    pub schedule: Option<Rate>,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
}

/// A stream that feeds a function.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Function and event together, such as `PointsAccrualFunction.Orders`.
    pub id: String,
    /// The function.
    pub function: String,
    /// The table whose stream it is.
    pub table: String,
    /// The stream, as functions see it in `eventSourceARN`.
    pub stream_arn: String,
    /// The most records in one invocation.
    pub batch_size: usize,
    /// How often a failing record is tried again before it is given up; nothing where its age alone decides.
    pub retries: Option<u32>,
    /// Whether a batch that fails as a whole is halved.
    pub bisects: bool,
    /// Which records are of interest.
    pub filter: Filter,
}

/// A schedule at a fixed rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub Duration);

impl Template {
    /// Reads a template.
    pub fn parse(text: &str, names: &LocalNames) -> Result<Self, TemplateError> {
        let document = yaml::read(text)?;
        let resolver = Resolver::new(&document, names);
        let globals = document.pointer("/Globals/Function").cloned().unwrap_or_default();
        let resources = document
            .get("Resources")
            .and_then(Value::as_object)
            .ok_or_else(|| TemplateError::new("Resources", "is missing"))?;
        let mut template = Self { tables: Vec::new(), functions: BTreeMap::new() };
        for (id, resource) in resources {
            if !resolver.is_made(id, resource)? {
                continue;
            }
            let properties = resource.get("Properties").unwrap_or(&Value::Null);
            match resource.get("Type").and_then(Value::as_str) {
                Some("AWS::DynamoDB::Table") => template.tables.push(table(id, properties, &resolver)?),
                Some("AWS::Serverless::Function") => {
                    template.functions.insert(id.clone(), function(id, properties, &globals, &resolver)?);
                }
                _ => {}
            }
        }
        Ok(template)
    }

    /// Every stream that feeds a function.
    pub fn mappings(&self) -> impl Iterator<Item = &Mapping> {
        self.functions.values().flat_map(|function| &function.mappings)
    }

    /// A variable of a function's environment.
    pub fn variable(&self, function: &str, name: &str) -> Result<&str, TemplateError> {
        self.functions
            .get(function)
            .and_then(|function| function.environment.get(name))
            .map(String::as_str)
            .ok_or_else(|| TemplateError::new(function, format!("has no variable {name}")))
    }
}

fn table(id: &str, properties: &Value, resolver: &Resolver<'_>) -> Result<Table, TemplateError> {
    let properties = resolver.resolve(id, properties)?.unwrap_or_default();
    let name = resolver.physical_name(id);
    let mut create = Map::from_iter([("TableName".to_owned(), json!(name))]);
    // Encryption, recovery and protection have no meaning in a folder on somebody's desk.
    for property in ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"] {
        if let Some(value) = properties.get(property) {
            create.insert(property.to_owned(), value.clone());
        }
    }
    let view = properties.pointer("/StreamSpecification/StreamViewType");
    if let Some(view) = view {
        // CloudFormation leaves out what the API wants to be told.
        create.insert(
            "StreamSpecification".to_owned(),
            json!({ "StreamEnabled": true, "StreamViewType": view }),
        );
    }
    Ok(Table { name, create: Value::Object(create), has_stream: view.is_some() })
}

fn function(
    id: &str,
    properties: &Value,
    globals: &Value,
    resolver: &Resolver<'_>,
) -> Result<FunctionTemplate, TemplateError> {
    let timeout = properties.get("Timeout").or_else(|| globals.get("Timeout")).and_then(Value::as_u64);
    let mut function = FunctionTemplate {
        id: id.to_owned(),
        timeout: Duration::from_secs(timeout.unwrap_or(DEFAULT_TIMEOUT_SECONDS)),
        environment: environment(id, properties, globals, resolver)?,
        routes: Vec::new(),
        mappings: Vec::new(),
        schedule: None,
    };
    for (name, event) in properties.get("Events").and_then(Value::as_object).into_iter().flatten() {
        let place = format!("{id}.{name}");
        let details =
            resolver.resolve(&place, event.get("Properties").unwrap_or(&Value::Null))?.unwrap_or_default();
        match event.get("Type").and_then(Value::as_str) {
            Some("HttpApi") => function.routes.push(typed::<RouteProperties>(&place, details)?.into()),
            Some("DynamoDB") => function.mappings.push(mapping(id, &place, typed(&place, details)?)?),
            Some("Schedule" | "ScheduleV2") => {
                function.schedule = Some(rate(&place, typed(&place, details)?)?)
            }
            other => {
                return Err(TemplateError::new(
                    place,
                    format!("is of type {other:?}, which the local stack lacks"),
                ));
            }
        }
    }
    Ok(function)
}

fn environment(
    id: &str,
    properties: &Value,
    globals: &Value,
    resolver: &Resolver<'_>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut environment = BTreeMap::new();
    for source in [globals, properties] {
        let Some(variables) = source.pointer("/Environment/Variables") else { continue };
        let variables = resolver.resolve(&format!("{id}.Environment"), variables)?.unwrap_or_default();
        environment.extend(typed::<BTreeMap<String, String>>(id, variables)?);
    }
    Ok(environment)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RouteProperties {
    method: String,
    path: String,
}

impl From<RouteProperties> for Route {
    fn from(properties: RouteProperties) -> Self {
        Self { method: properties.method.to_ascii_uppercase(), path: properties.path }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MappingProperties {
    stream: String,
    batch_size: usize,
    maximum_retry_attempts: i64,
    #[serde(default)]
    bisect_batch_on_function_error: bool,
    #[serde(default)]
    filter_criteria: FilterCriteria,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterCriteria {
    filters: Vec<FilterProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterProperties {
    pattern: String,
}

fn mapping(function: &str, place: &str, properties: MappingProperties) -> Result<Mapping, TemplateError> {
    let patterns = properties.filter_criteria.filters.iter().map(|filter| filter.pattern.as_str());
    let filter = Filter::parse(patterns).map_err(|error| TemplateError::new(place, error.to_string()))?;
    let table = properties
        .stream
        .split('/')
        .nth(1)
        .ok_or_else(|| TemplateError::new(place, "names no table's stream"))?
        .to_owned();
    Ok(Mapping {
        id: place.to_owned(),
        function: function.to_owned(),
        table,
        stream_arn: properties.stream,
        batch_size: properties.batch_size.max(1),
        // -1 is CloudFormation's word for no bound.
        retries: u32::try_from(properties.maximum_retry_attempts).ok(),
        bisects: properties.bisect_batch_on_function_error,
        filter,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScheduleProperties {
    #[serde(alias = "Schedule")]
    schedule_expression: String,
}

fn rate(place: &str, properties: ScheduleProperties) -> Result<Rate, TemplateError> {
    let expression = properties.schedule_expression;
    let seconds = expression
        .strip_prefix("rate(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|rest| rest.split_once(' '))
        .and_then(|(count, unit)| {
            let unit = match unit.trim_end_matches('s') {
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                _ => return None,
            };
            count.parse::<u64>().ok()?.checked_mul(unit)
        })
        .filter(|seconds| *seconds > 0);
    seconds.map(|seconds| Rate(Duration::from_secs(seconds))).ok_or_else(|| {
        TemplateError::new(
            place,
            format!("has the schedule {expression}; the local stack knows rate(…) only"),
        )
    })
}

fn typed<T: serde::de::DeserializeOwned>(place: &str, value: Value) -> Result<T, TemplateError> {
    serde_json::from_value(value).map_err(|error| TemplateError::new(place, error.to_string()))
}
