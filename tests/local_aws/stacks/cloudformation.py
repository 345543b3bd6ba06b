"""CloudFormation: stacks of the types in registry, and the deployment of a synthesized CDK app.

Contract: `install()` corrects moto's engine; templates, parameters, conditions and intrinsic functions stay moto's.
- A template with a type that is not in TYPES is refused before anything is created. Properties are checked against the schemas that
  CloudFormation publishes (schemas.py), once they are resolved and before the resource is touched.
- Resources are made in the order of their dependencies, removed in the opposite one.
- A failed creation is rolled back (the stack is ROLLBACK_COMPLETE and empty); a failed update stays where it stopped
  (UPDATE_FAILED: unlike AWS, it is not rolled back); a failed removal keeps the stack (DELETE_FAILED).
- An update touches only what differs once it is resolved; what the template no longer has goes at the end.
- DeletionPolicy Retain keeps a resource when the stack, or its place in the template, goes.
Unlike AWS everything happens within the request, so that its error is the answer.

`deploy(assembly, stack)` publishes a cloud assembly's assets and creates or updates the stack; `delete(stack)` removes it.
"""

import copy
import json
import sys
import time
import uuid
import zipfile
from io import BytesIO
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.common_models import CloudFormationModel

from ..clients import client
from ..services import functions
from ..settings import ACCOUNT_ID, REGION
from . import schemas
from .registry import TYPES
from .resource_types import Made, NotEmulated

BOOTSTRAP_VERSION = "30"
NAME_LIMIT = 64
# A larger bootstrap (a debug build has 40 MB) is run where it lies instead of being zipped and unpacked.
COPIED_BOOTSTRAP_BYTES = 1_000_000
RETAINED = {"Retain", "RetainExceptOnCreate"}
GONE = {"DELETE_COMPLETE", "ROLLBACK_COMPLETE"}


class DeployError(ValueError):
    pass


class Resource(CloudFormationModel):
    """A resource of a stack, as moto's engine wants one."""

    def __init__(self, logical_id: str, definition: dict, properties: dict, made: Made):
        self.logical_resource_id = logical_id
        self.type = self.cf_resource_type = definition["Type"]
        self.deletion_policy = definition.get("DeletionPolicy")
        self.properties = properties
        self.made = made

    @property
    def kind(self):
        return TYPES[self.type]

    @property
    def physical_resource_id(self) -> str:
        return self.made.physical_id

    def get_cfn_attribute(self, name: str) -> str:
        if name not in self.made.attributes:
            raise _error(f"{self.logical_resource_id}: {self.type} has no attribute {name} here")
        return self.made.attributes[name]

    def remove(self) -> None:
        self.kind.delete(self.made, self.properties)

    def is_created(self) -> bool:
        return True

    @staticmethod
    def cloudformation_type() -> str:
        return ""

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True


def install() -> None:
    from moto.cloudformation import models, parsing

    parsing.parse_and_create_resource = _make
    parsing.resource_class_from_type = lambda _: Resource
    resources = parsing.ResourceMap
    stock_load = resources.load

    def load(self):
        _refuse_unknown_types(self._template)
        stock_load(self)

    resources.load, resources.create = load, _create_all
    resources.update, resources.delete = _update_all, _delete_all
    _parse_json_first(models.Stack)
    _tell_failures(models.Stack)
    _keep_undeleted_stacks(models.CloudFormationBackend)


def _error(message: str) -> Exception:
    from moto.cloudformation.exceptions import ValidationError

    return ValidationError(message=message)


def _refuse_unknown_types(template: dict) -> None:
    types = {logical_id: resource["Type"] for logical_id, resource in template.get("Resources", {}).items()}
    unknown = sorted(f"{logical_id} ({name})" for logical_id, name in types.items() if name not in TYPES)
    if unknown:
        raise _error(f"not emulated, see stacks/registry.py: {', '.join(unknown)}")


