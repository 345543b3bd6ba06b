"""SES, version 1 and 2: who may send what to whom, and what was sent, with both its parts.

Contract: `install(speed)`. `sent` lists every accepted mail in order; GET /_local/mail answers it:
    id, api (1 or 2), from, to (every recipient), subject, text, html, headers, attachments, bytes, configuration_set,
    outcomes: by recipient `delivered`, `bounced`, `complained` or `suppressed`
`configure` (POST /_local/mail) sets what a test wants of the account:
    sandbox     true: 200 mails a day, 1 a second, verified recipients only. Otherwise 50,000 a day and 14 a second
    daily, rate other limits than those
    state       enabled, paused (nobody may send for now) or suspended (for good)
    rejected    addresses: mail to or from them is MessageRejected
    bounced     addresses that bounce for good: the first mail is accepted and bounces, later ones are suppressed
    complained  addresses whose owners complain
What is not sent stays as it is. Days and seconds are as long as the speed makes them. An identity is verified as soon as it
is asked for: nobody is there to follow the link. A bounce or complaint is told to the topic of the sender's identity, if it has one.
Limits, codes and texts are from the API references and from reports of what SES answered; stock moto knows no sandbox, keeps one part
of a mail, and refuses what is not UTF-8.
"""

import base64
import datetime
import json
import math
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from email.utils import parseaddr

from ..clients import client
from ..settings import ACCOUNT_ID, REGION
from . import mail

RECIPIENTS_LIMIT = 50
RAW_LIMIT_BYTES = {1: 10 * 1024 * 1024, 2: 40 * 1024 * 1024}
DAY_SECONDS = 86_400
STATES = ("enabled", "paused", "suspended")
SIMULATOR = "@simulator.amazonses.com"
# By what goes wrong: the error of version 1, and of version 2 with its HTTP status.
CODES = {
    "daily": ("Throttling", "TooManyRequestsException", 429, "Daily message quota exceeded."),
    "rate": ("Throttling", "TooManyRequestsException", 429, "Maximum sending rate exceeded."),
    "paused": (
        "AccountSendingPausedException",
        "SendingPausedException",
        400,
        f"Email sending is disabled for account {ACCOUNT_ID}.",
    ),
    "suspended": (
        "MessageRejected",
        "AccountSuspendedException",
        400,
        "Sending suspended for this account. For more information, please check the inbox of the email address associated "
        "with your AWS account.",
    ),
    "rejected": ("MessageRejected", "MessageRejected", 400, None),
    "invalid": ("InvalidParameterValue", "BadRequestException", 400, None),
}


class Refused(Exception):
    def __init__(self, kind: str, message: str | None = None):
        super().__init__(message or CODES[kind][3])
        self.kind = kind


@dataclass
class Account:
    sandbox: bool = False
    state: str = "enabled"
    rejected: list[str] = field(default_factory=list)
    bounced: list[str] = field(default_factory=list)
    complained: list[str] = field(default_factory=list)
    daily: int | None = None
    rate: float | None = None

    @property
    def daily_limit(self) -> int:
        return self.daily or (200 if self.sandbox else 50_000)

    @property
    def rate_limit(self) -> float:
        return self.rate or (1 if self.sandbox else 14)


@dataclass(frozen=True)
class Request:
    """One mail as it was asked for, whatever the version of the API."""

    api: int
    source: str
    to: list[str]
    raw: bytes
    configuration_set: str | None


sent: list[dict] = []
_account = Account()
_suppressed: set[str] = set()
_times: deque[float] = deque()  # one per recipient, in the clock's seconds
_speed = 1.0
_lock = threading.Lock()


def forget() -> None:
    """As if nothing had been sent or set yet."""
    global _account
    with _lock:
        _account = Account()
        sent.clear()
        _suppressed.clear()
        _times.clear()


def configure(settings: dict) -> dict:
    unknown = set(settings) - set(asdict(_account))
    if unknown or settings.get("state", "enabled") not in STATES:
        raise ValueError(f"unknown: {sorted(unknown)}" if unknown else f"state must be one of {', '.join(STATES)}")
    with _lock:
        for name, value in settings.items():
            setattr(_account, name, value)
        _suppressed.intersection_update(_account.bounced)
    return asdict(_account)


def _backend():
    from moto.ses.models import ses_backends

    return ses_backends[ACCOUNT_ID][REGION]


def set_speed(speed: float) -> None:
    global _speed
    _speed = speed


