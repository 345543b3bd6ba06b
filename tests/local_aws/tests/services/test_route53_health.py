"""Health checks, zones, and aliases: what Route 53 sees and where names lead."""

import time

from local_aws.clients import client
from local_aws.services import route53_health
from local_aws.services.route53_health import FAILURES, HEALTH_TAG, HTTP_SUCCESS, REGIONS

from .. import support
from ..support import SPEED, control
from .test_elbv2 import Elbv2, forward
from .test_route53 import SIMPLE, changes, weighted


class Names(support.TestCase):
    def setUp(self):
        self.api = client("route53")
        self.addCleanup(control, "health-checks", [])
        self.zone, self.name = self.create_zone(f"{support.unique('zone')}.example")

    def create_zone(self, name: str, **fields) -> tuple[str, str]:
        reference = support.unique("reference")
        zone = self.api.create_hosted_zone(Name=name, CallerReference=reference, **fields)["HostedZone"]
        return zone["Id"].rpartition("/")[2], name

    def create_check(self, kind: str = "HTTP", **fields) -> str:
        config = {"Type": kind, "FullyQualifiedDomainName": "new.example.com", "RequestInterval": 10, **fields}
        created = self.api.create_health_check(CallerReference=support.unique("check"), HealthCheckConfig=config)
        return created["HealthCheck"]["Id"]

    def status(self, check: str) -> list[str]:
        answer = self.api.get_health_check_status(HealthCheckId=check)
        return [one["StatusReport"]["Status"] for one in answer["HealthCheckObservations"]]

    def seen(self, check: str) -> list[str]:
        """Once the checkers have looked."""
        return support.until(lambda: self.status(check))

    def made(self, check: str, seconds_ago: float) -> None:
        """In stretched seconds; the server is in this process."""
        route53_health._made[check] = time.monotonic() - seconds_ago / SPEED

    def change(self, *pairs, zone: str | None = None):
        batch = {"Changes": changes(*pairs)}
        return self.api.change_resource_record_sets(HostedZoneId=zone or self.zone, ChangeBatch=batch)

    def record(self, label: str, **fields) -> dict:
        return {**SIMPLE, "Name": f"{label}.{self.name}.", **fields}

    def alias(self, label: str, target: str, zone: str, evaluate: bool = True, **fields) -> dict:
        to = {"DNSName": target, "HostedZoneId": zone, "EvaluateTargetHealth": evaluate}
        return {"Name": f"{label}.{self.name}.", "Type": "A", "AliasTarget": to, **fields}

    def members(self, label: str) -> list[dict]:
        return control("routing")["records"][f"{self.zone}/{label}.{self.name}/A"]["members"]

    def healthy(self, label: str) -> list:
        return [member["healthy"] for member in self.members(label)]


