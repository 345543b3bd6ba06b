"""The Lambda service: runs functions' code natively instead of in containers.

Contract: a function's code package is a zip with one of
    bootstrap      an executable that speaks the Runtime API, as on AWS
    pointer.json   {"path"}: where such an executable lies (a debug build of 100 MB is not copied)
    hook.json      {"fail": bool}: a built-in function that only records that it was called; a plan's hooks
    index.py       a few lines of Python (inline_code.py)
What SNS hands to a function is tried again twice, as Lambda does; other invocations without waiting are not.
Every invocation is recorded: `invocations` is what GET /_local/invocations answers.
"""

import datetime
import io
import json
import threading
import time
import uuid
import zipfile
from dataclasses import replace
from pathlib import Path

from .. import clients
from ..settings import ACCOUNT_ID, MEMBER_ROLE_ARN, REGION, ROLE_ARN, Settings
from ..stacks import iam
from . import inline_code
from .runtime_api import Runtime, Spec

PREFIX = "cutover-"
# What was called without waiting is called again where it ended with an error (Lambda developer guide, asynchronous invocation).
RETRIES_SECONDS = (60, 120)

invocations: list[dict] = []


def zipped(name: str, content: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr(name, content)
    return buffer.getvalue()


def create(
    name: str,
    package: bytes,
    environment: dict[str, str] | None = None,
    timeout_seconds: int = 30,
    memory_mb: int = 256,
    at: tuple[str, str] = clients.HOME,
) -> str:
    """Creates a function and answers its ARN."""
    return clients.client("lambda", at=at).create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Role=ROLE_ARN if at[0] == ACCOUNT_ID else MEMBER_ROLE_ARN.replace("*", at[0]),
        Timeout=timeout_seconds,
        MemorySize=memory_mb,
        Code={"ZipFile": package},
        Environment={"Variables": environment or {}},
    )["FunctionArn"]


def code() -> dict[str, str]:
    """By function, what its package holds: where a pointer leads, or the beginning of the bootstrap."""
    from moto.awslambda.models import lambda_backends

    return {one.function_name: _beginning(one) for one in lambda_backends[ACCOUNT_ID][REGION].list_functions()}


def _beginning(function) -> str:
    with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as package:
        if "pointer.json" in package.namelist():
            return json.loads(package.read("pointer.json"))["path"]
        return package.read(package.namelist()[0])[:1000].decode(errors="replace")


