"""Every request to the emulated AWS passes here: it is journalled, and a fault may hit it.

Contract: `Boundary(application)` is a WSGI middleware around moto.
- `journal`: one entry per signed request, in order of arrival; `status` is None while it is being answered, `actions` are the
  permissions that it needs, and `role` is the name of the role in which it is made, as far as that is known (see stacks/iam.py). A
  function's requests have the state and the execution for which it was invoked.
- `faults`: rules of a test (see faults/rules.py), replaced as a whole. The first one that applies is carried out.
- `routings`: the routing after each change of it that a function made.
- `exchanges`: None, or what functions asked and were answered, since somebody wants that kept: word for word, with the invocation it was for.
- `denials`: rules of the same form that come from the world: what is answered AccessDenied, and what begins late.
- `runtime`: where functions run, once there is one; it knows which process has which session token.
With IAM enforced a call without permission has no effect and is answered AccessDenied; its entry in the journal has the missing
action as `denied`.
"""

import base64
import datetime
import io
import json
import socket
import sys
import threading
import time

from botocore.exceptions import ClientError

from .. import clients
from ..clients import SETUP
from ..faults import drift
from ..faults.rules import READS, Past, Rule
from ..services import s3
from ..services.runtime_api import Invocation, Runtime
from ..stacks import iam, members
from . import routing
from .cbor import Bridge
from .protocols import Call, error_answer, identify, read_body

# Of an answer, what says how its body is read.
KEPT_HEADERS = ("content-type", "smithy-protocol")


