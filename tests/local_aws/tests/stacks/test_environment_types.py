"""Stacks of an environment to move traffic in."""

import json
import tempfile
from pathlib import Path

from local_aws.clients import client
from local_aws.stacks.environment_types import TYPES

from .. import support
from ..support import control

CODE = """
import os

def handler(event, context):
    print("asked", event["path"])
    return {"statusCode": int(os.environ["HEALTH"]), "body": os.environ["SIDE"]}
"""


def ref(name: str) -> dict:
    return {"Ref": name}


def template(prefix: str) -> dict:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    subnet = {"Type": "AWS::EC2::Subnet"}
    zones = [{"Fn::Select": [index, {"Fn::GetAZs": ""}]} for index in (0, 1)]
    subnets = [
        {**subnet, "Properties": {"VpcId": ref("Vpc"), "CidrBlock": f"10.1.0.{64 * index}/26", "AvailabilityZone": zone}}
        for index, zone in enumerate(zones)
    ]
    ingress = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.1.0.0/24"}]
    allowed = {"GroupDescription": "HTTP", "VpcId": ref("Vpc"), "SecurityGroupIngress": ingress}
    balancer = {"Name": f"{prefix}lb", "Type": "application", "Scheme": "internal", "Subnets": [ref("One"), ref("Two")]}
    function = {
        "FunctionName": f"{prefix}side",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": CODE},
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Environment": {"Variables": {"SIDE": "new", "HEALTH": "200"}},
    }
    group = {"Name": f"{prefix}group", "TargetType": "lambda", "HealthCheckEnabled": True, "HealthCheckPath": "/health"}
    group["Targets"] = [{"Id": {"Fn::GetAtt": ["Function", "Arn"]}}]
    action = {"Type": "forward", "TargetGroupArn": ref("Group")}
    listener = {"LoadBalancerArn": ref("Balancer"), "Port": 80, "Protocol": "HTTP", "DefaultActions": [action]}
    domain = f"{prefix}ground.internal"
    record = {"HostedZoneId": ref("Zone"), "Name": f"app.{domain}", "Type": "A", "TTL": "30", "ResourceRecords": ["192.0.2.1"]}
    resources = {
        "Vpc": ("AWS::EC2::VPC", {"CidrBlock": "10.1.0.0/24", "EnableDnsSupport": True, "EnableDnsHostnames": True}),
        "Allowed": ("AWS::EC2::SecurityGroup", allowed),
        "Balancer": ("AWS::ElasticLoadBalancingV2::LoadBalancer", {**balancer, "SecurityGroups": [ref("Allowed")]}),
        "Role": ("AWS::IAM::Role", {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}),
        "Function": ("AWS::Lambda::Function", function),
        "Group": ("AWS::ElasticLoadBalancingV2::TargetGroup", group),
        "Listener": ("AWS::ElasticLoadBalancingV2::Listener", listener),
        "Zone": ("AWS::Route53::HostedZone", {"Name": domain, "VPCs": [{"VPCId": ref("Vpc"), "VPCRegion": "eu-west-1"}]}),
        "Record": ("AWS::Route53::RecordSet", record),
    }
    made = {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in resources.items()}
    return {"Resources": {**made, "One": subnets[0], "Two": subnets[1]}, "Outputs": {"Zone": {"Value": ref("Zone")}}}


class Environment(support.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="local-aws-test-")
        self.addCleanup(folder.cleanup)
        self.prefix = support.unique("ground") + "-"
        self.folder = Path(folder.name)

    def deploy(self) -> dict:
        (self.folder / "Stack.template.json").write_text(json.dumps(template(self.prefix)))
        stack = {"templateFile": "Stack.template.json", "stackName": f"{self.prefix}stack"}
        artifacts = {"Stack": {"type": "aws:cloudformation:stack", "properties": stack}}
        (self.folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        return control("deploy-template", {"assembly": str(self.folder), "stack": "Stack"})

    def health(self, group: str) -> str:
        return client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]["State"]

    def test_an_environment_is_made_serves_and_goes_with_its_stack(self):
        made = self.deploy()
        self.assertLessEqual(TYPES.keys(), {resource["type"] for resource in made["resources"]})
        ids = {resource["logical_id"]: resource["physical_id"] for resource in made["resources"]}
        self.assertEqual(self.health(ids["Group"]), "healthy")
        (balancer,) = client("elbv2").describe_load_balancers(LoadBalancerArns=[ids["Balancer"]])["LoadBalancers"]
        self.assertEqual((balancer["Scheme"], len(balancer["AvailabilityZones"])), ("internal", 2))
        zone = client("route53").get_hosted_zone(Id=made["outputs"]["Zone"])
        self.assertTrue(zone["HostedZone"]["Config"]["PrivateZone"])
        records = client("route53").list_resource_record_sets(HostedZoneId=made["outputs"]["Zone"])["ResourceRecordSets"]
        self.assertIn("A", [record["Type"] for record in records])
        control("delete-template", {"stack": f"{self.prefix}stack"})
        left = [zone["Name"] for zone in client("route53").list_hosted_zones()["HostedZones"]]
        left += [one["LoadBalancerName"] for one in client("elbv2").describe_load_balancers()["LoadBalancers"]]
        left += [one["TargetGroupName"] for one in client("elbv2").describe_target_groups()["TargetGroups"]]
        self.assertEqual([name for name in left if self.prefix in name], [])
        vpcs = client("ec2").describe_vpcs()["Vpcs"]
        self.assertNotIn(ids["Vpc"], [vpc["VpcId"] for vpc in vpcs])

    def test_a_function_is_as_healthy_as_it_says(self):
        ids = {resource["logical_id"]: resource["physical_id"] for resource in self.deploy()["resources"]}
        for status, state in (("503", "unhealthy"), ("200", "healthy"), ("no number", "unhealthy")):
            variables = {"SIDE": "new", "HEALTH": status}
            client("lambda").update_function_configuration(FunctionName=ids["Function"], Environment={"Variables": variables})
            self.assertEqual(self.health(ids["Group"]), state, status)
        control("delete-template", {"stack": f"{self.prefix}stack"})

    def test_lines_of_python_are_run_and_their_errors_are_told(self):
        ids = {resource["logical_id"]: resource["physical_id"] for resource in self.deploy()["resources"]}
        answer = client("lambda").invoke(FunctionName=ids["Function"], Payload=json.dumps({"path": "/"}))
        self.assertEqual(json.loads(answer["Payload"].read()), {"statusCode": 200, "body": "new"})
        answer = client("lambda").invoke(FunctionName=ids["Function"], Payload=json.dumps({}))
        self.assertEqual(answer["FunctionError"], "Unhandled")
        self.assertEqual(json.loads(answer["Payload"].read())["errorType"], "KeyError")
        control("delete-template", {"stack": f"{self.prefix}stack"})
