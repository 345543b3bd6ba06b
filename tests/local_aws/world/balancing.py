"""A world's load balancers, listeners, rules and target groups.

Contract: what a plan's listener routes name, and whatever else it mentions by ARN or by a metric's dimension; application and network
load balancers, and groups of every type, as the ARNs and the world file say. The old group is attached and healthy, the new one is
not attached yet; neighbours share the action with the old one.
"""

import itertools
import re

from ..clients import HOME, client
from ..services import elbv2
from ..settings import ACCOUNT_ID, REGION
from .environment import Environment, side_of, text

BALANCER = re.compile(r"((?:app|net)/([^/]+)/[^/]+)")
LISTENER_ARN = re.compile(r"^arn:aws:elasticloadbalancing:[^:]*:[^:]*:listener/((?:app|net)/[^/]+/[^/]+)/[^/]+$")
RULE_ARN = re.compile(r"^arn:aws:elasticloadbalancing:[^:]*:[^:]*:listener-rule/(app/[^/]+/[^/]+)/([^/]+)/[^/]+$")
GROUP_ARN = re.compile(r"^arn:aws:elasticloadbalancing:[^:]*:[^:]*:(targetgroup/([^/]+)/[^/]+)$")
BALANCER_DIMENSION = re.compile(r"^(?:app|net)/[^/]+/[^/]+$")
NETWORK = "net/"

TARGETS_PER_GROUP = 3
AUTHENTICATION = {
    "oidc": {
        "Type": "authenticate-oidc",
        "AuthenticateOidcConfig": {
            "Issuer": "https://login.example.com",
            "AuthorizationEndpoint": "https://login.example.com/authorize",
            "TokenEndpoint": "https://login.example.com/token",
            "UserInfoEndpoint": "https://login.example.com/userinfo",
            "ClientId": "portal",
            "ClientSecret": "a secret that is never described",
        },
    },
    "cognito": {
        "Type": "authenticate-cognito",
        "AuthenticateCognitoConfig": {
            "UserPoolArn": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_portal",
            "UserPoolClientId": "portal",
            "UserPoolDomain": "portal",
        },
    },
}


