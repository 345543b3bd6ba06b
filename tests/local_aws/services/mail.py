"""A raw mail, read as a mail program would, and what SES refuses of it; pure functions.

Contract: `read(raw)` answers a Mail: its headers, and both its parts as text. `problem(raw)` answers why SES would refuse it, or None.
The rules are those of RFC 5322 as SES applies them ("Sending raw email").
"""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from functools import lru_cache

# At most one of each.
SINGLE_HEADERS = ("Bcc", "Cc", "Date", "From", "Message-ID", "Reply-To", "Return-Path", "Sender", "Subject", "To")
LINE_LIMIT = 1000  # with its end


@dataclass
class Mail:
    headers: dict[str, str]  # decoded; of several with one name, the first
    subject: str | None
    text: str | None
    html: str | None
    attachments: list[dict]  # {"name", "type", "bytes"}


def read(raw: bytes) -> Mail:
    message = _parse(raw)
    headers: dict[str, str] = {}
    for name, value in message.items():
        headers.setdefault(name, str(value))
    text, html = (message.get_body(preferencelist=(kind,)) for kind in ("plain", "html"))
    return Mail(
        headers=headers,
        subject=str(message["Subject"]) if message["Subject"] is not None else None,
        text=_content(text),
        html=_content(html),
        attachments=[_attachment(part) for part in message.iter_attachments()],
    )


@lru_cache(maxsize=1)  # each mail is looked at several times
def _parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def _content(part: EmailMessage | None) -> str | None:
    return part.get_content().replace("\r\n", "\n") if part is not None else None


def _attachment(part: EmailMessage) -> dict:
    content = part.get_payload(decode=True) or b""
    return {"name": part.get_filename(), "type": part.get_content_type(), "bytes": len(content)}


def recipients(raw: bytes) -> list[str]:
    """Those of the headers."""
    message = _parse(raw)
    return [
        address for _, address in getaddresses([str(message[name]) for name in ("To", "Cc", "Bcc") if message[name]])
    ]


def sender(raw: bytes) -> str | None:
    message = _parse(raw)
    found = getaddresses([str(message["From"])]) if message["From"] else []
    return found[0][1] if found else None


def problem(raw: bytes) -> str | None:
    message = _parse(raw)
    names = [name.lower() for name in message.keys()]
    for header in SINGLE_HEADERS:
        if names.count(header.lower()) > 1:
            return f"Duplicate header '{header}'."
    if "from" not in names:
        return "Missing required header 'From'."
    if message.get_content_maintype() == "multipart" and not message.get_boundary():
        return "Expected ';', got \"multipart\""
    longest = max((len(line) for line in raw.splitlines(keepends=True)), default=0)
    if longest > LINE_LIMIT:
        return f"A line of the message has {longest} characters; {LINE_LIMIT} are the limit."
    return None


def written(source: str, destination: dict, subject: str, text: str | None, html: str | None) -> bytes:
    """The mail that SES makes itself of a subject and parts."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["Subject"] = source, subject
    for header, key in (("To", "ToAddresses"), ("Cc", "CcAddresses")):
        if destination.get(key):
            message[header] = ", ".join(destination[key])
    message.set_content(text if text is not None else html or "", subtype="plain" if text is not None else "html")
    if text is not None and html is not None:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()
