"""Target groups of every type, network load balancers, and tags."""

from local_aws.services import elbv2, elbv2_groups

from .. import support
from ..support import SPEED, control
from .test_elbv2 import Elbv2, forward

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:shop"


class Groups(Elbv2):
    def create(self, **fields) -> dict:
        return self.api.create_target_group(Name=support.unique("tg"), **fields)["TargetGroups"][0]

    def health(self, arn: str) -> list[tuple]:
        described = self.api.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return [(one["TargetHealth"]["State"], one["TargetHealth"].get("Reason")) for one in described]


class Functions(Groups):
    def setUp(self):
        super().setUp()
        self.group = self.create(TargetType="lambda")
        self.arn = self.group["TargetGroupArn"]
        self.api.register_targets(TargetGroupArn=self.arn, Targets=[{"Id": FUNCTION}])

    def test_a_functions_group_has_no_vpc_and_no_health_checks(self):
        self.assertEqual(("lambda", False), (self.group["TargetType"], self.group["HealthCheckEnabled"]))
        self.assertEqual(set(), {"VpcId", "Port", "Protocol"} & self.group.keys())
        self.assertEqual([("unused", "Target.NotInUse")], self.health(self.arn))
        self.modify(forward((self.old, 1), (self.arn, 0)))
        self.assertEqual([("unavailable", "Target.HealthCheckDisabled")], self.health(self.arn))
        described = self.api.describe_target_health(TargetGroupArn=self.arn)["TargetHealthDescriptions"][0]
        self.assertEqual({"Id": FUNCTION}, described["Target"])

    def test_health_checks_can_be_asked_for(self):
        arn = self.create(TargetType="lambda", HealthCheckEnabled=True)["TargetGroupArn"]
        self.api.register_targets(TargetGroupArn=arn, Targets=[{"Id": FUNCTION}])
        self.modify(forward((arn, 1)))
        self.assertEqual([("healthy", None)], self.health(arn))
        control("target-health", {"target_group_arn": arn, "health": {"*": "unhealthy"}})
        self.assertEqual([("unhealthy", "Target.FailedHealthChecks")], self.health(arn))

    def test_the_longest_delay_is_an_hour(self):
        key = "deregistration_delay.timeout_seconds"
        for seconds in ("3600", "0"):
            attribute = [{"Key": key, "Value": seconds}]
            self.api.modify_target_group_attributes(TargetGroupArn=self.old, Attributes=attribute)
            attributes = self.api.describe_target_group_attributes(TargetGroupArn=self.old)["Attributes"]
            self.assertIn({"Key": key, "Value": seconds}, attributes)

    def test_it_has_one_function_and_nothing_else(self):
        other = [{"Id": FUNCTION + "-2"}]
        self.refused("TooManyTargets", self.api.register_targets, TargetGroupArn=self.arn, Targets=other)
        fresh = self.create(TargetType="lambda")["TargetGroupArn"]
        self.refused("InvalidTarget", self.api.register_targets, TargetGroupArn=fresh, Targets=[{"Id": "10.0.0.1"}])


