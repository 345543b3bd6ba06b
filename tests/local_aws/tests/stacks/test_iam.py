"""Permissions, enforced by action and role."""

import json
import unittest

import boto3

from local_aws.clients import EVENTS, client
from local_aws.services import functions
from local_aws.settings import REGION, ROLE_ARN
from local_aws.stacks import iam

from .. import support
from ..assembly import policy
from ..services.test_functions import invoke
from ..support import control, ended, start


def statement(effect: str, action, **more) -> dict:
    return {"Effect": effect, "Action": action, "Resource": "arn:aws:sns:eu-west-1:123456789012:one", **more}


class Decisions(unittest.TestCase):
    def decide(self, *statements: dict, action: str = "sns:Publish", principal: str | None = None) -> bool:
        return iam.decides([{"Statement": list(statements)}], action, principal)

    def test_an_action_must_be_allowed_by_some_statement(self):
        self.assertFalse(self.decide())
        self.assertFalse(self.decide(statement("Allow", ["sns:ListTopics", "sqs:*"])))
        for action in ("sns:Publish", "SNS:publish", "sns:Pub*", "sns:*", "*", ["sqs:SendMessage", "sns:Publi?h"]):
            with self.subTest(action):
                self.assertTrue(self.decide(statement("Allow", action)))

    def test_not_action(self):
        given = {"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}
        self.assertEqual((True, False), (self.decide(given), self.decide(given, action="sqs:SendMessage")))

    def test_only_an_unconditional_deny_denies(self):
        allow = statement("Allow", "*")
        self.assertTrue(self.decide(allow, statement("Deny", "sns:*")))
        self.assertTrue(self.decide(allow, statement("Deny", "sns:*", Resource="*", Condition={"Bool": {"x": "y"}})))
        self.assertFalse(self.decide(allow, statement("Deny", "sns:*", Resource="*")))

    def alarm(self, *statements: dict, name: str = "shop", actions: list | None = None) -> bool:
        context = {"cloudwatch:AlarmActions": actions} if actions else {}
        resource = f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"
        return iam.decides([{"Statement": list(statements)}], "cloudwatch:PutMetricAlarm", None, resource, context)

    def test_an_alarms_name_and_actions_are_conditions(self):
        key, topic = "cloudwatch:AlarmActions", "arn:aws:sns:eu-west-1:123456789012:pages"
        condition = {"ForAllValues:StringLike": {key: [topic]}, "Null": {key: "false"}}
        allow = statement("Allow", "cloudwatch:PutMetricAlarm", Resource="arn:*:alarm:*", Condition=condition)
        deny = statement("Deny", "cloudwatch:PutMetricAlarm", Resource="arn:*:alarm:cutover-*")
        self.assertTrue(self.alarm(allow, deny, actions=[topic]))
        for actions in (["arn:aws:automate:eu-west-1:ec2:terminate"], [topic, "arn:aws:lambda:x"], None):
            with self.subTest(actions):
                self.assertFalse(self.alarm(allow, deny, actions=actions))
        self.assertFalse(self.alarm(allow, deny, name="cutover-rollback-failed", actions=[topic]))
        self.assertFalse(self.alarm({**allow, "Resource": "arn:*:alarm:other-*"}, actions=[topic]))

    def test_a_message_goes_to_a_topic_that_is_named(self):
        topic = "arn:aws:sns:eu-west-1:123456789012:one"
        decide = lambda resource: iam.decides(  # noqa: E731
            [{"Statement": [statement("Allow", "sns:Publish")]}], "sns:Publish", None, resource
        )
        self.assertEqual((True, False), (decide(topic), decide("arn:aws:sns:eu-west-1:999999999999:one")))

    def test_principals(self):
        given = statement("Allow", "sns:Publish", Principal={"Service": ["a.amazonaws.com", "b.amazonaws.com"]})
        self.assertTrue(self.decide(given, principal="b.amazonaws.com"))
        self.assertFalse(self.decide(given, principal="c.amazonaws.com"))
        self.assertTrue(self.decide({**given, "Principal": "*"}, principal="c.amazonaws.com"))


class Enforced(support.TestCase):
    def setUp(self):
        iam.enabled = True
        self.addCleanup(setattr, iam, "enabled", False)

    def role(self, *actions: str, service: str = "lambda") -> str:
        trust = policy("sts:AssumeRole", Principal={"Service": f"{service}.amazonaws.com"})
        made = client("iam").create_role(RoleName=support.unique("role"), AssumeRolePolicyDocument=json.dumps(trust))
        if actions:
            self.allow(made["Role"]["Arn"], *actions)
        return made["Role"]["Arn"]

    def allow(self, role_arn: str, *actions: str) -> None:
        document = json.dumps(policy(list(actions)))
        client("iam").put_role_policy(RoleName=role_arn.rpartition("/")[2], PolicyName="p", PolicyDocument=document)


class Roles(Enforced):
    def test_every_service_says_so_in_its_own_words(self):
        role, allowed = self.role(), self.role("*")
        for service, operation, code in (
            ("route53", "list_hosted_zones", "AccessDenied"),
            ("elbv2", "describe_load_balancers", "AccessDenied"),
            ("cloudwatch", "describe_alarms", "AccessDeniedException"),
            ("sns", "list_topics", "AuthorizationError"),
            ("dms", "describe_replication_instances", "AccessDeniedException"),
            ("dynamodb", "list_tables", "AccessDeniedException"),
            ("stepfunctions", "list_state_machines", "AccessDeniedException"),
            ("lambda", "list_functions", "AccessDeniedException"),
            ("scheduler", "list_schedules", "AccessDeniedException"),
            ("events", "list_rules", "AccessDeniedException"),
            ("sqs", "list_queues", "AccessDeniedException"),
        ):
            with self.subTest(service):
                message = self.refused(code, getattr(client(service, "somebody", role), operation))
                self.assertIn(f"is not authorized to perform: {iam_action(service, operation)}", message)
                getattr(client(service, "somebody", allowed), operation)()

    def test_a_refused_call_has_no_effect_and_is_in_the_journal(self):
        since, name = control("requests")[-1]["seq"], support.unique("topic")
        self.refused("AuthorizationError", client("sns", "somebody", self.role()).create_topic, Name=name)
        self.assertFalse([one for one in client("sns").list_topics()["Topics"] if one["TopicArn"].endswith(name)])
        (entry,) = [one for one in control(f"requests?since={since}") if one["caller"] == "somebody"]
        self.assertEqual((403, "sns:CreateTopic"), (entry["status"], entry["denied"]))

    def test_a_change_of_the_policy_holds_at_once(self):
        role = self.role("sns:ListTopics")
        api = client("sns", "somebody", role)
        api.list_topics()
        self.allow(role, "sns:Publish")
        self.refused("AuthorizationError", api.list_topics)

    def test_managed_policies_count(self):
        role = self.role()
        made = client("iam").create_policy(
            PolicyName=support.unique("policy"), PolicyDocument=json.dumps(policy("sns:ListTopics"))
        )
        client("iam").attach_role_policy(RoleName=role.rpartition("/")[2], PolicyArn=made["Policy"]["Arn"])
        client("sns", "somebody", role).list_topics()

    def test_the_role_must_trust_the_service_and_exist(self):
        message = self.refused("AccessDenied", client("elbv2", "somebody", self.role("*", service="ec2")).describe_rules)
        self.assertIn("sts:AssumeRole", message)
        gone = "arn:aws:iam::123456789012:role/gone"
        self.refused("AccessDenied", client("elbv2", "somebody", gone).describe_rules)

    def test_an_unknown_key_is_nobody(self):
        for service, operation, code in (
            ("sns", "list_topics", "InvalidClientTokenId"),
            ("dynamodb", "list_tables", "UnrecognizedClientException"),
        ):
            self.refused(code, getattr(self.keyed(service, "AKIANOBODY"), operation))

    def keyed(self, service: str, key: str):
        built = boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=support.server().settings.endpoint_url,
            aws_access_key_id=key,
            aws_secret_access_key="x",
        )
        self.addCleanup(built.close)
        return built

    def test_a_function_has_the_credentials_of_its_role_and_keeps_its_name(self):
        name, role = support.unique("cutover-fn"), self.role("sns:ListTopics")
        pointer = json.dumps({"path": str(support.server().settings.bin_dir / "echo")})
        client("lambda").create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=role,
            Code={"ZipFile": functions.zipped("pointer.json", pointer)},
        )
        key = invoke({}, name)[0]["key"]
        self.assertTrue(key.startswith("ASIA"))
        self.keyed("sns", key).list_topics()
        self.refused("AccessDeniedException", self.keyed("dynamodb", key).list_tables)
        last = control("requests")[-1]
        self.assertEqual((name.removeprefix("cutover-"), "dynamodb:ListTables"), (last["caller"], last["denied"]))
        self.assertEqual((role.rpartition("/")[2], ["dynamodb:ListTables"]), (last["role"], last["actions"]))


