/** The app as a person runs it: context values, and sentences instead of stack traces. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { NARROWING, OPEN } from '../lib/authority';
import { ConfigurationError } from '../lib/configuration-error';
import { CRATES } from '../lib/names';
import type { ScheduledStart } from '../lib/schedules';
import { INFRA, type Json, standInBinaries, synthesize, temporaryFolder } from './support';

const NODE = dirname(process.execPath);

function run(given: Record<string, unknown>, path: string[] = [], lists: Record<string, unknown> = OPEN) {
  const context = { ...lists, ...given };
  const outdir = temporaryFolder();
  const tsx = join(INFRA, 'node_modules/.bin/tsx');
  const env = { CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) };
  const PATH = [...path, NODE, '/usr/bin', '/bin'].join(delimiter);
  const result = spawnSync(tsx, ['bin/cutover.ts'], { cwd: INFRA, env: { ...env, PATH }, encoding: 'utf8' });
  const template = (): Json => JSON.parse(readFileSync(join(outdir, 'Cutover.template.json'), 'utf8'));
  return { ...result, template, outdir };
}

/** A folder for the PATH that holds a stand-in for cargo. */
function standInCargo(script: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'cargo'), `#!/bin/sh\n${script}`);
  chmodSync(join(folder, 'cargo'), 0o755);
  return folder;
}

test('without cargo-lambda and without binaries, one sentence says how to get it', () => {
  const { status, stderr } = run({}, [standInCargo('exit 101')]);
  assert.equal(status, 1);
  assert.match(stderr, /^error: cargo-lambda.* `pip install cargo-lambda==1.9.2`.* `-c binaries=<folder>`\.\n$/);
});

test('with cargo-lambda, each function is built for the architecture', () => {
  const folder = standInCargo(`[ "$2" = --version ] && exit
echo "$@" >> "$(dirname "$0")/calls"
while [ $# -gt 0 ]; do case $1 in --lambda-dir) out=$2;; --bin) bin=$2;; esac; shift; done
echo $bin > $out/bootstrap
`);
  const { status, stderr, outdir } = run({ architecture: 'x86_64' }, [folder]);
  assert.equal(status, 0, stderr);
  const calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
  assert.deepEqual(calls.map((call) => /^lambda build .*--release --x86-64 --bin (\S+)/.exec(call)?.[1]).sort(), [
    ...CRATES,
  ]);
  const assets = readdirSync(outdir, { recursive: true, encoding: 'utf8' });
  assert.equal(assets.filter((file) => file.endsWith('/bootstrap')).length, CRATES.length);
});

