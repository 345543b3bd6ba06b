"""Route 53: strict, atomic change batches; changes that take a while; health checks made once.

Contract: `install(settings)`. A change is PENDING for SYNC_SECONDS / speed, then INSYNC; moto says INSYNC at once and knows no
change by its id. ListResourceRecordSets is sorted, escaped and paged as on AWS. A caller reference makes one health
check: the same again answers it, other settings (or a deleted check) answer HealthCheckAlreadyExists.
"""

import datetime
import random
import string
import threading

from ..settings import ACCOUNT_ID, Settings
from . import route53_health, route53_zones
from .route53_records import Refused, Zone, apply, normal_name, sort_key

SYNC_SECONDS = 10
PAGE_LIMIT = 300
FIELDS = {
    "TTL": "ttl",
    "SetIdentifier": "set_identifier",
    "Weight": "weight",
    "Region": "region",
    "Failover": "failover",
    "GeoLocation": "geo_location",
    "MultiValueAnswer": "multi_value_answer",
    "HealthCheckId": "health_check_id",
    "AliasTarget": "alias_target",
}

_lock = threading.Lock()
_submitted: dict[str, datetime.datetime] = {}
# By caller reference: the settings and the id of the check, also of deleted ones.
_health_checks: dict[str, tuple[dict, str]] = {}


def forget() -> None:
    """As if nothing had been changed or made yet."""
    with _lock:
        _submitted.clear()
        _health_checks.clear()
    route53_health.forget()


def install(settings: Settings) -> None:
    from moto.route53.models import HostedZoneIdentifier, Route53Backend
    from moto.route53.responses import Route53

    Route53.change_resource_record_sets = lambda self: _change(self, settings.speed)
    Route53.get_change = lambda self: _get_change(self, settings.speed)
    Route53.list_resource_record_sets = _list
    _make_health_checks_once(Route53Backend)
    route53_health.install(settings.speed)
    route53_zones.install()
    # A zone's id begins with Z; moto's with anything.
    HostedZoneIdentifier.generate = lambda self, existing_ids=None, tags=None: "Z" + _random_id(20)


def _random_id(length: int) -> str:
    return "".join(random.choices(string.ascii_uppercase + string.digits, k=length))


def _error(code: str, message: str, status: int = 400) -> Exception:
    from moto.route53.exceptions import Route53ClientError

    problem = Route53ClientError(code, message)
    problem.status_code = status
    return problem


def zones() -> dict:
    """Those of every account, by their ids."""
    from moto.route53.models import route53_backends

    return {name: zone for partitions in list(route53_backends.values()) for name, zone in list(partitions["aws"].zones.items())}


def zone_id(zone) -> str:
    """Without the prefix /hostedzone/."""
    return zone.id.rpartition("/")[2]


def record_sets(zone) -> list[dict]:
    """The record sets of one of moto's zones as the API writes them, sorted."""
    return sorted((_as_dict(record) for record in list(zone.rrsets)), key=sort_key)


def _as_dict(record) -> dict:
    result = {"Name": normal_name(record.name), "Type": record.type}
    for field, attribute in FIELDS.items():
        value = getattr(record, attribute)
        if value is not None:
            result[field] = int(value) if field in ("TTL", "Weight") else value
    if record.records:
        # moto keeps the values of its own NS and SOA records in two ways.
        result["ResourceRecords"] = [value if isinstance(value, dict) else {"Value": value} for value in record.records]
    if "AliasTarget" in result:
        alias = result["AliasTarget"]
        evaluate = str(alias.get("EvaluateTargetHealth")).lower() == "true"
        result["AliasTarget"] = {
            "HostedZoneId": alias["HostedZoneId"],
            "DNSName": normal_name(alias["DNSName"]),
            "EvaluateTargetHealth": evaluate,
        }
    return result


def _from_dict(record: dict):
    from moto.route53.models import RecordSet

    return RecordSet({**record, "ResourceRecords": [item["Value"] for item in record.get("ResourceRecords") or []]})


def _change(self, speed: float):
    from moto.core.responses import ActionResult

    zone = self.backend.get_hosted_zone(self._get_param("HostedZoneId"))
    changes = self._get_param("ChangeBatch.Changes") or []
    if not changes:
        raise _error("InvalidInput", "a change batch needs at least one change")
    _check_health_checks_exist(self.backend, changes)
    with _lock:
        try:
            this = Zone(zone_id(zone), normal_name(zone.name), str(zone.private_zone).lower() == "true")
            records = apply(this, record_sets(zone), changes, _others(self.backend, changes))
        except Refused as refused:
            raise _error("InvalidChangeBatch", str(refused))
        zone.rrsets = [_from_dict(record) for record in records]
        change_id = "C" + _random_id(20)
        _submitted[change_id] = _now()
    return ActionResult({"ChangeInfo": _change_info(change_id, speed)})