class Machines(Enforced):
    def run_task(self, resource: str, arguments: dict, *actions: str) -> dict:
        task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, "End": True}
        definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": task}}
        arn = client("stepfunctions").create_state_machine(
            name=support.unique("machine"), definition=json.dumps(definition), roleArn=self.role(*actions, service="states")
        )["stateMachineArn"]
        return ended(start(arn))

    def test_a_machine_calls_in_its_role(self):
        ask = ("lambda:invoke", {"FunctionName": "cutover-echo", "Payload": {}})
        self.assertEqual("SUCCEEDED", self.run_task(*ask, "lambda:InvokeFunction")["status"])
        refused = self.run_task(*ask, "sns:Publish")
        self.assertIn("not authorized to perform: lambda:InvokeFunction", refused["cause"])

    def test_an_sdk_task_too(self):
        ask = ("aws-sdk:dynamodb:getItem", {"TableName": "cutover-journal", "Key": {"pk": {"S": "x"}}})
        self.assertEqual("SUCCEEDED", self.run_task(*ask, "dynamodb:GetItem")["status"])
        self.assertEqual("DynamoDb.AccessDeniedException", self.run_task(*ask, "dynamodb:PutItem")["error"])

    def test_logs_must_be_deliverable(self):
        api = client("stepfunctions")
        given = {
            "definition": json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
            "loggingConfiguration": {"level": "ERROR"},
        }
        name, role = support.unique("machine"), self.role(*iam.LOG_DELIVERY[1:], service="states")
        message = self.refused("AccessDeniedException", api.create_state_machine, name=name, roleArn=role, **given)
        self.assertIn("logs:CreateLogDelivery", message)
        self.allow(role, *iam.LOG_DELIVERY)
        api.create_state_machine(name=name, roleArn=role, **given)


