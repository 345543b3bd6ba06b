"""Function URLs: a web server on 127.0.0.1 for each, which calls the function as Lambda does (payload format 2.0).

Contract: `install()` lets CreateFunctionUrlConfig answer `http://127.0.0.1:<port>/`, where it is served until the configuration or the
function is deleted. Requests become events and answers become responses as the Lambda developer guide says (invoking function URLs):
header names in lower case, values of one name joined by commas, cookies apart, a body in Base64 unless it is text; an answer without
`statusCode` is a body of JSON, a function that failed is 502, a body of more than 6 MB is 413. Who may: with AuthType NONE the function's policy has to allow
everybody `lambda:InvokeFunctionUrl` for that AuthType, and `lambda:InvokeFunction` by way of the URL (both since October 2025), else 403.
AuthType AWS_IAM is refused here: nobody signs.
Stock moto stores the configuration, with an address where nobody listens.
"""

import base64
import datetime
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from .. import clients

MOST_BODY_BYTES = 6 * 1024 * 1024
TEXT = ("text/", "application/json", "application/javascript", "application/xml")

_servers: dict[str, ThreadingHTTPServer] = {}


def install() -> None:
    from moto.awslambda.models import LambdaBackend, LambdaFunction

    stock_create, stock_delete = LambdaFunction.create_url_config, LambdaFunction.delete_url_config
    stock_delete_function = LambdaBackend.delete_function

    def create_url_config(self, config):
        made = stock_create(self, config)
        made.url = _serve(self)
        return made

    def delete_url_config(self):
        _stop(self.function_name)
        stock_delete(self)

    def delete_function(self, function_name, *args, **kwargs):
        _stop(function_name.rpartition(":")[2])
        return stock_delete_function(self, function_name, *args, **kwargs)

    LambdaFunction.create_url_config, LambdaFunction.delete_url_config = create_url_config, delete_url_config
    LambdaBackend.delete_function = delete_function


def _serve(function) -> str:
    _stop(function.function_name)
    server = _Server(("127.0.0.1", 0), _handler(function))
    _servers[function.function_name] = server
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/"


def _stop(name: str) -> None:
    if server := _servers.pop(name, None):
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


# ---- Events and answers: pure ----------------------------------------------------------------------------------------


def is_public(statements: list[dict], auth_type: str | None) -> bool:
    """Whether anybody may call by the URL."""

    def allows(action: str, **of) -> bool:
        return any(
            one.get("Action") == action and one.get("Principal") == "*" and all(one.get(k) == v for k, v in of.items())
            for one in statements
        )

    by_url = allows("lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    function = allows("lambda:InvokeFunction", InvokedViaFunctionUrl=True) or allows("lambda:InvokeFunction")
    return auth_type == "NONE" and by_url and function


def event(method: str, target: str, headers: list[tuple[str, str]], body: bytes, source_ip: str, now: float) -> dict:
    """What a function is called with."""
    path, _, query = target.partition("?")
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    cookies = [one.strip() for one in joined.pop("cookie", "").split(";") if one.strip()]
    host = joined.get("host", "")
    made = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": joined,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": host.partition(".")[0],
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source_ip,
                "userAgent": joined.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": datetime.datetime.fromtimestamp(now, datetime.timezone.utc).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        made["cookies"] = cookies
    if query:
        made["queryStringParameters"] = _parameters(query)
    if body:
        is_text = joined.get("content-type", "").lower().startswith(TEXT)
        made["body"] = body.decode() if is_text else base64.b64encode(body).decode()
        made["isBase64Encoded"] = not is_text
    return made


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def response(answer: bytes, error: str | None) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of what a function has answered."""
    if error:
        return 502, [("Content-Type", "application/json")], b'{"Message":"Internal Server Error"}'
    said = json.loads(answer or b"null")
    if not isinstance(said, dict) or "statusCode" not in said:
        text = said if isinstance(said, str) else json.dumps(said)
        return 200, [("Content-Type", "application/json")], text.encode()
    headers = [(name, str(value)) for name, value in (said.get("headers") or {}).items()]
    headers += [("Set-Cookie", cookie) for cookie in said.get("cookies") or []]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    body = (said.get("body") or "").encode()
    return int(said["statusCode"]), headers, base64.b64decode(body) if said.get("isBase64Encoded") else body


# ---- The server ------------------------------------------------------------------------------------------------------


def _handler(function) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def _any(self):
            # Read in any case: whoever still sends does not see an answer.
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if len(body) > MOST_BODY_BYTES:
                return self._answer(413, [("Content-Type", "application/json")], b'{"Message":"Request Entity Too Large"}')
            config = function.url_config
            if not is_public(function.policy.statements, config and config.config.get("AuthType")):
                forbidden = b'{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see the Lambda developer guide"}'
                return self._answer(403, [("Content-Type", "application/json")], forbidden)
            called = event(self.command, self.path, self.headers.items(), body, self.client_address[0], time.time())
            answer = clients.client("lambda").invoke(
                FunctionName=function.function_name, Payload=json.dumps(called).encode()
            )
            return self._answer(*response(answer["Payload"].read(), answer.get("FunctionError")))

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _any  # noqa: N815 (its names)

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler
