"""Calls of AWS's public API, in the credentials of whoever starts this: what `cargo prove` speaks to AWS by.

Contract: a line of standard input is `[number, {"service", "operation", "parameters"}]`, names as boto3 has them; each is answered by a line, with its
number: `[number, {"answer": {..}}]`, `{"refusal": {"code", "message", "status"}}` of AWS, or `{"failure": {"kind", "message"}}` where AWS was not reached:
no credentials, no region, no network. Credentials, profile, region and endpoint are those of the environment (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, ...),
and boto3 renews them. It ends with its standard input. boto3, as the AWS CLI: it knows profiles, SSO and roles, and its answers leave out
what AWS leaves out.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})
clients: dict = {}


def client(service: str):
    if service not in clients:
        clients[service] = boto3.client(service, config=CONFIG)
    return clients[service]


def call(service: str, operation: str, parameters: dict) -> dict:
    try:
        answer = getattr(client(service), operation)(**parameters)
    except ClientError as problem:
        error, about = problem.response["Error"], problem.response["ResponseMetadata"]
        refusal = {"code": error["Code"], "message": error["Message"], "status": about.get("HTTPStatusCode", 0)}
        return {"refusal": refusal}
    except (BotoCoreError, ValueError) as problem:
        return {"failure": {"kind": type(problem).__name__, "message": str(problem)}}
    answer.pop("ResponseMetadata", None)
    return {"answer": answer}


def main() -> None:
    for line in sys.stdin:
        number, request = json.loads(line)
        print(json.dumps([number, call(**request)], default=plain), flush=True)


def plain(value):
    """Times, and what a function answered."""
    return value.isoformat() if hasattr(value, "isoformat") else value.read().decode()


if __name__ == "__main__":
    main()
