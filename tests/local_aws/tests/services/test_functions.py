"""Functions as native processes."""

import json
import os
import sys
import time

from local_aws.clients import client
from local_aws.services import functions

from .. import support


def invoke(payload: dict, name: str = "cutover-echo", **fields) -> tuple[dict, str | None]:
    answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload).encode(), **fields)
    content = answer["Payload"].read()
    return json.loads(content) if content else {}, answer.get("FunctionError")


class Functions(support.TestCase):
    def test_a_function_gets_what_lambda_gives(self):
        answer, error = invoke({"value": [1, None]})
        self.assertIsNone(error)
        self.assertEqual([1, None], answer["echo"])
        self.assertEqual("echo", answer["key"])
        self.assertEqual("arn:aws:lambda:eu-west-1:123456789012:function:cutover-echo", answer["arn"])
        self.assertAlmostEqual(time.time() + 30, int(answer["deadline_ms"]) / 1000, delta=2)
        environment = answer["environment"]
        self.assertEqual("cutover-journal", environment["JOURNAL_TABLE"])
        self.assertEqual(support.server().settings.endpoint_url, environment["AWS_ENDPOINT_URL"])

    def test_processes_stay_warm(self):
        self.assertEqual(invoke({})[0]["pid"], invoke({})[0]["pid"])

    def test_an_error_keeps_its_type(self):
        answer, error = invoke({"do": "fail", "type": "Cutover.Drift"})
        self.assertEqual(("Unhandled", "Cutover.Drift"), (error, answer["errorType"]))

    def test_an_exit_is_an_error_and_the_next_call_works(self):
        answer, error = invoke({"do": "exit"})
        self.assertEqual(("Unhandled", "Runtime.ExitError"), (error, answer["errorType"]))
        self.assertIsNone(invoke({})[1])

    def test_a_timeout_kills_the_process(self):
        path = json.dumps({"path": str(support.server().settings.bin_dir / "echo")})
        name = support.unique("short")
        functions.create(name, functions.zipped("pointer.json", path), timeout_seconds=4)
        pid = invoke({}, name)[0]["pid"]
        answer, error = invoke({"do": "sleep", "seconds": 60}, name)
        self.assertEqual(("Unhandled", "Sandbox.Timedout"), (error, answer["errorType"]))
        support.until(lambda: not _alive(pid))

    def test_a_real_package_works(self):
        name = support.unique("zipped")
        functions.create(name, functions.zipped("bootstrap", support.ECHO % sys.executable))
        self.assertEqual(name, invoke({"value": 1}, name)[0]["key"])

    def test_a_binary_that_is_not_there_is_an_error_of_the_function(self):
        name = support.unique("absent")
        functions.create(name, functions.zipped("pointer.json", json.dumps({"path": "/nowhere"})))
        self.assertEqual("Runtime.InvalidEntrypoint", invoke({}, name)[0]["errorType"])

    def test_invocations_and_logs_are_kept(self):
        invoke({"do": "fail", "type": "Kept"})
        last = support.control("invocations")[-1]
        self.assertEqual(("cutover-echo", "Kept"), (last["function"], last["error"]["errorType"]))
        log = support.server().settings.home / "logs" / "cutover-echo.log"
        self.assertIn("asked to fail", log.read_text())

    def test_libraries_are_no_functions(self):
        self.assertEqual(["cutover-echo", "cutover-sweep"], list(support.server().stack["functions"]))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
