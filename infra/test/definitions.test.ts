/**
 * The definitions: rendered as they are meant, and accepted by asl-validator: their form by the Amazon States Language's
 * schema, their JSONata by the reference implementation's parser.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { machinesShown, withTables } from '../lib/definition-tables';
import { DEFINITIONS, type Definition, machinesIn, parsed, rendered } from '../lib/definitions';
import { MACHINES } from '../lib/names';
import { INFRA, temporaryFolder } from './support';

// The package has no types of its own.
import validate = require('asl-validator');

test('the tables of the README are those of the definitions (if not: npm run tables)', () => {
  const document = readFileSync(join(DEFINITIONS, 'README.md'), 'utf8');
  assert.deepEqual(machinesShown(document), [...MACHINES]);
  assert.equal(withTables(document, DEFINITIONS), document);
});

test('every machine has a definition, and every definition is a machine', () => {
  assert.deepEqual(machinesIn(DEFINITIONS), [...MACHINES].sort());
});

for (const machine of MACHINES) {
  test(`${machine} passes asl-validator`, () => {
    // Its schema knows ARNs of the partition aws.
    const definition = rendered(machine).replaceAll(/\$\{Partition\}/g, 'aws');
    assert.deepEqual(validate(JSON.parse(definition)).errors, []);
  });
}

/** Every state of a definition, those inside of Maps too. */
function states(definition: Definition): [string, Definition][] {
  return Object.entries<Definition>(definition.States).flatMap(([name, state]) => [
    [name, state] as [string, Definition],
    ...(state.ItemProcessor ? states(state.ItemProcessor) : []),
  ]);
}

const EVERY_STATE = MACHINES.flatMap((machine) =>
  states(JSON.parse(rendered(machine))).map(([name, state]) => ({ machine, name, state, at: `${machine} ${name}` })),
);
const inAll = (is: (state: Definition) => boolean) => EVERY_STATE.filter(({ state }) => is(state));

describe('states', () => {
  const invoking = inAll(({ Resource }) => /:lambda:invoke/.test(Resource ?? ''));
  // What nobody waits for answers nothing.
  const awaited = invoking.filter(({ state }) => state.Arguments.InvocationType !== 'Event');
  const retrier = (state: Definition, error: string) =>
    state.Retry.find(({ ErrorEquals }: Definition) => ErrorEquals.includes(error));

  test('an ARN says nothing about the partition: it is filled in at deployment', () => {
    for (const machine of MACHINES) assert.doesNotMatch(rendered(machine), /arn:aws/);
    for (const { at, state } of inAll(({ Resource }) => Resource))
      assert.match(state.Resource, /^arn:\$\{Partition\}:/, at);
  });

  test('a function that Lambda could not start just now, or throttles, is called again', () => {
    const passing = [
      'TooManyRequests',
      'EC2Throttled',
      'ENINotReady',
      'ResourceConflict',
      'ResourceNotReady',
      'KMSAccessDenied',
    ];
    for (const { at, state } of invoking) {
      for (const name of passing)
        assert.ok(retrier(state, `Lambda.${name}Exception`)?.MaxAttempts >= 3, `${at} ${name}`);
    }
    // What Step Functions calls itself is retried whatever the error, but for an execution that exists.
    for (const { at, state } of inAll(({ Resource }) => Resource && !/:lambda:invoke/.test(Resource))) {
      assert.ok(retrier(state, 'States.ALL').MaxAttempts >= 5, at);
    }
  });

  test('a function that ran out of memory is called once more', () => {
    assert.ok(invoking.length > 30);
    for (const { at, state } of awaited) assert.equal(retrier(state, 'Runtime.OutOfMemory')?.MaxAttempts, 1, at);
  });

  test('an error is retried in one way', () => {
    for (const { at, state } of inAll(({ Retry }) => Retry)) {
      const errors = state.Retry.flatMap(({ ErrorEquals }: Definition) => ErrorEquals);
      assert.equal(new Set(errors).size, errors.length, at);
    }
  });

  test('nothing that restores ends the rollback: what a wildcard does not catch is caught too', () => {
    const restoring = EVERY_STATE.filter(
      ({ machine, name }) => machine === 'rollback' && /^(Resume|Restore)/.test(name),
    );
    // What is called for a route is caught by the Map around it, as is all else that can fail there.
    const own = restoring.filter(
      ({ state }) => ['Map', 'Task'].includes(state.Type) && state.Next !== 'RestoreVerdict',
    );
    assert.deepEqual(
      own.map(({ name }) => name),
      ['ResumeWriters', 'ResumeHook', 'RestoreRoutes', 'RestoreRoute', 'RestoreAlarms', 'RestoreAlarm'],
    );
    for (const { at, state } of own) {
      const caught = state.Catch.flatMap(({ ErrorEquals }: Definition) => ErrorEquals);
      assert.deepEqual(caught, ['States.DataLimitExceeded', 'States.ALL'], at);
    }
  });

  test('the console shows what was answered, and never the empty object', () => {
    for (const { at, state } of EVERY_STATE) assert.notDeepEqual(state.Output, {}, at);
    // What calls a function says what it answered, and cuts what is long; RememberQuiesce hands its hook on.
    for (const { at, name, state } of awaited.filter(({ name }) => name !== 'RememberQuiesce')) {
      assert.match(JSON.stringify(state.Output), /\$states\.result|resume hook/, at);
      assert.match(JSON.stringify(state.Output), /\$substring|resume hook/, `${at}: ${name}`);
    }
    // Of one route only its item is handed on, which the Map around it cuts.
    const maps = EVERY_STATE.filter(({ name, state }) => state.Type === 'Map' && name !== 'RestoreRoute');
    for (const { at, state } of maps) assert.match(state.Output, /\$substring/, at);
  });
});

