"""Route 53 as strict as AWS."""

import time
import unittest

from local_aws.clients import client
from local_aws.services.route53 import SYNC_SECONDS
from local_aws.services.route53_records import Refused, Zone, apply, comparable, normal_name

from .. import support

ZONE = Zone("Z1", "example.com.")
SIMPLE = {"Name": "app.example.com.", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "192.0.2.10"}]}


def weighted(identifier: str, weight: int, **fields) -> dict:
    return {**SIMPLE, "TTL": 60, "SetIdentifier": identifier, "Weight": weight, **fields}


def changes(*pairs) -> list[dict]:
    return [{"Action": action, "ResourceRecordSet": record} for action, record in pairs]


class Batches(unittest.TestCase):
    def refused(self, records: list[dict], *pairs) -> str:
        with self.assertRaises(Refused) as caught:
            apply(ZONE, records, changes(*pairs))
        return str(caught.exception)

    def test_conversion_to_a_weighted_pair_and_back(self):
        old, new = weighted("old", 100), weighted("new", 0)
        pair = apply(ZONE, [SIMPLE], changes(("DELETE", SIMPLE), ("CREATE", old), ("CREATE", new)))
        self.assertEqual([new, old], pair)
        back = apply(ZONE, pair, changes(("DELETE", old), ("DELETE", new), ("CREATE", SIMPLE)))
        self.assertEqual([SIMPLE], back)

    def test_simple_and_weighted_cannot_coexist(self):
        self.assertIn("other RRSets exist", self.refused([SIMPLE], ("CREATE", weighted("old", 1))))
        self.assertIn("other RRSets exist", self.refused([weighted("old", 1)], ("UPSERT", SIMPLE)))

    def test_delete_must_repeat_everything(self):
        stored = weighted("old", 1, HealthCheckId="h")
        for change in (
            {"TTL": 61},
            {"Weight": 2},
            {"HealthCheckId": "other"},
            {"HealthCheckId": None},
            {"ResourceRecords": [{"Value": "192.0.2.11"}]},
        ):
            with self.subTest(change):
                self.assertIn("do not match", self.refused([stored], ("DELETE", {**stored, **change})))
        self.assertIn("not found", self.refused([stored], ("DELETE", weighted("new", 1))))
        self.assertEqual([], apply(ZONE, [stored], changes(("DELETE", stored))))

    def test_create_refuses_what_exists(self):
        self.assertIn("already exists", self.refused([SIMPLE], ("CREATE", SIMPLE)))

    def test_weights(self):
        for weight in (-1, 256):
            self.assertIn("between 0 and 255", self.refused([], ("CREATE", weighted("old", weight))))
        for weight in (0, 255):
            apply(ZONE, [], changes(("CREATE", weighted("old", weight))))

    def test_one_ttl_for_a_group(self):
        group = [weighted("old", 1), weighted("new", 1)]
        self.assertIn("same TTL", self.refused(group, ("UPSERT", weighted("new", 1, TTL=30))))
        both = [("UPSERT", weighted("old", 1, TTL=30)), ("UPSERT", weighted("new", 1, TTL=30))]
        self.assertEqual({30}, {record["TTL"] for record in apply(ZONE, group, changes(*both))})

    def test_cname(self):
        cname = {"Name": "app.example.com.", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "x.example.net"}]}
        self.assertIn("conflicting RRSet", self.refused([SIMPLE], ("CREATE", cname)))
        self.assertIn("conflicting RRSet", self.refused([cname], ("CREATE", {**SIMPLE, "Type": "TXT"})))
        self.assertIn("apex", self.refused([], ("CREATE", {**cname, "Name": "example.com."})))

    def test_the_zones_own_records_stay(self):
        ns = {"Name": "example.com.", "Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.example.net"}]}
        self.assertIn("exactly one", self.refused([ns], ("DELETE", ns)))

    def test_form(self):
        alias = {"DNSName": "lb.example.net.", "HostedZoneId": "Z2", "EvaluateTargetHealth": False}
        for record in (
            {**SIMPLE, "Name": "app.example.org."},
            {**SIMPLE, "TTL": None},
            {**SIMPLE, "AliasTarget": alias},
            {**SIMPLE, "ResourceRecords": [{"Value": "192.0.2"}]},
            {**SIMPLE, "Type": "AAAA"},
            {**SIMPLE, "ResourceRecords": SIMPLE["ResourceRecords"] * 2},
            {**SIMPLE, "Weight": 1},
            {**SIMPLE, "SetIdentifier": "old"},
            weighted("x" * 129, 1),
        ):
            with self.subTest(record):
                self.refused([], ("CREATE", record))
        apply(ZONE, [], changes(("CREATE", {"Name": "a.example.com.", "Type": "A", "AliasTarget": alias})))

    def test_a_private_zone_has_no_aliases_to_cloudfront(self):
        target = {"DNSName": "d1.cloudfront.net.", "HostedZoneId": "Z2FDTNDATAQYW2", "EvaluateTargetHealth": False}
        alias = changes(("CREATE", {"Name": "a.example.com.", "Type": "A", "AliasTarget": target}))
        apply(ZONE, [], alias)
        with self.assertRaises(Refused):
            apply(Zone("Z1", "example.com.", is_private=True), [], alias)

    def test_an_alias_into_the_same_zone_needs_its_target(self):
        target = {"DNSName": "b.example.com.", "HostedZoneId": "Z1", "EvaluateTargetHealth": False}
        alias = {"Name": "a.example.com.", "Type": "A", "AliasTarget": target}
        self.assertIn("was not found", self.refused([], ("CREATE", alias)))
        apply(ZONE, [{**SIMPLE, "Name": "b.example.com."}], changes(("CREATE", alias)))

    def test_limits_count_an_upsert_twice(self):
        record = {**SIMPLE, "ResourceRecords": [{"Value": f"10.0.{i // 256}.{i % 256}"} for i in range(501)]}
        apply(ZONE, [], changes(("CREATE", record)))
        self.assertIn("limit of 1000", self.refused([], ("UPSERT", record)))

    def test_all_or_nothing_with_every_reason(self):
        before = [dict(SIMPLE)]
        message = self.refused(before, ("DELETE", SIMPLE), ("CREATE", weighted("a", 300)), ("CREATE", weighted("b", 300)))
        self.assertEqual(2, message.count("between 0 and 255"))
        self.assertEqual([SIMPLE], before)

    def test_names(self):
        self.assertEqual("\\052.example.com.", normal_name("*.Example.com"))
        self.assertEqual("\\052.example.com.", normal_name("\\052.example.com."))
        upper = {**SIMPLE, "Name": "app.example.com."}
        self.assertEqual(comparable(SIMPLE), comparable(upper))


