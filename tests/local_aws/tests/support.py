"""One server for all test modules, since its corrections change moto for the whole process, and small helpers.

Contract: `server()` starts it at first use, at SPEED, from a throw-away checkout with the functions `echo` and `sweep` (a Python script that
speaks the Runtime API) and two small machines; it lives until the process ends.
"""

import atexit
import itertools
import json
import shutil
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from local_aws.clients import client
from local_aws.server import Server
from local_aws.settings import ROLE_ARN, Settings

SPEED = 60
INVOKE = "arn:aws:states:::lambda:invoke"

ECHO = """#!%s
import json, os, sys, time, urllib.request
api = os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
while True:
    with urllib.request.urlopen(api + "invocation/next") as answer:
        request, headers = json.load(answer), answer.headers
    print("asked to", request.get("do"), flush=True)
    path, body = "response", {"echo": request.get("value"), "pid": os.getpid(), "key": os.environ["AWS_ACCESS_KEY_ID"],
        "arn": headers["Lambda-Runtime-Invoked-Function-Arn"], "deadline_ms": headers["Lambda-Runtime-Deadline-Ms"],
        "environment": dict(os.environ)}
    if request.get("do") == "sleep":
        time.sleep(request["seconds"])
    if request.get("do") == "exit":
        sys.exit(3)
    if request.get("do") == "fail":
        path, body = "error", {"errorType": request["type"], "errorMessage": "told to"}
    if request.get("do") == "call":
        credential = "Credential=" + os.environ["AWS_ACCESS_KEY_ID"] + "/20300101/eu-west-1/sns/aws4_request"
        headers_ = {"Authorization": "AWS4-HMAC-SHA256 " + credential, "X-Amz-Security-Token": os.environ["AWS_SESSION_TOKEN"]}
        form = b"Action=CreateTopic&Name=" + request["name"].encode()
        call = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], data=form, headers=headers_)
        body["answer"] = urllib.request.urlopen(call).status
    url = api + "invocation/" + headers["Lambda-Runtime-Aws-Request-Id"] + "/" + path
    urllib.request.urlopen(urllib.request.Request(url, data=json.dumps(body).encode(), method="POST"))
"""

# Small stand-ins for the product's machines: cutover waits as long as it is told, rollback shows what it was given.
CUTOVER = {
    "QueryLanguage": "JSONata",
    "StartAt": "Wait",
    "States": {"Wait": {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "End": True}},
}
ROLLBACK = {
    "QueryLanguage": "JSONata",
    "StartAt": "Done",
    "States": {"Done": {"Type": "Succeed", "Output": {"given": "{% $states.input %}", "by": "${EchoFunctionArn}"}}},
}

_server: Server | None = None
_numbers = itertools.count(1)


def checkout(folder: Path) -> Settings:
    """A checkout to deploy from, with what the tests need."""
    (folder / "functions/library/src").mkdir(parents=True)
    (folder / "functions/library/src/lib.rs").touch()
    (folder / "bin").mkdir()
    for name in ("echo", "sweep"):
        (folder / f"functions/{name}/src").mkdir(parents=True)
        (folder / f"functions/{name}/src/main.rs").touch()
        (folder / f"bin/{name}").write_text(ECHO % sys.executable)
        (folder / f"bin/{name}").chmod(0o755)
    definitions = folder / "definitions"
    definitions.mkdir()
    (definitions / "cutover.asl.json").write_text(json.dumps(CUTOVER))
    (definitions / "rollback.asl.json").write_text(json.dumps(ROLLBACK))
    return Settings(
        root=folder,
        bin_dir=folder / "bin",
        definitions=definitions,
        home=folder / "home",
        speed=SPEED,
        sweep=False,
    )


def server() -> Server:
    global _server
    if _server is None:
        folder = Path(tempfile.mkdtemp(prefix="local-aws-test-"))
        _server = Server(checkout(folder))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(_server.stop)
    return _server


def control(path: str, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server().settings.endpoint_url}/_local/{path}", data=data)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        raise ControlError(json.load(refused)["error"]) from None


class ControlError(Exception):
    def __init__(self, error: dict):
        super().__init__(error["message"])
        self.code = error["code"]


def unique(name: str) -> str:
    return f"{name}-{next(_numbers)}"


def until(condition, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        time.sleep(0.02)
    return value


def machine(states: dict, **fields) -> str:
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **fields}
    return client("stepfunctions").create_state_machine(
        name=unique("machine"), definition=json.dumps(definition), roleArn=ROLE_ARN
    )["stateMachineArn"]


def start(arn: str, given=None) -> str:
    return client("stepfunctions").start_execution(stateMachineArn=arn, input=json.dumps(given or {}))["executionArn"]


def ended(execution: str, seconds: float = 60) -> dict:
    def description():
        described = client("stepfunctions").describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    return until(description, seconds)


def run(states: dict, given=None, **fields) -> dict:
    """Runs a small machine to its end and answers its description."""
    return ended(start(machine(states, **fields), given))


def output(description: dict):
    assert description["status"] == "SUCCEEDED", description
    return json.loads(description["output"])


def event_types(execution: str) -> list[str]:
    return [event["type"] for event in client("stepfunctions").get_execution_history(executionArn=execution)["events"]]


def echo(payload: dict, **fields) -> dict:
    """A state that calls the function echo."""
    arguments = {"FunctionName": "cutover-echo", "Payload": payload}
    return {"Type": "Task", "Resource": INVOKE, "Arguments": arguments, "End": True, **fields}


class TestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server()

    def refused(self, code: str, call, *args, **kwargs) -> str:
        """The call must fail with this AWS error code; answers its message."""
        from botocore.exceptions import ClientError

        with self.assertRaises(ClientError) as caught:
            call(*args, **kwargs)
        error = caught.exception.response["Error"]
        self.assertEqual(code, error["Code"], error["Message"])
        return error["Message"]
