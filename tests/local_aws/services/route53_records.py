"""Route 53's rules for a batch of changes, as a pure function.

Contract: `apply(zone, records, changes, others)` answers the zone's new record sets, or raises Refused with every reason; nothing
is half done. `others` are the account's other zones, by id, into which no alias leads (API reference, AliasTarget). Record sets are dicts as the API writes them;
names are normalised: lower case, a final dot, `*` as `\\052`. What a value may be, see route53_values.py.
DELETE must repeat the stored record exactly, so DELETE + CREATE is a compare-and-set; stock moto looks at little of this.
"""

import re
from dataclasses import dataclass

from . import route53_values

ROUTING_POLICIES = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer")
TYPES = {"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SVCB", "TXT"}
RECORDS_LIMIT = 1000
CHARACTERS_LIMIT = 32_000
TTL_LIMIT = 2_147_483_647
# The zones of services that alias records name, with what their names end in. Any zone not known here may have any name.
SERVICE_ZONES = {
    "Z32O12XQLNTSW2": ".eu-west-1.elb.amazonaws.com.",
    "Z2IFOLAFXWLO4F": ".elb.eu-west-1.amazonaws.com.",
    "Z2FDTNDATAQYW2": ".cloudfront.net.",
    "Z1BKCTXD74EZPE": "s3-website-eu-west-1.amazonaws.com.",
}


CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"


@dataclass(frozen=True)
class Zone:
    id: str
    name: str
    is_private: bool = False


class Refused(Exception):
    def __init__(self, reasons: list[str]):
        super().__init__("[" + ", ".join(reasons) + "]")


def normal_name(name: str) -> str:
    plain = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), name).lower().rstrip(".")
    return re.sub(r"[^a-z0-9_.-]", lambda found: f"\\{ord(found[0]):03o}", plain) + "."


def sort_key(record: dict) -> tuple:
    """The order of ListResourceRecordSets: by labels, last one first."""
    labels = record["Name"].rstrip(".").split(".")
    return ".".join(reversed(labels)) + ".", record["Type"], record.get("SetIdentifier") or ""


def identity(record: dict) -> tuple:
    return record["Name"], record["Type"], record.get("SetIdentifier")


def values(record: dict) -> list[str]:
    return [item["Value"] for item in record.get("ResourceRecords") or []]


def apply(zone: Zone, records: list[dict], changes: list[dict], others: dict[str, Zone] | None = None) -> list[dict]:
    reasons = _size_reasons(changes)
    current = {identity(record): record for record in records}
    touched = []
    for change in changes:
        record = {**change["ResourceRecordSet"], "Name": normal_name(change["ResourceRecordSet"]["Name"])}
        problems = _apply_one(zone, current, change["Action"], record, others or {})
        reasons += problems
        touched.append(record)
    reasons += _ttl_reasons(current, touched)
    if reasons:
        raise Refused(reasons)
    return sorted(current.values(), key=sort_key)


def _size_reasons(changes: list[dict]) -> list[str]:
    """An UPSERT counts twice."""
    count = characters = 0
    for change in changes:
        factor = 2 if change["Action"] == "UPSERT" else 1
        given = values(change["ResourceRecordSet"])
        count += factor * len(given)
        characters += factor * sum(map(len, given))
    reasons = []
    if count > RECORDS_LIMIT:
        reasons.append(f"Number of records limit of {RECORDS_LIMIT} exceeded.")
    if characters > CHARACTERS_LIMIT:
        reasons.append(f"Number of characters limit of {CHARACTERS_LIMIT} exceeded.")
    return reasons


def _apply_one(zone: Zone, current: dict, action: str, record: dict, others: dict[str, Zone]) -> list[str]:
    if record["Name"] != zone.name and not record["Name"].endswith("." + zone.name):
        return [f"RRSet with DNS name {record['Name']} is not permitted in zone {zone.name}"]
    if action == "DELETE":
        return _delete(zone, current, record)
    exists = identity(record) in current
    if action == "CREATE" and exists:
        return [f"Tried to create resource record set {_shown(record)} but it already exists"]
    reasons = (
        _form_reasons(record) + _place_reasons(zone, current, record) + _alias_reasons(zone, current, record, others)
    )
    if not reasons:
        current[identity(record)] = record
    return reasons


