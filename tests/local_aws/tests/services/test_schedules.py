"""Schedules of EventBridge Scheduler, and what becomes of what cannot be delivered."""

import datetime
import json
import math
import time

from dateutil import tz

from local_aws.clients import EVENTS, client
from local_aws.services.deliveries import Delivery, deliver

from .. import support
from ..support import control, ended, machine, output, start
from .test_functions import invoke

START = "arn:aws:scheduler:::aws-sdk:sfn:startExecution"
ROLE = "arn:aws:iam::123456789012:role/scheduler"
WINDOW = {"Mode": "OFF"}


def soon() -> datetime.datetime:
    """A whole second, since schedules have no others, but not so soon that it could be past before it is asked for."""
    return datetime.datetime.fromtimestamp(math.ceil(time.time() + 1.5), datetime.timezone.utc)


class Schedules(support.TestCase):
    def setUp(self):
        self.name = support.unique("schedule")
        self.machine = machine({"W": {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "End": True}})
        self.url = client("sqs").create_queue(QueueName=support.unique("dead"))["QueueUrl"]
        self.queue = f"arn:aws:sqs:eu-west-1:123456789012:{self.url.rpartition('/')[2]}"

    def make(self, expression: str, seconds: float = 0, timezone: str = "UTC", **target) -> None:
        given = {"StateMachineArn": self.machine, "Name": "literal", "Input": json.dumps({"seconds": seconds})}
        target = {
            "Arn": START,
            "RoleArn": ROLE,
            "Input": json.dumps(given),
            "DeadLetterConfig": {"Arn": self.queue},
            **target,
        }
        client("scheduler").create_schedule(
            Name=self.name,
            ScheduleExpression=expression,
            ScheduleExpressionTimezone=timezone,
            FlexibleTimeWindow=WINDOW,
            Target=target,
        )
        self.addCleanup(client("scheduler").delete_schedule, Name=self.name)

    def fire(self) -> dict:
        return control("fire-schedule", {"name": self.name})

    def executions(self) -> list[dict]:
        return client("stepfunctions").list_executions(stateMachineArn=self.machine)["executions"]

    def dead_letters(self) -> list[dict]:
        found = client("sqs").receive_message(QueueUrl=self.url, MessageAttributeNames=["All"])
        return found.get("Messages", [])


class Times(Schedules):
    def test_once_at_its_time_in_its_zone_under_its_name(self):
        zone = "Asia/Tokyo"
        due = soon()
        self.make(f"at({due.astimezone(tz.gettz(zone)).strftime('%Y-%m-%dT%H:%M:%S')})", timezone=zone)
        (execution,) = support.until(self.executions)
        self.assertEqual("literal", execution["name"])
        self.assertGreaterEqual(execution["startDate"], due)
        with self.assertRaises(AssertionError):
            support.until(lambda: len(self.executions()) > 1 or self.dead_letters(), 0.3)

    def test_never_when_it_was_past_already(self):
        self.make("at(2020-01-01T00:00:00)")
        with self.assertRaises(AssertionError):
            support.until(self.executions, 0.3)

    def test_rates_again_and_again(self):
        arn = support.server().stack["functions"]["cutover-echo"]
        given = json.dumps({"value": self.name, "at": "<aws.scheduler.scheduled-time>"})
        self.make("rate(1 minute)", Arn=arn, Input=given)

        def calls():
            return [call["payload"] for call in control("invocations") if call["payload"].get("value") == self.name]

        times = support.until(lambda: len(calls()) >= 2 and calls())
        self.assertRegex(times[0]["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_what_cannot_be_emulated_is_refused(self):
        for given, expected in ({"expression": "cron(0 2 * * ? *)"}, "cron"), (
            {"expression": "at(2100-01-01T02:00:00)", "timezone": "Europe/Nowhere"},
            "Nowhere",
        ):
            with self.subTest(expected):
                self.assertIn(expected, self.refused("ValidationException", self.make, **given))


class Twice(Schedules):
    FAR = "at(2100-01-01T02:00:00)"

    def test_a_second_delivery_while_it_runs_is_the_same_run(self):
        self.make(self.FAR, seconds=60)
        first, second = self.fire(), self.fire()
        self.assertEqual((True, first), (first["delivered"], second))
        self.assertEqual(1, len(self.executions()))

    def test_afterwards_it_is_refused_and_kept(self):
        self.make(self.FAR)
        ended(self.fire()["execution_arn"])
        second = self.fire()
        self.assertEqual((False, "ExecutionAlreadyExists"), (second["delivered"], second["error"]))
        self.assertTrue(second["dead_letter"])
        (letter,) = self.dead_letters()
        self.assertEqual("literal", json.loads(letter["Body"])["Name"])
        told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
        self.assertEqual(("ExecutionAlreadyExists", START), (told["ERROR_CODE"], told["TARGET_ARN"]))

    def test_there_must_be_exactly_one_of_that_name(self):
        with self.assertRaisesRegex(support.ControlError, "0 schedules"):
            control("fire-schedule", {"name": "nope"})


class Targets(Schedules):
    FAR = Twice.FAR

    def test_the_templated_one_of_step_functions(self):
        self.make(self.FAR, Arn=self.machine, Input='{"seconds": 0, "a": 1}')
        self.assertEqual({"seconds": 0, "a": 1}, output(ended(self.fire()["execution_arn"])))

    def test_mistakes_are_told(self):
        for arn, given, expected in (
            (START, {"Nome": "x"}, "StartExecution has no parameters Nome"),
            (START.replace("startExecution", "startIt"), {}, "sfn has no operation startIt"),
            ("arn:aws:batch:eu-west-1:123456789012:job/x", {}, "not emulated"),
        ):
            answer = deliver(Delivery(EVENTS, {"Arn": arn}, json.dumps(given), "{}"))
            self.assertEqual((False, False), (answer["delivered"], answer["dead_letter"]))
            self.assertIn(expected, answer["message"])

    def test_a_rule_that_cannot_deliver_keeps_the_event(self):
        name, gone = support.unique("rule"), "arn:aws:lambda:eu-west-1:123456789012:function:gone"
        pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [self.machine], "status": ["ABORTED"]}}
        client("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
        target = {"Id": "1", "Arn": gone, "Input": "{}", "DeadLetterConfig": {"Arn": self.queue}}
        client("events").put_targets(Rule=name, Targets=[target])
        self.addCleanup(client("events").put_rule, Name=name, EventPattern=json.dumps(pattern), State="DISABLED")
        client("stepfunctions").stop_execution(executionArn=start(self.machine, {"seconds": 600}))
        (letter,) = support.until(self.dead_letters)
        self.assertEqual("ABORTED", json.loads(letter["Body"])["detail"]["status"])

    def test_a_failing_function_was_reached(self):
        self.make(self.FAR, Arn=support.server().stack["functions"]["cutover-echo"], Input='{"do": "exit"}')
        self.assertEqual({"delivered": True}, self.fire())
        self.assertIsNone(invoke({})[1])