def _make(logical_id: str, definition: dict, resources, **_):
    """Called by moto when a resource is first referred to: creates it, or during an update brings it up to date."""
    from moto.cloudformation.parsing import clean_json

    condition = definition.get("Condition")
    if condition and not resources.lazy_condition_map[condition]:
        return None
    depends_on = definition.get("DependsOn", [])
    for dependency in [depends_on] if isinstance(depends_on, str) else depends_on:
        resources[dependency]
    properties = clean_json(definition.get("Properties", {}), resources)
    if reasons := schemas.problems(definition["Type"], properties):
        listed = "\n".join(reasons)
        raise _error(f"Properties validation failed for resource {logical_id} with message:\n{listed}")
    existing = getattr(resources, "existing", {}).get(logical_id)
    try:
        if existing is None:
            return _create(logical_id, definition, properties, resources)
        return _bring_up_to_date(existing, definition, properties, resources)
    except (ClientError, BotoCoreError, NotEmulated, KeyError, TypeError, AttributeError) as problem:
        said = problem if isinstance(problem, (ClientError, BotoCoreError, NotEmulated)) else repr(problem)
        raise _error(f"{logical_id} ({definition['Type']}): {said}") from problem


def _create(logical_id: str, definition: dict, properties: dict, resources) -> Resource:
    kind = TYPES[definition["Type"]]
    given = copy.deepcopy(properties)
    if kind.name:
        given.setdefault(kind.name, _generated_name(resources["AWS::StackName"], logical_id))
    made = kind.create(copy.deepcopy(given))
    return Resource(logical_id, definition, given, made)


def _generated_name(stack: str, logical_id: str) -> str:
    random = uuid.uuid4().hex[:12]
    room = NAME_LIMIT - len(random) - 2
    return f"{stack[: room // 2]}-{logical_id[: room // 2]}-{random}"


def _bring_up_to_date(existing: Resource, definition: dict, properties: dict, resources) -> Resource:
    kind, wanted = TYPES[definition["Type"]], copy.deepcopy(properties)
    if kind.name and kind.name in existing.properties:
        wanted.setdefault(kind.name, existing.properties[kind.name])
    keys = existing.properties.keys() | wanted.keys()
    changed = {key for key in keys if existing.properties.get(key) != wanted.get(key)}
    if existing.type != definition["Type"] or changed & {kind.name, *kind.replacing}:
        return _replace(existing, definition, wanted, changed, resources)
    unknown = changed - kind.updatable
    if unknown and kind.updatable != {"*"}:
        raise NotEmulated(f"not emulated: an update of {', '.join(sorted(unknown))}")
    made = kind.update(existing.made, copy.deepcopy(existing.properties), copy.deepcopy(wanted)) if changed else None
    return Resource(existing.logical_resource_id, definition, wanted, made or existing.made)


def _replace(existing: Resource, definition: dict, wanted: dict, changed: set[str], resources) -> Resource:
    """Makes the new one beside the old one, which goes at the end of the update; so it needs another name."""
    kind = TYPES[definition["Type"]]
    if kind.name and existing.type == definition["Type"] and kind.name not in changed:
        raise NotEmulated(f"the change of {', '.join(sorted(changed))} replaces it, which its name does not allow")
    resources.replaced.append(existing)
    return _create(existing.logical_resource_id, definition, wanted, resources)


def _made(resources) -> list[Resource]:
    """In the order in which they were made, dependencies first."""
    return [resource for resource in resources._parsed_resources.values() if isinstance(resource, Resource)]


def _create_all(self, template: dict) -> bool:
    self._template, self._resource_json_map = template, template["Resources"]
    try:
        for logical_id in self._resource_json_map:
            self[logical_id]
    except Exception:
        made = _made(self)
        # Looking at a resource would make it.
        self._resource_json_map, self._parsed_resources = {}, {}
        for problem in _removal_problems([one for one in made if one.deletion_policy != "Retain"]):
            print(f"local_aws: the rollback left {problem}", file=sys.stderr)
        raise
    return True