class Boundary:
    def __init__(self, application):
        self._application = Bridge(application)
        self._lock = threading.Lock()
        self._past = Past()
        self._under_way = 0
        self.runtime: Runtime | None = None
        self.journal: list[dict] = []
        self.routings: list[dict] = []
        self.exchanges: list[dict] | None = None
        self.faults: list[Rule] = []
        self.denials: list[Rule] = []

    def replace_faults(self, rules: list[dict]) -> None:
        built = [Rule(rule) for rule in rules]
        with self._lock:
            self.faults = built

    @property
    def is_busy(self) -> bool:
        """Whether anybody but the set-up is being answered: a function may be about to begin, or still be at work."""
        return self._under_way > 0

    def forget(self) -> None:
        """As if nothing had been asked yet."""
        with self._lock:
            self.journal.clear()
            self.routings.clear()
            self.faults, self.denials, self.exchanges = [], [], None
            self._past.forget()

    def keep_exchanges(self) -> None:
        self.exchanges = []

    def __call__(self, environ, start_response):
        s3.path_style(environ)
        call = identify(environ)
        if call is None:
            return self._application(environ, start_response)
        call.caller = iam.caller_of(call.access_key)
        call.account = members.account_called(call, environ)
        process = self.runtime.processes.get(call.session_token) if self.runtime else None
        if process and process.current:
            call.state, call.execution = process.current.state, process.current.execution
        with self._lock:
            rule = next((rule for rule in [*self.faults, *self.denials] if rule.applies(call)), None)
            entry = self._record(call, rule, iam.needed_actions(call, environ))
            self._under_way += call.caller != SETUP
        # Before anybody reads it.
        asked = read_body(environ) if self.exchanges is not None else b""
        try:
            status, headers, body = self._answer(rule, call, entry, environ, process)
        finally:
            with self._lock:
                self._under_way -= call.caller != SETUP
        entry["status"] = status
        if self.exchanges is not None and process and process.current:
            self.exchanges.append(_exchange(call, process.current, (environ, asked), (status, headers, body)))
        line = f"{status} {'Fault' if rule else 'Answered'}"
        start_response(line, [*headers.items(), ("Content-Length", str(len(body)))])
        return [body]

    def _record(self, call: Call, rule: Rule | None, actions: list[str]) -> dict:
        entry = {
            "seq": len(self.journal) + 1,
            "at": time.time(),
            "caller": call.caller,
            "service": call.service,
            "operation": call.operation,
            "state": call.state,
            "execution": call.execution,
            "function": call.function,
            "role": iam.role_of(call.access_key),
            "account": call.account,
            "actions": actions,
            "fault": rule.action if rule else None,
            "status": None,
        }
        self.journal.append(entry)
        return entry

    def _answer(self, rule: Rule | None, call: Call, entry: dict, environ: dict, process) -> tuple[int, dict, bytes]:
        # Whatever is answered: what is left unread would be taken for the connection's next request.
        question = _question(call, environ)
        action = rule.action if rule else None
        if action == "delay":
            time.sleep(rule.given.get("seconds", 1))
        if action == "call" and not self._call(rule.given["call"], call):
            rule.miss()
        if action == "drift":
            drift.change(rule.given["route"])
        if action in ("before", "limit"):
            return rule.answer(call)
        if action == "skew":
            environ["HTTP_X_CUTOVER_CLOCK_SKEW"] = str(rule.given["seconds"])
        if action == "kill_before":
            kill(process, environ)
        if call.is_presigned and (over := s3.expired(environ, datetime.datetime.now(datetime.timezone.utc))):
            return error_answer(call, *over)
        refusal = iam.refusal(call, environ)
        if refusal:
            entry["denied"] = refusal.action
            return error_answer(call, refusal.code, refusal.message, _status_of_refusal(call))
        if action == "stale":
            if past := self._past.answer(question):
                return past
            rule.miss()
        answer = self._twice(environ) if action == "twice" else self._take_effect(environ)
        self._past.note(call, question, answer)
        self._note_routing(call, process)
        if action == "call_after" and not self._call(rule.given["call"], call):
            rule.miss()
        if action in ("after", "timeout_after"):
            return rule.answer(call)
        if action == "late":
            time.sleep(rule.given.get("seconds", 1))
        if action == "garble":
            return answer[0], answer[1], rule.given.get("body", '<"{').encode()
        if action == "lose":
            break_off(environ)
        if action == "kill_after":
            kill(process, environ)
        return answer

    def _note_routing(self, call: Call, process) -> None:
        if process and call.service in ("elasticloadbalancing", "route53") and not call.operation.startswith(READS):
            self.routings.append(routing.routing())

    def _call(self, given: dict, during: Call) -> bool:
        """Whatever comes of it: somebody else may be refused too. Answers whether it had an effect."""
        parameters = {
            name: during.execution if value == "<execution>" else value
            for name, value in given.get("parameters", {}).items()
        }
        try:
            getattr(clients.client(given["service"]), given["operation"])(**parameters)
        except ClientError as refused:
            print(f"local_aws: {given['operation']}: {refused}", file=sys.stderr)
            return False
        return True

    def _twice(self, environ: dict) -> tuple[int, dict, bytes]:
        body = read_body(environ)
        answers = []
        again = threading.Thread(target=lambda: answers.append(self._take_effect({**environ, "wsgi.input": io.BytesIO(body)})))
        again.start()
        answer = self._take_effect({**environ, "wsgi.input": io.BytesIO(body)})
        again.join()
        return answer

    def _take_effect(self, environ: dict) -> tuple[int, dict, bytes]:
        answered = {}

        def start_response(line, headers, exc_info=None):
            answered.update(status=int(line.split()[0]), headers=headers)

        body = b"".join(self._application(environ, start_response))
        headers = {name: value for name, value in answered["headers"] if name.lower() != "content-length"}
        return answered["status"], headers, body


def _question(call: Call, environ: dict) -> tuple:
    return call.service, call.operation, environ["PATH_INFO"], environ.get("QUERY_STRING", ""), read_body(environ)


def _exchange(call: Call, invocation: Invocation, request: tuple[dict, bytes], answer: tuple[int, dict, bytes]) -> dict:
    """Word for word but for signatures and what a connection needs; bodies that are no text in base64."""
    (environ, asked), (status, headers, body) = request, answer
    kept = {name.lower(): value for name, value in headers.items() if name.lower() in KEPT_HEADERS}
    query = environ.get("QUERY_STRING", "")
    return {
        "invocation": invocation.id,
        "function": call.caller,
        "state": invocation.state,
        "execution": invocation.execution,
        "event": json.loads(invocation.payload),
        "operation": f"{call.service} {call.operation}",
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"] + (f"?{query}" if query else ""),
        "target": environ.get("HTTP_X_AMZ_TARGET"),
        "asked": _text(asked),
        "status": status,
        "headers": kept,
        "answer": _text(body),
    }


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _status_of_refusal(call: Call) -> int:
    return 400 if call.protocol in ("json", "cbor") else 403


def break_off(environ: dict) -> None:
    """Ends the connection without an answer."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("a fault breaks the connection off")


def kill(process, environ: dict) -> None:
    if process is None:
        raise ValueError("only a function's own requests can kill it")
    process.popen.kill()
    process.popen.wait()
    break_off(environ)
