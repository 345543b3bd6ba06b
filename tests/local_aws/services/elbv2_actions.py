"""Elastic Load Balancing v2: what AWS accepts as the actions of a listener or a rule, and how it describes them.

Contract: `checked(backend, load_balancer_arn, protocol, actions, stored)` answers the actions as they are stored, with what AWS fills in,
or raises the error that AWS answers. `protocol` is the listener's, `stored` the actions that are there now. Stock moto's ModifyListener
checks nothing at all, the others only that target groups exist.
Codes and texts are those that people report: `TargetGroupAssociationLimit`, `IncompatibleProtocols`, and that group stickiness
is wanted where a group among several has target stickiness.
"""

GROUPS_LIMIT = 5
OIDC_DEFAULTS = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}
# Which protocols of groups a listener's protocol can forward to.
COMPATIBLE = {
    "HTTP": {"HTTP", "HTTPS"},
    "HTTPS": {"HTTP", "HTTPS"},
    "TCP": {"TCP", "TCP_UDP"},
    "TLS": {"TCP", "TLS"},
    "UDP": {"UDP", "TCP_UDP"},
    "TCP_UDP": {"TCP_UDP"},
}


def error(code: str, message: str) -> Exception:
    from moto.elbv2.exceptions import ELBClientError

    return ELBClientError(code, message)


def invalid(message: str) -> Exception:
    return error("ValidationError", message)


def references(backend) -> dict[str, dict[str, bool]]:
    """By target group ARN: the ARNs of the load balancers that forward to it, at any weight."""
    found: dict[str, dict[str, bool]] = {}
    for balancer in list(backend.load_balancers.values()):
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


def has_target_stickiness(group) -> bool:
    return str(group.attributes.get("stickiness.enabled")).lower() == "true"


def checked(backend, load_balancer_arn: str, protocol: str, actions: list[dict], stored: list) -> list[dict]:
    _check_order(actions)
    _check_kinds(backend, load_balancer_arn, actions)
    _check_versions(backend, actions)
    had_secret = any(action.type == "authenticate-oidc" for action in stored)
    found = []
    for action in actions:
        if action["Type"] == "forward":
            action = _checked_forward(backend, load_balancer_arn, protocol, action)
        elif action["Type"] == "authenticate-oidc":
            action = _checked_oidc(action, had_secret)
        found.append(action)
    return found


def _check_order(actions: list[dict]) -> None:
    orders = [action.get("Order") for action in actions]
    if len(actions) > 1 and (None in orders or len(set(orders)) != len(orders)):
        raise invalid("Each of several actions needs an Order of its own")
    last = max(actions, key=lambda action: action.get("Order") or 0)
    if last["Type"].startswith("authenticate"):
        raise error("InvalidLoadBalancerAction", "The last action must be forward, redirect or fixed-response")


def _check_kinds(backend, load_balancer_arn: str, actions: list[dict]) -> None:
    """A network load balancer forwards, and does nothing else."""
    balancer = backend.load_balancers.get(load_balancer_arn)
    if balancer is None or balancer.type == "application":
        return
    for action in actions:
        if action["Type"] != "forward":
            kind = f"action type '{action['Type']}'"
            raise error(
                "InvalidLoadBalancerAction", f"The {kind} is not valid with load balancers of type '{balancer.type}'"
            )


def _check_versions(backend, actions: list[dict]) -> None:
    """Before a request goes to an HTTP/2 or gRPC group nothing else is done."""
    others = [action["Type"] for action in actions if action["Type"] != "forward"]
    for action in actions:
        config = action.get("ForwardConfig") or {}
        arns = [group["TargetGroupArn"] for group in config.get("TargetGroups") or []] or [action.get("TargetGroupArn")]
        versions = [getattr(backend.target_groups.get(arn), "protocol_version", None) for arn in arns]
        if others and any(version in ("HTTP2", "GRPC") for version in versions):
            text = f"Action type '{others[0]}' is not supported with a target group of the protocol-version 'HTTP2' or 'GRPC'"
            raise error("InvalidConfigurationRequest", text)