def _update_all(self, template: dict, parameters: dict | None = None) -> None:
    _refuse_unknown_types(template)
    self._template, self._resource_json_map = template, template["Resources"]
    if parameters:
        self.input_parameters = parameters
    self.load_mapping()
    self.load_parameters()
    self.load_conditions()
    self.existing = {resource.logical_resource_id: resource for resource in _made(self)}
    self.replaced = []
    for logical_id in self.existing:
        del self._parsed_resources[logical_id]
    try:
        for logical_id in self._resource_json_map:
            self[logical_id]
    except Exception:
        for logical_id, resource in self.existing.items():
            self._parsed_resources.setdefault(logical_id, resource)
        raise
    finally:
        existing, self.existing = self.existing, {}
    gone = [resource for logical_id, resource in existing.items() if logical_id not in self._resource_json_map]
    _remove([one for one in [*gone, *self.replaced] if one.deletion_policy not in RETAINED])


def _delete_all(self) -> None:
    _remove([one for one in _made(self) if one.deletion_policy not in RETAINED])
    self._resource_json_map = {}


def _remove(resources: list[Resource]) -> None:
    if problems := _removal_problems(resources):
        raise _error("; ".join(problems))


def _removal_problems(resources: list[Resource]) -> list[str]:
    """Removes them, those that others refer to last, and answers what did not work."""
    problems = []
    for resource in reversed(resources):
        try:
            resource.remove()
        except (ClientError, BotoCoreError) as problem:
            problems.append(f"{resource.logical_resource_id} ({resource.type}): {problem}")
    return problems


def _parse_json_first(stack_class) -> None:
    """moto parses every template as YAML, which takes seconds for a large one."""
    stock = stack_class.parse_template

    def parse_template(template):
        try:
            return json.loads(template)
        except ValueError:
            return stock(template)

    stack_class.parse_template = staticmethod(parse_template)


def _tell_failures(stack_class) -> None:
    stock_create, stock_update = stack_class.create_resources, stack_class.update

    def create_resources(self):
        try:
            stock_create(self)
        except Exception:
            self.status = "ROLLBACK_COMPLETE"
            raise

    def update(self, *args, **kwargs):
        try:
            stock_update(self, *args, **kwargs)
        except Exception:
            self.status = "UPDATE_FAILED"
            raise

    stack_class.create_resources, stack_class.update = create_resources, update


def _keep_undeleted_stacks(backend_class) -> None:
    stock = backend_class.delete_stack

    def delete_stack(self, name_or_stack_id):
        before = dict(self.stacks)
        try:
            stock(self, name_or_stack_id)
        except Exception:
            for stack_id, stack in before.items():
                if stack_id not in self.stacks:
                    stack.status = "DELETE_FAILED"
                    self.stacks[stack_id] = stack
            raise

    backend_class.delete_stack = delete_stack


def deploy(assembly: Path, stack: str | None = None) -> dict:
    """Creates or updates a stack of the assembly (None: its only one), by its CDK id or its own name."""
    started = time.monotonic()
    manifest = _manifest(assembly)
    name, template_file = _stack_of(manifest, stack)
    bucket = _bootstrap()
    _publish_assets(assembly, manifest)
    template = (assembly / template_file).read_bytes()
    key = f"templates/{name}-{uuid.uuid4().hex}.json"
    client("s3").put_object(Bucket=bucket, Key=key, Body=template)
    _create_or_update(name, f"https://{bucket}.s3.{REGION}.amazonaws.com/{key}")
    return {"stack": name, **describe(name, json.loads(template)), "seconds": round(time.monotonic() - started, 2)}


def _manifest(assembly: Path) -> dict:
    try:
        return json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    except OSError as problem:
        raise DeployError(f"{assembly} is no cloud assembly: {problem}") from problem


