"""How the emulated AWS's own clients reach it: by a call instead of a connection.

Contract: `InProcess(application)` takes the place of a botocore client's HTTP session. The application (WSGI) sees the same request as
over a socket; only the way there costs nothing. Most requests are made by the state machines and by the control API, both in
this process, and half of what such a request costs would be connections, threads and headers that are written and parsed again.
"""

import io
import socket
import sys
import traceback
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError


def answered(application, environ: dict) -> tuple[str, list, bytes]:
    """What an application answers: status, headers, body. One that fails is answered for; one that breaks the connection off is not."""
    begun = []
    try:
        body = b"".join(application(environ, lambda *head: begun.append(head)))
        return *begun[0][:2], body
    except ConnectionError:
        raise
    except Exception:
        traceback.print_exc()
        return "500 Internal Server Error", [], b""


class InProcess:
    def __init__(self, application):
        self._application = application

    def send(self, request) -> AWSResponse:
        try:
            status, headers, body = answered(self._application, _environ(request))
        except ConnectionError as problem:
            raise ConnectionClosedError(error=problem, request=request, endpoint_url=request.url) from problem
        answer = AWSResponse(request.url, int(status.split()[0]), dict(headers), _Body(body))
        if not request.stream_output:
            _ = answer.content  # read, as the session of botocore has it
        return answer

    def close(self) -> None:
        pass


class _Body(io.BytesIO):
    def stream(self, *_, **__):
        yield self.read()


class _NoConnection:
    """A fault may break the connection off."""

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_RDWR


def _environ(request) -> dict:
    """As werkzeug's server makes it of what comes in."""
    url, body = urlsplit(request.url), _bytes(request.body)
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    environ = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "werkzeug.socket": _NoConnection(),
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path or "/").encode().decode("latin1"),
        "QUERY_STRING": url.query,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "REMOTE_ADDR": url.hostname,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value.decode() if isinstance(value, bytes) else value
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _bytes(body) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return body.read() if hasattr(body, "read") else bytes(body)
