mod least_privilege;
mod watched;

use std::time::Duration;

use serde_json::json;

use super::*;

fn deployed() -> Template {
    Template::parse(DEPLOYED, &LocalNames::default()).unwrap()
}

#[test]
fn the_template_gives_the_five_tables_with_their_keys_streams_and_index() {
    let tables = deployed().tables;
    let mut names: Vec<_> = tables.iter().map(|table| (table.name.as_str(), table.has_stream)).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            ("laurel-DirectoryTable", false),
            ("laurel-ErasuresTable", true),
            ("laurel-MembersTable", true),
            ("laurel-OrdersTable", true),
            ("laurel-ProgrammesTable", false)
        ]
    );
    let members = tables.iter().find(|table| table.name == "laurel-MembersTable").unwrap();
    assert_eq!(members.create["GlobalSecondaryIndexes"][0]["IndexName"], "due");
    assert_eq!(
        members.create["StreamSpecification"],
        json!({ "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" })
    );
}

#[test]
fn the_template_gives_every_route_of_the_contract() {
    let template = deployed();
    let mut routes: Vec<_> = template
        .functions
        .values()
        .flat_map(|function| &function.routes)
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    routes.sort_unstable();
    assert_eq!(
        routes,
        [
            "DELETE /members/{member}/devices/{device}",
            "GET /members",
            "GET /members/{member}",
            "GET /members/{member}/journal",
            "GET /webhooks/{source}",
            "GET /webhooks/{source}/{key}",
            "POST /members",
            "POST /members/{member}/merge",
            "POST /members/{member}/unmerge",
            "POST /webhooks/{source}",
            "POST /webhooks/{source}/{key}",
            "PUT /members/{member}/devices/{device}",
            "PUT /members/{member}/ratings/{rating}"
        ]
    );
}

#[test]
fn three_streams_feed_three_functions_as_long_as_a_record_is_young() {
    let template = deployed();
    let mappings: Vec<_> =
        template.mappings().map(|mapping| (mapping.table.as_str(), mapping.function.as_str())).collect();
    assert_eq!(
        mappings,
        [
            ("laurel-ErasuresTable", "ErasureFunction"),
            ("laurel-MembersTable", "NotificationsFunction"),
            ("laurel-OrdersTable", "PointsAccrualFunction")
        ]
    );
    assert!(
        template
            .mappings()
            .all(|mapping| mapping.bisects && mapping.retries.is_none() && mapping.batch_size <= 1_000)
    );
}

#[test]
fn the_review_runs_hourly_and_the_sweep_daily() {
    let hours = |hours: u64| Some(Rate(Duration::from_secs(hours * 3_600)));
    assert_eq!(deployed().functions["TierReviewFunction"].schedule, hours(1));
    assert_eq!(deployed().functions["OrderSweepFunction"].schedule, hours(24));
}

#[test]
fn a_function_sees_the_names_that_the_tables_and_topics_have() {
    let template = deployed();
    assert_eq!(
        template.variable("OrderWebhookFunction", "LAUREL_ORDERS_TABLE").unwrap(),
        "laurel-OrdersTable"
    );
    assert_eq!(
        template.variable("NotificationsFunction", "LAUREL_EVENTS_TOPIC").unwrap(),
        "arn:aws:sns:dynoxide:000000000000:laurel-EventsTopic"
    );
    assert_eq!(
        template.variable("OrderWebhookFunction", "LAUREL_SOURCES_PATH").unwrap(),
        "/laurel/laurel/sources"
    );
}

#[test]
fn a_restored_table_takes_the_place_of_the_stacks_own_everywhere() {
    let mut names = LocalNames::default();
    names.parameters.insert("RestoredMembersTable", "members-of-yesterday");
    names
        .parameters
        .insert("RestoredMembersStream", "arn:aws:dynamodb:x:1:table/members-of-yesterday/stream/2");
    let template = Template::parse(DEPLOYED, &names).unwrap();
    assert!(template.tables.iter().all(|table| table.name != "laurel-MembersTable"));
    for function in template.functions.values() {
        assert_eq!(function.environment["LAUREL_MEMBERS_TABLE"], "members-of-yesterday", "{}", function.id);
        assert_eq!(function.environment["LAUREL_ORDERS_TABLE"], "laurel-OrdersTable");
    }
    let fed = template.mappings().find(|mapping| mapping.function == "NotificationsFunction").unwrap();
    assert_eq!(fed.table, "members-of-yesterday");
}

#[test]
fn what_cannot_be_understood_is_named() {
    let text = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events:\n        E:\n          Type: ScheduleV2\n          Properties: { ScheduleExpression: cron(0 * * * ? *) }\n";
    let error = Template::parse(text, &LocalNames::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template.yaml: F.E has the schedule cron(0 * * * ? *); the local stack knows rate(…) only"
    );
    let text = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Environment: { Variables: { A: !Ref Nowhere } }\n";
    let error = Template::parse(text, &LocalNames::default()).unwrap_err();
    assert!(error.to_string().contains("refers to Nowhere"), "{error}");
}