class Checkers(Names):
    def test_nothing_is_known_before_the_first_interval(self):
        check = self.create_check(RequestInterval=30)
        self.made(check, seconds_ago=-6000)
        self.assertEqual([], self.status(check))
        self.made(check, seconds_ago=31)
        self.assertEqual([HTTP_SUCCESS] * 16, self.status(check))

    def test_nothing_may_be_known_for_longer(self):
        control("health-checks", [{"match": {"fqdn": "late.example.com"}, "health": "unknown"}])
        check = self.create_check(FullyQualifiedDomainName="late.example.com")
        self.made(check, seconds_ago=600)
        self.assertEqual([], self.status(check))
        self.assertTrue(route53_health.is_healthy(check))
        control("health-checks", [])
        self.assertEqual([HTTP_SUCCESS] * 16, self.status(check))

    def test_checkers_of_several_regions_tell_what_they_see(self):
        check = self.create_check()
        self.seen(check)
        observations = self.api.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        self.assertEqual(set(REGIONS), {one["Region"] for one in observations})
        self.assertEqual(16, len({one["IPAddress"] for one in observations}))
        self.assertTrue(all("CheckedTime" in one["StatusReport"] for one in observations))
        few = self.create_check(Regions=["us-east-1", "eu-west-1", "sa-east-1"])
        self.assertEqual(6, len(self.seen(few)))

    def test_health_is_told_by_a_tag(self):
        check = self.create_check()
        self.seen(check)
        for told, succeeding in (("unhealthy", 0), ("50", 8), ("healthy", 16)):
            tag = [{"Key": HEALTH_TAG, "Value": told}]
            self.api.change_tags_for_resource(ResourceType="healthcheck", ResourceId=check, AddTags=tag)
            self.assertEqual(succeeding, self.status(check).count(HTTP_SUCCESS), told)

    def test_health_can_be_told_before_the_check_is_made(self):
        refused = {"percent": 0, "failure": "Failure: Connection timed out."}
        control("health-checks", [{"match": {"fqdn": "new.example.com", "port": 8080}, "health": refused}])
        self.assertEqual({"Failure: Connection timed out."}, set(self.seen(self.create_check(Port=8080))))
        self.assertEqual({HTTP_SUCCESS}, set(self.seen(self.create_check(Port=80))))
        with self.assertRaises(support.ControlError):
            control("health-checks", [{"match": {"colour": "blue"}, "health": "healthy"}])
        with self.assertRaises(support.ControlError):
            control("health-checks", [{"match": {"port": 80}, "health": "tired"}])

    def test_failures_read_as_the_kind_of_check_has_them(self):
        control("health-checks", [{"match": {"fqdn": "new.example.com"}, "health": "unhealthy"}])
        checks = {"HTTP": self.create_check(), "TCP": self.create_check("TCP", Port=22)}
        checks["STR"] = self.create_check("HTTP_STR_MATCH", SearchString="ok")
        for kind, check in checks.items():
            self.assertEqual({FAILURES[kind]}, set(self.seen(check)))

    def test_what_is_not_there_and_what_is_calculated(self):
        check = self.create_check()
        self.api.delete_health_check(HealthCheckId=check)
        self.refused("NoSuchHealthCheck", self.api.get_health_check_status, HealthCheckId=check)
        self.refused("NoSuchHealthCheck", self.api.delete_health_check, HealthCheckId=check)
        config = {"Type": "CALCULATED", "ChildHealthChecks": [self.create_check()], "HealthThreshold": 1}
        created = self.api.create_health_check(CallerReference=support.unique("c"), HealthCheckConfig=config)
        self.refused("InvalidInput", self.api.get_health_check_status, HealthCheckId=created["HealthCheck"]["Id"])

    def test_a_check_of_an_alarm_asks_no_endpoint(self):
        alarm = {"Region": "eu-west-1", "Name": "shop"}
        config = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": alarm, "InsufficientDataHealthStatus": "Healthy"}
        created = self.api.create_health_check(CallerReference=support.unique("c"), HealthCheckConfig=config)
        found = self.api.get_health_check(HealthCheckId=created["HealthCheck"]["Id"])["HealthCheck"]
        self.assertEqual("CLOUDWATCH_METRIC", found["HealthCheckConfig"]["Type"])

    def test_defaults_and_refusals(self):
        check = self.create_check("HTTPS")
        config = self.api.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]
        self.assertEqual((443, True), (config["Port"], config["EnableSNI"]))
        for kind, fields in (
            ("HTTP_STR_MATCH", {}),
            ("HTTP", {"SearchString": "ok"}),
            ("TCP", {"ResourcePath": "/", "Port": 22}),
            ("HTTP", {"Regions": ["us-east-1"]}),  # boto3 itself would refuse it, as the set-up's client does
        ):
            with self.subTest(kind, **fields):
                self.api = client("route53", "somebody")
                self.refused("InvalidInput", self.create_check, kind, **fields)


class Answers(Names):
    """What the routing says of records' health."""

    def told(self, health, **fields) -> str:
        check = self.create_check(**fields)
        control("health-checks", [{"match": {"id": check}, "health": health}])
        self.seen(check)
        return check

    def test_a_record_is_as_healthy_as_its_check(self):
        check = self.told("unhealthy")
        record = {"Name": f"app.{self.name}."}
        self.change(
            ("CREATE", {**weighted("old", 100), **record}),
            ("CREATE", {**weighted("new", 0, HealthCheckId=check), **record}),
        )
        self.assertEqual([False, None], self.healthy("app"))
        for percent, healthy in ((18, False), (19, True)):
            control("health-checks", [{"match": {"id": check}, "health": percent}])
            self.assertEqual([healthy, None], self.healthy("app"))

    def test_a_new_check_counts_as_healthy(self):
        control("health-checks", [{"match": {"fqdn": "new.example.com"}, "health": "unhealthy"}])
        check = self.create_check(RequestInterval=30)
        self.made(check, seconds_ago=-6000)
        self.change(("CREATE", self.record("app", HealthCheckId=check)))
        self.assertEqual([True], self.healthy("app"))
        self.made(check, seconds_ago=31)
        self.assertEqual([False], self.healthy("app"))

    def test_inverted_disabled_and_calculated_checks(self):
        sick = self.told("unhealthy", Inverted=True)
        self.change(("CREATE", self.record("inverted", HealthCheckId=sick)))
        self.assertEqual([True], self.healthy("inverted"))
        off = self.told("unhealthy", Disabled=True)
        self.change(("CREATE", self.record("off", HealthCheckId=off)))
        self.assertEqual([True], self.healthy("off"))
        children = [self.create_check(), self.create_check()]
        control("health-checks", [{"match": {"id": children[0]}, "health": "unhealthy"}])
        self.seen(children[0])
        for threshold, healthy in ((1, True), (2, False)):
            config = {"Type": "CALCULATED", "ChildHealthChecks": children, "HealthThreshold": threshold}
            created = self.api.create_health_check(CallerReference=support.unique("c"), HealthCheckConfig=config)
            self.change(("UPSERT", self.record("both", HealthCheckId=created["HealthCheck"]["Id"])))
            self.assertEqual([healthy], self.healthy("both"))

    def test_an_alias_is_as_healthy_as_its_records(self):
        check = self.told("unhealthy")
        self.change(("CREATE", self.record("blue", HealthCheckId=check)), ("CREATE", self.record("green")))
        for target, evaluate, healthy in (("blue", True, False), ("blue", False, None), ("green", True, True)):
            self.change(("UPSERT", self.alias("app", f"{target}.{self.name}", self.zone, evaluate)))
            self.assertEqual([healthy], self.healthy("app"), (target, evaluate))


