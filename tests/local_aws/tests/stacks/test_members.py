"""Member accounts: their roles, who is let in, and what a session may do."""

import json

from ...clients import client
from ...services import functions
from ...settings import ACCOUNT_ID, EXTERNAL_ID, REGION
from ...stacks import members
from ..support import TestCase, unique

ACCOUNT = "222222222222"
ELSEWHERE = (ACCOUNT, "eu-central-1")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/cutover-access"


def policy(*actions: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]})


class Sessions(TestCase):
    def setUp(self):
        members.open_account(ACCOUNT)
        self.addCleanup(members.forget)

    def assume(self, **more):
        given = {"RoleArn": ROLE, "RoleSessionName": "run-1", "ExternalId": EXTERNAL_ID, **more}
        return client("sts", "listener-swap").assume_role(**given)["Credentials"]

    def test_a_role_is_assumed_by_whoever_says_the_external_id(self):
        key = self.assume()["AccessKeyId"]
        self.assertEqual((key[:4], members.session(key).caller), ("ASIA", "listener-swap"))
        api = client("sts", "listener-swap")
        for wrong in ({"ExternalId": "another"}, {"RoleArn": ROLE + "-2"}, {"RoleArn": "arn:aws:iam::999999999999:role/cutover-access"}):
            given = {"RoleArn": ROLE, "RoleSessionName": "run-1", "ExternalId": EXTERNAL_ID} | wrong
            self.refused("AccessDenied", api.assume_role, **given)
        self.refused("AccessDenied", api.assume_role, RoleArn=ROLE, RoleSessionName="run-1")

    def test_what_is_in_an_account_is_seen_by_a_session_in_it_and_by_nobody_else(self):
        name = unique("lb")
        made = client("route53", at=(ACCOUNT, REGION)).create_hosted_zone(Name=f"{name}.example.com", CallerReference=name)
        zone = made["HostedZone"]["Id"]
        self.refused("NoSuchHostedZone", client("route53", "listener-swap").get_hosted_zone, Id=zone)
        self.refused("NoSuchHostedZone", client("route53").get_hosted_zone, Id=zone)
        key = self.assume()["AccessKeyId"]
        self.assertEqual(client("route53", key).get_hosted_zone(Id=zone)["HostedZone"]["Id"], zone)

    def test_a_session_does_what_both_its_role_and_its_own_policy_allow(self):
        reading = client("route53", self.assume(Policy=policy("route53:List*"))["AccessKeyId"])
        reading.list_hosted_zones()
        message = self.refused("AccessDenied", reading.create_hosted_zone, Name="a.example.com", CallerReference=unique("z"))
        self.assertIn("no session policy", message)
        everything = self.assume(Policy=policy("*"))["AccessKeyId"]
        self.refused("AuthorizationError", client("sns", everything).list_topics)

    def test_topics_and_functions_let_whoever_calls_as_himself_in_by_their_own_policies(self):
        there = (ACCOUNT, REGION)
        topic = client("sns", at=there).create_topic(Name=unique("topic"))["TopicArn"]
        publish = {"TopicArn": topic, "Message": "hello"}
        message = self.refused("AuthorizationError", client("sns", "notify").publish, **publish)
        self.assertIn("no resource-based policy", message)
        statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}, "Action": "sns:Publish"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client("sns", at=there).set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
        client("sns", "notify").publish(**publish)
        hook = functions.create(unique("hook"), functions.zipped("hook.json", "{}"), at=there)
        self.refused("AccessDeniedException", client("lambda", "states").invoke, FunctionName=hook)
        let = {"FunctionName": hook, "StatementId": "cutover", "Action": "lambda:InvokeFunction", "Principal": ACCOUNT_ID}
        client("lambda", at=there).add_permission(**let)
        self.assertEqual(client("lambda", "states").invoke(FunctionName=hook)["StatusCode"], 200)
        self.refused("AccessDeniedException", client("lambda", "states").invoke, FunctionName=hook + "-2")
        reading = client("lambda", self.assume(Policy=policy("lambda:GetPolicy"))["AccessKeyId"])
        self.assertIn("lambda:InvokeFunction", reading.get_policy(FunctionName=hook)["Policy"])
        client("lambda", at=there).delete_function(FunctionName=hook)

    def test_a_session_ends(self):
        key = self.assume()["AccessKeyId"]
        members.session(key).until = 0
        self.refused("ExpiredToken", client("elbv2", key).describe_load_balancers)
