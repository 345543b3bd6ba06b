"""Everything that a plan names is looked at once, and all findings are answered together."""

import os

import boto3

elb = boto3.client("elbv2")
route53 = boto3.client("route53")
sns = boto3.client("sns")
dynamodb = boto3.client("dynamodb")


def listener_findings(route: dict) -> list[str]:
    found = []
    arns = (route["old_target_group_arn"], route["new_target_group_arn"])
    groups = [elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0] for arn in arns]
    balancer = groups[0]["LoadBalancerArns"][0]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    for one in listeners:
        elb.describe_rules(ListenerArn=one["ListenerArn"])
    if elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]["State"]["Code"] != "active":
        found.append("the load balancer is not active")
    listener = elb.describe_listeners(ListenerArns=[route["listener_arn"]])["Listeners"][0]
    if listener["DefaultActions"][0]["Type"] != "forward":
        found.append("the listener does not forward")
    for arn in arns:
        health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        if not any(one["TargetHealth"]["State"] == "healthy" for one in health):
            found.append(f"{arn} has no healthy target")
    attributes = [elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"] for arn in reversed(arns)]
    if [one["Value"] for one in attributes[0] if one["Key"] == "stickiness.enabled"] == ["true"]:
        found.append("the new group is sticky")
    elb.describe_tags(ResourceArns=[route["listener_arn"], balancer, *arns])
    return found


def name_findings(route: dict) -> list[str]:
    zone = route["hosted_zone_id"]
    answer = route53.list_resource_record_sets(HostedZoneId=zone)
    name = route["record_name"] + "."
    live = [one for one in answer["ResourceRecordSets"] if one["Name"] == name]
    return [] if live else [f"{name} is not in zone {zone}"]


def handler(event, context):
    plan = event["plan"]
    sns.get_topic_attributes(TopicArn=plan["notify"]["topic_arn"])
    route53.list_hosted_zones_by_name(DNSName="example.com.")
    found, locks = [], [f"lock#application#{plan['application']}"]
    for route in plan["routes"]:
        if route["type"] == "listener":
            found += listener_findings(route)
            locks.append(f"lock#listener#{route['listener_arn']}")
        else:
            found += name_findings(route)
            locks.append(f"lock#record#{route['hosted_zone_id']}#{route['record_name']}.")
    route53.list_hosted_zones(MaxItems="20")
    keys = {"Keys": [{"pk": {"S": lock}} for lock in locks], "ConsistentRead": True}
    answer = dynamodb.batch_get_item(RequestItems={os.environ["JOURNAL_TABLE"]: keys})
    found += [f"locked: {one['pk']['S']}" for held in answer["Responses"].values() for one in held]
    return {"settled": True, "findings": found}