def _others(backend_, changes: list[dict]) -> dict[str, Zone]:
    """The account's zones that aliases of a batch name."""
    named = {change["ResourceRecordSet"]["AliasTarget"]["HostedZoneId"] for change in changes if _alias_of(change)}
    zones = [backend_.zones[name] for name in named if name in backend_.zones]
    return {zone_id(zone): Zone(zone_id(zone), normal_name(zone.name)) for zone in zones}


def _alias_of(change: dict) -> dict | None:
    return change["ResourceRecordSet"].get("AliasTarget")


def _check_health_checks_exist(backend_, changes: list[dict]) -> None:
    for change in changes:
        wanted = change["ResourceRecordSet"].get("HealthCheckId")
        if wanted and change["Action"] != "DELETE" and wanted not in backend_.health_checks:
            raise _error("NoSuchHealthCheck", f"A health check with id {wanted} does not exist.", 404)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _change_info(change_id: str, speed: float) -> dict:
    submitted = _submitted[change_id]
    pending = (_now() - submitted).total_seconds() < SYNC_SECONDS / speed
    return {"Id": f"/change/{change_id}", "Status": "PENDING" if pending else "INSYNC", "SubmittedAt": submitted}


def _get_change(self, speed: float):
    from moto.core.responses import ActionResult

    change_id = self._get_param("Id").rpartition("/")[2]
    if change_id not in _submitted:
        raise _error("NoSuchChange", f"Could not find resource with ID: {change_id}", 404)
    return ActionResult({"ChangeInfo": _change_info(change_id, speed)})


def _list(self):
    from moto.core.responses import ActionResult

    zone = self.backend.get_hosted_zone(self._get_param("HostedZoneId"))
    name, kind = self._get_param("StartRecordName"), self._get_param("StartRecordType")
    identifier = self._get_param("StartRecordIdentifier")
    limit = self._get_int_param("MaxItems", PAGE_LIMIT)
    if (kind and not name) or (identifier and not kind) or not 1 <= limit <= 100_000:
        raise _error("InvalidInput", "The input is not valid")
    limit = min(limit, PAGE_LIMIT)
    records = record_sets(zone)
    if name:
        start = sort_key({"Name": normal_name(name), "Type": kind or "", "SetIdentifier": identifier})
        records = [record for record in records if sort_key(record) >= start]
    answer = {"ResourceRecordSets": records[:limit], "IsTruncated": len(records) > limit, "MaxItems": limit}
    if len(records) > limit:
        following = records[limit]
        answer |= {"NextRecordName": following["Name"], "NextRecordType": following["Type"]}
        if following.get("SetIdentifier"):
            answer["NextRecordIdentifier"] = following["SetIdentifier"]
    return ActionResult(answer)


def _make_health_checks_once(backend_class) -> None:
    stock = backend_class.create_health_check

    def create_health_check(self, caller_reference, health_check_args):
        _check_settings(health_check_args)
        with _lock:
            if caller_reference in _health_checks:
                settings, check_id = _health_checks[caller_reference]
                if settings == health_check_args and check_id in self.health_checks:
                    return self.health_checks[check_id]
                message = f"A health check with caller reference {caller_reference} was already created."
                raise _error("HealthCheckAlreadyExists", message, 409)
            created = stock(self, caller_reference, health_check_args)
            _health_checks[caller_reference] = (dict(health_check_args), created.id)
            return created

    backend_class.create_health_check = create_health_check


def _check_settings(settings: dict) -> None:
    kind, searched = settings.get("type") or "", settings.get("search_string")
    if kind.endswith("STR_MATCH") != bool(searched):
        raise _error(
            "InvalidInput",
            "Invalid parameter: SearchString is required for, and only for, string matching health checks",
        )
    if kind == "TCP" and settings.get("resource_path"):
        raise _error("InvalidInput", "Invalid parameter: ResourcePath is not valid for TCP health checks")
    if settings.get("regions") and len(settings["regions"]) < route53_health.LEAST_REGIONS:
        raise _error("InvalidInput", f"Invalid parameter: at least {route53_health.LEAST_REGIONS} Regions are required")
    interval, threshold = settings.get("request_interval"), settings.get("failure_threshold")
    if interval is not None and int(interval) not in (10, 30):
        raise _error("InvalidInput", f"Invalid request interval {interval}: it must be 10 or 30")
    if threshold is not None and not 1 <= int(threshold) <= 10:
        raise _error("InvalidInput", f"Invalid failure threshold {threshold}: it must be between 1 and 10")
    if kind in route53_health.ENDPOINTLESS:
        return
    if not (settings.get("fqdn") or settings.get("ip_address")):
        raise _error("InvalidInput", "Invalid parameter: exactly one of IPAddress and FullyQualifiedDomainName")
