"""The environment that a plan names, the dump and the live routing."""

import copy
import unittest

from local_aws.clients import client
from local_aws.world import file

from .. import support
from ..support import control

ELB = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:"
LISTENER = ELB + "listener/app/portal/50dc6c495c0c9188/f2f7dc8efc522ab2"
RULE = ELB + "listener-rule/app/portal/50dc6c495c0c9188/a2f7dc8efc522ab2/9683b2d02a6cabee"
OLD, NEW = ELB + "targetgroup/portal-old/73e2d6bc24d8a067", ELB + "targetgroup/portal-new/83e2d6bc24d8a067"
OLD_API, NEW_API = ELB + "targetgroup/api-old/73e2d6bc24d8a067", ELB + "targetgroup/api-new/83e2d6bc24d8a067"
HOOK = "arn:aws:lambda:eu-west-1:111111111111:function:quiesce"
ALB_ZONE = "Z32O12XQLNTSW2"
PLAN = {
    "application": "portal",
    "health_check": {"url": "https://new.portal.example.com/health?deep=1"},
    "database": {"replication_task_arn": "arn:aws:dms:eu-west-1:111111111111:task:TASK"},
    "routes": [
        {"type": "listener", "listener_arn": LISTENER, "old_target_group_arn": OLD, "new_target_group_arn": NEW},
        {"type": "listener", "rule_arn": RULE, "old_target_group_arn": OLD_API, "new_target_group_arn": NEW_API},
        {
            "type": "dns",
            "hosted_zone_id": "ZPLAN",
            "record_name": "app.example.com",
            "records": [
                {"type": "A", "new": {"values": ["5.6.7.8"]}},
                {"type": "AAAA", "new": {"values": ["2001:db8::8"]}},
            ],
        },
        {
            "type": "dns",
            "hosted_zone_id": "ZPLAN",
            "record_name": "www.eu.example.com",
            "records": [{"type": "A", "new": {"alias": {"dns_name": "New.eu-west-1.elb.amazonaws.com", "hosted_zone_id": ALB_ZONE}}}],
        },
    ],
    "monitoring": {
        "target_groups": [{"target_group_arn": NEW}],
        "metrics": [
            {"dimensions": {"LoadBalancer": "app/portal/50dc6c495c0c9188", "TargetGroup": NEW.rpartition(":")[2]}},
            {"dimensions": {"LoadBalancer": "app/portal-old/1234"}},
            {"dimensions": {"ReplicationTaskIdentifier": "TASK"}},
        ],
        "alarms": ["portal errors"],
    },
    "hooks": {"quiesce": [{"function_arn": HOOK}], "resume": [{"function_arn": HOOK}]},
    "notify": {"topic_arn": "arn:aws:sns:eu-west-1:111111111111:cutovers"},
}


def create(world: dict | None = None, plan=PLAN) -> dict:
    return control("world", {"plan": plan, "world": world or {}, "ports": {"old": 1234, "new": 1235}})


