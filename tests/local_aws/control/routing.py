"""The live routing: where users' requests go, and what of it is healthy. For the emulated users and for tests.

Contract: `routing()` answers {"listeners": by ARN of listeners and rules, "records": by `<zone id>/<name>/<type>`}, read straight from the
backends: cheap enough to ask several times a second.
    a listener  target_groups: [{arn, weight, targets, healthy_targets}], sticky_seconds
    a record    ttl, members: [{set_identifier, weight, values or alias, alias_zone, evaluate_target_health, health_check, healthy}]
`healthy` is what Route 53 makes of a member: None where nothing is evaluated, which counts as healthy. It says nothing of shares: those
follow from Route 53's rules for weights and health, which are the users' business.
An alias is as healthy as its target: records of a zone if any of them is; a load balancer if every group that it forwards to, at
whatever weight, has a healthy target (Developer Guide, "Evaluate target health"). A target whose health is not checked counts as one.
"""

from ..services import elbv2, elbv2_groups, route53, route53_health
from ..services.elbv2_actions import group_arns
from ..services.route53_records import normal_name

DEPTH_LIMIT = 5  # of aliases that lead to aliases
SERVING = ("healthy", "unavailable")


def routing() -> dict:
    return {"listeners": _live_listeners(), "records": _live_records()}


def _live_listeners() -> dict:
    """Listeners, and rules other than the default ones, by ARN."""
    found = {}
    for balancer in elbv2.load_balancers():
        for listener in list(balancer.listeners.values()):
            found[listener.arn] = _forwarding(listener.default_actions)
            for rule in list(listener._non_default_rules.values()):
                found[rule.arn] = _forwarding(rule.actions)
    return found


def _forwarding(actions: list) -> dict:
    config = next((action.data["ForwardConfig"] for action in actions if action.type == "forward"), {})
    stickiness = config.get("TargetGroupStickinessConfig") or {}
    groups = [
        {"arn": group["TargetGroupArn"], "weight": int(group["Weight"]), **_targets(group["TargetGroupArn"])}
        for group in config.get("TargetGroups", [])
    ]
    return {
        "target_groups": groups,
        "sticky_seconds": int(stickiness["DurationSeconds"]) if stickiness.get("Enabled") else None,
    }


def _targets(arn: str) -> dict:
    group = elbv2.target_group(arn)
    targets = list(group.targets) if group else []
    healthy = sum(elbv2_groups.health_in_use(group, target) in SERVING for target in targets)
    return {"targets": len(targets), "healthy_targets": healthy}


def _live_records() -> dict:
    """By `<zone id>/<name>/<type>`, names without their final dot."""
    found: dict[str, dict] = {}
    for zone in route53.zones().values():
        for record in route53.record_sets(zone):
            if record["Type"] in ("NS", "SOA"):
                continue
            key = f"{route53.zone_id(zone)}/{record['Name'].rstrip('.')}/{record['Type']}"
            entry = found.setdefault(key, {"ttl": record.get("TTL"), "members": []})
            entry["members"].append(_member(record))
    return found


def _member(record: dict) -> dict:
    alias = record.get("AliasTarget")
    return {
        "set_identifier": record.get("SetIdentifier"),
        "weight": record.get("Weight"),
        "values": None if alias else [item["Value"] for item in record["ResourceRecords"]],
        "alias": alias["DNSName"] if alias else None,
        "alias_zone": alias["HostedZoneId"] if alias else None,
        "evaluate_target_health": alias["EvaluateTargetHealth"] if alias else None,
        "health_check": record.get("HealthCheckId"),
        "healthy": is_healthy(record),
    }


def is_healthy(record: dict, depth: int = 0) -> bool | None:
    """Of a record set as the API writes it."""
    verdicts = []
    if record.get("HealthCheckId"):
        verdicts.append(route53_health.is_healthy(record["HealthCheckId"]))
    alias = record.get("AliasTarget")
    if alias and alias["EvaluateTargetHealth"] and depth < DEPTH_LIMIT:
        verdicts.append(_target_is_healthy(alias, record["Type"], depth + 1))
    return all(verdicts) if verdicts else None


def _target_is_healthy(alias: dict, kind: str, depth: int) -> bool:
    name, zone = normal_name(alias["DNSName"]), route53.zones().get(alias["HostedZoneId"])
    if zone is not None:
        records = [one for one in route53.record_sets(zone) if (one["Name"], one["Type"]) == (name, kind)]
        return any(is_healthy(one, depth) is not False for one in records)
    bare = name.removeprefix("dualstack.")
    balancers = elbv2.load_balancers()
    found = next((one for one in balancers if normal_name(one.dns_name) == bare), None)
    return found is None or _balancer_is_healthy(found)


def _balancer_is_healthy(balancer) -> bool:
    rules = [rule for listener in list(balancer.listeners.values()) for rule in list(listener.rules.values())]
    arns = {arn for rule in rules for arn in group_arns(rule.actions)}
    return bool(arns) and all(_targets(arn)["healthy_targets"] for arn in arns)
