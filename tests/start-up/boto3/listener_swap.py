"""One step of a listener: look, compare, fence, write, read back."""

import boto3
import journal

elb = boto3.client("elbv2")


def groups(forward: dict) -> dict[str, int]:
    return {one["TargetGroupArn"]: one.get("Weight", 1) for one in forward["ForwardConfig"]["TargetGroups"]}


def forward_of(listener: dict) -> dict:
    return next(action for action in listener["DefaultActions"] if action["Type"] == "forward")


def handler(event, context):
    run = journal.run(event)
    route = run["plan"]["routes"][event["route"]]
    old, new = route["old_target_group_arn"], route["new_target_group_arn"]
    listener = elb.describe_listeners(ListenerArns=[route["listener_arn"]])["Listeners"][0]
    live = groups(forward_of(listener))
    if not set(live) <= {old, new}:
        raise RuntimeError(f"the listener was changed by somebody else: {live}")
    journal.run(event)
    wanted = {old: 100 - event["new_weight"], new: event["new_weight"]}
    forward = {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in wanted.items()],
            "TargetGroupStickinessConfig": {"Enabled": False},
        },
    }
    elb.modify_listener(ListenerArn=route["listener_arn"], DefaultActions=[forward])
    listener = elb.describe_listeners(ListenerArns=[route["listener_arn"]])["Listeners"][0]
    if groups(forward_of(listener)) != wanted:
        raise RuntimeError("the listener is not as it was written")
    return {"live": wanted, "changed": True}
