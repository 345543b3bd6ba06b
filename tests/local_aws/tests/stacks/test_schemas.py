"""Properties of resources, against the schemas that CloudFormation publishes."""

import unittest

from local_aws.stacks.registry import TYPES
from local_aws.stacks.schemas import _schema, problems

from .. import assembly
from ..support import client
from .test_cloudformation import Stacks

MACHINE = {"RoleArn": "arn:aws:iam::123456789012:role/machine", "DefinitionString": "{}"}
FUNCTION = {"Code": {"S3Bucket": "code", "S3Key": "key"}, "Role": "arn:aws:iam::123456789012:role/r"}
ALARM = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1}


class Properties(unittest.TestCase):
    def machine(self, **fields) -> list[str]:
        return problems("AWS::StepFunctions::StateMachine", {**MACHINE, **fields})

    def function(self, **fields) -> list[str]:
        return problems("AWS::Lambda::Function", {**FUNCTION, **fields})

    def test_every_type_that_stacks_may_have_has_a_schema(self):
        self.assertEqual([], [name for name in TYPES if _schema(name) is None])

    def test_an_empty_map_of_substitutions(self):
        self.assertEqual([], self.machine(DefinitionSubstitutions={"a": "b"}))
        found = self.machine(DefinitionSubstitutions={})
        self.assertEqual(["#/DefinitionSubstitutions: minimum size: [1], found: [0]"], found)

    def test_reasons_have_the_path_of_the_property(self):
        for fields, reason in (
            ({"Timeout": 0}, "#/Timeout: 0 is not greater or equal to 1"),
            (
                {"Environment": {"Variables": []}},
                "#/Environment/Variables: expected type: JSONObject, found: JSONArray",
            ),
            ({"TracingConfig": {"Mode": "On"}}, "#/TracingConfig/Mode: On is not a valid enum value"),
            ({"Tags": [{"Value": "x"}]}, "#/Tags/0: required key [Key] not found"),
            ({"Timout": 5}, "#: extraneous key [Timout] is not permitted"),
            ({"Arn": "x"}, "#: extraneous key [Arn] is not permitted"),
            ({"Description": "x" * 257}, "#/Description: expected maxLength: 256, actual: 257"),
        ):
            with self.subTest(reason):
                self.assertEqual([reason], self.function(**fields))

        found = problems("AWS::SQS::Queue", {"VisibilityTimeout": 43_201})
        self.assertEqual(["#/VisibilityTimeout: 43201 is not less or equal to 43200"], found)

    def test_all_reasons_are_told(self):
        found = problems("AWS::StepFunctions::StateMachine", {"StateMachineType": "SLOW", "Name": "x"})
        expected = {"#/StateMachineType: SLOW is not a valid enum value", "#: extraneous key [Name] is not permitted"}
        self.assertEqual(expected | {"#: required key [RoleArn] not found"}, set(found))

    def test_text_is_a_number_where_one_is_wanted_and_the_other_way_round(self):
        self.assertEqual(
            [], self.function(Timeout="30", MemorySize="256", Environment={"Variables": {"COUNT": 5, "FLAG": True}})
        )
        self.assertEqual(
            [], problems("AWS::CloudWatch::Alarm", {**ALARM, "ActionsEnabled": "true", "Threshold": "1.5"})
        )
        self.assertEqual(["#/Timeout: 0 is not greater or equal to 1"], self.function(Timeout="0"))
        self.assertEqual(["#/Timeout: expected type: Integer, found: String"], self.function(Timeout="soon"))

    def test_the_assembly_of_the_tests_is_right(self):
        # As far as it can be told before anything is resolved.
        for name, resource in assembly.template("x-", "code", "definition")["Resources"].items():
            found = [
                one
                for one in problems(resource["Type"], resource["Properties"])
                if "JSONObject" not in one and "subschema" not in one
            ]
            self.assertEqual([], found, name)


class Deploying(Stacks):
    def test_what_cloudformation_refuses_fails_with_the_path_and_leaves_nothing(self):
        def change(template):
            template["Resources"]["Machine"]["Properties"]["DefinitionSubstitutions"] = {}

        message = (
            "Properties validation failed for resource Machine with message:\n#/DefinitionSubstitutions: minimum size"
        )
        self.refused_deploy(message.replace("[", "\\["), change)
        self.assertEqual([], [name for name in self.everything() if not name.endswith("journal")])

    def test_an_update_is_checked_too(self):
        self.deploy()

        def change(template):
            template["Resources"]["Echo"]["Properties"]["Timeout"] = 0

        self.refused_deploy("#/Timeout: 0 is not greater or equal to 1", change)
        described = client("lambda").get_function_configuration(FunctionName=f"{self.prefix}echo")
        self.assertEqual(20, described["Timeout"])
