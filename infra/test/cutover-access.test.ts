/** Other accounts: what the central stack knows of them, and what lets it in there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { accountsEnvironment, type MemberAccounts, memberRoleArns } from '../lib/accounts';
import { OPEN } from '../lib/authority';
import { ConfigurationError } from '../lib/configuration-error';
import { CutoverAccess, type CutoverAccessProps } from '../lib/cutover-access';
import { type Json, resourceAt, statementsAt, synthesize } from './support';

const EXTERNAL_ID = 'sixteen-or-more-characters';
const GIVEN = { centralAccount: '111111111111', externalId: EXTERNAL_ID, narrowing: OPEN };

function access(props: CutoverAccessProps): Json {
  const stack = new CutoverAccess(new App({ analyticsReporting: false }), 'CutoverAccess', props);
  return Template.fromStack(stack).toJSON();
}

function roleOf(template: Json): Json {
  const [role, ...more] = Object.values<Json>(template.Resources);
  assert.equal(more.length, 0, 'a role, and nothing else');
  return role.Properties;
}

test('the role is trusted by the central functions, who say the external id', () => {
  const { AssumeRolePolicyDocument, RoleName } = roleOf(access({ ...GIVEN, prefix: 'blue-' }));
  assert.equal(RoleName, 'blue-cutover-access');
  const [trust, ...more] = AssumeRolePolicyDocument.Statement;
  assert.equal(more.length, 0);
  assert.match(JSON.stringify(trust.Principal.AWS), /:iam::111111111111:root/);
  assert.deepEqual(trust.Condition.StringEquals, { 'sts:ExternalId': EXTERNAL_ID });
  assert.match(
    JSON.stringify(trust.Condition.ArnLike),
    /"aws:PrincipalArn":.*:iam::111111111111:role\/blue-cutover-Functions\*/,
  );
});

test('nothing in the template is of one account or region, so a StackSet takes it', () => {
  const text = JSON.stringify(access(GIVEN));
  assert.deepEqual([...new Set(text.match(/\b[0-9]{12}\b/g))], ['111111111111']);
  assert.ok(!text.includes('AWS::Region'), 'a role is there for all regions');
});

test('it allows what the same lists allow at home', () => {
  const listener = 'arn:aws:elasticloadbalancing:us-east-1:222222222222:listener/app/shop/1/2';
  const lists = { ...OPEN, listeners: [listener], rules: [], hostedZones: ['Z1'], recordNames: ['Shop.example.com.'] };
  const statements: Json[] = roleOf(access({ ...GIVEN, narrowing: lists })).Policies[0].PolicyDocument.Statement;
  const on = (action: string) => statements.filter((statement) => [statement.Action].flat().includes(action));
  assert.deepEqual(on('elasticloadbalancing:ModifyListener')[0].Resource, listener);
  assert.deepEqual([on('elasticloadbalancing:ModifyRule'), on('cognito-idp:DescribeUserPoolClient')], [[], []]);
  const [records] = on('route53:ChangeResourceRecordSets');
  assert.match(JSON.stringify(records.Resource), /hostedzone\/Z1"/);
  const names = 'route53:ChangeResourceRecordSetsNormalizedRecordNames';
  assert.deepEqual(records.Condition['ForAllValues:StringEquals'][names], ['shop.example.com']);
});

test('alarms are set there by the same lists, and hooks are only read about', () => {
  const topic = 'arn:aws:sns:eu-central-1:222222222222:pages';
  const hook = 'arn:aws:lambda:eu-west-1:222222222222:function:stop';
  const of = (props: Partial<CutoverAccessProps>) => {
    const template = access({ ...GIVEN, narrowing: { ...OPEN, alarmNames: ['shop-*'] }, ...props });
    const statements: Json[] = roleOf(template).Policies[0].PolicyDocument.Statement;
    return (action: string) => statements.filter((statement) => [statement.Action].flat().includes(action));
  };
  const on = of({ alarmActions: [topic], hookFunctionArns: [hook] });
  const [put] = on('cloudwatch:PutMetricAlarm');
  assert.match(JSON.stringify(put.Resource), /:cloudwatch:\*:.*:alarm:shop-\*"/);
  assert.deepEqual(put.Condition['ForAllValues:StringLike'], { 'cloudwatch:AlarmActions': [topic] });
  assert.match(JSON.stringify(on('cloudwatch:DeleteAlarms')[0].Resource), /:alarm:shop-\*"/);
  assert.deepEqual(on('lambda:GetPolicy')[0].Resource, hook);
  const none = of({});
  assert.deepEqual([none('cloudwatch:PutMetricAlarm'), none('lambda:GetPolicy')], [[], []]);
  for (const action of ['lambda:InvokeFunction', 'sns:Publish', 'dms:StopReplicationTask']) {
    assert.deepEqual(on(action), [], action);
  }
});

test('what is missing or wrong is told in a sentence', () => {
  for (const [props, told] of [
    [{ ...GIVEN, narrowing: undefined }, /does not say what plans/],
    [{ ...GIVEN, centralAccount: 'shop' }, /`centralAccount` should be the twelve digits/],
    [{ ...GIVEN, externalId: 'short' }, /`externalId` should be the text/],
  ] as const) {
    assert.throws(
      () => access(props),
      (error) => error instanceof ConfigurationError && told.test(error.message),
    );
  }
  const wrong: MemberAccounts[] = [{ shop: { externalId: EXTERNAL_ID } }, { '222222222222': { externalId: 'short' } }];
  for (const accounts of wrong) {
    assert.throws(() => accountsEnvironment(accounts, 'aws', ''), ConfigurationError);
  }
});

test('accounts that are entered alike stand together, and a role of its own does not', () => {
  const accounts = {
    '222222222222': { externalId: EXTERNAL_ID },
    '333333333333': { externalId: EXTERNAL_ID },
    '444444444444': { externalId: EXTERNAL_ID, roleArn: 'arn:aws:iam::444444444444:role/theirs' },
  };
  assert.deepEqual(JSON.parse(accountsEnvironment(accounts, 'aws', 'blue-').ACCOUNTS), [
    {
      role_arn: 'arn:aws:iam::*:role/blue-cutover-access',
      external_id: EXTERNAL_ID,
      accounts: ['222222222222', '333333333333'],
    },
    { role_arn: 'arn:aws:iam::444444444444:role/theirs', external_id: EXTERNAL_ID, accounts: ['444444444444'] },
  ]);
  assert.deepEqual(memberRoleArns(accounts, 'aws', ''), [
    'arn:aws:iam::222222222222:role/cutover-access',
    'arn:aws:iam::333333333333:role/cutover-access',
    'arn:aws:iam::444444444444:role/theirs',
  ]);
});

test('the functions may assume these roles, and without accounts none', () => {
  const assumed = (synthesized: ReturnType<typeof synthesize>) =>
    statementsAt(synthesized, 'Functions/ListenerSwap/Role').filter((one) => one.Action === 'sts:AssumeRole');
  const [statement, ...more] = assumed(synthesize({ accounts: { '222222222222': { externalId: EXTERNAL_ID } } }));
  assert.equal(more.length, 0);
  assert.match(JSON.stringify(statement.Resource), /:iam::222222222222:role\/cutover-access/);
  const plain = synthesize();
  assert.deepEqual(assumed(plain), []);
  const variables = resourceAt(plain, 'Functions/ListenerSwap/Function/Resource').Environment.Variables;
  assert.equal(variables.ACCOUNTS, '[]');
});
