"""The account as seen from outside the product, for comparing before and after.

Contract: `dump()` reads everything that a cutover may touch through the AWS API, in one canonical order and without what differs
from one moment to the next (times, request ids), but for the journal. `runs()` is which executions run and how far the journal's runs
are: read straight from the backends, cheap enough to ask several times a second.
"""

from ..clients import HOME, client
from ..services import s3
from ..settings import ACCOUNT_ID, REGION
from ..stacks import members

VOLATILE = {
    "AlarmConfigurationUpdatedTimestamp",
    "CreatedTime",
    "ElapsedTimeMillis",
    "FreshStartDate",
    "FullLoadStartDate",
    "ReplicationTaskCreationDate",
    "ReplicationTaskStartDate",
    "ResponseMetadata",
    "StartDate",
    "StateReason",
    "StateReasonData",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "StopDate",
}


def dump(journal_table: str) -> dict:
    return {
        "elbv2": _stable(_everywhere(_elbv2)),
        "route53": _stable(_everywhere(_route53)),
        "dms": _stable(_everywhere(_dms)),
        "cloudwatch": _stable(_cloudwatch()),
        "sns": _stable(_sns()),
        "ses": _stable(_ses()),
        "s3": _stable(_s3()),
        "journal": _journal(journal_table),
    }


def _everywhere(read) -> dict:
    """Of every account and region, together: ARNs and ids differ."""
    found: dict = {}
    for place in members.places():
        for kind, things in read(place).items():
            found.setdefault(kind, {}).update(things)
    return found


def _stable(value):
    if isinstance(value, dict):
        return {key: _stable(item) for key, item in sorted(value.items()) if key not in VOLATILE}
    if isinstance(value, list):
        return [_stable(item) for item in value]
    return value


def _all(service: str, operation: str, member: str, at=HOME, **parameters) -> list:
    api = client(service, at=at)
    if api.can_paginate(operation):
        pages = api.get_paginator(operation).paginate(**parameters)
        return [item for page in pages for item in page.get(member, [])]
    return getattr(api, operation)(**parameters).get(member, [])


def _elbv2(at) -> dict:
    balancers = _all("elbv2", "describe_load_balancers", "LoadBalancers", at)
    listeners = []
    for balancer in balancers:
        listeners += _all("elbv2", "describe_listeners", "Listeners", at, LoadBalancerArn=balancer["LoadBalancerArn"])
    rules = []
    for listener in listeners:
        rules += _all("elbv2", "describe_rules", "Rules", at, ListenerArn=listener["ListenerArn"])
    groups = _all("elbv2", "describe_target_groups", "TargetGroups", at)
    return {
        "load_balancers": _by(balancers, "LoadBalancerArn"),
        "listeners": _by(listeners, "ListenerArn"),
        "rules": _by(rules, "RuleArn"),
        "target_groups": {group["TargetGroupArn"]: _target_group(group, at) for group in groups},
        "tags": _tags((balancers, listeners, rules, groups), at),
    }


def _by(items: list[dict], key: str) -> dict:
    return {item[key]: item for item in items}


def _target_group(group: dict, at) -> dict:
    api, arn = client("elbv2", at=at), group["TargetGroupArn"]
    health = api.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    attributes = api.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return {
        **group,
        "LoadBalancerArns": sorted(group.get("LoadBalancerArns", [])),
        "Attributes": {item["Key"]: item["Value"] for item in attributes},
        "TargetHealth": sorted(health, key=lambda item: item["Target"]["Id"]),
    }


def _tags(things: tuple[list, list, list, list], at) -> dict:
    balancers, listeners, rules, groups = things
    arns = [item["LoadBalancerArn"] for item in balancers]
    arns += [item["ListenerArn"] for item in listeners]
    arns += [item["RuleArn"] for item in rules if not item["IsDefault"]]
    arns += [item["TargetGroupArn"] for item in groups]
    tags = {}
    for start in range(0, len(arns), 20):  # 20 at most in one call
        described = client("elbv2", at=at).describe_tags(ResourceArns=arns[start : start + 20])["TagDescriptions"]
        tags |= {item["ResourceArn"]: {tag["Key"]: tag["Value"] for tag in item["Tags"]} for item in described}
    return {arn: items for arn, items in tags.items() if items}