def _shown(record: dict) -> str:
    identifier = f", set-identifier='{record['SetIdentifier']}'" if record.get("SetIdentifier") else ""
    return f"[name='{record['Name']}', type='{record['Type']}'{identifier}]"


def _delete(zone: Zone, current: dict, record: dict) -> list[str]:
    stored = current.get(identity(record))
    if stored is None:
        return [f"Tried to delete resource record set {_shown(record)} but it was not found"]
    if comparable(stored) != comparable(record):
        return [
            f"Tried to delete resource record set {_shown(record)} "
            "but the values provided do not match the current values"
        ]
    if record["Name"] == zone.name and record["Type"] in ("NS", "SOA"):
        return [f"A HostedZone must contain exactly one {record['Type']} record for the zone itself."]
    del current[identity(record)]
    return []


def comparable(record: dict) -> dict:
    """Everything that makes a record set what it is, in one spelling."""
    alias = record.get("AliasTarget")
    return {
        "identity": identity(record),
        "ttl": int(record["TTL"]) if record.get("TTL") is not None else None,
        "values": sorted(values(record)),
        "alias": alias
        and (normal_name(alias["DNSName"]), alias["HostedZoneId"], _truth(alias.get("EvaluateTargetHealth"))),
        "health_check": record.get("HealthCheckId") or None,
        **{policy: str(record[policy]) for policy in ROUTING_POLICIES if record.get(policy) is not None},
    }


def _truth(value) -> bool:
    return str(value).lower() == "true"


def _form_reasons(record: dict) -> list[str]:
    """What is wrong with a record set by itself."""
    reasons = []
    weight, identifier = record.get("Weight"), record.get("SetIdentifier")
    policies = [policy for policy in ROUTING_POLICIES if record.get(policy) is not None]
    if record["Type"] not in TYPES:
        reasons.append(f"Invalid type {record['Type']}")
    plain = record.get("TTL") is not None and bool(record.get("ResourceRecords"))
    anything_plain = record.get("TTL") is not None or bool(record.get("ResourceRecords"))
    if plain == bool(record.get("AliasTarget")) or anything_plain != plain:
        reasons.append(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], in Change with {_shown(record)}"
        )
    if record.get("TTL") is not None and not 0 <= int(record["TTL"]) <= TTL_LIMIT:
        reasons.append(f"Invalid request: the TTL {record['TTL']} of {_shown(record)} is not between 0 and {TTL_LIMIT}")
    if weight is not None and not 0 <= int(weight) <= 255:
        reasons.append(f"Invalid request: the weight {weight} of {_shown(record)} is not between 0 and 255")
    if policies and not identifier:
        reasons.append(f"Invalid request: Missing field 'SetIdentifier' in Change with {_shown(record)}")
    if identifier and not policies:
        reasons.append(f"Invalid request: Missing field 'Weight' or another routing policy, with {_shown(record)}")
    if len(policies) > 1:
        reasons.append(f"Invalid request: more than one of {policies} in Change with {_shown(record)}")
    if identifier and not 1 <= len(identifier) <= 128:
        reasons.append("Invalid request: SetIdentifier must have 1 to 128 characters")
    return reasons + route53_values.name_problems(record["Name"]) + _value_reasons(record)


def _value_reasons(record: dict) -> list[str]:
    given = values(record)
    reasons = route53_values.problems(record["Type"], given)
    if len(set(given)) != len(given):
        reasons.append(f"Duplicate Resource Record in {_shown(record)}")
    if record["Type"] in ("CNAME", "SOA") and len(given) > 1:
        reasons.append(f"Multiple values are not allowed in {_shown(record)}")
    return reasons