class World(support.TestCase):
    def tearDown(self):
        support.server().boundary.denials = []

    def forward(self, plan: dict) -> dict:
        arn = plan["routes"][0]["listener_arn"]
        return client("elbv2").describe_listeners(ListenerArns=[arn])["Listeners"][0]["DefaultActions"][-1]

    def record(self, plan: dict, route: int, kind: str) -> list[dict]:
        zone, name = plan["routes"][route]["hosted_zone_id"], plan["routes"][route]["record_name"]
        listed = client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return [record for record in listed if record["Name"] == name + "." and record["Type"] == kind]

    def test_listeners_and_rules(self):
        plan = create()["plan"]
        first, second = plan["routes"][:2]
        action = self.forward(plan)
        self.assertEqual(first["old_target_group_arn"], action["TargetGroupArn"])
        self.assertEqual(1, len(action["ForwardConfig"]["TargetGroups"]))
        (rule,) = client("elbv2").describe_rules(RuleArns=[second["rule_arn"]])["Rules"]
        self.assertEqual(second["old_target_group_arn"], rule["Actions"][0]["TargetGroupArn"])

        def states(arn):
            health = client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            return [item["TargetHealth"]["State"] for item in health]

        self.assertEqual(["healthy"] * 3, states(first["old_target_group_arn"]))
        self.assertEqual(["unused"] * 3, states(first["new_target_group_arn"]))

    def test_everything_is_mapped_consistently(self):
        plan = create()["plan"]
        self.assertNotIn("111111111111", str(plan))
        first, metrics = plan["routes"][0], plan["monitoring"]["metrics"]
        self.assertEqual(first["new_target_group_arn"], plan["monitoring"]["target_groups"][0]["target_group_arn"])
        self.assertTrue(first["new_target_group_arn"].endswith(metrics[0]["dimensions"]["TargetGroup"]))
        self.assertIn(metrics[0]["dimensions"]["LoadBalancer"], first["listener_arn"])
        task = plan["database"]["replication_task_arn"]
        self.assertTrue(task.endswith(":" + metrics[2]["dimensions"]["ReplicationTaskIdentifier"]))
        self.assertEqual(plan["routes"][2]["hosted_zone_id"], plan["routes"][3]["hosted_zone_id"])
        self.assertEqual("http://127.0.0.1:1235/health?deep=1", plan["health_check"]["url"])
        self.assertEqual(plan["hooks"]["quiesce"], plan["hooks"]["resume"])

    def test_records_by_default(self):
        plan = create()["plan"]
        (a,) = self.record(plan, 2, "A")
        self.assertEqual((300, [{"Value": "192.0.2.10"}]), (a["TTL"], a["ResourceRecords"]))
        self.assertEqual([{"Value": "2001:db8::10"}], self.record(plan, 2, "AAAA")[0]["ResourceRecords"])
        alias = self.record(plan, 3, "A")[0]["AliasTarget"]
        self.assertEqual(("old-new.eu-west-1.elb.amazonaws.com.", ALB_ZONE), (alias["DNSName"], alias["HostedZoneId"]))

    def test_an_alias_that_aws_would_refuse_is_for_precheck_to_tell(self):
        alias = {"dns_name": "new.example.net", "hosted_zone_id": ALB_ZONE}
        route = {**PLAN["routes"][3], "records": [{"type": "A", "new": {"alias": alias}}]}
        plan = create(plan={**PLAN, "routes": [route]})["plan"]
        self.assertEqual(alias, plan["routes"][0]["records"][0]["new"]["alias"])
        old = self.record(plan, 0, "A")[0]["AliasTarget"]
        self.assertEqual("old-side.eu-west-1.elb.amazonaws.com.", old["DNSName"])

    def test_a_health_check_that_the_plan_names_is_there_and_is_the_same_wherever_it_is_named(self):
        new = {"values": ["5.6.7.8"], "health_check_id": "0f8fad5b-d9cb-469f-a165-70867728950e"}
        route = {**PLAN["routes"][2], "records": [{"type": "A", "new": new}, {"type": "AAAA", "new": new}]}
        plan = create(plan={**PLAN, "routes": [route]})["plan"]
        one, other = (record["new"]["health_check_id"] for record in plan["routes"][0]["records"])
        self.assertEqual(one, other)
        self.assertEqual(one, client("route53").get_health_check(HealthCheckId=one)["HealthCheck"]["Id"])

    def test_sides(self):
        answer = create({"listeners": {LISTENER: {"neighbours": [{"name": "canary", "weight": 1}]}}})
        sides, route = answer["sides"], answer["routes"][0]
        self.assertIn(route["old_target_group_arn"], sides["old"]["target_groups"])
        self.assertIn(route["new_target_group_arn"], sides["new"]["target_groups"])
        self.assertEqual(1, len(sides["other"]["target_groups"]))
        self.assertEqual(["192.0.2.10", "2001:db8::10"], sides["old"]["values"])
        self.assertEqual(["5.6.7.8", "2001:db8::8"], sides["new"]["values"])
        self.assertEqual(["new.eu-west-1.elb.amazonaws.com."], sides["new"]["alias_names"])
        self.assertEqual(1, len(sides["old"]["load_balancers"]))

    def test_the_rest(self):
        answer = create()
        plan = answer["plan"]
        (task,) = client("dms").describe_replication_tasks(
            Filters=[{"Name": "replication-task-arn", "Values": [plan["database"]["replication_task_arn"]]}]
        )["ReplicationTasks"]
        self.assertEqual("running", task["Status"])
        (created,) = answer["resources"]["replication"]
        self.assertEqual(
            task["ReplicationTaskArn"].rpartition(":")[2], created["dimensions"]["ReplicationTaskIdentifier"]
        )
        tables = client("dms").describe_table_statistics(ReplicationTaskArn=task["ReplicationTaskArn"])
        self.assertEqual({"Validated"}, {table["ValidationState"] for table in tables["TableStatistics"]})
        (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=["portal errors"])["MetricAlarms"]
        self.assertEqual("OK", alarm["StateValue"])
        client("sns").publish(TopicArn=plan["notify"]["topic_arn"], Message="m")
        answered = client("lambda").invoke(FunctionName=plan["hooks"]["quiesce"][0]["function_arn"], Payload=b'{"a":1}')
        self.assertNotIn("FunctionError", answered)
        self.assertEqual((True, {"a": 1}), tuple(control("invocations")[-1][key] for key in ("hook", "payload")))

    def test_a_world_file_changes_it(self):
        world = {
            "listeners": {
                LISTENER: {
                    "stickiness_seconds": 3600,
                    "neighbours": [{"name": "canary", "weight": 1}],
                    "old_weight": 3,
                    "authenticate": "oidc",
                    "tags": {"aws:cloudformation:stack-name": "portal"},
                }
            },
            "records": {
                "app.example.com A": {"ttl": 60, "values": ["192.0.2.77"]},
                "app.example.com AAAA": {
                    "members": [
                        {"set_identifier": "blue", "weight": 10, "ttl": 30, "values": ["2001:db8::1"]},
                        {"set_identifier": "green", "weight": 5, "ttl": 30, "values": ["2001:db8::2"]},
                    ]
                },
            },
            "replication": {"status": "stopped", "tables": [{"schema": "s", "table": "t", "state": "Error"}]},
            "alarms": {"portal errors": "ALARM"},
            "hooks": {HOOK: {"fail": True}},
        }
        plan = create(world)["plan"]
        config = self.forward(plan)["ForwardConfig"]
        self.assertEqual([3, 1], [group["Weight"] for group in config["TargetGroups"]])
        self.assertEqual(3600, config["TargetGroupStickinessConfig"]["DurationSeconds"])
        self.assertEqual([{"Value": "192.0.2.77"}], self.record(plan, 2, "A")[0]["ResourceRecords"])
        self.assertEqual([10, 5], [record["Weight"] for record in self.record(plan, 2, "AAAA")])
        dump = control("dump")
        self.assertEqual("portal", dump["elbv2"]["tags"][plan["routes"][0]["listener_arn"]]["aws:cloudformation:stack-name"])
        self.assertEqual("stopped", dump["dms"]["replication_tasks"][plan["database"]["replication_task_arn"]]["Status"])
        self.assertEqual("ALARM", dump["cloudwatch"]["alarms"]["portal errors"]["StateValue"])
        answered = client("lambda").invoke(FunctionName=plan["hooks"]["quiesce"][0]["function_arn"], Payload=b"{}")
        self.assertEqual("Unhandled", answered["FunctionError"])

    def test_denials(self):
        create({"deny": ["sns:ListTopics", {"action": "lambda:InvokeFunction", "from": 2}]})
        self.refused("AccessDenied", client("sns", "somebody").list_topics)
        client("sns").list_topics()
        call = client("lambda", "somebody").invoke
        call(FunctionName="cutover-echo", Payload=b"{}")
        self.refused("AccessDeniedException", call, FunctionName="cutover-echo", Payload=b"{}")
        create()
        client("sns", "somebody").list_topics()

    def test_an_alias_into_the_planned_zone(self):
        plan = copy.deepcopy(PLAN)
        plan["routes"] = [plan["routes"][3]]
        alias = {"dns_name": "green.eu.example.com", "hosted_zone_id": "ZPLAN"}
        plan["routes"][0]["records"][0]["new"]["alias"] = alias
        mapped = create(plan=plan)["plan"]
        zone = mapped["routes"][0]["hosted_zone_id"]
        self.assertEqual(zone, mapped["routes"][0]["records"][0]["new"]["alias"]["hosted_zone_id"])
        self.assertEqual(zone, self.record(mapped, 0, "A")[0]["AliasTarget"]["HostedZoneId"])

    def test_a_watched_group_of_no_route_is_healthy(self):
        plan = {"monitoring": {"target_groups": [{"target_group_arn": NEW}]}}
        arn = create(plan=plan)["plan"]["monitoring"]["target_groups"][0]["target_group_arn"]
        health = client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        self.assertEqual({"healthy"}, {item["TargetHealth"]["State"] for item in health})

    def test_a_wrong_plan_is_left_for_precheck(self):
        for plan in (
            {},
            [],
            None,
            {"routes": [4, {"type": "dns"}, {"type": "listener", "listener_arn": "x"}], "hooks": 3, "monitoring": []},
            {"routes": {"a": 1}, "health_check": {"url": 5}, "database": "x", "hooks": {"quiesce": [1]}},
            {"routes": [{"type": "dns", "hosted_zone_id": "Z", "record_name": "a.b", "records": [{"type": 1, "new": 2}]}]},
        ):
            with self.subTest(plan):
                create(plan=plan)

    def test_an_unknown_key_of_the_world_is_an_error(self):
        for world, path in (
            ({"x": 1}, "x"),
            ({"old": {"latency": 1}}, "old.latency"),
            ({"listeners": {LISTENER: {"neighbours": [{"names": "x"}]}}}, "neighbours[0].names"),
            ({"expect": "Nothing"}, "expect"),
            ({"records": {"app.example.com": {"ttl": 5}}}, "records.app.example.com: .* app.example.com A"),
            ({"metrics": {"of nobody": 5}}, "metrics.of nobody: the plan has no such thing"),
            ({"listeners": {LISTENER + "0": {"old_weight": 5}}}, "listeners.*: the plan has no such thing"),
        ):
            with self.subTest(path), self.assertRaisesRegex(support.ControlError, path.replace("[", r"\[")):
                create(world)


    def test_a_limit_has_a_value_by_its_name_and_what_balancers_count_has_none(self):
        def plan(namespace: str) -> dict:
            return {**PLAN, "validation": {"limits": [{"name": "CPU", "namespace": namespace, "metric_name": "CPUUtilization", "max": 80}]}}

        file.check({"metrics": {"CPU": 40}}, plan("AWS/ECS"))
        with self.assertRaisesRegex(file.WorldError, "metrics.CPU: the plan has no such thing"):
            file.check({"metrics": {"CPU": 40}}, plan("AWS/ApplicationELB"))


