"""Creates the environment that a plan names: POST /_local/world.

Contract: `create({"plan", "world", "ports": {"old", "new"}}, boundary)` creates everything that the plan mentions and answers
    plan       the plan with the created ARNs, ids and dimensions in the place of its own
    sides      for old, new and other: the target groups, load balancers, record values and alias names that lead there
    routes     per route of the plan, what was created for it
    resources  by the plan's own names: what each became (and the replications' ARNs and metric dimensions)
A plan may be wrong: what cannot be understood is left alone, for the product's precheck to report. A wrong world file is
an error. Every call makes an environment of its own; only the denials, and what checkers see, are replaced, since they hold for the
whole account.
"""

import itertools
import json
import re
from urllib.parse import urlsplit

from ..clients import client
from ..control.boundary import Boundary
from ..faults.rules import deny, late
from ..services import dms, functions, route53_health
from ..settings import ACCOUNT_ID
from ..stacks import members
from . import file
from .balancing import Balancing
from .dns import Dns
from .environment import Environment, as_dict, dicts, text

TASK_ARN = re.compile(r"^arn:aws:dms:[^:]*:[^:]*:task:(.+)$")
CONFIG_ARN = re.compile(r"^arn:aws:dms:[^:]*:[^:]*:replication-config:(.+)$")
TOPIC_ARN = re.compile(r"^arn:aws:sns:[^:]*:[^:]*:(.+)$")
SECRET_ARN = re.compile(r"^arn:aws:secretsmanager:[^:]*:[^:]*:secret:(.+?)(?:-[A-Za-z0-9]{6})?$")
FUNCTION_ARN = re.compile(r"^arn:aws:lambda:[^:]*:[^:]*:function:([^:]+)")
ROOT = f"arn:aws:iam::{ACCOUNT_ID}:root"
DEFAULT_TABLES = [{"schema": "public", "table": name, "state": "Validated"} for name in ("customers", "orders", "items")]

_count = itertools.count()
_hooks: list[tuple[str, tuple[str, str]]] = []


def start_over() -> None:
    """The next world is the account's first: its names need no number."""
    global _count
    _count = itertools.count()
    for arn, at in _hooks:
        client("lambda", at=at).delete_function(FunctionName=arn)
    _hooks.clear()


def create(request: dict, boundary: Boundary) -> dict:
    world = request.get("world") or {}
    file.check(world, as_dict(request["plan"]))
    environment = Environment(request["plan"], world, request["ports"], next(_count))
    for account in environment.accounts:
        members.open_account(account)
    routes = _create_routes(environment)
    replication = _create_replication(environment)
    _create_alarms(environment)
    _create_topics(environment)
    _create_hooks(environment)
    _point_health_check(environment)
    _point_load_test(environment)
    route53_health.tell(world.get("health_checks", []))
    boundary.denials = [_denial(item) for item in world.get("deny", [])]
    boundary.denials += [late(item["state"], item["seconds"]) for item in world.get("late", [])]
    return {
        "plan": environment.mapped_plan(),
        "sides": environment.sides,
        "routes": routes,
        "resources": {"mapping": environment.mapping, "replication": replication},
    }


def _denial(item):
    return deny(item) if isinstance(item, str) else deny(item["action"], item.get("from", 1), item.get("account"))


def _create_routes(environment: Environment) -> list[dict]:
    balancing, dns = Balancing(environment), Dns(environment)
    dns.create_zones()
    makers = {"listener": balancing.create_route, "dns": dns.create_route}
    routes = environment.plan.get("routes")
    created = []
    for route in map(as_dict, routes if isinstance(routes, list) else []):
        make = makers.get(text(route.get("type")))
        created.append(make(route) if make else {})
    balancing.create_mentioned_balancers()
    balancing.create_mentioned_groups()
    balancing.create_also_forwarding()
    dns.create_more()
    return created


def _create_replication(environment: Environment) -> list[dict]:
    database = as_dict(environment.plan.get("database"))
    forward = environment.world.get("replication", {})
    setups = {"replication_task_arn": forward, "reverse_replication_task_arn": forward.get("reverse", {})}
    created = []
    for key, setup in setups.items():
        planned = text(database.get(key))
        direction = "reverse" if key.startswith("reverse") else "forward"
        for pattern, create_one in ((TASK_ARN, create_task), (CONFIG_ARN, create_serverless)):
            if pattern.match(planned):
                suffix = f"{direction}-{environment.number}"
                one = create_one(environment, planned, suffix, setup.get("migration_type", "full-load-and-cdc"))
                status = setup.get("status", forward.get("status", "running"))
                dms.set_replication(one["arn"], status, forward.get("tables", DEFAULT_TABLES))
                created.append({"key": key, **one})
    return created


