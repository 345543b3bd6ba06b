"""Load balancing as strict as AWS."""

from local_aws.clients import client
from local_aws.services import elbv2

from .. import support
from ..support import control

OIDC = {
    "Issuer": "https://login.example.com",
    "AuthorizationEndpoint": "https://login.example.com/a",
    "TokenEndpoint": "https://login.example.com/t",
    "UserInfoEndpoint": "https://login.example.com/u",
    "ClientId": "portal",
}


def forward(*groups, **stickiness) -> list[dict]:
    """(arn, weight) pairs."""
    config = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]}
    if stickiness:
        config["TargetGroupStickinessConfig"] = stickiness
    return [{"Type": "forward", "ForwardConfig": config}]


class Elbv2(support.TestCase):
    def setUp(self):
        self.api = client("elbv2")
        self.balancer = self.create_balancer()
        self.old, self.new = self.create_group(), self.create_group()
        self.listener = self.create_listener(forward((self.old, 1)))

    def create_balancer(self) -> str:
        from local_aws.world.balancing import subnet_ids

        created = self.api.create_load_balancer(Name=support.unique("lb"), Subnets=subnet_ids())
        return created["LoadBalancers"][0]["LoadBalancerArn"]

    def create_group(self, **fields) -> str:
        from local_aws.world.balancing import vpc_id

        settings = {"Protocol": "HTTP", "Port": 80, "VpcId": vpc_id(), "TargetType": "ip", **fields}
        arn = self.api.create_target_group(Name=support.unique("tg"), **settings)["TargetGroups"][0]["TargetGroupArn"]
        self.api.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1"}, {"Id": "10.0.0.2"}])
        return arn

    def create_listener(self, actions: list[dict], port: int = 80) -> str:
        created = self.api.create_listener(
            LoadBalancerArn=self.balancer, Protocol="HTTP", Port=port, DefaultActions=actions
        )
        return created["Listeners"][0]["ListenerArn"]

    def modify(self, actions: list[dict]) -> list[dict]:
        self.api.modify_listener(ListenerArn=self.listener, DefaultActions=actions)
        return self.actions()

    def actions(self) -> list[dict]:
        return self.api.describe_listeners(ListenerArns=[self.listener])["Listeners"][0]["DefaultActions"]

    def refuses(self, code: str, actions: list[dict]) -> None:
        """Of a listener and of a rule, and the listener stays as it was."""
        before = self.actions()
        self.refused(code, self.api.modify_listener, ListenerArn=self.listener, DefaultActions=actions)
        self.refused(code, self.create_rule, actions)
        self.assertEqual(before, self.actions())

    def create_rule(self, actions: list[dict], priority: int = 5) -> str:
        conditions = [{"Field": "path-pattern", "Values": ["/app*"]}]
        created = self.api.create_rule(
            ListenerArn=self.listener, Priority=priority, Conditions=conditions, Actions=actions
        )
        return created["Rules"][0]["RuleArn"]


