//! What the alarms wait for, held against what the functions do; and names within their limits.

use std::collections::BTreeSet;

use runtime::telemetry::signal;
use serde_json::Value;

use super::least_privilege::resources_of;
use crate::template::{DEPLOYED, LocalNames, intrinsic::Resolver, yaml};

fn filters() -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let filters = resources_of("AWS::Logs::MetricFilter").into_iter();
    let of = |(id, filter): (String, Value)| {
        (id, text(&filter["LogGroupName"]["Ref"]), text(&filter["FilterPattern"]))
    };
    filters.map(of).collect()
}

#[test]
fn every_alarm_on_a_line_waits_for_a_signal_or_an_error_and_every_signal_has_one() {
    let mut waited_for = BTreeSet::new();
    for (id, logs, pattern) in filters() {
        if logs == "ApiLogs" || pattern == "{ $.level = \"ERROR\" }" {
            continue;
        }
        let terms = pattern.trim_start_matches("{ ").trim_end_matches(" }").split(" || ");
        for term in terms {
            let word = term.strip_prefix("$.signal = \"").and_then(|rest| rest.strip_suffix('"'));
            let word = word.unwrap_or_else(|| panic!("{id} waits for words: {pattern}"));
            assert!(signal::ALL.contains(&word), "{id} waits for {word}, which nobody says");
            waited_for.insert(word.to_owned());
        }
    }
    assert_eq!(waited_for, signal::ALL.map(str::to_owned).into());
}

#[test]
fn every_functions_errors_are_counted() {
    let watched: BTreeSet<String> = filters()
        .into_iter()
        .filter(|(_, _, pattern)| pattern == "{ $.level = \"ERROR\" }")
        .map(|(_, logs, _)| logs)
        .collect();
    let logs: BTreeSet<String> = resources_of("AWS::Serverless::Function")
        .into_iter()
        .map(|(_, function)| function["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(watched, logs);
}

#[test]
fn every_metric_that_is_counted_wakes_an_alarm_or_tells_which_source() {
    let alarms: BTreeSet<String> = resources_of("AWS::CloudWatch::Alarm")
        .into_iter()
        .map(|(_, alarm)| alarm["MetricName"].as_str().unwrap().to_owned())
        .collect();
    for (id, filter) in resources_of("AWS::Logs::MetricFilter") {
        let metric = filter["MetricTransformations"][0]["MetricName"].as_str().unwrap();
        assert!(alarms.contains(metric) || metric.ends_with("BySource"), "{id} wakes nobody");
    }
}

#[test]
fn every_stream_that_is_late_gives_up_or_drops_a_record_wakes_an_alarm() {
    let watched: BTreeSet<(String, String)> = resources_of("AWS::CloudWatch::Alarm")
        .into_iter()
        .filter_map(|(_, alarm)| {
            let of = alarm.pointer("/Dimensions/0/Value/Ref")?.as_str()?.to_owned();
            Some((alarm["MetricName"].as_str()?.to_owned(), of))
        })
        .collect();
    let mut streams = 0;
    for (id, function) in resources_of("AWS::Serverless::Function") {
        let mut keeps_failed = function.get("EventInvokeConfig").is_some();
        for (name, event) in function["Events"].as_object().unwrap() {
            if event["Type"] != "DynamoDB" {
                continue;
            }
            (streams, keeps_failed) = (streams + 1, true);
            for metric in ["OnFailureDestinationDeliveredEventCount", "DroppedEventCount"] {
                assert!(watched.contains(&(metric.to_owned(), format!("{id}{name}"))), "{id}: {metric}");
            }
            assert!(watched.contains(&("IteratorAge".to_owned(), id.clone())), "{id}");
        }
        let undelivered = ("DestinationDeliveryFailures".to_owned(), id.clone());
        assert_eq!(watched.contains(&undelivered), keeps_failed, "{id}");
    }
    assert_eq!(streams, 3);
}

/// How long a name may be that stands in the template, by the property that gives it.
const LONGEST: [(&str, &str, usize); 6] = [
    ("AWS::Logs::LogGroup", "LogGroupName", 512),
    ("AWS::CloudWatch::Alarm", "AlarmName", 255),
    ("AWS::SNS::Topic", "TopicName", 256),
    ("AWS::SQS::Queue", "QueueName", 80),
    ("AWS::IAM::Role", "RoleName", 64),
    ("AWS::DynamoDB::Table", "TableName", 255),
];
/// A metric's namespace.
const LONGEST_NAMESPACE: usize = 255;
/// A parameter's whole name with its ARN before it.
const LONGEST_PARAMETER: usize = 1_011;

#[test]
fn names_keep_within_their_limits_for_the_longest_stack_name_and_are_else_left_to_cloudformation() {
    let longest: &'static str = Box::leak("s".repeat(128).into_boxed_str());
    let names = LocalNames { stack: longest, ..LocalNames::default() };
    let document = yaml::read(DEPLOYED).unwrap();
    let resolver = Resolver::new(&document, &names);
    let resolved = |id: &str, value: &Value| {
        let value = resolver.resolve(id, value).unwrap().unwrap();
        value.as_str().unwrap().to_owned()
    };
    for (kind, property, limit) in LONGEST {
        for (id, resource) in resources_of(kind) {
            if let Some(name) = resource.get(property) {
                assert!(resolved(&id, name).len() <= limit, "{id}");
            }
        }
    }
    for (id, filter) in resources_of("AWS::Logs::MetricFilter") {
        let namespace = &filter["MetricTransformations"][0]["MetricNamespace"];
        assert!(resolved(&id, namespace).len() <= LONGEST_NAMESPACE, "{id}");
    }
    for (id, function) in resources_of("AWS::Serverless::Function") {
        assert!(function.get("FunctionName").is_none(), "{id}");
        for (name, event) in function["Events"].as_object().unwrap() {
            if event["Type"] == "ScheduleV2" {
                // A schedule's may have 64 characters.
                assert!(event["Properties"].get("Name").is_none(), "{id}.{name}");
                assert_eq!(event["Properties"]["OmitName"], true, "{id}.{name}");
            }
        }
    }
    // A source's name has at most 200 bytes.
    let parameter = format!(
        "arn:aws:ssm:ap-southeast-1:123456789012:parameter/laurel/{longest}/sources/{}",
        "x".repeat(200)
    );
    assert!(parameter.len() <= LONGEST_PARAMETER);
}