test('context values are read as cdk.json and as the command line give them', () => {
  const { status, stderr, template } = run({
    binaries: standInBinaries(),
    prefix: 'blue-',
    retainJournal: 'false',
    emails: 'a@example.com, b@example.com',
    hostedZones: ['Z1'],
    rules: '',
    maxLoadRatePerSecond: '250',
    statusInterval: '10',
    statusTimeZone: 'Europe/Berlin',
    recoveryObjective: '15',
    loadTestHosts: 'shop-1.example.com,shop-2.example.com',
    loadTestSecretArns: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:load-AbCdEf',
    schedules: '[{"name": "shop", "at": "2030-03-01T02:00:00", "input": {}}]',
  });
  assert.equal(status, 0, stderr);
  const resources = Object.values<Json>(template().Resources);
  const types = resources.map(({ Type }) => Type);
  const subscribed = resources.filter(({ Type }) => Type === 'AWS::SNS::Subscription');
  assert.equal(subscribed.filter(({ Properties }) => Properties.Protocol === 'email').length, 2);
  assert.equal(types.filter((type) => type === 'AWS::Scheduler::Schedule').length, 1);
  const text = JSON.stringify(template());
  assert.match(text, /hostedzone\/Z1/);
  assert.doesNotMatch(text, /ModifyRule/);
  assert.match(text, /"MAX_LOAD_RATE_PER_SECOND":"250","LOAD_TEST_HOSTS":"shop-1.example.com,shop-2.example.com"/);
  assert.match(text, /"LOAD_TEST_SECRET_ARNS":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:load-AbCdEf"/);
  assert.match(text, /"blue-cutover-journal"/);
  assert.match(text, /rate\(10 minutes\)/);
  assert.match(
    text,
    /interval_seconds\\+":600,\\+"recovery_objective_seconds\\+":900,\\+"time_zone\\+":\\+"Europe\/Berlin/,
  );
});

test('a stack that does not say what its plans may touch is refused, with every list to write', () => {
  const { status, stderr } = run({ binaries: standInBinaries(), hostedZones: ['Z1'] }, [], {});
  assert.equal(status, 1);
  assert.match(stderr, /^error: The configuration does not say what plans of this stack may touch, and where/);
  for (const name of NARROWING) assert.equal(stderr.includes(`"${name}": ["*"]`), name !== 'hostedZones', name);
  assert.equal(stderr.trim().split('\n').length, 1, 'one sentence after the other');
});

test('the production configuration of the README deploys, and leaves nothing open', () => {
  const readme = readFileSync(join(INFRA, 'README.md'), 'utf8');
  const block = /### A production configuration[\s\S]*?\n {4}"context": (\{[\s\S]*?\n {4}\})\n/.exec(readme)?.[1] ?? '';
  const context = JSON.parse(block);
  const { status, stderr, template } = run({ ...context, binaries: standInBinaries() }, [], {});
  assert.equal(status, 0, stderr);
  for (const list of Object.values(context).filter(Array.isArray)) assert.ok(!list.includes('*'));
  assert.doesNotMatch(JSON.stringify(template()), /\[\\"\*\\"\]/);
});

test('hooks are listed for all applications, or for each', () => {
  const hook = (name: string) => `arn:aws:lambda:eu-west-1:123456789012:function:${name}`;
  const binaries = standInBinaries();
  const one = run({ binaries, hookFunctionArns: { shop: [hook('stop')], '*': [hook('test')] } });
  assert.equal(one.status, 0, one.stderr);
  const text = JSON.stringify(one.template());
  assert.ok(text.includes(JSON.stringify(JSON.stringify({ shop: [hook('stop')], '*': [hook('test')] })).slice(1, -1)));
  assert.match(
    run({ binaries, hookFunctionArns: { shop: hook('stop') } }).stderr,
    /object of application to such a list/,
  );
});

test('lists that do not fit into a function are told with what takes the room', () => {
  const newTargetGroups = Array.from(
    { length: 90 },
    (_, index) => `arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/${index}/x`,
  );
  refused(
    { narrowing: { newTargetGroups } },
    /of listener-swap's environment.*NEW_TARGET_GROUP_ARNS [0-9]+.*use patterns/,
  );
});

test('plain executables do as binaries, and one for another machine is refused', () => {
  const binaries = temporaryFolder();
  for (const crate of CRATES) writeFileSync(join(binaries, crate), crate);
  const { outdir } = synthesize({ binaries });
  const assets = readdirSync(outdir, { recursive: true, encoding: 'utf8' });
  assert.equal(assets.filter((file) => file.endsWith('/bootstrap')).length, CRATES.length);

  const elf = Buffer.alloc(64);
  elf.write('\x7fELF');
  elf.writeUInt16LE(0x3e, 18);
  writeFileSync(join(binaries, 'claim'), elf);
  synthesize({ binaries, architecture: 'x86_64' });
  refused({ binaries }, /claim is not built for arm64/);
});

test('mistakes are told in a sentence', () => {
  refused({ binaries: temporaryFolder() }, /holds neither alarms\/bootstrap nor alarms/);
  refused({ architecture: 'arm' as 'arm64' }, /should be arm64 or x86_64, not arm/);
  refused({ prefix: 'Blue' }, /prefix/);
  refused({ statusInterval: 0 }, /statusInterval should be 1 to 1440 minutes, not 0/);
  refused({ recoveryObjective: 1.5 }, /recoveryObjective should be whole minutes/);
  refused({ statusTimeZone: 'Mars' }, /statusTimeZone should be a time zone/);
  const group = {
    name: 'team',
    channels: [{ type: 'mail', to: ['team@example.com'] }],
    responds: 1,
    moments: ['stuck'],
  };
  refused({ stakeholders: [group] }, /team responds, and its moments lack "incident"/);
  const vpc = { subnetIds: ['subnet-0a1b2c3d'], securityGroupIds: ['sg-0c1d2e3f'] };
  refused({ probeVpc: { ...vpc, subnetIds: [] } }, /`probeVpc` needs `subnetIds`/);
  refused({ probeVpc: { ...vpc, securityGroupIds: ['default'] } }, /`securityGroupIds`, such as/);
  refused({ probeVpc: 'vpc-1' as never }, /`probeVpc` needs/);
  const start: ScheduledStart = { name: 'shop', at: '2030-03-01T02:00:00', input: {} };
  const schedule = (change: Partial<ScheduledStart>, sentence: RegExp) =>
    refused({ schedules: [{ ...start, ...change }] }, sentence);
  schedule({ rate: 'rate(1 day)' }, /is recurring, and only one-time ones/);
  schedule({ cron: '0 2 * * ? *' }, /is recurring, and only one-time ones/);
  schedule({ at: 'at(2030-03-01T02:00)' }, /needs `at`/);
  schedule({ at: '2030-13-01T02:00:00' }, /needs `at`/);
  schedule({ at: '2030-02-31T02:00:00' }, /needs `at`/);
  schedule({ at: '2030-02-28T24:00:00' }, /needs `at`/);
  schedule({ at: '2030-02-28' }, /needs `at`/);
  schedule({ name: 'a:b' }, /needs a name/);
  schedule({ timezone: 'Europe/Atlantis' }, /time zone that does not exist/);
  refused({ incidents: { repeat: 60 } as never }, /`incidents` has no repeat: it takes repeat_seconds, /);
  refused({ incidents: { inform_seconds: 30 } }, /`incidents.inform_seconds` should be whole seconds, 60 or more/);
  refused({ incidents: { repeat_seconds: { low: 60 } as never } }, /for each of low, medium, high and critical/);
  refused({ schedules: [start, start] }, /is there twice/);
});

function refused(props: Parameters<typeof synthesize>[0], sentence: RegExp) {
  assert.throws(
    () => synthesize(props),
    (error: Error) => error instanceof ConfigurationError && sentence.test(error.message),
  );
}

test("a name that is nearly a setting's is refused, and others are passed over", () => {
  const binaries = standInBinaries();
  for (const [name, meant] of [
    ['listners', 'listeners'],
    ['Rules', 'rules'],
    ['hostedZone', 'hostedZones'],
    ['aprovalTopicArn', 'approvalTopicArn'],
    ['approvalTopicARN', 'approvalTopicArn'],
    ['topicArn', 'topicArns'],
    ['answersIdentityHaeder', 'answersIdentityHeader'],
    ['dataKeyARN', 'dataKeyArn'],
    ['email', 'emails'],
  ] as const) {
    const { status, stderr } = run({ binaries, [name]: ['x'] });
    assert.equal(status, 1, name);
    assert.ok(stderr.includes(`\`${name}\``) && stderr.includes(`is it \`${meant}\`?`), stderr);
  }
  const others = { owner: 'shop', 'aws:cdk:enable-path-metadata': true, '@aws-cdk/core:rules': true, 'a/rule': 1 };
  const { status, stderr } = run({ binaries, ...others });
  assert.equal(status, 0, stderr);
});
