"""What CloudFormation refuses of a resource's properties, by the resource schemas that it publishes.

Contract: `problems(type_name, properties)` answers every reason as CloudFormation writes it, `#/<path>: <what is wrong>`; an empty list
is right, also for a type without a schema. The schemas are those that cfn-lint ships, for the region of settings.py. Values are taken as
CloudFormation takes them: numbers and booleans may be text (parameters are), and text may be a number. Formats are not looked into.
Stock moto ignores what it does not know; a stack with an empty `DefinitionSubstitutions` deployed here once, and was refused by AWS.
"""

import json
from functools import lru_cache
from pathlib import Path

import regex  # its classes are those of Java, in which the patterns are written
from jsonschema import Draft7Validator, validators
from jsonschema.exceptions import ValidationError

from ..settings import REGION

NAMES = {
    "array": "JSONArray",
    "boolean": "Boolean",
    "integer": "Integer",
    "number": "Number",
    "object": "JSONObject",
    "string": "String",
}
WORDS = {
    "enum": "{instance} is not a valid enum value",
    "const": "{instance} is not a valid enum value",
    "maxItems": "expected maximum item count: {value}, found: {size}",
    "maxLength": "expected maxLength: {value}, actual: {size}",
    "maxProperties": "maximum size: [{value}], found: [{size}]",
    "maximum": "{instance} is not less or equal to {value}",
    "minItems": "expected minimum item count: {value}, found: {size}",
    "minLength": "expected minLength: {value}, actual: {size}",
    "minProperties": "minimum size: [{value}], found: [{size}]",
    "minimum": "{instance} is not greater or equal to {value}",
    "anyOf": "#: no subschema matched out of the total {size_of_value} subschemas",
    "oneOf": "#: {matched} subschemas matched instead of one",
    "pattern": "string [{instance}] does not match pattern {value}",
    "uniqueItems": "array items are not unique",
}


def problems(type_name: str, properties: dict) -> list[str]:
    schema = _schema(type_name)
    if schema is None:
        return []
    read_only = {name.rpartition("/")[2] for name in schema.get("readOnlyProperties", []) if name.count("/") == 2}
    given = [f"#: extraneous key [{name}] is not permitted" for name in sorted(read_only & set(properties))]
    found = _validator()(schema).iter_errors({key: value for key, value in properties.items() if key not in read_only})
    return given + [
        reason
        for problem in sorted(found, key=lambda one: list(map(str, one.absolute_path)))
        for reason in _reasons(problem)
    ]


@lru_cache(maxsize=None)
def _folder() -> Path:
    import cfnlint

    return Path(cfnlint.__file__).parent / "data" / "schemas"


@lru_cache(maxsize=None)
def _files() -> dict[str, str]:
    return json.loads((_folder() / "providers" / f"{REGION}.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=None)
def _schema(type_name: str) -> dict | None:
    name = _files().get(type_name)
    return json.loads((_folder() / "resources" / f"{name}.json").read_text(encoding="utf-8")) if name else None


# ---- Values as CloudFormation takes them ----------------------------------------------------------------------------


def _is_number(instance) -> bool:
    if isinstance(instance, bool):
        return False
    if isinstance(instance, (int, float)):
        return True
    return isinstance(instance, str) and bool(regex.match(r"^-?\d+(\.\d+)?$", instance))


def _is_integer(instance) -> bool:
    return _is_number(instance) and float(instance).is_integer()


def _is_boolean(instance) -> bool:
    return isinstance(instance, bool) or (isinstance(instance, str) and instance.lower() in ("true", "false"))


@lru_cache(maxsize=None)
def _validator():
    checker = Draft7Validator.TYPE_CHECKER.redefine_many(
        {
            "boolean": lambda _, instance: _is_boolean(instance),
            "integer": lambda _, instance: _is_integer(instance),
            "number": lambda _, instance: _is_number(instance),
            "string": lambda _, instance: isinstance(instance, (str, int, float, bool)),
        }
    )
    keywords = {
        "const": lambda v, value, instance, schema: _fail(_text(instance) != _text(value)),
        "enum": lambda v, value, instance, schema: _fail(_text(instance) not in map(_text, value)),
        "maximum": lambda v, value, instance, schema: _fail(_is_number(instance) and float(instance) > value),
        "minimum": lambda v, value, instance, schema: _fail(_is_number(instance) and float(instance) < value),
        "maxLength": lambda v, value, instance, schema: _fail(_is_scalar(instance) and len(_text(instance)) > value),
        "minLength": lambda v, value, instance, schema: _fail(_is_scalar(instance) and len(_text(instance)) < value),
        "pattern": lambda v, value, instance, schema: _fail(
            _is_scalar(instance) and not regex.search(value, _text(instance))
        ),
    }
    return validators.extend(Draft7Validator, keywords, type_checker=checker)


def _fail(condition: bool):
    if condition:
        yield ValidationError("")


def _is_scalar(instance) -> bool:
    return isinstance(instance, (str, int, float, bool))


def _text(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


# ---- Its words ------------------------------------------------------------------------------------------------------


def _reasons(problem) -> list[str]:
    path = "#" + "".join(f"/{part}" for part in problem.absolute_path)
    keyword, value, instance = problem.validator, problem.validator_value, problem.instance
    if keyword == "required":
        missing = [name for name in value if name not in instance]
        # One error for each of them comes from the library; each tells its own.
        return [f"{path}: required key [{name}] not found" for name in missing if f"'{name}'" in problem.message]
    if keyword == "additionalProperties":
        known, patterns = problem.schema.get("properties", {}), problem.schema.get("patternProperties", {})
        extra = [
            name for name in instance if name not in known and not any(regex.search(one, name) for one in patterns)
        ]
        return [f"{path}: extraneous key [{name}] is not permitted" for name in extra]
    if keyword == "type":
        wanted = " or ".join(NAMES.get(name, name) for name in ([value] if isinstance(value, str) else value))
        return [f"{path}: expected type: {wanted}, found: {_kind(instance)}"]
    if keyword not in WORDS:
        return [f"{path}: {problem.message}"]
    size = len(_text(instance)) if _is_scalar(instance) else len(instance)
    many = len(value) if isinstance(value, list) else 0
    shown = {"instance": instance, "value": value, "size": size, "size_of_value": many, "matched": _matched(problem)}
    return [f"{path}: {WORDS[keyword].format(**shown)}"]


def _matched(problem) -> int:
    """How many of the schemas of a oneOf."""
    if problem.validator != "oneOf":
        return 0
    failed = {one.schema_path[0] for one in problem.context}
    return len(problem.validator_value) - len(failed)


def _kind(instance) -> str:
    kinds = (
        (bool, "Boolean"),
        (int, "Integer"),
        (float, "Double"),
        (str, "String"),
        (list, "JSONArray"),
        (dict, "JSONObject"),
    )
    return next((name for kind, name in kinds if isinstance(instance, kind)), "Null")
