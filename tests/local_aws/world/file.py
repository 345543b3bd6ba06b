"""The world file beside a plan: what a plan does not say about the environment that it names.

Contract: `check(world)` raises WorldError for every unknown key, with its path. The emulator applies at creation what the plan's
environment starts with; behaviour over time (`old`, `new`, and of a replication `lag_seconds`, `backlog`, `changes_per_second`) and of people (`during`,
`approval`) is the rehearsal's business and only checked here. What is less plain:
    groups           by the plan's target group ARN: target_type (ip, instance, lambda, alb), protocol, stickiness (true: cookies of the
                     group's own), health_checks (false: none; true: of functions too), tags
    also_forwarding  target groups of the plan that a second listener of their load balancer forwards to as well
    health_checks    what Route 53's checkers see, also of checks that the run will make: services/route53_health.py
    more_records     record sets as the API writes them, in a zone of the plan
    zones            other zones of the account: name, private, and their records as the API writes them
    records.*.members.*.health   the record has a health check, and this is what its checkers see
"""

BEHAVIOUR = {"latency_ms", "error_rate", "healthy_percent", "health_body", "health_status"}
CHANGE = BEHAVIOUR | {"when_new_weight", "route", "after"}
SIDE = BEHAVIOUR | {"changes", "reported"}
KEYS = {
    "": {
        "description",
        "expect",
        "listeners",
        "records",
        "replication",
        "old",
        "new",
        "alarms",
        "hooks",
        "deny",
        "during",
        "approval",
        "groups",
        "also_forwarding",
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
    "deny.*": {"action", "from"},
    "during.*": {"when_new_weight", "route", "do"},
}
ENDINGS = {"Succeeded", "RolledBack", "Stuck", "PrecheckFailed", "InvalidPlan", "Conflict", "Rejected"}


class WorldError(ValueError):
    pass


def check(world: dict) -> None:
    problems = list(_unknown_keys(world, "", ""))
    if world.get("expect", "Succeeded") not in ENDINGS:
        problems.append(f"expect: must be one of {', '.join(sorted(ENDINGS))}")
    if problems:
        raise WorldError("; ".join(problems))


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
