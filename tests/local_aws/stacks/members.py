"""Member accounts: the role that lets Cutover into each, the sessions in it, and what a session may do.

Contract: `install()` makes AssumeRole as strict as AWS: the role is there, its trust names whoever asks, and its conditions hold; a
session's policy narrows it. `open_account(account)` creates the role that the stack knows of an account, in that account.
- `session(key)` is what a key of a session is good for; `refusal` says why a call by it is refused. Roles of member accounts are
  enforced whatever the settings say: without a session nobody sees what is in another account.
- `not_let_in` says which action the policy of a topic or function in another account does not allow to whoever calls it as himself.
- `places()` are the accounts and regions in which there is anything, the stack's own first.
Stock moto assumes roles that are not there, and lets every session do everything.
"""

import json
import time
from dataclasses import dataclass
from urllib.parse import unquote

from ..control.protocols import CREDENTIAL, INVOKE_PATH
from ..settings import ACCOUNT_ID, EXTERNAL_ID, MEMBER_ROLE_ARN, REGION
from . import iam

# What a role of a rehearsal allows; a session's own policy narrows it to what its function does.
SERVICES = ("cloudwatch", "cognito-idp", "dms", "elasticloadbalancing", "route53")
READS = ["lambda:GetPolicy", "sns:GetTopicAttributes"]


@dataclass
class Session:
    caller: str  # who assumed the role, as the boundary names it
    account: str
    role_arn: str
    name: str
    policy: str | None
    until: float  # seconds since 1970

    @property
    def user(self) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.role_arn.rpartition('/')[2]}/{self.name}"


ACCOUNT_HEADER = "HTTP_X_MOTO_ACCOUNT_ID"
_sessions: dict[str, Session] = {}
_opened: set[str] = set()


def session(key: str) -> Session | None:
    return _sessions.get(key)


def forget() -> None:
    """As if no account had ever been opened. Sessions last their time, as on AWS: functions' processes, which live on, have kept them."""
    for account in {one.account for one in _sessions.values()} | _opened:
        _iam(account).reset()
    for key in [key for key, one in _sessions.items() if one.until <= time.time()]:
        del _sessions[key]
    _opened.clear()


def open_account(account: str) -> None:
    if account in _opened:
        return
    _opened.add(account)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    allowed = {"Effect": "Allow", "Action": [f"{service}:*" for service in SERVICES] + READS, "Resource": "*"}
    arn = MEMBER_ROLE_ARN.replace("*", account)
    name = arn.rpartition("/")[2]
    backend = _iam(account)
    backend.create_role(name, _document(trust), "/", None, "", [], "3600")
    backend.put_role_policy(name, "access", _document(allowed))