def _stack_of(manifest: dict, stack: str | None) -> tuple[str, str]:
    """A stack's name and its template's file."""
    stacks = {
        artifact_id: (artifact["properties"].get("stackName", artifact_id), artifact["properties"]["templateFile"])
        for artifact_id, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    found = [one for artifact_id, one in stacks.items() if stack in (None, artifact_id, one[0])]
    if len(found) != 1:
        raise DeployError(f"there are {len(found)} stacks for {stack or 'any name'} among {', '.join(stacks)}")
    return found[0]


def _bootstrap() -> str:
    """What `cdk bootstrap` leaves: a bucket for assets, and its version."""
    bucket = _resolved("cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}")
    if bucket not in [one["Name"] for one in client("s3").list_buckets()["Buckets"]]:
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    parameter = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": BOOTSTRAP_VERSION, "Type": "String"}
    client("ssm").put_parameter(**parameter, Overwrite=True)
    return bucket


def _resolved(text: str) -> str:
    return text.replace("${AWS::AccountId}", ACCOUNT_ID).replace("${AWS::Region}", REGION)


def _publish_assets(assembly: Path, manifest: dict) -> None:
    for artifact in manifest["artifacts"].values():
        if artifact["type"] != "cdk:asset-manifest":
            continue
        assets = json.loads((assembly / artifact["properties"]["file"]).read_text(encoding="utf-8"))
        if assets.get("dockerImages"):
            raise DeployError("not emulated: container images as assets")
        for asset in assets["files"].values():
            body = _asset(assembly, asset["source"])
            for place in asset["destinations"].values():
                bucket, key = _resolved(place["bucketName"]), _resolved(place["objectKey"])
                client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def _asset(assembly: Path, source: dict) -> bytes:
    path = assembly / source["path"]
    if source["packaging"] == "file":
        return path.read_bytes()
    bootstrap = path / "bootstrap"
    if bootstrap.exists() and bootstrap.stat().st_size > COPIED_BOOTSTRAP_BYTES:
        return functions.zipped("pointer.json", json.dumps({"path": str(bootstrap.resolve())}))
    package = BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in sorted(one for one in path.rglob("*") if one.is_file()):
            zipped.write(file, file.relative_to(path))
    return package.getvalue()


def _create_or_update(name: str, template_url: str) -> None:
    api = client("cloudformation")
    request = {"StackName": name, "TemplateURL": template_url, "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]}
    if exists(name):
        api.update_stack(**request)
        return
    try:
        api.create_stack(**request)
    except ClientError:
        api.delete_stack(StackName=name)  # AWS too wants a ROLLBACK_COMPLETE stack away before the next attempt
        raise


def exists(name: str) -> bool:
    stacks = client("cloudformation").list_stacks()["StackSummaries"]
    return any(stack["StackName"] == name and stack["StackStatus"] not in GONE for stack in stacks)


def describe(name: str, template: dict) -> dict:
    """Outputs and resources; every resource of the template must be there."""
    api = client("cloudformation")
    stack = api.describe_stacks(StackName=name)["Stacks"][0]
    resources = [
        {
            "logical_id": resource["LogicalResourceId"],
            "type": resource["ResourceType"],
            "physical_id": resource["PhysicalResourceId"],
        }
        for resource in api.describe_stack_resources(StackName=name)["StackResources"]
    ]
    wanted = {logical_id for logical_id, resource in template["Resources"].items() if "Condition" not in resource}
    missing = sorted(wanted - {resource["logical_id"] for resource in resources})
    if missing or not stack["StackStatus"].endswith("_COMPLETE"):
        raise DeployError(f"{name} is {stack['StackStatus']} without {', '.join(missing) or 'missing resources'}")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return {"outputs": outputs, "resources": resources}


def delete(stack: str, assembly: Path | None = None) -> dict:
    """Answers what was retained. The stack goes by its name, or with the assembly at hand by its CDK id."""
    started = time.monotonic()
    if assembly:
        stack = _stack_of(_manifest(assembly), stack)[0]
    if not exists(stack):
        raise DeployError(f"there is no stack {stack}")
    template = client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    template = json.loads(template) if isinstance(template, str) else template
    kept = {key for key, one in template["Resources"].items() if one.get("DeletionPolicy") in RETAINED}
    resources = describe(stack, {"Resources": {}})["resources"]
    client("cloudformation").delete_stack(StackName=stack)
    retained = [resource for resource in resources if resource["logical_id"] in kept]
    return {"stack": stack, "retained": retained, "seconds": round(time.monotonic() - started, 2)}