class Rules(Elbv2):
    def test_a_dual_stack_network_balancer_has_rules_by_the_clients_kind_of_address(self):
        from local_aws.world.balancing import subnet_ids

        by_address = [{"Field": "source-ip", "SourceIpConfig": {"IpAddressType": "ipv6"}}]
        by_path = [{"Field": "path-pattern", "Values": ["/app*"]}]
        self.refused("InvalidConfigurationRequest", self.create_rule_of, self.listener, self.old, by_address)
        for kind, is_allowed in (("ipv4", False), ("dualstack", True)):
            created = self.api.create_load_balancer(Name=support.unique("lb"), Type="network", IpAddressType=kind, Subnets=subnet_ids())
            group = self.create_group(Protocol="TCP")
            listener = self.api.create_listener(
                LoadBalancerArn=created["LoadBalancers"][0]["LoadBalancerArn"], Protocol="TCP", Port=80, DefaultActions=forward((group, 1))
            )["Listeners"][0]["ListenerArn"]
            self.refused("InvalidConfigurationRequest", self.create_rule_of, listener, group, by_path)
            if is_allowed:
                rule = self.create_rule_of(listener, group, by_address)["Rules"][0]
                self.assertEqual(by_address, self.api.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"][0]["Conditions"])
            else:
                self.refused("InvalidConfigurationRequest", self.create_rule_of, listener, group, by_address)

    def create_rule_of(self, listener: str, group: str, conditions: list[dict]) -> dict:
        return self.api.create_rule(ListenerArn=listener, Priority=5, Conditions=conditions, Actions=forward((group, 1)))


class Actions(Elbv2):
    def test_a_weighted_forward_round_trips(self):
        sent = forward((self.old, 90), (self.new, 10), Enabled=True, DurationSeconds=3600)
        self.assertEqual(sent, self.modify(sent))

    def test_a_single_group_is_described_both_ways(self):
        expected = {"TargetGroupArn": self.new, **forward((self.new, 1), Enabled=False)[0]}
        for sent in ([{"Type": "forward", "TargetGroupArn": self.new}], forward((self.new, 1)), [expected]):
            self.assertEqual([expected], self.modify(sent))

    def test_target_groups_must_exist_and_fit(self):
        gone = self.create_group()
        self.api.delete_target_group(TargetGroupArn=gone)
        self.refuses("TargetGroupNotFound", forward((gone, 1)))
        self.refuses("IncompatibleProtocols", forward((self.create_group(Protocol="TCP"), 1)))

    def test_http2_and_grpc_want_https_and_ipv6_a_dual_stack_load_balancer(self):
        for version in ("HTTP2", "GRPC"):
            group = self.create_group(ProtocolVersion=version)
            self.refuses("InvalidConfigurationRequest", forward((group, 1)))
        self.refuses("InvalidConfigurationRequest", forward((self.create_group(IpAddressType="ipv6"), 1)))

    def test_a_group_serves_one_load_balancer(self):
        rule = self.create_rule(forward((self.new, 1)))
        other = self.create_balancer()
        for group in (self.old, self.new):
            self.balancer = other
            message = self.refused("TargetGroupAssociationLimit", self.create_listener, forward((group, 1)))
            text = "The following target groups cannot be associated with more than one load balancer: "
            self.assertEqual(text + group, message)
        self.old, first = self.create_group(), self.old
        self.listener = self.create_listener(forward((self.old, 1)))
        self.refuses("TargetGroupAssociationLimit", forward((self.old, 1), (first, 0)))
        self.api.delete_rule(RuleArn=rule)
        self.modify(forward((self.new, 1)))

    def test_target_stickiness_wants_group_stickiness_where_a_group_has_others_beside_it(self):
        def stick(arn: str):
            attributes = [{"Key": "stickiness.enabled", "Value": "true"}, {"Key": "stickiness.type", "Value": "lb_cookie"}]
            self.api.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)

        stick(self.old)  # alone in its action
        self.refuses("InvalidConfigurationRequest", forward((self.old, 1), (self.new, 0)))
        sticky = {"Enabled": True, "DurationSeconds": 60}
        self.modify(forward((self.old, 1), (self.new, 0), **sticky))
        stick(self.new)
        self.modify(forward((self.new, 1)))
        third = self.create_group()
        fourth = self.create_group()
        self.modify(forward((third, 1), (fourth, 1)))
        message = self.refused("InvalidConfigurationRequest", stick, third)
        self.assertIn("This target group appears behind a rule with group stickiness disabled (arn:aws:", message)

    def test_forward_limits(self):
        self.refuses("ValidationError", forward((self.old, 1000)))
        self.refuses("ValidationError", forward((self.old, -1)))
        self.refuses("ValidationError", forward((self.old, 1), (self.old, 1)))
        self.refuses("ValidationError", forward((self.old, 1), Enabled=True, DurationSeconds=0))
        self.refuses("ValidationError", forward((self.old, 1), Enabled=True, DurationSeconds=604801))
        self.refuses("TooManyTargetGroups", forward(*[(self.create_group(), 1) for _ in range(6)]))
        self.modify(forward((self.old, 0), (self.new, 999), Enabled=True, DurationSeconds=604800))

    def test_several_actions_need_an_order_and_an_end(self):
        authenticate = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {**OIDC, "ClientSecret": "s"}}
        self.refuses("ValidationError", [authenticate, *forward((self.old, 1))])
        self.refuses("InvalidLoadBalancerAction", [authenticate])

    def authenticated(self, **secret) -> list[dict]:
        config = {**OIDC, **secret}
        return [
            {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config},
            {**forward((self.old, 1))[0], "Order": 2},
        ]

    def test_nothing_is_done_before_a_request_goes_to_an_http2_group(self):
        self.old = self.create_group(ProtocolVersion="GRPC")
        authenticated = self.authenticated(ClientSecret="secret")
        self.assertIn("Action type", self.refused("InvalidConfigurationRequest", self.modify, authenticated))

    def test_an_oidc_secret_is_required_and_never_described(self):
        self.refuses("ValidationError", self.authenticated())
        self.refuses("ValidationError", self.authenticated(UseExistingClientSecret=True))
        described = self.modify(self.authenticated(ClientSecret="secret"))
        self.assertNotIn("secret", str(described))
        self.assertEqual([1, 2], [action["Order"] for action in described])
        # What was described cannot be sent back as it is, but with the existing secret.
        self.refused("ValidationError", self.modify, described)
        self.assertEqual(described, self.modify(self.authenticated(UseExistingClientSecret=True)))

    def test_modify_keeps_what_is_not_sent(self):
        rule = self.create_rule(forward((self.new, 1)))
        self.api.modify_rule(RuleArn=rule, Actions=forward((self.new, 7)))
        described = self.api.describe_rules(RuleArns=[rule])["Rules"][0]
        self.assertEqual(["/app*"], described["Conditions"][0]["Values"])
        self.api.modify_listener(ListenerArn=self.listener, Port=8080)
        self.assertEqual(self.old, self.actions()[0]["TargetGroupArn"])

    def test_rules_are_listed_by_priority(self):
        for priority in (30, 4, 100):
            self.create_rule(forward((self.old, 1)), priority)
        rules = self.api.describe_rules(ListenerArn=self.listener)["Rules"]
        self.assertEqual(["4", "30", "100", "default"], [rule["Priority"] for rule in rules])
        self.refused("OperationNotPermitted", self.api.modify_rule, RuleArn=rules[-1]["RuleArn"], Actions=self.actions())


