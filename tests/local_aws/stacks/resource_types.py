"""Most resource types that a stack may have, each created, updated and deleted through its service's own API.

Contract: `TYPES` has them by name. Properties are CloudFormation's, resolved. A type creates what `create` answers as Made;
`update` is asked for changes of `updatable` properties only; a change of the name, or of a `replacing` property, makes a
new resource, and any other change is refused. A property that neither the code here nor the service's API knows is an
error (boto3 checks the parameters of set-up calls): nothing is silently left out.
"""

import json
import re
import uuid
from dataclasses import dataclass, field

from ..clients import client
from ..services.functions import zipped
from ..settings import ACCOUNT_ID, REGION

PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


class NotEmulated(ValueError):
    pass


@dataclass
class Made:
    physical_id: str  # what Ref answers
    attributes: dict[str, str] = field(default_factory=dict)  # what Fn::GetAtt answers
    before: dict[str, str] = field(default_factory=dict)  # what deletion puts back


class Type:
    name: str | None = None  # the property with the physical name
    updatable: set[str] = set()
    replacing: set[str] = set()

    def create(self, given: dict) -> Made:
        raise NotImplementedError

    def update(self, made: Made, old: dict, new: dict) -> Made:
        raise NotImplementedError

    def delete(self, made: Made, given: dict) -> None:
        raise NotImplementedError


def _take(given: dict, *names: str) -> list:
    """Takes properties out; None for those that are not there."""
    return [given.pop(name, None) for name in names]


def _refuse(given: dict, known: set[str]) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise NotEmulated(f"not emulated: the properties {', '.join(unknown)}")


def _refuse_removal(old: dict, new: dict) -> None:
    if gone := sorted(set(old) - set(new)):
        raise NotEmulated(f"not emulated: an update that takes away {', '.join(gone)}")