def _document(statement: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _iam(account: str):
    from moto.iam.models import iam_backends

    return iam_backends[account]["aws"]


def places() -> list[tuple[str, str]]:
    from ..services import dms, dms_serverless
    from moto.cloudwatch.models import cloudwatch_backends
    from moto.elbv2.models import elbv2_backends
    from moto.route53.models import route53_backends

    found = [(ACCOUNT_ID, REGION)]
    for account, regions in list(elbv2_backends.items()):
        found += [(account, region) for region, backend in list(regions.items()) if backend.load_balancers or backend.target_groups]
    for account, regions in list(cloudwatch_backends.items()):
        found += [(account, region) for region, backend in list(regions.items()) if backend.alarms]
    for account, partitions in list(route53_backends.items()):
        known = any(account == one for one, _ in found)
        found += [(account, REGION) for backend in list(partitions.values()) if backend.zones and not known]
    found += [place for place, backend in dms.backends().items() if backend.replication_instances or dms_serverless.replications(backend)]
    return list(dict.fromkeys(found))


def install() -> None:
    from moto.sts.responses import TokenResponse

    stock = TokenResponse.assume_role

    def assume_role(self):
        answer = stock(self)
        made = answer.result["Credentials"]
        arn, until = self._get_param("RoleArn"), time.time() + self._get_int_param("DurationSeconds", 3600)
        # moto reads keys of twenty characters only.
        caller = iam.caller_of(CREDENTIAL.search(self.headers["Authorization"])[1])
        name, policy = self._get_param("RoleSessionName"), self._get_param("Policy")
        _sessions[made.access_key_id] = Session(caller, account_of(arn), arn, name, policy, until)
        return answer

    TokenResponse.assume_role = assume_role


def account_called(call, environ) -> str:
    """Whose things a call is about. moto goes by a header, which nobody but the set-up says by itself."""
    asked = environ.pop(ACCOUNT_HEADER, None)
    held = session(call.access_key)
    account = held.account if held else asked if asked and call.caller == iam.SETUP else ACCOUNT_ID
    if called := _by_policy(call, environ):
        account = account_of(called)
    if account != ACCOUNT_ID:
        environ[ACCOUNT_HEADER] = account
    if (call.service, call.operation) == ("sts", "AssumeRole"):
        return account_of(iam.form(environ).get("RoleArn", ""))
    return account


def _by_policy(call, environ) -> str | None:
    """The ARN of a function or topic of another account that somebody calls as himself."""
    if session(call.access_key) or call.caller == iam.SETUP:
        return None
    invoked = INVOKE_PATH.match(environ["PATH_INFO"])
    arn = unquote(invoked[1]) if invoked else iam.form(environ).get("TopicArn", "") if call.service == "sns" else ""
    return arn if account_of(arn) not in ("", ACCOUNT_ID) else None


def not_let_in(call, environ, principal: str) -> str | None:
    arn = _by_policy(call, environ)
    if not arn:
        return None
    action = iam.needed_actions(call, environ)[0]
    who = {"*", ACCOUNT_ID, f"arn:aws:iam::{ACCOUNT_ID}:root", principal}
    context = {"AWS:SourceOwner": ACCOUNT_ID, "aws:PrincipalArn": principal}
    for statement in iam.statements_of(_policy(arn)):
        named = statement.get("Principal", {})
        names = iam.as_list(named.get("AWS", [])) if isinstance(named, dict) else [named]
        if statement["Effect"] == "Allow" and who & set(names) and iam.names_action(statement, action) and _holds(statement, context):
            return None
    return action


def _policy(arn: str):
    """Of what is not there, one that lets nobody in: AWS tells strangers no more."""
    from moto.awslambda.exceptions import UnknownFunctionException
    from moto.awslambda.models import lambda_backends
    from moto.sns.models import sns_backends

    _, _, service, region, account, _ = arn.split(":", 5)
    if service == "sns":
        topic = sns_backends[account][region].topics.get(arn)
        return topic.policy if topic else {}
    try:
        return {"Statement": lambda_backends[account][region].get_function(arn).policy.statements}
    except UnknownFunctionException:
        return {}


def untrusted(form: dict[str, str], user: str, own_role: str) -> str | None:
    """Why somebody in a role may not assume another one; None if they may. AWS says the same of a role that is not there."""
    arn = form.get("RoleArn", "")
    if _trusts(arn, own_role, form.get("ExternalId")):
        return None
    return f"User: {user} is not authorized to perform: sts:AssumeRole on resource: {arn}"


def account_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""


def _role(arn: str):
    account = account_of(arn)
    return next((role for role in list(_iam(account).roles.values()) if role.arn == arn), None) if account else None


def _trusts(arn: str, principal: str, external_id: str | None) -> bool:
    role = _role(arn)
    if role is None:
        return False
    root = f"arn:aws:iam::{account_of(principal)}:root"
    context = {"sts:ExternalId": external_id, "aws:PrincipalArn": principal}
    for statement in iam.statements_of(role.assume_role_policy_document):
        named = statement.get("Principal", {})
        names = iam.as_list(named.get("AWS", [])) if isinstance(named, dict) else [named]
        if statement["Effect"] == "Allow" and {principal, root, "*"} & set(names) and _holds(statement, context):
            return True
    return False


def _holds(statement: dict, context: dict[str, str | None]) -> bool:
    """Of the conditions those on one text (IAM user guide): equal to one of those given, or like it."""
    for operator, keys in (statement.get("Condition") or {}).items():
        for key, wanted in keys.items():
            value, wanted = context.get(key), iam.as_list(wanted)
            is_like = operator in ("ArnLike", "StringLike", "ArnEquals")
            if value is None or not any(iam.is_like(value, one) if is_like else value == one for one in wanted):
                return False
    return True


def refusal(held: Session, call, environ):
    """Why a call by a session is refused; None if it is allowed."""
    if held.until <= time.time():
        return iam.Refusal("ExpiredToken", "The security token included in the request is expired", "sts:AssumeRole")
    for action in iam.needed_actions(call, environ):
        if not iam.allows(_role(held.role_arn), action):
            return iam.denied(held.user, action, "no identity-based policy")
        if held.policy and not iam.decides([held.policy], action):
            return iam.denied(held.user, action, "no session policy")
    return None
