"""The command itself: its one line, its end, and what it deploys."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from local_aws.stacks.deploy import _substitute

from . import assembly, support

TESTS = Path(__file__).resolve().parents[2]


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="local-aws-test-")
        self.addCleanup(self.folder.cleanup)
        self.settings = support.checkout(Path(self.folder.name))

    def start(self, *more: str) -> tuple[subprocess.Popen, dict]:
        command = [sys.executable, "-m", "local_aws", "--speed", "60", "--root", self.folder.name]
        command += ["--bin-dir", str(self.settings.bin_dir), "--definitions", str(self.settings.definitions), "--home", str(self.settings.home), "--no-sweep", *more]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(TESTS)}, **pipes)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.kill)
        return process, json.loads(process.stdout.readline())

    def api(self, service: str, ready: dict, key: str = "x"):
        api = boto3.client(
            service,
            endpoint_url=ready["endpoint_url"],
            region_name=ready["region"],
            aws_access_key_id=key,
            aws_secret_access_key="x",
        )
        self.addCleanup(api.close)
        return api

    def function_pid(self, ready: dict, busy: bool = False) -> int:
        api = self.api("lambda", ready)
        pid = json.load(api.invoke(FunctionName="cutover-echo", Payload=b"{}")["Payload"])["pid"]
        if busy:  # an idle one would end by itself, having nobody to ask for work
            payload = b'{"do": "sleep", "seconds": 60}'
            api.invoke(FunctionName="cutover-echo", InvocationType="Event", Payload=payload)
            log = self.settings.home / "logs/cutover-echo.log"
            support.until(lambda: "asked to sleep" in log.read_text())
        return pid

    def test_it_is_ready_soon_and_ends_with_its_stdin(self):
        started = time.monotonic()
        process, ready = self.start()
        self.assertLess(time.monotonic() - started, 30)
        self.assertEqual({"cutover", "rollback"}, set(ready["state_machines"]))
        told = (ready["region"], ready["account_id"], ready["journal_table"])
        self.assertEqual(("eu-west-1", "123456789012", "cutover-journal"), told)
        self.assertEqual(["cutover-echo", "cutover-sweep"], list(ready["functions"]))
        pid = self.function_pid(ready, busy=True)
        process.stdin.close()
        self.assertEqual(0, process.wait(30))
        self.assertEqual(b"", process.stdout.read())
        support.until(lambda: not _runs(pid))

    @unittest.skipUnless(sys.platform.startswith("linux"), "the kernel's help is asked for on Linux")
    def test_a_kill_leaves_no_orphans(self):
        process, ready = self.start()
        pid = self.function_pid(ready, busy=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
        support.until(lambda: not _runs(pid))

    def test_it_deploys_a_template_and_enforces_its_permissions(self):
        folder = assembly.write(Path(self.folder.name) / "cdk.out", "own-")
        _, ready = self.start("--template", str(folder), "--iam")
        self.assertEqual({"cutover": "arn:aws:states:eu-west-1:123456789012:stateMachine:own-cutover"}, ready["state_machines"])
        self.assertEqual(("own-journal", ["own-echo"]), (ready["journal_table"], list(ready["functions"])))
        invoked = {"FunctionName": "own-echo", "Payload": b"{}"}
        with self.assertRaisesRegex(ClientError, "UnrecognizedClientException"):
            self.api("lambda", ready).invoke(**invoked)
        key = json.load(self.api("lambda", ready, "local").invoke(**invoked)["Payload"])["key"]
        journal = self.api("dynamodb", ready, key)
        journal.get_item(TableName="own-journal", Key={"pk": {"S": "x"}})
        with self.assertRaisesRegex(ClientError, "AccessDenied.*dynamodb:PutItem"):
            journal.put_item(TableName="own-journal", Item={"pk": {"S": "x"}})

    def test_an_unfilled_placeholder_is_a_loud_failure(self):
        with self.assertRaisesRegex(SystemExit, "NopeFunctionArn"):
            _substitute('{"a": "${NopeFunctionArn}"}', {"X": "y"}, Path("cutover.asl.json"))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody has reaped yet does not run.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


class Deployed(support.TestCase):
    def test_the_journal_table(self):
        from local_aws.clients import client

        table = client("dynamodb").describe_table(TableName="cutover-journal")["Table"]
        self.assertEqual([{"AttributeName": "pk", "KeyType": "HASH"}], table["KeySchema"])
        (index,) = table["GlobalSecondaryIndexes"]
        keys = [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]]
        self.assertEqual(("open-runs", [("open", "HASH"), ("pk", "RANGE")]), (index["IndexName"], keys))
        self.assertEqual("PAY_PER_REQUEST", table["BillingModeSummary"]["BillingMode"])

    def test_placeholders_are_filled(self):
        given = support.output(support.ended(support.start(support.server().stack["state_machines"]["rollback"])))
        self.assertEqual(support.server().stack["functions"]["cutover-echo"], given["by"])