class Implied(Enforced):
    def test_a_transaction_needs_what_its_parts_need(self):
        role = self.role("dynamodb:PutItem")
        write = client("dynamodb", "somebody", role).transact_write_items
        put = {"Put": {"TableName": "cutover-journal", "Item": {"pk": {"S": support.unique("item")}}}}
        delete = {"Delete": {"TableName": "cutover-journal", "Key": {"pk": {"S": support.unique("item")}}}}
        write(TransactItems=[put])
        message = self.refused("AccessDeniedException", write, TransactItems=[put, delete])
        self.assertIn("dynamodb:DeleteItem", message)
        self.allow(role, "dynamodb:PutItem", "dynamodb:DeleteItem")
        write(TransactItems=[delete])
        self.assertEqual(["dynamodb:DeleteItem"], control("requests")[-1]["actions"])

    def test_an_encrypted_topic_needs_its_key(self):
        key = client("kms").create_key()["KeyMetadata"]["Arn"]
        attributes = {"KmsMasterKeyId": key}
        topic = client("sns").create_topic(Name=support.unique("topic"), Attributes=attributes)["TopicArn"]
        role = self.role("sns:Publish")
        publish = client("sns", "somebody", role).publish
        for allowed, missing in (
            (["sns:Publish"], "kms:GenerateDataKey"),
            (["sns:Publish", "kms:GenerateDataKey"], "kms:Decrypt"),
        ):
            self.allow(role, *allowed)
            self.assertIn(missing, self.refused("KMSAccessDenied", publish, TopicArn=topic, Message="x"))
        self.allow(role, "sns:Publish", "kms:GenerateDataKey", "kms:Decrypt")
        publish(TopicArn=topic, Message="x")

    def test_making_a_schedule_hands_its_role_on(self):
        role = self.role("scheduler:CreateSchedule")
        create = client("scheduler", "somebody", role).create_schedule
        given = {
            "Name": support.unique("schedule"),
            "ScheduleExpression": "at(2100-01-01T00:00:00)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:start", "RoleArn": role, "Input": "{}"},
        }
        self.assertIn("iam:PassRole", self.refused("AccessDeniedException", create, **given))
        self.allow(role, "scheduler:CreateSchedule", "iam:PassRole")
        create(**given)
        self.addCleanup(client("scheduler").delete_schedule, Name=given["Name"])

    def test_sending_a_cognito_action_needs_its_client(self):
        def actions(kind: str) -> list[dict]:
            return [{"Type": kind, "Order": 1}, {"Type": "forward", "TargetGroupArn": "group", "Order": 2}]

        for operation, of, body, gone in (
            ("modify_listener", {"ListenerArn": "gone"}, "DefaultActions", "ListenerNotFound"),
            ("modify_rule", {"RuleArn": "gone"}, "Actions", "RuleNotFound"),
        ):
            with self.subTest(operation):
                role, action = self.role(), iam_action("elbv2", operation)
                modify = getattr(client("elbv2", "somebody", role), operation)
                self.allow(role, action)
                self.refused(gone, modify, **of, **{body: actions("authenticate-oidc")})
                cognito = {**of, body: actions("authenticate-cognito")}
                self.assertIn("cognito-idp:DescribeUserPoolClient", self.refused("AccessDenied", modify, **cognito))
                self.allow(role, action, "cognito-idp:DescribeUserPoolClient")
                self.refused(gone, modify, **cognito)


    def test_reports_need_permissions_by_the_names_of_s3(self):
        bucket, role = support.unique("signed"), self.role("s3:PutObject")
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        api = client("s3", "somebody", role)
        api.put_object(Bucket=bucket, Key="a", Body=b"x")
        self.assertIn("s3:GetObject", self.refused("AccessDenied", api.get_object, Bucket=bucket, Key="a"))
        self.assertIn("s3:ListBucket", self.refused("AccessDenied", api.list_objects_v2, Bucket=bucket))
        self.allow(role, "s3:PutObject", "s3:GetObject")
        api.get_object(Bucket=bucket, Key="a")

    def test_a_raw_mail_needs_its_own_permission(self):
        role = self.role("ses:SendEmail")
        raw = {"FromEmailAddress": "a@b.example", "Content": {"Raw": {"Data": b"From: a@b.example\nTo: c@d.example\n\nx"}}}
        send = client("sesv2", "somebody", role).send_email
        self.assertIn("ses:SendRawEmail", self.refused("AccessDeniedException", send, **raw))
        self.allow(role, "ses:SendRawEmail")
        self.refused("MessageRejected", send, **raw)


