"""What moto works out anew for every request, though it never changes: remembered.

Contract: `share_models()` before moto is loaded, `install()` before the first request. Answers stay the same.
"""

import importlib
from datetime import datetime
from functools import lru_cache


def share_models() -> None:
    """Every session of botocore, and moto makes dozens, decodes the files of endpoints and services for itself: a third of the
    time that it takes to start."""
    from botocore import session

    session.create_loader = lru_cache(maxsize=None)(session.create_loader)


def install() -> None:
    import moto.core.responses as responses
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    # By class: which methods it has.
    responses.method_names_from_class = lru_cache(maxsize=None)(responses.method_names_from_class)
    responses.camelcase_to_underscores = lru_cache(maxsize=None)(responses.camelcase_to_underscores)
    # The events of a history never change: a copy of the list is enough. Stock moto copies each event in depth, for every reader.
    history = importlib.import_module("moto.stepfunctions.parser.asl.eval.event.event_manager").EventManager
    history.get_event_history = lambda manager: list(manager._history_event_list)
    # By host: which service answers. Stock moto lists its own directory, then tries one pattern after another.
    DomainDispatcherApplication.get_backend_for_host = lru_cache(maxsize=None)(DomainDispatcherApplication.get_backend_for_host)
    _share_paths()
    _share_names()
    _share_times()


def _share_paths() -> None:
    """The engine parses the JSONPath of a state each time that it comes by; a parser is built for each."""
    for name in ("component.common.path.result_path", "utils.json_path"):
        module = importlib.import_module(f"moto.stepfunctions.parser.asl.{name}")
        module.parse = lru_cache(maxsize=None)(module.parse)


def _share_names() -> None:
    """Under which names a member of an answer can be found in moto's objects depends on the class of the object and the shape of the member. Stock moto
    asks for it of five kinds of alias, for each member of each item of an answer: most of the time that an answer takes."""
    from moto.core import serialize, utils

    known: dict[tuple, tuple] = {}
    find = serialize.XFormedAttributePicker.get_possible_keys

    def possible_keys(picker, context):
        # The shape is remembered too: an id belongs to what is alive.
        shape, kind = context.shape, type(context.obj)
        place = (id(shape), id(getattr(shape, "parent", None)), context.key, kind)
        if place not in known:
            known[place] = (tuple(dict.fromkeys(find(picker, context))), shape, getattr(shape, "parent", None))
        return known[place][0]

    def value_of(obj, key, default=utils.MISSING):
        return obj.get(key, default) if type(obj) is dict and "." not in key else stock_value_of(obj, key, default)

    stock_value_of = serialize.get_value
    serialize.get_value = value_of
    serialize.XFormedAttributePicker.get_possible_keys = possible_keys


def _share_times() -> None:
    """The times of a history are texts, and parsed for every reader."""
    from moto.core import serialize

    parse = lru_cache(maxsize=8192)(serialize.parse_to_aware_datetime)
    serialize.parse_to_aware_datetime = lambda value: value if _is_aware(value) else parse(value)


def _is_aware(value) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None