def _tags(tags: list | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def _lower_first(value):
    """A property's names as the APIs of Step Functions and CloudWatch Logs write them."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _lower_first(item) for key, item in value.items()}
    return [_lower_first(item) for item in value] if isinstance(value, list) else value


def _attribute(value) -> str:
    """An attribute's value as the query APIs of SNS and SQS want it."""
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _statement_id() -> str:
    return f"stack-{uuid.uuid4().hex[:12]}"


class Role(Type):
    name = "RoleName"
    updatable = {"AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "Description", "MaxSessionDuration"}

    def create(self, given):
        policies, managed, trust = _take(given, "Policies", "ManagedPolicyArns", "AssumeRolePolicyDocument")
        role = client("iam").create_role(**given, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        self._put(role["RoleName"], policies, managed)
        return Made(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def _put(self, name: str, policies: list | None, managed: list | None) -> None:
        for policy in policies or []:
            document = json.dumps(policy["PolicyDocument"])
            client("iam").put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)
        for arn in managed or []:
            client("iam").attach_role_policy(RoleName=name, PolicyArn=arn)

    def _remove(self, name: str, policies: list, managed: list) -> None:
        for policy in policies:
            client("iam").delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"])
        for arn in managed:
            client("iam").detach_role_policy(RoleName=name, PolicyArn=arn)

    def update(self, made, old, new):
        name, trust = made.physical_id, json.dumps(new["AssumeRolePolicyDocument"])
        client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        client("iam").update_role(
            RoleName=name,
            Description=new.get("Description", ""),
            MaxSessionDuration=new.get("MaxSessionDuration", 3600),
        )
        kept = {policy["PolicyName"] for policy in new.get("Policies", [])}
        gone = [policy for policy in old.get("Policies", []) if policy["PolicyName"] not in kept]
        detached = set(old.get("ManagedPolicyArns", [])) - set(new.get("ManagedPolicyArns", []))
        self._put(name, new.get("Policies"), new.get("ManagedPolicyArns"))
        self._remove(name, gone, sorted(detached))
        return made

    def delete(self, made, given):
        api, name = client("iam"), made.physical_id
        # All that it has by now: a policy that something else put there would keep the role alive.
        for policy in api.list_role_policies(RoleName=name)["PolicyNames"]:
            api.delete_role_policy(RoleName=name, PolicyName=policy)
        for policy in api.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            api.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        api.delete_role(RoleName=name)


class InlinePolicy(Type):
    name = "PolicyName"
    updatable = {"PolicyDocument", "Roles"}

    def create(self, given):
        _refuse(given, {"PolicyName", "PolicyDocument", "Roles"})
        for role in given.get("Roles", []):
            document = json.dumps(given["PolicyDocument"])
            client("iam").put_role_policy(RoleName=role, PolicyName=given["PolicyName"], PolicyDocument=document)
        return Made(given["PolicyName"])

    def update(self, made, old, new):
        self._remove(made, set(old.get("Roles", [])) - set(new.get("Roles", [])))
        return self.create(new)

    def delete(self, made, given):
        self._remove(made, given.get("Roles", []))

    def _remove(self, made: Made, roles) -> None:
        for role in roles:
            client("iam").delete_role_policy(RoleName=role, PolicyName=made.physical_id)


class Function(Type):
    name = "FunctionName"
    code = {"Code", "Architectures"}
    updatable = code | {"Description", "Environment", "Handler", "LoggingConfig", "MemorySize", "Role", "Runtime"}
    updatable |= {"Timeout", "TracingConfig", "VpcConfig", "ReservedConcurrentExecutions"}

    def create(self, given):
        rest = dict(given)
        tags, reserved = _take(rest, "Tags", "ReservedConcurrentExecutions")
        created = client("lambda").create_function(**{**rest, "Code": self._code(given["Code"]), "Tags": _tags(tags)})
        self._reserve(created["FunctionName"], reserved)
        return Made(created["FunctionName"], {"Arn": created["FunctionArn"]})

    def _reserve(self, name: str, executions: int | None) -> None:
        if executions is not None:
            client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=executions)

    def _code(self, code: dict) -> dict:
        if "ZipFile" in code:
            return {"ZipFile": zipped("index.py", code["ZipFile"])}  # its text, as the file `index`
        if "S3Bucket" not in code:
            raise NotEmulated("not emulated: code that is neither in S3 nor in the template")
        return code

    def update(self, made, old, new):
        _refuse_removal(old, new)
        api, name = client("lambda"), {"FunctionName": made.physical_id}
        if any(old.get(key) != new.get(key) for key in self.code):
            architectures = {"Architectures": new["Architectures"]} if "Architectures" in new else {}
            api.update_function_code(**name, **self._code(new["Code"]), **architectures)
        changed = {key: value for key, value in new.items() if key not in self.code and old.get(key) != value}
        self._reserve(made.physical_id, changed.pop("ReservedConcurrentExecutions", None))
        if changed:
            api.update_function_configuration(**name, **changed)
        return made

    def delete(self, made, given):
        client("lambda").delete_function(FunctionName=made.physical_id)


class LambdaPermission(Type):
    replacing = {"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn", "EventSourceToken"}
    replacing |= {"FunctionUrlAuthType", "InvokedViaFunctionUrl"}

    def create(self, given):
        statement_id = _statement_id()
        client("lambda").add_permission(**given, StatementId=statement_id)
        return Made(statement_id, {"Id": statement_id})

    def delete(self, made, given):
        client("lambda").remove_permission(FunctionName=given["FunctionName"], StatementId=made.physical_id)


class Table(Type):
    name = "TableName"
    updatable = {"AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes"}
    updatable |= {"PointInTimeRecoverySpecification", "TimeToLiveSpecification"}
    replacing = {"KeySchema", "LocalSecondaryIndexes"}

    def create(self, given):
        rest = dict(given)
        recovery, expiry, encryption = _take(
            rest, "PointInTimeRecoverySpecification", "TimeToLiveSpecification", "SSESpecification"
        )
        if encryption:
            enabled = {"Enabled": encryption["SSEEnabled"]}
            others = {key: value for key, value in encryption.items() if key != "SSEEnabled"}
            rest["SSESpecification"] = {**others, **enabled}
        table = client("dynamodb").create_table(**rest)["TableDescription"]
        self._protect(table["TableName"], recovery, expiry)
        return Made(table["TableName"], {"Arn": table["TableArn"]})

    def _protect(self, name: str, recovery: dict | None, expiry: dict | None) -> None:
        if recovery:
            client("dynamodb").update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
        if expiry:
            client("dynamodb").update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)

    def update(self, made, old, new):
        _refuse_removal(old, new)
        api, name = client("dynamodb"), made.physical_id
        plain = ("BillingMode", "DeletionProtectionEnabled")
        changed = {key: new[key] for key in plain if key in new and old.get(key) != new[key]}
        if changed:
            api.update_table(TableName=name, **changed)
        for change in self._index_changes(old, new):
            definitions = new["AttributeDefinitions"]
            api.update_table(TableName=name, AttributeDefinitions=definitions, GlobalSecondaryIndexUpdates=[change])
        self._protect(name, *(new.get(key) for key in ("PointInTimeRecoverySpecification", "TimeToLiveSpecification")))
        return made

    def _index_changes(self, old: dict, new: dict) -> list[dict]:
        before, after = (
            {index["IndexName"]: index for index in given.get("GlobalSecondaryIndexes", [])} for given in (old, new)
        )
        if changed := [name for name in before.keys() & after.keys() if before[name] != after[name]]:
            raise NotEmulated(f"not emulated: a change of the index {', '.join(sorted(changed))}")
        removed = [{"Delete": {"IndexName": name}} for name in before.keys() - after.keys()]
        return removed + [{"Create": index} for name, index in after.items() if name not in before]

    def delete(self, made, given):
        client("dynamodb").delete_table(TableName=made.physical_id)


class Key(Type):
    updatable = {"Description", "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays"}

    def create(self, given):
        rest = dict(given)
        rotation, policy, _, tags = _take(rest, "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "Tags")
        if policy:
            rest["Policy"] = json.dumps(policy)
        rest["Tags"] = [{"TagKey": key, "TagValue": value} for key, value in _tags(tags).items()]
        key = client("kms").create_key(**rest)["KeyMetadata"]
        if rotation:
            client("kms").enable_key_rotation(KeyId=key["KeyId"])
        return Made(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})

    def update(self, made, old, new):
        api, key = client("kms"), {"KeyId": made.physical_id}
        api.put_key_policy(**key, PolicyName="default", Policy=json.dumps(new["KeyPolicy"]))
        api.update_key_description(**key, Description=new.get("Description", ""))
        (api.enable_key_rotation if new.get("EnableKeyRotation") else api.disable_key_rotation)(**key)
        return made

    def delete(self, made, given):
        days = given.get("PendingWindowInDays", 30)
        client("kms").schedule_key_deletion(KeyId=made.physical_id, PendingWindowInDays=days)


class Alias(Type):
    name = "AliasName"
    updatable = {"TargetKeyId"}

    def create(self, given):
        client("kms").create_alias(**given)
        return Made(given["AliasName"])

    def update(self, made, old, new):
        client("kms").update_alias(**new)
        return made

    def delete(self, made, given):
        client("kms").delete_alias(AliasName=made.physical_id)


class Topic(Type):
    name = "TopicName"
    attributes = {"DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig"}
    updatable = attributes

    def create(self, given):
        rest = dict(given)
        name, tags = _take(rest, "TopicName", "Tags")
        _refuse(rest, self.attributes)
        attributes = {key: _attribute(value) for key, value in rest.items()}
        arn = client("sns").create_topic(Name=name, Attributes=attributes, Tags=tags or [])["TopicArn"]
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, made, old, new):
        _refuse_removal(old, new)
        for key in self.attributes & new.keys():
            value = _attribute(new[key])
            client("sns").set_topic_attributes(TopicArn=made.physical_id, AttributeName=key, AttributeValue=value)
        return made

    def delete(self, made, given):
        client("sns").delete_topic(TopicArn=made.physical_id)