def _place_reasons(zone: Zone, current: dict, record: dict) -> list[str]:
    """What is wrong with a record set beside the others."""
    reasons = []
    if record["Type"] == "CNAME" and record["Name"] == zone.name:
        reasons.append(f"RRSet of type CNAME with DNS name {zone.name} is not permitted at apex in zone {zone.name}")
    neighbours = [other for key, other in current.items() if key[0] == record["Name"] and key != identity(record)]
    for other in neighbours:
        reasons += _neighbour_reasons(record, other)
    if record["Type"] == "SOA" and record["Name"] != zone.name:
        reasons.append(
            f"RRSet of type SOA with DNS name {record['Name']} is only permitted at the apex of zone {zone.name}"
        )
    return reasons


def _alias_reasons(zone: Zone, current: dict, record: dict, others: dict[str, Zone]) -> list[str]:
    """An alias leads to a record of the same type that is there, or into the zone of a service."""
    alias = record.get("AliasTarget")
    if not alias:
        return []
    if record["Type"] in ("NS", "SOA"):
        return [f"Invalid request: an alias record cannot be of type {record['Type']}, in {_shown(record)}"]
    name, target_zone = normal_name(alias["DNSName"]), alias["HostedZoneId"].rpartition("/")[2]
    tried = f"Tried to create an alias that targets {name}, type {record['Type']} in zone {target_zone}, but "
    if target_zone == CLOUDFRONT_ZONE and _truth(alias.get("EvaluateTargetHealth")):
        return [f"{tried}EvaluateTargetHealth cannot be set to true for a CloudFront distribution"]
    if target_zone == CLOUDFRONT_ZONE and zone.is_private:
        return [f"{tried}a private zone has no aliases to CloudFront distributions"]
    if target_zone in SERVICE_ZONES and record["Type"] == "CNAME":
        return [f"{tried}that target was not found"]
    if target_zone in SERVICE_ZONES:
        lies_within = name.endswith(SERVICE_ZONES[target_zone])
        return [] if lies_within else [f"{tried}the alias target name does not lie within the target zone"]
    if target_zone in others and target_zone != zone.id:
        return [f"{tried}an alias cannot reference a record in a different hosted zone"]
    if target_zone != zone.id:
        is_of_service = any(name.endswith(suffix) for suffix in SERVICE_ZONES.values())
        return [f"{tried}the alias target name does not lie within the target zone"] if is_of_service else []
    reasons = []
    if name != zone.name and not name.endswith("." + zone.name):
        reasons.append(f"{tried}the alias target name does not lie within the target zone")
    if (name, record["Type"]) not in {key[:2] for key in current} or name == record["Name"]:
        reasons.append(f"{tried}that target was not found")
    return reasons


def _neighbour_reasons(record: dict, other: dict) -> list[str]:
    name, kind = record["Name"], record["Type"]
    if (kind == "CNAME") != (other["Type"] == "CNAME"):
        return [
            f"RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type "
            f"{other['Type']} with the same DNS name already exists"
        ]
    if kind != other["Type"]:
        return []
    if bool(record.get("SetIdentifier")) != bool(other.get("SetIdentifier")):
        return [
            f"RRSet with DNS name {name}, type {kind}, SetIdentifier {record.get('SetIdentifier') or 'null'} cannot be "
            "created as other RRSets exist with the same name and type."
        ]
    if any((record.get(policy) is None) != (other.get(policy) is None) for policy in ROUTING_POLICIES):
        return [f"RRSet with DNS name {name}, type {kind} cannot be created: the others have another routing policy."]
    return []


def _ttl_reasons(current: dict, touched: list[dict]) -> list[str]:
    """All weighted records of a name and type share one TTL; judged at the end, so that a batch can change it."""
    reasons = []
    for name, kind in dict.fromkeys((record["Name"], record["Type"]) for record in touched):
        group = [record for key, record in current.items() if key[:2] == (name, kind)]
        ttls = {int(record["TTL"]) for record in group if record.get("TTL") is not None}
        if len(ttls) > 1:
            reasons.append(f"Weighted RRSets with DNS name {name}, type {kind} must all have the same TTL")
    return reasons