class Api(support.TestCase):
    def setUp(self):
        self.api = client("route53")
        self.name = f"{support.unique('zone')}.example"
        zone = self.api.create_hosted_zone(Name=self.name, CallerReference=self.name)["HostedZone"]
        self.zone = zone["Id"].rpartition("/")[2]

    def change(self, *pairs):
        named = [(action, {**record, "Name": f"{label}.{self.name}"}) for action, label, record in pairs]
        return self.api.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": changes(*named)})

    def test_a_zone_id_begins_with_z(self):
        self.assertTrue(self.zone.startswith("Z"))

    def test_a_change_is_pending_first(self):
        asked = time.monotonic()
        change = self.change(("CREATE", "app", SIMPLE))["ChangeInfo"]
        self.assertEqual("PENDING", change["Status"])

        def status():
            return self.api.get_change(Id=change["Id"])["ChangeInfo"]["Status"]

        support.until(lambda: status() == "INSYNC")
        self.assertGreaterEqual(time.monotonic() - asked, SYNC_SECONDS / support.SPEED)
        self.refused("NoSuchChange", self.api.get_change, Id="C123")

    def test_a_refused_batch_changes_nothing(self):
        self.change(("CREATE", "app", SIMPLE))
        with self.assertRaises(self.api.exceptions.InvalidChangeBatch):
            self.change(("DELETE", "app", SIMPLE), ("CREATE", "app", weighted("old", 300)))
        self.assertIn(f"app.{self.name}.", [record["Name"] for record in self.records()])

    def records(self, **parameters) -> list[dict]:
        return self.api.list_resource_record_sets(HostedZoneId=self.zone, **parameters)["ResourceRecordSets"]

    def test_records_are_sorted_escaped_and_round_trip(self):
        alias = {"DNSName": "lb.example.net.", "HostedZoneId": "Z2", "EvaluateTargetHealth": True}
        self.change(
            ("CREATE", "zz", weighted("old", 1)),
            ("CREATE", "a.b", SIMPLE),
            ("CREATE", "*", SIMPLE),
            ("CREATE", "al", {"Type": "A", "AliasTarget": alias}),
        )
        listed = self.records()[2:]  # without NS and SOA
        labels = [record["Name"].removesuffix(f".{self.name}.") for record in listed]
        self.assertEqual(["\\052", "al", "a.b", "zz"], labels)
        self.assertEqual(alias, listed[1]["AliasTarget"])
        self.assertNotIn("TTL", listed[1])
        self.assertEqual({**weighted("old", 1), "Name": listed[3]["Name"]}, listed[3])

    def test_pages(self):
        self.change(("CREATE", "app", weighted("new", 1)), ("CREATE", "app", weighted("old", 1)))
        page = self.api.list_resource_record_sets(HostedZoneId=self.zone, MaxItems="3")
        self.assertTrue(page["IsTruncated"])
        self.assertEqual("old", page["NextRecordIdentifier"])
        start = {f"StartRecord{key}": page[f"NextRecord{key}"] for key in ("Name", "Type", "Identifier")}
        self.assertEqual(["old"], [record["SetIdentifier"] for record in self.records(**start)])

    def test_a_record_needs_its_health_check(self):
        record = weighted("old", 1, HealthCheckId="00000000-0000-0000-0000-000000000000")
        with self.assertRaises(self.api.exceptions.NoSuchHealthCheck):
            self.change(("CREATE", "app", record))

    def test_a_caller_reference_makes_one_health_check(self):
        config = {"Type": "HTTPS", "FullyQualifiedDomainName": "x.example.com", "Port": 443, "RequestInterval": 30}
        reference = support.unique("run")

        def create(**fields):
            check = self.api.create_health_check(CallerReference=reference, HealthCheckConfig={**config, **fields})
            return check["HealthCheck"]["Id"]

        check = create()
        self.assertEqual(check, create())
        self.refused("HealthCheckAlreadyExists", create, Port=80)
        self.api.delete_health_check(HealthCheckId=check)
        self.refused("HealthCheckAlreadyExists", create)

    def test_health_check_settings(self):
        for fields in ({"RequestInterval": 20}, {"FailureThreshold": 11}, {"FullyQualifiedDomainName": None}):
            config = {"Type": "HTTP", "FullyQualifiedDomainName": "x.example.com", **fields}
            config = {key: value for key, value in config.items() if value is not None}
            with self.subTest(fields):
                create = self.api.create_health_check
                self.refused("InvalidInput", create, CallerReference=support.unique("c"), HealthCheckConfig=config)
