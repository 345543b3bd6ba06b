"""Elastic Load Balancing v2: target groups of every type, the health of their targets, and their end.

Contract: `install(models, speed)`.
- Targets of a group that nothing references are `unused` (Target.NotInUse). Where health checks are off, as they are for functions
  unless asked for, a target is `unavailable` (Target.HealthCheckDisabled). Otherwise the group's tag `localaws:health` says: JSON by
  target id, "*" for the others; without it they are healthy, and a function that is there is asked, as its balancer would ask it.
- A function's group has no VPC, port or protocol, and one target, a function; a group of type `alb` one application load balancer.
- Target stickiness cannot be enabled for a group that stands beside others without group stickiness.
- A group in use cannot be deleted. `set_release(seconds)`: nor for so many stretched seconds after the last listener or rule has let it
  go (AWS: up to two minutes); 0, the default, is at once.
"""

import json
import re
import time

from . import functions_health
from .elbv2_actions import error, group_arns, has_target_stickiness, invalid, references

HEALTH_TAG = "localaws:health"
FUNCTION_ARN = re.compile(r"^arn:[^:]+:lambda:[^:]+:\d+:function:.+$")
BALANCER_ARN = re.compile(r"^arn:[^:]+:elasticloadbalancing:[^:]+:\d+:loadbalancer/app/.+$")
REASONS = {
    "initial": ("Elb.RegistrationInProgress", "Target registration is in progress"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    "unused": ("Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"),
    "unavailable": ("Target.HealthCheckDisabled", "Health checks are not enabled for this target group"),
}

_speed = 1.0
_release_seconds = 0.0
# When a group was let go by the last that referred to it (monotonic clock).
_released: dict[str, float] = {}


def set_speed(speed: float) -> None:
    global _speed
    _speed = speed


def install(models, speed: float) -> None:
    global _speed
    _speed = speed
    _know_what_is_referenced(models)
    _tell_target_health(models.FakeTargetGroup)
    _check_targets(models.ELBv2Backend)
    _check_attributes(models.ELBv2Backend)
    _note_releases(models.ELBv2Backend)


def set_release(seconds: float) -> None:
    global _release_seconds
    _release_seconds = float(seconds)


def forget() -> None:
    set_release(0)
    _released.clear()


# ---- References and the end -----------------------------------------------------------------------------------------


def _know_what_is_referenced(models) -> None:
    """moto only ever adds to a group's list of load balancers."""

    def load_balancer_arns(self):
        return list(references(models.elbv2_backends[self.account_id][self.region_name]).get(self.arn, {}))

    def ignore(self, value):
        pass

    models.FakeTargetGroup.load_balancer_arns = property(load_balancer_arns, ignore)
    models.ELBv2Backend._any_listener_using = lambda self, arn: arn in references(self) or _is_being_released(arn)
    stock = models.ELBv2Backend.delete_target_group

    def delete_target_group(self, target_group_arn):
        if target_group_arn in self.target_groups and self._any_listener_using(target_group_arn):
            text = f"Target group '{target_group_arn}' is currently in use by a listener or a rule"
            raise error("ResourceInUse", text)
        return stock(self, target_group_arn)

    models.ELBv2Backend.delete_target_group = delete_target_group


def _is_being_released(arn: str) -> bool:
    since = _released.get(arn)
    return since is not None and (time.monotonic() - since) * _speed < _release_seconds


def _note_releases(backend_class) -> None:
    def noting(stock):
        def call(self, *args, **kwargs):
            before = set(references(self))
            answer = stock(self, *args, **kwargs)
            for arn in before - set(references(self)):
                _released[arn] = time.monotonic()
            return answer

        return call

    for name in ("modify_listener", "modify_rule", "delete_listener", "delete_rule", "delete_load_balancer"):
        setattr(backend_class, name, noting(getattr(backend_class, name)))


# ---- Targets --------------------------------------------------------------------------------------------------------


def _tell_target_health(group_class) -> None:
    stock = group_class.health_for

    def health_for(self, target, ec2_backend):
        health = stock(self, target, ec2_backend)
        if self.target_type == "lambda":
            health.port = None
        if health.status == "healthy":
            health.status = _told_health(self, target["Id"])
            health.reason, health.description = REASONS.get(health.status, (None, None))
        return health

    group_class.health_for = health_for


def _told_health(group, target_id: str) -> str:
    return health_in_use(group, target_id) if group.load_balancer_arns else "unused"


def health_in_use(group, target_id: str) -> str:
    """Of a registered target, if something refers to its group."""
    from moto.elbv2.models import elbv2_backends

    if not group.health_check_enabled:
        return "unavailable"
    tagging = elbv2_backends[group.account_id][group.region_name].tagging_service
    told = json.loads(tagging.get_tag_dict_for_resource(group.arn).get(HEALTH_TAG) or "{}")
    if group.target_type == "lambda" and not told:
        return functions_health.of(group, target_id)
    return told.get(target_id) or told.get("*") or "healthy"


def _check_targets(backend_class) -> None:
    """moto registers anything anywhere."""
    stock = backend_class.register_targets

    def register_targets(self, target_group_arn, instances):
        group = self.target_groups.get(target_group_arn)
        if group is not None:
            _check_new_targets(self, group, instances)
        stock(self, target_group_arn, instances)

    backend_class.register_targets = register_targets


def _check_new_targets(backend, group, targets: list[dict]) -> None:
    ids = [target["Id"] for target in targets]
    if group.target_type in ("lambda", "alb") and len({*group.targets, *ids}) > 1:
        raise error("TooManyTargets", f"Target groups with target type '{group.target_type}' can have one target only")
    for target_id in ids:
        if group.target_type == "lambda" and not FUNCTION_ARN.match(target_id):
            raise error("InvalidTarget", f"The target '{target_id}' is not a Lambda function ARN")
        if group.target_type == "alb":
            _check_balancer_target(backend, group, target_id)


def _check_balancer_target(backend, group, target_id: str) -> None:
    balancer = backend.load_balancers.get(target_id)
    if balancer is None or not BALANCER_ARN.match(target_id):
        raise error("InvalidTarget", f"The target '{target_id}' is not an Application Load Balancer")
    if int(group.port) not in [int(listener.port) for listener in balancer.listeners.values()]:
        text = (
            f"The Application Load Balancer '{target_id}' has no listener on the port of the target group, {group.port}"
        )
        raise error("InvalidTarget", text)


# ---- Attributes -----------------------------------------------------------------------------------------------------


DELAY = "deregistration_delay.timeout_seconds"
LONGEST_DELAY = "3600"


def _check_attributes(backend_class) -> None:
    stock = backend_class.modify_target_group_attributes

    def modify_target_group_attributes(self, target_group_arn, attributes):
        group = self.target_groups.get(target_group_arn)
        wanted = str(attributes.get("stickiness.enabled", "")).lower() == "true"
        if group is not None and wanted and not has_target_stickiness(group):
            _check_group_stickiness(self, group)
        if group is not None and group.target_type == "lambda" and wanted:
            raise invalid("Stickiness is not supported by target groups with target type 'lambda'")
        # moto refuses the longest delay that there is.
        longest = str(attributes.get(DELAY)) == LONGEST_DELAY
        stock(self, target_group_arn, {**attributes, **({DELAY: "3599"} if longest else {})})
        if longest:
            group.attributes[DELAY] = LONGEST_DELAY

    backend_class.modify_target_group_attributes = modify_target_group_attributes


def _check_group_stickiness(backend, group) -> None:
    if not (group.protocol or "").startswith("HTTP"):
        return
    for balancer in list(backend.load_balancers.values()):
        for listener in list(balancer.listeners.values()):
            for rule in list(listener.rules.values()):
                if _stands_beside_others(rule, group.arn):
                    text = f"This target group appears behind a rule with group stickiness disabled ({rule.arn}). "
                    text += "You must enable group stickiness before enabling target stickiness"
                    raise error("InvalidConfigurationRequest", text)


def _stands_beside_others(rule, arn: str) -> bool:
    for action in rule.actions:
        arns = group_arns([action])
        config = (action.data.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
        if arn in arns and len(arns) > 1 and str(config.get("Enabled")).lower() != "true":
            return True
    return False
