"""An outsider tries `cargo rehearse --serve`: boto3, environments of their own, their own looks before and after.

Usage: serve.py '<the JSON line that --serve prints>'. Prints one line per check; exits 0 only if all pass.
"""

import http.server
import itertools
import json
import sys
import threading
import time
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3

READY = json.loads(sys.argv[1])
MACHINES = READY["state_machines"]
LIMIT_SECONDS = 140
LONG_HOLD = "5h"  # 150 s at --speed 120: longer than a check may take; two of them fit into a plan's time


def client(service):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, region_name=READY["region"], endpoint_url=READY["endpoint_url"], **keys)


# Made here, by one thread: clients may be shared between threads, but not made by several at once.
ec2, elb, route53, sns, stepfunctions, dynamodb, cloudwatch = map(
    client, ["ec2", "elbv2", "route53", "sns", "stepfunctions", "dynamodb", "cloudwatch"]
)


# ---- An environment of our own --------------------------------------------------------------------------------------


class Health(http.server.BaseHTTPRequestHandler):
    """The new side's health URL: /health is well, everything else is not."""

    def do_GET(self):
        body = b"all is ok" if self.path == "/health" else b"no"
        self.send_response(200 if self.path == "/health" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Shared:
    """What all environments lie in: one load balancer in the default subnets, one zone, one topic, one health URL."""

    def __init__(self, name="outside"):
        found = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][:2]
        subnets = [subnet["SubnetId"] for subnet in found]
        self.name = name
        self.vpc = found[0]["VpcId"]
        self.balancer = elb.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]
        zone = route53.create_hosted_zone(Name=f"{name}.example", CallerReference=name)["HostedZone"]
        self.zone = zone["Id"].rpartition("/")[2]
        self.topic = sns.create_topic(Name=f"{name}-cutover")["TopicArn"]
        self.ports = itertools.count(8000)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.health_url = f"http://127.0.0.1:{server.server_port}/health"


