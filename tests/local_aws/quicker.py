"""What moto works out anew for every request, though it never changes: remembered.

Contract: `share_models()` before moto is loaded, `install()` before the first request. Answers stay the same.
"""

import importlib
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
