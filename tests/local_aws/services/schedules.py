"""EventBridge Scheduler: its schedules are delivered; moto only stores them.

Contract: a one-time schedule (`at()`, in its time zone) is delivered once, at that time of the real clock, unless it was made
or changed after it; a `rate()` schedule every rate / speed seconds from when it is first seen. `cron()` and unknown time zones
are refused when a schedule is made, whoever makes it (`install`). `fire` delivers one now, as often as it is called: AWS delivers at least once. Disabled schedules are delivered by `fire` only.
"""

import datetime
import re
import time
import uuid

from dateutil import tz  # has the time zones with it, which a small system lacks

from .. import clients
from ..settings import ACCOUNT_ID, REGION, Settings
from .deliveries import Delivery, deliver

AT = re.compile(r"^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$")
RATE = re.compile(r"^rate\((\d+) (minute|hour|day)s?\)$")
SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
SHORTEST_RATE_SECONDS = 0.5


def rate_seconds(expression: str) -> int:
    found = RATE.match(expression)
    if not found:
        raise ValueError(f"not emulated: the schedule {expression}")
    return int(found[1]) * SECONDS[found[2]]


def at_time(expression: str, timezone: str) -> datetime.datetime | None:
    """When a one-time schedule is due; None for any other."""
    found = AT.match(expression)
    return datetime.datetime.fromisoformat(found[1]).replace(tzinfo=tz.gettz(timezone)) if found else None


def check(expression: str, timezone: str = "UTC") -> None:
    """What is refused when a schedule is made."""
    if not AT.match(expression):
        rate_seconds(expression)
    if tz.gettz(timezone) is None:
        raise ValueError(f"there is no time zone {timezone}")


def install() -> None:
    from moto.scheduler.exceptions import ValidationException
    from moto.scheduler.models import Schedule

    def checked(stock):
        def made(self, *args, **given):
            try:
                check(given["schedule_expression"], given["schedule_expression_timezone"] or "UTC")
            except ValueError as problem:
                raise ValidationException(str(problem)) from problem
            return stock(self, *args, **given)

        return made

    Schedule.__init__, Schedule.update = checked(Schedule.__init__), checked(Schedule.update)


class Due:
    """Remembers what was delivered, so that each schedule is due once per time."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._delivered: set[tuple] = set()
        self._next: dict[tuple, float] = {}

    def now(self) -> list:
        return [schedule for schedule in _all() if schedule.state == "ENABLED" and self._is_due(schedule)]

    def _is_due(self, schedule) -> bool:
        expression = schedule.schedule_expression
        key = (schedule.arn, schedule.creation_date, expression, schedule.schedule_expression_timezone)
        due = at_time(expression, schedule.schedule_expression_timezone)
        if due is None:
            return self._is_due_again(key, expression)
        if key in self._delivered or not schedule.last_modified_date < due.timestamp() <= time.time():
            return False
        self._delivered.add(key)
        return True

    def _is_due_again(self, key: tuple, expression: str) -> bool:
        if not RATE.match(expression):
            return False
        now, period = time.monotonic(), max(SHORTEST_RATE_SECONDS, rate_seconds(expression) / self._settings.speed)
        if now < self._next.setdefault(key, now + period):
            return False
        self._next[key] = now + period
        return True


def _all() -> list:
    from moto.scheduler.models import scheduler_backends

    groups = list(scheduler_backends[ACCOUNT_ID][REGION].schedule_groups.values())
    return [schedule for group in groups for schedule in list(group.schedules.values())]


def fire(name: str) -> dict:
    found = [schedule for schedule in _all() if schedule.name == name]
    if len(found) != 1:
        raise ValueError(f"there are {len(found)} schedules called {name}")
    return send(found[0])


def send(schedule) -> dict:
    payload = _in_context(schedule, schedule.target.get("Input", "{}"))
    source = {"SCHEDULE_ARN": schedule.arn}
    return deliver(Delivery(clients.SCHEDULER, schedule.target, payload, payload, source), wait=True)


def _in_context(schedule, text: str) -> str:
    """Fills in the attributes that an input may name."""
    due = at_time(schedule.schedule_expression, schedule.schedule_expression_timezone)
    due = due or datetime.datetime.now(datetime.timezone.utc)
    attributes = {
        "schedule-arn": schedule.arn,
        "scheduled-time": due.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text
