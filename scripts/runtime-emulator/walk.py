"""Every sample event, to its function under the Runtime Interface Emulator, and what comes of it."""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import urllib.request

from loopback import free_port
from processes import adopt_orphans, end_orphans, running

EVENTS = pathlib.Path("events")
FUNCTIONS = (
    "order-webhook", "points-accrual", "tier-review", "order-sweep", "notifications", "member-api", "erasure",
)
# The member of whom the sample events tell; the run's own member takes the name's place.
SAMPLE_MEMBER = "7K3QW9XZ4HBN2PRT6VYC"
# What each webhook is answered that is not stored; these are sent as they are, the others signed anew.
NOT_STORED = {
    "generic-bad-signature": 401, "woocommerce-ping": 200, "adobe-commerce-challenge": 200,
    "shopify-customers-update": 200, "shopify-customers-email-marketing-consent-update": 200, "square-customer-updated": 200,
}
# What nobody signs anew.
AS_THEY_CAME = {"generic-bad-signature", "woocommerce-ping", "adobe-commerce-challenge"}
# What a member's request is answered, if not 200; programme.toml asks for no ratings, and nobody is there to be merged.
NOT_OK = {"delete-device": 204, "enrol": 201, "put-device": 201, "put-rating": 409, "merge": 409, "unmerge": 409}
# Of the order of 45.90 in events/points-accrual, at programme.toml's 10 points per unit.
LIFETIME_POINTS = 459
NO_FAILURES = {"batchItemFailures": []}
INVOKED_WITHIN_SECONDS = 60


class Functions:
    """The functions under their emulators, by name."""

    def __init__(self, given: argparse.Namespace):
        self.given = given
        self.addresses: dict[str, str] = {}

    @contextlib.contextmanager
    def started(self):
        with contextlib.ExitStack() as servers:
            http, dynamodb = free_port(), free_port()
            # The sources name the local stack's usual port, where it plays the platforms' APIs.
            sources = pathlib.Path("local/sources.toml").read_text().replace(":3000/", f":{http}/")
            self.sources = self.given.stage / "sources.toml"
            self.sources.write_text(sources)
            stack = [
                self.given.built / "laurel", "--port", str(http), "--dynamodb-port", str(dynamodb),
                "--data", self.given.stage / "data", "--sources", self.sources,
            ]
            servers.enter_context(running(stack, ours(), self.given.stage / "laurel.log", http))
            self.stack = f"http://127.0.0.1:{http}"
            for name in FUNCTIONS:
                servers.enter_context(self.emulated(name, f"http://127.0.0.1:{dynamodb}"))
            yield

    def emulated(self, name: str, dynamodb: str):
        port, runtime_api = free_port(), free_port()
        command = [
            self.given.emulator, "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
            "--runtime-api-address", f"127.0.0.1:{runtime_api}", self.given.built / name,
        ]
        self.addresses[name] = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        log = self.given.stage / f"{name}.log"
        return running(command, ours() | variables(name, dynamodb, self.stack), log, port)

    def invoke(self, name: str, event: str):
        request = urllib.request.Request(self.addresses[name], data=event.encode())
        with urllib.request.urlopen(request, timeout=INVOKED_WITHIN_SECONDS) as answer:
            return json.load(answer)

    def inbox(self) -> list[dict]:
        """What was published so far, to whom."""
        with urllib.request.urlopen(f"{self.stack}/local/inbox?channel=email") as answer:
            return json.load(answer)

    def signed(self, event: pathlib.Path) -> str:
        """A webhook's event, signed for now."""
        command = [self.given.built / "laurel", "sign", "--sources", self.sources, "--event", event]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def ours() -> dict[str, str]:
    """The environment that every process gets; nothing of it reaches AWS itself."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def variables(name: str, dynamodb: str, stack: str) -> dict[str, str]:
    """What `sam local` gives a function, with the local stack where it is now."""
    declared = json.loads((EVENTS / "env.json").read_text())["Parameters"]
    return declared | {
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
        "AWS_ENDPOINT_URL_SNS": f"{stack}/local/sns",
        "AWS_ENDPOINT_URL_SSM": f"{stack}/local/ssm",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def walk(functions: Functions) -> None:
    customer = text("member-api", "find-member")
    expect("find-member, before the order", functions.invoke("member-api", customer)["statusCode"], 404)
    for case in ("order-paid", "order-refunded"):
        expect(f"points-accrual, {case}", functions.invoke("points-accrual", text("points-accrual", case)), NO_FAILURES)
    answer = functions.invoke("member-api", customer)
    expect("find-member, after it", answer["statusCode"], 200)
    account = json.loads(answer["body"])
    expect("its lifetime points", account["lifetime_points"], LIFETIME_POINTS)

    for case in cases("order-webhook"):
        sample = EVENTS / "order-webhook" / f"{case}.json"
        event = functions.signed(sample) if case not in AS_THEY_CAME else sample.read_text()
        status = functions.invoke("order-webhook", event)["statusCode"]
        expect(f"order-webhook, {case}", status, NOT_STORED.get(case, 202))
    for case in cases("erasure"):
        expect(f"erasure, {case}", functions.invoke("erasure", text("erasure", case)), NO_FAILURES)
    for function in ("tier-review", "order-sweep"):
        for case in cases(function):
            report = functions.invoke(function, text(function, case))
            expect(f"{function}, {case}", (report["failed"], report["complete"]), (0, True))
    for case in cases("member-api"):
        event = text("member-api", case).replace(SAMPLE_MEMBER, account["member"])
        expect(f"member-api, {case}", functions.invoke("member-api", event)["statusCode"], NOT_OK.get(case, 200))
    for case in cases("notifications"):
        event = text("notifications", case).replace(SAMPLE_MEMBER, account["member"])
        expect(f"notifications, {case}", functions.invoke("notifications", event), NO_FAILURES)
    told = {(message["member"], message["event"]) for message in functions.inbox()}
    expect("whether the member was told of the coupon", (account["member"], "coupon_issued") in told, True)


def cases(function: str) -> list[str]:
    return sorted(file.stem for file in (EVENTS / function).glob("*.json"))


def text(function: str, case: str) -> str:
    return (EVENTS / function / f"{case}.json").read_text()


def expect(what: str, found, wanted) -> None:
    assert found == wanted, f"{what}: {found}, not {wanted}"
    print(f"  {what}: {found}", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser()
    for name in ("emulator", "built", "stage"):
        arguments.add_argument(f"--{name}", type=lambda path: pathlib.Path(path).absolute(), required=True)
    adopt_orphans()
    functions = Functions(arguments.parse_args())
    try:
        with functions.started():
            walk(functions)
    finally:
        end_orphans()
    print("Every function works under the Runtime Interface Emulator.")


if __name__ == "__main__":
    main()