class Balancers(Names, Elbv2):
    def setUp(self):
        Names.setUp(self)
        self.names = self.api
        Elbv2.setUp(self)

    def test_an_alias_is_healthy_if_every_group_of_its_balancer_is(self):
        described = self.api.describe_load_balancers(LoadBalancerArns=[self.balancer])["LoadBalancers"][0]
        to = f"dualstack.{described['DNSName']}", described["CanonicalHostedZoneId"]
        record = {"Action": "CREATE", "ResourceRecordSet": self.alias("app", *to)}
        self.names.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": [record]})
        self.assertEqual([True], self.healthy("app"))
        control("target-health", {"target_group_arn": self.new, "health": {"*": "unhealthy"}})
        self.assertEqual([True], self.healthy("app"))
        self.modify(forward((self.old, 100), (self.new, 0)))  # at weight 0, and yet
        self.assertEqual([False], self.healthy("app"))
        groups = control("routing")["listeners"][self.listener]["target_groups"]
        self.assertEqual([(2, 2), (2, 0)], [(one["targets"], one["healthy_targets"]) for one in groups])


class Aliases(Names):
    def refuses(self, text: str, *pairs) -> None:
        self.assertIn(text, self.refused("InvalidChangeBatch", self.change, *pairs))

    def test_the_target_must_be_there_with_the_same_type(self):
        self.change(("CREATE", self.record("four")))
        six = {**self.alias("app", f"four.{self.name}", self.zone), "Type": "AAAA"}
        self.refuses("type AAAA in zone", ("CREATE", six))
        self.refuses("but that target was not found", ("CREATE", self.alias("app", f"none.{self.name}", self.zone)))
        self.refuses("does not lie within the target zone", ("CREATE", self.alias("app", "app.example.org", self.zone)))
        self.change(("CREATE", self.alias("app", f"four.{self.name}", self.zone)))

    def test_a_zone_of_a_service_has_names_of_that_service(self):
        for target, zone, right in (
            ("shop-1.eu-west-1.elb.amazonaws.com", "Z32O12XQLNTSW2", True),
            ("dualstack.shop-1.eu-west-1.elb.amazonaws.com", "Z32O12XQLNTSW2", True),
            ("shop-1.us-east-1.elb.amazonaws.com", "Z32O12XQLNTSW2", False),
            ("shop-1.eu-west-1.elb.amazonaws.com", "Z35SXDOTRQ7X7K", False),
            ("shop-1.us-east-1.elb.amazonaws.com", "Z35SXDOTRQ7X7K", True),
            ("net-1.elb.eu-west-1.amazonaws.com", "Z2IFOLAFXWLO4F", True),
            ("d111111abcdef8.cloudfront.net", "Z2FDTNDATAQYW2", True),
            ("shop.example.org", "Z2FDTNDATAQYW2", False),
        ):
            pair = ("UPSERT", self.alias("app", target, zone, False))
            with self.subTest(target):
                self.change(pair) if right else self.refuses("does not lie within", pair)

    def test_a_distributions_health_is_not_evaluated(self):
        alias = self.alias("app", "d111111abcdef8.cloudfront.net", "Z2FDTNDATAQYW2", True)
        self.refuses("EvaluateTargetHealth cannot be set", ("CREATE", alias))

    def test_an_alias_stays_in_its_zone(self):
        zone, name = self.create_zone(f"{support.unique('other')}.example")
        self.change(("CREATE", {**SIMPLE, "Name": f"app.{name}."}), zone=zone)
        self.refuses("a different hosted zone", ("CREATE", self.alias("app", f"app.{name}", zone)))

    def test_a_service_has_addresses_only(self):
        alias = self.alias("app", "shop-1.eu-west-1.elb.amazonaws.com", "Z32O12XQLNTSW2", False)
        self.refuses("type CNAME in zone", ("CREATE", {**alias, "Type": "CNAME"}))

    def test_types_that_are_no_alias(self):
        alias = {**self.alias("app", f"x.{self.name}", self.zone), "Type": "NS"}
        self.refuses("cannot be of type NS", ("CREATE", alias))


