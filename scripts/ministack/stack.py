"""The deployed stack: deploying it, and the calls that a shop, a checkout and an operator make of it."""

import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import secrets
import subprocess
import time

import boto3

from emulator import ACCOUNT, REGION, conceded, environment

NAME = "laurel"
SOURCE = "shop"
# A stream's batch, a function's start and the emulator's own pace take a second or two; a busy machine many more.
EVENTUALLY_SECONDS = 90
DEPLOYED_WITHIN_SECONDS = 300


class Stack:
    """Everything by name, with a client for each service."""

    def __init__(self, endpoint: str):
        session = boto3.Session("test", "test", region_name=REGION)
        self.client = lambda service: session.client(service, endpoint_url=endpoint)
        self.key = secrets.token_bytes(24)
        self.endpoint = endpoint
        self.lambdas = self.client("lambda")
        self.queues = self.client("sqs")

    def deploy(self, template: pathlib.Path, stage: pathlib.Path, sam: pathlib.Path) -> None:
        """Deploys as the README says, with the functions that lie beside the copy of the template."""
        copy = stage / "template.yaml"
        copy.write_text(conceded(template.read_text()))
        command = [
            sam, "deploy", "--template-file", copy, "--stack-name", NAME, "--region", REGION, "--resolve-s3",
            "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset",
            "--parameter-overrides", "Architecture=x86_64",
        ]
        told = subprocess.run(
            command, env=environment(self.endpoint), cwd=stage, timeout=DEPLOYED_WITHIN_SECONDS,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        if told.returncode != 0:
            raise RuntimeError(f"sam deploy:\n{told.stdout}")
        formation = self.client("cloudformation")
        outputs = formation.describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in outputs}
        pages = formation.get_paginator("list_stack_resources").paginate(StackName=NAME)
        resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
        self.resources = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
        print(f"Deployed {len(resources)} resources", flush=True)

    def set_up(self, laurel: pathlib.Path, programme: pathlib.Path) -> None:
        """What an owner does once: the source's secret, the programme."""
        source = {"platform": "generic", "secrets": ["whsec_" + base64.b64encode(self.key).decode()]}
        name = f"{self.outputs['SourcesPath']}/{SOURCE}"
        self.client("ssm").put_parameter(Name=name, Type="SecureString", Value=json.dumps(source))
        assignments = self.outputs["Environment"].removeprefix("export ").split()
        tables = dict(assignment.split("=", 1) for assignment in assignments)
        subprocess.run([laurel, "publish", programme], env=environment(self.endpoint) | tables, check=True)

    def subscribe(self, queue: str, topic: str, **attributes: str) -> str:
        """A queue that hears a topic, as an integrator would set it up; answers its address."""
        url = self.queues.create_queue(QueueName=queue)["QueueUrl"]
        arn = self.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        attributes = {"RawMessageDelivery": "true"} | attributes
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url

    def order(self, number: str, customer: str, amount_minor: int, placed_at: datetime.datetime, **change) -> dict:
        """Sends an order as a signed webhook through the Invoke API, in a `currency` that may be another than the
        programme's; `forged` spoils the signature."""
        order = {
            "id": number, "placed_at": placed_at.isoformat(timespec="seconds"),
            "currency": change.get("currency", "EUR"),
            "goods": {"amount_minor": amount_minor}, "status": "paid",
            "customer": {"id": customer, "email": f"{customer}@example.com", "email_verified": True},
        }
        body = json.dumps({"type": "order.updated", "order": order | {"updated_at": order["placed_at"]}})
        delivery, seconds = f"msg_{number}", str(int(time.time()))
        key = b"forged" if change.get("forged") else self.key
        digest = hmac.new(key, f"{delivery}.{seconds}.{body}".encode(), hashlib.sha256).digest()
        headers = {
            "content-type": "application/json", "webhook-id": delivery, "webhook-timestamp": seconds,
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
        }
        return self.request("OrderWebhookFunction", "POST", "/webhooks/{source}", {"source": SOURCE}, {}, headers, body)

    def account(self, customer: str) -> dict | None:
        """A customer's account as the member API tells it; None where there is none yet."""
        query = {"source": SOURCE, "customer": customer}
        answer = self.request("MemberApiFunction", "GET", "/members", {}, query, {}, None)
        return answer["body"] if answer["status"] == 200 else None

    def request(self, function, method, route, path, query, headers, body) -> dict:
        """An HTTP API's event, version 2.0, to a function, and its answer."""
        raw_path = route.format(**path)
        event = {
            "version": "2.0", "routeKey": f"{method} {route}", "rawPath": raw_path,
            "rawQueryString": "&".join(f"{name}={value}" for name, value in query.items()),
            "headers": headers, "queryStringParameters": query, "pathParameters": path,
            "requestContext": {
                "accountId": ACCOUNT, "apiId": "api", "domainName": "api.example.com", "domainPrefix": "api",
                "http": {"method": method, "path": raw_path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.10",
                         "userAgent": "walk"},
                "requestId": "walk", "routeKey": f"{method} {route}", "stage": "$default",
                "time": "01/Mar/2026:10:00:00 +0000", "timeEpoch": 1772359200000,
            },
            "body": body, "isBase64Encoded": False,
        }
        answer = self.lambdas.invoke(FunctionName=self.resources[function], Payload=json.dumps(event))
        payload = json.load(answer["Payload"])
        assert "FunctionError" not in answer, f"{function} fails: {payload}"
        return {"status": payload["statusCode"], "body": json.loads(payload["body"] or "null")}

    def received(self, url: str) -> list[dict]:
        """What has come into a queue since, taken out of it."""
        answer = self.queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = answer.get("Messages", [])
        for message in messages:
            self.queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    def items(self, member: str) -> list[dict]:
        """Everything that the members table has of a member."""
        table = boto3.resource(
            "dynamodb", region_name=REGION, endpoint_url=self.endpoint,
            aws_access_key_id="test", aws_secret_access_key="test",
        ).Table(self.outputs["MembersTable"])
        condition = boto3.dynamodb.conditions.Key("member").eq(member)
        return table.query(KeyConditionExpression=condition)["Items"]


def eventually(what: str, probe):
    """The first answer of a probe that is not nothing, within the time there is."""
    start = time.monotonic()
    while time.monotonic() - start < EVENTUALLY_SECONDS:
        if answer := probe():
            print(f"  {what}: after {time.monotonic() - start:.1f} s", flush=True)
            return answer
        time.sleep(0.2)
    raise AssertionError(f"not within {EVENTUALLY_SECONDS} s: {what}")
