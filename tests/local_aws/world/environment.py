"""What the makers of a world share: the plan, the world file, names, what became what, and which side it is on.

Contract: `text`, `as_dict` and `dicts` answer a plan's value if it has the right shape and nothing otherwise: a plan may have
anything anywhere, and what is wrong with it is for the product's precheck to say.
"""

import re

from ..clients import HOME
from ..settings import REGION


def strings(value):
    """Every string in a plan."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def trimmed(value):
    """The plan as the product reads it: spaces around a text that was pasted say nothing."""
    if isinstance(value, dict):
        return {key: trimmed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trimmed(item) for item in value]
    return value.strip(" \t\r\n") if isinstance(value, str) else value


def dicts(value) -> list[dict]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_dict(value) -> dict:
    return value if isinstance(value, dict) else {}


def text(value) -> str:
    return value if isinstance(value, str) else ""


def side_of(name: str) -> str:
    """Of what only its name tells about."""
    return "old" if "old" in name.lower() else "new"


class Environment:
    def __init__(self, plan, world: dict, ports: dict, number: int):
        self.given = plan
        self._read = trimmed(plan)
        self.plan = as_dict(self._read)
        self.world = world
        self.accounts = set(as_dict(world.get("accounts")))
        self.ports = ports
        self.number = number
        self.mapping: dict[str, str] = {}
        self.sides = {
            side: {"target_groups": [], "load_balancers": [], "values": [], "alias_names": []}
            for side in ("old", "new", "other")
        }

    def place(self, arn: str) -> tuple[str, str]:
        """Where something is made: in the account and region of its ARN, if the world has that account; else in the stack's own."""
        parts = arn.split(":")
        return (parts[4], parts[3]) if len(parts) > 5 and parts[4] in self.accounts else HOME

    def lets_in(self, place: tuple[str, str]) -> bool:
        """Whether what is made there has a policy that lets the stack's account in; at home it needs none."""
        return place[0] != HOME[0] and not as_dict(as_dict(self.world.get("accounts")).get(place[0])).get("closed")

    def place_of_zone(self, account: str) -> tuple[str, str]:
        return (account, REGION) if account in self.accounts else HOME

    def name(self, name: str, limit: int = 32) -> str:
        """The plan's name for something, made unique in an account with several environments."""
        suffix = f"-{self.number}" if self.number else ""
        clean = re.sub(r"-+", "-", re.sub(r"[^A-Za-z0-9-]", "-", name)).strip("-")
        return clean[: limit - len(suffix)].strip("-") + suffix

    def strings(self) -> list[str]:
        return list(dict.fromkeys(strings(self._read)))

    def mapped_plan(self):
        return self._map(self.given)

    def _map(self, value):
        if isinstance(value, dict):
            return {key: self._map(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._map(item) for item in value]
        return self.mapping.get(trimmed(value), value) if isinstance(value, str) else value
