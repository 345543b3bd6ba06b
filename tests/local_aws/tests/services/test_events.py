"""EventBridge rules that fire."""

import json
import unittest

from local_aws.clients import client
from local_aws.services import events, schedules

from .. import support
from ..support import control, ended, start


class StatusEvents(support.TestCase):
    def setUp(self):
        self.cutover = support.server().stack["state_machines"]["cutover"]
        self.count = len(self.told())

    def tearDown(self):
        control("events", {"status_events": True})

    def told(self) -> list[dict]:
        """What the sweep was told."""
        return [call["payload"] for call in control("invocations") if call["function"].endswith("cutover-sweep")]

    def new(self) -> list[dict]:
        return self.told()[self.count :]

    def stopped(self) -> str:
        execution = start(self.cutover, {"seconds": 10_000})
        client("stepfunctions").stop_execution(executionArn=execution)
        return execution

    def test_an_aborted_cutover_is_told_to_the_sweep_by_its_arn(self):
        execution = self.stopped()
        self.assertEqual([{"run_id": execution}], support.until(self.new))

    def test_a_failed_one_too_but_not_a_success(self):
        ended(start(self.cutover, {"seconds": "no number"}))
        support.until(self.new)
        ended(start(self.cutover, {"seconds": 0}))
        with self.assertRaises(AssertionError):
            support.until(lambda: len(self.new()) > 1, 0.4)

    def test_a_beginning_is_told_once_and_before_it_has_an_end(self):
        api, queue = client("events"), client("sqs").create_queue(QueueName=support.unique("begun"))["QueueUrl"]
        arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        name, pattern = support.unique("begun"), {"detail": {"stateMachineArn": [self.cutover], "status": ["RUNNING"]}}
        api.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.states"], **pattern}))
        api.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail"}])
        self.addCleanup(api.put_rule, Name=name, EventPattern=json.dumps(pattern), State="DISABLED")
        given = {"stateMachineArn": self.cutover, "name": support.unique("run"), "input": json.dumps({"seconds": 10_000})}
        executions = {client("stepfunctions").start_execution(**given)["executionArn"] for _ in range(2)}
        self.assertEqual(1, len(executions))

        def told():
            messages = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
            return [json.loads(message["Body"]) for message in messages]

        (begun,) = support.until(told)
        self.assertEqual(("RUNNING", None, None), (begun["status"], begun["stopDate"], begun["output"]))
        self.assertEqual(given["input"], begun["input"])
        with self.assertRaises(AssertionError):
            support.until(told, 0.4)
        client("stepfunctions").stop_execution(executionArn=executions.pop())
        support.until(self.new)  # so that no other test counts its end

    def test_they_can_be_dropped(self):
        control("events", {"status_events": False})
        self.stopped()
        with self.assertRaises(AssertionError):
            support.until(self.new, 0.4)


class Rates(support.TestCase):
    def test_a_rate_rule_fires_its_function_again_and_again(self):
        api, name = client("events"), support.unique("rate")
        arn = support.server().stack["functions"]["cutover-echo"]
        api.put_rule(Name=name, ScheduleExpression="rate(1 minute)")
        api.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, "Input": json.dumps({"value": name})}])
        self.addCleanup(api.put_rule, Name=name, ScheduleExpression="rate(1 minute)", State="DISABLED")
        self.addCleanup(control, "events", {"sweep": False})

        def fired():
            return [call for call in control("invocations") if call["payload"] == {"value": name}]

        control("events", {"sweep": True})
        support.until(lambda: len(fired()) >= 2)

    def test_an_unknown_schedule_is_an_error(self):
        with self.assertRaises(ValueError):
            schedules.rate_seconds("cron(0 12 * * ? *)")


class Inputs(unittest.TestCase):
    EVENT = {"detail": {"arn": 'a"b', "list": [1]}}

    def test_strings_are_quoted_outside_strings_only(self):
        target = {
            "InputTransformer": {
                "InputPathsMap": {"a": "$.detail.arn", "l": "$.detail.list"},
                "InputTemplate": '{"run_id": <a>, "text": "of <a>", "list": <l>}',
            }
        }
        answered = json.loads(events.target_input(target, self.EVENT))
        self.assertEqual({"run_id": 'a"b', "text": 'of a"b', "list": [1]}, answered)

    def test_input_and_path(self):
        self.assertEqual("{}", events.target_input({"Input": "{}"}, self.EVENT))
        self.assertEqual("[1]", events.target_input({"InputPath": "$.detail.list"}, self.EVENT))
        self.assertEqual(self.EVENT, json.loads(events.target_input({}, self.EVENT)))
