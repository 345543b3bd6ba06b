"""boto3 clients for this server, one per service and caller.

Contract: the access key id is the caller's name, which the boundary records and faults match; with IAM enforced it is
one of the caller's role (see stacks/iam.py). Secrets are never verified. The Step Functions engine calls as `states` and says
which state of which execution it is evaluating.
Clients are cached, because building one costs about 50 ms.
"""

import threading
from functools import partial

import boto3
from botocore.config import Config

from .settings import ACCOUNT_ID, REGION
from .stacks.iam import EVENTS, SCHEDULER, SETUP, STATES, access_key
from .transport import InProcess

__all__ = ["EVENTS", "HOME", "SCHEDULER", "SETUP", "STATES", "client", "connect", "evaluating"]

# The stack's own account and region.
HOME = (ACCOUNT_ID, REGION)

_endpoint_url = ""
_transport: InProcess | None = None
_clients: dict = {}
_lock = threading.Lock()

# What the current thread evaluates: `state` and `execution`, set by step_functions/engine.py.
evaluating = threading.local()


def connect(endpoint_url: str, application) -> None:
    """To where this server listens, by calling what it would call."""
    global _endpoint_url, _transport
    _endpoint_url, _transport = endpoint_url, InProcess(application)


def client(service: str, caller: str = SETUP, role_arn: str | None = None, at: tuple[str, str] = HOME):
    """With a role the caller acts in it, which matters only with IAM enforced. The set-up may act in another account and region."""
    with _lock:
        key = (service, caller, access_key(caller, role_arn), at)
        if key not in _clients:
            _clients[key] = _build(*key)
        return _clients[key]


def _build(service: str, caller: str, access_key_id: str, at: tuple[str, str]):
    account, region = at
    built = boto3.client(
        service,
        region_name=region,
        endpoint_url=_endpoint_url,
        aws_access_key_id=access_key_id,
        aws_secret_access_key="local",
        config=Config(
            # The engine passes on what a definition says; the service is the one to refuse it.
            parameter_validation=caller == SETUP,
            retries={"total_max_attempts": 1},
        ),
    )
    built._endpoint.http_session = _transport
    if caller == STATES:
        built.meta.events.register("before-call", _say_which_state)
    if account != ACCOUNT_ID:
        built.meta.events.register("before-call", partial(_say_which_account, account))
    return built


def _say_which_account(account, params, **_):
    params["headers"]["X-Moto-Account-Id"] = account


def _say_which_state(params, **_):
    params["headers"]["X-Cutover-State"] = getattr(evaluating, "state", "")
    params["headers"]["X-Cutover-Execution"] = getattr(evaluating, "execution", "")
