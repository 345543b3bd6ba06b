"""Every request to the emulated AWS passes here: it is journalled, and a fault may hit it.

Contract: `Boundary(application)` is a WSGI middleware around moto.
- `journal`: one entry per signed request, in order of arrival; `status` is None while it is being answered.
- `faults`: rules of a test, replaced as a whole. A rule is
      {"match": {any of caller, service, operation, state, execution, function},
       "from": 1, "times": 1 or null (for ever), "do": "before" | "after" | "timeout_after" | "delay",
       "error": "Throttling", "message": "...", "status": 400, "seconds": 5}
  It applies to its `from`-th matching request and the next ones, `times` in all. The first rule that applies is carried out.
- `denials`: rules of the same form that come from the world; they answer AccessDenied.
Set-up calls (access key `local`) are hit only by a rule that names that caller.
With IAM enforced a call without permission has no effect and is answered AccessDenied; its entry in the journal has the missing
action as `denied`.
"""

import threading
import time

from . import iam
from .cbor import Bridge
from .clients import SETUP
from .protocols import Call, error_answer, function_error_answer, identify, service_name

MATCHABLE = {"caller", "service", "operation", "state", "execution", "function"}
ACTIONS = {"before", "after", "timeout_after", "delay"}
RULE_KEYS = {"match", "from", "times", "do", "error", "message", "status", "seconds"}


class BadRule(ValueError):
    pass


class Rule:
    def __init__(self, given: dict):
        unknown = (set(given) - RULE_KEYS) | (set(given.get("match", {})) - MATCHABLE)
        if unknown:
            raise BadRule(f"unknown keys in a fault: {sorted(unknown)}")
        if given.get("do") not in ACTIONS:
            raise BadRule(f"do must be one of {sorted(ACTIONS)}, not {given.get('do')!r}")
        if not given.get("match"):
            raise BadRule("a fault must match something")
        self.given = given
        self.match = dict(given["match"])
        if "service" in self.match:
            self.match["service"] = service_name(self.match["service"])
        self.action = given["do"]
        self.first = given.get("from", 1)
        self.times = given.get("times", 1)
        self.seen = 0
        self.hits = 0

    def applies(self, call: Call) -> bool:
        if call.caller == SETUP and self.match.get("caller") != SETUP:
            return False
        if any(getattr(call, key) != value for key, value in self.match.items()):
            return False
        self.seen += 1
        if self.seen < self.first or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def answer(self, call: Call):
        error = self.given.get("error", "InternalFailure")
        message = self.given.get("message", "injected at the boundary")
        status = self.given.get("status", 400)
        if self.action == "timeout_after":
            if call.function:
                return function_error_answer("Sandbox.Timedout", "Error: Task timed out after 30.00 seconds")
            return error_answer(call, "RequestTimeout", "the answer was lost", 408)
        if call.function and not error.startswith("Lambda."):
            return function_error_answer(error, message)
        return error_answer(call, error.removeprefix("Lambda."), message, status)

    @property
    def state(self) -> dict:
        return {**self.given, "seen": self.seen, "hits": self.hits}


def deny(action: str, first: int = 1) -> Rule:
    """AccessDenied for `service:Operation`, as an IAM policy names it."""
    service, _, operation = action.partition(":")
    return Rule(
        {
            "match": {"service": service, "operation": "Invoke" if operation == "InvokeFunction" else operation},
            "from": first,
            "times": None,
            "do": "before",
            "error": "Lambda.AccessDenied" if service == "lambda" else "AccessDenied",
            "message": f"User is not authorized to perform: {action}",
            "status": 403,
        }
    )


class Boundary:
    def __init__(self, application):
        self._application = Bridge(application)
        self._lock = threading.Lock()
        self.journal: list[dict] = []
        self.faults: list[Rule] = []
        self.denials: list[Rule] = []

    def replace_faults(self, rules: list[dict]) -> None:
        built = [Rule(rule) for rule in rules]
        with self._lock:
            self.faults = built

    def __call__(self, environ, start_response):
        call = identify(environ)
        if call is None:
            return self._application(environ, start_response)
        call.caller = iam.caller_of(call.access_key)
        with self._lock:
            rule = next((rule for rule in [*self.faults, *self.denials] if rule.applies(call)), None)
            entry = self._record(call, rule)
        return self._carry_out(rule, call, entry, environ, start_response)

    def _record(self, call: Call, rule: Rule | None) -> dict:
        entry = {
            "seq": len(self.journal) + 1,
            "at": time.time(),
            "caller": call.caller,
            "service": call.service,
            "operation": call.operation,
            "state": call.state,
            "execution": call.execution,
            "function": call.function,
            "fault": rule.action if rule else None,
            "status": None,
        }
        self.journal.append(entry)
        return entry

    def _carry_out(self, rule, call, entry, environ, start_response):
        def noting_status(line, headers, exc_info=None):
            entry["status"] = int(line.split()[0])
            return start_response(line, headers, exc_info)

        if rule and rule.action == "delay":
            time.sleep(rule.given.get("seconds", 1))
        if rule is None or rule.action != "before":
            refusal = iam.refusal(call, environ)
            if refusal:
                entry["denied"] = refusal.action
                status = 400 if call.protocol in ("json", "cbor") else 403
                return _answer(noting_status, *error_answer(call, refusal.code, refusal.message, status))
        if rule is None or rule.action == "delay":
            return self._application(environ, noting_status)
        if rule.action != "before":
            # The request has its effect; only its answer is replaced.
            b"".join(self._application(environ, lambda *_: None))
        return _answer(noting_status, *rule.answer(call))


def _answer(start_response, status: int, headers: dict[str, str], body: bytes) -> list[bytes]:
    start_response(f"{status} Fault", [*headers.items(), ("Content-Length", str(len(body)))])
    return [body]
