"""How EventBridge and its Scheduler reach a target, and where what they cannot deliver goes.

Contract: `deliver` makes one attempt (AWS retries some failures first) and answers {"delivered": true} or {"delivered": false,
"error", "message", "dead_letter"}; the latter is also told on stderr. `dead_letter` says whether it lies in the target's
dead-letter queue now. With IAM enforced the call is made in the target's role, or as the service itself, which the
target's own policy must allow. Targets: state machines, functions, topics, queues, and Scheduler's universal target.
"""

import json
import re
import sys
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from .. import clients
from ..step_functions.engine import BOTO_NAMES

UNIVERSAL = re.compile(r"^arn:aws:scheduler:::aws-sdk:(\w+):(\w+)$")


class NotDeliverable(ValueError):
    pass


@dataclass
class Delivery:
    caller: str  # clients.EVENTS or clients.SCHEDULER
    target: dict  # Arn, perhaps RoleArn and DeadLetterConfig
    payload: str
    undelivered: str  # what the dead-letter queue gets
    source: dict[str, str] = field(default_factory=dict)  # the attribute that says where it came from

    def client(self, service: str):
        return clients.client(service, self.caller, self.target.get("RoleArn"))


def deliver(delivery: Delivery, wait: bool = False) -> dict:
    """A function's own failure is no failure of the delivery. `wait`: until a function has ended."""
    try:
        return {"delivered": True, **_send(delivery, wait)}
    except ClientError as problem:
        error, message = problem.response["Error"]["Code"], problem.response["Error"]["Message"]
    except (NotDeliverable, BotoCoreError, ValueError) as problem:
        error, message = type(problem).__name__, str(problem)
    print(f"local_aws: {delivery.target['Arn']} was not reached: {error}: {message}", file=sys.stderr)
    return {"delivered": False, "error": error, "message": message, "dead_letter": _bury(delivery, error, message)}


def _send(delivery: Delivery, wait: bool) -> dict:
    arn, payload = delivery.target["Arn"], delivery.payload
    service = arn.split(":")[2]
    if service == "scheduler":
        return _call_universally(delivery)
    if service == "states":
        answer = delivery.client("stepfunctions").start_execution(stateMachineArn=arn, input=payload)
        return {"execution_arn": answer["executionArn"]}
    if service == "lambda":
        kind = "RequestResponse" if wait else "Event"
        delivery.client("lambda").invoke(FunctionName=arn, InvocationType=kind, Payload=payload.encode())
    elif service == "sns":
        delivery.client("sns").publish(TopicArn=arn, Message=payload)
    elif service == "sqs":
        delivery.client("sqs").send_message(QueueUrl=_queue_url(arn), MessageBody=payload)
    else:
        raise NotDeliverable(f"not emulated: the target {arn}")
    return {}


def _call_universally(delivery: Delivery) -> dict:
    """Any operation of any service; its input has the members' names in whatever case."""
    found = UNIVERSAL.match(delivery.target["Arn"])
    if not found:
        raise NotDeliverable(f"not emulated: the target {delivery.target['Arn']}")
    api = delivery.client(BOTO_NAMES.get(found[1], found[1]))
    names = {name.lower(): name for name in api.meta.service_model.operation_names}
    if found[2].lower() not in names:
        raise NotDeliverable(f"{found[1]} has no operation {found[2]}")
    operation = api.meta.service_model.operation_model(names[found[2].lower()])
    members = {name.lower(): name for name in operation.input_shape.members}
    given = json.loads(delivery.payload)
    if unknown := sorted(name for name in given if name.lower() not in members):
        raise NotDeliverable(f"{operation.name} has no parameters {', '.join(unknown)}")
    parameters = {members[name.lower()]: value for name, value in given.items()}
    method = next(method for method, name in api.meta.method_to_api_mapping.items() if name == operation.name)
    answer = getattr(api, method)(**parameters)
    return {"execution_arn": answer["executionArn"]} if "executionArn" in answer else {}


def _bury(delivery: Delivery, error: str, message: str) -> bool:
    arn = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        return False
    told = {"ERROR_CODE": error, "ERROR_MESSAGE": message, "TARGET_ARN": delivery.target["Arn"], **delivery.source}
    attributes = {name: {"DataType": "String", "StringValue": text or "-"} for name, text in told.items()}
    # EventBridge asks the queue's policy, Scheduler its role.
    role = delivery.target.get("RoleArn") if delivery.caller == clients.SCHEDULER else None
    api = clients.client("sqs", delivery.caller, role)
    try:
        api.send_message(QueueUrl=_queue_url(arn), MessageBody=delivery.undelivered, MessageAttributes=attributes)
    except ClientError as problem:
        print(f"local_aws: nor was the dead-letter queue {arn}: {problem}", file=sys.stderr)
        return False
    return True


def _queue_url(arn: str) -> str:
    return clients.client("sqs").get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
