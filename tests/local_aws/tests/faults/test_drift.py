"""Somebody else's change of a route."""

from local_aws.faults import drift

from .. import support
from ..services.test_elbv2 import OIDC, Elbv2, forward
from ..services.test_route53 import SIMPLE, changes, weighted
from ..support import client


class Forwards(Elbv2):
    def test_a_forward_action_gets_stickiness_and_keeps_the_rest(self):
        sign_in = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {**OIDC, "ClientSecret": "s"}}
        groups = [{**action, "Order": 2} for action in forward((self.old, 3), (self.new, 1))]
        for before in (forward((self.old, 3), (self.new, 1)), [{"Type": "forward", "TargetGroupArn": self.old}], [sign_in, *groups]):
            before = self.modify(before)
            drift.change({"listener_arn": self.listener})
            after = self.actions()
            sticky = after[-1]["ForwardConfig"].pop("TargetGroupStickinessConfig")
            before[-1]["ForwardConfig"].pop("TargetGroupStickinessConfig")
            self.assertEqual({"Enabled": True, "DurationSeconds": drift.STICKINESS_SECONDS}, sticky)
            self.assertEqual(before, after)


class Names(support.TestCase):
    def test_a_name_gets_another_ttl_whatever_its_records(self):
        for records in ([SIMPLE], [weighted("one", 1), weighted("two", 2)]):
            zone = self.zone(records)
            drift.change({"hosted_zone_id": zone, "record_name": "APP.example.com"})
            self.assertEqual([{**record, "TTL": drift.TTL_SECONDS} for record in records], self.records(zone))

    def test_an_alias_evaluates_its_targets_health_or_no_longer(self):
        target = {"DNSName": "lb.eu-west-1.elb.amazonaws.com.", "HostedZoneId": "Z32O12XQLNTSW2", "EvaluateTargetHealth": True}
        zone = self.zone([{"Name": SIMPLE["Name"], "Type": "A", "AliasTarget": target}])
        drift.change({"hosted_zone_id": zone, "record_name": "app.example.com"})
        self.assertFalse(self.records(zone)[0]["AliasTarget"]["EvaluateTargetHealth"])

    def zone(self, records: list[dict]) -> str:
        api = client("route53")
        zone = api.create_hosted_zone(Name="example.com.", CallerReference=support.unique("zone"))["HostedZone"]["Id"]
        batch = changes(*[("CREATE", record) for record in records])
        api.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": batch})
        return zone

    def records(self, zone: str) -> list[dict]:
        listed = client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return [record for record in listed if record["Name"] == SIMPLE["Name"]]