class Balancers(Elbv2):
    def test_aliases_can_name_its_zone(self):
        (described,) = self.api.describe_load_balancers(LoadBalancerArns=[self.balancer])["LoadBalancers"]
        self.assertEqual("Z32O12XQLNTSW2", described["CanonicalHostedZoneId"])


class Groups(Elbv2):
    def health(self, arn: str) -> dict[str, str]:
        described = self.api.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {item["Target"]["Id"]: item["TargetHealth"] for item in described}

    def states(self, arn: str) -> list[str]:
        return [health["State"] for health in self.health(arn).values()]

    def test_targets_of_an_unattached_group_are_unused(self):
        self.assertEqual(["healthy", "healthy"], self.states(self.old))
        self.assertEqual("Target.NotInUse", self.health(self.new)["10.0.0.1"]["Reason"])
        self.modify(forward((self.old, 1), (self.new, 0)))
        self.assertEqual(["healthy", "healthy"], self.states(self.new))

    def test_a_rule_attaches_too(self):
        rule = self.create_rule(forward((self.new, 1)))
        self.assertEqual(["healthy", "healthy"], self.states(self.new))
        self.api.delete_rule(RuleArn=rule)
        self.assertEqual(["unused", "unused"], self.states(self.new))

    def test_health_is_told_by_a_tag_or_the_control_api(self):
        tag = {"Key": elbv2.HEALTH_TAG, "Value": '{"10.0.0.2": "unhealthy"}'}
        self.api.add_tags(ResourceArns=[self.old], Tags=[tag])
        self.assertEqual(["healthy", "unhealthy"], self.states(self.old))
        control("target-health", {"target_group_arn": self.old, "health": {"*": "initial"}})
        self.assertEqual("Elb.RegistrationInProgress", self.health(self.old)["10.0.0.1"]["Reason"])

    def test_a_group_knows_its_load_balancers(self):
        def balancers(arn):
            return self.api.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0].get("LoadBalancerArns", [])

        self.assertEqual(([self.balancer], []), (balancers(self.old), balancers(self.new)))
        self.modify(forward((self.new, 1)))
        self.assertEqual(([], [self.balancer]), (balancers(self.old), balancers(self.new)))

    def test_a_group_in_use_cannot_be_deleted(self):
        self.modify(forward((self.old, 0), (self.new, 1)))
        self.refused("ResourceInUse", self.api.delete_target_group, TargetGroupArn=self.old)
        self.modify(forward((self.new, 1)))
        self.api.delete_target_group(TargetGroupArn=self.old)
