"""An order's way through the deployed stack, and a review's."""

import argparse
import datetime
import json
import pathlib
import zoneinfo

from emulator import running
from stack import NAME, Stack, eventually

# The programme's, in programme.toml: 10 points per unit, a coupon at 5,000, silver from 5 orders, expiry after a year.
PROGRAMME = pathlib.Path("programme.toml")
ORDERS = 5
AMOUNT_MINOR = 52_000
POINTS = ORDERS * 5_200
COUPONS, BALANCE = divmod(POINTS, 5_000)
# Time for an order to become points before they expire, even on a busy machine.
SOON = datetime.timedelta(seconds=20)


def main() -> None:
    arguments = argparse.ArgumentParser()
    for name in ("template", "stage", "sam", "laurel"):
        arguments.add_argument(f"--{name}", type=lambda path: pathlib.Path(path).absolute(), required=True)
    given = arguments.parse_args()
    with running(given.stage / "emulator") as endpoint:
        stack = Stack(endpoint)
        stack.deploy(given.template, given.stage, given.sam)
        stack.set_up(given.laurel, PROGRAMME)
        events = stack.subscribe("integrator", stack.outputs["EventsTopic"])
        emails = stack.subscribe(
            "emails", stack.outputs["NotificationsTopic"], FilterPolicy=json.dumps({"channel": ["email"]})
        )
        orders_become_points_coupons_and_a_tier(stack)
        messages_go_out(stack, events, emails)
        an_order_that_cannot_be_processed_is_put_aside(stack)
        the_schedule_lets_points_run_out(stack, events)
        nothing_was_given_up(stack)
    print("The template works on MiniStack.")


def orders_become_points_coupons_and_a_tier(stack: Stack) -> None:
    print("Webhooks in")
    now = datetime.datetime.now(datetime.timezone.utc)
    placed = [now - datetime.timedelta(minutes=minute) for minute in range(ORDERS, 0, -1)]
    forged = stack.order("1", "customer-1", AMOUNT_MINOR, placed[0], forged=True)
    expect("a forged webhook's answer", forged["status"], 401)
    for number, at in enumerate(placed, 1):
        answer = stack.order(str(number), "customer-1", AMOUNT_MINOR, at)
        expect("a webhook's answer", answer, {"status": 202, "body": {"status": "stored"}})
    again = stack.order("1", "customer-1", AMOUNT_MINOR, placed[0])
    expect("a redelivery's answer", again, {"status": 202, "body": {"status": "known"}})

    def complete():
        account = stack.account("customer-1")
        return account if account and account["lifetime_points"] >= POINTS else None

    account = eventually(f"{POINTS:,} points", complete)
    expect("lifetime points", account["lifetime_points"], POINTS)
    expect("balance", account["balance"], BALANCE)
    expect("tier", account["tier"], "silver")
    expect("coupons", [coupon["state"] for coupon in account["coupons"]], ["issued"] * COUPONS)

    items = stack.items(account["member"])
    profile = next(item for item in items if item["item"] == "profile")
    expect("the profile's balance", profile["balance"], BALANCE)
    expect("coupon items", sum(item["item"].startswith("coupon#") for item in items), COUPONS)
    expect("orders in the journal", sum(item.get("kind") == "order" for item in items), ORDERS)


def messages_go_out(stack: Stack, events: str, emails: str) -> None:
    print("Messages out")
    wanted = ["coupon_issued"] * COUPONS + ["tier_reached"]
    for queue, url in (("integrator", events), ("emails", emails)):
        heard = []

        def complete():
            heard.extend(stack.received(url))
            return len(heard) >= len(wanted)

        eventually(f"{len(wanted)} messages to {queue}", complete)
        expect(f"what {queue} hears", sorted(message["event"] for message in heard), wanted)
        named = "customer-1@example.com" in json.dumps(heard)
        expect(f"whether {queue} is told who it is", named, url == emails)


def an_order_that_cannot_be_processed_is_put_aside(stack: Stack) -> None:
    print("Order parked")
    now = datetime.datetime.now(datetime.timezone.utc)
    expect("its answer", stack.order("dollars", "customer-1", AMOUNT_MINOR, now, currency="USD")["status"], 202)
    eventually("its parking", lambda: logged_errors(stack, "points-accrual"))


def the_schedule_lets_points_run_out(stack: Stack, events: str) -> None:
    print("Schedule fired")
    placed_at = a_year_before(datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Paris")) + SOON)
    expect("an old order's answer", stack.order("old", "customer-2", 3_000, placed_at)["status"], 202)
    account = eventually("300 points that run out soon", lambda: stack.account("customer-2"))
    expect("balance", account["balance"], 300)
    eventually("their end", lambda: stack.account("customer-2")["balance"] == 0)
    kinds = [item.get("kind") for item in stack.items(account["member"])]
    expect("kinds of entries before the review", kinds.count("points_expired"), 0)

    scheduler = stack.client("scheduler")
    # Its name is CloudFormation's own, so it is found by what it wakes.
    names = [summary["Name"] for summary in scheduler.list_schedules()["Schedules"]]
    schedules = [scheduler.get_schedule(Name=name) for name in names]
    [schedule] = [schedule for schedule in schedules if "TierReviewFunction" in schedule["Target"]["Arn"]]
    expect("schedule", schedule["ScheduleExpression"], "rate(1 hour)")
    expect("its zone", schedule["ScheduleExpressionTimezone"], "UTC")
    # Nobody waits for the hour: another schedule has the same target, role and all, and fires now.
    now = datetime.datetime.now(datetime.timezone.utc)
    scheduler.create_schedule(
        Name=f"{NAME}-review-now", ScheduleExpression=now.strftime("at(%Y-%m-%dT%H:%M:%S)"),
        FlexibleTimeWindow=schedule["FlexibleTimeWindow"], Target=schedule["Target"],
    )

    def expired():
        return [message for message in stack.received(events) if message["event"] == "points_expired"]

    [message] = eventually("points_expired to integrator", expired)
    expect("whose", message["member"], account["member"])
    expect("points", message["points"], -300)


def nothing_was_given_up(stack: Stack) -> None:
    bucket = stack.outputs["FailedRecordsBucket"]
    expect("failed records", stack.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"], 0)
    for queue in ("FailedReviewsQueue", "FailedSweepsQueue"):
        expect(queue, stack.received(stack.outputs[queue]), [])
    # Once: what is parked wakes the accrual no more.
    wanted = {"points-accrual": ["parked"]}
    functions = (
        "order-webhook", "points-accrual", "tier-review", "order-sweep", "notifications", "member-api", "erasure",
    )
    for function in functions:
        expect(f"errors of {function}", logged_errors(stack, function), wanted.get(function, []))


def logged_errors(stack: Stack, function: str) -> list[str]:
    lines = stack.client("logs").filter_log_events(logGroupName=f"/laurel/{NAME}/{function}")["events"]
    return [json.loads(line["message"])["message"] for line in lines if '"level":"ERROR"' in line["message"]]


def a_year_before(moment: datetime.datetime) -> datetime.datetime:
    """Twelve calendar months before, by the programme's clock on the wall."""
    day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
    return moment.replace(year=moment.year - 1, day=day)


def expect(what: str, found, wanted) -> None:
    assert found == wanted, f"{what}: {found}, not {wanted}"
    print(f"  {what}: {found}", flush=True)


if __name__ == "__main__":
    main()