class Balancing:
    def __init__(self, environment: Environment):
        self.environment = environment
        self._world = environment.world
        self._mapping = environment.mapping
        self._sides = environment.sides
        self._ports = environment.ports
        self._free_ports = itertools.count(80)
        self._priorities = itertools.count(1)
        self._networks = itertools.count(environment.number * 16)
        self._places = {}  # of the plan's dimensions app/<name>/<id>, as far as an ARN tells
        for mention in environment.strings():
            found = LISTENER_ARN.match(mention) or RULE_ARN.match(mention)
            if found:
                self._places[found[1]] = environment.place(mention)
        self._balancers: dict[str, dict] = {}  # by the plan's dimension app/<name>/<id>
        self._listeners: dict[str, str] = {}  # by the plan's listener: the created one
        self._behind: dict[str, dict] = {}  # by the plan's target group: its load balancer

    def create_route(self, route: dict) -> dict:
        planned = text(route.get("listener_arn")) or text(route.get("rule_arn"))
        found = LISTENER_ARN.match(planned) or RULE_ARN.match(planned)
        if not found:
            return {}
        balancer = self._balancer(found[1])
        setup = self._world.get("listeners", {}).get(planned, {})
        old = self._group(text(route.get("old_target_group_arn")), "old", found[1])
        new = self._group(text(route.get("new_target_group_arn")), "new", found[1])
        if planned not in self._mapping and old:
            actions = self._actions(setup, old, found[1].startswith(NETWORK), balancer["at"])
            if LISTENER_ARN.match(planned):
                self._create_listener(planned, balancer, actions, setup.get("protocol"))
            else:
                self._create_rule(planned, balancer, found[2], actions)
            self._tag(self._mapping[planned], setup.get("tags", {}))
        return {
            "type": "listener",
            "arn": self._mapping.get(planned),
            "load_balancer": balancer["dimension"],
            "old_target_group_arn": old,
            "new_target_group_arn": new,
        }

    def _balancer(self, planned: str) -> dict:
        """The load balancer for the plan's `app/<name>/<id>`."""
        if planned not in self._balancers:
            name = self.environment.name(planned.split("/")[1])
            kind = "network" if planned.startswith(NETWORK) else "application"
            place = self._places.get(planned, HOME)
            made = client("elbv2", at=place).create_load_balancer(Name=name, Subnets=subnet_ids(place), Type=kind)
            created = made["LoadBalancers"][0]
            dimension = BALANCER.search(created["LoadBalancerArn"])[1]
            self._balancers[planned] = {"arn": created["LoadBalancerArn"], "dimension": dimension, "at": place}
            self._mapping[planned] = dimension
            for mention in self.environment.strings():
                if mention.endswith(f":loadbalancer/{planned}"):
                    self._mapping[mention] = created["LoadBalancerArn"]
        return self._balancers[planned]

    def _group(self, planned: str, side: str, balancer: str) -> str | None:
        """`balancer` is the plan's dimension of the one that it is behind."""
        found = GROUP_ARN.match(planned)
        if not found:
            return None
        self._behind[planned] = self._balancer(balancer)
        if planned not in self._mapping:
            setup = self._world.get("groups", {}).get(planned, {})
            place = self._places.get(balancer, self.environment.place(planned))
            arn = self._create_group(found[2], side, balancer.startswith(NETWORK), setup, place)
            self._mapping[planned] = arn
            self._mapping[found[1]] = arn.rpartition(":")[2]
        return self._mapping[planned]

    def _create_group(self, name: str, side: str, is_network: bool = False, setup: dict | None = None, place=HOME) -> str:
        elb, setup = client("elbv2", at=place), setup or {}
        port = self._ports["new" if side == "new" else "old"]
        kind = setup.get("target_type", "ip")
        settings = {"Name": self.environment.name(name), "TargetType": kind}
        if kind != "lambda":
            protocol = setup.get("protocol", "TCP" if is_network else "HTTP")
            settings |= {"Protocol": protocol, "Port": port, "VpcId": vpc_id(place)}
        if kind != "lambda" and not is_network:
            settings["HealthCheckPath"] = "/health"
        if "health_checks" in setup:
            settings["HealthCheckEnabled"] = setup["health_checks"]
        arn = elb.create_target_group(**settings)["TargetGroups"][0]["TargetGroupArn"]
        elb.register_targets(TargetGroupArn=arn, Targets=self._targets(kind, settings["Name"], port))
        if setup.get("stickiness"):
            attribute = {"Key": "stickiness.enabled", "Value": "true"}
            elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[attribute])
        self._tag(arn, setup.get("tags", {}))
        self._sides[side]["target_groups"].append(arn)
        return arn

    def _targets(self, kind: str, name: str, port: int) -> list[dict]:
        if kind == "lambda":
            return [{"Id": f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}"}]
        if kind == "alb":
            return [{"Id": self._balancer_as_target(name, port), "Port": port}]
        number = next(self._networks)
        hosts = range(10, 10 + TARGETS_PER_GROUP)
        if kind == "instance":
            return [{"Id": f"i-{number:013x}{host:04x}", "Port": port} for host in hosts]
        return [{"Id": f"10.{number // 256 % 256}.{number % 256}.{host}", "Port": port} for host in hosts]

    def _balancer_as_target(self, name: str, port: int) -> str:
        """An application load balancer with a listener on the group's port, as AWS wants it."""
        given = {"Name": self.environment.name(f"alb-{name}"), "Subnets": subnet_ids()}
        arn = client("elbv2").create_load_balancer(**given)["LoadBalancers"][0]["LoadBalancerArn"]
        answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
        client("elbv2").create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=port, DefaultActions=answer)
        return arn

    def _actions(self, setup: dict, old: str, is_network: bool, place: tuple[str, str]) -> list[dict]:
        groups = [{"TargetGroupArn": old, "Weight": setup.get("old_weight", 1)}]
        for neighbour in setup.get("neighbours", []):
            arn = self._create_group(neighbour["name"], "other", is_network, place=place)
            groups.append({"TargetGroupArn": arn, "Weight": neighbour["weight"]})
        config = {"TargetGroups": groups}
        if "stickiness_seconds" in setup:
            seconds = setup["stickiness_seconds"]
            config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": seconds}
        actions = [{"Type": "forward", "ForwardConfig": config}]
        if "authenticate" in setup:
            actions.insert(0, AUTHENTICATION[setup["authenticate"]])
            return [{**action, "Order": order} for order, action in enumerate(actions, 1)]
        return actions

    def _create_listener(self, planned: str, balancer: dict, actions: list[dict], protocol: str | None = None) -> None:
        protocol = protocol or ("TCP" if balancer["dimension"].startswith(NETWORK) else "HTTP")
        created = client("elbv2", at=balancer["at"]).create_listener(
            LoadBalancerArn=balancer["arn"], Protocol=protocol, Port=next(self._free_ports), DefaultActions=actions
        )["Listeners"][0]["ListenerArn"]
        self._mapping[planned] = self._listeners[planned] = created

    def _create_rule(self, planned: str, balancer: dict, listener_id: str, actions: list[dict]) -> None:
        listener = planned.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        if listener not in self._listeners:
            not_found = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
            self._create_listener(listener, balancer, [not_found])
        number = next(self._priorities)
        self._mapping[planned] = client("elbv2", at=balancer["at"]).create_rule(
            ListenerArn=self._listeners[listener],
            Priority=number,
            Conditions=[{"Field": "path-pattern", "Values": [f"/app{number}*"]}],
            Actions=actions,
        )["Rules"][0]["RuleArn"]

    def _tag(self, arn: str, tags: dict) -> None:
        # Not over the API, which refuses the aws: prefix that tells of a stack.
        elbv2.tag(arn, tags)

    def create_mentioned_balancers(self) -> None:
        """Those that only a metric's dimension names: their name tells their side."""
        for mention in self.environment.strings():
            if BALANCER_DIMENSION.match(mention) and mention not in self._balancers:
                side = side_of(mention.split("/")[1])
                self._sides[side]["load_balancers"].append(self._balancer(mention)["dimension"])

    def create_mentioned_groups(self) -> None:
        """Those that are watched but not on a route: behind a load balancer of their own, hence health-checked."""
        for mention in self.environment.strings():
            found = GROUP_ARN.match(mention)
            if found and mention not in self._mapping:
                watched = f"app/{found[2]}/watched"
                group = self._group(mention, side_of(found[2]), watched)
                balancer = self._balancer(watched)
                forward = {"Type": "forward", "TargetGroupArn": group}
                self._create_listener(f"listener of {mention}", balancer, [forward])

    def create_also_forwarding(self) -> None:
        """Second listeners, which nobody's plan names."""
        for planned in self._world.get("also_forwarding", []):
            forward = {"Type": "forward", "TargetGroupArn": self._mapping[planned]}
            self._create_listener(f"another listener of {planned}", self._behind[planned], [forward])


def vpc_id(place: tuple[str, str] = HOME) -> str:
    return _ec2(place).describe_vpcs(filters={"is-default": "true"})[0].id


def subnet_ids(place: tuple[str, str] = HOME) -> list[str]:
    return sorted(subnet.id for subnet in _ec2(place).get_default_subnets().values())[:2]


def _ec2(place: tuple[str, str]):
    """The backend itself: boto3's client for EC2 takes half a second to build."""
    from moto.ec2.models import ec2_backends

    account, region = place
    return ec2_backends[account][region]
