"""Who may speak to the emulated AWS over HTTP: programs on this machine that mean it.

Contract: `Guard(application)` is a WSGI middleware around everything that listens. The emulated AWS starts programs and checks no signature, so a page that
is open in a browser on this machine must not reach it. A request with an `Origin` or a `Sec-Fetch-Site` header is a browser's, and one whose `Host` is not
this machine's was led here by a name that is somebody else's (DNS rebinding): both are answered 403, and nothing is read of them.
"""

import ipaddress

SAYS_BROWSER = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE")


class Guard:
    def __init__(self, application):
        self._application = application

    def __call__(self, environ, start_response):
        why = problem(environ)
        if why is None:
            return self._application(environ, start_response)
        body = f"The emulated AWS does not answer this: {why}.\n".encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("Connection", "close")]
        start_response("403 Forbidden", headers)
        return [body]


def problem(environ: dict) -> str | None:
    """Why a request is not answered; None if it is."""
    for name in SAYS_BROWSER:
        if name in environ:
            return f"it has the header {name.removeprefix('HTTP_').replace('_', '-').title()}, so a page in a browser sends it"
    host = environ.get("HTTP_HOST", "")
    return None if is_here(host) else "its Host is not this machine"


def is_here(host: str) -> bool:
    """By name or address, with or without a port; a bucket may stand before it. Nobody can own a name under `localhost` or under a number."""
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    name = (name if port.isdigit() and name else host).lower().rstrip(".")
    if name == "localhost" or name.endswith((".localhost", ".127.0.0.1")):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
