"""How others reach the emulated AWS: over connections that are kept, as AWS keeps them.

Contract: `Handler` gives each request to the server's application (WSGI), read to its end, so that what is left unread is never taken for the next
request. werkzeug's own handler closes every connection, and waits up to 10 ms for more to come of it.
"""

import io

from moto.moto_server.werkzeug_app import MotoRequestHandler

from .transport import answered


class Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    # On a connection that is kept, the second half of an answer would wait for the first one to be acknowledged.
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        is_chunked = environ.pop("wsgi.input_terminated", False)
        body = environ["wsgi.input"].read() if is_chunked else self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        try:
            status, headers, answer = answered(self.server.app, environ)
        except ConnectionError:
            self.close_connection = True
            return
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)