describe('rendering', () => {
  const SHARED = 'x-shared:\n  retry: &retry { MaxAttempts: 8, Kept: 1 }\n';
  const from = (own: string, shared = SHARED) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'shared.yaml'), shared);
    writeFileSync(join(folder, 'small.asl.yaml'), own);
    return JSON.parse(rendered('small', folder));
  };
  const refused = (own: string, sentence: RegExp, shared = SHARED) =>
    assert.throws(() => parsed(shared, own, 'small.asl.yaml'), sentence);

  test('anchors of the shared file are known, and every x- key is dropped, however deep', () => {
    const own = 'x-own: &own [1, 2]\nStates:\n  One: { x-undone-by: Two, Retry: [*retry], Items: *own }\n';
    assert.deepEqual(from(own), { States: { One: { Retry: [{ MaxAttempts: 8, Kept: 1 }], Items: [1, 2] } } });
  });

  test('what a state says itself wins over what it merges, and of several the first', () => {
    assert.deepEqual(from('A: { <<: *retry, MaxAttempts: 2 }'), { A: { MaxAttempts: 2, Kept: 1 } });
    assert.deepEqual(from('A: { MaxAttempts: 2, <<: *retry }'), { A: { MaxAttempts: 2, Kept: 1 } });
    assert.deepEqual(from('A: { <<: [{ Kept: 3, More: 4 }, *retry] }'), { A: { MaxAttempts: 8, Kept: 3, More: 4 } });
  });

  test('a merge is one level deep: a list or a map within is replaced as a whole', () => {
    const own = 'x-a: &a { Arguments: { Name: one, Payload: 1 } }\nB: { <<: *a, Arguments: { Name: two } }';
    assert.deepEqual(from(own), { B: { Arguments: { Name: 'two' } } });
  });

  test('a state opens with its type and its comment', () => {
    const own = 'x-task: &task { Retry: [], Type: Task }\nA: { <<: *task, Next: B, Comment: c }';
    assert.deepEqual(Object.keys(from(own).A), ['Type', 'Comment', 'Retry', 'Next']);
  });

  test('an expression over several lines is one line', () => {
    assert.deepEqual(from('A: >-\n  {% $a &\n  $b %}\n'), { A: '{% $a & $b %}' });
  });

  test('yes, no, on and off are texts, and numbers are numbers', () => {
    assert.deepEqual(from('A: [yes, no, on, off, 45, 1.5, true, null]'), {
      A: ['yes', 'no', 'on', 'off', 45, 1.5, true, null],
    });
  });

  test('what YAML would let pass is refused, with file and line', () => {
    refused('A: 1\nA: 2\n', /^Error: small.asl.yaml:2: .*unique/);
    refused('A: 1\nB:\n  C: { D: 1, D: 2 }\n', /^Error: small.asl.yaml:3: .*unique/);
    refused('A: 1\nB: *nowhere\n', /^Error: small.asl.yaml:2: the anchor &nowhere is not set/);
    refused('A: *later\nB: &later 1\n', /^Error: small.asl.yaml:1: the anchor &later is not set/);
    refused('A: &retry 1\n', /^Error: small.asl.yaml:1: the anchor &retry is set twice/);
    refused('A: 1\nB: [1\n', /^Error: small.asl.yaml:3: /);
    refused('A: 1\n', /^Error: shared.yaml:2: .*unique/, 'a: 1\na: 2\n');
    refused('A: {\n', /^Error: small.asl.yaml:/, 'x-shared: 1');
    refused('A: !custom 1\n', /^Error: small.asl.yaml:1: .*tag/);
  });

  test('each anchor of the shared file is used', () => {
    const shared = readFileSync(join(DEFINITIONS, 'shared.yaml'), 'utf8');
    const own = MACHINES.map((machine) => readFileSync(join(DEFINITIONS, `${machine}.asl.yaml`), 'utf8'));
    const used = new Set([...[shared, ...own].join('\n').matchAll(/\*([a-z][a-z-]*)/g)].map((match) => match[1]));
    const set = [...shared.matchAll(/&([a-z][a-z-]*)/g)].map((match) => match[1]);
    assert.deepEqual(
      set.filter((anchor) => !used.has(anchor)),
      [],
    );
  });

  test('the command writes every definition of a folder into another', () => {
    const folder = join(temporaryFolder(), 'rendered');
    const command = ['--import', 'tsx', 'bin/definitions.ts', 'render', DEFINITIONS, folder];
    const { status, stderr } = spawnSync(process.execPath, command, { cwd: INFRA, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.deepEqual(readdirSync(folder), [...MACHINES].map((machine) => `${machine}.asl.json`).sort());
    for (const machine of MACHINES) {
      assert.equal(readFileSync(join(folder, `${machine}.asl.json`), 'utf8'), rendered(machine));
    }
  });

  test('the command says in one line what is wrong', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'shared.yaml'), '');
    writeFileSync(join(folder, 'small.asl.yaml'), 'A: *nowhere\n');
    const command = ['--import', 'tsx', 'bin/definitions.ts', 'render', folder, join(folder, 'out')];
    const { status, stderr } = spawnSync(process.execPath, command, { cwd: INFRA, encoding: 'utf8' });
    assert.equal(status, 1);
    assert.equal(stderr, 'error: small.asl.yaml:1: the anchor &nowhere is not set before here\n');
  });
});
