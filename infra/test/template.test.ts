/** What is deployed: the snapshot shows every change in review; the rest says what must never change. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { rendered } from '../lib/definitions';
import { CRATES, MACHINES, pascalCase } from '../lib/names';
import { placeholders } from '../lib/state-machines';
import { actionsAt, INFRA, type Json, logicalIdAt, ROOT, resourceAt, statementsAt, synthesize } from './support';

const START = { name: 'shop', at: '2030-03-01T02:00:00', timezone: 'Europe/Amsterdam', input: { application: 'shop' } };
const GROUP = {
  name: 'technical-teams',
  channels: [{ type: 'sns', topic_arn: 'arn:aws:sns:eu-west-1:123456789012:team' }],
};
const synthesized = synthesize({ schedules: [START], stakeholders: [GROUP] });
const plain = synthesize();
const answering = synthesize({ answers: true });
const { template } = plain;

test('the template is the one that was reviewed', () => {
  const file = join(INFRA, 'test/template.snapshot.json');
  const text = JSON.stringify(template.toJSON(), null, 1).replace(/[0-9a-f]{64}/g, '<hash>');
  if (process.env.UPDATE_SNAPSHOT) writeFileSync(file, `${text}\n`);
  assert.deepEqual(JSON.parse(text), JSON.parse(readFileSync(file, 'utf8')), 'if it is right: npm run snapshot');
});

test('the README counts what is deployed, and what its alarms cost', () => {
  const readme = readFileSync(join(INFRA, 'README.md'), 'utf8');
  const count = (type: string) => Object.keys(template.findResources(type)).length;
  const functions = count('AWS::Lambda::Function');
  const machines = count('AWS::StepFunctions::StateMachine');
  const alarms = count('AWS::CloudWatch::Alarm');
  assert.ok(readme.includes(`${functions} functions, ${machines} state machines`), `${functions}, ${machines}`);
  // $0.10 each, of standard resolution.
  assert.ok(readme.includes(`| ${alarms} alarms, `), `${alarms} alarms`);
  assert.ok(readme.includes(`| $${(alarms / 10).toFixed(2)} + $1 + $3 `), `${alarms} alarms`);
});

test('cdk-nag finds nothing, and every suppression is used and says why', () => {
  const used = new Set<string>();
  // cdk-nag asks this, privately, about each finding: so it also tells which suppressions are needed.
  const pack: Json = new AwsSolutionsChecks();
  const isAcknowledged = pack.isAcknowledged.bind(pack);
  pack.isAcknowledged = (resource: Json, rule: string) => {
    const is: boolean = isAcknowledged(resource, rule);
    if (is) used.add(rule);
    return is;
  };
  for (const { stack } of [plain, synthesized, answering]) {
    assert.deepEqual(pack.validateScope(stack).violations, []);
    for (const { node } of stack.node.findAll()) {
      const entries = node.metadata.filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY);
      for (const [rule, reason] of entries.flatMap(({ data }) => Object.entries<string>(data))) {
        assert.ok(reason.length > 40, `${node.path}: ${rule}: ${reason}`);
        assert.ok(used.has(rule.replace(/^annotation::/i, '')), `${node.path}: ${rule} is not needed`);
      }
    }
  }
  assert.ok(used.size > 0);
});

for (const machine of MACHINES) {
  test(`${machine} is deployed byte for byte, with every placeholder filled`, () => {
    const definition = rendered(machine);
    const made = resourceAt(plain, `StateMachines/${pascalCase(machine)}/Machine/Resource`);
    const asset = readFileSync(join(plain.outdir, `asset.${made.DefinitionS3Location.Key}`), 'utf8');
    assert.equal(asset, definition);
    assert.deepEqual(Object.keys(made.DefinitionSubstitutions ?? {}).sort(), placeholders(definition));
    assert.equal(made.StateMachineName, machine);
    assert.ok(made.TracingConfiguration.Enabled);
  });
}

const JOURNAL = ['JOURNAL_TABLE', 'LOCKS_TABLE', 'ROUTE53_REQUESTS_PER_SECOND'];
/** What a function's main reads by the name of a type. */
const READ_BY = {
  Journal: JOURNAL,
  Pages: [...JOURNAL, 'ANSWERS_KEY_ARN', 'ANSWERS_URL'],
  AllowedAlarms: ['ALARM_ACTIONS', 'ALARM_NAMES', 'OWN_ALARM_NAMES'],
  AllowedHooks: ['HOOK_FUNCTION_ARNS'],
  AllowedRoutes: ['LISTENERS', 'RECORD_NAMES', 'RULES', 'TARGET_GROUPS'],
  Destinations: ['ALIAS_TARGETS', 'NEW_TARGET_GROUP_ARNS', 'RECORD_VALUES'],
  Demanded: ['APPROVAL'],
  LoadLimits: [
    ...['ALIAS_TARGETS', 'LOAD_TEST_HOSTS', 'LOAD_TEST_SECRET_ARNS', 'MAX_LOAD_RATE_PER_SECOND'],
    ...['RECORD_NAMES', 'RECORD_VALUES'],
  ],
  Mails: ['MAIL_TO'],
  Reach: ['PROBE_NETWORKS'],
  Topics: ['TOPIC_ARNS'],
};

