"""EventBridge rules and schedules that really fire; moto only stores them.

Contract: when an execution begins or ends, the event that AWS would send goes to the targets of every enabled rule that matches it;
`rate()` rules fire every rate / speed seconds, one firing at a time, and are not at work for more than a tenth of the time. Either can be switched off in the settings while
running. Scheduler's schedules are delivered as `schedules` says. Any other expression of a rule is an error in the log.
`under_way()` says whether an event has yet to reach its targets.
"""

import datetime
import json
import re
import sys
import threading
import time
import traceback
import uuid
from functools import lru_cache

from .. import clients
from ..settings import ACCOUNT_ID, REGION, Settings
from . import schedules
from .deliveries import Delivery, deliver
from .schedules import SHORTEST_RATE_SECONDS, rate_seconds

# AWS leaves out what would make an event larger than this.
DATA_LIMIT_BYTES = 248 * 1024

_under_way: set[str] = set()


def under_way() -> bool:
    return bool(_under_way)


class Events:
    def __init__(self, settings: Settings):
        self._settings = settings
        self._stopped = threading.Event()
        self._due: dict[str, float] = {}
        self._busy: set[str] = set()
        self._schedules = schedules.Due(settings)

    def start(self) -> None:
        threading.Thread(target=self._tick, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def status_changed(self, execution, status: str | None = None) -> None:
        """`status`: what it was when the event was made, where it may have changed since."""
        if self._settings.status_events:
            detail = _detail(execution, status or execution.status)
            event = _event("aws.states", "Step Functions Execution Status Change", execution.exec_arn, detail)
            _under_way.add(event["id"])
            threading.Thread(target=_guarded, args=(self._deliver, event), daemon=True).start()

    def _deliver(self, event: dict) -> None:
        try:
            for rule in _rules():
                if rule.event_pattern.get_pattern() and rule.event_pattern.matches_event(event):
                    send_to_targets(rule, event, wait=True)  # what a function makes of it is under way too
        finally:
            _under_way.discard(event["id"])

    def _tick(self) -> None:
        while not self._stopped.wait(0.05):
            if self._settings.sweep:
                _guarded(self._fire_due)
            else:
                self._due.clear()
            _guarded(self._fire_schedules)

    def _fire_due(self) -> None:
        now = time.monotonic()
        for rule in _rules():
            if not rule.scheduled_expression:
                continue
            period = max(SHORTEST_RATE_SECONDS, rate_seconds(rule.scheduled_expression) / self._settings.speed)
            if now >= self._due.setdefault(rule.name, now + period) and rule.name not in self._busy:
                self._due[rule.name] = now + period
                self._busy.add(rule.name)
                threading.Thread(target=self._fire, args=(rule,), daemon=True).start()

    def _fire_schedules(self) -> None:
        for schedule in self._schedules.now():
            threading.Thread(target=_guarded, args=(schedules.send, schedule), daemon=True).start()

    def _fire(self, rule) -> None:
        began = time.monotonic()
        try:
            _guarded(send_to_targets, rule, _event("aws.events", "Scheduled Event", rule.arn, {}), wait=True)
        finally:
            # At a high speed rules would otherwise be most of what the emulator does.
            self._due[rule.name] = max(self._due.get(rule.name, 0), began + 10 * (time.monotonic() - began))
            self._busy.discard(rule.name)


def _guarded(action, *args, **kwargs) -> None:
    try:
        action(*args, **kwargs)
    except Exception:
        print("local_aws: an event could not be delivered", file=sys.stderr)
        traceback.print_exc()


def _rules() -> list:
    from moto.events.models import events_backends

    bus = events_backends[ACCOUNT_ID][REGION].event_buses["default"]
    return [rule for rule in list(bus.rules.values()) if rule.state == "ENABLED"]


def send_to_targets(rule, event: dict, wait: bool = False) -> None:
    for target in rule.targets:
        source = {"RULE_ARN": rule.arn}
        deliver(Delivery(clients.EVENTS, target, target_input(target, event), json.dumps(event), source), wait)


def target_input(target: dict, event: dict) -> str:
    """What a target is given. moto's own template engine writes strings without their quotes."""
    def at(path: str):
        found = _parsed(path).find(event)
        return found[0].value if found else None

    if "Input" in target:
        return target["Input"]
    if "InputPath" in target:
        return json.dumps(at(target["InputPath"]))
    if "InputTransformer" in target:
        transformer = target["InputTransformer"]
        values = {name: at(path) for name, path in transformer.get("InputPathsMap", {}).items()}
        return _fill(transformer["InputTemplate"], values)
    return json.dumps(event)


@lru_cache(maxsize=64)
def _parsed(path: str):
    """jsonpath_ng makes its whole parser anew for each path."""
    from jsonpath_ng import parse

    return parse(path)


def _fill(template: str, values: dict) -> str:
    """Inside a JSON string a value is inserted as text; anywhere else as JSON."""

    def value(match):
        inside_string = template[: match.start()].count('"') % 2 == 1
        inserted = values[match[1]]
        return json.dumps(inserted)[1:-1] if inside_string and isinstance(inserted, str) else json.dumps(inserted)

    return re.sub(r"<([\w.-]+)>", value, template)


def _event(source: str, detail_type: str, resource: str, detail: dict) -> dict:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT_ID,
        "time": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [resource],
        "detail": detail,
    }


def _detail(execution, status: str) -> dict:
    is_over, succeeded = status != "RUNNING", status == "SUCCEEDED"
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": int(execution.start_date.timestamp() * 1000),
        "stopDate": int(execution.stop_date.timestamp() * 1000) if is_over else None,
        **_data("input", execution.execution_input),
        **_data("output", json.dumps(execution.output) if succeeded else None),
        "error": execution.error if is_over else None,
        "cause": execution.cause if is_over else None,
    }


def _data(name: str, text: str | None) -> dict:
    if text is None:
        return {name: None, f"{name}Details": None}
    included = len(text.encode()) <= DATA_LIMIT_BYTES
    return {name: text if included else None, f"{name}Details": {"included": included}}
