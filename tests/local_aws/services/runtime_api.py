"""Runs Lambda code as native processes behind an emulated Lambda Runtime API.

Contract: `Runtime.invoke(spec, payload, state, execution)` answers `(body, error, cold)`; `error` is None or "Unhandled", as in the header
X-Amz-Function-Error. A process serves one invocation at a time and is kept warm; a process that exits, or runs
past its function's time-out (real time), is gone and the next invocation starts another one. A process's session token is its
id in `processes`, so that its requests tell for which invocation they are made.
No process outlives this one.
"""

import ctypes
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PATH = re.compile(r"^/([0-9a-f]+)/2018-06-01/runtime/(.*)$")
# No stack can list this machine, and every side of an emulated AWS is on it.
THIS_MACHINE = '["127.0.0.0/8", "::1/128"]'
INHERITED = ("PATH", "HOME", "TMPDIR", "RUST_BACKTRACE", "LLVM_PROFILE_FILE")


@dataclass(frozen=True)
class Spec:
    """A function at one version of its code and configuration; equal specs share warm processes."""

    name: str
    arn: str
    command: str
    timeout_seconds: float
    log: Path
    environment: tuple  # of (name, value)


class Invocation:
    def __init__(self, spec: Spec, payload: bytes, state: str | None, execution: str | None):
        self.id = str(uuid.uuid4())
        self.state, self.execution = state, execution
        self.started = time.monotonic()
        self.arn = spec.arn
        self.payload = payload
        self.deadline_ms = int((time.time() + spec.timeout_seconds) * 1000)
        self.done = threading.Event()
        self.body = b""
        self.error: str | None = None

    def finish(self, body: bytes, error: str | None = None) -> None:
        if not self.done.is_set():
            self.body, self.error = body, error
            self.done.set()

    def fail(self, error_type: str, message: str) -> None:
        body = {"errorType": error_type, "errorMessage": f"RequestId: {self.id} Error: {message}"}
        self.finish(json.dumps(body).encode(), "Unhandled")


class Process:
    """One running copy of a function."""

    def __init__(self, runtime: "Runtime", spec: Spec):
        self.id = uuid.uuid4().hex
        self.pending: queue.SimpleQueue = queue.SimpleQueue()
        self.current: Invocation | None = None
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment.update(spec.environment)
        if "PROBE_NETWORKS" in environment:
            environment["PROBE_NETWORKS"] = THIS_MACHINE
        environment["AWS_SESSION_TOKEN"] = self.id
        # With a scheme, unlike on AWS: runtime clients parse it as a URI, and this one has a path.
        environment["AWS_LAMBDA_RUNTIME_API"] = f"http://127.0.0.1:{runtime.port}/{self.id}"
        # Known before it runs, since it may ask for work at once.
        runtime.processes[self.id] = self
        try:
            with open(spec.log, "ab", buffering=0) as log:
                self.popen = runtime.spawn(
                    [spec.command], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
        except OSError:
            del runtime.processes[self.id]
            raise
        threading.Thread(target=self._reap, args=(runtime,), daemon=True).start()

    def give(self, invocation: Invocation) -> None:
        # Already current before it is fetched, so that an exit during initialisation is reported too.
        self.current = invocation
        self.pending.put(invocation)

    def _reap(self, runtime: "Runtime") -> None:
        code = self.popen.wait()
        runtime.processes.pop(self.id, None)
        self.pending.put(None)
        if self.current:
            self.current.fail("Runtime.ExitError", f"Runtime exited with error: exit status {code}")


def _die_with_parent():
    """The child's first act: ask the kernel to be killed when its parent dies, even by kill -9 (Linux only)."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    pr_set_pdeathsig = 1
    return lambda: prctl(pr_set_pdeathsig, signal.SIGKILL)


class Runtime:
    def __init__(self):
        self.processes: dict[str, Process] = {}
        self._idle: dict[Spec, list[Process]] = {}
        self._lock = threading.Lock()
        # The kernel watches the *thread* that forked: so one thread, which lives as long as we do, starts them all.
        self._spawner = ThreadPoolExecutor(1, "spawn")
        self._preexec = _die_with_parent()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def spawn(self, command: list[str], **options) -> subprocess.Popen:
        return self._spawner.submit(subprocess.Popen, command, preexec_fn=self._preexec, **options).result()

    def invoke(
        self, spec: Spec, payload: bytes, state: str | None = None, execution: str | None = None
    ) -> tuple[bytes, str | None, bool]:
        invocation = Invocation(spec, payload, state, execution)
        process = self._take_warm(spec)
        cold = process is None
        if cold:
            try:
                process = Process(self, spec)
            except OSError as problem:
                invocation.fail("Runtime.InvalidEntrypoint", f"{spec.command}: {problem}")
                return invocation.body, invocation.error, cold
        process.give(invocation)
        if not invocation.done.wait(spec.timeout_seconds):
            invocation.fail("Sandbox.Timedout", f"Task timed out after {spec.timeout_seconds:.2f} seconds")
            process.popen.kill()
        elif process.current is None:
            with self._lock:
                self._idle.setdefault(spec, []).append(process)
        return invocation.body, invocation.error, cold

    def _take_warm(self, spec: Spec) -> Process | None:
        with self._lock:
            idle = self._idle.get(spec, [])
            while idle:
                process = idle.pop()
                if process.popen.poll() is None:
                    return process
        return None

    def is_busy_since(self, moment: float) -> bool:
        """Whether an invocation still runs that began before a moment of the monotonic clock."""
        under_way = [process.current for process in list(self.processes.values())]
        return any(invocation and invocation.started <= moment for invocation in under_way)

    def stop(self) -> None:
        for process in list(self.processes.values()):
            process.popen.kill()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        # A function that was killed does not read its answer.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(runtime: Runtime) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            process, action = self._target()
            if process is None or action != "invocation/next":
                return self._answer(404)
            invocation = process.pending.get()
            if invocation is None:  # the process has exited
                return self._answer(410)
            return self._answer(
                200,
                invocation.payload,
                {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": invocation.id,
                    "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                    "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                    "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
                },
            )

        def do_POST(self):
            process, action = self._target()
            body = self._body()
            invocation = process.current if process else None
            if invocation is None:
                return self._answer(404)
            if action == f"invocation/{invocation.id}/response":
                process.current = None
                invocation.finish(body)
            elif action in (f"invocation/{invocation.id}/error", "init/error"):
                process.current = None
                invocation.finish(body, "Unhandled")
            return self._answer(202, b'{"status":"OK"}', {"Content-Type": "application/json"})

        def _target(self) -> tuple[Process | None, str]:
            found = PATH.match(self.path)
            return (runtime.processes.get(found[1]), found[2]) if found else (None, "")

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():  # trailers
                pass
            return body

        def _answer(self, status: int, body: bytes = b"", headers: dict | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
