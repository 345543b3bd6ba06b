"""A world's hosted zones and the records that are there before the cutover.

Contract: one zone for each zone id of the plan, named after what its record names have in common; each planned record has a
current one of the same type: what the world file says, else a simple one, or an alias where an alias is planned. Beside them whatever
the world file has: more records, other zones, private ones too, and health checks with what their checkers see.
"""

import json
import re

from ..clients import HOME, client
from ..services import elbv2, route53_health, route53_values
from ..services.route53_records import SERVICE_ZONES, normal_name
from ..settings import REGION
from ..stacks import members
from .balancing import vpc_id
from .environment import Environment, as_dict, dicts, text

DEFAULT_TTL_SECONDS = 300
KIND = re.compile(r"^(/?hostedzone/|arn:[^:]+:route53:::hostedzone/)")  # before a zone's id, as AWS gives it
OLD_VALUES = {"A": "192.0.2.10", "AAAA": "2001:db8::10", "CNAME": "old.example.net"}


class Dns:
    def __init__(self, environment: Environment):
        self.environment = environment
        self._world = environment.world
        self._mapping = environment.mapping
        self._sides = environment.sides
        self._places: dict[str, tuple[str, str]] = {}  # of zones, by the plan's id and by their own

    def create_zones(self) -> None:
        parents: dict[str, list[str]] = {}
        spellings: dict[str, set[str]] = {}
        places = self._places
        for route in dicts(self.environment.plan.get("routes")):
            zone, name = text(route.get("hosted_zone_id")), text(route.get("record_name"))
            if route.get("type") == "dns" and zone and "." in name:
                bare = KIND.sub("", zone)
                places[bare] = self.environment.place_of_zone(text(route.get("account")))
                if places[bare] == HOME and route.get("account"):
                    self._mapping[text(route["account"])] = HOME[0]
                parents.setdefault(bare, []).append(name.rstrip(".").partition(".")[2])
                spellings.setdefault(bare, {bare, f"/hostedzone/{bare}"}).add(zone)
        for zone, names in parents.items():
            created = client("route53", at=places[zone]).create_hosted_zone(
                Name=common_parent(names), CallerReference=f"world-{self.environment.number}-{zone}"
            )
            bare = created["HostedZone"]["Id"].rpartition("/")[2]
            self._mapping.update(dict.fromkeys(spellings[zone], bare))
            places[bare] = places[zone]
            delegate(created["HostedZone"]["Name"])

    def create_route(self, route: dict) -> dict:
        zone, name = self._mapping.get(text(route.get("hosted_zone_id"))), text(route.get("record_name")).rstrip(".")
        if not zone or route53_values.name_problems(normal_name(name)):
            return {}
        changes, types = [], []
        for record in dicts(route.get("records")):
            kind, new = text(record.get("type")), as_dict(record.get("new"))
            types.append(kind)
            self._note_new_side(new)
            self._create_named_check(new, self._places[zone])
            changes += self._alias_targets(zone, kind, new)
            changes += self._current_records(name, kind, new)
        if changes:
            batch = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in changes]
            client("route53", at=self._places[zone]).change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": batch})
        return {"type": "dns", "hosted_zone_id": zone, "record_name": name, "types": types}

    def _note_new_side(self, new: dict) -> None:
        side = self._sides["new"]
        side["values"] += [value for value in new.get("values") or [] if isinstance(value, str)]
        alias = text(as_dict(new.get("alias")).get("dns_name"))
        if alias:
            side["alias_names"].append(alias_name(alias))

    def _alias_targets(self, zone: str, kind: str, new: dict) -> list[dict]:
        """An alias into the same zone needs its targets, old and new."""
        alias = as_dict(new.get("alias"))
        if self._mapping.get(text(alias.get("hosted_zone_id"))) != zone or kind not in OLD_VALUES:
            return []
        name, value = text(alias.get("dns_name")), OLD_VALUES[kind]
        return [plain_record(f"old-{name}", kind, 60, [value]), plain_record(name, kind, 60, [value + "0"])]

    def _current_records(self, name: str, kind: str, new: dict) -> list[dict]:
        """What is there before the cutover: what the world file says, else what fits the plan."""
        setup = self._world.get("records", {}).get(f"{name} {kind}", {})
        if "members" in setup:
            return [self._member(name, kind, member, index) for index, member in enumerate(setup["members"])]
        planned_alias = as_dict(new.get("alias"))
        if "alias" in setup or (planned_alias and "values" not in setup):
            default = {**planned_alias, "dns_name": _old_alias_name(planned_alias)}
            alias = {**default, **setup.get("alias", {})}
            self._sides["old"]["alias_names"].append(alias_name(alias["dns_name"]))
            return [self._alias_record(name, kind, alias)]
        if "values" not in setup and kind not in OLD_VALUES:
            return []
        values = setup.get("values") or [OLD_VALUES[kind]]
        self._sides["old"]["values"] += values
        return [plain_record(name, kind, setup.get("ttl", DEFAULT_TTL_SECONDS), values)]

    def _member(self, name: str, kind: str, member: dict, index: int) -> dict:
        """The old side is the first member, or the one that is called so; the others are neighbours."""
        side = "old" if index == 0 or member["set_identifier"] == "old" else "other"
        self._sides[side]["values"] += member["values"]
        record = plain_record(name, kind, member.get("ttl", DEFAULT_TTL_SECONDS), member["values"])
        if "health" in member:
            record["HealthCheckId"] = self._create_check(name, member)
        return {**record, "SetIdentifier": member["set_identifier"], "Weight": member["weight"]}

    def _create_check(self, name: str, member: dict) -> str:
        config = {"Type": "HTTPS", "FullyQualifiedDomainName": name, "ResourcePath": "/health"}
        reference = f"world-{self.environment.number}-{name}-{member['set_identifier']}"
        check = client("route53").create_health_check(CallerReference=reference, HealthCheckConfig=config)[
            "HealthCheck"
        ]["Id"]
        told = member["health"] if isinstance(member["health"], str) else json.dumps(member["health"])
        tag = [{"Key": route53_health.HEALTH_TAG, "Value": told}]
        client("route53").change_tags_for_resource(ResourceType="healthcheck", ResourceId=check, AddTags=tag)
        return check

    def _create_named_check(self, new: dict, place: tuple[str, str]) -> None:
        """A health check that the plan names is there before the run. What its checkers see, `health_checks` says."""
        planned = text(new.get("health_check_id"))
        if not planned or planned in self._mapping:
            return
        config = {"Type": "HTTPS", "FullyQualifiedDomainName": "named.example.com", "ResourcePath": "/health"}
        reference = f"world-{self.environment.number}-{planned}"
        check = client("route53", at=place).create_health_check(CallerReference=reference, HealthCheckConfig=config)
        self._mapping[planned] = check["HealthCheck"]["Id"]

    def create_more(self) -> None:
        """What no route names."""
        for more in self._world.get("more_records", []):
            self._create_records(self._mapping[more["hosted_zone_id"]], [more["record"]])
        for index, zone in enumerate(self._world.get("zones", [])):
            reference = f"world-{self.environment.number}-more-{index}"
            private = {"VPC": {"VPCRegion": REGION, "VPCId": vpc_id()}} if zone.get("private") else {}
            created = client("route53").create_hosted_zone(Name=zone["name"], CallerReference=reference, **private)
            self._create_records(created["HostedZone"]["Id"].rpartition("/")[2], zone.get("records", []))

    def _create_records(self, zone: str, records: list[dict]) -> None:
        batch = [{"Action": "CREATE", "ResourceRecordSet": self._with_zones(record)} for record in records]
        if batch:
            client("route53", at=self._places.get(zone, HOME)).change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": batch})

    def _with_zones(self, record: dict) -> dict:
        """An alias may lead into a zone of the plan."""
        target = record.get("AliasTarget")
        if not target:
            return record
        return {
            **record,
            "AliasTarget": {
                **target,
                "HostedZoneId": self._mapping.get(target["HostedZoneId"], target["HostedZoneId"]),
            },
        }

    def _alias_record(self, name: str, kind: str, alias: dict) -> dict:
        zone = text(alias.get("hosted_zone_id"))
        target = {
            "DNSName": alias["dns_name"],
            "HostedZoneId": self._mapping.get(zone, zone) or elbv2.ALB_HOSTED_ZONE_ID,
            "EvaluateTargetHealth": bool(alias.get("evaluate_target_health")),
        }
        return {"Name": name, "Type": kind, "AliasTarget": target}