def _route53(at) -> dict:
    zones = _all("route53", "list_hosted_zones", "HostedZones", at)
    checks = _all("route53", "list_health_checks", "HealthChecks", at)
    return {
        "hosted_zones": {
            zone["Id"].rpartition("/")[2]: {
                "Name": zone["Name"],
                "ResourceRecordSets": _record_sets(zone["Id"], at),
            }
            for zone in zones
        },
        "health_checks": _by(sorted(checks, key=lambda check: check["Id"]), "Id"),
    }


def _record_sets(zone_id: str, at) -> dict:
    """By `<name> <type> <set identifier>`, names without their final dot."""
    records = _all("route53", "list_resource_record_sets", "ResourceRecordSets", at, HostedZoneId=zone_id)
    return {" ".join(filter(None, _key(record))): record for record in records}


def _key(record: dict) -> tuple:
    return record["Name"].rstrip("."), record["Type"], record.get("SetIdentifier")


def _dms(at) -> dict:
    tasks = client("dms", at=at).describe_replication_tasks()["ReplicationTasks"]
    serverless = client("dms", at=at).describe_replications()["Replications"]
    return {
        "replication_tasks": _by(tasks, "ReplicationTaskArn"),
        "replications": _by(serverless, "ReplicationConfigArn"),
    }


def _cloudwatch() -> dict:
    alarms = _by(client("cloudwatch").describe_alarms()["MetricAlarms"], "AlarmName")
    for place in members.places()[1:]:
        alarms |= _by(client("cloudwatch", at=place).describe_alarms()["MetricAlarms"], "AlarmArn")
    dashboards = _all("cloudwatch", "list_dashboards", "DashboardEntries")
    # A run's own shows and directs nothing; where something is left, it stays for those who look for the cause.
    names = sorted(one["DashboardName"] for one in dashboards if not one["DashboardName"].startswith("cutover-run-"))
    return {"alarms": alarms, "dashboards": names}


def _s3() -> dict:
    """Without what runs leave for people, which stays however they end, as the journal does."""
    buckets = s3.objects().items()
    return {bucket: {key: one for key, one in keys.items() if not key.startswith(("runs/", "status/"))} for bucket, keys in buckets}


def _sns() -> dict:
    topics = _all("sns", "list_topics", "Topics")
    return {"topics": sorted(topic["TopicArn"] for topic in topics)}


def _ses() -> dict:
    from moto.ses.models import ses_backends

    backend = ses_backends[ACCOUNT_ID][REGION]
    return {"identities": sorted(backend.email_identities), "configuration_sets": sorted(backend.config_sets)}


def _journal(table: str) -> list[dict]:
    items = _all("dynamodb", "scan", "Items", TableName=table, ConsistentRead=True)
    return sorted(items, key=lambda item: item["pk"]["S"])


def runs(journal_table: str) -> dict:
    """{"running": [ARNs of executions], "runs": {run id: {"phase", "owner"}}}"""
    from moto.dynamodb.models import dynamodb_backends

    from ..step_functions.engine import engine

    machines = engine("models").stepfunctions_parser_backends[ACCOUNT_ID][REGION].state_machines
    executions = [execution for machine in list(machines) for execution in list(machine.executions)]
    found = {}
    for item in list(dynamodb_backends[ACCOUNT_ID][REGION].tables[journal_table].all_items()):
        key = item.attrs["pk"].value
        if key.startswith("run#"):
            found[key.removeprefix("run#")] = {name: item.attrs[name].value for name in ("phase", "owner")}
    # One that is just being started has no status yet.
    running = [one.execution_arn for one in executions if one.exec_status is None or one.status == "RUNNING"]
    return {"running": running, "runs": found}
