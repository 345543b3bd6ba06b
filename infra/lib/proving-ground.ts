/**
 * An environment to try Cutover on, for an hour: an internal load balancer whose two target groups are a function each, a name in a private
 * zone, a topic with a queue that hears it, and one alarm. `cargo prove` finds what it needs in the outputs. A function answers as its
 * variables `HEALTH` and `STATUS` say. Nobody outside of the VPC reaches anything here, and nothing stays when the stack goes: roles may write no logs.
 *
 * It is written without the constructs that would add what a try does not need: a NAT gateway, flow logs, functions of CDK's own.
 */
import { CfnOutput, Fn, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnSecurityGroup, CfnSubnet, CfnVPC } from 'aws-cdk-lib/aws-ec2';
import { CfnListener, CfnLoadBalancer, CfnTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnFunction, CfnPermission } from 'aws-cdk-lib/aws-lambda';
import { CfnHostedZone, CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import { Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

export interface CutoverProvingGroundProps extends StackProps {
  /** Stands before every name, as it does for the stack `cutover`. Default: none. */
  readonly prefix?: string;
}

const NETWORK = '10.255.255.0/24';
const SUBNETS = ['10.255.255.0/26', '10.255.255.64/26'];
/** Of TEST-NET-1: nobody is there. */
const OLD_ADDRESS = '192.0.2.10';
const CODE = `import os

def handler(event, context):
    is_check = event.get("path") == "/health"
    status = int(os.environ["HEALTH" if is_check else "STATUS"])
    return {"statusCode": status, "headers": {"Content-Type": "text/plain"}, "body": os.environ["SIDE"]}
`;

/** The two sides between which traffic moves. */
type Side = 'old' | 'new';

export class CutoverProvingGround extends Stack {
  private readonly named: string;

  constructor(scope: Construct, id: string, props: CutoverProvingGroundProps = {}) {
    super(scope, id, { description: 'An environment to try Cutover on: not for production', ...props });
    this.named = `${props.prefix ?? ''}cutover-proving`;
    const vpc = new CfnVPC(this, 'Vpc', { cidrBlock: NETWORK, enableDnsSupport: true, enableDnsHostnames: true });
    acknowledge(
      vpc,
      'AwsSolutions-VPC7',
      'Nobody is in this network but a load balancer that nobody asks: it lives for a try.',
    );
    const balancer = this.balancer(vpc);
    const [old, next] = [this.side('old'), this.side('new')];
    const listener = new CfnListener(this, 'Listener', {
      loadBalancerArn: balancer.ref,
      port: 80,
      protocol: 'HTTP',
      defaultActions: [{ type: 'forward', targetGroupArn: old.ref }],
    });
    const { zone, name } = this.record(vpc);
    const { topic, queue } = this.messages();
    const alarm = this.alarm(balancer, next);
    const outputs = {
      ListenerArn: listener.ref,
      OldTargetGroupArn: old.ref,
      NewTargetGroupArn: next.ref,
      NewSideFunction: `${this.named}-new`,
      HostedZoneId: zone.ref,
      RecordName: name,
      OldAddress: OLD_ADDRESS,
      TopicArn: topic.topicArn,
      QueueUrl: queue.queueUrl,
      AlarmName: alarm.ref,
    };
    for (const [output, value] of Object.entries(outputs)) new CfnOutput(this, output, { value });
  }

  /** In two zones, as a balancer has to be. Internal: no address that costs or that anybody reaches. */
  private balancer(vpc: CfnVPC): CfnLoadBalancer {
    const subnets = SUBNETS.map(
      (cidrBlock, index) =>
        new CfnSubnet(this, `Subnet${index + 1}`, {
          vpcId: vpc.ref,
          cidrBlock,
          availabilityZone: Fn.select(index, Fn.getAzs()),
        }),
    );
    const group = new CfnSecurityGroup(this, 'SecurityGroup', {
      groupDescription: 'HTTP from the VPC itself',
      vpcId: vpc.ref,
      securityGroupIngress: [{ ipProtocol: 'tcp', fromPort: 80, toPort: 80, cidrIp: NETWORK }],
    });
    const balancer = new CfnLoadBalancer(this, 'LoadBalancer', {
      name: this.named,
      type: 'application',
      scheme: 'internal',
      subnets: subnets.map(({ ref }) => ref),
      securityGroups: [group.ref],
    });
    acknowledge(
      balancer,
      'AwsSolutions-ELB2',
      'Nobody asks this load balancer: access logs of nothing would need a bucket.',
    );
    return balancer;
  }

  /** A target group with its function, which the balancer asks for its health every ten seconds. */
  private side(side: Side): CfnTargetGroup {
    const id = side === 'old' ? 'Old' : 'New';
    const name = `${this.named}-${side}`;
    const role = new Role(this, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const made = new CfnFunction(this, `${id}Function`, {
      functionName: name,
      description: `The ${side} side of Cutover's proving ground`,
      runtime: 'python3.13',
      handler: 'index.handler',
      code: { zipFile: CODE },
      role: role.roleArn,
      timeout: 4,
      environment: { variables: { SIDE: side, HEALTH: '200', STATUS: '200' } },
    });
    acknowledge(
      made,
      'AwsSolutions-L1',
      'Its code is the same for every version, and of the newest not every region has heard.',
    );
    const groups = this.formatArn({
      service: 'elasticloadbalancing',
      resource: 'targetgroup',
      resourceName: `${name}/*`,
    });
    const permission = new CfnPermission(this, `${id}Permission`, {
      action: 'lambda:InvokeFunction',
      functionName: made.ref,
      principal: 'elasticloadbalancing.amazonaws.com',
      sourceArn: groups,
    });
    const group = new CfnTargetGroup(this, `${id}TargetGroup`, {
      name,
      targetType: 'lambda',
      targets: [{ id: made.attrArn }],
      healthCheckEnabled: true,
      healthCheckPath: '/health',
      healthCheckIntervalSeconds: 10,
      healthCheckTimeoutSeconds: 5,
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 2,
    });
    group.addResourceDependency(permission);
    return group;
  }

  /** A zone that only this VPC sees: it takes no domain to have one. */
  private record(vpc: CfnVPC): { zone: CfnHostedZone; name: string } {
    const domain = `${this.named}.internal`;
    const zone = new CfnHostedZone(this, 'Zone', {
      name: domain,
      vpcs: [{ vpcId: vpc.ref, vpcRegion: this.region }],
    });
    const name = `app.${domain}`;
    new CfnRecordSet(this, 'Record', {
      hostedZoneId: zone.ref,
      name,
      type: 'A',
      ttl: '30',
      resourceRecords: [OLD_ADDRESS],
    });
    return { zone, name };
  }

  /** What runs tell, kept where `cargo prove` reads it. */
  private messages(): { topic: Topic; queue: Queue } {
    const topic = new Topic(this, 'Topic', { topicName: this.named, enforceSSL: true });
    const queue = new Queue(this, 'Queue', {
      queueName: this.named,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(
      queue,
      'AwsSolutions-SQS3',
      'What is read here is read once by whoever tries; there is nobody for a second queue.',
    );
    const policy = queue.grantSendMessages(
      new ServicePrincipal('sns.amazonaws.com', { conditions: { ArnEquals: { 'aws:SourceArn': topic.topicArn } } }),
    );
    const heard = new Subscription(this, 'Heard', {
      topic,
      endpoint: queue.queueArn,
      protocol: SubscriptionProtocol.SQS,
    });
    policy.applyBefore(heard);
    return { topic, queue };
  }

  /** Silent as long as the new side answers no errors. */
  private alarm(balancer: CfnLoadBalancer, group: CfnTargetGroup): CfnAlarm {
    return new CfnAlarm(this, 'Errors', {
      alarmName: `${this.named}-errors`,
      alarmDescription: 'The new side of the proving ground answers errors',
      namespace: 'AWS/ApplicationELB',
      metricName: 'HTTPCode_Target_5XX_Count',
      dimensions: [
        { name: 'LoadBalancer', value: balancer.attrLoadBalancerFullName },
        { name: 'TargetGroup', value: group.attrTargetGroupFullName },
      ],
      statistic: 'Sum',
      period: 60,
      evaluationPeriods: 1,
      threshold: 0,
      comparisonOperator: 'GreaterThanThreshold',
      treatMissingData: 'notBreaching',
    });
  }
}

function acknowledge(made: Construct, id: string, reason: string) {
  Validations.of(made).acknowledge({ id, reason });
}
