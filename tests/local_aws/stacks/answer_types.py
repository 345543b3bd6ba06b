"""More resource types of a stack: what pages that answer need.

Contract: as in resource_types.py. A secret's text is made as `GenerateSecretString` says; it is deleted at once, without AWS's days of grace.
"""

from ..clients import client
from .resource_types import Made, Type, _refuse, _take

PASSWORD = {"ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase"}
PASSWORD |= {"IncludeSpace", "PasswordLength", "RequireEachIncludedType"}


class FunctionUrl(Type):
    """See services/function_urls.py."""

    updatable = {"AuthType"}
    replacing = {"TargetFunctionArn", "Qualifier"}

    def create(self, given):
        _refuse(given, {"AuthType", "InvokeMode", "TargetFunctionArn"})
        rest = dict(given)
        (target,) = _take(rest, "TargetFunctionArn")
        made = client("lambda").create_function_url_config(FunctionName=target, **rest)
        arn = made["FunctionArn"]
        return Made(arn, {"FunctionArn": arn, "FunctionUrl": made["FunctionUrl"]})

    def update(self, made, old, new):
        client("lambda").update_function_url_config(FunctionName=made.physical_id, AuthType=new["AuthType"])
        return made

    def delete(self, made, given):
        client("lambda").delete_function_url_config(FunctionName=made.physical_id)


class Secret(Type):
    name = "Name"
    updatable = {"Description"}

    def create(self, given):
        rest = dict(given)
        generate, text, tags = _take(rest, "GenerateSecretString", "SecretString", "Tags")
        _refuse(rest, {"Name", "Description"})
        if generate is not None:
            _refuse(generate, PASSWORD)
            text = client("secretsmanager").get_random_password(**generate)["RandomPassword"]
        made = client("secretsmanager").create_secret(**rest, SecretString=text or "", Tags=tags or [])
        return Made(made["ARN"], {"Id": made["ARN"]})

    def update(self, made, old, new):
        client("secretsmanager").update_secret(SecretId=made.physical_id, Description=new.get("Description", ""))
        return made

    def delete(self, made, given):
        client("secretsmanager").delete_secret(SecretId=made.physical_id, ForceDeleteWithoutRecovery=True)


TYPES: dict[str, Type] = {
    "AWS::Lambda::Url": FunctionUrl(),
    "AWS::SecretsManager::Secret": Secret(),
}
