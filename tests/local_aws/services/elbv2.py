"""Elastic Load Balancing v2: actions as strict as AWS, and target health that can be told.

Contract: `install()`.
- Actions of listeners and rules are checked before they are stored, and described as they were sent, with what AWS fills
  in; an OIDC client secret is never described. ModifyListener and ModifyRule keep what is not sent.
- Targets of a group that nothing references are `unused` (Target.NotInUse). Otherwise the group's tag `localaws:health` says:
  JSON by target id, "*" for the others; without it they are healthy.
- A target group serves one load balancer, and cannot be deleted while anything references it.
"""

import json

from ..settings import ACCOUNT_ID, REGION

HEALTH_TAG = "localaws:health"
# The zone of every application load balancer in eu-west-1, which alias records name.
ALB_HOSTED_ZONE_ID = "Z32O12XQLNTSW2"
GROUPS_LIMIT = 5
REASONS = {
    "initial": ("Elb.RegistrationInProgress", "Target registration is in progress"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    "unused": ("Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"),
}
OIDC_DEFAULTS = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}


def backend():
    from moto.elbv2.models import elbv2_backends

    return elbv2_backends[ACCOUNT_ID][REGION]


def set_target_health(target_group_arn: str, health: dict[str, str]) -> None:
    """`health` by target id, "*" for all others: healthy, unhealthy, initial, draining."""
    if target_group_arn not in backend().target_groups:
        raise KeyError(f"no target group {target_group_arn}")
    tag = {"Key": HEALTH_TAG, "Value": json.dumps(health)}
    backend().tagging_service.tag_resource(target_group_arn, [tag])


def install() -> None:
    from moto.elbv2 import models

    _check_actions(models.ELBv2Backend)
    _know_what_is_referenced(models)
    _tell_target_health(models.FakeTargetGroup)
    _sort_rules(models.FakeListener)
    stock = models.FakeLoadBalancer.__init__

    def init(self, *args, **kwargs):
        stock(self, *args, **kwargs)
        self.canonical_hosted_zone_id = ALB_HOSTED_ZONE_ID

    models.FakeLoadBalancer.__init__ = init


def _error(code: str, message: str) -> Exception:
    from moto.elbv2.exceptions import ELBClientError

    return ELBClientError(code, message)


def _invalid(message: str) -> Exception:
    return _error("ValidationError", message)


# ---- Actions --------------------------------------------------------------------------------------------------------


def _check_actions(backend_class) -> None:
    """moto's ModifyListener checks nothing at all, the others only that target groups exist."""
    create_listener, modify_listener = backend_class.create_listener, backend_class.modify_listener
    create_rule, modify_rule = backend_class.create_rule, backend_class.modify_rule

    def checked_create_listener(self, load_balancer_arn, *args, actions, **kwargs):
        actions = _checked(self, load_balancer_arn, actions, [])
        return create_listener(self, load_balancer_arn, *args, actions=actions, **kwargs)

    def checked_modify_listener(self, arn, port, protocol, ssl_policy, certificates, actions):
        listener = self.describe_listeners(None, [arn])[0]
        if actions:
            actions = _checked(self, listener.load_balancer_arn, actions, listener.default_actions)
        return modify_listener(self, arn, port, protocol, ssl_policy, certificates, actions)

    def checked_create_rule(self, listener_arn, conditions, priority, actions, tags=None):
        listener = self.describe_listeners(None, [listener_arn])[0]
        actions = _checked(self, listener.load_balancer_arn, actions, [])
        return create_rule(self, listener_arn, conditions, priority, actions, tags)

    def checked_modify_rule(self, rule_arn, conditions, actions):
        rule = self.describe_rules(listener_arn=None, rule_arns=[rule_arn])[0]
        if rule.is_default:
            raise _error("OperationNotPermitted", f"Default rule '{rule_arn}' cannot be modified")
        if actions:
            listener = self.describe_listeners(None, [rule.listener_arn])[0]
            actions = _checked(self, listener.load_balancer_arn, actions, rule.actions)
        return modify_rule(self, rule_arn, conditions, actions)

    backend_class.create_listener, backend_class.modify_listener = checked_create_listener, checked_modify_listener
    backend_class.create_rule, backend_class.modify_rule = checked_create_rule, checked_modify_rule


def _checked(backend_, load_balancer_arn: str, actions: list[dict], stored: list) -> list[dict]:
    _check_order(actions)
    had_secret = any(action.type == "authenticate-oidc" for action in stored)
    checked = []
    for action in actions:
        if action["Type"] == "forward":
            action = _checked_forward(backend_, load_balancer_arn, action)
        elif action["Type"] == "authenticate-oidc":
            action = _checked_oidc(action, had_secret)
        checked.append(action)
    return checked


def _check_order(actions: list[dict]) -> None:
    orders = [action.get("Order") for action in actions]
    if len(actions) > 1 and (None in orders or len(set(orders)) != len(orders)):
        raise _invalid("Each of several actions needs an Order of its own")
    last = max(actions, key=lambda action: action.get("Order") or 0)
    if last["Type"].startswith("authenticate"):
        raise _error("InvalidLoadBalancerAction", "The last action must be forward, redirect or fixed-response")


