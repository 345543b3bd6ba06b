"""Functions of a few lines of Python, as a template may hold them: run as a process each.

Contract: `run(source, handler, environment, payload, timeout_seconds)` answers what the function answered, and None, or what the Runtime API
calls an error, and "Unhandled". `index.handler` is the function `handler` of the source. Nothing of this process's environment is passed on.
"""

import json
import subprocess
import sys

# Whatever the function prints goes to its stderr, which nobody reads: its answer is the only line.
PROGRAM = """
import json, sys
source, name, payload = json.load(sys.stdin)
answers, sys.stdout = sys.stdout, sys.stderr
module = {"__name__": "index"}
exec(compile(source, "index.py", "exec"), module)
print(json.dumps(module[name](payload, None)), file=answers)
"""


def run(source: str, handler: str, environment: dict[str, str], payload: bytes, timeout_seconds: float) -> tuple[bytes, str | None]:
    given = json.dumps([source, handler.rpartition(".")[2], json.loads(payload)])
    command = [sys.executable, "-I", "-c", PROGRAM]
    try:
        ended = subprocess.run(command, input=given, env=environment, capture_output=True, text=True, timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        return _error("Sandbox.Timedout", f"Task timed out after {timeout_seconds:.2f} seconds")
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["Runtime exited"])[-1]
        kind, _, message = last.partition(": ")
        return _error(kind, message)
    return ended.stdout.strip().encode(), None


def _error(kind: str, message: str) -> tuple[bytes, str]:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled"