def install(speed: float) -> None:
    global _speed
    from moto.ses.models import EmailIdentity
    from moto.ses.responses import EmailResponse
    from moto.sesv2.responses import SESV2Response
    from moto.sesv2.urls import url_paths

    _speed = speed
    EmailResponse.send_raw_email, EmailResponse.send_email = _send_raw_v1, _send_simple_v1
    EmailResponse.get_send_quota = _quota_v1
    SESV2Response.send_email, SESV2Response.get_account = _send_v2, _account_v2
    url_paths["{0}/v2/email/account$"] = SESV2Response.dispatch
    # moto's identities may never send, by what it says of them.
    EmailIdentity.verified_for_sending_status = property(lambda self: True, lambda self, value: None)


# ---- The API --------------------------------------------------------------------------------------------------------


def _send_raw_v1(self):
    from moto.ses.exceptions import SesError

    raw = self._get_param("RawMessage.Data")
    raw = raw.encode() if isinstance(raw, str) else raw
    if too_large := _size_problem(1, raw):
        raise SesError(CODES["invalid"][0], too_large)
    to = list(self._get_param("Destinations", [])) or mail.recipients(raw)
    source = self._get_param("Source") or mail.sender(raw) or ""
    return _answer_v1(Request(1, source, to, raw, self._get_param("ConfigurationSetName")))


def _send_simple_v1(self):
    destination, body = self._get_param("Destination", {}), self._get_param("Message.Body", {})
    text, html = ((body.get(part) or {}).get("Data") for part in ("Text", "Html"))
    source = self._get_param("Source")
    raw = mail.written(source, destination, self._get_param("Message.Subject.Data"), text, html)
    return _answer_v1(Request(1, source, _all_of(destination), raw, self._get_param("ConfigurationSetName")))


def _answer_v1(request: Request):
    from moto.core.responses import ActionResult
    from moto.ses.exceptions import SesError

    try:
        return ActionResult({"MessageId": send(request)})
    except Refused as refused:
        raise SesError(CODES[refused.kind][0], str(refused)) from refused


def _quota_v1(self):
    from moto.core.responses import ActionResult

    return ActionResult(_quota())


def _send_v2(self) -> str:
    from moto.core.exceptions import JsonRESTError

    given = json.loads(self.body)
    try:
        return json.dumps({"MessageId": send(_request_v2(given))})
    except Refused as refused:
        _, code, status, _ = CODES[refused.kind]
        problem = JsonRESTError(code, str(refused))
        problem.code = status
        raise problem from refused


def _request_v2(given: dict) -> Request:
    destination, content, source = (
        given.get("Destination") or {},
        given.get("Content") or {},
        given.get("FromEmailAddress"),
    )
    if "Raw" in content:
        raw = base64.b64decode(content["Raw"]["Data"])
        to = _all_of(destination) or mail.recipients(raw)
        return Request(2, source or mail.sender(raw) or "", to, raw, given.get("ConfigurationSetName"))
    if "Simple" not in content or not source:
        raise Refused("invalid", "Content must have Raw, or Simple and a FromEmailAddress; templates are not emulated.")
    simple = content["Simple"]
    text, html = ((simple["Body"].get(part) or {}).get("Data") for part in ("Text", "Html"))
    raw = mail.written(source, destination, simple["Subject"]["Data"], text, html)
    return Request(2, source, _all_of(destination), raw, given.get("ConfigurationSetName"))


def _account_v2(self) -> str:
    quota = _quota()
    return json.dumps(
        {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "SHUTDOWN" if _account.state == "suspended" else "HEALTHY",
            "ProductionAccessEnabled": not _account.sandbox,
            "SendQuota": quota,
            "SendingEnabled": _account.state == "enabled",
        }
    )


def _quota() -> dict:
    with _lock:
        _leave_out_yesterday()
        return {
            "Max24HourSend": _account.daily_limit,
            "MaxSendRate": _account.rate_limit,
            "SentLast24Hours": len(_times),
        }


def _all_of(destination: dict) -> list[str]:
    return [one for key in ("ToAddresses", "CcAddresses", "BccAddresses") for one in destination.get(key) or []]


# ---- Sending --------------------------------------------------------------------------------------------------------


def send(request: Request) -> str:
    """Answers the id of an accepted mail, or raises Refused; nothing is half done."""
    _check_form(request)
    to = [parseaddr(one)[1] for one in request.to]
    with _lock:
        _check_account(request, to)
        outcomes = {address: _outcome(address) for address in to}
        message_id = f"0102{time.time_ns():014x}-{len(sent):08x}-000000"
        _times.extend([time.monotonic()] * len(to))
        sent.append(_record(request, message_id, to, outcomes))
    _tell(request, message_id, outcomes)
    return message_id