def _old_alias_name(planned: dict) -> str:
    """Beside the planned one; a plan may name a zone that its name does not lie in, which is for precheck to say."""
    name = f"old-{text(planned.get('dns_name'))}"
    ending = SERVICE_ZONES.get(text(planned.get("hosted_zone_id")), "")
    return (
        name if alias_name(name).endswith(ending) else f"old-side{ending if ending.startswith('.') else '.' + ending}"
    )


def alias_name(name: str) -> str:
    return name.lower().rstrip(".") + "."


def plain_record(name: str, kind: str, ttl: int, values: list[str]) -> dict:
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}


def common_parent(names: list[str]) -> str:
    """The longest common ending, in whole labels."""
    reversed_labels = [name.split(".")[::-1] for name in names]
    common = [labels[0] for labels in zip(*reversed_labels) if len(set(labels)) == 1]
    return ".".join(common[::-1])


def delegate(name: str) -> None:
    """The public zones above and below this one, of whatever world, lead to each other: else a name would reach nobody."""
    apis = [client("route53", at=place) for place in members.places()]
    all_zones = [(api, zone) for api in apis for zone in api.list_hosted_zones()["HostedZones"]]
    zones = list({zone["Id"]: (api, zone) for api, zone in all_zones if not zone["Config"]["PrivateZone"]}.values())
    for api, above in zones:
        for its_own, below in zones:
            if name in (above["Name"], below["Name"]) and below["Name"].endswith("." + above["Name"]):
                servers = its_own.get_hosted_zone(Id=below["Id"])["DelegationSet"]["NameServers"]
                record = plain_record(below["Name"], "NS", DEFAULT_TTL_SECONDS, servers)
                change = {"Action": "UPSERT", "ResourceRecordSet": record}
                api.change_resource_record_sets(HostedZoneId=above["Id"], ChangeBatch={"Changes": [change]})
