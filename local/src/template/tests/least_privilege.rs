//! What the template lets each function do, and what it keeps watch over: nothing wider than it must be.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::template::{DEPLOYED, yaml};

pub(super) fn resources_of(kind: &str) -> Vec<(String, Value)> {
    let document = yaml::read(DEPLOYED).unwrap();
    let resources = document["Resources"].as_object().unwrap();
    let resources = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
    resources.map(|(id, resource)| (id.clone(), resource["Properties"].clone())).collect()
}

/// A value that may stand alone or in a list.
pub(super) fn each(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// Every statement of every role, those under a condition too.
pub(super) fn statements() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (role, properties) in resources_of("AWS::IAM::Role") {
        assert!(properties.get("ManagedPolicyArns").is_none(), "{role} has a managed policy");
        for policy in each(&properties["Policies"]) {
            for statement in each(&policy["PolicyDocument"]["Statement"]) {
                let statement = statement.pointer("/Fn::If/1").cloned().unwrap_or(statement);
                all.push((role.clone(), statement));
            }
        }
    }
    all
}

#[test]
fn no_statement_allows_an_action_by_wildcard_or_on_everything() {
    for (role, statement) in statements() {
        for action in each(&statement["Action"]) {
            let action = action.as_str().unwrap().to_owned();
            assert!(!action.contains('*'), "{role} may {action}");
        }
        for resource in each(&statement["Resource"]) {
            let text = resource.to_string();
            // Objects are written, and endpoints made, under names that nobody knows beforehand.
            let may_end_open =
                ["FailedRecordsBucket.Arn}/*", ":endpoint/"].iter().any(|known| text.contains(known));
            assert!(may_end_open || !text.contains('*'), "{role} may reach {text}");
        }
    }
}

#[test]
fn each_function_has_a_role_and_logs_of_its_own() {
    let functions = resources_of("AWS::Serverless::Function");
    let of = |path: &str| -> BTreeSet<String> {
        functions.iter().map(|(_, properties)| properties.pointer(path).unwrap().to_string()).collect()
    };
    assert_eq!(of("/Role").len(), functions.len());
    assert_eq!(of("/LoggingConfig/LogGroup").len(), functions.len());
    assert!(functions.iter().all(|(_, properties)| properties.get("Policies").is_none()));
}

#[test]
fn only_the_webhook_reads_secrets_only_erasure_and_sweep_read_whole_tables_and_few_write_accounts() {
    let who = |action: &str, table: &str| -> Vec<String> {
        let allows = |statement: &Value| {
            each(&statement["Action"]).contains(&Value::from(action))
                && statement["Resource"].to_string().contains(table)
        };
        statements().into_iter().filter(|(_, statement)| allows(statement)).map(|(role, _)| role).collect()
    };
    assert_eq!(who("ssm:GetParametersByPath", "sources"), ["OrderWebhookRole"]);
    assert_eq!(
        who("dynamodb:PutItem", "DirectoryTable"),
        ["ErasureRole", "MemberApiRole", "OrderSweepRole", "PointsAccrualRole", "TierReviewRole"]
    );
    assert_eq!(
        who("dynamodb:UpdateItem", "OrdersTable"),
        ["ErasureRole", "MemberApiRole", "OrderSweepRole", "OrderWebhookRole", "PointsAccrualRole"]
    );
    assert!(who("dynamodb:PutItem", "ProgrammesTable").is_empty());
    assert_eq!(who("dynamodb:Scan", ""), ["ErasureRole", "ErasureRole", "ErasureRole", "OrderSweepRole"]);
    assert_eq!(
        who("dynamodb:DeleteItem", "DirectoryTable"),
        ["ErasureRole", "MemberApiRole", "NotificationsRole"]
    );
    assert_eq!(who("dynamodb:PutItem", "ErasuresTable"), ["OrderWebhookRole"]);
}

#[test]
fn of_a_member_the_function_that_anybody_speaks_to_changes_the_contact_and_no_more() {
    let writes: Vec<Value> = statements()
        .into_iter()
        .filter(|(role, statement)| {
            role == "OrderWebhookRole"
                && statement["Resource"].to_string().contains("MembersTable")
                && each(&statement["Action"]).iter().any(|action| {
                    !["dynamodb:GetItem", "dynamodb:ConditionCheckItem"].map(Value::from).contains(action)
                })
        })
        .map(|(_, statement)| statement)
        .collect();
    let [write] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!(write["Action"], "dynamodb:UpdateItem");
    let condition = &write["Condition"];
    let allowed = &condition["ForAllValues:StringEquals"]["dynamodb:Attributes"];
    let allowed: BTreeSet<String> = serde_json::from_value(allowed.clone()).unwrap();
    assert_eq!(allowed, store::CONTACT_ATTRIBUTES.map(str::to_owned).into());
    assert_eq!(condition["StringEqualsIfExists"]["dynamodb:ReturnValues"], "NONE");
}