class Zones(Names):
    def listed(self, name: str | None = None, **fields) -> list[tuple[str, bool]]:
        given = {"DNSName": name, **fields} if name else fields
        zones = self.api.list_hosted_zones_by_name(**given)["HostedZones"]
        return [(zone["Name"], zone["Config"]["PrivateZone"]) for zone in zones]

    def test_several_zones_of_one_name_are_listed_with_what_they_are(self):
        from local_aws.world.balancing import vpc_id

        vpc = {"VPCRegion": "eu-west-1", "VPCId": vpc_id()}
        private, _ = self.create_zone(self.name, VPC=vpc, HostedZoneConfig={"PrivateZone": True})
        second, _ = self.create_zone(self.name)
        under, _ = self.create_zone(f"a.{self.name}")
        found = self.listed(self.name, MaxItems="4")
        self.assertEqual({(f"{self.name}.", False), (f"{self.name}.", True)}, set(found[:3]))
        self.assertEqual((f"a.{self.name}.", False), found[3])
        described = self.api.get_hosted_zone(Id=private)
        self.assertEqual([vpc], described["VPCs"])
        self.assertEqual([], self.api.get_hosted_zone(Id=second).get("VPCs", []))

    def test_the_list_begins_at_a_name_and_goes_on_in_pages(self):
        self.create_zone(f"b.{self.name}")
        page = self.api.list_hosted_zones_by_name(DNSName=self.name, MaxItems="1")
        self.assertEqual((True, f"b.{self.name}."), (page["IsTruncated"], page["NextDNSName"]))
        following = {"DNSName": page["NextDNSName"], "HostedZoneId": page["NextHostedZoneId"]}
        self.assertEqual((f"b.{self.name}.", False), self.listed(page["NextDNSName"])[0])
        self.assertEqual(following["HostedZoneId"], self.first_id(**following))
        self.refused("InvalidInput", self.api.list_hosted_zones_by_name, HostedZoneId=self.zone)

    def first_id(self, **given) -> str:
        return self.api.list_hosted_zones_by_name(**given)["HostedZones"][0]["Id"].rpartition("/")[2]

    def test_a_zone_with_a_vpc_is_private_and_a_private_one_needs_it(self):
        from local_aws.world.balancing import vpc_id

        zone, _ = self.create_zone(self.name, VPC={"VPCRegion": "eu-west-1", "VPCId": vpc_id()})
        self.assertTrue(self.api.get_hosted_zone(Id=zone)["HostedZone"]["Config"]["PrivateZone"])
        self.refused("InvalidInput", self.create_zone, self.name, HostedZoneConfig={"PrivateZone": True})

    def test_each_public_zone_has_its_own_name_servers(self):
        second, _ = self.create_zone(self.name)
        sets = [self.api.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"] for zone in (self.zone, second)]
        self.assertEqual((4, 4), tuple(map(len, sets)))
        self.assertNotEqual(*sets)
        records = self.api.list_resource_record_sets(HostedZoneId=second)["ResourceRecordSets"]
        self.assertEqual(["NS", "SOA"], [record["Type"] for record in records])
        self.assertEqual([f"{server}." for server in sets[1]], [one["Value"] for one in records[0]["ResourceRecords"]])
        self.assertTrue(
            records[1]["ResourceRecords"][0]["Value"].startswith(f"{sets[1][0]}. awsdns-hostmaster.amazon.com. 1 ")
        )

    def test_a_delegation_is_a_record_like_any_other(self):
        servers = [{"Value": f"ns-{number}.example.net."} for number in (1, 2)]
        delegation = {"Name": f"team.{self.name}.", "Type": "NS", "TTL": 300, "ResourceRecords": servers}
        self.change(("CREATE", delegation))
        self.change(("DELETE", delegation))

    def test_a_caller_reference_makes_one_zone(self):
        given = {"Name": self.name, "CallerReference": support.unique("once")}
        self.api.create_hosted_zone(**given)
        self.refused("HostedZoneAlreadyExists", self.api.create_hosted_zone, **given)
