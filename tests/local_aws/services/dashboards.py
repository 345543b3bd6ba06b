"""What CloudWatch says of a dashboard's body, as a pure function.

Contract: `check(name, body)` answers errors and warnings, each with its path in the body. A body with errors is refused
(`InvalidParameterInput`, whose message `refusal` writes); one with warnings is stored. The schema is dashboard_schema.json, made from
AWS's "Dashboard Body Structure and Syntax"; the wording is that of the service, which speaks as the validator ajv does. An array of
metrics has rules of its own, written below: AWS counts what it cannot read of an entry as one item too many.
A property that the reference does not name is a warning: the service takes it, and nobody sees it.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jsonschema import Draft202012Validator

NAME = re.compile(r"^[A-Za-z0-9_-]{1,255}$")
NOT_METRICS = (
    'Field "metrics" has to be an array of array of strings, with an optional metricRenderer object as last element'
)
NO_SOURCE = "The metric widget should have specified a region and a data source or an alarm annotation"
WORDS = {
    "enum": "Should be equal to one of the allowed values",
    "const": "Should be equal to one of the allowed values",
    "type": "Should be {value}",
    "minItems": "Should NOT have less than {value} items",
    "maxItems": "Should NOT have more than {value} items",
    "minLength": "Should NOT be shorter than {value} characters",
    "minimum": "Should be >= {value}",
    "maximum": "Should be <= {value}",
    "pattern": 'Should match pattern "{value}"',
    "anyOf": "Should match some schema in anyOf",
    "oneOf": "Should match exactly one schema in oneOf",
}


@dataclass(frozen=True)
class Message:
    path: str  # as a JSON pointer; empty for the whole body
    text: str

    def as_aws(self) -> dict[str, str]:
        return {"DataPath": self.path, "Message": self.text}


@dataclass
class Checked:
    errors: list[Message]
    warnings: list[Message]


@lru_cache(maxsize=None)
def _schema() -> dict:
    return json.loads(Path(__file__).with_name("dashboard_schema.json").read_text(encoding="utf-8"))


def check(name: str, body: str) -> Checked:
    if not NAME.match(name or ""):
        text = f"The value {name!r} for field DashboardName contains invalid characters. It can only contain alphanumerics, "
        return Checked([Message("", text + "dash (-) and underscore (_).")], [])
    try:
        read = json.loads(body)
    except ValueError:
        return Checked([Message("", "The field DashboardBody must be a valid JSON object")], [])
    return check_body(read)


def check_body(body) -> Checked:
    checked = Checked([], [])
    for problem in Draft202012Validator(_schema()).iter_errors(body):
        _sort(problem, checked)
    widgets = body.get("widgets") if isinstance(body, dict) else None
    for index, widget in enumerate(widgets if isinstance(widgets, list) else []):
        if isinstance(widget, dict) and widget.get("type") == "metric" and isinstance(widget.get("properties"), dict):
            checked.errors += _metric_widget_errors(f"/widgets/{index}/properties", widget["properties"])
    return checked


def refusal(errors: list[Message]) -> str:
    if len(errors) == 1 and not errors[0].path:
        return errors[0].text
    listed = json.dumps([{"dataPath": one.path, "message": one.text} for one in errors], indent=2)
    return f"The dashboard body is invalid, there are {len(errors)} validation errors:\n{listed}"


def _sort(problem, checked: Checked) -> None:
    path = "".join(f"/{part}" for part in problem.absolute_path)
    keyword, value = problem.validator, problem.validator_value
    if keyword == "additionalProperties":
        unknown = sorted(set(problem.instance) - set(problem.schema["properties"]))
        checked.warnings += [Message(f"{path}/{name}", "Should NOT have additional properties") for name in unknown]
    elif keyword == "required":
        missing = [name for name in value if name not in problem.instance]
        messages = [Message(path, f"Should have required property '{name}'") for name in missing]
        checked.errors += [message for message in messages if message not in checked.errors]
    else:
        shown = ",".join(value) if keyword == "type" and isinstance(value, list) else value
        checked.errors.append(Message(path, WORDS[keyword].format(value=shown)))


def _metric_widget_errors(path: str, properties: dict) -> list[Message]:
    annotations = properties.get("annotations")
    has_alarm = isinstance(annotations, dict) and "alarms" in annotations
    metrics = properties.get("metrics")
    errors = []
    if "metrics" not in properties and not has_alarm:
        errors.append(Message(path, "Should have required property 'metrics'"))
    if not has_alarm and ("metrics" not in properties or not properties.get("region")):
        errors.append(Message(path, NO_SOURCE))
    if "metrics" not in properties and annotations is None:
        errors.append(Message(path, "Should have required property 'annotations'"))
    for index, entry in enumerate(metrics if isinstance(metrics, list) else []):
        errors += _entry_errors(f"{path}/metrics/{index}", entry)
    return errors


def _entry_errors(path: str, entry) -> list[Message]:
    """[namespace, name, dimension, value, ..., {how it is drawn}] or [{expression}]; "." and "..." repeat the entry above."""
    if not isinstance(entry, list):
        return [Message(path, "Should be array"), Message(path, NOT_METRICS)]
    drawn = entry[-1] if entry and isinstance(entry[-1], dict) else None
    names = entry if drawn is None else entry[:-1]
    wrong = [index for index, name in enumerate(names) if not isinstance(name, str)]
    if wrong:
        text = "Invalid metric field type, only 'String' type is allowed"
        return [Message(f"{path}/{index}", text) for index in wrong]
    is_paired = len(names) % 2 == 0 or "..." in names
    if not is_paired or (drawn is not None and not _is_renderer(drawn, bool(names))):
        return [Message(path, f"Should NOT have more than {len(names) // 2 * 2} items")]
    return [Message(path, "Should NOT have less than 2 items")] if not names and drawn is None else []


def _is_renderer(drawn: dict, with_metric: bool) -> bool:
    renderer = {"$ref": "#/$defs/renderer", "$defs": _schema()["$defs"]}
    return Draft202012Validator(renderer).is_valid(drawn) and with_metric != ("expression" in drawn)
