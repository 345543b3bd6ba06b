"""Who asks for what: reads a request's caller, service and operation, and writes errors in its protocol.

Contract: `identify(environ)` answers a Call, or None for what is no signed AWS request; the body can still be read after it.
Services go by their IAM prefixes (`route53`, `elasticloadbalancing`, `dms`, `cloudwatch`, `sns`, `states`, `lambda`,
`dynamodb`), so that a request reads like the permission that it needs.
"""

import io
import json
import re
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from ..services import s3
from . import cbor

CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/aws4_request")
CBOR_PATH = re.compile(r"^/service/[^/]+/operation/(\w+)$")
INVOKE_PATH = re.compile(r"^/2015-03-31/functions/([^/]+)/invocations$")
SERVICE_OF_SIGNING_NAME = {"monitoring": "cloudwatch"}
# Names that a person may write instead of the IAM prefix.
ALIASES = {
    "elbv2": "elasticloadbalancing",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "databasemigration": "dms",
    "sfn": "states",
    "stepfunctions": "states",
}


@dataclass
class Call:
    access_key: str
    session_token: str | None  # of a function: which of its processes asks
    caller: str
    service: str
    operation: str
    protocol: str  # json, query, rest-xml, rest-json or cbor
    state: str | None
    execution: str | None
    function: str | None  # of a Lambda invocation
    account: str = ""  # whose things are asked about: of a role that is assumed, that role's
    is_presigned: bool = False  # by whom it is signed; who asks is not known

    @property
    def machine(self) -> str | None:
        """The name of the state machine for which this is asked."""
        return self.execution.split(":")[6] if self.execution else None


def service_name(name: str) -> str:
    return ALIASES.get(name, name)


def identify(environ: dict) -> Call | None:
    presigned = s3.presigned(environ)
    signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION") or presigned or "")
    if not signed:
        return None
    service = SERVICE_OF_SIGNING_NAME.get(signed[2], signed[2])
    protocol, operation = _operation(environ, service)
    invoked = INVOKE_PATH.match(environ["PATH_INFO"])
    return Call(
        access_key=signed[1],
        session_token=environ.get("HTTP_X_AMZ_SECURITY_TOKEN"),
        caller=signed[1],
        service=service,
        operation=operation or "Unknown",
        protocol=protocol,
        state=environ.get("HTTP_X_CUTOVER_STATE") or None,
        execution=environ.get("HTTP_X_CUTOVER_EXECUTION") or None,
        function=unquote(invoked[1]).rpartition(":")[2] if invoked else None,
        is_presigned=presigned is not None,
    )


def _operation(environ: dict, service: str) -> tuple[str, str | None]:
    if found := CBOR_PATH.match(environ["PATH_INFO"]):
        return "cbor", found[1]
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return "json", target.rpartition(".")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return "query", parse_qs(read_body(environ).decode()).get("Action", [None])[0]
    # Both versions of SES sign with the same name.
    routed_as = "sesv2" if service == "ses" and environ["PATH_INFO"].startswith("/v2/") else service
    return ("rest-xml" if service in ("route53", "s3") else "rest-json"), _routed(environ, routed_as)


def _routed(environ: dict, service: str) -> str | None:
    from moto.core.routing import get_service_router
    from moto.moto_server.werkzeug_app import BackendRequest
    from werkzeug.exceptions import HTTPException

    try:
        return get_service_router(service).match(BackendRequest(environ))[0].name
    except (HTTPException, NotImplementedError, ValueError):
        return None
    except Exception as problem:
        # A service that botocore knows by another name than its signing name.
        if type(problem).__name__ in ("UnknownServiceError", "NotFound"):
            return None
        raise


def read_body(environ: dict) -> bytes:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def error_answer(call: Call, code: str, message: str, status: int) -> tuple[int, dict[str, str], bytes]:
    """An error as the service itself would answer it."""
    if code == "AccessDenied" and call.protocol in ("json", "cbor", "rest-json"):
        code = "AccessDeniedException"
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-RequestId": request_id}
    if call.protocol == "json":
        headers["Content-Type"] = "application/x-amz-json-1.0"
        return status, headers, json.dumps({"__type": code, "message": message}).encode()
    if call.protocol == "rest-json":
        headers |= {"Content-Type": "application/json", "x-amzn-ErrorType": code}
        return status, headers, json.dumps({"message": message}).encode()
    if call.protocol == "cbor":
        headers |= cbor.HEADERS
        return status, headers, cbor.encode({"__type": code, "message": message})
    headers["Content-Type"] = "text/xml"
    if call.service == "s3":
        told = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message><RequestId>{request_id}</RequestId>"
        return status, headers, f'<?xml version="1.0" encoding="UTF-8"?><Error>{told}</Error>'.encode()
    body = (
        f"<ErrorResponse><Error><Type>{'Sender' if status < 500 else 'Receiver'}</Type><Code>{escape(code)}</Code>"
        f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return status, headers, body.encode()


def function_error_answer(error_type: str, message: str) -> tuple[int, dict[str, str], bytes]:
    """What Lambda answers when the function, not the service, has failed."""
    body = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
    return 200, {"Content-Type": "application/json", "X-Amz-Function-Error": "Unhandled"}, body