class Kinds(support.TestCase):
    """Target types, network load balancers, and what no route names."""

    NETWORK = LISTENER.replace("listener/app/", "listener/net/")

    def plan(self, listener: str = LISTENER) -> dict:
        return {**PLAN, "monitoring": {}, "routes": [{**PLAN["routes"][0], "listener_arn": listener}, PLAN["routes"][2]]}

    def groups(self, plan: dict) -> list[dict]:
        route = plan["routes"][0]
        arns = [route["old_target_group_arn"], route["new_target_group_arn"]]
        return [client("elbv2").describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0] for arn in arns]

    def test_a_listener_of_a_network_load_balancer(self):
        plan = create(plan=self.plan(self.NETWORK))["plan"]
        listener = plan["routes"][0]["listener_arn"]
        described = client("elbv2").describe_listeners(ListenerArns=[listener])["Listeners"][0]
        self.assertIn(":listener/net/", listener)
        self.assertEqual("TCP", described["Protocol"])
        self.assertEqual(["TCP", "TCP"], [group["Protocol"] for group in self.groups(plan)])

    def test_groups_of_every_type(self):
        for kind in ("ip", "instance", "lambda"):
            groups = {NEW: {"target_type": kind, "tags": {"aws:cloudformation:stack-name": "shop"}}}
            plan = create({"groups": groups}, self.plan())["plan"]
            self.assertEqual(["ip", kind], [group["TargetType"] for group in self.groups(plan)])
            arn = plan["routes"][0]["new_target_group_arn"]
            self.assertEqual("shop", control("dump")["elbv2"]["tags"][arn]["aws:cloudformation:stack-name"])
            health = client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            self.assertEqual({"unused"}, {one["TargetHealth"]["State"] for one in health})
        plan = create({"groups": {NEW: {"target_type": "alb"}}}, self.plan(self.NETWORK))["plan"]
        self.assertEqual(["ip", "alb"], [group["TargetType"] for group in self.groups(plan)])

    def test_a_group_may_have_stickiness_of_its_own(self):
        plan = create({"groups": {OLD: {"stickiness": True}}}, self.plan())["plan"]
        arn = plan["routes"][0]["old_target_group_arn"]
        attributes = client("elbv2").describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        self.assertIn({"Key": "stickiness.enabled", "Value": "true"}, attributes)

    def test_another_listener_forwards_to_the_old_group_as_well(self):
        answer = create({"also_forwarding": [OLD]}, self.plan())
        old = answer["plan"]["routes"][0]["old_target_group_arn"]
        routing = control("routing")["listeners"]
        leading = [arn for arn, live in routing.items() if old in [group["arn"] for group in live["target_groups"]]]
        self.assertEqual(2, len(leading))

    def test_more_records_and_zones(self):
        servers = [{"Value": "ns-1.example.net."}]
        delegation = {"Name": "team.example.com", "Type": "NS", "TTL": 60, "ResourceRecords": servers}
        target = {"DNSName": "app.example.com", "HostedZoneId": "ZPLAN", "EvaluateTargetHealth": False}
        alias = {"Name": "also.example.com", "Type": "A", "AliasTarget": target}
        more = [{"hosted_zone_id": "ZPLAN", "record": record} for record in (delegation, alias)]
        address = {**delegation, "Name": "app.example.com", "Type": "A", "ResourceRecords": [{"Value": "10.0.0.1"}]}
        private = {"name": "example.com", "private": True, "records": [address]}
        plan = create({"more_records": more, "zones": [private]})["plan"]
        zone = plan["routes"][2]["hosted_zone_id"]
        zones = control("dump")["route53"]["hosted_zones"]
        self.assertIn("team.example.com NS", zones[zone]["ResourceRecordSets"])
        self.assertEqual(zone, zones[zone]["ResourceRecordSets"]["also.example.com A"]["AliasTarget"]["HostedZoneId"])
        listed = client("route53").list_hosted_zones_by_name(DNSName="example.com")["HostedZones"]
        self.assertTrue(any(one["Config"]["PrivateZone"] and one["Name"] == "example.com." for one in listed))

    def test_a_member_may_have_a_check_that_fails(self):
        member = {"set_identifier": "old", "weight": 1, "values": ["192.0.2.1"], "health": "unhealthy"}
        plan = create({"records": {"app.example.com A": {"members": [member]}}})["plan"]
        key = f"{plan['routes'][2]['hosted_zone_id']}/app.example.com/A"
        support.until(lambda: control("routing")["records"][key]["members"][0]["healthy"] is False)

    def test_what_checkers_will_see_is_told(self):
        self.addCleanup(control, "health-checks", [])
        create({"health_checks": [{"match": {"fqdn": "new.example.com"}, "health": "unhealthy"}]})
        config = {"Type": "HTTP", "FullyQualifiedDomainName": "new.example.com", "RequestInterval": 10}
        check = client("route53").create_health_check(CallerReference=support.unique("c"), HealthCheckConfig=config)
        given = {"HealthCheckId": check["HealthCheck"]["Id"]}
        seen = support.until(lambda: client("route53").get_health_check_status(**given)["HealthCheckObservations"])
        self.assertTrue(seen[0]["StatusReport"]["Status"].startswith("Failure: "))

    def test_a_name_that_cannot_be_is_left_alone(self):
        route = {**PLAN["routes"][2], "record_name": "x" * 64 + ".example.com"}
        self.assertEqual([{}], create(plan={**PLAN, "routes": [route]})["routes"])