class Application:
    """Old and new target groups behind a listener, or behind a rule of it, and a name."""

    def __init__(self, shared, name, *, rule=False, stickiness=None, records=None):
        self.shared, self.name, self.fqdn = shared, name, f"{name}.{shared.name}.example"
        self.old, self.new = self.group("old"), self.group("new")
        forward = {"Type": "forward", "TargetGroupArn": self.old}
        if stickiness:
            sticky = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": stickiness}}
            groups = {"TargetGroups": [{"TargetGroupArn": self.old, "Weight": 7}]}
            forward = {"Type": "forward", "ForwardConfig": {**groups, **sticky}}
        nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}
        self.listener = elb.create_listener(
            LoadBalancerArn=shared.balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=next(shared.ports),
            DefaultActions=[nothing if rule else forward],
        )["Listeners"][0]["ListenerArn"]
        self.rule = rule and elb.create_rule(
            ListenerArn=self.listener,
            Priority=5,
            Conditions=[{"Field": "path-pattern", "Values": ["/shop/*"]}],
            Actions=[forward],
        )["Rules"][0]["RuleArn"]
        records = records or [self.record("A", "192.0.2.1"), self.record("AAAA", "2001:db8::1")]
        changes = [{"Action": "CREATE", "ResourceRecordSet": {"Name": self.fqdn, **record}} for record in records]
        route53.change_resource_record_sets(HostedZoneId=shared.zone, ChangeBatch={"Changes": changes})

    def had_users(self):
        """Hours ago, at --speed 120: what its load balancer tells of the old group, and nothing since."""
        names = {"LoadBalancer": self.shared.balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]}
        names["TargetGroup"] = self.old.rpartition(":")[2]
        dimensions = [{"Name": name, "Value": value} for name, value in names.items()]
        data = {"MetricName": "RequestCount", "Dimensions": dimensions, "Timestamp": time.time() - 60, "Value": 100.0}
        cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[data])

    def group(self, side):
        settings = {"Protocol": "HTTP", "Port": 80, "VpcId": self.shared.vpc, "TargetType": "ip"}
        arn = elb.create_target_group(Name=f"{self.name}-{side}", **settings)["TargetGroups"][0]["TargetGroupArn"]
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": f"10.0.0.{host}", "Port": 80} for host in (4, 5, 6)])
        return arn

    @staticmethod
    def record(kind, value, ttl=300, **more):
        return {"Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value}], **more}

    def set_health(self, group, health):
        elb.add_tags(ResourceArns=[group], Tags=[{"Key": "localaws:health", "Value": json.dumps(health)}])

    # ---- Plans

    def listener_route(self, *weights, hold="1m"):
        where = {"rule_arn": self.rule} if self.rule else {"listener_arn": self.listener}
        groups = {"old_target_group_arn": self.old, "new_target_group_arn": self.new}
        return {"type": "listener", **where, **groups, "steps": steps(weights, hold)}

    def dns_route(self, *weights, hold="1m", records=None):
        if records is None:
            values = {"A": ["198.51.100.2"], "AAAA": ["2001:db8::2"]}
            records = [{"type": kind, "new": {"values": value}} for kind, value in values.items()]
        name = {"hosted_zone_id": self.shared.zone, "record_name": self.fqdn}
        return {"type": "dns", **name, "records": records, "steps": steps(weights, hold)}

    def plan(self, *routes, **more):
        health = {"url": self.shared.health_url, "interval": "10s", "expect_body": "ok"}
        notify = {"topic_arn": self.shared.topic}
        return {"application": self.name, "routes": routes, "health_check": health, "notify": notify, **more}

    # ---- Looks

    def look(self):
        """Everything of ours, as AWS describes it."""
        api = {
            "listener": elb.describe_listeners(ListenerArns=[self.listener])["Listeners"],
            "rules": elb.describe_rules(ListenerArn=self.listener)["Rules"],
            "balancers": elb.describe_load_balancers()["LoadBalancers"],
            "groups": elb.describe_target_groups(TargetGroupArns=[self.old, self.new])["TargetGroups"],
            "tags": elb.describe_tags(ResourceArns=[self.listener, self.old, self.new])["TagDescriptions"],
            "health": [elb.describe_target_health(TargetGroupArn=group) for group in (self.old, self.new)],
            "records": self.records(),
            "topic": sns.get_topic_attributes(TopicArn=self.shared.topic)["Attributes"],
        }
        for answer in api["health"]:
            answer.pop("ResponseMetadata")
        return json.dumps(api, default=str)

    def records(self):
        found = route53.list_resource_record_sets(HostedZoneId=self.shared.zone)["ResourceRecordSets"]
        return [record for record in found if record["Name"] == f"{self.fqdn}."]

    def forward(self):
        """The forward action: weight by side, and the whole of its configuration."""
        if self.rule:
            actions = elb.describe_rules(RuleArns=[self.rule])["Rules"][0]["Actions"]
        else:
            actions = elb.describe_listeners(ListenerArns=[self.listener])["Listeners"][0]["DefaultActions"]
        config = actions[-1]["ForwardConfig"]
        sides = {self.old: "old", self.new: "new"}
        return {sides[group["TargetGroupArn"]]: group["Weight"] for group in config["TargetGroups"]}, config

    def wait_for_weight(self, weight):
        wait_for(f"{weight} % on the new group", lambda: self.forward()[0].get("new") == weight)


def steps(weights, hold):
    return [{"new_weight": weight, "hold": hold} for weight in weights]


# ---- Executions -----------------------------------------------------------------------------------------------------


def wait_for(what, look):
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {LIMIT_SECONDS} s")
        time.sleep(0.1)
    return found


def messages():
    with urllib.request.urlopen(f"{READY['endpoint_url']}/_local/messages") as answer:
        return json.load(answer)


def start(machine, given):
    return stepfunctions.start_execution(stateMachineArn=MACHINES[machine], input=json.dumps(given))["executionArn"]


def end_of(execution):
    """The description at its end, with the output read."""

    def ended():
        found = stepfunctions.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    end = wait_for(f"the end of {execution}", ended)
    return {**end, "output": json.loads(end.get("output", "null"))}


def run(machine, given):
    return end_of(start(machine, given))


def succeed(plan):
    end = run("cutover", plan)
    same(end["status"], "SUCCEEDED", end.get("cause"))
    return end


def fail(plan, error):
    end = run("cutover", plan)
    same((end["status"], end.get("error")), ("FAILED", error), end.get("cause"))
    return end["cause"]


def journal_item(key):
    return dynamodb.get_item(TableName=READY["journal_table"], Key={"pk": {"S": key}}, ConsistentRead=True).get("Item")


def close_early(application, cutover):
    """Once the cutover's own cleanup waits: while it begins, it may take the run over from ours."""
    wait_for("the waiting cleanup", lambda: journal_item(f"run#{cutover}")["owner"]["S"] != cutover)
    same(run("cleanup", {"application": application.name, "now": True})["output"]["ending"], "Closed")


def go_back(application):
    same(run("rollback", {"application": application.name})["output"]["ending"], "RolledBack")


def is_locked(application):
    return journal_item(f"lock#application#{application.name}") is not None


def same(found, expected, why=None):
    assert found == expected, f"\n    found    {found}\n    expected {expected}\n    because  {why}"


def holds(text, *needles):
    for needle in needles:
        assert needle in text, f"no {needle!r} in: {text}"


# ---- The checks -----------------------------------------------------------------------------------------------------


def success_ends_wholly_new(shared):
    app = Application(shared, "success")
    hearers = sns.create_topic(Name="success-hearers")["TopicArn"]
    groups = [{"name": "technical-teams", "channels": [{"type": "sns", "topic_arn": hearers}]}]
    end = succeed(app.plan(app.listener_route(10, 100), app.dns_route(50, 100), stakeholders={"groups": groups}))
    wait_for("a message to the plan's own group", lambda: hearers in {message["topic_arn"] for message in messages()})
    same(app.forward()[0], {"old": 0, "new": 100})
    new = [app.record("A", "198.51.100.2"), app.record("AAAA", "2001:db8::2")]
    same(app.records(), [{"Name": f"{app.fqdn}.", **record} for record in new])
    same([step["new_weight"] for step in end["output"]["steps"]], [10, 100, 50, 100])
    assert is_locked(app), "the application is locked until cleanup"


def a_side_that_sickens_under_traffic_ends_as_before(shared):
    app = Application(shared, "sickens", rule=True, stickiness=3600)
    app.set_health(app.new, {"*": "healthy"})
    before = app.look()
    cutover = start("cutover", app.plan(app.dns_route(100), app.listener_route(50, 100, hold=LONG_HOLD)))
    app.wait_for_weight(50)
    app.set_health(app.new, {"*": "healthy", "10.0.0.6": "unhealthy"})  # 66 % of 80 %
    end = end_of(cutover)
    same(end.get("error"), "Cutover.RolledBack")
    holds(end["cause"], "Cutover.Unhealthy", "2 of 3")
    assert not is_locked(app), "the lock is released"
    app.set_health(app.new, {"*": "healthy"})  # the tag is part of what we compare
    same(app.look(), before)


def a_stopped_execution_ends_as_before(shared):
    app = Application(shared, "stopped")
    before = app.look()
    cutover = start("cutover", app.plan(app.dns_route(100), app.listener_route(50, 100, hold=LONG_HOLD)))
    app.wait_for_weight(50)
    assert app.look() != before, "half-way it is not as before"
    stepfunctions.stop_execution(executionArn=cutover)
    wait_for("the rollback of a stopped execution", lambda: not is_locked(app))
    same(app.look(), before)
    same(end_of(cutover)["status"], "ABORTED")


def a_wrong_plan_names_every_error_and_touches_nothing(shared):
    app = Application(shared, "wrong")
    before = app.look()
    form = {**app.plan(app.listener_route(100)), "time_out": "12h", "cleanup": {"after": 24}}
    holds(fail(form, "Cutover.InvalidPlan"), "time_out", "$.cleanup.after")
    sense = app.plan(app.listener_route(50, 20), app.dns_route(120), timeout="0s")
    sense["notify"] = {"topic_arn": "a topic"}
    cause = fail(sense, "Cutover.InvalidPlan")
    weights = ["$.routes[0].steps[1].new_weight", "$.routes[1].steps[0].new_weight"]
    holds(cause, *weights, "$.timeout", "$.notify.topic_arn")
    same(app.look(), before)


def a_wrong_environment_names_every_finding_and_touches_nothing(shared):
    app = Application(shared, "elsewhere")
    before = app.look()
    plan = app.plan(app.listener_route(100), app.dns_route(100))
    plan["routes"][1]["hosted_zone_id"] = "Z0NOWHERE"
    plan["notify"] = {"topic_arn": f"{shared.topic}-not"}
    plan["health_check"] |= {"url": shared.health_url.replace("/health", "/sick"), "attempts": 3}
    cause = fail(plan, "Cutover.PrecheckFailed")
    holds(cause, "$.routes[1].hosted_zone_id", "$.notify.topic_arn", "$.health_check.url", "503")
    same(app.look(), before)


def a_second_cutover_is_refused_and_the_first_goes_on(shared):
    app = Application(shared, "twice")
    plan = app.plan(app.listener_route(50, 100, hold="15m"))
    first = start("cutover", plan)
    app.wait_for_weight(50)
    holds(fail(plan, "Cutover.Conflict"), first)
    holds(fail({**plan, "application": "another"}, "Cutover.Conflict"), first)
    same(app.forward()[0], {"old": 50, "new": 50})
    same(end_of(first)["status"], "SUCCEEDED")
    same(app.forward()[0], {"old": 0, "new": 100})


def a_dry_run_touches_nothing(shared):
    app = Application(shared, "dry")
    before = app.look()
    end = succeed({**app.plan(app.listener_route(100), app.dns_route(100)), "mode": "precheck"})
    same(app.look(), before)
    assert not is_locked(app), "a dry run holds no lock"
    assert all(finding["severity"] != "error" for finding in end["output"]["findings"]), end["output"]["findings"]


def a_person_goes_back_after_success(shared):
    app = Application(shared, "regret")
    before = app.look()
    succeed(app.plan(app.dns_route(100), app.listener_route(100)))
    assert app.look() != before, "it has moved"
    go_back(app)
    same(app.look(), before)
    same(run("rollback", {"application": app.name})["error"], "Cutover.InvalidGesture")


def a_person_closes_early(shared):
    app = Application(shared, "closed")
    app.had_users()
    plan = app.plan(app.listener_route(100), app.dns_route(100), cleanup={"delete_old_target_group": True})
    cutover = succeed(plan)["executionArn"]
    after = app.records()
    close_early(app, cutover)
    assert not is_locked(app), "closing releases the lock"
    same(run("rollback", {"application": app.name})["error"], "Cutover.InvalidGesture")
    groups = elb.describe_target_groups()["TargetGroups"]
    assert app.old not in [group["TargetGroupArn"] for group in groups], "the old group is gone"
    same(app.forward()[0], {"new": 1})
    same(app.records(), after)


def weighted_records_keep_their_neighbours(shared):
    old = Application.record("A", "192.0.2.1", SetIdentifier="blue", Weight=20)
    canary = Application.record("A", "192.0.2.9", SetIdentifier="canary", Weight=3)
    app = Application(shared, "weighted", records=[old, canary])
    change = {"type": "A", "new": {"values": ["198.51.100.2"]}, "old_set_identifier": "blue"}
    cause = fail(app.plan(app.dns_route(1, 100, records=[change])), "Cutover.InvalidPlan")
    holds(cause, "$.routes[0].steps[0].new_weight")
    before = app.look()
    succeed(app.plan(app.dns_route(50, 100, records=[change])))
    weights = {record["ResourceRecords"][0]["Value"]: record["Weight"] for record in app.records()}
    same(weights, {"198.51.100.2": 20, "192.0.2.9": 3})
    same({record["TTL"] for record in app.records()}, {300})
    go_back(app)
    same(app.look(), before)


def a_rule_keeps_its_stickiness(shared):
    app = Application(shared, "sticky", rule=True, stickiness=3600)
    before = app.look()
    dry = succeed({**app.plan(app.listener_route(100)), "mode": "precheck"})
    holds(json.dumps(dry["output"]["findings"]), "sticky", "warning")
    succeed(app.plan(app.listener_route(100)))
    weights, config = app.forward()
    same(weights, {"old": 0, "new": 100})
    same(config["TargetGroupStickinessConfig"], {"Enabled": True, "DurationSeconds": 3600})
    go_back(app)
    same(app.look(), before)


def alias_records_move_and_come_back(shared):
    # No other check attaches groups to a balancer that these answers lead to: until a group is healthy, DNS leaves it.
    shared = shared.apart

    def alias(name):
        zone = shared.balancer["CanonicalHostedZoneId"]
        return {"DNSName": name, "HostedZoneId": zone, "EvaluateTargetHealth": True}

    old, new = "old-1.eu-west-1.elb.amazonaws.com.", shared.balancer["DNSName"].lower()
    app = Application(shared, "alias", records=[{"Type": kind, "AliasTarget": alias(old)} for kind in ("A", "AAAA")])
    before = app.look()
    answer = {"dns_name": new, "hosted_zone_id": alias(new)["HostedZoneId"], "evaluate_target_health": True}
    succeed(app.plan(app.dns_route(50, 100, records=[{"type": t, "new": {"alias": answer}} for t in ("A", "AAAA")])))
    same([record["AliasTarget"] for record in app.records()], [alias(f"{new.rstrip('.')}.")] * 2)
    assert all("TTL" not in record and "Weight" not in record for record in app.records()), app.records()
    go_back(app)
    same(app.look(), before)


def a_cname_moves_with_health_checks_that_are_removed(shared):
    app = Application(shared, "cname", records=[Application.record("CNAME", "old.example.net", ttl=120)])
    checks = len(route53.list_health_checks()["HealthChecks"])  # no other check of ours makes any
    route = app.dns_route(25, 100, records=[{"type": "CNAME", "new": {"values": ["new.example.net"]}}])
    route["health_checks"] = {"new": {"fqdn": "new.example.net", "path": "/health", "port": 443}}
    cutover = succeed(app.plan(route))["executionArn"]
    moved = {"Name": f"{app.fqdn}.", **app.record("CNAME", "new.example.net", ttl=120)}
    same(app.records(), [moved])
    close_early(app, cutover)
    same(len(route53.list_health_checks()["HealthChecks"]), checks)
    same(app.records(), [moved])


CHECKS = [
    success_ends_wholly_new,
    a_side_that_sickens_under_traffic_ends_as_before,
    a_second_cutover_is_refused_and_the_first_goes_on,
    a_stopped_execution_ends_as_before,
    weighted_records_keep_their_neighbours,
    a_rule_keeps_its_stickiness,
    alias_records_move_and_come_back,
    a_person_goes_back_after_success,
    a_person_closes_early,
    a_cname_moves_with_health_checks_that_are_removed,
    a_wrong_environment_names_every_finding_and_touches_nothing,
    a_wrong_plan_names_every_error_and_touches_nothing,
    a_dry_run_touches_nothing,
]


def passes(check, shared):
    started = time.monotonic()
    try:
        check(shared)
    except Exception as problem:
        print(f"FAILED {check.__name__}: {problem}", flush=True)
        traceback.print_exc()
        return False
    print(f"ok     {check.__name__} ({time.monotonic() - started:.1f} s)", flush=True)
    return True


def main():
    """Side by side: each check has an application, a listener and a name of its own."""
    shared = Shared()
    shared.apart = Shared("apart")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda check: passes(check, shared), CHECKS))
    print(f"{sum(results)} of {len(results)} passed", flush=True)
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
