"""IAM: who may do what, enforced by action.

Contract: off until `install(True)` (the command's `--iam`). Then every request at the boundary is one of
    set-up               access key `local`: never restricted
    a role's             access keys of `access_key`: the role must trust the service that acts in it, and its policies
                         must allow every action that the call needs
    a service's own      EventBridge without a role: the policy of the function, topic or queue must allow it
    anything else        refused, as AWS refuses unknown keys
Policies are read at every request, so a change holds at once. Of a message and of an alarm the resource counts too, and of an alarm
the key `cloudwatch:AlarmActions`. Of all else actions only: an Allow counts whatever its Resource and Condition; a Deny
counts only if it has Resource `*` and no Condition. What a call needs beyond its own action: the parts
of a DynamoDB transaction; the key of an encrypted topic; the client of a user pool that a listener or rule authenticates
with; tags of an alarm; for a state machine with logs, the delivery of logs; for a raw mail by version 2 of SES, SendRawEmail.
Nobody here writes logs or traces as a function, so logs:* and xray:* of functions are not exercised.
"""

import fnmatch
import json
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qs

from ..control import cbor
from ..control.protocols import Call, read_body
from ..settings import ACCOUNT_ID, REGION, ROLE_ARN
from . import members

SETUP = "local"  # set-up, dump and control API
STATES = "states"
EVENTS = "events"
SCHEDULER = "scheduler"
LAMBDA = "lambda.amazonaws.com"
# Which service acts under a caller's name; every other caller is a function.
PRINCIPALS = {
    STATES: "states.amazonaws.com",
    EVENTS: "events.amazonaws.com",
    SCHEDULER: "scheduler.amazonaws.com",
}
# How services call a refusal that is not AccessDenied to them.
CODES = {"sns": "AuthorizationError", "kms": "KMSAccessDenied"}
# Operations that need a permission of another name.
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:UploadPart": "s3:PutObject",
}
# The parts of a transaction, which has no permission of its own.
TRANSACTION_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
# What carries the actions of a listener or a rule.
MODIFY_ACTIONS = ("elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule")
LOG_DELIVERY = [
    f"logs:{operation}"
    for operation in (
        "CreateLogDelivery",
        "DeleteLogDelivery",
        "DescribeLogGroups",
        "DescribeResourcePolicies",
        "GetLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "UpdateLogDelivery",
    )
]


@dataclass(frozen=True)
class Identity:
    caller: str  # as the boundary names it
    role_arn: str | None  # None: the service itself

    @property
    def principal(self) -> str:
        return PRINCIPALS.get(self.caller, LAMBDA)


@dataclass
class Refusal:
    code: str
    message: str
    action: str


enabled = False
_keys: dict[Identity, str] = {}
_identities: dict[str, Identity] = {}


def install(enforce: bool) -> None:
    global enabled
    enabled = enforce
    members.install()
    _check_log_delivery()


def create_local_role() -> None:
    """The role of what no stack gives one: the stack of `deploy`, and the hooks of a world. It may do everything."""
    from .. import clients

    api, name = clients.client("iam"), ROLE_ARN.rpartition("/")[2]
    services = sorted({LAMBDA, *PRINCIPALS.values()})
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    api.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))
    api.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=_document(everything))


