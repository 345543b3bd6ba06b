"""The control API under /_local/: what tests and rehearsals ask of the emulated AWS, beyond what AWS itself answers.

Contract: JSON in, JSON out; an error is a 4xx with {"error": {"code", "message"}}. Other paths go on to AWS.
"""

import datetime
import json
import traceback
from pathlib import Path
from urllib.parse import parse_qs

from botocore.exceptions import BotoCoreError, ClientError

from .. import clients
from ..services import events, functions, ses, sns
from ..settings import Settings
from .boundary import Boundary
from .protocols import read_body

PREFIX = "/_local/"


class BadRequest(ValueError):
    pass


class Control:
    def __init__(self, settings: Settings, boundary: Boundary):
        self._settings = settings
        self._boundary = boundary
        self._routes = {
            ("GET", "requests"): self._requests,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._replace_faults,
            ("POST", "call"): self._call,
            ("GET", "dump"): self._dump,
            ("GET", "routing"): self._routing,
            ("GET", "routings"): lambda query, body: boundary.routings,
            ("GET", "exchanges"): lambda query, body: boundary.exchanges or [],
            ("POST", "exchanges"): self._keep_exchanges,
            ("GET", "runs"): self._runs,
            ("GET", "invocations"): lambda query, body: functions.invocations,
            ("GET", "code"): lambda query, body: functions.code(),
            ("GET", "messages"): lambda query, body: sns.messages,
            ("GET", "mail"): lambda query, body: ses.sent,
            ("POST", "mail"): lambda query, body: ses.configure(body),
            ("POST", "world"): self._world,
            ("POST", "target-health"): self._target_health,
            ("POST", "tags"): self._tags,
            ("POST", "health-checks"): self._health_checks,
            ("POST", "rules"): self._rules,
            ("POST", "replication"): self._replication,
            ("POST", "metrics"): self._metrics,
            ("POST", "published-metrics"): self._published_metrics,
            ("POST", "steady-metrics"): self._steady_metrics,
            ("POST", "clear"): self._clear,
            ("POST", "events"): self._events,
            ("POST", "speed"): self._speed,
            ("POST", "wait"): self._wait,
            ("POST", "fire-schedule"): self._fire_schedule,
            ("POST", "deploy-template"): self._deploy_template,
            ("POST", "delete-template"): self._delete_template,
        }

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if not path.startswith(PREFIX):
            return self._boundary(environ, start_response)
        status, answer = self._answer(environ, path.removeprefix(PREFIX))
        body = json.dumps(answer, default=_plain).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ, name: str):
        route = self._routes.get((environ["REQUEST_METHOD"], name))
        if route is None:
            return "404 Not Found", _error("NotFound", f"there is no {environ['REQUEST_METHOD']} {PREFIX}{name}")
        try:
            text = read_body(environ)
            query = {key: values[-1] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
            return "200 OK", route(query, json.loads(text) if text else None)
        except ClientError as problem:
            return "400 Bad Request", _error(problem.response["Error"]["Code"], problem.response["Error"]["Message"])
        except (ValueError, BotoCoreError) as problem:
            return "400 Bad Request", _error(type(problem).__name__, str(problem))
        except (KeyError, TypeError, AttributeError) as problem:
            # Most likely the request; perhaps a mistake here.
            traceback.print_exc()
            return "400 Bad Request", _error(type(problem).__name__, str(problem))

    def _requests(self, query, body):
        return self._boundary.journal[int(query.get("since", 0)) :]

    def _faults(self, query, body):
        return [rule.state for rule in self._boundary.faults]

    def _replace_faults(self, query, body):
        self._boundary.replace_faults(body)
        return {}

    def _keep_exchanges(self, query, body):
        self._boundary.keep_exchanges()
        return {}

    def _call(self, query, body):
        account, region = body.get("at") or (None, None)
        at = (account or clients.HOME[0], region or clients.HOME[1])
        operation = getattr(clients.client(body["service"], at=at), body["operation"])
        answer = operation(**body.get("parameters", {}))
        answer.pop("ResponseMetadata", None)
        # What a function answered is a stream.
        return {name: value.read().decode() if hasattr(value, "read") else value for name, value in answer.items()}

    def _dump(self, query, body):
        from . import dump

        return dump.dump(self._settings.journal_table)

    def _routing(self, query, body):
        from . import routing

        return routing.routing()

    def _runs(self, query, body):
        from . import dump

        return {**dump.runs(self._settings.journal_table), "busy": self._boundary.is_busy or events.under_way()}

    def _world(self, query, body):
        from ..world import maker

        return maker.create(body, self._boundary)

    def _target_health(self, query, body):
        from ..services import elbv2

        elbv2.set_target_health(body["target_group_arn"], body["health"])
        return {}

    def _health_checks(self, query, body):
        """[{"match": {..}, "health": ..}]: what the checkers of Route 53 see, see services/route53_health.py."""
        from ..services import route53_health

        route53_health.tell(body)
        return {}

    def _tags(self, query, body):
        """{"arn", "tags": {..}}: any prefix, as AWS itself sets it."""
        from ..services import elbv2

        elbv2.tag(body["arn"], body["tags"])
        return {}

    def _rules(self, query, body):
        """{"release_seconds"}: how long a target group stays in use after it was let go, in stretched seconds."""
        from ..services import elbv2_groups

        elbv2_groups.set_release(body["release_seconds"])
        return {}

    def _replication(self, query, body):
        from ..services import dms

        dms.set_replication(body["arn"], body.get("status"), body.get("tables"), body.get("changes", 0))
        return {}

    def _metrics(self, query, body):
        from ..services import cloudwatch

        cloudwatch.put(body)
        return {}

    def _published_metrics(self, query, body):
        """{"entries", "namespaces", "until"}: datapoints, and up to when their publisher has published everything."""
        from ..services import cloudwatch

        cloudwatch.put(body["entries"])
        cloudwatch.published(body["namespaces"], body["until"])
        return {}

    def _steady_metrics(self, query, body):
        from ..services import cloudwatch

        cloudwatch.keep_steady(body)
        return {}

    def _clear(self, query, body):
        from . import clear

        clear.clear(self._settings, self._boundary)
        return {}

    def _events(self, query, body):
        unknown = set(body) - {"status_events", "sweep"}
        if unknown:
            raise BadRequest(f"unknown keys: {sorted(unknown)}")
        for key, value in body.items():
            setattr(self._settings, key, bool(value))
        return {"status_events": self._settings.status_events, "sweep": self._settings.sweep}

    def _speed(self, query, body):
        from ..services import cloudwatch, elbv2_groups, route53_health, s3, ses

        speed = float(body["speed"])
        if speed <= 0:
            raise BadRequest("the speed must be above 0")
        self._settings.speed = speed
        for service in (cloudwatch, elbv2_groups, route53_health, s3, ses):
            service.set_speed(speed)
        return {}

    def _wait(self, query, body):
        from . import waits

        return waits.wait(body, self._settings.journal_table)

    def _fire_schedule(self, query, body):
        from ..services import schedules

        return schedules.fire(body["name"])

    def _deploy_template(self, query, body):
        from ..stacks import cloudformation

        return cloudformation.deploy(Path(body["assembly"]), body.get("stack"))

    def _delete_template(self, query, body):
        from ..stacks import cloudformation

        return cloudformation.delete(body["stack"], Path(body["assembly"]) if "assembly" in body else None)


def _error(code: str, message: str) -> dict:
    return {"error": {"code": code, "message": message}}


def _plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if hasattr(value, "read"):
        content = value.read()
        try:
            return json.loads(content)
        except ValueError:
            return content.decode(errors="replace")
    if isinstance(value, set):
        return sorted(value)
    return str(value)
