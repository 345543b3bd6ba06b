"""One look at a step: the routes, the targets' health, the metrics; what the tests have counted goes to the journal."""

import datetime
import json

import boto3
import journal

elb = boto3.client("elbv2")
route53 = boto3.client("route53")
cloudwatch = boto3.client("cloudwatch")


def look_at(route: dict) -> dict:
    if route["type"] == "listener":
        listener = elb.describe_listeners(ListenerArns=[route["listener_arn"]])["Listeners"][0]
        forward = next(action for action in listener["DefaultActions"] if action["Type"] == "forward")
        return {one["TargetGroupArn"]: one["Weight"] for one in forward["ForwardConfig"]["TargetGroups"]}
    name = route["record_name"] + "."
    answer = route53.list_resource_record_sets(HostedZoneId=route["hosted_zone_id"], StartRecordName=name)
    return {one["SetIdentifier"]: one["Weight"] for one in answer["ResourceRecordSets"] if one["Name"] == name and "Weight" in one}


def queries(metrics: list[dict]) -> list[dict]:
    asked = []
    for number, metric in enumerate(metrics):
        named = [("value", metric["metric_name"])]
        if metric.get("divide_by"):
            named.append(("divisor", metric["divide_by"]["metric_name"]))
        for kind, name in named:
            dimensions = [{"Name": key, "Value": value} for key, value in metric["dimensions"].items()]
            of = {"Namespace": metric["namespace"], "MetricName": name, "Dimensions": dimensions}
            stat = {"Metric": of, "Period": metric["period"], "Stat": metric["statistic"]}
            asked.append({"Id": f"{kind}{number}", "MetricStat": stat})
    return asked


def judge(metric: dict, values: dict[str, list[float]], number: int) -> dict:
    seen = values.get(f"value{number}", [])
    divisors = values.get(f"divisor{number}")
    value = sum(seen) / sum(divisors) if divisors and sum(divisors) else (seen[-1] if seen else None)
    verdict = "inconclusive" if value is None else "unhealthy" if value > metric["threshold"] else "healthy"
    return {"name": metric["name"], "verdict": verdict, "value": value}


def handler(event, context):
    run = journal.run(event)
    journal.item("line")
    plan = run["plan"]
    routes = [look_at(route) for route in reversed(plan["routes"])]
    route = plan["routes"][event["route"]]
    health = elb.describe_target_health(TargetGroupArn=route["new_target_group_arn"])["TargetHealthDescriptions"]
    healthy = sum(one["TargetHealth"]["State"] == "healthy" for one in health)
    metrics = plan["monitoring"]["metrics"]
    at = datetime.datetime.fromisoformat(event["at"])
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries(metrics), StartTime=at - datetime.timedelta(minutes=5), EndTime=at
    )
    values = {one["Id"]: one["Values"] for one in answer["MetricDataResults"]}
    checks = [judge(metric, values, number) for number, metric in enumerate(metrics)]
    journal.dynamodb.update_item(
        TableName=journal.TABLE,
        Key={"pk": {"S": f"run#{event['run_id']}"}},
        UpdateExpression="SET #counted = :counted, #times = :next",
        ConditionExpression="phase = :phase AND #owner = :owner",
        ExpressionAttributeNames={"#counted": "counted", "#times": "times_counted", "#owner": "owner"},
        ExpressionAttributeValues={
            ":counted": {"S": json.dumps(checks)},
            ":next": {"N": "2"},
            ":phase": {"S": "forward"},
            ":owner": {"S": event["execution_arn"]},
        },
    )
    return {"routes": routes, "healthy": healthy, "checks": checks}
