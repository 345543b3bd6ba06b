"""JSONata in state machines, evaluated by jsonata-python.

Contract: replaces how moto's engine evaluates a `{% ... %}` string. Stock moto evaluates none (it looks for a JVM), and would
write every variable as source text before the expression, which breaks on quotes and is slow. Here an expression is parsed
once, and variables are bound as values when they are looked up.
A failing expression is `States.QueryEvaluationError`, as on AWS; moto says `States.Runtime`, which no Catch matches.
"""

import copy
import datetime
import hashlib
import json
import math
import random
import uuid
from functools import lru_cache

from jsonata import Jsonata
from jsonata.utils import Utils

from ..services import cloudwatch
from .failures import failure

UNDEFINED = object()


def install() -> None:
    from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata

    def eval_body(self, env):
        env.stack.append(_evaluate_or_fail(self.expression, env))

    StringJSONata._eval_body = eval_body


def _evaluate_or_fail(expression: str, env):
    try:
        result = evaluate(expression, lambda name: _lookup(env, name))
    except Exception as problem:
        raise _query_error(env, f"The JSONata expression '{expression}' threw an error during evaluation. {problem}")
    if result is UNDEFINED:
        raise _query_error(env, f"The JSONata expression '{expression}' returned nothing (undefined).")
    return result


def _query_error(env, cause: str):
    return failure(env, "StatesQueryEvaluationError", "EvaluationFailed", cause)


def _lookup(env, name: str):
    if name == "states":
        states = {key: value for key, value in env.states._states_data.items() if value is not None or key == "input"}
        states["context"] = _context(states["context"])
        return states
    for scope in (env.variable_store._inner_scope, env.variable_store._outer_scope):
        if name in scope:
            return scope[name]
    return UNDEFINED


def _context(context: dict) -> dict:
    """The context object with its times as AWS writes them (moto: microseconds and +00:00), and by the time of runs: waits are
    shorter here, so that a clock that is not stretched would show less time between two states than the machine has waited."""
    state = context.get("State")
    if not state or "EnteredTime" not in state:
        return context
    real = datetime.datetime.fromisoformat(state["EnteredTime"]).timestamp()
    entered = datetime.datetime.fromtimestamp(cloudwatch.time_of_run(real), datetime.timezone.utc)
    return {**context, "State": {**state, "EnteredTime": _iso(entered)}}


def evaluate(expression: str, lookup):
    """The value of an expression, or UNDEFINED. `lookup(name)` answers a variable's value, or UNDEFINED."""
    instance = copy.copy(_parsed(expression))
    instance.environment = _Scope(lookup)
    instance.output_convert_nulls = False
    Jsonata.CURRENT.jsonata = instance
    result = instance.evaluate(None)
    return UNDEFINED if result is None else _to_json(result)


@lru_cache(maxsize=4096)
def _parsed(expression: str) -> Jsonata:
    return Jsonata(expression)


class _Scope(Jsonata.Frame):
    """The outermost scope of an expression: converts a variable when it is first looked up."""

    def __init__(self, lookup):
        super().__init__(Jsonata.static_frame)
        self._lookup = lookup
        self.bindings.update(_FUNCTIONS)

    def lookup(self, name):
        if name in self.bindings:
            return self.bindings[name]
        value = self._lookup(name)
        if value is UNDEFINED:
            return super().lookup(name)
        self.bindings[name] = _from_json(value)
        return self.bindings[name]


def _from_json(value):
    """A fresh copy in jsonata-python's terms: null is a value of its own, because None means undefined."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: _from_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_from_json(item) for item in value]
    if isinstance(value, datetime.datetime):
        return _iso(value)
    return value


def _to_json(value):
    if value is Utils.NULL_VALUE:
        return None
    if isinstance(value, dict):
        return {key: _to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_json(value[index]) for index in range(len(value))]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("the result is not a finite number")
        # JSONata has one kind of number: 60 / 2 is 30, not 30.0.
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise ValueError("the result is of an unsupported type, such as a function")


def _iso(moment: datetime.datetime) -> str:
    moment = moment.astimezone(datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _hash(value, algorithm="SHA-256"):
    text = value if isinstance(value, str) else json.dumps(_to_json(value), separators=(",", ":"))
    return hashlib.new(algorithm.lower().replace("-", ""), text.encode()).hexdigest()


def _partition(array, size):
    return [array[start : start + size] for start in range(0, len(array), size)]


def _range(first, last, step):
    count = math.floor((last - first) / step) + 1
    return [first + step * index for index in range(max(0, count))]


def _random(seed=None):
    return random.random() if seed is None else random.Random(seed).random()


def _parse(text):
    return _from_json(json.loads(text))


def _eval(*_):
    raise ValueError("$eval is not supported by Step Functions: use $parse")


# What Step Functions adds to JSONata, and the one function that it takes away.
_FUNCTIONS = {
    name: Jsonata.JLambda(implementation)
    for name, implementation in {
        "uuid": lambda: str(uuid.uuid4()),
        "hash": _hash,
        "partition": _partition,
        "range": _range,
        "random": _random,
        "parse": _parse,
        "eval": _eval,
    }.items()
}
