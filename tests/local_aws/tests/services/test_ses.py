"""SES: what was sent can be read with both its parts, and what AWS would not send is refused."""

import json
import time
import unittest
from email.message import EmailMessage

from local_aws.clients import client
from local_aws.services import mail

from .. import support
from ..support import SPEED, control

SENDER = "cutover@shop.example"


def raw(to: str = "ada@example.org", subject: str = "Cutover of shop: half way – 50 %", **headers) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Cutover <{SENDER}>", to, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Half of the users are on the new side.\n")
    message.add_alternative("<p>Half of the users are on the <b>new</b> side.</p>\n", subtype="html")
    message.add_attachment(b"a,b\n", maintype="text", subtype="csv", filename="numbers.csv")
    return message.as_bytes()


class Reading(unittest.TestCase):
    def test_a_mail_has_headers_both_parts_and_attachments(self):
        read = mail.read(raw(Auto_Submitted="auto-generated"))
        self.assertEqual("Cutover of shop: half way – 50 %", read.subject)
        self.assertEqual("Half of the users are on the new side.\n", read.text)
        self.assertIn("<b>new</b>", read.html)
        self.assertEqual("auto-generated", read.headers["Auto-Submitted"])
        self.assertEqual([{"name": "numbers.csv", "type": "text/csv", "bytes": 4}], read.attachments)

    def test_what_is_wrong_with_a_mail(self):
        self.assertIsNone(mail.problem(raw()))
        self.assertIn("Duplicate header 'Subject'", mail.problem(b"Subject: one\n" + raw()))
        self.assertIn("'From'", mail.problem(b"To: ada@example.org\n\nhello\n"))
        self.assertIn("1200", mail.problem(raw().replace(b"Half", b"x" * 1165, 1)))


class Ses(support.TestCase):
    def setUp(self):
        control("clear", {})
        self.v1, self.v2 = client("ses"), client("sesv2")
        self.v1.verify_email_identity(EmailAddress=SENDER)

    def send(self, content: bytes | None = None, **fields) -> str:
        return self.v1.send_raw_email(RawMessage={"Data": content or raw()}, **fields)["MessageId"]

    def send_v2(self, content: bytes | None = None, **fields) -> str:
        return self.v2.send_email(Content={"Raw": {"Data": content or raw()}}, **fields)["MessageId"]


class Sending(Ses):
    def test_what_was_sent_is_readable(self):
        for api, send in ((1, self.send), (2, self.send_v2)):
            message_id = send()
            sent = control("mail")[-1]
            self.assertEqual((message_id, api, ["ada@example.org"]), (sent["id"], sent["api"], sent["to"]))
            self.assertEqual("Cutover of shop: half way – 50 %", sent["subject"])
            self.assertEqual("Half of the users are on the new side.\n", sent["text"])
            self.assertIn("<b>new</b>", sent["html"])
            self.assertEqual({"ada@example.org": "delivered"}, sent["outcomes"])
            self.assertEqual(f"Cutover <{SENDER}>", sent["headers"]["From"])

    def test_destinations_win_over_the_headers(self):
        self.send(Destinations=["grace@example.org"])
        self.send_v2(Destination={"ToAddresses": ["grace@example.org"], "BccAddresses": ["Hidden <h@example.org>"]})
        self.assertEqual(
            [["grace@example.org"], ["grace@example.org", "h@example.org"]], [one["to"] for one in control("mail")]
        )

    def test_a_subject_and_parts_become_a_mail(self):
        body = {"Text": {"Data": "plain"}, "Html": {"Data": "<p>rich</p>"}}
        self.v1.send_email(
            Source=SENDER,
            Destination={"ToAddresses": ["ada@example.org"]},
            Message={"Subject": {"Data": "über"}, "Body": body},
        )
        self.v2.send_email(
            FromEmailAddress=SENDER,
            Destination={"ToAddresses": ["ada@example.org"]},
            Content={"Simple": {"Subject": {"Data": "über"}, "Body": body}},
        )
        for sent in control("mail"):
            self.assertEqual(("über", "plain\n", "<p>rich</p>\n"), (sent["subject"], sent["text"], sent["html"]))

    def test_the_boundary_knows_the_operations(self):
        self.send()
        self.send_v2()
        seen = [(entry["service"], entry["operation"]) for entry in control("requests")][-2:]
        self.assertEqual([("ses", "SendRawEmail"), ("ses", "SendEmail")], seen)

    def test_a_fault_hits_both_versions(self):
        for operation, send in (("SendRawEmail", self.send), ("SendEmail", self.send_v2)):
            rule = {
                "match": {"caller": "local", "service": "ses", "operation": operation},
                "do": "before",
                "error": "Throttling",
            }
            control("faults", [rule])
            self.refused("Throttling", send)
        control("faults", [])
        self.assertEqual([], control("mail"))