def _checked_forward(backend, load_balancer_arn: str, protocol: str, action: dict) -> dict:
    """A single group is described both ways, however it was sent."""
    config = dict(action.get("ForwardConfig") or {})
    alone = action.get("TargetGroupArn")
    groups = [dict(group) for group in config.get("TargetGroups") or []] or [{"TargetGroupArn": alone}]
    arns = [group.get("TargetGroupArn") for group in groups]
    if alone and arns != [alone]:
        raise invalid("TargetGroupArn and ForwardConfig must name the same single target group")
    if len(groups) > GROUPS_LIMIT:
        raise error("TooManyTargetGroups", f"A forward action may have {GROUPS_LIMIT} target groups at most")
    if len(set(arns)) != len(arns):
        raise invalid("A target group may appear once in a forward action")
    for group in groups:
        group.setdefault("Weight", 1)
        if not 0 <= int(group["Weight"]) <= 999:
            raise invalid(f"The target group weight {group['Weight']} is not between 0 and 999")
        _check_group(backend, load_balancer_arn, protocol, group["TargetGroupArn"])
    stickiness = _checked_stickiness(backend, config, arns)
    forward = {**action, "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}}
    if len(groups) == 1:
        forward["TargetGroupArn"] = arns[0]
    return forward


def _checked_stickiness(backend, config: dict, arns: list[str]) -> dict:
    stickiness = config.get("TargetGroupStickinessConfig") or {"Enabled": False}
    is_enabled = str(stickiness.get("Enabled")).lower() == "true"
    if is_enabled and not 1 <= int(stickiness.get("DurationSeconds") or 0) <= 604800:
        raise invalid("Target group stickiness needs DurationSeconds between 1 and 604800")
    cookies = [backend.target_groups[arn] for arn in arns]
    if not is_enabled and len(arns) > 1 and any(_has_cookies(group) for group in cookies):
        text = "You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups"
        raise error("InvalidConfigurationRequest", text)
    return stickiness


def _has_cookies(group) -> bool:
    """Stickiness by source address, which network load balancers have, is another matter."""
    return has_target_stickiness(group) and "cookie" in str(group.attributes.get("stickiness.type", "lb_cookie"))


def _check_group(backend, load_balancer_arn: str, protocol: str, arn: str) -> None:
    group = backend.target_groups.get(arn)
    if group is None:
        raise error("TargetGroupNotFound", f"Target groups '{arn}' not found")
    balancer = backend.load_balancers.get(load_balancer_arn)
    if balancer:
        _check_fit(balancer, protocol, group)
    if any(used != load_balancer_arn for used in references(backend).get(arn, {})):
        text = f"The following target groups cannot be associated with more than one load balancer: {arn}"
        raise error("TargetGroupAssociationLimit", text)


def _check_fit(balancer, protocol: str, group) -> None:
    network = balancer.type != "application"
    if group.target_type == ("lambda" if network else "alb"):
        text = f"Target groups with target type '{group.target_type}' are not supported by load balancers of type '{balancer.type}'"
        raise error("InvalidConfigurationRequest", f"{text}: {group.arn}")
    if group.target_type == "lambda":
        return
    if group.protocol not in COMPATIBLE.get(protocol, set()):
        text = f"The listener and its associated target group '{group.arn}' have incompatible protocols"
        raise error("IncompatibleProtocols", f"{text}: '{protocol}' and '{group.protocol}'.")
    if protocol == "HTTP" and group.protocol_version in ("HTTP2", "GRPC"):
        text = f"Listener protocol 'HTTP' is not supported with a target group with the protocol-version '{group.protocol_version}'"
        raise error("InvalidConfigurationRequest", f"{text}: {group.arn}")
    if group.ip_address_type == "ipv6" and balancer.ip_address_type == "ipv4":
        text = "IPv6 target groups are not supported by load balancers of IP address type 'ipv4'"
        raise error("InvalidConfigurationRequest", f"{text}: {group.arn}")
    if protocol in ("UDP", "TCP_UDP") and balancer.ip_address_type == "dualstack" and group.ip_address_type != "ipv6":
        text = "UDP listeners of load balancers of IP address type 'dualstack' need IPv6 target groups"
        raise error("InvalidConfigurationRequest", f"{text}: {group.arn}")
    if group.vpc_id != balancer.vpc_id:
        text = f"The following target groups are not in the VPC of the load balancer ({balancer.vpc_id})"
        raise error("InvalidConfigurationRequest", f"{text}: {group.arn}")


def _checked_oidc(action: dict, had_secret: bool) -> dict:
    """The secret is taken and never shown again."""
    config = dict(action.get("AuthenticateOidcConfig") or {})
    reuse = str(config.pop("UseExistingClientSecret", "")).lower() == "true"
    secret = config.pop("ClientSecret", None)
    if reuse and (secret or not had_secret):
        raise invalid("UseExistingClientSecret needs an existing secret, and no ClientSecret beside it")
    if not reuse and not secret:
        raise invalid("A client secret must be specified unless UseExistingClientSecret is true")
    return {**action, "AuthenticateOidcConfig": {**OIDC_DEFAULTS, **config}}