class Outside(support.TestCase):
    def test_the_dump_is_canonical(self):
        create()
        self.assertEqual(control("dump"), control("dump"))
        self.assertEqual({"elbv2", "route53", "dms", "cloudwatch", "sns", "ses", "s3", "journal"}, set(control("dump")))

    def test_routing_follows_live_weights(self):
        plan = create()["plan"]
        first, dns = plan["routes"][0], plan["routes"][2]
        groups = [
            {"TargetGroupArn": first["old_target_group_arn"], "Weight": 90},
            {"TargetGroupArn": first["new_target_group_arn"], "Weight": 10},
        ]
        client("elbv2").modify_listener(
            ListenerArn=first["listener_arn"],
            DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
        )
        routing = control("routing")
        live = routing["listeners"][first["listener_arn"]]
        self.assertEqual([90, 10], [group["weight"] for group in live["target_groups"]])
        self.assertIn(plan["routes"][1]["rule_arn"], routing["listeners"])
        nothing = ("set_identifier", "weight", "alias", "alias_zone", "evaluate_target_health", "health_check", "healthy")
        member = {"values": ["192.0.2.10"], **dict.fromkeys(nothing)}
        record = routing["records"][f"{dns['hosted_zone_id']}/app.example.com/A"]
        self.assertEqual({"ttl": 300, "members": [member]}, record)

    def test_call(self):
        answer = control("call", {"service": "sns", "operation": "create_topic", "parameters": {"Name": "called"}})
        self.assertTrue(answer["TopicArn"].endswith(":called"))
        with self.assertRaises(support.ControlError) as caught:
            control("call", {"service": "elbv2", "operation": "describe_target_groups", "parameters": {"Names": ["nope"]}})
        self.assertEqual("TargetGroupNotFound", caught.exception.code)


class WorldFile(unittest.TestCase):
    def test_a_full_one_is_fine(self):
        behaviour = {"latency_ms": 20, "changes": [{"when_new_weight": 50, "route": 0, "after": "30s", "error_rate": 0.2}]}
        file.check(
            {
                "$schema": "world.schema.json",
                "description": "x",
                "expect": "RolledBack",
                "old": behaviour,
                "new": behaviour,
                "replication": {"lag_seconds": [[0, 240], ["10m", 5]], "backlog": [[0, 0]], "changes_per_second": [[0, 0]]},
                "during": [{"when_new_weight": 10, "route": 0, "do": "stop_execution"}],
                "approval": "reject",
            },
            {},
        )
