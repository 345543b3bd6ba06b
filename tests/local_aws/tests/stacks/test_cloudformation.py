"""Stacks: what a template deploys, updates and leaves behind."""

import json
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from local_aws.clients import client
from local_aws.stacks import environment_types
from local_aws.stacks.cloudformation import COPIED_BOOTSTRAP_BYTES
from local_aws.stacks.registry import TYPES

from .. import assembly, support
from ..services.test_functions import invoke
from ..support import ControlError, control, ended, output, start


class Stacks(support.TestCase):
    """Each test has a stack name of its own, and a folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="local-aws-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.prefix = support.unique("stack") + "-"

    def deploy(self, change=lambda template: None) -> dict:
        folder = assembly.write(self.folder, self.prefix, change)
        return control("deploy-template", {"assembly": str(folder), "stack": "Stack"})

    def delete(self) -> dict:
        return control("delete-template", {"stack": f"{self.prefix}stack"})

    def refused_deploy(self, expected: str, change) -> None:
        with self.assertRaisesRegex(ControlError, expected):
            self.deploy(change)

    def everything(self) -> list[str]:
        """The names of all that this stack may have made."""
        names = [role["RoleName"] for role in client("iam").list_roles()["Roles"]]
        names += [one["FunctionName"] for one in client("lambda").list_functions()["Functions"]]
        names += client("dynamodb").list_tables()["TableNames"]
        names += [topic["TopicArn"] for topic in client("sns").list_topics()["Topics"]]
        names += [one["TopicArn"] for one in client("sns").list_subscriptions()["Subscriptions"]]
        names += client("sqs").list_queues().get("QueueUrls", [])
        names += [rule["Name"] for rule in client("events").list_rules()["Rules"]]
        names += [one["Name"] for one in client("scheduler").list_schedules()["Schedules"]]
        names += [one["Name"] for one in client("scheduler").list_schedule_groups()["ScheduleGroups"]]
        names += [one["name"] for one in client("stepfunctions").list_state_machines()["stateMachines"]]
        names += [one["logGroupName"] for one in client("logs").describe_log_groups()["logGroups"]]
        names += [one["AlarmName"] for one in client("cloudwatch").describe_alarms()["MetricAlarms"]]
        names += [one["DashboardName"] for one in client("cloudwatch").list_dashboards()["DashboardEntries"]]
        names += [one["AliasName"] for one in client("kms").list_aliases()["Aliases"]]
        names += [one["Name"] for one in client("s3").list_buckets()["Buckets"]]
        names += client("ses").list_identities()["Identities"]
        return [name for name in names if self.prefix in name]

    def machine(self) -> str:
        machines = client("stepfunctions").list_state_machines()["stateMachines"]
        return next(one["stateMachineArn"] for one in machines if one["name"] == f"{self.prefix}cutover")


class Creation(Stacks):
    def test_every_type_is_created_with_its_properties(self):
        answer = self.deploy()
        self.assertEqual(TYPES.keys() - environment_types.TYPES.keys(), {resource["type"] for resource in answer["resources"]})
        self.assertEqual({"MachineArn": self.machine(), "TopicName": f"{self.prefix}pages"}, answer["outputs"])
        physical = {resource["logical_id"]: resource["physical_id"] for resource in answer["resources"]}
        self.assertEqual((f"{self.prefix}echo", f"{self.prefix}journal"), (physical["Echo"], physical["Table"]))

        table = client("dynamodb").describe_table(TableName=physical["Table"])["Table"]
        self.assertEqual((True, "ENABLED"), (table["DeletionProtectionEnabled"], table["SSEDescription"]["Status"]))
        self.assertEqual("open-runs", table["GlobalSecondaryIndexes"][0]["IndexName"])
        backups = client("dynamodb").describe_continuous_backups(TableName=physical["Table"])
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        self.assertEqual("ENABLED", recovery["PointInTimeRecoveryStatus"])

        self.assertTrue(client("kms").get_key_rotation_status(KeyId=physical["Key"])["KeyRotationEnabled"])
        topic = client("sns").get_topic_attributes(TopicArn=physical["Topic"])["Attributes"]
        self.assertIn(physical["Key"], topic["KmsMasterKeyId"])
        self.assertIn("cloudwatch.amazonaws.com", topic["Policy"])
        queue = client("sqs").get_queue_attributes(QueueUrl=physical["Queue"], AttributeNames=["All"])["Attributes"]
        self.assertIn("events.amazonaws.com", queue["Policy"])
        (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=[physical["Alarm"]])["MetricAlarms"]
        self.assertEqual([physical["Topic"]], alarm["AlarmActions"])
        dashboard = client("cloudwatch").get_dashboard(DashboardName=physical["Dashboard"])
        self.assertIn(alarm["AlarmArn"], dashboard["DashboardBody"])
        (group,) = client("logs").describe_log_groups(logGroupNamePrefix=physical["Logs"])["logGroups"]
        self.assertEqual(30, group["retentionInDays"])
        schedule = client("scheduler").get_schedule(GroupName=physical["Group"], Name=physical["Night"])
        self.assertIn(self.machine(), schedule["Target"]["Input"])

    def test_the_machine_runs_as_its_file_says_with_its_values(self):
        self.deploy()
        answer = output(ended(start(self.machine(), {"seconds": 0})))
        self.assertEqual("first", answer["echo"])
        self.assertEqual(f"{self.prefix}journal", answer["environment"]["JOURNAL_TABLE"])

    def test_the_rule_reaches_the_function(self):
        self.deploy()
        client("stepfunctions").stop_execution(executionArn=start(self.machine(), {"seconds": 10_000}))
        payload = {"value": f"{self.prefix}rule"}
        support.until(lambda: [call for call in control("invocations") if call["payload"] == payload])

    def test_a_large_binary_is_run_where_it_lies(self):
        assembly.write(self.folder, self.prefix)
        bootstrap = self.folder / "code/bootstrap"
        text = bootstrap.read_text() + "#" * COPIED_BOOTSTRAP_BYTES
        bootstrap.write_text(text)
        control("deploy-template", {"assembly": str(self.folder)})
        self.assertLess(client("lambda").get_function(FunctionName=f"{self.prefix}echo")["Configuration"]["CodeSize"], 1000)
        self.assertEqual("x", invoke({"value": "x"}, f"{self.prefix}echo")[0]["echo"])


class Refusals(Stacks):
    def test_an_unknown_type_is_refused_before_anything_is_created(self):
        def change(template):
            template["Resources"]["Odd"] = {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {}}

        self.refused_deploy(r"not emulated.*Odd \(AWS::Lambda::EventInvokeConfig\)", change)
        self.assertEqual([], self.everything())
        self.deploy()
        self.refused_deploy("Odd", change)

    def test_an_unknown_property_is_refused(self):
        for logical_id in ("Table", "Topic", "Queue", "Machine"):

            def change(template, logical_id=logical_id):
                table = template["Resources"]["Table"]
                table["Properties"]["DeletionProtectionEnabled"] = table["DeletionPolicy"] = None
                template["Resources"][logical_id]["Properties"]["Oddity"] = "x"

            with self.subTest(logical_id):
                self.refused_deploy(rf"(?s){logical_id} .*[Oo]ddity", change)

    def test_a_failed_creation_leaves_nothing_and_can_be_repeated(self):
        def change(template):
            del template["Resources"]["Machine"]["Properties"]["DefinitionSubstitutions"]["Word"]

        self.refused_deploy(r"Machine \(AWS::StepFunctions::StateMachine\): nothing fills the placeholder", change)
        self.assertEqual([f"{self.prefix}journal"], self.everything())  # retained, and so in the way
        client("dynamodb").update_table(TableName=f"{self.prefix}journal", DeletionProtectionEnabled=False)
        client("dynamodb").delete_table(TableName=f"{self.prefix}journal")
        self.deploy()

    def test_what_the_assembly_does_not_have(self):
        folder = assembly.write(self.folder, self.prefix)
        with self.assertRaisesRegex(ControlError, "0 stacks for Nope"):
            control("deploy-template", {"assembly": str(folder), "stack": "Nope"})
        with self.assertRaisesRegex(ControlError, "no stack nope"):
            control("delete-template", {"stack": "nope"})
        with self.assertRaisesRegex(ControlError, "no cloud assembly"):
            control("deploy-template", {"assembly": str(self.folder / "nope")})


class Updates(Stacks):
    def test_an_update_keeps_the_journal_and_running_executions(self):
        def change(template):
            resources = template["Resources"]
            resources["Machine"]["Properties"]["DefinitionSubstitutions"]["Word"] = "second"
            resources["Echo"]["Properties"]["Environment"]["Variables"]["NEW"] = "1"
            resources["MachineRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"] = ["lambda:*"]
            resources["Logs"]["Properties"]["RetentionInDays"] = 90
            resources["Alarm"]["Properties"]["Threshold"] = 3
            resources["Table"]["Properties"]["DeletionProtectionEnabled"] = False
            resources["Night"]["Properties"]["ScheduleExpression"] = "at(2100-01-01T03:00:00)"
            del resources["Mail"]

        before = {resource["logical_id"]: resource for resource in self.deploy()["resources"]}
        table = f"{self.prefix}journal"
        client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "run"}})
        running = start(self.machine(), {"seconds": 60})
        after = {resource["logical_id"]: resource for resource in self.deploy(change)["resources"]}

        del before["Mail"]
        self.assertEqual(before, after)
        self.assertIn("Item", client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "run"}}))
        self.assertEqual("first", output(ended(running))["echo"])
        answer = output(ended(start(self.machine(), {"seconds": 0})))
        self.assertEqual(("second", "1"), (answer["echo"], answer["environment"]["NEW"]))
        (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=[f"{self.prefix}failed"])["MetricAlarms"]
        self.assertEqual(3, alarm["Threshold"])
        self.assertNotIn("ops@example.com", [one["Endpoint"] for one in self.subscriptions()])

    def subscriptions(self) -> list[dict]:
        every = client("sns").list_subscriptions()["Subscriptions"]
        return [one for one in every if self.prefix in one["TopicArn"]]

    def test_nothing_changes_without_a_change(self):
        self.deploy()
        since = control("requests")[-1]["seq"]
        self.deploy()
        wrote = ("Create", "Put", "Update", "Set", "Add", "Delete", "Subscribe")
        services = {"s3", "ssm", "cloudformation"}  # its own means
        asked = [(entry["service"], entry["operation"]) for entry in control(f"requests?since={since}")]
        self.assertEqual([], [one for one in asked if one[0] not in services and one[1].startswith(wrote)])

    def test_what_refers_to_a_replaced_resource_follows(self):
        self.deploy()

        def change(template):
            template["Resources"]["Topic"]["Properties"]["TopicName"] = f"{self.prefix}other"

        self.deploy(change)
        (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=[f"{self.prefix}failed"])["MetricAlarms"]
        self.assertTrue(alarm["AlarmActions"][0].endswith("other"))
        self.assertTrue(all(one["TopicArn"].endswith("other") for one in self.subscriptions()))
        self.assertNotIn("pages", [name.rpartition("-")[2] for name in self.everything()])

    def test_a_named_resource_cannot_be_replaced_under_its_name(self):
        def change(template):
            template["Resources"]["Table"]["Properties"]["KeySchema"][0]["AttributeName"] = "open"

        self.deploy()
        self.refused_deploy("Table .* replaces it, which its name does not allow", change)
        (stack,) = client("cloudformation").describe_stacks(StackName=f"{self.prefix}stack")["Stacks"]
        self.assertEqual("UPDATE_FAILED", stack["StackStatus"])
        self.deploy()  # and back

    def test_a_retained_resource_outlives_its_place_in_the_template(self):
        self.deploy()

        def change(template):
            del template["Resources"]["Table"]
            template["Resources"]["Echo"]["Properties"]["Environment"] = {"Variables": {}}
            template["Resources"]["EchoPolicy"]["Properties"]["PolicyDocument"] = assembly.policy("dynamodb:GetItem")

        self.deploy(change)
        self.assertIn(f"{self.prefix}journal", client("dynamodb").list_tables()["TableNames"])


class Reports(Stacks):
    def test_a_bucket_has_what_the_template_says(self):
        self.deploy()
        bucket, api = {"Bucket": f"{self.prefix}reports"}, client("s3")
        rule = api.get_bucket_lifecycle_configuration(**bucket)["Rules"][0]
        self.assertEqual(("old", {"Days": 400}), (rule["ID"], rule["Expiration"]))
        self.assertTrue(api.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"])
        self.assertEqual("AES256", _algorithm(api.get_bucket_encryption(**bucket)))
        self.assertIn("aws:SecureTransport", api.get_bucket_policy(**bucket)["Policy"])

    def test_its_life_cycle_can_be_changed(self):
        self.deploy()

        def change(template):
            rules = template["Resources"]["Reports"]["Properties"]["LifecycleConfiguration"]["Rules"]
            rules[0]["ExpirationInDays"] = 30

        self.deploy(change)
        rules = client("s3").get_bucket_lifecycle_configuration(Bucket=f"{self.prefix}reports")["Rules"]
        self.assertEqual({"Days": 30}, rules[0]["Expiration"])

    def test_a_bucket_with_reports_stays(self):
        self.deploy()
        client("s3").put_object(Bucket=f"{self.prefix}reports", Key="a", Body=b"x")
        with self.assertRaisesRegex(ControlError, "BucketNotEmpty"):
            self.delete()


def _algorithm(answer: dict) -> str:
    rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
    return rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]


class Answers(Stacks):
    def test_a_url_is_served_and_a_secret_is_made(self):
        made = {one["logical_id"]: one["physical_id"] for one in self.deploy()["resources"]}
        url = client("lambda").get_function_url_config(FunctionName=f"{self.prefix}echo")["FunctionUrl"]
        self.assertRegex(url, r"^http://127\.0\.0\.1:[0-9]+/$")
        with urllib.request.urlopen(url) as answer:
            self.assertEqual(200, answer.status)
        text = client("secretsmanager").get_secret_value(SecretId=made["SigningKey"])["SecretString"]
        self.assertRegex(text, "^[A-Za-z0-9]{64}$")
        reserved = client("lambda").get_function_concurrency(FunctionName=f"{self.prefix}echo")
        self.assertEqual(5, reserved["ReservedConcurrentExecutions"])
        self.delete()
        with self.assertRaises(urllib.error.URLError):
            urllib.request.urlopen(url)


class Deletion(Stacks):
    def test_only_what_is_retained_is_left(self):
        self.deploy()
        self.assertGreater(len(self.everything()), 12)
        answer = self.delete()
        self.assertEqual([f"{self.prefix}journal"], [resource["physical_id"] for resource in answer["retained"]])
        self.assertEqual([f"{self.prefix}journal"], self.everything())

    def test_what_is_protected_stops_it(self):
        def change(template):
            del template["Resources"]["Table"]["DeletionPolicy"]

        self.deploy(change)
        with self.assertRaisesRegex(ControlError, "Table"):
            self.delete()
        (stack,) = client("cloudformation").describe_stacks(StackName=f"{self.prefix}stack")["Stacks"]
        self.assertEqual("DELETE_FAILED", stack["StackStatus"])

    def test_a_key_is_only_scheduled_for_deletion(self):
        key = next(one for one in self.deploy()["resources"] if one["logical_id"] == "Key")["physical_id"]
        self.delete()
        self.assertEqual("PendingDeletion", client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"])


class Types(support.TestCase):
    def test_the_assembly_of_the_tests_has_them_all(self):
        resources = assembly.template("x-", "code", "definition")["Resources"].values()
        self.assertEqual(TYPES.keys() - environment_types.TYPES.keys(), {resource["Type"] for resource in resources})
        json.dumps(list(resources))