for (const crate of CRATES) {
  test(`${crate} finds in its environment what it reads, and nothing else`, () => {
    const main = readFileSync(join(ROOT, 'functions', crate, 'src/main.rs'), 'utf8');
    const named = [...main.matchAll(/(?:variable\(|Patterns::of\(environment, )"([A-Z0-9_]+)"\)/g)].map(
      (match) => match[1] ?? '',
    );
    const readers = Object.entries(READ_BY).filter(([reader]) => main.includes(`${reader}::of(environment)`));
    const accounts = main.includes('(environment, ELSEWHERE)') ? ['ACCOUNTS'] : [];
    const read = [...new Set([...named, ...accounts, ...readers.flatMap(([, variables]) => variables)])];
    const made = resourceAt(plain, `Functions/${pascalCase(crate)}/Function/Resource`);
    assert.deepEqual(Object.keys(made.Environment.Variables).sort(), ['RUST_LOG', ...read].sort());
    const size = { 'load-test': [1769, 240], program: [1769, 120] }[crate as string] ?? [256, 30];
    assert.deepEqual([made.Runtime, made.MemorySize, made.Timeout], ['provided.al2023', ...size]);
    assert.deepEqual([made.LoggingConfig.LogFormat, made.TracingConfig.Mode], ['JSON', 'Active']);
    assert.deepEqual([made.Architectures, made.ReservedConcurrentExecutions], [['arm64'], undefined]);
  });
}

test('the functions that probe are in the VPC that is given, and no other is in any', () => {
  const probeVpc = { subnetIds: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'], securityGroupIds: ['sg-0c1d2e3f'] };
  const inside = synthesize({ probeVpc });
  const of = (from: typeof plain, crate: string) => ({
    vpc: resourceAt(from, `Functions/${pascalCase(crate)}/Function/Resource`).VpcConfig,
    interfaces: actionsAt(from, `Functions/${pascalCase(crate)}/Role`).filter((action) => action.startsWith('ec2:')),
  });
  for (const crate of CRATES) {
    assert.deepEqual(of(plain, crate), { vpc: undefined, interfaces: [] });
    const { vpc, interfaces } = of(inside, crate);
    const source = ['lib.rs', 'turn.rs'].map((file) => join(ROOT, 'functions', crate, 'src', file)).filter(existsSync);
    const probes = source.some((file) => /probe::ask\(|Client::new\(target/.test(readFileSync(file, 'utf8')));
    assert.deepEqual(
      vpc,
      probes ? { SubnetIds: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'], SecurityGroupIds: ['sg-0c1d2e3f'] } : undefined,
    );
    assert.equal(interfaces.length, probes ? 6 : 0, crate);
  }
  assert.deepEqual(new AwsSolutionsChecks().validateScope(inside.stack).violations, []);
});

test('probes connect to private networks only where the stack is in a VPC or lists them, and to this machine never', () => {
  const probeVpc = { subnetIds: ['subnet-0a1b2c3d'], securityGroupIds: ['sg-0c1d2e3f'] };
  for (const crate of ['LoadTest', 'Precheck', 'Validate']) {
    assert.deepEqual(listOf(plain, crate, 'PROBE_NETWORKS'), []);
    assert.ok(listOf(synthesize({ probeVpc }), crate, 'PROBE_NETWORKS').includes('10.0.0.0/8'));
    const one = synthesize({ probeVpc, probeNetworks: ['10.1.0.0/16'] });
    assert.deepEqual(listOf(one, crate, 'PROBE_NETWORKS'), ['10.1.0.0/16']);
  }
  for (const network of [
    '127.0.0.0/8',
    '169.254.0.0/16',
    '0.0.0.0/0',
    '::/0',
    '::1/128',
    'fe80::/10',
    '10.0.0.1',
    '8.8.8.0/24',
    '10.0.0.0/4',
  ]) {
    assert.throws(() => synthesize({ probeNetworks: [network] }), /should be private networks/, network);
  }
});

test('a stack that asks by tags asks by number only where that is said too, and may read the tags of zones', () => {
  const approvalTopicArn = 'arn:aws:sns:eu-west-1:123456789012:changes';
  const approvalTags = { criticality: 'high' };
  const asked = (template: Json) =>
    JSON.parse(resourceAt(template, 'Functions/Claim/Function/Resource').Environment.Variables.APPROVAL);
  const tagged = synthesize({ approvalTopicArn, approvalTags });
  assert.deepEqual(asked(tagged), { topic_arn: approvalTopicArn, from: null, tags: approvalTags });
  assert.equal(asked(synthesize({ approvalTopicArn, approvalTags, approvalFrom: 5 })).from, 5);
  const reads = (template: Json) =>
    actionsAt(template, 'Functions/Precheck/Role').includes('route53:ListTagsForResource');
  assert.ok(reads(tagged) && !reads(plain));
  for (const wrong of [['criticality'], 'criticality', { criticality: 1 }]) {
    assert.throws(() => synthesize({ approvalTopicArn, approvalTags: wrong as never }), /object of tag to value/);
  }
});

test('a stack that demands approval tells who, and their topic is one that messages go to', () => {
  const approvalTopicArn = 'arn:aws:sns:eu-west-1:123456789012:changes';
  const demanding = synthesize({ approvalTopicArn });
  for (const crate of ['Precheck', 'Claim', 'Tell', 'Wave']) {
    const { Variables } = resourceAt(demanding, `Functions/${crate}/Function/Resource`).Environment;
    assert.deepEqual(JSON.parse(Variables.APPROVAL), { topic_arn: approvalTopicArn, from: 1 });
    assert.equal(resourceAt(plain, `Functions/${crate}/Function/Resource`).Environment.Variables.APPROVAL, 'null');
  }
  assert.ok(listOf(demanding, 'Notify', 'TOPIC_ARNS').includes(approvalTopicArn));
  assert.throws(() => synthesize({ approvalFrom: 3 }), /is for `approvalTopicArn`/);
  assert.throws(() => synthesize({ approvalTopicArn, approvalFrom: 0 }), /1 or more/);
  assert.throws(() => synthesize({ approvalTags: { criticality: 'high' } }), /is for `approvalTopicArn`/);
  const who = { answers: true, answersUrl: 'https://answers.example.com', answersIdentityHeader: 'X-Forwarded-User' };
  const answer = resourceAt(synthesize(who), 'Functions/Answer/Function/Resource').Environment.Variables;
  assert.equal(answer.ANSWERS_IDENTITY_HEADER, 'x-forwarded-user');
  assert.throws(() => synthesize({ answers: true, answersIdentityHeader: 'x-user' }), /anybody can write a header/);
});

test("with a key of the owner's the journal, every log and every machine is encrypted by it, and who works with them may use it", () => {
  const dataKeyArn = 'arn:aws:kms:eu-west-1:123456789012:key/0b1c2d3e';
  const encrypted = synthesize({ dataKeyArn });
  const of = (from: typeof plain, type: string): Json[] =>
    Object.values(from.resources)
      .filter(({ Type }) => Type === type)
      .map(({ Properties }) => Properties);
  for (const group of of(encrypted, 'AWS::Logs::LogGroup')) assert.equal(group.KmsKeyId, dataKeyArn);
  for (const machine of of(encrypted, 'AWS::StepFunctions::StateMachine')) {
    assert.equal(machine.EncryptionConfiguration.Type, 'CUSTOMER_MANAGED_KMS_KEY');
    assert.equal(machine.EncryptionConfiguration.KmsKeyId, dataKeyArn);
  }
  const [table] = of(encrypted, 'AWS::DynamoDB::Table');
  assert.deepEqual(table.SSESpecification, { KMSMasterKeyId: dataKeyArn, SSEEnabled: true, SSEType: 'KMS' });
  const uses = (role: string) => statementsAt(encrypted, role).filter(({ Resource }) => Resource === dataKeyArn);
  for (const crate of CRATES) {
    const [use, ...more] = uses(`Functions/${pascalCase(crate)}/Role`);
    assert.deepEqual([use?.Action, more], [['kms:Decrypt', 'kms:GenerateDataKey'], []], crate);
    assert.ok(use?.Condition.StringEquals['kms:ViaService']);
  }
  for (const machine of MACHINES) assert.equal(uses(`StateMachines/${pascalCase(machine)}/Role`).length, 1, machine);
  assert.deepEqual(new AwsSolutionsChecks().validateScope(encrypted.stack).violations, []);
});

test('logs outlive the stack if asked to', () => {
  const policies = (from: typeof plain) =>
    Object.values(from.resources)
      .filter(({ Type }) => Type === 'AWS::Logs::LogGroup')
      .map(({ DeletionPolicy }) => DeletionPolicy);
  assert.ok(policies(plain).every((policy) => policy === 'Delete'));
  assert.ok(policies(synthesize({ retainLogs: true })).every((policy) => policy === 'Retain'));
});

test('stacks that share a table of locks may write to it what they have to, and nothing else', () => {
  const sharing = synthesize({ locksTable: 'cutover-locks' });
  const on = (crate: string): string[] =>
    statementsAt(sharing, `Functions/${crate}/Role`)
      .filter(({ Resource }) => JSON.stringify(Resource).includes('table/cutover-locks'))
      .flatMap(({ Action }) => Action);
  const found = CRATES.map((crate) => [crate, on(pascalCase(crate))] as const).filter(([, actions]) => actions.length);
  assert.deepEqual(Object.fromEntries(found), {
    claim: ['dynamodb:BatchGetItem', 'dynamodb:PutItem'],
    cleanup: ['dynamodb:DeleteItem'],
    precheck: ['dynamodb:BatchGetItem'],
    rollback: ['dynamodb:DeleteItem'],
  });
  const { Variables } = resourceAt(sharing, 'Functions/Claim/Function/Resource').Environment;
  assert.equal(Variables.LOCKS_TABLE, 'cutover-locks');
});

test('precheck is told exactly the functions that the machines may invoke as hooks', () => {
  const hookFunctionArns = ['stop', 'go:live'].map((name) => `arn:aws:lambda:eu-west-1:123456789012:function:${name}`);
  const told = (from: typeof plain) =>
    resourceAt(from, 'Functions/Precheck/Function/Resource').Environment.Variables.HOOK_FUNCTION_ARNS;
  assert.equal(told(plain), '{"*":[]}');
  assert.equal(told(synthesize({ hookFunctionArns })), JSON.stringify({ '*': hookFunctionArns }));
});

test('precheck is told exactly the names of alarms that the role may set', () => {
  const told = (from: typeof plain) =>
    JSON.parse(resourceAt(from, 'Functions/Precheck/Function/Resource').Environment.Variables.ALARM_NAMES);
  assert.deepEqual(told(plain), ['*']);
  const alarmNames = ['shop-*', 'one, with a comma'];
  assert.deepEqual(told(synthesize({ narrowing: { alarmNames } })), alarmNames);
});

/** A variable that is a list, with `<name>` for what is known at deployment only. */
function listOf(from: typeof plain, crate: string, name: string): string[] {
  const value = resourceAt(from, `Functions/${crate}/Function/Resource`).Environment.Variables[name];
  const parts: Json[] = typeof value === 'string' ? [value] : value['Fn::Join'][1];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : `<${part.Ref}>`)).join(''));
}

test("whoever writes is told the same lists as precheck, and messages and alarms reach the stack's topic unless told otherwise", () => {
  const topic = `<${logicalIdAt(plain, 'Notifications/Topic/Resource')}>`;
  for (const crate of ['Notify', 'Tell', 'Sweep', 'Wave', 'Program', 'Precheck']) {
    assert.deepEqual(listOf(plain, crate, 'TOPIC_ARNS'), [topic], crate);
  }
  for (const crate of ['Alarms', 'Precheck']) {
    assert.deepEqual(listOf(plain, crate, 'ALARM_ACTIONS'), [topic]);
    assert.deepEqual(listOf(plain, crate, 'OWN_ALARM_NAMES'), ['cutover-*']);
  }
  const narrowing = { newTargetGroups: ['arn:shop-*'], recordValues: ['10.0.0.0/8'], aliasTargets: [] };
  const team = 'arn:aws:sns:eu-west-1:123456789012:team';
  const narrow = synthesize({ narrowing, topicArns: [team], alarmActions: ['arn:x'], prefix: 'blue-' });
  for (const crate of ['ListenerSwap', 'WeightShift', 'Precheck']) {
    assert.deepEqual(
      ['NEW_TARGET_GROUP_ARNS', 'RECORD_VALUES', 'ALIAS_TARGETS'].map((name) => listOf(narrow, crate, name)),
      [['arn:shop-*'], ['10.0.0.0/8'], []],
    );
  }
  assert.deepEqual(listOf(narrow, 'Notify', 'TOPIC_ARNS').slice(1), [team]);
  assert.deepEqual(listOf(narrow, 'Alarms', 'ALARM_ACTIONS'), ['arn:x']);
  assert.deepEqual(listOf(narrow, 'Alarms', 'OWN_ALARM_NAMES'), ['blue-cutover-*']);
});

test('precheck is told what IAM will refuse of listeners, rules, names and old groups, as far as its environment has room', () => {
  const names = ['LISTENERS', 'RULES', 'RECORD_NAMES', 'TARGET_GROUPS'];
  const told = (from: typeof plain) => names.map((name) => listOf(from, 'Precheck', name));
  assert.deepEqual(told(plain), [['*'], ['*'], ['*'], ['*']]);
  const lists = { listeners: ['arn:l'], rules: [], recordNames: ['*.Shop.example.com'], targetGroups: ['arn:g'] };
  assert.deepEqual(told(synthesize({ narrowing: lists })), [['arn:l'], [], ['*.Shop.example.com'], ['arn:g']]);
  const many = Array.from(
    { length: 60 },
    (_, index) => `arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/${index}`,
  );
  const full = synthesize({ narrowing: { ...lists, listeners: many } });
  assert.deepEqual(told(full), [['*'], [], ['*.Shop.example.com'], ['arn:g']], 'the longest first');
  const warnings = full.stack.node.metadata.filter(({ type }) => type === 'aws:cdk:warning');
  assert.match(JSON.stringify(warnings), /no room for listeners: IAM holds them/);
  assert.equal(
    plain.stack.node.metadata.some(({ type }) => type === 'aws:cdk:warning'),
    false,
  );
});

test('mail of groups of plans goes to nobody unless the stack lists whom', () => {
  for (const crate of ['Precheck', 'Tell', 'Wave']) {
    assert.deepEqual(listOf(plain, crate, 'MAIL_TO'), []);
    assert.deepEqual(listOf(synthesize({ mailTo: ['example.com'] }), crate, 'MAIL_TO'), ['example.com']);
  }
});

test('where messages may go to every topic, alarms may tell every topic of account and region, and do nothing else', () => {
  const approvalTopicArn = 'arn:aws:sns:eu-west-1:123456789012:changes';
  const open = synthesize({ topicArns: ['*'], approvalTopicArn });
  const everyTopic = 'arn:<AWS::Partition>:sns:<AWS::Region>:<AWS::AccountId>:*';
  const topic = `<${logicalIdAt(open, 'Notifications/Topic/Resource')}>`;
  for (const crate of ['Alarms', 'Precheck']) {
    assert.deepEqual(listOf(open, crate, 'ALARM_ACTIONS'), [topic, everyTopic]);
  }
  const [put] = statementsAt(open, 'Functions/Alarms/Role').filter(
    ({ Action, Effect }) => Effect === 'Allow' && [Action].flat().includes('cloudwatch:PutMetricAlarm'),
  );
  const actions = put?.Condition['ForAllValues:StringLike']['cloudwatch:AlarmActions'];
  assert.equal(actions.length, 2);
  assert.ok(actions.every((action: Json) => action !== '*'));
  assert.deepEqual(put?.Condition.Null, { 'cloudwatch:AlarmActions': 'false' });
  assert.deepEqual(listOf(synthesize({ alarmActions: ['*'] }), 'Alarms', 'ALARM_ACTIONS'), ['*'], 'said aloud');
});

test('the journal is protected, and outlives the stack unless told otherwise', () => {
  const [kept, dropped] = [plain, synthesize({ retainJournal: false })].map(({ template }) =>
    Object.values<Json>(template.findResources('AWS::DynamoDB::Table')).at(0),
  );
  assert.deepEqual([kept.DeletionPolicy, kept.UpdateReplacePolicy], ['Retain', 'Retain']);
  assert.equal(kept.Properties.DeletionProtectionEnabled, true);
  assert.equal(kept.Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled, true);
  assert.equal(kept.Properties.SSESpecification.SSEEnabled, true);
  assert.deepEqual([dropped.DeletionPolicy, dropped.Properties.DeletionProtectionEnabled], ['Delete', false]);
});

test('of a cutover that ends without success the sweep is told, and nothing but whose', () => {
  const rule = resourceAt(plain, 'SafetyNet/Unfinished/Resource');
  assert.deepEqual(rule.EventPattern.detail.status, ['ABORTED', 'TIMED_OUT', 'FAILED']);
  const [target] = rule.Targets;
  const [[variable, path]] = Object.entries(target.InputTransformer.InputPathsMap) as [[string, string]];
  assert.equal(path, '$.detail.executionArn');
  assert.equal(target.InputTransformer.InputTemplate, `{"run_id":<${variable}>}`);
  assert.ok(target.DeadLetterConfig.Arn);
  assert.deepEqual(target.Arn, resourceAt(plain, 'SafetyNet/Sweep/Resource').Targets[0].Arn);
  assert.equal(resourceAt(plain, 'SafetyNet/Sweep/Resource').ScheduleExpression, 'rate(1 minute)');
});

test('status pages are written by what happens, and every half hour where that is not said otherwise', () => {
  const rule = resourceAt(plain, 'StatusPages/Schedule/Resource');
  assert.equal(rule.ScheduleExpression, 'rate(30 minutes)');
  assert.deepEqual(JSON.parse(rule.Targets[0].Input), { scheduled: true });
  const hourly = resourceAt(synthesize({ statusInterval: 60 }), 'StatusPages/Schedule/Resource');
  assert.equal(hourly.ScheduleExpression, 'rate(1 hour)');
});

test('a scheduled cutover has its exact time, and is started through `start` under a literal name', () => {
  const schedule = resourceAt(synthesized, 'Schedules/start-shop');
  assert.equal(schedule.ScheduleExpression, 'at(2030-03-01T02:00:00)');
  assert.equal(schedule.ScheduleExpressionTimezone, 'Europe/Amsterdam');
  assert.deepEqual(schedule.FlexibleTimeWindow, { Mode: 'OFF' });
  assert.deepEqual(schedule.Target.Arn, { Ref: logicalIdAt(synthesized, 'StateMachines/Start/Machine/Resource') });
  const [, parts] = schedule.Target.Input['Fn::Join'];
  const input = JSON.parse(parts.map((part: Json) => (typeof part === 'string' ? part : part.Ref)).join(''));
  assert.equal(input.name, 'shop-20300301T020000');
  assert.match(input.state_machine_arn, /:stateMachine:cutover$/);
  assert.deepEqual(input.input, START.input);
  assert.ok(schedule.Target.DeadLetterConfig.Arn && schedule.Target.RetryPolicy.MaximumRetryAttempts > 0);
});

test('a schedule may have the name of anything else in the stack', () => {
  const starts = ['Role', 'Group', 'DeadLetters', 'Resource', 'Default'].map((name) => ({ ...START, name }));
  const made = synthesize({ schedules: starts }).template.findResources('AWS::Scheduler::Schedule');
  assert.deepEqual(
    Object.values<Json>(made)
      .map(({ Properties }) => Properties.Name)
      .sort(),
    starts.map(({ name }) => name).sort(),
  );
});

test('a schedule may start `start` and nothing else, and that one `cutover`', () => {
  const starts = (role: string) =>
    statementsAt(synthesized, role).filter(({ Action }) => Action === 'states:StartExecution');
  const [bySchedule, byStart] = [starts('Schedules/Role'), starts('StateMachines/Start/Role')];
  const start = logicalIdAt(synthesized, 'StateMachines/Start/Machine/Resource');
  assert.deepEqual(
    bySchedule.map(({ Resource }) => Resource),
    [{ Ref: start }],
  );
  assert.equal(byStart.length, 1);
  assert.match(JSON.stringify(byStart[0].Resource), /:stateMachine:cutover"/);
});

test('what goes wrong pages somebody', () => {
  const alarms = Object.values<Json>(synthesized.template.findResources('AWS::CloudWatch::Alarm'));
  const names = alarms.map((alarm) => alarm.Properties.AlarmName).sort();
  const wanted = [
    'cleanup-failed',
    'events-dead-letters',
    'rollback-cut-short',
    'rollback-failed',
    'start-failed',
    'incident-unheard',
    'programme-not-scheduled',
    'programmes-dead-letters',
    'timeline-not-told',
    'wave-not-moved',
  ];
  const ofFunctions = CRATES.flatMap((crate) => [`${crate}-errors`, `${crate}-throttles`]);
  const all = [...wanted, 'incidents-dead-letters', 'schedules-dead-letters', ...ofFunctions];
  assert.deepEqual(names, all.map((name) => `cutover-${name}`).sort());
  assert.ok(alarms.every((alarm) => alarm.Properties.AlarmActions.length === 1));
});

test('an alarm that fills gaps looks at more periods than it needs: late metrics are filled at first', () => {
  const filling = Object.values<Json>(plain.template.findResources('AWS::CloudWatch::Alarm')).filter((alarm) =>
    JSON.stringify(alarm.Properties.Metrics ?? []).includes('FILL('),
  );
  assert.equal(filling.length, 7);
  for (const { Properties } of filling) {
    assert.ok(Properties.EvaluationPeriods > Properties.DatapointsToAlarm, Properties.AlarmName);
  }
});

test("a function's refusal is no page, its crash with all retries is one, and the sweep's first error too", () => {
  const threshold = (crate: string) => resourceAt(plain, `Observability/${crate}-errors-alarm/Resource`).Threshold;
  const { Retry } = JSON.parse(rendered('cutover')).States.Precheck;
  const crashes: Json = Retry.find(({ ErrorEquals }: Json) => ErrorEquals.includes('Runtime.ExitError'));
  for (const crate of CRATES) {
    assert.equal(threshold(crate), crate === 'sweep' ? 1 : 1 + crashes.MaxAttempts);
  }
});

test('with groups of stakeholders a rollback opens an incident by itself, unless the stack does not want it', () => {
  const rules = (of: typeof plain) =>
    Object.values<Json>(of.template.findResources('AWS::Events::Rule')).map(({ Properties }) => Properties.Name);
  const own = ['cutover-incidents', 'cutover-incidents-unfollowed'];
  const opening = (of: typeof plain) =>
    rules(of)
      .filter((name) => own.includes(name))
      .sort();
  assert.deepEqual(opening(synthesized), own);
  assert.deepEqual(opening(plain), []);
  assert.deepEqual(opening(synthesize({ stakeholders: [GROUP], incidents: false })), []);
  assert.deepEqual(opening(synthesize({ incidents: {} })), own);
  const rule = resourceAt(synthesized, 'Incidents/Rollbacks/Resource');
  assert.equal(rule.Targets[0].InputPath, '$.detail');
  assert.deepEqual(rule.EventPattern.detail.status, ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']);
});

test('every line of the dashboard says what it is', () => {
  const [, parts] = resourceAt(plain, 'Observability/Dashboard/Resource').DashboardBody['Fn::Join'];
  const body = JSON.parse(parts.map((part: Json) => (typeof part === 'string' ? part : 'x')).join(''));
  const lines: Json[] = body.widgets.flatMap(({ properties }: Json) => properties.metrics ?? []);
  const labels = lines.map((line) => line.at(-1).label);
  assert.ok(labels.every(Boolean) && lines.length > 40, `${labels}`);
});

test('every physical name takes the prefix, so that installations do not meet', () => {
  const names = (from: typeof plain) =>
    Object.values(from.resources).flatMap(({ Properties }) =>
      Object.entries<Json>(Properties ?? {}).filter(([key, name]) => /Name$/.test(key) && typeof name === 'string'),
    );
  const prefixed = new Set(names(synthesize({ prefix: 'blue-' })).map(([, name]) => name));
  for (const [key, name] of names(plain)) {
    if (/^(Metric|Display)Name$/.test(key)) continue;
    assert.ok(!prefixed.has(name), `${key} ${name} is the same with a prefix`);
  }
});

test('pages that answer are there where the stack is told so, and open to everybody by both permissions', () => {
  const of = (from: typeof plain, type: string) => Object.values(from.resources).filter(({ Type }) => Type === type);
  assert.deepEqual([of(plain, 'AWS::Lambda::Url'), of(plain, 'AWS::SecretsManager::Secret')], [[], []]);
  assert.deepEqual(
    statementsAt(plain, 'Functions/Answer/Role')
      .flatMap(({ Action }: Json) => Action)
      .filter((action: string) => /^(dynamodb|states|secretsmanager):/.test(action)),
    [],
  );
  const [url] = of(answering, 'AWS::Lambda::Url');
  assert.equal(url?.Properties.AuthType, 'NONE');
  const [secret] = of(answering, 'AWS::SecretsManager::Secret');
  assert.deepEqual(secret?.Properties.GenerateSecretString, { ExcludePunctuation: true, PasswordLength: 64 });
  const everybody = of(answering, 'AWS::Lambda::Permission').filter(({ Properties }) => Properties.Principal === '*');
  const said = everybody.map(({ Properties: { Action, FunctionUrlAuthType, InvokedViaFunctionUrl } }) => [
    Action,
    FunctionUrlAuthType,
    InvokedViaFunctionUrl,
  ]);
  assert.deepEqual(said.sort(), [
    ['lambda:InvokeFunction', undefined, true],
    ['lambda:InvokeFunctionUrl', 'NONE', undefined],
  ]);
  const made = resourceAt(answering, 'Functions/Answer/Function/Resource');
  assert.equal(made.ReservedConcurrentExecutions, 5);
  for (const crate of ['Notify', 'Tell']) {
    const { Variables } = resourceAt(answering, `Functions/${crate}/Function/Resource`).Environment;
    assert.deepEqual(Variables.ANSWERS_URL['Fn::GetAtt']?.[1], 'FunctionUrl');
    assert.deepEqual(Variables.ANSWERS_KEY_ARN, made.Environment.Variables.ANSWERS_KEY_ARN);
  }
  for (const [action, keys] of [
    ['dynamodb:UpdateItem', ['ask#*']],
    ['dynamodb:PutItem', ['incident#*', 'timeline#*']],
  ] as const) {
    const statements = statementsAt(answering, 'Functions/Answer/Role').filter(({ Action }: Json) =>
      Action.includes(action),
    );
    assert.deepEqual(
      statements.map(({ Condition }: Json) => Condition),
      [{ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys }, Null: { 'dynamodb:LeadingKeys': 'false' } }],
    );
  }
});

test('behind something else the pages take signed requests only, and links lead there', () => {
  const behind = synthesize({ answers: true, answersUrl: 'https://answers.example.com/' });
  const resources = Object.values(behind.resources);
  assert.equal(resources.find(({ Type }) => Type === 'AWS::Lambda::Url')?.Properties.AuthType, 'AWS_IAM');
  assert.ok(
    !resources.some(({ Type, Properties }) => Type === 'AWS::Lambda::Permission' && Properties.Principal === '*'),
  );
  const variables = (crate: string) => resourceAt(behind, `Functions/${crate}/Function/Resource`).Environment.Variables;
  assert.equal(variables('Notify').ANSWERS_URL, 'https://answers.example.com/');
  assert.equal(variables('Answer').ANSWERS_ORIGINS, 'https://answers.example.com');
  assert.throws(() => synthesize({ answers: true, answersUrl: 'https://answers.example.com/a' }), /without a path/);
  assert.throws(() => synthesize({ answersUrl: 'https://answers.example.com' }), /set that to true/);
});

test('topics and roles are what they are said to be', () => {
  const topic = 'arn:aws:sns:eu-west-1:123456789012:changes';
  for (const wrong of ['changes', 'arn:aws:sqs:eu-west-1:123456789012:changes', 'arn:aws:sns:eu-west-1:1:changes']) {
    assert.throws(() => synthesize({ approvalTopicArn: wrong }), /`approvalTopicArn` should be a topic's ARN/, wrong);
    assert.throws(() => synthesize({ topicArns: [topic, wrong] }), /`topicArns` should be a topic's ARN/, wrong);
  }
  assert.throws(() => synthesize({ approvalTopicArn: `${topic}.fifo` }), /FIFO topic/);
  assert.throws(() => synthesize({ topicArns: [`${topic}.fifo`] }), /FIFO topic/);
  synthesize({ approvalTopicArn: topic, topicArns: ['*', 'arn:aws:sns:eu-west-1:123456789012:shop-*', topic] });
  const externalId = 'cutover-0123456789';
  const accounts = (roleArn: string) => ({ '222222222222': { externalId, roleArn } });
  for (const wrong of ['arn:aws:iam::333333333333:role/theirs', 'theirs', 'arn:aws:iam::222222222222:user/ada']) {
    assert.throws(() => synthesize({ accounts: accounts(wrong) }), /should be a role of that account/, wrong);
  }
  synthesize({ accounts: accounts('arn:aws:iam::222222222222:role/path/theirs') });
});

test('hooks are listed one by one: a pattern would be every function for the machines, and none for plans', () => {
  for (const wrong of ['*', 'arn:aws:lambda:eu-west-1:123456789012:function:shop-*']) {
    const hookFunctionArns = { shop: [wrong] };
    assert.throws(() => synthesize({ hookFunctionArns }), /`hookFunctionArns` should list each function by its ARN/);
  }
});

test("precheck knows the keys of topics, the stack's own first", () => {
  const key = 'arn:aws:kms:eu-west-1:123456789012:key/0b1c2d3e';
  const { Variables } = resourceAt(
    synthesize({ topicKeyArns: [key] }),
    'Functions/Precheck/Function/Resource',
  ).Environment;
  const told = JSON.stringify(Variables.TOPIC_KEY_ARNS);
  assert.ok(told.includes(logicalIdAt(plain, 'Notifications/Key/Resource')) && told.includes(key), told);
});
