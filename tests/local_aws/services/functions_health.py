"""The health of a function that is a target: what it answers to its load balancer.

Contract: `of(group, arn)` is `healthy` if the function's answer has a status that the group's matcher takes, else `unhealthy`. It is asked once for
each of its configurations, since what the small functions of templates answer follows from these alone; one that is not there is
taken for healthy, as targets of worlds are that nobody told anything of.
"""

import json
import threading

HEADERS = {"user-agent": "ELB-HealthChecker/2.0"}

_asked: dict[tuple, str] = {}
_lock = threading.Lock()


def of(group, arn: str) -> str:
    function = _function(arn)
    if function is None:
        return "healthy"
    matcher = (group.matcher or {}).get("HttpCode") or "200"
    key = (arn, function.code_sha_256, json.dumps(function.environment_vars or {}, sort_keys=True), matcher, group.health_check_path)
    with _lock:
        if key not in _asked:
            _asked[key] = "healthy" if _is_taken(_status(arn, group), matcher) else "unhealthy"
        return _asked[key]


def _function(arn: str):
    from moto.awslambda.models import lambda_backends

    parts = arn.split(":")
    functions = lambda_backends[parts[4]][parts[3]].list_functions()
    return next((one for one in functions if one.function_arn == arn), None)


def _status(arn: str, group) -> int | None:
    from ..clients import client

    event = {"requestContext": {"elb": {"targetGroupArn": group.arn}}, "httpMethod": "GET", "path": group.health_check_path or "/"}
    event |= {"queryStringParameters": {}, "headers": HEADERS, "body": "", "isBase64Encoded": False}
    answer = client("lambda").invoke(FunctionName=arn, Payload=json.dumps(event))
    said = json.loads(answer["Payload"].read())
    return said.get("statusCode") if isinstance(said, dict) and "FunctionError" not in answer else None


def _is_taken(status, matcher: str) -> bool:
    """`200,202` or `200-299` (ELB guide, health checks of functions)."""
    for part in matcher.split(","):
        first, _, last = part.partition("-")
        if isinstance(status, int) and int(first) <= status <= int(last or first):
            return True
    return False