class Refusals(Ses):
    def both(self, code_v1: str, code_v2: str, content: bytes | None = None) -> str:
        message = self.refused(code_v1, self.send, content)
        self.assertEqual(message, self.refused(code_v2, self.send_v2, content))
        self.assertEqual([], control("mail"))
        return message

    def test_the_sender_must_be_verified(self):
        content = raw().replace(b"shop.example", b"other.example")
        message = self.both("MessageRejected", "MessageRejected", content)
        text = "Email address is not verified. The following identities failed the check in region EU-WEST-1: "
        self.assertEqual(f"{text}cutover@other.example", message)
        self.v1.verify_domain_identity(Domain="other.example")
        self.send(content)
        self.assertTrue(self.v2.get_email_identity(EmailIdentity="other.example")["VerifiedForSendingStatus"])

    def test_in_the_sandbox_the_recipients_too(self):
        control("mail", {"sandbox": True})
        self.assertTrue(self.both("MessageRejected", "MessageRejected").endswith("EU-WEST-1: ada@example.org"))
        self.send(Destinations=["success@simulator.amazonses.com"])
        time.sleep(1.1 / SPEED)
        self.v1.verify_email_identity(EmailAddress="ada@example.org")
        self.send()

    def test_more_than_50_recipients_are_too_many(self):
        content = raw(", ".join(f"user{number}@example.org" for number in range(51)))
        self.assertEqual(
            "Recipient count exceeds 50.", self.both("InvalidParameterValue", "BadRequestException", content)
        )

    def test_a_mail_has_10_megabytes_at_most(self):
        large = raw() + b"x" * 998 + b"\n" + (b"y" * 99 + b"\n") * 104_900
        self.assertIn("10485760", self.refused("InvalidParameterValue", self.send, large))
        self.send_v2(large)  # version 2 takes 40

    def test_a_mail_must_have_its_headers_once(self):
        self.both("InvalidParameterValue", "BadRequestException", b"Subject: one\n" + raw())

    def test_an_account_that_may_not_send(self):
        control("mail", {"state": "paused"})
        self.both("AccountSendingPausedException", "SendingPausedException")
        self.assertFalse(self.v2.get_account()["SendingEnabled"])
        control("mail", {"state": "suspended"})
        self.both("MessageRejected", "AccountSuspendedException")
        control("mail", {"state": "enabled", "rejected": ["ada@example.org"]})
        self.assertEqual("Message content rejected.", self.both("MessageRejected", "MessageRejected"))

    def test_one_a_second_in_the_sandbox(self):
        self.v1.verify_domain_identity(Domain="example.org")
        control("mail", {"sandbox": True})
        self.assertEqual(1, self.v1.get_send_quota()["MaxSendRate"])
        control("mail", {"rate": 0.02})  # at the speed of these tests a second is too short to be caught in it
        self.send()
        self.refused("Throttling", self.send)
        message = self.refused("TooManyRequestsException", self.send_v2)
        self.assertEqual("Maximum sending rate exceeded.", message)
        time.sleep(51 / SPEED)
        self.send()

    def test_200_a_day_in_the_sandbox_counted_by_recipient(self):
        self.v1.verify_domain_identity(Domain="example.org")
        control("mail", {"rate": 1000})
        for _ in range(4):
            self.send(Destinations=[f"user{number}@example.org" for number in range(49)])
        control("mail", {"sandbox": True})
        five = [f"user{number}@example.org" for number in range(5)]
        self.assertEqual(
            "Daily message quota exceeded.", self.refused("Throttling", self.send, None, Destinations=five)
        )
        self.send(Destinations=five[:4])
        quota = self.v1.get_send_quota()
        self.assertEqual((200, 200), (quota["Max24HourSend"], quota["SentLast24Hours"]))
        self.assertEqual(
            (200, False),
            (self.v2.get_account()["SendQuota"]["SentLast24Hours"], self.v2.get_account()["ProductionAccessEnabled"]),
        )

    def test_a_configuration_set_must_exist(self):
        self.refused("InvalidParameterValue", self.send, None, ConfigurationSetName="none")

    def test_what_is_set_must_be_known(self):
        with self.assertRaises(support.ControlError):
            control("mail", {"sandpit": True})
        with self.assertRaises(support.ControlError):
            control("mail", {"state": "tired"})


class Bounces(Ses):
    def test_a_bounce_is_accepted_told_and_suppresses_what_follows(self):
        topic = client("sns").create_topic(Name=support.unique("bounces"))["TopicArn"]
        self.v1.set_identity_notification_topic(Identity=SENDER, NotificationType="Bounce", SnsTopic=topic)
        control("mail", {"bounced": ["ada@example.org"], "complained": ["grace@example.org"]})
        for _ in range(2):
            self.send(raw("ada@example.org, grace@example.org"))
        outcomes = [tuple(one["outcomes"].values()) for one in control("mail")]
        self.assertEqual([("bounced", "complained"), ("suppressed", "complained")], outcomes)
        told = [json.loads(one["message"]) for one in control("messages") if one["topic_arn"] == topic]
        self.assertEqual(["Bounce", "Bounce"], [one["notificationType"] for one in told])
        self.assertEqual("ada@example.org", told[0]["bounce"]["bouncedRecipients"][0]["emailAddress"])

    def test_the_simulators_addresses(self):
        names = ("success", "bounce", "complaint", "suppressionlist")
        self.send(Destinations=[f"{name}@simulator.amazonses.com" for name in names])
        outcomes = control("mail")[-1]["outcomes"].values()
        self.assertEqual(["delivered", "bounced", "complained", "suppressed"], list(outcomes))