class Services(Enforced):
    def test_a_service_without_a_role_needs_the_function_to_allow_it(self):
        name = support.unique("asked")
        functions.create(name, functions.zipped("hook.json", "{}"))
        asked = {"FunctionName": name, "Payload": b"{}"}
        self.refused("AccessDeniedException", client("lambda", EVENTS).invoke, **asked)
        permission = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
        client("lambda").add_permission(FunctionName=name, **permission)
        client("lambda", EVENTS).invoke(**asked)

    def test_or_the_queue(self):
        url = client("sqs").create_queue(QueueName=support.unique("queue"))["QueueUrl"]
        sent = {"QueueUrl": url, "MessageBody": "x"}
        self.refused("AccessDeniedException", client("sqs", EVENTS).send_message, **sent)
        document = json.dumps(policy("sqs:SendMessage", Principal={"Service": "events.amazonaws.com"}))
        client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
        client("sqs", EVENTS).send_message(**sent)

    def test_what_has_no_role_of_its_own_may_do_everything(self):
        client("elbv2", "somebody", ROLE_ARN).describe_load_balancers()


class Off(support.TestCase):
    def test_by_default_nothing_is_refused_and_the_key_is_the_name(self):
        client("sns", "somebody", "arn:aws:iam::123456789012:role/gone").list_topics()
        last = control("requests")[-1]
        self.assertEqual(("somebody", None, ["sns:ListTopics"]), (last["caller"], last["role"], last["actions"]))
        self.assertEqual("echo", invoke({})[0]["key"])


def iam_action(service: str, operation: str) -> str:
    prefix = {"elbv2": "elasticloadbalancing", "stepfunctions": "states"}.get(service, service)
    return prefix + ":" + "".join(word.capitalize() for word in operation.split("_"))