def _check_form(request: Request) -> None:
    if too_large := _size_problem(request.api, request.raw):
        raise Refused("invalid", too_large)
    if not request.to:
        raise Refused("invalid", "Missing required header 'To'.")
    if len(request.to) > RECIPIENTS_LIMIT:
        raise Refused("invalid", f"Recipient count exceeds {RECIPIENTS_LIMIT}.")
    for address in [request.source, *request.to]:
        if not _is_address(parseaddr(address)[1]):
            raise Refused("invalid", "Missing final '@domain'")
    if problem := mail.problem(request.raw):
        raise Refused("invalid", problem)


def _size_problem(api: int, raw: bytes) -> str | None:
    limit = RAW_LIMIT_BYTES[api]
    return f"Message length is more than {limit} bytes long: '{len(raw)}'." if len(raw) > limit else None


def _is_address(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    return bool(local and at and domain) and address.isascii() and not any(one.isspace() for one in address)


def _check_account(request: Request, to: list[str]) -> None:
    source = parseaddr(request.source)[1]
    if _account.state != "enabled":
        raise Refused(_account.state)
    checked = [source, *(one for one in to if not one.lower().endswith(SIMULATOR))] if _account.sandbox else [source]
    if failed := [one for one in checked if not _is_verified(one)]:
        identities = ", ".join(failed)
        text = "Email address is not verified. The following identities failed the check in region"
        raise Refused("rejected", f"{text} {REGION.upper()}: {identities}")
    if request.configuration_set and request.configuration_set not in _backend().config_sets:
        raise Refused("invalid", f"Configuration set <{request.configuration_set}> does not exist.")
    if any(one in _account.rejected for one in [source, *to]):
        raise Refused("rejected", "Message content rejected.")
    _leave_out_yesterday()
    if len(_times) + len(to) > _account.daily_limit:
        raise Refused("daily")
    most = math.ceil(_account.rate_limit)
    since = time.monotonic() - most / _account.rate_limit / _speed
    if sum(moment > since for moment in _times) >= most:
        raise Refused("rate")


def _leave_out_yesterday() -> None:
    day_ago = time.monotonic() - DAY_SECONDS / _speed
    while _times and _times[0] <= day_ago:
        _times.popleft()


def _is_verified(address: str) -> bool:
    """The address itself, its domain, or one above it."""
    local, _, domain = address.rpartition("@")
    identities = _backend().email_identities
    labels = domain.lower().split(".")
    return f"{local}@{domain}" in identities or any(".".join(labels[n:]) in identities for n in range(len(labels) - 1))


def _outcome(address: str) -> str:
    local, _, domain = address.lower().partition("@")
    if f"@{domain}" == SIMULATOR:
        return {"bounce": "bounced", "complaint": "complained", "suppressionlist": "suppressed"}.get(local, "delivered")
    if address in _suppressed:
        return "suppressed"
    if address in _account.bounced:
        _suppressed.add(address)
        return "bounced"
    return "complained" if address in _account.complained else "delivered"


def _record(request: Request, message_id: str, to: list[str], outcomes: dict[str, str]) -> dict:
    read = mail.read(request.raw)
    return {
        "id": message_id,
        "api": request.api,
        "from": request.source,
        "to": to,
        **asdict(read),
        "bytes": len(request.raw),
        "configuration_set": request.configuration_set,
        "outcomes": outcomes,
    }


def _tell(request: Request, message_id: str, outcomes: dict[str, str]) -> None:
    """As SES publishes it: a bounce of a suppressed address is one too."""
    source = parseaddr(request.source)[1]
    topics = _backend().sns_topics.get(source) or _backend().sns_topics.get(source.rpartition("@")[2]) or {}
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    about = {"timestamp": now, "messageId": message_id, "source": source, "destination": list(outcomes)}
    bounced = [one for one, outcome in outcomes.items() if outcome in ("bounced", "suppressed")]
    complained = [one for one, outcome in outcomes.items() if outcome == "complained"]
    if bounced and topics.get("Bounce"):
        recipients = [{"emailAddress": one, "action": "failed", "status": "5.1.1"} for one in bounced]
        bounce = {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": recipients,
            "timestamp": now,
        }
        told = {"notificationType": "Bounce", "bounce": bounce, "mail": about}
        client("sns").publish(TopicArn=topics["Bounce"], Message=json.dumps(told))
    if complained and topics.get("Complaint"):
        complaint = {"complainedRecipients": [{"emailAddress": one} for one in complained], "timestamp": now}
        told = {"notificationType": "Complaint", "complaint": complaint, "mail": about}
        client("sns").publish(TopicArn=topics["Complaint"], Message=json.dumps(told))
