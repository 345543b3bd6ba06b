"""Pages in browsers do not reach the emulated AWS."""

import http.client
import json
import unittest
from urllib.parse import urlsplit

from local_aws.control import guard

from .. import support


class Hosts(unittest.TestCase):
    def test_only_this_machine_is_a_host(self):
        for host in ("localhost", "LOCALHOST:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "[::1]", "b.127.0.0.1:80", "b.localhost"):
            with self.subTest(host):
                self.assertTrue(guard.is_here(host))
        for host in ("", "evil.example.net", "evil.example.net:80", "127.0.0.1.evil.example.net", "localhost.evil.net", "10.0.0.1",
                     "0.0.0.0", "[::]", "169.254.169.254", "localhost:x", "::ffff:10.0.0.1", "xlocalhost"):  # fmt: skip
            with self.subTest(host):
                self.assertFalse(guard.is_here(host))


class Requests(support.TestCase):
    """As a page would send them: a body that needs no preflight, to what starts programs."""

    def send(self, path: str, **headers: str) -> int:
        here = urlsplit(support.server().settings.endpoint_url)
        connection = http.client.HTTPConnection(here.hostname, here.port, timeout=10)
        self.addCleanup(connection.close)
        body = json.dumps({"template": "/etc", "stack": "x"})
        connection.request("POST", path, body, {"Content-Type": "text/plain", **headers})
        return connection.getresponse().status

    def test_a_page_cannot_start_programs(self):
        evil = "http://evil.example.net"
        for path in ("/_local/deploy", "/_local/faults", "/2015-03-31/functions/cutover-alarms/invocations", "/"):
            for headers in ({"Origin": evil}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"},
                            {"Host": "evil.example.net"}, {"Host": "127.0.0.1.evil.example.net"}):  # fmt: skip
                with self.subTest(path=path, headers=headers):
                    self.assertEqual(403, self.send(path, **headers))

    def test_a_program_can_ask(self):
        here = urlsplit(support.server().settings.endpoint_url)
        connection = http.client.HTTPConnection(here.hostname, here.port, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", "/_local/messages")
        self.assertEqual(200, connection.getresponse().status)


if __name__ == "__main__":
    unittest.main()