def _document(statement: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def access_key(caller: str, role_arn: str | None) -> str:
    """The key with which a caller signs: its name as long as nothing is enforced, credentials of its role otherwise."""
    if not enabled or caller == SETUP:
        return caller
    identity = Identity(caller, role_arn)
    if identity not in _keys:
        key = "ASIA" + uuid.uuid4().hex[:16].upper()
        _identities[key] = identity
        key = _keys.setdefault(identity, key)
    return _keys[identity]


def caller_of(key: str) -> str:
    held = members.session(key)
    if held:
        return held.caller
    return _identities[key].caller if key in _identities else key


def role_arn_of(key: str) -> str | None:
    return _identities[key].role_arn if key in _identities else None


def role_of(key: str) -> str | None:
    """The name of the role that a key is of; none for set-up, for a service's own call, and with nothing enforced."""
    held = members.session(key)
    role_arn = held.role_arn if held else role_arn_of(key)
    return _role_name(role_arn) if role_arn else None


def refusal(call: Call, environ: dict) -> Refusal | None:
    """Why a call is refused; None if it is allowed."""
    if held := members.session(call.access_key):
        return members.refusal(held, call, environ)
    if call.access_key == SETUP:
        return None
    if lacking := members.not_let_in(call, environ, role_arn_of(call.access_key) or ROLE_ARN):
        return denied(_user(role_arn_of(call.access_key) or ROLE_ARN, call.caller), lacking, "no resource-based policy")
    return _own_refusal(call, environ) if enabled else _untrusted(call, environ)


def _untrusted(call: Call, environ: dict) -> Refusal | None:
    if (call.service, call.operation) != ("sts", "AssumeRole"):
        return None
    own = role_arn_of(call.access_key) or ROLE_ARN
    message = members.untrusted(form(environ), _user(own, call.caller), own)
    return Refusal("AccessDenied", message, "sts:AssumeRole") if message else None


def _user(role_arn: str, caller: str) -> str:
    return f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{_role_name(role_arn)}/{caller}"


def _own_refusal(call: Call, environ: dict) -> Refusal | None:
    identity = _identities.get(call.access_key)
    actions = needed_actions(call, environ)
    if identity is None:
        code = "InvalidClientTokenId" if call.protocol in ("query", "rest-xml") else "UnrecognizedClientException"
        return Refusal(code, "The security token included in the request is invalid", actions[0])
    if identity.role_arn is None:
        allowed = _resource_allows(call, environ, identity.principal, actions[0])
        return None if allowed else denied(identity.principal, actions[0], "no resource-based policy")
    if not trusts(identity.role_arn, identity.principal):
        return denied(identity.principal, "sts:AssumeRole", f"no trust policy of {identity.role_arn}")
    resources, context = about(call, environ, actions[0])
    missing = next((one for one in actions if not role_allows(identity.role_arn, one, resources, context)), None)
    if missing:
        return denied(_user(identity.role_arn, identity.caller), missing, "no identity-based policy")
    return _untrusted(call, environ)


def denied(who: str, action: str, lacking: str) -> Refusal:
    message = f"User: {who} is not authorized to perform: {action} because {lacking} allows the {action} action"
    return Refusal(CODES.get(action.partition(":")[0], "AccessDenied"), message, action)


def needed_actions(call: Call, environ: dict) -> list[str]:
    action = f"{call.service}:{call.operation}"
    if call.service == "dynamodb" and call.operation.startswith("Transact"):
        parts = json.loads(read_body(environ)).get("TransactItems", [])
        return sorted({f"dynamodb:{TRANSACTION_ACTIONS[kind]}" for part in parts for kind in part}) or [action]
    if action == "sns:Publish" and _is_encrypted(form(environ).get("TopicArn")):
        return [action, "kms:GenerateDataKey", "kms:Decrypt"]
    if action in MODIFY_ACTIONS and "authenticate-cognito" in form(environ).values():
        return [action, "cognito-idp:DescribeUserPoolClient"]
    if action == "ses:SendEmail" and call.protocol == "rest-json" and b'"Raw"' in read_body(environ):
        return ["ses:SendRawEmail"]  # version 2 has one operation for both
    if action == "cloudwatch:PutMetricAlarm" and _has_tags(call, read_body(environ)):
        return [action, "cloudwatch:TagResource"]
    if action in ("scheduler:CreateSchedule", "scheduler:UpdateSchedule"):
        return [action, "iam:PassRole"]  # EventBridge Scheduler guide: whoever makes a schedule hands its role on
    return [ACTIONS.get(action, action)]


def about(call: Call, environ: dict, action: str) -> tuple[list[str], dict[str, list[str]]]:
    """The resources of a call, and the keys of its context, as far as they count here."""
    if action == "sns:Publish":
        return [form(environ).get("TopicArn", "")], {}
    if action not in ("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"):
        return [], {}
    given = _parameters(call, read_body(environ))
    names = given.get("AlarmNames") or [given.get("AlarmName", "")]
    lists = [given.get(name) or [] for name in ("OKActions", "AlarmActions", "InsufficientDataActions")]
    actions = [action for actions in lists for action in actions]
    resources = [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT_ID}:alarm:{name}" for name in names]
    return resources, {"cloudwatch:AlarmActions": actions} if actions else {}


def _parameters(call: Call, body: bytes) -> dict:
    if call.protocol != "query":
        return cbor.decode(body) if call.protocol == "cbor" else json.loads(body)
    given: dict = {}
    for name, values in parse_qs(body.decode()).items():
        first, _, member = name.partition(".member.")
        if member.isdigit():
            given.setdefault(first, []).append(values[-1])
        elif not member:
            given[first] = values[-1]
    return given


def _has_tags(call: Call, body: bytes) -> bool:
    if call.protocol == "query":
        return any(name.startswith("Tags.") for name in parse_qs(body.decode()))
    return bool((cbor.decode(body) if call.protocol == "cbor" else json.loads(body)).get("Tags"))


def form(environ: dict) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(read_body(environ).decode()).items()}


def _is_encrypted(topic_arn: str | None) -> bool:
    """By a key of the account's own; AWS's key for SNS asks for no permission."""
    from moto.sns.models import sns_backends

    topic = sns_backends[ACCOUNT_ID][REGION].topics.get(topic_arn)
    key = topic.kms_master_key_id if topic else None
    return bool(key) and not key.startswith("alias/aws/")


def _role_name(role_arn: str) -> str:
    return role_arn.rpartition("/")[2]


def _backend():
    from moto.iam.models import iam_backends

    return iam_backends[ACCOUNT_ID]["aws"]


def _role(role_arn: str):
    return next((role for role in list(_backend().roles.values()) if role.arn == role_arn), None)


def trusts(role_arn: str, principal: str) -> bool:
    role = _role(role_arn)
    document = role.assume_role_policy_document if role else None
    return document is not None and decides([document], "sts:AssumeRole", principal)


def role_allows(role_arn: str, action: str, resources: list[str] = (), context: dict | None = None) -> bool:
    return allows(_role(role_arn), action, resources, context)


