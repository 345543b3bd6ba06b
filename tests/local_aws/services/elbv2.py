"""Elastic Load Balancing v2: actions as strict as AWS, groups and health that can be told, network load balancers.

Contract: `install(speed)`.
- Actions of listeners and rules are checked before they are stored (elbv2_actions.py), and described as they were sent, with what AWS
  fills in; an OIDC client secret is never described. ModifyListener and ModifyRule keep what is not sent.
- Groups, targets, their health and their end: elbv2_groups.py.
- A network load balancer has an ARN (`net/`), a DNS name, a zone and listener protocols of its own, and forwards by weights. One that is
  dual-stack has rules, by the clients' kind of address; others have none.
- Tags: the prefix `aws:` is AWS's own, and refused; `tag` (the control API) sets it as a stack would. What a request to describe tags
  names must exist.
"""

import json

from . import elbv2_actions, elbv2_groups
from .elbv2_actions import error, invalid
from .elbv2_groups import HEALTH_TAG

__all__ = ["ALB_HOSTED_ZONE_ID", "HEALTH_TAG", "NLB_HOSTED_ZONE_ID", "install", "load_balancers", "set_target_health", "tag", "target_group"]

# The zones of every load balancer in eu-west-1, which alias records name.
ALB_HOSTED_ZONE_ID = "Z32O12XQLNTSW2"
NLB_HOSTED_ZONE_ID = "Z2IFOLAFXWLO4F"
TAGS_LIMIT = 50
DESCRIBED_LIMIT = 20


def backends() -> list:
    """Of every account and region in which there is anything."""
    from moto.elbv2.models import elbv2_backends

    return [backend for regions in list(elbv2_backends.values()) for backend in list(regions.values())]


def load_balancers() -> list:
    return [one for backend in backends() for one in list(backend.load_balancers.values())]


def target_group(arn: str):
    """Wherever it is."""
    return next((backend.target_groups[arn] for backend in backends() if arn in backend.target_groups), None)


def _holder(arn: str):
    """The backend of the account and region of an ARN."""
    from moto.elbv2.models import elbv2_backends

    account, region = arn.split(":")[4], arn.split(":")[3]
    return elbv2_backends[account][region]


def set_target_health(target_group_arn: str, health: dict[str, str]) -> None:
    """`health` by target id, "*" for all others: healthy, unhealthy, initial, draining."""
    if target_group(target_group_arn) is None:
        raise KeyError(f"no target group {target_group_arn}")
    tag(target_group_arn, {HEALTH_TAG: json.dumps(health)})


def tag(arn: str, tags: dict[str, str]) -> None:
    """As AWS itself tags what is part of a stack: the API refuses the prefix `aws:`."""
    _holder(arn)._get_resource_by_arn(arn)
    _holder(arn).tagging_service.tag_resource(arn, [{"Key": key, "Value": value} for key, value in tags.items()])


def install(speed: float) -> None:
    from moto.elbv2 import models

    _check_actions(models.ELBv2Backend)
    elbv2_groups.install(models, speed)
    _sort_rules(models.FakeListener)
    _know_network_balancers(models)
    _check_tags(models.ELBv2Backend)


# ---- Actions --------------------------------------------------------------------------------------------------------


def _check_actions(backend_class) -> None:
    create_listener, modify_listener = backend_class.create_listener, backend_class.modify_listener
    create_rule, modify_rule = backend_class.create_rule, backend_class.modify_rule

    def checked_create_listener(self, load_balancer_arn, protocol, *args, actions, **kwargs):
        balancer = self.load_balancers.get(load_balancer_arn)
        if balancer is not None:
            self._validate_port_and_protocol(balancer.type, args[0] if args else kwargs.get("port"), protocol)
        actions = elbv2_actions.checked(self, load_balancer_arn, protocol, actions, [])
        return create_listener(self, load_balancer_arn, protocol, *args, actions=actions, **kwargs)

    def checked_modify_listener(self, arn, port, protocol, ssl_policy, certificates, actions):
        listener = self.describe_listeners(None, [arn])[0]
        balancer = self.load_balancers[listener.load_balancer_arn]
        if protocol:
            self._validate_port_and_protocol(balancer.type, port or listener.port, protocol)
        if actions:
            wanted = protocol or listener.protocol
            actions = elbv2_actions.checked(self, balancer.arn, wanted, actions, listener.default_actions)
        changed = modify_listener(
            self, arn, port, None if balancer.type == "network" else protocol, ssl_policy, certificates, actions
        )
        changed.protocol = protocol or changed.protocol  # moto knows three protocols here
        return changed

    def checked_create_rule(self, listener_arn, conditions, priority, actions, tags=None):
        listener = self.describe_listeners(None, [listener_arn])[0]
        balancer = self.load_balancers[listener.load_balancer_arn]
        if balancer.type != "application" and balancer.ip_address_type != "dualstack":
            text = f"Rules are not supported for listeners with the protocol '{listener.protocol}'"
            raise error("InvalidConfigurationRequest", text)
        by_address = [_address_kind(condition) is not None for condition in conditions]
        if any(by_address) if balancer.type == "application" else not all(by_address):
            text = "Rules of Network Load Balancers match on the IP address type of the source, and those of others do not"
            raise error("InvalidConfigurationRequest", text)
        actions = elbv2_actions.checked(self, listener.load_balancer_arn, listener.protocol, actions, [])
        return create_rule(self, listener_arn, conditions, priority, actions, tags)

    def checked_modify_rule(self, rule_arn, conditions, actions):
        rule = self.describe_rules(listener_arn=None, rule_arns=[rule_arn])[0]
        if rule.is_default:
            raise error("OperationNotPermitted", f"Default rule '{rule_arn}' cannot be modified")
        if actions:
            listener = self.describe_listeners(None, [rule.listener_arn])[0]
            actions = elbv2_actions.checked(self, listener.load_balancer_arn, listener.protocol, actions, rule.actions)
        return modify_rule(self, rule_arn, conditions, actions)

    def validate_source_ip(self, condition):
        if _address_kind(condition) is None:
            stock_source_ip(self, condition)

    stock_source_ip = backend_class._validate_source_ip_condition
    backend_class._validate_source_ip_condition = validate_source_ip
    backend_class.create_listener, backend_class.modify_listener = checked_create_listener, checked_modify_listener
    backend_class.create_rule, backend_class.modify_rule = checked_create_rule, checked_modify_rule


