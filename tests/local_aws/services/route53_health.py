"""Route 53 health checks: what the checkers see, and what that means for answers.

Contract: `install(speed)`. Nobody checks anything here; what the checkers see is told:
- by the check's tag `localaws:health`: `healthy`, `unhealthy`, `unknown`, a percentage of checkers that succeed ("40"), or JSON as below;
- or by `tell` (POST /_local/health-checks), for checks that are not made yet: [{"match": {any of id, fqdn, ip_address, port, type,
  resource_path}, "health": ...}]; the first that matches counts; told again, the list is replaced.
`health` is `healthy`, `unhealthy`, `unknown` (no checker has told anything), a number of percent, or {"percent", "failure": what a failing
checker says}. Without any, healthy.
GetHealthCheckStatus answers an observation of each checker, from the regions that the check names; none until the first interval
(stretched) after the check was made is over. `is_healthy(check)` is what Route 53 makes of it: more than 18 % of the checkers succeed; a new
check and a disabled one count as healthy; inverted, calculated ones (their children, up to the threshold) as AWS counts them.
Stock moto has one checker that always succeeds; it forgets missing checks silently, and checks HTTPS on port 80.
"""

import datetime
import json
import time

from ..settings import ACCOUNT_ID

HEALTH_TAG = "localaws:health"
HEALTHY_PERCENT = 18
REGIONS = (
    *("us-east-1", "us-west-1", "us-west-2", "eu-west-1"),
    *("ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"),
)
CHECKERS_PER_REGION = 2
LEAST_REGIONS = 3
# Kinds of checks that ask no endpoint: other checks, an alarm, a routing control.
ENDPOINTLESS = {"CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"}
MATCHABLE = {"id", "fqdn", "ip_address", "port", "type", "resource_path"}
SUCCESS = {"TCP": "Success"}
HTTP_SUCCESS = "Success: HTTP Status Code 200, OK"
FAILURES = {
    "TCP": "Failure: Connection refused. The endpoint refused the connection.",
    "HTTP": "Failure: HTTP Status Code 503, Service Unavailable",
    "STR": "Failure: The body of the response did not contain the search string.",
}

_speed = 1.0
_told: list[dict] = []
# When each check was made (monotonic clock).
_made: dict[str, float] = {}


def set_speed(speed: float) -> None:
    global _speed
    _speed = speed


def install(speed: float) -> None:
    global _speed
    from moto.route53.models import HealthCheck, Route53Backend
    from moto.route53.responses import Route53

    _speed = speed
    Route53.get_health_check_status = _get_status
    _note_when_made(HealthCheck)
    _miss_checks(Route53Backend)


def tell(rules: list[dict]) -> None:
    for rule in rules:
        unknown = set(rule.get("match", {})) - MATCHABLE
        if unknown or not rule.get("match"):
            raise ValueError(f"match must have any of {', '.join(sorted(MATCHABLE))}")
        _percent(rule["health"])
    _told[:] = rules


def forget() -> None:
    _told.clear()
    _made.clear()


def _error(code: str, message: str, status: int = 400) -> Exception:
    from moto.route53.exceptions import Route53ClientError

    problem = Route53ClientError(code, message)
    problem.status_code = status
    return problem


def _backend(check_id: str):
    """Of the account that has the check; the stack's own where none has."""
    from moto.route53.models import route53_backends

    every = [partitions["aws"] for partitions in list(route53_backends.values())]
    return next((one for one in every if check_id in one.health_checks), route53_backends[ACCOUNT_ID]["aws"])


def _note_when_made(check_class) -> None:
    stock = check_class.__init__

    def init(self, *args, **kwargs):
        stock(self, *args, **kwargs)
        _made[self.id] = time.monotonic()
        settings = args[2] if len(args) > 2 else kwargs["health_check_args"]
        secure = (self.type_ or "").startswith("HTTPS")
        self.port = settings.get("port") or (443 if secure else 80)
        self.enable_sni = secure if settings.get("enable_sni") is None else settings["enable_sni"]

    check_class.__init__ = init


