/**
 * The definitions' JSONata, evaluated by the reference implementation; the rehearsal evaluates it by another one, a port of
 * the one in Java. What Step Functions adds to the language ($parse, $hash) is bound here.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Definition, rendered } from '../lib/definitions';
import { MACHINES } from '../lib/names';
import { evaluated } from './machine/evaluate';

/** Every expression below a value, with the path that leads to it. */
function expressions(value: Definition, path: string): [string, string][] {
  if (typeof value === 'string') return value.startsWith('{%') ? [[path, value]] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries<Definition>(value).flatMap(([key, item]) => expressions(item, `${path}.${key}`));
}

const ALL = MACHINES.flatMap((machine) => expressions(JSON.parse(rendered(machine)).States, machine));

test('there are no regular expressions: those of Java overflow its stack on long texts', () => {
  // In JSONata a `/` that does not stand behind a value begins one.
  const withOne = ALL.filter(([, text]) => /[(,?:=&~[{]\s*\/|\$(match|split|replace|contains)\([^)]*\/.+\//.test(text));
  assert.deepEqual(withOne, []);
});

describe('every expression answers', () => {
  const reply = {
    link: 'https://x',
    ...{
      settled: true,
      passed: true,
      done: true,
      wait_seconds: 30,
      changed: true,
      change_id: 'C1',
      releasing: 0,
      lines: [],
      url: 'https://example.com',
      ask: false,
      over: true,
      slices: [],
      seen: 's',
      report: 'r',
      round: 0,
      turn: 0,
      told: 't',
      look_seconds: 60,
      is_ours: true,
      is_news: false,
      elsewhere: [],
      at: 't',
      live: 'l',
      incident: 'i',
      said: 's',
      follows: true,
      status: 'resolved',
      made: [],
      moved: [],
      removed: [],
      kept: [],
      foreign: [],
      ...{ wave: 'w', followed: 0, next: 'look', within_seconds: 60, error: null },
    },
    ...{ ending: null, findings: [], plan: {}, steps: [], tries: {}, tally: {}, history_events: 9, before: [] },
    ...{ nothing_to_do: null, released: false, run_id: 'r', application: 'a', topic_arn: 't', begun: true, end: {} },
  };
  const item = { route: 0, type: 'listener', title: 't', leaves: 'l', function_arn: 'arn', timeout: 60 };
  const step = {
    route: 0,
    step: 0,
    type: 'listener',
    title: 't',
    new_weight: 5,
    hold_seconds: 60,
    first_traffic: true,
  };
  const plan = {
    ...{ application: 'shop', mode: 'run', routes: [{ type: 'listener' }], alarms: [{ AlarmName: 'one' }] },
    stakeholders: { of_stack: null, groups: [] },
    approval: { within: 60, topic_arn: 't' },
    notify: { topic_arn: 't' },
    database: { drain: true, shared: false, reverse_replication_task_arn: null },
    hooks: { quiesce: [item], resume: [item], before_traffic: [item], after_traffic: [item] },
    monitoring: { interval: 60, on_failure: 'hold', hold_limit: 60 },
    cleanup: { after: 60 },
    timeout: 60,
  };
  const scope = {
    states: {
      input: { ...plan, ...item, error: 'E', cause: 'c', report: 'r', state_machine_arn: 'arn', name: 'n', input: {} },
      result: {
        Payload: reply,
        ExecutionArn: 'arn',
        Item: { phase: { S: 'stuck' }, ending: { S: '{}' } },
        by: 'b',
        why: 'w',
      },
      errorOutput: { Error: 'E', Cause: '{"errorMessage":"said"}' },
      context: {
        Execution: { Id: 'arn', Input: {} },
        State: { Name: 'State', EnteredTime: '2026-01-01T00:00:00.000Z' },
        Task: { Token: 't' },
        Map: { Item: { Value: item, Index: 0 } },
      },
    },
    ...{ plan, input: plan, steps: [step], step, reply, precheck: reply, moved: reply, item, begun: true, closed: {} },
    ...{
      runId: 'arn',
      tries: {},
      tally: {},
      routeIndex: 0,
      stepIndex: 0,
      attempt: 0,
      releasing: 0,
      lines: [],
      left_seconds: 60,
      told: '',
      watch: reply,
      changeId: null,
      elapsed: 0,
      incident: 'i',
      said: 's',
      follows: true,
      looks: 0,
      followed: 0,
      turns: 1,
      made: [],
      removed: [],
      by: 'b',
      planned: {
        ...{
          portfolio: 'p',
          mode: 'plan',
          approval: { topic_arn: 't', within: 60 },
          start_before: 60,
          timelines: true,
          version: 1,
        },
        ...{ from_to: ['a', 'b'], waves: 1, slip_days: null, changes: 0, notes: [] },
      },
      published: { page: 'p', folder: 'f', runbooks: 1, notes: [] },
      ...{ wave: 'w', troubles: 0, answer: { yes: true, by: 'b', why: 'w' }, failure: { error: 'E', cause: 'c' } },
    },
    ...{
      holdWait: 60,
      settleLeft: 40,
      settleWait: 10,
      lookEvery: 30,
      sinceLook: 10,
      polls: 1,
      reportLooks: 0,
      rollbackAttempt: 1,
      isReadyForTraffic: true,
      settledAt: 't',
      ending: 'Conflict',
    },
    ...{
      timeline: [],
      notes: [],
      decisions: [],
      decision: {},
      isSigned: true,
      isTooLittle: true,
      decideWithin: 900,
      load: { round: 0, turn: 0 },
      lost: '',
      baseline: [],
      dashboard: 'https://example.com',
      report: null,
      limits: [],
      claimed_at_millis: 0,
      alarms: [],
      removals: [],
      hooks: [],
      first: [],
      outcomes: [],
      changed: false,
      pass: 1,
    },
    ...{ approval: null, replication: null, failure: { state: 's', error: 'e', cause: 'c' }, problem: null },
    run: {
      ...reply,
      last_route: 0,
      last_step: 0,
      rolls_back: true,
      hold: null,
      why: null,
      routes: [item],
      resume: [item],
      evidence: [item],
      alarms: [0],
      late_writers_seconds: 35,
    },
    ...{
      watched_seconds: 0,
      trouble_told: '',
      troubles: 0,
      looks_after_due: 0,
      trouble: { error: 'e', cause: 'c' },
      rollback: 'arn',
    },
    end: { ...reply, ending: 'RolledBack', hold: null, routes: [] },
  };

  for (const [path, text] of ALL) {
    // One whose item is a number.
    const of = path.includes('AlarmNot')
      ? { ...scope.states, context: { ...scope.states.context, Map: { Item: { Value: 0 } } } }
      : scope.states;
    test(path, async () => {
      const value = await evaluated(text, { ...scope, states: of });
      if (path.endsWith('.Condition')) assert.equal(typeof value, 'boolean', text);
    });
  }
});

describe('what failed', () => {
  const { Catch } = JSON.parse(rendered('cutover')).States.Validate;
  const cause: string = Catch[0].Assign.failure.cause;
  const said = (Cause?: string) =>
    evaluated(cause, { states: { errorOutput: { Error: 'E', ...(Cause !== undefined && { Cause }) } } });
  const MOST = 10_000;

  const wrapped: [string, string][] = [
    ['a sentence', 'the listener was changed'],
    ['quotes, also at its ends', '"a" and "b"'],
    ['backslashes, also before a quote and at the end', 'C:\\new\\"x\\'],
    ['lines and tabs', 'one\n\ttwo\n'],
    ['JSON within', JSON.stringify({ errorMessage: 'inner "quoted"', errorType: 'X' })],
    ['JSON within JSON', JSON.stringify({ errorMessage: JSON.stringify({ errorMessage: 'deep' }) })],
    ['nothing', ''],
    ['field names', 'no "errorType": here, nor "errorMessage": there'],
    ['what JSONata and replacements know', '$1 $$ & ~> {% $x %} /(a|b)*/'],
    ['other scripts', 'Zürich 名 🙂'],
  ];
  for (const [what, message] of wrapped) {
    test(`of ${what}`, async () => {
      for (const json of [
        JSON.stringify({ errorType: 'Cutover.Drift', errorMessage: message }),
        JSON.stringify({ errorMessage: message, errorType: 'X', stackTrace: [] }),
        JSON.stringify({ errorMessage: message, errorType: 'X' }, null, 1), // with spaces, as Python writes it
      ]) {
        assert.equal(await said(json), message);
      }
    });
  }

  test('of 30,000 characters, of whatever kind, is cut', async () => {
    for (const piece of ['x', '"', '\\', '\n', '\\"', 'ab"c\\']) {
      const message = piece.repeat(30_000 / piece.length);
      assert.equal(await said(JSON.stringify({ errorType: 'E', errorMessage: message })), message.slice(0, MOST));
    }
    assert.equal(((await said('y'.repeat(32_768))) as string).length, MOST);
  });

  test('is the cause as it is where it is no such JSON, or was cut', async () => {
    const long = JSON.stringify({ errorType: 'E', errorMessage: 'a "long" one '.repeat(100) });
    for (const plain of [
      'Task timed out',
      '{}',
      '{"errorMessage":null,"errorType":"E"}',
      '{"errorMessage":17}',
      '{"errorMessage":',
      '{"errorMessage',
      '"errorMessage"',
      '["errorMessage","x"]',
      long.slice(0, 500),
      `${long.slice(0, 40)}\\`,
      '',
    ]) {
      assert.equal(await said(plain), plain);
    }
    assert.equal(await said(), '');
  });
});