class Subscription(Type):
    replacing = {"Endpoint", "Protocol", "TopicArn"}

    def create(self, given):
        _refuse(given, self.replacing)
        arn = client("sns").subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"]
        return Made(arn, {"Arn": arn})

    def delete(self, made, given):
        client("sns").unsubscribe(SubscriptionArn=made.physical_id)


class TopicPolicy(Type):
    updatable = {"PolicyDocument"}
    replacing = {"Topics"}

    def create(self, given):
        _refuse(given, {"PolicyDocument", "Topics"})
        described = {arn: client("sns").get_topic_attributes(TopicArn=arn)["Attributes"] for arn in given["Topics"]}
        self._put({arn: json.dumps(given["PolicyDocument"]) for arn in given["Topics"]})
        return Made(_statement_id(), before={arn: attributes["Policy"] for arn, attributes in described.items()})

    def _put(self, policies: dict[str, str]) -> None:
        for arn, policy in policies.items():
            client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)

    def update(self, made, old, new):
        self._put({arn: json.dumps(new["PolicyDocument"]) for arn in new["Topics"]})
        return made

    def delete(self, made, given):
        self._put(made.before)


class Queue(Type):
    name = "QueueName"
    attributes = {
        *("DelaySeconds", "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "RedrivePolicy"),
        *("MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "SqsManagedSseEnabled", "VisibilityTimeout"),
    }
    updatable = attributes

    def create(self, given):
        rest = dict(given)
        name, tags = _take(rest, "QueueName", "Tags")
        url = client("sqs").create_queue(QueueName=name, Attributes=self._attributes(rest), tags=_tags(tags))["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}"
        return Made(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    def _attributes(self, given: dict) -> dict[str, str]:
        _refuse(given, self.attributes)
        return {key: _attribute(value) for key, value in given.items()}

    def update(self, made, old, new):
        _refuse_removal(old, new)
        attributes = {key: value for key, value in new.items() if key not in ("QueueName", "Tags")}
        client("sqs").set_queue_attributes(QueueUrl=made.physical_id, Attributes=self._attributes(attributes))
        return made

    def delete(self, made, given):
        client("sqs").delete_queue(QueueUrl=made.physical_id)


class QueuePolicy(Type):
    updatable = {"PolicyDocument"}
    replacing = {"Queues"}

    def create(self, given):
        _refuse(given, {"PolicyDocument", "Queues"})
        self._put(given["Queues"], json.dumps(given["PolicyDocument"]))
        return Made(_statement_id())

    def _put(self, urls: list[str], policy: str) -> None:
        for url in urls:
            client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def update(self, made, old, new):
        self._put(new["Queues"], json.dumps(new["PolicyDocument"]))
        return made

    def delete(self, made, given):
        self._put(given["Queues"], "")


class Rule(Type):
    name = "Name"
    updatable = {"Description", "EventPattern", "RoleArn", "ScheduleExpression", "State", "Targets"}

    def create(self, given):
        rest = dict(given)
        pattern, targets = _take(rest, "EventPattern", "Targets")
        if pattern:
            rest["EventPattern"] = json.dumps(pattern)
        arn = client("events").put_rule(**rest)["RuleArn"]
        if targets:
            client("events").put_targets(Rule=given["Name"], Targets=targets)
        return Made(given["Name"], {"Arn": arn})

    def update(self, made, old, new):
        kept = {target["Id"] for target in new.get("Targets", [])}
        self._remove(made, [target["Id"] for target in old.get("Targets", []) if target["Id"] not in kept])
        return self.create(new)

    def _remove(self, made: Made, ids: list[str]) -> None:
        if ids:
            client("events").remove_targets(Rule=made.physical_id, Ids=ids)

    def delete(self, made, given):
        self._remove(made, [target["Id"] for target in given.get("Targets", [])])
        client("events").delete_rule(Name=made.physical_id)


class ScheduleGroup(Type):
    name = "Name"

    def create(self, given):
        arn = client("scheduler").create_schedule_group(**given)["ScheduleGroupArn"]
        return Made(given["Name"], {"Arn": arn})

    def delete(self, made, given):
        client("scheduler").delete_schedule_group(Name=made.physical_id)


class Schedule(Type):
    name = "Name"
    updatable = {"Description", "FlexibleTimeWindow", "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Target"}
    replacing = {"GroupName"}

    def create(self, given):
        arn = client("scheduler").create_schedule(**given)["ScheduleArn"]
        return Made(given["Name"], {"Arn": arn})

    def update(self, made, old, new):
        client("scheduler").update_schedule(**new)
        return made

    def delete(self, made, given):
        group = {"GroupName": given["GroupName"]} if "GroupName" in given else {}
        client("scheduler").delete_schedule(Name=made.physical_id, **group)


class StateMachine(Type):
    name = "StateMachineName"
    definition = {"Definition", "DefinitionS3Location", "DefinitionString", "DefinitionSubstitutions"}
    updatable = definition | {"LoggingConfiguration", "RoleArn", "TracingConfiguration"}
    replacing = {"StateMachineType"}

    def create(self, given):
        name = given["StateMachineName"]
        kind = {"type": given.get("StateMachineType", "STANDARD"), "tags": _lower_first(given.get("Tags", []))}
        api = client("stepfunctions")
        arn = api.create_state_machine(name=name, **kind, **self._parameters(given))["stateMachineArn"]
        return Made(arn, {"Arn": arn, "Name": name})

    def _parameters(self, given: dict) -> dict:
        apart = self.definition | {"StateMachineName", "StateMachineType", "Tags"}
        rest = {key: value for key, value in given.items() if key not in apart}
        return {"definition": self._definition(given), **_lower_first(rest)}

    def _definition(self, given: dict) -> str:
        values = given.get("DefinitionSubstitutions", {})

        def value(found):
            if found[1] not in values:
                raise NotEmulated(f"nothing fills the placeholder {found[0]} of the definition")
            return str(values[found[1]])

        return PLACEHOLDER.sub(value, self._text(given))

    def _text(self, given: dict) -> str:
        if "DefinitionS3Location" in given:
            place = given["DefinitionS3Location"]
            return client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read().decode()
        return json.dumps(given["Definition"]) if "Definition" in given else given["DefinitionString"]

    def update(self, made, old, new):
        client("stepfunctions").update_state_machine(stateMachineArn=made.physical_id, **self._parameters(new))
        return made

    def delete(self, made, given):
        client("stepfunctions").delete_state_machine(stateMachineArn=made.physical_id)


class LogGroup(Type):
    name = "LogGroupName"
    updatable = {"RetentionInDays"}

    def create(self, given):
        rest = dict(given)
        days, tags = _take(rest, "RetentionInDays", "Tags")
        client("logs").create_log_group(**_lower_first(rest), tags=_tags(tags))
        made = Made(given["LogGroupName"])
        made.attributes["Arn"] = f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{made.physical_id}:*"
        self._keep(made.physical_id, days)
        return made

    def _keep(self, name: str, days: int | None) -> None:
        if days:
            client("logs").put_retention_policy(logGroupName=name, retentionInDays=int(days))
        else:
            client("logs").delete_retention_policy(logGroupName=name)

    def update(self, made, old, new):
        self._keep(made.physical_id, new.get("RetentionInDays"))
        return made

    def delete(self, made, given):
        client("logs").delete_log_group(logGroupName=made.physical_id)


class _Put(Type):
    """What one call both creates and updates."""

    updatable = {"*"}

    def update(self, made, old, new):
        return self.create(new)


class Alarm(_Put):
    name = "AlarmName"

    def create(self, given):
        client("cloudwatch").put_metric_alarm(**given)
        return Made(given["AlarmName"], {"Arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT_ID}:alarm:{given['AlarmName']}"})

    def delete(self, made, given):
        client("cloudwatch").delete_alarms(AlarmNames=[made.physical_id])


class Dashboard(_Put):
    name = "DashboardName"

    def create(self, given):
        client("cloudwatch").put_dashboard(**given)
        return Made(given["DashboardName"])

    def delete(self, made, given):
        client("cloudwatch").delete_dashboards(DashboardNames=[made.physical_id])


class CdkMetadata(_Put):
    """What CDK tells AWS about itself; nothing is created on AWS either."""

    def create(self, given):
        return Made("metadata")

    def delete(self, made, given):
        pass


TYPES: dict[str, Type] = {
    "AWS::CDK::Metadata": CdkMetadata(),
    "AWS::CloudWatch::Alarm": Alarm(),
    "AWS::CloudWatch::Dashboard": Dashboard(),
    "AWS::DynamoDB::Table": Table(),
    "AWS::Events::Rule": Rule(),
    "AWS::IAM::Policy": InlinePolicy(),
    "AWS::IAM::Role": Role(),
    "AWS::KMS::Alias": Alias(),
    "AWS::KMS::Key": Key(),
    "AWS::Lambda::Function": Function(),
    "AWS::Lambda::Permission": LambdaPermission(),
    "AWS::Logs::LogGroup": LogGroup(),
    "AWS::SNS::Subscription": Subscription(),
    "AWS::SNS::Topic": Topic(),
    "AWS::SNS::TopicPolicy": TopicPolicy(),
    "AWS::SQS::Queue": Queue(),
    "AWS::SQS::QueuePolicy": QueuePolicy(),
    "AWS::Scheduler::Schedule": Schedule(),
    "AWS::Scheduler::ScheduleGroup": ScheduleGroup(),
    "AWS::StepFunctions::StateMachine": StateMachine(),
}
