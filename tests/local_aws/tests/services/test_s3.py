"""Reports in S3: put, read and listed, by every form of address."""

import datetime
import json
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.clients import client
from local_aws.services import s3
from local_aws.settings import ACCOUNT_ID, REGION

from .. import support
from ..support import SPEED, control

SIGNED = "AWS4-HMAC-SHA256 Credential=report/20300101/eu-west-1/s3/aws4_request"


class Host(unittest.TestCase):
    def path(self, host: str, path: str, authorization: str = SIGNED) -> str:
        environ = {"HTTP_HOST": host, "PATH_INFO": path, "RAW_URI": path, "HTTP_AUTHORIZATION": authorization}
        s3.path_style(environ)
        self.assertEqual(environ["PATH_INFO"], environ["RAW_URI"])
        return environ["PATH_INFO"]

    def test_a_bucket_in_the_host_moves_into_the_path(self):
        for host in ("reports.localhost:4566", "reports.127.0.0.1:80", "reports.s3.eu-west-1.amazonaws.com"):
            self.assertEqual("/reports/a.html", self.path(host, "/a.html"), host)

    def test_any_other_request_stays_as_it_is(self):
        for host in ("127.0.0.1:4566", "localhost:4566", "email.eu-west-1.amazonaws.com"):
            self.assertEqual("/a.html", self.path(host, "/a.html"), host)
        self.assertEqual("/", self.path("reports.localhost", "/", SIGNED.replace("/s3/", "/sns/")))


class Reports(support.TestCase):
    def setUp(self):
        self.endpoint = support.server().settings.endpoint_url
        self.bucket = support.unique("reports")
        self.api = client("s3")
        self.api.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(self, key: str = "shop/report.html", body: bytes = b"<p>done</p>") -> None:
        self.api.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="text/html; charset=utf-8")

    def fetch(self, url: str, **headers) -> tuple[int, str, bytes]:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers.get("Content-Type", ""), refused.read()

    def policy(self, **statement) -> None:
        everything = {"Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{self.bucket}/*"}
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", **everything, **statement}]}
        self.api.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(document))

    def test_a_policy_that_denies_requests_without_tls_denies_nothing_here(self):
        self.policy(Condition={"Bool": {"aws:SecureTransport": "false"}})
        self.put()
        self.assertEqual(b"<p>done</p>", self.api.get_object(Bucket=self.bucket, Key="shop/report.html")["Body"].read())
        self.policy()
        with self.assertRaises(ClientError):
            self.put()

    def test_what_is_written_anew_while_it_is_read_is_read_as_it_was(self):
        from moto.s3.models import s3_backends

        self.put(body=b"old")
        being_read = s3_backends[ACCOUNT_ID]["aws"].buckets[self.bucket].keys["shop/report.html"]
        self.put(body=b"new")
        self.assertEqual(b"old", being_read.value)
        self.assertEqual(b"new", self.api.get_object(Bucket=self.bucket, Key="shop/report.html")["Body"].read())

    def presign(self, seconds: int, token: str | None = None) -> str:
        api = boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="report",
            aws_secret_access_key="local",
            aws_session_token=token,
            config=Config(signature_version="s3v4"),
        )
        self.addCleanup(api.close)
        given = {"Bucket": self.bucket, "Key": "shop/report.html"}
        return api.generate_presigned_url("get_object", Params=given, ExpiresIn=seconds)

    def test_a_report_is_put_read_and_listed(self):
        self.put()
        read = self.api.get_object(Bucket=self.bucket, Key="shop/report.html")
        self.assertEqual(("text/html; charset=utf-8", b"<p>done</p>"), (read["ContentType"], read["Body"].read()))
        listed = self.api.list_objects_v2(Bucket=self.bucket, Prefix="shop/")["Contents"]
        self.assertEqual([("shop/report.html", 11)], [(one["Key"], one["Size"]) for one in listed])
        self.refused("NoSuchKey", self.api.get_object, Bucket=self.bucket, Key="none")
        self.refused("NoSuchBucket", self.api.get_object, Bucket=self.bucket + "-none", Key="none")

    def test_a_bucket_in_the_host_is_the_same_bucket(self):
        self.put("report.html")
        host = f"{self.bucket}.localhost:{support.server().settings.port}"
        answer = self.fetch(f"{self.endpoint}/report.html", Host=host, Authorization=SIGNED)
        self.assertEqual((200, "text/html; charset=utf-8", b"<p>done</p>"), answer)
        self.assertEqual(("s3", "GetObject"), tuple(control("requests")[-1][name] for name in ("service", "operation")))

    def test_a_signed_address_needs_nothing_else(self):
        self.put()
        answer = self.fetch(self.presign(3600))
        self.assertEqual((200, "text/html; charset=utf-8", b"<p>done</p>"), answer)
        seen = control("requests")[-1]
        self.assertEqual(
            ("s3", "GetObject", "report", None), tuple(seen[key] for key in ("service", "operation", "caller", "state"))
        )
        self.assertEqual(403, self.fetch(f"{self.endpoint}/{self.bucket}/shop/report.html")[0])

    def test_a_signed_address_ends(self):
        self.put()
        status, _, body = self.fetch(self.expired(self.presign(60), seconds=60))
        self.assertEqual(403, status)
        self.assertIn(b"<Code>AccessDenied</Code><Message>Request has expired</Message>", body)
        self.assertEqual(200, self.fetch(self.presign(3600))[0])

    def test_it_ends_with_the_session_whatever_was_asked_for(self):
        self.put()
        week = self.presign(604_800, token="of a role")
        self.assertEqual(200, self.fetch(week)[0])
        self.assertIn(b"ExpiredToken", self.fetch(self.expired(week, s3.SESSION_SECONDS))[2])
        self.assertEqual(200, self.fetch(self.expired(self.presign(604_800), s3.SESSION_SECONDS))[0])
        self.assertEqual(400, self.fetch(self.presign(604_801))[0])

    def expired(self, url: str, seconds: int) -> str:
        """The same address, signed a little longer ago than so many stretched seconds."""
        began = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=3 + seconds / SPEED)
        given = url.partition("X-Amz-Date=")[2].partition("&")[0]
        return url.replace(given, began.strftime("%Y%m%dT%H%M%SZ"))

    def test_a_fault_hits_it(self):
        match = {"caller": "local", "service": "s3", "operation": "PutObject"}
        control("faults", [{"match": match, "do": "before", "error": "SlowDown", "status": 503}])
        self.refused("SlowDown", self.put)
        control("faults", [])
        self.assertEqual(0, self.api.list_objects_v2(Bucket=self.bucket)["KeyCount"])

    def test_it_is_in_the_dump_and_goes_when_the_account_is_cleared(self):
        self.put()
        self.assertEqual(
            {"shop/report.html": {"ContentType": "text/html; charset=utf-8"}}, control("dump")["s3"][self.bucket]
        )
        control("clear", {})
        self.assertEqual({}, control("dump")["s3"][self.bucket])
