"""The world file beside a plan: what a plan does not say about the environment that it names.

Contract: `check(world, plan)` raises WorldError for every unknown key, and for what the plan does not name, with its path. The emulator applies at creation what the plan's
environment starts with; behaviour over time (`old`, `new`, and of a replication `lag_seconds`, `backlog`, `changes_per_second`), of people (`during`,
`approval`) and `watch_after_end` are the rehearsal's business and only checked here. What is less plain:
    old, new         error_rate is the part of users' requests that is answered error_status (500), unanswered_rate the part whose
                     connection breaks off; slow_rate the part that takes slow_ms (1000) instead of latency_ms
    listeners        by the plan's listener or rule ARN: old_weight, neighbours ([{"name": "shop-third", "weight": 20}]), ...
    records          by the plan's name and type, "app.example.com A": ttl, values or alias; or members, the weighted records
    groups           by the plan's target group ARN: target_type (ip, instance, lambda, alb), protocol, stickiness (true: cookies of the
                     group's own), health_checks (false: none; true: of functions too), tags
    also_forwarding  target groups of the plan that a second listener of their load balancer forwards to as well
    late             the functions that these states of the machine call begin so many seconds late, of real time, each time
    health_checks    what Route 53's checkers see, also of checks that the run will make: services/route53_health.py
    more_records     record sets as the API writes them, in a zone of the plan
    accounts         the accounts of the plan that are not the stack's own: what it names in these is made there, in the region of its ARN,
                     and the role that the stack knows of them lets it in, as the policies of topics and functions there do, unless the account
                     is `closed`. All else is made in the stack's own account and region
    zones            other zones of the account: name, private, and their records as the API writes them
    records.*.members.*.health   the record has a health check, and this is what its checkers see
"""

from .environment import as_dict, dicts, strings, text

BEHAVIOUR = {
    "latency_ms",
    "slow_rate",
    "slow_ms",
    "error_rate",
    "error_status",
    "unanswered_rate",
    "healthy_percent",
    "health_body",
    "health_status",
}
CHANGE = BEHAVIOUR | {"when_new_weight", "route", "when_succeeded", "after"}
SIDE = BEHAVIOUR | {"changes", "reported"}
KEYS = {
    "": {
        "$schema",
        "description",
        "expect",
        "listeners",
        "records",
        "replication",
        "old",
        "new",
        "alarms",
        "metrics",
        "hooks",
        "deny",
        "late",
        "watch_after_end",
        "during",
        "approval",
        "decision",
        "incident",
        "groups",
        "also_forwarding",
        "accounts",
        "health_checks",
        "more_records",
        "zones",
    },
    "listeners.*": {"stickiness_seconds", "neighbours", "old_weight", "authenticate", "tags", "protocol"},
    "listeners.*.neighbours.*": {"name", "weight"},
    "records.*": {"ttl", "values", "alias", "members"},
    "records.*.alias": {"dns_name", "hosted_zone_id", "evaluate_target_health"},
    "records.*.members.*": {"set_identifier", "weight", "ttl", "values", "health"},
    "groups.*": {"target_type", "protocol", "stickiness", "health_checks", "tags"},
    "health_checks.*": {"match", "health"},
    "more_records.*": {"hosted_zone_id", "record"},
    "zones.*": {"name", "private", "records"},
    "replication": {"status", "lag_seconds", "backlog", "changes_per_second", "tables", "migration_type", "reverse"},
    "replication.tables.*": {"schema", "table", "state", "table_state"},
    "replication.reverse": {"status", "lag_seconds", "migration_type"},
    "old": SIDE,
    "new": SIDE,
    "old.changes.*": CHANGE,
    "new.changes.*": CHANGE,
    "hooks.*": {"fail"},
    "accounts.*": {"closed"},
    "deny.*": {"action", "from", "account"},
    "late.*": {"state", "seconds"},
    "during.*": {"when_new_weight", "route", "do"},
}
ENDINGS = {"Succeeded", "RolledBack", "Stuck", "Held", "PrecheckFailed", "InvalidPlan", "Conflict", "LineStopped", "Rejected"}


class WorldError(ValueError):
    pass


def check(world: dict, plan: dict) -> None:
    problems = list(_unknown_keys(world, "", ""))
    for key, named in _named(plan).items():
        for unknown in sorted(set(as_dict(world.get(key))) - named):
            known = ", ".join(sorted(named)) or "none"
            problems.append(f"{key}.{unknown}: the plan has no such thing; it has: {known}")
    if world.get("expect", "Succeeded") not in ENDINGS:
        problems.append(f"expect: must be one of {', '.join(sorted(ENDINGS))}")
    if problems:
        raise WorldError("; ".join(problems))


def _named(plan: dict) -> dict[str, set[str]]:
    """What of the plan can be set up, by the keys of a world file that are about such things."""
    routes = dicts(plan.get("routes"))
    actions = {text(route.get(field)) for route in routes for field in ("listener_arn", "rule_arn")}
    records = {
        f"{text(route.get('record_name')).rstrip('.')} {text(record.get('type'))}"
        for route in routes
        for record in dicts(route.get("records"))
    }
    watched = dicts(as_dict(plan.get("monitoring")).get("metrics")) + dicts(as_dict(plan.get("validation")).get("limits"))
    metrics = {text(metric.get("name")) for metric in watched if not _is_counted(metric)}
    accounts = {mention.split(":")[4] for mention in strings(plan) if mention.count(":") > 4}
    accounts |= {text(route.get("account")) for route in routes}
    return {"accounts": accounts - {""}, "listeners": actions - {""}, "records": records, "metrics": metrics}


def _is_counted(metric: dict) -> bool:
    """What load balancers count is what their users do, and nothing else."""
    return text(metric.get("namespace")) in {"AWS/ApplicationELB", "AWS/NetworkELB"}


def _unknown_keys(value, pattern: str, path: str):
    """`pattern` is the path with * for the keys that are data, and for indexes."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_keys(item, f"{pattern}.*", f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    known = KEYS.get(pattern)
    for key, item in value.items():
        here = f"{path}.{key}" if path else key
        if known is not None and key not in known:
            yield f"{here}: unknown; known here: {', '.join(sorted(known))}"
            continue
        step = "*" if known is None else key
        yield from _unknown_keys(item, f"{pattern}.{step}" if pattern else step, here)
