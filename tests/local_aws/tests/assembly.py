"""A cloud assembly as CDK leaves it in cdk.out, written by hand: every resource type that
stacks may have, but for those of environments (test_environment_types.py).

Contract: `write(folder, prefix, change)` makes the assembly of one stack, called `<prefix>stack` and `Stack` to CDK; all names
begin with the prefix. `change` may alter the template.
"""

import hashlib
import json
from pathlib import Path

from .support import INVOKE, server

BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"

# Waits as long as it is told, then asks the function.
DEFINITION = {
    "QueryLanguage": "JSONata",
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "Next": "Ask"},
        "Ask": {
            "Type": "Task",
            "Resource": INVOKE,
            "Arguments": {"FunctionName": "${EchoFunctionArn}", "Payload": {"value": "${Word}"}},
            "Output": "{% $states.result.Payload %}",
            "End": True,
        },
    },
}


def write(folder: Path, prefix: str, change=lambda template: None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    code = _code_asset(folder)
    definition = _asset(folder, "definition.json", "file", json.dumps(DEFINITION))
    stack_template = template(prefix, code["key"], definition["key"])
    change(stack_template)
    (folder / "Stack.template.json").write_text(json.dumps(stack_template))
    (folder / "Stack.assets.json").write_text(json.dumps({"files": {one["key"]: one["asset"] for one in (code, definition)}}))
    stack = {"templateFile": "Stack.template.json", "stackName": f"{prefix}stack"}
    artifacts = {
        "Stack.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Stack.assets.json"}},
        "Stack": {"type": "aws:cloudformation:stack", "properties": stack},
        "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def _code_asset(folder: Path) -> dict:
    binary = server().settings.bin_dir / "echo"
    (folder / "code").mkdir(exist_ok=True)
    (folder / "code/bootstrap").write_text(f"#!/bin/sh\nexec {binary}\n")
    (folder / "code/bootstrap").chmod(0o755)
    return _asset(folder, "code", "zip")


def _asset(folder: Path, path: str, packaging: str, content: str | None = None) -> dict:
    if content is not None:
        (folder / path).write_text(content)
    key = hashlib.sha256((content or path).encode()).hexdigest() + (".zip" if packaging == "zip" else ".json")
    destinations = {"here": {"bucketName": BUCKET, "objectKey": key}}
    return {"key": key, "asset": {"source": {"path": path, "packaging": packaging}, "destinations": destinations}}


def ref(name: str) -> dict:
    return {"Ref": name}


def attribute(name: str, which: str = "Arn") -> dict:
    return {"Fn::GetAtt": [name, which]}


def role(service: str, *actions: str) -> dict:
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policies = [{"PolicyName": "permissions", "PolicyDocument": policy(list(actions))}] if actions else []
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}, "Policies": policies},
    }


def policy(actions, resource="*", **more) -> dict:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def template(prefix: str, code: str, definition: str) -> dict:
    return {
        "Parameters": {
            "BootstrapVersion": {
                "Type": "AWS::SSM::Parameter::Value<String>",
                "Default": "/cdk-bootstrap/hnb659fds/version",
            }
        },
        "Resources": {
            **_machine(prefix, definition),
            **_function(prefix, code),
            **_table(prefix),
            **_messages(prefix),
            **_events(prefix),
            **_observability(prefix),
            **_reports(prefix),
            **_answers(),
            "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2"}},
        },
        "Outputs": {
            "MachineArn": {"Value": ref("Machine")},
            "TopicName": {"Value": attribute("Topic", "TopicName")},
        },
    }


def _machine(prefix: str, definition: str) -> dict:
    place = {"Bucket": {"Fn::Sub": BUCKET}, "Key": definition}
    return {
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "DependsOn": ["MachineRole"],
            "Properties": {
                "StateMachineName": f"{prefix}cutover",
                "DefinitionS3Location": place,
                "DefinitionSubstitutions": {"EchoFunctionArn": attribute("Echo"), "Word": "first"},
                "RoleArn": attribute("MachineRole"),
                "TracingConfiguration": {"Enabled": True},
            },
        },
        "MachineRole": role("states", "lambda:InvokeFunction"),
    }


def _function(prefix: str, code: str) -> dict:
    return {
        "Echo": {
            "Type": "AWS::Lambda::Function",
            "DependsOn": ["EchoPolicy"],
            "Properties": {
                "FunctionName": f"{prefix}echo",
                "Architectures": ["arm64"],
                "Code": {"S3Bucket": {"Fn::Sub": BUCKET}, "S3Key": code},
                "Environment": {"Variables": {"JOURNAL_TABLE": ref("Table")}},
                "Handler": "bootstrap",
                "LoggingConfig": {"LogFormat": "JSON", "LogGroup": ref("Logs")},
                "ReservedConcurrentExecutions": 5,
                "Role": attribute("EchoRole"),
                "Runtime": "provided.al2023",
                "Timeout": 20,
            },
        },
        "EchoRole": role("lambda"),
        "EchoPolicy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": f"{prefix}echo",
                "PolicyDocument": policy("dynamodb:GetItem", attribute("Table")),
                "Roles": [ref("EchoRole")],
            },
        },
        "Logs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/aws/lambda/{prefix}echo", "RetentionInDays": 30},
        },
    }


