"""Each correction to the Step Functions engine."""

import json
import time
import unittest.mock

from local_aws.clients import client
from local_aws.settings import ACCOUNT_ID, REGION

from .. import support
from ..support import echo, ended, event_types, machine, output, run, start

SUCCEED = {"Type": "Succeed"}
HOUR_SECONDS = 3600
LONG_SECONDS = 1000 * HOUR_SECONDS


def states_api(action: str, arguments: dict, **fields) -> dict:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{action}", "Arguments": arguments, "End": True, **fields}


def caught(error: str, output_: str = "{% $states.errorOutput %}") -> list[dict]:
    return [{"ErrorEquals": [error], "Next": "C", "Output": output_}]


class Services(support.TestCase):
    def test_a_child_execution_is_started_and_described(self):
        child = machine({"A": {"Type": "Succeed", "Output": "{% $states.input.x * 2 %}"}})
        started = output(run({"A": states_api("states:startExecution", {"StateMachineArn": child, "Input": {"x": 3}})}))
        self.assertIn("ExecutionArn", started)
        described = output(
            run({"A": states_api("aws-sdk:sfn:describeExecution", {"ExecutionArn": started["ExecutionArn"]})})
        )
        self.assertRegex(described["StartDate"], r"Z$")

    def test_a_second_child_of_the_name_is_the_same_and_after_its_end_an_error(self):
        child = machine({"W": {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "End": True}})
        given = {"StateMachineArn": child, "Name": "literal", "Input": {"seconds": 240}}
        state = states_api("states:startExecution", given, Catch=caught("StepFunctions.ExecutionAlreadyExistsException"))
        first, second = (output(run({"A": state, "C": SUCCEED})) for _ in range(2))
        self.assertEqual(first["ExecutionArn"], second["ExecutionArn"])
        ended(first["ExecutionArn"])
        self.assertIn("Error", output(run({"A": state, "C": SUCCEED})))

    def test_sdk_services_go_by_their_sdk_names(self):
        for action in (
            "aws-sdk:elasticloadbalancingv2:describeLoadBalancers",
            "aws-sdk:databasemigration:describeReplicationTasks",
            "aws-sdk:route53:listHostedZones",
            "aws-sdk:cloudwatch:describeAlarms",
        ):
            with self.subTest(action):
                self.assertEqual("SUCCEEDED", run({"A": states_api(action, {})})["status"])

    def test_sdk_errors_have_their_names(self):
        state = states_api(
            "aws-sdk:elasticloadbalancingv2:describeTargetGroups",
            {"Names": ["nope"]},
            Catch=caught("ElasticLoadBalancingV2.TargetGroupNotFoundException"),
        )
        self.assertIn("Error", output(run({"A": state, "C": SUCCEED})))

    def test_a_missing_function_is_a_lambda_error(self):
        state = {**echo({}, Catch=caught("Lambda.ResourceNotFoundException")), "Arguments": {"FunctionName": "nope"}}
        self.assertIn("Error", output(run({"A": state, "C": SUCCEED})))

    def test_a_function_can_be_invoked_without_waiting(self):
        arguments = {"FunctionName": "cutover-echo", "InvocationType": "Event", "Payload": {"do": "sleep", "seconds": 4}}
        started = time.monotonic()
        self.assertEqual("SUCCEEDED", run({"A": {**echo({}), "Arguments": arguments}})["status"])
        self.assertLess(time.monotonic() - started, 4)


