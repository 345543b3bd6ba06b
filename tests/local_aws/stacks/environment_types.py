"""More resource types of a stack: an environment to move traffic in. Networks, load balancers, zones.

Contract: as in resource_types.py. What a property says twice, or what only AWS looks at (the support of DNS in a VPC), is left to the API.
"""

import uuid

from ..clients import client
from .resource_types import Made, Type, _refuse, _take


class Vpc(Type):
    def create(self, given):
        rest = dict(given)
        support, hostnames = _take(rest, "EnableDnsSupport", "EnableDnsHostnames")
        made = client("ec2").create_vpc(**rest)["Vpc"]["VpcId"]
        for attribute, value in (("EnableDnsSupport", support), ("EnableDnsHostnames", hostnames)):
            if value is not None:
                client("ec2").modify_vpc_attribute(VpcId=made, **{attribute: {"Value": bool(value)}})
        return Made(made, {"VpcId": made})

    def delete(self, made, given):
        client("ec2").delete_vpc(VpcId=made.physical_id)


class Subnet(Type):
    def create(self, given):
        made = client("ec2").create_subnet(**given)["Subnet"]["SubnetId"]
        return Made(made, {"SubnetId": made})

    def delete(self, made, given):
        client("ec2").delete_subnet(SubnetId=made.physical_id)


class SecurityGroup(Type):
    name = "GroupName"

    def create(self, given):
        _refuse(given, {"GroupName", "GroupDescription", "SecurityGroupIngress", "VpcId"})
        names = {"GroupName": given["GroupName"], "VpcId": given["VpcId"]}
        made = client("ec2").create_security_group(**names, Description=given["GroupDescription"])["GroupId"]
        rules = [self._rule(rule) for rule in given.get("SecurityGroupIngress", [])]
        if rules:
            client("ec2").authorize_security_group_ingress(GroupId=made, IpPermissions=rules)
        return Made(made, {"GroupId": made})

    def _rule(self, rule: dict) -> dict:
        _refuse(rule, {"CidrIp", "FromPort", "IpProtocol", "ToPort"})
        return {**{key: value for key, value in rule.items() if key != "CidrIp"}, "IpRanges": [{"CidrIp": rule["CidrIp"]}]}

    def delete(self, made, given):
        client("ec2").delete_security_group(GroupId=made.physical_id)


class LoadBalancer(Type):
    name = "Name"

    def create(self, given):
        made = client("elbv2").create_load_balancer(**given)["LoadBalancers"][0]
        arn = made["LoadBalancerArn"]
        attributes = {
            "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
            "DNSName": made["DNSName"],
            "LoadBalancerArn": arn,
            "LoadBalancerFullName": arn.partition(":loadbalancer/")[2],
            "LoadBalancerName": made["LoadBalancerName"],
        }
        return Made(arn, attributes)

    def delete(self, made, given):
        client("elbv2").delete_load_balancer(LoadBalancerArn=made.physical_id)


class TargetGroup(Type):
    name = "Name"

    def create(self, given):
        rest = dict(given)
        (targets,) = _take(rest, "Targets")
        arn = client("elbv2").create_target_group(**rest)["TargetGroups"][0]["TargetGroupArn"]
        if targets:
            client("elbv2").register_targets(TargetGroupArn=arn, Targets=targets)
        full_name = arn.rpartition(":")[2]
        return Made(arn, {"TargetGroupArn": arn, "TargetGroupFullName": full_name, "TargetGroupName": given["Name"]})

    def delete(self, made, given):
        client("elbv2").delete_target_group(TargetGroupArn=made.physical_id)


class Listener(Type):
    def create(self, given):
        arn = client("elbv2").create_listener(**given)["Listeners"][0]["ListenerArn"]
        return Made(arn, {"ListenerArn": arn})

    def delete(self, made, given):
        client("elbv2").delete_listener(ListenerArn=made.physical_id)


class HostedZone(Type):
    def create(self, given):
        _refuse(given, {"Name", "VPCs"})
        first, *more = [{"VPCId": vpc["VPCId"], "VPCRegion": vpc["VPCRegion"]} for vpc in given.get("VPCs", [])] or [None]
        vpc = {"VPC": first, "HostedZoneConfig": {"PrivateZone": True}} if first else {}
        api = client("route53")
        made = api.create_hosted_zone(Name=given["Name"], CallerReference=uuid.uuid4().hex, **vpc)["HostedZone"]
        zone = made["Id"].rpartition("/")[2]
        for vpc in more:
            api.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC=vpc)
        return Made(zone, {"Id": zone})

    def delete(self, made, given):
        client("route53").delete_hosted_zone(Id=made.physical_id)


class RecordSet(Type):
    def create(self, given):
        self._change(given, "CREATE")
        return Made(given["Name"])

    def _change(self, given: dict, action: str) -> None:
        rest = dict(given)
        zone, values, ttl = _take(rest, "HostedZoneId", "ResourceRecords", "TTL")
        record = {**rest, "ResourceRecords": [{"Value": value} for value in values], "TTL": int(ttl)}
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    def delete(self, made, given):
        self._change(given, "DELETE")


TYPES: dict[str, Type] = {
    "AWS::EC2::SecurityGroup": SecurityGroup(),
    "AWS::EC2::Subnet": Subnet(),
    "AWS::EC2::VPC": Vpc(),
    "AWS::ElasticLoadBalancingV2::Listener": Listener(),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": LoadBalancer(),
    "AWS::ElasticLoadBalancingV2::TargetGroup": TargetGroup(),
    "AWS::Route53::HostedZone": HostedZone(),
    "AWS::Route53::RecordSet": RecordSet(),
}
