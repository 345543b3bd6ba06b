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
import json

from . import mail
from .ses_sending import CODES, Refused, Request, account, configure, forget, quota, send, sent, set_speed, size_problem

__all__ = ["configure", "forget", "install", "sent", "set_speed"]


def install(speed: float) -> None:
    from moto.ses.models import EmailIdentity
    from moto.ses.responses import EmailResponse
    from moto.sesv2.responses import SESV2Response
    from moto.sesv2.urls import url_paths

    set_speed(speed)
    EmailResponse.send_raw_email, EmailResponse.send_email = _send_raw_v1, _send_simple_v1
    EmailResponse.get_send_quota = _quota_v1
    SESV2Response.send_email, SESV2Response.get_account = _send_v2, _account_v2
    url_paths["{0}/v2/email/account$"] = SESV2Response.dispatch
    # moto's identities may never send, by what it says of them.
    EmailIdentity.verified_for_sending_status = property(lambda self: True, lambda self, value: None)


def _send_raw_v1(self):
    from moto.ses.exceptions import SesError

    raw = self._get_param("RawMessage.Data")
    raw = raw.encode() if isinstance(raw, str) else raw
    if too_large := size_problem(1, raw):
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

    return ActionResult(quota())


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
    limits = quota()
    return json.dumps(
        {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "SHUTDOWN" if account().state == "suspended" else "HEALTHY",
            "ProductionAccessEnabled": not account().sandbox,
            "SendQuota": limits,
            "SendingEnabled": account().state == "enabled",
        }
    )


def _all_of(destination: dict) -> list[str]:
    return [one for key in ("ToAddresses", "CcAddresses", "BccAddresses") for one in destination.get(key) or []]