class Errors(support.TestCase):
    def test_a_choices_own_assign_is_for_when_no_rule_matches(self):
        def chosen(condition: str) -> str:
            rule = {"Condition": condition, "Next": "C", "Assign": {"by": "rule"}}
            choice = {"Type": "Choice", "Choices": [rule], "Assign": {"by": "default"}, "Default": "C"}
            return output(run({"A": choice, "C": {"Type": "Succeed", "Output": "{% $by %}"}}))

        self.assertEqual("rule", chosen("{% true %}"))
        self.assertEqual("default", chosen("{% false %}"))

    def test_no_choice_matched(self):
        choice = {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "C"}]}
        self.assertEqual("States.NoChoiceMatched", run({"A": choice, "C": SUCCEED})["error"])

    def test_a_function_error_is_caught_by_its_type(self):
        state = echo({"do": "fail", "type": "Cutover.Fenced"}, Catch=caught("Cutover.Fenced"))
        error = output(run({"A": state, "C": SUCCEED}))
        self.assertEqual("Cutover.Fenced", error["Error"])
        self.assertEqual("told to", json.loads(error["Cause"])["errorMessage"])

    def test_a_wildcard_neither_catches_nor_retries_these(self):
        retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": LONG_SECONDS}]
        too_large = echo({"value": "{% $pad('x', 300000, 'y') %}"}, Catch=caught("States.ALL"), Retry=retry)
        description = run({"A": too_large, "C": SUCCEED})
        self.assertEqual(("FAILED", "States.DataLimitExceeded"), (description["status"], description["error"]))

    def test_what_a_task_is_given_and_what_one_assign_sets_have_256_kib_each(self):
        half = {"Type": "Pass", "Assign": {"half": "{% $pad('x', 200000, 'y') %}"}, "Next": "A"}
        twice = {"value": "{% $half %}", "and": "{% $half %}"}
        too_much = echo(twice, Catch=caught("States.DataLimitExceeded"))
        self.assertIn("Error", output(run({"H": half, "A": too_much, "C": SUCCEED})))
        assign = {"Type": "Pass", "Assign": {"one": "{% $half %}", "other": "{% $half %}"}, "End": True}
        description = run({"H": half, "A": assign})
        self.assertEqual(("FAILED", "States.DataLimitExceeded"), (description["status"], description["error"]))

    def test_a_distributed_map_fails_above_its_tolerance(self):
        def result(**tolerance):
            item = {"Type": "Choice", "Choices": [{"Condition": "{% $states.input = 2 %}", "Next": "F"}], "Default": "C"}
            processor = {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "M",
                "States": {"M": item, "F": {"Type": "Fail", "Error": "Bad"}, "C": SUCCEED},
            }
            map_ = {"Type": "Map", "Label": "L", "Items": [1, 2, 3, 4], "ItemProcessor": processor, "End": True}
            return run({"A": {**map_, **tolerance}})

        self.assertEqual("States.ExceedToleratedFailureThreshold", result().get("error"))
        self.assertEqual("SUCCEEDED", result(ToleratedFailurePercentage=50)["status"])


