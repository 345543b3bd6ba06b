"""One step of a name: the run is fenced, and Route 53 compares what is there with what is expected."""

import boto3
import journal

route53 = boto3.client("route53")


def pair(route: dict, before: dict, percent: int) -> list[dict]:
    sets = []
    for record, old in zip(route["records"], before["records"], strict=True):
        sides = (("cutover-new", percent, record["new"]["values"]), ("cutover-old", 100 - percent, old["values"]))
        for identifier, weight, values in sides:
            sets.append(
                {
                    "Name": route["record_name"] + ".",
                    "Type": record["type"],
                    "SetIdentifier": identifier,
                    "Weight": weight,
                    "TTL": route["ttl"],
                    "ResourceRecords": [{"Value": value} for value in values],
                }
            )
    return sets


def handler(event, context):
    run = journal.run(event)
    route, before = run["plan"]["routes"][event["route"]], run["before"][event["route"]]
    weights = [0] + [step["new_weight"] for step in route["steps"]]
    expected = weights[weights.index(event["new_weight"]) - 1]
    changes = [{"Action": "DELETE", "ResourceRecordSet": one} for one in pair(route, before, expected)]
    changes += [{"Action": "CREATE", "ResourceRecordSet": one} for one in pair(route, before, event["new_weight"])]
    journal.run(event)
    answer = route53.change_resource_record_sets(
        HostedZoneId=route["hosted_zone_id"], ChangeBatch={"Comment": "cutover", "Changes": changes}
    )
    return {"change_id": answer["ChangeInfo"]["Id"], "in_sync": answer["ChangeInfo"]["Status"] == "INSYNC"}
