"""What each handler reads of the journal, and how."""

import json
import os

import boto3

dynamodb = boto3.client("dynamodb")
TABLE = os.environ["JOURNAL_TABLE"]


def item(key: str) -> dict:
    answer = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": key}}, ConsistentRead=True)
    return answer.get("Item", {})


def run(event: dict, phase: str = "forward") -> dict:
    """The run, if it is the caller's still."""
    found = item(f"run#{event['run_id']}")
    if found["phase"]["S"] != phase or found["owner"]["S"] != event["execution_arn"]:
        raise RuntimeError("the run is somebody else's")
    found["plan"] = json.loads(found["plan"]["S"])
    found["before"] = json.loads(found["before"]["S"])
    return found