class Functions:
    """Stands in for `LambdaBackend.invoke`, which would start a container."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._packages: dict[tuple[str, str], dict] = {}
        self._lock = threading.Lock()
        self.runtime = Runtime()

    def install(self) -> None:
        from moto.awslambda.models import LambdaBackend

        def invoke(backend, function_name, qualifier, body, headers, response_headers):
            return self.invoke(backend.get_function(function_name, qualifier), body, headers, response_headers)

        LambdaBackend.invoke = invoke
        LambdaBackend.send_sns_message = lambda backend, *args, **kwargs: self._deliver(backend, *args, **kwargs)

    def _deliver(self, backend, function_name, message, subject=None, qualifier=None) -> None:
        """What SNS hands to Lambda, which answers it at once and tries again twice, after one and two minutes."""
        notification = {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "Subject": subject,
            "Message": message,
            "Timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        }
        event = {"Records": [{"EventVersion": "1.0", "EventSource": "aws:sns", "Sns": notification}]}
        function = backend._lambdas.get_function_by_name_or_arn_with_qualifier(function_name, qualifier)
        arguments = (function, json.dumps(event).encode())
        threading.Thread(target=self._run_again_and_again, args=arguments, daemon=True).start()

    def _run_again_and_again(self, function, payload: bytes) -> None:
        for seconds in (*RETRIES_SECONDS, None):
            _, error = self._run(function, payload, {})
            if not error or seconds is None:
                return
            time.sleep(seconds / self._settings.speed)

    def invoke(self, function, body, headers, response_headers) -> bytes:
        payload = body.encode() if isinstance(body, str) else body or b"{}"
        kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            return b""
        if kind == "Event":
            threading.Thread(target=self._run, args=(function, payload, headers), daemon=True).start()
            return b""
        answer, error = self._run(function, payload, headers)
        if error:
            response_headers["x-amz-function-error"] = error
        response_headers["Content-Length"] = str(len(answer))
        return answer

    def _run(self, function, payload: bytes, headers) -> tuple[bytes, str | None]:
        started = time.time()
        package = self._package(function)
        if "hook" in package:
            answer, error, cold = *_run_hook(package["hook"]), False
        elif "source" in package:
            environment = self._spec(function, "").environment
            given = dict(environment), payload, float(function.timeout)
            answer, error, cold = *inline_code.run(package["source"], function.handler, *given), True
        else:
            spec = self._spec(function, package["command"])
            if skew_seconds := headers.get("X-Cutover-Clock-Skew"):
                spec = _with_skewed_clock(spec, skew_seconds)
            caller = headers.get("X-Cutover-State"), headers.get("X-Cutover-Execution")
            answer, error, cold = self.runtime.invoke(spec, payload, *(name or None for name in caller))
        invocations.append(
            {
                "at": started,
                "function": function.function_name,
                "state": headers.get("X-Cutover-State") or None,
                "execution": headers.get("X-Cutover-Execution") or None,
                "seconds": round(time.time() - started, 4),
                "cold": cold,
                "hook": "hook" in package,
                "payload": _json(payload),
                "error": _json(answer) if error else None,
            }
        )
        return answer, error

    def _package(self, function) -> dict:
        key = (function.function_name, function.code_sha_256)
        with self._lock:
            if key not in self._packages:
                self._packages[key] = self._unpack(function)
            return self._packages[key]

    def _unpack(self, function) -> dict:
        with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as package:
            names = package.namelist()
            if "hook.json" in names:
                return {"hook": json.loads(package.read("hook.json"))}
            if "index.py" in names:
                return {"source": package.read("index.py").decode()}
            if "pointer.json" in names:
                return {"command": json.loads(package.read("pointer.json"))["path"]}
            folder = self._settings.home / "code" / function.function_name / function.code_sha_256.replace("/", "_")[:16]
            package.extractall(folder)
        bootstrap = folder / "bootstrap"
        bootstrap.chmod(0o755)
        return {"command": str(bootstrap)}

    def _spec(self, function, command: str) -> Spec:
        name = function.function_name
        environment = {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self._settings.endpoint_url,
            # The requests of a function tell whose they are.
            "AWS_ACCESS_KEY_ID": iam.access_key(name.removeprefix(PREFIX), function.role),
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "_HANDLER": function.handler or "bootstrap",
            "LAMBDA_TASK_ROOT": str(Path(command).parent),
        }
        environment.update({key: str(value) for key, value in (function.environment_vars or {}).items()})
        return Spec(
            name=name,
            arn=f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}",
            command=command,
            timeout_seconds=float(function.timeout),
            log=self._settings.home / "logs" / f"{name}.log",
            environment=tuple(sorted(environment.items())),
        )


def _with_skewed_clock(spec: Spec, skew_seconds: str) -> Spec:
    """The library lies beside the binaries that the harness builds."""
    library = Path(spec.command).with_name("libskewed_clock.so")
    if not library.exists():
        raise FileNotFoundError(f"{library}: cargo build --workspace makes it, on Linux only")
    environment = (("LD_PRELOAD", str(library)), ("CLOCK_SKEW_SECONDS", skew_seconds))
    return replace(spec, environment=spec.environment + environment)


def _run_hook(hook: dict) -> tuple[bytes, str | None]:
    if hook.get("fail"):
        answer = {"errorType": "HookFailed", "errorMessage": "this hook was told to fail"}
        return json.dumps(answer).encode(), "Unhandled"
    return b'{"status":"ok"}', None


def _json(data: bytes):
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode(errors="replace")
