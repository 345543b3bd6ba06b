"""SNS Publish: checks and the record."""

from local_aws.clients import client

from .. import support
from ..support import control


class Publish(support.TestCase):
    def setUp(self):
        self.api = client("sns")
        self.topic = self.api.create_topic(Name=support.unique("topic"))["TopicArn"]

    def publish(self, message: str = "m", **fields):
        return self.api.publish(TopicArn=self.topic, Message=message, **fields)

    def test_messages_are_recorded(self):
        self.publish("hello", Subject="S")
        self.assertEqual({"topic_arn": self.topic, "subject": "S", "message": "hello"}, control("messages")[-1])

    def test_subjects(self):
        for subject in ("x" * 100, "café", "two\nlines", "tab\there", " begins with a space", ""):
            with self.subTest(subject):
                self.refused("InvalidParameter", self.publish, Subject=subject)
        self.publish(Subject="x" * 99)

    def test_messages(self):
        self.refused("InvalidParameter", self.publish, "x" * 262_145)
        self.refused("InvalidParameter", self.publish, '{"email": "x"}', MessageStructure="json")
        self.publish('{"default": "x"}', MessageStructure="json")

    def test_subscriptions_are_counted(self):
        def confirmed() -> str:
            return self.api.get_topic_attributes(TopicArn=self.topic)["Attributes"]["SubscriptionsConfirmed"]

        self.assertEqual("0", confirmed())
        self.api.subscribe(TopicArn=self.topic, Protocol="email", Endpoint="on-call@example.com")
        self.assertEqual("1", confirmed())

    def test_a_topic_must_exist(self):
        self.refused("NotFound", self.api.publish, TopicArn=self.topic + "x", Message="m")
