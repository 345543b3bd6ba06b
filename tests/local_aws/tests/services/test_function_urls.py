"""Function URLs: who may call, with what, and what is answered."""

import base64
import json
import unittest
import urllib.error
import urllib.request

from local_aws.clients import client
from local_aws.services import function_urls, functions

from .. import support

PUBLIC = [
    {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
]


def function() -> str:
    path = json.dumps({"path": str(support.server().settings.bin_dir / "echo")})
    name = support.unique("with-a-url")
    functions.create(name, functions.zipped("pointer.json", path))
    return name


def serve(name: str, permissions: list[dict]) -> str:
    for index, permission in enumerate(permissions):
        client("lambda").add_permission(FunctionName=name, StatementId=f"p{index}", Principal="*", **permission)
    return client("lambda").create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]


def status(url: str, **more) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **more)) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


class FunctionUrls(support.TestCase):
    def test_a_request_invokes_the_function(self):
        url = serve(function(), PUBLIC)
        with urllib.request.urlopen(f"{url}a/b?c=d") as answer:
            # The echo answers no status: that is a body of JSON.
            self.assertIn("pid", json.load(answer))
        payload = support.control("invocations")[-1]["payload"]
        self.assertEqual(("2.0", "/a/b", "c=d"), (payload["version"], payload["rawPath"], payload["rawQueryString"]))
        self.assertEqual("GET", payload["requestContext"]["http"]["method"])
        self.assertEqual(url, f"http://{payload['requestContext']['domainName']}/")

    def test_everybody_may_call_only_with_both_permissions(self):
        for permissions in ([], PUBLIC[:1], PUBLIC[1:]):
            self.assertEqual(403, status(serve(function(), permissions)), permissions)

    def test_a_url_goes_with_its_configuration_and_its_function(self):
        for delete in (client("lambda").delete_function_url_config, client("lambda").delete_function):
            name = function()
            url = serve(name, PUBLIC)
            self.assertEqual(200, status(url))
            delete(FunctionName=name)
            with self.assertRaises(urllib.error.URLError):
                status(url)

    def test_a_body_that_is_too_large_does_not_reach_it(self):
        self.assertEqual(413, status(serve(function(), PUBLIC), data=b"x" * (6 * 1024 * 1024 + 1)))


class Events(unittest.TestCase):
    def of(self, headers, body=b"", target="/") -> dict:
        return function_urls.event("POST", target, headers, body, "127.0.0.1", 0.0)

    def test_names_of_headers_are_in_lower_case_and_cookies_apart(self):
        made = self.of([("Host", "x"), ("Accept", "a"), ("ACCEPT", "b"), ("Cookie", "c=1; d=2")])
        self.assertEqual({"host": "x", "accept": "a,b"}, made["headers"])
        self.assertEqual(["c=1", "d=2"], made["cookies"])
        self.assertEqual("01/Jan/1970:00:00:00 +0000", made["requestContext"]["time"])

    def test_a_form_is_in_base64_and_text_is_not(self):
        form = self.of([("Content-Type", "application/x-www-form-urlencoded")], b"a=b")
        self.assertEqual((base64.b64encode(b"a=b").decode(), True), (form["body"], form["isBase64Encoded"]))
        text = self.of([("Content-Type", "application/json; charset=utf-8")], b"{}")
        self.assertEqual(("{}", False), (text["body"], text["isBase64Encoded"]))
        self.assertNotIn("body", self.of([]))

    def test_parameters_of_one_name_are_joined(self):
        self.assertEqual({"a": "1,2", "b": ""}, self.of([], target="/?a=1&a=2&b=")["queryStringParameters"])


class Responses(unittest.TestCase):
    def test_an_answer_with_a_status_is_a_response(self):
        answer = {"statusCode": 303, "headers": {"location": "/a"}, "cookies": ["c=1"], "body": "é"}
        status, headers, body = function_urls.response(json.dumps(answer).encode(), None)
        self.assertEqual((303, "é".encode()), (status, body))
        self.assertEqual([("location", "/a"), ("Set-Cookie", "c=1"), ("Content-Type", "application/json")], headers)
        encoded = {"statusCode": 200, "body": base64.b64encode(b"\xff").decode(), "isBase64Encoded": True}
        self.assertEqual(b"\xff", function_urls.response(json.dumps(encoded).encode(), None)[2])

    def test_an_error_is_not_shown(self):
        status, _, body = function_urls.response(b'{"errorMessage":"secret"}', "Unhandled")
        self.assertEqual((502, b'{"Message":"Internal Server Error"}'), (status, body))
