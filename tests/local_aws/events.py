"""EventBridge rules that really fire; moto only stores them.

Contract: when an execution ends, the event that AWS would send goes to the targets of every enabled rule that matches it;
`rate()` rules fire every rate / speed seconds, one firing at a time. Either can be switched off in the settings while
running. Targets: state machines, functions, SNS topics; any other target or schedule is an error in the log.
"""

import datetime
import json
import re
import sys
import threading
import time
import traceback
import uuid

from . import clients
from .settings import ACCOUNT_ID, REGION, Settings

RATE = re.compile(r"^rate\((\d+) (minute|hour|day)s?\)$")
SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
SHORTEST_RATE_SECONDS = 0.5
# AWS leaves out what would make an event larger than this.
DATA_LIMIT_BYTES = 248 * 1024


class Events:
    def __init__(self, settings: Settings):
        self._settings = settings
        self._stopped = threading.Event()
        self._due: dict[str, float] = {}
        self._busy: set[str] = set()

    def start(self) -> None:
        threading.Thread(target=self._tick, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def execution_ended(self, execution) -> None:
        if self._settings.status_events:
            event = _event("aws.states", "Step Functions Execution Status Change", execution.exec_arn, _detail(execution))
            threading.Thread(target=_guarded, args=(self._deliver, event), daemon=True).start()

    def _deliver(self, event: dict) -> None:
        for rule in _rules():
            if rule.event_pattern.get_pattern() and rule.event_pattern.matches_event(event):
                send_to_targets(rule, event)

    def _tick(self) -> None:
        while not self._stopped.wait(0.05):
            if self._settings.sweep:
                _guarded(self._fire_due)
            else:
                self._due.clear()

    def _fire_due(self) -> None:
        now = time.monotonic()
        for rule in _rules():
            if not rule.scheduled_expression:
                continue
            period = max(SHORTEST_RATE_SECONDS, _rate_seconds(rule.scheduled_expression) / self._settings.speed)
            if now >= self._due.setdefault(rule.name, now + period) and rule.name not in self._busy:
                self._due[rule.name] = now + period
                self._busy.add(rule.name)
                threading.Thread(target=self._fire, args=(rule,), daemon=True).start()

    def _fire(self, rule) -> None:
        try:
            _guarded(send_to_targets, rule, _event("aws.events", "Scheduled Event", rule.arn, {}), wait=True)
        finally:
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


def _rate_seconds(expression: str) -> int:
    found = RATE.match(expression)
    if not found:
        raise ValueError(f"not emulated: a rule with {expression}")
    return int(found[1]) * SECONDS[found[2]]


def send_to_targets(rule, event: dict, wait: bool = False) -> None:
    for target in rule.targets:
        _send(target["Arn"], target_input(target, event), wait)


def _send(arn: str, payload: str, wait: bool) -> None:
    service = arn.split(":")[2]
    if service == "states":
        clients.client("stepfunctions", clients.EVENTS).start_execution(stateMachineArn=arn, input=payload)
    elif service == "lambda":
        kind = "RequestResponse" if wait else "Event"
        clients.client("lambda", clients.EVENTS).invoke(FunctionName=arn, InvocationType=kind, Payload=payload.encode())
    elif service == "sns":
        clients.client("sns", clients.EVENTS).publish(TopicArn=arn, Message=payload)
    else:
        raise ValueError(f"not emulated: a rule's target {arn}")


def target_input(target: dict, event: dict) -> str:
    """What a target is given. moto's own template engine writes strings without their quotes."""
    from jsonpath_ng import parse

    def at(path: str):
        found = parse(path).find(event)
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


def _detail(execution) -> dict:
    succeeded = execution.status == "SUCCEEDED"
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": int(execution.start_date.timestamp() * 1000),
        "stopDate": int(execution.stop_date.timestamp() * 1000),
        **_data("input", execution.execution_input),
        **_data("output", json.dumps(execution.output) if succeeded else None),
        "error": execution.error,
        "cause": execution.cause,
    }


def _data(name: str, text: str | None) -> dict:
    if text is None:
        return {name: None, f"{name}Details": None}
    included = len(text.encode()) <= DATA_LIMIT_BYTES
    return {name: text if included else None, f"{name}Details": {"included": included}}
