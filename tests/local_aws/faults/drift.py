"""Somebody else's change of a route, as a console user would make it: it is no state that any plan leads to.

Contract: `change(route)` takes the route as the plan names it. A listener or rule gets a stickiness of STICKINESS_SECONDS on its
forward action; a name's records get a TTL of TTL_SECONDS, and an alias evaluates its target's health where it did not, or
the other way round.
"""

from ..clients import HOME, client

STICKINESS_SECONDS = 77
TTL_SECONDS = 17


def change(route: dict) -> None:
    elb = client("elbv2", at=_place(route.get("listener_arn") or route.get("rule_arn")))
    if "listener_arn" in route:
        listener = elb.describe_listeners(ListenerArns=[route["listener_arn"]])["Listeners"][0]
        actions = [_sticky(action) for action in listener["DefaultActions"]]
        elb.modify_listener(ListenerArn=route["listener_arn"], DefaultActions=actions)
    elif "rule_arn" in route:
        rule = elb.describe_rules(RuleArns=[route["rule_arn"]])["Rules"][0]
        elb.modify_rule(RuleArn=route["rule_arn"], Actions=[_sticky(action) for action in rule["Actions"]])
    else:
        _change_name(route["hosted_zone_id"], route["record_name"], (route.get("account") or HOME[0], HOME[1]))


def _place(arn: str | None) -> tuple[str, str]:
    return (arn.split(":")[4], arn.split(":")[3]) if arn else HOME


def _sticky(action: dict) -> dict:
    if action["Type"] == "authenticate-oidc":
        config = {**action["AuthenticateOidcConfig"], "UseExistingClientSecret": True}
        return {**action, "AuthenticateOidcConfig": config}
    if action["Type"] != "forward":
        return action
    config = action.get("ForwardConfig") or {"TargetGroups": [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]}
    sticky = {"Enabled": True, "DurationSeconds": STICKINESS_SECONDS}
    kept = {key: value for key, value in action.items() if key in ("Type", "Order")}
    return {**kept, "ForwardConfig": {**config, "TargetGroupStickinessConfig": sticky}}


def _change_name(zone: str, name: str, at: tuple[str, str]) -> None:
    api = client("route53", at=at)
    records = api.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    found = [record for record in records if record["Name"].rstrip(".").lower() == name.rstrip(".").lower()]
    changes = [{"Action": "UPSERT", "ResourceRecordSet": _changed(record)} for record in found]
    api.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def _changed(record: dict) -> dict:
    if "AliasTarget" not in record:
        return {**record, "TTL": TTL_SECONDS}
    target = record["AliasTarget"]
    return {**record, "AliasTarget": {**target, "EvaluateTargetHealth": not target["EvaluateTargetHealth"]}}
