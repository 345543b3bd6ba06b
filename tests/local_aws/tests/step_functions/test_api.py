"""Each correction to the Step Functions API."""

import json
from concurrent.futures import ThreadPoolExecutor

from local_aws.clients import client
from local_aws.services import cloudwatch
from local_aws.settings import ACCOUNT_ID, REGION
from local_aws.step_functions.engine import engine

from .. import support
from ..support import ended, machine, output, start


class Api(support.TestCase):
    def test_an_execution_without_a_name_gets_one(self):
        arn = machine({"A": {"Type": "Succeed"}})
        self.assertNotEqual(start(arn), start(arn))

    def test_an_input_that_is_no_json_is_refused_by_name(self):
        arn = machine({"A": {"Type": "Succeed"}})
        start_execution = client("stepfunctions").start_execution
        self.refused("InvalidExecutionInput", start_execution, stateMachineArn=arn, input="{")

    def test_the_same_name_and_input_is_idempotent_while_running(self):
        api = client("stepfunctions")
        arn = machine({"W": {"Type": "Wait", "Seconds": 30, "End": True}})
        first = api.start_execution(stateMachineArn=arn, name="one", input="{}")["executionArn"]
        self.assertEqual(first, api.start_execution(stateMachineArn=arn, name="one", input="{}")["executionArn"])
        ended(first)
        self.refused("ExecutionAlreadyExists", api.start_execution, stateMachineArn=arn, name="one", input="{}")

    def test_of_the_same_starts_at_once_one_makes_an_execution(self):
        api = client("stepfunctions")
        arn = machine({"W": {"Type": "Wait", "Seconds": 30, "End": True}})

        def start_it(_):
            return api.start_execution(stateMachineArn=arn, name="one", input="{}")["executionArn"]

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(1, len(set(pool.map(start_it, range(8)))))
        self.assertEqual(1, len(api.list_executions(stateMachineArn=arn)["executions"]))

    def test_an_answer_reaches_its_task_while_another_execution_is_just_being_started(self):
        arn = machine({"A": {"Type": "Succeed"}})
        ended(start(arn))
        machines = engine("models").stepfunctions_parser_backends[ACCOUNT_ID][REGION].state_machines
        execution = next(one for made in machines if made.arn == arn for one in made.executions)
        status, execution.exec_status = execution.exec_status, None
        try:
            self.refused("InvalidToken", client("stepfunctions").send_task_success, taskToken="of nobody", output="{}")
        finally:
            execution.exec_status = status

    def test_a_string_output_is_json(self):
        description = ended(start(machine({"A": {"Type": "Succeed", "Output": "{% 'text' %}"}})))
        self.assertEqual('"text"', description["output"])

    def test_history_is_paged_and_reversed(self):
        execution = start(machine({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": True}}))
        ended(execution)
        history = client("stepfunctions").get_execution_history
        support.until(lambda: history(executionArn=execution)["events"][-1]["type"] == "ExecutionSucceeded")
        ids = [event["id"] for event in history(executionArn=execution)["events"]]
        page = history(executionArn=execution, maxResults=2)
        rest = history(executionArn=execution, nextToken=page["nextToken"])
        self.assertEqual(ids, [event["id"] for event in page["events"] + rest["events"]])
        self.assertEqual(ids[-1], history(executionArn=execution, reverseOrder=True, maxResults=1)["events"][0]["id"])

    def test_a_function_is_told_a_history_by_the_time_of_runs(self):
        execution = start(machine({"A": {"Type": "Pass", "End": True}}))
        ended(execution)

        def times(caller):
            events = client("stepfunctions", caller).get_execution_history(executionArn=execution)["events"]
            return [event["timestamp"].timestamp() for event in events]

        real = times("local")
        for moment, told in zip(real, times("report"), strict=True):
            self.assertAlmostEqual(cloudwatch.time_of_run(moment), told, delta=support.SPEED / 1000)
            self.assertGreater(told, moment + 3600)

    def test_a_task_failure_keeps_its_cause(self):
        wait = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Arguments": {"FunctionName": "cutover-echo", "Payload": {"value": "{% $states.context.Task.Token %}"}},
            "Catch": [{"ErrorEquals": ["No"], "Next": "C", "Output": "{% $states.errorOutput %}"}],
            "End": True,
        }
        execution = start(machine({"A": wait, "C": {"Type": "Succeed"}}))

        def token():
            mine = [call for call in support.control("invocations") if call["execution"] == execution]
            return mine and mine[0]["payload"]["value"]

        client("stepfunctions").send_task_failure(taskToken=support.until(token), error="No", cause="not today")
        self.assertEqual({"Error": "No", "Cause": "not today"}, output(ended(execution)))

    def test_lists_tell_when_a_timed_out_execution_stopped(self):
        arn = machine({"W": {"Type": "Wait", "Seconds": 99999999, "End": True}}, TimeoutSeconds=1)
        ended(start(arn))
        listed = client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
        self.assertEqual(["TIMED_OUT"], [item["status"] for item in listed])
        self.assertIn("stopDate", listed[0])

    def test_the_definition_keeps_its_bytes(self):
        described = client("stepfunctions").describe_state_machine(
            stateMachineArn=support.server().stack["state_machines"]["cutover"]
        )
        self.assertEqual(json.dumps(support.CUTOVER), described["definition"])