def _table(prefix: str) -> dict:
    keys = [{"AttributeName": "open", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}]
    index = {"IndexName": "open-runs", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
    properties = {
        "TableName": f"{prefix}journal",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "open")],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        "GlobalSecondaryIndexes": [index],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    return {"Table": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": properties}}


def _messages(prefix: str) -> dict:
    publish = policy("sns:Publish", ref("Topic"), Principal={"Service": "cloudwatch.amazonaws.com"})
    send = policy("sqs:SendMessage", attribute("Queue"), Principal={"Service": "events.amazonaws.com"})
    everything = policy("kms:*", Principal={"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}})
    resources = {
        "Key": ("AWS::KMS::Key", {"EnableKeyRotation": True, "KeyPolicy": everything}),
        "Alias": ("AWS::KMS::Alias", {"AliasName": f"alias/{prefix}key", "TargetKeyId": attribute("Key")}),
        "Topic": ("AWS::SNS::Topic", {"TopicName": f"{prefix}pages", "KmsMasterKeyId": attribute("Key")}),
        "Mail": (
            "AWS::SNS::Subscription",
            {"Protocol": "email", "TopicArn": ref("Topic"), "Endpoint": "ops@example.com"},
        ),
        "TopicPolicy": ("AWS::SNS::TopicPolicy", {"PolicyDocument": publish, "Topics": [ref("Topic")]}),
        "Queue": ("AWS::SQS::Queue", {"QueueName": f"{prefix}dead", "SqsManagedSseEnabled": True}),
        "QueuePolicy": ("AWS::SQS::QueuePolicy", {"PolicyDocument": send, "Queues": [ref("Queue")]}),
    }
    return {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in resources.items()}


def _events(prefix: str) -> dict:
    unfinished = {"source": ["aws.states"], "detail": {"status": ["ABORTED"], "stateMachineArn": [ref("Machine")]}}
    dead = {"DeadLetterConfig": {"Arn": attribute("Queue")}}
    ask = {"Id": "ask", "Arn": attribute("Echo"), "Input": json.dumps({"value": f"{prefix}rule"}), **dead}
    start = {"StateMachineArn": ref("Machine"), "Name": f"{prefix}once", "Input": '{"seconds": 30}'}
    night = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
        "RoleArn": attribute("ScheduleRole"),
        "Input": {"Fn::ToJsonString": start},
        "RetryPolicy": {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 900},
        **dead,
    }
    schedule = {
        "Name": f"{prefix}night",
        "GroupName": ref("Group"),
        "ScheduleExpression": "at(2100-01-01T02:00:00)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": night,
    }
    allow = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": attribute("Echo"),
        "Principal": "events.amazonaws.com",
        "SourceArn": attribute("Unfinished"),
    }
    rule = {"Name": f"{prefix}unfinished", "EventPattern": unfinished, "State": "ENABLED", "Targets": [ask]}
    return {
        "Unfinished": {"Type": "AWS::Events::Rule", "Properties": rule},
        "Allow": {"Type": "AWS::Lambda::Permission", "Properties": allow},
        "ScheduleRole": role("scheduler", "states:StartExecution", "sqs:SendMessage"),
        "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": f"{prefix}group"}},
        "Night": {"Type": "AWS::Scheduler::Schedule", "Properties": schedule},
    }


def _reports(prefix: str) -> dict:
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    private = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    bucket = {
        "BucketName": f"{prefix}reports",
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]},
        "LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 400}]},
        "PublicAccessBlockConfiguration": {name: True for name in private},
        "Tags": [{"Key": "made-by", "Value": "test"}],
    }
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    deny = policy("s3:*", attribute("Reports"), Effect="Deny", Principal={"AWS": "*"}, Condition=insecure)
    return {
        "Reports": {"Type": "AWS::S3::Bucket", "Properties": bucket},
        "ReportsPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": ref("Reports"), "PolicyDocument": deny},
        },
        "Sender": {"Type": "AWS::SES::EmailIdentity", "Properties": {"EmailIdentity": f"{prefix}cutover@example.com"}},
    }


def _answers() -> dict:
    def allow(action: str, **of) -> dict:
        properties = {"Action": action, "FunctionName": attribute("Echo"), "Principal": "*", **of}
        return {"Type": "AWS::Lambda::Permission", "Properties": properties}

    url = {"AuthType": "NONE", "TargetFunctionArn": attribute("Echo")}
    generate = {"PasswordLength": 64, "ExcludePunctuation": True}
    return {
        "Url": {"Type": "AWS::Lambda::Url", "Properties": url},
        "AllowUrl": allow("lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE"),
        "AllowByUrl": allow("lambda:InvokeFunction", InvokedViaFunctionUrl=True),
        "SigningKey": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": generate}},
    }


def _observability(prefix: str) -> dict:
    alarm = {
        "AlarmName": f"{prefix}failed",
        "AlarmActions": [ref("Topic")],
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Dimensions": [{"Name": "StateMachineArn", "Value": ref("Machine")}],
        "EvaluationPeriods": 1,
        "MetricName": "ExecutionsFailed",
        "Namespace": "AWS/States",
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 1,
    }
    body = {"Fn::Join": ["", ['{"widgets":[{"type":"text","properties":{"markdown":"', attribute("Alarm"), '"}}]}']]}
    return {
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        "Dashboard": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {"DashboardName": f"{prefix}suite", "DashboardBody": body},
        },
    }
