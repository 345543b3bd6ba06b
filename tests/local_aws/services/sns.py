"""SNS: Publish as strict as AWS, and a record of what was published.

Contract: `messages` lists every accepted message in order, but those to the topic of moments, which only functions read; GET
/_local/messages answers it. A topic's attributes count its
subscriptions, each as confirmed: nobody is there to confirm one.
"""

import json

messages: list[dict] = []

MESSAGE_LIMIT_BYTES = 262_144
# As infra/lib/notifications.ts calls it, after the stack's prefix.
OF_MOMENTS = "cutover-moments"


def install() -> None:
    from moto.sns.exceptions import InvalidParameterValue
    from moto.sns.models import SNSBackend
    from moto.sns.responses import SNSResponse

    stock, stock_attributes = SNSBackend.publish, SNSResponse.get_topic_attributes

    def publish(self, message, *args, **kwargs):
        problem = _problem(message, kwargs.get("subject"), kwargs.get("message_structure"))
        if problem:
            raise InvalidParameterValue(problem)
        message_id = stock(self, message, *args, **kwargs)
        if not _is_for_functions(kwargs.get("arn")):
            messages.append({"topic_arn": kwargs.get("arn"), "subject": kwargs.get("subject"), "message": message})
        return message_id

    def get_topic_attributes(self):
        topic = self.backend.get_topic(self._get_param("TopicArn"))
        subscriptions, _ = self.backend.list_subscriptions_by_topic(topic_arn=topic.arn)
        topic.subscriptions_confimed = len(subscriptions)
        return stock_attributes(self)

    SNSBackend.publish = publish
    SNSResponse.get_topic_attributes = get_topic_attributes


def _is_for_functions(arn: str | None) -> bool:
    return bool(arn) and arn.endswith(OF_MOMENTS)


def _problem(message: str, subject: str | None, structure: str | None) -> str | None:
    if not message:
        return "Invalid parameter: Empty message"
    if len(message.encode()) > MESSAGE_LIMIT_BYTES:
        return "Invalid parameter: Message too long"
    if subject is not None and not _is_subject(subject):
        return "Invalid parameter: Subject"
    if structure == "json" and "default" not in _object(message):
        return "Invalid parameter: Message Structure - No default entry in JSON message body"
    return None


def _is_subject(subject: str) -> bool:
    """1 to 99 characters of ASCII text, no control characters, not beginning with a space."""
    return 0 < len(subject) < 100 and subject.isascii() and subject.isprintable() and subject[0] != " "


def _object(message: str) -> dict:
    try:
        value = json.loads(message)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