class Network(Groups):
    def setUp(self):
        super().setUp()
        from local_aws.world.balancing import subnet_ids, vpc_id

        created = self.api.create_load_balancer(Name=support.unique("nlb"), Subnets=subnet_ids(), Type="network")
        self.described, self.vpc = created["LoadBalancers"][0], vpc_id()
        self.network = self.described["LoadBalancerArn"]
        self.blue, self.green = self.tcp(), self.tcp()

    def tcp(self, **fields) -> str:
        fields = {"Protocol": "TCP", "Port": 443, "VpcId": self.vpc, "TargetType": "ip", **fields}
        return self.create(**fields)["TargetGroupArn"]

    def listen(self, actions: list[dict], protocol: str = "TCP", port: int = 443) -> str:
        given = {"LoadBalancerArn": self.network, "Protocol": protocol, "Port": port}
        return self.api.create_listener(**given, DefaultActions=actions)["Listeners"][0]["ListenerArn"]

    def test_it_has_an_arn_and_a_zone_of_its_own(self):
        self.assertIn(":loadbalancer/net/", self.network)
        self.assertEqual(
            ("network", elbv2.NLB_HOSTED_ZONE_ID), (self.described["Type"], self.described["CanonicalHostedZoneId"])
        )
        listener = self.listen(forward((self.blue, 1)))
        self.assertIn(":listener/net/", listener)
        found = self.api.describe_listeners(LoadBalancerArn=self.network)["Listeners"]
        self.assertEqual([("TCP", listener)], [(one["Protocol"], one["ListenerArn"]) for one in found])

    def test_it_takes_weights(self):
        listener = self.listen(forward((self.blue, 100), (self.green, 0)))
        actions = forward((self.blue, 50), (self.green, 50))
        modified = self.api.modify_listener(ListenerArn=listener, DefaultActions=actions)["Listeners"][0]
        groups = modified["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        self.assertEqual([50, 50], [group["Weight"] for group in groups])

    def test_protocols_must_go_together(self):
        udp, both = self.tcp(Protocol="UDP"), self.tcp(Protocol="TCP_UDP")
        for protocol, group in (("TCP", udp), ("UDP", self.blue), ("TCP_UDP", self.blue), ("TCP", self.old)):
            message = self.refused("IncompatibleProtocols", self.listen, forward((group, 1)), protocol)
            self.assertTrue(message.startswith(f"The listener and its associated target group '{group}'"), message)
        self.listen(forward((both, 1)), "TCP", 1)
        self.listen(forward((udp, 1)), "UDP", 2)
        self.refused("ValidationError", self.listen, forward((self.blue, 1)), "HTTP", 3)

    def test_it_only_forwards_to_groups_of_its_kind(self):
        redirect = [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS"}}]
        self.refused("InvalidLoadBalancerAction", self.listen, redirect)
        function = self.create(TargetType="lambda")["TargetGroupArn"]
        self.refused("InvalidConfigurationRequest", self.listen, forward((function, 1)))
        listener = self.listen(forward((self.blue, 1)))
        rule = {"ListenerArn": listener, "Priority": 1, "Conditions": [{"Field": "path-pattern", "Values": ["/"]}]}
        self.refused("InvalidConfigurationRequest", self.api.create_rule, **rule, Actions=forward((self.blue, 1)))

    def test_an_application_load_balancer_can_be_behind_it(self):
        behind = self.create(Protocol="TCP", Port=80, VpcId=self.vpc, TargetType="alb")["TargetGroupArn"]
        self.refused("InvalidTarget", self.api.register_targets, TargetGroupArn=behind, Targets=[{"Id": self.network}])
        self.api.register_targets(TargetGroupArn=behind, Targets=[{"Id": self.balancer}])
        self.listen(forward((self.blue, 1), (behind, 0)))
        self.assertEqual([("healthy", None)], self.health(behind))
        self.refuses("InvalidConfigurationRequest", forward((behind, 1)))

    def test_its_group_belongs_to_it_alone(self):
        self.listen(forward((self.blue, 1)))
        self.network = self.create_network()
        self.refused("TargetGroupAssociationLimit", self.listen, forward((self.blue, 1)))

    def create_network(self) -> str:
        from local_aws.world.balancing import subnet_ids

        created = self.api.create_load_balancer(Name=support.unique("nlb"), Subnets=subnet_ids(), Type="network")
        return created["LoadBalancers"][0]["LoadBalancerArn"]


class Release(Groups):
    def test_a_group_that_was_let_go_is_in_use_for_a_while(self):
        self.addCleanup(control, "rules", {"release_seconds": 0})
        control("rules", {"release_seconds": 6000})
        self.modify(forward((self.new, 1)))
        message = self.refused("ResourceInUse", self.api.delete_target_group, TargetGroupArn=self.old)
        self.assertEqual(f"Target group '{self.old}' is currently in use by a listener or a rule", message)
        described = self.api.describe_target_groups(TargetGroupArns=[self.old])["TargetGroups"][0]
        self.assertEqual([], described.get("LoadBalancerArns", []))
        elbv2_groups._released[self.old] -= 6000 / SPEED  # the server is in this process
        self.api.delete_target_group(TargetGroupArn=self.old)

    def test_one_that_was_never_used_goes_at_once(self):
        self.addCleanup(control, "rules", {"release_seconds": 0})
        control("rules", {"release_seconds": 60})
        self.api.delete_target_group(TargetGroupArn=self.new)


class Tags(Groups):
    OWNERS = {"elbv2.k8s.aws/cluster": "shop", "ingress.k8s.aws/stack": "shop/web", "ingress.k8s.aws/resource": "80"}

    def described(self, arn: str) -> dict:
        tags = self.api.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def test_everything_can_carry_a_controllers_tags(self):
        tags = [{"Key": key, "Value": value} for key, value in self.OWNERS.items()]
        arns = [self.balancer, self.listener, self.create_rule(forward((self.new, 1))), self.old]
        self.api.add_tags(ResourceArns=arns, Tags=tags)
        for arn in arns:
            self.assertEqual(self.OWNERS, self.described(arn))

    def test_the_prefix_of_aws_is_set_by_aws_only(self):
        tags = [{"Key": "aws:cloudformation:stack-name", "Value": "shop"}]
        self.refused("ValidationError", self.api.add_tags, ResourceArns=[self.listener], Tags=tags)
        settings = {"Name": support.unique("tg"), "TargetType": "lambda", "Tags": tags}
        self.refused("ValidationError", self.api.create_target_group, **settings)
        control("tags", {"arn": self.listener, "tags": {"aws:cloudformation:stack-name": "shop"}})
        self.assertEqual({"aws:cloudformation:stack-name": "shop"}, self.described(self.listener))

    def test_what_is_asked_about_must_exist_and_be_few(self):
        gone = self.create_group()
        self.api.delete_target_group(TargetGroupArn=gone)
        self.refused("TargetGroupNotFound", self.api.describe_tags, ResourceArns=[self.old, gone])
        self.refused("ValidationError", self.api.describe_tags, ResourceArns=[self.old] * 21)
