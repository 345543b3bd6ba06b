"""What moto works out anew for every request, though it never changes: remembered.

Contract: `install()` before the first request. Answers stay the same.
"""

from functools import lru_cache


def install() -> None:
    import moto.core.responses as responses
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    # By class: which methods it has.
    responses.method_names_from_class = lru_cache(maxsize=None)(responses.method_names_from_class)
    responses.camelcase_to_underscores = lru_cache(maxsize=None)(responses.camelcase_to_underscores)
    # By host: which service answers. Stock moto lists its own directory, then tries one pattern after another.
    DomainDispatcherApplication.get_backend_for_host = lru_cache(maxsize=None)(DomainDispatcherApplication.get_backend_for_host)
