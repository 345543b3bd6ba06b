"""Faults: what a test makes go wrong with requests to the emulated AWS.

Contract: `Rule(given)` reads one rule:
      {"match": {any of account, caller, service, operation, state, machine, execution, function},
       "from": 1, "times": 1 or null (for ever), "do": one of ACTIONS, ...}
  It applies to its `from`-th matching request and the next ones, `times` in all; with `then`, another match, to all that match that
  once it has hit. `hits` counts only what had an effect. Set-up calls (access key `local`) are hit only
  by a rule that names that caller. What is done, with the further keys that it takes:
      before         no effect; the error is answered (error, message, status)
      limit          the same, of what is more than `rate` requests a second; as many as `burst` may come at once. It hits what is too much
      after          the effect, then the error
      timeout_after  the effect, and the caller's time-out: of a task, or of the function that was invoked
      delay          the effect only after some seconds
      late           the effect at once, the answer after some seconds
      lose           the effect; the connection breaks off without an answer
      garble         the effect; `body` is answered in place of what was to be answered
      stale          of a read: the answer to the same question from before the service's last change, if it was asked then
      kill_before    the process of the function that asks is killed before the effect
      kill_after     the same after it
      skew           the wall clock of the function that is invoked is wrong by so many seconds
      twice          the effect twice at once, as when Lambda delivers an event a second time; the first answer counts
      call           somebody else's call first, by the set-up (call: {service, operation, parameters}); then as without a rule.
                     `<execution>` in it is the execution for which the request is made
      call_after     the same call, after the effect
      drift          somebody else changes a route first (route: see drift.py); then as without a rule
"""

import threading
import time

from ..clients import SETUP
from ..control.protocols import Call, error_answer, function_error_answer, service_name

MATCHABLE = {"account", "caller", "service", "operation", "state", "machine", "execution", "function"}
ACTIONS = {
    "before",
    "limit",
    "after",
    "timeout_after",
    "delay",
    "late",
    "lose",
    "garble",
    "stale",
    "kill_before",
    "kill_after",
    "skew",
    "twice",
    "call",
    "call_after",
    "drift",
}
RULE_KEYS = {"match", "then", "from", "times", "do", "error", "message", "status", "seconds", "body", "call", "route", "rate", "burst"}
MOST_QUESTIONS = 10_000
READS = ("Describe", "List", "Get", "BatchGet", "Query")


class BadRule(ValueError):
    pass


class Rule:
    def __init__(self, given: dict):
        unknown = (set(given) - RULE_KEYS) | (set(given.get("match", {})) | set(given.get("then", {}))) - MATCHABLE
        if unknown:
            raise BadRule(f"unknown keys in a fault: {sorted(unknown)}")
        if given.get("do") not in ACTIONS:
            raise BadRule(f"do must be one of {sorted(ACTIONS)}, not {given.get('do')!r}")
        if not given.get("match"):
            raise BadRule("a fault must match something")
        self.given = given
        self.match = _named(given["match"])
        self.then = _named(given.get("then") or given["match"])
        self.action = given["do"]
        self.first = given.get("from", 1)
        self.times = given.get("times", 1)
        self.seen = 0
        self.hits = 0
        self.bucket = Bucket(given.get("rate", 1), given.get("burst", 1)) if self.action == "limit" else None

    def applies(self, call: Call) -> bool:
        if call.caller == SETUP and self.match.get("caller") != SETUP:
            return False
        match = self.then if self.hits else self.match
        if any(getattr(call, key) != value for key, value in match.items()):
            return False
        self.seen += 1
        if self.seen < self.first or (self.times is not None and self.hits >= self.times):
            return False
        if self.bucket and self.bucket.lets_pass(time.monotonic()):
            return False
        self.hits += 1
        return True

    def miss(self) -> None:
        """What it did had no effect: it still waits for its request."""
        self.hits -= 1

    def answer(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        is_limit = self.action == "limit"
        error = self.given.get("error", "Throttling" if is_limit else "InternalFailure")
        message = self.given.get("message", "Rate exceeded" if is_limit else "injected at the boundary")
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


class Bucket:
    """A limit of so many requests a second, as AWS's APIs have it: what is not used is saved up, to `burst` requests."""

    def __init__(self, rate: float, burst: float):
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, None

    def lets_pass(self, now: float) -> bool:
        self._left = min(self._burst, self._left + self._rate * (now - (self._at if self._at is not None else now)))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _named(match: dict) -> dict:
    return {**match, **({"service": service_name(match["service"])} if "service" in match else {})}


def deny(action: str, first: int = 1, account: str | None = None) -> Rule:
    """AccessDenied for `service:Operation`, as an IAM policy names it, or for everything (`*`); in one account only, if it is named."""
    service, _, operation = action.partition(":")
    match = {"service": service, "operation": "Invoke" if operation == "InvokeFunction" else operation} if operation else {}
    return Rule(
        {
            "match": match | ({"account": account} if account else {}),
            "from": first,
            "times": None,
            "do": "before",
            "error": "Lambda.AccessDenied" if service == "lambda" else "AccessDenied",
            "message": f"User is not authorized to perform: {action}",
            "status": 403,
        }
    )


def late(state: str, seconds: float) -> Rule:
    """What a state of a machine calls begins late, as when Lambda is out of capacity."""
    return Rule({"match": {"caller": "states", "state": state}, "times": None, "do": "delay", "seconds": seconds})


class Past:
    """What reads were answered before the last change of their service; of many questions, the latest.

    Requests are answered by many threads at once."""

    def __init__(self):
        self._lock = threading.Lock()
        self._latest: dict[tuple, tuple] = {}
        self._stale: dict[tuple, tuple] = {}

    def note(self, call: Call, question: tuple, answer: tuple) -> None:
        if answer[0] < 300:
            with self._lock:
                self._note(call, question, answer)

    def _note(self, call: Call, question: tuple, answer: tuple) -> None:
        if call.operation.startswith(READS):
            self._latest[question] = answer
            if len(self._latest) > MOST_QUESTIONS:
                oldest = next(iter(self._latest))
                self._latest.pop(oldest)
                self._stale.pop(oldest, None)
        else:
            of_service = {key: value for key, value in self._latest.items() if key[0] == call.service}
            self._stale |= of_service

    def answer(self, question: tuple) -> tuple | None:
        return self._stale.get(question)

    def forget(self) -> None:
        with self._lock:
            self._latest.clear()
            self._stale.clear()