def _address_kind(condition: dict) -> str | None:
    """The kind of addresses that a rule of a network load balancer matches."""
    kind = condition.get("SourceIpConfig", {}).get("IpAddressType")
    return kind if kind in ("ipv4", "ipv6") else None


def _sort_rules(listener_class) -> None:
    """DescribeRules answers by priority, the default rule last; moto in order of creation."""

    def rules(self):
        by_priority = sorted(self._non_default_rules.items(), key=lambda item: int(item[1].priority))
        default = self._default_rule[0]
        return {**dict(by_priority), default.arn: default}

    listener_class.rules = property(rules)


# ---- Load balancers and tags ----------------------------------------------------------------------------------------


def _know_network_balancers(models) -> None:
    """moto's all have the ARN of an application load balancer, and a zone of nobody's."""
    stock = models.FakeLoadBalancer.__init__
    create = models.ELBv2Backend.create_load_balancer

    def init(self, *args, **kwargs):
        stock(self, *args, **kwargs)
        self.canonical_hosted_zone_id = NLB_HOSTED_ZONE_ID if self.type == "network" else ALB_HOSTED_ZONE_ID

    def create_load_balancer(self, *args, tags=None, **kwargs):
        _refuse_reserved(tags)
        created = create(self, *args, **kwargs)
        if created.type == "network":
            del self.load_balancers[created.arn]
            created.arn = created.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
            created.dns_name = f"{created.name}-{created.arn.rpartition('/')[2]}.elb.{self.region_name}.amazonaws.com"
            self.load_balancers[created.arn] = created
        self.tagging_service.tag_resource(created.arn, tags)
        return created

    models.FakeLoadBalancer.__init__ = init
    models.ELBv2Backend.create_load_balancer = create_load_balancer


def _refuse_reserved(tags: list[dict] | None) -> None:
    for one in tags or []:
        if one["Key"].lower().startswith("aws:"):
            raise invalid("Tag keys starting with 'aws:' are reserved for system use")


def _check_tags(backend_class) -> None:
    """moto takes ten at most, any prefix, and describes what is not there."""

    def add_tags(self, resource_arns, tags):
        _refuse_reserved(tags)
        for arn in resource_arns:
            self._get_resource_by_arn(arn)
            names = {*self.tagging_service.get_tag_dict_for_resource(arn), *(one["Key"] for one in tags)}
            if sum(not name.startswith("aws:") for name in names) > TAGS_LIMIT:
                raise error("TooManyTags", f"The limit of {TAGS_LIMIT} tags for '{arn}' is exceeded")
        for arn in resource_arns:
            self.tagging_service.tag_resource(arn, tags)

    def describe_tags(self, resource_arns):
        if len(resource_arns) > DESCRIBED_LIMIT:
            raise invalid(f"The number of resource ARNs cannot exceed {DESCRIBED_LIMIT}")
        for arn in resource_arns:
            self._get_resource_by_arn(arn)
        return {arn: self.tagging_service.get_tag_dict_for_resource(arn) for arn in resource_arns}

    backend_class.add_tags, backend_class.describe_tags = add_tags, describe_tags
    for name in ("create_listener", "create_target_group", "create_rule"):
        setattr(backend_class, name, _checking_tags(getattr(backend_class, name)))


def _checking_tags(stock):
    def call(self, *args, **kwargs):
        _refuse_reserved(kwargs.get("tags"))
        return stock(self, *args, **kwargs)

    return call