#[test]
fn with_a_key_of_the_shops_own_nothing_lies_under_another() {
    let key = |value: &Value| value.pointer("/Fn::If/1").cloned().unwrap_or_default().to_string();
    let under_it = |kind: &str, property: &str, but: &[&str]| {
        for (id, resource) in resources_of(kind) {
            if !but.contains(&id.as_str()) {
                assert!(key(&resource[property]).contains("KeyArn"), "{id} has no {property} of the shop's");
            }
        }
    };
    under_it("AWS::DynamoDB::Table", "SSESpecification", &[]);
    // Alarms name nobody, and CloudWatch must be able to publish them.
    under_it("AWS::SNS::Topic", "KmsMasterKeyId", &["OperatorsTopic"]);
    under_it("AWS::SQS::Queue", "KmsMasterKeyId", &[]);
    under_it("AWS::Logs::LogGroup", "KmsKeyId", &[]);
    for (_, bucket) in resources_of("AWS::S3::Bucket") {
        let rule = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
        assert!(key(rule).contains("KeyArn"));
    }
    // And every role may use it.
    let (_, policy) =
        resources_of("AWS::IAM::ManagedPolicy").into_iter().find(|(id, _)| id == "KeyPolicy").unwrap();
    let reached: BTreeSet<String> =
        each(&policy["Roles"]).iter().map(|role| role["Ref"].as_str().unwrap().to_owned()).collect();
    let roles: BTreeSet<String> = resources_of("AWS::IAM::Role").into_iter().map(|(id, _)| id).collect();
    assert_eq!(reached, roles);
}

#[test]
fn an_operators_policy_reaches_what_its_command_does_and_leaves_a_record() {
    let policies = resources_of("AWS::IAM::ManagedPolicy");
    let of_commands: Vec<_> =
        policies.iter().filter(|(id, _)| id.starts_with("Operators") && id != "OperatorsKeyPolicy").collect();
    assert_eq!(of_commands.len(), 6);
    for (id, policy) in &of_commands {
        let statements = each(&policy["PolicyDocument"]["Statement"]);
        for statement in &statements {
            let text = statement.to_string();
            assert!(!text.contains('*'), "{id}: {text}");
        }
        let on = |table: &str, action: &str| {
            statements.iter().any(|statement| {
                statement["Resource"].to_string().contains(table)
                    && each(&statement["Action"]).contains(&Value::from(action))
                    && statement.get("Condition").is_none()
            })
        };
        let records = statements.iter().any(|statement| {
            statement["Action"] == "dynamodb:PutItem"
                && statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"] == "operations"
        });
        assert!(records || id == "OperatorsOperationsPolicy", "{id} leaves no record");
        // Only who publishes writes programmes.
        assert_eq!(on("ProgrammesTable", "dynamodb:PutItem"), id == "OperatorsPublishPolicy", "{id}");
        assert!(!on("ErasuresTable", "dynamodb:DeleteItem"), "{id}");
    }
}

#[test]
fn every_table_is_on_demand_encrypted_recoverable_and_kept() {
    let document = yaml::read(DEPLOYED).unwrap();
    for (id, table) in resources_of("AWS::DynamoDB::Table") {
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST", "{id}");
        for encrypted in [1, 2] {
            assert_eq!(table["SSESpecification"]["Fn::If"][encrypted]["SSEEnabled"], true, "{id}");
        }
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{id}");
        assert_eq!(table["DeletionProtectionEnabled"], true, "{id}");
        assert_eq!(document["Resources"][&id]["DeletionPolicy"], "Retain", "{id}");
        assert_eq!(document["Resources"][&id]["UpdateReplacePolicy"], "Retain", "{id}");
    }
}

#[test]
fn every_stream_is_bounded_and_keeps_what_it_gives_up() {
    let mut streams = 0;
    for (id, function) in resources_of("AWS::Serverless::Function") {
        for (name, event) in function["Events"].as_object().unwrap() {
            if event["Type"] != "DynamoDB" {
                continue;
            }
            streams += 1;
            let properties = &event["Properties"];
            let age = properties["MaximumRecordAgeInSeconds"].as_u64().unwrap();
            // A stream itself forgets after a day, and then there is nothing left to keep.
            assert!(age > 0 && age < 86_400, "{id}.{name}");
            // Age alone decides.
            assert_eq!(properties["MaximumRetryAttempts"], -1, "{id}.{name}");
            assert_eq!(properties["StartingPosition"], "TRIM_HORIZON", "{id}.{name}");
            assert_eq!(properties["FunctionResponseTypes"][0], "ReportBatchItemFailures", "{id}.{name}");
            assert_eq!(properties["DestinationConfig"]["OnFailure"]["Type"], "S3", "{id}.{name}");
        }
    }
    assert_eq!(streams, 3);
}

#[test]
fn every_alarm_reaches_the_operators_and_every_topic_is_encrypted() {
    let alarms = resources_of("AWS::CloudWatch::Alarm");
    assert!(!alarms.is_empty());
    for (id, alarm) in alarms {
        assert_eq!(alarm["AlarmActions"][0]["Ref"], "OperatorsTopic", "{id}");
    }
    for (id, topic) in resources_of("AWS::SNS::Topic") {
        assert!(topic.get("KmsMasterKeyId").is_some(), "{id}");
    }
}

#[test]
fn every_function_has_an_alarm_for_its_errors() {
    let watched: BTreeSet<String> = resources_of("AWS::CloudWatch::Alarm")
        .into_iter()
        .filter(|(_, alarm)| alarm["MetricName"] == "Errors")
        .filter_map(|(_, alarm)| Some(alarm.pointer("/Dimensions/0/Value/Ref")?.as_str()?.to_owned()))
        .collect();
    let functions: BTreeSet<String> =
        resources_of("AWS::Serverless::Function").into_iter().map(|(id, _)| id).collect();
    assert_eq!(watched, functions);
}