class ErrorsWithin(support.TestCase):
    def test_a_map_fails_with_the_error_of_its_item_which_is_caught_for_each_item_alone(self):
        breaks = {"Type": "Pass", "Output": "{% $states.input = 1 ? $error('broken') : $states.input %}", "End": True}
        within = {"Type": "Map", "Items": "{% [$states.input] %}", "ItemProcessor": {"StartAt": "P", "States": {"P": breaks}}}
        caught = {"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "Caught"}
        states = {
            "Within": {**within, "Catch": [caught], "End": True},
            "Caught": {"Type": "Pass", "Output": "{% $string($states.context.Map.Item.Value) & $states.input %}", "End": True},
        }
        processor = {"StartAt": "Within", "States": states}
        around = {"Type": "Map", "Items": [1, 2], "MaxConcurrency": 1, "ItemProcessor": processor, "End": True}
        self.assertEqual(["1States.QueryEvaluationError", [2]], support.output(support.run({"M": around})))


class Variables(support.TestCase):
    def test_output_sees_the_variables_as_they_were(self):
        states = {
            "A": {"Type": "Pass", "Assign": {"n": 1}, "Next": "B"},
            "B": {"Type": "Pass", "Assign": {"n": "{% $n + 1 %}", "m": "{% $n %}"}, "Output": "{% $n %}", "Next": "D"},
            "D": {"Type": "Succeed", "Output": {"n": "{% $n %}", "m": "{% $m %}", "shown": "{% $states.input %}"}},
        }
        self.assertEqual({"n": 2, "m": 1, "shown": 1}, output(run(states)))

    def test_a_catcher_assigns_too(self):
        catch = [{"ErrorEquals": ["X"], "Next": "C", "Assign": {"e": "{% $states.errorOutput.Error %}"}}]
        states = {"A": echo({"do": "fail", "type": "X"}, Catch=catch), "C": {"Type": "Succeed", "Output": "{% $e %}"}}
        self.assertEqual("X", output(run(states)))

    def test_a_loop_counts(self):
        states = {
            "I": {"Type": "Pass", "Assign": {"i": 0}, "Next": "T"},
            "T": {"Type": "Choice", "Choices": [{"Condition": "{% $i < 5 %}", "Next": "S"}], "Default": "E"},
            "S": {"Type": "Pass", "Assign": {"i": "{% $i + 1 %}"}, "Next": "T"},
            "E": {"Type": "Succeed", "Output": "{% $i %}"},
        }
        self.assertEqual(5, output(run(states)))


class Time(support.TestCase):
    def test_waits_and_retry_delays_are_scaled(self):
        retry = [{"ErrorEquals": ["X"], "IntervalSeconds": 12, "BackoffRate": 1, "MaxAttempts": 1}]
        states = {"W": {"Type": "Wait", "Seconds": 18, "Next": "A"}, "A": echo({"do": "fail", "type": "X"}, Retry=retry)}
        started = time.monotonic()
        run(states)
        self.assertGreaterEqual(time.monotonic() - started, 30 / support.SPEED)
        self.assertLess(time.monotonic() - started, 5)

    def test_a_wait_for_longer_than_a_function_lives_outlives_those_that_run(self):
        arn = machine({"A": echo({"do": "sleep", "seconds": 8})})
        start(arn)
        support.until(lambda: support.server().functions.runtime.is_busy_since(time.monotonic()))
        for seconds, outlives in ((29, False), (31, True)):
            began = time.monotonic()
            run({"W": {"Type": "Wait", "Seconds": seconds, "End": True}})
            with self.subTest(seconds):
                self.assertEqual(outlives, time.monotonic() - began > 4)

    def test_task_timeouts_are_real_and_leave_the_function_alone(self):
        states = {"A": echo({"do": "sleep", "seconds": 2}, TimeoutSeconds=1, Catch=caught("States.Timeout")), "C": SUCCEED}
        execution = start(machine(states))
        self.assertEqual("States.Timeout", output(ended(execution))["Error"])
        time.sleep(1.5)
        self.assertNotIn("TaskSucceeded", event_types(execution))

    def test_a_machine_times_out(self):
        ended_ = run({"W": {"Type": "Wait", "Seconds": LONG_SECONDS, "End": True}}, TimeoutSeconds=1)
        self.assertEqual("TIMED_OUT", ended_["status"])
        self.assertIn("stopDate", ended_)


class Stop(support.TestCase):
    def stopped(self, states: dict) -> str:
        execution = start(machine(states))
        support.until(lambda: any(kind.endswith("Entered") for kind in event_types(execution)))
        time.sleep(0.2)
        started = time.monotonic()
        client("stepfunctions").stop_execution(executionArn=execution, error="E", cause="C")
        description = ended(execution)
        support.until(lambda: "ExecutionAborted" in event_types(execution))
        self.assertLess(time.monotonic() - started, LONG_SECONDS / support.SPEED / 2)
        self.assertEqual(("ABORTED", "E", "C"), tuple(description[key] for key in ("status", "error", "cause")))
        return execution

    def test_a_wait(self):
        self.stopped({"W": {"Type": "Wait", "Seconds": LONG_SECONDS, "End": True}})

    def test_a_retry_delay(self):
        retry = [{"ErrorEquals": ["X"], "IntervalSeconds": LONG_SECONDS, "MaxAttempts": 1}]
        self.stopped({"A": echo({"do": "fail", "type": "X"}, Retry=retry)})

    def test_a_task_whose_function_goes_on(self):
        execution = self.stopped({"A": echo({"do": "sleep", "seconds": 2}, Catch=caught("States.ALL")), "C": SUCCEED})
        time.sleep(2)
        self.assertEqual("ExecutionAborted", event_types(execution)[-1])
        self.assertEqual("ABORTED", ended(execution)["status"])

    def test_a_task_token(self):
        token = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Arguments": {"FunctionName": "cutover-echo", "Payload": {"value": "{% $states.context.Task.Token %}"}},
            "End": True,
        }
        self.stopped({"A": token})

    def test_parallel_branches(self):
        branch = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": LONG_SECONDS, "End": True}}}
        self.stopped({"P": {"Type": "Parallel", "Branches": [branch, branch], "End": True}})

    def test_right_after_the_start(self):
        from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

        stock = ExecutionWorker._get_evaluation_environment

        def slow(worker):
            time.sleep(0.3)
            return stock(worker)

        with unittest.mock.patch.object(ExecutionWorker, "_get_evaluation_environment", slow):
            execution = start(machine({"W": {"Type": "Wait", "Seconds": LONG_SECONDS, "End": True}}))
            client("stepfunctions").stop_execution(executionArn=execution)
        self.assertEqual("ABORTED", ended(execution)["status"])

    def test_an_ending_is_final(self):
        from moto.stepfunctions.parser.models import stepfunctions_parser_backends

        backend = stepfunctions_parser_backends[ACCOUNT_ID][REGION]
        stopped = self.stopped({"W": {"Type": "Wait", "Seconds": LONG_SECONDS, "End": True}})
        environment = backend.describe_execution(stopped).exec_worker.env
        environment.set_error({"error": "raised while unwinding"})
        self.assertEqual("ProgramStopped", type(environment.program_state()).__name__)
        succeeded = start(machine({"A": SUCCEED}))
        ended(succeeded)
        environment = backend.describe_execution(succeeded).exec_worker.env
        environment.set_timed_out()
        self.assertEqual("ProgramEnded", type(environment.program_state()).__name__)
