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

for (const crate of CRATES) {
  test(`${crate} finds in its environment what it reads, and nothing else`, () => {
    const main = readFileSync(join(ROOT, 'functions', crate, 'src/main.rs'), 'utf8');
    const named = [...main.matchAll(/variable\("([A-Z_]+)"\)/g)].map((match) => match[1] ?? '');
    const read = main.includes('Journal::of(') ? ['JOURNAL_TABLE', 'ROUTE53_REQUESTS_PER_SECOND', ...named] : named;
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

test('precheck is told exactly the functions that the machines may invoke as hooks', () => {
  const hookFunctionArns = ['stop', 'go:live'].map((name) => `arn:aws:lambda:eu-west-1:123456789012:function:${name}`);
  const told = (from: typeof plain) =>
    resourceAt(from, 'Functions/Precheck/Function/Resource').Environment.Variables.HOOK_FUNCTION_ARNS;
  assert.equal(told(plain), '');
  assert.equal(told(synthesize({ hookFunctionArns })), hookFunctionArns.join(','));
});

test('precheck is told exactly the names of alarms that the role may set', () => {
  const told = (from: typeof plain) =>
    JSON.parse(resourceAt(from, 'Functions/Precheck/Function/Resource').Environment.Variables.ALARM_NAMES);
  assert.deepEqual(told(plain), ['*']);
  const alarmNames = ['shop-*', 'one, with a comma'];
  assert.deepEqual(told(synthesize({ narrowing: { alarmNames } })), alarmNames);
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
  assert.equal(resourceAt(plain, 'SafetyNet/Sweep/Resource').ScheduleExpression, 'rate(5 minutes)');
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
    ['dynamodb:UpdateItem', 'ask#*'],
    ['dynamodb:PutItem', 'incident#*'],
  ] as const) {
    const statements = statementsAt(answering, 'Functions/Answer/Role').filter(({ Action }: Json) =>
      Action.includes(action),
    );
    assert.deepEqual(
      statements.map(({ Condition }: Json) => Condition),
      [{ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] }, Null: { 'dynamodb:LeadingKeys': 'false' } }],
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