def create_task(environment: Environment, planned: str, suffix: str, migration_type: str = "full-load-and-cdc") -> dict:
    at = environment.place(planned)
    api = client("dms", at=at)
    instance = api.create_replication_instance(
        ReplicationInstanceIdentifier=f"replication-{suffix}", ReplicationInstanceClass="dms.t3.medium"
    )["ReplicationInstance"]
    source, target = _create_endpoints(suffix, at)
    arn = api.create_replication_task(
        ReplicationTaskIdentifier=f"task-{suffix}",
        SourceEndpointArn=source,
        TargetEndpointArn=target,
        ReplicationInstanceArn=instance["ReplicationInstanceArn"],
        MigrationType=migration_type,
        TableMappings=json.dumps({"rules": []}),
    )["ReplicationTask"]["ReplicationTaskArn"]
    api.start_replication_task(ReplicationTaskArn=arn, StartReplicationTaskType="start-replication")
    own = arn.rpartition(":")[2]
    environment.mapping[planned] = arn
    environment.mapping[TASK_ARN.match(planned)[1]] = own
    instance_identifier = instance["ReplicationInstanceIdentifier"]
    dimensions = {"ReplicationInstanceIdentifier": instance_identifier, "ReplicationTaskIdentifier": own}
    return {"arn": arn, "dimensions": dimensions}


def create_serverless(environment: Environment, planned: str, suffix: str, migration_type: str) -> dict:
    at = environment.place(planned)
    api = client("dms", at=at)
    source, target = _create_endpoints(suffix, at)
    arn = api.create_replication_config(
        ReplicationConfigIdentifier=f"serverless-{suffix}",
        SourceEndpointArn=source,
        TargetEndpointArn=target,
        ReplicationType=migration_type,
        TableMappings=json.dumps({"rules": []}),
        ComputeConfig={"MaxCapacityUnits": 4},
    )["ReplicationConfig"]["ReplicationConfigArn"]
    api.start_replication(ReplicationConfigArn=arn, StartReplicationType="start-replication")
    environment.mapping[planned] = arn
    return {"arn": arn, "dimensions": {"ReplicationConfigId": ":".join([arn.split(":")[4], arn.rpartition(":")[2]])}}


def _create_endpoints(suffix: str, at: tuple[str, str]) -> list[str]:
    return [
        client("dms", at=at).create_endpoint(
            EndpointIdentifier=f"{kind}-{suffix}",
            EndpointType=kind,
            EngineName="postgres",
            ServerName=f"{kind}.example.com",
            Port=5432,
            DatabaseName="portal",
            Username="dms",
            Password="local",
        )["Endpoint"]["EndpointArn"]
        for kind in ("source", "target")
    ]


def _create_alarms(environment: Environment) -> None:
    states = environment.world.get("alarms", {})
    watched = as_dict(environment.plan.get("monitoring")).get("alarms")
    names = [name for name in (watched if isinstance(watched, list) else []) if isinstance(name, str)]
    for name in dict.fromkeys([*names, *states]):
        api, own = client("cloudwatch", at=environment.place(name)), name.rpartition(":alarm:")[2]
        api.put_metric_alarm(
            AlarmName=own,
            Namespace="Portal",
            MetricName=own,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        state = states.get(name, "OK")
        api.set_alarm_state(AlarmName=own, StateValue=state, StateReason="set by the world")


def _create_topics(environment: Environment) -> None:
    for mention in environment.strings():
        if found := TOPIC_ARN.match(mention):
            at = environment.place(mention)
            api = client("sns", at=at)
            arn = api.create_topic(Name=environment.name(found[1], 200))["TopicArn"]
            api.subscribe(TopicArn=arn, Protocol="email", Endpoint="on-call@example.com")
            if environment.lets_in(at):
                statement = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sns:Publish", "Resource": arn}
                policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
                api.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
            environment.mapping[mention] = arn


def _create_hooks(environment: Environment) -> None:
    setups = environment.world.get("hooks", {})
    for stage in as_dict(environment.plan.get("hooks")).values():
        for hook in dicts(stage):
            planned = text(hook.get("function_arn"))
            found = FUNCTION_ARN.match(planned)
            if found and planned not in environment.mapping:
                package = functions.zipped("hook.json", json.dumps(setups.get(planned, {})))
                at = environment.place(planned)
                arn = functions.create(environment.name(found[1], 60), package, at=at)
                if environment.lets_in(at):
                    client("lambda", at=at).add_permission(
                        FunctionName=arn, StatementId="cutover", Action="lambda:InvokeFunction", Principal=ROOT
                    )
                environment.mapping[planned] = arn
                _hooks.append((arn, at))


def _point_health_check(environment: Environment) -> None:
    _point(environment, text(as_dict(environment.plan.get("health_check")).get("url")), "new")


def _point_load_test(environment: Environment) -> None:
    targets = as_dict(as_dict(environment.plan.get("load_test")).get("targets"))
    for side in ("new", "old"):
        _point(environment, text(as_dict(targets.get(side)).get("url")), side)
    planned = text(as_dict(environment.plan.get("load_test")).get("headers_secret_arn"))
    if found := SECRET_ARN.match(planned):
        headers = json.dumps({"x-rehearsed": "in the place of the secret's own headers"})
        made = client("secretsmanager").create_secret(Name=environment.name(found[1], 200), SecretString=headers)
        environment.mapping[planned] = made["ARN"]


def _point(environment: Environment, url: str, side: str) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        environment.mapping[url] = f"http://127.0.0.1:{environment.ports[side]}{path or '/'}"
