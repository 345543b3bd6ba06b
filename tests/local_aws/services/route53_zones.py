"""Route 53 hosted zones: public, private, several of one name, each with its own name servers.

Contract: `install()`.
- A zone with a VPC is private, and a private zone needs one. A caller reference makes one zone.
- ListHostedZonesByName begins at the name and goes on from there, by reversed labels, in pages; of zones with one name by their ids.
- Each public zone has four name servers of its own, so that of several zones of one name one can be the delegated one.
  Its NS and SOA records say them as AWS writes them.
Stock moto gives all zones the same name servers, answers only zones of exactly the name, and makes a zone with a VPC public.
"""

import random

from .route53_records import normal_name, sort_key

PAGE_LIMIT = 100
PRIVATE_SERVERS = ["ns-1536.awsdns-00.co.uk", "ns-0.awsdns-00.com", "ns-1024.awsdns-00.org", "ns-512.awsdns-00.net"]
ENDINGS = ("com", "net", "org", "co.uk")


def install() -> None:
    from moto.route53.models import DelegationSet, Route53Backend
    from moto.route53.responses import Route53

    _give_own_name_servers(DelegationSet)
    _check_zones(Route53Backend, Route53)
    Route53.list_hosted_zones_by_name = _list_by_name


def _error(code: str, message: str, status: int = 400) -> Exception:
    from moto.route53.exceptions import Route53ClientError

    problem = Route53ClientError(code, message)
    problem.status_code = status
    return problem


def _give_own_name_servers(delegation_class) -> None:
    stock = delegation_class.__init__

    def init(self, caller_reference, name_servers, delegation_set_id):
        numbers = [random.randrange(512) + 512 * index for index in range(len(ENDINGS))]
        own = [
            f"ns-{number}.awsdns-{number % 64:02d}.{ending}" for number, ending in zip(numbers, ENDINGS, strict=True)
        ]
        stock(self, caller_reference, name_servers or own, delegation_set_id)

    delegation_class.__init__ = init


def _check_zones(backend_class, response_class) -> None:
    stock_create, stock_answer = backend_class.create_hosted_zone, response_class.create_hosted_zone

    def create_hosted_zone(self, name, private_zone, caller_reference=None, **more):
        if any(zone.caller_reference == caller_reference for zone in self.zones.values()):
            text = f"A hosted zone has already been created with the specified caller reference: {caller_reference}."
            raise _error("HostedZoneAlreadyExists", text, 409)
        zone = stock_create(self, name, private_zone, caller_reference, **more)
        _write_own_records(zone)
        return zone

    def answer(self):
        wanted = str(self._get_param("HostedZoneConfig.PrivateZone", False)).lower() == "true"
        vpc = self._get_param("VPC.VPCId")
        if wanted and not vpc:
            text = "When you're creating a private hosted zone (when you specify true for PrivateZone), you must also specify "
            raise _error("InvalidInput", text + "values for VPCId and VPCRegion.")
        return _answer_private(self, vpc) if vpc else stock_answer(self)

    backend_class.create_hosted_zone, response_class.create_hosted_zone = create_hosted_zone, answer


def _answer_private(response, vpc_id: str):
    from moto.core.responses import ActionResult
    from moto.core.utils import utcnow

    name, region = response._get_param("Name"), response._get_param("VPC.VPCRegion")
    zone = response.backend.create_hosted_zone(
        name if name.endswith(".") else name + ".",
        True,
        response._get_param("CallerReference"),
        vpcid=vpc_id,
        vpcregion=region,
        comment=response._get_param("HostedZoneConfig.Comment"),
    )
    change = {"Id": "/change/C1PA6795UKMFR9", "Status": "INSYNC", "SubmittedAt": utcnow()}
    location = f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone.resource_id}"
    vpc = {"VPCRegion": region, "VPCId": vpc_id}
    return ActionResult({"HostedZone": zone, "ChangeInfo": change, "VPC": vpc, "Location": location})


def _write_own_records(zone) -> None:
    # All private zones have the same, which answer inside their VPCs only.
    names = PRIVATE_SERVERS if zone.private_zone else zone.delegation_set.name_servers
    servers = [f"{server}." for server in names]
    start = f"{servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    for record in zone.rrsets:
        record.records = servers if record.type == "NS" else [start]


def _list_by_name(self):
    from moto.core.responses import ActionResult

    name, zone_id = self._get_param("DNSName"), self._get_param("HostedZoneId")
    limit = min(self._get_int_param("MaxItems", PAGE_LIMIT), PAGE_LIMIT)
    if zone_id and not name:
        raise _error("InvalidInput", "HostedZoneId cannot be given without DNSName")
    zones = sorted(self.backend.zones.values(), key=_key)
    if name:
        start = (_labels(normal_name(name)), (zone_id or "").rpartition("/")[2])
        zones = [zone for zone in zones if _key(zone) >= start]
    following = zones[limit : limit + 1]
    answer = {"DNSName": name, "HostedZoneId": zone_id, "HostedZones": zones[:limit]}
    answer |= {"IsTruncated": bool(following), "MaxItems": limit}
    if following:
        answer |= {"NextDNSName": following[0].name, "NextHostedZoneId": following[0].resource_id}
    return ActionResult(answer)


def _labels(name: str) -> str:
    return sort_key({"Name": name, "Type": ""})[0]


def _key(zone) -> tuple[str, str]:
    return _labels(normal_name(zone.name)), zone.resource_id