def _miss_checks(backend_class) -> None:
    stock = backend_class.delete_health_check

    def delete_health_check(self, health_check_id):
        self.get_health_check(health_check_id)
        stock(self, health_check_id)

    backend_class.delete_health_check = delete_health_check


def health_told(check) -> dict:
    """{"percent": of the checkers that succeed (None: nobody knows), "failure": what the others say}"""
    tags = _backend(check.id).list_tags_for_resource(check.id)
    told = tags.get(HEALTH_TAG)
    if told is None:
        settings = {
            "id": check.id,
            "type": check.type_,
            **{name: getattr(check, name, None) for name in MATCHABLE - {"id", "type"}},
        }
        told = next((rule["health"] for rule in _told if _matches(rule["match"], settings)), "healthy")
    return {"percent": _percent(told), "failure": _failure(told, check)}


def _matches(match: dict, settings: dict) -> bool:
    return all(str(settings[name]) == str(value) for name, value in match.items())


def _parsed(told):
    if isinstance(told, str) and told.startswith("{"):
        return json.loads(told)
    return told


def _percent(told) -> float | None:
    """None: nothing is known."""
    told = _parsed(told)
    if isinstance(told, dict):
        told = told.get("percent", 0)
    if told == "unknown":
        return None
    percent = {"healthy": 100.0, "unhealthy": 0.0}.get(told)
    percent = float(told) if percent is None else percent
    if not 0 <= percent <= 100:
        raise ValueError(f"{told} is no percentage of checkers")
    return percent


def _failure(told, check) -> str:
    told = _parsed(told)
    if isinstance(told, dict) and told.get("failure"):
        return told["failure"]
    kind = "STR" if (check.type_ or "").endswith("STR_MATCH") else "TCP" if check.type_ == "TCP" else "HTTP"
    return FAILURES[kind]


def _has_observations(check) -> bool:
    age = (time.monotonic() - _made.get(check.id, 0)) * _speed
    return age >= int(check.request_interval) and health_told(check)["percent"] is not None


def _observations(check, now: datetime.datetime) -> list[dict]:
    told = health_told(check)
    regions = check.regions or REGIONS
    count = len(regions) * CHECKERS_PER_REGION
    succeeding = round(count * told["percent"] / 100)
    success = SUCCESS.get(check.type_, HTTP_SUCCESS)
    return [
        {
            "Region": regions[number // CHECKERS_PER_REGION],
            "IPAddress": f"15.177.{10 + number // CHECKERS_PER_REGION * 4}.{20 + number % CHECKERS_PER_REGION}",
            "StatusReport": {
                "Status": success if number < succeeding else told["failure"],
                "CheckedTime": now - datetime.timedelta(seconds=number % int(check.request_interval)),
            },
        }
        for number in range(count)
    ]


def _get_status(self):
    from moto.core.responses import ActionResult

    check = self.backend.get_health_check(self._get_param("HealthCheckId"))
    if check.type_ == "CALCULATED":
        raise _error("InvalidInput", "The status of a calculated health check cannot be retrieved.")
    now = datetime.datetime.now(datetime.timezone.utc)
    observations = _observations(check, now) if _has_observations(check) else []
    return ActionResult({"HealthCheckObservations": observations})


def is_healthy(check_id: str) -> bool:
    """What Route 53 makes of a check; one that is not there counts as healthy, as for a record without one."""
    check = _backend(check_id).health_checks.get(check_id)
    if check is None or _truth(check.disabled):
        return True
    if check.type_ == "CALCULATED":
        children = [is_healthy(child) for child in check.children or []]
        healthy = sum(children) >= int(check.health_threshold or len(children))
    else:
        healthy = not _has_observations(check) or health_told(check)["percent"] > HEALTHY_PERCENT
    return healthy != _truth(check.inverted)


def _truth(value) -> bool:
    return str(value).lower() == "true"