def allows(role, action: str, resources: list[str] = (), context: dict | None = None) -> bool:
    if role is None:
        return False
    versions = [version for policy in role.managed_policies.values() for version in policy.versions]
    managed = [version.document for version in versions if version.is_default]
    documents = [*role.policies.values(), *managed]
    return all(decides(documents, action, None, resource, context) for resource in resources or [None])


def _resource_allows(call: Call, environ: dict, principal: str, action: str) -> bool:
    document = _resource_policy(call, environ)
    return document is not None and decides([document], action, principal)


def _resource_policy(call: Call, environ: dict):
    """The policy of what a call is about: a function, a topic or a queue."""
    from moto.awslambda.models import lambda_backends
    from moto.sns.models import sns_backends
    from moto.sqs.models import sqs_backends

    if call.function:
        function = lambda_backends[ACCOUNT_ID][REGION].get_function(call.function)
        return {"Statement": function.policy.statements}
    if call.service == "sns":
        topic = sns_backends[ACCOUNT_ID][REGION].topics.get(form(environ).get("TopicArn"))
        return topic.policy if topic else None
    if call.service == "sqs":
        name = json.loads(read_body(environ)).get("QueueUrl", "").rpartition("/")[2]
        queue = sqs_backends[ACCOUNT_ID][REGION].queues.get(name)
        return queue.policy if queue else None
    return None


def decides(
    documents: list, action: str, principal: str | None = None, resource: str | None = None, context: dict | None = None
) -> bool:
    # What else a call needs, such as a key, is about something else than the call.
    resource = resource if action.partition(":")[0] in ("sns", "cloudwatch") else None
    statements = [statement for document in documents for statement in statements_of(document)]
    concerned = [one for one in statements if names_action(one, action) and _names_principal(one, principal)]
    if resource is not None:
        concerned = [one for one in concerned if _names_resource(one, resource) and _holds(one, context or {})]
    elif any(one["Effect"] == "Deny" and not _is_unconditional(one) for one in concerned):
        concerned = [one for one in concerned if one["Effect"] == "Allow" or _is_unconditional(one)]
    if any(one["Effect"] == "Deny" for one in concerned):
        return False
    return any(one["Effect"] == "Allow" for one in concerned)


def is_like(text: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern)


def statements_of(document) -> list[dict]:
    document = json.loads(document) if isinstance(document, str) else document
    return as_list(document.get("Statement", []))


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def names_action(statement: dict, action: str) -> bool:
    def matches(element: str) -> bool:
        return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in as_list(statement[element]))

    return matches("Action") if "Action" in statement else not matches("NotAction")


def _names_principal(statement: dict, principal: str | None) -> bool:
    """Identity-based policies (principal None) name nobody."""
    if principal is None:
        return True
    named = statement.get("Principal", {})
    return named == "*" or principal in as_list(named.get("Service", []))


def _names_resource(statement: dict, resource: str) -> bool:
    return any(fnmatch.fnmatchcase(resource, pattern) for pattern in as_list(statement.get("Resource", "*")))


def _holds(statement: dict, context: dict[str, list[str]]) -> bool:
    """Of the conditions those on multi-valued texts (IAM user guide): ForAllValues is true of an absent key, and Null asks for it."""
    conditions = statement.get("Condition") or {}
    for key, patterns in conditions.get("ForAllValues:StringLike", {}).items():
        for value in context.get(key, []):
            if not any(fnmatch.fnmatchcase(value, pattern) for pattern in as_list(patterns)):
                return False
    return all((key not in context) == (wanted == "true") for key, wanted in conditions.get("Null", {}).items())


def _is_unconditional(statement: dict) -> bool:
    return "*" in as_list(statement.get("Resource", "*")) and not statement.get("Condition")


def _check_log_delivery() -> None:
    """Step Functions tries the delivery of logs as the machine's role when a machine is created or updated."""
    from ..step_functions.engine import engine

    backend = engine("models").StepFunctionsParserBackend
    create, update = backend.create_state_machine, backend.update_state_machine

    def create_state_machine(self, name, definition, roleArn, **more):  # noqa: N803 (moto's name)
        _require_log_delivery(roleArn, more.get("loggingConfiguration"))
        return create(self, name, definition, roleArn, **more)

    def update_state_machine(self, arn, definition=None, role_arn=None, **more):
        machine = self.describe_state_machine(arn)
        logging = more.get("logging_configuration") or machine.loggingConfiguration
        _require_log_delivery(role_arn or machine.roleArn, logging)
        return update(self, arn, definition, role_arn, **more)

    backend.create_state_machine, backend.update_state_machine = create_state_machine, update_state_machine


def _require_log_delivery(role_arn: str, logging: dict | None) -> None:
    from moto.core.exceptions import JsonRESTError

    if not enabled or not logging or logging.get("level", "OFF") == "OFF":
        return
    missing = [action for action in LOG_DELIVERY if not role_allows(role_arn, action)]
    if missing:
        message = f"The state machine IAM Role is not authorized to access the Log Destination: {', '.join(missing)}"
        raise JsonRESTError("AccessDeniedException", message)