def _checked_forward(backend_, load_balancer_arn: str, action: dict) -> dict:
    """A single group is described both ways, however it was sent."""
    config = dict(action.get("ForwardConfig") or {})
    alone = action.get("TargetGroupArn")
    groups = [dict(group) for group in config.get("TargetGroups") or []] or [{"TargetGroupArn": alone}]
    arns = [group.get("TargetGroupArn") for group in groups]
    if alone and arns != [alone]:
        raise _invalid("TargetGroupArn and ForwardConfig must name the same single target group")
    if len(groups) > GROUPS_LIMIT:
        raise _error("TooManyTargetGroups", f"A forward action may have {GROUPS_LIMIT} target groups at most")
    if len(set(arns)) != len(arns):
        raise _invalid("A target group may appear once in a forward action")
    for group in groups:
        group.setdefault("Weight", 1)
        if not 0 <= int(group["Weight"]) <= 999:
            raise _invalid(f"The target group weight {group['Weight']} is not between 0 and 999")
        _check_group(backend_, load_balancer_arn, group["TargetGroupArn"])
    stickiness = config.get("TargetGroupStickinessConfig") or {"Enabled": False}
    if stickiness.get("Enabled") and not 1 <= int(stickiness.get("DurationSeconds") or 0) <= 604800:
        raise _invalid("Target group stickiness needs DurationSeconds between 1 and 604800")
    forward = {**action, "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}}
    if len(groups) == 1:
        forward["TargetGroupArn"] = arns[0]
    return forward


def _check_group(backend_, load_balancer_arn: str, arn: str) -> None:
    group = backend_.target_groups.get(arn)
    if group is None:
        raise _error("TargetGroupNotFound", f"Target groups '{arn}' not found")
    balancer = backend_.load_balancers.get(load_balancer_arn)
    is_http = group.target_type == "lambda" or (group.protocol or "").startswith("HTTP")
    if balancer and is_http != (balancer.type == "application"):
        raise _error("InvalidConfigurationRequest", f"'{arn}' has a protocol that this load balancer does not forward")
    if any(used != load_balancer_arn for used in references(backend_).get(arn, {})):
        raise _error("TargetGroupAssociationLimit", f"'{arn}' is already associated with another load balancer")


def _checked_oidc(action: dict, had_secret: bool) -> dict:
    """The secret is taken and never shown again."""
    config = dict(action.get("AuthenticateOidcConfig") or {})
    reuse = str(config.pop("UseExistingClientSecret", "")).lower() == "true"
    secret = config.pop("ClientSecret", None)
    if reuse and (secret or not had_secret):
        raise _invalid("UseExistingClientSecret needs an existing secret, and no ClientSecret beside it")
    if not reuse and not secret:
        raise _invalid("A client secret must be specified unless UseExistingClientSecret is true")
    return {**action, "AuthenticateOidcConfig": {**OIDC_DEFAULTS, **config}}


# ---- References and health ------------------------------------------------------------------------------------------


def references(backend_) -> dict[str, dict[str, bool]]:
    """By target group ARN: the ARNs of the load balancers that forward to it, at any weight."""
    found: dict[str, dict[str, bool]] = {}
    for balancer in list(backend_.load_balancers.values()):
        for listener in list(balancer.listeners.values()):
            for rule in list(listener.rules.values()):
                for arn in group_arns(rule.actions):
                    found.setdefault(arn, {})[balancer.arn] = True
    return found


def group_arns(actions: list) -> list[str]:
    arns = []
    for action in actions:
        groups = (action.data.get("ForwardConfig") or {}).get("TargetGroups") or []
        arns += [group["TargetGroupArn"] for group in groups]
    return arns


def _know_what_is_referenced(models) -> None:
    """moto only ever adds to a group's list of load balancers."""

    def load_balancer_arns(self):
        return list(references(models.elbv2_backends[self.account_id][self.region_name]).get(self.arn, {}))

    def ignore(self, value):
        pass

    models.FakeTargetGroup.load_balancer_arns = property(load_balancer_arns, ignore)
    models.ELBv2Backend._any_listener_using = lambda self, arn: arn in references(self)


def _tell_target_health(group_class) -> None:
    stock = group_class.health_for

    def health_for(self, target, ec2_backend):
        health = stock(self, target, ec2_backend)
        if health.status == "healthy":
            health.status = _told_health(self, target["Id"])
            health.reason, health.description = REASONS.get(health.status, (None, None))
        return health

    group_class.health_for = health_for


def _told_health(group, target_id: str) -> str:
    if not group.load_balancer_arns:
        return "unused"
    tags = backend().tagging_service.get_tag_dict_for_resource(group.arn)
    told = json.loads(tags.get(HEALTH_TAG) or "{}")
    return told.get(target_id) or told.get("*") or "healthy"


def _sort_rules(listener_class) -> None:
    """DescribeRules answers by priority, the default rule last; moto in order of creation."""

    def rules(self):
        by_priority = sorted(self._non_default_rules.items(), key=lambda item: int(item[1].priority))
        default = self._default_rule[0]
        return {**dict(by_priority), default.arn: default}

    listener_class.rules = property(rules)
