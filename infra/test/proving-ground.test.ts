/** The environment to try Cutover on: what it costs, whom it lets in, and that nothing of it stays. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { provingGroundApp } from '../lib/app';
import { CutoverProvingGround } from '../lib/proving-ground';
import { INFRA, type Json, temporaryFolder } from './support';

const stack = provingGroundApp({ outdir: temporaryFolder() }).node.findChild('CutoverProvingGround') as Stack;
const template: Json = Template.fromStack(stack).toJSON();
const resources = Object.values<Json>(template.Resources);

function of(type: string): Json[] {
  return resources.filter((resource) => resource.Type === type).map((resource) => resource.Properties);
}

test('the template is the one that was reviewed', () => {
  const file = join(INFRA, 'test/proving-ground.snapshot.json');
  const text = JSON.stringify(template, null, 1);
  if (process.env.UPDATE_SNAPSHOT) writeFileSync(file, `${text}\n`);
  assert.deepEqual(JSON.parse(text), JSON.parse(readFileSync(file, 'utf8')), 'if it is right: npm run snapshot');
});

test('cdk-nag finds nothing that is not acknowledged', () => {
  const pack: Json = new AwsSolutionsChecks();
  assert.deepEqual(pack.validateScope(stack).violations, []);
});

test('only what the README has a price for is there', () => {
  const kinds = [...new Set(resources.map(({ Type }) => Type))].sort();
  assert.deepEqual(kinds, [
    'AWS::CloudWatch::Alarm',
    'AWS::EC2::SecurityGroup',
    'AWS::EC2::Subnet',
    'AWS::EC2::VPC',
    'AWS::ElasticLoadBalancingV2::Listener',
    'AWS::ElasticLoadBalancingV2::LoadBalancer',
    'AWS::ElasticLoadBalancingV2::TargetGroup',
    'AWS::IAM::Role',
    'AWS::Lambda::Function',
    'AWS::Lambda::Permission',
    'AWS::Route53::HostedZone',
    'AWS::Route53::RecordSet',
    'AWS::SNS::Subscription',
    'AWS::SNS::Topic',
    'AWS::SNS::TopicPolicy',
    'AWS::SQS::Queue',
    'AWS::SQS::QueuePolicy',
  ]);
  assert.equal(of('AWS::ElasticLoadBalancingV2::LoadBalancer').length, 1);
  assert.equal(of('AWS::CloudWatch::Alarm').length, 1);
});

test('nobody outside of the VPC reaches it, and its functions may do nothing', () => {
  const [{ Scheme }] = of('AWS::ElasticLoadBalancingV2::LoadBalancer');
  assert.equal(Scheme, 'internal');
  const [{ SecurityGroupIngress, VpcId }] = of('AWS::EC2::SecurityGroup');
  const [{ CidrBlock }] = of('AWS::EC2::VPC');
  assert.deepEqual(
    SecurityGroupIngress.map(({ CidrIp }: Json) => CidrIp),
    [CidrBlock],
  );
  assert.ok(VpcId);
  for (const { Policies, ManagedPolicyArns } of of('AWS::IAM::Role')) {
    assert.deepEqual([Policies, ManagedPolicyArns], [undefined, undefined], 'a role with permissions');
  }
});

test('nothing of it stays when the stack goes', () => {
  const kept = resources.filter(({ DeletionPolicy }) => DeletionPolicy && DeletionPolicy !== 'Delete');
  assert.deepEqual(kept, []);
});

test('each side is a function that its balancer alone may ask', () => {
  const permissions = of('AWS::Lambda::Permission');
  assert.deepEqual(
    permissions.map(({ Principal }) => Principal),
    Array(2).fill('elasticloadbalancing.amazonaws.com'),
  );
  for (const [index, side] of ['old', 'new'].entries()) {
    assert.match(JSON.stringify(permissions[index].SourceArn), new RegExp(`targetgroup/cutover-proving-${side}/\\*`));
  }
  for (const group of of('AWS::ElasticLoadBalancingV2::TargetGroup')) {
    assert.deepEqual([group.TargetType, group.HealthCheckEnabled, group.Targets.length], ['lambda', true, 1]);
  }
});

test('a prefix stands before every name', () => {
  const prefixed = new CutoverProvingGround(new App({ analyticsReporting: false }), 'Other', { prefix: 'blue-' });
  const text = JSON.stringify(Template.fromStack(prefixed).toJSON());
  assert.deepEqual(text.match(/(?<!blue-)cutover-proving-?(?:old|new|errors)?"/g), null);
});
